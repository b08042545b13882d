"""A cell's text to plain Python: find the magics, have the rules of `magics` rewrite them, put the text back in place.

A cell that parses as Python holds no magic (IPython's syntax is never valid Python), so only the others go through
IPython's transformer, which turns each magic into a call of `get_ipython()`. Those calls are found on the tree and
replaced in the text, so everything else keeps its line and its formatting.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Iterable

from nb2pkg.errors import NotebookError
from nb2pkg.magic_names import BARE_WORDS
from nb2pkg.notebook import Cell
from nb2pkg.read import magics, shell
from nb2pkg.read.magics import Reading

_MAY_FAIL_LATE = re.compile(r"\b(return|yield|break|continue|nonlocal|global)\b")
_PYTHON_2 = re.compile(
    r"Missing parentheses in call to|(Function|Lambda expression) parameters cannot be parenthesized|"
    r"multiple exception types must be parenthesized|leading zeros in decimal integer|"
    r"<> |inconsistent use of tabs"
)
_PYTHON_2_TEXT = re.compile(
    r"^\s*(print\s*>>\s*\w+|print\s+[\w\"'%]|exec\s+[\w\"']|raise\s+\w+\s*,\s*|except\s+[\w.]+\s*,\s*\w+\s*:)"
    r"|<>|`\w+`|\b0[0-7]+\b(?!\.)|\b\d+L\b|\bur[\"']"
)
_HISTORY = re.compile(r"_{1,3}|_i{1,3}|_i?\d+|_[iod]h|In|Out")
"""The names under which IPython keeps what was shown and typed."""
_WIDGETS = ("interact", "interactive", "interact_manual")
_COROUTINES = frozenset(str.split("asyncio.sleep asyncio.wait_for asyncio.to_thread asyncio.wait"))


class Bindings:
    """The names that the cells so far bind, collected only when a rule asks."""

    def __init__(self) -> None:
        self._waiting: list[ast.Module] = []
        self._names: set[str] = set()
        self.coroutines: set[str] = set()

    def add(self, tree: ast.Module) -> None:
        """Take in one cell."""
        self._waiting.append(tree)

    def names(self) -> frozenset[str]:
        """Every name that is bound anywhere so far; a star import binds what it likes, and is not seen."""
        for tree in self._waiting:
            for node in ast.walk(tree):
                if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    self._names.add(node.id)
                elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    self._names.add(node.name)
                    if isinstance(node, ast.AsyncFunctionDef):
                        self.coroutines.add(node.name)
                elif isinstance(node, ast.alias):
                    self._names.add((node.asname or node.name).partition(".")[0])
                elif isinstance(node, ast.arg):
                    self._names.add(node.arg)
        self._waiting.clear()
        return frozenset(self._names)


def parsed(text: str) -> ast.Module | None:
    """The text's tree; None where it is not Python 3."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_quiet(code: str) -> bool:
    """IPython's rule: the last token other than comments and line ends is `;`."""
    if ";" not in code:
        return False
    last = ""
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type not in (tokenize.NL, tokenize.NEWLINE, tokenize.COMMENT, tokenize.ENDMARKER, tokenize.DEDENT):
                last = token.string
    except (tokenize.TokenError, SyntaxError):
        return False
    return last == ";"


def translated(source: str, reading: Reading, bindings: Bindings) -> tuple[str, bool]:
    """The cell's code in plain Python, and whether the notebook ends with it."""
    code = _plain(source, reading, bindings)
    tree = parsed(code)
    if tree is None or (_MAY_FAIL_LATE.search(code) and not _compiles(code)):
        raise _invalid(code, reading)
    for node in ast.walk(tree) if ">>" in code and "print" in code else ():
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.RShift) and ast.unparse(node.left) == "print":
            raise _python_2(node.lineno, reading)
    bindings.add(tree)
    if "await" in code or "async" in code:
        code = _awaited(code, tree, reading, bindings)
    return _settled(code, tree, reading, bindings)


