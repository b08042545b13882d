"""Boundaries that a run has shown to cost more than they give: they are moved to where less crosses, or dropped.

A cut goes only where the analysis allows one, and none is added. Where the user's tags set it, or a cell that has a
stage of its own for the time that it takes, it stays. Without a run nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import pairwise

from nb2pkg.analyse import Program
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.facts import readable_size
from nb2pkg.notebook import Notebook
from nb2pkg.plan.crossing import Scope, Span
from nb2pkg.plan.cuts import settle
from nb2pkg.plan.seen import Seen
from nb2pkg.section.headings import headings
from nb2pkg.section.types import Section

STORED, LOADED = 100e6, 200e6
"""Bytes a second. An array of numbers, which is the quickest of all values, was stored at 100 MB/s by two cores with
other work (written, hashed by DVC, copied into its cache) and loaded at 170; a table takes five times as long, a list
of texts as well. So the costs here are the least that they can be."""
LEAST = 1.0
"""Seconds that a change has to save: as long as a stage takes to start. It is 67 MB that cross once."""
NEAR = 3
"""How many cells a cut may be moved by."""
CLEARLY = 4
"""How many times less has to cross where a cut is moved to."""
ABOUT = 0.9
"""Places that save this share of the most are as good as the best."""


@dataclass(frozen=True, slots=True)
class _Run:
    """What is asked of a list of cuts."""

    notebook: Notebook
    program: Program
    scope: Scope
    joined: tuple[str, ...]
    seen: Seen

    def spans(self, cuts: tuple[int, ...]) -> tuple[Span, ...] | None:
        """The stages between the cuts, if the analysis allows all of them."""
        kept, spans = settle(self.notebook, self.program, cuts, self.scope, self.joined, self.seen, [])
        return spans if kept == cuts else None

    def size(self, names: Iterable[str], cut: int) -> int:
        """The bytes of these names at a cut, an object of several names once; to two digits, as runs differ."""
        cell = self.seen.at(cut)
        variables = {each.name: each for each in cell.variables} if cell else {}
        total = 0
        counted: set[str] = set()
        for name in sorted(variables.keys() & set(names)):
            if counted.isdisjoint(variables[name].same):
                total += max(variables[name].size, 0)
            counted.add(name)
        return int(float(f"{total:.1e}"))

    def cost(self, spans: tuple[Span, ...]) -> float:
        """The seconds that storing and loading take where every stage runs once."""
        stored = sum(self.size(span.outputs, span.stop) for span in spans[:-1])
        loaded = sum(self.size(span.inputs, span.start) for span in spans[1:])
        return stored / STORED + loaded / LOADED

    def weight(self, start: int, stop: int) -> int:
        """How many of these statements compute."""
        statements = self.program.statements[start:stop]
        return sum(s.kind == "compute" and s.index not in self.scope.hoisted for s in statements)


def lightened(
    notebook: Notebook,
    program: Program,
    sections: tuple[Section, ...],
    spans: tuple[Span, ...],
    scope: Scope,
    joined: tuple[str, ...],
    seen: Seen,
    diagnostics: list[Diagnostic],
) -> tuple[tuple[Section, ...], tuple[Span, ...]]:
    """The sections and stages with boundaries where they cost no more than they give."""
    if not seen.cells or len(spans) < 2:
        return sections, spans
    run = _Run(notebook, program, scope, joined, seen)
    fixed = _fixed(sections, seen)
    told: dict[int, Diagnostic] = {}
    before = sections
    for span in spans[:-1]:
        cut = span.stop
        if cut in fixed or seen.at(cut) is None:
            continue
        found = _moved(run, sections, spans, cut)
        if found is not None:
            new, less = found
            told[new] = _told_moved(run, spans, cut, less, new)
            sections, spans = _with_cut(sections, cut, new), less
    while (costly := _costly(run, spans, fixed)) is not None:
        cut, without = costly
        told.pop(cut, None)
        diagnostics.append(_told_dropped(run, spans, cut, without))
        spans = without
        old = next((b.start for a, b in zip(sections, before, strict=True) if a.start == cut), cut)
        sections = _with_cut(sections, cut, old)
    diagnostics += told.values()
    return sections, spans


def _fixed(sections: tuple[Section, ...], seen: Seen) -> frozenset[int]:
    """The cuts that stay: those of tags, and both ends of what has a stage of its own."""
    ends = [(s.start, s.stop) for s in sections if s.apart]
    return frozenset(s.start for s in sections if s.tagged).union(*ends)


def _moved(
    run: _Run, sections: tuple[Section, ...], spans: tuple[Span, ...], cut: int
) -> tuple[int, tuple[Span, ...]] | None:
    """Where a cut goes for much less to cross, the nearest place (the later, of two); and the stages then."""
    cuts = tuple(span.start for span in spans)
    cost = run.cost(spans)
    here = run.size(_crossing(spans, cut), cut)
    if here / STORED + here / LOADED < LEAST:
        return None
    found: list[tuple[float, int, int, tuple[Span, ...]]] = []
    for steps, place in _near(run, sections, spans, cut):
        less = run.spans(tuple(place if c == cut else c for c in cuts))
        if less is None or _unseen(run, less, place):
            continue
        there = run.size(_crossing(less, place), place)
        saved = cost - run.cost(less)
        again = run.seen.seconds(place, cut) if place < cut else 0.0  # runs with each change of what comes after it
        if there * CLEARLY <= here and saved >= LEAST and again <= saved:
            found.append((saved, steps, place, less))
    most = max((saved for saved, *_ in found), default=0.0)
    good = [one for one in found if one[0] >= ABOUT * most]
    best = min(good, key=lambda one: (one[1], -one[2]), default=None)
    return best[2:] if best else None


def _near(run: _Run, sections: tuple[Section, ...], spans: tuple[Span, ...], cut: int) -> list[tuple[int, int]]:
    """(how many cells away, cut): the places that a cut may be moved to and leave to each section what it is about."""
    one = next(s for s in sections if s.stop == cut)
    two = next(s for s in sections if s.start == cut)
    own = run.seen.own
    places = [place for place in range(max(one.start, _before(spans, cut).start) + 1, two.stop) if run.seen.at(place)]
    order = {cell.index: place for place, cell in enumerate(run.notebook.cells)}
    headed = [heading.place for heading in headings(run.notebook)]
    found: list[tuple[int, int]] = []
    for place in places:
        start, stop = min(place, cut), max(place, cut)
        loser, winner = (two, one) if place > cut else (one, two)
        moved = run.weight(start, stop)
        steps = len(set(own[start:stop]))
        first, last = order[run.program.statements[start].cell], order[run.program.statements[stop - 1].cell]
        divided = any(first < heading < last for heading in headed)
        enough = moved * 2 <= run.weight(loser.start, loser.stop) and moved <= run.weight(winner.start, winner.stop)
        if start < stop and steps <= NEAR and enough and not divided:
            found.append((steps, place))
    return found


def _costly(
    run: _Run, spans: tuple[Span, ...], fixed: frozenset[int]
) -> tuple[int, tuple[Span, ...]] | None:
    """The cut that costs most over running both its stages again, if one does; and the stages without it."""
    cost = run.cost(spans)
    worst: tuple[float, int, tuple[Span, ...]] | None = None
    for one, two in pairwise(spans):
        cut = two.start
        if cut in fixed or run.seen.at(cut) is None:
            continue
        without = run.spans(tuple(s.start for s in spans if s.start != cut))
        if without is None:
            continue
        saved = cost - run.cost(without)
        over = saved - run.seen.seconds(one.start, two.stop)
        if saved >= LEAST and over > 0 and (worst is None or over > worst[0]):
            worst = over, cut, without
    return worst[1:] if worst else None


def _before(spans: tuple[Span, ...], cut: int) -> Span:
    return next(span for span in spans if span.stop == cut)


def _crossing(spans: tuple[Span, ...], cut: int) -> frozenset[str]:
    """What is stored before a cut, and loaded after it."""
    after = next(span for span in spans if span.start == cut)
    return _before(spans, cut).outputs | after.inputs


def _unseen(run: _Run, spans: tuple[Span, ...], cut: int) -> bool:
    """Whether something would cross there that nobody knows the size of."""
    cell = run.seen.at(cut)
    names = _crossing(spans, cut) - _before(spans, cut).unbound
    return cell is None or not names <= {each.name for each in cell.variables}


def _with_cut(sections: tuple[Section, ...], old: int, new: int) -> tuple[Section, ...]:
    return tuple(
        replace(s, start=new if s.start == old else s.start, stop=new if s.stop == old else s.stop) for s in sections
    )


def _told_moved(run: _Run, spans: tuple[Span, ...], cut: int, less: tuple[Span, ...], place: int) -> Diagnostic:
    here, there = run.size(_crossing(spans, cut), cut), run.size(_crossing(less, place), place)
    where = f"after cell {run.seen.own[place - 1] + 1}"
    sizes = f"{readable_size(there)} cross there instead of {readable_size(here)}"
    return _told(run, cut, f"a stage begins {where}, not here: {sizes}, as a run has shown")


def _told_dropped(run: _Run, spans: tuple[Span, ...], cut: int, without: tuple[Span, ...]) -> Diagnostic:
    size = readable_size(run.size(_crossing(spans, cut), cut))
    cost = run.cost(spans) - run.cost(without)
    again = run.seen.seconds(_before(spans, cut).start, next(s.stop for s in spans if s.start == cut))
    why = f"to store and load them takes {cost:.1f} s or more, to run both stages again {again:.1f} s"
    return _told(run, cut, f"no stage begins here: {size} cross the boundary; {why}, as a run has shown")


def _told(run: _Run, cut: int, message: str) -> Diagnostic:
    statement = run.program.statements[cut]
    return Diagnostic("N313", message, statement.cell, statement.node.lineno, "info")
