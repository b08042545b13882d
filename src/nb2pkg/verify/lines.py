"""Comparing what cells have printed and displayed, line by line, with places that the notebook does not repeat.

Where runs of the notebook differ from each other, the words that differ are wild, in all lines of the cell that have
the same shape; whole lines are wild where no words can be paired.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from nb2pkg.verify.outcome import CellOutcome, Outcome

_WORD = re.compile(r"(\s+|[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?|\w+|.)", re.IGNORECASE | re.DOTALL)
_NUMBER = re.compile(r"[-+]?\d")
_RUNS_OF_BARS = re.compile(r"[█▏▎▍▌▋▊▉#=>. ]{4,}")
_DAY_FORMATS = ("%a, %d %b %Y", "%a %b %d %Y", "%Y-%m-%d", "%d %b %Y", "%b %d, %Y", "%m/%d/%Y", "%d/%m/%Y", "%Y/%m/%d")

_MEASURED = re.compile(
    r"CPU times: .*|Wall time: .*|(?:Compiler|Parser) *(?:time)?: [\d.]+ m?s"
    r"|The slowest run took [\d.]+ times longer than the fastest\..*"
    r"|\d\S* \S+ (?:±|\+-) \S+ \S+ per loop \(mean .* each\)|[\d,]+ loops?, best of \d+: .* per loop"
    r"|peak memory: [\d.]+ MiB, increment: -?[\d.]+ MiB"
)
"""What `%time`, `%timeit` and `%memit` print: a measurement, whether or not two runs happen to agree on it."""

_TELLING, _SEVERAL = 3, 3

Wild = Literal["", "line", "lines"]


@dataclass(frozen=True, slots=True)
class Line:
    """A line that the notebook shows. `wild`: "line": any line or none, "lines": any number of lines.

    `pattern` is a regular expression where only some of its words are wild.
    """

    text: str
    wild: Wild = ""
    pattern: str = ""

    def fits(self, text: str) -> bool:
        """Whether a line of the package may stand for it, as far as it is not wholly wild."""
        return re.fullmatch(self.pattern, text, re.DOTALL) is not None if self.pattern else self.text == text


@dataclass(frozen=True, slots=True)
class LineDifference:
    """Lines that are missing, extra or changed, at the 1-based line of the cell's text."""

    line: int
    expected: tuple[str, ...]
    got: tuple[str, ...]


def normaliser(outcome: Outcome) -> Callable[[str], str]:
    """What makes lines of different runs comparable: no addresses, no dates of the run, no scratch folders."""
    days = {date.fromisoformat(day).strftime(form) for day in outcome.days for form in _DAY_FORMATS}
    swaps = [(re.compile(re.escape(folder)), "<folder>") for folder in _folders(outcome)]
    swaps += [(re.compile(re.escape(day)), "<day>") for day in sorted(days, key=len, reverse=True)]
    swaps += [(re.compile(r"0x[0-9a-fA-F]{4,}"), "0x…"), (re.compile(r"/\S*ipykernel_\d+/\d+\.py"), "<cell>")]

    def normal(line: str) -> str:
        if "\r" in line:  # a terminal shows what was written last
            line = next((part for part in reversed(line.split("\r")) if part), "")
        for pattern, word in swaps:
            line = pattern.sub(word, line)
        return line

    return normal


def _folders(outcome: Outcome) -> tuple[str, ...]:
    """The longest first: the package's working folder stands for the notebook's."""
    return (f"{outcome.scratch}/workspace", outcome.scratch)


def cell_lines(cell: CellOutcome | None, normal: Callable[[str], str]) -> list[str]:
    """The lines of a cell: what is written is joined, a display has lines of its own."""
    text = ""
    for shown in cell.shown if cell else ():
        if shown.kind == "figure":
            continue
        if shown.kind == "displayed" and text and not text.endswith("\n"):
            text += "\n"
        text += shown.text
        if shown.kind == "displayed" and not text.endswith("\n"):
            text += "\n"
    lines = text.split("\n")
    return [normal(line) for line in (lines[:-1] if lines[-1] == "" else lines)]


def expected_lines(runs: Sequence[Sequence[str]]) -> list[Line]:
    """The lines of the first run of a cell; what any other run shows differently is wild."""
    first = runs[0]
    lines = [Line(text, "line" if _MEASURED.fullmatch(text) else "") for text in first]
    for other in runs[1:]:
        lines = _merged(lines, first, other)
    return _without_coincidences(_shapes_together(lines))


def _without_coincidences(lines: list[Line]) -> list[Line]:
    """In a list in random order some lines agree by chance: those between lines that are wholly wild are wild too.

    Only where at least three are, and they are half of what lies between the first and the last.
    """
    places = [i for i, line in enumerate(lines) if line.wild]
    if len(places) < _SEVERAL or 2 * len(places) < places[-1] - places[0] + 1:
        return lines
    first, last = places[0], places[-1]
    while first > 0 and lines[first - 1].pattern:
        first -= 1
    while last < len(lines) - 1 and lines[last + 1].pattern:
        last += 1
    between = (Line(line.text, "lines") for line in lines[first : last + 1])
    return [*lines[:first], *between, *lines[last + 1 :]]


