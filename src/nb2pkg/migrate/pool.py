"""Tasks done by processes of this machine, each in a thread's keeping, so that one that fails costs its own row."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Generator, Iterator, Sequence

from nb2pkg.migrate.record import Record
from nb2pkg.migrate.types import Task
from nb2pkg.migrate.worker import Stopped, Work, Worker

Numbered = tuple[int, Task]


class Pool:
    """Processes that stay warm from one list of tasks to the next."""

    def __init__(self, work: Work, *, jobs: int, timeout: float | None, memory_limit: int | None) -> None:
        """None is started yet."""
        self._given = (work, timeout, memory_limit)
        self._jobs = jobs
        self._threads: list[threading.Thread] = []
        self._begin()

    def _begin(self) -> None:
        self._stop = threading.Event()
        self._waiting: queue.SimpleQueue[Numbered | None] = queue.SimpleQueue()
        self._done: queue.Queue[tuple[Numbered, Record] | BaseException] = queue.Queue(self._jobs)

    def results(self, tasks: Sequence[Numbered]) -> Generator[tuple[int, Record]]:
        """The record of each task, as they come. Where the iterator is left before its end, the pool is to be closed.

        A task whose process dies is done again when the others are through, with nothing beside it: that a machine
        runs out of memory may be a neighbour's doing. Raises Nb2pkgError where processes can't be started.
        """
        alone: list[Numbered] = []
        for each, found in self._together(tasks, self._jobs):
            if found.status == "killed":
                alone.append(each)
            else:
                yield each[0], found
        if alone:
            self.close()
        for each in sorted(alone, key=lambda each: each[0]):
            for _, found in self._together([each], 1):
                yield each[0], found

    def close(self) -> None:
        """End all processes, whatever they are doing."""
        self._stop.set()
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._begin()

    def _together(self, tasks: Sequence[Numbered], jobs: int) -> Iterator[tuple[Numbered, Record]]:
        while len(self._threads) < min(jobs, len(tasks)):
            thread = threading.Thread(target=self._keep_busy, name=f"worker-{len(self._threads)}")
            thread.start()
            self._threads.append(thread)
        for each in tasks:
            self._waiting.put(each)
        for _ in tasks:
            found = self._done.get()
            if isinstance(found, BaseException):
                raise found
            yield found

    def _keep_busy(self) -> None:
        stop, waiting = self._stop, self._waiting
        worker = Worker(*self._given, stop)
        try:
            while (each := waiting.get()) is not None and not stop.is_set():
                self._put((each, worker.perform(each[1])))
        except Stopped:
            pass
        except BaseException as error:  # for whoever waits for the records
            self._put(error)
        finally:
            worker.end()

    def _put(self, what: tuple[Numbered, Record] | BaseException) -> None:
        while not self._stop.is_set():
            with contextlib.suppress(queue.Full):
                self._done.put(what, timeout=0.1)
                return
