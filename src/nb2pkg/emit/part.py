"""What one notebook brings to a package: its modules, stages and data, before the files around them are written.

A package of one notebook has one part, that of a repository as many as it has notebooks.
"""

from __future__ import annotations

from dataclasses import dataclass

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit.project import DvcStage, ReadmeStage
from nb2pkg.emit.tree import Copy


@dataclass(frozen=True, slots=True)
class Part:
    """A notebook as modules and stages. All paths are posix, from the package's root."""

    package: str
    """The full dotted name of the package that its modules are in."""
    notebook: str
    """The notebook's name without its ending."""
    python: str
    """The Python version that it recorded; empty for none."""
    code_cells: int
    modules: tuple[tuple[str, str], ...]
    """(path, text) of each module, formatted, and of the smoke test."""
    stages: tuple[DvcStage, ...]
    shown_stages: tuple[ReadmeStage, ...]
    copies: tuple[Copy, ...]
    requirements: tuple[str, ...]
    beside: tuple[tuple[str, bytes], ...]
    """(path, contents) of each module of the notebook's own that lies beside the package."""
    kept: tuple[tuple[str, bytes], ...]
    """(path, contents) of the notebook that verify runs, first; of the notebook itself where that is another; and of
    what it runs."""
    runtime: tuple[str, ...]
    """The modules of the runtime that it needs."""
    templates: tuple[tuple[str, bytes], ...]
    """(path, contents) of each template of its plots."""
    folders: tuple[str, ...]
    """Folders that have to be there before the first stage starts."""
    as_of: str = ""
    """The day whose packages it wants; empty: those that are pinned."""
    cwd: str = "."
    """The folder that stands for the notebook's working folder."""
    expected: tuple[str, ...] = ()
    """Folders that the notebook expects to find, from its working folder."""
    upgraded: bool = False
    """What is kept to be run, or something that it runs, is not what it was, which does not run today."""
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(folder, the variables in it) of what the stages save for each other."""
    secrets: tuple[str, ...] = ()
    """Variables of the environment that its stages read."""
    constants: int = 0
    """How many stand in its `const.py`."""
    measured: bool = False
    """Its stages log scores."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Of the plan and of the emission."""
