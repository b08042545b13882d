"""From sections to a plan: stages, what crosses between them, where definitions stand, which files are needed.

What goes in here: decisions. What does not: text of the emitted package.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from nb2pkg.analyse import Program
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.facts import Facts
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Notebook
from nb2pkg.plan.acting import Acting
from nb2pkg.plan.ambient import imports_with_effects, set_before_imports
from nb2pkg.plan.crossing import Scope
from nb2pkg.plan.cuts import settle
from nb2pkg.plan.data import data_files, expected_folders
from nb2pkg.plan.drive import folders_on_drive
from nb2pkg.plan.hoisting import (
    constants_of,
    definitions_of,
    hoist_imports,
    imports_that_may_draw,
    is_closed,
    is_shared,
)
from nb2pkg.plan.local_modules import LocalFile, as_copied
from nb2pkg.plan.metrics import with_metrics
from nb2pkg.plan.moves import WORKSPACE, Layout
from nb2pkg.plan.outline import planned_constants, planned_sections
from nb2pkg.plan.paths import Brought
from nb2pkg.plan.pickles import told_of_pickles
from nb2pkg.plan.seen import seen
from nb2pkg.plan.stages import carry_random, make_stages, mentioned_in
from nb2pkg.plan.traffic import lightened
from nb2pkg.plan.types import Overrides, Place, Plan
from nb2pkg.refactor.runtime_names import OBJECTS
from nb2pkg.refactor.secret_places import names_with_secrets
from nb2pkg.section.types import Section


def make_plan(
    notebook: Notebook,
    program: Program,
    sections: tuple[Section, ...],
    package: str,
    *,
    cwd: Path | None = None,
    brought: tuple[Brought, ...] = (),
    layout: Layout = WORKSPACE,
    modules: tuple[LocalFile, ...] = (),
    acting: tuple[Acting, ...] = (),
    one_stage: bool = False,
    facts: Facts | None = None,
    overrides: Overrides | None = None,
    within: Path | None = None,
    among: Place | None = None,
) -> Plan:
    """Decide on everything that `emit` will write. No data is taken from outside of `within`.

    `modules` are the notebook's own, `acting` those that do more than define things, as `program` knows already. A
    notebook `among` others runs in the layout of all of `within`, and its helper modules are not its own.
    """
    diagnostics: list[Diagnostic] = []
    overrides = overrides or Overrides()
    group = package.partition(".")[2].replace(".", "/")
    sections = _unlike_variables(program, sections)
    imports, hoisted_imports = hoist_imports(notebook, program)
    constants = constants_of(program)
    definitions, shared, free = definitions_of(program, frozenset(imports), constants, diagnostics)
    before = set_before_imports(program, shipped(), imports, hoisted_imports)
    hoisted = frozenset(hoisted_imports) - imports_that_may_draw(program)
    hoisted -= {index for each in acting for index in each.in_place}
    hoisted |= frozenset(constants.values()) | frozenset(before)
    shared_names = {n for n in definitions if definitions[n] in shared}
    hoisted |= frozenset(shared)
    scope = Scope(
        hoisted=hoisted,
        fixed=frozenset(imports) | frozenset(constants) | frozenset(shared_names),
        definitions=frozenset(definitions) - frozenset(shared_names),
        free=free,
        secret=names_with_secrets(program, notebook.secrets),
        importable=frozenset(
            number
            for number, obj in enumerate(program.heap.objects)
            if obj.kind in ("function", "class")
            and (
                is_shared(program, obj.node, shared | frozenset(constants.values()))
                or is_closed(obj, imports, constants)
            )
        ),
    )
    total = len(program.statements)
    whole = _whole(program)
    cuts = (0,) if one_stage or whole or total == 0 else tuple(s.start for s in sections) or (0,)
    if whole:
        diagnostics.append(Diagnostic("N304", f"one stage: {whole}; names can't be followed, so nothing is cut"))
    run = seen(notebook, program, facts or Facts())
    _, spans = settle(notebook, program, cuts, scope, overrides.joined, run, diagnostics, acting)
    sections, spans = lightened(notebook, program, sections, spans, scope, overrides.joined, run, diagnostics)
    stages = make_stages(program, spans, sections, scope, definitions, constants, notebook, overrides.unwrapped, group)
    stages, streams = carry_random(notebook, program, stages, diagnostics)
    stages = with_metrics(program, stages, shipped(), follow=among is None)
    base = (cwd or notebook.folder).resolve()
    files: tuple[str, ...] = ()
    root = where = "."
    if layout.in_place:
        brought = tuple(Brought(m.source, m.package) for m in layout.moves if m.source is not None)
    else:
        files, root, where = data_files(
            notebook,
            program,
            cwd,
            {b.target for b in brought}.union(layout.fetched_paths()),
            diagnostics,
            within if among is not None else None,
            (among.made or ()) if among is not None else (),
        )
    taken = [*((base / root / name).resolve() for name in files), *(b.source for b in brought)]
    diagnostics += told_of_pickles(program, taken, shipped())
    diagnostics += (doubt for file in modules for doubt in file.told)
    return Plan(
        package=package,
        notebook=notebook.name,
        stages=stages,
        constants=tuple(sorted(constants.values())),
        shared_definitions=tuple(sorted(shared)),
        imports=tuple(imports.items()),
        streams=streams,
        data_files=files,
        root=root,
        cwd=where,
        local_modules=as_copied(modules, None if layout.in_place else base / root) if among is None else (),
        brought=tuple((str(b.source), b.target) for b in brought),
        before_imports=before,
        kept_imports=imports_with_effects(program, shipped(), imports, acting),
        opening=tuple(each.module for each in acting if each.opens and not layout.in_place),
        folders=layout.folders if layout.in_place else _folders(notebook, program, cwd, among),
        moved=tuple((m.original, m.package) for m in layout.moves),
        downloads=(*layout.downloads, *_saved(layout, where)),
        in_place=layout.in_place,
        sections=planned_sections(notebook, program, sections, spans, stages),
        named_constants=planned_constants(notebook, program, tuple(sorted(constants.values())), stages),
        overrides=overrides,
        among=among,
        diagnostics=tuple(diagnostics),
    )


def _folders(notebook: Notebook, program: Program, cwd: Path | None, among: Place | None) -> tuple[str, ...]:
    """The folders that have to be there: those beside the notebook, and those on Drive."""
    found = expected_folders(notebook, program, cwd)
    return found if among is None else (*found, *folders_on_drive(program))


def _saved(layout: Layout, where: str) -> tuple[tuple[str, str], ...]:
    """The URL and the place in the package of what the notebook would download into a file."""
    moved = {m.original: m.package for m in layout.moves}
    folder = "workspace" if where == "." else f"workspace/{where}"
    return tuple((url, moved.get(path, f"{folder}/{path}")) for url, path in layout.saved)


def _unlike_variables(program: Program, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Sections renamed where a variable, or a function of artifacts.py, has the same name: a stage would hide it."""
    names = mentioned_in(program, range(len(program.statements))) | set(OBJECTS)
    return tuple(replace(s, name=f"{s.name}_stage") if s.name in names else s for s in sections)


def _whole(program: Program) -> str:
    return next((s.effects.dynamic for s in program.statements if s.effects.dynamic), "")
