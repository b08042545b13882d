"""A section: a run of statements that will become one module."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Section:
    """The statements `start` to `stop` (exclusive) of the program, under a name that is a valid module name."""

    name: str
    kind: str
    """load clean explore features split model train evaluate predict save, or empty."""
    title: str
    """What people read: the heading's text, or a phrase made from the kind."""
    prose: str
    """The notebook's own words (markdown) at the head of the section, plain text, maybe empty."""
    start: int
    stop: int
    reason: str
    """Why it is a section: a tag, a heading of some level, a change of activity."""
    tagged: bool = False
    """The user's tag made it."""
    apart: bool = False
    """It is a stage of its own for the time that its cell takes."""
