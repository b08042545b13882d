"""Where secrets are beside the cells' literals: in the modules beside the notebook, and in what is made of them.

What goes in here: taking them out of the copies of these modules, and the names whose values may not be stored.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from nb2pkg.analyse import Program
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Cell, Notebook, Secret
from nb2pkg.refactor.secrets import masked_file, without_secrets

_TEXT_METHODS = frozenset(str.split("encode decode strip lstrip rstrip format join replace lower upper removeprefix"))
_TEXT_FUNCTIONS = frozenset(str.split("str bytes dict list tuple set repr"))


def modules_without_secrets(
    modules: Iterable[tuple[str, bytes]], known: tuple[Secret, ...], knowledge: KnowledgeBase
) -> tuple[tuple[tuple[str, bytes], ...], tuple[Secret, ...], tuple[Diagnostic, ...]]:
    """The modules (path, contents) without secrets, all secrets with the `known` ones, and what is told of it."""
    made: list[tuple[str, bytes]] = []
    told: list[Diagnostic] = []
    for path, content in modules:
        cleaned, secrets, count = _without_secrets(content, known, knowledge)
        made.append((path, cleaned))
        if cleaned != content:
            names = ", ".join(s.name for s in secrets if s not in known) or "the notebook's own"
            where = f", in {count} places" if count > 1 else ""
            message = f"a secret of {path}{where} is taken from the environment in the package's copy: {names}"
            told.append(Diagnostic("N803", message))
        known = secrets
    return tuple(made), known, tuple(told)


def _without_secrets(
    content: bytes, known: tuple[Secret, ...], knowledge: KnowledgeBase
) -> tuple[bytes, tuple[Secret, ...], int]:
    """A module's contents without secrets, all secrets, and how many literals held one."""
    try:
        text = content.decode("utf-8")
        ast.parse(text)
        code = text
    except (UnicodeDecodeError, SyntaxError, ValueError):
        text, code = content.decode("latin-1"), ""
    cell = Cell(index=0, id="", kind="code" if code else "markdown", source=text, code=code)
    notebook, told = without_secrets(Notebook("", Path(), (cell,)), knowledge, known, inline=False)
    if not notebook.secrets:
        return content, known, 0
    if not code:  # no Python of today: it is masked, and does not run in the package
        return masked_file(content, notebook.secrets), notebook.secrets, len(told)
    return _with_os(notebook.cells[0].code).encode(), notebook.secrets, len(told)


def _with_os(text: str) -> str:
    """The module's text with `import os` before all that may need it."""
    tree = ast.parse(text)
    names = [alias for node in tree.body if isinstance(node, ast.Import) for alias in node.names]
    if any(alias.name == "os" and not alias.asname for alias in names) or "os.environ" not in text:
        return text
    after = 0
    for place, node in enumerate(tree.body):
        is_doc = place == 0 and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
        if not is_doc and not (isinstance(node, ast.ImportFrom) and node.module == "__future__"):
            break
        after = node.end_lineno or 0
    lines = text.split("\n")
    return "\n".join([*lines[:after], "import os", *lines[after:]])


def names_with_secrets(program: Program, secrets: tuple[Secret, ...]) -> frozenset[str]:
    """The names whose values hold a secret, or may: they are no data that a stage may store."""
    if not secrets:
        return frozenset()
    variables = {secret.name for secret in secrets}
    names: set[str] = set()
    while True:
        before = len(names)
        for statement in program.statements:
            match statement.node:
                case ast.Assign(value=value) | ast.AugAssign(value=value) | ast.AnnAssign(value=ast.expr() as value):
                    if _holds(value, names, variables):
                        names |= statement.effects.binds | statement.effects.mutates
                case ast.Expr(value=ast.Call(args=args, keywords=keywords)):
                    if any(_holds(a, names, variables) for a in (*args, *(k.value for k in keywords))):
                        names |= statement.effects.mutates
                case _:
                    pass
        if len(names) == before:
            return frozenset(names)


def _holds(node: ast.expr, names: set[str], variables: set[str]) -> bool:
    """Whether the value may hold a secret: it is one, a text or container of one, or an object that is given one."""
    match node:
        case ast.Name(id=name):
            return name in names
        case ast.Subscript(value=ast.Attribute(attr="environ"), slice=ast.Constant(value=name)):
            return name in variables
        case ast.Subscript(value=owner):
            return _holds(owner, names, variables)
        case ast.Call(func=func, args=args, keywords=keywords):
            given = [*args, *(k.value for k in keywords)]
            match func:
                case ast.Attribute(attr=name, value=owner) if name in _TEXT_METHODS:
                    given.append(owner)
                case ast.Name(id=name) if name in _TEXT_FUNCTIONS or name[:1].isupper():
                    pass
                case ast.Attribute(attr=name) if name[:1].isupper():
                    pass
                case _:
                    return False
            return any(_holds(each, names, variables) for each in given)
        case ast.BinOp() | ast.BoolOp() | ast.IfExp() | ast.JoinedStr() | ast.FormattedValue() | ast.Starred():
            pass
        case ast.Dict() | ast.List() | ast.Tuple() | ast.Set():
            pass
        case _:
            return False
    return any(_holds(part, names, variables) for part in ast.iter_child_nodes(node) if isinstance(part, ast.expr))
