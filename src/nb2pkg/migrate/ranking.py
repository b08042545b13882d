"""What needs a person, and what first.

What goes in: migrations. What comes out: `Need`s in the order in which they should be looked at. Notebooks of which
nothing came are first, those that most others wait for before others; then results that differ; then what is wrong
between notebooks; then doubts, those that most notebooks share first, since one answer settles them together.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Literal, get_args

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.migrate.types import Link, Migration, Row

Failed = Literal["crashed", "refused", "timeout", "memory"]
NeedKind = Failed | Literal["equivalence", "repository", "doubt"]
FAILED: tuple[Failed, ...] = get_args(Failed)
UNEQUAL = {"differs": "gives other results than the notebook", "failed": "could not be run to its end to compare it"}
VERIFIED = ("N720", "N721")
"""What is told of these two."""
TO_DO: dict[NeedKind, str] = {
    "crashed": "report it to the authors of nb2pkg, with the notebook; no other notebook is affected",
    "refused": "mend the notebook, then migrate again",
    "timeout": "migrate again with a longer --timeout, or split the notebook",
    "memory": "migrate again with a higher --memory-limit, or split the notebook",
    "equivalence": "see the notebook's page in reports/equivalence.html",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person has to look."""

    source: str
    notebook: str
    """Empty: the repository as a whole."""
    message: str
    cell: int | None = None
    """0-based, as a diagnostic's."""
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to do, in all the places that it concerns."""

    kind: NeedKind
    code: str
    """The diagnostic's; empty where there is none."""
    meaning: str
    """What the code means, of doubts in several places."""
    to_do: str
    places: tuple[Place, ...]
    dependents: int = 0
    """Notebooks that read, directly or through others, what this one should write."""


def needs(migrations: Sequence[Migration]) -> tuple[Need, ...]:
    """All that needs a person, the most pressing first: repositories of which nothing came before anything else."""
    failed: list[Need] = []
    unequal: list[Need] = []
    repository: list[tuple[Need, bool]] = []
    """And whether nothing of the repository came over."""
    doubts: dict[str, list[Place]] = defaultdict(list)
    for migration in migrations:
        waiting = dependents(migration.links)
        for row in migration.rows:
            count = len(waiting.get(row.notebook, ()))
            for kind in FAILED:
                if row.status == kind:
                    failed.append(_failure(migration.source, row, kind, count))
            if row.equivalence in UNEQUAL:
                unequal.append(_unequal(migration.source, row, count))
            if row.status not in FAILED:
                for told in row.diagnostics:
                    if told.severity != "info" and told.code not in VERIFIED:
                        doubts[told.code].append(_place(migration.source, row.notebook, told))
        for told in migration.diagnostics:
            if told.severity != "info":
                meaning, to_do = described(told.code)
                need = Need("repository", told.code, meaning, to_do, (_place(migration.source, "", told),))
                repository.append((need, told.severity == "error"))
    failed.sort(key=lambda need: (-need.dependents, FAILED.index(need.kind), _key(need.places[0])))
    unequal.sort(key=lambda need: (-need.dependents, _key(need.places[0])))
    repository.sort(key=lambda each: (each[0].code, _key(each[0].places[0])))
    shared = [
        Need("doubt", code, *described(code), tuple(sorted(set(places), key=_key))) for code, places in doubts.items()
    ]
    shared.sort(key=lambda need: (-len({(place.source, place.notebook) for place in need.places}), need.code))
    unread = [need for need, fails in repository if fails]
    return (*unread, *failed, *unequal, *(need for need, fails in repository if not fails), *shared)


def dependents(links: Sequence[Link]) -> dict[str, frozenset[str]]:
    """For each notebook that writes what others read: those that need it, also through others."""
    reads: dict[str, set[str]] = defaultdict(set)
    for link in links:
        reads[link.producer].add(link.consumer)
    found: dict[str, frozenset[str]] = {}
    for producer in reads:
        seen: set[str] = set()
        waiting = [producer]
        while waiting:
            fresh = reads.get(waiting.pop(), set()) - seen
            seen |= fresh
            waiting += fresh
        found[producer] = frozenset(seen - {producer})
    return found


@cache
def described(code: str) -> tuple[str, str]:
    """What a diagnostic's code means, and what to do about it, as docs/diagnostics.md has them; empty if unknown."""
    return _documented().get(code, ("", ""))


@cache
def _documented() -> dict[str, tuple[str, str]]:
    page = files("nb2pkg").joinpath("diagnostics.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| (N\d{3}) \| \w+ \| (.*?) \| (.*?) \|$", page)
    return {code: (meaning, "" if to_do in ("nothing", "see the message") else to_do) for code, meaning, to_do in rows}


def _unequal(source: str, row: Row, dependents: int) -> Need:
    why = next((told for told in row.diagnostics if told.code in VERIFIED), None)
    message = f"{row.subpackage} {UNEQUAL[row.equivalence]}"
    place = Place(source, row.notebook, message)
    if why is not None:
        place = replace(place, message=f"{message}: {why.message}", cell=why.cell)
    code = why.code if why is not None else ""
    return Need("equivalence", code, described(code)[0], TO_DO["equivalence"], (place,), dependents)


def _failure(source: str, row: Row, kind: NeedKind, dependents: int) -> Need:
    cause = next((told for told in row.diagnostics if told.severity == "error"), None)
    code = cause.code if cause else ""
    place = _place(source, row.notebook, cause) if cause else Place(source, row.notebook, row.message)
    meaning, to_do = described(code)
    return Need(kind, code, meaning, to_do or TO_DO[kind], (place,), dependents)


def _place(source: str, notebook: str, told: Diagnostic) -> Place:
    return Place(source, notebook, told.message, told.cell, told.line)


def _key(place: Place) -> tuple[str, str, int, int, str]:
    at = (-1 if place.cell is None else place.cell, -1 if place.line is None else place.line)
    return (place.source, place.notebook, *at, place.message)
