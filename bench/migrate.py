"""`nb2pkg migrate` at scale: notebooks a second, memory over time, from one to two workers, and what kills leave.

    migrate.py REPOSITORY... [--jobs 1 2] [--kills 10] [--dask 3] [--seed N] [--timeout S] [--json RESULT]

Each of `--jobs` is a whole run from nothing, whose processes are watched; the last one's output is what the others are
held against. CPU seconds are those of the command and all its workers: a busy machine blurs them least.
`--kills`: SIGKILL at random moments of one run, each time resumed from the journal; nothing may be left running, OUT
is absent or complete, and in the end equal to the uninterrupted run's, byte for byte. Where the run ends before it is
killed, OUT is taken away and the journal is not, so that the last passes are hit too.
`--dask`: the same on a cluster of this machine, so many workers, one of them killed midway.
The exit status is 0 where all outputs are equal and nothing was left. Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil

from kills import MARK, incomplete, marked

ROOT = Path(__file__).resolve().parent.parent
EVERY = 0.5
"""Seconds between two looks at the processes."""
SHOWN = 10
"""Points of the curve of memory."""
JOURNAL = ".nb2pkg-journal"
GRACE = 25.0
MEGABYTE = 1 << 20


@dataclass
class Watched:
    """What one command has taken."""

    status: int
    seconds: float
    cpu_seconds: float
    """Of the command and of all that it waited for."""
    own_cpu_seconds: float
    """Of the command alone, which more workers do not shorten."""
    memory: list[tuple[float, int, int]] = field(default_factory=list)
    """(seconds, megabytes of the command itself, megabytes of its largest worker), over time."""


def command(sources: list[Path], out: Path, *more: str) -> list[str]:
    """The command line."""
    return [sys.executable, "-m", "nb2pkg", "migrate", *map(str, sources), str(out), "--no-git", *more]


def environment(mark: str = "") -> dict[str, str]:
    """That of a command: this checkout's code, and a mark that its processes inherit."""
    return os.environ | {"PYTHONPATH": str(ROOT / "src"), MARK: mark}


