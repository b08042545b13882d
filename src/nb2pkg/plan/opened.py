"""Whether the paths of a notebook are nothing but the names of files that are opened, so that a file may move.

What goes in here: the obligation. A path that is shown, joined, compared, or given back is a reason to move nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from nb2pkg.analyse import Program
from nb2pkg.analyse.program import Statement
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.plan.data import files_below, normal_path
from nb2pkg.plan.moves import Move, Parts, Stays, given
from nb2pkg.refactor.resolve import Resolver


def results_to_tell(
    program: Program, parts: Parts, knowledge: KnowledgeBase
) -> tuple[tuple[ast.Call, str, str], ...]:
    """The calls that have to be told the path that they give back; raises Stays where the path of a file is shown by
    what has opened it."""
    telling: list[tuple[ast.Call, str, str]] = []
    arguments = {id(f.argument) for s in program.statements for f in s.effects.files if f.argument is not None}
    handles: set[str] = set()
    for statement, nodes in parts:
        handles |= {name for node in nodes for name in _bound_to_files(node, arguments)}
        telling += _result_is_silent(statement, nodes, program, knowledge, arguments)
    for statement, nodes in parts:
        for node in nodes:
            match node:
                case ast.Attribute(value=ast.Name(id=name), attr="name") if name in handles:
                    raise Stays("an open file is asked for its name", statement.cell, node.lineno)
                case ast.Attribute(value=ast.Call() as call, attr="name") if arguments & set(map(id, given(call))):
                    raise Stays("an open file is asked for its name", statement.cell, node.lineno)
                case ast.Call(func=ast.Name(id="print" | "display" | "repr" | "str"), args=args) if any(
                    isinstance(a, ast.Name) and a.id in handles for a in args
                ):
                    raise Stays("an open file is shown", statement.cell, node.lineno)
                case _:
                    pass
    return tuple(telling)


def _result_is_silent(
    statement: Statement, nodes: tuple[ast.AST, ...], program: Program, knowledge: KnowledgeBase, arguments: set[int]
) -> Iterator[tuple[ast.Call, str, str]]:
    """No call gives back the path that it was given, but for those that can be told another."""
    if not statement.effects.files:
        return
    paths = {id(f.argument): f.path for f in statement.effects.files}
    dropped = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    if statement.displayed and isinstance(statement.node, ast.Expr):
        dropped.discard(id(statement.node.value))
    for node in nodes:
        if not isinstance(node, ast.Call) or not any(id(a) in arguments for a in given(node)):
            continue
        facts = [f for _, f in Resolver(statement.index, program, knowledge).meanings(node) if f is not None]
        if any(f.tells_path for f in facts) and id(node) not in dropped:
            path = next((p for a in given(node) if (p := paths.get(id(a)))), None)
            if path is not None and len({f.told_by for f in facts}) == 1 and facts[0].told_by:
                yield node, facts[0].told_by, path
                continue
            raise Stays("the result of a call tells the path", statement.cell, node.lineno)
        if any(f.mode for f in facts) and isinstance(statement.node, ast.Expr) and statement.node.value is node:
            raise Stays("an open file is shown", statement.cell, node.lineno)


def _bound_to_files(node: ast.AST, arguments: set[int]) -> Iterator[str]:
    """The names that open files get."""
    match node:
        case ast.withitem(context_expr=ast.Call() as call, optional_vars=ast.Name(id=name)):
            pass
        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Call() as call):
            pass
        case _:
            return
    if isinstance(call.func, ast.Name | ast.Attribute) and any(id(a) in arguments for a in given(call)):
        last = call.func.id if isinstance(call.func, ast.Name) else call.func.attr
        if last == "open":
            yield name


def first_unknown(program: Program) -> Statement | None:
    """The first statement with a call of which nothing is known."""
    return next((s for s in program.statements if "?" in s.effects.draws), None)


def nothing_else_is_opened(
    program: Program,
    parts: Parts,
    base: Path,
    moves: tuple[Move, ...],
    knowledge: KnowledgeBase,
    arguments: frozenset[int],
) -> None:
    """No text that is no part of an argument names a file, where a call may open it of which nothing is known."""
    first = first_unknown(program)
    if first is None:
        return
    known = {m.original for m in moves}
    for statement, nodes in parts:
        calls = [n for n in nodes if isinstance(n, ast.Call)]
        printed = {id(a) for c in calls if isinstance(c.func, ast.Name) and c.func.id == "print" for a in c.args}
        for call in calls:
            facts = [f for _, f in program.resolved_calls.get(call, ())]
            types = [knowledge.type(f.returns) if f is not None else None for f in facts]
            if types and all(t is not None and not t.beside for t in types):
                printed |= {id(a) for a in call.args}  # the name of what a library keeps
        for node in nodes:
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or not 0 < len(node.value) < 200:
                continue
            text = node.value
            if id(node) in arguments or id(node) in printed or "\n" in text or normal_path(text) in known:
                continue
            if knowledge.is_file_name(text) or (text.strip("./ ") and _exists(base, text)):
                message = f"{text!r} may be a file, which a call opens that is not known"
                raise Stays(message, statement.cell, node.lineno)
    sources = {m.source for m in moves}
    for path in files_below(base):
        if path not in sources and path.suffix not in (".ipynb", ".py", ".md"):
            message = f"a call that is not known may open {path.name}"
            raise Stays(message, first.cell, first.node.lineno)


def _exists(base: Path, text: str) -> bool:
    try:
        return (base / text).exists()
    except (OSError, ValueError):
        return False
