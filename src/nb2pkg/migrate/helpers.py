"""Helper modules beside the notebooks: each becomes a module of the package, once, under a name of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.migrate.names import helper_names
from nb2pkg.migrate.survey import Helper, Survey
from nb2pkg.plan.types import WORKSPACE_FOLDER
from nb2pkg.refactor.helper_imports import mended
from nb2pkg.refactor.module_files import asks_for_its_file, lying_at


@dataclass(frozen=True, slots=True)
class HelperModules:
    """The helper modules of a repository."""

    files: tuple[tuple[str, bytes], ...]
    """(path from the package's root, contents), their own imports mended."""
    imported: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    """For each notebook: (module as it is imported, full name) of its helpers."""
    kept: tuple[tuple[str, bytes], ...]
    """(path from the repository's root, contents) of each file that lies there, as the notebooks import it."""
    beside: tuple[tuple[str, tuple[str, ...]], ...]
    """For each notebook: those that it needs."""
    used: tuple[tuple[str, tuple[str, ...]], ...]
    """For each notebook: the paths of the helpers' files that it needs."""
    secrets: tuple[str, ...] = ()
    """Variables of the environment that they read."""
    told: tuple[Diagnostic, ...] = ()


def place_helpers(surveys: Sequence[Survey], package: str, taken: Mapping[str, str]) -> HelperModules:
    """Find a place in `package` for every helper; `taken` are the names that notebooks have there."""
    units: dict[str, str] = {}
    texts: dict[str, dict[str, Helper]] = {}
    owners: dict[str, str] = {}
    by_notebook: dict[str, dict[str, str]] = {}
    for survey in surveys:
        for root, files in _by_root(survey.helpers).items():
            digest = _digest(files)
            unit = owners.setdefault(digest, f"{_path(survey, root, files[0])}#{digest}")
            units.setdefault(unit, unit.partition("#")[0])
            texts.setdefault(unit, {f.target: f for f in files})
            by_notebook.setdefault(survey.path, {})[root] = unit
    names = helper_names(units, taken)
    full = {path: {root: f"{package}.{names[unit]}" for root, unit in own.items()} for path, own in by_notebook.items()}
    made: dict[str, bytes] = {}
    paths: dict[str, list[str]] = {}
    for path, own in by_notebook.items():
        for unit in own.values():
            if unit not in paths:
                placed = {_target(package, names[unit], target): file for target, file in texts[unit].items()}
                made |= {target: _mended(_placed(file, target), full[path]) for target, file in placed.items()}
                paths[unit] = sorted(placed)
    used = {path: tuple(sorted(p for u in own.values() for p in paths[u])) for path, own in by_notebook.items()}
    there = {survey.path: {f.source: f.content for f in survey.helpers if f.source} for survey in surveys}
    return HelperModules(
        files=tuple(sorted(made.items())),
        kept=tuple(sorted({path: content for own in there.values() for path, content in own.items()}.items())),
        beside=tuple((path, tuple(sorted(own))) for path, own in there.items() if own),
        imported=tuple((path, tuple(sorted(modules.items()))) for path, modules in full.items()),
        used=tuple(used.items()),
        secrets=tuple(dict.fromkeys(name for survey in surveys for name in survey.secrets)),
        told=tuple(dict.fromkeys(each for survey in surveys for each in survey.told)),
    )


def _by_root(helpers: Sequence[Helper]) -> dict[str, list[Helper]]:
    found: dict[str, list[Helper]] = {}
    for each in helpers:
        found.setdefault(each.target.split("/")[0].removesuffix(".py"), []).append(each)
    return found


def _digest(files: Sequence[Helper]) -> str:
    digest = hashlib.sha256()
    for each in files:
        place = each.source if asks_for_its_file(each.content) else ""
        digest.update(f"{each.target}\0{place}\0{len(each.content)}\0".encode() + each.content)
    return digest.hexdigest()


def _placed(file: Helper, target: str) -> bytes:
    return lying_at(file.content, target, f"{WORKSPACE_FOLDER}/{file.source}") if file.source else file.content


def _path(survey: Survey, root: str, first: Helper) -> str:
    """Where the module lies, from the repository's root; what a notebook writes itself lies beside it."""
    if not first.source:
        return (PurePosixPath(survey.path).parent / f"{root}.py").as_posix()
    above = first.source.removesuffix(first.target)
    return above + first.target.split("/")[0]


def _target(package: str, name: str, target: str) -> str:
    first, _, rest = target.partition("/")
    return f"{package}/{name}/{rest}" if rest else f"{package}/{name}{PurePosixPath(first).suffix}"


def _mended(content: bytes, modules: Mapping[str, str]) -> bytes:
    try:
        return mended(content.decode("utf-8"), modules).encode()
    except UnicodeDecodeError:
        return content
