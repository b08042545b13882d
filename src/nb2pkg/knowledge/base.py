"""Loading the TOML files and finding facts in them.

A file looks like this; names may hold one `{a,b,c}` (each in turn) and `*` (anything), exact names win over
patterns, and later patterns are asked only when earlier ones do not match:

    [library]
    root = "pandas"                  # the name that is imported
    distribution = "pandas"          # the name that is installed

    [aliases]
    "pandas.core.frame.DataFrame" = "pandas.DataFrame"      # also for prefixes: "tensorflow.keras" = "keras"

    [[calls]]
    names = ["pandas.read_{csv,table}"]
    reads_file = ["0|filepath_or_buffer"]
    returns = "pandas.DataFrame"
    stage = "load"

    [[calls]]
    names = ["pandas.DataFrame.{dropna,drop}"]
    returns = "pandas.DataFrame"
    inplace = "inplace"

    [[types]]
    names = ["pandas.DataFrame"]
    default = "pure"
    getitem = "view"
    setitem = "mutates"

    [[imports]]
    names = ["seaborn"]
    effect = true                    # importing it changes ambient state
    adds = ["rocket", "mako"]        # the change matters only to who names one of these

    [[removed]]                      # API that is gone: see modernize.toml
    names = ["numpy.float"]
    since = "numpy 1.24"
    now = "builtins.float"

    [[parameters]]
    names = ["lr", "learning_rate"]
    anywhere = true
    constant = "LEARNING_RATE"

    [[seeds]]
    names = ["sklearn.model_selection.KFold"]
    matters = ["shuffle"]            # its seed matters only where this is given

    [[streams]]
    name = "numpy"                   # as in `draws`
    module = "numpy"
    seed = "random.seed"             # what seeds it

    [[scores]]
    names = ["rmse", "*_rmse"]       # what people call a score that they compute themselves, in any case
    functions = ["score"]            # what they call only functions that return one
    numbers = ["numpy.sqrt"]         # calls that make a score of a score

Methods of receivers whose type is not known stand as `?.name`. A parameter's name may have a position before it
(`1|nsteps`) where `calls` says of which calls.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from fnmatch import fnmatchcase, translate
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from nb2pkg.knowledge.facts import Call, Parameter, Removed, SecretPattern, Seeding, Stream, Type

MOST_SPACES = 3
"""How many spaces a file's name may have."""


def expand(name: str) -> Iterator[str]:
    """Each name that `a.{b,c}` stands for; the name itself where it has no braces."""
    head, brace, rest = name.partition("{")
    if not brace:
        yield name
        return
    middle, _, tail = rest.partition("}")
    for part in middle.split(","):
        yield from expand(head + part.strip() + tail)


def _frozen(table: dict[str, Any], kind: type[Any], source: str) -> dict[str, Any]:
    known = {f.name for f in fields(kind)}
    values = {key: tuple(v) if isinstance(v, list) else v for key, v in table.items() if key != "names"}
    unknown = set(values) - known
    if unknown:
        raise ValueError(f"{source}: unknown key {sorted(unknown)[0]!r} beside names {table.get('names')}")
    return values


