"""Processes that do the work: warm ones are kept, so that a plan comes at once, and none outlives the server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 10.0
"""Seconds from SIGTERM to SIGKILL."""
LONGEST_LINE = 1 << 28

Event = dict[str, Any]


class WorkerEnded(Exception):
    """The process ended in the middle of a request."""


class Worker:
    """One process with a process group of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.idle_since = time.monotonic()

    @classmethod
    async def start(cls) -> Worker:
        """A new process; it takes requests before it is ready for them."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "nb2pkg.jupyter.work"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
            limit=LONGEST_LINE,
        )
        return cls(process)

    async def ask(self, request: dict[str, Any], on_event: Callable[[Event], None] = lambda event: None) -> Event:
        """The last event of the request; the ones before it go to `on_event`."""
        stdin, stdout = self.process.stdin, self.process.stdout
        assert stdin is not None
        assert stdout is not None
        with contextlib.suppress(ConnectionError):
            stdin.write(json.dumps(request).encode() + b"\n")
            await stdin.drain()
        while line := await stdout.readline():
            event: Event = json.loads(line)
            if event["event"] in ("done", "refused", "crashed"):
                return event
            on_event(event)
        raise WorkerEnded

    async def stop(self) -> None:
        """End the process and all that it started."""
        self._signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self.process.wait(), PATIENCE)
        except TimeoutError:
            pass
        finally:
            self._signal(signal.SIGKILL)
        await self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, number)


class Workers:
    """All workers of a server."""

    def __init__(self, keep: int, keep_seconds: float) -> None:
        self.keep = keep
        self.keep_seconds = keep_seconds
        self._idle: list[Worker] = []
        self._all: set[Worker] = set()
        self._stopping: set[asyncio.Task[None]] = set()
        self._closed = False

    @property
    def processes(self) -> tuple[int, ...]:
        """The ids of the processes that run."""
        return tuple(worker.process.pid for worker in self._all if worker.process.returncode is None)

    async def run(
        self,
        request: dict[str, Any],
        timeout: float,
        on_event: Callable[[Event], None] = lambda event: None,
        *,
        last: bool = False,
    ) -> Event:
        """Have a request done. Where it takes too long, or the caller is cancelled, its process ends.

        `last`: the worker ends after it, since it may have started others.
        """
        worker = await self._take()
        try:
            answer = await asyncio.wait_for(worker.ask(request, on_event), timeout)
        except BaseException:
            self._retire(worker)
            raise
        if last:
            self._retire(worker)
        else:
            self._give(worker)
        return answer

    async def warm(self) -> None:
        """Have a worker ready."""
        if not self._idle:
            self._give(await self._take())

    async def stop(self) -> None:
        """End all workers, and take no more requests."""
        self._closed = True
        for worker in list(self._all):
            self._retire(worker)
        while self._stopping:
            await asyncio.gather(*self._stopping, return_exceptions=True)

    async def _take(self) -> Worker:
        while self._idle:
            worker = self._idle.pop()
            if worker.process.returncode is None:
                return worker
            self._all.discard(worker)
        if self._closed:
            raise WorkerEnded
        worker = await Worker.start()
        self._all.add(worker)
        return worker

    def _give(self, worker: Worker) -> None:
        worker.idle_since = time.monotonic()
        if self._closed or len(self._idle) >= self.keep:
            self._retire(worker)
            return
        self._idle.append(worker)
        asyncio.get_running_loop().call_later(self.keep_seconds + 1, self._reap)

    def _reap(self) -> None:
        latest = time.monotonic() - self.keep_seconds
        for worker in [w for w in self._idle if w.idle_since <= latest]:
            self._idle.remove(worker)
            self._retire(worker)

    def _retire(self, worker: Worker) -> None:
        async def stop() -> None:
            try:
                await worker.stop()
            finally:
                self._all.discard(worker)

        if worker in self._idle:
            self._idle.remove(worker)
        task = asyncio.ensure_future(stop())
        self._stopping.add(task)
        task.add_done_callback(self._stopping.discard)
