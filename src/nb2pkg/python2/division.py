"""`/` under Python 2, where it floors ints and divides everything else.

What goes in here: which `/` becomes `//`, and which nobody can tell. Nothing is guessed: where the operands may be ints
and may be floats, the `/` stays, and is told.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from nb2pkg.analyse.edits import Edit
from nb2pkg.python2.names import Names


def divisions(text: str, tree: ast.Module, names: Names) -> tuple[list[Edit], list[int]]:
    """The edits that make `//` of a `/` between ints, and the lines of each `/` that may or may not be one."""
    edits: list[Edit] = []
    doubted: list[int] = []
    counted = set(_counted(tree, names))
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            left, right, after = node.left, node.right, node.right
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Div):
            left, right, after = node.target, node.value, node.value
        else:
            continue
        kinds = {names.kind(left), names.kind(right)}
        if "float" in kinds:
            continue
        place = _slash(text, left, after) if kinds == {"int"} or id(node) in counted else None
        if place is not None:
            edits.append(place)
        else:
            doubted.append(node.lineno)
    return edits, sorted(set(doubted))


def _counted(tree: ast.Module, names: Names) -> Iterator[int]:
    """The ids of the divisions that give an int, or Python 2 would have raised: `range(n / 2)`, `x[:n / 2]`."""
    for node in ast.walk(tree):
        places: list[ast.expr | None] = []
        if isinstance(node, ast.Call) and names.is_builtin(node.func, "range"):
            places = [*node.args]
        elif isinstance(node, ast.Slice):
            places = [node.lower, node.upper, node.step]
        for place in places:
            yield from _parts(place)


def _parts(node: ast.expr | None) -> Iterator[int]:
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Mod):
        yield id(node)
        yield from _parts(node.left)
        yield from _parts(node.right)
    elif isinstance(node, ast.UnaryOp):
        yield from _parts(node.operand)


def _slash(text: str, left: ast.expr, right: ast.expr) -> Edit | None:
    """The edit of the one `/` between two operands; None where a comment stands there too."""
    lines = text.split("\n")
    first, last = left.end_lineno or left.lineno, right.lineno
    for number in range(first, last + 1):
        row = lines[number - 1].encode()
        start = left.end_col_offset or 0 if number == first else 0
        stop = right.col_offset if number == last else len(row)
        part = row[start:stop]
        if b"#" in part:
            return None
        if b"/" in part:
            column = start + part.index(b"/")
            return Edit(number, column, number, column + 1, "//")
    return None
