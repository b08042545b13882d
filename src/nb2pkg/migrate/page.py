"""The report as one HTML file: templates/migration.html with what it shows prepared here.

Names and code come from notebooks that nobody vouches for: the template escapes all of it, and the page allows no
script but its own.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup, escape

from nb2pkg.migrate.drawing import Drawing, draw
from nb2pkg.migrate.near import side_by_side, versions
from nb2pkg.migrate.ranking import FAILED, Need, needs
from nb2pkg.migrate.report import STATUSES, WORDS, counted, counts, where
from nb2pkg.migrate.types import Migration, Row
from nb2pkg.pages import document

LABEL = 25
"""Characters of a path that a box of the drawing has room for."""
SHOWN_PLACES = 200
SHOWN_VERSIONS = 12


def page(migrations: Sequence[Migration]) -> str:
    """The report of these migrations, in their order."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {
        "code": _code,
        "where": where,
        "label": _label,
        "severities": _severities,
        "counted": counted,
    }
    repositories = [
        _Repository(one, {row.notebook: f"n{at}-{number}" for number, row in enumerate(one.rows)}, draw(one.links))
        for at, one in enumerate(migrations)
    ]
    title = f"Migration of {migrations[0].source}" if len(migrations) == 1 else "Migration"
    found = counts(row for one in migrations for row in one.rows)
    body = environment.from_string(_template("migration.html")).render(
        title=title,
        repositories=repositories,
        anchors={(one.migration.source, name): anchor for one in repositories for name, anchor in one.anchors.items()},
        counts=found,
        statuses=[status for status in STATUSES if found[status]],
        words=WORDS,
        failed=FAILED,
        needs=[_ShownNeed.of(need) for need in needs(migrations)],
        several=len(migrations) > 1,
        verified=any(row.equivalence for one in migrations for row in one.rows),
        shown_places=SHOWN_PLACES,
        shown_versions=SHOWN_VERSIONS,
        versions=versions,
        side_by_side=side_by_side,
    )
    return document(title, body, _template("migration.css"), _template("migration.js"))


@dataclass(frozen=True, slots=True)
class _Repository:
    """A migration, with the names of its rows' anchors, and its drawing."""

    migration: Migration
    anchors: dict[str, str]
    drawing: Drawing

    @property
    def status(self) -> dict[str, str]:
        return {row.notebook: row.status for row in self.migration.rows}


@dataclass(frozen=True, slots=True)
class _ShownNeed:
    """A need, and how many notebooks it is about."""

    need: Need
    notebooks: int

    @classmethod
    def of(cls, need: Need) -> _ShownNeed:
        return cls(need, len({(place.source, place.notebook) for place in need.places}))


def _template(name: str) -> str:
    return files("nb2pkg.migrate").joinpath("templates", name).read_text(encoding="utf-8")


def _code(text: str) -> Markup:
    """Escaped, with what stands between backticks set as code."""
    return Markup(re.sub(r"`([^`]+)`", r"<code>\1</code>", str(escape(text))))


def _label(notebook: str) -> str:
    """The end of a path, as long as there is room for."""
    name = notebook.removesuffix(".ipynb")
    return name if len(name) <= LABEL else f"…{name[-LABEL + 1 :]}"


def _severities(row: Row) -> str:
    """`2 warnings, 1 info`: what stands besides the errors, which are never folded."""
    found: Counter[str] = Counter(told.severity for told in row.diagnostics)
    shown = (("warning", "warnings"), ("info", "infos"))
    return ", ".join(f"{found[one]} {one if found[one] == 1 else many}" for one, many in shown if found[one])
