"""The notebooks of a repository, found without running or writing anything: what git ignores, checkpoints, hidden
folders and links are passed over, and of notebooks with the same bytes in one folder one is taken."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pkg.errors import NotebookError
from nb2pkg.migrate.types import Found

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

_PASSED_OVER = frozenset({".ipynb_checkpoints", "__pycache__", "node_modules", "site-packages", "venv", "env"})
_BLOCK = 1 << 20


@dataclass(frozen=True, slots=True)
class Repository:
    """A folder with notebooks."""

    root: Path
    name: str
    notebooks: tuple[Found, ...]
    """In natural order of their paths: `2 model` before `10 report`."""


def scan(root: Path) -> Repository:
    """The notebooks below `root`; raises NotebookError where that is no folder, or holds none."""
    if not root.is_dir():
        raise NotebookError("N901", "is no folder; name a repository, or a folder of notebooks", file=str(root))
    paths = _known_to_git(root)
    if paths is None:
        paths = list(_below(root))
    named = sorted((p for p in paths if p.endswith(".ipynb") and _is_taken(root, p)), key=natural)
    if not named:
        raise NotebookError("N901", "holds no notebook that git does not ignore", file=str(root))
    dates = _last_commits(root)
    alike: dict[tuple[str, str, int], list[str]] = {}
    for path in named:
        alike.setdefault((path.rpartition("/")[0], *_digest(root / path)), []).append(path)
    found = []
    for (_, digest, size), paths in alike.items():
        # `Copy of a.ipynb`, `a-Copy1.ipynb`, `a (1).ipynb`: who copies adds to the name.
        first = min(paths, key=len)
        copies = tuple(path for path in paths if path != first)
        found.append(Found(first, digest, size, dates.get(first, ""), copies))
    return Repository(root, root.resolve().name, tuple(sorted(found, key=lambda one: natural(one.path))))


def natural(path: str) -> tuple[object, ...]:
    """The key that sorts paths as people count: numbers by their value, files of a folder before its folders."""
    *folders, name = path.split("/")
    return (*((True, _counted(folder)) for folder in folders), (False, _counted(name)), path)


def _counted(text: str) -> list[tuple[int, int, str]]:
    """The numbers in a text as numbers, before what is no number."""
    return [(0, int(t), "") if t.isdecimal() else (1, 0, t) for t in re.split(r"(\d+)", text.lower())]


def _is_taken(root: Path, path: str) -> bool:
    parts = path.split("/")
    if any(part in _PASSED_OVER or part.startswith(".") for part in parts):
        return False
    whole = root / path
    return whole.is_file() and not whole.is_symlink()


def _git(root: Path, *arguments: str) -> str | None:
    """What git says in the folder; None where it is no repository, or there is no git.

    The repository's own settings are not trusted: none that names a program is asked.
    """
    off = ("core.fsmonitor=false", "core.quotepath=false", "core.hooksPath=", "log.showSignature=false")
    command = ["git", *(word for setting in off for word in ("-c", setting)), "-C", str(root), *arguments]
    try:
        answer = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None
    return os.fsdecode(answer.stdout)


def _known_to_git(root: Path) -> list[str] | None:
    """The files that git tracks or would track."""
    listed = _git(root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
    if listed is None or _git(root, "check-ignore", "-q", "--", ".") is not None:
        return None
    return list(dict.fromkeys(filter(None, listed.split("\0"))))


def _below(root: Path) -> Iterator[str]:
    """The files below a folder that no `.gitignore` in it ignores."""
    from pathspec import GitIgnoreSpec

    specs: dict[str, GitIgnoreSpec] = {}
    for folder, folders, files in os.walk(root):
        here = os.path.relpath(folder, root)
        prefix = "" if here == "." else f"{here.replace(os.sep, '/')}/"
        if ".gitignore" in files:
            text = (Path(folder) / ".gitignore").read_text(encoding="utf-8", errors="replace")
            specs[prefix] = GitIgnoreSpec.from_lines(text.splitlines())
        folders[:] = sorted(f for f in folders if f not in _PASSED_OVER and not _ignored(f"{prefix}{f}/", specs))
        yield from (f"{prefix}{name}" for name in sorted(files) if not _ignored(f"{prefix}{name}", specs))


def _ignored(path: str, specs: Mapping[str, GitIgnoreSpec]) -> bool:
    """Whether the nearest `.gitignore` that says anything of the path ignores it."""
    for prefix in sorted(specs, key=len, reverse=True):
        if path.startswith(prefix):
            verdict = specs[prefix].check_file(path[len(prefix) :]).include
            if verdict is not None:
                return bool(verdict)
    return False


def _last_commits(root: Path) -> dict[str, str]:
    """The date of the last commit of each notebook, in UTC."""
    listed = _git(root, "log", "--format=%x01%ct", "--name-only", "-z", "--relative", "--", "*.ipynb")
    found: dict[str, str] = {}
    date = ""
    for word in (listed or "").replace("\n", "\0").split("\0"):
        if word.startswith("\x01"):
            date = datetime.fromtimestamp(int(word[1:]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        elif word:
            found.setdefault(word, date)
    return found


def _digest(path: Path) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size
