"""Many tasks done, here or on a cluster, each kept in the journal as soon as it is: what a kill leaves is not redone.

What goes in: tasks, and the function that does one. What comes out: their outcomes in the tasks' order, read one at a
time from the journal, so that memory does not grow with what they hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from nb2pkg.migrate.journal import Journal
from nb2pkg.migrate.progress import Silent, Watcher
from nb2pkg.migrate.types import Outcome, Task
from nb2pkg.migrate.worker import Work

if TYPE_CHECKING:
    from nb2pkg.migrate.cluster import Cluster
    from nb2pkg.migrate.pool import Pool


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


class Runner:
    """Does tasks with one function; processes and connections are kept from run to run, and end when it is closed."""

    def __init__(self, work: Work, how: How | None = None, watcher: Watcher | None = None) -> None:
        """Nothing is started before there are tasks."""
        self._work = work
        self._how = how or How()
        self._watcher = watcher or Silent()
        self._doer: Pool | Cluster | None = None
        self._took: dict[tuple[str, str], float] = {}
        """The seconds that a notebook's last task took."""

    def __enter__(self) -> Runner:
        """Itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """End all processes."""
        doer, self._doer = self._doer, None
        if doer is not None:
            doer.close()

    def run(self, tasks: Sequence[Task], journal: Journal) -> Outcomes:
        """Do what the journal does not have. Every task has an outcome, whatever becomes of it.

        Raises Nb2pkgError where the tasks can't be done at all: no process starts, no scheduler answers, a full disk.
        Ctrl-C, and any other exception, ends all processes; what was done until then is in the journal.
        """
        how, watcher = self._how, self._watcher
        waiting: list[tuple[int, Task]] = []
        watcher.begin(tasks[0].step if tasks else "", len(tasks))
        try:
            for number, task in enumerate(tasks):
                kept = journal.find(task, how.timeout, how.memory_limit)
                if kept is None:
                    waiting.append((number, task))
                else:
                    self._took[task.root, task.name] = kept.figures.seconds
                    watcher.found(kept.status)
            if waiting:
                waiting.sort(key=self._expected, reverse=True)  # a long one that is begun last is waited for
                for number, made in self._opened().results(waiting):
                    task = tasks[number]
                    journal.add(task, made, how.timeout, how.memory_limit)
                    self._took[task.root, task.name] = made.figures.seconds
                    watcher.made(made.status)
        except BaseException:
            self.close()
            raise
        finally:
            watcher.end()
        return Outcomes(tasks, journal)

    def _expected(self, numbered: tuple[int, Task]) -> tuple[float, int]:
        """What a task may take, for comparing: the seconds of the last one of its notebook, if any, and its size."""
        task = numbered[1]
        return self._took.get((task.root, task.name), 0.0), task.notebook.size

    def _opened(self) -> Pool | Cluster:
        how = self._how
        if self._doer is None and how.scheduler:
            from nb2pkg.migrate.cluster import Cluster

            self._doer = Cluster(self._work, how.scheduler, timeout=how.timeout, memory_limit=how.memory_limit)
        elif self._doer is None:
            from nb2pkg.migrate.pool import Pool

            self._doer = Pool(self._work, jobs=how.jobs, timeout=how.timeout, memory_limit=how.memory_limit)
        return self._doer


def run(
    tasks: Sequence[Task], work: Work, journal: Journal, how: How | None = None, watcher: Watcher | None = None
) -> Outcomes:
    """Do tasks with a runner that is closed after them."""
    with Runner(work, how, watcher) as runner:
        return runner.run(tasks, journal)
