"""A process that does tasks, one after the other, and the parent's end of it.

What goes in: a task. What comes out: its record, whatever happens. The process has a session of its own, so that what
it has started ends with it and Ctrl-C is the parent's alone; it ends when the parent does, SIGKILL included.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.errors import Nb2pkgError
from nb2pkg.migrate.record import Record, record
from nb2pkg.migrate.types import Figures, Outcome, Status, Task

Work = Callable[[Task], Outcome]
"""A function of a module: the process imports it by its name."""

TICK = 0.05
"""Seconds between two looks at a worker's memory."""
START = 120.0
"""Seconds that a process may take to import what it needs."""
TASKS = 250
"""Tasks after which a process is replaced, so that what libraries keep does not grow without end."""
_START = """
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from nb2pkg.migrate.worker import serve
serve(*sys.argv[2:])
"""
_CODES: dict[Status, str] = {"crashed": "N970", "timeout": "N971", "memory": "N972", "killed": "N973"}


class Stopped(Exception):
    """The run was stopped while the worker was busy."""


class Worker:
    """One process, started when it is needed. Belongs to one thread, and ends with it at the latest."""

    def __init__(
        self, work: Work, timeout: float | None, memory_limit: int | None, stop: threading.Event | None = None
    ) -> None:
        """Keep what every task is done with; `stop`, once set, makes `perform` raise Stopped."""
        self._work = pickle.dumps(work)
        self._timeout = timeout
        self._memory_limit = memory_limit
        self._stop = stop or threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Any = None  # Connection[Any, Any] of typeshed, which can't be subscripted
        self._done = 0

    def perform(self, task: Task) -> Record:
        """Do a task. Raises Stopped, and Nb2pkgError where processes can't be started."""
        before = self._done
        found = self._perform(task)
        if found.status == "memory" and before:  # it may be what earlier tasks have left: a new process knows none
            self.end()
            found = self._perform(task)
        return found

    def _perform(self, task: Task) -> Record:
        if self._done >= TASKS or (self._process is not None and self._process.poll() is not None):
            self.end()
        if self._process is None:
            self._begin()
        self._done += 1
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):  # it has just died: the answer says so
            self._connection.send(task)
        try:
            answer, peak = self._answer(started)
        except BaseException:
            self.end()
            raise
        if isinstance(answer, Record):
            return answer
        status, message = answer
        if status == "killed":
            message = message.format(_how(self.end()))
        self.end()
        return failure(task, status, message, Figures(time.monotonic() - started, 0.0, peak))

    def end(self) -> int:
        """End the process and all that it has started; its exit status."""
        process, self._process, self._done = self._process, None, 0
        if process is None:
            return 0
        with contextlib.suppress(subprocess.TimeoutExpired):  # dying of itself already: its own status tells why
            if self._closed():
                process.wait(1.0)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        self._connection.close()
        return process.wait()

    def _closed(self) -> bool:
        try:
            return bool(self._connection.poll()) and not self._connection.recv()
        except (EOFError, OSError):
            return True

    def _begin(self) -> None:
        mine, theirs = Pipe()
        with theirs:
            self._process = self._popen(theirs.fileno())
        self._connection = mine
        why = ""
        try:
            mine.send_bytes(self._work)
            until = time.monotonic() + START
            while not mine.poll(TICK):
                if self._stop.is_set():
                    raise Stopped
                if time.monotonic() > until:
                    raise EOFError
            why = mine.recv()
        except (EOFError, OSError):
            why = f"they are not ready after {START:.0f} s, or end at once"
        except BaseException:
            self.end()
            raise
        if why:
            self.end()
            raise Nb2pkgError("N960", f"worker processes can't be started: {why}")

    def _popen(self, descriptor: int) -> subprocess.Popen[bytes]:
        try:
            return subprocess.Popen(
                [sys.executable, "-c", _START, json.dumps(sys.path), str(descriptor), str(os.getpid())],
                pass_fds=(descriptor,),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
                env=os.environ | {"PYTHONHASHSEED": "0"},  # an order that nobody meant is the same everywhere
            )
        except OSError as error:
            raise Nb2pkgError("N960", f"worker processes can't be started: {error}") from error

    def _answer(self, started: float) -> tuple[Record | tuple[Status, str], int]:
        """The record, or why there is none, and the most memory that was seen."""
        peak = 0
        while True:
            try:
                if self._connection.poll(TICK):
                    return pickle.loads(self._connection.recv_bytes()), peak
            except (EOFError, OSError):
                return ("killed", "its process {}, twice"), peak
            if self._stop.is_set():
                raise Stopped
            if self._timeout is not None and time.monotonic() - started > self._timeout:
                return ("timeout", f"took longer than {self._timeout:g} s (--timeout)"), peak
            if self._memory_limit is not None:
                peak = max(peak, self._memory())
                if peak > self._memory_limit:
                    return ("memory", f"took more memory than {size(self._memory_limit)} (--memory-limit)"), peak

    def _memory(self) -> int:
        """Bytes that the process holds; what it starts is only ever an interpreter that lists its packages."""
        import psutil

        assert self._process is not None
        try:
            return int(psutil.Process(self._process.pid).memory_info().rss)
        except psutil.Error:
            return 0


