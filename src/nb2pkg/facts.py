"""What was seen when the notebook ran, with `--profile`: data only. `profile.py` makes it, the passes read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

LARGEST_VALUE = 500_000_000
"""Bytes at which a value is no longer stored to see its size."""


@dataclass(frozen=True, slots=True)
class VariableFacts:
    """A variable at the end of a cell."""

    name: str
    type: str
    size: int
    """The bytes that it takes stored, at most `LARGEST_VALUE`; -1: it can't be stored."""
    why: str = ""
    """Why it can't be."""
    changed: bool = False
    """It was bound or changed in the cell."""
    same: tuple[str, ...] = ()
    """Other names of the same object."""


@dataclass(frozen=True, slots=True)
class CellFacts:
    """A cell that was run."""

    id: str
    seconds: float
    variables: tuple[VariableFacts, ...] = ()


EXPENSIVE_SECONDS, EXPENSIVE_SHARE = 5.0, 0.2
"""A cell that takes this long, and this share of the whole, has a stage of its own, so that caching pays."""


@dataclass(frozen=True, slots=True)
class Facts:
    """A whole run."""

    cells: tuple[CellFacts, ...] = ()

    @property
    def seconds(self) -> float:
        """How long all cells took."""
        return sum(cell.seconds for cell in self.cells)

    @property
    def expensive(self) -> tuple[str, ...]:
        """The ids of the cells that are worth a stage of their own."""
        least = max(EXPENSIVE_SECONDS, EXPENSIVE_SHARE * self.seconds)
        return tuple(cell.id for cell in self.cells if cell.seconds >= least)

    def as_json(self) -> list[dict[str, Any]]:
        """For machines."""
        return [
            {
                "cell": cell.id,
                "seconds": round(cell.seconds, 3),
                "variables": [
                    {"name": v.name, "type": v.type, "bytes": v.size if v.size >= 0 else None, "changed": v.changed}
                    | ({"why": v.why} if v.why else {})
                    | ({"same": list(v.same)} if v.same else {})
                    for v in cell.variables
                ],
            }
            for cell in self.cells
        ]

    def as_text(self) -> str:
        """A line for each cell that changed something or took time."""
        lines: list[str] = []
        for number, cell in enumerate(self.cells, 1):
            told = [f"{v.name} ({v.type}, {_told_size(v)})" for v in cell.variables if v.changed]
            lines.append(f"cell {number}: {cell.seconds:.1f} s  {', '.join(told)}".rstrip())
        return "\n".join(lines)


def _told_size(variable: VariableFacts) -> str:
    if variable.size < 0:
        return f"can't be stored: {variable.why}"
    return readable_size(variable.size) + " or more" * (variable.size >= LARGEST_VALUE)


def readable_size(count: int) -> str:
    """Bytes in a unit that people read them in."""
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
