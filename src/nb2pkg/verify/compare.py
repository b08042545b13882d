"""Compares the runs of the notebook with the package's run: what was shown, the files, the variables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from nb2pkg.verify import sameness
from nb2pkg.verify.environment import Interpreter, environment
from nb2pkg.verify.figures import figure_difference, is_live
from nb2pkg.verify.layout import Package
from nb2pkg.verify.lines import cell_lines, differences, expected_lines, normaliser
from nb2pkg.verify.outcome import CellOutcome, Outcome
from nb2pkg.verify.processes import run
from nb2pkg.verify.report import Check, Kind, Status
from nb2pkg.verify.reproduction import Reproduction


@dataclass(frozen=True, slots=True)
class Compared:
    """Both sides."""

    package: Package
    runs: tuple[Outcome, ...]
    """At least two runs of the notebook, all to their end."""
    reproduction: Reproduction
    search: tuple[Path, ...] = ()
    """Where the notebook's own modules are imported from, if not in the package's root."""

    @property
    def got(self) -> Outcome:
        """The package's run."""
        return self.reproduction.outcome

    def number(self, cell: str) -> int:
        """Which code cell it is, from 1."""
        return next((n for n, each in enumerate(self.package.cells, 1) if each.id == cell), 0)

    def has_run(self, stage: str) -> bool:
        """Whether the stage came to its end; what belongs to none is asked of the whole."""
        return stage in self.reproduction.ran if stage else self.got.failure is None


def compare(both: Compared, python: Interpreter, scratch: Path) -> tuple[Check, ...]:
    """Every check, in the order of stages, cells, files and variables."""
    checks = [*_stages(both)]
    cells = _by_cell(both.got)
    ids = [cell.id for cell in both.package.cells]
    for cell in (*ids, *(extra for extra in cells if extra not in ids)):
        checks += _text(both, cell, cells.get(cell))
        checks += _figures(both, cell, cells.get(cell))
    checks += _by_content(both, python, scratch)
    return tuple(checks)


def observed(package: Package) -> dict[str, tuple[str, ...]]:
    """Cell -> the variables that the package saves there: at the ends of stages that are ends of cells."""
    found: dict[str, tuple[str, ...]] = {}
    values = dict(package.values)
    for stage, cell in _ends(package):
        names = {name for folder in stage for name in values.get(folder, ())}
        if names:
            found[cell] = tuple(sorted(names))
    return found


def _ends(package: Package) -> Iterable[tuple[tuple[str, ...], str]]:
    """(folders that a stage saves, its last cell), for each stage whose last cell is no other stage's too."""
    order = {cell.id: cell.index for cell in package.cells}
    for number, stage in enumerate(package.stages):
        own = [host for host in map(package.host, stage.cells) if host]
        later = {package.host(cell) for other in package.stages[number + 1 :] for cell in other.cells}
        if own and (last := max(own, key=order.__getitem__)) not in later:
            yield stage.saves, last


# -- stages --------------------------------------------------------------------------------------------------------


def _stages(both: Compared) -> Iterable[Check]:
    failure = both.got.failure
    for stage in both.package.stages:
        if stage.name in both.reproduction.ran:
            yield Check("stage", stage.name, "equal", stage=stage.name, detail="ran to its end")
        elif failure and failure.place == stage.name:
            yield Check("stage", stage.name, "different", stage=stage.name, detail=failure.error)
        elif not failure:
            yield Check("stage", stage.name, "different", stage=stage.name, detail="dvc repro does not run it")
        else:
            yield Check("stage", stage.name, "not run", stage=stage.name)
    if failure and failure.place not in {stage.name for stage in both.package.stages}:
        yield Check("stage", failure.place or "dvc repro", "different", detail=failure.error)
    for wrong in both.reproduction.malformed:
        yield Check("stage", "reports/outputs", "different", detail=wrong)


# -- what is shown -------------------------------------------------------------------------------------------------


def _by_cell(outcome: Outcome) -> dict[str, CellOutcome]:
    return {cell.id: cell for cell in outcome.cells}


