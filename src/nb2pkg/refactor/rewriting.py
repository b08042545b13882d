"""Edits of a notebook's cells, in their code and in the sources that the user sees.

What goes in here: which edits go together, and where they are put. What they mean, the pass that makes them knows.
"""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, replace

from nb2pkg.analyse.edits import Edit, edited
from nb2pkg.notebook import Notebook


@dataclass(frozen=True, slots=True)
class CellEdits:
    """Edits of one cell's code that only make sense together."""

    cell: int
    edits: tuple[Edit, ...]


def rewritten(notebook: Notebook, wanted: Sequence[CellEdits]) -> tuple[Notebook, list[CellEdits]]:
    """The notebook with the edits that do not stand in each other's way, and which these are."""
    cells = {cell.index: cell for cell in notebook.cells}
    chosen: dict[int, list[Edit]] = {}
    done: list[CellEdits] = []
    for each in sorted(wanted, key=lambda w: (w.cell, _start(w), -len(w.edits))):
        taken = chosen.setdefault(each.cell, [])
        if all(edit in taken or not any(_meet(edit, other) for other in taken) for edit in each.edits):
            taken += (edit for edit in each.edits if edit not in taken)
            done.append(each)
    sources = list(notebook.sources)
    by_source: dict[int, list[Edit]] = {}
    files = dict(notebook.run_files)
    for index, together in chosen.items():
        cell = cells[index]
        edits = sorted(together, key=_is_insertion)  # what is put in front of a replacement comes after it
        code = edited(cell.code, edits)
        try:
            ast.parse(code)
        except SyntaxError:
            done = [each for each in done if each.cell != index]
            continue
        cells[index] = replace(cell, code=code)
        if cell.origin in files:
            files[cell.origin] = _edited_file(files[cell.origin], cell.code, edits)
        if not cell.origin:
            placed = [_in_source(cell.code, cell.source, edit) for edit in edits]
            by_source.setdefault(notebook.own(index), []).extend(edit for edit in placed if edit is not None)
    for index, edits in by_source.items():
        if index < len(sources):
            sources[index] = edited(sources[index], edits)
    new = tuple(
        replace(cells[cell.index], source=sources[cell.index])
        if cell.index in by_source and cell.index < len(sources)
        else cells[cell.index]
        for cell in notebook.cells
    )
    ran = tuple(files.items())
    changed = notebook.rewritten or bool(done)
    return replace(notebook, cells=new, sources=tuple(sources), run_files=ran, rewritten=changed), done


def _edited_file(content: bytes, code: str, edits: Sequence[Edit]) -> bytes:
    """A script that `%run` ran, edited where its lines are those of the cell that it was brought in as."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        return content
    placed = [_in_source(code, text, edit) for edit in edits]
    return edited(text, (edit for edit in placed if edit is not None)).encode()


def _is_insertion(edit: Edit) -> bool:
    return (edit.line, edit.column) == (edit.end_line, edit.end_column)


def _start(wanted: CellEdits) -> tuple[int, int]:
    return min((edit.line, edit.column) for edit in wanted.edits)


def _meet(one: Edit, two: Edit) -> bool:
    """Whether one edit touches what the other replaces."""
    first, second = sorted((one, two), key=lambda e: (e.line, e.column, e.end_line, e.end_column))
    return (second.line, second.column) < (first.end_line, first.end_column)


def _in_source(code: str, source: str, edit: Edit) -> Edit | None:
    """The edit in the cell as the user wrote it; None where its lines do not stand there, but for a magic in front."""
    rows = slice(edit.line - 1, edit.end_line)
    own, shown = code.split("\n")[rows], source.split("\n")[rows]
    if own == shown:
        return edit
    if len(own) == len(shown) == 1 and own[0].strip() and shown[0].endswith(own[0].lstrip()):
        shift = len(shown[0].encode()) - len(own[0].encode())
        return Edit(edit.line, edit.column + shift, edit.end_line, edit.end_column + shift, edit.text)
    return None
