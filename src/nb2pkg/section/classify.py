"""Sections without headings: where the activity changes, found by dynamic programming over cell boundaries.

The cost of a cut into segments is what the labels inside each disagree, the names that cross each boundary, a
penalty for each segment, and one for segments that are much larger than the others. Cells are first gathered into
fewer than a hundred blocks, so that the quadratic part does not grow with the notebook.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

from nb2pkg.analyse.program import Statement

LONG_CELL = 60
"""A cell of so many lines may be cut between its statements."""
ENOUGH_CELLS = 8
MOST_SEGMENTS = 7

_FINE, _COARSE = 24, 48  # blocks of one label, and of mixed labels, hold at most 1/24 and 1/48 of the whole
_DISAGREEMENT, _SEGMENT, _LARGE, _OVER_HALF, _TINY = 6.0, 0.12, 1.5, 4.0, 0.2
_CROSSING, _MOST_CROSSING, _SAME_ACTIVITY, _AT_HEADING = 0.02, 15, 0.15, 0.15


@dataclass(frozen=True, slots=True)
class Cut:
    """A segment begins before the statement `start`."""

    start: int
    reason: str


@dataclass(frozen=True, slots=True)
class _Block:
    """A run of statements that is not cut: how many of them compute, and how many have each label."""

    start: int
    weight: int
    labels: Counter[str]

    @property
    def label(self) -> str:
        return max(self.labels, key=lambda name: self.labels[name], default="")


def crossings(statements: Sequence[Statement]) -> tuple[int, ...]:
    """For the place before each statement: how many computed names are bound or mutated before, and read after."""
    first: dict[str, int] = {}
    for place, each in enumerate(statements):
        if each.kind == "compute":
            for name in each.effects.binds | each.effects.mutates:
                first.setdefault(name, place)
    change = [0] * (len(statements) + 2)
    until: dict[str, int] = {}  # the last read of the value that a name has here, going backwards

    def lives(name: str, bound: int, read: int) -> None:
        start = max(bound, first.get(name, read)) + 1
        if start <= read:
            change[start] += 1
            change[read + 1] -= 1

    for place in range(len(statements) - 1, -1, -1):
        effects = statements[place].effects
        for name in effects.surely_binds:
            if name in until:
                lives(name, place, until.pop(name))
        for name in effects.reads | effects.mutates:
            until.setdefault(name, place)
    for name, read in until.items():
        lives(name, -1, read)
    return tuple(accumulate(change))[: len(statements)]


def size(statements: Sequence[Statement]) -> int:
    """How many cells compute, a long one counted as the several that it might have been."""
    lines: Counter[int] = Counter()
    for each in statements:
        lines[each.cell] += each.lines
    computing = {each.cell for each in statements if each.kind == "compute"}
    return sum(count // (LONG_CELL // 4) if (count := lines[cell]) >= LONG_CELL else 1 for cell in computing)


def segment(
    statements: Sequence[Statement],
    start: int,
    stop: int,
    least: int,
    crossing: Sequence[int],
    natural: frozenset[int],
) -> tuple[Cut, ...]:
    """The segments of `start` to `stop`, at least `least` of them where there is enough to cut; `natural` are
    the places where a heading stands."""
    blocks = _blocks(statements, start, stop)
    cells = size(statements[start:stop])
    most = min(len(blocks), MOST_SEGMENTS if cells >= ENOUGH_CELLS else max(least, cells // 2))
    least = min(least, most)
    if most < 2:
        return (Cut(start, "there is nothing to divide"),)
    chosen = _cheapest(blocks, least, most, cells, crossing, natural)
    bounds = [*chosen, len(blocks)]
    activities = [
        max(total, key=lambda name: total[name], default="")
        for total in (sum((block.labels for block in blocks[a:b]), Counter()) for a, b in pairwise(bounds))
    ]
    cuts = [Cut(start, f"the activity is {activities[0] or 'unknown'}")]
    for number in range(1, len(chosen)):
        before, after = activities[number - 1], activities[number]
        change = f"activity changes from {before or 'unknown'} to {after or 'unknown'}"
        reason = change if before != after else f"a long run of {after or 'unknown activity'} is divided"
        cuts.append(Cut(blocks[chosen[number]].start, reason))
    return tuple(cuts)


def _blocks(statements: Sequence[Statement], start: int, stop: int) -> list[_Block]:
    """The units that may be cut between, gathered; light statements go with what follows them."""
    lines: Counter[int] = Counter()
    for each in statements[start:stop]:
        lines[each.cell] += each.lines
    starts: list[int] = []
    weights: list[int] = []
    labels: list[Counter[str]] = []
    cell = None
    for place in range(start, stop):
        each = statements[place]
        inside = each.cell == cell and lines[each.cell] < LONG_CELL
        if not starts or (weights[-1] and not inside):
            starts.append(place)
            weights.append(0)
            labels.append(Counter())
        if each.kind == "compute":
            weights[-1] += 1
            if each.label:
                labels[-1][each.label] += 1
        cell = each.cell
    units = [_Block(*parts) for parts in zip(starts, weights, labels, strict=True)]
    if len(units) > 1 and not units[-1].weight:
        units.pop()
    total = sum(unit.weight for unit in units)
    return _gathered(_gathered(units, total / _FINE, True), total / _COARSE, False)


def _gathered(units: list[_Block], limit: float, alike: bool) -> list[_Block]:
    """Neighbours made one while they stay within the limit (and have one label, if `alike`)."""
    gathered: list[_Block] = []
    for unit in units:
        last = gathered[-1] if gathered else None
        if last and last.weight + unit.weight <= limit and (not alike or last.label == unit.label):
            gathered[-1] = _Block(last.start, last.weight + unit.weight, last.labels + unit.labels)
        else:
            gathered.append(unit)
    return gathered


def _cheapest(
    blocks: list[_Block],
    least: int,
    most: int,
    cells: int,
    crossing: Sequence[int],
    natural: frozenset[int],
) -> list[int]:
    """The blocks that begin a segment in the cheapest division into `least` to `most` of them."""
    count = len(blocks)
    total = max(1, sum(block.weight for block in blocks))
    labelled = max(1, sum(block.labels.total() for block in blocks))
    small = cells < ENOUGH_CELLS and least < 2
    each_segment = _SEGMENT * max(1.0, ENOUGH_CELLS / max(1, cells))
    large, over_half = (0.3, 0.0) if small else (_LARGE, _OVER_HALF)
    boundary = _boundary_costs(blocks, crossing, natural)

    costs: list[list[float]] = []  # costs[a][b - a - 1]: of the segment of the blocks a to b (exclusive)
    for begin in range(count):
        seen: dict[str, int] = {}
        weight = known = top = 0
        row: list[float] = []
        for block in blocks[begin:]:
            weight += block.weight
            for label, number in block.labels.items():
                seen[label] = now = seen.get(label, 0) + number
                known += number
                top = max(top, now)
            share = weight / total
            cost = _DISAGREEMENT * (known - top) / labelled + each_segment + large * share * share
            cost += over_half * max(0.0, share - 0.5) + (_TINY if weight < 2 else 0.0) + boundary[begin]
            row.append(cost if weight else float("inf"))
        costs.append(row)

    best = [costs[0][stop - 1] if stop else float("inf") for stop in range(count + 1)]
    came: list[list[int]] = [[0] * (count + 1)]
    answer, answer_cost = 1, best[count] if least <= 1 else float("inf")
    for segments in range(2, most + 1):
        longer = [float("inf")] * (count + 1)
        origin = [0] * (count + 1)
        for stop in range(segments, count + 1):
            for begin in range(segments - 1, stop):
                cost = best[begin] + costs[begin][stop - begin - 1]
                if cost < longer[stop]:
                    longer[stop], origin[stop] = cost, begin
        best = longer
        came.append(origin)
        if segments >= least and best[count] < answer_cost:
            answer, answer_cost = segments, best[count]

    chosen: list[int] = []
    stop = count
    for segments in range(answer, 0, -1):
        stop = came[segments - 1][stop]
        chosen.append(stop)
    return chosen[::-1]


def _boundary_costs(blocks: list[_Block], crossing: Sequence[int], natural: frozenset[int]) -> list[float]:
    """What it costs to begin a segment at each block."""
    costs = [0.0]
    activity = blocks[0].label
    for block in blocks[1:]:
        cost = _CROSSING * min(crossing[block.start], _MOST_CROSSING)
        if block.label in ("", activity):
            cost += _SAME_ACTIVITY
        activity = block.label or activity
        costs.append(cost - (_AT_HEADING if block.start in natural else 0.0))
    return costs
