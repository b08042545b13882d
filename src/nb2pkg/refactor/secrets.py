"""Keys, tokens and passwords in cells: they become `os.environ[...]`, and are masked wherever else they stand.

    API_KEY = "AIza…"                 →    client = Client(os.environ["API_KEY"])
    client = Client(API_KEY)

What one looks like is in the knowledge base. A value is never part of a message.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

from nb2pkg.analyse.edits import Edit, edit_of, edited
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.knowledge.facts import SecretPattern
from nb2pkg.notebook import Cell, Notebook, Secret

MASK = "****"
_LONG = 8
"""Shorter values, and plain words, are masked only where they are whole: other text may have them by chance."""
_PLACEHOLDER = re.compile(
    r"(?i)\W*(?:(?:your|my|the|enter|insert|add|some|put|replace|paste|here)[ _-].*|.*[ _-]here|(.)\1*|"
    r"<.*>|\[.*\]|\{.*\}|.*\.\.\..*|x+|[*]+|change[ _-]?me|none|null|true|false|todo|dummy|example|"
    r"passw(?:or)?d|pwd|secret|token|api[ _-]?key|key|text|hidden)\W*"
)
_IN_URL = re.compile(r"://[^\s:/@'\"]+:[^\s/@'\"]+@")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class _Found:
    """A string literal of a cell that is a secret, or holds one."""

    cell: int
    node: ast.Constant = field(compare=False)
    value: str
    name: str


def without_secrets(
    notebook: Notebook, knowledge: KnowledgeBase, known: tuple[Secret, ...] = (), *, inline: bool = True
) -> tuple[Notebook, tuple[Diagnostic, ...]]:
    """The notebook without its secrets; itself where it has none, which is seen at once.

    `known` are secrets of other places, with their names. With `inline`, a name that is nothing but a secret goes.
    """
    texts = "\n".join(cell.code or cell.source for cell in notebook.cells)
    if not may_have_secrets(texts, knowledge) and not any(secret.value in texts for secret in known):
        return notebook, ()
    trees = {cell.index: ast.parse(cell.code) for cell in notebook.code_cells}
    found = [f for cell in notebook.code_cells for f in _in_cell(cell, trees[cell.index], knowledge)]
    found += _again(trees, found, {s.value: s.name for s in known})
    loose = [
        (cell.index, value, name) for cell in notebook.cells for value, name in _patterns(cell.source, knowledge)
    ]
    names = _names(found, loose, {s.value: s.name for s in known})
    if not found and not loose:
        return notebook, ()
    secrets = tuple(Secret(name, value) for value, name in names.items())
    telling = tuple(secret for secret in secrets if _is_telling(secret.value))
    edits, told = _edits(notebook, trees, found, names, inline=inline)
    cells = [
        replace(
            cell,
            code=_masked(edited(cell.code, edits.get(cell.index, ())), telling),
            source=_masked(cell.source, secrets),
        )
        for cell in notebook.cells
    ]
    told += [
        Diagnostic("N802", "a secret in the text of this cell is masked", cell, None)
        for cell in dict.fromkeys(index for index, value, _ in loose if value not in {f.value for f in found})
    ]
    imports = notebook.imports if not edits or "import os" in notebook.imports else (*notebook.imports, "import os")
    runs = tuple((name, masked_file(content, secrets)) for name, content in notebook.run_files)
    written = tuple((name, _masked(text, secrets)) for name, text in notebook.written_modules)
    hidden = replace(
        notebook, cells=tuple(cells), imports=imports, run_files=runs, written_modules=written, secrets=secrets
    )
    return hidden, tuple(told)


def may_have_secrets(text: str, knowledge: KnowledgeBase) -> bool:
    """Whether it is worth looking: the text has something without which there is no secret. Most have none of it."""
    marks, words, bound = _prefilter(tuple(knowledge.secrets), tuple(knowledge.secret_names))
    if any(mark in text for mark in marks) or ("://" in text and _IN_URL.search(text)):
        return True
    lower = text.lower()
    return any(word in lower for word in words) and bound.search(lower) is not None


def masked_file(content: bytes, secrets: Iterable[Secret]) -> bytes:
    """A notebook's or script's bytes with the secrets masked, in its sources and in its outputs."""
    for secret in sorted(secrets, key=lambda s: -len(s.value)):
        plain, escaped = secret.value, json.dumps(secret.value)[1:-1]
        for text in dict.fromkeys((plain, escaped, json.dumps(secret.value, ensure_ascii=False)[1:-1])):
            if _is_telling(text):
                content = content.replace(text.encode(), MASK.encode())
                continue
            for before, after in (("'", "'"), ('"', '"'), ('\\"', '\\"'), (":", "@")):
                content = content.replace(f"{before}{text}{after}".encode(), f"{before}{MASK}{after}".encode())
    return content


def masked(diagnostic: Diagnostic, secrets: Iterable[Secret]) -> Diagnostic:
    """A diagnostic that quotes no secret."""
    return replace(diagnostic, message=_masked(diagnostic.message, tuple(secrets)))


def _masked(text: str, secrets: tuple[Secret, ...]) -> str:
    return masked_file(text.encode("utf-8", "surrogatepass"), secrets).decode("utf-8", "surrogatepass")


@cache
def _prefilter(
    patterns: tuple[SecretPattern, ...], names: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, ...], tuple[str, ...], re.Pattern[str]]:
    """The texts that patterns begin with; the words of names; a name with what binds it to a text."""
    marks = {text for pattern in patterns for text in pattern.may if text != "://"}
    words = {pattern.strip("*_") for pattern, how in names if how != "beside"}
    short = {w for w in words if not any(other != w and other in w for other in words)}
    bound = rf"(?:{'|'.join(sorted(short))})\w*['\"]?\]?\s*(?::\s*\w+\s*)?[=:,]\s*\(?\s*[rbuf]*['\"]"
    return tuple(sorted(marks)), tuple(sorted(short)), re.compile(bound)


# -- finding -----------------------------------------------------------------------------------------------------


def _in_cell(cell: Cell, tree: ast.Module, knowledge: KnowledgeBase) -> Iterator[_Found]:
    if not may_have_secrets(cell.code, knowledge):
        return
    seen: set[int] = set()
    for node in ast.walk(tree):
        for name, bound, beside in _bindings(node):
            text = _text(bound)
            if text is not None and isinstance(bound, ast.Constant) and _is_secret(name, text, beside, knowledge):
                seen.add(id(bound))
                yield _Found(cell.index, bound, text, _env_name(name, node))
    for node in ast.walk(tree):
        text = _text(node)
        if text is not None and isinstance(node, ast.Constant) and id(node) not in seen:
            for value, name in _patterns(text, knowledge):
                yield _Found(cell.index, node, value, name)


def _again(trees: dict[int, ast.Module], found: list[_Found], known: Mapping[str, str]) -> Iterator[_Found]:
    """Other literals that hold what was found to be a secret, or is `known` to be one."""
    seen = {(id(f.node), f.value) for f in found}
    names = {**known, **{f.value: f.name for f in found}}
    values = {value: name for value, name in names.items() if _is_telling(value)}
    for index, tree in trees.items():
        for node in ast.walk(tree) if values else ():
            text = _text(node)
            for value, name in values.items():
                if text is not None and value in text and (id(node), value) not in seen:
                    assert isinstance(node, ast.Constant)
                    yield _Found(index, node, value, name)


def _is_telling(value: str) -> bool:
    """Whether no other text has the value by chance."""
    return len(value) >= _LONG and not value.isalpha()


def _text(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.Constant(value=bytes(data)):
            return data.decode("latin-1")
        case _:
            return None


def _bindings(node: ast.AST) -> Iterator[tuple[str, ast.expr, tuple[str, ...]]]:
    """The literals that a node gives a name to, each with the names that stand beside."""
    match node:
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            yield from ((_name(t), v, ()) for t, v in zip(targets, values, strict=False))
        case ast.Assign(targets=targets, value=value):
            yield from ((_name(target), value, ()) for target in targets)
        case ast.AnnAssign(target=target, value=ast.expr() as value):
            yield _name(target), value, ()
        case ast.Call(keywords=keywords):
            names = tuple(k.arg or "" for k in keywords)
            yield from ((k.arg or "", k.value, ("", *names)) for k in keywords)
        case ast.Dict(keys=keys, values=values):
            names = tuple(k.value if isinstance(k, ast.Constant) and isinstance(k.value, str) else "" for k in keys)
            yield from ((name, value, ("{", *names)) for name, value in zip(names, values, strict=True))
        case ast.FunctionDef(args=args) | ast.AsyncFunctionDef(args=args):
            plain = [*args.posonlyargs, *args.args]
            yield from ((a.arg, v, ()) for a, v in zip(plain[::-1], args.defaults[::-1], strict=False))
            pairs = zip(args.kwonlyargs, args.kw_defaults, strict=True)
            yield from ((a.arg, v, ()) for a, v in pairs if v is not None)
        case _:
            pass


def _name(target: ast.expr) -> str:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case ast.Subscript(slice=ast.Constant(value=str(name))):
            return name
        case _:
            return ""


def _is_secret(name: str, value: str, beside: tuple[str, ...], knowledge: KnowledgeBase) -> bool:
    """Whether a value that has this name is a secret: a key looks like one, a password is one where it is used."""
    how = knowledge.names_secret(_WORDS.sub("_", name).lower()) if name else ""
    if not how or how == "beside" or _PLACEHOLDER.fullmatch(value) or value.lower() == name.lower():
        return False
    if how == "weak":
        company = any(knowledge.names_secret(other.lower()) == "beside" for other in beside)
        in_dict = beside[:1] == ("{",)
        plain = value.isidentifier() and not any(c.isdigit() for c in value)
        odd = len(value) < 4 or re.search(r"[\s/\\]", value) is not None
        return not odd and (company or not (in_dict and plain)) and not (in_dict and plain and not company)
    return looks_random(value)


def looks_random(value: str) -> bool:
    """Whether a text looks like a key: long, of letters and digits, in no order that people write."""
    if not re.fullmatch(r"[\w.~+/=:-]{16,}", value) or not re.search(r"\d", value) or not re.search("[A-Za-z]", value):
        return False
    if re.search(r"[/\\.](?:csv|txt|json|pkl|png|jpe?g|parquet|xlsx?|ipynb|py|h5|pt|yaml|yml)\Z", value):
        return False
    counts = Counter(value)
    return -sum(n / len(value) * math.log2(n / len(value)) for n in counts.values()) > 3.0


def _patterns(text: str, knowledge: KnowledgeBase) -> Iterator[tuple[str, str]]:
    """The secrets in a text that need no name, each with one."""
    for pattern in knowledge.secrets:
        if any(part in text for part in pattern.may):
            for match in re.finditer(pattern.pattern, text):
                value = match[match.lastindex or 0]
                if not _PLACEHOLDER.fullmatch(value) and (pattern.weak or len(set(value)) > 5):
                    yield value, pattern.name


# -- naming ------------------------------------------------------------------------------------------------------


def _env_name(name: str, node: ast.AST) -> str:
    """The variable of the environment: the literal's own name, with that of what it belongs to before it."""
    own = re.sub(r"\W+", "_", _WORDS.sub("_", name)).strip("_").upper()
    match node:
        case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=owner))]) if owner not in ("self", "cls"):
            before = owner.upper()
        case ast.Call(func=ast.Attribute(value=ast.Name(id=owner))) if "_" not in own:
            before = owner.upper()
        case _:
            before = ""
    return own if not before or own.startswith(before) else f"{before}_{own}"


