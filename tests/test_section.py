"""Sections: where they begin, what they are called, and where headings and tags must be left alone."""

from __future__ import annotations

import ast
import sys
import time
from pathlib import Path

import pytest

from nb2pkg.analyse.program import Effects, Statement, StatementKind
from nb2pkg.notebook import Cell, Notebook
from nb2pkg.section import section
from nb2pkg.section.headings import headings_of
from nb2pkg.section.names import module_names, short_name
from nb2pkg.section.types import Section


def built(*cells: str) -> tuple[Notebook, tuple[Statement, ...]]:
    """Cells as text: `md …` is markdown; `[tag] code` is tagged; `code  #label` has the label on its statements."""
    made: list[Cell] = []
    statements: list[Statement] = []
    for index, text in enumerate(cells):
        if text.startswith("md "):
            made.append(Cell(index, str(index), "markdown", text[3:]))
            continue
        tag, _, rest = text[1:].partition("] ") if text.startswith("[") else ("", "", text)
        tags = tuple(tag.split(",")) if tag else ()
        code, _, label = rest.partition("  #")
        made.append(Cell(index, str(index), "code", code, code, tags))
        for node in ast.parse(code).body:
            names = [each for each in ast.walk(node) if isinstance(each, ast.Name)]
            binds = frozenset(each.id for each in names if isinstance(each.ctx, ast.Store))
            reads = frozenset(each.id for each in names if isinstance(each.ctx, ast.Load))
            kind: StatementKind = "import" if isinstance(node, ast.Import | ast.ImportFrom) else "compute"
            effects = Effects(reads=reads, binds=binds, surely_binds=binds)
            source = ast.unparse(node)
            statements.append(Statement(len(statements), index, node, source, kind, effects, label))
    return Notebook("nb", Path(), tuple(made)), tuple(statements)


def sectioned(*cells: str) -> tuple[tuple[Section, ...], list[str]]:
    """The sections, checked to be a partition with good names, and the diagnostics' codes."""
    notebook, statements = built(*cells)
    sections, diagnostics = section(notebook, statements)
    bounds = [0, *(each.stop for each in sections)]
    assert [each.start for each in sections] == bounds[:-1]
    assert bounds[-1] == len(statements)
    assert all(each.start < each.stop for each in sections)
    assert len({each.name for each in sections}) == len(sections)
    assert all(each.name.isidentifier() and each.name not in sys.stdlib_module_names for each in sections)
    return sections, [each.code for each in diagnostics]


STAGES = ("md ## Load the data", "a = f()", "md ## Clean", "b = g(a)", "md ## Train a model", "c = h(b)")

CASES = {
    "level 2 under a title": (("md # My title", *STAGES), "load_data clean train_model"),
    "imports join the next": (("md # T", "import os", *STAGES), "load_data clean train_model"),
    "work before the first heading": (("x = 1 + f()", *STAGES), "part_1 load_data clean train_model"),
    "trailing prose joins the last": ((*STAGES, "md ## End", "import re"), "load_data clean train_model"),
    "shallowest level that gives three": (
        ("md # Apes\n### Deep", "a = f()", "md # Bees", "b = f()", "### x\nc = 1", "md # Cees", "c = f()"),
        "apes bees cees",
    ),
    "tags win": (
        ("[nb2pkg:fetch] a = f()", *STAGES[2:4], "[nb2pkg:fit_all] c = f()", *STAGES[4:]),
        "fetch fit_all",
    ),
    "Kale's tags, one twice": (("[step:one] a = 1", "[block:two] b = 1", "[block:two] c = 1"), "one two"),
    "ours win over Kale's": (("[nb2pkg:one] a = 1", "[block:two] b = a", "[nb2pkg:three,step:x] c = b"), "one three"),
    "a tag with a line": (("[nb2pkg:one,nb2pkg:two@2] a = 1\nb = f(a)\nc = g(b)", "d = c"), "one two"),
    "a line after the last": (("[nb2pkg:one,nb2pkg:two@9] a = 1", "d = a"), "one two"),
    "tags are never merged": (tuple(f"[nb2pkg:s{n}] a = {n}" for n in range(13)), " ".join(f"s{n}" for n in range(13))),
    "cells before the first tag": (("a = f()", "import re", "[step:fit] b = 1"), "part_1 fit"),
    "only a title": (("md # My title", "a = f()", "b = g(a)"), "title"),
    "headings in a fence": (("md ```\n## A\n```", "a = 1", "md ```\n## B\n```", "b = 2"), "part_1"),
    "parameters tag stays": (("[parameters] n = f()", "b = n"), "part_1"),
    "imports only": (("import os", "import re"), "part_1"),
    "work under the title": (("md # My title", "x = 1 + f()", *STAGES), "title load_data clean train_model"),
    "a few cells by label": (
        ("a = f()  #load", "b = g(a)  #clean", "m = h(b)  #train", "m.x(b)  #train"),
        "load_data train",
    ),
}


@pytest.mark.parametrize(("cells", "names"), CASES.values(), ids=CASES)
def test_sections(cells: tuple[str, ...], names: str | None) -> None:
    sections, _ = sectioned(*cells)
    if names is not None:
        assert " ".join(each.name for each in sections) == names


