"""Many tasks done, here or on a cluster, each kept in the journal as soon as it is: what a kill leaves is not redone.

What goes in: tasks, and the function that does one. What comes out: their outcomes in the tasks' order, read one at a
time from the journal, so that memory does not grow with what they hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nb2pkg.migrate.journal import Journal
from nb2pkg.migrate.progress import Silent, Watcher
from nb2pkg.migrate.types import Outcome, Task
from nb2pkg.migrate.worker import Work


@dataclass(frozen=True, slots=True)
class How:
    """Where tasks are done, and what each may take."""

    jobs: int = 1
    """Processes of this machine; the scheduler knows its own."""
    timeout: float | None = None
    """Seconds for each task."""
    memory_limit: int | None = None
    """Bytes for each task."""
    scheduler: str = ""
    """The address of a Dask scheduler; empty: this machine does it."""


class Outcomes(Sequence[Outcome]):
    """The outcomes of tasks, in their order: each is read when it is asked for, and held by nobody."""

    def __init__(self, tasks: Sequence[Task], journal: Journal) -> None:
        """All tasks are in the journal, which stays open."""
        self._tasks = tasks
        self._journal = journal

    def __len__(self) -> int:
        """How many there are."""
        return len(self._tasks)

    def __getitem__(self, index: int) -> Outcome:  # type: ignore[override]  # nobody asks for slices
        """The outcome of one task."""
        return self._journal.outcome(self._tasks[index])

    def __iter__(self) -> Iterator[Outcome]:
        """One after the other, as often as wanted."""
        return map(self._journal.outcome, self._tasks)


def run(
    tasks: Sequence[Task], work: Work, journal: Journal, how: How | None = None, watcher: Watcher | None = None
) -> Outcomes:
    """Do what the journal does not have. Every task has an outcome, whatever becomes of it.

    Raises Nb2pkgError where the tasks can't be done at all: no process starts, no scheduler answers, a full disk.
    Ctrl-C, and any other exception, ends all processes; what was done until then is in the journal.
    """
    how, watcher = how or How(), watcher or Silent()
    waiting: list[tuple[int, Task]] = []
    watcher.begin(tasks[0].step if tasks else "", len(tasks))
    try:
        for number, task in enumerate(tasks):
            kept = journal.find(task, how.timeout, how.memory_limit)
            if kept is None:
                waiting.append((number, task))
            else:
                watcher.found(kept.status)
        if how.scheduler:
            from nb2pkg.migrate.cluster import results as on_cluster

            results = on_cluster(waiting, work, how.scheduler, timeout=how.timeout, memory_limit=how.memory_limit)
        else:
            from nb2pkg.migrate.pool import results as here

            results = here(waiting, work, jobs=how.jobs, timeout=how.timeout, memory_limit=how.memory_limit)
        with contextlib.closing(results):
            for number, made in results:
                journal.add(tasks[number], made, how.timeout, how.memory_limit)
                watcher.made(made.status)
    finally:
        watcher.end()
    return Outcomes(tasks, journal)
