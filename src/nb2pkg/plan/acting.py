"""Modules of the notebook's own that do more than define things: what a second process would do again, or never know.

A stage imports the modules that it uses. Most can be imported any number of times; not one that prints when it is
imported, or counts what it was asked for, or seeds. What is asked of here is a module's text, read by the notebook's
own analysis: its statements, and then a call of each of its functions, which shows what they change outside of
themselves. What comes out is put into the notebook's statements that import them, or call such a function.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from nb2pkg.analyse import Program, analyse
from nb2pkg.analyse.program import Statement
from nb2pkg.analyse.scopes import bound_names
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Cell, Notebook

_GIVEN = "nb2pkg_given"
"""What functions are called with: an object of which nothing is known."""
_MANY = 400
"""So many functions of one module are called; one that has more is taken for a library, which keeps to itself."""
_CHANGING = frozenset(
    str.split(
        "add append appendleft clear discard extend extendleft fit fit_transform insert partial_fit pop popitem "
        "popleft remove reverse rotate seed setdefault shuffle sort subtract update"
    )
)
"""Methods that change what they are called on."""


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
    uses = {root: {name for tree in own for name in _roots(tree)} & trees.keys() for root, own in trees.items()}
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


def _roots(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        yield from (name.partition(".")[0] for name in _imported(node))


def _imported(node: ast.AST) -> list[str]:
    """The full names that an import statement names: `from a.b import c` may mean the module a.b.c."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


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


# -- in the notebook -----------------------------------------------------------------------------------------------


def imports_of(program: Program, acting: Acting) -> tuple[int, ...]:
    """The statements that import the module, or something of it."""
    return tuple(
        s.index
        for s in program.statements
        if any(_is_of(name, acting.module) for part in ast.walk(s.node) for name in _imported(part))
    )


def _is_of(name: str, module: str) -> bool:
    return f"{name}.".startswith(f"{module}.")


def with_modules(program: Program, modules: Iterable[Acting]) -> tuple[Program, tuple[Acting, ...]]:
    """The program whose statements seed and set what importing these modules, and calling their functions, does; and
    those of the modules that it imports. The imports of one that is to be imported once are not like any other."""
    found: list[Acting] = []
    for acting in modules:
        imports = imports_of(program, acting)
        if imports:
            again = acting.sets and any(s.repeats for s in program.statements[: imports[0]])
            once = acting.once or ("its import sets again what was set before it" if again else "")
            once = once or _changed_here(program, acting, imports)
            found.append(replace(acting, once=once))
            program = _with_calls(_with_imports(program, found[-1], imports), acting, imports)
    return program, tuple(found)


def _with_imports(program: Program, acting: Acting, imports: Iterable[int]) -> Program:
    statements = list(program.statements)
    stars = program.stars
    first = True
    for index in imports:
        statement = statements[index]
        node = statement.node
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        effects = statement.effects
        if acting.once:
            statement = replace(statement, kind="compute")
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and (acting.once or acting.sets):
            stars = tuple(star for star in stars if star != statement.text)
            effects = replace(effects, lasting=acting.once or "its import changes settings")
            statement = replace(statement, kind="compute", text=f"exec({ast.unparse(node)!r}, globals())")
        elif first and acting.sets:
            statement = replace(statement, repeats=(f"__import__({acting.module!r})",))
        if first:
            effects = replace(effects, seeds=effects.seeds.union(acting.seeds), draws=effects.draws.union(acting.draws))
        statements[index] = replace(statement, effects=effects)
        first = False
    return replace(program, statements=tuple(statements), stars=stars)


def _with_calls(program: Program, acting: Acting, imports: tuple[int, ...]) -> Program:
    functions = {each.name: each for each in acting.functions}
    if not functions:
        return program
    local = _local_names(program, imports)
    names = {here: functions[name] for here, name in local if name in functions}
    own = {name for name, each in functions.items() if not each.is_method}
    bases = {here for here, name in local if not name}
    if any(name == "*" for _, name in local):
        names |= {name: functions[name] for name in own if name not in names}
    statements = list(program.statements)
    for statement in program.statements[imports[0] :]:
        found: list[ActingFunction] = []
        for part in ast.walk(statement.node):
            if isinstance(part, ast.Name) and part.id in names:
                found.append(names[part.id])
            elif isinstance(part, ast.Attribute) and part.attr in functions:
                called = functions[part.attr]
                of_module = isinstance(part.value, ast.Name) and part.value.id in bases
                found += [called] if called.is_method or of_module else []
        if statement.kind == "import" or not found:
            continue
        if statement.kind == "definition":
            names |= {name: replace(found[0], only_sets=False) for name in statement.effects.binds}
            continue
        statements[statement.index] = _calling(statement, found)
    return replace(program, statements=tuple(statements))


