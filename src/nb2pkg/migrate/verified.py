"""A migrated package that is verified: its notebooks and its pipeline are run, and its report says how each came out.

This stands above both halves: what is run and compared is `verify`'s, what a row says is the migration's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nb2pkg.diagnostics import Diagnostic, Severity
from nb2pkg.errors import Nb2pkgError, OutputError
from nb2pkg.manifest import rewrite, unedited
from nb2pkg.migrate import Migrated
from nb2pkg.migrate.report import HTML, JSON, report_files
from nb2pkg.migrate.stored import migrations
from nb2pkg.migrate.types import Migration, Row
from nb2pkg.verify.check import VerifyOptions
from nb2pkg.verify.joined import verify_joined
from nb2pkg.verify.progress import Progress
from nb2pkg.verify.report import Equivalence, JoinedReport, MemberReport

CODES: Mapping[Equivalence, str] = {"differs": "N720", "failed": "N721", "not run": "N722"}


def verify_migrated(
    out: Path, options: VerifyOptions | None = None, progress: Progress | None = None
) -> tuple[JoinedReport, Migration | None, tuple[Diagnostic, ...]]:
    """Verify the package in `out`, which gets both reports: that of the verification, and that of the migration with
    how each notebook came out. Where somebody edited the latter it stays as it is, and there is no Migration.

    Raises Nb2pkgError where the package can't be verified here, or a report not be written.
    """
    report = verify_joined(out, options, progress)
    before = _migration(out)
    if before is None:
        message = f"{JSON} or {HTML} was edited or removed, so they stay: the result is in reports/equivalence.html"
        return report, None, (Diagnostic("N723", message),)
    after = with_equivalence(before, report)
    try:
        rewrite(out, {name: content.decode("utf-8") for name, content in report_files(after)})
    except OSError as error:
        message = f"can't be written: {error.strerror or error}"
        raise OutputError("N704", message, file=str(out / JSON)) from error
    return report, after, ()


def _migration(out: Path) -> Migration | None:
    """What the package's report says, if that is as it was written."""
    try:
        if not unedited(out, (JSON, HTML)):
            return None
        found = migrations(json.loads((out / JSON).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return None
    return found[0] if len(found) == 1 else None


def verified(made: Migrated, options: VerifyOptions, progress: Progress | None = None) -> Migrated:
    """A package that was just written, verified; where it can't be, that is told and the rows say nothing."""
    try:
        _, after, told = verify_migrated(made.out, options, progress)
    except Nb2pkgError as error:
        return replace(made, diagnostics=(*made.diagnostics, Diagnostic(error.code, str(error), severity="error")))
    return replace(made, migration=after or made.migration, diagnostics=(*made.diagnostics, *told))


def with_equivalence(migration: Migration, report: JoinedReport) -> Migration:
    """The migration with how each of its notebooks came out; one that was not compared is `not run`."""
    found = {member.path: member for member in report.members}
    return replace(migration, rows=tuple(_row(row, found.get(row.notebook)) for row in migration.rows))


def _row(row: Row, member: MemberReport | None) -> Row:
    if row.status == "copy":
        return row
    kept = tuple(told for told in row.diagnostics if told.code not in CODES.values())
    status = row.status
    if status in ("whole", "doubts"):
        status = "doubts" if any(told.severity != "info" for told in kept) else "whole"
    if member is None:
        return replace(row, status=status, diagnostics=kept, equivalence="not run")
    result = member.equivalence
    if result != "equivalent":
        severity: Severity = "info" if result == "not run" else "warning"
        kept = (*kept, Diagnostic(CODES[result], member.reason, member.cell, severity=severity))
        status = "whole" if status == "whole" and severity == "info" else "doubts"
    return replace(row, status=status, diagnostics=kept, equivalence=result)
