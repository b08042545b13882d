"""The program with its files where the layout puts them: edits of the statements' texts."""

from __future__ import annotations

import ast
from dataclasses import replace

from nb2pkg.analyse import Program, analyse
from nb2pkg.analyse.edits import Edit, edit_of, edited, paired
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Notebook
from nb2pkg.plan.data import normal_path
from nb2pkg.plan.moves import Layout
from nb2pkg.refactor.runtime_names import local_names


def readdressed(
    notebook: Notebook, program: Program, layout: Layout, knowledge: KnowledgeBase
) -> tuple[Notebook, Program, Layout]:
    """The notebook with the edits that the layout asks for in its cells, and what was found in it by their nodes."""
    if not layout.rewrites:
        return notebook, program, layout
    edits: dict[int, list[Edit]] = {}
    for each in layout.rewrites:
        edits.setdefault(each.cell, []).append(edit_of(each.node, each.text))
    cells = tuple(replace(c, code=edited(c.code, edits.get(c.index, ()))) for c in notebook.cells)
    notebook = replace(notebook, cells=cells)
    again = analyse(notebook, knowledge)
    pairs = zip(program.statements, again.statements, strict=True)
    same = {id(one): two for old, new in pairs for one, two in paired(old.node, new.node)}
    telling = tuple(
        (two, name, path)
        for one, name, path in layout.telling
        if isinstance(two := same.get(id(one)), ast.Call)
    )
    return notebook, again, replace(layout, rewrites=(), telling=telling)


def relocated(program: Program, layout: Layout) -> Program:
    """The program with its paths where the files are now."""
    if not layout.moves and not layout.downloads:
        return program
    to = {m.original: m.package for m in layout.moves if m.original in layout.by_text}
    to |= {normal_path(url): layout.up + path for url, path in layout.downloads}
    statements = []
    for statement in program.statements:
        text = _with_new_paths(statement.text, to) if any(_last(p) in statement.text for p in to) else statement.text
        files = tuple(
            replace(f, path=to.get(normal_path(f.path), f.path)) if f.path is not None else f
            for f in (*statement.effects.files, *statement.effects.downloads)
            if f in statement.effects.files or (f.path is not None and normal_path(f.path) in to)
        )
        repeats = tuple(_with_new_paths(r, to) for r in statement.repeats)
        effects = replace(statement.effects, files=files) if files else statement.effects
        statements.append(replace(statement, text=text, effects=effects, repeats=repeats))
    return replace(program, statements=tuple(statements))


def _last(path: str) -> str:
    return path.rpartition("/")[2]


def _with_new_paths(text: str, to: dict[str, str]) -> str:
    tree = ast.parse(text)
    inside = {id(part) for f in ast.walk(tree) if isinstance(f, ast.JoinedStr) for part in ast.walk(f)}
    edits = [
        edit_of(node, repr(to[normal_path(node.value)]))
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inside
        if normal_path(node.value) in to
    ]
    return edited(text, edits) if edits else text


def telling(program: Program, layout: Layout) -> Program:
    """The program whose calls give back the notebook's paths."""
    if not layout.telling:
        return program
    local = local_names(program)
    statements = list(program.statements)
    for place, statement in enumerate(statements):
        pairs = list(paired(statement.node, ast.parse(statement.text).body[0]))
        edits: list[Edit] = []
        for call, function, path in layout.telling:
            spot = next((two for one, two in pairs if one is call), None)
            if isinstance(spot, ast.Call):
                line, column = spot.end_lineno or spot.lineno, (spot.end_col_offset or 1) - 1
                edits += [edit_of(spot.func, local[function]), Edit(line, column, line, column, f", told={path!r}")]
        if edits:
            statements[place] = replace(statement, text=edited(statement.text, edits))
    return replace(program, statements=tuple(statements))
