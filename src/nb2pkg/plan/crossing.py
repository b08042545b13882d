"""What crosses the boundaries between stages, and which boundaries can't be kept.

The unit is a cut: a list of statement indices where a new stage begins. `crossing` computes, for a list of
cuts, the names that each stage takes in and gives out, and names the first boundary that has to go.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nb2pkg.analyse import Program
from nb2pkg.analyse.heap import Value


@dataclass(frozen=True, slots=True)
class Span:
    """The statements of one stage and what crosses its ends."""

    start: int
    stop: int
    inputs: frozenset[str] = frozenset()
    outputs: frozenset[str] = frozenset()
    groups: tuple[tuple[str, ...], ...] = ()
    """The outputs, those that share an object together."""
    unbound: frozenset[str] = frozenset()
    """Outputs that may have no value at the end."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """A boundary that has to go: before the statement `cut`, because of `name`."""

    cut: int
    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Scope:
    """What stands outside the flow of values."""

    hoisted: frozenset[int]
    """Statements that no stage runs: hoisted imports, constants."""
    fixed: frozenset[str]
    """Names that every module can import: hoisted imports, constants, shared definitions."""
    definitions: frozenset[str]
    """Names that are made again from their definition where they are needed."""
    free: dict[str, frozenset[str]]
    """For each such definition, the names that its body reads, transitively."""
    importable: frozenset[int]
    """Objects of functions and classes that can be pickled by reference."""
    secret: frozenset[str] = frozenset()
    """Names whose values hold a secret, which no file may."""


def crossing(program: Program, cuts: tuple[int, ...], scope: Scope) -> tuple[tuple[Span, ...], Obstacle | None]:
    """The stages between the cuts with what crosses, and the first boundary that can't be."""
    total = len(program.statements)
    bounds = list(zip(cuts, (*cuts[1:], total), strict=True))
    reads: list[set[str]] = []
    sure: list[set[str]] = []
    bound: list[set[str]] = []
    mutated: list[set[str]] = []
    known: set[str] = set()
    for start, stop in bounds:
        r, s, b, m = _summary(program, start, stop, scope)
        reads.append({n for n in r if n in known})
        known |= b
        sure.append(s)
        bound.append(b)
        mutated.append(m)
    later_changes = _suffixes(program.mutated, total)
    later_writes = _suffixes(program.written, total)
    later_asked = _suffixes(program.asked, total)
    count = len(bounds)
    for _ in range(count + 2):
        live: list[set[str]] = [set() for _ in bounds]
        for place in range(count - 2, -1, -1):
            bound_there = program.environments[bounds[place][1] - 1].keys()  # what was deleted is bound no more
            live[place] = ((live[place + 1] - sure[place + 1]) | reads[place + 1]) & bound_there
        spans: list[Span] = []
        grown = False
        for place, (start, stop) in enumerate(bounds):
            out = live[place]
            env = program.environments[stop - 1] if stop else {}
            groups = _groups(program, out, env, later_changes[stop] | later_asked[stop])
            changed = {n for n in out if n in bound[place] or n in mutated[place]}
            outputs: set[str] = set()
            kept: list[tuple[str, ...]] = []
            for group in groups:
                if changed & set(group):
                    outputs |= set(group)
                    kept.append(group)
            missing = {n for n in outputs if n not in sure[place]} - reads[place]
            earlier = set().union(*bound[:place]) if place else set()
            missing &= earlier
            if missing:
                reads[place] |= missing
                grown = True
            unbound = {n for n in outputs if n not in sure[place] and n not in earlier}
            taken = frozenset(reads[place] & live[place - 1]) if place else frozenset()
            spans.append(
                Span(start, stop, taken, frozenset(outputs), tuple(kept), frozenset(unbound))
            )
        if not grown:
            break
    for place in range(count - 1):
        stop = bounds[place][1]
        obstacle = _obstacle(
            program, live[place], stop, later_changes[stop], later_writes[stop], later_asked[stop], scope
        )
        if obstacle is not None:
            return tuple(spans), obstacle
    return tuple(spans), None


