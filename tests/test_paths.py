"""Paths of one machine: pointed at copies where that is safe, told where it is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from nb2pkg.pipeline import Converted, Options, convert


def converted(folder: Path, code: str) -> tuple[Converted, str]:
    """The conversion of a notebook of one cell, and the text of its only stage."""
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": code, "execution_count": None, "outputs": []}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "nb.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    options = Options(git=False, package="pkg", one_stage=True, lift=False, keep_layout=True)
    made = convert(path, folder.parent / "out", options)
    texts = (folder.parent / "out" / "pkg").glob("*.py")
    return made, next(t for t in map(Path.read_text, texts) if "from pkg.report import cell" in t)


def codes(made: Converted) -> list[str]:
    return sorted(d.code for d in made.diagnostics if d.code.startswith("N4"))


@pytest.mark.parametrize(
    ("literal", "beside"),
    [
        ("'/kaggle/input/titanic/train.csv'", "train.csv"),
        ("'/kaggle/input/titanic/train.csv'", "titanic/train.csv"),
        ("'/content/drive/MyDrive/träin data.csv'", "träin data.csv"),
        ("'../input/train.csv'", "input/train.csv"),
        ("'~/nowhere at all/train.csv'", "train.csv"),
        (r"r'C:\Users\me\train.csv'", "train.csv"),
        (r"'C:/Users/me/data/train.csv'", "data/train.csv"),
    ],
)
def test_what_is_nowhere_is_read_from_beside_the_notebook(tmp_path: Path, literal: str, beside: str) -> None:
    file = tmp_path / "nb" / beside
    file.parent.mkdir(parents=True)
    file.write_text("a,b\n1,2\n")
    made, text = converted(tmp_path / "nb", f"import pandas as pd\né = 'ß'; df = pd.read_csv({literal}, sep=',')\ndf")
    assert f'pd.read_csv("{beside}", sep=",")' in text
    assert codes(made) == ["N402"]
    assert (tmp_path / "out/workspace" / beside).read_text() == "a,b\n1,2\n"
    assert f"workspace/{beside}" in (tmp_path / "out/dvc.yaml").read_text(encoding="utf-8")


def test_what_is_elsewhere_is_copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    for name in ("one/x.csv", "two/x.csv", "home/x.csv", "nb/own.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name)
    opened = ", ".join(f"open({p!r}).read()" for p in (*(f"{tmp_path}/{n}/x.csv" for n in ("one", "two")), "~/x.csv"))
    made, text = converted(tmp_path / "nb", f"print({opened}, open('{tmp_path}/nb/own.csv').read())")
    assert all(f'open("{name}")' in text for name in ("data/x.csv", "data/two/x.csv", "data/home/x.csv", "own.csv"))
    assert codes(made) == ["N402"] * 4
    assert (tmp_path / "out/workspace/data/two/x.csv").read_text() == "two/x.csv"
    manifest = (tmp_path / "out/.nb2pkg/manifest.json").read_text()
    assert str(tmp_path) not in manifest and str(tmp_path) not in (tmp_path / "out/dvc.yaml").read_text()


def test_a_path_that_is_shown_stays(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x")
    made, text = converted(tmp_path / "nb", f"path = '{tmp_path}/x.csv'\nprint(path, open(path).read())")
    assert f"{tmp_path}/x.csv" in text + (tmp_path / "out/pkg/const.py").read_text()
    assert "N403" in codes(made)


def test_a_path_with_a_name_that_is_only_opened(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("x")
    made, _ = converted(tmp_path / "nb", f"PATH = '{tmp_path}/x.csv'\nprint(open(PATH).read())\nopen(PATH).close()")
    assert 'PATH = "data/x.csv"' in (tmp_path / "out/pkg/const.py").read_text()
    assert codes(made) == ["N402"]


def test_what_is_nowhere_is_told(tmp_path: Path) -> None:
    made, text = converted(tmp_path / "nb", "open('/kaggle/working/y.csv', 'w').write('')\nopen('/content/x.csv')")
    assert '"/content/x.csv"' in text and '"/kaggle/working/y.csv"' in text
    assert codes(made) == ["N401", "N404"]


@pytest.mark.parametrize("text", ["/", "~", "~ x + y", "/etc/passwd", "//", "../", "/\\d+", "\\x00/a", "~nobody/x"])
def test_strings_that_are_no_data(tmp_path: Path, text: str) -> None:
    made, _ = converted(tmp_path / "nb", f"x = len({text!r})\nx")
    assert codes(made) == [] and not (tmp_path / "out/workspace/data").exists()


def test_modules_are_found_where_the_notebook_looks_for_them(tmp_path: Path) -> None:
    files = {"nb/own.py": "import deeper\n", "nb/deeper.py": "", "src/far.py": "X = 1\n", "lib/kit/__init__.py": ""}
    for name, content in {**files, "lib/kit/part.py": "", "nb/unused.py": ""}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    converted(
        tmp_path / "nb",
        "import os, sys\nsys.path.insert(0, os.path.join('..', 'lib'))\nsys.path.append('../src')\n"
        "import own, kit\nfrom far import X\nprint(X, own, kit)",
    )
    out = tmp_path / "out"
    assert {p.name for p in out.glob("*.py")} == {"own.py", "deeper.py", "far.py"}
    assert (out / "kit/part.py").is_file() and "far.py" in (out / "dvc.yaml").read_text()
    assert 'py-modules = ["deeper", "far", "own"]' in (out / "pyproject.toml").read_text()


def test_a_listing_shows_the_notebooks_own_files_alone(tmp_path: Path) -> None:
    folder = tmp_path / "source"
    for name in ("in/x.txt", "in/y.txt", "data.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    code = "\n".join(
        [
            "import os, glob",
            "names = sorted(os.listdir('in'))",
            "print(names, [open('in/' + name).read() for name in names])",
            "print(sorted(n for n in os.listdir() if n.endswith('.csv')), glob.glob('*.csv'))",
        ]
    )
    made, _ = converted(folder, code)
    assert "N401" not in codes(made)
    command = [sys.executable, "-m", "pkg"]
    answer = subprocess.run(command, cwd=tmp_path / "out", capture_output=True, text=True, check=True)
    assert answer.stdout == "['x.txt', 'y.txt'] ['in/x.txt', 'in/y.txt']\n['data.csv'] ['data.csv']\n"
