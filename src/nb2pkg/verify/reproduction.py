"""What the package does: `dvc repro` in a copy of it, from an empty cache."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nb2pkg.verify.environment import Interpreter, environment
from nb2pkg.verify.kept import claim, kept, key
from nb2pkg.verify.layout import RECORDS, UNSEEN, Package, lay_out_package, use_cache
from nb2pkg.verify.outcome import CellOutcome, Failure, Outcome, Shown
from nb2pkg.verify.processes import LAST_LINES, Ended, run
from nb2pkg.verify.progress import Progress

_RUNNING = re.compile(r"Running stage '([^']+)':|Stage '([^']+)' is cached - skipping run")
_FAILED = re.compile(r"failed to reproduce '([^']+)'")
_COMMAND = re.compile(r"WARNING: failed to run: (.*), exited with (-?\d+)$")
_RAISED = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Iteration|Warning))\b(?::|$)")


@dataclass(frozen=True, slots=True)
class Ran:
    """A pipeline that ran in a scratch copy of its package, as its stages left that."""

    root: Path
    days: tuple[str, ...]
    seconds: float
    stages: frozenset[str]
    """All that the pipeline has."""
    begun: tuple[str, ...]
    """The stages that were started, in order."""
    failures: tuple[Failure, ...]
    """Of the stages that did not come to their end; with an empty place, of the whole."""
    ended: bool
    """It ended by itself, whether or not stages failed."""
    new: tuple[tuple[str, str], ...]
    """(file that was not there before, from the package's root; the stage that ran when it was made, or empty)."""
    resumed: bool = False
    """A run that was interrupted had made a part of it."""


@dataclass(frozen=True, slots=True)
class Reproduction:
    """The package's outcome. Its folder is the scratch copy, as the stages left it."""

    outcome: Outcome
    ran: tuple[str, ...]
    """The stages that were run to their end, in order."""
    malformed: tuple[str, ...]
    """What is wrong with the records under reports/outputs."""
    written: tuple[str, ...]
    """Files that were not there before, from the package's root, but for what is the package's own."""
    resumed: bool = False
    """Some stages were run before, by a verification that was interrupted."""


def reproduce(
    package: Package, python: Interpreter, folder: Path, *, timeout: float | None, progress: Progress
) -> Reproduction:
    """Run the package's pipeline below the scratch `folder`, on from where it was interrupted before."""
    ran = run_pipeline(package, python, folder, timeout=timeout, progress=progress, resumable=True)
    return share(package, ran)


def run_pipeline(
    package: Package,
    python: Interpreter,
    folder: Path,
    *,
    timeout: float | None,
    progress: Progress,
    keep_going: bool = False,
    resumable: bool = False,
) -> Ran:
    """Run a pipeline below the scratch `folder`.

    `keep_going`: also what does not need a stage that failed. `resumable`: what its stages make outlives this process
    until the pipeline has ended by itself, and is taken from there the next time.
    """
    root = folder / "package"
    lay_out_package(package, root)
    before = set(_files(root))
    own = kept("reproduction") / key(python.digest, root, before) if resumable else None
    lock = claim(own) if own else None
    resumed = False
    if own and lock:
        resumed = (own / "runs").exists()
        use_cache(root, own, for_all=True)
    try:
        ran = _pipeline(package, python, folder, before, timeout, progress, keep_going)
        if own and lock and ran.ended:
            shutil.rmtree(own, ignore_errors=True)
    finally:
        if lock:
            lock.close()
    return replace(ran, resumed=resumed)


def _pipeline(
    package: Package,
    python: Interpreter,
    folder: Path,
    before: set[str],
    timeout: float | None,
    progress: Progress,
    keep_going: bool,
) -> Ran:
    root = folder / "package"
    begun: list[tuple[str, float]] = []

    def hear(line: str) -> None:
        if found := _RUNNING.match(line):
            begun.append((found[1] or found[2], time.time()))
            progress.step(found[1] or found[2])

    days = {time.strftime("%Y-%m-%d")}
    progress.begin("dvc repro", len(package.stages))
    try:
        # -u, which unlike PYTHONUNBUFFERED is not inherited by the stages: DVC tells of a stage when it starts.
        ended = run(
            [sys.executable, "-u", "-m", "dvc", "repro", *(["--keep-going"] if keep_going else [])],
            root,
            environment(python, folder),
            timeout=timeout,
            on_line=hear,
            kept_lines=LAST_LINES * (max(len(package.stages), 1) if keep_going else 1),
        )
    finally:
        progress.end()
    started = [name for name, _ in begun]
    if keep_going and ended.status is not None:
        failures = tuple(_failures(ended, package))
    else:
        failure = _failure(ended, started, timeout)
        failures = () if failure is None else (failure,)
    return Ran(
        root=root,
        days=tuple(sorted(days | {time.strftime("%Y-%m-%d")})),
        seconds=ended.seconds,
        stages=frozenset(stage.name for stage in package.stages),
        begun=tuple(started),
        failures=failures,
        ended=ended.status is not None,
        new=tuple((path, _maker(root, path, begun, package)) for path in sorted(set(_files(root)) - before)),
    )


def share(package: Package, ran: Ran) -> Reproduction:
    """What a pipeline did for the package, which may be one notebook's share of it."""
    own = {stage.name for stage in package.stages}
    foreign = ran.stages - own
    failed = [each for each in ran.failures if each.place not in foreign]
    cells, malformed = _recorded(package, ran.root)
    outcome = Outcome(
        folder=ran.root,
        scratch=str(ran.root),
        days=ran.days,
        seconds=ran.seconds,
        cells=cells,
        failure=failed[0] if failed else None,
    )
    places = {failure.place for failure in ran.failures}
    return Reproduction(
        outcome,
        tuple(name for name in ran.begun if name in own and name not in places),
        malformed,
        tuple(path for path, stage in ran.new if stage not in foreign and not package.is_own_output(path)),
        resumed=ran.resumed,
    )


def _maker(root: Path, path: str, begun: Sequence[tuple[str, float]], package: Package) -> str:
    """The stage that has a new file among its outs, else the last one that had begun when it was made."""
    for stage in package.stages:
        if any(path == out or path.startswith(f"{out}/") for out in stage.saves):
            return stage.name
    made = (root / path).stat().st_ctime
    return next((name for name, since in reversed(begun) if since <= made), "")


def _failure(ended: Ended, started: list[str], timeout: float | None) -> Failure | None:
    last = started[-1] if started else ""
    if ended.status is None:
        return Failure(last, f"not at its end after {timeout:.0f} seconds")
    if ended.status == 0:
        return None
    named = _FAILED.search(ended.stderr)
    lines = [line.strip() for line in ended.stderr.splitlines() if line.strip()]
    raised = [line for line in lines if _RAISED.match(line)]
    told = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR: ")]
    said = next(iter(raised[-1:] or told[:1] or lines[-1:]), f"exit status {ended.status}")
    return Failure(named[1] if named else last, said)


def _failures(ended: Ended, package: Package) -> Iterator[Failure]:
    """The stages that failed while DVC kept going, each with the last thing that was raised before that was told."""
    if ended.status == 0:
        return
    commands = {stage.command: stage.name for stage in package.stages}
    reasons: dict[str, str] = {}
    said: list[str] = []
    told = ""
    for line in filter(None, map(str.strip, ended.stderr.splitlines())):
        if found := _COMMAND.match(line):
            raised = [each for each in said if _RAISED.match(each)]
            reasons[commands.get(found[1], "")] = next(iter(raised[-1:] or said[-1:]), f"exit status {found[2]}")
            said = []
        elif line.startswith("WARNING: ") and not line.endswith("will be skipped due to this failure"):
            told = line.removeprefix("WARNING: ")
        else:
            said.append(line)
    last = next((line for line in reversed(said) if line.startswith("ERROR: ")), "")
    quoted = re.findall(r"'([^']+)'", last) if "failed to reproduce" in last else []
    names = [name for name in quoted if name in commands.values()]
    unexplained = [name for name in names if name not in reasons]
    for name in names:
        yield Failure(name, reasons.get(name) or (told if len(unexplained) == 1 else "") or "DVC says no reason")
    if not names:
        yield Failure("", last.removeprefix("ERROR: ") or next(iter(said[-1:]), f"exit status {ended.status}"))


def _recorded(package: Package, root: Path) -> tuple[tuple[CellOutcome, ...], tuple[str, ...]]:
    """The records of all stages, by the notebook's own cells, in the order in which they were made."""
    shown: dict[str, list[Shown]] = {}
    malformed: list[str] = []
    for stage in package.stages:
        path = root / (stage.records or f"{RECORDS}/{stage.name}.jsonl")
        if not path.is_file():
            continue
        # JSON leaves U+2028 and the like as they are: split at line feeds alone.
        for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                cell = package.host(str(record["cell"]))
                one = _shown(record)
            except (ValueError, KeyError, TypeError) as error:
                malformed.append(f"{path.name}, line {number}: {type(error).__name__} {error}")
                continue
            if not cell:
                malformed.append(f"{path.name}, line {number}: the notebook has no cell {record['cell']!r}")
            shown.setdefault(cell, []).append(one)
    return tuple(CellOutcome(cell, tuple(found)) for cell, found in shown.items()), tuple(malformed)


def _shown(record: dict[str, str]) -> Shown:
    kind = record["kind"]
    if kind == "figure":
        return Shown("figure", file=record["file"])
    if kind not in ("stream", "display"):
        raise ValueError(f"an unknown kind {kind!r}")
    return Shown("printed" if kind == "stream" else "displayed", record["text"])


def _files(folder: Path) -> Iterator[str]:
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in UNSEEN]
        if Path(root) == folder:
            folders[:] = [name for name in folders if name != ".dvc"]
        for name in files:
            path = Path(root, name)
            if path.is_file() and name != ".gitignore":
                yield path.relative_to(folder).as_posix()
