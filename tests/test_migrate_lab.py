"""The example laboratory is migrated as people do it: DVC rebuilds all that its notebooks made, each file the same, and
the report names what could not come over."""

from __future__ import annotations

import csv
import json
import os
import pickle
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import joblib
import numpy as np
import pandas as pd
import pytest

from lab import write_notebook

ROOT = Path(__file__).parents[1]
ORDER = (
    "2014/first look/Exploration.ipynb",
    "01 import/01 Import readings.ipynb",
    "02 analysis/Trend analysis.ipynb",
    "02 analysis/Étude des crues.ipynb",
    "03 models/Train forest.ipynb",
    "04 colab/Forecast.ipynb",
    "04 colab/Risk.ipynb",
    "paper/Figures for the paper.ipynb",
)
"""The notebooks of Python 3 that run, each after those whose files it reads."""
MADE = {
    "data/processed/clean.pkl",
    "data/processed/crues.csv",
    "data/processed/crues.json",
    "data/processed/harmonics.pkl",
    "data/processed/monthly_2009.csv",
    "data/processed/predictions.csv",
    "data/processed/risk_2016.csv",
    "data/processed/stations.csv",
    "data/processed/trends.csv",
    "drive/hydro/forecast_2016.csv",
    "figures/figure_2.png",
    "figures/levels.png",
    "models/forest.joblib",
    "paper/table_1.csv",
    "paper/table_2.txt",
}
DRIVE = "/content/drive/MyDrive"


