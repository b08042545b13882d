"""From an .ipynb file to cells of plain Python 3.

`formats` loads the file, `python2` upgrades what is Python 2, `translate` turns a cell's text into plain Python,
`magics` and `shell` say what one magic or one shell line becomes. Here are the notebook's own rules: which cells run,
in which order, what `%run` brings in. Nothing here executes a cell, and nothing here knows what the code means.
"""

from __future__ import annotations

import ast
import os
import re
import warnings
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Literal

from nb2pkg import python2
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.errors import NotebookError
from nb2pkg.notebook import Cell, Notebook
from nb2pkg.read.formats import NotebookFile, RawCell, RawNotebook, load, with_sources
from nb2pkg.read.magics import RUN_MARK, Reading
from nb2pkg.read.outputs import with_outputs
from nb2pkg.read.translate import Bindings, is_quiet, parsed, refuse_history, translated

__all__ = ["NotebookFile", "read"]

_EXECUTED = re.compile(
    r"""^exec\(compile\(open\((['"])(?P<name>[\w./-]+)\1, "rb"\)\.read\(\), \1(?P=name)\1, 'exec'\)\)[ \t;]*$""",
    re.MULTILINE,
)
"""What the upgrade makes of `execfile("a.py")`, a line of its own."""
_RUN_LINE = re.compile(rf"^{RUN_MARK}\((\[.*\])\)[ \t;]*$", re.MULTILINE)


Old = Literal["", "cells", "all"]
"""What of a notebook is Python 2: nothing, the cells that are no Python 3 in one of Python 3, or all."""


