"""The report of a migration: migration.json for machines, migration.html for people, a few lines for the terminal.

What goes in: what became of one repository or of several. What comes out: text that is equal for equal input, whatever
order its parts came in. migration.schema.json, beside this file, describes the JSON; it only grows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.errors import OutputError
from nb2pkg.migrate.ranking import FAILED, Need, Place, needs
from nb2pkg.migrate.types import Migration, Row, RowStatus, SharedCode
from nb2pkg.pages import json_text, put

SCHEMA = 1
JSON, HTML = "migration.json", "migration.html"
STATUSES: tuple[RowStatus, ...] = get_args(RowStatus)
WORDS: dict[RowStatus, str] = {
    "whole": "whole",
    "doubts": "with doubts",
    "refused": "refused",
    "crashed": "crashed",
    "timeout": "timed out",
    "memory": "out of memory",
    "copy": "exact copy",
}
"""As people read them."""
SHOWN_NEEDS = 5
WIDTH = 160


def publish(migrations: Sequence[Migration], folder: Path) -> None:
    """Write both files into `folder`, each whole or not at all; raises OutputError."""
    from nb2pkg.migrate.page import page

    ordered = in_order(migrations)
    for name, text in ((JSON, json_text(as_json(ordered))), (HTML, page(ordered))):
        path = folder / name
        try:
            put(path, text)
        except OSError as error:
            raise OutputError("N605", f"can't be written: {error.strerror or error}", file=str(path)) from error


def report_files(migration: Migration) -> tuple[tuple[str, bytes], ...]:
    """(name, contents) of the report's files."""
    from nb2pkg.migrate.page import page

    ordered = in_order([migration])
    return ((JSON, json_text(as_json(ordered)).encode()), (HTML, page(ordered).encode()))


def in_order(migrations: Iterable[Migration]) -> tuple[Migration, ...]:
    """The same, each part sorted."""

    def sorted_parts(one: Migration) -> Migration:
        return replace(
            one,
            rows=tuple(sorted(one.rows, key=lambda row: row.notebook)),
            links=tuple(sorted(one.links, key=lambda link: (link.producer, link.consumer, link.file))),
            shared=tuple(sorted(one.shared, key=lambda code: (code.name, code.module, code.notebooks))),
            diagnostics=tuple(sorted(one.diagnostics, key=lambda told: (told.code, told.message))),
        )

    return tuple(sorted(map(sorted_parts, migrations), key=lambda one: (one.source, one.package)))


def counts(rows: Iterable[Row]) -> dict[str, int]:
    """How many notebooks there are, and how many of each status."""
    found = Counter(row.status for row in rows)
    return {"notebooks": found.total(), **{status: found[status] for status in STATUSES}}


def as_json(migrations: Sequence[Migration]) -> dict[str, Any]:
    """The report for machines, as migration.schema.json has it."""
    ordered = in_order(migrations)
    return {
        "schema": SCHEMA,
        "counts": counts(row for one in ordered for row in one.rows),
        "needs": [_need(need) for need in needs(ordered)],
        "repositories": [_repository(one) for one in ordered],
    }


def text(migration: Migration) -> str:
    """The report for the terminal: what came over, and what needs a person first."""
    ordered = in_order([migration])
    found = counts(migration.rows)
    told = ", ".join(f"{found[status]} {counted(status, found[status])}" for status in STATUSES if found[status])
    lines = [f"{migration.source}: {_counted(found['notebooks'], 'notebook')}{': ' + told if told else ''}"]
    defined = sum(1 for code in migration.shared if code.module)
    linked = {name for link in migration.links for name in (link.producer, link.consumer)}
    if linked:
        links = _counted(len({link.file for link in migration.links}), "file")
        lines.append(f"  {links} between {_counted(len(linked), 'notebook')}")
    if migration.shared:
        near = len(migration.shared) - defined
        besides = f"; {near} of which there are near copies" if near else ""
        lines.append(f"  {_counted(defined, 'function or class', 'functions and classes')} defined once{besides}")
    if compared := Counter(row.equivalence for row in migration.rows if row.equivalence):
        lines.append("  verified: " + ", ".join(f"{count} {result}" for result, count in sorted(compared.items())))
    needed = needs(ordered)
    lines += (f"  {number}. {_told(need)}" for number, need in enumerate(needed[:SHOWN_NEEDS], 1))
    if len(needed) > SHOWN_NEEDS:
        lines.append(f"  … {len(needed) - SHOWN_NEEDS} more in {HTML}")
    return "\n".join(_printable(line) for line in lines)


