"""`--profile`: what a run shows of cells and variables, and what the plan makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from case_runner import write_notebook
from nb2pkg.cli import main
from nb2pkg.facts import CellFacts, Facts, VariableFacts
from nb2pkg.pipeline import Options, plan
from nb2pkg.profile import profile


def notebook(folder: Path, *cells: str) -> Path:
    """A notebook of these cells; those that begin with # are headings."""
    found: list[Any] = []
    for number, text in enumerate(cells):
        cell: dict[str, Any] = {"id": f"c{number}", "metadata": {}, "source": text, "cell_type": "markdown"}
        found.append(cell if text.startswith("#") else cell | {"cell_type": "code", "outputs": []})
    folder.mkdir()
    return write_notebook(found, folder / "small.ipynb")


def stages(path: Path, facts: Facts | None = None) -> list[list[int]]:
    """The statements of each stage."""
    return [list(stage.statements) for stage in plan(path, Options(facts=facts)).stages]


def test_what_a_run_shows(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "nb",
        "x = [1]\ny = x\nf = lambda: x",
        "y.append(2)\nlock = __import__('threading').Lock()\n_hidden = 1",
        "print(x)",
    )
    facts, told = profile(path, Options())
    assert told == ()
    first, second, third = facts.cells
    assert {v.name: v.same for v in first.variables} == {"x": ("y",), "y": ("x",), "f": ()}
    assert {v.name: v.type for v in first.variables}["x"] == "builtins.list"
    assert {v.name for v in second.variables if v.changed} == {"x", "y", "f", "lock"}  # f holds x
    assert [v.name for v in second.variables if v.size < 0] == ["lock"]
    assert "lock (_thread.lock, can't be stored" in facts.as_text()
    assert not any(v.changed for v in third.variables)
    assert json.loads(json.dumps(facts.as_json()))[1]["variables"][1]["bytes"] is None


def test_a_failing_notebook_is_profiled_up_to_there(tmp_path: Path) -> None:
    facts, told = profile(notebook(tmp_path / "nb", "x = 1", "x / 0", "y = 1"), Options())
    assert [cell.id for cell in facts.cells] == ["c0", "c1"]
    assert "cell 2: ZeroDivisionError" in told[0].message


def test_an_expensive_cell_has_a_stage_of_its_own(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", "# A", "x = [1]", "x.append(2)", "x.append(3)", "# B", "print(x)")
    assert stages(path) == [[0, 1, 2], [3]]
    slow = Facts((CellFacts("c1", 0.1), CellFacts("c2", 60.0), CellFacts("c3", 0.1), CellFacts("c5", 1.0)))
    assert stages(path, slow) == [[0], [1], [2], [3]]
    assert len({stage.name for stage in plan(path, Options(facts=slow)).stages}) == 4
    quick = Facts((CellFacts("c1", 0.1), CellFacts("c2", 0.2)))
    assert stages(path, quick) == [[0, 1, 2], [3]]


def test_what_was_seen_not_to_be_storable_is_not_stored(tmp_path: Path) -> None:
    cells = ("# A", "import json\nx = json.loads('[1]')", "# B", "x.append(2)", "# C", "print(x)")
    path = notebook(tmp_path / "nb", *cells)
    seen = VariableFacts("x", "odd.Thing", -1, "TypeError: no")
    assert len(stages(path)) == 3
    made = plan(path, Options(facts=Facts((CellFacts("c1", 1.0, (seen,)),))))
    assert [list(stage.statements) for stage in made.stages] == [[1, 2], [3]]
    assert any("odd.Thing can't be stored, as a run has shown" in d.message for d in made.diagnostics)


def test_what_was_seen_to_be_one_object_stays_one(tmp_path: Path) -> None:
    made = "import json\nx = json.loads('[1]')\ny = json.loads('[1]')"
    path = notebook(tmp_path / "nb", "# A", made, "# B", "x.append(2)", "# C", "print(y)", "# D", "print(x)")
    assert stages(path) == [[1, 2], [3], [4], [5]]
    one = VariableFacts("x", "builtins.list", 80, same=("y",)), VariableFacts("y", "builtins.list", 80, same=("x",))
    cells = tuple(CellFacts(cell, 1.0, one) for cell in ("c1", "c3", "c5", "c7"))
    assert stages(path, Facts(cells)) == [[1, 2, 3], [4], [5]]
    told = plan(path, Options(facts=Facts(cells))).diagnostics
    assert "x crosses the boundary, and it is one object with y" in told[-1].message


def test_the_command_line_tells_it(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", "x = 1\nprint(x)")
    done = CliRunner().invoke(main, ["plan", str(path), "--profile", "--json"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["profile"][0]["variables"][0]["name"] == "x"