def watched(line: list[str], log: Path) -> Watched:
    """Run a command to its end."""
    started = time.monotonic()
    memory: list[tuple[float, int, int]] = []
    alone = 0.0
    with log.open("wb") as told:
        process = psutil.Popen(line, env=environment(), stdin=subprocess.DEVNULL, stdout=told, stderr=told)
        while True:
            workers = 0
            try:
                own = process.memory_info().rss
                alone = sum(process.cpu_times()[:2])
                for child in process.children(recursive=True):
                    workers = max(workers, child.memory_info().rss)
                memory.append((round(time.monotonic() - started, 1), own // MEGABYTE, workers // MEGABYTE))
            except psutil.Error:
                pass  # one of them has just ended
            pid, status, usage = os.wait4(process.pid, os.WNOHANG)
            if pid:
                break
            time.sleep(EVERY)
    seconds = time.monotonic() - started
    return Watched(os.waitstatus_to_exitcode(status), seconds, usage.ru_utime + usage.ru_stime, alone, memory)


def counted(out: Path) -> dict[str, int]:
    """Notebooks by what became of them, as the report has it."""
    found: dict[str, int] = json.loads((out / "migration.json").read_text("utf-8"))["counts"]
    return found


def differences(one: Path, other: Path) -> list[str]:
    """The files that are not the same in two folders."""
    names = [
        {p.relative_to(f).as_posix() for p in f.rglob("*") if not p.is_dir() and JOURNAL not in p.name}
        for f in (one, other)
    ]
    found = [f"only in one: {name}" for name in names[0] ^ names[1]]
    for name in names[0] & names[1]:
        left, right = one / name, other / name
        if left.is_symlink() or right.is_symlink():
            same = os.readlink(left) == os.readlink(right)
        else:
            same = left.read_bytes() == right.read_bytes()
        found += [] if same else [f"different: {name}"]
    return sorted(found)


def at_some_points(curve: list[tuple[float, int, int]]) -> str:
    """The curve of memory, short."""
    step = max(1, len(curve) // SHOWN)
    return ", ".join(f"{seconds:.0f} s {own}/{worker}" for seconds, own, worker in curve[::step])


def show(jobs: int, took: Watched, counts: dict[str, int]) -> None:
    """The figures of one run."""
    notebooks = counts["notebooks"]
    print(f"--jobs {jobs}: {notebooks} notebooks in {took.seconds:.1f} s, {took.cpu_seconds:.1f} CPU seconds")
    print(f"  {counts}")
    per_core = notebooks / took.seconds / jobs
    print(f"  {per_core:.2f} notebooks a second and core; {notebooks / took.cpu_seconds:.2f} a CPU second")
    print(f"  {took.own_cpu_seconds:.1f} CPU seconds are the command's own, which workers do not share")
    half = len(took.memory) // 2
    for name, column in (("command", 1), ("largest worker", 2)):
        first, second = (max((m[column] for m in part), default=0) for part in (took.memory[:half], took.memory[half:]))
        print(f"  {name}: at most {first} MB in the first half, {second} MB in the second")
    print(f"  megabytes of the command/its largest worker: {at_some_points(took.memory)}", flush=True)


def completeness(out: Path, several: bool) -> list[str]:
    """What is missing in the packages that a killed run has left. What it was building, in hidden folders beside them,
    is removed by the next one: in the end these are compared too."""
    found = (each for each in sorted(out.iterdir()) if each.is_dir()) if several and out.exists() else (out,)
    folders = [each for each in found if not each.name.startswith(".")]
    return [f"missing in OUT: {name}" for folder in folders for name in incomplete(folder)]


def killed_again_and_again(
    line: list[str], out: Path, times: int, seconds: float, source: random.Random, several: bool
) -> tuple[int, int]:
    """Kill a run so often, resuming it each time, then let it end; how often it was running, and what was left."""
    hits = wrong = 0
    for number in range(times):
        mark = uuid.uuid4().hex
        process = subprocess.Popen(
            line, env=environment(mark), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        after = source.uniform(0, 2 * seconds / (times + 1))
        try:
            process.wait(after)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGKILL)
            process.wait()
            hits += 1
        until = time.monotonic() + GRACE
        while time.monotonic() < until and marked(mark):
            time.sleep(0.1)
        told = [*(f"process {each}" for each in marked(mark)), *completeness(out, several)]
        wrong += bool(told)
        state = "ended by itself" if process.returncode != -signal.SIGKILL else f"killed after {after:.1f} s"
        print(f"  {number + 1}: {state}: {told or 'nothing left'}", flush=True)
        if process.returncode != -signal.SIGKILL:
            shutil.rmtree(out, ignore_errors=True)
    return hits, wrong


def on_dask(line: list[str], workers: int, folder: Path, seconds: float) -> subprocess.Popen[bytes]:
    """Run the command on a cluster of so many workers, and kill one of them after so long."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    silent: dict[str, Any] = {"env": environment(), "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    common = ["--no-dashboard", "--host", "127.0.0.1"]
    dask = [sys.executable, "-m"]
    made = [subprocess.Popen([*dask, "distributed.cli.dask_scheduler", "--port", str(port), *common], **silent)]
    address = f"tcp://127.0.0.1:{port}"
    given = ["--no-nanny", "--nthreads", "1", "--local-directory", str(folder)]
    try:
        for _ in range(workers):
            made.append(subprocess.Popen([*dask, "distributed.cli.dask_worker", address, *given, *common], **silent))
        process = subprocess.Popen([*line, "--scheduler", address], **silent)
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            made[1].send_signal(signal.SIGKILL)
            print(f"  one of {workers} workers killed after {seconds:.1f} s", flush=True)
        process.wait()
        return process
    finally:
        for each in reversed(made):
            each.kill()
        for each in made:
            each.wait()


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--dask", type=int, default=0, help="workers; 0: no cluster")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", default="120")
    parser.add_argument("--json", type=Path, help="where the figures go")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that a cluster ends with it
    wrong = 0
    runs: dict[int, Watched] = {}
    with tempfile.TemporaryDirectory(prefix="bench-migrate-") as temporary:
        base = Path(temporary)
        whole = base / "whole"
        for jobs in options.jobs:
            if whole.exists():
                (whole / "out").rename(base / "before")
                shutil.rmtree(whole)
            whole.mkdir()
            line = command(options.sources, whole / "out", "--jobs", str(jobs), "--timeout", options.timeout)
            runs[jobs] = watched(line, base / "log")
            if runs[jobs].status not in (0, 1):
                print((base / "log").read_text("utf-8")[-2000:])
                return 2
            show(jobs, runs[jobs], counted(whole / "out"))
            if (base / "before").exists():
                found = differences(base / "before", whole / "out")
                wrong += bool(found)
                print(f"  equal to the run before: {found[:10] or 'byte for byte'}", flush=True)
                shutil.rmtree(base / "before")
        jobs = options.jobs[-1]
        if len(runs) > 1:
            one = options.jobs[0]
            print(f"from {one} to {jobs} workers: {runs[one].seconds / runs[jobs].seconds:.2f} times as fast")
        several = len(options.sources) > 1
        for name, wanted in (("killed", options.kills), ("dask", options.dask)):
            if not wanted:
                continue
            (base / name).mkdir()
            out = base / name / "out"
            more = ("--timeout", options.timeout, *(("--jobs", str(jobs)) if name == "killed" else ()))
            line = command(options.sources, out, *more)
            print(f"{name}:", flush=True)
            if name == "killed":
                source = random.Random(options.seed)
                hits, left = killed_again_and_again(line, out, wanted, runs[jobs].seconds, source, several)
                wrong += left
                print(f"  killed {hits} times; {left} times something was left")
                status = watched(line, base / "log").status
            else:
                status = on_dask(line, wanted, base / name, runs[jobs].seconds / 2).returncode
            found = differences(whole / "out", out) if status in (0, 1) else [f"exit status {status}"]
            wrong += bool(found)
            print(f"  equal to the uninterrupted run: {found[:10] or 'byte for byte'}", flush=True)
            size = sum(each.stat().st_size for each in (base / name).rglob(f"*{JOURNAL}*"))
            print(f"  journal: {size / MEGABYTE:.1f} MB")
        if options.json:
            options.json.write_text(json.dumps({str(jobs): asdict(took) for jobs, took in runs.items()}, indent=1))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
