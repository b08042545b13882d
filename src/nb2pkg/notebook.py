"""The notebook as the rest of the program sees it: cells of plain Python, and what the magics said besides."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from nb2pkg.diagnostics import Diagnostic

CellKind = Literal["code", "markdown", "raw"]
OWN_TAG = "nb2pkg:"
"""What the tag of a cell begins with that begins a section: `nb2pkg:train`."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell. `code` is plain Python 3 (empty unless `kind` is "code"); line n of it is line n of `source`
    wherever the cell has no magic that takes several lines."""

    index: int
    id: str
    kind: CellKind
    source: str
    code: str = ""
    tags: tuple[str, ...] = ()
    silent: bool = False
    """The last expression is not displayed: a trailing `;`, or `%%capture`."""
    show_all: bool = False
    """Every top-level expression is displayed (`InteractiveShell.ast_node_interactivity = "all"`)."""
    may_raise: bool = False
    """Tagged `raises-exception`: an exception ends the cell, not the notebook."""
    origin: str = ""
    """The file that the cell was brought in from by `%run`; empty for the notebook's own cells."""
    host: int = -1
    """The index of the notebook's own cell that brought it in, or of which it is a part; -1: it is one itself."""


@dataclass(frozen=True, slots=True)
class Secret:
    """A secret of a cell, under the name that it has in the environment."""

    name: str
    value: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Notebook:
    """A notebook of nbformat 4 in plain Python 3."""

    name: str
    """The file's name without its ending."""
    folder: Path
    """The folder that the notebook lies in, from which its relative paths count (after any `cwd`)."""
    cells: tuple[Cell, ...]
    imports: tuple[str, ...] = ()
    """Import statements that the translated magics need (`import subprocess`), which no cell holds."""
    written_modules: tuple[tuple[str, str], ...] = ()
    """(relative path, text) of each file that `%%writefile` writes."""
    run_files: tuple[tuple[str, bytes], ...] = ()
    """(path from the notebook's folder, contents) of each file that `%run` brought in."""
    requirements: tuple[str, ...] = ()
    """What `!pip install` and `%pip install` asked for."""
    python: str = ""
    """The Python version that the notebook recorded, as `3.8.2`; empty where it says none."""
    is_python2: bool = False
    """It was Python 2, and its cells are upgraded."""
    is_modern: bool = False
    """What libraries have no longer is written in it as it is now."""
    sources: tuple[str, ...] = ()
    """The sources of all cells of its file, upgraded."""
    rewritten: bool = False
    """They are not those of the file, which a kernel of today would not run."""
    secrets: tuple[Secret, ...] = ()
    """What was taken out of the cells, for the environment to give."""
    run_order: tuple[int, ...] = ()
    """The stored execution counts of the code cells, where there are any."""

    def own(self, index: int) -> int:
        """The index of the notebook's own cell that the cell is, or is a part of."""
        return next((cell.host for cell in self.cells if cell.index == index and cell.host >= 0), index)

    def as_seen(self, diagnostic: Diagnostic) -> Diagnostic:
        """The diagnostic at the cell that the user sees: what `%run` brought in has none of its own."""
        cell = next((each for each in self.cells if each.index == diagnostic.cell and each.host >= 0), None)
        if cell is None or not cell.origin:
            return diagnostic if cell is None else replace(diagnostic, cell=cell.host)
        place = f"{cell.origin}, line {diagnostic.line}" if cell.origin.endswith(".py") else cell.origin
        return replace(diagnostic, cell=cell.host, line=None, message=f"in {place}: {diagnostic.message}")

    @property
    def code_cells(self) -> tuple[Cell, ...]:
        """The cells that hold code, in order."""
        return tuple(cell for cell in self.cells if cell.kind == "code")
