"""What may mean something else in Python 3, and can't be told from the text: a line for each kind, with its cells.

What goes in here: rules that look at one node. What is sure to be mended is in `meaning`.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from nb2pkg.python2.names import Names

BYTES, OTHER = "N017", "N018"
_CODECS = frozenset(str.split("hex base64 zip bz2 rot13 uu string_escape unicode_escape hex_codec"))
_BINARY = frozenset(
    str.split("load loads safe_load imread read_pickle open fromfile Unpickler Image dump save savez Pickler write")
)
_GIVES_BYTES = {
    "urllib.request.urlopen": "what `urlopen(…)` reads",
    "subprocess.check_output": "what `check_output(…)` returns",
}
_TAKES_BYTES = ("hashlib.", "base64.", "zlib.", "binascii.", "hmac.")
_OTHER_NUMBERS = frozenset(f"random.{name}" for name in str.split("choice randint randrange shuffle sample"))
_METHODS = {
    "__cmp__": "`__cmp__` is not asked any more: define `__lt__` and `__eq__`",
    "__unicode__": "`__unicode__` is not asked any more: `__str__` is",
    "__getslice__": "`__getslice__` is not asked any more: `__getitem__` is, with a slice",
    "__coerce__": "`__coerce__` is not asked any more",
}
_GONE_MODULES = frozenset(
    str.split(
        "urllib2 httplib urlparse cookielib cPickle cStringIO StringIO Queue ConfigParser HTMLParser Tkinter xmlrpclib "
        "__builtin__ commands sets md5 sha exceptions mimetools rfc822 htmllib sgmllib bsddb dbhash anydbm whichdb"
    )
)


@dataclass(frozen=True, slots=True)
class Doubt:
    """One doubt at a line; doubts of one text and one message are told together."""

    code: str
    message: str
    line: int


def doubts(tree: ast.Module, names: Names, *, seeded: bool) -> Iterator[Doubt]:
    """What may mean something else, in the order of the lines; `seeded`: random numbers are meant to come again."""
    taken = {id(argument) for node in ast.walk(tree) for argument in _binary(node)}
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                yield from _call(node, names, seeded, taken)
            case ast.FunctionDef(name=name) if name in _METHODS:
                yield Doubt(OTHER, _METHODS[name], node.lineno)
            case ast.Import():
                for alias in node.names:
                    if alias.name.partition(".")[0] in _GONE_MODULES:
                        yield Doubt(OTHER, f"Python 3 has no module `{alias.name}`", node.lineno)
            case ast.ImportFrom(module=str(module), level=0) if module.partition(".")[0] in _GONE_MODULES:
                yield Doubt(OTHER, f"Python 3 has no module `{module}`", node.lineno)
            case ast.Name(id="cmp", ctx=ast.Load()) if names.is_builtin(node, "cmp"):
                yield Doubt(OTHER, "Python 3 has no `cmp`: `(a > b) - (a < b)` does the same", node.lineno)
            case _:
                pass


def leaks(trees: Iterable[ast.Module]) -> Iterator[tuple[int, Doubt]]:
    """The names that only a list comprehension binds, read after it, where Python 2 had its last value, by tree."""
    found: list[tuple[int, str, int]] = []
    leaked: set[str] = set()
    bound: set[str] = set()

    def visit(node: ast.AST, number: int, inside: frozenset[str]) -> None:
        if isinstance(node, ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            own = {n.id for g in node.generators for n in ast.walk(g.target) if isinstance(n, ast.Name)}
            if isinstance(node, ast.ListComp):
                leaked.update(own)
            inside |= own
        elif isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Load) and node.id not in inside:
                found.append((number, node.id, node.lineno))
            elif not isinstance(node.ctx, ast.Load) and node.id not in inside:
                bound.add(node.id)
        elif isinstance(node, ast.arg):
            bound.add(node.arg)
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            bound.add(node.name)
        elif isinstance(node, ast.alias):
            bound.add((node.asname or node.name).partition(".")[0])
        for child in ast.iter_child_nodes(node):
            visit(child, number, inside)

    for number, tree in enumerate(trees):
        visit(tree, number, frozenset())
    for number, name, line in found:
        if name in leaked - bound and not hasattr(builtins, name):
            message = f"`{name}` was the last value of a list comprehension, which binds it no more"
            yield number, Doubt(OTHER, message, line)


def _call(node: ast.Call, names: Names, seeded: bool, taken: set[int]) -> Iterator[Doubt]:
    called = names.qualified(node.func)
    line = node.lineno
    if names.is_builtin(node.func, "round"):
        what = "an int" if len(node.args) == 1 else "the even one of two that are as near"
        yield Doubt(OTHER, f"`round` gives {what}, where Python 2 gave a float and rounded halves away from zero", line)
    elif isinstance(node.func, ast.Name) and node.func.id == "open" and names.is_builtin(node.func, "open"):
        mode = next((k.value for k in node.keywords if k.arg == "mode"), node.args[1] if len(node.args) > 1 else None)
        text = mode.value if isinstance(mode, ast.Constant) else None
        if isinstance(text, str) and "b" in text and id(node) not in taken:
            yield Doubt(BYTES, f"a file opened with {text!r} holds bytes, not text", line)
    elif called in _GIVES_BYTES:
        yield Doubt(BYTES, f"{_GIVES_BYTES[called]} is bytes, not text", line)
    elif called.startswith(_TAKES_BYTES) and not (node.args and _is_bytes(node.args[0])):
        yield Doubt(BYTES, f"`{called}` takes bytes: encode a text first", line)
    elif seeded and called in _OTHER_NUMBERS:
        yield Doubt(OTHER, f"`{called}` draws other numbers from the same seed than Python 2 did", line)
    elif isinstance(node.func, ast.Attribute) and node.func.attr in ("encode", "decode"):
        codec = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else ""
        if isinstance(codec, str) and codec.replace("-", "_") in _CODECS:
            verb = node.func.attr
            yield Doubt(BYTES, f"`.{verb}({codec!r})` is gone: `codecs.{verb}` does it on bytes", line)
        elif node.func.attr == "decode" and not _is_bytes(node.func.value):
            yield Doubt(BYTES, "`.decode(…)` is for bytes: a text has it no more, and needs none", line)
    elif _last(node) == "translate" and node.args and ast.unparse(node.args[0]) == "None":
        yield Doubt(BYTES, "`.translate(None, …)` is for bytes: a text takes `str.maketrans` with what goes", line)


def _is_bytes(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, bytes)
    return isinstance(node, ast.Call) and _last(node) in ("read", "check_output", "encode", "b64decode", "dumps")


def _last(node: ast.Call) -> str:
    return ast.unparse(node.func).rpartition(".")[2]


def _binary(node: ast.AST) -> Iterator[ast.expr]:
    """The arguments of a call that reads or writes what is not text."""
    if isinstance(node, ast.Call) and _last(node) in _BINARY:
        yield from node.args
