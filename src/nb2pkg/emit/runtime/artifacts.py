"""What crosses from one stage to the next: a value is a folder with one file in it.

The format is picked from the value when it is saved, and is always one that gives the same value back: its type,
dtype, index and memory order. Whatever an open format cannot give back exactly is pickled.
"""

from __future__ import annotations

import importlib
import json
import math
import os
import pickle
import random
import shutil
import sys
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

ROOT = Path.cwd()  # the package's root, where it is started; a stage works elsewhere
TEMPORARY = ".writing"
PICKLERS = ("cloudpickle", "joblib.externals.cloudpickle")
HIGHEST_PROTOCOL = pickle.HIGHEST_PROTOCOL
PLAIN_DTYPES = "biufcSUmM"


class _Unbound:
    """The value of a name that has none."""

    def __repr__(self) -> str:
        return "UNBOUND"

    def __reduce__(self) -> str:
        return "UNBOUND"


UNBOUND = _Unbound()


def save(value: object, folder: str) -> None:
    """Write `value` into `folder`, as the only file in it."""
    if not (_saved_openly(value, folder) or _saved_as_joblib(value, folder)):
        _pickle(value, folder, "value.pkl")


def load(folder: str) -> Any:
    """The value that `save` wrote into `folder`."""
    files = [p for p in (ROOT / folder).glob("*") if p.name != TEMPORARY]
    if len(files) != 1:
        raise FileNotFoundError(
            f"{folder} should hold one file, not {len(files)}: has its stage been run?"
        )
    path = files[0]
    if path.suffix == ".npy":
        return importlib.import_module("numpy").load(path, allow_pickle=False)
    if path.suffix == ".json":
        return json.loads(path.read_bytes())
    if path.suffix == ".parquet":
        return _parquet(path)
    if path.suffix == ".joblib":
        return importlib.import_module("joblib").load(path)
    with path.open("rb") as file:
        return pickle.load(file)


def save_together(folder: str, **values: object) -> None:
    """Write `values` in one file, so that an object that two of them share is still one object after."""
    _pickle(values, folder, "values.pkl")


def load_together(folder: str, *names: str) -> Any:
    """The values that `save_together` wrote under these names: one, or a tuple."""
    values: dict[str, Any] = load(folder)
    return values[names[0]] if len(names) == 1 else tuple(values[name] for name in names)


def save_object(
    value: object,
    path: Any,
    *options: Any,
    library: str = "pickle",
    open_copy: str = "",
    **named: Any,
) -> None:
    """Pickle `value` into the file at `path`, which is the notebook's own; and write it into the folder `open_copy`
    too, in an open format, where one gives it back exactly.
    """
    with open(path, "wb") as file:
        write_object(value, file, *options, library=library, **named)
    if open_copy:
        shutil.rmtree(ROOT / open_copy, ignore_errors=True)
        (ROOT / open_copy).mkdir(parents=True)
        _saved_openly(value, open_copy)


def load_object(path: Any, *options: Any, library: str = "pickle", **named: Any) -> Any:
    """The value that is pickled in the file at `path`."""
    with open(path, "rb") as file:
        return read_object(file, *options, library=library, **named)


def write_object(
    value: object, file: Any, *options: Any, library: str = "pickle", **named: Any
) -> None:
    """Pickle `value` into an open file."""
    file.write(object_to_bytes(value, *options, library=library, **named))


def read_object(file: Any, *options: Any, library: str = "pickle", **named: Any) -> Any:
    """The value that is pickled in an open file, from where it stands."""
    if library == "pickle":
        return _Unpickler(file, *options, **named).load()
    return importlib.import_module(library).load(file, *options, **named)


def object_to_bytes(value: object, *options: Any, library: str = "pickle", **named: Any) -> bytes:
    """`value`, pickled."""
    pickled: bytes
    try:
        pickled = importlib.import_module(library).dumps(value, *options, **named)
    except (AttributeError, pickle.PicklingError) as error:
        # What the notebook defined at its top level stands in a stage's function here.
        if "<locals>" not in str(error) or "<lambda>" in str(error):
            raise
        pickled = importlib.import_module(PICKLERS[0]).dumps(value)
    return pickled


def object_from_bytes(data: bytes, *options: Any, library: str = "pickle", **named: Any) -> Any:
    """The value that is pickled in `data`."""
    return read_object(BytesIO(data), *options, library=library, **named)


