"""The files around the modules, read back by readers that did not write them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import black
import pytest
from dvc.schema import COMPILED_MULTI_STAGE_SCHEMA
from ruamel.yaml import YAML

from nb2pkg.emit import project
from nb2pkg.emit.format import LINE_LENGTH
from nb2pkg.emit.project import DvcStage, Plot, ReadmeStage
from nb2pkg.emit.tree import Tree
from nb2pkg.write import write

LOAD = DvcStage(
    name="load",
    module="pkg.load",
    desc="Load: the “données” 😀 #1, ${HOME}\n\x85end",
    deps=("pkg/load.py",),
    params=("TRUE", "yes", "LR", "null"),
    const_path="pkg/const.py",
    outs=("data/interim/load/x",),
    uncached_outs=("reports/outputs/load.jsonl",),
    metrics=("metrics/load.json",),
    plots=(Plot("reports/figures/load"),),
    cells=("a1", "123", "true", "${x}"),
)
BARE = DvcStage("show", "pkg.show", "", (), (), "pkg/const.py", (), (), (), (), ())


def test_dvc_yaml_is_what_dvc_takes() -> None:
    data = YAML(typ="safe").load(project.dvc_yaml((LOAD, BARE)))
    COMPILED_MULTI_STAGE_SCHEMA(data)
    load = data["stages"]["load"]
    assert list(data["stages"]) == ["load", "show"]
    assert load["cmd"] == "python -m pkg.load"
    assert load["desc"] == LOAD.desc.replace("${", "\\${")
    assert load["params"] == [{"pkg/const.py": ["TRUE", "yes", "LR", "null"]}]
    assert load["outs"] == ["data/interim/load/x", {"reports/outputs/load.jsonl": {"cache": False}}]
    assert load["metrics"] == [{"metrics/load.json": {"cache": False}}]
    assert load["plots"] == [{"reports/figures/load": {"cache": False}}]
    assert load["meta"] == {"cells": ["a1", "123", "true", "\\${x}"]}
    assert data["stages"]["show"] == {"cmd": "python -m pkg.show"}
    COMPILED_MULTI_STAGE_SCHEMA(YAML(typ="safe").load(project.dvc_yaml(())))


@pytest.mark.parametrize("text", ["a: b", "yes", "~", "1e3", " x ", "a\\b", "\x7f\u2028\ufeff", "é 😀", "", "'\""])
def test_strings(text: str) -> None:
    assert YAML(typ="safe").load(f"a: {project.yaml_string(text)}\n") == {"a": text}
    assert tomllib.loads(f"a = {project.quoted(text)}\n") == {"a": text}


def test_the_pipeline_runs(tmp_path: Path) -> None:
    out = tmp_path / "out"
    body = (
        "from pathlib import Path\nfor n in ('data/${a} b/x', 'reports/figures/load/1.png', 'metrics/load.json'):\n"
        "    p = Path(n)\n    p.parent.mkdir(parents=True, exist_ok=True)\n    p.write_text('{}')\n"
    )
    stage = replace(LOAD, outs=("data/${a} b/x",), uncached_outs=(), desc="${no}")
    files = {
        "dvc.yaml": project.dvc_yaml((stage,)),
        "pkg/__init__.py": "",
        "pkg/load.py": body,
        "pkg/const.py": "LR = 1\nTRUE = 2\nyes = 3\nnull = 4\n",
        ".dvc/config": project.dvc_config(),
        ".dvc/.gitignore": project.dvc_internal_gitignore(),
        ".dvcignore": project.dvcignore(),
        ".gitignore": project.gitignore(stage.outs, ()),
    }
    write(Tree(tuple((n, t.encode()) for n, t in files.items()), (), "pkg"), out, git=False)
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    command = [sys.executable, "-m", "dvc", "repro"]
    env = {"PATH": path, "HOME": str(tmp_path)}
    done = subprocess.run(command, cwd=out, env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    assert (out / "data/${a} b/x").is_file()
    assert not list(out.glob("data/**/.gitignore"))


def test_gitignore_is_what_git_reads(tmp_path: Path) -> None:
    names = ["data/raw/x.csv", "data/a[1].csv", "data/b*.csv", "data/#c", "data/!d", "data/e ", "data/f\\g", "data/é"]
    subprocess.run(["git", "init", "-q", str(tmp_path)], check=True)
    (tmp_path / ".gitignore").write_text(project.gitignore(names[:4], names[4:]), encoding="utf-8")
    command = ["git", "-C", str(tmp_path), "check-ignore", "-q"]
    for name in names:
        assert subprocess.run([*command, name], check=False).returncode == 0, name
    for name in ("data/bc.csv", "data/a1.csv", "sub/data/raw/x.csv", "data/raw/x.csv.dvc"):
        assert subprocess.run([*command, name], check=False).returncode == 1, name


def test_pyproject() -> None:
    text = project.pyproject("my_pkg", ("numpy==1.0", "x"), "3.8.2", 'A "b" \n\\ é😀\x7f')
    data = tomllib.loads(text)
    assert data["project"]["name"] == "my-pkg"
    assert data["project"]["dependencies"] == ["numpy==1.0", "x"]
    assert data["project"]["description"] == 'A "b" \\ é😀\x7f'
    assert data["tool"]["setuptools"]["packages"] == ["my_pkg"]
    assert "3.8.2" in text
    assert "evil" not in project.pyproject("p", (), "3\nevil", "")


def test_readme() -> None:
    stage = ReadmeStage("load", "Load | read\nall", (), ("df", "X"))
    text = project.readme("pkg", "nb.ipynb", (stage,), ("cell 1: N101:\nodd",), ("data/raw/x.csv",))
    assert "| `load` | Load \\| read all |  | `df`, `X` |" in text
    assert "python -m pkg.load" in text
    assert "- cell 1: N101: odd" in text
    assert "- `data/raw/x.csv`" in text
    assert project.license_note("MIT") == "MIT"


def test_the_emitted_tests(tmp_path: Path) -> None:
    names = tuple(f"variable_{n}" for n in range(9))
    stages = (("load", "load", ()), ("train_a_model", "train_a_model", names[:3]), ("evaluate", "evaluate", names))
    text = project.tests_module("pkg", stages)
    mode = black.Mode(line_length=LINE_LENGTH)
    for width in range(60, 110):
        long = (("s", "f", ("n" * (width - 30), "b" * 3)), ("stage", "g", ("n" * (width - 20),)))
        made = project.tests_module("pkg", [*stages, *long])
        assert black.format_str(made, mode=mode) == made, width
    (tmp_path / "tests").mkdir()
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg/__init__.py").touch()
    (tmp_path / "tests/test_stages.py").write_text(text)
    for name, function, params in stages:
        code = f"def {function}({', '.join(params)}): ...\ndef main(): ...\n"
        (tmp_path / f"pkg/{name}.py").write_text(code)
    rows = tuple(replace(LOAD, name=n, module=f"pkg.{n}") for n, _, _ in stages)
    (tmp_path / "dvc.yaml").write_text(project.dvc_yaml(rows), encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    # The plugins that are installed here are not the package's.
    alone = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    assert subprocess.run(command, cwd=tmp_path, env=alone, check=False).returncode == 0
    (tmp_path / "dvc.yaml").write_text(project.dvc_yaml(rows[1:]), encoding="utf-8")
    assert subprocess.run(command, cwd=tmp_path, env=alone, check=False).returncode == 1
    ruff = [sys.executable, "-m", "ruff", "check", "--isolated", "--select", "E4,E7,E9,F", "tests"]
    assert subprocess.run(ruff, cwd=tmp_path, check=False).returncode == 0
