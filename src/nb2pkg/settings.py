"""What the user chose once for a notebook's folder: the table `[tool.nb2pkg]` of the nearest pyproject.toml.

    [tool.nb2pkg]
    package = "churn"
    cwd = "."                # relative to the pyproject.toml
    lift = false

The command line wins over it, cell tags win over it, it wins over the defaults. A key is an option's name, `_` or `-`.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from nb2pkg.errors import Nb2pkgError
from nb2pkg.pipeline import Options

FILE = "pyproject.toml"
TABLE = "tool.nb2pkg"
KEYS: dict[str, type] = {
    "package": str,
    "python": str,
    "as_of": str,
    "cwd": str,
    "one_stage": bool,
    "lift": bool,
    "seed": int,
    "modernize": bool,
    "keep_layout": bool,
    "git": bool,
    "joined": tuple,
    "unlifted": tuple,
    "unwrapped": tuple,
}
"""The options that the table may set, and what each is."""
LEARNT = ("joined", "unlifted", "unwrapped")
"""The places that a verification writes into the package's own pyproject.toml, with `keep_layout`."""


class SettingsError(Nb2pkgError):
    """The table can't be read, or holds what nb2pkg does not know."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The table as it stands."""

    path: Path | None = None
    """The pyproject.toml; None where no folder up from the notebook has the table."""
    values: dict[str, Any] = field(default_factory=dict)


def read(folder: Path) -> Settings:
    """The settings that hold for a notebook in `folder`: those of the first pyproject.toml upwards that has any."""
    start = folder.resolve()
    for place in (start, *start.parents):
        path = place / FILE
        try:
            text = path.read_bytes() if path.is_file() else b""
        except OSError:
            continue
        if b"nb2pkg" in text:
            values = _table(path, text)
            if values is not None:
                return Settings(path, _checked(path, values))
    return Settings()


def options_for(notebook: Path, out: Path | None = None, **given: Any) -> Options:
    """The options for a notebook: what is given (and is not None), then the settings, then the defaults.

    What an earlier conversion to `out` has learnt of its places is added to the settings.
    """
    settings = read(notebook.parent)
    chosen: dict[str, Any] = dict(settings.values)
    learnt = _learnt(out) if out is not None else {}
    if learnt.get("keep_layout"):
        chosen["keep_layout"] = True
    for name in LEARNT:
        if name in learnt:
            chosen[name] = tuple(dict.fromkeys((*chosen.get(name, ()), *learnt[name])))
    if "cwd" in chosen and settings.path is not None:
        chosen["cwd"] = settings.path.parent / chosen["cwd"]
    chosen |= {name: value for name, value in given.items() if value is not None}
    _check_day(str(chosen.get("as_of", "")), settings.path)
    return Options(**chosen)


def _check_day(day: str, path: Path | None) -> None:
    try:
        if day and date.fromisoformat(day).isoformat() != day:
            raise ValueError
    except ValueError:
        message = f"as_of is {day!r}; it must be a day such as 2016-03-01"
        raise SettingsError("N630", message, file=str(path) if path is not None else "") from None


def _learnt(out: Path) -> dict[str, Any]:
    path = out / FILE
    try:
        text = path.read_bytes()
    except OSError:
        return {}
    return _checked(path, _table(path, text) or {}) if b"nb2pkg" in text else {}


def _table(path: Path, text: bytes) -> dict[str, Any] | None:
    try:
        found: Any = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError("N630", f"is not TOML: {error}", file=str(path)) from error
    for key in TABLE.split("."):
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None


def _checked(path: Path, values: dict[str, Any]) -> dict[str, Any]:
    checked: dict[str, Any] = {}
    for key, value in values.items():
        kind = KEYS.get(name := key.replace("-", "_"))
        if kind is None:
            known = ", ".join(sorted(KEYS))
            raise SettingsError("N630", f"[{TABLE}] has no key {key}; it may have {known}", file=str(path))
        if kind is tuple and isinstance(value, list) and all(isinstance(each, str) for each in value):
            checked[name] = tuple(value)
        elif type(value) is kind:
            checked[name] = value
        else:
            wanted = "list of cells' ids" if kind is tuple else kind.__name__
            raise SettingsError("N630", f"[{TABLE}] {key} must be a {wanted}", file=str(path))
    return checked
