"""What a kernel does after some cells, unseen by the notebook: it stores variables for the comparison.

Stands alone: a kernel of any Python 3.8 runs its text.
"""

from __future__ import annotations

import hashlib
import importlib
import io
import json
import os
import pickle
import random
import sys
import types
from typing import Any

PICKLERS = ("cloudpickle", "joblib.externals.cloudpickle")


class _TooLarge(Exception):
    pass


class _Limited(io.BytesIO):
    """A file that refuses to grow over a limit."""

    limit = 1 << 62

    def write(self, data: Any) -> int:
        if self.tell() + len(data) > self.limit:
            raise _TooLarge
        return super().write(data)


def observe(namespace: dict[str, Any], names: list[str], folder: str, limit: int) -> None:
    """Store the variables in `folder`, and in its index.json, for each, which file it is, or `?` and why it is none."""
    streams = _random_states()
    found: dict[str, str] = {}
    os.makedirs(folder, exist_ok=True)
    for number, name in enumerate(names):
        if name not in namespace:
            found[name] = "?not bound"
            continue
        try:
            data = _pickled(namespace[name], limit)
        except _TooLarge:
            found[name] = f"?larger than {limit} bytes"
        except Exception as error:
            found[name] = f"?can't be stored ({type(error).__name__})"
        else:
            found[name] = f"{number}.pkl"
            with open(os.path.join(folder, found[name]), "wb") as file:
                file.write(data)
    _set_random_states(streams)
    with open(os.path.join(folder, "index.json"), "w", encoding="utf-8") as file:
        json.dump(found, file)


def profile(namespace: dict[str, Any], folder: str, limit: int) -> None:
    """Write to index.json, for each variable of the notebook's: its type, its size stored (-1: it can't be, and why),
    a digest of that, and its identity."""
    streams = _random_states()
    found: dict[str, list[Any]] = {}
    hidden = set(namespace.get("_oh", ())) | {"In", "Out", "exit", "quit", "get_ipython", "open"}
    for name, value in list(namespace.items()):
        if name.startswith("_") or name in hidden or isinstance(value, types.ModuleType):
            continue
        kind = f"{type(value).__module__}.{type(value).__qualname__}"
        try:
            data = _pickled(value, limit)
            row = [kind, len(data), "", hashlib.sha256(data).hexdigest(), id(value)]
        except _TooLarge:
            row = [kind, limit, "", str(id(value)), id(value)]
        except Exception as error:
            row = [kind, -1, f"{type(error).__name__}: {error}"[:200], str(id(value)), id(value)]
        found[name] = row
    _set_random_states(streams)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "index.json"), "w", encoding="utf-8") as file:
        json.dump(found, file)


def _pickled(value: object, limit: int) -> bytes:
    for module in PICKLERS:
        try:
            pickler: Any = importlib.import_module(module).CloudPickler
        except ImportError:
            continue
        return _dumped(value, pickler, limit)
    data = _dumped(value, pickle.Pickler, limit)
    if b"__main__" in data:
        raise TypeError("cloudpickle is not installed")
    return data


def _dumped(value: object, pickler: Any, limit: int) -> bytes:
    file = _Limited()
    file.limit = limit
    pickler(file, protocol=4).dump(value)
    return file.getvalue()


def _random_states() -> Any:
    numpy: Any = sys.modules.get("numpy.random")
    return random.getstate(), numpy.get_state(legacy=False) if numpy is not None else None


def _set_random_states(states: Any) -> None:
    random.setstate(states[0])
    if states[1] is not None:
        sys.modules["numpy.random"].set_state(states[1])
