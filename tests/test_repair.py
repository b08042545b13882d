"""`nb2pkg NOTEBOOK OUT --verify`: faults that are put into a pass are found, and what they touch is switched off."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from case_runner import write_notebook
from nb2pkg import emit
from nb2pkg.cli import main
from nb2pkg.emit.source import Module, Source
from nb2pkg.pipeline import Options, convert
from nb2pkg.plan import crossing
from nb2pkg.repair import convert_verified
from nb2pkg.settings import options_for


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of this module's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def notebook(folder: Path, *cells: str) -> Path:
    """A notebook with a heading before each of these cells."""
    found: list[Any] = []
    for number, text in enumerate(cells):
        found.append({"cell_type": "markdown", "id": f"h{number}", "metadata": {}, "source": f"# Part {number}"})
        found.append({"cell_type": "code", "id": f"c{number}", "metadata": {}, "source": text, "outputs": []})
    folder.mkdir(exist_ok=True)
    return write_notebook(found, folder / "small.ipynb")


def learnt(out: Path) -> dict[str, Any]:
    """The table that the package has for the next conversion."""
    found: dict[str, Any] = tomllib.loads((out / "pyproject.toml").read_text()).get("tool", {}).get("nb2pkg", {})
    return found


def test_without_a_difference_nothing_is_switched_off(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", "x = [1]\nprint(x)", "x.append(2)\nprint(x)", "print(sum(x))")
    result, report = convert_verified(path, tmp_path / "out", Options(git=False))
    assert (report.verdict, report.repair, len(result.plan.stages)) == ("equivalent", (), 3)
    assert learnt(tmp_path / "out") == {}
    assert json.loads((tmp_path / "out/reports/equivalence.json").read_text())["verdict"] == "equivalent"


def test_a_boundary_that_does_not_keep_is_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossing, "_obstacle", lambda *_: None)  # the plan takes every value for one that can cross
    cells = (
        "import numpy as np\na = np.zeros(3)\nprint(a)",
        "a[1] = 1\nview = a[:2]\nprint(a)",
        "view[0] = 5\nprint(a.sum(), view)",
    )
    path, out = notebook(tmp_path / "nb", *cells), tmp_path / "out"
    result, report = convert_verified(path, out, Options(git=False))
    assert report.verdict == "equivalent"
    assert (report.stages_before, len(result.plan.stages)) == (3, 2)
    assert learnt(out) == {"joined": ["c2"]}
    assert {"N312", "N710"} <= {each.code for each in result.diagnostics}
    assert any(step.helped and step.why.startswith("text cell 3") for step in report.repair)
    again = options_for(path, out, git=False, force=True)  # the next conversion starts where this one has ended
    assert len(convert(path, out, again).plan.stages) == 2
    assert learnt(out) == {"joined": ["c2"]}


def test_a_constant_that_does_not_keep_stays_in_its_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(source: Source) -> Module | None:
        module = constants_module(source)
        return module and Module(module.name, module.text.replace("0.25", "0.5"), module.uses)

    constants_module = emit.constants_module
    monkeypatch.setattr(emit, "constants_module", wrong)
    path = notebook(tmp_path / "nb", "rate = 0.25\nprint(1)", "total = rate * 2\nprint(total)", "print(total + 1)")
    result, report = convert_verified(path, tmp_path / "out", Options(git=False))
    assert report.verdict == "equivalent"
    assert len(result.plan.stages) == 3
    assert "joined" not in learnt(tmp_path / "out")
    assert "c0" in learnt(tmp_path / "out")["unlifted"]


def test_a_notebook_that_fails_is_still_written(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", "x = 1\nprint(x)", "x.nothing", "print(2)")
    command = ["convert", str(path), str(tmp_path / "out"), "--verify", "--no-git"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 1
    assert "the notebook fails by itself in cell 2: AttributeError" in done.output
    assert (tmp_path / "out/dvc.yaml").is_file()
    assert json.loads((tmp_path / "out/reports/equivalence.json").read_text())["verdict"] == "notebook fails"
    again = CliRunner().invoke(main, command)
    assert again.exit_code == 2
    assert "N602" in again.output
