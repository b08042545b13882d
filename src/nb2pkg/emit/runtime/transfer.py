"""Copies files from the layout of one notebook to that of another: `python -m <package>.transfer FROM TO …`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path


def transfer(source: Path, target: Path) -> None:
    """Copy a file or a folder; what is at the target goes."""
    if target.is_dir():
        shutil.rmtree(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target)
    else:
        shutil.copyfile(source, target)


def main(paths: list[str]) -> None:
    """Copy each first path to the one after it."""
    for source, target in zip(paths[::2], paths[1::2]):
        transfer(Path(source), Path(target))


if __name__ == "__main__":
    main(sys.argv[1:])