def _merged(lines: list[Line], first: Sequence[str], other: Sequence[str]) -> list[Line]:
    """The lines with what `other` shows differently made wild. `lines` may hold more than `first`: what was extra."""
    if list(first) == list(other):
        return lines
    owned = [i for i, line in enumerate(lines) if not (line.wild == "lines" and not line.text)]
    merged: list[Line] = []
    at = 0
    for op, i1, i2, j1, j2 in SequenceMatcher(None, first, other, autojunk=False).get_opcodes():
        begin = owned[i1] if i1 < len(owned) else len(lines)
        stop = owned[i2 - 1] + 1 if i2 > i1 else begin
        merged += lines[at:begin]
        at = stop
        if op == "equal":
            merged += lines[begin:stop]
        elif op == "insert":
            merged.append(Line("", "lines"))
        elif i2 - i1 == j2 - j1:
            pairs = zip(range(i1, i2), other[j1:j2], strict=True)
            merged += [_with_wild_words(lines[owned[i]], text) for i, text in pairs]
        else:
            merged += [Line(text, "lines") for text in first[i1:i2]]
    return merged + lines[at:]


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(_RUNS_OF_BARS.sub(" ", text)) if word.strip()]


def _shape(words: Iterable[str]) -> tuple[str, ...]:
    return tuple("#" if _NUMBER.match(word) else word for word in words)


def _with_wild_words(line: Line, other: str) -> Line:
    words, others = _words(line.text), _words(other)
    if line.wild or len(words) != len(others):
        return Line(line.text, "line")
    places = {i for i, (a, b) in enumerate(zip(words, others, strict=True)) if a != b} | _wild_places(line)
    spoken = [i for i, word in enumerate(words) if not _NUMBER.match(word)]
    if 2 * len(places & set(spoken)) > len(spoken):
        return Line(line.text, "line")
    return Line(line.text, pattern=_pattern(words, places))


_WILD_WORD = r"\S+?"
_GAP = r"[█▏▎▍▌▋▊▉#=>.\s]*"


def _pattern(words: Sequence[str], places: set[int]) -> str:
    parts = [_WILD_WORD if i in places else re.escape(word) for i, word in enumerate(words)]
    return _GAP + _GAP.join(parts) + _GAP


def _wild_places(line: Line) -> set[int]:
    if not line.pattern:
        return set()
    parts = line.pattern.removeprefix(_GAP).removesuffix(_GAP).split(_GAP)
    return {i for i, part in enumerate(parts) if part == _WILD_WORD}


def _shapes_together(lines: list[Line]) -> list[Line]:
    """In rows of one shape, what is wild in one is wild in all: random numbers, and times, agree now and then.

    So are numbers side by side (a row of an array) of which half are.
    """
    places: dict[tuple[str, ...], set[int]] = {}
    whole: set[tuple[str, ...]] = set()
    uncertain = Counter(_shape(_words(line.text)) for line in lines if line.wild == "line" or line.pattern)
    for line in lines:
        shape = _shape(_words(line.text))
        if len(shape) < _TELLING and uncertain[shape] < _SEVERAL:
            continue  # a word or two say little: a number alone is no row of a table
        if line.wild == "line":
            whole.add(shape)
        elif line.pattern:
            places.setdefault(shape, set()).update(_wild_places(line))
    for shape, wild in places.items():
        for row in _rows_of_numbers(shape):
            if len(row & wild) * 2 >= len(row):
                wild.update(row)
    found: list[Line] = []
    for line in lines:
        words = _words(line.text)
        shape = _shape(words)
        if line.wild or not any(word == "#" for word in shape):
            found.append(line)
        elif shape in whole:
            found.append(Line(line.text, "line"))
        elif shape in places:
            found.append(Line(line.text, pattern=_pattern(words, places[shape])))
        else:
            found.append(line)
    return found


def _rows_of_numbers(shape: Sequence[str]) -> Iterable[set[int]]:
    """The places of numbers that stand side by side."""
    for numbers, group in groupby(range(len(shape)), lambda i: shape[i] == "#"):
        if numbers:
            yield set(group)


def differences(expected: Sequence[Line], got: Sequence[str]) -> tuple[LineDifference, ...]:
    """The lines that are missing, extra or changed; none where `got` is what the notebook may show."""
    if _matches(expected, got):
        return ()
    names = [f"\0{i}" if line.wild else line.text for i, line in enumerate(expected)]
    plain = [line for line in expected if line.pattern]
    shown = [next((line.text for line in plain if line.fits(text)), text) for text in got]
    found: list[LineDifference] = []
    for op, i1, i2, j1, j2 in SequenceMatcher(None, names, shown, autojunk=False).get_opcodes():
        if op == "equal":
            continue
        lost = tuple(line.text for line in expected[i1:i2] if not line.wild)
        if lost or i1 == i2:
            found.append(LineDifference(i1 + 1, lost, tuple(got[j1:j2])))
    return tuple(found) or (LineDifference(1, tuple(line.text for line in expected), tuple(got)),)


def _matches(expected: Sequence[Line], got: Sequence[str]) -> bool:
    """Read the lines with all the places in `expected` that the next one may stand for."""
    places = _past_wild(expected, {0})
    for text in got:
        read: set[int] = set()
        for i in places:
            if i < len(expected):
                line = expected[i]
                if line.wild == "lines":
                    read.add(i)
                if line.wild == "line" or (not line.wild and line.fits(text)):
                    read.add(i + 1)
        places = _past_wild(expected, read)
    return len(expected) in places


def _past_wild(expected: Sequence[Line], places: set[int]) -> set[int]:
    reached = set(places)
    for place in places:
        i = place
        while i < len(expected) and expected[i].wild:
            i += 1
            reached.add(i)
    return reached
