"""A value comes back from its folder exactly as it was saved."""

from __future__ import annotations

import random
import threading
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression
from sklearn.preprocessing import FunctionTransformer

from nb2pkg.emit.runtime import artifacts
from nb2pkg.emit.runtime.artifacts import UNBOUND

SHARED: list[int] = [1]
CYCLE: list[Any] = []
CYCLE.append(CYCLE)


class Words(list[str]):
    pass


def suffix(value: object, folder: Path) -> str:
    artifacts.save(value, str(folder))
    (file,) = folder.iterdir()
    return file.suffix


@pytest.mark.parametrize(
    "value",
    [None, True, 3, -0.0, 0.1, 1e300, "é\n😀", [], {}, [1, [2.5, None]], {"b": [1], "a": {"c": False}}],
)
def test_json(value: Any, tmp_path: Path) -> None:
    assert suffix(value, tmp_path) == ".json"
    back = artifacts.load(str(tmp_path))
    assert type(back) is type(value) and repr(back) == repr(value)


@pytest.mark.parametrize(
    "value",
    [
        float("nan"), float("inf"), (1, 2), {1: 2}, Words(["a"]), OrderedDict(a=1), np.float64(1.5), np.bool_(True),
        "\ud83d\ude00", 10**5000,
        {1, 2}, [(1,)], pd.Series([1, 2], name="s"), np.array([1, "a", None], dtype=object), [SHARED, SHARED],
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_not_json(value: Any, tmp_path: Path) -> None:
    assert suffix(value, tmp_path) == ".pkl"
    back = artifacts.load(str(tmp_path))
    assert type(back) is type(value)
    # repr of a very long int is refused by Python
    assert back == value if isinstance(value, int) else repr(back) == repr(value)


def test_shared_and_cyclic_objects(tmp_path: Path) -> None:
    assert suffix([SHARED, SHARED], tmp_path) == ".pkl"
    back = artifacts.load(str(tmp_path))
    assert back[0] is back[1]
    assert suffix(CYCLE, tmp_path) == ".pkl"


@pytest.mark.parametrize(
    "value",
    [
        np.arange(6, dtype=">i2").reshape(2, 3), np.asfortranarray(np.arange(6.0).reshape(2, 3)), np.array(["a", "bc"]),
        np.array(3), np.zeros((0, 3)), np.array(["2020-01-01"], dtype="M8[D]"), np.array([True]), np.array([np.nan]),
    ],
)  # fmt: skip
def test_array(value: np.ndarray[Any, Any], tmp_path: Path) -> None:
    assert suffix(value, tmp_path) == ".npy"
    back = artifacts.load(str(tmp_path))
    assert back.dtype == value.dtype and back.tobytes() == value.tobytes()
    assert back.shape == value.shape
    assert (back.flags.c_contiguous, back.flags.f_contiguous) == (value.flags.c_contiguous, value.flags.f_contiguous)


FRAME = {"a": [1, 2, 3], "b": [0.1, np.nan, -0.0], "c": [True, False, True], "d": ["x", "", "é"]}


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(FRAME), pd.DataFrame(FRAME).rename_axis("i"), pd.DataFrame(FRAME, index=[5, 3, 5]),
        pd.DataFrame(FRAME, index=["x", "y", "z"]), pd.DataFrame(FRAME).astype({"a": "int8", "b": "float32"}),
        pd.DataFrame({"t": pd.to_datetime(["2020-01-01", None])}), pd.DataFrame(FRAME)[::2], pd.DataFrame(FRAME)[:0],
    ],
)  # fmt: skip
def test_frame(frame: pd.DataFrame, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    artifacts.save(frame, str(tmp_path))
    pd.testing.assert_frame_equal(
        artifacts.load(str(tmp_path)), frame, check_exact=True, check_index_type="exact", check_column_type="exact"
    )


def test_a_plain_frame_is_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    assert suffix(pd.DataFrame(FRAME), tmp_path) == ".parquet"


WITH_ATTRS = pd.DataFrame(FRAME)
WITH_ATTRS.attrs["unit"] = "m"


@pytest.mark.parametrize(
    "frame",
    [
        WITH_ATTRS, pd.DataFrame({1: [2]}), pd.DataFrame([[1, 2]], columns=["a", "a"]), pd.DataFrame(np.ones((3, 2))),
        pd.DataFrame(np.ones((3, 2)), columns=["a", "b"], copy=False),
        pd.DataFrame({"a": pd.Series(["x", 1, None], dtype=object)}),
        pd.DataFrame({"a": pd.Categorical(["x", "y"])}), pd.DataFrame(FRAME).set_index(["a", "d"]),
        pd.DataFrame({"a": [1, 2]}, index=pd.date_range("2020", periods=2, freq="D")),
        pd.DataFrame({"a": [{"k": 1}]}), pd.DataFrame({"a": [1.5]}, index=pd.Index([1], name=("x", 1))),
    ],
)  # fmt: skip
def test_a_frame_that_parquet_would_change_is_pickled(frame: pd.DataFrame, tmp_path: Path) -> None:
    assert suffix(frame, tmp_path) == ".pkl"
    back = artifacts.load(str(tmp_path))
    pd.testing.assert_frame_equal(back, frame, check_exact=True, check_freq=True)
    assert back.attrs == frame.attrs and back.values.strides == frame.values.strides


def test_estimators(tmp_path: Path) -> None:
    model = LinearRegression().fit([[0.0], [1.0]], [0.0, 2.0])
    assert suffix(model, tmp_path) == ".joblib"
    assert artifacts.load(str(tmp_path)).coef_.tobytes() == model.coef_.tobytes()
    assert suffix(FunctionTransformer(lambda x: x + 1), tmp_path) == ".pkl"
    assert artifacts.load(str(tmp_path)).transform(1) == 2
    assert suffix(LinearRegression, tmp_path) == ".pkl"
    assert artifacts.load(str(tmp_path)) is LinearRegression


def test_what_nothing_can_store(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"interim.*_thread\.lock"):
        artifacts.save(threading.Lock(), str(tmp_path / "interim"))


def test_unbound_and_together(tmp_path: Path) -> None:
    assert suffix(UNBOUND, tmp_path) == ".pkl" and artifacts.load(str(tmp_path)) is UNBOUND
    assert repr(UNBOUND) == "UNBOUND"
    one = [1]
    artifacts.save_together(str(tmp_path), a=one, b={"k": one}, c=UNBOUND)
    a, c, b = artifacts.load_together(str(tmp_path), "a", "c", "b")
    assert a is b["k"] and a == one and c is UNBOUND
    assert artifacts.load_together(str(tmp_path), "a") == one


def test_the_folder_is_emptied_and_the_bytes_are_the_same(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "file").write_text("")
    artifacts.save(pd.DataFrame(FRAME), str(tmp_path))
    (first,) = tmp_path.iterdir()
    data = first.read_bytes()
    artifacts.save(pd.DataFrame(FRAME), str(tmp_path))
    assert first.read_bytes() == data


def test_nothing_saved(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="should hold one file"):
        artifacts.load(str(tmp_path))


def test_random_state(tmp_path: Path) -> None:
    random.seed(1)
    np.random.seed(1)
    np.random.normal()  # leaves a second number waiting
    artifacts.save_random_state(str(tmp_path), "random", "numpy", "torch", "tensorflow")
    expected = random.random(), np.random.normal(), np.random.rand()
    artifacts.load_random_state(str(tmp_path))
    assert (random.random(), np.random.normal(), np.random.rand()) == expected
