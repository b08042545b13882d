"""From the parts of a repository's notebooks to one package with one pipeline: a tree of files.

What goes in here: joining. What a stage is and does is decided; here its dependencies meet who makes them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit import project, runtime_files
from nb2pkg.emit.format import LINE_LENGTH, formatted
from nb2pkg.emit.part import Part
from nb2pkg.emit.project import DvcStage
from nb2pkg.emit.text import docstring
from nb2pkg.emit.tree import Copy, Member, Tree
from nb2pkg.migrate.decide import Decision
from nb2pkg.migrate.links import OWN_WORKSPACES, workspace
from nb2pkg.migrate.readme import readme
from nb2pkg.migrate.shared import CONSTANTS

KEPT = "notebooks"
"""The folder of the notebooks as they were, with their helper modules beside them, as in the repository."""
_REQUIREMENT = re.compile(r"[A-Za-z0-9][\w.-]*")


@dataclass(frozen=True, slots=True)
class _Member:
    """A notebook's share of the pipeline."""

    notebook: str
    stages: tuple[DvcStage, ...]


def without_files(part: Part) -> Part:
    """The part without the contents of its files: small enough to keep those of all notebooks."""
    modules = tuple((path, "") for path, _ in part.modules)
    kept = tuple((path, b"") for path, _ in part.kept)
    return replace(part, modules=modules, kept=kept, templates=(), beside=())


def own_files(part: Part) -> Iterator[tuple[str, bytes]]:
    """(path, contents) of each file that is a notebook's own."""
    yield from ((path, text.encode()) for path, text in part.modules)
    yield from part.kept


def merge(
    decision: Decision, parts: Mapping[str, Part], templates: Mapping[str, bytes], root: Path, name: str
) -> tuple[Tree, tuple[Diagnostic, ...]]:
    """The package of the repository `name` in `root` without the files that are a notebook's own, and what could not be
    joined. `parts` are those of its notebooks, by path, without contents, with data that is named from `root`."""
    package = decision.package
    order = [path for path in decision.links.order if path in parts]
    members = [_Member(path, parts[path].stages) for path in order]
    stages, needs, told = _joined(members, decision)
    outs = {out for stage in stages for out in stage.outs}
    copies = _copies([parts[path] for path in order], outs, root)
    files = dict(templates) | dict(decision.helpers.files)
    files |= {f"{folder}/.gitkeep": b"" for path in order for folder in parts[path].folders}
    modules = {f"{m.name.replace('.', '/')}.py": formatted(m.text()) for m in decision.shared.modules}
    if decision.shared.constants:
        modules[f"{package}/{CONSTANTS}.py"] = _constants(decision)
    modules[f"{package}/__init__.py"] = formatted(docstring(f"The notebooks of {name} as a package") + "\n")
    runtime = sorted({module for part in parts.values() for module in part.runtime})
    runtime += ["transfer"] if decision.links.transfers else []
    emitted = (target for path in order for target, _ in parts[path].modules)
    packages = [path for path in (*files, *modules, *emitted) if path.endswith("/__init__.py")]
    files |= {f"{KEPT}/{path}": content for path, content in decision.helpers.kept}
    own = (name for path in order for name in parts[path].secrets)
    secrets = tuple(dict.fromkeys((*own, *decision.helpers.secrets)))
    tracked = tuple(c.target for c in copies if c.tracked)
    pythons = sorted((part.python for part in parts.values() if part.python), key=_version)
    texts = modules | {
        "dvc.yaml": project.dvc_yaml(stages),
        "pyproject.toml": project.pyproject(
            package,
            _requirements(parts.values()),
            pythons[-1] if pythons else "",
            f"The notebooks of {name}",
            LINE_LENGTH,
            packages,
            as_of=_as_of(parts.values()),
        ),
        ".gitignore": _gitignore(outs, tracked),
        ".dvcignore": project.dvcignore(),
        ".dvc/config": project.dvc_config(),
        ".dvc/.gitignore": project.dvc_internal_gitignore(),
        "README.md": readme(decision, parts, order, tracked, secrets, told, _as_of(parts.values())),
        "LICENSE": project.license_note(_license(root)),
    }
    if secrets:
        texts[".env.example"] = project.env_example(secrets)
    files |= {path: text.encode() for path, text in texts.items()} | runtime_files(package, runtime)
    listed = tuple(_listed(path, parts[path], decision, needs[path]) for path in order)
    values = tuple(saved for path in order for saved in parts[path].values)
    return Tree(tuple(sorted(files.items())), copies, package, root, values=values, members=listed), told


