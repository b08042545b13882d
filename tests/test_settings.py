"""`[tool.nb2pkg]` of the nearest pyproject.toml gives the options' defaults; the command line wins over it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from nb2pkg.cli import main
from nb2pkg.pipeline import Options
from nb2pkg.settings import SettingsError, options_for


@pytest.fixture
def notebook(tmp_path: Path) -> Path:
    """A notebook two folders below the place of a pyproject.toml."""
    path = tmp_path / "a" / "b" / "n.ipynb"
    path.parent.mkdir(parents=True)
    cell: dict[str, object] = {"id": "c", "cell_type": "code", "source": "print(1)", "metadata": {}}
    cell |= {"outputs": [], "execution_count": None}
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return path


def test_without_a_table_there_are_the_defaults(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'nb2pkg-example'\n")
    assert options_for(notebook) == Options()


def test_the_nearest_table_counts_and_paths_are_relative_to_it(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.nb2pkg]\npackage = 'far'\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[tool.nb2pkg]\npackage = 'near'\ncwd = 'b'\none-stage = true\n")
    assert options_for(notebook) == Options(package="near", cwd=tmp_path / "a" / "b", one_stage=True)


def test_a_file_without_the_table_is_passed_by(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.nb2pkg]\nlift = false\n")
    (tmp_path / "a" / "pyproject.toml").write_text("[project]\nname = 'about-nb2pkg'\n")
    assert not options_for(notebook).lift


def test_what_is_given_wins(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.nb2pkg]\nlift = false\npackage = 'set'\n")
    assert options_for(notebook, lift=True, package=None) == Options(lift=True, package="set")


@pytest.mark.parametrize("text", ["[tool.nb2pkg]\ncolour = 1", "[tool.nb2pkg]\nlift = 'no'", "[tool.nb2pkg\n"])
def test_what_is_not_known_is_refused_with_the_file(notebook: Path, tmp_path: Path, text: str) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    with pytest.raises(SettingsError, match=r"pyproject\.toml.*N630"):
        options_for(notebook)


def test_the_command_line_reads_it_and_wins_over_it(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.nb2pkg]\npackage = 'from_table'\n")
    plans = [CliRunner().invoke(main, ["plan", str(notebook), *more]).output for more in ([], ["--package", "given"])]
    assert "package from_table" in plans[0]
    assert "package given" in plans[1]


def test_places_are_lists_of_cells(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.nb2pkg]\njoined = ['c']\n")
    assert options_for(notebook).joined == ("c",)
    (tmp_path / "pyproject.toml").write_text("[tool.nb2pkg]\njoined = [1]\n")
    with pytest.raises(SettingsError, match="list of cells' ids"):
        options_for(notebook)


def test_what_an_earlier_conversion_learnt_is_added(notebook: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.nb2pkg]\njoined = ['a']\n")
    out = tmp_path / "out"
    out.mkdir()
    table = "[tool.nb2pkg]\njoined = ['b', 'a']\nunlifted = ['c']\nkeep_layout = true\nlift = false\n"
    (out / "pyproject.toml").write_text(table)
    options = options_for(notebook, out)
    assert (options.joined, options.unlifted, options.lift, options.keep_layout) == (("a", "b"), ("c",), True, True)
