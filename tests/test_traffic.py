"""`--profile`: boundaries that much would cross are moved or dropped, and only where the analysis allows it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from case_runner import write_notebook
from nb2pkg.facts import CellFacts, Facts, VariableFacts
from nb2pkg.pipeline import Options, plan
from nb2pkg.plan.types import Plan
from nb2pkg.profile import profile
from nb2pkg.repair import convert_verified

BIG, SMALL = 400_000_000, 12_000
LOADED = ("# Load", "import json\nbig = json.loads('[1]')", "# Train", "few = sum(big)", "model = few + 1")
REPORT = ("# Report", "print(model)")


def notebook(folder: Path, *cells: str, tags: dict[int, str] | None = None) -> Path:
    """A notebook of these cells; those that begin with # are headings."""
    found: list[Any] = []
    for number, text in enumerate(cells):
        metadata = {"tags": [tags[number]]} if tags and number in tags else {}
        cell: dict[str, Any] = {"id": f"c{number}", "metadata": metadata, "source": text, "cell_type": "markdown"}
        found.append(cell if text.startswith("#") else cell | {"cell_type": "code", "outputs": []})
    folder.mkdir()
    return write_notebook(found, folder / "small.ipynb")


def facts(sizes: dict[str, dict[str, int]], seconds: dict[str, float] | None = None) -> Facts:
    """What was seen after each cell: the bytes of its variables, `a=b` for two names of one object."""
    cells: list[CellFacts] = []
    for cell, variables in sizes.items():
        names = [(key.split("="), size) for key, size in variables.items()]
        seen = tuple(
            VariableFacts(name, "list", size, same=tuple(n for n in same if n != name))
            for same, size in names
            for name in same
        )
        cells.append(CellFacts(cell, (seconds or {}).get(cell, 1.0), seen))
    return Facts(tuple(cells))


def planned(path: Path, seen: Facts, **options: Any) -> tuple[list[list[int]], list[str]]:
    """The statements of each stage, and what is told of boundaries."""
    made: Plan = plan(path, Options(facts=seen, **options))
    told = [d.message for d in made.diagnostics if d.code == "N313"]
    return [list(stage.statements) for stage in made.stages], told


def crossing(big: int, few: int = SMALL, seconds: float = 4.0) -> Facts:
    """The facts of `LOADED` and `REPORT`."""
    after = {"big": big, "few": few}
    sizes = {"c1": {"big": big}, "c3": after, "c4": after | {"model": 28}, "c6": after | {"model": 28}}
    return facts(sizes, dict.fromkeys(sizes, seconds))


