"""Divides the program into sections, each of which will become a module: by cell tags, else headings, else activity.

Here is what decides where a section begins and what it is called. What may cross its boundary, and whether the
boundary can stand, is not decided here but in `plan`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import accumulate, pairwise

from nb2pkg.analyse.program import Statement
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.notebook import OWN_TAG, Cell, Notebook
from nb2pkg.section.classify import ENOUGH_CELLS, crossings, segment, size
from nb2pkg.section.headings import Heading, headings
from nb2pkg.section.names import MODULE_OF_KIND, TITLE_OF_KIND, imported_names, kind_of, module_names
from nb2pkg.section.types import Section

__all__ = ["section"]

MOST_SECTIONS = 12
_ENOUGH_SECTIONS = 3
_MANY_STATEMENTS = 40
_KALES_TAGS = ("step:", "block:")
"""Read where no cell has a tag of ours."""
_AT_LINE = re.compile(r"(.+)@([1-9]\d*)")
"""`train@12`: from the first statement at or after line 12 of the cell."""


@dataclass(frozen=True, slots=True)
class _Part:
    """A section in the making. `title` is empty where it is to be made from the kind."""

    start: int
    stop: int
    reason: str
    title: str = ""
    prose: str = ""
    parent: int = -1
    tag: str = ""
    kind: str = ""
    apart: bool = False


@dataclass(frozen=True, slots=True)
class _Outline:
    """The statements with what the rules ask about them."""

    statements: tuple[Statement, ...]
    headings: tuple[Heading, ...]
    begins: tuple[int, ...]
    """The first statement after each heading."""
    title: int
    """Which heading is the notebook's own title, -1 for none: it names the whole, not a part."""
    computing: tuple[int, ...]
    """How many of the statements before each compute."""
    crossing: tuple[int, ...]

    def weight(self, part: _Part) -> int:
        """How many statements of the part compute."""
        return self.computing[part.stop] - self.computing[part.start]

    def size(self, part: _Part) -> int:
        """How many cells of the part compute."""
        return size(self.statements[part.start : part.stop])


def section(
    notebook: Notebook, statements: tuple[Statement, ...], apart: tuple[str, ...] = ()
) -> tuple[tuple[Section, ...], tuple[Diagnostic, ...]]:
    """The sections, in order and without gaps, and what had to be guessed.

    The cells with the ids `apart` are sections of their own, but where the user's tags say otherwise.
    """
    if not statements:
        return (), ()
    outline = _outline(notebook, statements)
    tagged = _tagged(notebook, outline)
    free = _Part(0, tagged[0].start if tagged else len(statements), "the whole notebook")
    untagged, guessed = _untagged(outline, free) if free.stop else ([], False)
    parts = _without_idle(outline, [*untagged, *tagged])
    parts = [replace(each, kind=_kind(outline, each)) for each in parts]
    found: list[Diagnostic] = []
    if guessed and len(parts) > 1:
        message = "too few headings divide the notebook; sections were guessed from what the statements do"
        found.append(Diagnostic("N301", message, severity="info"))
    if len(parts) > MOST_SECTIONS and len(merged := _merged(outline, parts)) < len(parts):
        message = f"{len(parts)} sections were merged to {len(merged)}, the smallest neighbours first"
        found.append(Diagnostic("N302", message, severity="info"))
        parts = merged
    if len(parts) == 1:
        message = f"only one section because {_why_one(outline, parts[0])}"
        found.append(Diagnostic("N303", message, severity="info"))
    for cell in notebook.cells:
        if cell.id in apart:
            parts = [piece for part in parts for piece in _set_apart(outline, part, cell.index)]
    parts = [_with_own_title(outline, each, len(parts) == 1) for each in parts]
    return _named(outline, parts), tuple(found)


def _set_apart(outline: _Outline, part: _Part, cell: int) -> list[_Part]:
    """The part in up to three: what is before the cell, the cell, what is after it; what does not compute stays."""
    own = [n for n in range(part.start, part.stop) if outline.statements[n].cell == cell]
    if not own or part.tag:
        return [part]
    bounds = [part.start, own[0], own[-1] + 1, part.stop]
    pieces = [replace(part, start=a, stop=b) for a, b in pairwise(bounds) if a < b]
    kept: list[_Part] = []
    for piece in pieces:
        if kept and not outline.weight(piece):
            kept[-1] = replace(kept[-1], stop=piece.stop)
        elif kept and not outline.weight(kept[-1]):
            kept[-1] = replace(piece, start=kept[-1].start)
        else:
            kept.append(piece)
    reason = "its cell takes a large share of the time"
    holds = [p.start <= own[0] < p.stop for p in kept]
    return [
        replace(p, kind=_kind(outline, p), reason=reason if here else p.reason, apart=p.apart or here)
        for p, here in zip(kept, holds, strict=True)
    ]


