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


def results(
    tasks: Sequence[Numbered], work: Work, *, jobs: int, timeout: float | None, memory_limit: int | None
) -> Generator[tuple[int, Record]]:
    """The record of each task, as they come. Closing the iterator ends all processes.

    A task whose process dies is done again when the others are through, with nothing beside it: that a machine runs
    out of memory may be a neighbour's doing. Raises Nb2pkgError where processes can't be started.
    """
    alone: list[Numbered] = []
    for (number, task), found in _together(tasks, work, jobs, timeout, memory_limit):
        if found.status == "killed":
            alone.append((number, task))
        else:
            yield number, found
    for (number, _), found in _together(sorted(alone, key=lambda each: each[0]), work, 1, timeout, memory_limit):
        yield number, found


def _together(
    tasks: Sequence[Numbered], work: Work, jobs: int, timeout: float | None, memory_limit: int | None
) -> Iterator[tuple[Numbered, Record]]:
    stop = threading.Event()
    waiting = iter(tasks)
    lock = threading.Lock()
    done: queue.Queue[tuple[Numbered, Record] | BaseException] = queue.Queue(max(1, jobs))

    def put(what: tuple[Numbered, Record] | BaseException) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                done.put(what, timeout=0.1)
                return

    def keep_busy() -> None:
        worker = Worker(work, timeout, memory_limit, stop)
        try:
            while not stop.is_set():
                with lock:
                    each = next(waiting, None)
                if each is None:
                    return
                put((each, worker.perform(each[1])))
        except Stopped:
            pass
        except BaseException as error:
            put(error)
        finally:
            worker.end()

    threads = [threading.Thread(target=keep_busy, name=f"worker-{n}") for n in range(min(jobs, len(tasks)))]
    try:
        for thread in threads:
            thread.start()
        for _ in tasks:
            found = done.get()
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        stop.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
