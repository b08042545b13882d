"""The tree of files that a conversion makes, before any of it is on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Copy:
    """A data file or folder to be copied to `target` (posix, from the package's root).

    `tracked`: it gets a `.dvc` file beside it and a line in `.gitignore`.
    """

    source: Path
    target: str
    tracked: bool


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
