"""Copies whose target is a folder: `shutil.copy("a.csv", "shared")` and `!mv a.csv shared` write `shared/a.csv`, where
there is such a folder beside the notebook, or the notebook has made it before. The text of the call does not tell."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.program import FileUse, Statement
from nb2pkg.plan.data import normal_path
from nb2pkg.plan.moves import given

_COPYING = frozenset({"shutil.copy", "shutil.copy2", "shutil.move"})


def with_copies_into_folders(program: Program, base: Path) -> Program:
    """The program whose copies into folders name the file that they write; `base` is the folder that it runs in."""
    made: set[str] = set()
    statements: list[Statement] = []
    for statement in program.statements:
        targets, folders = _arguments(program, statement)
        files: list[FileUse] = []
        for use in statement.effects.files:
            if use.path and id(use.argument) in folders:
                made.add(normal_path(use.path))
            is_target = use.writes and not use.removes and (use.argument is None or id(use.argument) in targets)
            names = _sources(statement.effects.files) if is_target and _is_folder(use, made, base) else []
            files += (replace(use, path=f"{use.path}/{name}", argument=None) for name in names)
            files += [] if names else [use]
        effects = replace(statement.effects, files=tuple(files))
        statements.append(replace(statement, effects=effects) if effects != statement.effects else statement)
    return replace(program, statements=tuple(statements))


def _arguments(program: Program, statement: Statement) -> tuple[set[int], set[int]]:
    """The targets of copies, and what is given to calls that make a folder."""
    targets: set[int] = set()
    folders: set[int] = set()
    for node in ast.walk(statement.node):
        for name, fact in program.resolved_calls.get(node, ()) if isinstance(node, ast.Call) else ():
            assert isinstance(node, ast.Call)
            if name in _COPYING:
                targets |= {id(a) for a in (*node.args[1:2], *(k.value for k in node.keywords if k.arg == "dst"))}
            if fact is not None and fact.makes_folder:
                folders |= {id(argument) for argument in given(node)}
    return targets, folders


def _sources(files: Iterable[FileUse]) -> list[str]:
    return [PurePosixPath(use.path).name for use in files if use.path and not use.writes]


def _is_folder(use: FileUse, made: set[str], base: Path) -> bool:
    if not use.path or normal_path(use.path) in made:
        return bool(use.path)
    try:
        return (base / use.path).is_dir()
    except (OSError, ValueError):
        return False
