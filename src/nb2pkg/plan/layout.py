"""Where the notebook's files lie in the package: inputs in `data/raw/`, what is written in `models/`,
`data/processed/` and `reports/`; or, where moving them could be noticed, below `workspace/`, all as it was.

What goes in here: the decision, which is made for a notebook as a whole. A path may move where it is known and is
nothing but the name of a file that is opened, and where no code can tell which folder it runs in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.edits import Edit, edit_of, edited, paired
from nb2pkg.analyse.program import FileUse, Statement
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Notebook
from nb2pkg.plan.data import expected_folders, files_below, normal_path
from nb2pkg.plan.paths import Brought
from nb2pkg.refactor.resolve import Resolver
from nb2pkg.refactor.runtime_names import local_names

RAW = "data/raw"
_INPUT_FOLDERS = frozenset({"data", "dataset", "datasets", "input", "inputs", "raw"})
"""What the folder of the inputs is called, whose name would say nothing beside `data/raw`."""
_FETCHED = re.compile(r"(?:https?|ftp)://")
_ONLY_WEB = frozenset({"storage_options"})
"""Arguments that only what is on the web may have."""
_DATA_ROOTS = frozenset({"pandas", "numpy", "builtins", "collections", "polars"})


@dataclass(frozen=True, slots=True)
class Move:
    """A file of the notebook: where it is for the notebook, where it is for the package, and what is copied there."""

    original: str
    package: str
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class Layout:
    """The files that move, or why none does."""

    moves: tuple[Move, ...] = ()
    in_place: bool = False
    """Nothing needs the notebook's working folder."""
    downloads: tuple[tuple[str, str], ...] = ()
    """(URL, path from the package's root) of what is downloaded once, and read from there."""
    telling: tuple[tuple[ast.Call, str, str], ...] = ()
    """The calls that give back a path which somebody sees, the function in their place, and the notebook's path."""
    folders: tuple[str, ...] = ()
    """The folders that the notebook expects to be there, from its working folder."""
    why: str = ""
    place: tuple[int, int] | None = None
    """The cell and line that are the reason."""


WORKSPACE = Layout()
"""The notebook's own layout."""


Parts = tuple[tuple[Statement, tuple[ast.AST, ...]], ...]
"""The statements with all their nodes."""


