"""What modules that act (`acting.py`) mean for the notebook that imports them: its statements seed and set what these
do, and those that use one that is to be imported once stay in one stage."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import replace

from nb2pkg.analyse import Program
from nb2pkg.analyse.program import Statement
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.plan.acting import Acting, ActingFunction

_CHANGING = frozenset(
    str.split(
        "add append appendleft clear discard extend extendleft fit fit_transform insert partial_fit pop popitem "
        "popleft remove reverse rotate seed setdefault shuffle sort subtract update"
    )
)
"""Methods that change what they are called on."""


def imports_of(program: Program, acting: Acting) -> tuple[int, ...]:
    """The statements that import the module, or something of it."""
    return tuple(
        s.index
        for s in program.statements
        if any(_is_of(name, acting.module) for part in ast.walk(s.node) for name in _full_names(part))
    )


def _full_names(node: ast.AST) -> list[str]:
    """The full names that an import statement names: `from a.b import c` may mean the module a.b.c."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


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
