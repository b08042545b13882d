"""What was done already, in an SQLite file: an outcome a row, kept the moment it is known, found again by content.

A row is found by what nb2pkg is (its source, the packages installed), the step, the notebook's path and bytes, and the
options; and only while the other files that its outcome depends on are as they were. It is written by one process.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import nb2pkg
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.errors import Nb2pkgError
from nb2pkg.migrate.record import Record, outcome_of, plain_text
from nb2pkg.migrate.types import Figures, Fingerprint, Outcome, Status, Task

APPLICATION = 0x6E62326A
"""What tells our files from others (`nb2j`)."""
VERSION = 1
_TABLE = """
CREATE TABLE outcomes (
    key BLOB PRIMARY KEY, step TEXT NOT NULL, notebook TEXT NOT NULL, status TEXT NOT NULL, bound REAL NOT NULL,
    seconds REAL NOT NULL, cpu_seconds REAL NOT NULL, peak_memory INTEGER NOT NULL, data BLOB NOT NULL
) WITHOUT ROWID
"""
_SHA = "sha256:"
_BUSY = 1.0
"""Seconds to wait for a run that is just ending."""


class Journal:
    """The journal of a migration, open: nobody else may open it meanwhile. Belongs to one thread."""

    def __init__(self, path: Path) -> None:
        """Open the journal at `path`, making it where there is none; raises Nb2pkgError where that can't be.

        What lies there and is no journal of ours is moved aside, and told in `diagnostics`.
        """
        self.path = path
        self.diagnostics: tuple[Diagnostic, ...] = ()
        self._seen: set[bytes] = set()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._database = _opened(path)
        except sqlite3.OperationalError as error:
            raise _refused(path, error) from error
        except (sqlite3.DatabaseError, _Foreign) as error:
            try:
                aside = _move_aside(path)
                self._database = _opened(path)
            except (OSError, sqlite3.Error) as again:
                raise _refused(path, again) from again
            text = f"{path.name} is no journal of this version ({error}); it is {aside.name} now, and all is done again"
            self.diagnostics = (Diagnostic("N962", text),)
        except OSError as error:
            raise _refused(path, error) from error

    def close(self) -> None:
        """Let others have it."""
        self._database.close()

    def __enter__(self) -> Journal:
        """Itself."""
        return self

    def __exit__(self, *raised: object) -> None:
        """Close it."""
        self.close()

    def find(self, task: Task, timeout: float | None = None, memory_limit: int | None = None) -> Record | None:
        """The record of a task that was done and would come out the same now.

        What took too long or too much is not tried again with a bound that is no higher. What was killed is.
        """
        key = key_of(task)
        self._seen.add(key)
        row = self._row(key)
        if row is None:
            return None
        kept, bound = row
        limits = {"killed": None, "timeout": timeout, "memory": memory_limit}
        if kept.status in limits:
            limit = limits[kept.status]
            if limit is None or limit > bound:
                return None
        try:
            found = outcome_of(kept, task.root)
        except ValueError:
            return None
        same = (found.step, found.path) == (task.step, task.name)
        return kept if same and all(unchanged(task.root, each) for each in found.depends) else None

    def add(self, task: Task, made: Record, timeout: float | None = None, memory_limit: int | None = None) -> None:
        """Keep a record, at once. Raises Nb2pkgError where the disk won't have it."""
        key = key_of(task)
        self._seen.add(key)
        bound = {"timeout": timeout, "memory": memory_limit}.get(made.status) or 0
        took = made.figures
        row = (key, task.step, task.name, made.status, bound, took.seconds, took.cpu_seconds, took.peak_memory)
        try:
            self._database.execute(f"INSERT OR REPLACE INTO outcomes VALUES ({'?, ' * 8}?)", (*row, made.data))
        except sqlite3.Error as error:
            raise _refused(self.path, error) from error

    def outcome(self, task: Task) -> Outcome:
        """The outcome of a task that was found or added; raises Nb2pkgError where it can't be read back."""
        row = self._row(key_of(task))
        try:
            if row is None:
                raise ValueError("a row is gone")
            return outcome_of(row[0], task.root)
        except ValueError as error:
            raise _refused(self.path, error) from error

    def prune(self) -> None:
        """Forget what no task since opening has asked for."""
        with contextlib.suppress(sqlite3.Error):
            old = [key for (key,) in self._database.execute("SELECT key FROM outcomes") if key not in self._seen]
            self._database.execute("BEGIN")
            self._database.executemany("DELETE FROM outcomes WHERE key = ?", [(key,) for key in old])
            self._database.execute("COMMIT")

    def _row(self, key: bytes) -> tuple[Record, float] | None:
        asked = "SELECT status, bound, seconds, cpu_seconds, peak_memory, data FROM outcomes WHERE key = ?"
        try:
            row = self._database.execute(asked, (key,)).fetchone()
        except sqlite3.DatabaseError:  # a page that can't be read: as if it were not there
            return None
        if row is None or not isinstance(row[5], bytes):
            return None
        status: Status = row[0]
        return Record(status, Figures(*row[2:5]), row[5]), row[1]


