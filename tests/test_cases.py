"""Every micro-notebook of ``tests/cases`` prints the same when it is a package.

Each has one hazard of a process boundary; the first line of the file says which.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from case_runner import (
    case_paths,
    convert,
    dvc_output,
    hazard,
    load_case,
    notebook_output,
    package_output,
    write_notebook,
)

CASES = case_paths()

# One of each kind of boundary; DVC takes seconds to start, so not all.
WITH_DVC = [
    "alias_two_names",
    "append_in_place",
    "counter_factory",
    "file_appended_twice",
    "file_written_then_read",
    "late_bound_global",
    "numpy_seed_two_sections",
    "pandas_options",
    "shell_line",
    "view_of_array",
]


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_prints_what_the_notebook_prints(path: Path, tmp_path: Path) -> None:
    cells = load_case(path)
    expected = notebook_output(cells, tmp_path / "notebook")
    actual = package_output(write_notebook(cells, tmp_path / "source" / "case.ipynb"), tmp_path / "out")
    assert actual == expected, hazard(path)


@pytest.mark.parametrize("name", WITH_DVC)
def test_prints_the_same_under_dvc(name: str, tmp_path: Path) -> None:
    path = next(path for path in CASES if path.stem == name)
    cells = load_case(path)
    expected = notebook_output(cells, tmp_path / "notebook")
    out = tmp_path / "out"
    convert(write_notebook(cells, tmp_path / "source" / "case.ipynb"), out)
    assert dvc_output(out) == expected, hazard(path)


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_is_a_case(path: Path) -> None:
    assert hazard(path)
    cells = load_case(path)
    headings = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    assert sum(source.startswith("## ") for source in headings) >= 3
    assert len({cell["id"] for cell in cells}) == len(cells)
