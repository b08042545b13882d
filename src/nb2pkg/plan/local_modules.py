"""The notebook's own modules: beside it, or in a folder that it or they put on the module search path or change to.

They are copied to the package's root, from where `python -m` imports them, whatever `sys.path` says there. Those of
Python 2 are copied in Python 3.
"""

from __future__ import annotations

import ast
import io
import os
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.own_modules import OwnModules
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Notebook
from nb2pkg.plan.types import WORKSPACE_FOLDER
from nb2pkg.python2 import is_python3, upgraded_file
from nb2pkg.refactor.modernize import modern_module
from nb2pkg.refactor.module_files import lying_at

_SEARCHED = frozenset({"append", "insert", "extend", "chdir"})
"""Methods of `sys.path`, and the function of `os`, whose literal argument may be a folder with modules."""


@dataclass(frozen=True, slots=True)
class LocalFile:
    """A file of a module of the notebook's own."""

    target: str
    """Its path below the folder that it is imported from."""
    content: bytes
    source: Path | None
    """Where it lies; None: the notebook writes it."""
    told: tuple[Diagnostic, ...] = ()
    """What was doubted where it was Python 2."""


def own_modules(notebook: Notebook, program: Program, folder: Path, within: Path | None) -> tuple[LocalFile, ...]:
    """The files of the notebook's own modules, with those that it writes, as they are copied."""
    return local_files(
        program,
        folder,
        notebook.written_modules,
        within,
        is_python2=notebook.is_python2,
        is_modern=notebook.is_modern,
    )


def local_files(
    program: Program,
    folder: Path,
    written: Iterable[tuple[str, str]] = (),
    within: Path | None = None,
    *,
    is_python2: bool = False,
    is_modern: bool = False,
) -> tuple[LocalFile, ...]:
    """The files of the modules of its own that the notebook imports, and of those that they import.

    `written` are the files that the notebook writes itself: (path from `folder`, text). No module is taken from
    outside of `within`, links followed. `is_python2`: the notebook was, so its modules are. `is_modern`: it is
    written as libraries are now, so they are to be.
    """
    nodes: list[ast.AST] = [s.node for s in program.statements]
    texts = _texts(nodes)
    folders = list(dict.fromkeys([folder, *_folders(folder, texts)]))
    made = _made(written, ["", *texts])

    def find(root: str) -> dict[str, LocalFile]:
        name = f"{root}.py"
        if name in made:
            return {name: LocalFile(name, made[name], None)}
        for base in folders:
            there = [f for f in _files(base, root) if within is None or f.resolve().is_relative_to(within)]
            if there:
                paths = {f.relative_to(base).as_posix(): f for f in there}
                names = frozenset(paths)
                old = {target: _in_python3(target, f, names, is_python2) for target, f in paths.items()}
                return {target: _modern(file) if is_modern else file for target, file in old.items()}
        return {}

    found: dict[str, LocalFile] = {}
    known: set[str] = set()
    queue = nodes.copy()
    while queue:
        for root in _roots(queue.pop()):
            files = find(root) if root not in known else {}
            found |= files
            known |= {root} if files else set()
            for file in files.values():
                parsed = _parsed(file.content)
                queue += parsed
                bases = [folder, file.source.parent] if file.source else [folder]
                new = [f for base in bases for f in _folders(base, _texts(parsed)) if f not in folders]
                if new:  # what was looked for in vain may be there
                    folders += dict.fromkeys(new)
                    queue += nodes
    return tuple(file for _, file in sorted(found.items()))


def as_copied(files: Iterable[LocalFile], root: Path | None) -> tuple[tuple[str, bytes], ...]:
    """(path, content) of the files in the package, where the files in `root` lie in its workspace, if it has one."""
    return tuple((file.target, _beside_files(file, root) if root else file.content) for file in files)


def _beside_files(file: LocalFile, root: Path) -> bytes:
    place = _relative(file.source, root) if file.source else ".."
    if place.startswith(".."):
        return file.content
    return lying_at(file.content, file.target, f"{WORKSPACE_FOLDER}/{place}")


def looked_into(
    files: Iterable[tuple[str, bytes, Path | None]], folder: Path, names: Mapping[str, str] | None = None
) -> OwnModules:
    """Modules, as (path below the folder that they are imported from, content, where they lie), for an analysis of the
    notebook that runs in `folder`; `names`: see `OwnModules`."""
    placed = ((path, text, _relative(source, folder) if source else "") for path, text, source in files)
    return OwnModules.of(placed, names)


