"""Python 2 to Python 3, text to text, before anything else reads a cell.

`masks` takes the magics out and puts them back, `syntax` has fissix rewrite the grammar of all texts at once (so that
an import in one cell counts in the next), `meaning` and `division` mend what then means something else, `doubts` tells
what nobody can mend. Nothing here reads a file or runs anything, and a notebook of Python 3 never loads fissix.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from nb2pkg.analyse.edits import edited
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.python2 import masks, syntax
from nb2pkg.python2.division import divisions
from nb2pkg.python2.doubts import doubts, leaks
from nb2pkg.python2.meaning import meant
from nb2pkg.python2.names import Names

__all__ = ["is_python3", "looks_like_python2", "old_cells", "upgraded_cells", "upgraded_file"]

_GONE_MODULES = frozenset(str.split("ConfigParser Queue StringIO cPickle cStringIO httplib urllib2 urlparse"))
_ONLY_2 = re.compile(
    rf"^\s*print\s+['\"\w]|^\s*(?:import|from)\s+(?:{'|'.join(sorted(_GONE_MODULES))})\b"
    r"|\bxrange\s*\(|\braw_input\s*\(|\.(?:iteritems|itervalues|iterkeys|has_key)\(|^\s*except\s+[\w.]+\s*,\s*\w+\s*:",
    re.MULTILINE,
)
_CHEVRON = re.compile(r"^\s*print\s*>>", re.MULTILINE)
"""A statement of Python 2 that Python 3 parses too."""
_GONE = frozenset(
    str.split("apply basestring buffer cmp coerce execfile file intern long raw_input reduce unichr unicode xrange")
)
"""Builtins that Python 3 does not have."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """A text on its way, by the cell that it stands in (None: a file)."""

    cell: int | None
    source: str
    masked: masks.Masked
    given: syntax.Text
    name: str = ""
    """The file's name; empty for a cell."""
    done: str = ""
    """The text in Python 3, magics masked; empty where it could not be made."""


def looks_like_python2(sources: Iterable[str]) -> bool:
    """Whether a notebook that records no version has what only Python 2 has: a statement, a module, a builtin."""
    return any(_ONLY_2.search(source) for source in sources)


def old_cells(sources: Sequence[str]) -> frozenset[int]:
    """The places of the cells that are Python 2 in a notebook that says it is Python 3.

    A cell is where its grammar is. Where there is one, so are those that read what Python 3 does not have and no cell
    binds: a builtin (`xrange`), a module, `sys.maxint`.
    """
    certain = frozenset(number for number, source in enumerate(sources) if _is_old_cell(source))
    if not certain:
        return certain
    trees: dict[int, ast.Module] = {}
    for number, source in enumerate(sources):
        cell = masks.split(source)
        if number in certain or (cell.magic and cell.magic not in masks.PYTHON_BODY):
            continue
        hidden = masks.masked(cell, lambda text: True) if _parsed(cell.text) is None else cell
        tree = _parsed(hidden.text)
        if tree is not None:
            trees[number] = tree
    names = Names.of(trees.values())
    there = _GONE - names.bound - set(names.imports)
    return certain | {number for number, tree in trees.items() if _reads_what_is_gone(tree, there)}


def _reads_what_is_gone(tree: ast.Module, builtins: frozenset[str]) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Load()) if name in builtins:
                return True
            case ast.Attribute(value=ast.Name(id="sys"), attr="maxint"):
                return True
    # An import that has its own way out (`try: … except ImportError: …`) is no statement of the cell itself.
    for statement in tree.body:
        match statement:
            case ast.Import(names=aliases) if any(alias.name in _GONE_MODULES for alias in aliases):
                return True
            case ast.ImportFrom(module=str(module), level=0) if module in _GONE_MODULES:
                return True
    return False


def _is_old_cell(source: str) -> bool:
    """Whether a cell, its magics aside, is no Python 3."""
    cell = masks.split(source)
    if cell.magic and cell.magic not in masks.PYTHON_BODY:
        return False
    if _CHEVRON.search(cell.text):
        return True
    return not is_python3(cell.text) and not is_python3(masks.masked(cell, lambda text: True).text)


def is_python3(text: str) -> bool:
    """Whether Python 3 parses the text."""
    return _parsed(text) is not None