def _listed(path: str, part: Part, decision: Decision, needs: Iterable[str]) -> Member:
    """What the manifest says of a notebook."""
    kept, *ran = (name for name, _ in part.kept)
    helpers = (f"{KEPT}/{helper}" for helper in dict(decision.helpers.beside).get(path, ()))
    reads = {(each.producer, each.file) for each in decision.links.links if each.consumer == path}
    others = dict(decision.names).keys() - {path, *(maker for maker, _ in reads)}
    reads |= {(maker, "") for maker in needs if maker in others}  # the stages that copy files are no notebooks
    return Member(
        path=path,
        notebook=kept,
        package=part.package,
        workspace=workspace(path, decision.links.own, dict(decision.names)),
        cwd=part.cwd,
        stages=tuple(stage.name for stage in part.stages),
        folders=part.expected,
        beside=tuple(sorted({*ran, *helpers} - {f"{KEPT}/{path}"})),
        reads=tuple(sorted(reads)),
        upgraded=part.upgraded,
    )


# -- the pipeline ----------------------------------------------------------------------------------------------


def _joined(
    members: Sequence[_Member], decision: Decision
) -> tuple[tuple[DvcStage, ...], Mapping[str, set[str]], tuple[Diagnostic, ...]]:
    """All stages, each file with one maker and each dependency with somebody who brings it; for each notebook, those
    that it has to wait for; and what was doubted."""
    told: list[Diagnostic] = []
    maker: dict[str, str] = {}
    owned: list[tuple[_Member, list[DvcStage]]] = []
    for member in members:
        mine: list[DvcStage] = []
        for stage in member.stages:
            taken = {out for out in stage.outs if _other_maker(out, maker, member.notebook)}
            for out in sorted(taken):
                message = f"{out} is made by another notebook too: DVC is not told that {member.notebook} makes it"
                told.append(Diagnostic("N906", message))
            outs = tuple(out for out in stage.outs if out not in taken)
            maker |= dict.fromkeys(outs, member.notebook)
            mine.append(replace(stage, outs=outs))
        owned.append((member, mine))
    transfers = _transfers(decision)
    maker |= {out: stage.name for stage in transfers for out in stage.outs}
    needs: dict[str, set[str]] = defaultdict(set)
    for each in decision.links.links:
        needs[each.consumer].add(each.producer)
    found: list[DvcStage] = list(transfers)
    for member, mine in owned:
        for stage in mine:
            dropped = {
                dep
                for dep in stage.deps
                if (who := maker.get(dep)) is not None and who != member.notebook and who not in needs[member.notebook]
                if stage.reads_unknown and dep not in stage.reads and _leads_to(who, member.notebook, needs)
            }
            for dep in stage.deps:
                if (who := maker.get(dep)) is not None and dep not in dropped:
                    needs[member.notebook].add(who)
            found.append(replace(stage, deps=tuple(d for d in stage.deps if d not in dropped)))
    return tuple(found), needs, tuple(told)


def _other_maker(out: str, maker: Mapping[str, str], notebook: str) -> bool:
    """Whether another notebook makes the file, what is in it, or the folder that it is in."""
    above = ["/".join(out.split("/")[:count]) for count in range(1, out.count("/") + 2)]
    inside = (known for known in maker if known.startswith(f"{out}/"))
    return any(maker.get(path, notebook) != notebook for path in (*above, *inside))


