"""What is decided for a repository once each of its notebooks is known: names, files between notebooks, shared code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from nb2pkg.migrate.helpers import HelperModules, place_helpers
from nb2pkg.migrate.links import Links, link, workspace
from nb2pkg.migrate.names import subpackages
from nb2pkg.migrate.shared import Shared, find_shared
from nb2pkg.migrate.survey import Survey
from nb2pkg.pipeline import Options
from nb2pkg.plan.local_modules import imported_by
from nb2pkg.plan.types import Place


@dataclass(frozen=True, slots=True)
class Decision:
    """The frame of a package of many notebooks."""

    package: str
    names: tuple[tuple[str, str], ...]
    """(notebook, its subpackage below the package)."""
    links: Links
    shared: Shared
    helpers: HelperModules
    options: tuple[tuple[str, Options], ...]
    """How each notebook is converted."""


def decide(surveys: Sequence[Survey], package: str, there: frozenset[str], options: Options) -> Decision:
    """Decide for notebooks in natural order. `there` are the files of the repository, `options` what holds for all."""
    names = subpackages(surveys)
    links = link(surveys, there, names)
    shared = find_shared(surveys, package)
    helpers = place_helpers(surveys, package, names)
    imported, used = dict(helpers.imported), dict(helpers.used)
    chosen = [
        replace(
            options,
            package=f"{package}.{names[each.path]}",
            among=Place(
                folder=PurePosixPath(each.path).parent.as_posix(),
                workspace=workspace(each.path, links.own, names),
                shared=shared.imported_by(each),
                helpers=imported.get(each.path, ()),
                helper_files=used.get(each.path, ()),
                helper_imports=_imported_by_helpers(each),
                helper_texts=tuple((h.target, h.content, h.source) for h in each.helpers),
                made=links.made_for(each.path),
                common_folders=links.common_folders,
            ),
        )
        for each in surveys
    ]
    pairs = tuple((each.path, own) for each, own in zip(surveys, chosen, strict=True))
    return Decision(package, tuple(names.items()), links, shared, helpers, pairs)


def _imported_by_helpers(survey: Survey) -> tuple[str, ...]:
    own = {helper.target.split("/")[0].removesuffix(".py") for helper in survey.helpers}
    return tuple(sorted(imported_by(helper.content for helper in survey.helpers) - own))
