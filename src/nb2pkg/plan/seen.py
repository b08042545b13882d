"""What a run of the notebook has shown, by the places where a stage may begin."""

from __future__ import annotations

import math
from dataclasses import dataclass

from nb2pkg.analyse import Program
from nb2pkg.facts import CellFacts, Facts
from nb2pkg.notebook import Notebook


@dataclass(frozen=True, slots=True)
class Seen:
    """The facts of a run, for the statements of a program."""

    own: tuple[int, ...]
    """For each statement, the notebook's own cell that it stands in, or that brought it in."""
    cells: dict[int, CellFacts]
    """What was seen of these cells."""

    def at(self, cut: int) -> CellFacts | None:
        """The cell that ends directly before the statement `cut`; None in the middle of one: nobody looked there."""
        if not 0 < cut < len(self.own) or self.own[cut - 1] == self.own[cut]:
            return None
        return self.cells.get(self.own[cut - 1])

    def seconds(self, start: int, stop: int) -> float:
        """How long the cells of these statements took; forever, if the run did not get there."""
        cells = dict.fromkeys(self.own[start:stop])
        return sum(self.cells[cell].seconds if cell in self.cells else math.inf for cell in cells)


def seen(notebook: Notebook, program: Program, facts: Facts) -> Seen:
    """The facts for the statements of `program`."""
    by_id = {cell.id: cell for cell in facts.cells}
    cells: dict[int, CellFacts] = {}
    for cell in notebook.cells if by_id else ():
        own = cell.id
        if cell.host >= 0:  # `%run` makes `<id>-run1-3` and `<id>-part1` of a cell
            hosts = [each for each in by_id if cell.id.startswith((f"{each}-run", f"{each}-part"))]
            own = max(hosts, key=len, default="")
        if own in by_id:
            cells[notebook.own(cell.index)] = by_id[own]
    hosts_of = {cell.index: cell.host for cell in notebook.cells if cell.host >= 0}
    return Seen(tuple(hosts_of.get(s.cell, s.cell) for s in program.statements), cells)
