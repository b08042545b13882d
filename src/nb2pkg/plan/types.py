"""The plan: everything that was decided, before a line is emitted."""

from __future__ import annotations

import ast
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from nb2pkg.diagnostics import Diagnostic

MetricKind = Literal["score", "confusion", "history", "roc", "precision_recall"]
WORKSPACE_FOLDER = "workspace"


MOST_NAMES = 3
"""How many names of values that are stored together a folder's name holds."""


@dataclass(frozen=True, slots=True)
class Artifact:
    """Values that cross a boundary in one file: one name, or several that share an object."""

    stage: str
    """The stage that makes it, as `Stage.place` has it."""
    names: tuple[str, ...]

    @property
    def folder(self) -> str:
        """Where it lies, from the package's root."""
        listed = len(self.names) <= MOST_NAMES
        name = "_and_".join(self.names) if listed else f"{self.names[0]}_and_{len(self.names) - 1}_more"
        return f"data/interim/{self.stage}/{name}"


@dataclass(frozen=True, slots=True)
class Metric:
    """What a stage logs: a variable after the statement that binds it, or an expression where it stands."""

    name: str
    """Its name in `metrics/<stage>.json`, or that of its plot."""
    kind: MetricKind
    statement: int
    """Its statement: of the stage, or a function of the notebook's that the stage calls."""
    variable: str = ""
    """The variable whose value it is; empty where `node` is."""
    node: ast.expr | None = field(default=None, compare=False)
    """The expression whose value it is, in the lines of the cell."""
    labels: tuple[str, ...] = ()
    """Of a confusion matrix: arguments, as text, that tell what its classes are called."""
    at_end: bool = False
    """The variable keeps its value: it is logged at the end of the stage."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage: a run of statements that becomes a module and a step of the pipeline."""

    name: str
    title: str
    prose: str
    kind: str
    reason: str
    statements: tuple[int, ...]
    """Indices of the statements that run in it (imports, definitions and constants stand elsewhere)."""
    inputs: tuple[str, ...] = ()
    outputs: tuple[str, ...] = ()
    loads: tuple[Artifact, ...] = ()
    saves: tuple[Artifact, ...] = ()
    may_be_unbound: tuple[str, ...] = ()
    local_definitions: tuple[int, ...] = ()
    """Definitions of earlier stages that it makes again, because they read its variables."""
    random_from: str = ""
    """The stage whose random state it continues, as `place` has it; empty for none."""
    keeps_random: bool = False
    module_scope: str = ""
    """Why its names are the module's, not a function's; empty where they are a function's."""
    reads_files: tuple[str, ...] = ()
    writes_files: tuple[str, ...] = ()
    removes_files: tuple[str, ...] = ()
    """Of what it writes, what is not there at its end."""
    constants: tuple[str, ...] = ()
    constants_from: tuple[str, ...] = ()
    """The ids of the cells that hold them in the notebook."""
    earlier_settings: tuple[int, ...] = ()
    metrics: tuple[Metric, ...] = ()
    begins_in: str = ""
    """The id of the cell in which it begins."""
    group: str = ""
    """The notebook's folder among others in one package (`vision/churn`); empty where it is alone."""

    @property
    def place(self) -> str:
        """Its name among all notebooks of a package, as a path: what it leaves lies below folders of that name."""
        return f"{self.group}/{self.name}" if self.group else self.name

    @property
    def step(self) -> str:
        """Its name in dvc.yaml."""
        return self.place.replace("/", "-")


@dataclass(frozen=True, slots=True)
class PlannedSection:
    """A section as people see it, whether or not its boundary could be kept."""

    name: str
    title: str
    kind: str
    reason: str
    stage: str
    """The stage that it went into."""
    cells: tuple[int, ...]
    """Its code cells, by their index among all cells."""
    line: int
    """The line of its first cell that it begins at, from 1: more than that where an earlier section has the rest."""


@dataclass(frozen=True, slots=True)
class PlannedConstant:
    """A constant as people see it: its name, its literal, the cell that it comes from, the stages that use it."""

    name: str
    value: str
    cell: int
    stages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overrides:
    """What is switched off for single places, each by the ids of its cells; kept in the package's pyproject.toml."""

    joined: tuple[str, ...] = ()
    """No stage begins in the cell."""
    unlifted: tuple[str, ...] = ()
    """Its literals and its pickling stay as they are."""
    unwrapped: tuple[str, ...] = ()
    """Its stage's names are the module's."""
    keep_layout: bool = False
    """The files keep their places: of the whole notebook, since they move together or not at all."""