def _plain(source: str, reading: Reading, bindings: Bindings) -> str:
    """The text with every magic rewritten."""
    tree = parsed(source)
    text = source
    if tree is not None and _is_command(tree, source, bindings):
        return _plain(f"%{source.strip()}", reading, bindings)
    if tree is None:
        text = _by_ipython(source)
        if parsed(text) is None and not source.lstrip().startswith("%%"):
            text = _by_ipython(_automagic_lines(source))
        tree = parsed(text)
        if tree is None:
            return text
    bare = _bare_names(tree, bindings)
    if bare:
        lines = text.split("\n")
        for row, name in bare:
            lines[row - 1] = f"get_ipython().run_line_magic({name!r}, '')"
        text = "\n".join(lines)
        tree = parsed(text)
        if tree is None:  # `ls; x`: the name shares its line
            return source
    if "get_ipython" not in text:
        return text
    bindings.add(tree)
    return _Rewriting(text, tree, reading, bindings).text()


def _by_ipython(source: str) -> str:
    """What IPython makes of the text, with the blank lines at its top that IPython takes away."""
    from IPython.core.inputtransformer2 import TransformerManager

    blank = len(source) - len(source.lstrip("\n \t"))
    top = source.count("\n", 0, blank)
    try:
        text = str(TransformerManager().transform_cell(source))
    except SyntaxError:
        return source
    return "\n" * top + (text if source.endswith("\n") else text.removesuffix("\n"))


def _automagic_lines(source: str) -> str:
    """`cd ..` and `pip install x` with the `%` that IPython's automagic puts before them."""
    lines = source.split("\n")
    for at, line in enumerate(lines):
        word, _, rest = line.strip().partition(" ")
        if word in BARE_WORDS and rest[:1] not in ("", "=", "(", ",") and parsed(line.strip()) is None:
            lines[at] = line[: len(line) - len(line.lstrip())] + "%" + line.lstrip()
    return "\n".join(lines)


def _is_command(tree: ast.Module, source: str, bindings: Bindings) -> bool:
    """`ls -l` alone in its cell: IPython's automagic takes it for a command where nobody binds `ls`."""
    word, _, rest = source.strip().partition(" ")
    if word not in BARE_WORDS or not re.match(r"-\w", rest) or len(tree.body) != 1:
        return False
    return isinstance(tree.body[0], ast.Expr) and word not in bindings.names()


def _bare_names(tree: ast.Module, bindings: Bindings) -> list[tuple[int, str]]:
    """The lines that are only `ls` or `pwd`, a name that nobody binds."""
    found = [
        (node.lineno, node.value.id)
        for node in tree.body
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Name) and node.value.id in magics.BARE_NAMES
    ]
    if not found:
        return []
    here = Bindings()
    here.add(tree)
    bound = bindings.names() | here.names()
    return [(row, name) for row, name in found if name not in bound]


