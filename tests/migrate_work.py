"""Tasks for the tests of a migration's runs, and what is done with them: each function is a fault of its own.

Which notebook a fault hits stands in its path, so that one function serves a whole run.
"""

from __future__ import annotations

import hashlib
import os
import signal
import time
from pathlib import Path

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.errors import NotebookError
from nb2pkg.migrate.journal import read
from nb2pkg.migrate.types import Found, Outcome, Task
from nb2pkg.pipeline import Options

KEPT: list[bytes] = []
"""What a process does not give back."""


def task(root: Path, path: str, content: str = "", options: Options | None = None) -> Task:
    """The task of a notebook that is written to the disk."""
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    (root / path).write_text(content or path, encoding="utf-8")
    digest = hashlib.sha256((root / path).read_bytes()).hexdigest()
    return Task("survey", str(root), Found(path, digest, (root / path).stat().st_size), options or Options())


def work(each: Task) -> Outcome:
    """What the notebook's path says."""
    path = Path(each.root, each.name)
    with open(Path(each.root, "calls"), "a", encoding="utf-8") as calls:
        calls.write(f"{each.name} {os.getpid()}\n")
    if "hangs" in each.name:
        while True:
            time.sleep(0.01)
    if "grows" in each.name:
        held = []
        while True:
            held.append(b"x" * (1 << 26))
            time.sleep(0.005)
    if "keeps" in each.name:
        KEPT.append(b"x" * (160 << 20))
        time.sleep(0.3)
    if "dies" in each.name:
        os.kill(os.getpid(), signal.SIGKILL)
    if "falters" in each.name and not (first := path.with_suffix(".tried")).exists():
        first.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if "leaves" in each.name:
        os._exit(3)
    if "raises" in each.name:
        raise KeyError(f"no such thing in {path}: {object()}")
    if "refused" in each.name:
        raise NotebookError("N011", f"is not valid Python, see {path}", file=str(path), cell=2)
    if "slow" in each.name:
        time.sleep(0.2)
    told = (Diagnostic("N401", f"{path.read_text('utf-8')} is not there", cell=1),)
    return Outcome(each.step, each.name, "done", None, told, depends=(read(each.root, "lib.py"),))


def calls(root: Path) -> list[str]:
    """The notebooks that were worked on, in no order."""
    return sorted(line.split()[0] for line in (root / "calls").read_text("utf-8").splitlines())


def processes(root: Path) -> set[int]:
    """The processes that have worked."""
    return {int(line.split()[1]) for line in (root / "calls").read_text("utf-8").splitlines()}