class _Stays(Exception):
    """A reason not to move anything."""

    def __init__(self, why: str, cell: int | None = None, line: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.place = (cell, line) if cell is not None and line is not None else None


def decide(
    notebook: Notebook, program: Program, base: Path, brought: tuple[Brought, ...], knowledge: KnowledgeBase
) -> Layout:
    """The layout for a notebook that runs in the folder `base`."""
    try:
        _no_code_knows_the_folder(notebook, program, base, knowledge)
        uses = [(s, f) for s in program.statements for f in s.effects.files]
        inputs, outputs = _sorted_out(uses, base, {b.target: b.source for b in brought})
        moves = (*_raw(inputs), *_made(outputs, program, knowledge))
        parts = tuple((s, tuple(ast.walk(s.node))) for s in program.statements) if uses or _unknown(program) else ()
        telling: tuple[tuple[ast.Call, str, str], ...] = ()
        if uses:
            telling = _only_opened(program, parts, [m.original for m in moves], knowledge)
        _nothing_else_is_opened(program, parts, base, moves, knowledge)
        downloads = tuple(_fetched(program, {m.package for m in moves}))
    except _Stays as reason:
        return Layout(why=reason.why, place=reason.place)
    folders = expected_folders(notebook, program, base)
    return Layout(moves, in_place=True, downloads=downloads, telling=telling, folders=folders)


def kept(layout: Layout) -> tuple[Diagnostic, ...]:
    """What is told where nothing moves."""
    if not layout.why:
        return tuple(
            Diagnostic("N406", f"{url} is downloaded once, to {path}, by a stage of its own", severity="info")
            for url, path in layout.downloads
        )
    cell, line = layout.place or (None, None)
    message = f"the files keep the notebook's own layout, below workspace/: {layout.why}"
    return (Diagnostic("N405", message, cell, line, "info"),)


# -- the obligation ------------------------------------------------------------------------------------------------


def _no_code_knows_the_folder(notebook: Notebook, program: Program, base: Path, knowledge: KnowledgeBase) -> None:
    for statement in program.statements:
        if statement.effects.dynamic:
            raise _Stays(statement.effects.dynamic, statement.cell, statement.node.lineno)
    if notebook.written_modules or notebook.run_files:
        raise _Stays("the notebook writes or runs files of code")
    for statement in program.statements:
        for root in _imported(statement.node):
            if (base / f"{root}.py").is_file() or (base / root / "__init__.py").is_file():
                raise _Stays(f"its own module {root} may open files", statement.cell, statement.node.lineno)
    opened = {id(f.argument) for s in program.statements for f in s.effects.files}
    for node, meanings in program.resolved_calls.items():
        for name, fact in meanings:
            here = fact is not None and fact.folder == "default" and not any(id(a) in opened for a in _given(node))
            if fact is not None and (fact.folder == "always" or here):
                owner = _statement_of(program, node)
                cell = owner.cell if owner else None
                raise _Stays(f"{name.removeprefix('builtins.')}() depends on the working folder", cell, node.lineno)


def _sorted_out(
    uses: list[tuple[Statement, FileUse]], base: Path, brought: dict[str, Path]
) -> tuple[dict[str, Path], dict[str, list[tuple[Statement, FileUse]]]]:
    """The files that are read as they are, and those that the notebook makes."""
    inputs: dict[str, Path] = {}
    outputs: dict[str, list[tuple[Statement, FileUse]]] = {}
    for statement, use in uses:
        place = statement.cell, use.line
        if use.path is None:
            raise _Stays("a path is made while the code runs", *place)
        path = use.path
        if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", path) or "\\" in path or "*" in path:
            raise _Stays(f"{path} is no path of one file below the notebook", *place)
        normal = normal_path(path)
        if not normal.strip("./"):
            raise _Stays("the working folder itself is used", *place)
        if normal in outputs:
            outputs[normal].append((statement, use))
            continue
        there = brought.get(normal, base / normal)
        made_here = any(f.writes and f.argument is use.argument for f in statement.effects.files)
        if use.writes:
            if normal in inputs:
                raise _Stays(f"{normal} is read, and then written over", *place)
            if there.is_dir():
                raise _Stays(f"{normal} is a folder that is there already", *place)
            outputs.setdefault(normal, []).append((statement, use))
        elif made_here and not there.exists():
            outputs.setdefault(normal, []).append((statement, use))
        elif there.is_file() or there.is_dir():
            inputs[normal] = there
        else:
            raise _Stays(f"{normal} is not there", *place)
    for made, first in outputs.items():
        appended = any(not u.writes and u.argument is None and u.line == w.line for _, u in first for _, w in first[:1])
        if appended and (base / made).exists():
            raise _Stays(f"{made} is there already, and appended to", first[0][0].cell, first[0][1].line)
    return inputs, outputs


def _only_opened(
    program: Program, parts: Parts, paths: Iterable[str], knowledge: KnowledgeBase
) -> tuple[tuple[ast.Call, str, str], ...]:
    """Each path is a literal, or a name for one, that is nothing but an argument of calls that open it.

    Gives the calls that have to be told the path that they give back.
    """
    telling: list[tuple[ast.Call, str, str]] = []
    wanted = set(paths)
    arguments = {id(f.argument) for s in program.statements for f in s.effects.files if f.argument is not None}
    names: dict[str, int] = {}
    handles: set[str] = set()
    for statement, nodes in parts:
        place = statement.cell, statement.node.lineno
        for use in statement.effects.files:
            if isinstance(use.argument, ast.Name):
                names[use.argument.id] = statement.cell
            elif use.argument is not None and not isinstance(use.argument, ast.Constant):
                raise _Stays("a path is put together", statement.cell, use.line)
        handles |= {name for node in nodes for name in _bound_to_files(node, arguments)}
        telling += _result_is_silent(statement, nodes, program, knowledge, arguments)
        for node in nodes:
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and normal_path(node.value) in wanted:
                match statement.node:
                    case _ if id(node) in arguments:
                        pass
                    case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
                        names[name] = statement.cell
                    case _:
                        raise _Stays(f"{node.value!r} is not only opened", *place)
    for name, cell in names.items():
        if name in program.bound_often or not any(name in s.effects.surely_binds for s in program.statements):
            raise _Stays(f"{name} is not always the same path", cell, None)
    for statement, nodes in parts:
        for node in nodes:
            match node:
                case ast.Name(id=name, ctx=ast.Load()) if name in names and id(node) not in arguments:
                    raise _Stays(f"{name} is not only opened", statement.cell, node.lineno)
                case ast.Attribute(value=ast.Name(id=name), attr="name") if name in handles:
                    raise _Stays("an open file is asked for its name", statement.cell, node.lineno)
                case ast.Call(func=ast.Name(id="print" | "display" | "repr" | "str"), args=args) if any(
                    isinstance(a, ast.Name) and a.id in handles for a in args
                ):
                    raise _Stays("an open file is shown", statement.cell, node.lineno)
                case _:
                    pass
    return tuple(telling)


def _result_is_silent(
    statement: Statement, nodes: tuple[ast.AST, ...], program: Program, knowledge: KnowledgeBase, arguments: set[int]
) -> Iterator[tuple[ast.Call, str, str]]:
    """No call gives back the path that it was given, but for those that can be told another."""
    if not statement.effects.files:
        return
    paths = {id(f.argument): f.path for f in statement.effects.files}
    dropped = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    if statement.displayed and isinstance(statement.node, ast.Expr):
        dropped.discard(id(statement.node.value))
    for node in nodes:
        if not isinstance(node, ast.Call) or not any(id(a) in arguments for a in _given(node)):
            continue
        facts = [f for _, f in Resolver(statement.index, program, knowledge).meanings(node) if f is not None]
        if any(f.tells_path for f in facts) and id(node) not in dropped:
            path = next((p for a in _given(node) if (p := paths.get(id(a)))), None)
            if path is not None and len({f.told_by for f in facts}) == 1 and facts[0].told_by:
                yield node, facts[0].told_by, path
                continue
            raise _Stays("the result of a call tells the path", statement.cell, node.lineno)
        if any(f.mode for f in facts) and isinstance(statement.node, ast.Expr) and statement.node.value is node:
            raise _Stays("an open file is shown", statement.cell, node.lineno)


def _bound_to_files(node: ast.AST, arguments: set[int]) -> Iterator[str]:
    """The names that open files get."""
    match node:
        case ast.withitem(context_expr=ast.Call() as call, optional_vars=ast.Name(id=name)):
            pass
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
            pass
        case _:
            return
    if isinstance(call.func, ast.Name | ast.Attribute) and any(id(a) in arguments for a in _given(call)):
        last = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
        if last == "open":
            yield name


def _unknown(program: Program) -> Statement | None:
    """The first statement with a call of which nothing is known."""
    return next((s for s in program.statements if "?" in s.effects.draws), None)


def _nothing_else_is_opened(
    program: Program, parts: Parts, base: Path, moves: tuple[Move, ...], knowledge: KnowledgeBase
) -> None:
    """No text that is no argument names a file, where a call may open it of which nothing is known."""
    first = _unknown(program)
    if first is None:
        return
    arguments = {id(f.argument) for s in program.statements for f in s.effects.files}
    known = {m.original for m in moves}
    for statement, nodes in parts:
        printed = {
            id(a)
            for c in nodes
            if isinstance(c, ast.Call) and isinstance(c.func, ast.Name) and c.func.id == "print"
            for a in c.args
        }
        for node in nodes:
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not 0 < len(node.value) < 200:
                continue
            text = node.value
            if id(node) in arguments or id(node) in printed or "\n" in text or normal_path(text) in known:
                continue
            if knowledge.is_file_name(text) or (text.strip("./ ") and _exists(base, text)):
                message = f"{text!r} may be a file, which a call opens that is not known"
                raise _Stays(message, statement.cell, node.lineno)
    sources = {m.source for m in moves}
    for path in files_below(base):
        if path not in sources and path.suffix not in (".ipynb", ".py", ".md"):
            message = f"a call that is not known may open {path.name}"
            raise _Stays(message, first.cell, first.node.lineno)


def _imported(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in part.names)
        elif isinstance(part, ast.ImportFrom) and part.module:
            yield part.module.partition(".")[0]


def _exists(base: Path, text: str) -> bool:
    try:
        return (base / text).exists()
    except (OSError, ValueError):
        return False


def _given(node: ast.Call) -> list[ast.expr]:
    receiver = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    return [*node.args, *(k.value for k in node.keywords), *receiver]


def _statement_of(program: Program, node: ast.AST) -> Statement | None:
    return next((s for s in program.statements if any(part is node for part in ast.walk(s.node))), None)


# -- the new paths -------------------------------------------------------------------------------------------------


def _raw(inputs: dict[str, Path]) -> Iterator[Move]:
    """`data/raw/` and the name, with as many folders before it as tell it from the others."""
    whole = [p for p in inputs if not any(p.startswith(f"{o}/") for o in inputs if inputs[o].is_dir())]
    short = {p: _without(p, _INPUT_FOLDERS) for p in whole}
    for path, there in inputs.items():
        owner = path if path in short else next(o for o in whole if path.startswith(f"{o}/"))
        alone = sum(name == short[owner] for name in short.values()) == 1
        target = short[owner] if alone else "/".join(part for part in owner.split("/") if part != "..")
        yield Move(path, f"{RAW}/{target}{path[len(owner) :]}", there if owner == path else None)


def _without(path: str, folders: frozenset[str]) -> str:
    parts = [part for part in path.split("/") if part != ".."]
    while len(parts) > 1 and parts[0].lower() in folders:
        parts.pop(0)
    return "/".join(parts)


def _made(
    outputs: dict[str, list[tuple[Statement, FileUse]]], program: Program, knowledge: KnowledgeBase
) -> Iterator[Move]:
    """Models to `models/`, figures and texts to `reports/`, the rest to `data/processed/`."""
    folders = {p for p in outputs if any(o.startswith(f"{p}/") for o in outputs) or not PurePosixPath(p).suffix}
    roots = {p: _root(p, uses, program, knowledge) for p, uses in outputs.items() if p not in folders}
    taken: dict[str, str] = {}
    for path in outputs:
        owner = next((f for f in sorted(folders) if path == f or path.startswith(f"{f}/")), None)
        inside = [roots[p] for p in roots if owner is not None and p.startswith(f"{owner}/")]
        root = (inside[0] if inside else "data/processed") if owner is not None else roots[path]
        parts = [part for part in path.split("/") if part != ".."]
        tail = "/".join(parts)
        for own in (root, root.rpartition("/")[2], root.partition("/")[0]):
            if owner is None and tail.startswith(f"{own}/"):
                tail = tail[len(own) + 1 :]
        target = f"{root}/{tail}"
        if taken.setdefault(target, path) != path:
            target = f"{root}/{'/'.join(parts)}"
            if taken.setdefault(target, path) != path:
                raise _Stays(f"{path} and {taken[target]} would be one file")
        yield Move(path, target)


def _root(
    path: str, uses: list[tuple[Statement, FileUse]], program: Program, knowledge: KnowledgeBase
) -> str:
    found = knowledge.folder_of(path)
    if found == "models" and all(_is_data(s, u, program, knowledge) for s, u in uses if u.writes):
        return "data/processed"
    return found or "data/processed"


def _is_data(statement: Statement, use: FileUse, program: Program, knowledge: KnowledgeBase) -> bool:
    """Whether what is pickled is a frame, an array or a container of such, as far as can be seen."""
    env = program.environments[statement.index]
    for node in ast.walk(statement.node):
        if not isinstance(node, ast.Call):
            continue
        for _, fact in Resolver(statement.index, program, knowledge).meanings(node):
            if fact is None or not (fact.artifacts or fact.writes_file):
                continue
            if fact.artifacts == "save_pandas":
                return True
            if node.args and isinstance(node.args[0], ast.Name):
                objects = [program.heap[o] for o in env.get(node.args[0].id, frozenset())]
                types = {o.type.partition(".")[0] for o in objects}
                return bool(types) and types <= _DATA_ROOTS
            if node.args and isinstance(node.args[0], ast.Dict | ast.List | ast.Tuple | ast.Set):
                return True
    return False


def _fetched(program: Program, taken: set[str]) -> Iterator[tuple[str, str]]:
    """What can be downloaded beforehand: a URL that is a literal, or a name for one, and nothing but read."""
    uses = [f for s in program.statements for f in s.effects.downloads if f.path and _FETCHED.match(f.path)]
    if not uses:
        return
    arguments = {id(f.argument) for s in program.statements for f in s.effects.downloads}
    nodes = [(s, node) for s in program.statements for node in ast.walk(s.node)]
    optioned = {
        id(a)
        for _, n in nodes
        if isinstance(n, ast.Call) and any(k.arg in _ONLY_WEB for k in n.keywords)
        for a in _given(n)
    }
    for url in dict.fromkeys(f.path for f in uses if f.path):
        names = {f.argument.id for f in uses if f.path == url and isinstance(f.argument, ast.Name)}
        literal = [n for _, n in nodes if isinstance(n, ast.Constant) and n.value == url]
        bound = {
            id(s.node.value): t.id
            for s in program.statements
            if isinstance(s.node, ast.Assign)
            for t in s.node.targets[:1]
            if isinstance(t, ast.Name) and len(s.node.targets) == 1
        }
        only = all(id(n) in arguments or bound.get(id(n)) in names for n in literal)
        only = only and all(
            id(n) in arguments
            for _, n in nodes
            if isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load)
        )
        plain = all(
            isinstance(f.argument, ast.Constant | ast.Name) and id(f.argument) not in optioned
            for f in uses
            if f.path == url
        )
        if not literal or not only or not plain or names & program.bound_often:
            continue
        name = _name_of(url)
        target = f"{RAW}/{name}"
        number = 1
        while target in taken:
            number += 1
            target = f"{RAW}/{number}_{name}"
        taken.add(target)
        yield url, target


