"""What `nb2pkg verify` says of runs that differ in one thing, the runs being written down here; and the layouts."""

from __future__ import annotations

import ast
import json
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image

from nb2pkg.verify import observe, sameness
from nb2pkg.verify.compare import Compared, compare, observed
from nb2pkg.verify.environment import Interpreter
from nb2pkg.verify.layout import (
    NotebookCell,
    Package,
    PackageStage,
    lay_out_notebook,
    lay_out_package,
    read_package,
)
from nb2pkg.verify.outcome import CellOutcome, Failure, Outcome, Shown, load_outcome
from nb2pkg.verify.report import Check, Report
from nb2pkg.verify.reproduction import Reproduction
from nb2pkg.verify.terminal import table

PACKAGE = Package(
    root=Path("/nowhere"),
    name="pkg",
    notebook="notebooks/a.ipynb",
    cwd="workspace/sub",
    cells=(NotebookCell(0, "a", "x = 1"), NotebookCell(2, "b", "%run c.ipynb"), NotebookCell(3, "c", "x")),
    stages=(
        PackageStage("one", ("a",), ("data/interim/one/x_and_y",)),
        PackageStage("two", ("b-run1-0", "c"), ("workspace/sub/out.csv",)),
    ),
    outs=frozenset({"data/interim/one/x_and_y", "workspace/sub/out.csv"}),
    paths=(("data", "data/raw"),),
    modules=(),
    folders=("empty",),
    data=frozenset(),
    values=(("data/interim/one/x_and_y", ("x", "y")),),
)


def outcome(folder: Path, *cells: CellOutcome, **more: Any) -> Outcome:
    """A run that has shown something."""
    folder.mkdir(parents=True, exist_ok=True)
    return Outcome(folder, str(folder), ("2024-01-01",), 1.0, cells, **more)


def printed(cell: str, text: str) -> CellOutcome:
    """A cell that has printed a line."""
    return CellOutcome(cell, (Shown("printed", f"{text}\n"),))


