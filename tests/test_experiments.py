"""A constant is a knob: DVC runs again the stages that use it and those after; its editor sets numbers and booleans."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

SOURCE = Path(__file__).parents[1] / "src"
sys.path.insert(0, str(SOURCE.parent / "bench"))

import experiments  # noqa: E402 - of the folder that was just added

CELLS = [
    "## Load",
    "import numpy as np\nimport pandas as pd\nx = pd.DataFrame({'a': np.arange(40.0) ** 2 % 7})\n"
    "y = 3 * x['a'] + x.index\nprint(len(x))",
    "## Split",
    "from sklearn.model_selection import train_test_split\n"
    "x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, shuffle=True, random_state=0)\n"
    "print(list(x_test.index))",
    "## Train",
    "from sklearn.linear_model import Ridge\nmodel = Ridge(alpha=1e-3)\nmodel.fit(x_train, y_train)\n"
    "print(model.coef_.round(6), model.alpha)",
    "## Evaluate",
    "print(round(model.score(x_test, y_test), 6))\nimport matplotlib.pyplot as plt\n"
    "from sklearn.metrics import confusion_matrix\nconfusion = confusion_matrix([0] * 10 + [1], [0] * 10 + [0])\n"
    "plt.plot(y_test)\nplt.show()",
    "## Plot settings",
    "SIZES = ((1, 2), 3)\nLOOK = {'size': (30, 10), 'on': True}\nPAIRS = [(1, 2), (3, 4)]\nSIZE = (30, 10)\n"
    "MIXED = {True: 1, None: 2}\nODD = 'a\\u2028b\\x85'\nNULL = 1\non = 'yes'\nTRUE = 2.5\nBY_YEAR = {2020: 1.5}\n"
    "print(SIZES, LOOK, PAIRS, SIZE, MIXED, repr(ODD), NULL, on, TRUE, BY_YEAR)",
]
PACKAGE = "knobs"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package in a git repository, reproduced once."""
    folder = tmp_path_factory.mktemp("experiment")
    code = {"cell_type": "code", "outputs": [], "execution_count": None}
    cells = [
        {"id": f"c{i}", "metadata": {}, "source": text} | ({"cell_type": "markdown"} if text.startswith("##") else code)
        for i, text in enumerate(CELLS)
    ]
    notebook = folder / f"{PACKAGE}.ipynb"
    notebook.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    out = folder / "out"
    run(folder, sys.executable, "-m", "nb2pkg", str(notebook), str(out))
    run(out, "dvc", "repro")
    run(out, "git", "add", "-A")
    run(out, "git", "commit", "-qm", "reproduced")
    return out


def run(folder: Path, *command: str) -> str:
    """Run a command in the package's folder; what it says."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = os.environ | {"PATH": path, "PYTHONPATH": str(SOURCE), "DVC_NO_ANALYTICS": "1"}
    identity = (("user.name", "a"), ("user.email", "a@b.c"))
    environment["GIT_CONFIG_COUNT"] = str(len(identity))
    for place, (key, value) in enumerate(identity):
        environment |= {f"GIT_CONFIG_KEY_{place}": key, f"GIT_CONFIG_VALUE_{place}": value}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def ran(said: str) -> list[str]:
    """The stages that DVC says it ran."""
    return [line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage '")]


def printed(folder: Path, stage: str) -> str:
    """What a stage printed the last time."""
    lines = (folder / "reports" / "outputs" / f"{stage}.jsonl").read_text().splitlines()
    return "".join(json.loads(line).get("text", "") for line in lines)


def test_nothing_runs_again_whatever_the_constants_hold(package: Path) -> None:
    assert ran(run(package, "dvc", "repro")) == []
    const = (package / PACKAGE / "const.py").read_text()
    assert all(f"{name} = " in const for name in ("SIZE", "NULL", "on", "TRUE", "BY_YEAR"))


def test_an_edited_constant_runs_the_stages_that_use_it_and_those_after(package: Path) -> None:
    const = package / PACKAGE / "const.py"
    before = const.read_text()
    assert "RIDGE_ALPHA = 0.001  #" in before
    const.write_text(before.replace("RIDGE_ALPHA = 0.001", "RIDGE_ALPHA = 100.0"))
    changed = run(package, "dvc", "params", "diff")
    again = ran(run(package, "dvc", "repro"))
    text = printed(package, again[0])
    scores = json.loads(run(package, "dvc", "metrics", "diff", "--json"))
    run(package, "git", "checkout", "-q", ".")
    run(package, "dvc", "checkout", "-q")
    assert "RIDGE_ALPHA" in changed
    assert len(again) == 2, again
    assert "100.0" in text
    assert [*scores] == ["metrics/evaluate.json"]
    assert scores["metrics/evaluate.json"]["model_score"]["diff"] != 0


def test_dvc_shows_metrics_and_plots_at_once(package: Path) -> None:
    assert "model_score" in run(package, "dvc", "metrics", "show")
    shown = run(package, "dvc", "plots", "show")
    page = (package / "dvc_plots" / "index.html").read_text(encoding="utf-8")
    assert "index.html" in shown
    assert "confusion_counts" not in page  # drawn, not named
    assert '"count": 10' in page
    assert "reports_figures_evaluate" in page


def test_the_stages_after_a_constant_are_told_from_dvc_yaml() -> None:
    pipeline: dict[str, Any] = {
        "stages": {
            "load": {"params": [{"p/const.py": ["CSV"]}], "outs": ["a"]},
            "train": {"params": [{"p/const.py": ["RATE", "SEED"]}], "deps": ["a"], "outs": [{"b": {"cache": False}}]},
            "look": {"deps": ["a"]},
            "score": {"deps": ["b"]},
        }
    }
    assert experiments.dependent(pipeline, "RATE") == (("train",), ("train", "score"))
    assert experiments.dependent(pipeline, "CSV") == (("load",), ("load", "train", "look", "score"))
    assert experiments.knob(pipeline, "CSV = 'a'\nSEED = 1\nRATE = 0.5\n") == ("RATE", "0.5", "0.75")


def test_an_example_does_so_too(tmp_path: Path) -> None:
    done = experiments.measure(SOURCE.parent / "examples" / "training_loop" / "network.ipynb", tmp_path, kernel=False)
    assert done.right, done
    assert len(done.edited) < len(done.stages)
    assert done.measured
    assert done.metrics_diff, done


def test_dvc_edits_numbers_and_booleans(package: Path) -> None:
    const = package / PACKAGE / "const.py"
    names = const.read_text().split()
    split, ridge = (next(name for name in names if name.endswith(ending)) for ending in ("SHUFFLE", "RIDGE_ALPHA"))
    settings = [f"{PACKAGE}/const.py:{split}=False", f"{PACKAGE}/const.py:{ridge}=0.5"]
    said = run(package, "dvc", "exp", "run", "-S", settings[0], "-S", settings[1])
    text = const.read_text()
    run(package, "git", "checkout", "-q", ".")
    run(package, "dvc", "checkout", "-q")
    assert f"{split} = False" in text
    assert f"{ridge} = 0.5" in text
    assert len(ran(said)) == 3, said
