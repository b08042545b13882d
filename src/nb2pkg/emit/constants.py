"""`const.py`, and which of its constants a stage depends on."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nb2pkg.emit.format import LINE_LENGTH
from nb2pkg.emit.source import Module, Source
from nb2pkg.emit.text import docstring, global_names, split_comments

UNUSED = "not used by a stage"


def constants_module(source: Source) -> Module | None:
    """`const.py`: by the stage that uses them first, in the notebook's order.

    DVC's editor needs a number or boolean on one line as `repr` writes it, which is Black's form of it too.
    """
    if not source.plan.constants:
        return None
    users = _users(source)
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
        if users[index][1:]:
            note += f"; also {', '.join(users[index][1:])}"
        beside = f"{code}  # {note}"
        lines += [*comments, beside if "\n" not in code and len(beside) <= LINE_LENGTH else f"# {note}\n{code}"]
    return Module("const", "\n".join(lines) + "\n")


def constants_in(source: Source, text: str) -> frozenset[str]:
    """The constants that code mentions; of a class of settings, the attributes."""
    if not any(name in text for name in source.constants):
        return frozenset()
    used: set[str] = set()
    attributes: dict[int, str] = {}
    for part in ast.walk(ast.parse(text)):  # what holds a name comes before it
        if isinstance(part, ast.Attribute) and isinstance(part.value, ast.Name):
            attributes[id(part.value)] = f"{part.value.id}.{part.attr}"
        elif isinstance(part, ast.Name) and part.id in source.constants:
            node = source.program.statements[source.constants[part.id]].node
            used.add(attributes.get(id(part), part.id) if isinstance(node, ast.ClassDef) else part.id)
    return frozenset(used)


def parameters(used: Iterable[frozenset[str]]) -> set[str]:
    """What DVC compares for a stage whose modules mention these constants."""
    names = set().union(*used)
    return {name for name in names if "." not in name or name.partition(".")[0] not in names}


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
