"""What `nb2pkg verify` takes for the same: lines, values, files, figures. Nothing is run here."""

from __future__ import annotations

import gzip
import json
import math
import pickle
from pathlib import Path
from typing import Any

import joblib
import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from PIL import Image, PngImagePlugin
from sklearn.linear_model import LogisticRegression

from nb2pkg.verify.figures import figure_difference
from nb2pkg.verify.lines import cell_lines, differences, expected_lines, normaliser
from nb2pkg.verify.outcome import CellOutcome, Outcome, Shown
from nb2pkg.verify.sameness import difference, files_difference

mpl.use("agg")

REPEATED = {
    "the same": ([["a", "b"]] * 2, ["a", "b"]),
    "nothing": ([[], []], []),
    "a time": ([["took 0.31 s", "x"], ["took 0.29 s", "x"]], ["took 0.5 s", "x"]),
    "a time that two runs agree on": (
        [["1/2 loss 0.5 3ms", "2/2 loss 0.4 3ms"], ["1/2 loss 0.5 3ms", "2/2 loss 0.4 4ms"]],
        ["1/2 loss 0.5 9ms", "2/2 loss 0.4 3ms"],
    ),
    "random rows": (
        [["0 0.1 0.2", "1 0.3 0.4", "2 0.5 0.6"], ["0 0.7 0.2", "1 0.8 0.9", "2 0.1 0.4"]],
        ["0 0.2 0.3", "1 0.6 0.1", "2 0.2 0.2"],
    ),
    "other words": ([["the quick brown fox"], ["a lazy dog"]], ["no words of these"]),
    "lines in one run only": ([["a", "warning", "b"], ["a", "b"]], ["a", "b"]),
    "lines in the other run only": ([["a", "b"], ["a", "warning", "b"]], ["a", "something", "b"]),
    "names in random order": (
        [["[a b 0.9", "c d 0.8", "e 0.7", "f 0.6"], ["[a b 0.8", "e 0.7", "c d 0.6", "h i j 0.5"]],
        ["[c d 0.9", "a b 0.7", "k 0.6", "f 0.1"],
    ),
    "labels by chance": (
        [["[1 1 0 2", " 0 1 2 2", " 1 0]"], ["[2 2 0 1", " 0 2 1 1", " 2 0]"]],
        ["[0 0 2 1", " 2 0 1 1", " 0 2]"],
    ),
    "a measurement": (
        [["7.34 ms ± 566 μs per loop (mean ± std. dev. of 7 runs, 100 loops each)", "Wall time: 3 s", "x"]] * 2,
        ["x"],
    ),
    "a bar": ([["50%|█████     | 1/2 [0.1s]"], ["50%|█████     | 1/2 [0.2s]"]], ["50%|████▉     | 1/2 [0.9s]"]),
}


@pytest.mark.parametrize(("runs", "got"), REPEATED.values(), ids=REPEATED.keys())
def test_lines_that_the_notebook_may_show(runs: list[list[str]], got: list[str]) -> None:
    assert differences(expected_lines(runs), got) == ()


CHANGED = {
    "another number": ([["x = 1"]] * 2, ["x = 2"]),
    "missing": ([["a", "b"]] * 2, ["a"]),
    "extra": ([["a"]] * 2, ["a", "a"]),
    "order": ([["a", "b"]] * 2, ["b", "a"]),
    "beside a time": ([["loss 0.5 in 0.31 s"], ["loss 0.5 in 0.29 s"]], ["loss 0.6 in 0.30 s"]),
    "an index beside a time": ([["row 3: 0.31 s"], ["row 3: 0.29 s"]], ["row 4: 0.30 s"]),
    "beside a measurement": ([["Wall time: 3 s", "x"]] * 2, ["Wall time: 2 s", "y"]),
    "after a time": ([["0.31 s", "x"], ["0.29 s", "x"]], ["0.30 s", "y"]),
    "a lone number": ([["0.31", "5"], ["0.29", "5"]], ["0.30", "6"]),
    "all of it": ([["a", "b"]] * 2, []),
    "space": ([["a  b"]] * 2, ["a b"]),
}


@pytest.mark.parametrize(("runs", "got"), CHANGED.values(), ids=CHANGED.keys())
def test_lines_that_it_does_not_show(runs: list[list[str]], got: list[str]) -> None:
    assert differences(expected_lines(runs), got)


def test_a_wild_line_reads_fast() -> None:
    row = " ".join(f"{i}.5 = . x" for i in range(60))
    runs = [[f"{row} 1 s"], [f"{row} 2 s"]]
    assert differences(expected_lines(runs), [f"{row} y 3"])