def called(*words: str, folder: Path, status: int = 0) -> str:
    """What a command says that ends as it should."""
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}", "MPLBACKEND": "agg"}
    done = subprocess.run(
        words, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    assert done.returncode == status, done.stdout
    return done.stdout


@dataclass(frozen=True)
class Migrated:
    """The package, and what was said."""

    lab: Path
    out: Path
    said: str
    repro: str
    again: str


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Migrated:
    """The laboratory, with what lies about in one, through the script that people copy, and rebuilt from nothing."""
    place = tmp_path_factory.mktemp("migrate")
    lab, out = place / "lab", place / "out"
    shutil.copytree(ROOT / "examples" / "lab", lab)
    write_notebook(lab / "scratch" / "Untitled.ipynb", "print('nobody shall see this')")
    before = {path: path.read_bytes() for path in lab.rglob("*") if path.is_file()}
    script = ("bash", str(ROOT / "examples" / "migrate_lab.sh"), str(out), str(lab))
    said = called(*script, folder=place, status=1)
    assert {path: path.read_bytes() for path in lab.rglob("*") if path.is_file()} == before
    repro, again = (called(sys.executable, "-m", "dvc", "repro", folder=out) for _ in range(2))
    return Migrated(lab, out, said, repro, again)


@pytest.fixture(scope="module")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The laboratory after its notebooks were run in order, with a Drive of its own."""
    lab = tmp_path_factory.mktemp("reference") / "lab"
    shutil.copytree(ROOT / "examples" / "lab", lab)
    (lab / "drive" / "hydro").mkdir(parents=True)
    (lab / "data" / "processed").mkdir()
    (lab / "data" / "processed" / "monthly_2009.csv").write_text(old_logger(lab))
    for name in ORDER:
        path = lab / name
        path.write_text(path.read_text(encoding="utf-8").replace(DRIVE, str(lab / "drive")), encoding="utf-8")
        called(sys.executable, "-m", "IPython", "--no-banner", path.name, folder=path.parent)
    return lab


def old_logger(lab: Path) -> str:
    """What the notebook of Python 2 writes, where `/` floors."""
    by_month: dict[int, list[int]] = defaultdict(list)
    with (lab / "data" / "raw" / "logger_2009.csv").open() as file:
        for row in csv.reader(file):
            if not row[0].startswith("#"):
                by_month[int(row[1][5:7])].append(int(row[2]))
    rows = [f"{month},{sum(v) // len(v)},{sorted(v)[len(v) // 2]}" for month, v in sorted(by_month.items())]
    return "\n".join(["month,mean_mm,median_mm", *rows, ""])


def test_the_report_names_the_broken_notebook_and_what_became_of_each(migrated: Migrated) -> None:
    report = json.loads((migrated.out / "migration.json").read_text(encoding="utf-8"))
    [repository] = report["repositories"]
    rows = {row["notebook"]: row for row in repository["notebooks"]}
    assert {name: row["status"] for name, row in rows.items() if row["status"] != "whole"} == {
        "01 import/Old logger (python 2).ipynb": "doubts",
        "02 analysis/Copy of Trend analysis.ipynb": "copy",
        "paper/Mixed model.ipynb": "refused",
    }
    assert set(rows) == {
        *ORDER,
        *(name for name, row in rows.items() if row["status"] != "whole"),
        "03 models/setup.ipynb",
    }
    first = report["needs"][0]
    assert first["kind"] == "refused" and first["code"] == "N110"
    [place] = first["places"]
    assert (place["notebook"], place["cell"]) == ("paper/Mixed model.ipynb", 2)
    assert "paper/Mixed model.ipynb, cell 3: refused: N110" in migrated.said
    assert rows["02 analysis/Copy of Trend analysis.ipynb"]["message"] == "02 analysis/Trend analysis.ipynb"
    assert rows["01 import/Old logger (python 2).ipynb"]["upgraded"] is True
    assert "Mixed model.ipynb" in (migrated.out / "migration.html").read_text(encoding="utf-8")


def test_the_notebooks_are_linked_by_their_files(migrated: Migrated) -> None:
    [repository] = json.loads((migrated.out / "migration.json").read_text(encoding="utf-8"))["repositories"]
    names = {name.rpartition("/")[2].removesuffix(".ipynb"): name for name in ORDER}
    clean, processed = "data/processed/clean.pkl", "data/processed"
    assert {(link["producer"], link["consumer"], link["file"]) for link in repository["links"]} == {
        (names["01 Import readings"], names["Trend analysis"], clean),
        (names["01 Import readings"], names["Étude des crues"], clean),
        (names["01 Import readings"], names["Étude des crues"], f"{processed}/stations.csv"),
        (names["01 Import readings"], names["Train forest"], clean),
        (names["01 Import readings"], names["Risk"], clean),
        ("01 import/Old logger (python 2).ipynb", names["Étude des crues"], f"{processed}/monthly_2009.csv"),
        (names["Trend analysis"], names["Forecast"], f"{processed}/harmonics.pkl"),
        (names["Trend analysis"], names["Figures for the paper"], f"{processed}/trends.csv"),
        (names["Étude des crues"], names["Figures for the paper"], f"{processed}/crues.csv"),
        (names["Train forest"], names["Figures for the paper"], f"{processed}/predictions.csv"),
        (names["Train forest"], names["Figures for the paper"], "models/forest.joblib"),
        (names["Forecast"], names["Risk"], "drive/hydro/forecast_2016.csv"),
    }
    assert repository["diagnostics"] == []
    assert {code["name"]: len(code["notebooks"]) for code in repository["shared"]} == {
        "rmse": 3, "standardise": 2, "add_month": 2,
    }  # fmt: skip
    assert [code["name"] for code in repository["near_copies"]] == ["standardise"]


def test_dvc_rebuilds_what_the_notebooks_made(migrated: Migrated, reference: Path) -> None:
    made = {path.relative_to(reference).as_posix() for path in reference.rglob("*") if path.is_file()}
    assert made - {path.relative_to(migrated.lab).as_posix() for path in migrated.lab.rglob("*")} == MADE
    for name in sorted(MADE):
        assert same(migrated.out / "workspace" / name, reference / name), name
    assert "nobody shall see this" not in migrated.repro


def test_a_second_repro_runs_nothing(migrated: Migrated) -> None:
    assert "Running stage" in migrated.repro and "Running stage" not in migrated.again
    assert "up to date" in migrated.again


def same(one: Path, other: Path) -> bool:
    """Whether two files hold the same."""
    if one.suffix not in (".pkl", ".joblib"):
        return one.read_bytes() == other.read_bytes()
    found, expected = (joblib.load(p) if p.suffix == ".joblib" else pickle.loads(p.read_bytes()) for p in (one, other))
    return equal(found, expected)


def equal(found: Any, expected: Any) -> bool:
    """Whether two objects of the laboratory's are."""
    if isinstance(expected, pd.DataFrame):
        return bool(found.equals(expected)) and list(found.dtypes) == list(expected.dtypes)
    if isinstance(expected, dict):
        return list(found) == list(expected) and all(equal(found[key], expected[key]) for key in expected)
    if isinstance(expected, np.ndarray):
        return bool(np.array_equal(found, expected))
    if hasattr(expected, "feature_importances_"):
        points = pd.DataFrame(np.linspace(-1, 12, 40).reshape(10, 4), columns=list(expected.feature_names_in_))
        return bool(np.array_equal(found.predict(points), expected.predict(points)))
    return bool(found == expected)
