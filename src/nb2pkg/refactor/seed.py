"""`--seed N`: a seed for every call that the knowledge base knows to draw without one.

    model = KMeans(3)                    →    SEED = 7
                                              model = KMeans(3, random_state=SEED)

The one option that changes results, on purpose. What draws from a global stream is seeded before the first cell that
does. It works on the cells' text, so that all that follows sees a notebook that was written so.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from nb2pkg.analyse import Program, analyse
from nb2pkg.analyse.arguments import argument_of
from nb2pkg.analyse.calls import seed_matters
from nb2pkg.analyse.edits import Edit, edit_of, edited
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Cell, Notebook

NAMES = ("SEED", "RANDOM_SEED", "THE_SEED")


@dataclass(frozen=True, slots=True)
class _Seeded:
    """A call that gets the seed, in its cell."""

    cell: int
    line: int
    shown: str
    edit: Edit


def with_seed(
    notebook: Notebook, program: Program, knowledge: KnowledgeBase, seed: int
) -> tuple[Notebook, tuple[Diagnostic, ...]]:
    """The notebook with every unseeded call seeded, and what was done; itself where it draws nothing unseeded."""
    taken = {n for s in program.statements for n in (*s.effects.binds, *s.effects.reads)}
    name = next(n for n in (*NAMES, *(f"SEED_{number}" for number in range(1000))) if n not in taken)
    found = list(_calls(notebook, program, knowledge, name))
    edits: dict[int, list[Edit]] = {}
    for each in found:
        edits.setdefault(each.cell, []).append(each.edit)
    cells = [replace(c, code=edited(c.code, edits.get(c.index, ()))) for c in notebook.cells]
    streams = _streams(analyse(replace(notebook, cells=tuple(cells)), knowledge) if found else program, knowledge)
    if not found and not streams:
        return notebook, ()
    order = [cell.index for cell in cells]
    first = min([*(each.cell for each in found), *streams.values()], key=order.index)
    place = order.index(first)
    calls, imports = _stream_seeds(program, knowledge, sorted(streams), name, set(order[:place]))
    host = notebook.own(first)
    code = "\n".join([f"{name} = {seed}", *calls])
    cells.insert(place, Cell(max(order) + 1, _free_id(notebook), "code", code, code, host=host))
    shown = [f"{each.shown} in cell {notebook.own(each.cell) + 1}" for each in found]
    shown += [f"the stream of {stream}" for stream in sorted(streams)]
    message = f"--seed {seed} changes results: {name} seeds {', '.join(shown)}"
    told = Diagnostic("N502", message, first, severity="info")
    return replace(notebook, cells=tuple(cells), imports=(*notebook.imports, *imports)), (told,)


def _streams(program: Program, knowledge: KnowledgeBase) -> dict[str, int]:
    """The global streams that are drawn from and never seeded, each with the first cell that does."""
    seeded = {stream for s in program.statements for stream in s.effects.seeds}
    return {
        stream: s.cell
        for s in reversed(program.statements)
        for stream in s.effects.unseeded
        if stream in knowledge.streams and stream not in seeded
    }


def _calls(notebook: Notebook, program: Program, knowledge: KnowledgeBase, name: str) -> Iterator[_Seeded]:
    seen: set[int] = set()
    code = {cell.index: cell.code for cell in notebook.cells}
    for statement in program.statements:
        in_strings = {id(p) for f in ast.walk(statement.node) if isinstance(f, ast.JoinedStr) for p in ast.walk(f)}
        for call in (p for p in ast.walk(statement.node) if isinstance(p, ast.Call)):
            if id(call) in seen or id(call) in in_strings:
                continue
            seen.add(id(call))
            argument = _seed_argument(program, knowledge, call)
            edit = _edit(code[statement.cell], call, argument, name) if argument else None
            if edit is not None:
                yield _Seeded(statement.cell, call.lineno, ast.unparse(call.func), edit)


def _seed_argument(program: Program, knowledge: KnowledgeBase, call: ast.Call) -> str:
    """The argument that would be the call's seed; empty where it has none, or has one already."""
    wanted: set[str] = set()
    for called, fact in program.resolved_calls.get(call, ()):
        seeding = knowledge.seeding(called)
        argument = seeding.argument or (fact.draws_unless if fact is not None else "")
        unknown = fact is not None and called.startswith("?.") and fact is knowledge.unresolved_method(called[2:])
        idle = seeding.none or (seeding.matters and not seed_matters(seeding, call))
        wanted.add("" if idle or unknown else argument)
    return wanted.pop() if len(wanted) == 1 else ""


def _edit(code: str, call: ast.Call, argument: str, name: str) -> Edit | None:
    """The seed as a last argument, or in the place of a `None`."""
    given = argument_of(call, argument)
    if given is not None:
        return edit_of(given, name) if isinstance(given, ast.Constant) and given.value is None else None
    if any(k.arg is None for k in call.keywords) or any(isinstance(a, ast.Starred) for a in call.args):
        return None
    text = name if argument.startswith("0|") and not call.args else f"{argument.rpartition('|')[2]}={name}"
    segment = ast.get_source_segment(code, call) or ""
    for between in (", ", " ", ""):
        with suppress(SyntaxError):
            ast.parse(f"({segment[:-1]}{between}{text}))")
            whole = edit_of(call, between + text if between.strip() or segment[-2:-1] == "," else text)
            return replace(whole, line=whole.end_line, column=whole.end_column - 1, end_column=whole.end_column - 1)
    return None


def _stream_seeds(
    program: Program, knowledge: KnowledgeBase, streams: list[str], name: str, before: set[int]
) -> tuple[list[str], list[str]]:
    """The statements that seed the streams, and the imports that they need beside those of earlier cells."""
    bound: dict[str, str] = {}
    for statement in program.statements:
        if statement.cell in before and isinstance(statement.node, ast.Import):
            bound |= {a.name: a.asname or a.name for a in statement.node.names if "." not in a.name}
    calls = [f"{bound.get(s.module, s.module)}.{s.seed}({name})" for s in map(knowledge.streams.__getitem__, streams)]
    modules = [knowledge.streams[stream].module for stream in streams]
    return calls, [f"import {module}" for module in modules if module not in bound]


def _free_id(notebook: Notebook) -> str:
    taken = {cell.id for cell in notebook.cells}
    return next(i for i in ("seed", *(f"seed-{n}" for n in range(len(taken) + 1))) if i not in taken)