@dataclass(slots=True)
class KnowledgeBase:
    """All facts, by qualified name. Built once by `load`, never changed after."""

    calls: dict[str, Call] = field(default_factory=dict)
    call_patterns: list[tuple[str, Call]] = field(default_factory=list)
    types: dict[str, Type] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    effects: dict[str, bool] = field(default_factory=dict)
    adds: dict[str, frozenset[str]] = field(default_factory=dict)
    parameters: dict[str, list[Parameter]] = field(default_factory=dict)
    positions: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    streams: dict[str, Stream] = field(default_factory=dict)
    seeds: list[tuple[str, Seeding]] = field(default_factory=list)
    secrets: list[SecretPattern] = field(default_factory=list)
    secret_names: list[tuple[str, str]] = field(default_factory=list)
    scores: list[str] = field(default_factory=list)
    score_functions: list[str] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    folders: dict[str, str] = field(default_factory=dict)
    data_modules: set[str] = field(default_factory=set)
    distributions: dict[str, str] = field(default_factory=dict)
    removed: dict[str, Removed] = field(default_factory=dict)
    _found: dict[str, Call | None] = field(default_factory=dict)
    _scores: dict[str, bool] = field(default_factory=dict)
    _artifact_calls: set[str] = field(default_factory=set)
    _measures: list[re.Pattern[str]] = field(default_factory=list)

    def add(self, text: str, source: str) -> None:
        """Take in one TOML file; raises ValueError where it has a key that no fact has."""
        data = tomllib.loads(text)
        library = data.get("library", {})
        if "root" in library and "distribution" in library:
            self.distributions[library["root"]] = library["distribution"]
        self.distributions.update(data.get("distributions", {}))
        self.aliases.update(data.get("aliases", {}))
        self.data_modules.update(data.get("pickled_data", {}).get("modules", ()))
        for folder, endings in data.get("folders", {}).items():
            self.folders.update(dict.fromkeys(endings, folder))
        for table in data.get("calls", ()):
            call = Call(**_frozen(table, Call, source))
            for name in _names(table["names"]):
                if "*" in name:
                    self.call_patterns.append((name, call))
                else:
                    self.calls[name] = call
        for table in data.get("types", ()):
            values = _frozen(table, Type, source)
            for name in _names(table["names"]):
                self.types[name] = Type(name=name, **values)
        for table in data.get("removed", ()):
            pairs = {key: tuple(table[key].items()) for key in ("keywords", "strings") if key in table}
            removed = Removed(**(_frozen(table, Removed, source) | pairs))
            self.removed.update(dict.fromkeys(_names(table["names"]), removed))
        for table in data.get("parameters", ()):
            parameter = Parameter(**_frozen({**table, "calls": [*_names(table.get("calls", ()))]}, Parameter, source))
            for place, _, name in (n.rpartition("|") for n in _names(table["names"])):
                self.parameters.setdefault(name, []).append(parameter)
                if place:
                    self.positions.setdefault(place, []).extend((pattern, name) for pattern in parameter.calls)
        for table in data.get("streams", ()):
            self.streams[table["name"]] = Stream(**table)
        for table in data.get("seeds", ()):
            seeding = Seeding(**_frozen(table, Seeding, source))
            self.seeds.extend((name, seeding) for name in _names(table["names"]))
        for table in data.get("secrets", ()):
            self.secrets.append(SecretPattern(**{**table, "may": tuple(table["may"])}))
        for table in data.get("secret_names", ()):
            how = "beside" if table.get("beside") else "weak" if table.get("weak") else "key"
            self.secret_names.extend((name, how) for name in _names(table["names"]))
        for table in data.get("scores", ()):
            self.scores.extend(_names(table.get("names", ())))
            self.score_functions.extend(_names(table.get("functions", ())))
            self.numbers.extend(_names(table.get("numbers", ())))
        for table in data.get("imports", ()):
            for name in _names(table["names"]):
                self.effects[name] = bool(table["effect"])
                if "adds" in table:
                    self.adds[name] = frozenset(table["adds"])

    def canonical(self, name: str) -> str:
        """The name that facts are kept under, with the longest aliased prefix replaced."""
        for _ in range(4):
            head, rest = name, ""
            while head and head not in self.aliases:
                head, dot, last = head.rpartition(".")
                rest = dot + last + rest
            if not head:
                return name
            name = self.aliases[head] + rest
        return name

    def call(self, name: str) -> Call | None:
        """The facts on a function, class or `<type>.<method>`, or None where there are none."""
        name = self.canonical(name)
        if name not in self._found:
            exact = self.calls.get(name)
            if exact is None:
                exact = next((c for p, c in self.call_patterns if fnmatchcase(name, p)), None)
            self._found[name] = exact
        return self._found[name]

    def method(self, type_name: str, name: str) -> Call | None:
        """The facts on a method of a type or of its bases; what an unlisted method of a known type does."""
        seen = [type_name]
        for owner in seen:
            found = self.calls.get(f"{owner}.{name}")
            if found is not None:
                return found
            known = self.types.get(owner)
            seen.extend(b for b in (known.bases if known else ()) if b not in seen)
        for owner in seen:
            found = self.call(f"{owner}.{name}")
            if found is not None:
                return found
        known = self.types.get(type_name)
        if known is not None and known.default != "unknown":
            return Call(relation="view" if known.default == "view" else "fresh")
        return None

    def unresolved_method(self, name: str) -> Call | None:
        """What a method of this name does on a receiver of unknown type, where all libraries agree."""
        return self.calls.get(f"?.{name}")

    def parameter(self, name: str) -> Parameter:
        """What is known of an argument's name, all tables together."""
        found = self.parameters.get(name, ())
        return Parameter(
            anywhere=any(p.anywhere for p in found),
            seed=any(p.seed for p in found),
            constant=next((p.constant for p in found if p.constant), ""),
            shared=any(p.shared for p in found),
        )

    def is_hyperparameter(self, name: str, call: str, fact: Call | None) -> bool:
        """Whether the argument `name` of the call (by its qualified name, or `?.method`) is a hyperparameter."""
        if fact is not None and name in fact.hyperparameters:
            return True
        return any(
            p.anywhere or any(fnmatchcase(call, pattern) for pattern in p.calls) for p in self.parameters.get(name, ())
        )

    def positional(self, place: int, call: str, fact: Call | None) -> str:
        """The name of the argument at a position, or empty where it is not known."""
        if fact is not None and place < len(fact.signature):
            return fact.signature[place]
        return next((name for pattern, name in self.positions.get(str(place), ()) if fnmatchcase(call, pattern)), "")

    def seeding(self, call: str) -> Seeding:
        """What the call, by its qualified name, has to do with seeds beyond what its facts say."""
        return next((found for pattern, found in self.seeds if fnmatchcase(call, pattern)), Seeding())

    def is_random(self, type_name: str) -> bool:
        """Whether the methods of a type draw from a global stream where it was given no seed."""
        known = self.type(type_name)
        return known is not None and (known.random or any(self.is_random(base) for base in known.bases))

    def names_secret(self, name: str) -> str:
        """What a name says of the text that has it: `key` (a secret, if it looks like one), `weak` (a password), or
        `beside` (what has it stands beside a password)."""
        return next((how for pattern, how in self.secret_names if fnmatchcase(name, pattern)), "")

    def names_score(self, name: str) -> bool:
        """Whether people call a variable so that holds a score which they compute themselves."""
        if name not in self._scores:
            self._scores[name] = any(fnmatchcase(name.lower(), pattern) for pattern in self.scores)
        return self._scores[name]

    def gives_score(self, name: str) -> bool:
        """Whether people call a function so that returns a score."""
        return self.names_score(name) or any(fnmatchcase(name.lower(), pattern) for pattern in self.score_functions)

    def may_measure(self, words: Iterable[str]) -> bool:
        """Whether one of these names is what people call a score, or a function or attribute that is one."""
        if not self._measures:
            measured = [name.rpartition(".")[2] for name, call in self.calls.items() if call.metric]
            attributes = [re.escape(name) for name in measured if name.endswith("_")]
            patterns = [*self.scores, *self.score_functions]
            self._measures.append(re.compile("|".join([*attributes, *map(translate, patterns)]), re.IGNORECASE))
        return any(map(self._measures[0].fullmatch, words))

    def keeps_score(self, call: str) -> bool:
        """Whether the call (by its qualified name, or `?.method`) makes a score of a score: it rounds, averages…"""
        return any(fnmatchcase(call, pattern) for pattern in self.numbers)

    def folder_of(self, path: str) -> str:
        """The folder that a file of this name is written to; empty where its ending says nothing."""
        name = path.rpartition("/")[2].lower()
        return self.folders.get(name[name.rfind(".") :] if "." in name[1:] else "", "")

    def is_data_module(self, name: str) -> bool:
        """Whether what has this qualified name is part of plain data where a pickle names it."""
        return any(name.startswith(f"{module}.") for module in self.data_modules)

    def is_file_name(self, text: str) -> bool:
        """Whether a text looks like the path of a file: it has an ending that files have, and is no sentence."""
        return bool(self.folder_of(text)) and text.count(" ") <= MOST_SPACES and "://" not in text

    def artifact_calls(self) -> frozenset[str]:
        """The last names of all calls that artifacts.py has a function for."""
        if not self._artifact_calls:
            self._artifact_calls |= {name.rpartition(".")[2] for name, call in self.calls.items() if call.artifacts}
        return frozenset(self._artifact_calls)

    def type(self, name: str) -> Type | None:
        """The facts on a type, or None."""
        return self.types.get(self.canonical(name)) if name else None

    def import_effect(self, module: str) -> bool | None:
        """Whether importing the module changes ambient state; None where that is not known."""
        while module:
            if module in self.effects:
                return self.effects[module]
            module = module.rpartition(".")[0]
        return None

    def import_adds(self, module: str) -> frozenset[str]:
        """The strings by which others name what importing the module registers; empty where nobody listed them."""
        while module and module not in self.effects:
            module = module.rpartition(".")[0]
        return self.adds.get(module, frozenset())

    def roots(self) -> frozenset[str]:
        """The root modules that anything is known of."""
        return frozenset(name.partition(".")[0] for name in (*self.distributions, *self.effects))

    def distribution(self, root: str) -> str:
        """The distribution that brings the importable name `root` (`sklearn` → `scikit-learn`)."""
        return self.distributions.get(root, root)


def _names(names: Iterable[str]) -> Iterator[str]:
    for name in names:
        yield from expand(name)


@cache
def shipped() -> KnowledgeBase:
    """The knowledge base that comes with nb2pkg."""
    return load(())


def load(extra: tuple[Path, ...]) -> KnowledgeBase:
    """The shipped knowledge base, extended by the user's own TOML files (theirs win)."""
    base = KnowledgeBase()
    folder = resources.files("nb2pkg.knowledge")
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.name.endswith(".toml"):
            base.add(entry.read_text(encoding="utf-8"), entry.name)
    for path in extra:
        base.add(path.read_text(encoding="utf-8"), str(path))
    return base