def _names(
    found: Iterable[_Found], loose: Iterable[tuple[int, str, str]], known: Mapping[str, str]
) -> dict[str, str]:
    """The variable for each value; values that want the same are numbered."""
    names = dict(known)
    for value, wanted in (*((f.value, f.name) for f in found), *((value, name) for _, value, name in loose)):
        if value not in names:
            base = wanted if not wanted[:1].isdigit() else f"_{wanted}"
            taken = set(names.values())
            names[value] = next(n for n in (base, *(f"{base}_{i}" for i in range(2, 1000))) if n not in taken)
    return names


# -- replacing ---------------------------------------------------------------------------------------------------


def _edits(
    notebook: Notebook, trees: dict[int, ast.Module], found: list[_Found], names: dict[str, str], *, inline: bool
) -> tuple[dict[int, list[Edit]], list[Diagnostic]]:
    """What takes the place of the literals, and of the names that are bound to nothing else."""
    edits: dict[int, list[Edit]] = {}
    told: list[Diagnostic] = []
    code = {cell.index: cell.code for cell in notebook.cells}
    inlined = _inlined(trees, found) if inline else {}
    strings = {
        index: [p for p in ast.walk(tree) if isinstance(p, ast.JoinedStr)] for index, tree in trees.items()
    }
    inside = {id(p) for listed in strings.values() for s in listed for p in ast.walk(s)}
    by_node: dict[int, list[_Found]] = {}
    for each in found:
        by_node.setdefault(id(each.node), []).append(each)
    for group in by_node.values():
        first = group[0]
        shown = ", ".join(dict.fromkeys(f'os.environ["{names[f.value]}"]' for f in group))
        message = f"a secret is {shown} in the package: set it before `dvc repro` (see .env.example)"
        told.append(Diagnostic("N801", message, first.cell, first.node.lineno))
        statement = inlined.get(id(first.node))
        if statement is not None:
            alone = _is_alone(statement, trees[first.cell])
            edits.setdefault(first.cell, []).append(edit_of(statement, "" if alone else "pass"))
        elif id(first.node) not in inside:
            edits.setdefault(first.cell, []).append(edit_of(first.node, _expression(first.node, group, names)))
    by_name = {
        statement.targets[0].id: names[f.value]
        for f in found
        if (statement := inlined.get(id(f.node))) is not None and isinstance(statement.targets[0], ast.Name)
    }
    for index, tree in trees.items():
        for part in ast.walk(tree):
            read = isinstance(part, ast.Name) and isinstance(part.ctx, ast.Load) and id(part) not in inside
            if read and isinstance(part, ast.Name) and part.id in by_name:
                edits.setdefault(index, []).append(edit_of(part, f'os.environ["{by_name[part.id]}"]'))
        values = [f for f in found if f.cell == index and id(f.node) in inside]
        for string in strings[index]:
            edit = _in_string(code[index], string, values, names, by_name)
            if edit is not None:
                edits.setdefault(index, []).append(edit)
    return edits, told


