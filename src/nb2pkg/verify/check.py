"""The verification of one package, from its folder to the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from nb2pkg.verify.compare import Compared, compare, observed
from nb2pkg.verify.environment import Interpreter, interpreter
from nb2pkg.verify.layout import Package, read_package
from nb2pkg.verify.outcome import Outcome
from nb2pkg.verify.progress import Progress, Silent
from nb2pkg.verify.publish import parts, publish
from nb2pkg.verify.reference import Reference
from nb2pkg.verify.report import Check, Report, Verdict
from nb2pkg.verify.reproduction import Reproduction, reproduce
from nb2pkg.verify.scratch import scratch

FEWEST_RUNS, MOST_RUNS = 2, 4
"""The notebook runs again where something differs, for what its first runs may have agreed on by chance."""


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What the user chose."""

    python: str | None = None
    """The interpreter of the notebook; None: the current one."""
    kernel: str | None = None
    """The kernelspec that names it instead."""
    timeout: float | None = None
    """Seconds for each run."""


def verify(out: Path, options: VerifyOptions | None = None, progress: Progress | None = None) -> Report:
    """Run the notebook and the package of `out`, compare them, and write the report into its reports/."""
    options, progress = options or VerifyOptions(), progress or Silent()
    package = read_package(out.resolve())
    python = interpreter(options.python, options.kernel)
    with scratch(*parts(package.root)) as folder:
        notebook = Reference(
            package, python, folder, timeout=options.timeout, observed=observed(package), progress=progress
        )
        report = check(package, notebook, python, folder, options, progress)
        publish(report, package.root)
    return report


def check(
    package: Package,
    notebook: Reference,
    python: Interpreter,
    folder: Path,
    options: VerifyOptions,
    progress: Progress,
) -> Report:
    """Compare the package, run below the scratch `folder`, with the runs of the notebook."""
    numbers = count()

    def reproduced(again: bool) -> Reproduction:
        place = folder / f"package-{next(numbers)}"
        place.mkdir()
        return reproduce(package, python, place, timeout=options.timeout, progress=progress)

    return checked(package, notebook, python, folder, reproduced)


def checked(
    package: Package,
    notebook: Reference,
    python: Interpreter,
    folder: Path,
    reproduced: Callable[[bool], Reproduction],
    search: tuple[Path, ...] = (),
) -> Report:
    """Compare what the package did, its first time or `again`, with the runs of the notebook. `folder` is scratch, and
    from `search` the notebook's own modules are imported."""
    runs: list[Outcome] = []
    for number in range(FEWEST_RUNS):
        runs.append(notebook.run(number))
        if runs[-1].failure is not None:
            return _notebook_fails(package, python, runs)
    reproduction = reproduced(False)
    while True:
        checks = compare(Compared(package, tuple(runs), reproduction, search), python, folder)
        if reproduction.resumed and any(c.status == "different" for c in checks):
            # A stage that is taken from an interrupted run has only what dvc.yaml says that it makes.
            reproduction = reproduced(False)
            continue
        if not _may_be_chance(checks) or len(runs) == MOST_RUNS:
            break
        again = notebook.run(len(runs))
        if again.failure is not None:
            return _notebook_fails(package, python, [*runs, again])
        runs.append(again)
    if _may_be_chance(checks) and any(c.status == "not reproducible" for c in checks):
        second = reproduced(True)
        if second.outcome.failure is None:
            found = compare(Compared(package, tuple(runs), second, search), python, folder)
            checks = _without_chance(checks, found)
    failure = reproduction.outcome.failure
    verdict: Verdict = "equivalent"
    if any(c.status == "different" for c in checks):
        verdict = "different"
    if failure is not None:
        verdict = "package fails"
    return Report(
        package=package.title,
        notebook=package.notebook,
        python=python.path,
        verdict=verdict,
        reason=f"stage {failure.place}: {failure.error}" if failure else "",
        stages=tuple(stage.name for stage in package.stages),
        runs=len(runs),
        notebook_seconds=runs[0].seconds,
        package_seconds=reproduction.outcome.seconds,
        checks=checks,
    )


def _may_be_chance(checks: tuple[Check, ...]) -> bool:
    return any(check.status == "different" and check.kind != "stage" for check in checks)


def _without_chance(checks: tuple[Check, ...], second: tuple[Check, ...]) -> tuple[Check, ...]:
    """The checks of a notebook that draws without a seed: what a second run of the package shows as the notebook does
    differs by chance. What is wrong with a package is wrong each time."""
    wrong = {(c.kind, c.name) for c in second if c.status == "different"}
    chance = "another run of the package does what the notebook does"
    return tuple(
        replace(c, status="not reproducible", detail=chance, lines=(), expected="", got="")
        if c.status == "different" and c.kind != "stage" and (c.kind, c.name) not in wrong
        else c
        for c in checks
    )


def _notebook_fails(package: Package, python: Interpreter, runs: list[Outcome]) -> Report:
    """The notebook does not come to its end by itself: nothing is compared, and nothing is passed."""
    failure = runs[-1].failure
    assert failure is not None
    number = next((n for n, cell in enumerate(package.cells, 1) if cell.id == failure.place), 0)
    place = f"cell {number}" if number else "the notebook"
    if len(runs) > 1:
        place += f", in its run {len(runs)} only"
    return replace(
        not_run(package, python, "notebook fails", f"{place}: {failure.error}"),
        runs=len(runs),
        notebook_seconds=runs[0].seconds,
        cell=next((cell.index for cell in package.cells if cell.id == failure.place), None),
    )


def not_run(package: Package, python: Interpreter, verdict: Verdict, reason: str) -> Report:
    """The report where nothing could be compared."""
    checks = [Check("stage", stage.name, "not run", stage=stage.name) for stage in package.stages]
    checks += [
        Check("text", f"cell {n}", "not run", cell.id, n, package.stage_of(cell.id))
        for n, cell in enumerate(package.cells, 1)
    ]
    return Report(
        package=package.title,
        notebook=package.notebook,
        python=python.path,
        verdict=verdict,
        reason=reason,
        stages=tuple(stage.name for stage in package.stages),
        runs=0,
        notebook_seconds=0.0,
        package_seconds=0.0,
        checks=tuple(checks),
    )
