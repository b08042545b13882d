"""What a layout is made of: which file goes where, and why none does.

What goes in here: the values that the parts of the decision hand to each other.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path

from nb2pkg.analyse.program import Statement

RAW = "data/raw"


@dataclass(frozen=True, slots=True)
class Move:
    """A file of the notebook: where it is for the notebook, where it is for the package, and what is copied there."""

    original: str
    package: str
    source: Path | None = None


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A node of a cell, and the text in its place."""

    cell: int
    node: ast.expr = field(compare=False)
    text: str


@dataclass(frozen=True, slots=True)
class Layout:
    """The files that move, or why none does."""

    moves: tuple[Move, ...] = ()
    in_place: bool = False
    """Nothing needs the notebook's working folder."""
    by_text: frozenset[str] = frozenset()
    """The notebook's paths that are found by the text of their literals, which are nothing else."""
    rewrites: tuple[Rewrite, ...] = ()
    """What is edited in the cells for the other paths."""
    downloads: tuple[tuple[str, str], ...] = ()
    """(URL, path from the package's root) of what is downloaded once, and read from there."""
    up: str = ""
    """What leads from the working folder to the package's root, for the paths of the downloads."""
    saved: tuple[tuple[str, str], ...] = ()
    """(URL, path from the notebook's working folder) of what the notebook itself would download into a file."""
    telling: tuple[tuple[ast.Call, str, str], ...] = ()
    """The calls that give back a path which somebody sees, the function in their place, and the notebook's path."""
    folders: tuple[str, ...] = ()
    """The folders that the notebook expects to be there, from its working folder."""
    why: str = ""
    place: tuple[int, int] | None = None
    """The cell and line that are the reason."""

    def fetched_paths(self) -> tuple[str, ...]:
        """What the stage `fetch` downloads, as the notebook's code names it."""
        return (*(path for _, path in self.saved), *(self.up + path for _, path in self.downloads))


WORKSPACE = Layout()
"""The notebook's own layout."""


Parts = tuple[tuple[Statement, tuple[ast.AST, ...]], ...]
"""The statements with all their nodes."""


class Stays(Exception):
    """A reason not to move anything."""

    def __init__(self, why: str, cell: int | None = None, line: int | None = None) -> None:
        super().__init__(why)
        self.why = why
        self.place = (cell, line) if cell is not None and line is not None else None


def given(node: ast.Call) -> list[ast.expr]:
    """The arguments of a call, its receiver among them."""
    receiver = [node.func.value] if isinstance(node.func, ast.Attribute) else []
    return [*node.args, *(k.value for k in node.keywords), *receiver]
