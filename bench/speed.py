"""Measure the speed: what converting a notebook costs beside reading, parsing and formatting its source once.

    speed.py --corpus CORPUS --manifest manifest.json --manifest messy.json [--json RESULT]
    speed.py --cold examples/tidy/churn.ipynb [--jupytext ENV/bin/jupytext]

Warm: all notebooks in one process, each converted to a fresh folder without git, against `nbformat.read`,
`ast.parse`, `libcst.parse_module` and one `black` pass over the same source. The time is the process's own
(CPU seconds, so that a busy machine blurs nothing); copying the notebook's data is counted apart.
Cold: whole commands, each in a new process. The exit status is 1 where the median ratio is above the bar.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import wraps
from importlib import import_module
from pathlib import Path
from typing import Any

BAR = 2.0
PASSES = (
    ("read", "nb2pkg.read", "read"),
    ("analyse", "nb2pkg.analyse", "analyse"),
    ("section", "nb2pkg.section", "section"),
    ("plan", "nb2pkg.plan", "make_plan"),
    ("emit", "nb2pkg.emit", "emit"),
    ("write", "nb2pkg.write", "write"),
    ("black", "nb2pkg.emit", "formatted"),
    ("data", "nb2pkg.write", "_copy"),
)
"""What is timed: the passes, and inside them what is worth a line of its own."""

Record = dict[str, Any]


@dataclass
class Clock:
    """The CPU seconds of each pass, without those of the timed calls inside it."""

    own: Counter[str] = field(default_factory=Counter)
    inside: list[float] = field(default_factory=list)

    @contextmanager
    def running(self, name: str) -> Iterator[None]:
        """Time what is done in the block."""
        self.inside.append(0.0)
        start = time.process_time()
        try:
            yield
        finally:
            took = time.process_time() - start
            self.own[name] += took - self.inside.pop()
            if self.inside:
                self.inside[-1] += took

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, timed."""

        @wraps(function)
        def call(*args: Any, **keywords: Any) -> Any:
            with self.running(name):
                return function(*args, **keywords)

        return call


# ------------------------------------------------------------------------------------------------- warm


def baseline(notebook: Path, source: str) -> None:
    """What any tool of this kind has to do at least once."""
    import black
    import libcst
    import nbformat

    read: Any = nbformat.read
    read(notebook, as_version=4)
    ast.parse(source)
    libcst.parse_module(source)
    with suppress(black.InvalidInput):  # what it took until then is what counts
        black.format_str(source, mode=black.Mode(line_length=100))


def measured(row: Record, corpus: Path, clock: Clock, repeat: int) -> Record:
    """One notebook: the best of several rounds of both."""
    from nb2pkg import Nb2pkgError, Options, convert
    from nb2pkg.read import read

    folder = corpus / row["dir"]
    notebook = folder / row["notebook"]
    cwd = Path(os.path.normpath(folder / row["cwd"]))
    options = Options(git=False, cwd=None if cwd == notebook.parent else cwd)
    least, took, data = [], [], []
    passes: Counter[str] = Counter()
    for _ in range(repeat):
        out = Path(tempfile.mkdtemp(prefix="nb2pkg-speed-"))
        clock.own.clear()
        start = time.process_time()
        try:
            convert(notebook, out / "out", options)
        except Nb2pkgError as error:
            return {"id": row["id"], "refused": str(error)}
        finally:
            whole = time.process_time() - start
            shutil.rmtree(out, ignore_errors=True)
        data.append(clock.own["data"])
        took.append(whole - data[-1])
        if took[-1] == min(took):
            passes = Counter(clock.own)
        source = "\n\n\n".join(cell.code for cell in read(notebook)[0].code_cells)
        start = time.process_time()
        baseline(notebook, source)
        least.append(time.process_time() - start)
    return {
        "id": row["id"],
        "lines": source.count("\n") + 1,
        "seconds": round(min(took), 4),
        "baseline": round(min(least), 4),
        "ratio": round(min(took) / min(least), 3),
        "data_seconds": round(min(data), 4),
        "passes": {name: round(seconds, 4) for name, seconds in passes.most_common() if name != "data"},
    }


