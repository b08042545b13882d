"""What fissix does not know of: calls and names that mean something else in Python 3, or nothing.

What goes in here: edits of a text that is already in the grammar of Python 3, where they are sure to keep the meaning.
What is not sure is in `doubts`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field

from nb2pkg.analyse.edits import Edit, edit_of, edited, segment
from nb2pkg.python2.names import Names

_EAGER = frozenset(str.split("sorted list set frozenset tuple sum min max dict"))
"""Builtins that take all of an iterator where they take a list."""
_LAZY = frozenset(str.split("enumerate map filter zip iter any all"))
"""Builtins that take it bit by bit, so that what it does would be done at other times."""
_STRING_METHODS = frozenset(
    str.split(
        "lower upper strip lstrip rstrip split rsplit replace find rfind count index capitalize swapcase zfill "
        "ljust rjust center"
    )
)
_RENAMED = {
    "string.letters": "string.ascii_letters",
    "string.lowercase": "string.ascii_lowercase",
    "string.uppercase": "string.ascii_uppercase",
    "string.maketrans": "str.maketrans",
    "string.atoi": "int",
    "string.atof": "float",
    "os.getcwdu": "os.getcwd",
    "sys.maxint": "sys.maxsize",
    "itertools.izip": "zip",
    "itertools.imap": "map",
    "itertools.ifilter": "filter",
    "itertools.izip_longest": "itertools.zip_longest",
    "itertools.ifilterfalse": "itertools.filterfalse",
}
_OPERATORS = {"__div__": "__truediv__", "__rdiv__": "__rtruediv__", "__idiv__": "__itruediv__"}
_TEXT_FILES = ("csv.reader", "csv.writer", "csv.DictReader", "csv.DictWriter", "json.load", "json.dump")
_BINARY_FILES = ("pickle.load", "pickle.dump", "pickle.Pickler", "pickle.Unpickler")
_URLLIB = ("urllib.request", "urllib.error", "urllib.parse")
_ROUNDS = 6


@dataclass(slots=True)
class Meant:
    """A text that means what it meant, with the imports that it now needs."""

    text: str
    tree: ast.Module
    imports: set[str] = field(default_factory=set)


def meant(text: str, tree: ast.Module, names: Names, *, print_statement: bool) -> Meant:
    """The text with every sure edit; edits within edits are found in the next round. `print_statement`: `print` was
    one, so that it left out the space after what ends a line."""
    found = Meant(text, tree)
    for _ in range(_ROUNDS):
        lines = _lines(found.tree, names) if print_statement else None
        rules = _Rules(found.text, names, _files(found.tree, names), lines)
        edits = _apart([edit for node in ast.walk(found.tree) for edit in rules.edits(node)])
        found.imports |= rules.imports
        if not edits:
            break
        new = edited(found.text, edits)
        try:
            found = Meant(new, ast.parse(new), found.imports)
        except SyntaxError:  # an edit that does not fit its place: the text stays
            break
    return found


def _apart(edits: list[Edit]) -> list[Edit]:
    """The edits without those that lie in, or across, an earlier and longer one."""
    kept: list[Edit] = []
    for each in sorted(edits, key=lambda e: (e.line, e.column, (-e.end_line, -e.end_column))):
        if not kept or (kept[-1].end_line, kept[-1].end_column) <= (each.line, each.column):
            kept.append(each)
    return kept


def _files(tree: ast.Module, names: Names) -> dict[int, str]:
    """The mode that each `open` (by the id of its call) has to have: its file is only csv's, json's or pickle's."""
    opened: dict[str, list[ast.Call]] = {}
    for node in ast.walk(tree):
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call) if _opens(call, names):
                opened.setdefault(name, []).append(call)
            case ast.withitem(context_expr=ast.Call() as call, optional_vars=ast.Name(id=name)) if _opens(call, names):
                opened.setdefault(name, []).append(call)
            case _:
                pass
    wanted: dict[int, str] = {}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = names.qualified(node.func)
        kind = "t" if called in _TEXT_FILES else "b" if called in _BINARY_FILES else ""
        for given in node.args[:2] if kind else ():
            calls = opened.get(given.id, []) if isinstance(given, ast.Name) else []
            if isinstance(given, ast.Call) and _opens(given, names):
                calls = [given]
            wanted |= {id(call): "csv" if called.startswith("csv.") else kind for call in calls}
    return wanted


