"""Runs a case of ``tests/cases`` twice: as the notebook that it is, and as the package made from it.

A case is a Python file in the percent format::

    # hazard: one sentence
    # %% [markdown]
    # ## Load
    # %% tags=["raises-exception"]
    x = 1

``notebook_output`` is the reference and knows nothing of nb2pkg: a process with a real IPython shell. Displayed
text goes to stdout without the ``Out[n]:`` prompt. The processes are forked from a warm one (``warm.py``).
"""

from __future__ import annotations

import atexit
import json
import os
import re
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

Cell = dict[str, Any]

CASES = Path(__file__).resolve().parent / "cases"
TIMEOUT = 120
_MARKER = re.compile(r"^# %%(?P<rest>.*)$")
_ATTRIBUTE = re.compile(r'(\w+)=("[^"]*"|\[[^\]]*\])')


def case_paths() -> list[Path]:
    return sorted(CASES.glob("*.py"))


def hazard(path: Path) -> str:
    first = path.read_text(encoding="utf-8").splitlines()[0]
    assert first.startswith("# hazard: "), f"{path.name} does not begin with '# hazard: '"
    return first.removeprefix("# hazard: ")


def load_case(path: Path | str) -> list[Cell]:
    """The cells of a percent-format file as nbformat v4 dicts."""
    cells: list[Cell] = []
    lines: list[str] | None = None  # None in the header, before the first marker
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        marker = _MARKER.match(line)
        if marker:
            lines = []
            cells.append(_cell(marker["rest"], len(cells), lines))
        elif lines is not None:
            lines.append(line)
    for cell in cells:
        cell["source"] = _source(cell)
    return cells


def _cell(rest: str, number: int, lines: list[str]) -> Cell:
    attributes = {name: json.loads(value) for name, value in _ATTRIBUTE.findall(rest)}
    markdown = "[markdown]" in rest
    metadata = {"tags": attributes["tags"]} if "tags" in attributes else {}
    cell: Cell = {
        "cell_type": "markdown" if markdown else "code",
        "id": attributes.get("id", f"cell-{number}"),
        "metadata": metadata,
        "source": lines,
    }
    if not markdown:
        cell |= {"execution_count": None, "outputs": []}
    return cell


def _source(cell: Cell) -> str:
    lines = list(cell["source"])
    if cell["cell_type"] == "markdown":
        lines = [line.removeprefix("#").removeprefix(" ") for line in lines]
    return "\n".join(lines).strip("\n")


def notebook(cells: list[Cell]) -> dict[str, Any]:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {
        "cells": cells,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def write_notebook(cells: list[Cell], path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook(cells), indent=1), encoding="utf-8")
    return path


class RunError(AssertionError):
    """A cell, the conversion, or a stage that failed."""


def _run(command: list[str] | str, folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        shell=isinstance(command, str),
        env=_environment() | environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=TIMEOUT,
        check=False,
    )
    if done.returncode:
        shown = command if isinstance(command, str) else shlex.join(command[:4])[:300]
        raise RunError(f"{shown}\nexit status {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done.stdout


def _environment() -> dict[str, str]:
    """This interpreter first on the path, and nothing that would change what is printed."""
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST_", "COLUMNS", "LINES"))
    }
    return environment | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")]),
        "PYTHONHASHSEED": "0",
        "PYTHONIOENCODING": "utf-8",
        "MPLBACKEND": "agg",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "DVC_NO_ANALYTICS": "1",
    }


class _Warm:
    """The process of ``warm.py``, started when it is first asked."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def run(self, kind: str, argument: str, folder: Path, **environment: str) -> str:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, str(Path(__file__).parent / "warm.py")],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
                env=_environment(),
            )
            atexit.register(self.process.kill)
        assert self.process.stdin is not None and self.process.stdout is not None
        with tempfile.TemporaryDirectory() as place:
            out, err = Path(place) / "out", Path(place) / "err"
            request = {
                "run": kind,
                "argument": argument,
                "folder": str(folder.resolve()),
                "stdout": str(out),
                "stderr": str(err),
                "environment": environment,
            }
            self.process.stdin.write(json.dumps(request) + "\n")
            self.process.stdin.flush()
            status = int(self.process.stdout.readline())
            printed = out.read_text(encoding="utf-8")
            if status:
                said = err.read_text(encoding="utf-8", errors="replace")
                raise RunError(f"{kind} {argument}\nexit status {status}\n{printed}\n{said}")
            return printed


_WARM = _Warm()


def notebook_output(cells: list[Cell], folder: Path) -> str:
    """What the notebook prints, run top to bottom in ``folder`` by IPython in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        source = Path(place) / "cells.json"
        source.write_text(json.dumps(cells), encoding="utf-8")
        return _WARM.run("cells", str(source), folder, IPYTHONDIR=place)


