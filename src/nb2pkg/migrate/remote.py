"""Sources and outputs that lie elsewhere (`s3://…`, any fsspec URL): brought to a folder, and taken back from one.

Needs the extra `remote`. Nothing remote is written until the whole package is made here.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from nb2pkg.errors import Nb2pkgError, NotebookError, OutputError

MARK = ".nb2pkg/upload-incomplete"
"""The file that is there as long as others are missing."""
AT_ONCE = 200
"""Files that are on their way together."""
_T = TypeVar("_T")
_URL = re.compile(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+://")


def is_remote(place: str) -> bool:
    """Whether a source or an output is no path of this machine."""
    return _URL.match(place) is not None


def bring(url: str, folder: Path) -> None:
    """Copy all files below a URL to a folder, with the times at which they were changed.

    Raises NotebookError where there are none, or they can't be had.
    """
    with _told(url, NotebookError):
        files, root = _opened(url)
        found = files.find(root, detail=True)
        names = {path: _below(path, root) for path in found if not path.endswith("/")}
        if not names:
            raise NotebookError("N964", "holds no files, or does not exist; check the address", file=url)
        for path, name in names.items():
            if name is None:
                raise NotebookError("N964", f"has a name that can't be a path here: {path}", file=url)
        wanted = [(path, folder / name) for path, name in names.items() if name is not None]
        for part in _parts(wanted):
            for _, target in part:
                target.parent.mkdir(parents=True, exist_ok=True)
            files.get([path for path, _ in part], [str(target) for _, target in part])
            for path, target in part:
                changed = found[path].get("LastModified", found[path].get("mtime"))
                seconds = changed.timestamp() if isinstance(changed, datetime) else changed
                if isinstance(seconds, int | float):
                    os.utime(target, (seconds, seconds))


def check_free(url: str, force: bool = False) -> None:
    """Raise OutputError where a package can't be delivered to a URL, before any work is done for it."""
    with _told(url, OutputError):
        files, root = _opened(url)
        if _files(files, root) and not force and not files.exists(f"{root}/{MARK}"):
            raise OutputError("N602", "is not empty; --force replaces all that is there", file=url)


def deliver(folder: Path, url: str, force: bool = False) -> None:
    """Copy a folder to a URL, whole; what else is there goes. Raises OutputError where that fails.

    A file named MARK is there first and taken away last: an upload that something ended is seen by it, and may be
    done again without `force`.
    """
    check_free(url, force)
    sent = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    done = 0
    with _told(url, OutputError, lambda: f"the upload stopped after {done} of {len(sent)} files; run it again"):
        files, root = _opened(url)
        old = _files(files, root)
        files.pipe_file(f"{root}/{MARK}", b"Files are missing here: an upload has not ended yet, or was interrupted.\n")
        names = {path: f"{root}/{path.relative_to(folder).as_posix()}" for path in sent}
        for part in _parts(list(names.items())):
            files.put([str(path) for path, _ in part], [target for _, target in part])
            done += len(part)
        for gone in _parts(sorted(old - set(names.values()))):
            files.rm(gone)
        files.rm([f"{root}/{MARK}"])


@contextlib.contextmanager
def _told(url: str, kind: type[Nb2pkgError], stopped: Callable[[], str] | None = None) -> Iterator[None]:
    """What goes wrong in the block as one line; `stopped` says how far an upload was."""
    try:
        yield
    except Nb2pkgError:
        raise
    except ImportError as error:
        raise kind("N964", f'{_line(error)}; for s3://, pip install "nb2pkg[remote]"', file=url) from error
    except (Exception, KeyboardInterrupt) as error:  # each file system has errors of its own
        if stopped is not None:
            raise kind("N965", f"{stopped()} ({_line(error)})", file=url) from error
        if isinstance(error, KeyboardInterrupt):
            raise
        raise kind("N964", f"can't be used ({_line(error)})", file=url) from error


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _opened(url: str) -> tuple[Any, str]:
    """The file system of a URL, with nothing remembered of earlier looks, and the path in it."""
    import fsspec

    files, root = fsspec.core.url_to_fs(url)
    files.invalidate_cache()
    return files, root.rstrip("/")


def _files(files: Any, root: str) -> set[str]:
    with contextlib.suppress(FileNotFoundError):
        return {path for path in files.find(root) if path.rstrip("/") != root and path != f"{root}/{MARK}"}
    return set()


def _below(path: str, root: str) -> str | None:
    """A remote file's path from its root; None where it would lead out of a folder."""
    name = path.removeprefix(root).removeprefix("/") or PurePosixPath(path).name
    parts = name.split("/")
    return None if ".." in parts or "." in parts or "" in parts or "\0" in name else name


def _parts(of: list[_T]) -> Iterator[list[_T]]:
    for start in range(0, len(of), AT_ONCE):
        yield of[start : start + AT_ONCE]
