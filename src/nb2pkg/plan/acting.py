"""Modules of the notebook's own that do more than define things: what a second process would do again, or never know.

A stage imports the modules that it uses. Most can be imported any number of times; not one that prints when it is
imported, or counts what it was asked for, or seeds. What is asked of here is a module's text, read by the notebook's
own analysis: its statements, and then a call of each of its functions, which shows what they change outside of
themselves. What that means for a notebook is in `acting_uses.py`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nb2pkg.analyse import Program, analyse
from nb2pkg.analyse.program import Statement
from nb2pkg.analyse.scopes import bound_names
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Cell, Notebook
from nb2pkg.plan.local_modules import imported_roots

_GIVEN = "nb2pkg_given"
"""What functions are called with: an object of which nothing is known."""
_MANY = 400
"""So many functions of one module are called; one that has more is taken for a library, which keeps to itself."""


@dataclass(frozen=True, slots=True)
class ActingFunction:
    """A function of a module, or a method of its classes, that acts on the process when it is called."""

    name: str
    seeds: tuple[str, ...] = ()
    """The random streams that it sets."""
    sets: bool = False
    """It changes settings of a library."""
    only_sets: bool = False
    """It does nothing else, so that it may be called again."""
    is_method: bool = False


@dataclass(frozen=True, slots=True)
class Acting:
    """A module under the name that it is imported by, and what it does past defining things."""

    module: str
    once: str = ""
    """Why it has to be imported once, where the notebook does it, and used in that stage alone; empty: it need not."""
    hands_out: bool = False
    """It has classes, or functions in functions: what it gives may use it later."""
    seeds: tuple[str, ...] = ()
    """The random streams that importing it sets."""
    draws: tuple[str, ...] = ()
    """The random streams that importing it draws from, and the counters that it moves on."""
    sets: bool = False
    """Importing it changes settings of a library."""
    functions: tuple[ActingFunction, ...] = ()
    kept: tuple[str, ...] = ()
    """The variables of the module that hold what can change."""


def acting_modules(files: Iterable[tuple[str, bytes]], knowledge: KnowledgeBase) -> tuple[Acting, ...]:
    """Those of a notebook's own modules that act, or hold what the notebook can change. `files` are all of them, by
    their path below where they are imported from; one that imports another that acts does too. Text that is no Python
    acts on nothing."""
    trees: dict[str, list[ast.Module]] = {}
    for path, content in sorted(files):
        tree = _parsed(content) if path.endswith(".py") else None
        if tree is not None:
            trees.setdefault(path.split("/")[0].removesuffix(".py"), []).append(tree)
    found = {root: _acting(root, own, knowledge) for root, own in trees.items()}
    uses = {root: imported_roots(own) & trees.keys() for root, own in trees.items()}
    for _ in trees:
        for root in trees:
            for other in sorted(uses[root] - {root}):
                found[root] = _importing(found[root], found[other])
    return tuple(each for _, each in sorted(found.items()) if each != Acting(each.module, hands_out=each.hands_out))


def _importing(own: Acting, other: Acting) -> Acting:
    return replace(
        own,
        once=own.once or other.once,
        hands_out=own.hands_out or other.hands_out,
        seeds=tuple(sorted({*own.seeds, *other.seeds})),
        draws=tuple(sorted({*own.draws, *other.draws})),
        sets=own.sets or other.sets,
        functions=tuple(dict.fromkeys((*own.functions, *other.functions))),
        kept=tuple(sorted({*own.kept, *other.kept})),
    )


def _parsed(content: bytes) -> ast.Module | None:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return None


# -- one module ----------------------------------------------------------------------------------------------------


def _acting(root: str, trees: Iterable[ast.Module], knowledge: KnowledgeBase) -> Acting:
    once = ""
    own: list[Statement] = []
    bodies = [[node for node in tree.body if not _is_main(node)] for tree in trees]
    functions = [(body, each) for body in bodies for each in _functions(body)]
    for body in bodies:
        statements = _analysed([ast.unparse(ast.Module(body, []))], knowledge).statements
        once = once or _once(statements)
        own += statements
    found: dict[str, ActingFunction] = {}
    for body, each in functions if len(functions) <= _MANY else ():
        program = _analysed([*_around(body, each), each.call], knowledge)
        called = program.statements[-1]
        once = once or _changed(program, called, each)
        effects = called.effects
        is_set = bool(called.repeats or effects.lasting)
        if effects.seeds or is_set:
            only_sets = called.kind == "setting"
            found[each.name] = ActingFunction(
                each.name, tuple(sorted(effects.seeds)), is_set, only_sets, each.is_method
            )
    return Acting(
        root,
        once,
        any(map(_hands_out, bodies)),
        tuple(sorted({stream for s in own for stream in s.effects.seeds})),
        tuple(sorted({stream for s in own for stream in s.effects.draws if stream != "?"})),
        any(s.repeats or s.effects.lasting for s in own),
        _with_callers(found, [each for _, each in functions]),
        tuple(sorted({name for body in bodies for name in _kept(body)})),
    )


@dataclass(frozen=True, slots=True)
class _Function:
    """A function or method by itself: what it calls of its module is not looked into from it."""

    name: str
    text: str
    call: str
    mentioned: frozenset[str]
    is_method: bool = False


def _functions(body: Iterable[ast.stmt]) -> Iterator[_Function]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            text = ast.unparse(_plain(node))
            yield _Function(node.name, text, f"{node.name}({_arguments(node.args, 0)})", _words(node))
        elif isinstance(node, ast.ClassDef):
            own = [each for each in node.body if not isinstance(each, ast.FunctionDef)]
            methods = [each for each in node.body if isinstance(each, ast.FunctionDef)]
            made = [each for each in methods if each.name == "__init__"][:1]
            new = f"{node.name}({_arguments(made[0].args, 1) if made else ''})"
            for each in methods:
                is_static = "staticmethod" in map(ast.unparse, each.decorator_list)
                alone = ast.ClassDef(node.name, [], [], [*own, *(m for m in made if m is not each), each], [])
                call = new if each in made else f"{new}.{each.name}({_arguments(each.args, 0 if is_static else 1)})"
                name = node.name if each in made else each.name
                yield _Function(
                    name, ast.unparse(ast.fix_missing_locations(alone)), call, _words(each), each not in made
                )
        elif isinstance(node, ast.If | ast.Try | ast.With):
            yield from _functions(node.body)
            yield from _functions(getattr(node, "orelse", []))


def _plain(node: ast.FunctionDef) -> ast.FunctionDef:
    """The function without its decorators, of which nothing is known: a cache of results is no state that matters."""
    return ast.FunctionDef(node.name, node.args, node.body, [], node.returns, lineno=node.lineno, col_offset=0)


def _words(node: ast.AST) -> frozenset[str]:
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    return frozenset(names | {part.attr for part in ast.walk(node) if isinstance(part, ast.Attribute)})


def _around(body: Iterable[ast.stmt], function: _Function) -> list[str]:
    """What a function stands on: the module's imports, the variables that it mentions, and itself."""
    kept: list[ast.stmt] = []
    for node in body:
        is_assigned = isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign)
        needed = is_assigned and bool(bound_names([node]).names & function.mentioned)
        if needed or isinstance(node, ast.Import | ast.ImportFrom):
            kept.append(node)
    given = f"import {_GIVEN}_from\n{_GIVEN} = {_GIVEN}_from.value()"
    return [ast.unparse(ast.Module(kept, [])), function.text, given]


