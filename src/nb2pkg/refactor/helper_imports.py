"""Imports of the helper modules beside a notebook, where these are modules of the package now.

    import tools as t             →    from lab import tools as t
    from tools.text import *      →    from lab.tools.text import *
    import tools.text             →    import lab.tools.text; from lab import tools

What goes in here: the import statements of a text, wherever they stand. A module that is named in a string is not
followed.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Mapping
from dataclasses import replace

from nb2pkg.analyse.edits import Edit, edit_of, edited
from nb2pkg.notebook import Notebook


def with_helpers(notebook: Notebook, helpers: Mapping[str, str]) -> Notebook:
    """The notebook that imports each helper by the full name that it has in the package."""
    if not helpers:
        return notebook
    cells = tuple(replace(c, code=mended(c.code, helpers)) if c.code else c for c in notebook.cells)
    return replace(notebook, cells=cells)


def mended(text: str, helpers: Mapping[str, str]) -> str:
    """The text with its imports of helpers (root module → full name) mended; text that can't be parsed stays."""
    if not any(name in text for name in helpers):
        return text
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a module's invalid escapes are not our user's concern
            tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return text
    edits: list[Edit] = []
    for node in ast.walk(tree):
        match node:
            case ast.ImportFrom(module=str(module), level=0) if module.partition(".")[0] in helpers:
                new = ast.ImportFrom(_renamed(module, helpers), node.names, 0)
                edits.append(edit_of(node, ast.unparse(new)))
            case ast.Import(names=names) if any(a.name.partition(".")[0] in helpers for a in names):
                edits.append(edit_of(node, "; ".join(part for a in names for part in _plain(a, helpers))))
    return edited(text, edits) if edits else text


def _renamed(module: str, helpers: Mapping[str, str]) -> str:
    root, dot, rest = module.partition(".")
    return helpers[root] + dot + rest


def _plain(alias: ast.alias, helpers: Mapping[str, str]) -> list[str]:
    """The statements in the place of one `import a.b as c`."""
    root, _, rest = alias.name.partition(".")
    if root not in helpers:
        return [ast.unparse(ast.Import([alias]))]
    parent, _, name = _renamed(alias.name if alias.asname else root, helpers).rpartition(".")
    bound = alias.asname or root
    own = f"from {parent} import {name}" + (f" as {bound}" if bound != name else "")
    return [f"import {_renamed(alias.name, helpers)}", own] if rest and not alias.asname else [own]
