"""The report: what was compared and how it came out. Its JSON is described in docs/verify.md and only grows."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Literal

from nb2pkg.verify.lines import LineDifference

SCHEMA = 1

Kind = Literal["stage", "text", "figure", "file", "variable"]
Status = Literal["equal", "different", "not reproducible", "not compared", "not run"]
Verdict = Literal["equivalent", "different", "package fails", "notebook fails", "not run"]
"""`not run`: of a notebook among others, since something that it needs did not come to its end."""

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
    cell: int | None = None
    """The cell in which the notebook fails, counted from 0 among all cells."""

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


# -- of many notebooks -----------------------------------------------------------------------------------------

Equivalence = Literal["equivalent", "differs", "failed", "not run"]
"""Of one notebook. `failed`: it does not come to its end by itself."""
EQUIVALENCES: tuple[Equivalence, ...] = ("equivalent", "differs", "failed", "not run")
_OF_VERDICT: dict[Verdict, Equivalence] = {
    "equivalent": "equivalent",
    "different": "differs",
    "package fails": "differs",
    "notebook fails": "failed",
    "not run": "not run",
}


@dataclass(frozen=True, slots=True)
class MemberReport:
    """What a verification has found of one of many notebooks."""

    path: str
    """In its repository."""
    report: Report
    upgraded: bool = False
    """What ran is not the notebook itself, which does not run today."""
    wrong: tuple[str, ...] = ()
    """The notebooks that differ themselves and whose files it reads."""
    cell: int | None = None
    """The cell that the reason is about, counted from 0 among all cells; None: the whole notebook."""

    @property
    def equivalence(self) -> Equivalence:
        """How it came out. A notebook that could not be run as it was is never called equivalent."""
        found = _OF_VERDICT[self.report.verdict]
        return "not run" if self.upgraded and found in ("equivalent", "failed") else found

    @property
    def reason(self) -> str:
        """Why it is not equivalent, in one line; empty where it is."""
        report = self.report
        if report.verdict == "different":
            first = report.different[0]
            what = first.name if first.kind in ("figure", "stage") else f"{first.kind} {first.name}"
            stage = f" of stage {first.stage}" if first.stage and first.kind != "stage" else ""
            more = f", and {len(report.different) - 1} more" if len(report.different) > 1 else ""
            reads = f"; it reads files of {', '.join(self.wrong)}, which differs itself" if self.wrong else ""
            return f"{what}{stage}: {first.detail or 'not as in the notebook'}{more}{reads}"
        if self.upgraded and report.verdict == "equivalent":
            return "it does not run as it was (Python 2); what it was upgraded to gives what the package gives"
        if self.upgraded and report.verdict == "notebook fails":
            return f"it does not run as it was (Python 2), and what it was upgraded to fails in {report.reason}"
        return report.reason

    def as_json(self) -> dict[str, Any]:
        """The entry for machines."""
        own = self.report.as_json()
        kept = own.pop("notebook")
        return {"notebook": self.path, "equivalence": self.equivalence, **own, "reason": self.reason, "kept": kept}


@dataclass(frozen=True, slots=True)
class JoinedReport:
    """What a verification of a package of many notebooks has found."""

    package: str
    python: str
    package_seconds: float
    members: tuple[MemberReport, ...]
    """In the pipeline's order."""

    @property
    def equivalent(self) -> bool:
        """Whether all of them are."""
        return all(member.equivalence == "equivalent" for member in self.members)

    def count(self, equivalence: Equivalence) -> int:
        """How many notebooks came out so."""
        return sum(member.equivalence == equivalence for member in self.members)

    def as_json(self) -> dict[str, Any]:
        """The report for machines."""
        return {
            "schema": SCHEMA,
            "package": self.package,
            "python": self.python,
            "package_seconds": round(self.package_seconds, 2),
            "counts": {each: self.count(each) for each in EQUIVALENCES},
            "notebooks": [member.as_json() for member in self.members],
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