def upgraded_cells(
    sources: Sequence[str], version: str = "", only: frozenset[int] | None = None
) -> tuple[list[str], tuple[Diagnostic, ...]]:
    """The sources of a notebook's code cells in Python 3, magics and all, and what was done and doubted.

    `version` is what the notebook records. A cell that can't be upgraded comes back as it was. An empty source is no
    cell. `only` names the cells that are Python 2 in a notebook of Python 3; the others stay.
    """
    pieces: list[_Piece] = []
    futures: frozenset[str] = frozenset()
    for index, source in enumerate(sources):
        cell = masks.split(source)
        if not source.strip() or (only is not None and index not in only):
            continue
        if cell.magic in masks.FILE_BODY:
            if cell.head.split()[1:] and cell.head.split()[-1].endswith(".py"):
                pieces.append(_Piece(index, source, cell, syntax.Text(cell.text, syntax.futures_of(cell.text)), "file"))
            continue
        if cell.magic and cell.magic not in masks.PYTHON_BODY:
            continue
        futures |= syntax.futures_of(cell.text)
        pieces.append(_Piece(index, source, _readable(cell, futures), syntax.Text("", futures)))
    pieces = [replace(p, given=syntax.Text(p.masked.text, p.given.futures)) for p in pieces]
    done = [*_upgraded([p for p in pieces if not p.name])]
    for piece in pieces:
        done += _upgraded([piece]) if piece.name else []
    found = list(sources)
    for piece in done:
        if piece.done and piece.cell is not None:
            found[piece.cell] = piece.masked.whole(piece.done)
    told = _told(done)
    changed = [p for p in done if p.cell is not None and found[p.cell] != p.source]
    if changed or only is None:
        told = [_summary(done, found, version, only is not None), *told]
    return found, tuple(told)


def upgraded_file(text: str, name: str, siblings: frozenset[str] = frozenset()) -> tuple[str, tuple[Diagnostic, ...]]:
    """A module's or script's text in Python 3, and what was doubted; the text itself where it can't be made.

    `siblings` are the modules of the package that it lies in, which Python 2 imports by their bare names.
    """
    piece = _Piece(None, text, masks.Masked("", "", text), syntax.Text(text, syntax.futures_of(text)), name)
    (done,) = _upgraded([piece])
    if not done.done:
        message = f"in {name}: this is neither Python 3 nor Python 2, and stays as it is; correct it"
        return text, (Diagnostic("N018", message),)
    new = _relative(done.done, siblings) if siblings and "absolute_import" not in done.given.futures else done.done
    told = _told([done])
    if new != text:
        told = [Diagnostic("N015", f"{name} was Python 2; the package has it in Python 3", severity="info"), *told]
    return new, tuple(told)


def _readable(cell: masks.Masked, futures: frozenset[str]) -> masks.Masked:
    """The cell in a form that Python parses: as it is, with its magics masked, or shifted to the left."""
    def parses(text: str) -> bool:
        return _parsed(text) is not None or syntax.parses(text, futures)

    ways = [cell]
    if cell.text[:1] in (" ", "\t"):
        ways.append(replace(cell, text=textwrap.dedent(cell.text)))
    for way in ways:
        if parses(way.text):
            return way
    for way in ways:
        hidden = masks.masked(way, parses)
        if parses(hidden.text):
            return hidden
    return cell