def _outline(notebook: Notebook, statements: tuple[Statement, ...]) -> _Outline:
    place_of = {cell.index: place for place, cell in enumerate(notebook.cells)}
    places = [place_of[each.cell] for each in statements]
    found = headings(notebook)
    alone = found and all(each.level > found[0].level for each in found[1:])
    return _Outline(
        statements=statements,
        headings=found,
        begins=tuple(bisect_left(places, each.place) for each in found),
        title=0 if alone else -1,
        computing=tuple(accumulate((each.kind == "compute" for each in statements), initial=0)),
        crossing=crossings(statements),
    )


def _tagged(notebook: Notebook, outline: _Outline) -> list[_Part]:
    """The parts that cell tags begin; the same tag again goes on with its part."""
    place_of = {cell.index: place for place, cell in enumerate(notebook.cells)}
    places = [place_of[each.cell] for each in outline.statements]
    ours = any(tag.startswith(OWN_TAG) for cell in notebook.cells for tag in cell.tags)
    prefixes = (OWN_TAG,) if ours else _KALES_TAGS
    starts: dict[int, str] = {}
    for place, cell in enumerate(notebook.cells):
        first, after = bisect_left(places, place), bisect_left(places, place + 1)
        for line, tag in _tags(cell, prefixes):
            inside = (i for i in range(first, after) if outline.statements[i].node.lineno >= line)
            start = first if line == 1 else next(inside, after)
            starts.setdefault(start, tag)
    parts: list[_Part] = []
    stops = [*list(starts)[1:], len(places)]
    for (start, tag), stop in zip(starts.items(), stops, strict=False):
        if parts and parts[-1].tag == tag:
            parts[-1] = replace(parts[-1], stop=stop)
        elif start < stop:
            parts.append(replace(_headed(outline, start, stop, 6, f"tag {tag}"), reason=f"tag {tag}", tag=tag))
    return parts


def _tags(cell: Cell, prefixes: tuple[str, ...]) -> list[tuple[int, str]]:
    """The tags that begin a part, with the line of the cell that it begins at, sorted by that."""
    found: list[tuple[int, str]] = []
    for tag in cell.tags:
        prefix = next((each for each in prefixes if tag.startswith(each)), None)
        if prefix and tag[len(prefix) :].strip():
            at_line = _AT_LINE.fullmatch(tag) if prefix == OWN_TAG else None
            found.append((int(at_line[2]), at_line[1]) if at_line else (1, tag))
    return sorted(found, key=lambda each: each[0])


def _untagged(outline: _Outline, whole: _Part) -> tuple[list[_Part], bool]:
    """The parts that headings make, or classification; and whether any had to be guessed."""
    splits = [_by_level(outline, whole, level) for level in _levels(outline, whole)]
    good = next((parts for parts in splits if len(parts) >= _ENOUGH_SECTIONS), None)
    deepest = splits[-1] if splits and len(splits[-1]) > 1 else [whole]
    parts, guessed = _without_large(outline, good or deepest, outline.weight(whole))
    cells = len({each.cell for each in outline.statements[whole.start : whole.stop]})
    if len(parts) >= _ENOUGH_SECTIONS or (len(parts) == 2 and cells < ENOUGH_CELLS):
        return parts, guessed
    largest = max(parts, key=outline.weight)
    least = _ENOUGH_SECTIONS + 1 - len(parts) if cells >= ENOUGH_CELLS else 1
    inside = _classified(outline, largest, least)
    place = parts.index(largest)
    return [*parts[:place], *inside, *parts[place + 1 :]], guessed or len(inside) > 1


def _levels(outline: _Outline, part: _Part) -> list[int]:
    """The heading levels that occur inside the part, shallowest first."""
    pairs = zip(outline.headings, outline.begins, strict=True)
    return sorted({each.level for each, begin in pairs if part.start <= begin < part.stop})


def _by_level(outline: _Outline, whole: _Part, level: int) -> list[_Part]:
    """The part divided at its headings of that level and shallower, without the idle ones."""
    pairs = zip(outline.headings, outline.begins, strict=True)
    inside = {begin for each, begin in pairs if each.level <= level and whole.start < begin < whole.stop}
    bounds = [whole.start, *sorted(inside), whole.stop]
    parts = [_headed(outline, start, stop, level, whole.reason) for start, stop in pairwise(bounds)]
    if not parts[0].title:
        parts[0] = replace(parts[0], title=whole.title, prose=whole.prose)
    return _without_idle(outline, parts)


def _headed(outline: _Outline, start: int, stop: int, level: int, otherwise: str) -> _Part:
    """The part under the last heading of that level or shallower that stands directly before it."""
    numbers = [
        number
        for number, (each, begin) in enumerate(zip(outline.headings, outline.begins, strict=True))
        if begin == start and each.level <= level and number != outline.title
    ]
    if not numbers:
        if outline.title >= 0 and outline.begins[outline.title] == start:
            return _Part(start, stop, "under the notebook's title")
        return _Part(start, stop, "before the first heading" if start == 0 else otherwise)
    heading = outline.headings[numbers[-1]]
    reason = f"heading level {heading.level}: '{heading.text}'"
    return _Part(start, stop, reason, heading.text, heading.prose, heading.parent)