def _leads_to(start: str, goal: str, needs: Mapping[str, set[str]]) -> bool:
    """Whether `start` needs `goal`, through others or itself."""
    queue, seen = [start], {start}
    while queue:
        for each in needs.get(queue.pop(), ()):
            if each == goal:
                return True
            if each not in seen:
                seen.add(each)
                queue.append(each)
    return False


def _transfers(decision: Decision) -> tuple[DvcStage, ...]:
    """The stages that copy files between the layouts of notebooks."""
    names = dict(decision.names)
    grouped: dict[tuple[str, str], list[tuple[str, str]]] = defaultdict(list)
    for each in decision.links.transfers:
        where = "/".join(each.target.split("/")[: 2 if each.target.startswith(f"{OWN_WORKSPACES}/") else 1])
        grouped[each.maker, where].append((each.source, each.target))
    stages: list[DvcStage] = []
    for (maker, where), pairs in grouped.items():
        reader = where.removeprefix(f"{OWN_WORKSPACES}/").replace("/", "-")
        stages.append(
            DvcStage(
                name=f"{names[maker].replace('/', '-')}-to-{reader}",
                module=f"{decision.package}.transfer",
                desc=f"Files of {maker} for {'the others' if reader == 'workspace' else reader}",
                deps=tuple(sorted({source for source, _ in pairs} | {f"{decision.package}/transfer.py"})),
                params=(),
                const_path="",
                outs=tuple(sorted(target for _, target in pairs)),
                uncached_outs=(),
                metrics=(),
                plots=(),
                cells=(),
                arguments=tuple(path for pair in sorted(pairs) for path in pair),
            )
        )
    return tuple(stages)


# -- what is around it -----------------------------------------------------------------------------------------


def _copies(parts: Iterable[Part], outs: set[str], root: Path) -> tuple[Copy, ...]:
    """The data, each file once, but for what the stages make."""
    found: dict[str, Copy] = {}
    for part in parts:
        for copy in part.copies:
            above = ("/".join(copy.target.split("/")[:count]) for count in range(1, copy.target.count("/") + 2))
            if any(path in outs for path in above):
                continue
            before = found.get(copy.target, copy)
            found[copy.target] = replace(copy, source=root / copy.source, tracked=copy.tracked and before.tracked)
    return tuple(found[target] for target in sorted(found))


def _constants(decision: Decision) -> str:
    """The module of the constants that shared definitions read."""
    users: dict[str, list[str]] = defaultdict(list)
    for module in decision.shared.modules:
        for each in module.definitions:
            for name, _ in each.constants:
                users[name].append(each.name)
    lines = [f"{name} = {text}  # {', '.join(users[name])}" for name, text in decision.shared.constants.items()]
    title = docstring("Constants that several of the notebooks share: literals that DVC reads and edits")
    return formatted("\n".join([title, "", *lines]) + "\n")


def _requirements(parts: Iterable[Part]) -> tuple[str, ...]:
    """All requirements, one for each distribution: the most exact."""
    found: dict[str, str] = {}
    for part in parts:
        for text in part.requirements:
            match = _REQUIREMENT.match(text)
            name = match[0] if match else text
            found[name] = max(found.get(name, text), text, key=lambda spec: ("==" in spec, len(spec), spec))
    return tuple(found[name] for name in sorted(found))


def _as_of(parts: Iterable[Part]) -> str:
    """The day whose packages all notebooks want: the last of their days; empty where one wants those of today."""
    days = [part.as_of for part in parts]
    return max(days, default="") if all(days) else ""


def _gitignore(outs: Iterable[str], tracked: Iterable[str]) -> str:
    return project.gitignore(outs, tracked) + f"/{OWN_WORKSPACES}/\n"


def _license(root: Path) -> str | None:
    for name in ("LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING"):
        path = root / name
        if path.is_file() and not path.is_symlink():
            return path.read_text(encoding="utf-8", errors="replace")
    return None


def _version(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
