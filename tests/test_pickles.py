"""A pickle beside the notebook is looked at without being opened, and told where it holds more than data."""

from __future__ import annotations

import json
import os
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LinearRegression

from nb2pkg.pipeline import Options, convert

READ = "import pickle\nwith open('x.pkl', 'rb') as f:\n    x = pickle.load(f)"


class Harmful:
    def __init__(self, marker: Path) -> None:
        self.marker = marker

    def __reduce__(self) -> Any:
        return os.system, (f"touch {self.marker}",)


def told(folder: Path, value: object, code: str = READ) -> list[tuple[str, str]]:
    (folder / "nb").mkdir()
    (folder / "nb" / "x.pkl").write_bytes(pickle.dumps(value))
    cell = {"cell_type": "code", "id": "c", "metadata": {}, "source": code, "execution_count": None, "outputs": []}
    path = folder / "nb" / "nb.ipynb"
    path.write_text(json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    made = convert(path, folder / "out", Options(git=False))
    assert (folder / "out" / "data" / "raw" / "x.pkl").read_bytes() == (folder / "nb" / "x.pkl").read_bytes()
    return [(d.code, d.message) for d in made.diagnostics if d.code in ("N407", "N408")]


@pytest.mark.parametrize("value", [{"a": [1]}, np.arange(3), pd.DataFrame({"a": [1.0], "b": ["x"]}), pd.Timestamp(0)])
def test_data_is_not_told(tmp_path: Path, value: object) -> None:
    assert told(tmp_path, value) == []


def test_a_model_is_more_than_data(tmp_path: Path) -> None:
    ((code, message),) = told(tmp_path, LinearRegression())
    assert code == "N408" and "sklearn.linear_model._base.LinearRegression" in message


def test_what_does_harm_is_not_run(tmp_path: Path) -> None:
    marker = tmp_path / "ran"
    ((code, message),) = told(tmp_path, [Harmful(marker)])
    assert code == "N407" and "system" in message and not marker.exists()


def test_a_file_that_is_no_pickle(tmp_path: Path) -> None:
    assert told(tmp_path, 1, "print(len(open('x.pkl', 'rb').read()))") == []