def _text(both: Compared, cell: str, got: CellOutcome | None) -> Iterable[Check]:
    runs = [cell_lines(_by_cell(run).get(cell), normaliser(run)) for run in both.runs]
    shown = cell_lines(got, normaliser(both.got))
    if not any(runs) and not shown:
        return
    lines = expected_lines(runs)
    found = differences(lines, shown)
    stage = both.package.stage_of(cell)
    wild = sum(1 for line in lines if line.wild or line.pattern)
    status: Status = "equal"
    detail = ""
    if found and not both.has_run(stage):
        status = "not run"
        found = ()
    elif found:
        status = "different"
        detail = f"{len(found)} place(s)"
    elif wild:
        status = "not reproducible"
        detail = f"{len(lines) - wild} line(s) equal, {wild} that the notebook does not repeat itself"
    yield Check(
        "text",
        f"cell {both.number(cell)}" if cell else "no cell",
        status,
        cell,
        both.number(cell),
        stage,
        detail,
        found,
        equal_lines=len(lines) - wild if status in ("equal", "not reproducible") else 0,
        wild_lines=wild,
    )


def _figures(both: Compared, cell: str, got: CellOutcome | None) -> Iterable[Check]:
    stage = both.package.stage_of(cell)
    drawn = [_files(run, _by_cell(run).get(cell)) for run in both.runs]
    expected = [[figure for figure in figures if not is_live(figure)] for figures in drawn]
    shown = _files(both.got, got)
    if extra := len(shown) - len(expected[0]):
        shown = shown[: len(shown) - min(max(extra, 0), _live_at_the_end(both, cell, stage))]
    first = expected[0]
    same_count = all(len(other) == len(first) for other in expected)
    for place in range(max(len(first), len(shown), *(len(other) for other in expected))):
        mine = first[place] if place < len(first) else None
        other = shown[place] if place < len(shown) else None
        there = same_count and mine is not None
        repeated = there and all(not figure_difference(a[place], b[place]) for a, b in pairwise(expected))
        status: Status
        if other is None and not both.has_run(stage):
            status, detail = "not run", ""
        elif not repeated and not (same_count and (mine is None) != (other is None)):
            status, detail = "not reproducible", "runs of the notebook draw different figures"
        elif mine is None or other is None:
            status = "different"
            detail = "only the package shows it" if mine is None else "the package does not show it"
        else:
            detail = figure_difference(mine, other)
            status = "not compared" if detail.startswith("?") else "different" if detail else "equal"
        keep = status == "different"
        yield Check(
            "figure",
            f"cell {both.number(cell)}, figure {place + 1}",
            status,
            cell,
            both.number(cell),
            stage,
            detail.removeprefix("?"),
            expected=str(mine) if keep and mine else "",
            got=str(other) if keep and other else "",
        )
    for place in range(len(drawn[0]) - len(first)):
        name, why = f"cell {both.number(cell)}, live figure {place + 1}", "a live figure has no pixels to compare"
        yield Check("figure", name, "not compared", cell, both.number(cell), stage, why)


def _live_at_the_end(both: Compared, cell: str, stage: str) -> int:
    """How many live figures the notebook has in the stage that ends with the cell, where the package keeps them."""
    cells = next((s.cells for s in both.package.stages if s.name == stage), ())
    hosts = [host for host in map(both.package.host, cells) if host]
    if not hosts or hosts[-1] != cell:
        return 0
    own = _by_cell(both.runs[0])
    return sum(is_live(figure) for host in set(hosts) for figure in _files(both.runs[0], own.get(host)))


def _files(outcome: Outcome, cell: CellOutcome | None) -> list[Path]:
    return [outcome.folder / shown.file for shown in (cell.shown if cell else ()) if shown.kind == "figure"]


# -- files and variables -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Pair:
    """A thing that is to be compared by what it holds."""

    kind: Kind
    name: str
    cell: str
    stage: str
    tasks: tuple[tuple[str, str, str], ...]
    """The first run with each other run, then with the package."""
    settled: tuple[Status, str] | None = None
    """How it came out, where nothing has to be opened for that."""


def _by_content(both: Compared, python: Interpreter, scratch: Path) -> Iterable[Check]:
    pairs = [*_written_files(both), *_variables(both)]
    tasks = [(f"{n}.{m}", *task) for n, pair in enumerate(pairs) for m, task in enumerate(pair.tasks)]
    results = _results(both, python, scratch, tasks)
    for n, pair in enumerate(pairs):
        status, detail = pair.settled or _outcome([results[f"{n}.{m}"] for m in range(len(pair.tasks))])
        yield Check(pair.kind, pair.name, status, pair.cell, both.number(pair.cell), pair.stage, detail)


def _outcome(found: Sequence[str]) -> tuple[Status, str]:
    """From what the first run differs in from each other run, and (the last) from the package."""
    *runs, package = found
    told = next((each for each in runs if each), "")
    if told.startswith("?"):
        return "not compared", told[1:]
    if told:
        return "not reproducible", f"runs of the notebook differ: {told}"
    if package.startswith("?"):
        return "not compared", package[1:]
    return ("different", package) if package else ("equal", "")


