"""The names of a migration: of its package, of each notebook's subpackage, of the helper modules in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from nb2pkg.migrate.survey import Survey
from nb2pkg.pipeline import package_name
from nb2pkg.refactor.runtime_names import RUNTIME_MODULES

_SAYS_NOTHING = re.compile(r"(untitled|notebook|main|index|copy|code|new|temp|tmp|scratch|final|draft)?[\W\d_]*", re.I)
_OWN = frozenset({*RUNTIME_MODULES, "const", "shared"})


def subpackages(surveys: Sequence[Survey]) -> dict[str, str]:
    """A name for each notebook's subpackage: of its file, where that says something, else of its heading or its
    folder; with the folders above it where two would have one name."""
    wanted = {each.path: _candidates(each) for each in surveys}
    names: dict[str, str] = {}
    taken: dict[str, str] = {}
    for depth in range(max(map(len, wanted.values()), default=0)):
        left = [path for path in wanted if path not in names]
        proposed: dict[str, list[str]] = {}
        for path in left:
            proposed.setdefault(wanted[path][min(depth, len(wanted[path]) - 1)], []).append(path)
        for name, paths in proposed.items():
            if len(paths) == 1 and name not in taken and name not in _OWN and not name.startswith("shared"):
                names[paths[0]] = name
                taken[name] = paths[0]
    for path, found in wanted.items():
        if path not in names:
            names[path] = free_name(found[0], taken)
            taken[names[path]] = path
    return names


def free_name(name: str, taken: Iterable[str]) -> str:
    """The name with the first number behind it that makes it nobody else's."""
    used = {*taken, *_OWN}
    number, found = 1, name
    while found in used:
        number += 1
        found = f"{name}_{number}"
    return found


def helper_names(units: Mapping[str, str], taken: Mapping[str, str]) -> dict[str, str]:
    """A name for each helper module or package (by its path from the repository's root): its own, with its folder's
    where that is taken."""
    names: dict[str, str] = {}
    for unit, path in units.items():
        parts = [package_name(part) for part in path.removesuffix(".py").split("/")]
        own = path.rpartition("/")[2].removesuffix(".py")
        others = {*taken.values(), *names.values()}
        longer = ["_".join(parts[-count:]) for count in range(2, len(parts) + 1)]
        free = (name for name in (own, *longer) if name not in others and name not in _OWN)
        names[unit] = next(free, None) or free_name(own, others)
    return names


def _candidates(survey: Survey) -> list[str]:
    """Names in the order in which they are tried, the last one with all folders."""
    *folders, file = survey.path.removesuffix(".ipynb").split("/")
    says_nothing = _SAYS_NOTHING.fullmatch(file) is not None
    first = package_name(survey.title if says_nothing and survey.title else file)
    if says_nothing and not survey.title and folders:
        first = package_name(folders.pop())
    named = [package_name(folder) for folder in folders]
    longer = ["_".join([*named[-count:], first]) for count in range(1, len(named) + 1)]
    return [first, *longer]