def test_a_boundary_moves_to_where_little_crosses(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", *LOADED, *REPORT)
    assert planned(path, Facts()) == ([[1], [2, 3], [4]], [])
    assert planned(path, crossing(BIG)) == (
        [[1, 2], [3], [4]],
        ["a stage begins after cell 4, not here: 12 kB cross there instead of 400 MB, as a run has shown"],
    )
    made = plan(path, Options(facts=crossing(BIG)))
    assert [(s.name, s.title) for s in made.stages] == [("load", "Load"), ("train", "Train"), ("report_2", "Report")]
    assert [(s.stage, s.cells) for s in made.sections] == [("load", (1, 3)), ("train", (4,)), ("report_2", (6,))]


def test_it_moves_back_too(tmp_path: Path) -> None:
    cells = ("# Load", "import json\nfew = json.loads('[1]')", "x = len(few)", "big = few * 9", "# Train")
    path = notebook(tmp_path / "nb", *cells, "total = sum(big)", "y = total + x", "print(y, len(big))")
    sizes = {"c1": {"few": SMALL}, "c2": {"few": SMALL, "x": 28}, "c3": {"few": SMALL, "x": 28, "big": BIG}}
    sizes |= dict.fromkeys(("c5", "c6", "c7"), sizes["c3"] | {"total": 28, "y": 28})
    assert planned(path, facts(sizes))[0] == [[1, 2], [3, 4, 5, 6]]
    # but not where it would take longer to make it again than to store and load it
    assert planned(path, facts(sizes, {"c3": 4.9}))[0] == [[1, 2], [3, 4, 5, 6]]
    sizes["c3"] |= {"big": BIG // 2}
    assert planned(path, facts(sizes, {"c3": 4.9}))[0] == [[1, 2, 3], [4, 5, 6]]


def test_what_is_small_moves_nothing(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", *LOADED, *REPORT)
    assert planned(path, crossing(60_000_000, seconds=0.0)) == ([[1], [2, 3], [4]], [])
    assert planned(path, crossing(BIG, BIG // 2)) == ([[1], [2, 3], [4]], [])  # not clearly less


def test_sizes_that_differ_a_little_give_the_same_plan(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", *LOADED, *REPORT)
    assert planned(path, crossing(BIG)) == planned(path, crossing(BIG + 1234, SMALL + 99))


def test_one_object_of_two_names_crosses_once(tmp_path: Path) -> None:
    cells = ("# A", "import json\na = json.loads('[1]')\nb = a", "# B", "print(a)\nprint(b)", "# C", "print(a)")
    path = notebook(tmp_path / "nb", *cells)
    half = 50_000_000
    once = facts({"c1": {"a=b": half}, "c3": {"a=b": half}, "c5": {}}, dict.fromkeys(("c1", "c3", "c5"), 0.0))
    twice = facts({"c1": {"a": half, "b": half}, "c3": {"a": half}, "c5": {}}, dict.fromkeys(("c1", "c3", "c5"), 0.0))
    assert planned(path, once)[0] == [[1, 2], [3, 4], [5]]
    assert planned(path, twice)[0] == [[1, 2, 3, 4], [5]]


def test_a_boundary_that_never_pays_is_dropped(tmp_path: Path) -> None:
    cells = ("# A", "import json\nbig = json.loads('[1]')", "# B", "big.append(2)", "# C", "print(len(big))")
    path = notebook(tmp_path / "nb", *cells)
    sizes = {"c1": {"big": BIG}, "c3": {"big": BIG}, "c5": {"big": BIG}}
    stages, told = planned(path, facts(sizes, dict.fromkeys(sizes, 0.5)))
    assert stages == [[1, 2, 3]]
    assert told[0] == (
        "no stage begins here: 400 MB cross the boundary; to store and load them takes 6.0 s or more, "
        "to run both stages again 1.0 s, as a run has shown"
    )
    assert planned(path, facts(sizes, dict.fromkeys(sizes, 4.0))) == ([[1], [2], [3]], [])
    # what takes long stays apart from what does not
    assert planned(path, facts(sizes, {"c1": 60.0, "c3": 0.5, "c5": 0.5}))[0] == [[1], [2, 3]]


def test_the_users_tags_stay(tmp_path: Path) -> None:
    tags = {1: "nb2pkg:load", 3: "nb2pkg:train", 6: "nb2pkg:report"}
    path = notebook(tmp_path / "nb", *LOADED, *REPORT, tags=tags)
    assert planned(path, crossing(BIG, seconds=0.1)) == ([[1], [2, 3], [4]], [])


def test_an_expensive_cell_keeps_its_stage(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", "# A", "x = [1]", "x.append(2)", "# B", "y = len(x)", "print(y)")
    sizes = {"c1": {"x": 80}, "c2": {"x": BIG}, "c4": {"x": BIG, "y": 28}, "c5": {"x": BIG, "y": 28}}
    assert planned(path, facts(sizes, {"c2": 60.0, "c4": 0.1, "c5": 0.1})) == ([[0], [1], [2, 3]], [])


def test_the_rest_of_a_section_stays_under_its_name(tmp_path: Path) -> None:
    one = notebook(tmp_path / "one", *LOADED[:4], *REPORT[:1], "print(few)")  # nothing would be left of Train
    sizes = {"c1": {"big": BIG}, "c3": {"big": BIG, "few": 28}, "c5": {"big": BIG, "few": 28}}
    assert planned(one, facts(sizes, dict.fromkeys(sizes, 9.0))) == ([[1], [2], [3]], [])
    headed = (*LOADED[:4], "## Fit", "model = few + 1", "model += 1", "model += 2", *REPORT)
    two = notebook(tmp_path / "two", *headed)
    after = {"big": BIG, "few": BIG, "model": 28}
    sizes = {"c1": {"big": BIG}, "c3": after, "c5": after, "c6": after, "c7": after, "c9": after}
    assert planned(two, facts(sizes, dict.fromkeys(sizes, 9.0))) == (
        [[1], [2, 3, 4, 5], [6]],
        [],
    )  # Fit's own heading is not passed


def test_nothing_is_cut_where_the_analysis_forbids_it(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "nb",
        *LOADED[:2],
        "big.append(2)",
        "# Train",
        "few = (n for n in big[:1])",
        "model = list(few)",
        "model.append(1)",
        "model.append(2)",
        *REPORT,
    )
    after = {"big": BIG, "model": 28}
    sizes = {"c1": {"big": BIG}, "c2": {"big": BIG}, "c4": {"big": BIG, "few": SMALL}}
    sizes |= dict.fromkeys(("c5", "c6", "c7", "c9"), after)
    quick = dict.fromkeys(sizes, 4.0)
    stages, told = planned(path, facts(sizes, quick))
    assert stages == [[1, 2, 3, 4], [5, 6], [7]]  # past the generator, which can't be stored
    assert "after cell 6" in told[0]
    assert planned(path, facts(sizes, quick), joined=("c6",)) == ([[1, 2], [3, 4, 5, 6], [7]], [])


def test_what_run_brings_in_is_its_cells(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", "# Load", "%run make.py", *LOADED[2:], *REPORT)
    (path.parent / "make.py").write_text("import json\ntext = '[1]'\nbig = json.loads(text)\n")
    stages, told = planned(path, crossing(BIG))
    assert len(stages) == 3 and "after cell 4, not here: 12 kB" in told[0]


def test_a_run_that_ended_early_says_nothing_of_the_rest(tmp_path: Path) -> None:
    path = notebook(tmp_path / "nb", *LOADED, *REPORT)
    assert planned(path, facts({})) == ([[1], [2, 3], [4]], [])
    assert planned(path, facts({"c1": {"big": BIG}}))[0] == [[1], [2, 3], [4]]


def test_a_large_array_that_dies_after_the_heading(tmp_path: Path) -> None:
    path = notebook(
        tmp_path / "nb",
        "# Load",
        "import numpy as np\nx = np.random.RandomState(1).rand(12_000_000)",
        "# Model",
        "m = x.mean()",
        "fit = m * 2\nprint(round(fit, 3))",
        "# Report",
        "print(round(fit + m, 3))",
    )
    seen, told = profile(path, Options())
    assert told == ()
    stages, moved = planned(path, seen)
    assert len(stages) == 3 and "instead of 96 MB" in moved[0]
    made, report = convert_verified(path, tmp_path / "out", Options(facts=seen, git=False))
    assert report is not None and report.verdict == "equivalent"
    assert [stage.outputs for stage in made.plan.stages] == [("m",), ("fit",), ()]
