"""Load and save the values that cross from stage to stage, without loss."""

from __future__ import annotations

import json
import os
import pickle
import random
import shutil
import sys
from pathlib import Path
from typing import Any


class _Unbound:
    """The value of a name that has none."""

    def __repr__(self) -> str:
        return "UNBOUND"

    def __reduce__(self) -> str:
        return "UNBOUND"


UNBOUND = _Unbound()


def _pickled(value: Any, folder: str) -> bytes:
    try:
        return pickle.dumps(value, protocol=5)
    except Exception:
        try:
            import cloudpickle
        except ImportError:
            from joblib.externals import cloudpickle
        try:
            return bytes(cloudpickle.dumps(value, protocol=5))
        except Exception as error:
            raise TypeError(f"{folder}: a {type(value).__qualname__} can't be stored: {error}") from error


def _is_plain(value: Any) -> bool:
    if value is None or type(value) in (bool, int, str):
        return True
    return type(value) is float and value == value and abs(value) != float("inf")


def _write(folder: str, name: str, data: bytes) -> None:
    target = Path(folder)
    if target.exists():
        shutil.rmtree(target)
    target.mkdir(parents=True)
    temporary = target / (name + ".part")
    temporary.write_bytes(data)
    os.replace(temporary, target / name)


def save(value: Any, folder: str) -> None:
    """Write `value` to the one file of `folder`, in a format that gives it back exactly."""
    numpy = sys.modules.get("numpy")
    if _is_plain(value):
        _write(folder, "value.json", json.dumps(value).encode())
    elif numpy is not None and type(value) is numpy.ndarray and value.dtype.kind in "biufcUS" and value.dtype.names is None:
        import io

        buffer = io.BytesIO()
        numpy.save(buffer, value, allow_pickle=False)
        _write(folder, "value.npy", buffer.getvalue())
    else:
        _write(folder, "value.pkl", _pickled(value, folder))


def load(folder: str) -> Any:
    """Read back what `save` wrote to `folder`."""
    path = next(p for p in Path(folder).iterdir() if p.stem == "value")
    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    if path.suffix == ".npy":
        import numpy

        return numpy.load(path, allow_pickle=False)
    with path.open("rb") as file:
        return pickle.load(file)


def save_together(folder: str, **values: Any) -> None:
    """Write several values that share objects to one file, so that they share them after."""
    _write(folder, "value.pkl", _pickled(values, folder))


def load_together(folder: str) -> dict[str, Any]:
    """Read back what `save_together` wrote."""
    values: dict[str, Any] = load(folder)
    return values


def save_random_state(folder: str, *streams: str) -> None:
    """Write the state of the global random streams (`random`, `numpy`, `torch`)."""
    state: dict[str, Any] = {}
    if "random" in streams:
        state["random"] = random.getstate()
    if "numpy" in streams:
        import numpy

        state["numpy"] = numpy.random.get_state()
    if "torch" in streams and "torch" in sys.modules:
        state["torch"] = sys.modules["torch"].get_rng_state()
    save_together(folder, **state)


def load_random_state(folder: str) -> None:
    """Put the global random streams back where `save_random_state` found them."""
    state = load_together(folder)
    if "random" in state:
        random.setstate(state["random"])
    if "numpy" in state:
        import numpy

        numpy.random.set_state(state["numpy"])
    if "torch" in state:
        import torch

        torch.set_rng_state(state["torch"])
