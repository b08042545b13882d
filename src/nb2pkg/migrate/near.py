"""Near copies side by side, line by line, as difflib pairs them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Literal

from nb2pkg.migrate.types import SharedCode

LONGEST = 1_500
"""Lines of a copy that are compared: pairing them takes time that grows with their square."""
CONTEXT = 3


@dataclass(frozen=True, slots=True)
class Pair:
    """One line of each side; None where a side has none. `gap`: lines between, equal on both, are left out."""

    kind: Literal["equal", "changed", "gap"]
    left: str | None = None
    right: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """One text, and all notebooks that have it."""

    notebooks: tuple[str, ...]
    text: str


def versions(code: SharedCode) -> tuple[Version, ...]:
    """The different texts of near copies, that of most notebooks first."""
    found: dict[str, list[str]] = {}
    for notebook, text in zip(code.notebooks, code.texts, strict=True):
        found.setdefault(text, []).append(notebook)
    made = (Version(tuple(sorted(notebooks)), text) for text, notebooks in found.items())
    return tuple(sorted(made, key=lambda one: (-len(one.notebooks), one.notebooks)))


def side_by_side(left: str, right: str) -> Iterator[Pair]:
    """What differs, with a few lines around it."""
    old, new = left.splitlines()[:LONGEST], right.splitlines()[:LONGEST]
    end = 0
    for group in SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(CONTEXT):
        if group[0][1] > end:
            yield Pair("gap")
        for tag, start, end, new_start, new_end in group:
            kind: Literal["equal", "changed"] = "equal" if tag == "equal" else "changed"
            for one, other in zip_longest(old[start:end], new[new_start:new_end]):
                yield Pair(kind, one, other)
    if end < len(old):
        yield Pair("gap")