def _name_of(url: str) -> str:
    """The file's name. The ending says how it is packed, where the whole URL does."""
    plain = re.split(r"[?#]", url)[0]
    name = re.sub(r"[^\w.-]+", "_", plain.rstrip("/").rpartition("/")[2]).strip("._") or "download"
    return name if plain == url else f"{name}.download" if re.search(r"\.(gz|bz2|zip|xz|zst|tar)$", name) else name


# -- the program with them -----------------------------------------------------------------------------------------


def relocated(program: Program, layout: Layout) -> Program:
    """The program with its paths where the files are now."""
    if not layout.moves and not layout.downloads:
        return program
    to = {m.original: m.package for m in layout.moves}
    to |= {normal_path(url): path for url, path in layout.downloads}
    statements = []
    for statement in program.statements:
        text = _with_new_paths(statement.text, to) if any(_last(p) in statement.text for p in to) else statement.text
        files = tuple(
            replace(f, path=to.get(normal_path(f.path), f.path)) if f.path is not None else f
            for f in (*statement.effects.files, *statement.effects.downloads)
            if f in statement.effects.files or (f.path is not None and normal_path(f.path) in to)
        )
        repeats = tuple(_with_new_paths(r, to) for r in statement.repeats)
        effects = replace(statement.effects, files=files) if files else statement.effects
        statements.append(replace(statement, text=text, effects=effects, repeats=repeats))
    return replace(program, statements=tuple(statements))


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _with_new_paths(text: str, to: dict[str, str]) -> str:
    tree = ast.parse(text)
    inside = {id(part) for f in ast.walk(tree) if isinstance(f, ast.JoinedStr) for part in ast.walk(f)}
    edits = [
        edit_of(node, repr(to[normal_path(node.value)]))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside
        if normal_path(node.value) in to
    ]
    return edited(text, edits) if edits else text


def telling(program: Program, layout: Layout) -> Program:
    """The program whose calls give back the notebook's paths."""
    if not layout.telling:
        return program
    local = local_names(program)
    statements = list(program.statements)
    for place, statement in enumerate(statements):
        pairs = list(paired(statement.node, ast.parse(statement.text).body[0]))
        edits: list[Edit] = []
        for call, function, path in layout.telling:
            spot = next((two for one, two in pairs if one is call), None)
            if isinstance(spot, ast.Call):
                line, column = spot.end_lineno or spot.lineno, (spot.end_col_offset or 1) - 1
                edits += [edit_of(spot.func, local[function]), Edit(line, column, line, column, f", told={path!r}")]
        if edits:
            statements[place] = replace(statement, text=edited(statement.text, edits))
    return replace(program, statements=tuple(statements))
