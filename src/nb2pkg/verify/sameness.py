"""Whether two files, or two stored values, hold the same. Stands alone: run by the notebook's interpreter.

    sameness.py TASKS RESULTS ROOT PACKAGE FOLDER...

TASKS is a JSON list of [id, kind, path, path] (see `main`); RESULTS gets {id: ""} where both are the same, else in what
they differ; "?" and a reason where nothing here can say. Modules are found in ROOT and in the FOLDERs. It opens
pickles: of the user's own code, which has just been run. Numbers are the same within RELATIVE and ABSOLUTE; text,
names, types and shapes exactly.
"""

from __future__ import annotations

import csv
import gzip
import importlib
import io
import json
import math
import os
import pickle
import re
import sqlite3
import sys
import types
import zipfile
from typing import Any

RELATIVE, ABSOLUTE = 1e-9, 1e-12
LEVELS = 8  # of 255, that a pixel may differ
TABLES = {".csv": ",", ".tsv": "\t", ".tab": "\t"}
FRAMES = {
    ".parquet": "read_parquet",
    ".feather": "read_feather",
    ".xlsx": "read_excel",
    ".xls": "read_excel",
    ".ods": "read_excel",
    ".dta": "read_stata",
    ".sav": "read_spss",
    ".orc": "read_orc",
}
PICKLES = {".pkl", ".pickle", ".p", ".joblib", ".sav", ".gz", ".bz2", ".xz", ".z", ".dump", ".model", ".bin"}
IMAGES = {".png", ".jpg", ".jpeg", ".gif", ".bmp", ".tif", ".tiff", ".webp"}
HIERARCHIES = {".h5", ".hdf5", ".keras", ".nc"}
TORCH = {".pt", ".pth"}
ZIPS = {".zip", ".npz", ".whl"}
DATABASES = {".db", ".sqlite", ".sqlite3"}
UNSAID = (  # what a file says about when and by what it was made
    rb"/CreationDate \([^)]*\)",
    rb"/ModDate \([^)]*\)",
    rb"<dc:date>[^<]*</dc:date>",
    rb"\b[a-z]{1,3}[0-9a-f]{10}\b",
    rb"/ID ?\[[^\]]*\]",
)

# -- values --------------------------------------------------------------------------------------------------------


