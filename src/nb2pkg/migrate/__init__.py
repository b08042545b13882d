"""Whole repositories: one package, one pipeline over all notebooks, and a report of what became of each.

    scan      folder -> Repository              its notebooks
    survey    notebook -> Survey                what each defines, reads and writes      (one task a notebook)
    decide    [Survey] -> Decision              names, files between notebooks, shared code, helper modules
    convert   notebook -> Part                  its subpackage and stages                (one task a notebook)
    merge     [Part] -> Tree                    one package
    write     Tree -> out/                      whole or not at all

What goes in: a folder, which is only read. `types.py` has the values that travel between the parts.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from nb2pkg.errors import OutputError

if TYPE_CHECKING:
    from nb2pkg.diagnostics import Diagnostic
    from nb2pkg.migrate.scan import Repository
    from nb2pkg.migrate.types import Migration, Outcome, Step, Task
    from nb2pkg.pipeline import Options

Runner = Callable[[Sequence["Task"]], Iterable["Outcome"]]
"""Does tasks, anywhere, and gives their outcomes in the tasks' order, as often as they are asked for."""


@dataclass(frozen=True, slots=True)
class MigrateOptions:
    """What the user chose for a repository."""

    package: str = ""
    """The package's name; empty: from the repository's."""
    notebook: Options | None = None
    """What holds for every notebook."""
    force: bool = False
    git: bool = True


@dataclass(frozen=True, slots=True)
class Migrated:
    """A repository that was migrated."""

    out: Path
    migration: Migration
    diagnostics: tuple[Diagnostic, ...] = field(default=())
    """On writing."""


def migrate(source: Path, out: Path, options: MigrateOptions, run: Runner) -> Migrated:
    """Write the package of all notebooks of the repository `source` to `out`, with `run` for what is done to each.

    Raises Nb2pkgError where there is nothing to migrate, or the folder won't do.
    """
    from nb2pkg.emit.part import Part
    from nb2pkg.migrate.age import of_its_time
    from nb2pkg.migrate.copies import without_copies
    from nb2pkg.migrate.decide import decide
    from nb2pkg.migrate.merge import merge, own_files, without_files
    from nb2pkg.migrate.report import report_files
    from nb2pkg.migrate.result import migration
    from nb2pkg.migrate.scan import scan
    from nb2pkg.migrate.survey import Survey
    from nb2pkg.pipeline import Options, package_name
    from nb2pkg.write import write

    _check_apart(source, out)
    repository = scan(source)
    base, dated = of_its_time(options.notebook or Options(), repository)
    there = files_of(source)
    listing = hashlib.sha256("\n".join(sorted(p for p in there if not p.endswith(".ipynb"))).encode()).hexdigest()
    outcomes = {o.path: o for o in run(_tasks("survey", repository, {}, base, listing))}
    surveys = {path: o.value for path, o in outcomes.items() if isinstance(o.value, Survey)}
    repository = without_copies(repository, surveys)
    surveys = {n.path: surveys[n.path] for n in repository.notebooks if n.path in surveys}
    roots = frozenset(name for survey in surveys.values() for name in survey.imports)
    package = options.package or package_name(repository.name, roots)
    while True:
        listed = [surveys[n.path] for n in repository.notebooks if n.path in surveys]
        decision = decide(listed, package, there, base)
        tasks = _tasks("convert", repository, dict(decision.options), base, listing)
        converted = run([t for t in tasks if t.name in surveys])
        parts: dict[str, Part] = {}
        templates: dict[str, bytes] = {}
        failed: list[str] = []
        for outcome in converted:
            if isinstance(outcome.value, Part):
                templates |= dict(outcome.value.templates)
                parts[outcome.path] = without_files(outcome.value)
                outcomes[outcome.path] = replace(outcome, value=parts[outcome.path])
            else:
                outcomes[outcome.path] = outcome
                failed.append(outcome.path)
        if not failed:
            break
        for path in failed:  # the others are planned again without it
            del surveys[path]
    tree, told = merge(decision, parts, templates, source.resolve(), repository.name)
    found = migration(repository, decision, outcomes, (*dated, *told))
    tree = replace(tree, files=(*tree.files, *report_files(found)))
    files = (file for o in converted if isinstance(o.value, Part) for file in own_files(o.value))
    written = write(tree, out, force=options.force, git=options.git, more=files)
    return Migrated(out, found, written)


def _tasks(
    step: Step, repository: Repository, chosen: Mapping[str, Options], base: Options, listing: str
) -> list[Task]:
    """A task for each notebook, with the options that were chosen for it or else those for all."""
    from nb2pkg.migrate.types import Task

    root = str(repository.root.resolve())
    return [Task(step, root, n, chosen.get(n.path, base), listing) for n in repository.notebooks]


def files_of(root: Path) -> frozenset[str]:
    """Every file of a repository, those that git ignores too; posix, from its root."""
    found: set[str] = set()
    for folder, folders, files in os.walk(root):
        folders[:] = [name for name in folders if name not in (".git", ".ipynb_checkpoints", "__pycache__")]
        here = Path(folder).relative_to(root).as_posix()
        found.update(name if here == "." else f"{here}/{name}" for name in files)
    return frozenset(found)


def _check_apart(source: Path, out: Path) -> None:
    """Raise OutputError where the package would lie in the repository, or the repository in the package."""
    one, other = source.resolve(), out.resolve()
    if one == other or one in other.parents or other in one.parents:
        raise OutputError("N604", "lies in the repository, or holds it; name a folder apart from it", file=str(out))


def in_turn(tasks: Sequence[Task]) -> Iterable[Outcome]:
    """Do tasks in this process, one after the other."""
    from nb2pkg.migrate.work import work

    return [work(task) for task in tasks]
