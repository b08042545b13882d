"""Pickling goes through artifacts.py: the text of the stage is what a colleague would write, the file is the same."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from nb2pkg.emit.runtime import artifacts
from nb2pkg.pipeline import Options, convert

FRAME = "import pandas as pd\ndf = pd.DataFrame({'a': [1]})\n"


def stage_text(folder: Path, code: str, *, keep_layout: bool = True) -> str:
    """The only stage of a notebook of one cell."""
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": code, "execution_count": None, "outputs": []}
    path = folder / "nb.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    options = Options(git=False, package="pkg", one_stage=True, lift=False, keep_layout=keep_layout)
    made = convert(path, folder / "out", options)
    text = (folder / "out" / "pkg" / f"{made.plan.stages[0].name}.py").read_text()
    for other in ("functions", "definitions", "classes"):
        module = folder / "out" / "pkg" / f"{other}.py"
        text += module.read_text() if module.exists() else ""
    return text


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("import pickle\nwith open('m.pkl', 'wb') as f:\n    pickle.dump([1], f)", 'save_object([1], "m.pkl")'),
        ("import pickle as p\np.dump([1], open('m.pkl', 'wb'))", 'save_object([1], "m.pkl")'),
        ("from pickle import dump\ndump([1], open('m.pkl', mode='wb'), 4)", 'save_object([1], "m.pkl", 4)'),
        ("import pickle\nx = pickle.load(open('m.pkl', 'rb'))", 'x = load_object("m.pkl")'),
        ("import pickle\nwith open('m.pkl', 'rb') as f:\n    x = pickle.load(f)", 'x = load_object("m.pkl")'),
        ("import dill\ndill.dump([1], open('m.pkl', 'wb'))", 'save_object([1], "m.pkl", library="dill")'),
        (f"{FRAME}df.to_pickle('df.pkl')", 'save_pandas(df, "df.pkl")'),
        (f"{FRAME}(df + 1)[['a']].to_pickle(path='df.pkl')", 'save_pandas((df + 1)[["a"]], path="df.pkl")'),
        ("import pandas as pd\nx = pd.read_pickle('df.pkl')", 'x = load_pandas("df.pkl")'),
        ("import pickle\nprint(pickle.loads(pickle.dumps([1])))", "print(object_from_bytes(object_to_bytes([1])))"),
        ("import pickle\nx = [pickle.dumps(i, pickle.HIGHEST_PROTOCOL) for i in range(3)]", "object_to_bytes(i, HIGH"),
        # More than one dump into a file, another mode, a file that is used again: the handle stays.
        ("import pickle\nf = open('m.pkl', 'ab')\npickle.dump([1], f)\nf.close()", "write_object([1], f)"),
        ("import pickle\nwith open('m', 'wb') as f:\n    pickle.dump(1, f)\nprint(f.closed)", "write_object(1, f)"),
        ("import pickle\nwith open('m', 'wb') as f:\n    pickle.dump(1, f)\n    f.write(b'')", "write_object(1, f)"),
        (
            "def keep(x, n):\n    import pickle\n    with open(n, 'wb') as f:\n        pickle.dump(x, f)\nkeep(1, 'm')",
            "save_object(x, n)",
        ),
    ],
)
def test_the_text(tmp_path: Path, code: str, expected: str) -> None:
    text = stage_text(tmp_path, code)
    assert expected in text
    assert "pickle." not in text and "import pickle" not in text and "import dill" not in text


@pytest.mark.parametrize(
    "code",
    [
        "class pickle:\n    def dump(x, f):\n        print(x)\n\n\npickle.dump(1, None)",
        "def dump(x, f):\n    print(x)\n\n\ndump(1, None)",
        "import json\njson.dump([1], open('m.json', 'w'))",
    ],
)
def test_what_only_looks_like_it_stays(tmp_path: Path, code: str) -> None:
    assert "object(" not in stage_text(tmp_path, code)


def test_a_name_of_the_notebook_is_not_taken(tmp_path: Path) -> None:
    text = stage_text(tmp_path, "import pickle\nsave_object = 3\npickle.dump(save_object, open('m.pkl', 'wb'))")
    assert '_save_object(save_object, "m.pkl")' in text and "import save_object as _save_object" in text


@pytest.mark.parametrize(
    "value", [{"a": [1, None]}, np.arange(70_000.0), pd.DataFrame({"a": [1.5], "b": ["x"]}), "x" * 200_000]
)
@pytest.mark.parametrize("options", [{}, {"protocol": 2}])
def test_the_file_has_the_bytes_that_pickle_writes(tmp_path: Path, value: Any, options: dict[str, int]) -> None:
    artifacts.save_object(value, tmp_path / "ours", **options)
    with (tmp_path / "theirs").open("wb") as file:
        pickle.dump(value, file, **options)
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()
    again = artifacts.load_object(tmp_path / "theirs")
    assert type(again) is type(value) and again is not value


def test_many_objects_in_one_file(tmp_path: Path) -> None:
    with (tmp_path / "f").open("wb") as file:
        artifacts.write_object([1], file)
        artifacts.write_object("two", file)
    with (tmp_path / "f").open("rb") as file:
        assert (artifacts.read_object(file), artifacts.read_object(file)) == ([1], "two")


@pytest.mark.parametrize(
    ("made", "expected"),
    [
        ("pd.DataFrame({'a': [1.5]})", ["value.parquet"]),
        ("pd.DataFrame({1: [1.5]})", []),  # no name of a column in Parquet
        ("np.arange(3)", ["value.npy"]),
        ("{'a': [1]}", ["value.json"]),
        ("[{1}]", []),
    ],
)
def test_data_is_written_in_an_open_format_too(tmp_path: Path, made: str, expected: list[str]) -> None:
    code = f"import pickle\nimport numpy as np\nimport pandas as pd\nx = {made}\n"
    code += "with open('x.pkl', 'wb') as f:\n    pickle.dump(x, f)"
    text = stage_text(tmp_path, code, keep_layout=False)
    assert 'open_copy="data/interim/objects/x")' in text
    out = next(path.parent for path in tmp_path.rglob("dvc.yaml"))
    assert "- data/interim/objects/x\n" in (out / "dvc.yaml").read_text()
    package = next(path.parent.name for path in out.glob("*/__main__.py"))
    subprocess.run([sys.executable, "-m", package], cwd=out, check=True)
    assert [path.name for path in (out / "data/interim/objects/x").iterdir()] == expected
    assert pickle.loads((out / "data/processed/x.pkl").read_bytes()) is not None


@pytest.mark.parametrize(
    "code",
    [
        "import pickle\nclass M:\n    pass\nx = M()\nwith open('x.pkl', 'wb') as f:\n    pickle.dump(x, f)",
        "import pickle\nx = [1]\nfor n in range(2):\n    pickle.dump(x, open('x.pkl', 'wb'))",
        "import pickle\nx = [1]\nname = input()\npickle.dump(x, open(name, 'wb'))",
        "import cloudpickle\nx = [1]\ncloudpickle.dump(x, open('x.pkl', 'wb'))",
    ],
)
def test_what_may_be_no_data_is_only_pickled(tmp_path: Path, code: str) -> None:
    assert "open_copy" not in stage_text(tmp_path, code, keep_layout=False)
