"""Files between notebooks: who makes what whom reads, and which notebooks need a layout of their own.

All notebooks run in one copy of the repository's layout, `workspace/`, so that a file that one writes is there for
the others. DVC knows one maker of a file; a notebook that writes what another makes, or writes over what others read,
runs in a layout of its own, into which the files that it needs are copied.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.migrate.survey import Survey
from nb2pkg.migrate.types import Link
from nb2pkg.plan.drive import FOLDER as DRIVE
from nb2pkg.plan.types import WORKSPACE_FOLDER

OWN_WORKSPACES = "workspaces"
"""The folder of the layouts that belong to one notebook."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """A file that is copied from one layout to another; paths from the package's root."""

    maker: str
    """The notebook that makes it."""
    source: str
    target: str


@dataclass(frozen=True, slots=True)
class Links:
    """What the notebooks of a repository have to do with each other's files."""

    links: tuple[Link, ...]
    own: tuple[str, ...]
    """The notebooks that run in a layout of their own."""
    transfers: tuple[Transfer, ...]
    order: tuple[str, ...]
    """All notebooks, each after those whose files it reads."""
    diagnostics: tuple[Diagnostic, ...]
    common_folders: tuple[str, ...]
    """Folders that one notebook makes and another too, or writes into: they are nobody's own."""

    def made_for(self, notebook: str) -> tuple[str, ...]:
        """The files that others make and the notebook reads, from the repository's root."""
        return tuple(sorted(link.file for link in self.links if link.consumer == notebook))


def link(surveys: Sequence[Survey], there: frozenset[str], names: Mapping[str, str]) -> Links:
    """Join the notebooks (in natural order) by their files. `there` are the files of the repository, `names` the
    subpackages of the notebooks."""
    writers: dict[str, list[Survey]] = defaultdict(list)
    common = _common_folders(surveys)
    for each in surveys:
        for path in dict.fromkeys((*each.writes, *(folder for folder in each.folders if folder not in common))):
            writers[path].append(each)
    readers = {path for each in surveys for path in each.reads}
    told: list[Diagnostic] = []
    own: dict[str, None] = {}
    makers: dict[str, Survey] = {}
    for path, found in sorted(writers.items()):
        over = [s for s in found if path in s.reads and path in there]
        for each in over:
            if any(path in (*s.reads, *s.writes) for s in surveys if s is not each):
                own[each.path] = None
                message = f"{each.path} writes over {path}, which others use: they get it as it is in the repository"
                told.append(Diagnostic("N903", message))
        plain = [s for s in found if s not in over]
        if plain:
            makers[path] = plain[0]
        for each in plain[1:]:
            own[each.path] = None
        if len(plain) > 1 and path in readers:
            others = ", ".join(s.path for s in plain[1:])
            message = f"{path} is written by {plain[0].path} and by {others}: who reads it gets the first one's"
            told.append(Diagnostic("N904", message))
    for below, above in _overlaps(makers):
        if makers[below] is not makers[above]:
            own[makers[below].path] = None
    links = _links(surveys, makers)
    links, cut, cycles = _without_cycles(surveys, links)
    told += cycles
    own.update(dict.fromkeys(cut))
    missing = _missing(surveys, makers, there)
    order = _order(surveys, links)
    return Links(links, tuple(own), _transfers(links, own, names), order, (*told, *missing), common)


def workspace(notebook: str, own: Iterable[str], names: Mapping[str, str]) -> str:
    """The folder of the layout that a notebook runs in, from the package's root."""
    return f"{OWN_WORKSPACES}/{names[notebook]}" if notebook in own else WORKSPACE_FOLDER


def _common_folders(surveys: Sequence[Survey]) -> tuple[str, ...]:
    users: dict[str, set[str]] = defaultdict(set)
    for each in surveys:
        for path in (*each.writes, *each.folders):
            parts = path.split("/")
            for count in range(1, len(parts) + 1):
                users["/".join(parts[:count])].add(each.path)
    made = {folder for each in surveys for folder in each.folders}
    return tuple(sorted(folder for folder in made if len(users[folder]) > 1))


def _overlaps(paths: Iterable[str]) -> list[tuple[str, str]]:
    """(file, folder) where both are made and the file lies in the folder."""
    known = set(paths)
    return [
        (path, "/".join(path.split("/")[:count]))
        for path in sorted(known)
        for count in range(1, path.count("/") + 1)
        if "/".join(path.split("/")[:count]) in known
    ]


