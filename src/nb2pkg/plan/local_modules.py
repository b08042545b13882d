"""The notebook's own modules: beside it, or in a folder that it puts on the module search path or changes to.

They are copied to the package's root, from where `python -m` imports them, whatever `sys.path` says there.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

from nb2pkg.analyse import Program

_SEARCHED = frozenset({"append", "insert", "extend", "chdir"})
"""Methods of `sys.path`, and the function of `os`, whose literal argument may be a folder with modules."""


def local_modules(program: Program, folder: Path) -> tuple[tuple[str, Path], ...]:
    """(path in the package, file) of each module of its own that the notebook imports, and those that they import."""
    nodes = [s.node for s in program.statements]
    folders = [folder, *_search_path(nodes, folder)]
    queue: list[ast.AST] = [*nodes]
    found: dict[str, Path] = {}
    while queue:
        for root in _roots(queue.pop()):
            for base in folders:
                files = _files(base, root)
                if not files or files[0].relative_to(base).as_posix() in found:
                    continue
                for file in files:
                    found.setdefault(file.relative_to(base).as_posix(), file)
                    try:
                        queue.append(ast.parse(file.read_text(encoding="utf-8")))
                    except (SyntaxError, ValueError, OSError):
                        continue
                break
    return tuple(sorted(found.items()))


def _roots(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            yield from (a.name.split(".")[0] for a in part.names)
        elif isinstance(part, ast.ImportFrom) and part.module and not part.level:
            yield part.module.split(".")[0]


def _files(base: Path, root: str) -> list[Path]:
    """The module, or all modules of the package with its `__init__.py` first."""
    if (base / f"{root}.py").is_file():
        return [base / f"{root}.py"]
    start = base / root / "__init__.py"
    return [start, *(p for p in sorted((base / root).rglob("*.py")) if p != start)] if start.is_file() else []


def _search_path(nodes: Iterable[ast.AST], folder: Path) -> list[Path]:
    """The folders that the notebook adds to the search path or goes to, as far as its literals say."""
    found: list[Path] = []
    for node in nodes:
        for part in ast.walk(node):
            if not (isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute)):
                continue
            if part.func.attr not in _SEARCHED or not {"path", "os"} & _words(part.func.value):
                continue
            strings = [c.value for a in part.args for c in ast.walk(a) if isinstance(c, ast.Constant)]
            texts = [text for text in strings if isinstance(text, str) and len(text) < 300]
            for text in ("/".join(texts), *texts):
                found += _folder(folder, text)
    return [path for path in dict.fromkeys(found) if path != folder.resolve()]


def _words(node: ast.AST) -> set[str]:
    """The names of a dotted expression."""
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return names | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)}


def _folder(base: Path, text: str) -> list[Path]:
    try:
        path = (base / Path(text).expanduser()).resolve()
        return [path] if text and path.is_dir() else []
    except (OSError, ValueError, RuntimeError):
        return []
