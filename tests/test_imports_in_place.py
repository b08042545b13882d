"""A library that draws from the seeded stream when it is imported is imported where the notebook imports it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from nb2pkg import Options, convert

CELLS = [
    "## Load",
    "import random\n\nrandom.seed(7)\na = random.random()\nprint(a)",
    "## Prepare",
    "from draws_when_imported import FIRST\n\ndeck = [a, FIRST]\nprint(FIRST)",
    "## Report",
    "import draws_when_imported\n\nprint(deck, random.random(), draws_when_imported.__name__)",
]


def run(words: list[str], folder: Path) -> str:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout


def test_an_import_draws_where_it_drew(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "draws_when_imported.py").write_text("import random\n\nFIRST = random.getrandbits(24)\n")
    cells = [
        {"cell_type": "markdown" if c.startswith("#") else "code", "source": c, "metadata": {}, "outputs": []}
        for c in CELLS
    ]
    (folder / "a.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
    plan = convert(folder / "a.ipynb", tmp_path / "out", Options(git=False)).plan
    assert len(plan.stages) == 2  # what it drew is the same in all that use it
    expected = run(["-c", "\n".join(c for c in CELLS if not c.startswith("#"))], folder)
    staged = "".join(run(["-m", f"{plan.package}.{stage.name}"], tmp_path / "out") for stage in plan.stages)
    assert staged == expected
