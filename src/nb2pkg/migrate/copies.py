"""Notebooks with the same bytes in several folders. Where one reads a file or module beside it, another does something
else: only those that need nothing around them are taken once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from nb2pkg.migrate.scan import Repository
from nb2pkg.migrate.survey import Survey
from nb2pkg.migrate.types import Found


def without_copies(repository: Repository, surveys: Mapping[str, Survey]) -> Repository:
    """The repository without the notebooks that do what another one does, which has them among its copies."""
    kept: dict[str, Found] = {}
    first: dict[str, str] = {}
    for notebook in repository.notebooks:
        survey = surveys.get(notebook.path)
        same = first.get(notebook.sha256)
        if same is not None and (survey is None or _needs_nothing(survey)):
            kept[same] = replace(kept[same], copies=(*kept[same].copies, notebook.path, *notebook.copies))
        else:
            first.setdefault(notebook.sha256, notebook.path)
            kept[notebook.path] = notebook
    return replace(repository, notebooks=tuple(kept.values()))


def _needs_nothing(survey: Survey) -> bool:
    around = (survey.reads, survey.writes, survey.folders, survey.helpers, survey.runs)
    return not any(around) and not survey.reads_unknown
