"""The text of the emitted modules: what a reader and a linter see in it."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import black
import pytest
import yaml

from nb2pkg.emit import runtime
from nb2pkg.emit.format import LINE_LENGTH
from nb2pkg.emit.imports import Import, block, parsed
from nb2pkg.emit.text import global_names, without_unread
from nb2pkg.pipeline import Options, convert, package_name, plan


def emitted(folder: Path, *cells: str) -> dict[str, str]:
    """The modules of the package of a notebook; a cell that begins with `#` and a space is markdown."""
    kinds = ["markdown" if cell.startswith("# ") else "code" for cell in cells]
    extra = {"code": {"execution_count": None, "outputs": []}, "markdown": {}}
    made = [
        {"cell_type": kind, "id": f"c{number}", "metadata": {}, "source": cell} | extra[kind]
        for number, (kind, cell) in enumerate(zip(kinds, cells, strict=True))
    ]
    notebook = {"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nb.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    convert(folder / "nb.ipynb", folder / "out", Options(git=False, package="pkg"))
    return {path.stem: path.read_text(encoding="utf-8") for path in (folder / "out" / "pkg").glob("*.py")}


SECTIONS = ("# Load", "x = load_it()", "# Fit", "y = [x, 1]\nprint(y)", "# Show", "print(x, y)")


def test_imports_stand_as_ruff_sorts_them(tmp_path: Path) -> None:
    source = """\
        import numpy as np, os, a.b, a.c, mine, Cython, cython2, matplotlib.pyplot as plt
        from sklearn.metrics import roc_auc_score, accuracy_score, R2
        from pkg.report import show
        from sklearn.metrics import f1_score as f1, zero_one_loss as aaa
        from x import a9, a10, Zed, CONST, zed, ALPHA_beta, _private
        from tools import *
        from __future__ import annotations
        from collections import OrderedDict, defaultdict
        from pathlib import Path"""
    lines = [line.strip() for line in source.split("\n")]
    text = block((i for line in lines for i in parsed(line)), frozenset({"pkg", "mine"})) + "\n"
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").touch()
    (tmp_path / "pkg" / "report.py").touch()
    (tmp_path / "mine.py").touch()
    (tmp_path / "module.py").write_text(text, encoding="utf-8")
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "I", "--diff", "module.py"]
    done = subprocess.run(ruff, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert text.count("from sklearn.metrics import") == 3


def test_a_star_import_keeps_its_place() -> None:
    lines = ["import numpy as np", "from pylab import *", "from b import y", "from b import x", "import a"]
    imports = [i for line in lines for i in parsed(line)]
    order = {each: place for place, each in enumerate(imports)}
    text = block([Import("pkg.report", "show"), *reversed(imports)], frozenset({"pkg"}), order)
    assert text.split("\n") == [*lines[:2], "from b import y, x", "import a", "", "from pkg.report import show"]


def test_the_runtime_is_as_black_writes_it() -> None:
    folder = Path(runtime.__path__[0])
    mode = black.Mode({black.TargetVersion.PY38}, LINE_LENGTH)
    for path in folder.glob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 8))
        given = {k.arg for n in ast.walk(tree) if isinstance(n, ast.Call) for k in n.keywords}
        assert "strict" not in given, path  # of zip: Python 3.10
        assert black.format_str(path.read_text(), mode=mode) == path.read_text(), path


def test_an_import_binds_one_name() -> None:
    assert [i.binds() for i in parsed("import a.b, c as d")] == ["a", "d"]
    assert parsed("from .a import b as b") == [Import(".a", "b")]


def test_global_names_are_not_those_of_parameters_and_locals() -> None:
    text = "def f(a, b=c):\n    d = a + e\n    return [g(h) for h in d]\n\n\nclass K(m):\n    n = o\n"
    assert global_names(text) >= {"c", "e", "g", "m", "o"}
    assert not global_names(text) & {"a", "b", "d", "h"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("x = f()", "_x = f()"),
        ("x = 1\nf()", "f()"),
        ("x = y = f()\nreturn y", "_x = y = f()\nreturn y"),
        ("if f():\n    x = 'é', f()", "if f():\n    _x = 'é', f()"),
        ("with f() as x:\n    pass", "with f() as _x:\n    pass"),
        ("_x = f()\nx = g(_x)", "_x = f()\n__x = g(_x)"),
        ("[x for x in f()]\nx = g()", "[x for x in f()]\n_x = g()"),
        # Left alone: read inside, unpacked, a loop's target, changed in place, deleted, global.
        ("x = f()\nreturn lambda: x", None),
        ("x, y = f()", None),
        ("for x in f():\n    pass", None),
        ("x = f()\nx += 1", None),
        ("x = f()\ndel x", None),
        ("global x\nx = f()", None),
        ("import x\nx = f()", None),
    ],
)
def test_what_nobody_reads(body: str, expected: str | None) -> None:
    def function(text: str) -> str:
        return "def stage():\n" + "\n".join("    " + line for line in text.split("\n") if line)

    changed = without_unread(function(body))
    assert "\n".join(line for line in changed.split("\n") if line.strip()) == function(expected or body)


def test_a_stage_reads_like_a_module_that_someone_wrote(tmp_path: Path) -> None:
    modules = emitted(
        tmp_path,
        "# Load\n\nThe numbers, *as measured*.",
        "import numpy as np\nimport os\nfrom math import sqrt\nfrom math import pi",
        "numbers = [np.array([1.0, 2.0])]",
        "# Roots",
        "root = sqrt(pi)\n\nsquares = [n ** 2 for n in numbers]\nprint(squares)",
        "# Show",
        "print(squares, root)\nsquares[0]",
    )
    assert modules["roots"] == '''\
"""Roots."""

from math import pi, sqrt

from pkg.artifacts import load, save
from pkg.report import cell, stage


def roots(numbers):
    cell("c4")
    root = sqrt(pi)

    squares = [n**2 for n in numbers]
    print(squares)
    return root, squares


def main():
    with stage("roots"):
        numbers = load("data/interim/load/numbers")
        root, squares = roots(numbers)
        save(root, "data/interim/roots/root")
        save(squares, "data/interim/roots/squares")


if __name__ == "__main__":
    from pkg import roots

    roots.main()
'''
    assert '"""Load.\n\nThe numbers, as measured.\n"""' in modules["load"]
    assert "from pkg.report import show as _show" in modules["show"]
    assert "_show(squares[0])" in modules["show"]
    assert "const" not in modules


def test_an_alias_only_where_the_notebook_has_the_name(tmp_path: Path) -> None:
    plain = emitted(tmp_path / "a", "def load_it():\n    return [1]", *SECTIONS)
    assert not any(" as _" in text for text in plain.values())
    taken = emitted(tmp_path / "b", "def load_it():\n    return [1]\nload = save = 3\ndef main():\n    pass", *SECTIONS)
    assert any("from pkg.artifacts import save as _save" in text for text in taken.values())
    stages = [text for name, text in taken.items() if "from pkg.report import cell" in text]
    assert len(stages) >= 3 and all("def _main():" in text for text in stages)


def test_what_shows_itself_is_not_shown_again(tmp_path: Path) -> None:
    texts = ("display(1)", "from IPython.display import display as d\nd(2)", "print(3)", "x = 4\nx\nx")
    modules = emitted(tmp_path, *texts)
    (text,) = (t for t in modules.values() if "from pkg.report import cell" in t)
    assert "    display(1)" in text and "show(d(2))" in text and "    print(3)" in text
    assert text.count("x\n") == text.count("show(x)") == 0 or text.count("show(x)") == 1


def test_what_has_to_come_before_imports_does(tmp_path: Path) -> None:
    modules = emitted(
        tmp_path,
        "import os\nos.environ['MODE'] = 'fast'",
        "import warnings\nwarnings.filterwarnings('ignore')\nimport numpy as np",
        "from mpl_toolkits.mplot3d import Axes3D\nimport registers_things\nimport seaborn as sns\nimport pandas as pd",
        *(cell.replace("load_it()", "[np.pi]") for cell in SECTIONS),
        "import matplotlib.pyplot as plt\nplt.subplot(projection='3d')",
    )
    head = modules["__init__"]
    assert head.index('os.environ["MODE"] = "fast"') < head.index("import registers_things")
    assert "from mpl_toolkits.mplot3d import Axes3D" in head
    assert "seaborn" not in head and "pandas" not in head and "warnings" not in head
    assert not any("environ" in text for name, text in modules.items() if name not in ("__init__", "report"))
    assert all(f"{name}.py" in (tmp_path / "out/dvc.yaml").read_text() for name in ("pkg/__init__", "pkg/settings"))


def test_the_environment_that_a_statement_can_notice_stays_in_its_place(tmp_path: Path) -> None:
    modules = emitted(
        tmp_path,
        "import os\nprint(os.environ.get('MODE'))\nos.environ['MODE'] = 'fast'\nimport numpy as np",
        *(cell.replace("load_it()", "[np.pi]") for cell in SECTIONS),
    )
    assert "environ" not in modules["__init__"]
    assert any('os.environ["MODE"] = "fast"' in text for name, text in modules.items() if name != "settings")


@pytest.mark.parametrize(
    ("stem", "name"),
    [("01 EDA-final", "eda_final"), ("pandas", "pandas_pkg"), ("json", "json_pkg"), ("mine", "mine_pkg"), ("é", "e")],
)
def test_a_package_hides_no_module(tmp_path: Path, stem: str, name: str) -> None:
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": "import mine", "execution_count": None}
    notebook = {"cells": [cell | {"outputs": []}], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (tmp_path / f"{stem}.ipynb").write_text(json.dumps(notebook))
    assert plan(tmp_path / f"{stem}.ipynb").package == name


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("01 EDA-final", "eda_final"),
        ("ReCell_TimHayes_PGP-DSBA-UTA-Aug22-A2_Full code", "recell_timhayes_pgp_dsba_uta_aug22_a2"),
        ("x" * 50, "x" * 40),
        ("42", "notebook_package"),
        ("json", "json_pkg"),
        ("Ölpreis Vorhersage", "olpreis_vorhersage"),
    ],
)
def test_a_package_is_named_by_whole_words_of_the_file(stem: str, name: str) -> None:
    assert package_name(stem) == name


def test_a_stage_depends_on_the_constants_of_the_definitions_that_it_runs(tmp_path: Path) -> None:
    emitted(
        tmp_path,
        "# Train",
        "RATE = 0.5\nDEPTH = 2\nWINDOW = 7\nSTEP = 3\n"
        "class Model:\n    def fit(self, x):\n        self.c = x * RATE\n        return self\n"
        "    def predict(self, x):\n        return x + self.c\n"
        "def scale(x, DEPTH):\n    return x * DEPTH\n"
        "def label():\n    return WINDOW\n"
        "def outer(x):\n    return x + label()\n"
        "model = Model().fit(3)",
        "# Scale",
        "y = scale(4, 5)\nprint(y)",
        "# Label",
        "print(outer(y), STEP)",
        "# Predict",
        "print(model.predict(y))",
    )
    stages = yaml.safe_load((tmp_path / "out" / "dvc.yaml").read_text())["stages"]
    used = {name: [n for entry in s.get("params", ()) for n in entry["pkg/const.py"]] for name, s in stages.items()}
    assert used == {"train": ["RATE"], "scale_stage": [], "label_stage": ["STEP", "WINDOW"], "predict": ["RATE"]}
    assert "pkg/definitions.py" in stages["predict"]["deps"], "what is loaded is of a class in it"


def test_values_that_are_stored_together_are_named_in_the_manifest(tmp_path: Path) -> None:
    names = ["first", "second", "third", "fourth"]
    emitted(
        tmp_path,
        "# Load",
        "first = [1]\nsecond = [first]\nthird = [second]\nfourth = [third]",
        "# Use",
        "first.append(2)\nprint(fourth, third, second)",
    )
    manifest = json.loads((tmp_path / "out" / ".nb2pkg" / "manifest.json").read_text())
    (folder,) = manifest["values"]
    assert folder == "data/interim/load/first_and_3_more"
    assert sorted(manifest["values"][folder]) == sorted(names)
    assert f"- {folder}\n" in (tmp_path / "out" / "dvc.yaml").read_text()


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        ("print(x)", False),
        ("if x:\n        return\n    print(x)", False),
        ("return x", True),
        ("yield x", True),
        ("def inner():\n        return 2\n    print(inner())", False),
    ],
)
def test_the_call_of_a_function_that_returns_nothing_is_not_shown(tmp_path: Path, body: str, shown: bool) -> None:
    made = "class A:\n    def __init__(self):\n        self.x = 1"
    modules = emitted(tmp_path, f"def f(x):\n    {body}\n{made}", "f(1)", "A()")
    text = next(text for text in modules.values() if 'cell("c1")' in text)
    assert ("show(f(1))" in text) is shown
    assert "show(A())" in text
