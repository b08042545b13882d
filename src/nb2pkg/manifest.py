"""The manifest of a package: every file that nb2pkg wrote, by its hash, so that edits by hand are seen."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from nb2pkg.pages import part

MANIFEST = ".nb2pkg/manifest.json"


def manifest_text(manifest: Mapping[str, Any]) -> str:
    """The file's contents."""
    return json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def unedited(out: Path, names: Iterable[str]) -> bool:
    """Whether these files of a package are there as they were written."""
    files = _read(out)["files"]
    return all((out / name).is_file() and _digest((out / name).read_bytes()) == files.get(name) for name in names)


def rewrite(out: Path, texts: Mapping[str, str]) -> None:
    """Write files of a package again, so that they do not count as edited by hand; raises OSError.

    Each is whole or not at all, and all are ready before the first is put in its place.
    """
    manifest = _read(out)
    contents = {name: text.encode("utf-8", "backslashreplace") for name, text in texts.items()}
    manifest["files"] |= {name: _digest(data) for name, data in contents.items()}
    contents[MANIFEST] = manifest_text(manifest).encode("utf-8", "surrogateescape")
    try:
        for name, data in contents.items():
            part(out / name).write_bytes(data)
        for name in contents:
            os.replace(part(out / name), out / name)
    finally:
        for name in contents:
            part(out / name).unlink(missing_ok=True)


def _read(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / MANIFEST).read_text(encoding="utf-8", errors="surrogateescape"))
    return found


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