def figures(folder: Path, cell: str, *levels: int) -> CellOutcome:
    """A cell with figures of one colour each."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, level in enumerate(levels):
        Image.new("L", (2, 2), level).save(folder / f"{cell}-{number}.png")
    return CellOutcome(cell, tuple(Shown("figure", file=f"{cell}-{n}.png") for n in range(len(levels))))


def checked(
    tmp_path: Path, runs: list[Outcome], got: Outcome, *written: str, ran: tuple[str, ...] = ("one", "two")
) -> list[Check]:
    """All checks."""
    both = Compared(PACKAGE, tuple(runs), Reproduction(got, ran, (), written))
    (tmp_path / "scratch").mkdir(exist_ok=True)
    return list(compare(both, Interpreter(sys.executable), tmp_path / "scratch"))


def told(checks: list[Check], kind: str) -> list[tuple[str, str]]:
    """Names and statuses of a kind."""
    return [(check.name, check.status) for check in checks if check.kind == kind]


def test_text_is_of_its_cell(tmp_path: Path) -> None:
    runs = [outcome(tmp_path / n, printed("a", "1"), printed("b", n), printed("c", "3")) for n in ("x", "y")]
    got = outcome(tmp_path / "got", printed("a", "1"), printed("b", "z"), printed("c", "4"), printed("", "5"))
    assert told(checked(tmp_path, runs, got), "text") == [
        ("cell 1", "equal"),
        ("cell 2", "not reproducible"),
        ("cell 3", "different"),
        ("no cell", "different"),
    ]


def test_what_has_not_run_is_not_passed(tmp_path: Path) -> None:
    runs = [outcome(tmp_path / n, printed("a", "1"), printed("b", "2"), figures(tmp_path / n, "c", 1)) for n in "xy"]
    got = outcome(tmp_path / "got", printed("a", "1"), failure=Failure("two", "ValueError: no"))
    checks = checked(tmp_path, runs, got, ran=("one",))
    assert told(checks, "stage") == [("one", "equal"), ("two", "different")]
    assert told(checks, "text") == [("cell 1", "equal"), ("cell 2", "not run")]
    assert told(checks, "figure") == [("cell 3, figure 1", "not run")]
    whole = checked(tmp_path, runs, replace(got, failure=None), ran=("one",))
    assert told(whole, "stage") == [("one", "equal"), ("two", "different")]


@pytest.mark.parametrize(
    ("one", "two", "got", "expected"),
    [
        ((1, 2), (1, 2), (1, 2), ["equal", "equal"]),
        ((1, 2), (1, 2), (1, 90), ["equal", "different"]),
        ((1, 2), (1, 2), (1,), ["equal", "different"]),
        ((1,), (1,), (1, 2), ["equal", "different"]),
        ((1,), (90,), (180,), ["not reproducible"]),
        ((1,), (90,), (), ["different"]),
        ((1,), (1, 2), (1,), ["not reproducible", "not reproducible"]),
    ],
)
def test_figures(tmp_path: Path, one: Any, two: Any, got: Any, expected: list[str]) -> None:
    sides = (("x", one), ("y", two), ("z", got))
    made = [outcome(tmp_path / n, figures(tmp_path / n, "c", *levels)) for n, levels in sides]
    assert [status for _, status in told(checked(tmp_path, made[:2], made[2]), "figure")] == expected


def test_files(tmp_path: Path) -> None:
    def run(name: str, **files: str) -> Outcome:
        made = outcome(tmp_path / name, files=tuple((f"{k}.csv", f"{k}.csv") for k in files), deleted=("old", "kept"))
        for key, text in files.items():
            (tmp_path / name / f"{key}.csv").write_text(text)
        return made

    texts = {"out": "1.0\n", "gone": "1\n", "half": "1\n"}
    runs = [run("x", **texts, time="1\n", only="1\n"), run("y", **texts, time="2\n")]
    place = tmp_path / "got/workspace/sub"
    place.mkdir(parents=True)
    for name, text in (("out", "1.00\n"), ("half", "2\n"), ("time", "3\n"), ("only", "1\n")):
        (place / f"{name}.csv").write_text(text)
    (place / "kept").write_text("")
    got = outcome(tmp_path / "got")
    assert told(checked(tmp_path, runs, got, "workspace/sub/out.csv", "workspace/sub/more.csv"), "file") == [
        ("out.csv", "equal"),
        ("gone.csv", "different"),
        ("half.csv", "different"),
        ("time.csv", "not reproducible"),
        ("only.csv", "not reproducible"),
        ("kept", "different"),
        ("old", "equal"),
        ("workspace/sub/more.csv", "different"),
    ]


def test_what_is_observed_and_where_things_lie() -> None:
    assert observed(PACKAGE) == {"a": ("x", "y")}
    assert [PACKAGE.host(record) for record in ("a", "b-run1-0", "b-part2", "d")] == ["a", "b", "b", ""]
    assert PACKAGE.stage_of("b") == "two"
    assert PACKAGE.place("data/x.csv") == "data/raw/x.csv"
    assert PACKAGE.place("../up.csv") == "workspace/up.csv"
    assert PACKAGE.place("out.csv") == "workspace/sub/out.csv"


def test_the_layouts(tmp_path: Path) -> None:
    root = tmp_path / "out"
    cell = {"cell_type": "code", "id": "a", "metadata": {}, "source": "open('new.csv')", "outputs": []}
    notebook = {"cells": [cell | {"execution_count": None}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    manifest = {
        "package": "pkg",
        "notebook": "notebooks/a.ipynb",
        "cwd": "workspace/sub",
        "files": dict.fromkeys(("pkg/one.py", "mine.py", "notebooks/a.ipynb", "notebooks/lib/b.py", "tests/t.py"), ""),
        "moved": {"workspace/sub/in.csv": "in.csv", "data/raw/x.csv": "data/x.csv"},
        "paths": [{"original": "data/x.csv", "package": "data/raw/x.csv"}],
        "folders": ["empty"],
    }
    stages = {"stages": {"one": {"cmd": "x", "outs": ["workspace/sub/made.csv", {"reports/outputs/one.jsonl": {}}]}}}
    for name, text in {
        ".nb2pkg/manifest.json": json.dumps(manifest),
        "notebooks/a.ipynb": json.dumps(notebook),
        "dvc.yaml": json.dumps(stages),
        "dvc.lock": "",
        "pkg/one.py": "",
        "mine.py": "",
        "notebooks/lib/b.py": "",
        "tests/t.py": "",
        "workspace/sub/in.csv": "",
        "workspace/sub/made.csv": "",
        "workspace/sub/left.csv": "",
        "workspace/sub/new.csv": "",
        "data/raw/x.csv": "",
        "data/interim/one/x/value.json": "",
        "reports/outputs/one.jsonl": "",
        ".dvc/cache/a": "",
    }.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    package = read_package(root)
    cwd = lay_out_notebook(package, tmp_path / "nb")
    found = {p.relative_to(tmp_path / "nb").as_posix() for p in (tmp_path / "nb").rglob("*")}
    assert cwd == tmp_path / "nb/sub"
    # left.csv is what an earlier run has left, new.csv is named in the notebook and may have been put there by hand.
    data = {"sub/in.csv", "sub/new.csv", "sub/data/x.csv"}
    assert found == {"sub", "sub/data", "sub/empty", "sub/lib", "sub/mine.py", "sub/lib/b.py", *data}
    lay_out_package(package, tmp_path / "copy")
    copied = {p.relative_to(tmp_path / "copy").as_posix() for p in (tmp_path / "copy").rglob("*") if p.is_file()}
    kept = {"pkg/one.py", "mine.py", "notebooks/lib/b.py", "tests/t.py", "notebooks/a.ipynb", "dvc.yaml"}
    moved = {"workspace/sub/in.csv", "workspace/sub/new.csv", "data/raw/x.csv"}
    assert copied == {*kept, *moved, ".nb2pkg/manifest.json", ".dvc/config.local"}


def test_an_outcome_is_kept_as_it_is(tmp_path: Path) -> None:
    whole = outcome(
        tmp_path / "x",
        CellOutcome("a", (Shown("printed", "1"), Shown("figure", file="f.png")), 2.0),
        files=(("a.csv", "files/0.csv"),),
        deleted=("b",),
        values=(("a", "x", "values/0/0.pkl"),),
        failure=Failure("a", "ValueError"),
    )
    whole.save()
    assert load_outcome(whole.folder) == whole
    (whole.folder / "outcome.json").write_text("{}")
    assert load_outcome(whole.folder) is None


def test_the_table_names_what_differs() -> None:
    figure = Check("figure", "cell 3, figure 1", "different", "c", 3, "one", "4 pixels")
    checks = (Check("stage", "one", "equal"), figure)
    report = Report("pkg", "a.ipynb", "python", "different", "", ("one",), 2, 1.0, 1.0, checks)
    lines = table(report).splitlines()
    assert "different: cell 3, figure 1 (stage one): 4 pixels" in lines
    assert lines[-1] == "not equivalent: 1 difference(s) in 1 stage(s)"


@pytest.mark.parametrize("script", [sameness, observe])
def test_the_scripts_for_other_interpreters_are_python_38_and_stand_alone(script: ModuleType) -> None:
    tree = ast.parse(Path(str(script.__file__)).read_text(), feature_version=(3, 8))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in imported} <= set(sys.stdlib_module_names)