def _links(surveys: Sequence[Survey], makers: Mapping[str, Survey]) -> tuple[Link, ...]:
    """A link for each file that a notebook reads and another makes; who reads a folder reads all that is in it."""
    listed = sorted(makers)
    found: dict[Link, None] = {}
    for each in surveys:
        for path in each.reads:
            found |= {
                Link(makers[made].path, each.path, made): None
                for made in _sources(path, listed, makers)
                if makers[made].path != each.path
            }
    return tuple(found)


def _sources(path: str, listed: Sequence[str], makers: Mapping[str, Survey]) -> list[str]:
    """What is read with a path: what is made under its name or, if nothing is, the folder around it, and what others
    make in it. What lies in a folder comes with it."""
    related = _related(path, listed)
    found = [made for made in related if not made.startswith(f"{path}/")][-1:]
    for made in related:
        if made.startswith(f"{path}/") and not any(
            made.startswith(f"{folder}/") and makers[folder] is makers[made] for folder in found
        ):
            found.append(made)
    return found


def _related(path: str, listed: Sequence[str]) -> list[str]:
    """Of sorted paths, those that are the path, a folder that it lies in, or lie in it."""
    above = ["/".join(path.split("/")[:count]) for count in range(1, path.count("/") + 2)]
    found = [each for each in above if (at := bisect_left(listed, each)) < len(listed) and listed[at] == each]
    at = bisect_left(listed, f"{path}/")
    while at < len(listed) and listed[at].startswith(f"{path}/"):
        found.append(listed[at])
        at += 1
    return found


def _without_cycles(
    surveys: Sequence[Survey], links: tuple[Link, ...]
) -> tuple[tuple[Link, ...], tuple[str, ...], list[Diagnostic]]:
    """The links without those that lead back where notebooks go round in a circle; who reads by one of these gets the
    file as it is in the repository."""
    place = {s.path: number for number, s in enumerate(surveys)}
    told: list[Diagnostic] = []
    cut: dict[str, None] = {}
    while True:
        graph: dict[str, set[str]] = {s.path: set() for s in surveys}
        for each in links:
            graph[each.consumer].add(each.producer)
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            round_trip = list(dict.fromkeys(error.args[1]))
            inside = [e for e in links if e.producer in round_trip and e.consumer in round_trip]
            back = [e for e in inside if place[e.producer] > place[e.consumer]]
            files = ", ".join(sorted({e.file for e in back}))
            message = f"{', '.join(sorted(round_trip))} read each other's files: {files} is taken from the repository"
            told.append(Diagnostic("N902", message))
            cut.update(dict.fromkeys(e.consumer for e in back))
            links = tuple(e for e in links if e not in back)
            continue
        return links, tuple(cut), told


def _missing(surveys: Sequence[Survey], makers: Mapping[str, Survey], there: frozenset[str]) -> list[Diagnostic]:
    """Files that somebody reads, and that look like another notebook's, which nobody makes and which are not there."""
    listed = sorted(makers)
    folders = {"/".join(p.split("/")[:n]) for p in there for n in range(1, p.count("/") + 1)}
    wanted: dict[str, list[str]] = defaultdict(list)
    for each in surveys:
        for path in each.reads:
            known = path in there or path in folders or bool(_related(path, listed))
            if not known and not re.search(r"[*?\[]", path) and not path.startswith(f"{DRIVE}/"):
                wanted[path].append(each.path)
    return [
        Diagnostic("N905", f"{path} is read by {', '.join(who)}, is not there, and no notebook makes it")
        for path, who in sorted(wanted.items())
    ]


def _order(surveys: Sequence[Survey], links: tuple[Link, ...]) -> tuple[str, ...]:
    place = {s.path: number for number, s in enumerate(surveys)}
    graph: dict[str, set[str]] = {s.path: set() for s in surveys}
    for each in links:
        graph[each.consumer].add(each.producer)
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    found: list[str] = []
    waiting: list[str] = []
    while sorter.is_active():
        waiting = sorted([*waiting, *sorter.get_ready()], key=place.__getitem__)
        first = waiting.pop(0)
        found.append(first)
        sorter.done(first)
    return tuple(found)


def _transfers(links: tuple[Link, ...], own: Iterable[str], names: Mapping[str, str]) -> tuple[Transfer, ...]:
    own = frozenset(own)
    found: dict[Transfer, None] = {}
    for each in links:
        source, target = workspace(each.producer, own, names), workspace(each.consumer, own, names)
        if source != target:
            found[Transfer(each.producer, f"{source}/{each.file}", f"{target}/{each.file}")] = None
    return tuple(found)