def _inlined(trees: dict[int, ast.Module], found: list[_Found]) -> dict[int, ast.Assign]:
    """The statements that only give a secret a name, for good: the name is replaced where it is read. The
    environment's own entry needs no statement."""
    bound: Counter[str] = Counter()
    for tree in trees.values():
        for part in ast.walk(tree):
            match part:
                case ast.Name(id=name, ctx=ast.Store() | ast.Del()) | ast.arg(arg=name):
                    bound[name] += 1
                case ast.Global(names=listed) | ast.Nonlocal(names=listed):
                    bound.update(n for name in listed for n in (name, name))
                case _:
                    pass
    wanted = {id(f.node): f for f in found}
    statements: dict[int, ast.Assign] = {}
    for tree in trees.values():
        for statement in tree.body:
            match statement:
                case ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant() as value) if id(value) in wanted:
                    if bound[name] == 1 and wanted[id(value)].value == value.value:
                        statements[id(value)] = statement
                case ast.Assign(
                    targets=[
                        ast.Subscript(
                            value=ast.Attribute(value=ast.Name(id="os"), attr="environ"),
                            slice=ast.Constant(value=str(key)),
                        )
                    ],
                    value=ast.Constant() as value,
                ) if id(value) in wanted and wanted[id(value)].name == key and wanted[id(value)].value == value.value:
                    statements[id(value)] = statement
                case _:
                    pass
    return statements


