"""The result of a migration as its migration.json has it, read back."""

from __future__ import annotations

from typing import Any

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.migrate.types import Link, Migration, Row, SharedCode


def migrations(data: dict[str, Any]) -> tuple[Migration, ...]:
    """What `report.as_json` was made of, sorted as that is; raises ValueError where it is no such report."""
    try:
        return tuple(map(_migration, data["repositories"]))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no report of a migration: {error}") from error


def _migration(data: dict[str, Any]) -> Migration:
    once = [SharedCode(c["name"], c["module"], tuple(c["notebooks"])) for c in data["shared"]]
    near = [
        SharedCode(
            c["name"], "", tuple(each["notebook"] for each in c["copies"]), tuple(each["text"] for each in c["copies"])
        )
        for c in data["near_copies"]
    ]
    return Migration(
        source=data["source"],
        package=data["package"],
        rows=tuple(map(_row, data["notebooks"])),
        links=tuple(Link(each["producer"], each["consumer"], each["file"]) for each in data["links"]),
        shared=(*once, *near),
        diagnostics=tuple(map(_diagnostic, data["diagnostics"])),
    )


def _row(data: dict[str, Any]) -> Row:
    return Row(
        notebook=data["notebook"],
        status=data["status"],
        subpackage=data["subpackage"] or "",
        message=data["message"],
        stages=tuple(data["stages"]),
        constants=data["constants"],
        cells=data["cells"],
        python=data["python"] or "",
        upgraded=data["upgraded"],
        committed=data["committed"] or "",
        diagnostics=tuple(map(_diagnostic, data["diagnostics"])),
        equivalence=data["equivalence"] or "",
    )


def _diagnostic(data: dict[str, Any]) -> Diagnostic:
    return Diagnostic(data["code"], data["message"], data["cell"], data["line"], data["severity"])
