"""Where stages may begin: cuts are dropped until what crosses each that is left can be kept."""

from __future__ import annotations

import ast

from nb2pkg.analyse import Program
from nb2pkg.analyse.scopes import BUILTINS
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.notebook import Notebook
from nb2pkg.plan.acting import Acting, joined_by_modules
from nb2pkg.plan.crossing import Obstacle, Scope, Span, crossing
from nb2pkg.plan.data import normal_path
from nb2pkg.plan.hoisting import free_names
from nb2pkg.plan.seen import Seen


def computing_cuts(program: Program, cuts: tuple[int, ...], hoisted: frozenset[int]) -> tuple[int, ...]:
    """Drop cuts after which nothing is computed: imports and settings are no stage."""
    kept: list[int] = []
    for start, stop in zip(cuts, (*cuts[1:], len(program.statements)), strict=True):
        if any(s.kind == "compute" and s.index not in hoisted for s in program.statements[start:stop]):
            kept.append(start)
    return (0, *kept[1:]) if kept else (0,)


def without_joined(
    notebook: Notebook, program: Program, cuts: tuple[int, ...], joined: tuple[str, ...], diagnostics: list[Diagnostic]
) -> tuple[int, ...]:
    """No cut in the cells that the user, or a verification, has named."""
    numbers = {cell.index for cell in notebook.cells if cell.id in joined}
    kept = [cuts[0]]
    for cut in cuts[1:]:
        statement = program.statements[cut]
        if statement.cell in numbers:
            message = "no stage begins here: `joined` in [tool.nb2pkg] names the cell"
            diagnostics.append(Diagnostic("N312", message, statement.cell, statement.node.lineno, "info"))
        else:
            kept.append(cut)
    return tuple(kept)


def repeatable_settings(
    program: Program, cuts: tuple[int, ...], fixed: frozenset[str], diagnostics: list[Diagnostic]
) -> tuple[int, ...]:
    """No cut after a setting that reads what can't be repeated with it."""
    for statement in program.statements:
        if not statement.repeats:
            continue
        own = statement.kind == "setting"
        read = statement.effects.reads if own else free_names(ast.parse("\n".join(statement.repeats)))
        for name in sorted(read - fixed - BUILTINS):
            if literal_binder(program, name) is None and any(c > statement.index for c in cuts):
                cuts = tuple(c for c in cuts if c <= statement.index)
                diagnostics.append(
                    Diagnostic(
                        "N311",
                        f"no stage begins after this setting: it reads {name}, which can't be repeated",
                        statement.cell,
                        statement.node.lineno,
                        "info",
                    )
                )
    return cuts


def literal_binder(program: Program, name: str) -> int | None:
    """The one statement that binds a name, where it binds it to a literal (lists and dicts included)."""
    binders = [s for s in program.statements if name in s.effects.binds]
    if len(binders) != 1 or binders[0].kind == "constant" or not isinstance(binders[0].node, ast.Assign):
        return None
    if any(name in s.effects.mutates for s in program.statements):
        return None
    try:
        ast.literal_eval(binders[0].node.value)
    except ValueError:
        return None
    return binders[0].index


def before_lasting(program: Program, cuts: tuple[int, ...], diagnostics: list[Diagnostic]) -> tuple[int, ...]:
    """No cut after a statement that changes the process itself."""
    first = next((s for s in program.statements if s.effects.lasting), None)
    if first is None or cuts[-1] <= first.index:
        return cuts
    message = f"no stage begins after this statement: {first.effects.lasting}"
    diagnostics.append(Diagnostic("N311", message, first.cell, first.node.lineno, "info"))
    return tuple(c for c in cuts if c <= first.index)


def settle(
    notebook: Notebook,
    program: Program,
    cuts: tuple[int, ...],
    scope: Scope,
    joined: tuple[str, ...],
    run: Seen,
    diagnostics: list[Diagnostic],
    acting: tuple[Acting, ...] = (),
) -> tuple[tuple[int, ...], tuple[Span, ...]]:
    """Drop boundaries until what is left can be kept."""
    cuts = computing_cuts(program, cuts, scope.hoisted)
    cuts = without_joined(notebook, program, cuts, joined, diagnostics)
    cuts = repeatable_settings(program, cuts, scope.fixed, diagnostics)
    cuts = before_lasting(program, cuts, diagnostics)
    cuts = joined_by_modules(program, cuts, acting, diagnostics)
    dropped: list[Obstacle] = []
    cuts = _joined_by_files(program, cuts, dropped)
    while True:
        spans, obstacle = crossing(program, cuts, scope)
        obstacle = obstacle or _not_storable(spans, run) or _one_object(program, spans, run)
        if obstacle is None:
            break
        dropped.append(obstacle)
        cuts = tuple(c for c in cuts if c != obstacle.cut)
    for obstacle in dropped:
        statement = program.statements[obstacle.cut]
        diagnostics.append(
            Diagnostic(
                "N310",
                f"no stage begins here: {obstacle.name} crosses the boundary, and {obstacle.why}",
                statement.cell,
                statement.node.lineno,
                "info",
            )
        )
    return cuts, spans


def _not_storable(spans: tuple[Span, ...], run: Seen) -> Obstacle | None:
    """What the run of the notebook has shown not to be storable where it would have to be."""
    for span in spans[:-1]:
        cell = run.at(span.stop)
        for each in cell.variables if cell else ():
            if each.size < 0 and each.name in span.outputs:
                why = f"a {each.type} can't be stored, as a run has shown ({each.why})"
                return Obstacle(span.stop, each.name, why)
    return None


def _one_object(program: Program, spans: tuple[Span, ...], run: Seen) -> Obstacle | None:
    """What the run has shown to be one object, and the analysis takes for two, where it is changed later."""
    for place, span in enumerate(spans[:-1]):
        cell = run.at(span.stop)
        needed = span.outputs.union(*(later.inputs for later in spans[place + 1 :]))
        shared = [each for each in cell.variables if each.same and each.name in needed] if cell else []
        if not shared:
            continue
        known = program.environments[span.stop - 1]
        changed = frozenset().union(*program.mutated[span.stop :])
        reach = {each.name: program.heap.reach(known.get(each.name, frozenset())) for each in shared}
        for each in shared:
            for other in sorted(reach.keys() & set(each.same)):
                if not reach[each.name] & reach[other] and changed & (reach[each.name] | reach[other]):
                    why = f"it is one object with {other}, as a run has shown, which is changed later"
                    return Obstacle(span.stop, each.name, why)
    return None


def _joined_by_files(program: Program, cuts: tuple[int, ...], dropped: list[Obstacle]) -> tuple[int, ...]:
    """Two stages may not write one file, nor may one overwrite what another reads."""
    while len(cuts) > 1:
        first: dict[str, int] = {}
        conflict = None
        bounds = list(zip(cuts, (*cuts[1:], len(program.statements)), strict=True))
        uses = [
            [(normal_path(f.path), f.writes) for s in program.statements[a:b] for f in s.effects.files if f.path]
            for a, b in bounds
        ]
        for place, used in enumerate(uses):
            for path, writes in used:
                if writes and path in first and first[path] != place:
                    conflict = (place, path)
                    break
                first.setdefault(path, place)
            if conflict:
                break
        if conflict is None:
            return cuts
        dropped.append(Obstacle(cuts[conflict[0]], conflict[1], "an earlier stage uses the same file"))
        cuts = tuple(c for c in cuts if c != cuts[conflict[0]])
    return cuts
