"""Folders that vanish: with the `with` block, with Ctrl-C, and with this process however it ends."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from nb2pkg.verify import supervise

PREFIX = "nb2pkg-verify-"
LOCK = ".lock"
STARTING = 30.0  # seconds after which a folder without a lock is nobody's


@contextlib.contextmanager
def scratch(*parts: Path) -> Iterator[Path]:
    """A folder of its own, and files `parts` elsewhere that may be left half-written, removed at the end."""
    sweep()
    # Links in the path are resolved, so that what is printed of it is what is looked for.
    folder = Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
    lock = (folder / LOCK).open("w")
    try:
        _locked(lock.fileno())
        cleaner = subprocess.Popen(
            [sys.executable, "-I", "-S", supervise.__file__, "clean", str(folder), *map(str, parts)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
            pass_fds=(lock.fileno(),),
        )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        lock.close()
    try:
        yield folder
    finally:
        assert cleaner.stdin is not None
        cleaner.stdin.close()
        cleaner.wait()


def sweep() -> None:
    """Remove what earlier runs left whose cleaner was killed too: nobody holds its lock."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError), (folder / LOCK).open("r+") as lock:
            status = folder.stat()
            old = time.time() - status.st_mtime > STARTING
            if old and status.st_uid == os.getuid() and _locked(lock.fileno()):
                shutil.rmtree(folder, ignore_errors=True)


def _locked(descriptor: int) -> bool:
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
