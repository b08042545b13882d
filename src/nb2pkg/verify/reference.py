"""What the notebook does: run top to bottom in a fresh kernel, in a copy of its folder, and kept for the next time."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from nb2pkg.verify.environment import Interpreter, VerifyError, environment
from nb2pkg.verify.kept import kept, key
from nb2pkg.verify.kernel_process import RUNNER, Job
from nb2pkg.verify.layout import DRIVE, UNSEEN, Package, lay_out_notebook
from nb2pkg.verify.outcome import CellOutcome, Failure, Outcome, Shown, load_outcome
from nb2pkg.verify.processes import run
from nb2pkg.verify.progress import Progress

FORMAT = 2
LARGEST_VALUE = 2_000_000_000
IMAGES = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}
PLOTLY = "application/vnd.plotly.v1+json"

Observed = Mapping[str, tuple[str, ...]]
"""Cell id -> the variables to store after that cell."""
Given = Callable[[int], Mapping[str, Path]]
"""The number of a run -> what other notebooks have made for it: path from the layout's root -> file."""


class Reference:
    """The runs of the notebook so far. More are made when they are asked for: `run(0)`, `run(1)`, …"""

    def __init__(
        self,
        package: Package,
        python: Interpreter,
        folder: Path,
        *,
        timeout: float | None,
        observed: Observed,
        progress: Progress,
        given: Given | None = None,
    ) -> None:
        """Nothing runs yet. `folder` is scratch."""
        self._package = package
        self._python = python
        self._folder = folder
        self._timeout = timeout
        self._observed = observed
        self._progress = progress
        self._runs: dict[int, Outcome] = {}
        self._given = given
        self._cache = kept("reference")
        self._keys: dict[int, str] = {}

    def run(self, number: int) -> Outcome:
        """The run of this number: made before, kept from an earlier time, or made now."""
        if number not in self._runs:
            made = load_outcome(self._kept(number) / str(number))
            if made is not None and _covers(made, self._observed):
                self._runs[number] = made
            else:
                self._runs[number] = self._keep(number, self._make(number))
        return self._runs[number]

    def _kept(self, number: int) -> Path:
        """Where the run is kept: by all that it depends on, which is the same for each where others make nothing."""
        which = number if self._given is not None else 0
        if which not in self._keys:
            self._keys[which] = _key(self._package, self._python, self._folder, self._of_others(which))
        return self._cache / self._keys[which]

    def _of_others(self, number: int) -> Mapping[str, Path]:
        return self._given(number) if self._given is not None else {}

    def _make(self, number: int) -> Outcome:
        root = self._folder / f"notebook-{number}"
        root.mkdir()
        layout, store = root / "nb", root / "outcome"
        store.mkdir()
        cwd = lay_out_notebook(self._package, layout, self._of_others(number))
        before = _states(layout)
        job: Job = {
            "notebook": str(self._package.root / self._package.notebook),
            "cwd": str(cwd),
            "python": [self._python.path],
            "kernel": self._python.kernel,
            "observe": {
                str(cell.index): list(self._observed[cell.id])
                for cell in self._package.cells
                if cell.id in self._observed
            },
            "profile": False,
            "drive": os.path.relpath(layout / DRIVE, cwd).replace(os.sep, "/") if self._package.joined else "",
            "folder": str(store),
            "limit": LARGEST_VALUE,
        }
        given = root / "job.json"
        given.write_text(json.dumps(job), encoding="utf-8")
        outcome = self._executed(number, root, given, store, layout)
        after = _states(layout)
        changed = [path for path, state in sorted(after.items()) if before.get(path) != state]
        files: list[tuple[str, str]] = []
        (store / "files").mkdir()
        for count, path in enumerate(changed):
            copy = f"files/{count}{Path(path).suffix}"
            os.replace(layout / path, store / copy)
            files.append((os.path.relpath(layout / path, cwd).replace(os.sep, "/"), copy))
        deleted = tuple(
            os.path.relpath(layout / path, cwd).replace(os.sep, "/") for path in sorted(set(before) - set(after))
        )
        shutil.rmtree(layout, ignore_errors=True)
        outcome = replace(outcome, files=tuple(files), deleted=deleted)
        outcome.save()
        return outcome

    def _executed(self, number: int, root: Path, job: Path, store: Path, layout: Path) -> Outcome:
        cells: list[CellOutcome] = []
        values: list[tuple[str, str, str]] = []
        failures: list[Failure] = []
        current = [""]
        ids = {cell.index: cell.id for cell in self._package.cells}
        places = {cell.id: n for n, cell in enumerate(self._package.cells, 1)}

        def hear(line: str) -> None:
            event = json.loads(line)
            if event["event"] == "cell":
                current[0] = ids[event["place"]]
                self._progress.step(f"cell {places[current[0]]}")
            elif event["event"] == "done":
                name = ids[event["place"]]
                cells.append(CellOutcome(name, _shown(event["outputs"], store, len(cells)), event["seconds"]))
                if event["error"]:
                    failures.append(Failure(name, event["error"]))
            elif event["event"] == "observed":
                for name, found in sorted(event["values"].items()):
                    where = found if found.startswith("?") else f"values/{event['place']}/{found}"
                    values.append((ids[event["place"]], name, where))
            elif event["event"] == "ended":
                current[0] = "."

        self._progress.begin(f"notebook, run {number + 1}", len(ids))
        days = {time.strftime("%Y-%m-%d")}
        try:
            ended = run(
                [sys.executable, "-c", RUNNER, str(Path(__file__).parents[2]), str(job)],
                root,
                environment(self._python, root),
                timeout=self._timeout,
                on_line=hear,
            )
        finally:
            self._progress.end()
        if ended.status is None:
            failures.append(Failure(current[0], f"not at its end after {self._timeout:.0f} seconds"))
        elif current[0] != "." and not failures:
            log = store / "kernel.log"
            said = (log.read_text("utf-8", "replace") if log.exists() else "").strip() or ended.stderr.strip()
            why = said.splitlines()[-1] if said else "it says no reason"
            raise VerifyError("N703", f"the notebook could not be run in a kernel: {why}")
        return Outcome(
            folder=store,
            scratch=str(layout),
            days=tuple(sorted(days | {time.strftime("%Y-%m-%d")})),
            seconds=ended.seconds,
            cells=tuple(cells),
            values=tuple(values),
            failure=failures[0] if failures else None,
        )

    def _keep(self, number: int, outcome: Outcome) -> Outcome:
        """Keep a whole run for the next time; where that can't be, it is only used now."""
        if outcome.failure is not None:
            return outcome
        folder = self._kept(number)
        goal, part = folder / str(number), folder / f".{number}.{os.getpid()}.part"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            shutil.rmtree(part, ignore_errors=True)
            shutil.copytree(outcome.folder, part)
            shutil.rmtree(goal, ignore_errors=True)
            part.rename(goal)
        return outcome


