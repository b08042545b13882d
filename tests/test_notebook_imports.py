"""Imports of notebooks become imports of modules: the stages print what the loaders' own imports do in one process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nb2pkg import Options, convert
from nb2pkg.errors import NotebookError
from nb2pkg.plan.types import Plan

TOOLS = [
    "# Tools",
    "import math\n\nSIZE = 3\nscale = 2",
    "def area(r):\n    return round(math.pi * r * r * scale, 3)",
    "def twice(x):\n    return 2 * x\n\n\nclass Box:\n    def __init__(self, side):\n        self.side = side",
    "area(1)",
]
ONLY_DEFINITIONS = [
    "# Tools",
    "import math\n\nSIZE = 3\nraise_me = 1 / 0",
    "def area(r):\n    return round(math.pi * r * r, 3)",
    "class Box:\n    side = 4",
]
USE = ["b = t.twice(a)\nprint(b)", "print(t.Box(b).side, t.SIZE, a)"]
BARE = ["b = twice(a)\nprint(b)", "print(a, b)"]
LOUD = ["print('loud is read')\nfound = []", "def keep(x):\n    found.append(x)\n    return len(found)"]

CASES: dict[str, tuple[dict[str, list[str]], list[str]]] = {
    "import_ipynb": (
        {"tools.ipynb": TOOLS},
        ["import import_ipynb\nimport tools as t\n\na = t.area(2)\nprint(a)", *USE],
    ),
    "import_ipynb, a name with a space": (
        {"my tools.ipynb": TOOLS},
        ["import json, import_ipynb\nfrom my_tools import *\n\na = area(SIZE)\nprint(a)", *BARE],
    ),
    "import_ipynb, below a folder": (
        {"lib/tools.ipynb": TOOLS},
        [
            "import import_ipynb\nfrom lib.tools import area\n\na = area(2)\nprint(a)",
            "b = area(a)\nprint(b)",
            "print(a, b)",
        ],
    ),
    "import_ipynb, one that imports one": (
        {
            "outer.ipynb": ["import import_ipynb\nfrom tools import area", "def two(r):\n    return area(r) * 2"],
            "tools.ipynb": TOOLS,
        },
        [
            "import import_ipynb\nimport outer\n\na = outer.two(2)\nprint(a)",
            "b = outer.two(a)\nprint(b)",
            "print(a, b)",
        ],
    ),
    "import_ipynb, one that prints and keeps": (
        {"loud.ipynb": LOUD},
        ["a = 1\nprint(a)", "import import_ipynb\nimport loud\n\nb = loud.keep(a)\nprint(b)", "print(loud.keep(b), a)"],
    ),
    "ipynb.fs.full": (
        {"tools.ipynb": TOOLS},
        ["from ipynb.fs.full import tools as t\n\na = t.area(2)\nprint(a)", *USE],
    ),
    "ipynb.fs.full, written out": (
        {"lib/tools.ipynb": TOOLS, "lib/__init__.py": [""]},
        [
            "import ipynb.fs.full.lib.tools\n\na = ipynb.fs.full.lib.tools.area(2)\nprint(a)",
            "b = ipynb.fs.full.lib.tools.twice(a)\nprint(b)",
            "print(a, b)",
        ],
    ),
    "ipynb.fs.defs": (
        {"tools.ipynb": ONLY_DEFINITIONS},
        [
            "from ipynb.fs.defs.tools import area, Box, SIZE\n\na = area(2)\nprint(a)",
            "b = area(SIZE)\nprint(b)",
            "print(a, b, Box.side)",
        ],
    ),
    "ipynb.fs, both": (
        {"tools.ipynb": TOOLS},
        [
            "from ipynb.fs.full.tools import area\nfrom ipynb.fs.defs.tools import twice\n\na = area(2)\nprint(a)",
            "b = twice(a)\nprint(b)",
            "print(area(b), twice.__module__ != area.__module__)",
        ],
    ),
    "importnb": (
        {"tools.ipynb": TOOLS},
        ["from importnb import Notebook\n\nwith Notebook():\n    import tools as t\n\na = t.area(2)\nprint(a)", *USE],
    ),
    "importnb, without its name": (
        {"tools.ipynb": TOOLS},
        [
            "with __import__('importnb').Notebook():\n    import tools as t\n    import math\na = t.area(2)\nprint(a)",
            *USE,
        ],
    ),
    "a module of the same name": (
        {"tools.ipynb": TOOLS, "tools.py": ["def area(r):\n    return -r"]},
        [
            "import import_ipynb\nfrom tools import area\n\na = area(2)\nprint(a)",
            "b = area(a)\nprint(b)",
            "print(a, b)",
        ],
    ),
}
if sys.version_info < (3, 12):  # nbimporter 0.3.4 is written for the import system before
    CASES |= {
        "nbimporter": (
            {"tools.ipynb": ONLY_DEFINITIONS},
            [
                "import nbimporter\nimport tools\n\na = tools.area(2)\nprint(a)",
                "b = tools.area(a)\nprint(b)",
                "print(a, b, tools.Box.side)",
            ],
        ),
        "nbimporter, all of it": (
            {"tools.ipynb": TOOLS},
            [
                "import nbimporter\nnbimporter.options['only_defs'] = False",
                "import tools as t\n\na = t.area(2)\nprint(a)",
                USE[0] + "\n" + USE[1],
            ],
        ),
    }


def notebook(cells: list[str]) -> str:
    made: list[dict[str, Any]] = []
    for cell in cells:
        if cell.startswith("#"):
            made.append({"cell_type": "markdown", "source": cell, "metadata": {}})
        else:
            made.append({"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None})
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {"kernelspec": kernel}, "cells": made})


def converted(files: dict[str, list[str]], cells: list[str], folder: Path) -> Plan:
    source = folder / "source"
    for name, text in files.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(notebook(text) if name.endswith(".ipynb") else "\n".join(text) + "\n")
    headings = ("## Load", "## Prepare", "## Report")
    headed = [part for pair in zip(headings, cells, strict=False) for part in pair]
    (source / "a.ipynb").write_text(notebook(headed))
    return convert(source / "a.ipynb", folder / "out", Options(git=False)).plan


def run(words: list[str], folder: Path) -> str:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("case", CASES)
def test_stages_print_what_the_loader_s_imports_do(case: str, tmp_path: Path) -> None:
    files, cells = CASES[case]
    plan = converted(files, cells, tmp_path)
    expected = run(["-c", "\n".join(cells)], tmp_path / "source")
    staged = "".join(run(["-m", f"{plan.package}.{stage.name}"], tmp_path / "out") for stage in plan.stages)
    assert staged == expected
    if any(d.code == "N019" for d in plan.diagnostics):
        texts = "".join(path.read_text() for path in (tmp_path / "out").glob("*/*.py"))
        assert not [loader for loader in ("import_ipynb", "nbimporter", "importnb", "ipynb.") if loader in texts]


@pytest.mark.parametrize("case", ["import_ipynb", "ipynb.fs.full", "importnb"])
def test_it_is_modular_all_the_same(case: str, tmp_path: Path) -> None:
    assert len(converted(*CASES[case], tmp_path).stages) == 3


def test_what_became_of_it_is_told(tmp_path: Path) -> None:
    plan = converted(*CASES["ipynb.fs.defs"], tmp_path)
    told = [(d.cell, d.severity, d.message) for d in plan.diagnostics if d.code == "N019"]
    assert told == [(1, "info", "the notebook tools.ipynb is imported: its definitions are the module tools.py")]
    assert (tmp_path / "out" / "tools.py").read_text().startswith("# The definitions of tools.ipynb.\n")
    assert "raise_me" not in (tmp_path / "out" / "tools.py").read_text()


def test_its_magics_are_python_too(tmp_path: Path) -> None:
    tools = ["%matplotlib inline\nimport os", "%time size = 3", "here = !echo {size}\n%cd -q ."]
    converted({"tools.ipynb": tools}, ["import import_ipynb\nimport tools\n\nprint(tools.here)"], tmp_path)
    assert run(["-c", "import tools; print(tools.here)"], tmp_path / "out") == "['3']\n"


def test_a_loader_that_does_more_stays(tmp_path: Path) -> None:
    cells = ["from importnb import Notebook\n\nwith Notebook():\n    import tools\nt = Notebook.load_file('b.ipynb')"]
    plan = converted({"tools.ipynb": TOOLS}, cells, tmp_path)
    told = [d for d in plan.diagnostics if d.code == "N019"]
    assert [(d.severity, d.line) for d in told] == [("warning", 5)]
    assert "Notebook is used for more than that" in told[0].message


def test_an_imported_notebook_that_can_t_be_read_is_named(tmp_path: Path) -> None:
    cells = ["import import_ipynb\nimport tools"]
    with pytest.raises(NotebookError) as refused:
        converted({"tools.ipynb": ["x = 1", "def ("]}, cells, tmp_path)
    assert refused.value.code == "N011"
    assert refused.value.cell == 1
    assert "the notebook tools.ipynb is imported, and can't be read: cell 2 of tools.ipynb" in refused.value.message
    assert not (tmp_path / "out").exists()


def test_no_notebook_from_elsewhere_is_imported(tmp_path: Path) -> None:
    source = tmp_path / "repository"
    source.mkdir()
    (tmp_path / "secret.ipynb").write_text(notebook(["def f():\n    return 1"]))
    (source / "tools.ipynb").symlink_to(tmp_path / "secret.ipynb")
    (source / "a.ipynb").write_text(notebook(["import import_ipynb\nimport tools\n\nprint(tools)"]))
    plan = convert(source / "a.ipynb", tmp_path / "out", Options(git=False, within=source)).plan
    assert not [d for d in plan.diagnostics if d.code == "N019"]
    assert not (tmp_path / "out" / "tools.py").exists()
