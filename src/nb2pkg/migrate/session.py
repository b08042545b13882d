"""A migration as people run it: one repository or several, on this disk or elsewhere, in processes, with a journal.

What goes in: paths or URLs. What comes out: the package in `out`, or several below it, with a report; and beside `out`
the journal, from which a run that was interrupted goes on.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.errors import Nb2pkgError, OutputError
from nb2pkg.migrate import Migrated, MigrateOptions, migrate
from nb2pkg.migrate.journal import Journal
from nb2pkg.migrate.progress import Watcher
from nb2pkg.migrate.remote import bring, check_free, deliver, is_remote
from nb2pkg.migrate.report import publish
from nb2pkg.migrate.run import How, Runner
from nb2pkg.migrate.types import Migration
from nb2pkg.migrate.work import work
from nb2pkg.verify.scratch import scratch

UNFINISHED = ".nb2pkg-unfinished"
"""The file that says of a folder for several packages that some are missing: running it again is no overwriting."""


def migrate_all(
    sources: Sequence[str],
    out: str,
    options: MigrateOptions,
    how: How | None = None,
    watcher: Watcher | None = None,
    on_done: Callable[[Migrated], None] = lambda one: None,
    then: Callable[[Migrated], Migrated] = lambda one: one,
) -> tuple[Migrated, ...]:
    """Migrate each source: one to `out`, several to folders below it, which gets one report on all. `then` is done to
    each package once it is written.

    Raises Nb2pkgError where nothing can be done. Of several sources, one that can't be migrated is told in the report.
    """
    if is_remote(out):
        check_free(out, options.force)
    with _folder_for(out) as folder, Runner(work, how, watcher) as runner:
        if len(sources) == 1:
            made: tuple[Migrated, ...] = (_one(sources[0], folder, _journal(out), options, runner, then),)
            on_done(made[0])
        else:
            made = tuple(_several(sources, folder, out, options, runner, on_done, then))
        if is_remote(out):
            deliver(folder, out, options.force)
    return made


def _several(
    sources: Sequence[str],
    folder: Path,
    out: str,
    options: MigrateOptions,
    runner: Runner,
    on_done: Callable[[Migrated], None],
    then: Callable[[Migrated], Migrated],
) -> Iterator[Migrated]:
    if options.package:
        raise OutputError("N603", "--package names one package, and there are several sources; leave it out", file=out)
    mark = folder / UNFINISHED
    if mark.exists():  # the packages that are there already may be written again
        options = replace(options, force=True)
    folder.mkdir(parents=True, exist_ok=True)
    mark.touch()
    made: list[Migrated] = []
    for source, name in zip(sources, _names(sources), strict=True):
        target = folder / name
        try:
            one = _one(source, target, _journal(f"{out.rstrip('/')}/{name}"), options, runner, then)
        except Nb2pkgError as error:
            told = Diagnostic(error.code, str(error), severity="error")
            one = Migrated(target, Migration(name, "", (), diagnostics=(told,)))
        made.append(one)
        on_done(one)
        yield one
    publish([one.migration for one in made], folder)
    mark.unlink()


def _one(
    source: str, out: Path, journal: Path, options: MigrateOptions, runner: Runner, then: Callable[[Migrated], Migrated]
) -> Migrated:
    with _folder_of(source) as folder, Journal(journal) as kept:
        made = migrate(folder, out, options, lambda tasks: runner.run(tasks, kept))
        kept.prune()
        made = replace(made, diagnostics=(*kept.diagnostics, *made.diagnostics))
    return then(made)


def _names(sources: Sequence[str]) -> list[str]:
    """A folder's name for each source, its own where no other has that."""
    names: list[str] = []
    for source in sources:
        own = PurePosixPath(source.replace(os.sep, "/").rstrip("/")).name or "repository"
        own = Path(source).resolve().name if own in (".", "..") else own
        number, name = 1, own
        while name in names:
            number += 1
            name = f"{own}_{number}"
        names.append(name)
    return names


def _journal(out: str) -> Path:
    """Where the journal of an output lies: beside it, or among the user's caches where that is elsewhere."""
    if not is_remote(out):
        target = Path(out).resolve()
        return target.parent / f".{target.name}.nb2pkg-journal"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "nb2pkg" / f"{hashlib.sha256(out.encode()).hexdigest()[:16]}.nb2pkg-journal"


@contextlib.contextmanager
def _folder_of(source: str) -> Iterator[Path]:
    """The source as a folder of this machine, under its own name."""
    if not is_remote(source):
        yield Path(source)
        return
    with scratch() as place:
        folder = place / (PurePosixPath(source.rstrip("/")).name or "repository")
        bring(source, folder)
        yield folder


@contextlib.contextmanager
def _folder_for(out: str) -> Iterator[Path]:
    """The folder in which the output is made."""
    if not is_remote(out):
        yield Path(out)
        return
    with scratch() as place:
        yield place / "out"
