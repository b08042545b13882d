"""What verifications keep in the user's cache folder, so that one that was interrupted goes on where it was."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import TextIO

KEPT_DAYS = 30


def kept(kind: str) -> Path:
    """The folder for a kind of thing (it may not be there), cleared of what is old."""
    base = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    folder = Path(base, "nb2pkg", kind)
    with suppress(OSError):
        for entry in folder.iterdir():
            if time.time() - entry.stat().st_mtime > KEPT_DAYS * 86400:
                shutil.rmtree(entry, ignore_errors=True)
    return folder


def key(of: str, folder: Path, files: Iterable[str]) -> str:
    """A name made of a text, and of the paths and contents of files below a folder."""
    digest = hashlib.sha256(of.encode("utf-8", "surrogateescape"))
    for path in sorted(files):
        digest.update(f"\n{path}\n".encode("utf-8", "surrogateescape"))
        with (folder / path).open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
    return digest.hexdigest()[:32]


def claim(folder: Path) -> TextIO | None:
    """Make the folder, and hold it until what is given is closed; None where another process holds it, or it can't be
    made."""
    import fcntl

    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    except OSError:
        return None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock
