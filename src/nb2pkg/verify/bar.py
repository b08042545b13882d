"""The progress of a run as a bar on standard error, where that is a terminal."""

from __future__ import annotations

import sys
from typing import Any


class Bar:
    """Click's bar, one for each run."""

    def __init__(self) -> None:
        """No run has begun."""
        self._bar: Any = None
        self._begun = 0

    def begin(self, what: str, total: int) -> None:
        """Show an empty bar."""
        import click

        self.end()
        self._begun = 0
        self._bar = click.progressbar(
            length=max(total, 1), label=what, file=sys.stderr, item_show_func=lambda item: item or ""
        )
        self._bar.__enter__()
        self._bar.render_progress()

    def step(self, name: str) -> None:
        """The cell or stage before has ended, this one begins."""
        if self._bar is not None:
            self._bar.update(1 if self._begun else 0, name)
            self._begun += 1

    def end(self) -> None:
        """Fill the bar no further."""
        if self._bar is not None:
            self._bar.__exit__(None, None, None)
            self._bar = None
