"""Where each file of a notebook goes in the package: `data/raw/`, `models/`, `data/processed/`, `reports/`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.program import FileUse, Statement
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.plan.moves import RAW, Move, Stays
from nb2pkg.refactor.resolve import Resolver

_INPUT_FOLDERS = frozenset({"data", "dataset", "datasets", "input", "inputs", "raw"})
"""What the folder of the inputs is called, whose name would say nothing beside `data/raw`."""
_DATA_ROOTS = frozenset({"pandas", "numpy", "builtins", "collections", "polars"})


def raw_places(inputs: dict[str, Path | None]) -> Iterator[Move]:
    """`data/raw/` and the name, with as many folders before it as tell it from the others."""
    folders = [path for path, there in inputs.items() if there is not None and there.is_dir()]
    whole = [path for path in inputs if not any(path.startswith(f"{folder}/") for folder in folders)]
    short = {p: _without(p, _INPUT_FOLDERS) for p in whole}
    for path, there in inputs.items():
        owner = path if path in short else next(o for o in whole if path.startswith(f"{o}/"))
        alone = sum(name == short[owner] for name in short.values()) == 1
        target = short[owner] if alone else "/".join(part for part in owner.split("/") if part != "..")
        yield Move(path, f"{RAW}/{target}{path[len(owner) :]}", there if owner == path else None)


def _without(path: str, folders: frozenset[str]) -> str:
    parts = [part for part in path.split("/") if part != ".."]
    while len(parts) > 1 and parts[0].lower() in folders:
        parts.pop(0)
    return "/".join(parts)


def made_places(
    outputs: dict[str, list[tuple[Statement, FileUse]]], program: Program, knowledge: KnowledgeBase
) -> Iterator[Move]:
    """Models to `models/`, figures and texts to `reports/`, the rest to `data/processed/`."""
    folders = {p for p in outputs if any(o.startswith(f"{p}/") for o in outputs) or not PurePosixPath(p).suffix}
    roots = {p: _root(p, uses, program, knowledge) for p, uses in outputs.items() if p not in folders}
    taken: dict[str, str] = {}
    for path in outputs:
        owner = next((f for f in sorted(folders) if path == f or path.startswith(f"{f}/")), None)
        inside = [roots[p] for p in roots if owner is not None and p.startswith(f"{owner}/")]
        root = (inside[0] if inside else "data/processed") if owner is not None else roots[path]
        parts = [part for part in path.split("/") if part != ".."]
        tail = "/".join(parts)
        for own in (root, root.rpartition("/")[2], root.partition("/")[0]):
            if owner is None and tail.startswith(f"{own}/"):
                tail = tail[len(own) + 1 :]
        target = f"{root}/{tail}"
        if taken.setdefault(target, path) != path:
            target = f"{root}/{'/'.join(parts)}"
            if taken.setdefault(target, path) != path:
                raise Stays(f"{path} and {taken[target]} would be one file")
        yield Move(path, target)


def _root(
    path: str, uses: list[tuple[Statement, FileUse]], program: Program, knowledge: KnowledgeBase
) -> str:
    found = knowledge.folder_of(path)
    if found == "models" and all(_is_data(s, u, program, knowledge) for s, u in uses if u.writes):
        return "data/processed"
    return found or "data/processed"


def _is_data(statement: Statement, use: FileUse, program: Program, knowledge: KnowledgeBase) -> bool:
    """Whether what is pickled is a frame, an array or a container of such, as far as can be seen."""
    env = program.environments[statement.index]
    for node in ast.walk(statement.node):
        if not isinstance(node, ast.Call):
            continue
        for _, fact in Resolver(statement.index, program, knowledge).meanings(node):
            if fact is None or not (fact.artifacts or fact.writes_file):
                continue
            if fact.artifacts == "save_pandas":
                return True
            if node.args and isinstance(node.args[0], ast.Name):
                objects = [program.heap[o] for o in env.get(node.args[0].id, frozenset())]
                types = {o.type.partition(".")[0] for o in objects}
                return bool(types) and types <= _DATA_ROOTS
            if node.args and isinstance(node.args[0], ast.Dict | ast.List | ast.Tuple | ast.Set):
                return True
    return False
