"""Odd notebooks, broken ones and made-up text: the reader refuses with a code, or gives valid Python."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nb2pkg.errors import NotebookError
from nb2pkg.pipeline import plan
from nb2pkg.read import read


def save(path: Path, *sources: str) -> Path:
    cells = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": []} for s in sources]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": cells}))
    return path


ODD_CELLS: dict[str, Any] = {
    "nothing but a type": {"cell_type": "code"},
    "source is null": {"cell_type": "code", "source": None},
    "source is a number": {"cell_type": "code", "source": 3},
    "lines without ends": {"cell_type": "code", "source": ["x = 1", "y = 2"]},
    "metadata is a list": {"cell_type": "code", "source": "x = 1", "metadata": []},
    "tags are a string": {"cell_type": "code", "source": "x = 1", "metadata": {"tags": "a"}},
    "tags are objects": {"cell_type": "code", "source": "x = 1", "metadata": {"tags": [{"a": [1]}, None]}},
    "deep metadata": {"cell_type": "code", "source": "x = 1", "metadata": {"a": {"b": {"c": [{"d": []}]}}}},
    "id is a number": {"cell_type": "code", "source": "x = 1", "id": 3},
    "id is that of another": {"cell_type": "code", "source": "x = 1", "id": "first"},
    "id is a path": {"cell_type": "code", "source": "x = 1", "id": "../../\n'\""},
    "outputs are odd": {"cell_type": "code", "source": "x = 1", "outputs": [None, {"data": {"a": ["b" * 100_000]}}]},
    "count is a string": {"cell_type": "code", "source": "x = 1", "execution_count": "7"},
    "unknown type": {"cell_type": "chart", "source": "x = 1"},
    "no type": {"source": "x = 1"},
    "markdown without source": {"cell_type": "markdown"},
    "attachments": {"cell_type": "markdown", "source": "![a](attachment:a)", "attachments": {"a": {"image/png": ""}}},
    "carriage returns": {"cell_type": "code", "source": "x = 1\r\ny = 2\rz = 3"},
    "form feed": {"cell_type": "code", "source": "x = 1\n\x0cy = 2"},
    "line separator": {"cell_type": "code", "source": "x = 'a\u2028b'\ny = 1"},
    "tabs": {"cell_type": "code", "source": "if True:\n\tx = 1"},
    "long line": {"cell_type": "code", "source": f"x = '{'a' * 200_000}'"},
    "non-breaking space in a comment": {"cell_type": "code", "source": "x = 1  #\u00a0one"},
}


@pytest.mark.parametrize("cell", ODD_CELLS.values(), ids=ODD_CELLS.keys())
def test_odd_cells_are_planned(tmp_path: Path, cell: dict[str, Any]) -> None:
    first = {"cell_type": "code", "source": "a = 1\nprint(a)", "id": "first"}
    odd = {"kernelspec": "python", "language_info": []}
    for whole in ({"metadata": {}}, {}, {"metadata": None}, {"metadata": odd}):
        data = {"nbformat": 4, "cells": [first, cell, first], **whole}
        (tmp_path / "a.ipynb").write_text(json.dumps(data))
        book = read(tmp_path / "a.ipynb")[0]
        assert len({each.id for each in book.cells}) == 3
        assert plan(tmp_path / "a.ipynb").as_json()["stages"]


NOT_ODD_BUT_WRONG: dict[str, Any] = {
    "null character": "x = '\x00'",
    "lone surrogate": "x = '\ud800'",
    "non-breaking space": "x\u00a0= 1",
    "byte order mark": "\ufeffx = 1",
    "typographic quotes": "print(\u201ca\u201d)",
    "deep brackets": "(" * 300 + ")" * 300,
    "deep signs": "-" * 5000 + "1",
    "half a string": "x = 'a",
}


@pytest.mark.parametrize("source", NOT_ODD_BUT_WRONG.values(), ids=NOT_ODD_BUT_WRONG.keys())
def test_what_python_refuses_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(NotebookError, match=r"cell 2.*line 1") as caught:
        read(save(tmp_path / "a.ipynb", "a = 1", source))
    assert caught.value.code == "N011"


ODD_FILES = [
    {"cells": None},
    {"cells": [None]},
    {"cells": {}},
    {"worksheets": None},
    {"worksheets": [None], "nbformat": 3},
    {"worksheets": [{"cells": [None]}], "nbformat": 3, "metadata": {}},
    {"worksheets": [{}], "nbformat": 2, "metadata": {}},
    {"nbformat": 1},
    [],
    "a",
    3,
    None,
]


@pytest.mark.parametrize("data", ODD_FILES, ids=repr)
def test_odd_files_are_refused_or_empty(tmp_path: Path, data: object) -> None:
    (tmp_path / "a.ipynb").write_text(json.dumps(data))
    try:
        assert read(tmp_path / "a.ipynb")[0].cells == ()
    except NotebookError as error:
        assert error.code == "N006"


@given(st.lists(st.text(alphabet="ab=1 \n\t%!?$;:()[]{}'\"#\\@.,_é\u2028", max_size=40), max_size=3))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_text_crashes_the_reader(tmp_path: Path, sources: list[str]) -> None:
    path = save(tmp_path / "a.ipynb", *sources)
    try:
        book = read(path)[0]
    except NotebookError as error:
        assert re.fullmatch(r"N\d\d\d", error.code)
        return
    for cell in book.code_cells:
        compile(cell.code, "cell", "exec")


@pytest.mark.parametrize(("counts", "cell"), [((1, 2, 5), None), ((3, None, 2), 2), ((None, None, None), None)])
def test_stored_counts_out_of_order_are_told(tmp_path: Path, counts: tuple[int | None, ...], cell: int | None) -> None:
    path = save(tmp_path / "a.ipynb", "x = 1", "y = 2", "z = 3")
    notebook = json.loads(path.read_text())
    for each, count in zip(notebook["cells"], counts, strict=True):
        each["execution_count"] = count
    path.write_text(json.dumps(notebook))
    assert [d.cell for d in read(path)[1] if d.code == "N014"] == ([] if cell is None else [cell])
