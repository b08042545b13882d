"""From spans to stages: what each runs, takes and gives, and which random state it goes on with."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import replace

from nb2pkg.analyse import Program
from nb2pkg.analyse.program import FileUse
from nb2pkg.analyse.scopes import BUILTINS, bound_names
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.notebook import Notebook
from nb2pkg.plan.crossing import Scope, Span
from nb2pkg.plan.data import normal_path
from nb2pkg.plan.hoisting import free_names, imports_that_may_draw
from nb2pkg.plan.types import Artifact, Stage
from nb2pkg.section.types import Section

STREAMS = ("random", "numpy", "torch", "tensorflow")



def make_stages(
    program: Program,
    spans: tuple[Span, ...],
    sections: tuple[Section, ...],
    scope: Scope,
    definitions: dict[str, int],
    constants: dict[str, int],
    notebook: Notebook,
    unwrapped: tuple[str, ...] = (),
    group: str = "",
) -> tuple[Stage, ...]:
    """A stage for each span, in order, with the artifacts that it loads and saves."""
    stages: list[Stage] = []
    ids = {cell.index: cell.id for cell in notebook.cells}
    current: dict[str, Artifact] = {}
    for span in spans:
        section = _section_of(program, sections, span, scope)
        indices = tuple(i for i in range(span.start, span.stop) if i not in scope.hoisted)
        mentioned = mentioned_in(program, indices)
        queue = [n for n in mentioned if n in scope.definitions]
        needed: set[str] = set()
        while queue:
            name = queue.pop()
            if name in needed:
                continue
            needed.add(name)
            queue.extend(
                n for n in free_names(program.statements[definitions[name]].node) if n in scope.definitions
            )
        again = tuple(sorted(definitions[n] for n in needed if definitions[n] < span.start))
        everything = mentioned | {n for d in needed for n in free_names(program.statements[definitions[d]].node)}
        loads = sorted({current[n] for n in span.inputs if n in current}, key=lambda a: a.folder)
        name = section.name if section else notebook_stage(notebook)
        place = f"{group}/{name}" if group else name
        saves = tuple(Artifact(place, names) for names in span.groups)
        for artifact in saves:
            for output in artifact.names:
                current[output] = artifact
        statements = [program.statements[i] for i in indices]
        settings = tuple(
            s.index for s in program.statements[: span.start] if s.repeats and s.index not in scope.hoisted
        )
        files = [f for s in statements for f in s.effects.files]
        stages.append(
            Stage(
                name=name,
                title=section.title if section else notebook.name,
                prose=section.prose if section else "",
                kind=section.kind if section else "",
                reason=section.reason if section else "the whole notebook",
                statements=indices,
                inputs=tuple(sorted(span.inputs)),
                outputs=tuple(sorted(span.outputs)),
                loads=tuple(loads),
                saves=saves,
                may_be_unbound=tuple(sorted(span.unbound)),
                local_definitions=again,
                module_scope=_module_scope(program, indices + again, span)
                or ("[tool.nb2pkg] asks for it" if any(ids[s.cell] in unwrapped for s in statements) else ""),
                reads_files=tuple(sorted({normal_path(f.path) for f in files if f.path and not f.writes})),
                writes_files=tuple(sorted({normal_path(f.path) for f in files if f.path and f.writes})),
                removes_files=_removed(files),
                constants=tuple(sorted(n for n in everything if n in constants)),
                constants_from=tuple(
                    sorted({ids[program.statements[constants[n]].cell] for n in everything if n in constants})
                ),
                earlier_settings=settings,
                begins_in=ids[program.statements[span.start].cell] if program.statements else "",
                group=group,
            )
        )
    return tuple(stages)


def notebook_stage(notebook: Notebook) -> str:
    """The name of the only stage of a notebook that is not cut."""
    return "run_notebook"


def _section_of(
    program: Program, sections: tuple[Section, ...], span: Span, scope: Scope
) -> Section | None:
    best, most = None, -1
    for section in sections:
        start, stop = max(section.start, span.start), min(section.stop, span.stop)
        weight = sum(
            s.kind == "compute" and s.index not in scope.hoisted for s in program.statements[start : max(stop, start)]
        )
        if start < stop and weight > most:
            best, most = section, weight
    return best


def mentioned_in(program: Program, indices: Iterable[int]) -> set[str]:
    """Every name that the statements mention."""
    names: set[str] = set()
    for index in indices:
        names |= {n.id for n in ast.walk(program.statements[index].node) if isinstance(n, ast.Name)}
        names |= program.statements[index].effects.reads
    return names


def _removed(files: Sequence[FileUse]) -> tuple[str, ...]:
    """The files that are gone after these uses, in their order."""
    gone: dict[str, bool] = {}
    for use in files:
        if use.path and use.writes:
            path = normal_path(use.path)
            gone[path] = use.removes
            if use.removes:
                gone |= dict.fromkeys((below for below in gone if below.startswith(f"{path}/")), True)
    return tuple(sorted(path for path, removed in gone.items() if removed))


def _module_scope(program: Program, indices: tuple[int, ...], span: Span) -> str:
    """Why the stage's names have to be the module's."""
    bound: set[str] = set(span.inputs)
    reads_before: set[str] = set()
    for index in sorted(indices):
        statement = program.statements[index]
        if statement.effects.dynamic:
            return statement.effects.dynamic
        reads_before |= statement.effects.reads - bound
        bound |= statement.effects.binds
        for part in ast.walk(statement.node):
            if isinstance(part, ast.Global):
                return f"a function declares {', '.join(part.names)} global"
            if isinstance(part, ast.ClassDef) and statement.kind != "definition":
                return f"the class {part.name} is the module's, by its name"
            if isinstance(part, ast.Delete) and bound_names([part]).names & BUILTINS:
                return "a name is freed that is a builtin's"
            if isinstance(part, ast.ClassDef):
                scan = bound_names(part.body)
                if scan.names & free_names(part):
                    return f"the class {part.name} reads a name that it also binds"
        if isinstance(statement.node, ast.ImportFrom) and statement.node.names[0].name == "*":
            return "a star import may bind any name"
        texts = (f.value for f in ast.walk(statement.node) if isinstance(f, ast.Constant))
        if any(isinstance(text, str) and "@" in text for text in texts):
            return "a string names variables"
    shadowed = {n for n in reads_before & bound if n in BUILTINS or n not in span.inputs}
    if shadowed:
        return f"{sorted(shadowed)[0]} is read before it is bound"
    return ""


def carry_random(
    notebook: Notebook, program: Program, stages: tuple[Stage, ...], diagnostics: list[Diagnostic]
) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    """The stages with the random state that each goes on with, and the streams that cross."""
    seeded = {stream for s in program.statements for stream in s.effects.seeds}
    drawn = [s for s in program.statements if s.effects.unseeded & set(STREAMS) - seeded]
    if drawn:
        cells = sorted({notebook.own(s.cell) + 1 for s in drawn})
        where = f"cell{'s' if len(cells) > 1 else ''} {', '.join(map(str, cells))}"
        message = f"random numbers are drawn without a seed in {where}: no run gives them again; --seed gives them one"
        diagnostics.append(Diagnostic("N501", message))
    counters = {stream for s in program.statements for stream in s.effects.draws if ":" in stream}
    carried = seeded | counters
    if not carried:
        return stages, ()
    changed: list[Stage] = []
    last = ""
    imports = imports_that_may_draw(program)
    draws = [
        any(
            i in imports or program.statements[i].effects.draws & (carried | {"?"})
            for i in s.statements + s.local_definitions
        )
        for s in stages
    ]
    seeds = [
        any(program.statements[i].effects.seeds or program.statements[i].effects.draws & counters for i in s.statements)
        for s in stages
    ]
    for place, stage in enumerate(stages):
        begins = last if draws[place] and last else ""
        later = any(draws[place + 1 :])
        keeps = later and (seeds[place] or (bool(last) and draws[place]))
        changed.append(replace(stage, random_from=begins, keeps_random=keeps))
        if keeps:
            last = stage.place
    return tuple(changed), (*(s for s in STREAMS if s in seeded), *sorted(counters))
