"""Where a long run says how far it is. The command line shows it; everybody else may be silent."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Hears of each run, and of each cell or stage in it."""

    def begin(self, what: str, total: int) -> None:
        """A run with so many cells or stages begins."""

    def step(self, name: str) -> None:
        """The cell or stage of this name begins."""

    def end(self) -> None:
        """The run has ended, however."""


class Silent:
    """Says nothing."""

    def begin(self, what: str, total: int) -> None:
        """Nothing."""

    def step(self, name: str) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""