HEADINGS = {
    "# One ##": [(1, "One")],
    "##Tight": [(2, "Tight")],
    "One\n===\n\ntext\n\nTwo\n---": [(1, "One"), (2, "Two")],
    "<h2 align='center'>Load <b>data</b></h2>": [(2, "Load data")],
    "<h3>\nTwo lines\n</h3>\n# After": [(3, "Two lines"), (1, "After")],
    "## 2.1 Train/Test Split": [(2, "Train/Test Split")],
    "## Step 3: **Fit** the [model](http://x)": [(2, "Fit the model")],
    "# 📊 Plots :rocket:": [(1, "Plots")],
    "# IV. Results": [(1, "Results")],
    "# 3D plots": [(1, "3D plots")],
    "# <a id='x'></a> `df.head`": [(1, "df.head")],
    "# Part 2": [(1, "Part 2")],
    "```python\n# comment\n```": [],
    "~~~\n# a\n```\n# b\n~~~\n# c": [(1, "c")],
    "text\n\n    # code": [],
    "- item\n---": [],
    "text\n\n---\nmore": [],
    "a #hash\n#tag": [],
    "####### seven": [],
    "`<h1>no</h1>`": [],
    "<!-- # no\n# no -->": [],
    "| a |\n---": [],
    "#": [],
}


@pytest.mark.parametrize(("source", "expected"), HEADINGS.items(), ids=HEADINGS)
def test_headings(source: str, expected: list[tuple[int, str]]) -> None:
    assert [each[:2] for each in headings_of(source)] == expected


def test_prose_is_the_first_paragraph_after_the_heading() -> None:
    assert headings_of("# A\nSome *words*\nhere.\n\nMore.\n## B") == ((1, "A", "Some words here."), (2, "B", ""))


NAMES = {
    "Load the data": "load_data",
    "Train/Test Split": "train_test_split",
    "Exploratory Data Analysis (EDA)": "exploratory_data_analysis",
    "Análise exploratória": "analise_exploratoria",
    "Đọc dữ liệu": "doc_du_lieu",
    "数据加载": "",
    "The": "",
    "2024": "",
    "The 3 models": "models",
    "Incomprehensibilities characterizations": "incomprehensibilities",
}


@pytest.mark.parametrize(("text", "name"), NAMES.items())
def test_short_names(text: str, name: str) -> None:
    assert short_name(text) == name


def test_names_avoid_modules_builtins_imports_and_each_other() -> None:
    wanted = [("Statistics", "explore"), ("Data", "load"), ("Type", ""), ("numpy", ""), ("数据", "clean")]
    again = [("Analysis", "train"), ("Analysis", "train"), ("Analysis", "train"), ("my_long_user_chosen", "")]
    names = module_names([(*each, False) for each in [*wanted, *again]], frozenset({"numpy"}))
    assert names[:5] == ("statistics_explore", "data_load", "type_2", "numpy_2", "clean_data")
    assert names[5:8] == ("analysis", "analysis_train", "analysis_2")


def test_names_bound_by_imports_are_not_taken() -> None:
    sections, _ = sectioned("from a.b import clean", *STAGES)
    assert [each.name for each in sections] == ["load_data", "clean_2", "train_model"]


def test_classification_follows_the_labels() -> None:
    labels = ["load", "", "explore", "explore", "", "explore", "train", "train", "", "evaluate", "evaluate"]
    sections, codes = sectioned(*(f"x{n} = f()  #{label}" for n, label in enumerate(labels)))
    kinds = [each.kind for each in sections]
    assert kinds == sorted(kinds, key=labels.index)
    assert {"explore", "train", "evaluate"} <= set(kinds)
    assert 3 <= len(sections) <= 7
    assert codes == ["N301"]
    assert any(each.reason == "activity changes from explore to train" for each in sections)


def test_a_large_section_is_divided() -> None:
    labels = ["explore"] * 6 + ["train"] * 6
    sections, _ = sectioned(*STAGES[:4], "md ## Models", *(f"y{n} = f()  #{each}" for n, each in enumerate(labels)))
    assert [each.name for each in sections][:3] == ["load_data", "clean", "models"]
    assert len(sections) > 3
    assert max(each.stop - each.start for each in sections) <= 7


def test_one_long_cell_is_cut_inside() -> None:
    sections, _ = sectioned("\n".join(f"v{n} = f()" for n in range(120)))
    assert len(sections) >= 3


def test_at_most_twelve() -> None:
    cells = [text for n in range(30) for text in (f"md ## Topic w{n}", f"a{n} = f()")]
    sections, codes = sectioned(*cells)
    assert (len(sections), codes) == (12, ["N302"])


def test_one_section_says_why() -> None:
    assert sectioned("a = 1")[1] == ["N303"]
    assert section(*built("md # nothing")) == ((), ())


def test_many_cells_are_quick() -> None:
    labels = ["load", "clean", "explore", "train", ""]
    cells = [f"a{n} = f(a{max(0, n - 3)})\nb{n} = a{n}\nc = b{n}  #{labels[n * 7 % 5]}" for n in range(500)]
    notebook, statements = built(*cells)
    begin = time.process_time()
    section(notebook, statements)
    assert time.process_time() - begin < 0.5  # 0.1 on a quiet machine
