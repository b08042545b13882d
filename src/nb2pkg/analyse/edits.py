"""Edits of Python text by position: what is not edited stays as it was, to the byte."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """`text` in the place of what stands from one position to another (lines from 1, columns in UTF-8 bytes)."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


def edit_of(node: ast.expr | ast.stmt, text: str) -> Edit:
    """`text` in the place of a node."""
    end_line, end_column = node.end_lineno, node.end_col_offset
    assert end_line is not None and end_column is not None
    return Edit(node.lineno, node.col_offset, end_line, end_column, text)


def edited(text: str, edits: Iterable[Edit]) -> str:
    """The text with edits that do not overlap."""
    lines = [line.encode() for line in text.split("\n")]
    for each in sorted(edits, key=lambda e: (e.line, e.column), reverse=True):
        head, tail = lines[each.line - 1][: each.column], lines[each.end_line - 1][each.end_column :]
        lines[each.line - 1 : each.end_line] = (head + each.text.encode() + tail).split(b"\n")
    return b"\n".join(lines).decode()


def paired(one: ast.AST, two: ast.AST) -> Iterator[tuple[ast.AST, ast.AST]]:
    """The nodes of two trees that stand in the same place, as far as the trees are alike: a part that was replaced by
    something else is left out."""
    if type(one) is not type(two):
        return
    yield one, two
    for name in one._fields:
        left, right = getattr(one, name, None), getattr(two, name, None)
        if isinstance(left, ast.AST) and isinstance(right, ast.AST):
            yield from paired(left, right)
        elif isinstance(left, list) and isinstance(right, list):
            for each, other in zip(left, right, strict=False):
                if isinstance(each, ast.AST):
                    yield from paired(each, other)


def segment(text: str, node: ast.expr) -> str:
    """The text of a node."""
    lines = [line.encode() for line in text.split("\n")][node.lineno - 1 : node.end_lineno]
    lines[-1] = lines[-1][: node.end_col_offset]
    lines[0] = lines[0][node.col_offset :]
    return b"\n".join(lines).decode()
