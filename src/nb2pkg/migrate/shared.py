"""Code that stands in several notebooks: what is equal is defined once;
what is nearly equal is listed, never merged."""

from __future__ import annotations

import difflib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nb2pkg.emit.imports import Import, block
from nb2pkg.emit.text import docstring
from nb2pkg.migrate.survey import Definition, Survey
from nb2pkg.migrate.types import SharedCode

NEAR = 0.75
"""The share of equal words (difflib's ratio) from which two definitions of one name are near copies."""
LONGEST_COMPARED = 6_000
"""Characters of a definition that is compared with others."""
_MODULE = "shared"
CONSTANTS = "const"
"""The module of what shared definitions read."""


@dataclass(frozen=True, slots=True)
class SharedModule:
    """A module of definitions that several notebooks import."""

    name: str
    """Full dotted name."""
    definitions: tuple[Definition, ...]
    """Each as the first notebook has it."""

    def text(self) -> str:
        """The module, before formatting."""
        package = self.name.partition(".")[0]
        constants = (Import(f"{package}.{CONSTANTS}", name) for d in self.definitions for name, _ in d.constants)
        imports = block((*(i for d in self.definitions for i in d.imports), *constants), frozenset({package}))
        title = docstring("Functions and classes that several of the notebooks define")
        return "\n\n".join([title, *filter(None, [imports]), *(f"\n{d.text}" for d in self.definitions)]) + "\n"


@dataclass(frozen=True, slots=True)
class Shared:
    """The code that notebooks have in common."""

    modules: tuple[SharedModule, ...]
    code: tuple[SharedCode, ...]

    @property
    def constants(self) -> dict[str, str]:
        """The literals that shared definitions read, by name."""
        return dict(sorted(pair for module in self.modules for d in module.definitions for pair in d.constants))

    def imported_by(self, survey: Survey) -> tuple[tuple[str, str], ...]:
        """(name, module) of each definition that the notebook imports instead of making it, and of the constants that
        these read."""
        where = {d.digest: module.name for module in self.modules for d in module.definitions}
        shared = [d for d in survey.definitions if d.digest in where]
        package = self.modules[0].name.partition(".")[0] if shared else ""
        constants = {name: f"{package}.{CONSTANTS}" for d in shared for name, _ in d.constants}
        return (*((d.name, where[d.digest]) for d in shared), *sorted(constants.items()))


def find_shared(surveys: Sequence[Survey], package: str) -> Shared:
    """The definitions that stand in two notebooks or more, joined into modules of `package` by what they use."""
    holders: dict[str, list[tuple[Survey, Definition]]] = defaultdict(list)
    for each in surveys:
        for definition in each.definitions:
            if definition.digest:
                holders[definition.digest].append((each, definition))
    common = {digest: found for digest, found in holders.items() if len({s.path for s, _ in found}) > 1}
    modules: list[dict[str, Definition]] = []
    constants: dict[str, str] = {}
    for group in _joined(common):
        needed = [pair for digest in group for pair in common[digest][0][1].constants]
        if any(constants.get(name, literal) != literal for name, literal in needed):
            continue  # one name for two values: they stay where they are
        constants |= dict(needed)
        names = {common[digest][0][1].name for digest in group}
        free = next((m for m in modules if not names & m.keys()), None)
        if free is None:
            free = {}
            modules.append(free)
        free |= {common[digest][0][1].name: common[digest][0][1] for digest in group}
    made = tuple(
        SharedModule(f"{package}.{_MODULE}{f'_{number}' if number > 1 else ''}", tuple(_in_order(found)))
        for number, found in enumerate(modules, 1)
    )
    code = [
        SharedCode(d.name, module.name, tuple(dict.fromkeys(s.path for s, _ in common[d.digest])))
        for module in made
        for d in module.definitions
    ]
    return Shared(made, (*code, *_near_copies(surveys)))


def _joined(common: dict[str, list[tuple[Survey, Definition]]]) -> list[list[str]]:
    """The digests, those together that use each other, in the order in which they are met."""
    group: dict[str, str] = {digest: digest for digest in common}

    def root(digest: str) -> str:
        while group[digest] != digest:
            digest = group[digest]
        return digest

    for digest, found in common.items():
        survey, definition = found[0]
        by_name = {d.name: d.digest for d in survey.definitions}
        for used in definition.uses:
            if by_name.get(used, "") in common:
                group[root(by_name[used])] = root(digest)
    joined: dict[str, list[str]] = {}
    for digest in common:
        joined.setdefault(root(digest), []).append(digest)
    return list(joined.values())


def _in_order(definitions: dict[str, Definition]) -> Iterable[Definition]:
    """Base classes, decorators and defaults before what needs them."""
    done: dict[str, None] = {}

    def visit(name: str, above: tuple[str, ...]) -> None:
        if name in done or name in above or name not in definitions:
            return
        for used in definitions[name].uses:
            visit(used, (*above, name))
        done[name] = None

    for name in definitions:
        visit(name, ())
    return [definitions[name] for name in done]


def _near_copies(surveys: Sequence[Survey]) -> list[SharedCode]:
    """Definitions of one name that are alike and not equal: one text of each."""
    by_name: dict[str, dict[str, tuple[Survey, Definition]]] = defaultdict(dict)
    for each in surveys:
        for definition in each.definitions:
            by_name[definition.name].setdefault(definition.plain, (each, definition))
    found: list[SharedCode] = []
    for name, texts in sorted(by_name.items()):
        alike = _alike({text: place for text, place in texts.items() if len(text) <= LONGEST_COMPARED})
        found += [
            SharedCode(name, "", tuple(s.path for s, _ in group), tuple(d.text for _, d in group)) for group in alike
        ]
    return found


def _alike(texts: dict[str, tuple[Survey, Definition]]) -> list[list[tuple[Survey, Definition]]]:
    """Groups of texts each of which is like the first of its group."""
    groups: list[list[str]] = []
    words = {text: re.findall(r"\w+|\S", text) for text in texts}
    for text in texts:
        matcher = difflib.SequenceMatcher(None, [], words[text], autojunk=False)
        for group in groups:
            matcher.set_seq1(words[group[0]])
            if matcher.real_quick_ratio() >= NEAR and matcher.quick_ratio() >= NEAR and matcher.ratio() >= NEAR:
                group.append(text)
                break
        else:
            groups.append([text])
    return [[texts[text] for text in group] for group in groups if len(group) > 1]
