"""What has to happen before the package's modules import anything: Python runs the package's `__init__.py` first.

Two kinds: the environment that later imports read, and imports that matter for what importing them does. Settings
that no import reads stay in their stages.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterable, Mapping

from nb2pkg.analyse import Program
from nb2pkg.analyse.program import Statement
from nb2pkg.analyse.scopes import BUILTINS
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.plan.acting import Acting


def set_before_imports(
    program: Program, knowledge: KnowledgeBase, imports: Mapping[str, str], hoisted: Iterable[int]
) -> tuple[int, ...]:
    """The settings that an import after them may read, and that nothing before them can notice."""
    last = max((i for i in hoisted if _is_third_party(program.statements[i].node)), default=-1)
    found: list[int] = []
    noticed: set[str] = set()
    for statement in program.statements[: last + 1]:
        reads = statement.effects.reads - BUILTINS
        if (
            statement.kind == "setting"
            and not statement.displayed
            and all(name in imports and _root(imports[name]) in sys.stdlib_module_names for name in reads)
            and not reads & noticed
            and _is_read_by_imports(statement, knowledge, imports)
        ):
            found.append(statement.index)
        elif statement.kind != "import":
            noticed |= {part.id for part in ast.walk(statement.node) if isinstance(part, ast.Name)}
    return tuple(found)


def imports_with_effects(
    program: Program, knowledge: KnowledgeBase, imports: Mapping[str, str], acting: Iterable[Acting] = ()
) -> tuple[str, ...]:
    """The names whose import changes what others do: known to, or not known and bound to a name nobody reads. What is
    known of the notebook's own modules (`acting`) happens where they are imported."""
    own = {each.module for each in acting}
    mentioned = {p.id for s in program.statements for p in ast.walk(s.node) if isinstance(p, ast.Name)}
    strings = {
        p.value for s in program.statements for p in ast.walk(s.node) if isinstance(p, ast.Constant)
        if isinstance(p.value, str)
    }
    found: list[str] = []
    for name, line in imports.items():
        module = _module(line)
        effect = knowledge.import_effect(module)
        adds = knowledge.import_adds(module)
        if effect is None:
            effect = name not in mentioned and _root(line) not in sys.stdlib_module_names
        elif adds:
            effect = bool(adds & strings)
        if effect and _root(line) != "__future__" and not any(f"{module}.".startswith(f"{o}.") for o in own):
            found.append(name)
    return tuple(found)


def _is_read_by_imports(statement: Statement, knowledge: KnowledgeBase, imports: Mapping[str, str]) -> bool:
    match statement.node:
        case ast.Expr(value=ast.Call(func=function)):
            name = _qualified(function, imports)
        case ast.Assign(targets=[ast.Subscript(value=base)]):
            name = _qualified(base, imports) + ".__setitem__"
        case _:
            return False
    fact = knowledge.call(name)
    return fact is not None and fact.before_imports


def _qualified(node: ast.expr, imports: Mapping[str, str]) -> str:
    match node:
        case ast.Name(id=name) if name in imports:
            return _module(imports[name])
        case ast.Attribute(value=base, attr=attribute):
            return f"{_qualified(base, imports)}.{attribute}"
        case _:
            return ""


def _module(line: str) -> str:
    """What an import statement of one name refers to: `numpy.random` of `from numpy import random as r`."""
    node = ast.parse(line).body[0]
    if isinstance(node, ast.ImportFrom):
        return f"{node.module or ''}.{node.names[0].name}"
    assert isinstance(node, ast.Import)
    return node.names[0].name


def _root(line: str) -> str:
    return _module(line).partition(".")[0]


def _is_third_party(node: ast.stmt) -> bool:
    if isinstance(node, ast.Import):
        return any(a.name.split(".")[0] not in sys.stdlib_module_names for a in node.names)
    return isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] not in sys.stdlib_module_names
