"""Which expression of a call is the argument that a fact of the knowledge base names."""

from __future__ import annotations

import ast


def keyword_of(node: ast.Call, name: str) -> ast.expr | None:
    """The argument given by this name."""
    return next((k.value for k in node.keywords if k.arg == name), None)


def argument_of(node: ast.Call, parameter: str) -> ast.expr | None:
    """The argument given at this place or by this name; `0|path` is either."""
    for part in parameter.split("|"):
        if part.isdigit():
            if int(part) < len(node.args):
                return node.args[int(part)]
        else:
            found = keyword_of(node, part)
            if found is not None:
                return found
    return None
