"""A process that outlives its parent by as long as cleaning up takes. Stands alone: run as a script.

    supervise.py run COMMAND...     run the command; all that it started ends with it, or with the parent
    supervise.py clean PATH...      wait for the parent's end, then remove the paths, a * at the end for any name

The parent holds the other end of standard input. When that closes, whatever the reason (SIGKILL included), the
parent is gone. On Linux, processes that detach themselves are found because this one adopts them.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import glob
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
PATIENCE = 20.0  # seconds for which dying processes may still write into what is removed


def _control(option: int, value: int) -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _parents() -> dict[int, int]:
    """Every process and its parent."""
    found: dict[int, int] = {}
    if os.path.isdir("/proc/self"):
        for name in os.listdir("/proc"):
            if name.isdigit():
                with contextlib.suppress(OSError, ValueError, IndexError), open(f"/proc/{name}/stat", "rb") as file:
                    found[int(name)] = int(file.read().rpartition(b")")[2].split()[1])
        return found
    with contextlib.suppress(OSError):
        rows = subprocess.run(["ps", "-axo", "pid=,ppid="], stdout=subprocess.PIPE, check=False).stdout.split()
        found = {int(pid): int(parent) for pid, parent in zip(rows[::2], rows[1::2], strict=False)}
    return found


def descendants() -> list[int]:
    """The processes that stem from this one."""
    parents = _parents()
    own = os.getpid()
    known = {own}
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in known} - known
        known |= more
        grown = bool(more)
    return sorted(known - {own})


def end_all() -> None:
    """Kill every descendant, also those that are started meanwhile."""
    for _ in range(50):
        below = descendants()
        for pid in below:
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        if not below:
            return
        time.sleep(0.02)


def _wait_for_the_parents_end() -> None:
    with contextlib.suppress(OSError):
        while os.read(0, 1 << 12):
            pass


def run(command: list[str]) -> int:
    """Run a command; its exit status, 128 and the signal where one ended it."""
    _control(PR_SET_CHILD_SUBREAPER, 1)
    die_too = functools.partial(_control, PR_SET_PDEATHSIG, signal.SIGKILL)  # there is no other thread yet
    child: Any = subprocess.Popen(command, stdin=subprocess.DEVNULL, preexec_fn=die_too)  # noqa: PLW1509 - see above

    def watch() -> None:
        _wait_for_the_parents_end()
        child.returncode = -signal.SIGKILL  # nobody waits for it any more
        end_all()
        os._exit(128 + signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    try:
        _, status = os.waitpid(child.pid, 0)
    except ChildProcessError:  # the watcher was first: it ends this process
        time.sleep(PATIENCE)
        return 1
    child.returncode = 0
    end_all()
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status)


def clean(paths: list[str]) -> int:
    """Remove the paths when the parent is gone."""
    _wait_for_the_parents_end()
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        found = [match for path in paths for match in _matches(path)]
        if not found:
            break
        for path in found:
            _remove(path)
        time.sleep(0.02)
    return 0


def _matches(path: str) -> list[str]:
    if path.endswith("*"):
        return glob.glob(glob.escape(path[:-1]) + "*")
    return [path] if os.path.lexists(path) else []


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        for folder, _, _ in os.walk(path):  # DVC and notebooks make folders that can't be written
            with contextlib.suppress(OSError):
                os.chmod(folder, 0o700)
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            os.unlink(path)


def main() -> int:
    """Do what the arguments say, deaf to what the terminal sends to the parent."""
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda *_: None)  # a handler, unlike SIG_IGN, is not inherited by the command
    if sys.argv[1] == "clean":
        return clean(sys.argv[2:])
    return run(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
