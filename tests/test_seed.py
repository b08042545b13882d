"""What is drawn without a seed is told, and `--seed` gives it one."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nb2pkg.analyse import Program, analyse
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Cell, Notebook
from nb2pkg.pipeline import Options, convert
from nb2pkg.refactor.seed import with_seed

SETUP = """\
import numpy as np
import pandas as pd
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score, train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
X, y, df = np.load('x.npy'), np.load('y.npy'), pd.read_csv('d.csv')
"""


def analysed(*sources: str) -> tuple[Notebook, Program]:
    """A notebook of these cells after the imports, and its program."""
    cells = tuple(Cell(i, f"c{i}", "code", s, s) for i, s in enumerate((SETUP, *sources)))
    notebook = Notebook("case", Path("."), cells)
    return notebook, analyse(notebook, shipped())


def unseeded(*sources: str) -> set[str]:
    """The streams that results depend on."""
    return {stream for s in analysed(*sources)[1].statements for stream in s.effects.unseeded}


QUIET = {
    "an estimator with a seed": "m = RandomForestClassifier(random_state=1)\nm.fit(X, y)",
    "one whose solver draws nothing": "LogisticRegression().fit(X, y)",
    "one that never draws": "KNeighborsClassifier(3).fit(X, y)",
    "a pipeline of such": "make_pipeline(StandardScaler(), RandomForestClassifier(random_state=1)).fit(X, y)",
    "a search over one": "GridSearchCV(RandomForestClassifier(random_state=0), {'max_depth': [1]}).fit(X, y)",
    "cross-validation of one": "cross_val_score(RandomForestClassifier(random_state=0), X, y, cv=KFold(3))",
    "a split with a seed": "train_test_split(X, y, random_state=0)",
    "a generator": "rng = np.random.default_rng(3)\nrng.normal(size=3)",
    "what nobody knows": "import strange\nstrange.Model(X).fit(y)",
}


@pytest.mark.parametrize("case", QUIET)
def test_no_false_alarm(case: str) -> None:
    assert unseeded(QUIET[case]) == set()


SEEDED = {
    "RandomForestClassifier(10).fit(X, y)": "RandomForestClassifier(10, random_state=SEED).fit(X, y)",
    "m = KMeans()": "m = KMeans(random_state=SEED)",
    "m = KMeans(n_clusters=3,\n    n_init=2,\n)": "m = KMeans(n_clusters=3,\n    n_init=2,\nrandom_state=SEED)",
    "m = KMeans(3,)": "m = KMeans(3, random_state=SEED)",
    "m = KMeans((3))": "m = KMeans((3), random_state=SEED)",
    "m = KMeans(3, random_state=None)": "m = KMeans(3, random_state=SEED)",
    "a = train_test_split(X, y)": "a = train_test_split(X, y, random_state=SEED)",
    "df.sample(3)": "df.sample(3, random_state=SEED)",
    "rng = np.random.default_rng()": "rng = np.random.default_rng(SEED)",
    "KFold(3, shuffle=True)": "KFold(3, shuffle=True, random_state=SEED)",
}


@pytest.mark.parametrize("source", SEEDED)
def test_a_call_gets_the_seed(source: str) -> None:
    notebook, told = with_seed(*analysed(source), shipped(), 7)
    assert [cell.code for cell in notebook.cells if cell.id == "c1"] == [SEEDED[source]]
    assert [cell.code for cell in notebook.cells if cell.id == "seed"] == ["SEED = 7"]
    assert "N502" in {each.code for each in told}


@pytest.mark.parametrize("source", [*QUIET.values(), "KMeans(**options)", "KFold(3)", "print(1)"])
def test_what_needs_no_seed_stays(source: str) -> None:
    notebook, _ = with_seed(*analysed(source), shipped(), 7)
    assert source in {cell.code for cell in notebook.cells}


def test_a_stream_is_seeded_before_the_first_cell_that_draws() -> None:
    notebook, _ = with_seed(*analysed("print(1)", "np.random.rand()", "import random\nrandom.random()"), shipped(), 7)
    assert [cell.id for cell in notebook.cells] == ["c0", "c1", "seed", "c2", "c3"]
    assert notebook.cells[2].code == "SEED = 7\nnp.random.seed(SEED)\nrandom.seed(SEED)"
    assert notebook.imports == ("import random",)
    assert notebook.cells[2].host == 2


def test_a_stream_that_is_seeded_stays() -> None:
    notebook, told = with_seed(*analysed("np.random.seed(0)\nnp.random.rand()"), shipped(), 7)
    assert (len(notebook.cells), told) == (2, ())


def test_a_name_of_the_notebook_is_not_taken() -> None:
    notebook, _ = with_seed(*analysed("SEED = 'wheat'\nm = KMeans(3)"), shipped(), 7)
    assert notebook.cells[-1].code.endswith("KMeans(3, random_state=RANDOM_SEED)")


def test_two_runs_of_the_package_are_equal(tmp_path: Path) -> None:
    imports, both = "import random\nimport numpy as np", "print(np.random.rand(), random.random())"
    sources = [imports, both, "print(random.random())"]
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    cells = [code | {"id": f"c{place}", "source": text} for place, text in enumerate(sources)]
    path = tmp_path / "draws.ipynb"
    path.write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    done = convert(path, tmp_path / "out", Options(seed=7, git=False))
    assert "N501" not in {each.code for each in done.diagnostics}
    assert "SEED = 7  # cell 2" in (tmp_path / "out" / "draws" / "const.py").read_text()
    run = [sys.executable, "-m", "draws"]
    said = [subprocess.check_output(run, cwd=tmp_path / "out") for _ in range(2)]
    assert said[0] == said[1]
