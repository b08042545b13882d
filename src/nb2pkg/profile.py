"""Runs the notebook once, in a scratch copy of its folder, and records per cell what static analysis can only guess."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.facts import LARGEST_VALUE, CellFacts, Facts, VariableFacts
from nb2pkg.pipeline import Options, tree
from nb2pkg.read.formats import NotebookFile
from nb2pkg.verify.environment import environment, interpreter
from nb2pkg.verify.kernel_process import RUNNER, Job
from nb2pkg.verify.layout import lay_out_notebook, read_package
from nb2pkg.verify.processes import run
from nb2pkg.verify.progress import Progress, Silent
from nb2pkg.verify.scratch import scratch
from nb2pkg.write import write


def profile(
    notebook: Path | NotebookFile,
    options: Options,
    kernel: str | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> tuple[Facts, tuple[Diagnostic, ...]]:
    """What the notebook's cells do. One that fails, or takes too long, ends it: what was seen until then is kept."""
    progress = progress or Silent()
    python = interpreter(options.python, kernel)
    with scratch() as folder:
        write(tree(notebook, options)[0], folder / "out", git=False)
        package = read_package(folder / "out")
        cwd = lay_out_notebook(package, folder / "nb")
        job: Job = {
            "notebook": str(package.root / package.notebook),
            "cwd": str(cwd),
            "python": [python.path],
            "kernel": python.kernel,
            "observe": {},
            "profile": True,
            "drive": "",
            "folder": str(folder),
            "limit": LARGEST_VALUE,
        }
        given = folder / "job.json"
        given.write_text(json.dumps(job), encoding="utf-8")
        ids = {cell.index: cell.id for cell in package.cells}
        seen: dict[str, dict[str, list[Any]]] = {}
        seconds: dict[str, float] = {}
        failed: list[str] = []

        def hear(line: str) -> None:
            event = json.loads(line)
            if event["event"] == "cell":
                progress.step(f"cell {list(ids).index(event['place']) + 1}")
            elif event["event"] == "done":
                seconds[ids[event["place"]]] = event["seconds"]
                failed.extend([f"cell {list(ids).index(event['place']) + 1}: {event['error']}"] * bool(event["error"]))
            elif event["event"] == "profiled":
                seen[ids[event["place"]]] = event["values"]

        progress.begin("notebook, profiled", len(ids))
        try:
            command = [sys.executable, "-c", RUNNER, str(Path(__file__).parents[1]), str(given)]
            ended = run(command, folder, environment(python, folder), timeout=timeout, on_line=hear)
        finally:
            progress.end()
    told: tuple[Diagnostic, ...] = ()
    if ended.status is None:
        failed.append(f"not at its end after {timeout:.0f} seconds")
    if failed:
        told = (Diagnostic("N713", f"the profile ends where the notebook does: {failed[0]}"),)
    return _facts(seconds, seen), told


def _facts(seconds: dict[str, float], seen: dict[str, dict[str, list[Any]]]) -> Facts:
    cells: list[CellFacts] = []
    before: dict[str, list[Any]] = {}
    for cell, took in seconds.items():
        now = seen.get(cell, {})
        names: dict[int, list[str]] = defaultdict(list)
        for name, (*_, identity) in now.items():
            names[identity].append(name)
        variables = tuple(
            VariableFacts(
                name=name,
                type=kind,
                size=size,
                why=why,
                changed=before.get(name, [])[:4] != [kind, size, why, digest],
                same=tuple(other for other in names[identity] if other != name),
            )
            for name, (kind, size, why, digest, identity) in sorted(now.items())
        )
        cells.append(CellFacts(cell, took, variables))
        before = now
    return Facts(tuple(cells))
