"""A generated notebook and its package end with equal variables, and print the same on the way."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings

from case_runner import Cell, RunError, package_output, script_output, write_notebook
from notebook_strategy import Sections, sections

EXAMPLES = 80


def cells_of(code: Sections) -> list[Cell]:
    """The notebook of these sections, a cell a statement."""
    cells: list[Cell] = []
    for place, statements in enumerate(code):
        texts = [("markdown", f"## {('Load', 'Prepare', 'Report')[place]}"), *(("code", s + "\n") for s in statements)]
        for kind, text in texts:
            own = {"execution_count": None, "outputs": []} if kind == "code" else {}
            name = f"cell-{len(cells)}"
            cells.append({"cell_type": kind, "id": name, "metadata": {}, "source": text, **own})
    return cells


def difference(code: Sections) -> str:
    """How the package of these sections differs from the notebook; empty where it does not."""
    cells = [c | {"source": c["source"].rstrip("\n") + ";"} if _is_call(c) else c for c in cells_of(code)]
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        expected = script_output("\n".join(c["source"] for c in cells if c["cell_type"] == "code"), folder / "notebook")
        try:
            actual = package_output(write_notebook(cells, folder / "source" / "case.ipynb"), folder / "out")
        except RunError as error:
            return str(error)
    if actual == expected:
        return ""
    pairs = zip(expected.splitlines(), actual.splitlines(), strict=False)
    return next((f"notebook: {one}\npackage:  {two}" for one, two in pairs if one != two), f"{expected}\n\n{actual}")


def _is_call(cell: Cell) -> bool:
    """An expression: what it gives is not to be displayed, as a script does not display it."""
    return cell["cell_type"] == "code" and "\n" not in cell["source"].strip() and " = " not in cell["source"]


@given(sections())
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
def test_notebook_and_package_end_alike(code: Sections) -> None:
    assert difference(code) == ""
