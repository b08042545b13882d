"""One notebook's share of a migration: a task in, an outcome out. It runs in any process that sees the repository."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit.part import Part
from nb2pkg.errors import Nb2pkgError
from nb2pkg.migrate.journal import read
from nb2pkg.migrate.survey import Survey, survey
from nb2pkg.migrate.types import Fingerprint, Outcome, Task
from nb2pkg.pipeline import part


def work(task: Task) -> Outcome:
    """Do the task. What the user's input does not allow is an outcome; any other exception is a bug, and comes out."""
    root = Path(task.root)
    try:
        if task.step == "survey":
            seen = survey(root, task.notebook, task.options)
            return Outcome(task.step, task.name, "done", seen, depends=_of_survey(task, seen))
        made, plan = part(root / task.notebook.path, replace(task.options, within=root))
        relative = replace(made, copies=tuple(replace(c, source=_below(c.source, root)) for c in made.copies))
        diagnostics = (*plan.diagnostics, *made.diagnostics)
        return Outcome(task.step, task.name, "done", relative, diagnostics, depends=_of_part(task, made))
    except Nb2pkgError as error:
        told = Diagnostic(error.code, error.message, error.cell, severity="error")
        return Outcome(task.step, task.name, "refused", None, (told,), error.message, depends=_of_refusal(task))


def _below(path: Path, root: Path) -> Path:
    return path.resolve().relative_to(root.resolve())


def _of_survey(task: Task, seen: Survey) -> tuple[Fingerprint, ...]:
    return _read(task, (*(h.source for h in seen.helpers if h.source), *seen.runs))


def _of_part(task: Task, made: Part) -> tuple[Fingerprint, ...]:
    return _read(task, (path.removeprefix("notebooks/") for path, _ in made.kept[1:]))


def _of_refusal(task: Task) -> tuple[Fingerprint, ...]:
    """Notebooks and modules beside it that its text names: the reason may lie in one that it runs or imports."""
    path = Path(task.root) / task.notebook.path
    try:
        text = path.read_bytes()
        beside = [other for other in path.parent.iterdir() if other != path and other.suffix in (".py", ".ipynb")]
    except OSError:
        return ()
    named = (o for o in beside if o.stem.encode() in text or o.stem.replace(" ", "_").encode() in text)
    return _read(task, (other.relative_to(task.root).as_posix() for other in named))


def _read(task: Task, paths: Iterable[str]) -> tuple[Fingerprint, ...]:
    return tuple(read(task.root, path) for path in sorted(set(paths)))
