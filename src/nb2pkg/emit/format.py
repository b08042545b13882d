"""The text of a module as Black writes it, without asking Black about every line.

Black takes most of the time of a conversion, and on most statements it agrees with `ast.unparse` but for the quotes.
A run of such statements stands as one short name while Black works on the rest. Which statements they are is decided
on the tree, and narrowly: in doubt, Black sees the statement. Nothing here may give other text than Black alone.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

LINE_LENGTH = 100
_STAND_IN = "nb2pkg_stands_for_"
_STANDS = re.compile(rf"^( *)(?:import )?{_STAND_IN}(\d+)$", re.MULTILINE)
_COMMENT = re.compile(r"# (?!type:)[!-~](?:[ -~]*[!-~])?")
_SPACE = re.compile(r"\s+")
_BLANK = re.compile(r"\n\s*\n")
_PLAIN = (
    ast.Expr, ast.Assign, ast.AugAssign, ast.Call, ast.keyword, ast.Attribute, ast.Name, ast.Starred, ast.expr_context,
    ast.List, ast.Set, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.comprehension, ast.BoolOp,
    ast.boolop, ast.Compare, ast.cmpop, ast.BinOp, ast.operator, ast.unaryop, ast.IfExp, ast.Lambda, ast.arguments,
    ast.arg, ast.For, ast.While, ast.If, ast.With, ast.withitem, ast.Try, ast.ExceptHandler, ast.Pass,
)  # fmt: skip
_STATEMENTS = (
    ast.Expr, ast.Assign, ast.AugAssign, ast.Import, ast.ImportFrom, ast.For, ast.While, ast.If, ast.With, ast.Try,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Piece:
    """A statement that is formatted: its first and last 0-based row, its depth, and how Black writes it."""

    first: int
    last: int
    depth: int
    lines: tuple[str, ...]
    imports: bool


def formatted(text: str) -> str:
    """The text as Black writes it; as it is where Black can't read it."""
    short, runs = _shortened(text)
    made = _by_black(short)
    if made is None:
        return text
    found = [int(number) for _, number in _STANDS.findall(made)]
    if found != list(range(len(runs))):  # a name did not keep a line to itself
        return _by_black(text) or text
    return _STANDS.sub(lambda m: "\n".join(m[1] + line for line in runs[int(m[2])]), made)


def _by_black(text: str) -> str | None:
    import black

    try:
        return black.format_str(text, mode=black.Mode(line_length=LINE_LENGTH))
    except ValueError:  # black.InvalidInput
        return None


def _shortened(text: str) -> tuple[str, list[list[str]]]:
    """The text with a name for each run of formatted statements, and those runs."""
    if "fmt:" in text or "yapf:" in text or _STAND_IN in text or "\f" in text:
        return text, []
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return text, []
    rows = text.split("\n")
    shorter: list[str] = []
    runs: list[list[str]] = []
    done = 0
    before: _Piece | None = None
    for piece in _pieces(tree.body, rows, 0):
        between = _between(piece, before, rows) if before is not None else None
        if between is not None:
            runs[-1] += [*between, *piece.lines]
        else:
            shorter += rows[done : piece.first]
            name = f"{'import ' if piece.imports else ''}{_STAND_IN}{len(runs)}"
            shorter.append(_indentation(rows[piece.first]) + name)
            runs.append(list(piece.lines))
        done = piece.last + 1
        before = piece
    return "\n".join([*shorter, *rows[done:]]), runs


def _between(piece: _Piece, before: _Piece, rows: list[str]) -> list[str] | None:
    """The comments between two statements of one run; None where the later one begins a run of its own."""
    margin = _indentation(rows[piece.first])
    if (piece.depth, piece.imports, margin) != (before.depth, before.imports, _indentation(rows[before.first])):
        return None
    between = [row.removeprefix(margin).rstrip() for row in rows[before.last + 1 : piece.first]]
    return between if all(_COMMENT.fullmatch(row) for row in between) else None


def _indentation(row: str) -> str:
    return row[: len(row) - len(row.lstrip())]


def _pieces(body: Sequence[ast.stmt], rows: list[str], depth: int) -> Iterator[_Piece]:
    """The statements that need no Black, from top to bottom."""
    for node in body:
        piece = _piece(node, rows, depth) if isinstance(node, _STATEMENTS) else None
        if piece is not None:
            yield piece
            continue
        for name in ("body", "handlers", "orelse", "finalbody"):
            block = getattr(node, name, ())
            if name == "orelse" and _is_elif(node, block):
                yield from _pieces(block, rows, depth)
                continue
            for part in block:
                inside = part.body if isinstance(part, ast.ExceptHandler) else [part]
                yield from _pieces(inside, rows, depth + 1)


def _is_elif(node: ast.stmt, block: Sequence[ast.stmt]) -> bool:
    only = block[0] if len(block) == 1 else None
    return isinstance(node, ast.If) and isinstance(only, ast.If) and only.col_offset == node.col_offset


