"""A constant is changed in the package of each example: which stages run again, and how long that takes.

    python bench/experiments.py [NOTEBOOK…] [--work FOLDER] [--json FILE]

For each notebook: convert, `dvc repro`, commit; edit the constant that the latest stage uses; `dvc params diff`, `dvc
repro`, `dvc metrics diff`; then the same by `dvc exp run -S`. Beside it, the time of the whole notebook in a kernel.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = sorted((ROOT / "examples").glob("*/*.ipynb"))


@dataclass(frozen=True, slots=True)
class Experiment:
    """What came of one constant's change."""

    notebook: str
    constant: str
    before: str
    after: str
    stages: tuple[str, ...]
    """All of the package's."""
    expected: tuple[str, ...]
    """Those that use the constant, and those after them."""
    users: tuple[str, ...]
    edited: tuple[str, ...]
    """Those that `dvc repro` ran after the edit."""
    by_dvc: tuple[str, ...]
    """Those that `dvc exp run -S` ran."""
    params_diff: bool
    metrics_diff: tuple[str, ...]
    """The metrics that `dvc metrics diff` shows as changed."""
    measured: bool
    """A stage that ran again has metrics."""
    repro_seconds: float
    whole_seconds: float
    """Of the first `dvc repro`, which ran every stage."""
    notebook_seconds: float | None

    @property
    def right(self) -> bool:
        """Nothing ran that does not depend on the constant, and what uses it ran, in both ways."""
        return self.params_diff and all(
            set(self.users) <= set(ran) <= set(self.expected) for ran in (self.edited, self.by_dvc)
        )


def run(folder: Path, *command: str) -> str:
    """Run a command in the package's folder; what it says."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    python = os.pathsep.join([str(ROOT / "src"), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PATH": path, "PYTHONPATH": python, "DVC_NO_ANALYTICS": "1"}
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b.c"}
    environment |= identity | {key.replace("AUTHOR", "COMMITTER"): value for key, value in identity.items()}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


def stages_run(said: str) -> tuple[str, ...]:
    """The stages that DVC says it ran."""
    return tuple(re.findall(r"(?m)^Running stage '([^']+)'", said))


def knob(pipeline: dict[str, Any], const: str) -> tuple[str, str, str]:
    """The number that the latest stage uses, as it stands and changed; seeds are no knobs."""
    values = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse(const).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    for stage in reversed(list(pipeline["stages"].values())):
        listed = [name for entry in stage.get("params", ()) for names in entry.values() for name in names]
        for name in listed:
            value = values.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and not re.search("SEED|STATE", name):
                changed = value + 1 if isinstance(value, int) else round(value * 1.5, 6)
                return name, repr(value), repr(changed)
    raise RuntimeError("no stage uses a number")


def dependent(pipeline: dict[str, Any], constant: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stages that use a constant, and those with all that come after them."""
    users: list[str] = []
    changed: set[str] = set()
    after: list[str] = []
    for name, stage in pipeline["stages"].items():
        uses = any(constant in names for entry in stage.get("params", ()) for names in entry.values())
        if uses:
            users.append(name)
        if uses or changed & set(stage.get("deps", ())):
            after.append(name)
            for kind in ("outs", "metrics", "plots"):
                changed |= {o if isinstance(o, str) else next(iter(o)) for o in stage.get(kind, ())}
    return tuple(users), tuple(after)


def measure(notebook: Path, work: Path, *, kernel: bool = True) -> Experiment:
    """Change a constant of a notebook's package."""
    out = work / notebook.stem
    shutil.rmtree(out, ignore_errors=True)
    run(notebook.parent, sys.executable, "-m", "nb2pkg", str(notebook), str(out))
    pipeline = yaml.safe_load((out / "dvc.yaml").read_text(encoding="utf-8"))
    const = next(out.glob("*/const.py"))
    relative = const.relative_to(out).as_posix()
    started = time.perf_counter()
    run(out, "dvc", "repro")
    whole = time.perf_counter() - started
    run(out, "git", "add", "-A")
    run(out, "git", "commit", "-qm", "reproduced")
    text = const.read_text(encoding="utf-8")
    name, before, after = knob(pipeline, text)
    users, expected = dependent(pipeline, name)
    const.write_text(re.sub(rf"(?m)^{name} = {re.escape(before)}", f"{name} = {after}", text), encoding="utf-8")
    params = json.loads(run(out, "dvc", "params", "diff", "--json") or "{}")
    started = time.perf_counter()
    edited = stages_run(run(out, "dvc", "repro"))
    seconds = time.perf_counter() - started
    metrics = json.loads(run(out, "dvc", "metrics", "diff", "--json") or "{}")
    run(out, "git", "checkout", "-q", ".")
    run(out, "dvc", "checkout", "-q")
    by_dvc = stages_run(run(out, "dvc", "exp", "run", "-S", f"{relative}:{name}={after}"))
    return Experiment(
        notebook=notebook.stem,
        constant=name,
        before=before,
        after=after,
        stages=tuple(pipeline["stages"]),
        expected=expected,
        users=users,
        edited=edited,
        by_dvc=by_dvc,
        params_diff=name in params.get(relative, {}),
        metrics_diff=tuple(sorted(key for file in metrics.values() for key in file)),
        measured=any("metrics" in pipeline["stages"][stage] for stage in edited),
        repro_seconds=seconds,
        whole_seconds=whole,
        notebook_seconds=in_kernel(notebook) if kernel else None,
    )


def in_kernel(notebook: Path) -> float:
    """How long the whole notebook takes, its kernel's start included."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "run"
        shutil.copytree(notebook.parent, copy)
        started = time.perf_counter()
        run(copy, sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--inplace", notebook.name)
        return time.perf_counter() - started


def main() -> None:
    """Print a table, and write what was measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("notebooks", nargs="*", type=Path, default=EXAMPLES)
    parser.add_argument("--work", type=Path, default=None, help="where the packages go; default: a temporary folder")
    parser.add_argument("--json", type=Path, default=None)
    options = parser.parse_args()
    work = options.work or Path(tempfile.mkdtemp())
    print(f"{'notebook':12} {'constant':34} {'ran':>5} {'of':>3} {'repro':>7} {'all':>7} {'notebook':>8} right metrics")
    found: list[Experiment] = []
    for path in options.notebooks:
        each = measure(path.resolve(), work)
        found.append(each)
        change = f"{each.constant} {each.before} -> {each.after}"
        print(
            f"{each.notebook:12} {change:34} {len(each.edited):5} {len(each.stages):3} {each.repro_seconds:6.1f}s "
            f"{each.whole_seconds:6.1f}s {each.notebook_seconds or 0:7.1f}s  {'yes' if each.right else 'NO':5}  "
            f"{', '.join(each.metrics_diff) or '-'}",
            flush=True,
        )
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in found], indent=1) + "\n", encoding="utf-8")
    sys.exit(not all(each.right for each in found))


if __name__ == "__main__":
    main()