def counted(status: RowStatus, count: int) -> str:
    """The status' word behind a number."""
    return "exact copies" if status == "copy" and count != 1 else WORDS[status]


def where(place: Place) -> str:
    """`cell 3, line 2`, counting from one as people do; empty where it is the whole notebook."""
    found = [] if place.cell is None else [f"cell {place.cell + 1}"]
    return ", ".join([*found, f"line {place.line}"] if place.line is not None else found)


def _told(need: Need) -> str:
    place = need.places[0]
    at = ", ".join(filter(None, (place.notebook, where(place))))
    notebooks = {(each.source, each.notebook) for each in need.places}
    if len(notebooks) > 1:
        at = f"{len(notebooks)} notebooks, first {at}"
    kind = f"{WORDS[need.kind]}: " if need.kind in FAILED else ""
    waiting = f" ({_counted(need.dependents, 'notebook waits', 'notebooks wait')} for it)" if need.dependents else ""
    code = f"{need.code}: " if need.code else ""
    return f"{at + ': ' if at else ''}{kind}{code}{place.message}{waiting}"


def _printable(line: str) -> str:
    """The line with what would steer a terminal, or end the line, escaped."""
    shown = "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in line)
    return shown if len(shown) <= WIDTH else shown[: WIDTH - 1] + "…"


def _counted(count: int, one: str, many: str = "") -> str:
    return f"{count} {one if count == 1 else many or one + 's'}"


def _repository(one: Migration) -> dict[str, Any]:
    return {
        "source": one.source,
        "package": one.package,
        "counts": counts(one.rows),
        "notebooks": [_row(row) for row in one.rows],
        "links": [{"producer": link.producer, "consumer": link.consumer, "file": link.file} for link in one.links],
        "shared": [
            {"name": code.name, "module": code.module, "notebooks": list(code.notebooks)}
            for code in one.shared
            if code.module
        ],
        "near_copies": [_near_copies(code) for code in one.shared if not code.module],
        "diagnostics": [_diagnostic(told) for told in one.diagnostics],
    }


def _row(row: Row) -> dict[str, Any]:
    return {
        "notebook": row.notebook,
        "status": row.status,
        "message": row.message,
        "subpackage": row.subpackage or None,
        "stages": list(row.stages),
        "constants": row.constants,
        "cells": row.cells,
        "python": row.python or None,
        "upgraded": row.upgraded,
        "committed": row.committed or None,
        "equivalence": row.equivalence or None,
        "diagnostics": [_diagnostic(told) for told in row.diagnostics],
    }


def _near_copies(code: SharedCode) -> dict[str, Any]:
    return {
        "name": code.name,
        "copies": [
            {"notebook": notebook, "text": copy} for notebook, copy in zip(code.notebooks, code.texts, strict=True)
        ],
    }


def _diagnostic(told: Diagnostic) -> dict[str, Any]:
    return {
        "code": told.code,
        "severity": told.severity,
        "cell": told.cell,
        "line": told.line,
        "message": told.message,
    }


def _need(need: Need) -> dict[str, Any]:
    return {
        "kind": need.kind,
        "code": need.code or None,
        "meaning": need.meaning,
        "what_to_do": need.to_do,
        "dependents": need.dependents,
        "places": [
            {
                "source": place.source,
                "notebook": place.notebook or None,
                "cell": place.cell,
                "line": place.line,
                "message": place.message,
            }
            for place in need.places
        ],
    }