def percentile(values: list[float], share: float) -> float:
    """The value that `share` of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def warm(rows: list[Record], corpus: Path, repeat: int) -> list[Record]:
    """Measure all notebooks in this process, after two rounds that only warm it."""
    clock = Clock()
    for name, module, function in PASSES:
        where = import_module(module)
        setattr(where, function, clock.timed(name, getattr(where, function)))
    for row in rows[:2]:
        measured(row, corpus, clock, 1)
    results = []
    for row in rows:
        results.append(measured(row, corpus, clock, repeat))
        r = results[-1]
        text = r.get("refused") or f"{r['lines']:5} lines {r['seconds']:8.3f} s  {r['ratio']:6.2f} x"
        print(f"{r['id'][:52]:52} {text}", flush=True)
    return results


def summary(results: list[Record]) -> list[str]:
    """The figures of all notebooks together."""
    done = [r for r in results if "refused" not in r]
    ratios = [r["ratio"] for r in done]
    total = sum(r["seconds"] for r in done)
    passes: Counter[str] = Counter()
    for r in done:
        passes.update(r["passes"])
    lines = [
        f"{len(done)} converted, {len(results) - len(done)} refused; {sum(r['lines'] for r in done)} lines",
        f"ratio to the baseline: median {statistics.median(ratios):.2f} (bar {BAR:.1f}), "
        f"p95 {percentile(ratios, 0.95):.2f}, largest {max(ratios):.2f}",
        f"conversion {total:.2f} s, baseline {sum(r['baseline'] for r in done):.2f} s, "
        f"data copied apart {sum(r['data_seconds'] for r in done):.2f} s (CPU)",
        "three largest costs: "
        + ", ".join(f"{name} {seconds / total:.0%}" for name, seconds in passes.most_common(3)),
        "all passes: " + ", ".join(f"{name} {seconds:.2f} s" for name, seconds in passes.most_common()),
    ]
    slow = sorted(done, key=lambda r: -r["ratio"])[:5]
    lines += [f"  slowest: {r['id'][:48]:48} {r['ratio']:.2f} x  {r['passes']}" for r in slow]
    return lines


# ------------------------------------------------------------------------------------------------- cold


def cold(command: list[str], cwd: Path, rounds: int) -> tuple[float, float] | None:
    """Wall and CPU seconds of a command in a new process, the best of some; None where it fails."""
    walls, cpus = [], []
    for _ in range(rounds):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.perf_counter()
        done = subprocess.run(command, cwd=cwd, capture_output=True, stdin=subprocess.DEVNULL, check=False)
        walls.append(time.perf_counter() - start)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpus.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
        if done.returncode != 0:
            print(done.stderr.decode(errors="replace").strip()[-500:], file=sys.stderr)
            return None
    return min(walls), min(cpus)


def cold_table(notebook: Path, jupytext: str, rounds: int) -> list[Record]:
    """Cold commands beside each other."""
    notebook = notebook.resolve()
    python = [sys.executable, "-m"]
    with tempfile.TemporaryDirectory(prefix="nb2pkg-cold-") as tmp:
        work = Path(tmp)
        copy = work / "nb" / notebook.name
        shutil.copytree(notebook.parent, copy.parent)
        commands = [
            ("nb2pkg --help", [*python, "nb2pkg", "--help"]),
            ("nb2pkg NOTEBOOK OUT", [*python, "nb2pkg", str(copy), "out", "--force"]),
            ("nb2pkg NOTEBOOK OUT --no-git", [*python, "nb2pkg", str(copy), "bare", "--force", "--no-git"]),
            ("nb2pkg plan NOTEBOOK", [*python, "nb2pkg", "plan", str(copy)]),
            ("jupyter nbconvert --to script", [*python, "nbconvert", "--to", "script", str(copy)]),
            ("jupytext --to py", [jupytext, "--to", "py", str(copy)]),
        ]
        results: list[Record] = []
        for name, command in commands:
            if shutil.which(command[0]) is None:
                print(f"{name:32} left out: {command[0]} is not installed (--jupytext names it)")
                continue
            took = cold(command, work, rounds)
            shown = "failed" if took is None else f"{took[0]:6.2f} s wall {took[1]:6.2f} s CPU"
            print(f"{name:32} {shown}", flush=True)
            if took is not None:
                results.append({"command": name, "wall": round(took[0], 3), "cpu": round(took[1], 3)})
    return results


def arguments() -> argparse.Namespace:
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--corpus", type=Path, help="the folder that holds nb/<id>/")
    ap.add_argument("--manifest", type=Path, action="append", default=[], help="a JSON list of notebooks")
    ap.add_argument("--id", nargs="*", action="extend", help="only notebooks whose id has this in it")
    ap.add_argument("--repeat", type=int, default=2, help="rounds of which the best counts")
    ap.add_argument("--cold", type=Path, help="a notebook to run whole commands on")
    ap.add_argument("--jupytext", default="jupytext", help="jupytext's command, where it is installed")
    ap.add_argument("--json", type=Path, help="where the whole result goes")
    options = ap.parse_args()
    if options.manifest and options.corpus is None:
        ap.error("--manifest needs --corpus")
    if not options.manifest and options.cold is None:
        ap.error("nothing to measure: give --corpus and --manifest, or --cold")
    return options


def main() -> int:
    """Measure what was asked for."""
    options = arguments()
    result: Record = {}
    if options.manifest:
        rows = [row for m in options.manifest for row in json.loads(m.read_text(encoding="utf-8"))]
        rows = [r for r in rows if not options.id or any(part in r["id"] for part in options.id)]
        rows = [r for r in rows if (options.corpus / r["dir"] / r["notebook"]).exists()]
        result["notebooks"] = warm(rows, options.corpus.resolve(), options.repeat)
        print("\n".join(summary(result["notebooks"])))
    if options.cold:
        result["cold"] = cold_table(options.cold, options.jupytext, 3)
    if options.json:
        options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    ratios = [r["ratio"] for r in result.get("notebooks", []) if "ratio" in r]
    return 1 if ratios and statistics.median(ratios) > BAR else 0


if __name__ == "__main__":
    sys.exit(main())
