"""The tree of files that a conversion makes, before any of it is on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from nb2pkg.diagnostics import Diagnostic


@dataclass(frozen=True, slots=True)
class Copy:
    """A data file or folder to be copied to `target` (posix, from the package's root).

    `tracked`: it gets a `.dvc` file and a line in `.gitignore`.
    """

    source: Path
    target: str
    tracked: bool


@dataclass(frozen=True, slots=True)
class Member:
    """A notebook of a package of several, for whoever runs it beside the package. Paths are posix, from the package's
    root where nothing else is said."""

    path: str
    """The notebook in its repository."""
    notebook: str
    """What of it is kept and can be run."""
    package: str
    """Its subpackage, full dotted name."""
    workspace: str
    """The folder that stands for the repository's root where it runs."""
    cwd: str
    """The folder that stands for its working folder."""
    stages: tuple[str, ...]
    """Names in dvc.yaml."""
    folders: tuple[str, ...]
    """Folders that are there before it starts, from `cwd`."""
    beside: tuple[str, ...]
    """Its helper modules, and what it brings in with `%run`, as they were."""
    reads: tuple[tuple[str, str], ...]
    """(notebook, as `path`, and the file, from the repository's root) of what others make for it; an empty file: all
    that the other makes in the same layout."""
    upgraded: bool
    """What is kept to be run, or something that it runs, is not what it was: Python 2, which does not run today."""


@dataclass(frozen=True, slots=True)
class Tree:
    """File path → contents, and the data to copy."""

    files: tuple[tuple[str, bytes], ...]
    copies: tuple[Copy, ...]
    package: str
    folder: Path | None = None
    """The notebook's folder: the manifest names original paths from it, and it is never written over."""
    notebook: str = ""
    """Where the notebook is kept (posix, from the package's root)."""
    cwd: str = ""
    """The folder that stands for the notebook's working folder."""
    folders: tuple[str, ...] = ()
    """Folders that are there before the first stage starts, from `cwd`."""
    paths: tuple[tuple[str, str], ...] = ()
    """(path from the notebook's working folder, path from the package's root) of each file that has another place."""
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(folder, the variables in it) of what the stages save for each other."""
    members: tuple[Member, ...] = ()
    """The notebooks of a package of several, each after those whose files it reads; `notebook` is empty then."""


def within(copies: tuple[Copy, ...], folder: Path) -> tuple[tuple[Copy, ...], tuple[Diagnostic, ...]]:
    """The copies without the data that lies outside of a folder, links followed, and what was left out."""
    root = folder.resolve()
    kept = tuple(c for c in copies if root in c.source.resolve().parents)
    told = tuple(
        Diagnostic("N409", f"{copy.target} is not copied: its data lies outside of the folder that may be read")
        for copy in copies
        if copy not in kept
    )
    return kept, told
