"""An outcome as it travels between processes and lies in the journal: compressed JSON that names our own values only.

Reading it makes frozen values of nb2pkg and plain ones, and runs nothing else: it is no pickle. Paths below the
repository are kept from its root, so that a record means the same where the repository lies elsewhere.
"""

from __future__ import annotations

import base64
import dataclasses
import importlib
import json
import zlib
from functools import cache
from pathlib import Path
from typing import Any

from nb2pkg.migrate.types import Figures, Outcome, Status

_OWN = "nb2pkg."


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """An outcome whose value nobody has to hold or understand on the way."""

    status: Status
    figures: Figures
    data: bytes
    """Equal for equal outcomes, whatever they took."""


def record(outcome: Outcome, root: str) -> Record:
    """The record of an outcome of a task in `root`; raises TypeError where it holds what can't travel."""
    plain = _plain(dataclasses.replace(outcome, figures=None), Path(root))
    text = json.dumps(plain, separators=(",", ":"))
    return Record(outcome.status, outcome.figures or Figures(0.0, 0.0, 0), zlib.compress(text.encode("ascii"), 3))


def outcome_of(kept: Record, root: str) -> Outcome:
    """The outcome that a record was made of; raises ValueError where it is none."""
    try:
        found = _value(json.loads(zlib.decompress(kept.data)), Path(root))
    except (zlib.error, TypeError, KeyError, AttributeError, ImportError, RecursionError) as error:
        raise ValueError(f"no record of an outcome: {error}") from error
    if not isinstance(found, Outcome):
        raise ValueError("no record of an outcome")
    return dataclasses.replace(found, figures=kept.figures)


def plain_text(value: object, root: str) -> str:
    """A value as text that is equal for equal values, on any machine that has the repository in `root`."""
    return json.dumps(_plain(value, Path(root)), separators=(",", ":"))


def _plain(value: Any, root: Path) -> Any:
    kind = type(value)
    if value is None or kind in (bool, int, float, str):
        return value
    if kind is tuple:
        return [_plain(each, root) for each in value]
    if kind is bytes:
        return {"bytes": base64.b64encode(value).decode("ascii")}
    if kind is list:
        return {"list": [_plain(each, root) for each in value]}
    if kind is dict:
        return {"dict": [[_plain(key, root), _plain(each, root)] for key, each in value.items()]}
    if kind in (set, frozenset):
        return {kind.__name__: sorted((_plain(each, root) for each in value), key=json.dumps)}
    if isinstance(value, Path):
        return {"below": value.relative_to(root).as_posix()} if value.is_relative_to(root) else {"path": str(value)}
    if dataclasses.is_dataclass(kind) and kind.__module__.startswith(_OWN):
        fields = [[name, _plain(getattr(value, name), root)] for name in _fields(kind)]
        return {f"{kind.__module__}:{kind.__qualname__}": fields}
    raise TypeError(f"{kind.__module__}.{kind.__qualname__} can't travel")


def _value(plain: Any, root: Path) -> Any:
    if isinstance(plain, list):
        return tuple(_value(each, root) for each in plain)
    if not isinstance(plain, dict):
        return plain
    ((tag, content),) = plain.items()
    if ":" in tag:
        return _dataclass(tag)(**{name: _value(each, root) for name, each in content})
    if tag == "bytes":
        return base64.b64decode(content)
    if tag == "below":
        return root / content
    if tag == "path":
        return Path(content)
    if tag == "dict":
        return {_value(key, root): _value(each, root) for key, each in content}
    kinds: dict[str, Any] = {"list": list, "set": set, "frozenset": frozenset}
    return kinds[tag](_value(each, root) for each in content)


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(each.name for each in dataclasses.fields(kind))


@cache
def _dataclass(tag: str) -> Any:
    module, _, name = tag.partition(":")
    found = getattr(importlib.import_module(module), name) if module.startswith(_OWN) else None
    if not isinstance(found, type) or not dataclasses.is_dataclass(found) or found.__module__ != module:
        raise TypeError(f"{tag} is no value of nb2pkg")
    return found
