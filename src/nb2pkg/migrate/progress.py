"""How far many tasks are: a bar with the rate and the time left, or a line now and then where nobody looks at it."""

from __future__ import annotations

import sys
import time
from collections import Counter
from typing import Any, Protocol, TextIO

from nb2pkg.migrate.types import Status

EVERY = 10.0
"""Seconds from line to line."""


class Watcher(Protocol):
    """Hears of tasks that have an outcome."""

    def begin(self, what: str, total: int) -> None:
        """So many tasks of a step are to be done."""

    def found(self, status: Status) -> None:
        """One was done by an earlier run."""

    def made(self, status: Status) -> None:
        """One is done."""

    def end(self) -> None:
        """No more come, all done or not."""


class Silent:
    """Says nothing."""

    def begin(self, what: str, total: int) -> None:
        """Nothing."""

    def found(self, status: Status) -> None:
        """Nothing."""

    def made(self, status: Status) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


class Bar:
    """Click's bar on a terminal, plain lines elsewhere."""

    def __init__(self, stream: TextIO | None = None) -> None:
        """Write to `stream`, or standard error."""
        self._stream = stream or sys.stderr
        self._bar: Any = None
        self._what, self._total = "", 0
        self._counts: Counter[str] = Counter()
        self._found = 0
        self._started = self._told = 0.0

    def begin(self, what: str, total: int) -> None:
        """Show an empty bar."""
        import click

        self._what, self._total = what, total
        self._counts, self._found = Counter(), 0
        self._started = self._told = time.monotonic()
        if self._stream.isatty():
            self._bar = click.progressbar(
                length=total, label=what, file=self._stream, show_eta=False, item_show_func=lambda _: self._state()
            )
            self._bar.__enter__()

    def found(self, status: Status) -> None:
        """One more, which took no time."""
        self._found += 1
        self._step(status)

    def made(self, status: Status) -> None:
        """One more."""
        self._step(status)

    def end(self) -> None:
        """The last line, whether all is done or not."""
        if self._bar is not None:
            self._bar.update(0, "")
            self._bar.__exit__(None, None, None)
            self._bar = None
        else:
            self._line()

    def _step(self, status: Status) -> None:
        self._counts[status] += 1
        if self._bar is not None:
            self._bar.update(1, "")
        elif time.monotonic() - self._told >= EVERY and self._counts.total() < self._total:
            self._told = time.monotonic()
            self._line()

    def _line(self) -> None:
        done = self._counts.total()
        self._stream.write(f"{self._what}: {done} of {self._total}{self._separated()}\n")
        self._stream.flush()

    def _separated(self) -> str:
        state = self._state()
        return f", {state}" if state else ""

    def _state(self) -> str:
        done = self._counts.total()
        made, seconds = done - self._found, time.monotonic() - self._started
        parts: list[str] = []
        if made:
            rate = made / max(seconds, 0.001)
            parts.append(f"{rate:.3g}/s")
            if done < self._total:
                parts.append(f"{_clock((self._total - done) / rate)} left")
        if self._found:
            parts.append(f"{self._found} from the journal")
        parts += [f"{number} {status}" for status, number in sorted(self._counts.items()) if status != "done"]
        return ", ".join(parts)


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
