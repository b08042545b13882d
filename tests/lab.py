"""Small repositories of notebooks for the tests of `migrate`: written, migrated in this process, and run."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from nb2pkg.migrate import Migrated, MigrateOptions, in_turn, migrate


def write_notebook(path: Path, *cells: str, kernel: str = "python3") -> None:
    """A notebook of these cells: those that begin with `#` and a space are headings."""
    path.parent.mkdir(parents=True, exist_ok=True)
    listed = [
        {"cell_type": "markdown", "id": f"c{number}", "metadata": {}, "source": text}
        if text.startswith(("# ", "## "))
        else {
            "cell_type": "code",
            "id": f"c{number}",
            "metadata": {},
            "source": text,
            "outputs": [],
            "execution_count": None,
        }
        for number, text in enumerate(cells)
    ]
    spec = {"name": kernel, "display_name": kernel, "language": "python"}
    notebook = {"cells": listed, "metadata": {"kernelspec": spec}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(notebook), encoding="utf-8")


def migrated(lab: Path, out: Path) -> Migrated:
    """The lab's package in `out`."""
    return migrate(lab, out, MigrateOptions(git=False), in_turn)


def stages(out: Path) -> dict[str, dict[str, object]]:
    """The stages of the package's pipeline, by name."""
    found: dict[str, dict[str, object]] = yaml.safe_load((out / "dvc.yaml").read_text("utf-8"))["stages"]
    return found


def paths(stage: dict[str, object], key: str) -> set[str]:
    """The dependencies or outs of a stage."""
    listed = stage.get(key, [])
    assert isinstance(listed, list)
    return {next(iter(each)) if isinstance(each, dict) else each for each in listed}


def in_order(found: dict[str, dict[str, object]]) -> list[str]:
    """The stages, each after those whose outs it needs."""
    makers = {out: name for name, stage in found.items() for out in paths(stage, "outs")}
    done: list[str] = []

    def visit(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, f"a circle: {above}"
        if name not in done:
            for dep in sorted(paths(found[name], "deps")):
                if dep in makers and makers[dep] != name:
                    visit(makers[dep], (*above, name))
            done.append(name)

    for name in found:
        visit(name, ())
    return done


def run(out: Path) -> str:
    """Run each stage's command in an order that its dependencies allow, each with only what it may have; what they
    print."""
    found = stages(out)
    made = {path for stage in found.values() for path in paths(stage, "outs")}
    for path in made:  # as DVC does before a stage
        (out / path).unlink(missing_ok=True) if not (out / path).is_dir() else shutil.rmtree(out / path)
    printed = ""
    for name in in_order(found):
        for dep in paths(found[name], "deps"):
            assert (out / dep).exists(), f"{name} needs {dep}"
        command = str(found[name]["cmd"]).replace("python", sys.executable, 1)
        answer = subprocess.run(
            command,
            shell=True,
            cwd=out,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "PYTHONPATH": ""},
        )
        assert answer.returncode == 0, f"{name}: {answer.stderr}"
        for path in paths(found[name], "outs"):
            assert (out / path).exists(), f"{name} does not make {path}"
        printed += answer.stdout
    return printed