def test_what_a_run_has_of_its_own_is_normal() -> None:
    outcome = Outcome(Path("/kept"), "/tmp/scratch/nb", ("2024-02-29",), 1.0, ())
    shown = (
        Shown("printed", "at 0x7f0012ab on 2024-02-29\n10%\r100%"),
        Shown("displayed", "in /tmp/scratch/nb/data"),
        Shown("figure", file="f.png"),
        Shown("printed", "end"),
    )
    lines = cell_lines(CellOutcome("a", shown), normaliser(outcome))
    assert lines == ["at 0x… on <day>", "100%", "in <folder>/data", "end"]


# -- values --------------------------------------------------------------------------------------------------------


class Thing:
    """An object of the notebook's."""

    def __init__(self, value: object) -> None:
        """Keep a value."""
        self.value = value


def cyclic() -> list[Any]:
    """A list that holds itself."""
    made: list[Any] = [1]
    made.append(made)
    return made


def frame(**changes: Any) -> pd.DataFrame:
    """A frame with several dtypes."""
    columns: dict[str, Any] = {"a": [1, 2], "b": [0.5, math.nan], "c": ["x", None], "d": pd.to_datetime(["2020", None])}
    return pd.DataFrame({**columns, **changes})


def fitted(shift: float = 0.0) -> LogisticRegression:
    """A model."""
    return LogisticRegression().fit([[0.0], [1.0 + shift], [2.0], [3.0]], [0, 0, 1, 1])


def test_equal_values() -> None:
    for make in (
        lambda: [1, 2.5, "a", None, {"k": (1, {2})}, b"x", 1j, math.nan],
        lambda: np.arange(6.0).reshape(2, 3),
        lambda: np.array(["a", None, {1: 2}], dtype=object),
        lambda: np.zeros(2, dtype=[("a", "f8"), ("b", "i4")]),
        frame,
        lambda: frame().set_index("a").groupby(level=0).size(),
        lambda: pd.Series(pd.Categorical(["a", "b"]), name="s"),
        lambda: pd.MultiIndex.from_product([["a"], [1, 2]]),
        lambda: Thing([1, Thing(2)]),
        cyclic,
        fitted,
        lambda: np.random.RandomState(1),
        lambda: lambda x: x + 1,
    ):
        assert difference(make(), make(), "v") == ""
    assert difference([0.1 + 0.2], [0.3], "v") == ""


DIFFERENT: dict[str, tuple[Any, Any]] = {
    "number": (1, 2),
    "type": (1, 1.0),
    "bool": (True, 1),
    "float": (1.0, 1.0 + 1e-7),
    "text": ("a", "b"),
    "length": ([1], [1, 1]),
    "list and tuple": ([1], (1,)),
    "order of keys": ({"a": 1, "b": 1}, {"b": 1, "a": 1}),
    "set": ({1}, {2}),
    "array": (np.arange(3), np.array([0, 1, 3])),
    "dtype": (np.arange(3), np.arange(3.0)),
    "shape": (np.zeros((2, 1)), np.zeros(2)),
    "nan": (np.array([1.0, np.nan]), np.array([1.0, 2.0])),
    "frame": (frame(), frame(b=[0.5, 1.0])),
    "column": (frame(), frame().rename(columns={"a": "z"})),
    "index": (frame(), frame().set_index("a", drop=False)),
    "columns in another order": (frame(), frame()[["b", "a", "c", "d"]]),
    "categories": (pd.Series(["a"]), pd.Series(["a"], dtype="category")),
    "attribute": (Thing(1), Thing(2)),
    "inner attribute": (Thing([Thing(1)]), Thing([Thing(2)])),
    "model": (fitted(), fitted(0.5)),
    "random state": (np.random.RandomState(1), np.random.RandomState(2)),
    "function": (lambda x: x + 1, lambda x: x + 2),
    "nothing": (None, 0),
}


@pytest.mark.parametrize(("one", "two"), DIFFERENT.values(), ids=DIFFERENT.keys())
def test_different_values(one: object, two: object) -> None:
    assert difference(one, two, "v").startswith("v")


# -- files ---------------------------------------------------------------------------------------------------------

