"""What a run did, whether the notebook's or the package's: the one form that both are compared in."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

ShownKind = Literal["printed", "displayed", "figure"]


@dataclass(frozen=True, slots=True)
class Shown:
    """Something that a cell has shown: text, or a figure in a file below the outcome's folder."""

    kind: ShownKind
    text: str = ""
    file: str = ""


@dataclass(frozen=True, slots=True)
class CellOutcome:
    """What a cell has shown, in order."""

    id: str
    shown: tuple[Shown, ...] = ()
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a run ended before its end: the id of the cell, or the name of the stage, and what was raised."""

    place: str
    error: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run. Paths of files are relative to `folder`; those in `files` and `values` too."""

    folder: Path
    scratch: str
    """The folder that it ran in, which may stand in what it shows."""
    days: tuple[str, ...]
    """The days (as 2020-12-31) on which it ran."""
    seconds: float
    cells: tuple[CellOutcome, ...]
    files: tuple[tuple[str, str], ...] = ()
    """(path from the notebook's working folder, copy) of each file that it wrote."""
    deleted: tuple[str, ...] = ()
    values: tuple[tuple[str, str, str], ...] = ()
    """(cell id, variable, copy or `?` and a reason) of each variable that was stored after a cell."""
    failure: Failure | None = None

    def save(self) -> None:
        """Write it into its folder."""
        data = asdict(self)
        del data["folder"]
        (self.folder / "outcome.json").write_text(json.dumps(data), encoding="utf-8")


def load_outcome(folder: Path) -> Outcome | None:
    """The outcome that was saved in the folder, if there is one."""
    try:
        data = json.loads((folder / "outcome.json").read_text(encoding="utf-8"))
        failure = Failure(**data["failure"]) if data["failure"] else None
        cells = tuple(
            CellOutcome(c["id"], tuple(Shown(**s) for s in c["shown"]), c["seconds"]) for c in data["cells"]
        )
        return Outcome(
            folder=folder,
            scratch=data["scratch"],
            days=tuple(data["days"]),
            seconds=data["seconds"],
            cells=cells,
            files=tuple((a, b) for a, b in data["files"]),
            deleted=tuple(data["deleted"]),
            values=tuple((a, b, c) for a, b, c in data["values"]),
            failure=failure,
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