def script_output(text: str, folder: Path) -> str:
    """What a script prints, run in ``folder`` in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    script = folder / "script.py"
    script.write_text(text, encoding="utf-8")
    return _WARM.run("script", str(script.resolve()), folder)


def convert(notebook_path: Path, out: Path) -> None:
    """Convert as the command line does."""
    from nb2pkg import pipeline

    pipeline.convert(notebook_path.resolve(), out.resolve(), pipeline.Options(git=False))


def package_output(notebook_path: Path, out: Path) -> str:
    """What the package made from a notebook prints, each stage in a process of its own."""
    convert(notebook_path, out)
    return run_stages(out)


def run_stages(out: Path) -> str:
    """The stages of ``dvc.yaml`` in order, without DVC, which takes seconds to start."""
    return "".join(
        _run_command(command, out / stage.get("wdir", "."))
        for stage in stages(out)
        for command in _commands(stage["cmd"])
    )


def _run_command(command: str, folder: Path) -> str:
    words = shlex.split(command)
    if words[:2] == ["python", "-m"] and len(words) == 3:
        return _WARM.run("module", words[2], folder)
    return _run(command, folder)


def stages(out: Path) -> list[dict[str, Any]]:
    """The stages in the order of the file, each after those whose outs it depends on."""
    import yaml

    declared = yaml.safe_load((out / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    waiting = [{"name": name} | stage for name, stage in declared.items()]
    made_by_some = {path for stage in waiting for path in _outs(stage)}
    made: set[str] = set()
    ordered: list[dict[str, Any]] = []
    while waiting:
        ready = next(
            (stage for stage in waiting if not (_deps(stage) & made_by_some) - made), None
        )
        if ready is None:
            raise RunError(f"the stages of {out / 'dvc.yaml'} depend on each other in a circle")
        waiting.remove(ready)
        made |= _outs(ready)
        ordered.append(ready)
    return ordered


def _paths(entries: list[Any] | None) -> set[str]:
    """DVC writes ``- path`` or ``- path: {options}``."""
    return {name for entry in entries or [] for name in ([entry] if isinstance(entry, str) else entry)}


def _deps(stage: dict[str, Any]) -> set[str]:
    return _paths(stage.get("deps"))


def _outs(stage: dict[str, Any]) -> set[str]:
    return _paths(stage.get("outs")) | _paths(stage.get("metrics")) | _paths(stage.get("plots"))


def _commands(cmd: str | list[str]) -> list[str]:
    return [cmd] if isinstance(cmd, str) else list(cmd)


def dvc_output(out: Path) -> str:
    """What the stages print when DVC itself runs them, one by one in their order.

    ``dvc repro`` mixes its own messages with what the stages print, so each stage's command
    writes what it prints to a file beside the package.
    """
    import yaml

    path = out / "dvc.yaml"
    declared = yaml.safe_load(path.read_text(encoding="utf-8"))
    log = (out.parent / f"{out.name}.log").resolve()
    log.write_text("")
    for stage in declared["stages"].values():
        stage["cmd"] = [f"({cmd}) >> {shlex.quote(str(log))}" for cmd in _commands(stage["cmd"])]
    path.write_text(yaml.safe_dump(declared, sort_keys=False), encoding="utf-8")
    if not (out / ".dvc").exists():
        _run([sys.executable, "-m", "dvc", "init", "--no-scm", "--quiet"], out)
    elif not (out / ".git").exists():
        (out / ".dvc" / "config.local").write_text("[core]\n    no_scm = true\n")
    _run([sys.executable, "-m", "dvc", "repro", "--quiet"], out)
    return log.read_text(encoding="utf-8")


def main(arguments: list[str]) -> int:
    """``python case_runner.py [NAME…]``: what the reference prints for these cases, or all."""
    import time

    wanted = [path for path in case_paths() if not arguments or path.stem in arguments]
    failed = 0
    for path in wanted:
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            try:
                text = notebook_output(load_case(path), Path(folder) / "work")
            except RunError as error:
                failed += 1
                text = f"FAILED\n{error}"
            print(f"=== {path.stem} ({time.perf_counter() - start:.1f} s)\n{text}", flush=True)
    print(f"{len(wanted)} cases, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
