"""What the package does: `dvc repro` in a copy of it, from an empty cache."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nb2pkg.verify.environment import Interpreter, environment
from nb2pkg.verify.layout import UNSEEN, Package, lay_out_package
from nb2pkg.verify.outcome import CellOutcome, Failure, Outcome, Shown
from nb2pkg.verify.processes import Ended, run
from nb2pkg.verify.progress import Progress

_RUNNING = re.compile(r"Running stage '([^']+)':")
_FAILED = re.compile(r"failed to reproduce '([^']+)'")
_RAISED = re.compile(r"([A-Za-z_][\w.]*(?:Error|Exception|Exit|Interrupt|Iteration|Warning))\b(?::|$)")


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


def reproduce(
    package: Package, python: Interpreter, folder: Path, *, timeout: float | None, progress: Progress
) -> Reproduction:
    """Run the package's pipeline below the scratch `folder`."""
    root = folder / "package"
    lay_out_package(package, root)
    before = set(_files(root))
    started: list[str] = []

    def hear(line: str) -> None:
        if found := _RUNNING.match(line):
            started.append(found[1])
            progress.step(found[1])

    days = {time.strftime("%Y-%m-%d")}
    progress.begin("dvc repro", len(package.stages))
    try:
        # -u, which unlike PYTHONUNBUFFERED is not inherited by the stages: DVC tells of a stage when it starts.
        ended = run(
            [sys.executable, "-u", "-m", "dvc", "repro"],
            root,
            environment(python, folder),
            timeout=timeout,
            on_line=hear,
        )
    finally:
        progress.end()
    failure = _failure(ended, started, timeout)
    ran = tuple(started[:-1] if failure and started else started)
    cells, malformed = _recorded(package, root)
    outcome = Outcome(
        folder=root,
        scratch=str(root),
        days=tuple(sorted(days | {time.strftime("%Y-%m-%d")})),
        seconds=ended.seconds,
        cells=cells,
        failure=failure,
    )
    new = sorted(set(_files(root)) - before)
    written = tuple(path for path in new if not package.is_own_output(path))
    return Reproduction(outcome, ran, malformed, written)


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


def _recorded(package: Package, root: Path) -> tuple[tuple[CellOutcome, ...], tuple[str, ...]]:
    """The records of all stages, by the notebook's own cells, in the order in which they were made."""
    shown: dict[str, list[Shown]] = {}
    malformed: list[str] = []
    for stage in package.stages:
        path = root / "reports" / "outputs" / f"{stage.name}.jsonl"
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
