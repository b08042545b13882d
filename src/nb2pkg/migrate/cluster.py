"""Tasks done on a Dask cluster: the same work, the same records. Needs the extra `dask` here and on the workers.

Each thread of a Dask worker keeps a process of its own, as a thread of `pool.py` does, since only a process can be
ended when it takes too long or too much. All machines see the repository in the same folder.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

from nb2pkg.errors import Nb2pkgError
from nb2pkg.migrate.journal import identity
from nb2pkg.migrate.pool import Numbered
from nb2pkg.migrate.record import Record
from nb2pkg.migrate.types import Figures, Task
from nb2pkg.migrate.worker import Work, Worker, failure

ANSWER = 30.0
"""Seconds that the scheduler, and a first worker, may take to be there."""
AHEAD = 3
"""Tasks for each thread of the cluster that the scheduler knows of at a time."""
_mine = threading.local()


class Cluster:
    """A connection to a scheduler."""

    def __init__(self, work: Work, scheduler: str, *, timeout: float | None, memory_limit: int | None) -> None:
        """Connect; raises Nb2pkgError where the cluster won't do."""
        try:
            from distributed import Client
        except ImportError as error:
            text = '`--scheduler` needs Dask: pip install "nb2pkg[dask]"'
            raise Nb2pkgError("N963", text) from error
        self._given = (work, timeout, memory_limit)
        try:
            self._client = Client(scheduler, timeout=ANSWER, set_as_default=False)
        except (OSError, ValueError) as error:
            raise Nb2pkgError("N963", f"no Dask scheduler answers at {scheduler} ({_line(error)})") from error
        try:
            self._client.wait_for_workers(1, timeout=ANSWER)
        except TimeoutError as error:
            self.close()
            raise Nb2pkgError("N963", "the Dask scheduler has no workers") from error

    def close(self) -> None:
        """Disconnect; what is not done yet is taken back."""
        self._client.close()

    def results(self, tasks: Sequence[Numbered]) -> Generator[tuple[int, Record]]:
        """The record of each task, as they come.

        Dask does again elsewhere what was running on a worker that goes away. What loses its worker, or its process,
        is done once more when the others are through, with nothing beside it. Raises Nb2pkgError where the workers
        would not do what this machine does.
        """
        from distributed import KilledWorker

        self._check(tasks)
        alone: list[Numbered] = []
        for each, found in self._together(tasks, None):
            if isinstance(found, KilledWorker) or (isinstance(found, Record) and found.status == "killed"):
                alone.append(each)
            else:
                yield each[0], _record(each[1], found)
        for each, found in self._together(sorted(alone, key=lambda each: each[0]), 1):
            yield each[0], _record(each[1], found)

    def _check(self, tasks: Sequence[Numbered]) -> None:
        roots = sorted({task.root for _, task in tasks})
        for address, (theirs, absent) in self._client.run(_fitness, roots).items():
            if theirs != identity():
                text = (
                    "has another nb2pkg, Python or one of the libraries that it stands on: install the same everywhere"
                )
                raise Nb2pkgError("N963", f"the Dask worker {address} {text}")
            if absent:
                text = f"does not see {absent[0]}: put the repository, or TMPDIR for one of a URL, where all see it"
                raise Nb2pkgError("N963", f"the Dask worker {address} {text}")

    def _together(
        self, tasks: Sequence[Numbered], at_once: int | None
    ) -> Iterator[tuple[Numbered, Record | BaseException]]:
        from distributed import as_completed

        waiting = iter(tasks)
        of: dict[str, Numbered] = {}

        def submitted() -> Iterator[Any]:
            for _, each in zip(range((at_once or self._room()) - len(of)), waiting, strict=False):
                future = self._client.submit(_perform, each[1], *self._given, pure=False)
                of[future.key] = each
                yield future

        futures = as_completed(list(submitted()), raise_errors=False, loop=self._client.loop)
        for future in futures:
            each = of.pop(future.key)
            if future.status == "finished":
                found: Record | BaseException = future.result()
            else:
                found = future.exception() if future.status == "error" else ConnectionError(f"{future.status}")
            future.release()
            yield each, found
            futures.update(list(submitted()))

    def _room(self) -> int:
        """How many tasks the scheduler is to know of: workers that have ended may come back, so never none."""
        threads: dict[str, int] = self._client.nthreads()
        return AHEAD * max(1, sum(threads.values()))


def _record(task: Task, found: Record | BaseException) -> Record:
    from distributed import KilledWorker

    if isinstance(found, Record):
        return found
    if isinstance(found, KilledWorker):
        return failure(task, "killed", "the Dask worker that did it ended, each time", Figures(0.0, 0.0, 0))
    if isinstance(found, Nb2pkgError):
        raise found
    raise Nb2pkgError("N963", f"the Dask cluster went away; run it again to go on ({_line(found)})") from found


def _fitness(roots: Sequence[str]) -> tuple[str, list[str]]:
    """What the worker is, and the folders that it does not see."""
    return identity(), [root for root in roots if not Path(root).is_dir()]


def _perform(task: Task, work: Work, timeout: float | None, memory_limit: int | None) -> Record:
    """Do a task in the process of this thread."""
    given = (work, timeout, memory_limit)
    if getattr(_mine, "given", None) != given:
        with contextlib.suppress(AttributeError):
            _mine.worker.end()
        _mine.worker, _mine.given = Worker(*given), given
    worker: Worker = _mine.worker
    return worker.perform(task)


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