class Comparison:
    """One comparison of two values: which pairs have been seen, so that cycles end."""

    def __init__(self) -> None:
        self.seen: set[tuple[int, int]] = set()
        self.kept: list[Any] = []

    def difference(self, a: Any, b: Any, at: str) -> str:
        """In what the values differ; empty where they are the same."""
        if a is b or (id(a), id(b)) in self.seen:
            return ""
        self.seen.add((id(a), id(b)))
        self.kept.append((a, b))
        if _type(a) != _type(b):
            return f"{at}: {_type(a)} and {_type(b)}"
        for test, compare in (
            (_is_number, self._numbers),
            (lambda v: isinstance(v, (str, bytes, bytearray, type(None), range, slice, _Pixels)), self._equals),
            (lambda v: isinstance(v, dict), self._dicts),
            (lambda v: isinstance(v, (list, tuple)), self._sequences),
            (lambda v: isinstance(v, (set, frozenset)), self._sets),
            (lambda v: _is_of(v, "numpy", "ndarray"), self._arrays),
            (lambda v: _is_of(v, "numpy", "generic"), self._arrays),
            (lambda v: _is_of(v, "pandas", "DataFrame"), self._frames),
            (lambda v: _is_of(v, "pandas", "Series"), self._series),
            (lambda v: _is_of(v, "pandas", "Index"), self._indexes),
            (lambda v: _is_of(v, "torch", "Tensor"), self._tensors),
            (lambda v: isinstance(v, types.FunctionType), self._functions),
            (lambda v: isinstance(v, (type, types.ModuleType, types.BuiltinFunctionType)), self._names),
        ):
            if test(a):
                return str(compare(a, b, at))
        return self._objects(a, b, at)

    def _numbers(self, a: Any, b: Any, at: str) -> str:
        if a == b or (_is_nan(a) and _is_nan(b)):
            return ""
        if isinstance(a, float) and math.isclose(a, b, rel_tol=RELATIVE, abs_tol=ABSOLUTE):
            return ""
        if isinstance(a, complex) and abs(a - b) <= max(ABSOLUTE, RELATIVE * abs(a)):
            return ""
        return f"{at}: {a!r} and {b!r}"[:300]

    def _equals(self, a: Any, b: Any, at: str) -> str:
        return "" if a == b else f"{at}: {a!r:.120} and {b!r:.120}"

    def _dicts(self, a: Any, b: Any, at: str) -> str:
        if len(a) != len(b):
            return f"{at}: {len(a)} and {len(b)} entries"
        for (key, one), (other, two) in zip(a.items(), b.items()):
            found = self.difference(key, other, f"{at}, a key") or self.difference(one, two, f"{at}[{key!r:.60}]")
            if found:
                return found
        return self._attributes(a, b, at)

    def _sequences(self, a: Any, b: Any, at: str) -> str:
        if len(a) != len(b):
            return f"{at}: {len(a)} and {len(b)} items"
        for place, (one, two) in enumerate(zip(a, b)):
            found = self.difference(one, two, f"{at}[{place}]")
            if found:
                return found
        return self._attributes(a, b, at)

    def _sets(self, a: Any, b: Any, at: str) -> str:
        if a == b:
            return ""
        return self.difference(sorted(map(_shown, a)), sorted(map(_shown, b)), at)

    def _arrays(self, a: Any, b: Any, at: str) -> str:
        numpy: Any = importlib.import_module("numpy")
        if a.dtype != b.dtype or a.shape != b.shape:
            return f"{at}: {a.dtype} {a.shape} and {b.dtype} {b.shape}"
        if a.dtype.names:
            for name in a.dtype.names:
                found = self._arrays(a[name], b[name], f"{at}[{name!r}]")
                if found:
                    return str(found)
            return ""
        if a.dtype.kind == "O":
            return self.difference(list(a.ravel()), list(b.ravel()), at)
        if a.dtype.kind in "fc":
            same = numpy.isclose(a, b, rtol=RELATIVE, atol=ABSOLUTE, equal_nan=True)
        elif a.dtype.kind in "mM":
            same = (a == b) | (numpy.isnat(a) & numpy.isnat(b))
        elif a.dtype.kind == "V":
            return "" if a.tobytes() == b.tobytes() else f"{at}: other bytes"
        else:
            same = a == b
        if numpy.all(same):
            return ""
        place = tuple(int(i[0]) for i in numpy.nonzero(~numpy.atleast_1d(same)))
        one, two = numpy.atleast_1d(a)[place], numpy.atleast_1d(b)[place]
        count = int(numpy.size(same) - numpy.count_nonzero(same))
        return f"{at}: {count} of {numpy.size(same)} values, the first at {place}: {one!r} and {two!r}"[:300]

    def _frames(self, a: Any, b: Any, at: str) -> str:
        if a.shape != b.shape:
            return f"{at}: {a.shape} and {b.shape}"
        found = self._indexes(a.columns, b.columns, f"{at}.columns") or self._indexes(a.index, b.index, f"{at}.index")
        for i in range(a.shape[1]):
            found = found or self._columns(a.iloc[:, i], b.iloc[:, i], f"{at}[{a.columns[i]!r:.60}]")
        return found or self.difference(a.attrs, b.attrs, f"{at}.attrs")

    def _series(self, a: Any, b: Any, at: str) -> str:
        return (
            self.difference(a.name, b.name, f"{at}.name")
            or self._indexes(a.index, b.index, f"{at}.index")
            or self._columns(a, b, at)
        )

    def _indexes(self, a: Any, b: Any, at: str) -> str:
        if type(a).__name__ != type(b).__name__ or len(a) != len(b):
            return f"{at}: {type(a).__name__} of {len(a)} and {type(b).__name__} of {len(b)}"
        found = self.difference(list(a.names), list(b.names), f"{at}.names")
        if found or a.equals(b):
            return found
        return self._columns(a, b, at) if a.nlevels == 1 else self.difference(list(a), list(b), at)

    def _columns(self, a: Any, b: Any, at: str) -> str:
        if str(a.dtype) != str(b.dtype) or len(a) != len(b):
            return f"{at}: {a.dtype} and {b.dtype}"
        one, two = a.to_numpy(), b.to_numpy()
        return self._arrays(one, two, at) if one.dtype == two.dtype else f"{at}: {one.dtype} and {two.dtype}"

    def _tensors(self, a: Any, b: Any, at: str) -> str:
        if a.dtype != b.dtype or a.shape != b.shape or a.requires_grad != b.requires_grad:
            return f"{at}: {a.dtype} {tuple(a.shape)} and {b.dtype} {tuple(b.shape)}"
        one, two = (t.detach().cpu() for t in (a, b))
        try:
            return self._arrays(one.numpy(), two.numpy(), at)
        except (TypeError, RuntimeError):
            same = one.to_dense().float() == two.to_dense().float()
            return "" if bool(same.all()) else f"{at}: other values"

    def _functions(self, a: Any, b: Any, at: str) -> str:
        body = self._code(a.__code__, b.__code__, at)
        return body or self.difference(a.__defaults__, b.__defaults__, f"{at} defaults")

    def _code(self, a: Any, b: Any, at: str) -> str:
        if a.co_code != b.co_code or a.co_names != b.co_names or len(a.co_consts) != len(b.co_consts):
            return f"{at}: another body"
        for one, two in zip(a.co_consts, b.co_consts):
            both = isinstance(one, types.CodeType) and isinstance(two, types.CodeType)
            found = self._code(one, two, at) if both else self.difference(one, two, f"{at}, a constant")
            if found:
                return found
        return ""

    def _names(self, a: Any, b: Any, at: str) -> str:
        one, two = (getattr(v, "__qualname__", getattr(v, "__name__", "")) for v in (a, b))
        return "" if one == two else f"{at}: {one} and {two}"

    def _objects(self, a: Any, b: Any, at: str) -> str:
        states = getattr(a, "__dict__", None), getattr(b, "__dict__", None)
        if isinstance(states[0], dict) and states[0] and not _has_own_reduce(a):
            return self.difference(*states, f"{at} ({type(a).__name__})")
        try:
            reduced = a.__reduce_ex__(2), b.__reduce_ex__(2)
        except Exception:
            same = _shown(a) == _shown(b)
            return "" if same else f"{at}: {_shown(a):.120} and {_shown(b):.120}"
        if isinstance(reduced[0], str):
            return "" if reduced[0] == reduced[1] else f"{at}: {reduced[0]} and {reduced[1]}"
        parts = [[list(p) if hasattr(p, "__next__") else p for p in r] for r in reduced]
        return self.difference(parts[0], parts[1], f"{at} ({type(a).__name__})")

    def _attributes(self, a: Any, b: Any, at: str) -> str:
        """What a subclass of a container holds besides."""
        one, two = getattr(a, "__dict__", None), getattr(b, "__dict__", None)
        return self.difference(one, two, f"{at}.__dict__") if one else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, (bool, int, float, complex))