def _upgraded(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces with their text in Python 3, each in the light of all."""
    found = list(pieces)
    new = syntax.refactored([p.given for p in pieces])
    parsed = {number: tree for number, each in enumerate(new) if (tree := _parsed(each.text)) is not None}
    names = Names.of(parsed.values(), true_division=_true_division(pieces))
    had: set[str] = set()
    for number, tree in parsed.items():
        had |= {ast.unparse(node) for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)}
        futures = found[number].given.futures
        mended = meant(new[number].text, tree, names, print_statement="print_function" not in futures)
        text = mended.text
        if "division" not in futures:
            text = edited(text, divisions(text, mended.tree, names)[0])
        missing = {*mended.imports, *new[number].imports} - had
        wanted = sorted(i for i in missing if re.search(rf"\b{i.split()[-1]}\b", text))
        had |= set(wanted)
        found[number] = replace(found[number], done=_with_imports(text, wanted))
    return found


def _true_division(pieces: list[_Piece]) -> bool:
    return any("division" in piece.given.futures for piece in pieces)


def _with_imports(text: str, statements: Iterable[str]) -> str:
    """The text with imports above its first statement, below its docstring."""
    lines = list(statements)
    if not lines:
        return text
    tree = _parsed(text)
    body = tree.body if tree is not None else []
    at = 0
    if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
        at = body[0].end_lineno or 0
    rows = text.split("\n")
    return "\n".join([*rows[:at], *lines, *rows[at:]])


def _relative(text: str, siblings: frozenset[str]) -> str:
    """The imports of modules of the same package as Python 3 wants them: `from . import a`, `from .a import b`."""
    from nb2pkg.analyse.edits import edit_of

    edits = []
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.ImportFrom(module=str(module), level=0) if module.partition(".")[0] in siblings:
                shown = ast.unparse(node).replace(f"from {module} ", f"from .{module} ", 1)
                edits.append(edit_of(node, shown))
            case ast.Import(names=[alias]) if alias.name in siblings:
                edits.append(edit_of(node, f"from . {ast.unparse(node)}"))
            case _:
                pass
    return edited(text, edits)


def _told(pieces: list[_Piece]) -> list[Diagnostic]:
    """The doubts of all pieces: one for each kind and cell."""
    trees = {n: tree for n, p in enumerate(pieces) if p.done and (tree := _parsed(p.done)) is not None}
    names = Names.of(trees.values(), true_division=_true_division(pieces))
    seeded = any(
        isinstance(node, ast.Call) and names.qualified(node.func) == "random.seed"
        for tree in trees.values()
        for node in ast.walk(tree)
    )
    found: list[Diagnostic] = []
    order = list(trees)
    leaked = [(order[place], doubt) for place, doubt in leaks(trees.values())]
    for number, tree in trees.items():
        piece = pieces[number]
        kinds: dict[tuple[str, str], list[int]] = {}
        if "division" not in piece.given.futures:
            for line in divisions(piece.done, tree, names)[1]:
                message = "`/` floors where both sides are ints, under Python 2; it stays a true division: write `//`"
                kinds.setdefault(("N016", f"{message} where it should floor"), []).append(line)
        for doubt in (*doubts(tree, names, seeded=seeded), *(d for at, d in leaked if at == number)):
            kinds.setdefault((doubt.code, doubt.message), []).append(doubt.line)
        above = piece.masked.head.count("\n")
        for (code, message), lines in kinds.items():
            rows = [line + above for line in dict.fromkeys(sorted(lines))]
            more = f" (lines {', '.join(map(str, rows))})" if len(rows) > 1 else ""
            if piece.cell is None:
                found.append(Diagnostic(code, f"in {piece.name}, line {rows[0]}: {message}{more}"))
            else:
                found.append(Diagnostic(code, message + more, piece.cell, rows[0]))
    return found


def _summary(pieces: list[_Piece], sources: list[str], version: str, mixed: bool) -> Diagnostic:
    """What changed, in one line."""
    changed = [p for p in pieces if p.cell is not None and sources[p.cell] != p.source]
    cells = sorted(p.cell for p in changed if p.cell is not None)
    recorded = f"Python {version}" if version.startswith("2") else "Python 2"
    if mixed:
        message = f"{_listed(cells)} {'is' if len(cells) == 1 else 'are'} Python 2, and upgraded to Python 3"
    else:
        message = f"this notebook was {recorded}; {len(cells)} of its {len(pieces)} code cells are upgraded to Python 3"
    wrapped = [p.cell for p in changed if p.cell is not None and p.done.count("list(") > p.given.text.count("list(")]
    floored = [p.cell for p in changed if p.cell is not None and p.done.count("//") > p.given.text.count("//")]
    if wrapped:
        message += f"; `list(…)` stands around what is lazy now in {_listed(wrapped)}"
    if floored:
        message += f"; a division of ints is `//` in {_listed(floored)}"
    return Diagnostic("N015", message, severity="info")


def _listed(cells: list[int]) -> str:
    numbers = [str(cell + 1) for cell in cells]
    return f"cell{'s' * (len(numbers) > 1)} {', '.join(numbers)}"


def _parsed(text: str) -> ast.Module | None:
    try:
        compile(text, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