def _without_large(outline: _Outline, parts: list[_Part], total: int) -> tuple[list[_Part], bool]:
    """The parts with those of more than half the computing statements divided; whether that took a guess."""
    divided: list[_Part] = []
    guessed = False
    for part in parts:
        weight = outline.weight(part)
        large = outline.size(part) >= ENOUGH_CELLS or part.stop - part.start > _MANY_STATEMENTS
        if not large or weight * 2 <= total:
            divided.append(part)
            continue
        splits = (_by_level(outline, part, level) for level in _levels(outline, part))
        inside = next((split for split in splits if len(split) > 1), None)
        if inside:
            inside, guess = _without_large(outline, inside, total)
        else:
            least = 2 if len(parts) > 1 else _ENOUGH_SECTIONS
            inside = _classified(outline, part, least)
            guess = len(inside) > 1
        divided += inside
        guessed = guessed or guess
    return divided, guessed


def _classified(outline: _Outline, part: _Part, least: int) -> list[_Part]:
    """The part divided where the activity changes; the first piece keeps the part's own words."""
    natural = frozenset(outline.begins)
    cuts = segment(outline.statements, part.start, part.stop, least, outline.crossing, natural)
    if len(cuts) < 2:
        return [part]
    stops = [*(cut.start for cut in cuts[1:]), part.stop]
    first, *others = [
        replace(_headed(outline, cut.start, stop, 6, ""), reason=cut.reason)
        for cut, stop in zip(cuts, stops, strict=True)
    ]
    reason = part.reason if part.title else first.reason
    return [replace(part, stop=first.stop, reason=reason), *others]


def _without_idle(outline: _Outline, parts: Iterable[_Part]) -> list[_Part]:
    """Parts that do not compute joined to the following, at the end to the one before; the user's tags stand."""
    kept: list[_Part] = []
    start = None
    for part in parts:
        whole = part if start is None else replace(part, start=start)
        if outline.weight(part) or part.tag:
            kept.append(whole)
            start = None
        else:
            start = whole.start
            last = whole
    if start is not None:
        if not kept:
            return [last]
        kept[-1] = replace(kept[-1], stop=last.stop)
    return kept


def _merged(outline: _Outline, parts: list[_Part]) -> list[_Part]:
    """At most twelve parts: the neighbours that are smallest together become one. The user's tags stand."""
    parts = list(parts)
    while len(parts) > MOST_SECTIONS:

        def price(place: int) -> float:
            one, two = parts[place], parts[place + 1]
            weight = float(outline.weight(one) + outline.weight(two))
            weight *= 0.7 if one.kind == two.kind else 1.0
            weight *= 0.7 if one.parent == two.parent else 1.0
            return weight

        free = [p for p in range(len(parts) - 1) if not (parts[p].tag or parts[p + 1].tag)]
        if not free:
            break
        place = min(free, key=price)
        one, two = parts[place : place + 2]
        larger = one if outline.weight(one) >= outline.weight(two) else two
        parts[place : place + 2] = [replace(larger, start=one.start, stop=two.stop)]
    return parts


def _kind(outline: _Outline, part: _Part) -> str:
    words = part.title or part.tag.partition(":")[2].replace("_", " ")
    return kind_of(outline.statements[part.start : part.stop], words)


def _why_one(outline: _Outline, part: _Part) -> str:
    """The reason for N303, after `because`."""
    if part.tag:
        return f"the tag {part.tag} governs all of it"
    if not outline.weight(part):
        return "no statement computes anything"
    cells = outline.size(part)
    if cells >= ENOUGH_CELLS:
        return "there is no place to divide it"
    few = "one cell computes" if cells == 1 else f"{cells} cells compute"
    return f"only {few}, and no headings divide them"


def _with_own_title(outline: _Outline, part: _Part, alone: bool) -> _Part:
    """The part that the notebook's title stands over takes its words, where it is all there is or has no kind."""
    if part.title or part.tag or outline.title < 0 or (part.kind and not alone):
        return part
    if not part.start <= outline.begins[outline.title] < part.stop:
        return part
    heading = outline.headings[outline.title]
    return replace(part, title=heading.text, prose=heading.prose)


def _named(outline: _Outline, parts: list[_Part]) -> tuple[Section, ...]:
    wanted = [(part.tag.partition(":")[2] or part.title, part.kind, bool(part.tag)) for part in parts]
    names = module_names(wanted, imported_names(outline.statements))
    return tuple(
        Section(
            name=name,
            kind=part.kind,
            title=part.title or _title(part, name, number),
            prose=part.prose,
            start=part.start,
            stop=part.stop,
            reason=part.reason,
            tagged=bool(part.tag),
            apart=part.apart,
        )
        for number, (name, part) in enumerate(zip(names, parts, strict=True), 1)
    )


def _title(part: _Part, name: str, number: int) -> str:
    """A phrase for a part without a heading."""
    if part.tag:
        base = re.sub(r"_\d+$", "", name)
        named = next((kind for kind, module in MODULE_OF_KIND.items() if module == base), "")
        return TITLE_OF_KIND.get(named) or name.replace("_", " ").capitalize()
    return TITLE_OF_KIND.get(part.kind, f"Part {number}")