def read(
    given: Path | NotebookFile, *, within: Path | None = None
) -> tuple[Notebook, tuple[Diagnostic, ...]]:
    """The notebook in plain Python 3, and what could not be kept of it. `%run` brings in nothing from outside `within`,
    links followed."""
    file = given if isinstance(given, NotebookFile) else NotebookFile.at(given)
    raw = load(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the notebook's invalid escapes are not our user's concern
        if _is_old(raw, unless_recorded=False):
            return _read(file, raw, within, "all")
        try:
            return _read(file, raw, within, "")
        except NotebookError as refusal:
            if refusal.code not in ("N010", "N011"):
                raise
        # Only now, so that a notebook that is Python 3 never pays for the question.
        return _read(file, raw, within, "cells" if raw.major == "3" else "all")


def _is_old(raw: RawNotebook, *, unless_recorded: bool) -> bool:
    """Whether a notebook is Python 2; `unless_recorded`: what is so where it does not say and does not look like it."""
    if raw.major:
        return raw.major == "2"
    return unless_recorded or python2.looks_like_python2(_sources(raw))


def _sources(raw: RawNotebook) -> list[str]:
    return [cell.source if cell.kind == "code" else "" for cell in raw.cells]


def _run_line(match: re.Match[str], folder: Path) -> str:
    """`%run` for a file that is there: its text is Python 2 too."""
    return f"%run -i {match['name']}" if (folder / match["name"]).is_file() else match[0]


def _upgraded(raw: RawNotebook, old: Old, folder: Path) -> tuple[RawNotebook, tuple[Diagnostic, ...]]:
    """The notebook with what is Python 2 in Python 3."""
    sources = _sources(raw)
    only = python2.old_cells(sources) if old == "cells" else None
    new, told = python2.upgraded_cells(sources, raw.python, only)
    new = [_EXECUTED.sub(lambda match: _run_line(match, folder), source) for source in new]
    cells = tuple(
        replace(cell, source=source) if cell.kind == "code" else cell
        for cell, source in zip(raw.cells, new, strict=True)
    )
    return replace(raw, cells=cells), told


def _read(
    file: NotebookFile, raw: RawNotebook, within: Path | None, old: Old
) -> tuple[Notebook, tuple[Diagnostic, ...]]:
    path = file.path
    given = raw
    raw, told = _upgraded(raw, old, path.parent) if old else (raw, ())
    bindings = Bindings()
    reading = Reading(path.name, path.parent, bindings.names, raw.python, upgraded=bool(old))
    made = _Cells(reading, bindings, len(raw.cells), within, old)
    cells = made.of_notebook(raw, path)
    shown = with_outputs(cells)
    refuse_history(shown, reading, bindings)
    notebook = Notebook(
        name=path.stem,
        folder=path.parent,
        cells=shown,
        imports=tuple(sorted(reading.imports)),
        written_modules=tuple(reading.written.items()),
        run_files=tuple(sorted(made.run_files.items())),
        requirements=tuple(reading.requirements),
        python=raw.python,
        is_python2=old == "all",
        sources=tuple(cell.source for cell in raw.cells),
        rewritten=raw.cells != given.cells,
        run_order=tuple(cell.run for cell in raw.cells if cell.kind == "code" and cell.run is not None),
    )
    return notebook, (*told, *reading.diagnostics, *_out_of_order(raw))


def _out_of_order(raw: RawNotebook) -> list[Diagnostic]:
    """Told once, at the first cell whose stored count is lower than one before it."""
    code = [(cell.run, index) for index, cell in enumerate(raw.cells) if cell.kind == "code"]
    counted = [(count, index) for count, index in code if count is not None]
    for (before, above), (count, index) in pairwise(counted):
        if count < before:
            order = f"the cells were last run in another order (cell {index + 1} before cell {above + 1})"
            return [Diagnostic("N014", f"{order}: the package runs them from top to bottom", index)]
    return []


class _Cells:
    """The cells of a notebook and of the files that it runs.

    The notebook's own cells keep their index; those brought in by `%run` are numbered after all of them, so that an
    index stands for one cell and a message about an own cell names the cell that the user sees.
    """

    def __init__(self, reading: Reading, bindings: Bindings, next_index: int, within: Path | None, old: Old) -> None:
        self.reading = reading
        self.bindings = bindings
        self.next_index = next_index
        self.within = within
        self.old = old
        self.run_files: dict[str, bytes] = {}
        self.show_all = False
        self.ended = False

    def of_notebook(self, raw: RawNotebook, path: Path) -> list[Cell]:
        """The notebook's own cells, in order, up to the one that ends it."""
        found: list[Cell] = []
        for index, cell in enumerate(raw.cells):
            self.reading.cell = index
            found += self._pieces(cell, index, cell.id, "", (path.resolve(),))
            if self.ended:
                left = sum(1 for after in raw.cells[index + 1 :] if after.kind == "code")
                if left:
                    message = f"the notebook ends here; the {left} code cells after it never run"
                    self.reading.tell("N120", message, None, "warning")
                break
        return found

    def _pieces(self, raw: RawCell, index: int, cell_id: str, origin: str, chain: tuple[Path, ...]) -> list[Cell]:
        if raw.kind != "code":
            return [Cell(index, cell_id, raw.kind, raw.source, tags=raw.tags, origin=origin)]
        reading = self.reading
        reading.silent, reading.show_all_next = False, None
        code, ends = translated(raw.source, reading, self.bindings)
        if "raises-exception" in raw.tags:
            reading.need("traceback")
        cell = Cell(
            index=index,
            id=cell_id,
            kind="code",
            source=raw.source,
            code=code,
            tags=raw.tags,
            silent=reading.silent or is_quiet(code),
            show_all=self.show_all,
            may_raise="raises-exception" in raw.tags,
            origin=origin,
            host=-1 if index == reading.cell else reading.cell,
        )
        if reading.show_all_next is not None:
            self.show_all = reading.show_all_next
        self.ended = self.ended or ends
        return [cell] if RUN_MARK not in code else self._brought_in(cell, chain)

    def _brought_in(self, cell: Cell, chain: tuple[Path, ...]) -> list[Cell]:
        """The cell split at its `%run` lines, with the cells of each file between the parts."""
        parts = _RUN_LINE.split(cell.code)
        if any(RUN_MARK in part for part in parts[0::2]):
            message = "`%run` inside a block can't be brought in; put it on a line of its own, or import the file"
            raise self.reading.refusal("N114", message)
        found: list[Cell] = []
        line = 0
        for place, part in enumerate(parts):
            if place % 2:
                words = ast.literal_eval(part)
                found += self._of_file(words, f"{cell.id}-run{place // 2 + 1}", cell, chain)
                continue
            if part.strip():
                last = place == len(parts) - 1
                own = not any(one.index == cell.index for one in found)
                piece = replace(
                    cell,
                    index=cell.index if own else self._new_index(),
                    host=cell.host if own else self.reading.cell,
                    id=cell.id if own else f"{cell.id}-part{place // 2 + 1}",
                    code="\n" * line + part.rstrip("\n"),
                    silent=cell.silent if last else True,
                )
                found.append(piece)
            line += part.count("\n")
        return found

    def _new_index(self) -> int:
        self.next_index += 1
        return self.next_index - 1

    def _of_file(self, words: list[str], prefix: str, host: Cell, chain: tuple[Path, ...]) -> list[Cell]:
        name = words[0]
        path = self._found(name, chain)
        if path.resolve() in chain:
            raise self.reading.refusal("N012", f"`%run {name}` runs a file that is already being run; break the cycle")
        inner = (*chain, path.resolve())
        self._keep(path, path.read_bytes())
        before, self.reading.origin = self.reading.origin, name
        found = self._cells_of_file(path, words, prefix, host, inner)
        self.reading.origin = before
        return found

    def _keep(self, path: Path, content: bytes) -> None:
        """Keep what `%run` ran, for whoever runs the notebook again."""
        relative = os.path.relpath(path, self.reading.folder)
        if not relative.startswith("..") or self.within is not None:
            self.run_files[Path(relative).as_posix()] = content

    def _notebook_of_file(self, path: Path, name: str) -> RawNotebook:
        """A notebook that `%run` runs, in Python 3."""
        file = NotebookFile.at(path)
        raw = load(file)
        old: Old = "all" if _is_old(raw, unless_recorded=self.old == "all") else "cells" if self.old else ""
        if not old:
            return raw
        new, told = _upgraded(raw, old, path.parent)
        self._keep(path, with_sources(file, [cell.source for cell in new.cells]))
        for each in told:
            where = name if each.cell is None else f"{name}, cell {each.cell + 1}"
            message = f"in {where}: {each.message}"
            self.reading.diagnostics.append(replace(each, message=message, cell=self.reading.cell, line=None))
        return new

    def _cells_of_file(
        self, path: Path, words: list[str], prefix: str, host: Cell, inner: tuple[Path, ...]
    ) -> list[Cell]:
        name, *arguments = words
        if path.suffix == ".ipynb":
            found: list[Cell] = []
            for place, raw in enumerate(self._notebook_of_file(path, name).cells):
                if raw.kind == "code":
                    piece = replace(raw, tags=host.tags)
                    found += self._pieces(piece, self._new_index(), f"{prefix}-{place}", name, inner)
            return [replace(cell, silent=True, show_all=False) for cell in found]  # `%run` displays no value
        try:
            text = path.read_text(encoding="utf-8-sig").replace("\r\n", "\n")
        except (OSError, UnicodeDecodeError):
            raise self.reading.refusal("N012", f"`%run {name}`: the file can't be read as text") from None
        if self.old == "all" or (self.old and not python2.is_python3(text)):
            text, told = python2.upgraded_file(text, name)
            self._keep(path, text.encode())
            self.reading.diagnostics += (replace(each, cell=self.reading.cell) for each in told)
        code = _as_main(text)
        if arguments:
            self.reading.need("sys")
            code = f"sys.argv = {[name, *arguments]!r}\n" + code
        raw = RawCell(id="", kind="code", source=code, tags=host.tags, run=None)
        ended = self.ended
        cells = self._pieces(raw, self._new_index(), prefix, name, inner)
        self.ended = ended  # a script's `exit()` ends the script alone
        return [replace(cell, silent=True, show_all=False) for cell in cells]

    def _found(self, name: str, chain: tuple[Path, ...]) -> Path:
        given = Path(name).expanduser()
        for folder in (self.reading.folder, chain[-1].parent):
            for candidate in (folder / given, (folder / given).with_name(given.name + ".py")):
                if candidate.is_file() and (self.within is None or candidate.resolve().is_relative_to(self.within)):
                    return candidate
        message = f"`%run {name}`: there is no such file next to the notebook; add it, or take the line out"
        raise self.reading.refusal("N012", message)


def _as_main(text: str) -> str:
    """A script's text with its `if __name__ == "__main__":` as `if True:`, since `%run` runs it as the main program."""
    tree = parsed(text)
    if tree is None or "__main__" not in text:
        return text
    lines = text.split("\n")
    for node in tree.body:
        if isinstance(node, ast.If) and ast.unparse(node.test) in (
            "__name__ == '__main__'",
            "'__main__' == __name__",
        ):
            test = node.test
            if test.lineno == test.end_lineno:
                row = lines[test.lineno - 1].encode()
                new = row[: test.col_offset] + b"True" + row[test.end_col_offset :]
                lines[test.lineno - 1] = new.decode()
    return "\n".join(lines)