class _Foreign(Exception):
    """The file is a database, but no journal of ours."""


def _opened(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=_BUSY, isolation_level=None)
    try:
        # Exclusive: one writer, and no shared memory, which network file systems do not have. Killing the process
        # loses nothing that was added; a power cut may lose the last rows, which are done again.
        database.execute("PRAGMA locking_mode = EXCLUSIVE")
        (application,) = database.execute("PRAGMA application_id").fetchone()
        (version,) = database.execute("PRAGMA user_version").fetchone()
        (tables,) = database.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        new = not tables and not application
        if not new and (application, version) != (APPLICATION, VERSION):
            raise _Foreign("another program's" if application != APPLICATION else f"version {version}")
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("BEGIN EXCLUSIVE")
        if new:
            database.execute(f"PRAGMA application_id = {APPLICATION}")
            database.execute(f"PRAGMA user_version = {VERSION}")
            database.execute(_TABLE)
        elif database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
            raise _Foreign("damaged")
        database.execute("COMMIT")
    except BaseException:
        database.close()
        raise
    return database


def _move_aside(path: Path) -> Path:
    number = 1
    while (aside := path.with_name(f"{path.name}.aside-{number}")).exists():
        number += 1
    os.rename(path, aside)
    for ending in ("-wal", "-shm"):
        with contextlib.suppress(FileNotFoundError):
            os.rename(f"{path}{ending}", f"{aside}{ending}")
    return aside


def _refused(path: Path, error: Exception) -> Nb2pkgError:
    if "locked" in str(error):
        return Nb2pkgError("N961", "another run is using this journal; wait for it, or end it", file=str(path))
    return Nb2pkgError("N961", f"the journal can't be used here ({error})", file=str(path))


# -- what a row is found by ----------------------------------------------------------------------------------------


def key_of(task: Task) -> bytes:
    """A hash of all that an outcome depends on, but for the files that it names, wherever the repository lies."""
    told = replace(task, root="", notebook=replace(task.notebook, copies=()))
    return hashlib.sha256(
        "\0".join((identity(), _installed(task.options.python), plain_text(told, task.root))).encode()
    ).digest()


@cache
def identity() -> str:
    """A hash of what decides how nb2pkg works: its source, Python, and the libraries that it stands on."""
    from importlib import metadata

    digest = hashlib.sha256(f"{nb2pkg.__name__} {sys.version_info[:2]}".encode())
    for name in ("black", "ipython", "libcst", "nbconvert", "nbformat"):
        with contextlib.suppress(metadata.PackageNotFoundError):
            digest.update(f"\0{name} {metadata.version(name)}".encode())
    for file in _source(Path(nb2pkg.__file__).parent):
        digest.update(b"\0" + file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()


def _source(folder: Path) -> Iterator[Path]:
    """What decides, as it is installed anywhere: the way into Jupyter is in other places of a wheel."""
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder).parts
        if path.suffix in (".py", ".toml", ".json", ".html") and below[0] not in ("jupyter", "labextension"):
            yield path


@cache
def _installed(python: str | None) -> str:
    """What the interpreter has installed that versions are pinned from (None: this one)."""
    if python is not None:
        from nb2pkg.plan.requirements import installed

        there = installed(python)
        return (
            "" if there is None else "\n".join(f"{name} {version}" for name, version in sorted(there.versions.items()))
        )
    found: set[str] = set()
    for folder in sys.path:
        with contextlib.suppress(OSError):
            found |= {name for name in os.listdir(folder or ".") if name.endswith((".dist-info", ".egg-info"))}
    return "\n".join(sorted(found))


def seen(root: str, path: str) -> Fingerprint:
    """A file of the repository that was not read, or is not there: its size and time are what counts."""
    return Fingerprint(path, _state(root, path, ""))


def read(root: str, path: str) -> Fingerprint:
    """A file of the repository whose contents count."""
    return Fingerprint(path, _state(root, path, _SHA))


def unchanged(root: str, file: Fingerprint) -> bool:
    """Whether a file is as it was."""
    return _state(root, file.path, _SHA if file.state.startswith(_SHA) else "") == file.state


def _state(root: str, path: str, kind: str) -> str:
    whole = Path(root, path)
    try:
        if whole.is_dir():
            return "folder"
        if kind == _SHA:
            with whole.open("rb") as file:
                return _SHA + hashlib.file_digest(file, "sha256").hexdigest()
        status = whole.stat()
    except OSError:
        return ""
    return f"{status.st_size}:{status.st_mtime_ns}"
