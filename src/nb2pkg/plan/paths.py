"""Paths that mean something on one machine only: absolute ones, those from home, of Kaggle, of Colab, or of Windows.

A literal that names such a file is pointed at the copy that the package has: at the file below the notebook's folder
that ends like it, else at a copy of what is there. What is nowhere stays as it is, and is told when data is looked for.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path, PurePath, PurePosixPath, PureWindowsPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.edits import Edit, edit_of, edited
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.notebook import Notebook

FOLDER = "data"
_NO_DATA = frozenset({"dev", "proc", "sys", "etc", "run"})
"""Where files of the system lie, which no notebook's data is among."""


@dataclass(frozen=True, slots=True)
class Brought:
    """A file or folder from elsewhere on this machine, and where it goes from the notebook's working folder."""

    source: Path
    target: str


def point_at_copies(
    notebook: Notebook, program: Program, base: Path
) -> tuple[Notebook, tuple[Brought, ...], tuple[Diagnostic, ...]]:
    """The notebook with its literals rewritten, what has to be copied for them, and what was done.

    `base` is the folder that the notebook runs in.
    """
    uses = [(s.cell, f) for s in program.statements for f in s.effects.files]
    arguments = {id(f.argument) for _, f in uses}
    written = {f.path: (cell, f.line) for cell, f in uses if f.writes and f.path}
    brought: dict[str, Brought] = {}
    edits: dict[int, list[Edit]] = {}
    told = [
        Diagnostic("N404", f"{path} is written outside the package, where DVC does not look", *place)
        for path, place in written.items()
        if path.startswith(("/", "~")) or _is_windows(path)
    ]
    for statement in program.statements:
        for node in _strings(statement.node):
            text = str(node.value)
            there = _there(text, base)
            if text in written or (there is not None and not text.startswith(("/", "~"))):
                continue
            if there is None:
                new, how = _tail_below(text, base), "the file beside the notebook that ends like it"
            elif not is_only(program, text, arguments):
                message = f"{text} stays: it is not only the name of a file that is opened, and is on this machine only"
                told.append(Diagnostic("N403", message, statement.cell, node.lineno))
                continue
            elif base in there.parents:
                new, how = there.relative_to(base).as_posix(), "the same file"
            else:
                brought.setdefault(text, Brought(there, _target(there, base, brought.values())))
                new, how = brought[text].target, "a copy of it"
            if new is not None:
                edits.setdefault(statement.cell, []).append(edit_of(node, repr(new)))
                message = f"{text} is read from {new}, {how}"
                told.append(Diagnostic("N402", message, statement.cell, node.lineno, "info"))
    if not edits:
        return notebook, (), tuple(told)
    cells = tuple(replace(c, code=edited(c.code, edits.get(c.index, ()))) for c in notebook.cells)
    return replace(notebook, cells=cells), tuple(brought.values()), tuple(told)


def _strings(node: ast.AST) -> list[ast.Constant]:
    """The string literals that may be whole paths of one machine, those inside f-strings left out."""
    inside = {id(part) for f in ast.walk(node) if isinstance(f, ast.JoinedStr) for part in ast.walk(f)}
    return [
        part
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str) and id(part) not in inside
        if len(part.value) < 300 and "\n" not in part.value and "://" not in part.value
        if part.value.startswith(("/", "~", "../", "..\\")) or _is_windows(part.value)
    ]


def _is_windows(text: str) -> bool:
    return re.match(r"[A-Za-z]:[\\/]\w", text) is not None


def _there(text: str, base: Path) -> Path | None:
    """The data file or folder that the path leads to on this machine."""
    try:
        path = Path(text).expanduser()
        if path.is_absolute() and (len(path.parts) < 3 or path.parts[1] in _NO_DATA):
            return None
        whole = (base / path).resolve()
        return whole if whole.is_file() or whole.is_dir() else None
    except (OSError, ValueError, RuntimeError):
        return None


def _tail_below(text: str, base: Path) -> str | None:
    """The longest end of a path that leads nowhere which is below the notebook's folder."""
    path: PurePath = PureWindowsPath(text) if _is_windows(text) or "\\" in text else PurePosixPath(text)
    parts = [part for part in path.parts if part not in (path.anchor, "..", "~")]
    for start in range(len(parts)):
        tail = PurePosixPath(*parts[start:])
        try:
            if (base / tail).is_file() or (len(path.parts) > 2 and (base / tail).is_dir()):
                return tail.as_posix()
        except (OSError, ValueError):
            return None
    return None


def is_only(program: Program, text: str, arguments: set[int]) -> bool:
    """Whether the text is nothing but the argument of calls that open it: it is not printed, joined or compared.

    It may be bound to a name, once, that is no more than that either.
    """
    names: set[str] = set()
    for statement in program.statements:
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Constant) and node.value == text and id(node) not in arguments:
                match statement.node:
                    case ast.Assign(targets=[ast.Name(id=name)], value=value) if value is node:
                        names.add(name)
                    case _:
                        return False
    if names & program.bound_often:
        return False
    read = (part for s in program.statements for part in ast.walk(s.node) if isinstance(part, ast.Name))
    return all(id(part) in arguments for part in read if part.id in names and isinstance(part.ctx, ast.Load))


def _target(source: Path, base: Path, others: Iterable[Brought]) -> str:
    """A path for the copy that no other file has: with as many folders before its name as that needs."""
    taken = {each.target for each in others}
    parts = source.parts[1:]
    for count in range(1, len(parts)):
        target = "/".join((FOLDER, *parts[-count:]))
        if target not in taken and not (base / target).exists():
            return target
    return "/".join((FOLDER, *parts))
