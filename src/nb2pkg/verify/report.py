"""The report: what was compared and how it came out. Its JSON is described in docs/verify.md and only grows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from nb2pkg.verify.lines import LineDifference

SCHEMA = 1

Kind = Literal["stage", "text", "figure", "file", "variable"]
Status = Literal["equal", "different", "not reproducible", "not compared", "not run"]
Verdict = Literal["equivalent", "different", "package fails", "notebook fails"]

KINDS: tuple[Kind, ...] = ("stage", "text", "figure", "file", "variable")
STATUSES: tuple[Status, ...] = ("equal", "different", "not reproducible", "not compared", "not run")


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was compared, or could not be."""

    kind: Kind
    name: str
    """What it is: the stage, the cell, the figure's place in the cell, the file's path, the variable."""
    status: Status
    cell: str = ""
    """The cell's id."""
    number: int = 0
    """Which code cell of the notebook, from 1."""
    stage: str = ""
    detail: str = ""
    lines: tuple[LineDifference, ...] = ()
    equal_lines: int = 0
    wild_lines: int = 0
    """Lines that the notebook does not repeat itself."""
    expected: str = ""
    """The notebook's figure, where it differs: a path that is there until the report is written."""
    got: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One change that repair made to the plan, and what showed that it was needed."""

    change: str
    why: str
    helped: bool


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification has found."""

    package: str
    notebook: str
    python: str
    verdict: Verdict
    reason: str
    """Where and why the notebook or the package failed; empty where both ran to their end."""
    stages: tuple[str, ...]
    runs: int
    """How often the notebook was run, those kept from an earlier time included."""
    notebook_seconds: float
    package_seconds: float
    checks: tuple[Check, ...]
    repair: tuple[Step, ...] = ()
    stages_before: int = 0
    """How many stages there were before repair."""

    def count(self, kind: Kind, status: Status) -> int:
        """How many things of a kind came out so."""
        return sum(1 for check in self.checks if check.kind == kind and check.status == status)

    @property
    def different(self) -> tuple[Check, ...]:
        """What differs."""
        return tuple(check for check in self.checks if check.status == "different")

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
        counts = Counter((check.kind, check.status) for check in self.checks)
        return {
            "schema": SCHEMA,
            "verdict": self.verdict,
            "reason": self.reason,
            "package": self.package,
            "notebook": self.notebook,
            "python": self.python,
            "stages": list(self.stages),
            "notebook_runs": self.runs,
            "notebook_seconds": round(self.notebook_seconds, 2),
            "package_seconds": round(self.package_seconds, 2),
            "counts": {k: {s: counts[k, s] for s in STATUSES} for k in KINDS},
            "lines": {
                "equal": sum(c.equal_lines for c in self.checks),
                "not_reproducible": sum(c.wild_lines for c in self.checks),
            },
            "checks": [_check_json(check) for check in self.checks],
            "repair": [{"change": s.change, "why": s.why, "helped": s.helped} for s in self.repair],
            "stages_before_repair": self.stages_before or len(self.stages),
        }


def _check_json(check: Check) -> dict[str, Any]:
    found: dict[str, Any] = {
        "kind": check.kind,
        "name": check.name,
        "status": check.status,
        "cell": check.cell or None,
        "cell_number": check.number or None,
        "stage": check.stage or None,
        "detail": check.detail,
    }
    if check.lines:
        found["differences"] = [
            {"line": d.line, "notebook": list(d.expected), "package": list(d.got)} for d in check.lines
        ]
    return found
