"""Each example's package does under DVC what its notebook does: the same lines, figures and files, and a second
`dvc repro` runs nothing. Measured with the bench's own comparison; the notebook runs once, so nothing is left out."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "bench"))

import equivalence  # noqa: E402 - of the folder that was just added

EXAMPLES = sorted((ROOT / "examples").glob("*/*.ipynb"))


def bench(tmp_path: Path) -> equivalence.Bench:
    """The bench for the interpreter that runs the tests."""
    here = Path(sys.executable).parent
    return equivalence.Bench(
        argparse.Namespace(
            corpus=ROOT / "examples",
            cache=tmp_path / "references",
            work=tmp_path / "work",
            python=sys.executable,
            nb2pkg=f"{sys.executable} -m nb2pkg",
            dvc=str(here / "dvc"),
            ruff=str(here / "ruff"),
            refresh=False,
            once=True,
            checks=False,
            timeout=300,
            convert_timeout=300,
            repro_timeout=600,
        )
    )


def test_there_are_five_examples() -> None:
    assert len(EXAMPLES) >= 5


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.parent.name)
def test_the_package_does_what_the_notebook_does(path: Path, tmp_path: Path) -> None:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    row = {
        "id": path.parent.name,
        "dir": path.parent.name,
        "notebook": path.name,
        "cwd": ".",
        "deterministic": True,
        "n_code_cells": sum(cell["cell_type"] == "code" for cell in cells),
    }
    result = bench(tmp_path).measure(row)
    assert result["verdict"] == "equivalent", json.dumps(result, indent=1)[:8000]
    assert result["stages"] >= 2
    assert result["ruff"] == []
