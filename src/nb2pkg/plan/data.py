"""The files and folders beside the notebook that the package needs."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.program import FileUse
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.manifest import MANIFEST
from nb2pkg.notebook import Notebook

MAX_FOLDER_FILES = 2_000



def normal_path(path: str) -> str:
    """The path with `/` alone, without `.` and without `..` that leads back."""
    parts: list[str] = []
    for part in path.replace("\\", "/").split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def data_files(
    notebook: Notebook,
    program: Program,
    cwd: Path | None,
    brought: set[str],
    diagnostics: list[Diagnostic],
    top: Path | None = None,
    made: tuple[str, ...] = (),
) -> tuple[tuple[str, ...], str, str]:
    """The files that the notebook needs, relative to the root of its working layout: to `top`, where there is one,
    which holds the notebook and outside of which nothing is taken. The files `made` by others, from `top`, are not."""
    base = (cwd or notebook.folder).resolve()
    uses = [f for s in program.statements for f in s.effects.files]
    texts = {
        n.value
        for s in program.statements
        for n in ast.walk(s.node)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and 0 < len(n.value) < 300 and "\n" not in n.value
    }
    named = {f.path for f in uses if f.path} | texts
    wanted: set[Path] = set()
    outside: set[Path] = set()
    others = {top / name for name in made} if top is not None else set()
    for text in sorted(named):
        if text.startswith(("/", "~")) or "://" in text or not re.search(r"[\w.]", text) or text in (".", ".."):
            continue
        try:
            path = (base / text).resolve()
            if path.is_file() and path.suffix != ".ipynb":
                wanted.add(path)
            elif path.is_dir() and path != base and base not in (path, *()) and path not in base.parents:
                wanted.update(files_below(path))
        except (OSError, ValueError):
            continue
    if top is not None:
        wanted = {path for path in wanted - others if top in path.parents}
    for path in wanted:
        if base not in path.parents:
            outside.add(path)
    written = {normal_path(f.path) for f in uses if f.path and f.writes}
    for statement in program.statements:
        for use in statement.effects.files:
            if use.path is None:
                continue
            path = base / use.path
            if use.writes or _is_many(use) or normal_path(use.path) in written | brought or _made(path, others):
                continue
            if not path.expanduser().exists():
                diagnostics.append(
                    Diagnostic(
                        "N401",
                        f"{use.path} is read but is not there: put it at this path before `dvc repro`",
                        statement.cell,
                        use.line,
                    )
                )
    unknown = any("?" in s.effects.draws for s in program.statements)
    if unknown or any(f.path is None or _is_many(f) for f in uses):
        wanted.update(p for p in files_below(base) if p.suffix not in (".ipynb", ".py"))
    root = base if top is None else top
    for path in sorted(outside):
        while root not in path.parents:
            root = root.parent
    files = tuple(sorted(PurePosixPath(p.relative_to(root)).as_posix() for p in wanted))
    depth = len(base.relative_to(root).parts)
    return files, "/".join([".."] * depth) or ".", PurePosixPath(base.relative_to(root)).as_posix()


def _is_many(use: FileUse) -> bool:
    """Whether a path that is read stands for files that it does not name: a pattern, or the working folder."""
    return not use.writes and re.fullmatch(r"\./?|.*[*?\[].*", use.path or "", re.DOTALL) is not None


def _made(path: Path, others: set[Path]) -> bool:
    """Whether it is one of the files, or a folder that holds one."""
    if not others:
        return False
    whole = Path(os.path.normpath(path))
    return whole in others or any(whole in other.parents for other in others)


def expected_folders(notebook: Notebook, program: Program, cwd: Path | None) -> tuple[str, ...]:
    """The folders beside the notebook that it names, or writes into: they may hold nothing that is copied."""
    base = (cwd or notebook.folder).resolve()
    uses = [f for s in program.statements for f in s.effects.files if f.writes]
    named = {str(PurePosixPath(normal_path(f.path)).parent) for f in uses if f.path} | {
        normal_path(n.value)
        for s in program.statements
        for n in ast.walk(s.node)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and 0 < len(n.value) < 300 and "\n" not in n.value
    }
    if any(f.path is None for f in uses):
        below = (here / name for here, folders, _ in _walk(base) for name in folders)
        named |= {p.relative_to(base).as_posix() for p in islice(below, MAX_FOLDER_FILES) if not p.is_symlink()}
    found: set[str] = set()
    for text in named:
        parts = PurePosixPath(text).parts
        with suppress(OSError, ValueError):
            if parts and parts[0] not in ("/", "~") and not text.startswith(".") and (base / text).is_dir():
                found.add(text)
    return tuple(sorted(f for f in found if not any(o.startswith(f + "/") for o in found)))


def files_below(folder: Path) -> list[Path]:
    """The files in a folder, sorted; none where they are very many."""
    found: list[Path] = []
    for here, _, names in _walk(folder):
        found += (path for path in (here / name for name in names) if path.is_file() and not path.is_symlink())
        if len(found) > MAX_FOLDER_FILES:
            return []
    return sorted(found)


def _walk(folder: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    """(folder, its folders, its files) as `os.walk` has them: nothing that is hidden, no environment, and no package
    that was written here before."""
    for above, folders, names in os.walk(folder):
        here = Path(above)
        seen = sorted(name for name in folders if not name.startswith(".") and name != "__pycache__")
        folders[:] = [name for name in seen if not _is_made(here / name)]
        yield here, folders, [name for name in names if not name.startswith(".")]


def _is_made(folder: Path) -> bool:
    """Whether a tool has made the folder whole: a package of nb2pkg, a virtual environment."""
    return (folder / MANIFEST).exists() or (folder / "pyvenv.cfg").exists()