def _piece(node: ast.stmt, rows: list[str], depth: int) -> _Piece | None:
    """The statement as Black writes it, where it stands alone on its rows and that is sure."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    before, source, after = _cut(node, rows)
    if before.strip() or (after and (last != first or not _COMMENT.fullmatch(after))):
        return None
    if "\\" in source or "#" in source or '"""' in source or "'''" in source or _BLANK.search(source):
        return None
    imports = isinstance(node, ast.Import | ast.ImportFrom)
    if not imports and not _is_plain(node):
        return None
    made = ast.unparse(node)
    if _tokens(made) != _tokens(source) or ("{" in source and not _keeps_braces(node, rows)):
        return None
    made = made.replace("'", '"') + (f"  {after}" if after else "")
    lines = tuple(made.split("\n"))
    if any(4 * depth + len(line) + sum(not char.isascii() for char in line) > LINE_LENGTH for line in lines):
        return None
    return _Piece(first, last, depth, lines, imports)


def _cut(node: ast.stmt | ast.expr, rows: list[str]) -> tuple[str, str, str]:
    """The node's text, with what its first row has before it and its last row after it."""
    first, last = node.lineno - 1, (node.end_lineno or node.lineno) - 1
    head, tail = rows[first].encode(), rows[last].encode()
    before, after = head[: node.col_offset].decode(), tail[node.end_col_offset :].decode()
    whole = "\n".join(rows[first : last + 1])
    return before, whole[len(before) : len(whole) - len(after)], after.strip()


def _keeps_braces(node: ast.stmt, rows: list[str]) -> bool:
    """Whether the f-strings have the spaces in their braces that `ast.unparse` gives them: Black leaves those alone."""
    specs = [part.format_spec for part in ast.walk(node) if isinstance(part, ast.FormattedValue)]
    return all(
        ast.unparse(part).replace("'", '"') == _cut(part, rows)[1].replace("'", '"')
        for part in ast.walk(node)
        if isinstance(part, ast.JoinedStr) and part not in specs
    )


def _tokens(text: str) -> str:
    """The text with nothing left but its tokens: brackets, commas and operators have to be the same ones."""
    return _SPACE.sub("", text).replace("'", '"')


def _is_plain(node: ast.AST) -> bool:
    """Whether `ast.unparse` and Black write this alike."""
    match node:
        case ast.Constant():
            text = node.value if isinstance(node.value, str) else ""
            return node.value is not ... and not isinstance(node.value, bytes | complex) and not _has_quote(text)
        case ast.JoinedStr():
            return all(_is_in_braces(part) for part in node.values)
        case ast.Expr(value=ast.Constant() | ast.JoinedStr() | ast.Name()):
            return False  # a docstring; and a name alone is what the stand-ins look like
        case ast.BinOp(op=ast.Pow()):
            return False
        case ast.ExceptHandler(type=ast.Tuple()):
            return False
        case ast.UnaryOp():
            return not isinstance(node.operand, ast.UnaryOp) and _is_plain(node.operand)
        case ast.Attribute(value=ast.Constant(value=value)):
            return isinstance(value, str) and _is_plain(node.value)
        case ast.Tuple():
            return len(node.elts) > 1 and all(_is_plain(e) for e in node.elts)
        case ast.Dict():
            return all(e is not None and _is_plain(e) for e in (*node.keys, *node.values))
        case ast.Subscript():
            return _is_plain(node.value) and (_is_flat(node.slice) or _has_no_slice(node.slice))
        case _:
            return isinstance(node, _PLAIN) and all(_is_plain(child) for child in ast.iter_child_nodes(node))


def _has_quote(text: str) -> bool:
    return "'" in text or '"' in text


def _is_in_braces(part: ast.expr) -> bool:
    """A part of an f-string that has no string of its own."""
    if isinstance(part, ast.Constant):
        return isinstance(part.value, str) and not _has_quote(part.value)
    strings = (n for n in ast.walk(part) if isinstance(n, ast.Constant) and isinstance(n.value, str))
    formats = part.format_spec if isinstance(part, ast.FormattedValue) else None
    allowed = set(ast.walk(formats)) if formats is not None else set()
    return all(string in allowed and not _has_quote(str(string.value)) for string in strings)


def _is_flat(node: ast.expr) -> bool:
    """A subscript that Black writes without spaces around its colons: names and whole numbers only."""
    match node:
        case ast.Tuple():
            return len(node.elts) > 1 and all(_is_flat(e) for e in node.elts)
        case ast.Slice():
            return all(p is None or _is_flat(p) for p in (node.lower, node.upper, node.step))
        case ast.Name():
            return True
        case ast.Constant():
            return type(node.value) is int
        case _:
            return False


def _has_no_slice(node: ast.expr) -> bool:
    return not any(isinstance(part, ast.Slice) for part in ast.walk(node)) and _is_plain(node)
