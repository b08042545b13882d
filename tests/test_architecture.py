"""What ARCHITECTURE.md says of the code is so. Run this file to write its worked example again."""

from __future__ import annotations

import ast
import re
import tempfile
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import nb2pkg.pipeline
from case_runner import load_case, write_notebook
from nb2pkg.analyse import analyse
from nb2pkg.knowledge.base import shipped
from nb2pkg.pipeline import Options, convert, plan
from nb2pkg.read import read

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "ARCHITECTURE.md"
SOURCE = ROOT / "src"
EXAMPLE = "estimator_fit"
BEGIN, END = "<!-- example: made by tests/test_architecture.py -->\n", "<!-- end of the example -->\n"
ANYONE = {"diagnostics", "errors", "notebook", "knowledge"}
# What each pass may import beside itself and what anyone may.
MAY_IMPORT = {
    "read": {"python2", "magic_names"},
    "python2": {"analyse", "magic_names"},
    "knowledge": set(),
    "notebook": set(),
    "analyse": set(),
    "section": {"analyse"},
    "refactor": {"analyse", "section", "plan"},
    "plan": {"analyse", "section", "refactor", "facts", "python2", "manifest"},
    "emit": {"analyse", "section", "refactor", "plan", "read"},
    "write": {"emit", "manifest", "repository"},
    "repository": set(),
    "verify": {"pages"},
}


def modules() -> dict[str, Path]:
    """Every module of ours, by its full name."""
    found: dict[str, Path] = {}
    for path in SOURCE.rglob("*.py"):
        name = ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = path
    return found


def imported(path: Path, known: set[str], *, anywhere: bool) -> set[str]:
    """Our modules that a module imports: when it is imported itself, or at any time."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found: set[str] = set()
    for node in ast.walk(tree) if anywhere else tree.body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else node.module for name in whole}
    return found & known


def part(module: str) -> str:
    """The pass or file of the top level that a module belongs to."""
    return module.split(".")[1] if "." in module else ""


def test_imports_have_no_cycle() -> None:
    names = modules()
    graph = {name: imported(path, set(names), anywhere=False) for name, path in names.items()}
    assert set(TopologicalSorter(graph).static_order()) == set(names)


@pytest.mark.parametrize("own", sorted(MAY_IMPORT))
def test_a_pass_imports_what_it_may(own: str) -> None:
    names = modules()
    found = {
        (name, part(other))
        for name, path in names.items()
        if part(name) == own
        for other in imported(path, set(names), anywhere=True)
    }
    assert found, own
    allowed = {own} | MAY_IMPORT[own] | (ANYONE if own not in ANYONE and own != "verify" else {"errors", "diagnostics"})
    assert {(name, other) for name, other in found if other not in allowed} == set()


def test_one_notebook_knows_nothing_of_many() -> None:
    names = modules()
    below = [(name, path) for name, path in names.items() if part(name) not in ("migrate", "cli")]
    users = [name for name, path in below if "migrate" in map(part, imported(path, set(names), anywhere=True))]
    assert users == []


def test_the_table_has_the_passes_of_the_pipeline() -> None:
    doc = nb2pkg.pipeline.__doc__ or ""
    passes = re.findall(r"^    (\w+) +\S.* -> ", doc, re.MULTILINE)
    rows = re.findall(r"^\| (\w+) \| .* \| (.*`) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert [name for name, _ in rows if name != "verify"] == passes
    for _, where in rows:
        for path in re.findall(r"`([^`]+)`", where):
            assert (SOURCE / "nb2pkg" / path).exists(), path


def test_paths_that_the_page_names_are_there() -> None:
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", PAGE.read_text(encoding="utf-8")))
    files = {path.relative_to(ROOT).as_posix() for path in [*SOURCE.rglob("*.py"), *(ROOT / "tests").rglob("*.py")]}
    assert {name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in files)} == set()


def example() -> str:
    """One notebook through the passes."""
    with tempfile.TemporaryDirectory() as place:
        file = write_notebook(load_case(ROOT / "tests" / "cases" / f"{EXAMPLE}.py"), Path(place) / "fit.ipynb")
        notebook, _ = read(file)
        program = analyse(notebook, shipped()).as_text()
        planned = plan(file).as_text()
        converted = convert(file, Path(place) / "out", Options(git=False))
        stage = converted.plan.stages[1].name
        module = (Path(place) / "out" / "fit" / f"{stage}.py").read_text(encoding="utf-8")
    shown = ((f"tests/cases/{EXAMPLE}.py, read and analysed", program), ("planned", planned), (f"{stage}.py", module))
    return "".join(f"{title}:\n\n```\n{text.strip()}\n```\n\n" for title, text in shown)


def test_the_example_is_what_the_passes_make() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert text[text.index(BEGIN) + len(BEGIN) : text.index(END)].strip() == example().strip()
    assert text.count("\n") <= 200


if __name__ == "__main__":
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    PAGE.write_text(f"{before}{BEGIN}\n{example()}{END}{rest.partition(END)[2]}", encoding="utf-8")