def _lines(tree: ast.Module, names: Names) -> frozenset[str]:
    """The variables of loops over the lines of a file."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name):
            given = node.iter
            makers = names.values.get(given.id, []) if isinstance(given, ast.Name) else [given]
            calls = [each for each in makers if isinstance(each, ast.Call)]
            if any(_opens(c, names) or ast.unparse(c.func).endswith(".readlines") for c in calls):
                found.add(node.target.id)
    return frozenset(found)


def _ends_line(node: ast.expr, lines: frozenset[str]) -> bool:
    """Whether what is printed ends with white space that is no space."""
    match node:
        case ast.Constant(value=str(text)):
            return text[-1:].isspace() and text[-1:] != " "
        case ast.BinOp(left=left, op=ast.Mod()):
            return _ends_line(left, frozenset())
        case ast.Name(id=name):
            return name in lines
        case _:
            return False


def _opens(node: ast.Call, names: Names) -> bool:
    return names.is_builtin(node.func, "open") or names.is_builtin(node.func, "file")


@dataclass(slots=True)
class _Rules:
    """Each rule looks at one node and gives the edits for it."""

    text: str
    names: Names
    files: dict[int, str]
    lines: frozenset[str] | None
    """The variables that hold lines; None where `print` was a function."""
    imports: set[str] = field(default_factory=set)

    def edits(self, node: ast.AST) -> Iterator[Edit]:
        match node:
            case ast.Call():
                yield from self.call(node)
            case ast.Name(ctx=ast.Load()):
                if self.names.is_builtin(node, "reduce"):
                    self.imports.add("from functools import reduce")
            case ast.Attribute(ctx=ast.Load()):
                new = _RENAMED.get(self.names.qualified(node))
                if new is not None:
                    old, module = self.names.qualified(node).rpartition(".")[0], new.rpartition(".")[0]
                    kept = f"{self.source(node.value)}." if module == old else f"{module}." if module else ""
                    yield edit_of(node, kept + new.rpartition(".")[2])
            case ast.FunctionDef(name=name) if name in _OPERATORS:
                yield from self.renamed_method(node)
            case ast.Import() | ast.ImportFrom():
                yield from self.imported(node)
            case ast.Assign(targets=[ast.Tuple() | ast.List()], value=ast.Call(func=ast.Name(id="list"), args=[given])):
                if _is_lazy(given) and isinstance(node.value, ast.Call) and not node.value.keywords:
                    yield edit_of(node.value, self.source(given))
            case ast.Module() | ast.If() | ast.Try() | ast.FunctionDef() | ast.With():
                yield from self.block(node.body)
            case _:
                pass

    def source(self, node: ast.expr) -> str:
        return segment(self.text, node)

    def operand(self, node: ast.expr) -> str:
        """The text of a node that a method is called on."""
        text = self.source(node)
        plain = isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) or (
            isinstance(node, ast.Constant) and isinstance(node.value, str) and "\n" not in text
        )
        return text if plain else f"({text})"

    def call(self, node: ast.Call) -> Iterator[Edit]:
        called = self.names.qualified(node.func)
        if self.names.is_builtin(node.func, "file"):
            yield edit_of(node.func, "open")
        elif self.names.is_builtin(node.func, "cmp") and len(node.args) == 2 and all(map(_is_plain, node.args)):
            left, right = (self.operand(each) for each in node.args)
            yield edit_of(node, f"(({left} > {right}) - ({left} < {right}))")
        elif called == "string.join" and node.args and not node.keywords:
            joint = self.operand(node.args[1]) if len(node.args) > 1 else '" "'
            yield edit_of(node, f"{joint}.join({self.source(node.args[0])})")
        elif called.startswith("string.") and called[7:] in _STRING_METHODS and node.args and not node.keywords:
            rest = ", ".join(self.source(each) for each in node.args[1:])
            yield edit_of(node, f"{self.operand(node.args[0])}.{called[7:]}({rest})")
        else:
            yield from (edit_of(each, self.source(each.args[0])) for each in self.redundant(node))
            yield from self.printed(node)
        yield from self.compared(node)
        if id(node) in self.files:
            yield from self.opened(node, self.files[id(node)])

    def printed(self, node: ast.Call) -> Iterator[Edit]:
        """`print((x))`, which was `print (x)`, without the second parentheses; `end=''` after what ends a line."""
        if self.lines is None or not self.names.is_builtin(node.func, "print") or not node.args:
            return
        for keyword in node.keywords:
            if keyword.arg == "end" and ast.unparse(keyword.value) == "' '" and _ends_line(node.args[-1], self.lines):
                yield edit_of(keyword.value, "''")
        if len(node.args) != 1 or node.keywords:
            return
        given = node.args[0]
        first, start = node.func.end_lineno or 0, node.func.end_col_offset or 0
        last, stop = node.end_lineno or 0, node.end_col_offset or 0
        inside = segment(self.text, node)
        doubled = first == given.lineno and given.col_offset > start + 1 and "#" not in inside
        if doubled and not isinstance(given, ast.Tuple | ast.GeneratorExp | ast.Starred):
            yield Edit(first, start, last, stop, f"({self.source(given)})")

    def redundant(self, node: ast.Call) -> Iterator[ast.Call]:
        """The arguments `list(…)` of which the call needs what stands inside only."""
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        name = name if self.names.is_builtin(node.func, name) else ""
        joins = isinstance(node.func, ast.Attribute) and node.func.attr == "join"
        for each in node.args:
            match each:
                case ast.Call(func=ast.Name(id="list"), args=[ast.Call() as inner], keywords=[]):
                    is_view = isinstance(inner.func, ast.Attribute)
                    is_range = isinstance(inner.func, ast.Name) and inner.func.id == "range"
                    eager = name in _EAGER or joins or (name == "len" and (is_view or is_range))
                    if _is_lazy(inner) and (eager or (name in _LAZY and is_range)):
                        yield each
                case _:
                    pass

    def compared(self, node: ast.Call) -> Iterator[Edit]:
        """`cmp=f` as `key=functools.cmp_to_key(f)`."""
        is_sort = isinstance(node.func, ast.Attribute) and node.func.attr == "sort"
        is_sorted = self.names.is_builtin(node.func, "sorted")
        if not (is_sort or is_sorted):
            return
        given: ast.expr | None = None
        whole = next((k for k in node.keywords if k.arg == "cmp"), None)
        if whole is not None:
            given = whole.value
            place = Edit(whole.lineno, whole.col_offset, whole.end_lineno or 0, whole.end_col_offset or 0, "")
        else:
            at = 1 if is_sorted else 0
            given = node.args[at] if len(node.args) == at + 1 else None
            if given is None or (is_sort and not self.compares(given)):
                return
            place = edit_of(given, "")
        if isinstance(given, ast.Constant) and given.value is None:
            return
        if any(k.arg == "key" for k in node.keywords):
            return
        self.imports.add("import functools")
        text = f"key=functools.cmp_to_key({self.source(given)})"
        yield Edit(place.line, place.column, place.end_line, place.end_column, text)

    def compares(self, node: ast.expr) -> bool:
        """Whether the function is sure to take two arguments."""
        return isinstance(node, ast.Lambda) and len(node.args.args) == 2

    def opened(self, node: ast.Call, wanted: str) -> Iterator[Edit]:
        """The mode of a file that csv, json or pickle reads or writes."""
        mode = node.args[1] if len(node.args) == 2 else None
        if node.keywords or len(node.args) not in (1, 2):
            return
        text = mode.value if isinstance(mode, ast.Constant) else "r" if mode is None else None
        if not isinstance(text, str):
            return
        plain = text.replace("b", "").replace("U", "").replace("t", "") or "r"
        new = plain + "b" if wanted == "b" else plain
        more = ', newline=""' if wanted == "csv" else ""
        if (new == text or (mode is None and new == "r")) and not more:
            return
        if mode is not None:
            yield edit_of(mode, f'"{new}"{more}')
        else:
            last = node.args[0]
            line, column = last.end_lineno or last.lineno, last.end_col_offset or 0
            given = f', "{new}"' if new != "r" else ""
            yield Edit(line, column, line, column, given + more)

    def renamed_method(self, node: ast.FunctionDef) -> Iterator[Edit]:
        row = self.text.split("\n")[node.lineno - 1].encode()
        column = row.find(node.name.encode(), node.col_offset)
        if column >= 0:
            new = _OPERATORS[node.name]
            yield Edit(node.lineno, column, node.lineno, column + len(node.name.encode()), new)

    def imported(self, node: ast.Import | ast.ImportFrom) -> Iterator[Edit]:
        """`import pickle as pickle` as `import pickle`; of urllib's three modules, those that are used."""
        if isinstance(node, ast.Import):
            named = [a for a in node.names if a.name not in _URLLIB or a.name in self.names.attributes]
            kept = list(dict.fromkeys(_alias(a) for a in named or node.names))
            shown = ", ".join(kept)
            if len(kept) < len(node.names) or any(a.asname == a.name for a in node.names):
                yield edit_of(node, f"import {shown}")
        if isinstance(node, ast.ImportFrom) and node.level == 0:
            moved = {f"{node.module}.{a.name}": a for a in node.names}
            if len(moved) == 1 and next(iter(moved)) in _RENAMED:
                (name, alias), = moved.items()
                module, _, last = _RENAMED[name].rpartition(".")
                if module and module != "str":
                    yield edit_of(node, f"from {module} import {last} as {alias.asname or alias.name}")
                elif not module:
                    yield edit_of(node, f"{alias.asname or alias.name} = {last}")

    def block(self, body: list[ast.stmt]) -> Iterator[Edit]:
        """Without `reload(sys); sys.setdefaultencoding(…)`, which Python 3 has no need of."""
        gone = [s for s in body if self.sets_encoding(s)]
        if not gone:
            return
        gone += [s for s in body if self.reloads_sys(s)]
        for statement in gone:
            left = len(gone) < len(body) and self.is_alone(statement)
            yield edit_of(statement, "" if left else "pass")

    def is_alone(self, node: ast.stmt) -> bool:
        row = self.text.split("\n")[node.lineno - 1].encode()
        return not row[: node.col_offset].strip() and not row[node.end_col_offset :].strip()

    def sets_encoding(self, node: ast.stmt) -> bool:
        return (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and self.names.qualified(node.value.func) == "sys.setdefaultencoding"
        )

    def reloads_sys(self, node: ast.stmt) -> bool:
        match node:
            case ast.Expr(value=ast.Call(func=ast.Attribute(attr="reload"), args=[given])):
                return self.names.qualified(given) == "sys"
            case _:
                return False


def _alias(node: ast.alias) -> str:
    return node.name + (f" as {node.asname}" if node.asname and node.asname != node.name else "")


def _is_lazy(node: ast.expr) -> bool:
    match node:
        case ast.Call(func=ast.Name(id=name)):
            return name in ("map", "filter", "zip", "range")
        case ast.Call(func=ast.Attribute(attr=name), args=[], keywords=[]):
            return name in ("keys", "values", "items")
        case _:
            return False


def _is_plain(node: ast.expr) -> bool:
    """Whether evaluating it twice is the same as once."""
    match node:
        case ast.Name() | ast.Constant():
            return True
        case ast.Attribute():
            return _is_plain(node.value)
        case ast.Subscript():
            return _is_plain(node.value) and _is_plain(node.slice)
        case ast.UnaryOp():
            return _is_plain(node.operand)
        case _:
            return False
