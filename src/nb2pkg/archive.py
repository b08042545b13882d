"""A written package as one zip with its folders, to be handed over a network: the same package, the same bytes."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from nb2pkg.errors import OutputError
from nb2pkg.manifest import MANIFEST
from nb2pkg.repository import LOCAL_CONFIG, NO_SCM

_DATE = (1980, 1, 1, 0, 0, 0)
"""The earliest that a zip can say."""


def archive(package: Path, target: Path, besides: Iterable[str] = ()) -> None:
    """Write the files that nb2pkg wrote to the folder `package` to the zip `target`, below one folder of its name, and
    `besides` those of these that are there.

    What stages made, caches and the git repository stay behind, so DVC is told to work without one.
    """
    try:
        manifest = json.loads((package / MANIFEST).read_text(encoding="utf-8", errors="surrogateescape"))
        names = sorted({MANIFEST, *besides, *manifest["files"], *_below(package, manifest["moved"])})
    except (OSError, ValueError, KeyError, TypeError):
        raise OutputError("N615", "is no package of nb2pkg, or one without its manifest", file=str(package)) from None
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for name in names:
            path = package / name
            if path.is_file() and not path.is_symlink():
                with path.open("rb") as source, made.open(_entry(package, name), "w", force_zip64=True) as entry:
                    while block := source.read(1 << 20):
                        entry.write(block)
        made.writestr(_entry(package, LOCAL_CONFIG), NO_SCM)


def _below(package: Path, moved: Iterable[str]) -> Iterator[str]:
    """The files of the data that was copied, tracked or not."""
    for name in moved:
        yield name
        yield from (f.relative_to(package).as_posix() for f in (package / name).rglob("*"))


def _entry(package: Path, name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(f"{package.name}/{name}", _DATE)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry
