"""The report as the terminal shows it: a table of counts, then what is not equal."""

from __future__ import annotations

from nb2pkg.verify.report import EQUIVALENCES, KINDS, STATUSES, Check, JoinedReport, Report

SHOWN_LINES = 6
SHOWN_CHECKS = 40
WIDTH = 160


def summary(report: Report) -> str:
    """The verdict in one sentence."""
    stages = f"{len(report.stages)} stage(s)"
    if report.verdict == "notebook fails":
        return f"not verified: the notebook fails by itself in {report.reason}"
    if report.verdict == "not run":
        return f"not verified: {report.reason}"
    if report.verdict == "package fails":
        return f"not equivalent: the package fails in {report.reason}"
    if report.verdict == "different":
        return f"not equivalent: {len(report.different)} difference(s) in {stages}"
    unsure = sum(report.count(kind, s) for kind in KINDS for s in ("not reproducible", "not compared"))
    besides = f"; {unsure} that could not be compared or that the notebook does not repeat itself" if unsure else ""
    return f"equivalent: everything compared is equal, in {stages}{besides}"


def table(report: Report) -> str:
    """All of it."""
    heads = ["", *STATUSES]
    rows = [[kind, *(str(report.count(kind, status) or "") for status in STATUSES)] for kind in KINDS]
    widths = [max(len(row[i]) for row in [heads, *rows]) for i in range(len(heads))]
    lines = ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in [heads, *rows]]
    told = [check for check in report.checks if check.status not in ("equal", "not run")]
    told.sort(key=lambda check: check.status != "different")
    for check in told[:SHOWN_CHECKS]:
        lines += _told(check)
    if len(told) > SHOWN_CHECKS:
        lines.append(f"… {len(told) - SHOWN_CHECKS} more in reports/equivalence.html")
    for step in report.repair:
        lines.append(f"repair: {step.change}, because of {step.why}{'' if step.helped else ' (did not help)'}")
    return "\n".join(line.rstrip() for line in [*lines, summary(report)])


def joined_summary(report: JoinedReport) -> str:
    """How many notebooks came out how, in one sentence."""
    found = [f"{report.count(each)} {each}" for each in EQUIVALENCES if report.count(each)]
    return f"{len(report.members)} notebook(s): {', '.join(found) or 'nothing to compare'}"


def joined_table(report: JoinedReport) -> str:
    """A line a notebook, what is not equivalent with its reason."""
    width = max((len(member.equivalence) for member in report.members), default=0)
    lines: list[str] = []
    for member in report.members:
        why = f": {member.reason}" if member.reason else ""
        lines.append(f"{member.equivalence.ljust(width)}  {member.path}{why}"[:WIDTH])
    return "\n".join([*lines, joined_summary(report)])


def _told(check: Check) -> list[str]:
    name = check.name if check.kind in ("figure", "stage") else f"{check.kind} {check.name}"
    stage = f" (stage {check.stage})" if check.stage and check.kind != "stage" else ""
    detail = f": {check.detail}" if check.detail else ""
    lines = [f"{check.status}: {name}{stage}{detail}"]
    if check.status == "different":
        for difference in check.lines[:2]:
            lines += [f"    - {line}"[:WIDTH] for line in difference.expected[:SHOWN_LINES]]
            lines += [f"    + {line}"[:WIDTH] for line in difference.got[:SHOWN_LINES]]
    return lines
