"""The notebook's own working folder, so that its relative paths mean what they meant."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER = "workspace"
_LEFT: dict[str, Path] = {}  # where the notebook's own `os.chdir` led


@contextmanager
def working_folder(folder: str = FOLDER, *inside: str) -> Iterator[None]:
    """Run the body in the notebook's working folder, or where an earlier body
    went, which has these in it; come back to the root after.
    """
    root = Path.cwd()
    for name in ("", *inside):
        (root / folder / name).mkdir(parents=True, exist_ok=True)
    os.chdir(_LEFT.get(folder, root / folder))
    try:
        yield
    finally:
        _LEFT[folder] = Path.cwd()
        os.chdir(root)