class _Rewriting:
    """The calls of `get_ipython()` in one text, replaced by what the rules make of them."""

    def __init__(self, text: str, tree: ast.Module, reading: Reading, bindings: Bindings) -> None:
        self.source = text.encode()
        self.tree = tree
        self.reading = reading
        self.bindings = bindings
        self.starts = [0]
        for line in self.source.split(b"\n"):
            self.starts.append(self.starts[-1] + len(line) + 1)
        self.edits: list[tuple[int, int, str]] = []

    def text(self) -> str:
        """The text after all replacements."""
        self._block(self.tree.body, is_module=True)
        done = self.source
        for start, stop, new in sorted(self.edits, reverse=True):
            done = done[:start] + new.encode() + done[stop:]
        return done.decode()

    def _block(self, body: list[ast.stmt], *, is_module: bool = False) -> None:
        dropped: list[ast.stmt] = []
        for statement in body:
            if isinstance(statement, ast.Expr) and (call := _call(statement.value)):
                new = self._replacement(*call, statement.value, value=False)
                if new is None:
                    dropped.append(statement)
                else:
                    if "\n" in new and not is_module:
                        raise self.reading.refusal("N113", "this magic can't stand in a block", statement.lineno)
                    self._edit(statement, new)
                continue
            self._within(statement)
        for at, statement in enumerate(dropped):
            needed = not is_module and len(dropped) == len(body) and at == 0
            self._edit(statement, "pass" if needed else "", whole=True)

    def _within(self, node: ast.AST) -> None:
        if isinstance(node, ast.expr) and (call := _call(node)):
            self._edit(node, self._replacement(*call, node, value=True) or "None")
            return
        for _, child in ast.iter_fields(node):
            if isinstance(child, list) and child and isinstance(child[0], ast.stmt):
                self._block(child)
            elif isinstance(child, list):
                for item in child:
                    if isinstance(item, ast.AST):
                        self._within(item)
            elif isinstance(child, ast.AST):
                self._within(child)

    def _edit(self, node: ast.stmt | ast.expr, new: str, *, whole: bool = False) -> None:
        start = self.starts[node.lineno - 1] + node.col_offset
        stop = self.starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        if whole:  # with the `;` after it, which would stand alone
            after = re.match(rb"[ \t]*;[ \t]*", self.source[stop:])
            stop += after.end() if after else 0
            if new == "" and not self.source[self.starts[node.lineno - 1] : start].strip():
                start = self.starts[node.lineno - 1] if self.source[stop : stop + 1] in (b"", b"\n") else start
        self.edits.append((start, stop, new))

    def _nested(self, text: str) -> str:
        return _plain(text, self.reading, self.bindings)

    def _replacement(self, kind: str, arguments: list[ast.expr], node: ast.expr, *, value: bool) -> str | None:
        reading, line = self.reading, node.lineno
        texts = [one.value for one in arguments if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        if len(texts) != len(arguments) or not texts:
            if kind in ("system", "system_raw", "getoutput", "getoutput_raw") and len(arguments) == 1:
                reading.need("subprocess", "IPython.utils.text")
                command = ast.unparse(arguments[0])
                return shell.printed(command) if "system" in kind else shell.lines_of(command)
            return ast.get_source_segment(self.source.decode(), node)
        if kind in ("system", "system_raw", "system_piped"):
            return magics.system(texts[0], line, reading)
        if kind == "getoutput":
            return magics.getoutput(texts[0], reading)
        if kind == "run_cell_magic":
            name, rest, body = [*texts, "", ""][:3]
            return magics.cell_magic(name, rest, body, reading, self._nested)
        if kind == "magic":
            name, _, rest = texts[0].lstrip("%").partition(" ")
        else:
            name, rest = [*texts, ""][:2]
        return magics.line_magic(name, rest, line, reading, self._nested, value=value)


_KINDS = frozenset(str.split("magic run_line_magic run_cell_magic system system_raw system_piped getoutput"))


def _call(node: ast.expr) -> tuple[str, list[ast.expr]] | None:
    """The kind and the arguments of a call `get_ipython().kind(…)`."""
    if (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in _KINDS
        and isinstance(node.func.value, ast.Call)
        and isinstance(node.func.value.func, ast.Name)
        and node.func.value.func.id == "get_ipython"
    ):
        return node.func.attr, node.args
    return None


def _settled(code: str, tree: ast.Module, reading: Reading, bindings: Bindings) -> tuple[str, bool]:
    """Where the notebook ends, what its settings ask for, and what waits for a person."""
    ended: set[int] = set()
    lines = code.split("\n")
    for node in tree.body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
            if node.targets[0].attr == "ast_node_interactivity" and isinstance(node.value, ast.Constant):
                reading.show_all_next = node.value.value == "all"
        elif isinstance(node, ast.Expr):
            called = node.value.func if isinstance(node.value, ast.Call) else node.value
            if isinstance(called, ast.Name) and called.id in ("exit", "quit") and called.id not in bindings.names():
                ended.add(node.lineno)
                row = lines[node.lineno - 1].encode()
                row = row[: node.col_offset] + b"pass" + row[node.end_col_offset :]
                lines[node.lineno - 1] = "" if row.strip() == b"pass" else row.decode()
    if "get_ipython" in code:
        for name in ast.walk(tree):
            if isinstance(name, ast.Name) and name.id == "get_ipython":
                reading.imports.add("from IPython import get_ipython")
                reading.tell("N111", "`get_ipython()` gives None in the package", name.lineno, "warning")
    if any(word in code for word in ("input(", "getpass", "interact", "exit(", "quit(")):
        for call in ast.walk(tree):
            is_named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name | ast.Attribute)
            if isinstance(call, ast.Call) and is_named and call.lineno not in ended:
                _tell_of_people(ast.unparse(call.func), call.lineno, reading)
    return "\n".join(lines) if ended else code, bool(ended)


def _tell_of_people(function: str, line: int, reading: Reading) -> None:
    """A call that waits for a person, shows a widget, or ends the process."""
    last = function.rpartition(".")[2]
    if function in ("input", "getpass.getpass", "getpass"):
        message = f"`{function}()` waits for a person; the stage reads standard input"
        reading.tell("N121", message, line, "warning")
    elif last in _WIDGETS and function in (last, f"widgets.{last}", f"ipywidgets.{last}"):
        reading.tell("N122", f"`{function}` shows widgets, which a stage does not have", line)
    elif function in ("exit", "quit", "sys.exit", "os._exit"):
        reading.tell("N120", f"`{function}()` ends its stage before it has saved anything", line, "warning")