def _covers(outcome: Outcome, observed: Observed) -> bool:
    there = {(cell, name) for cell, name, _ in outcome.values}
    return all((cell, name) in there for cell, names in observed.items() for name in names)


def _shown(outputs: list[dict[str, Any]], store: Path, place: int) -> tuple[Shown, ...]:
    """A cell's outputs, what goes to standard error and tracebacks left out; figures are stored."""
    found: list[Shown] = []
    for output in outputs:
        kind = output["output_type"]
        if kind == "stream" and output["name"] == "stdout":
            found.append(Shown("printed", output["text"]))
        elif kind in ("display_data", "execute_result"):
            data = output["data"]
            image = next((mime for mime in IMAGES if mime in data), None)
            live = "mpl.figure" in data.get("application/javascript", "")
            if live:
                found.append(Shown("displayed", data["text/plain"]))
            if image or PLOTLY in data or live:
                name = f"figures/{place}-{len(found)}.{IMAGES[image] if image else 'json'}"
                (store / "figures").mkdir(exist_ok=True)
                (store / name).write_bytes(_figure(data, image))
                found.append(Shown("figure", file=name))
            elif "text/plain" in data:
                found.append(Shown("displayed", data["text/plain"]))
    return tuple(found)


def _figure(data: dict[str, Any], image: str | None) -> bytes:
    if image is None:
        return json.dumps(data.get(PLOTLY)).encode()
    text: str = data[image]
    return text.encode() if image == "image/svg+xml" else base64.b64decode(text)


def _states(folder: Path) -> dict[str, tuple[int, int, int]]:
    """Each file below the folder, and what changes when it is written."""
    found: dict[str, tuple[int, int, int]] = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name not in UNSEEN]
        for name in files:
            path = Path(root, name)
            if path.is_file():
                state = path.stat()
                found[path.relative_to(folder).as_posix()] = (state.st_mtime_ns, state.st_size, state.st_ino)
    return found


def _key(package: Package, python: Interpreter, scratch: Path, given: Mapping[str, Path]) -> str:
    """Of all that a run depends on: the notebook, its folder, the interpreter with what is installed."""
    notebook = hashlib.sha256((package.root / package.notebook).read_bytes()).hexdigest()
    layout = scratch / "key"
    lay_out_notebook(package, layout, given)
    try:
        return key(f"{FORMAT} {python.digest} {package.cwd} {notebook}", layout, _states(layout))
    finally:
        shutil.rmtree(layout)