def _with_callers(found: dict[str, ActingFunction], functions: list[_Function]) -> tuple[ActingFunction, ...]:
    """The functions that act, with those that call them."""
    grown = True
    while grown:
        grown = False
        for each in functions:
            if each.name not in found and (called := sorted(each.mentioned & found.keys())):
                streams = {stream for name in called for stream in found[name].seeds}
                sets = any(found[name].sets for name in called)
                found[each.name] = ActingFunction(each.name, tuple(sorted(streams)), sets, False, each.is_method)
                grown = True
    return tuple(found[name] for name in sorted(found))


def _analysed(cells: list[str], knowledge: KnowledgeBase) -> Program:
    made = tuple(Cell(place, str(place), "code", text, text) for place, text in enumerate(cells))
    return analyse(Notebook("module", Path("."), made), knowledge)


def _is_main(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":`, which no import runs."""
    return isinstance(node, ast.If) and isinstance(node.test, ast.Compare) and "__name__" in ast.unparse(node.test)


def _hands_out(body: list[ast.stmt]) -> bool:
    inner = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Yield, ast.YieldFrom)
    for node in body:
        for part in ast.walk(node):
            if isinstance(part, ast.ClassDef) or (part is not node and isinstance(part, inner)):
                return True
    return False


def _arguments(given: ast.arguments, bound: int) -> str:
    """Something unknown for each argument that a call has to give."""
    positional = [*given.posonlyargs, *given.args][bound:]
    named = [f"{a.arg}={_GIVEN}" for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True) if d is None]
    return ", ".join([_GIVEN] * len(positional) + named)


def _once(statements: Iterable[Statement]) -> str:
    for each in statements:
        effects = each.effects
        if effects.prints or effects.plots:
            return "it prints or plots when it is imported"
        if any(use.writes and not use.removes for use in effects.files) and "exist_ok" not in each.text:
            return "it writes files when it is imported"
    return ""


def _changed(program: Program, called: Statement, function: _Function) -> str:
    """What a call of the function changes of what its module keeps, as a reason; a library's object of a type that
    nobody knows keeps to itself."""
    known = program.environments[-1]
    for name in sorted((called.effects.mutates | called.effects.binds) - {function.name, _GIVEN}):
        objects = [program.heap[number] for number in known.get(name, ())]
        is_kept = any(
            each.type if each.kind == "value" else each.kind == "class" and _is_kept_in(each.node) for each in objects
        )
        if is_kept or name in called.effects.binds:
            return f"{function.name} changes its {name}"
    return ""


def _is_kept_in(node: ast.AST | None) -> bool:
    """Whether a class keeps something for all its objects: an attribute that can change, or is set on the class."""
    body = node.body if isinstance(node, ast.ClassDef) else []
    return any(_kept(body)) or any(
        isinstance(part, ast.Attribute)
        and isinstance(part.ctx, ast.Store)
        and ast.unparse(part.value) in ("cls", "type(self)", "self.__class__", getattr(node, "name", ""))
        for each in body
        for part in ast.walk(each)
    )


def _kept(body: Iterable[ast.stmt]) -> Iterator[str]:
    """The variables of a module that hold a list, a dict, a set, or what a call gives."""
    holding = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp, ast.Call)
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, holding):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            yield from (target.id for target in targets if isinstance(target, ast.Name))