def _summary(
    program: Program, start: int, stop: int, scope: Scope
) -> tuple[set[str], set[str], set[str], set[str]]:
    reads: set[str] = set()
    sure: set[str] = set()
    bound: set[str] = set()
    mutated: set[str] = set()
    for statement in program.statements[start:stop]:
        if statement.index in scope.hoisted:
            continue
        effects = statement.effects
        names = set(effects.reads)
        mentioned = {n.id for n in ast.walk(statement.node) if isinstance(n, ast.Name)}
        for name in (mentioned | effects.calls) & scope.definitions:
            names |= scope.free.get(name, frozenset())
        reads |= names - sure - scope.fixed - scope.definitions
        binds = effects.binds - scope.fixed - scope.definitions
        bound |= binds
        sure |= effects.surely_binds & binds
        sure -= effects.deletes
        mutated |= effects.mutates
    return reads, sure, bound, mutated


def _suffixes(sets: tuple[frozenset[int], ...], total: int) -> list[frozenset[int]]:
    suffix: list[frozenset[int]] = [frozenset()] * (total + 1)
    for index in range(total - 1, -1, -1):
        suffix[index] = suffix[index + 1] | sets[index]
    return suffix


def _groups(
    program: Program, names: set[str], env: dict[str, Value], noticed: frozenset[int]
) -> list[tuple[str, ...]]:
    """Names that share an object, together: one that is noticed to be one (`noticed`), or may be."""
    owner: dict[int, str] = {}
    parent = {name: name for name in names}

    def find(name: str) -> str:
        while parent[name] != name:
            name = parent[name]
        return name

    for name in sorted(names):
        for number in program.heap.reach(env.get(name, frozenset())):
            obj = program.heap[number]
            if number in noticed or (obj.kind in ("value", "bound") and not obj.by_value):
                if number in owner:
                    parent[find(name)] = find(owner[number])
                else:
                    owner[number] = name
    grouped: dict[str, list[str]] = {}
    for name in sorted(names):
        grouped.setdefault(find(name), []).append(name)
    return [tuple(group) for group in grouped.values()]


def _obstacle(
    program: Program,
    live: set[str],
    stop: int,
    changes: frozenset[int],
    writes: frozenset[int],
    asked: frozenset[int],
    scope: Scope,
) -> Obstacle | None:
    env = program.environments[stop - 1]
    heap = program.heap
    memory: dict[int, tuple[int, str]] = {}
    cells: dict[int, int] = {}
    written = {program.groups[o] for o in writes}
    identities = frozenset().union(*(s.effects.identities for s in program.statements[stop:]))
    for name in sorted(live):
        if name in scope.secret:
            return Obstacle(stop, name, "it holds a secret, which is not to be stored")
        if name in identities:
            return Obstacle(stop, name, "it is asked whether it is one object with another, which storing changes")
        for number in heap.reach(env.get(name, frozenset())):
            obj = heap[number]
            if obj.kind == "function":
                for cell in (h for h in obj.holds if heap[h].type == "cell" and h in changes):
                    if cells.setdefault(cell, number) != number:
                        return Obstacle(stop, name, "it shares a variable with another function, which is set later")
            if obj.singular and number in asked:
                return Obstacle(stop, name, "it holds a NaN that is found again by its identity")
            if not obj.storable:
                return Obstacle(stop, name, f"a {obj.type.rpartition('.')[2] or 'value'} can't be stored")
            if obj.kind in ("function", "bound") and number not in scope.importable:
                return Obstacle(stop, name, "it holds a function that reads the notebook's variables")
            if obj.kind == "class" and number not in scope.importable:
                return Obstacle(stop, name, "it is an instance of a class that reads the notebook's variables")
            if obj.kind == "class" and number in changes:
                return Obstacle(stop, name, "its class is changed later")
            if obj.type in ("builtins.set", "builtins.frozenset"):
                return Obstacle(stop, name, "storing a set changes the order in which it is iterated")
            group = program.groups[number]
            if group in written:
                if group in memory and memory[group][0] != number:
                    return Obstacle(stop, name, f"it shares memory with {memory[group][1]}, which is written later")
                memory[group] = (number, name)
    return None
