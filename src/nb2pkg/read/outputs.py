"""IPython's names for what cells showed (`_`, `__`, `_7`), bound by the cells themselves where the notebook reads them.

What goes in here: cells of plain Python, as they are translated. What does not: how a value is shown.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import replace

from nb2pkg.notebook import Cell

SHOWN = "_shown"
_NUMBERED = re.compile(r"_\d+")


def with_outputs(cells: Sequence[Cell]) -> tuple[Cell, ...]:
    """The cells, where those that show a value keep it under the names that any of them reads."""
    wanted = _names_read(cells)
    if not wanted:
        return tuple(cells)
    found: list[Cell] = []
    count = 0
    for cell in cells:
        count += cell.kind == "code" and bool(cell.source.strip())
        found.append(_keeping(cell, count, wanted) if cell.kind == "code" and not cell.silent else cell)
    return tuple(found)


def _names_read(cells: Sequence[Cell]) -> frozenset[str]:
    read: set[str] = set()
    bound: set[str] = set()
    for cell in cells:
        for part in ast.walk(ast.parse(cell.code)):
            if isinstance(part, ast.Name) and (part.id in ("_", "__") or _NUMBERED.fullmatch(part.id)):
                (read if isinstance(part.ctx, ast.Load) else bound).add(part.id)
            elif isinstance(part, ast.alias):
                bound.add(part.asname or part.name)
    return frozenset(read - bound)


def _keeping(cell: Cell, count: int, wanted: frozenset[str]) -> Cell:
    tree = ast.parse(cell.code)
    if not tree.body or not isinstance(tree.body[-1], ast.Expr):
        return cell
    lines = cell.code.encode().split(b"\n")
    value = tree.body[-1].value
    first, last = tree.body[-1].lineno - 1, (tree.body[-1].end_lineno or 1) - 1
    start, stop = tree.body[-1].col_offset, tree.body[-1].end_col_offset or 0
    if isinstance(value, ast.Constant) and value.value is None:
        return cell
    lines[last] = lines[last][:stop] + b")"
    lines[first] = lines[first][:start] + SHOWN.encode() + b" = (" + lines[first][start:]
    binds = [f"{name} = {value}" for name, value in (("__", "_"), ("_", SHOWN)) if name in wanted]
    if "__" in wanted and "_" not in wanted:
        binds.append(f"_ = {SHOWN}")
    if f"_{count}" in wanted:
        binds.append(f"_{count} = {SHOWN}")
    if not binds:
        return cell
    text = b"\n".join(lines[: last + 1]).decode()
    return replace(cell, code=f"{text}\nif {SHOWN} is not None:\n    {'; '.join(binds)}\n{SHOWN}")
