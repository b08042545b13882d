"""`const.py`, and which of its constants a stage depends on."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterable, Mapping

from nb2pkg.emit.format import LINE_LENGTH
from nb2pkg.emit.source import Module, Source
from nb2pkg.emit.stages import setting_stages
from nb2pkg.emit.text import docstring, global_names, split_comments
from nb2pkg.plan.types import Stage

UNUSED = "not used by a stage"
MOST_USERS = 3
"""How many other stages the comment of a constant names."""


def constants_module(source: Source) -> Module | None:
    """`const.py`: by the stage that uses them first, in the notebook's order.

    DVC's editor needs a number or boolean on one line as `repr` writes it, which is Black's form of it too.
    """
    users = {index: names for index, names in _users(source).items() if index not in _elsewhere(source)}
    if not users:
        return None
    order = {stage.name: place for place, stage in enumerate(source.plan.stages)}
    statements = source.program.statements
    first = {index: names[0] if names else UNUSED for index, names in users.items()}
    lines = [docstring("Constants of the notebook: literals that DVC reads and edits")]
    group = ""
    for index in sorted(users, key=lambda i: (order.get(first[i], len(order)), statements[i].cell, i)):
        if first[index] != group:
            group = first[index]
            lines += ["", f"# -- {group} ".ljust(80, "-"), ""]
        comments, code = split_comments(statements[index].text)
        code, use = _split_use(code)
        note = f"cell {source.notebook.own(statements[index].cell) + 1}{': ' if use else ''}{use}"
        others = users[index][1:]
        if others:
            more = f" and {len(others) - MOST_USERS} more" if len(others) > MOST_USERS else ""
            note += f"; also {', '.join(others[:MOST_USERS])}{more}"
        beside = f"{code}  # {note}"
        lines += [*comments, beside if "\n" not in code and len(beside) <= LINE_LENGTH else f"# {note}\n{code}"]
    return Module("const", "\n".join(lines) + "\n")


def _elsewhere(source: Source) -> set[int]:
    """The constants that several notebooks have in common, which stand in another module."""
    names = dict(source.plan.among.shared) if source.plan.among is not None else {}
    return {index for name, index in source.constants.items() if name in names}


def parameters(source: Source, stage: Stage, modules: Mapping[str, Module], imported: Iterable[str]) -> frozenset[str]:
    """What DVC compares for a stage: the constants of its own module and of those that it imports.

    Of the definitions and settings that stages share, only those count that the stage runs, or that run when they are
    imported.
    """
    shared = {source.shared_module, "settings", "const"}
    texts = [modules[name].text for name in {stage.name, *imported} - shared if name in modules]
    reached = definitions_run(source, stage)
    statements = source.program.statements
    used = frozenset[str]().union(*(constants_in(source, text) for text in texts))
    if "settings" in imported:
        used |= constants_in(source, _settings_run(source, stage, modules["settings"].text))
    if reached or source.shared_module in imported:
        for name, index in source.shared.items():
            statement = statements[index]
            whole = name in reached
            used |= constants_in(source, statement.text) if whole else _at_import(source, statement.node)
    return frozenset(name for name in used if "." not in name or name.partition(".")[0] not in used)


def constants_in(source: Source, text: str) -> frozenset[str]:
    """The constants that code reads; of a class of settings, the attributes."""
    if not any(name in text for name in source.constants):
        return frozenset()
    return _named(source, ast.walk(ast.parse(text)), global_names(text))


def definitions_run(source: Source, stage: Stage) -> frozenset[str]:
    """The shared functions and classes that a stage may run: those that it names, those whose objects it loads, and
    what these name."""
    if not source.shared:
        return frozenset()
    program = source.program
    statements = program.statements
    run = (*stage.earlier_settings, *stage.local_definitions, *stage.statements)
    names = set[str]().union(*(global_names(statements[i].text) | statements[i].effects.calls for i in run))
    owners = {id(part): name for name, index in source.shared.items() for part in ast.walk(statements[index].node)}
    first = min(stage.statements, default=0)
    before = program.environments[first - 1] if first else {}
    for number in program.heap.reach(o for name in stage.inputs for o in before.get(name, ())):
        obj = program.heap[number]
        kinds = [obj, *([program.heap[obj.cls]] if obj.cls is not None else [])]
        names |= {owners[id(each.node)] for each in kinds if id(each.node) in owners}
    queue = [name for name in names if name in source.shared]
    reached = set(queue)
    while queue:
        more = global_names(statements[source.shared[queue.pop()]].text) & source.shared.keys() - reached
        reached |= more
        queue += more
    return frozenset(reached)


def _settings_run(source: Source, stage: Stage, text: str) -> str:
    """The functions of the module of settings that the stage calls."""
    called = {f"from_{origin.name}" for origin in setting_stages(source, stage)}
    functions = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and node.name in called]
    return "\n".join(ast.unparse(function) for function in functions)


def _at_import(source: Source, node: ast.AST) -> frozenset[str]:
    """The constants that a definition reads when its module is imported: in defaults, decorators, a class's body."""
    found: list[ast.AST] = []
    queue = [node]
    while queue:
        part = queue.pop()
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
            queue += [*part.decorator_list, part.args, *([part.returns] if part.returns else [])]
        elif isinstance(part, ast.Lambda):
            queue.append(part.args)
        else:
            found.append(part)
            queue += ast.iter_child_nodes(part)
    return _named(source, found, source.constants.keys())


def _named(source: Source, nodes: Iterable[ast.AST], names: Collection[str]) -> frozenset[str]:
    """Those of the constants `names` that are among the nodes of some code."""
    used: set[str] = set()
    attributes: dict[int, str] = {}
    for part in nodes:  # what holds a name comes before it
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            attributes[id(part.value)] = f"{part.value.id}.{part.attr}"
        elif isinstance(part, ast.Name) and part.id in source.constants and part.id in names:
            node = source.program.statements[source.constants[part.id]].node
            used.add(attributes.get(id(part), part.id) if isinstance(node, ast.ClassDef) else part.id)
    return frozenset(used)


def _users(source: Source) -> dict[int, list[str]]:
    """For each constant, the stages whose code mentions it, in order."""
    statements = source.program.statements
    inside = {name: global_names(statements[index].text) for name, index in source.shared.items()}
    found: dict[int, list[str]] = {index: [] for index in source.plan.constants}
    for stage in source.plan.stages:
        names: set[str] = set()
        for index in (*stage.earlier_settings, *stage.local_definitions, *stage.statements):
            names |= global_names(statements[index].text)
        queue = list(names)
        while queue:
            more = inside.get(queue.pop(), frozenset()) - names
            names |= more
            queue.extend(more)
        for name, index in source.constants.items():
            if name in names:
                found[index].append(stage.name)
    return found


def _split_use(code: str) -> tuple[str, str]:
    """A statement and the words of the comment at its end."""
    end = ast.parse(code).body[0]
    lines = code.split("\n")[: end.end_lineno]
    last = lines[-1].encode()
    comment = last[end.end_col_offset :].decode().strip()
    return "\n".join([*lines[:-1], last[: end.end_col_offset].decode()]), comment.lstrip("# ")