SAME_FILES: dict[str, tuple[bytes, bytes]] = {
    "table.csv": (b"a,b\n1,0.30000000000000004\n", b'"a",b\r\n1,0.3\r\n'),
    "table.tsv": (b"a\tb\n", b"a\tb\r\n"),
    "packed.csv.gz": (gzip.compress(b"a\n", mtime=1), gzip.compress(b"a\n", mtime=2)),
    "data.json": (b'{"a": [1, 0.3]}', b'{ "a": [1, 0.30000000000000004] }\n'),
    "text.txt": (b"a\nb\n", b"a\r\nb\r\n"),
    "value.pkl": (pickle.dumps({"a": 1}, 2), pickle.dumps({"a": 1}, 5)),
    "plot.svg": (b"<svg><dc:date>1</dc:date></svg>", b"<svg><dc:date>2</dc:date></svg>"),
}
OTHER_FILES: dict[str, tuple[bytes, bytes]] = {
    "table.csv": (b"a,b\n1,0.3\n", b"a,b\n1,0.4\n"),
    "truncated.csv": (b"a\n1\n2\n", b"a\n1\n"),
    "names.csv": (b"a\n007\n", b"a\n7\n"),
    "data.json": (b'{"a": 1}', b'{"a": 1, "b": 2}'),
    "half.json": (b'{"a": 1}', b'{"a":'),
    "text.txt": (b"a\n", b"b\n"),
    "value.pkl": (pickle.dumps([1]), pickle.dumps([2])),
    "half.pkl": (pickle.dumps([1, 2, 3]), pickle.dumps([1, 2, 3])[:-4]),
    "unknown.xyz": (b"\xff\x00", b"\xff\x01"),
    "empty.png": (b"\x89PNG", b""),
}


def pair(folder: Path, name: str, one: bytes, two: bytes) -> tuple[str, str]:
    """Two files of one name."""
    for side, content in (("a", one), ("b", two)):
        (folder / side).mkdir()
        (folder / side / name).write_bytes(content)
    return str(folder / "a" / name), str(folder / "b" / name)


@pytest.mark.parametrize("name", SAME_FILES)
def test_files_that_hold_the_same(tmp_path: Path, name: str) -> None:
    assert files_difference(*pair(tmp_path, name, *SAME_FILES[name])) == ""


@pytest.mark.parametrize("name", OTHER_FILES)
def test_files_that_do_not(tmp_path: Path, name: str) -> None:
    assert files_difference(*pair(tmp_path, name, *OTHER_FILES[name]))


def test_files_of_libraries(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    for folder in (one, two):
        folder.mkdir()
        frame(c=["x", "y"]).to_parquet(folder / "same.parquet", compression="gzip" if folder is one else "snappy")
        frame(b=[1.0, 2.0 + (folder is two)]).to_parquet(folder / "other.parquet")
        np.savez(folder / "same.npz", a=np.arange(3))
        np.savez(folder / "other.npz", a=np.arange(3) + (folder is two))
        joblib.dump(fitted(), folder / "same.joblib", compress=3 if folder is two else 0)
        joblib.dump(fitted(0.5 * (folder is two)), folder / "other.joblib")
    for path in sorted(one.iterdir()):
        assert bool(files_difference(str(path), str(two / path.name))) == path.name.startswith("other"), path.name


# -- figures -------------------------------------------------------------------------------------------------------


def image(path: Path, colour: tuple[int, int, int], *, size: int = 8, dot: bool = False, note: str = "") -> Path:
    """A square, perhaps with a pixel of another colour."""
    picture = Image.new("RGB", (size, size), colour)
    if dot:
        picture.putpixel((3, 3), (0, 0, 0))
    about = PngImagePlugin.PngInfo()
    about.add_text("Software", note)
    picture.save(path, pnginfo=about)
    return path


def test_figures(tmp_path: Path) -> None:
    one = image(tmp_path / "one.png", (200, 100, 50))
    assert figure_difference(one, image(tmp_path / "note.png", (200, 100, 50), note="another day")) == ""
    assert figure_difference(one, image(tmp_path / "near.png", (203, 100, 50))) == ""
    assert "1 of 64 pixels" in figure_difference(one, image(tmp_path / "dot.png", (200, 100, 50), dot=True))
    assert "8 x 8 and 9 x 9" in figure_difference(one, image(tmp_path / "large.png", (200, 100, 50), size=9))
    assert "missing" in figure_difference(one, tmp_path / "gone.png")
    for name, value in (("a", 1.0), ("b", 1.0), ("c", 2.0)):
        content = {"data": [{"x": [value], "uid": name}], "layout": {}, "config": name}
        (tmp_path / f"{name}.json").write_text(json.dumps(content))
    assert figure_difference(tmp_path / "a.json", tmp_path / "b.json") == ""
    assert figure_difference(tmp_path / "a.json", tmp_path / "c.json")
