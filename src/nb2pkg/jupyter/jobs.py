"""Exports: they go on after the request that began them, belong to whoever did, and are limited in number."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import shutil
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from nb2pkg.jupyter.workers import Event, WorkerEnded, Workers

State = Literal["queued", "running", "done", "failed", "cancelled"]


class TooMany(Exception):
    """There are as many jobs as there may be."""


class Occupied(Exception):
    """Another job writes to the same place."""


@dataclass(slots=True, eq=False)
class Job:
    """One export. What the owner may see of it is `view()`."""

    owner: str
    notebook: str
    """The path from the server's root."""
    out: str
    """Where the package goes, from the server's root; empty: nowhere but to a zip."""
    scratch: Path
    """A folder of its own, removed with it."""
    id: str = field(default_factory=lambda: secrets.token_hex(16))
    state: State = "queued"
    progress: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None
    ended: float | None = None
    task: asyncio.Task[None] | None = None

    @property
    def archive(self) -> Path:
        """Where its zip lies, once it was made."""
        return self.scratch / "package.zip"

    def view(self) -> dict[str, Any]:
        """The job for its owner."""
        shown = ("id", "notebook", "out", "state", "progress", "result", "error")
        return {name: getattr(self, name) for name in shown}


class Jobs:
    """All jobs of a server."""

    def __init__(self, workers: Workers, *, running: int, unfinished: int, keep_seconds: float) -> None:
        self.workers = workers
        self.unfinished = unfinished
        self.keep_seconds = keep_seconds
        self._turn = asyncio.Semaphore(running)
        self._jobs: dict[str, Job] = {}

    def start(
        self,
        owner: str,
        notebook: str,
        out: str,
        request: Callable[[Job], Awaitable[dict[str, Any]]],
        finish: Callable[[Job, dict[str, Any]], Awaitable[dict[str, Any]]],
        timeout: float,
    ) -> Job:
        """Begin an export. `request` makes what the worker is asked, `finish` what the owner sees of its answer."""
        self._forget_old()
        busy = [job for job in self._jobs.values() if job.ended is None]
        if len(busy) >= self.unfinished:
            raise TooMany
        if out and any(job.out == out for job in busy):
            raise Occupied
        job = Job(owner, notebook, out, Path(tempfile.mkdtemp(prefix="nb2pkg-job-")))
        self._jobs[job.id] = job
        job.task = asyncio.ensure_future(self._run(job, request, finish, timeout))
        return job

    def of(self, owner: str) -> list[Job]:
        """The owner's jobs, the oldest first."""
        return [job for job in self._jobs.values() if job.owner == owner]

    def get(self, owner: str, job_id: str) -> Job | None:
        """The job, if it is the owner's."""
        job = self._jobs.get(job_id)
        return job if job is not None and job.owner == owner else None

    async def end(self, job: Job) -> None:
        """Cancel a job that has not ended, and wait for that; forget one that has."""
        if job.ended is not None:
            self._forget(job)
        elif job.task is not None:
            job.task.cancel()
            await asyncio.wait([job.task])
            if job.ended is None:  # it had not begun
                job.state, job.ended = "cancelled", time.monotonic()

    async def stop(self) -> None:
        """Cancel all, forget all."""
        for job in list(self._jobs.values()):
            if job.ended is None:
                await self.end(job)
            self._forget(job)

    async def _run(
        self,
        job: Job,
        request: Callable[[Job], Awaitable[dict[str, Any]]],
        finish: Callable[[Job, dict[str, Any]], Awaitable[dict[str, Any]]],
        timeout: float,
    ) -> None:
        def on_event(event: Event) -> None:
            job.progress = {name: value for name, value in event.items() if name != "event"}

        try:
            async with self._turn:
                job.state = "running"
                asked = await request(job)
                answer = await self.workers.run(asked, timeout, on_event, last=asked["runs"])
                if answer["event"] == "done":
                    job.result = await finish(job, answer["result"])
                    job.state = "done"
                else:
                    job.error = {name: value for name, value in answer.items() if name != "event"}
                    job.state = "failed"
        except asyncio.CancelledError:
            job.state = "cancelled"
        except TimeoutError:
            job.error = {"message": f"took longer than {timeout:g} seconds, and was stopped"}
            job.state = "failed"
        except WorkerEnded:
            job.error = {"message": "the process that did the work ended; the server's log may say why"}
            job.state = "failed"
        except Exception as error:  # the contents manager's errors are the owner's to read
            job.error = {"message": getattr(error, "log_message", None) or str(error)}
            job.state = "failed"
        finally:
            job.ended = time.monotonic()

    def _forget_old(self) -> None:
        latest = time.monotonic() - self.keep_seconds
        for job in [j for j in self._jobs.values() if j.ended is not None and j.ended < latest]:
            self._forget(job)

    def _forget(self, job: Job) -> None:
        self._jobs.pop(job.id, None)
        with contextlib.suppress(OSError):
            shutil.rmtree(job.scratch)
