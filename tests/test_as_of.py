"""`--as-of DAY`: the package wants what there was on a day, and pins nothing of today."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nb2pkg.cli import main
from nb2pkg.emit.part import Part
from nb2pkg.knowledge.base import shipped
from nb2pkg.migrate.merge import _as_of
from nb2pkg.pipeline import Options, tree
from nb2pkg.plan import requirements as module
from nb2pkg.plan.requirements import requirements
from nb2pkg.settings import SettingsError, options_for


def save(path: Path, *sources: str, **metadata: Any) -> Path:
    """A notebook of these code cells."""
    cells = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": []} for s in sources]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}))
    return path


def files(path: Path, options: Options) -> tuple[dict[str, str], list[str]]:
    """The text files of the package, and the codes of what was told."""
    made, _, told = tree(path, options)
    return {name: content.decode() for name, content in made.files}, [each.code for each in told]


def project(path: Path, options: Options) -> dict[str, Any]:
    """The package's pyproject.toml."""
    return tomllib.loads(files(path, options)[0]["pyproject.toml"])


SOURCE = "!pip install statsmodels==0.11.0 strange_thing\nimport pandas as pd\nimport sklearn\nimport numpy"


def test_nothing_of_today_is_pinned(tmp_path: Path) -> None:
    found = project(save(tmp_path / "a.ipynb", SOURCE), Options(as_of="2020-03-01", git=False))
    wanted = str.split("cloudpickle ipython joblib numpy pandas scikit-learn statsmodels==0.11.0 strange-thing")
    assert found["project"]["dependencies"] == wanted
    assert found["tool"]["uv"] == {"exclude-newer": "2020-03-01T23:59:59Z", "package": False}
    assert found["project"]["optional-dependencies"] == {"dev": ["pytest"]}
    assert found["project"]["requires-python"] == ">=3.8"


def test_without_a_day_today_is_pinned(tmp_path: Path) -> None:
    found = project(save(tmp_path / "a.ipynb", SOURCE), Options(git=False))
    assert any(each.startswith("pandas==") for each in found["project"]["dependencies"])
    assert "uv" not in found["tool"]


def test_a_notebook_of_python_2_wants_python_3(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", "print 1", language_info={"name": "python", "version": "2.7.9"})
    found = project(path, Options(as_of="2020-03-01", git=False))
    assert found["project"]["requires-python"] == ">=3.8"


def test_no_interpreter_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    def asked(*words: object) -> None:
        raise AssertionError(words)

    for name in ("installed", "_own_packages", "_own_version"):
        monkeypatch.setattr(module, name, asked)
    found, told = requirements(frozenset({"cv2", "numpy"}), (), "/no/python", shipped(), frozenset(), "2020-03-01")
    assert "numpy" in found
    assert told == ()


def test_a_day_before_the_oldest_python_is_told(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", SOURCE)
    assert "N623" in files(path, Options(as_of="2016-03-01", git=False))[1]
    assert "N623" not in files(path, Options(as_of="2020-01-01", git=False))[1]


def test_the_readme_says_how_to_make_it(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", SOURCE)
    text = files(path, Options(as_of="2020-03-01", git=False))[0]["README.md"]
    assert "uv sync" in text
    assert "newer than 2020-03-01" in text
    assert "pip install -e ." not in text
    assert "uv " not in files(path, Options(git=False))[0]["README.md"]


@pytest.mark.parametrize("day", ["2016-3-1", "yesterday", "20160301", "2016-02-30"])
def test_what_is_no_day_is_refused(tmp_path: Path, day: str) -> None:
    path = save(tmp_path / "a.ipynb", SOURCE)
    with pytest.raises(SettingsError, match="must be a day"):
        options_for(path, as_of=day)


def test_the_command_line_and_the_table(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", SOURCE)
    (tmp_path / "pyproject.toml").write_text('[tool.nb2pkg]\nas-of = "2021-01-01"\n')
    assert options_for(path).as_of == "2021-01-01"
    out = tmp_path / "out"
    done = CliRunner().invoke(main, [str(path), str(out), "--no-git", "--as-of", "2022-02-02"])
    assert done.exit_code == 0, done.output
    assert 'exclude-newer = "2022-02-02T23:59:59Z"' in (out / "pyproject.toml").read_text()
    refused = CliRunner().invoke(main, [str(path), str(tmp_path / "b"), "--as-of", "soon"])
    assert refused.exit_code == 2
    assert not (tmp_path / "b").exists()


def part(as_of: str) -> Part:
    """A notebook that wants the packages of a day."""
    return Part("p", "n", "", 1, (), (), (), (), (), (), (), (), (), (), as_of=as_of)


def test_a_package_of_many_notebooks_wants_the_last_of_their_days() -> None:
    assert _as_of([part("2016-01-01"), part("2018-01-01")]) == "2018-01-01"
    assert _as_of([part("2016-01-01"), part("")]) == ""
