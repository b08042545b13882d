"""A package of many notebooks as the verifier reads it: the share of each, and whose files it needs."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from nb2pkg.errors import OutputError
from nb2pkg.verify.layout import (
    MANIFEST,
    Package,
    cells_of,
    check_kept,
    manifest_of,
    stages_of,
    values_of,
    words,
)


@dataclass(frozen=True, slots=True)
class Member:
    """One of the notebooks."""

    path: str
    """In its repository."""
    package: Package
    """With its own stages, in the whole package's folder."""
    reads: tuple[tuple[str, str], ...]
    """(notebook, file from the repository's root) that another one makes for it; no file: whatever that one writes."""
    upgraded: bool
    """What is kept to be run is not what it was in the repository: that was Python 2, and does not run today."""

    @property
    def needs(self) -> frozenset[str]:
        """The notebooks whose files it reads."""
        return frozenset(path for path, _ in self.reads)

    def from_root(self, path: str) -> str:
        """A path from its working folder as one from the repository's root."""
        inside = PurePosixPath(self.package.cwd).relative_to(self.package.workspace)
        return os.path.normpath(inside / path).replace(os.sep, "/")


@dataclass(frozen=True, slots=True)
class Joined:
    """A package of many notebooks."""

    whole: Package
    """All stages, without a notebook."""
    members: tuple[Member, ...]
    """Each after those whose files it reads."""

    def before(self, member: Member) -> tuple[Member, ...]:
        """The members that it needs, also through others, in order."""
        by_path = {each.path: each for each in self.members}
        found: set[str] = set()
        waiting = [*member.needs]
        while waiting:
            path = waiting.pop()
            if path not in found and path in by_path:
                found.add(path)
                waiting += by_path[path].needs
        return tuple(each for each in self.members if each.path in found)


def is_joined(root: Path) -> bool:
    """Whether an emitted folder is a package of many notebooks; raises OutputError where it is none at all."""
    return "members" in manifest_of(root)


def read_joined(root: Path) -> Joined:
    """Read the package of many notebooks in `root`; raises OutputError where something is missing in it."""
    manifest = manifest_of(root)
    stages = stages_of(root)
    whole = Package(
        root=root,
        name=str(manifest["package"]),
        notebook="",
        cwd="",
        cells=(),
        stages=tuple(stages),
        outs=frozenset(out for outs in stages.values() for out in outs),
        paths=(),
        modules=(),
        folders=(),
        data=frozenset(manifest.get("moved", ())),
        values=values_of(manifest),
        title=str(manifest["package"]),
        joined=True,
    )
    try:
        known = frozenset(entry["path"] for entry in manifest["members"])
        members = tuple(_member(entry, whole, known) for entry in manifest["members"])
    except (KeyError, TypeError, ValueError) as error:
        raise OutputError("N701", f"{MANIFEST} can't be read; migrate again", file=str(root)) from error
    texts = tuple(cell for member in members for cell in member.package.cells)
    return Joined(replace(whole, cells=texts), members)


def _member(entry: Mapping[str, Any], whole: Package, known: frozenset[str]) -> Member:
    notebook, own = str(entry["notebook"]), frozenset(words(entry["stages"]))
    check_kept(whole.root, notebook)
    package = replace(
        whole,
        notebook=notebook,
        cwd=str(entry["cwd"]),
        cells=cells_of(whole.root / notebook),
        stages=tuple(stage for stage in whole.stages if stage.name in own),
        modules=words(entry["beside"]),
        folders=words(entry["folders"]),
        title=str(entry["package"]),
        workspace=str(entry["workspace"]),
    )
    reads = tuple((str(path), str(file)) for path, file in entry["reads"] if path in known)
    return Member(str(entry["path"]), package, reads, bool(entry["upgraded"]))


def searched(package: Package) -> tuple[Path, ...]:
    """The folders from which the notebook's helper modules are imported, in the package's root."""
    modules = [PurePosixPath(path) for path in package.modules if path.endswith(".py")]
    found = {_above(path.parent, modules): None for path in modules}
    return tuple(package.root / folder for folder in (PurePosixPath(package.notebook).parent, *found))


def _above(folder: PurePosixPath, modules: Iterable[PurePosixPath]) -> PurePosixPath:
    """The first folder at or above one that is no package."""
    while folder / "__init__.py" in modules:
        folder = folder.parent
    return folder
