"""Tasks done on a Dask cluster: the same work, the same records. Needs the extra `dask` here and on the workers.

Each thread of a Dask worker keeps a process of its own, as a thread of `pool.py` does, since only a process can be
ended when it takes too long or too much. All machines see the repository in the same folder.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import CancelledError
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
LOOK = 5.0
"""Seconds without news after which it is asked whether there are workers."""
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
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)  # what it has to tell, the errors here do
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
        try:
            for each, found in self._together(tasks, None):
                if isinstance(found, KilledWorker) or (isinstance(found, Record) and found.status == "killed"):
                    alone.append(each)
                else:
                    yield each[0], _record(each[1], found)
            for each, found in self._together(sorted(alone, key=lambda each: each[0]), 1):
                yield each[0], _record(each[1], found)
        except (OSError, CancelledError) as error:
            why = "its scheduler ended" if isinstance(error, CancelledError) else _line(error)
            raise Nb2pkgError("N963", f"the Dask cluster went away; run it again to go on ({why})") from error

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
        from distributed import wait

        waiting = iter(tasks)
        running: dict[Any, Numbered] = {}
        heard = time.monotonic()
        while True:
            for _, each in zip(range((at_once or self._room()) - len(running)), waiting, strict=False):
                running[self._client.submit(_perform, each[1], *self._given, pure=False)] = each
            if not running:
                return
            try:
                with self._client.as_current():
                    ended = wait(list(running), timeout=LOOK, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                if self._client.nthreads():
                    heard = time.monotonic()
                elif time.monotonic() - heard > ANSWER:
                    raise ConnectionError("no worker is left") from None
                continue
            heard = time.monotonic()
            for future in ended:
                found: Record | BaseException = (
                    future.result()
                    if future.status == "finished"
                    else future.exception() or ConnectionError(future.status)
                )
                future.release()
                yield running.pop(future), found

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
    raise found


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
