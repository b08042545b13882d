"""What became of a repository, as its report has it: a row a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit.part import Part
from nb2pkg.migrate.decide import Decision
from nb2pkg.migrate.scan import Repository
from nb2pkg.migrate.types import Found, Migration, Outcome, Row, RowStatus

_FAILED: dict[str, RowStatus] = {
    "refused": "refused",
    "crashed": "crashed",
    "killed": "crashed",
    "timeout": "timeout",
    "memory": "memory",
}


def migration(
    repository: Repository, decision: Decision, outcomes: Mapping[str, Outcome], told: Iterable[Diagnostic]
) -> Migration:
    """The result of a migration; `outcomes` are the last of each notebook."""
    rows: list[Row] = []
    for notebook in repository.notebooks:
        rows.append(_row(notebook, outcomes[notebook.path]))
        rows += [Row(path, "copy", message=notebook.path) for path in notebook.copies]
    return Migration(
        source=repository.name,
        package=decision.package,
        rows=tuple(rows),
        links=decision.links.links,
        shared=decision.shared.code,
        diagnostics=(*decision.links.diagnostics, *decision.helpers.told, *told),
    )


def _row(notebook: Found, outcome: Outcome) -> Row:
    part = outcome.value
    if not isinstance(part, Part):
        status = _FAILED[outcome.status]
        return Row(
            notebook.path,
            status,
            message=outcome.message,
            committed=notebook.committed,
            diagnostics=outcome.diagnostics,
        )
    doubted = any(d.severity != "info" for d in outcome.diagnostics)
    return Row(
        notebook=notebook.path,
        status="doubts" if doubted else "whole",
        subpackage=part.package,
        stages=tuple(stage.name for stage in part.stages),
        constants=part.constants,
        cells=part.code_cells,
        python=part.python,
        upgraded=any(told.code == "N015" for told in outcome.diagnostics),
        committed=notebook.committed,
        diagnostics=outcome.diagnostics,
    )