def _relative(path: Path, folder: Path) -> str:
    return PurePosixPath(os.path.relpath(path, folder)).as_posix()


def _in_python3(target: str, path: Path, together: frozenset[str], is_python2: bool) -> LocalFile:
    """A file as it is copied; `together` are the files of its package, which Python 2 imports by their bare names."""
    content = path.read_bytes()
    text, encoding = _text(content)
    if not encoding or (is_python3(text) and not is_python2):
        return LocalFile(target, content, path)
    folder = target.rpartition("/")[0]
    beside = {name.removeprefix(f"{folder}/").removesuffix("/__init__.py").removesuffix(".py") for name in together}
    siblings = frozenset(name for name in beside if "/" not in name and name != "__init__") if folder else frozenset()
    new, told = upgraded_file(text, target, siblings)
    return LocalFile(target, content if new == text else new.encode(encoding), path, told)


def _modern(file: LocalFile) -> LocalFile:
    """The file as libraries are now."""
    text, encoding = _text(file.content)
    if not encoding or not is_python3(text):
        return file
    new, told = modern_module(text, file.target, shipped())
    return replace(file, content=new.encode(encoding), told=(*file.told, *told)) if told else file


def _text(content: bytes) -> tuple[str, str]:
    """A module's text, and its encoding as it says itself; no encoding where it can't be read."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
        return content.decode(encoding).replace("\r\n", "\n"), encoding
    except (SyntaxError, UnicodeDecodeError, LookupError):
        return "", ""


def _made(written: Iterable[tuple[str, str]], folders: Iterable[str]) -> dict[str, bytes]:
    """The modules that the notebook writes, once, where it will look for them, by their name."""
    paths = [str(PurePosixPath(path)) for path, _ in written]
    places = {str(PurePosixPath(folder)) for folder in folders}
    return {
        PurePosixPath(path).name: text.encode()
        for path, (_, text) in zip(paths, written, strict=True)
        if path.endswith(".py") and paths.count(path) == 1 and str(PurePosixPath(path).parent) in places
    }


def _parsed(content: bytes) -> list[ast.AST]:
    try:
        return [ast.parse(content)]
    except (SyntaxError, ValueError):
        return []


def imported_roots(nodes: Iterable[ast.AST]) -> frozenset[str]:
    """The root modules that statements import, wherever in them."""
    return frozenset(root for node in nodes for root in _roots(node))


def imported_by(contents: Iterable[bytes]) -> frozenset[str]:
    """The root modules that these modules need: without those that they only try to import."""
    found: set[str] = set()
    for tree in (tree for content in contents for tree in _parsed(content)):
        tried = {id(part) for node in ast.walk(tree) if isinstance(node, ast.Try) for part in ast.walk(node)}
        found.update(root for part in ast.walk(tree) if id(part) not in tried for root in _roots_of(part))
    return frozenset(found)


def _roots(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        yield from _roots_of(part)


def _roots_of(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (a.name.split(".")[0] for a in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield node.module.split(".")[0]


def _files(base: Path, root: str) -> list[Path]:
    """The module, or all modules of the package with its `__init__.py` first."""
    if (base / f"{root}.py").is_file():
        return [base / f"{root}.py"]
    start = base / root / "__init__.py"
    return [start, *(p for p in sorted((base / root).rglob("*.py")) if p != start)] if start.is_file() else []


def _texts(nodes: Iterable[ast.AST]) -> list[str]:
    """What the notebook adds to the search path or goes to, as far as its literals say."""
    found: list[str] = []
    for node in nodes:
        for part in ast.walk(node):
            if not (isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)):
                continue
            if part.func.attr not in _SEARCHED or not {"path", "os"} & _words(part.func.value):
                continue
            strings = [c.value for a in part.args for c in ast.walk(a) if isinstance(c, ast.Constant)]
            texts = [text for text in strings if isinstance(text, str) and 0 < len(text) < 300]
            found += ["/".join(texts), *texts] if texts else []
    return list(dict.fromkeys(found))


def _words(node: ast.AST) -> set[str]:
    """The names of a dotted expression."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return names | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def _folders(base: Path, texts: Iterable[str]) -> Iterator[Path]:
    """Those of the texts that are folders, but for `base` itself."""
    for text in texts:
        try:
            path = (base / Path(text).expanduser()).resolve()
            if path.is_dir() and path != base.resolve():
                yield path
        except (OSError, ValueError, RuntimeError):
            continue