def _changed_here(program: Program, acting: Acting, imports: Iterable[int]) -> str:
    """What the notebook changes of what the module holds, as a reason."""
    local = _local_names(program, imports)
    modules = {name for name, own in local if not own}
    variables = {name for name, own in local if own in acting.kept}
    variables |= set(acting.kept) if any(own == "*" for _, own in local) else set()
    for statement in program.statements:
        for part in ast.walk(statement.node):
            match part:
                case ast.Call(func=ast.Attribute(value=value, attr=method)) if method in _CHANGING:
                    root, attributes = _chain(value)
                    held = set(attributes) & set(acting.kept) if root in modules else {root} & variables
                    if held:
                        return f"the notebook changes its {held.pop()}"
    return ""


def _chain(node: ast.expr) -> tuple[str, list[str]]:
    """The name that attributes and items are taken of, and the attributes."""
    attributes: list[str] = []
    while isinstance(node, ast.Attribute | ast.Subscript):
        if isinstance(node, ast.Attribute):
            attributes.append(node.attr)
        node = node.value
    return (node.id if isinstance(node, ast.Name) else ""), attributes


def _local_names(program: Program, imports: Iterable[int]) -> list[tuple[str, str]]:
    """(name in the notebook, name in the module) of what these statements import; a module has no name in itself."""
    found: list[tuple[str, str]] = []
    for index in imports:
        for node in ast.walk(program.statements[index].node):
            if isinstance(node, ast.Import):
                found += ((a.asname or a.name.partition(".")[0], "") for a in node.names)
            elif isinstance(node, ast.ImportFrom):
                found += ((a.asname or a.name, a.name) for a in node.names)
                found += ((a.asname or a.name, "") for a in node.names)  # it may be a module of a package
    return found


def _calling(statement: Statement, called: list[ActingFunction]) -> Statement:
    """A statement that may call these functions."""
    effects = statement.effects
    effects = replace(effects, seeds=effects.seeds.union(*(each.seeds for each in called)))
    setting = next((each for each in called if each.sets), None)
    if setting is None:
        return replace(statement, effects=effects)
    is_call = isinstance(statement.node, ast.Expr) and isinstance(statement.node.value, ast.Call)
    if is_call and len(called) == 1 and setting.only_sets:
        return replace(statement, effects=effects, repeats=(statement.text,))
    lasting = effects.lasting or f"{setting.name} changes settings, beside what else it does"
    return replace(statement, effects=replace(effects, lasting=lasting))


def in_place(program: Program, modules: Iterable[Acting]) -> frozenset[int]:
    """The imports that stay where they are, for what importing does."""
    return frozenset(
        index
        for acting in modules
        if acting.seeds or acting.draws or acting.sets
        for index in imports_of(program, acting)[:1]
        if isinstance(program.statements[index].node, ast.Import | ast.ImportFrom)
    )


def acts(statement: Statement) -> bool:
    """Whether an import that stays in its place is there for what importing does."""
    effects = statement.effects
    return statement.kind != "import" or bool(statement.repeats or effects.seeds or effects.draws)


def span_of(program: Program, acting: Acting) -> tuple[int, int] | None:
    """The statements, first and last, from the module's first import to the last that may use what it keeps."""
    imports = imports_of(program, acting)
    if not imports:
        return None
    names: set[str] = set()
    last = imports[0]
    for statement in program.statements[imports[0] :]:
        effects = statement.effects
        mentioned = {p.id for p in ast.walk(statement.node) if isinstance(p, ast.Name)}
        if statement.index in imports:
            names |= effects.binds
        elif names & (mentioned | effects.reads | effects.calls):
            if statement.kind == "definition":
                names |= effects.binds
                continue
            given = {n for n in effects.binds | effects.mutates if _may_use(program, statement, n, acting.hands_out)}
            names |= given
        elif not any(star.startswith(f"from {acting.module}") for star in program.stars):
            continue
        last = statement.index
    return imports[0], last


def _may_use(program: Program, statement: Statement, name: str, hands_out: bool) -> bool:
    """Whether what a name is bound to may be something of the module, or, where it hands out such, an object that uses
    it: one whose type nobody knows."""
    value = statement.node.value if isinstance(statement.node, ast.Assign | ast.AnnAssign) else None
    if isinstance(value, ast.Name | ast.Attribute):
        return True
    reached = map(program.heap.__getitem__, program.heap.reach(program.environments[statement.index].get(name, ())))
    return any(each.kind != "value" or (hands_out and not each.type) for each in reached)


def joined_by_modules(
    program: Program, cuts: tuple[int, ...], modules: Iterable[Acting], diagnostics: list[Diagnostic]
) -> tuple[int, ...]:
    """No cut while a module is used that has to be imported once."""
    for acting in modules:
        span = span_of(program, acting) if acting.once else None
        if span is None:
            continue
        kept = tuple(cut for cut in cuts if not span[0] < cut <= span[1])
        if kept != cuts:
            statement = program.statements[span[0]]
            message = f"what uses the module {acting.module} stays in one stage: {acting.once}"
            diagnostics.append(Diagnostic("N311", message, statement.cell, statement.node.lineno, "info"))
        cuts = kept
    return cuts