def save_pandas(frame: Any, path: Any, *options: Any, **named: Any) -> Any:
    """Pickle a frame or series in the way of pandas."""
    return frame.to_pickle(path, *options, **named)


def load_pandas(path: Any, *options: Any, **named: Any) -> Any:
    """The value that pandas pickled."""
    return importlib.import_module("pandas").read_pickle(path, *options, **named)


def dump_joblib(value: object, path: Any, *options: Any, told: str, **named: Any) -> list[str]:
    """Write `value` with joblib, which gives back the path: `told`, as the notebook has it."""
    importlib.import_module("joblib").dump(value, path, *options, **named)
    return [told]


class _Unpickler(pickle.Unpickler):
    """Finds what the notebook called `__main__` in the package's modules."""

    def find_class(self, module: str, name: str) -> Any:
        try:
            return super().find_class(module, name)
        except AttributeError:
            if module != "__main__":
                raise
            package = __name__.rpartition(".")[0]
            mine = (m for n, m in list(sys.modules.items()) if n.startswith(f"{package}."))
            owner = next((m for m in mine if hasattr(m, name.partition(".")[0])), None)
            if owner is None:
                raise
            return super().find_class(owner.__name__, name)


def save_random_state(folder: str, *streams: str) -> None:
    """Write where the random `streams` stand, among random, numpy, torch and tensorflow.

    A stream with a colon is a counter that a library keeps: `module:attribute`, or several of these with `|` between.
    """
    states: dict[str, Any] = {}
    for stream in streams:
        if ":" in stream:
            states |= {c: getattr(*found) for c in stream.split("|") if (found := _counter(c))}
        elif stream in _ALWAYS_THERE or stream in sys.modules:
            states[stream] = _RANDOM[stream][0]()
    _pickle(states, folder, "random_state.pkl")


def load_random_state(folder: str) -> None:
    """Set the random streams to where `save_random_state` found them."""
    for stream, state in load(folder).items():
        if ":" not in stream:
            _RANDOM[stream][1](state)
        elif found := _counter(stream):
            setattr(found[0], found[1], state)


def _counter(name: str) -> tuple[Any, str] | None:
    """The object and the attribute that `module:Class.attribute` names; None where there is no such counter."""
    module, _, path = name.partition(":")
    *owners, attribute = path.split(".")
    with suppress(ImportError, AttributeError):
        owner: Any = importlib.import_module(module)
        for part in owners:
            owner = getattr(owner, part)
        getattr(owner, attribute)
        return owner, attribute
    return None


def _write(folder: str, name: str, writer: Callable[[Path], object]) -> None:
    """Let `writer` write a temporary file, then make it the one file of `folder`."""
    root = ROOT / folder
    root.mkdir(parents=True, exist_ok=True)
    temporary = root / TEMPORARY
    try:
        writer(temporary)
        for other in root.iterdir():
            if other.is_dir() and not other.is_symlink():
                shutil.rmtree(other)
            elif other != temporary:
                other.unlink()
        os.replace(temporary, root / name)
    finally:
        temporary.unlink(missing_ok=True)


def _write_array(value: Any, path: Path) -> None:
    with path.open("wb") as file:  # given a path, NumPy would add a suffix
        importlib.import_module("numpy").save(file, value, allow_pickle=False)


def _is_plain_array(value: Any) -> bool:
    numpy = sys.modules.get("numpy")
    return (
        numpy is not None
        and type(value) is numpy.ndarray
        and value.dtype.kind in PLAIN_DTYPES
        and value.dtype.metadata is None
        and (value.flags.c_contiguous or value.flags.f_contiguous)
        and value.flags.writeable
    )


def _is_json(value: object) -> bool:
    """Whether JSON gives exactly `value` back: these exact types, and a tree."""
    seen: set[int] = set()
    pending: list[tuple[Any, int]] = [(value, 0)]
    while pending:
        item, depth = pending.pop()
        kind = type(item)
        if isinstance(item, str):
            if kind is not str or not _is_unicode(item):
                return False
        elif kind is float:
            if not math.isfinite(item):
                return False
        elif kind is int:
            if item.bit_length() > 10_000:  # Python limits the digits it reads
                return False
        elif kind is list or kind is dict:
            if id(item) in seen or depth > 100:
                return False
            seen.add(id(item))
            if isinstance(item, dict) and not all(
                type(key) is str and _is_unicode(key) for key in item
            ):
                return False
            children: Any = item.values() if isinstance(item, dict) else item
            pending += [(child, depth + 1) for child in children]
        elif item is not None and kind is not bool:
            return False
    return True