def _is_nan(value: Any) -> bool:
    return bool(value != value)  # noqa: PLR0124 - what NaN is, in any library


def _type(value: Any) -> str:
    """A type by its name: the notebook's own classes are of `__main__` there, and of a module here."""
    kind = type(value)
    return str(kind.__qualname__)


def _is_of(value: Any, module: str, name: str) -> bool:
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _has_own_reduce(value: Any) -> bool:
    kind = type(value)
    return any(getattr(kind, name) is not getattr(object, name) for name in ("__reduce__", "__reduce_ex__"))


def _shown(value: Any) -> str:
    return re.sub(r"0x[0-9a-fA-F]+", "0x", repr(value))


def difference(a: Any, b: Any, at: str) -> str:
    """In what two values differ; empty where they are the same."""
    return Comparison().difference(a, b, at)


# -- files ---------------------------------------------------------------------------------------------------------


def files_difference(one: str, two: str) -> str:
    """In what two files differ, by what their kind holds; empty where they are the same."""
    if os.path.getsize(one) == os.path.getsize(two):
        with open(one, "rb") as a, open(two, "rb") as b:
            if a.read() == b.read():
                return ""
    suffix = os.path.splitext(two)[1].lower()
    if suffix == ".gz" and os.path.splitext(two[:-3])[1].lower() in TABLES:
        suffix = os.path.splitext(two[:-3])[1].lower()
    contents: list[Any] = []
    reasons: list[str] = []
    for path in (one, two):
        try:
            contents.append(_content(path, suffix))
        except Exception as error:
            reasons.append(f"{type(error).__name__}: {error}")
    if len(reasons) == 2:
        return "other bytes, which nothing here can open: " + reasons[0][:200]
    if reasons:
        return "only one of them can be opened: " + reasons[0][:200]
    return difference(contents[0], contents[1], "content")


def _content(path: str, suffix: str) -> Any:
    if suffix in TABLES:
        return _table(path, TABLES[suffix])
    if suffix in (".json", ".geojson", ".ipynb"):
        with open(path, encoding="utf-8") as text:
            return json.load(text)
    if suffix in (".jsonl", ".ndjson"):
        with open(path, encoding="utf-8") as text:
            return [json.loads(line) for line in text if line.strip()]
    if suffix == ".npy":
        return importlib.import_module("numpy").load(path, allow_pickle=True)
    if suffix in IMAGES:
        return _image(path)
    if suffix in TORCH:
        return importlib.import_module("torch").load(path, map_location="cpu", weights_only=False)
    if suffix in HIERARCHIES and not zipfile.is_zipfile(path):
        return _hierarchy(path)
    if suffix in DATABASES:
        connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        try:
            return list(connection.iterdump())
        finally:
            connection.close()
    if suffix in FRAMES:
        try:
            return getattr(importlib.import_module("pandas"), FRAMES[suffix])(path)
        except Exception:
            if suffix not in PICKLES:
                raise
    if suffix in ZIPS or (suffix in HIERARCHIES and zipfile.is_zipfile(path)):
        return _members(path)
    if suffix in PICKLES:
        return _unpickled(path)
    return _bytes(path)