def failure(task: Task, status: Status, message: str, figures: Figures) -> Record:
    """The record of a task that gave no outcome itself."""
    told = (Diagnostic(_CODES[status], message, severity="error"),) if status in _CODES else ()
    return record(Outcome(task.step, task.name, status, None, told, message, (), figures), task.root)


def size(number: int) -> str:
    """Bytes as people write them."""
    for unit, name in ((1 << 30, "GB"), (1 << 20, "MB"), (1 << 10, "kB")):
        if number >= unit:
            return f"{number / unit:.3g} {name}"
    return f"{number} bytes"


def _how(status: int) -> str:
    if status >= 0:
        return f"ended by itself, with exit status {status}"
    with contextlib.suppress(ValueError):
        return f"was ended by {signal.Signals(-status).name}"
    return f"was ended by signal {-status}"


# -- in the process ------------------------------------------------------------------------------------------------


def serve(descriptor: str, parent: str) -> None:
    """Do tasks until the other end is closed."""
    os.set_inheritable(int(descriptor), False)
    connection: Any = Connection(int(descriptor))
    _end_with(int(parent))
    try:
        work: Work = pickle.loads(connection.recv_bytes())
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")
        return
    connection.send("")
    with contextlib.suppress(EOFError, ConnectionError):
        while True:
            task: Task = connection.recv()
            connection.send_bytes(pickle.dumps(_performed(work, task)))


def _end_with(parent: int) -> None:
    if sys.platform == "linux":
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1.0)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()


def _performed(work: Work, task: Task) -> Record:
    import resource

    started, cpu = time.monotonic(), time.process_time()
    try:
        outcome = work(task)
        kept = record(outcome, task.root)
    except Nb2pkgError as error:
        message = _here(error.message, task)
        told = Diagnostic(error.code, message, error.cell, severity="error")
        kept = record(Outcome(task.step, task.name, "refused", None, (told,), message), task.root)
    except MemoryError:
        kept = failure(task, "memory", "took more memory than there was", Figures(0.0, 0.0, 0))
    except BaseException as error:  # whatever it is, it costs this task only
        kept = failure(task, "crashed", _here(_where(error), task), Figures(0.0, 0.0, 0))
    usage = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    return Record(kept.status, Figures(time.monotonic() - started, time.process_time() - cpu, usage), kept.data)


def _here(text: str, task: Task) -> str:
    """A message without the folder that the repository happens to lie in."""
    for root in {task.root, str(Path(task.root).resolve())} - {"/", ".", ""}:
        text = text.replace(f"{root}/", "").replace(root, ".")
    return text


def _where(error: BaseException) -> str:
    """The last line of the traceback, and the place: ours, and the library's where it was raised in one."""
    last = traceback.format_exception_only(error)[-1].strip()
    frames = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    own = [(name, line) for name, line in frames if f"{os.sep}nb2pkg{os.sep}" in name and name != __file__]
    places = dict.fromkeys([*own[-1:], *frames[-1:]])
    shown = " in ".join(f"{'/'.join(Path(name).parts[-2:])}, line {line}" for name, line in reversed(places))
    return f"{re.sub(r'0x[0-9a-f]{6,}', '0x…', last)} ({shown})"
