"""What the package needs to be installed, pinned to what is installed where the notebook ran."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase

# Python 3.8 has importlib.metadata, but packages_distributions only since 3.10.
_SCRIPT = """
import json, importlib.metadata as m
versions, packages = {}, {}
for d in m.distributions():
    name = d.metadata["Name"]
    if not name:
        continue
    versions.setdefault(name, d.version)
    tops = set((d.read_text("top_level.txt") or "").split())
    if not tops:
        for f in d.files or ():
            top = f.parts[0]
            if len(f.parts) > 1 or top.endswith((".py", ".so", ".pyd")):
                tops.add(top.split(".")[0])
    for top in tops:
        packages.setdefault(top, []).append(name)
print(json.dumps([versions, packages]))
"""
FIRST_DAY = "2020-01-01"
"""When the libraries of data science were there for Python 3.8, the oldest that a package runs on."""
_PROVIDED = frozenset({"__main__", "google", "kaggle_secrets"})
"""Imports that no distribution of an index brings: the notebook's own, and those of hosted notebooks."""

_ASKED = re.compile(
    r"\s*(?P<name>[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?)\s*(?P<extras>\[[\w\s,.-]*\])?"
    r"\s*(?P<spec>(?:(?:[<>!~=]=|[<>]|===)\s*[\w.*+!-]+\s*,?\s*)*)\s*(?:;.*)?",
    re.ASCII,
)
"""A requirement as `pip install` takes it, without its URL forms."""


@dataclass(frozen=True, slots=True)
class Installed:
    """What one interpreter has: version by normalised name, distributions by the name that is imported."""

    versions: Mapping[str, str]
    packages: Mapping[str, tuple[str, ...]]


def normalised(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@cache
def installed(python: str) -> Installed | None:
    """What another interpreter has; None where it can't be asked. Runs it once, isolated, on no code but ours."""
    command = [python, "-I", "-c", _SCRIPT]
    try:
        answer = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, check=True, timeout=120)
        versions, packages = json.loads(answer.stdout)
    except (OSError, subprocess.SubprocessError, ValueError):
        return None
    return Installed(
        {normalised(name): version for name, version in versions.items()},
        {root: tuple(sorted({normalised(n) for n in names})) for root, names in packages.items()},
    )


@cache
def _own_packages() -> Mapping[str, tuple[str, ...]]:
    found = importlib.metadata.packages_distributions()
    return {root: tuple(sorted({normalised(n) for n in names})) for root, names in found.items()}


@cache
def _own_version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except (importlib.metadata.PackageNotFoundError, ValueError):
        return None


class _Interpreter:
    """Looks names up in one interpreter; in the current one without reading every distribution."""

    def __init__(self, found: Installed | None) -> None:
        self.found = found

    def version(self, name: str) -> str | None:
        version = self.found.versions.get(normalised(name)) if self.found is not None else _own_version(name)
        # `==2.1` also matches `2.1+cu118`, and an index seldom has the latter.
        return version.partition("+")[0] if version else None

    def distribution(self, root: str, guess: str) -> str:
        """The distribution that brings `root`: the guess, unless only another one is installed."""
        if self.version(guess) is not None:
            return normalised(guess)
        packages = self.found.packages if self.found is not None else _own_packages()
        others = packages.get(root, ())
        return others[0] if len(others) == 1 else normalised(guess)


def _too_early(day: str) -> list[Diagnostic]:
    if day >= FIRST_DAY:
        return []
    message = f"{day} is before Python 3.8, which the package runs on: packages of that day may not install; those of"
    return [Diagnostic("N623", f"{message} {FIRST_DAY} are the oldest made for it: `--as-of {FIRST_DAY}`")]


def requirements(
    roots: frozenset[str],
    asked: tuple[str, ...],
    python: str | None,
    knowledge: KnowledgeBase,
    local: frozenset[str],
    as_of: str = "",
) -> tuple[tuple[str, ...], tuple[Diagnostic, ...]]:
    """The requirements for the imported root modules, sorted, and a diagnostic for each that can't be pinned.

    `asked` is what the notebook's own `pip install` lines name; `python` the interpreter that versions are read
    from (None: the current one); `local` the root modules that lie beside the notebook. With `as_of`, a
    day, nothing is looked up and no version is named but the notebook's own: those of that day are meant.
    """
    told: list[Diagnostic] = []
    found: Installed | None = None
    if as_of:
        found = Installed({}, {})
        told += _too_early(as_of)
    elif python is not None:
        found = installed(python)
        if found is None:
            told.append(Diagnostic("N622", f"{python} can't be asked what it has installed, so nothing is pinned"))
            found = Installed({}, {})
    interpreter = _Interpreter(found)
    own = {r for r in roots if r not in sys.stdlib_module_names and r not in local and r not in _PROVIDED}
    wanted = {interpreter.distribution(root, knowledge.distribution(root)): "" for root in sorted(own)}
    for text in asked:
        match = _ASKED.fullmatch(text)
        if match is None:
            if not text.startswith("-"):
                told.append(Diagnostic("N621", f"`pip install {text}` is not kept: add it to pyproject.toml by hand"))
            continue
        extras = re.sub(r"\s", "", match["extras"] or "")
        spec = re.sub(r"\s", "", match["spec"]).rstrip(",")
        wanted[normalised(match["name"])] = extras + spec
    runtime = {"ipython", "cloudpickle"}
    runtime |= {"joblib"} if "sklearn" in roots else set()
    runtime |= {"pyarrow"} if "pandas" in roots and interpreter.version("pyarrow") else set()
    pinned: list[str] = []
    for name in sorted(wanted.keys() | runtime):
        extra = wanted.get(name, "")
        version = interpreter.version(name)
        if version is not None:
            pinned.append(f"{name}{extra[: extra.find(']') + 1]}=={version}")
            continue
        pinned.append(name + extra)
        if name in wanted and not as_of:
            told.append(Diagnostic("N620", f"{name} is not installed, so its version is not pinned", severity="info"))
    return tuple(pinned), tuple(told)
