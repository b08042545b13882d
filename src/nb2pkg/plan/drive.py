"""Google Drive, where it is the place at which the notebooks of a repository meet: its paths lead to the folder
`drive/` of the repository's layout.

What a notebook writes there, and what it reads there that another one makes. All else is `paths.py`'s.
"""

from __future__ import annotations

import ast
import os
import re
from dataclasses import replace
from pathlib import Path

from nb2pkg.analyse import Program
from nb2pkg.analyse.edits import Edit, edit_of, edited
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.notebook import Notebook
from nb2pkg.plan.paths import is_only

FOLDER = "drive"
_DRIVE = re.compile(r"(?:/content/)?g?drive/(?:MyDrive|My Drive|Shareddrives/[^/]+)/(?P<rest>.+)")
"""Where Colab mounts it, as its own snippets have it."""


def on_drive(text: str) -> str:
    """The path from the repository's root that stands for a path on Drive; empty where it is none."""
    match = _DRIVE.fullmatch(text)
    rest = os.path.normpath(match["rest"]) if match else ".."
    return "" if rest.startswith("..") else f"{FOLDER}/{rest}"


def folders_on_drive(program: Program) -> tuple[str, ...]:
    """The folders on Drive that the program, with its paths below `FOLDER`, writes into, as it names them."""
    paths = (f.path for s in program.statements for f in s.effects.files if f.path and f.writes)
    inside = re.compile(rf"(?:\.\./)*{FOLDER}/.+/[^/]+")
    return tuple(sorted({path.rpartition("/")[0] for path in paths if inside.fullmatch(path)}))


def meet_on_drive(
    notebook: Notebook, program: Program, base: Path, root: Path, made: tuple[str, ...] | None
) -> tuple[Notebook, tuple[Diagnostic, ...]]:
    """The notebook, which runs in `base`, with its paths on Drive below `root`, and what was done.

    `made` are the files of others, from `root`; None: nobody knows them yet, so that any may be one.
    """
    uses = [f for s in program.statements for f in s.effects.files if f.path]
    written = {f.path for f in uses if f.writes}
    arguments = {id(f.argument) for f in uses}
    edits: dict[int, list[Edit]] = {}
    told: list[Diagnostic] = []
    for statement in program.statements:
        for node in ast.walk(statement.node):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
                continue
            place = on_drive(node.value)
            if not place or not (made is None or node.value in written or place in made):
                continue
            if is_only(program, node.value, arguments):
                new = Path(os.path.relpath(root / place, base)).as_posix()
                edits.setdefault(statement.cell, []).append(edit_of(node, repr(new)))
                message = f"{node.value} is {new}: the notebooks of the repository meet there"
                told.append(Diagnostic("N410", message, statement.cell, node.lineno, "info"))
    if not edits:
        return notebook, ()
    cells = tuple(replace(c, code=edited(c.code, edits.get(c.index, ()))) for c in notebook.cells)
    return replace(notebook, cells=cells), tuple(told)
