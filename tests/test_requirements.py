"""The requirements: which distributions, in which versions."""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
from pathlib import Path

import pytest

from lab import migrated, write_notebook
from nb2pkg import Options, convert
from nb2pkg.knowledge.base import shipped
from nb2pkg.plan import requirements as module
from nb2pkg.plan.requirements import installed, requirements


def names(*roots: str, python: str | None = None, local: tuple[str, ...] = ()) -> list[str]:
    found, _ = requirements(frozenset(roots), (), python, shipped(), frozenset(local))
    return list(found)


def pin(name: str) -> str:
    return f"{name}=={importlib.metadata.version(name).partition('+')[0]}"


def test_the_current_interpreter() -> None:
    found = names("numpy", "sklearn", "os", "__future__", "helper", "IPython", local=("helper",))
    wanted = {pin("numpy"), pin("scikit-learn"), pin("joblib"), pin("ipython"), pin("cloudpickle")}
    assert found == sorted(wanted, key=lambda r: r.partition("=")[0])


def test_pandas_brings_pyarrow() -> None:
    assert pin("pyarrow") in names("pandas")
    assert pin("pyarrow") not in names("numpy")


def test_another_interpreter_says_the_same() -> None:
    roots = ("numpy", "sklearn", "pandas", "yaml", "dateutil")
    assert names(*roots, python=sys.executable) == names(*roots)
    assert installed(sys.executable) is installed(sys.executable)


def test_not_installed() -> None:
    found, told = requirements(frozenset({"no_such_thing"}), ("Other_Thing[a] >= 2",), None, shipped(), frozenset())
    assert "no-such-thing" in found
    assert "other-thing[a]>=2" in found
    assert [d.code for d in told] == ["N620", "N620"]
    assert {d.severity for d in told} == {"info"}


def test_asked() -> None:
    found, told = requirements(
        frozenset(), ("NumPy<99", "git+https://x/y.git", "-q", "pandas[excel]==0.1"), None, shipped(), frozenset()
    )
    assert pin("numpy") in found
    assert f"pandas[excel]=={importlib.metadata.version('pandas')}" in found
    assert [d.code for d in told] == ["N621"]


def test_an_interpreter_that_is_not_there() -> None:
    found, told = requirements(frozenset({"numpy"}), (), "/no/such/python", shipped(), frozenset())
    assert "numpy" in found
    assert told[0].code == "N622"


def test_an_unexpected_distribution_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_own_packages", lambda: {"cv2": ("numpy",)})
    assert pin("numpy") in names("cv2")


HELPER = """import os
import beside

try:
    import cupy
except ImportError:
    cupy = None


def f():
    import sklearn.svm
"""


def test_what_modules_beside_the_notebook_import_is_needed_too(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "a.ipynb", "import tools\nprint(tools.f())")
    (lab / "tools.py").write_text(HELPER)
    (lab / "beside.py").write_text("import numpy\n")
    wanted = {pin("numpy"), pin("scikit-learn"), pin("joblib"), pin("ipython"), pin("cloudpickle")}
    convert(lab / "a.ipynb", tmp_path / "one", Options(git=False))
    migrated(lab, tmp_path / "many")
    for out in (tmp_path / "one", tmp_path / "many"):
        project = tomllib.loads((out / "pyproject.toml").read_text())["project"]
        assert set(project["dependencies"]) == wanted
