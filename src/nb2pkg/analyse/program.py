"""What the analysis finds: the notebook's top-level statements in order, with their effects."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from typing import Literal

StatementKind = Literal["import", "definition", "setting", "constant", "compute"]
"""import      brings names in, and does nothing else that matters
definition  a function, class or lambda that can be made again from its text
setting     changes ambient state only; repeated in every later stage
constant    binds names, once in the whole notebook, to immutable literals
compute     everything else"""


@dataclass(frozen=True, slots=True)
class FileUse:
    """A file that a statement reads or writes. `path` is None where it can't be known."""

    path: str | None
    writes: bool
    line: int
    argument: ast.expr | None = field(default=None, compare=False)
    """What the call gives as the path."""
    removes: bool = False
    """It writes in that the file is not there afterwards."""


@dataclass(frozen=True, slots=True)
class Effects:
    """What running a statement does, by the names of the notebook's global scope."""

    reads: frozenset[str] = frozenset()
    """Names whose value may be read before the statement itself binds them."""
    binds: frozenset[str] = frozenset()
    """Names that it may bind."""
    surely_binds: frozenset[str] = frozenset()
    deletes: frozenset[str] = frozenset()
    mutates: frozenset[str] = frozenset()
    """Names whose object (or something it reaches) may change in place, aliases included."""
    draws: frozenset[str] = frozenset()
    unseeded: frozenset[str] = frozenset()
    """Of the streams drawn from, those that what it gives depends on."""
    seeds: frozenset[str] = frozenset()
    """Global random streams drawn from, and set."""
    files: tuple[FileUse, ...] = ()
    downloads: tuple[FileUse, ...] = ()
    """What is read from the web, where a file might stand as well: the path is the URL."""
    calls: frozenset[str] = frozenset()
    """The notebook's own functions and classes that may run."""
    named: frozenset[str] = frozenset()
    """Names that stand in strings which are evaluated (`query("@t")`, formulas, `eval`)."""
    prints: bool = False
    plots: bool = False
    identities: frozenset[str] = frozenset()
    """Names of immutable values of which it is asked whether they are one object."""
    lasting: str = ""
    """Why it has to be in one process with all that comes after it, or empty."""
    dynamic: str = ""
    """Why names can't be known statically (`exec`, `globals()`), or empty."""
    unbound_risk: frozenset[str] = frozenset()
    """Builtins or imported names that are read here and bound elsewhere in the notebook."""


@dataclass(frozen=True, slots=True)
class Statement:
    """A top-level statement of a cell."""

    index: int
    """Its place among all statements, from 0."""
    cell: int
    """The index of its cell among all the notebook's cells (`Cell.index`)."""
    node: ast.stmt = field(compare=False)
    text: str
    """Its source with the comments that stand directly before it."""
    kind: StatementKind
    effects: Effects
    label: str = ""
    """The part of the workflow that its calls belong to (load clean explore features split model train evaluate
    predict save), or empty."""
    displayed: bool = False
    """It is an expression whose value IPython displays."""

    repeats: tuple[str, ...] = ()
    """The settings in it, as statements that are run again in each later stage."""

    @property
    def lines(self) -> int:
        """How many lines it has."""
        return self.text.count("\n") + 1
