"""Modules that find files by where they lie themselves: `os.path.dirname(__file__)`.

The files are below `workspace/`, as they lay beside the module, and the module is not; so it is told where it lay:

    __file__ = os.path.abspath(os.path.join(os.path.dirname(__file__), "workspace/src/tools.py"))

Only `__file__` in its own text: what asks another module for it (`tools.__file__`) gets the same.
"""

from __future__ import annotations

import ast
from codecs import BOM_UTF8
from pathlib import PurePosixPath

from nb2pkg.analyse.own_modules import FILE

OS = "_os"
"""What the module calls `os` for it."""


def asks_for_its_file(content: bytes) -> bool:
    """Whether a module's text reads its own `__file__`."""
    tree = _parsed(content) if FILE.encode() in content else None
    return tree is not None and any(isinstance(part, ast.Name) and part.id == FILE for part in ast.walk(tree))


def lying_at(content: bytes, target: str, place: str) -> bytes:
    """The text of a module whose `__file__` is `place`, where its file is `target`: both posix paths from the package's
    root. One that does not ask for it, or of which nothing can be known, stays as it is."""
    tree = _parsed(content) if asks_for_its_file(content) else None
    if tree is None:
        return content
    head = _head(tree)
    after = tree.body[head - 1].end_lineno or 0 if head else 0
    first = tree.body[head]
    line = min([first.lineno, *(each.lineno for each in getattr(first, "decorator_list", ()))])
    if line <= after:  # both in one line
        return content
    mark = BOM_UTF8 if content.startswith(BOM_UTF8) else b""
    lines = content.removeprefix(mark).split(b"\n")
    end = b"\r" if lines[0].endswith(b"\r") else b""
    up = "../" * (len(PurePosixPath(target).parts) - 1)
    path = f'{OS}.path.abspath({OS}.path.join({OS}.path.dirname({FILE}), "{up}{place}"))'
    new = [f"import os as {OS}", "", f"{FILE} = {path}  # beside its files", ""]
    return mark + b"\n".join([*lines[: line - 1], *(text.encode() + end for text in new), *lines[line - 1 :]])


def _head(tree: ast.Module) -> int:
    """How many statements have to be the first: the docstring, and imports from `__future__`."""
    count = 0
    for node in tree.body:
        text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        if not (count == 0 and text) and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        count += 1
    return count


def _parsed(content: bytes) -> ast.Module | None:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return None
