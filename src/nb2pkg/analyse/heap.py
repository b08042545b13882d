"""The abstract heap: an object per allocation site, what it holds and what it is a view of.

Edges only grow, so a question asked of the finished heap is answered conservatively for every moment.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Value = frozenset[int]
"""The objects that an expression may be; empty for immutable values, whose identity does not matter."""

NOTHING: Value = frozenset()


@dataclass(slots=True)
class Obj:
    """An abstract object. It stands for itself and for every part of it that is not an object of its own."""

    kind: Literal["value", "reference", "function", "class", "bound", "module"]
    type: str = ""
    """The qualified name of its type; for a reference, of what it refers to; for an instance of a notebook's
    class, the class's name."""
    holds: set[int] = field(default_factory=set)
    views: set[int] = field(default_factory=set)
    node: ast.AST | None = None
    cls: int | None = None
    """For an instance: the object of its class."""
    methods: dict[str, int] = field(default_factory=dict)
    receiver: Value = NOTHING
    """For a bound method: what it is bound to."""
    method: str = ""
    """For what may be a library's method that was not called yet: its name."""
    frame: object = None
    """For a function: the frame that it closes over; for a module: its scope."""
    changed: bool = False
    """Something was seen to change it itself, not only to get it with what holds it. Of what a module of the notebook's
    own holds: since it was imported."""
    seeded: bool = False
    """Of a random type: it was given a seed, or its seed does not matter."""
    storable: bool = True
    by_value: bool = False
    """Nothing but `is`, `id` and a change tells two equal ones from one (lists, arrays, frames)."""
    singular: bool = False
    """It is equal to nothing, and found by identity alone (NaN)."""


class Heap:
    """Objects by number."""

    def __init__(self) -> None:
        self.objects: list[Obj] = []
        self.edges = 0
        """How many edges were added to objects that were there: it stands still where nothing new is learnt."""

    def new(self, obj: Obj) -> int:
        """Add an object and return its number."""
        self.objects.append(obj)
        return len(self.objects) - 1

    def __getitem__(self, number: int) -> Obj:
        return self.objects[number]

    def hold(self, number: int, values: Iterable[int]) -> None:
        """The object now keeps references to `values`."""
        holds = self.objects[number].holds
        size = len(holds)
        holds.update(values)
        holds.discard(number)
        self.edges += len(holds) - size

    def view(self, number: int, values: Iterable[int]) -> None:
        """The object may now share memory with `values`."""
        views = self.objects[number].views
        size = len(views)
        views.update(values)
        views.discard(number)
        self.edges += len(views) - size

    def held(self, value: Iterable[int]) -> Value:
        """What the objects hold directly."""
        return frozenset().union(*(self.objects[o].holds for o in value))

    def reach(self, value: Iterable[int]) -> set[int]:
        """The objects themselves and all that they hold, however deep."""
        seen = set(value)
        queue = list(seen)
        while queue:
            held = self.objects[queue.pop()].holds
            if not held <= seen:
                queue.extend(held - seen)
                seen |= held
        return seen

    def memory_groups(self) -> list[int]:
        """For each object, the representative of those that may share memory with it."""
        parent = list(range(len(self.objects)))

        def find(x: int) -> int:
            while parent[x] != x:
                parent[x] = parent[parent[x]]
                x = parent[x]
            return x

        for number, obj in enumerate(self.objects):
            for base in obj.views:
                parent[find(number)] = find(base)
        return [find(x) for x in range(len(parent))]