def _table(path: str, delimiter: str) -> Any:
    with open(path, "rb") as file:
        data = file.read()
    data = gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data
    csv.field_size_limit(sys.maxsize)
    rows = csv.reader(io.StringIO(data.decode("utf-8"), newline=""), delimiter=delimiter)
    return [[_field(field) for field in row] for row in rows]


def _field(text: str) -> Any:
    """A float of a table as a number; whole numbers, names and dates as they stand."""
    if re.fullmatch(r"[-+]?(\d+\.\d*|\.\d+|\d+(?=e))(e[-+]?\d+)?", text, re.IGNORECASE):
        return float(text)
    return text


def _image(path: str) -> Any:
    numpy: Any = importlib.import_module("numpy")
    image = importlib.import_module("PIL.Image").open(path).convert("RGBA")
    return _Pixels(numpy.asarray(image).astype("int16"))


class _Pixels:
    """An image, the same as another one where no pixel differs more than LEVELS."""

    def __init__(self, levels: Any) -> None:
        self.levels = levels

    def __eq__(self, other: object) -> bool:
        numpy: Any = importlib.import_module("numpy")
        if not isinstance(other, _Pixels) or self.levels.shape != other.levels.shape:
            return False
        return bool(numpy.all(numpy.abs(self.levels - other.levels) <= LEVELS))

    def __hash__(self) -> int:
        return hash(self.levels.shape)

    def __repr__(self) -> str:
        return f"an image of {self.levels.shape[1]} x {self.levels.shape[0]} pixels"


def _hierarchy(path: str) -> Any:
    found: list[Any] = []
    with importlib.import_module("h5py").File(path, "r") as file:

        def visit(name: str, item: Any) -> None:
            attributes = sorted((key, str(value)) for key, value in item.attrs.items())
            found.append((name, attributes, item[()] if hasattr(item, "shape") else None))

        file.visititems(visit)
    return found


def _members(path: str) -> Any:
    found: dict[str, Any] = {}
    with zipfile.ZipFile(path) as file:
        for name in sorted(file.namelist()):
            data = file.read(name)
            if name.endswith(".npy"):
                found[name] = importlib.import_module("numpy").load(io.BytesIO(data), allow_pickle=True)
            elif name.endswith((".h5", ".hdf5")):
                # h5py opens what can be read and sought, too
                found[name] = _hierarchy(io.BytesIO(data))  # type: ignore[arg-type]
            elif name.endswith("metadata.json"):
                found[name] = sorted(json.loads(data))
            else:
                found[name] = data
    return found


def _unpickled(path: str) -> Any:
    for load in (_by_joblib, _by_pickle, _by_pandas):
        try:
            return load(path)
        except Exception as error:
            last = error
    raise last


def _by_joblib(path: str) -> Any:
    return importlib.import_module("joblib").load(path)


def _by_pickle(path: str) -> Any:
    with open(path, "rb") as file:
        return pickle.load(file)


def _by_pandas(path: str) -> Any:
    return importlib.import_module("pandas").read_pickle(path)


def _bytes(path: str) -> Any:
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    for pattern in UNSAID:
        data = re.sub(pattern, b"", data)
    try:
        return data.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return data


# -- the tasks -----------------------------------------------------------------------------------------------------


def _value_task(artifacts: Any, kind: str, one: str, two: str) -> str:
    """A task about a value that the package has saved in the folder `two`, or under a name in it (after a NUL)."""
    folder, _, variable = two.partition("\0")
    got = artifacts.load(folder)
    got = got[variable] if variable else got
    if kind == "unbound":
        return "" if got is artifacts.UNBOUND else "it has a value, and none in the notebook"
    return difference(_by_pickle(one), got, "value")


def main() -> int:
    """Do the tasks; what is said while values are loaded is nobody's concern."""
    tasks, results, root, package = sys.argv[1:5]
    sys.path[0] = root  # and not the folder of this script, whose neighbours are nobody's modules
    sys.path += sys.argv[5:]
    os.chdir(root)
    artifacts: Any = None
    done: dict[str, str] = {}
    with open(tasks, encoding="utf-8") as file:
        listed = json.load(file)
    for name, kind, one, two in listed:
        try:
            if kind == "file":
                done[name] = files_difference(one, two)
            elif kind == "runs":
                done[name] = difference(_by_pickle(one), _by_pickle(two), "value")
            else:
                artifacts = artifacts or importlib.import_module(f"{package}.artifacts")
                done[name] = _value_task(artifacts, kind, one, two)
        except Exception as error:
            done[name] = f"?{type(error).__name__}: {error}"[:300]
    with open(results, "w", encoding="utf-8") as file:
        json.dump(done, file)
    return 0


if __name__ == "__main__":
    sys.exit(main())