def _is_unicode(text: str) -> bool:
    """Whether there is no lone surrogate in it: JSON would join two of them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _saved_openly(value: object, folder: str) -> bool:
    """Whether an open format gives `value` back exactly: then it is in the folder."""
    if _is_plain_array(value):
        _write(folder, "value.npy", lambda path: _write_array(value, path))
    elif _is_json(value):
        text = json.dumps(value, allow_nan=False, indent=1)
        _write(folder, "value.json", lambda path: path.write_bytes(text.encode()))
    else:
        return _saved_as_parquet(value, folder)
    return True


def _saved_as_parquet(value: Any, folder: str) -> bool:
    pandas: Any = sys.modules.get("pandas")
    if (
        pandas is None
        or type(value) is not getattr(pandas, "DataFrame", None)
        or not _fits_parquet(value)
    ):
        return False

    def write(path: Path) -> None:
        value.to_parquet(path, engine="pyarrow")
        if not _is_same_frame(value, _parquet(path)):
            raise ValueError("not the same frame")

    # pyarrow may be missing, or refuse the frame in any of its own ways: then the frame is pickled.
    with suppress(Exception):
        _write(folder, "value.parquet", write)
        return True
    return False


def _parquet(path: Path) -> Any:
    """The frame in a file, read without Arrow's threads: one that is still starting when a short
    stage ends aborts the process ("terminate called without an active exception").
    """
    file = importlib.import_module("pyarrow.parquet").ParquetFile(path, pre_buffer=False)
    return file.read(use_threads=False).to_pandas(use_threads=False)


def _fits_parquet(frame: Any) -> bool:
    columns, index = frame.columns, frame.index
    return (
        columns.nlevels == index.nlevels == 1
        and columns.is_unique
        and all(type(name) is str for name in columns)
        and all(name is None or type(name) is str for name in (columns.name, index.name))
        and not frame.attrs
        and frame.flags.allows_duplicate_labels
        and getattr(index, "freq", None) is None
        and (type(index).__name__ == "RangeIndex" or _fits_column(index))
        and all(_fits_column(frame.iloc[:, i]) for i in range(len(columns)))
    )


def _fits_column(column: Any) -> bool:
    """A column that Parquet may keep: a plain dtype, contiguous (else `frame.values` changes its memory order)."""
    if str(column.dtype) in ("str", "string"):
        return True
    if not hasattr(column.dtype, "kind") or type(column.dtype).__module__.startswith("pandas"):
        return False
    if column.dtype.kind == "O":
        return all(type(item) is str for item in column)
    return column.dtype.kind in "biufM" and bool(column.to_numpy().flags.c_contiguous)


def _is_same_frame(one: Any, two: Any) -> bool:
    labels = ((one.columns, two.columns), (one.index, two.index))
    return (
        one.shape == two.shape
        and all(
            type(a) is type(b) and type(a.name) is type(b.name) and a.name == b.name
            for a, b in labels
        )
        and all(_is_same_column(a, b) for a, b in labels)
        and all(_is_same_column(one.iloc[:, i], two.iloc[:, i]) for i in range(one.shape[1]))
    )


def _is_same_column(one: Any, two: Any) -> bool:
    if one.dtype != two.dtype:
        return False
    a, b = one.to_numpy(), two.to_numpy()
    if a.dtype.kind != "O":
        return bool(a.tobytes() == b.tobytes())
    return all(
        type(x) is type(y) and (x is y or x == y or repr(x) == repr(y)) for x, y in zip(a, b)
    )


def _saved_as_joblib(value: Any, folder: str) -> bool:
    if isinstance(value, type) or not (hasattr(value, "get_params") and hasattr(value, "fit")):
        return False
    if type(value).__module__ == "__main__":  # another process has another __main__
        return False
    # joblib may be missing, and an estimator may hold a lambda, which only cloudpickle can write.
    with suppress(Exception):
        joblib: Any = importlib.import_module("joblib")
        _write(folder, "value.joblib", lambda path: joblib.dump(value, path))
        return b"__main__" not in (ROOT / folder / "value.joblib").read_bytes()
    return False


def _pickle(value: object, folder: str, name: str) -> None:
    data = _pickled(value, folder)
    _write(folder, name, lambda path: path.write_bytes(data))


def _pickled(value: object, folder: str) -> bytes:
    """`value` by pickle, else by cloudpickle, which also writes lambdas and what is defined in `__main__`."""
    data: bytes | None = None
    error: Exception | None = None
    try:
        data = _dumped(value, pickle.Pickler)
        if b"__main__" not in data:
            return data
    except Exception as reason:
        error = reason
    for module in PICKLERS:
        with suppress(Exception):
            return _dumped(value, importlib.import_module(module).CloudPickler)
    if data is not None:
        return data
    raise TypeError(
        f"{folder}: nothing can store a {type(value).__module__}.{type(value).__qualname__}"
    ) from error


def _dumped(value: object, pickler: Any) -> bytes:
    """`value` pickled so that its arrays keep their layout in memory, which decides in what order sums are taken."""

    def reducer_override(self: Any, item: Any) -> Any:
        numpy: Any = sys.modules.get("numpy")
        if (
            numpy is not None
            and type(item) is numpy.ndarray
            and not _is_plain_array(item)
            and _has_layout(item)
        ):
            return _made_array, _layout(item)
        before = getattr(pickler, "reducer_override", None)
        return NotImplemented if before is None else before(self, item)

    file = BytesIO()
    type("Pickler", (pickler,), {"reducer_override": reducer_override})(file, protocol=5).dump(
        value
    )
    return file.getvalue()


def _has_layout(array: Any) -> bool:
    """Whether plain memory holds the array, and its gaps are not much more than itself."""
    span = sum(abs(step) * (length - 1) for step, length in zip(array.strides, array.shape))
    plain = array.dtype.kind in PLAIN_DTYPES and array.dtype.metadata is None
    return plain and array.size > 0 and span <= 64 * array.nbytes


def _layout(array: Any) -> tuple[Any, ...]:
    """What `_made_array` makes the array from again: its memory with the gaps zeroed, and where it lies in it."""
    numpy: Any = importlib.import_module("numpy")
    reach = [step * (length - 1) for step, length in zip(array.strides, array.shape)]
    offset = -sum(r for r in reach if r < 0)
    buffer = numpy.zeros(offset + sum(r for r in reach if r > 0) + array.dtype.itemsize, dtype="u1")
    view = numpy.ndarray(array.shape, array.dtype, buffer, offset, array.strides)
    view[...] = array
    whole = bool(array.flags.c_contiguous or array.flags.f_contiguous)
    return (
        buffer.tobytes(),
        array.dtype,
        array.shape,
        offset,
        array.strides,
        bool(array.flags.writeable),
        whole,
    )


def _made_array(
    data: bytes,
    dtype: Any,
    shape: tuple[int, ...],
    offset: int,
    strides: tuple[int, ...],
    writeable: bool,
    whole: bool,
) -> Any:
    numpy: Any = importlib.import_module("numpy")
    array = numpy.ndarray(shape, dtype, bytearray(data), offset, strides)
    if whole:
        array = array.copy(order="K")
    array.flags.writeable = writeable
    return array


def _numpy_random() -> Any:
    return importlib.import_module("numpy.random")


def _torch_state() -> Any:
    torch: Any = sys.modules["torch"]
    return torch.get_rng_state(), (
        torch.cuda.get_rng_state_all() if torch.cuda.is_available() else None
    )


def _set_torch_state(state: Any) -> None:
    torch: Any = importlib.import_module("torch")
    torch.set_rng_state(state[0])
    if state[1] is not None and torch.cuda.is_available():
        torch.cuda.set_rng_state_all(state[1])


def _tensorflow_state() -> Any:
    # The eager context is private: where it has changed there is nothing to keep.
    with suppress(Exception):
        context: Any = importlib.import_module("tensorflow.python.eager.context").context()
        return context._seed, context._rng.getstate()
    return None


def _set_tensorflow_state(state: Any) -> None:
    if state is None:
        return
    with suppress(Exception):
        importlib.import_module("tensorflow").random.set_seed(state[0])
        importlib.import_module("tensorflow.python.eager.context").context()._rng.setstate(state[1])


_ALWAYS_THERE = ("random", "numpy")
_RANDOM: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "random": (random.getstate, random.setstate),
    "numpy": (
        lambda: _numpy_random().get_state(legacy=False),
        lambda state: _numpy_random().set_state(state),
    ),
    "torch": (_torch_state, _set_torch_state),
    "tensorflow": (_tensorflow_state, _set_tensorflow_state),
}