def _written_files(both: Compared) -> Iterable[_Pair]:
    package, root = both.package, both.got.folder
    first, *others = (dict(run.files) for run in both.runs)
    whole = both.got.failure is None
    placed: set[str] = set()
    for path, copy in first.items():
        target = _there(both, path)
        placed.add(target)
        tasks = tuple(
            ("file", str(both.runs[0].folder / copy), str(other.folder / files[path]))
            for other, files in zip(both.runs[1:], others, strict=True)
            if path in files
        )
        settled: tuple[Status, str] | None = None
        if len(tasks) < len(others):
            settled = "not reproducible", "not every run of the notebook writes it"
        elif not (root / target).is_file():
            settled = ("different", "the package does not write it") if whole else ("not run", "")
        package_task = ("file", str(both.runs[0].folder / copy), str(root / target))
        yield _Pair("file", path, "", _writer(package, target), () if settled else (*tasks, package_task), settled)
    for path in sorted(set.intersection(*(set(each.deleted) for each in both.runs))):
        gone = not (root / package.place(path)).exists()
        found: tuple[Status, str] = ("equal", "deleted") if gone else ("different", "the package does not delete it")
        yield _Pair("file", path, "", "", (), found if whole or gone else ("not run", ""))
    other_names = {path for each in both.runs for path, _ in each.files} - set(first)
    by_chance = {Path(package.place(path)).parent.as_posix() for path in other_names}
    for target in sorted(set(both.reproduction.written) - placed):
        if Path(target).parent.as_posix() in by_chance:
            yield _Pair("file", target, "", "", (), ("not reproducible", "the notebook writes other names in each run"))
        else:
            yield _Pair("file", target, "", "", (), ("different", "only the package writes it"))


def _there(both: Compared, path: str) -> str:
    """Where the package has the file: in its place, or as a module of its own at the root."""
    target = both.package.place(path)
    beside = [m for m in both.package.modules if m in (path, Path(path).name)]
    return beside[0] if beside and not (both.got.folder / target).is_file() else target


def _writer(package: Package, target: str) -> str:
    """The stage that has the file among its outs."""
    return next((s.name for s in package.stages if target in s.saves), "")


def _variables(both: Compared) -> Iterable[_Pair]:
    names = dict(both.package.values)
    stored = [{(cell, name): where for cell, name, where in run.values} for run in both.runs]
    for folders, cell in _ends(both.package):
        stage = both.package.stage_of(cell)
        for folder in folders:
            if not any((both.got.folder / folder).glob("value*")):
                continue  # its stage did not come to its end
            for name in names.get(folder, ()):
                missing = "?it was not stored in this run of the notebook"
                found = [values.get((cell, name), missing) for values in stored]
                here = f"{folder}\0{name}" if _is_group(both, folder) else folder
                yield _variable(both, found, name, cell, stage, here)


def _variable(both: Compared, found: list[str], name: str, cell: str, stage: str, here: str) -> _Pair:
    if all(each == "?not bound" for each in found):
        return _Pair("variable", name, cell, stage, (*[("unbound", "", here)],))
    unstored = next((each for each in found if each.startswith("?")), "")
    if unstored:
        return _Pair("variable", name, cell, stage, (), ("not compared", unstored[1:]))
    paths = [str(run.folder / each) for run, each in zip(both.runs, found, strict=True)]
    tasks = (*(("runs", paths[0], other) for other in paths[1:]), ("value", paths[0], here))
    return _Pair("variable", name, cell, stage, tasks)


def _is_group(both: Compared, folder: str) -> bool:
    return (both.got.folder / folder / "values.pkl").is_file()


def _results(
    both: Compared, python: Interpreter, scratch: Path, tasks: Sequence[tuple[str, str, str, str]]
) -> dict[str, str]:
    """What `sameness` says of each task."""
    if not tasks:
        return {}
    given, answer = scratch / "tasks.json", scratch / "results.json"
    given.write_text(json.dumps(tasks), encoding="utf-8")
    answer.unlink(missing_ok=True)
    command = [python.path, sameness.__file__, str(given), str(answer), str(both.got.folder), both.package.name]
    command += map(str, both.search)
    ended = run(command, scratch, environment(python, scratch))
    if ended.status != 0 or not answer.exists():
        last = ended.stderr.strip().splitlines()[-1:] or [f"exit status {ended.status}"]
        return {task[0]: f"?the comparison ended: {last[0]}" for task in tasks}
    results: dict[str, str] = json.loads(answer.read_text(encoding="utf-8"))
    return results
