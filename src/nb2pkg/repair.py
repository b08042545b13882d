"""A conversion that is verified, and made again with less until it is equivalent: `nb2pkg NOTEBOOK OUT --verify`.

The bottom rung (one stage, nothing lifted, nothing wrapped) says what a plan can reach at all. What it does not
reach is no fault of the plan. Then, from the first place that differs, one thing after the other is switched off, and
stays off where that helped. Every step that stays gets further, so this ends, at worst at the bottom rung. Packages are
made and run in scratch folders; `out` gets the last one.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit.tree import Tree
from nb2pkg.pipeline import Converted, Options, tree
from nb2pkg.plan.types import Plan
from nb2pkg.read.formats import NotebookFile
from nb2pkg.verify.check import VerifyOptions, check
from nb2pkg.verify.compare import observed
from nb2pkg.verify.environment import Interpreter, interpreter
from nb2pkg.verify.layout import Package, read_package
from nb2pkg.verify.progress import Progress, Silent
from nb2pkg.verify.publish import parts, publish
from nb2pkg.verify.reference import Reference
from nb2pkg.verify.report import Check, Report, Step
from nb2pkg.verify.scratch import scratch
from nb2pkg.write import check_output, staging_pattern, write

END = 1_000_000
"""The place of what belongs to no cell: after all of them."""
_NAMES = re.compile(r"(?:NameError|UnboundLocalError|AttributeError)\b")
_STORING = re.compile(r"nothing can store|pickl", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Attempt:
    """A package that was made with some options, and how it came out."""

    options: Options
    tree: Tree
    plan: Plan
    told: tuple[Diagnostic, ...]
    package: Package
    report: Report

    def place(self, one: Check) -> int:
        """Which code cell of the notebook something belongs to, from 1."""
        if one.number:
            return one.number
        order = {cell.id: number for number, cell in enumerate(self.package.cells, 1)}
        stage = next((stage for stage in self.package.stages if stage.name == one.stage), None)
        places = [order[host] for host in map(self.package.host, stage.cells) if host] if stage else []
        if not places:
            return END
        return min(places) if one.kind == "stage" else max(places)

    def bad(self, hopeless: frozenset[tuple[str, str]]) -> list[Check]:
        """What differs and can be helped, first things first."""
        found = [one for one in self.report.different if (one.kind, one.name) not in hopeless]
        return sorted(found, key=self.place)

    def reached(self, hopeless: frozenset[tuple[str, str]]) -> tuple[int, int]:
        """How far it is right, and how much is wrong after that; more is better."""
        bad = self.bad(hopeless)
        return (self.place(bad[0]), -len(bad)) if bad else (END + 1, 0)


@dataclass(frozen=True, slots=True)
class _Change:
    """Something to switch off, in words and as options."""

    words: str
    options: Options


class _Trials:
    """Makes and checks packages below a scratch folder, against the same runs of the notebook."""

    def __init__(
        self,
        notebook: Path | NotebookFile,
        folder: Path,
        python: Interpreter,
        options: VerifyOptions,
        progress: Progress,
    ) -> None:
        self._notebook = notebook
        self._folder = folder
        self._python = python
        self._options = options
        self._progress = progress
        self._reference: Reference | None = None
        self._count = 0
        self._known: dict[Options, _Attempt] = {}

    def attempt(self, options: Options) -> _Attempt:
        """The package with these options, run and compared."""
        if options not in self._known:
            self._known[options] = self._made(options)
        return self._known[options]

    def _made(self, options: Options) -> _Attempt:
        self._count += 1
        folder = self._folder / f"attempt-{self._count}"
        folder.mkdir()
        made, plan, told = tree(self._notebook, options)
        write(made, folder / "out", git=False)
        package = read_package(folder / "out")
        if self._reference is None:
            self._reference = Reference(
                package,
                self._python,
                self._folder,
                timeout=self._options.timeout,
                observed=observed(package),
                progress=self._progress,
            )
        report = check(package, self._reference, self._python, folder, self._options, self._progress)
        if self._count > 1:  # the first one is what the notebook's folder is made from
            shutil.rmtree(folder / "out", ignore_errors=True)
        return _Attempt(options, made, plan, told, package, report)


def convert_verified(
    notebook: Path | NotebookFile,
    out: Path,
    options: Options,
    kernel: str | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> tuple[Converted, Report]:
    """Write the package of `notebook` to `out` with what does not keep its results switched off, and its report."""
    progress = progress or Silent()
    check_output(tree(notebook, options)[0], out, force=options.force)  # before anything runs
    python = interpreter(options.python, kernel)
    target = out.resolve()
    with scratch(*parts(target), staging_pattern(target)) as folder:
        trials = _Trials(notebook, folder, python, VerifyOptions(options.python, kernel, timeout), progress)
        first = trials.attempt(options)
        steps: list[Step] = []
        last = first
        if first.report.verdict in ("different", "package fails"):
            last = _repaired(first, trials.attempt, steps)
        report = replace(last.report, repair=tuple(steps), stages_before=len(first.plan.stages))
        written = write(last.tree, out, force=options.force, git=options.git)
        publish(report, target)
    told = (*last.told, *written, *_told(report))
    return Converted(out=out, plan=last.plan, diagnostics=told), report


def _repaired(first: _Attempt, attempt: Callable[[Options], _Attempt], steps: list[Step]) -> _Attempt:
    def tried(change: _Change, current: _Attempt, hopeless: frozenset[tuple[str, str]]) -> _Attempt | None:
        made = attempt(change.options)
        helped = made.reached(hopeless) > current.reached(hopeless)
        steps.append(Step(change.words, _why(current, current.bad(hopeless)[0]), helped))
        return made if helped else None

    nothing: frozenset[tuple[str, str]] = frozenset()
    bottom = tried(_bottom(first), first, nothing)
    if bottom is None:
        return first
    hopeless = frozenset((one.kind, one.name) for one in bottom.report.different)
    if not first.bad(hopeless):
        return first
    flat = None
    if len(first.plan.stages) > 1:
        flat = tried(_flat(first), first, hopeless)
    current = first
    while bad := current.bad(hopeless):
        for change in _changes(current, bad[0], flat is not None):
            made = tried(change, current, hopeless)
            if made is not None:
                current = made
                break
        else:
            return flat if flat is not None and not flat.bad(hopeless) else bottom
    return current


def _why(attempt: _Attempt, one: Check) -> str:
    stage = f" (stage {one.stage})" if one.stage and one.kind != "stage" else ""
    detail = f": {one.detail}" if one.detail else ""
    return f"{one.kind} {one.name}{stage}{detail}"[:300]


def _all_cells(attempt: _Attempt) -> tuple[str, ...]:
    return tuple(cell for stage in attempt.package.stages for cell in stage.cells)


def _bottom(first: _Attempt) -> _Change:
    joined = tuple(stage.begins_in for stage in first.plan.stages[1:])
    cells = _all_cells(first)
    options = _more(first.options, joined=joined, unlifted=cells, unwrapped=cells)
    return _Change("one stage, nothing lifted, names of the module, files in their places", _unmoved(options))


def _flat(first: _Attempt) -> _Change:
    cells = _all_cells(first)
    options = _more(first.options, unlifted=cells, unwrapped=cells)
    return _Change("nothing lifted, names of the module, files in their places", _unmoved(options))


def _unmoved(options: Options) -> Options:
    return replace(options, keep_layout=True)


def _changes(current: _Attempt, bad: Check, by_place: bool) -> Iterator[_Change]:
    """What may be switched off for the stage of what is bad, the least first.

    `by_place`: that something other than cuts is at fault somewhere has been seen.
    """
    stages = current.plan.stages
    i = next((n for n, stage in enumerate(stages) if stage.name == bad.stage), len(stages) - 1)
    cells = current.package.stages[i].cells
    unlifted = _Change(
        f"the literals and the pickling of stage {stages[i].name} stay as they are",
        _more(current.options, unlifted=(*stages[i].constants_from, *cells)),
    )
    unwrapped = _Change(
        f"names of stage {stages[i].name} are the module's", _more(current.options, unwrapped=cells[:1])
    )
    local: list[_Change] = []
    if by_place:
        local.append(unlifted)
        moved = not current.options.keep_layout
        local += [_Change("the files keep their places", _unmoved(current.options))] if moved else []
        local += [unwrapped] if not stages[i].module_scope else []
        if _NAMES.search(bad.detail):
            local.reverse()
    yield from local
    if _STORING.search(bad.detail) and i + 1 < len(stages):
        yield _joined(current, i + 1, i + 1)
    for start in dict.fromkeys((i, i - 1, 1)):
        if 0 < start <= i:
            yield _joined(current, start, i)


def _joined(current: _Attempt, first: int, last: int) -> _Change:
    stages = current.plan.stages
    gone = stages[first : last + 1]
    words = f"{', '.join(stage.name for stage in gone)} joined to {stages[first - 1].name}"
    return _Change(words, _more(current.options, joined=tuple(stage.begins_in for stage in gone)))


def _more(
    options: Options,
    joined: tuple[str, ...] = (),
    unlifted: tuple[str, ...] = (),
    unwrapped: tuple[str, ...] = (),
) -> Options:
    """The options with more switched off."""
    return replace(
        options,
        joined=tuple(dict.fromkeys((*options.joined, *joined))),
        unlifted=tuple(dict.fromkeys((*options.unlifted, *unlifted))),
        unwrapped=tuple(dict.fromkeys((*options.unwrapped, *unwrapped))),
    )


def _told(report: Report) -> Iterator[Diagnostic]:
    if report.verdict == "notebook fails":
        yield Diagnostic("N712", f"not verified: the notebook fails by itself in {report.reason}")
        return
    for step in report.repair:
        if step.helped and report.verdict == "equivalent":
            yield Diagnostic("N710", f"{step.change}, because this differed: {step.why}", severity="info")
    for one in report.different[:20]:
        yield Diagnostic("N711", f"differs from the notebook: {one.kind} {one.name}: {one.detail}".rstrip(": "))