def refuse_history(cells: Iterable[Cell], reading: Reading, bindings: Bindings) -> None:
    """Refuse what reads IPython's history (`_`, `Out[3]`) where no cell before it has bound that name."""
    bound = set(bindings.names())
    for cell in cells:
        if not _HISTORY.search(cell.code):
            continue
        names = [n for n in ast.walk(ast.parse(cell.code)) if isinstance(n, ast.Name) and _HISTORY.fullmatch(n.id)]
        for node in names:
            if isinstance(node.ctx, ast.Store) or node.id in bound:
                continue
            reading.cell, reading.origin = cell.index if cell.host < 0 else cell.host, cell.origin
            message = f"`{node.id}` is IPython's history, which a package does not have; bind the value to a name"
            raise reading.refusal("N124", message, node.lineno)
        bound.update(n.id for n in names if isinstance(n.ctx, ast.Store))


def _awaited(code: str, tree: ast.Module, reading: Reading, bindings: Bindings) -> str:
    """Top-level `await f(x)` as `asyncio.run(f(x))`, where `f` is sure to make a coroutine."""
    bindings.names()
    waiting: list[ast.AST] = list(tree.body)
    found: list[ast.Await] = []
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(node, ast.AsyncFor | ast.AsyncWith) or (isinstance(node, ast.comprehension) and node.is_async):
            message = "top-level `async for` and `async with` have no plain form; put them in an `async def`"
            raise reading.refusal("N123", message, getattr(node, "lineno", None))
        if isinstance(node, ast.Await):
            found.append(node)
        waiting.extend(ast.iter_child_nodes(node))
    source = code.encode()
    starts = [0]
    for line in source.split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)
    for node in sorted(found, key=lambda one: (one.lineno, one.col_offset), reverse=True):
        value = node.value
        name = ast.unparse(value.func) if isinstance(value, ast.Call) else ""
        nested = any(one is not node and isinstance(one, ast.Await) for one in ast.walk(node))
        if nested or (name not in bindings.coroutines and name not in _COROUTINES):
            message = "top-level `await` of something that is not plainly a coroutine; put it in an `async def`"
            raise reading.refusal("N123", message, node.lineno)
        reading.need("asyncio")
        start, inner = starts[node.lineno - 1] + node.col_offset, starts[value.lineno - 1] + value.col_offset
        stop = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        source = source[:start] + b"asyncio.run(" + source[inner:stop] + b")" + source[stop:]
    return source.decode()


def _compiles(code: str) -> bool:
    try:
        compile(code, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    return True


def _newer(version: str) -> str:
    """The minor version that the notebook recorded, where it is newer than the one that runs here."""
    match = re.match(r"(\d+)\.(\d+)", version)
    if match is None or (int(match[1]), int(match[2])) <= sys.version_info[:2]:
        return ""
    return match[0]


def _python_2(line: int, reading: Reading) -> NotebookError:
    message = "this is Python 2; correct the cell or take it out"
    return reading.refusal("N010", message, line)


def _invalid(code: str, reading: Reading) -> NotebookError:
    """Why the cell is no Python 3, as a refusal."""
    try:
        compile(code, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    except SyntaxError as error:
        line = error.lineno or 1
        rows = code.split("\n")
        row = rows[line - 1] if line <= len(rows) else ""
        if not reading.upgraded and (_PYTHON_2.search(error.msg) or _PYTHON_2_TEXT.search(row)):
            return _python_2(line, reading)
        newer = _newer(reading.python)
        if newer:
            message = f"this is not valid before Python {newer} ({error.msg}); run nb2pkg with that version"
            return reading.refusal("N013", message, line)
        language = "neither Python 3 nor Python 2" if reading.upgraded else "not valid Python"
        message = f"this is {language} ({error.msg}): {row.strip()[:60]!r}; correct the cell or take it out"
        return reading.refusal("N011", message, line)
    except (ValueError, RecursionError, MemoryError) as error:
        return reading.refusal("N011", f"this is not valid Python ({error}); correct the cell or take it out", 1)
    return reading.refusal("N011", "this is not valid Python; correct the cell or take it out", 1)