@dataclass(frozen=True, slots=True)
class Place:
    """A notebook's place among the others of a repository that become one package."""

    folder: str = "."
    """The notebook's folder, from the repository's root."""
    workspace: str = WORKSPACE_FOLDER
    """The folder that stands for the repository's root where the notebook runs: its own where it writes over what
    others read."""
    shared: tuple[tuple[str, str], ...] = ()
    """(function or class, full name of the module) of each definition that stands once for several notebooks."""
    helpers: tuple[tuple[str, str], ...] = ()
    """(module as the notebook imports it, full name that it has now) of each helper module."""
    helper_files: tuple[str, ...] = ()
    """The helper modules' files, from the package's root."""
    helper_imports: tuple[str, ...] = ()
    """The root modules that the helper modules import, without themselves."""
    helper_texts: tuple[tuple[str, bytes, str], ...] = ()
    """(path below the folder that it is imported from, contents, path from the repository's root) of each of them; the
    last is empty where the notebook writes it itself."""
    made: tuple[str, ...] | None = ()
    """The files that other notebooks make and this one reads, from the repository's root; None: not known yet."""
    common_folders: tuple[str, ...] = ()
    """Folders that others write into too, from the repository's root: no stage has one as its own."""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that `emit` needs to know."""

    package: str
    """Its full dotted name: `lab.churn` for a notebook among others."""
    notebook: str
    stages: tuple[Stage, ...]
    constants: tuple[int, ...]
    shared_definitions: tuple[int, ...]
    """Definitions that stand once, in the shared module."""
    imports: tuple[tuple[str, str], ...]
    """(name, import statement that binds it)."""
    streams: tuple[str, ...]
    data_files: tuple[str, ...]
    """Files of the notebook's folder that the package needs, relative to the folder `root`."""
    root: str
    """The folder of the notebook that the working layout begins at, relative to the notebook's (`..`)."""
    cwd: str
    """The notebook's working folder, relative to `root`."""
    local_modules: tuple[tuple[str, bytes], ...]
    """(path in the package, contents) of each module of the notebook's own."""
    before_imports: tuple[int, ...] = ()
    """Settings that run before the package imports anything."""
    kept_imports: tuple[str, ...] = ()
    """Names whose import is kept, read or not, for what importing them does."""
    opening: tuple[str, ...] = ()
    """Modules of the notebook's own that open files when they are imported."""
    folders: tuple[str, ...] = ()
    """Folders that the notebook expects to be there, relative to `cwd`: git and DVC keep none that are empty."""
    brought: tuple[tuple[str, str], ...] = ()
    """(path on this machine, where its copy goes from the notebook's working folder), for data from elsewhere."""
    sections: tuple[PlannedSection, ...] = ()
    named_constants: tuple[PlannedConstant, ...] = ()
    overrides: Overrides = field(default=Overrides())
    moved: tuple[tuple[str, str], ...] = ()
    """(path from the notebook's working folder, path from the package's root) of each file that has another place."""
    downloads: tuple[tuple[str, str], ...] = ()
    """(URL, path from the package's root) of each file that the stage `fetch` downloads."""
    in_place: bool = False
    """The stages run in the package's root: no file is left that needs the notebook's working folder."""
    among: Place | None = None
    """Its place among the notebooks of a repository; None: it is alone."""
    diagnostics: tuple[Diagnostic, ...] = field(default=())

    @property
    def top(self) -> str:
        """The package that the runtime's modules are in."""
        return self.package.partition(".")[0]

    @property
    def folder(self) -> str:
        """Where the modules lie, from the package's root."""
        return self.package.replace(".", "/")

    @property
    def workspace(self) -> str:
        """The folder of the notebook's own layout, from the package's root."""
        return self.among.workspace if self.among is not None else WORKSPACE_FOLDER

    def as_json(self) -> dict[str, Any]:
        """The plan for machines."""
        return {
            "version": 1,
            "package": self.package,
            "notebook": self.notebook,
            "stages": [
                {
                    "name": s.name,
                    "title": s.title,
                    "kind": s.kind,
                    "reason": s.reason,
                    "statements": len(s.statements),
                    "inputs": list(s.inputs),
                    "outputs": list(s.outputs),
                    "reads_files": list(s.reads_files),
                    "writes_files": list(s.writes_files),
                    "metrics": [m.name for m in s.metrics],
                }
                for s in self.stages
            ],
            "sections": [{**asdict(s), "cells": list(s.cells)} for s in self.sections],
            "crossings": [
                {"from": a.stage, "to": s.name, "names": [n for n in a.names if n in s.inputs]}
                for s in self.stages
                for a in s.loads
            ],
            "constants": [{**asdict(c), "stages": list(c.stages)} for c in self.named_constants],
            "data_files": [*self.data_files, *(target for _, target in self.brought)],
            "diagnostics": [
                {"code": d.code, "severity": d.severity, "cell": d.cell, "line": d.line, "message": d.message}
                for d in self.diagnostics
            ],
        }

    def as_text(self) -> str:
        """The plan for people."""
        lines = [f"{self.notebook} -> package {self.package}, {_counted(len(self.stages), 'stage')}"]
        for s in self.stages:
            lines.append(f"\n{s.name}: {s.title}  ({_counted(len(s.statements), 'statement')}; {s.reason})")
            lines.append(f"  in:  {', '.join(s.inputs) or '-'}")
            lines.append(f"  out: {', '.join(s.outputs) or '-'}")
            metrics = tuple(m.name for m in s.metrics)
            used = tuple(f"{c.name} = {c.value}" for c in self.named_constants if c.stages and c.stages[0] == s.name)
            shown = (("reads", s.reads_files), ("writes", s.writes_files), ("constants", used), ("metrics", metrics))
            for label, names in shown:
                if names:
                    lines.append(f"  {label}: {', '.join(names)}")
        if self.data_files:
            lines.append("\ndata: " + ", ".join(self.data_files))
        lines.extend(str(d) for d in self.diagnostics)
        return "\n".join(lines)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