def _is_alone(statement: ast.stmt, tree: ast.Module) -> bool:
    """Whether no other statement stands on its lines."""
    lines = range(statement.lineno, (statement.end_lineno or statement.lineno) + 1)
    return all(s is statement or (s.lineno not in lines and s.end_lineno not in lines) for s in tree.body)


def _expression(node: ast.Constant, group: list[_Found], names: dict[str, str]) -> str:
    """The literal with its secrets taken from the environment."""
    if isinstance(node.value, bytes):
        whole = group[0].value == _text(node)
        return f'os.environ["{names[group[0].value]}"].encode()' if whole else repr(MASK.encode())
    assert isinstance(node.value, str)
    parts: list[str] = []
    rest = node.value
    pattern = "|".join(re.escape(f.value) for f in sorted(group, key=lambda f: -len(f.value)))
    for piece in re.split(f"({pattern})", rest):
        if piece in names and any(f.value == piece for f in group):
            parts.append(f'os.environ["{names[piece]}"]')
        elif piece:
            parts.append(repr(piece))
    return parts[0] if len(parts) == 1 else f"({' + '.join(parts)})"


def _in_string(
    code: str, string: ast.JoinedStr, found: list[_Found], names: dict[str, str], by_name: dict[str, str]
) -> Edit | None:
    """An f-string with the secrets in its text, and the names in its braces, taken from the environment."""
    segment = ast.get_source_segment(code, string) or ""
    quote = re.search("[\"']", segment)
    other = "'" if quote is None or quote[0] == '"' else '"'
    new = segment
    for each in found:
        if any(part is each.node for part in ast.walk(string)):
            new = new.replace(each.value, f"{{os.environ[{other}{names[each.value]}{other}]}}")
    for part in ast.walk(string):
        if isinstance(part, ast.Name) and part.id in by_name:
            at = rf"(\{{[^{{}}]*?)\b{re.escape(part.id)}\b(?![\"'])"
            variable = by_name[part.id]
            # a default binds the loop's value now, and mypy infers no type for it
            new = re.sub(at, lambda m, v=variable: f"{m[1]}os.environ[{other}{v}{other}]", new)  # type: ignore[misc]
    return edit_of(string, new) if new != segment else None
