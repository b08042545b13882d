"""What is left of `nb2pkg NOTEBOOK OUT --verify` when it is killed: SIGKILL at random times.

    kills.py [--times 20] [--seed N] [--notebook NOTEBOOK]

After each kill the notebook's folder has to be as it was, OUT absent or complete, no process left that stems from the
command, and nothing beside OUT or in the temporary folder. The exit status is 0 where that holds each time. Linux.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path

ROOT = Path(__file__).parent.parent
MARK = "NB2PKG_KILLS"
GRACE = 25.0


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def marked(mark: str) -> list[str]:
    """The processes that have inherited the mark from the command."""
    found: list[str] = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                inherits = mark.encode() in (entry / "environ").read_bytes()
                if inherits and "Z" not in (entry / "stat").read_text().rpartition(")")[2].split()[0]:
                    found.append(f"{entry.name} {(entry / 'cmdline').read_bytes()[:120]!r}")
            except OSError:
                continue
    return found


def incomplete(out: Path) -> list[str]:
    """What is missing of a package that is there."""
    if not out.exists():
        return []
    manifest = json.loads((out / ".nb2pkg/manifest.json").read_text("utf-8"))
    return [name for name in manifest["files"] if not (out / name).is_file()]


def killed(command: list[str], environment: dict[str, str], seconds: float) -> bool:
    """Start the command, and kill it after so long; whether it was still running then."""
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        process.wait(seconds)
        return False
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.wait()
        return True


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--notebook", type=Path, default=ROOT / "examples/shell/weather.ipynb")
    options = parser.parse_args()
    source = random.Random(options.seed)
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="kills-") as temporary:
        base = Path(temporary)
        shutil.copytree(options.notebook.parent, base / "nb")
        before = snapshot(base / "nb")
        for folder in ("tmp", "cache", "work"):
            (base / folder).mkdir()
        out = base / "work/out"
        command = [sys.executable, "-m", "nb2pkg", str(base / "nb" / options.notebook.name), str(out), "--verify"]
        longest = 0.0
        for number in range(options.times + 1):
            mark = uuid.uuid4().hex
            environment = os.environ | {MARK: mark, "TMPDIR": str(base / "tmp"), "XDG_CACHE_HOME": str(base / "cache")}
            environment["PYTHONPATH"] = str(ROOT / "src")
            start = time.monotonic()
            seconds = 3600.0 if number == 0 else source.uniform(0, longest)
            was_running = killed(command, environment, seconds)
            if number == 0:  # how long it takes; the runs that it has kept go
                longest = time.monotonic() - start
                print(f"takes {longest:.1f} s", flush=True)
            until = time.monotonic() + GRACE
            while time.monotonic() < until and (marked(mark) or any((base / "tmp").iterdir())):
                time.sleep(0.1)
            told = [
                *(f"process {each}" for each in marked(mark)),
                *(f"scratch {each.name}" for each in (base / "tmp").iterdir()),
                *(f"beside OUT: {each.name}" for each in (base / "work").iterdir() if each != out),
                *(f"missing in OUT: {name}" for name in incomplete(out)),
                *(["the notebook's folder"] if snapshot(base / "nb") != before else []),
            ]
            wrong += bool(told)
            state = "killed" if was_running else "ended"
            there = "complete" if out.exists() else "absent"
            after = seconds if was_running else time.monotonic() - start
            print(f"{state} after {after:5.1f} s, OUT {there}: {told or 'clean'}", flush=True)
            shutil.rmtree(out, ignore_errors=True)
            shutil.rmtree(base / "cache", ignore_errors=True)  # so that the next one runs the notebook too
    print(f"{wrong} of {options.times + 1} runs have left something")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
