"""From sections to a plan: stages, what crosses between them, where definitions stand, which files are needed.

What goes in here: decisions. What does not: text of the emitted package.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.heap import Obj
from nb2pkg.analyse.scopes import BUILTINS, bound_names
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Notebook
from nb2pkg.plan.ambient import imports_with_effects, set_before_imports
from nb2pkg.plan.crossing import Obstacle, Scope, Span, crossing
from nb2pkg.plan.local_modules import local_modules
from nb2pkg.plan.paths import Brought
from nb2pkg.plan.types import Artifact, Plan, Stage
from nb2pkg.section.types import Section

STREAMS = ("random", "numpy", "torch", "tensorflow")
MAX_FOLDER_FILES = 2_000


def free_names(node: ast.AST) -> frozenset[str]:
    """The global names that a function or class (or any statement) may read."""
    import symtable

    source = ast.unparse(node)
    free: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            if symbol.is_global() and (symbol.is_referenced() or symbol.is_declared_global()):
                free.add(symbol.get_name())
            if table.get_type() == "module" and symbol.is_referenced():
                free.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(source, "cell", "exec"))
    return frozenset(free)


def make_plan(
    notebook: Notebook,
    program: Program,
    sections: tuple[Section, ...],
    package: str,
    *,
    cwd: Path | None = None,
    brought: tuple[Brought, ...] = (),
    one_stage: bool = False,
    within: Path | None = None,
) -> Plan:
    """Decide on everything that `emit` will write. No module is taken from outside of `within`."""
    diagnostics: list[Diagnostic] = []
    sections = _unlike_variables(program, sections)
    imports, hoisted_imports = _hoist_imports(notebook, program)
    constants = _constants(program)
    definitions, shared, free = _definitions(program, frozenset(imports), constants, diagnostics)
    before = set_before_imports(program, shipped(), imports, hoisted_imports)
    hoisted = frozenset(hoisted_imports) - _imports_that_may_draw(program)
    hoisted |= frozenset(constants.values()) | frozenset(before)
    shared_names = {n for n in definitions if definitions[n] in shared}
    hoisted |= frozenset(shared)
    scope = Scope(
        hoisted=hoisted,
        fixed=frozenset(imports) | frozenset(constants) | frozenset(shared_names),
        definitions=frozenset(definitions) - frozenset(shared_names),
        free=free,
        importable=frozenset(
            number
            for number, obj in enumerate(program.heap.objects)
            if obj.kind in ("function", "class")
            and (
                _is_shared(program, obj.node, shared | frozenset(constants.values()))
                or _is_closed(obj, imports, constants)
            )
        ),
    )
    total = len(program.statements)
    whole = _whole(program)
    cuts = (0,) if one_stage or whole or total == 0 else tuple(s.start for s in sections) or (0,)
    if whole:
        diagnostics.append(Diagnostic("N304", f"one stage: {whole}; names can't be followed, so nothing is cut"))
    cuts = _computing_cuts(program, cuts, hoisted)
    cuts = _repeatable_settings(program, cuts, scope.fixed, diagnostics)
    cuts = _before_lasting(program, cuts, diagnostics)
    cuts, spans = _settle(program, cuts, scope, diagnostics)
    stages = _stages(program, spans, sections, scope, definitions, constants, notebook)
    stages, streams = _carry_random(program, stages, diagnostics)
    base = (cwd or notebook.folder).resolve()
    files, root, where = _data(notebook, program, cwd, {b.target for b in brought}, diagnostics)
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
        local_modules=local_modules(program, base, notebook.written_modules, within),
        brought=tuple((str(b.source), b.target) for b in brought),
        before_imports=before,
        kept_imports=imports_with_effects(program, shipped(), imports),
        folders=_folders(notebook, program, cwd),
        diagnostics=tuple(diagnostics),
    )


def _repeatable_settings(
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


def _before_lasting(program: Program, cuts: tuple[int, ...], diagnostics: list[Diagnostic]) -> tuple[int, ...]:
    """No cut after a statement that changes the process itself."""
    first = next((s for s in program.statements if s.effects.lasting), None)
    if first is None or cuts[-1] <= first.index:
        return cuts
    message = f"no stage begins after this statement: {first.effects.lasting}"
    diagnostics.append(Diagnostic("N311", message, first.cell, first.node.lineno, "info"))
    return tuple(c for c in cuts if c <= first.index)


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


def _unlike_variables(program: Program, sections: tuple[Section, ...]) -> tuple[Section, ...]:
    """Sections renamed where a variable has the same name: a stage's function would hide it."""
    names = _mentioned(program, range(len(program.statements)))
    return tuple(replace(s, name=f"{s.name}_stage") if s.name in names else s for s in sections)


def _whole(program: Program) -> str:
    return next((s.effects.dynamic for s in program.statements if s.effects.dynamic), "")


def _hoist_imports(notebook: Notebook, program: Program) -> tuple[dict[str, str], list[int]]:
    """Imports that can stand at the top of each module: their names are never anything else."""
    bound_by: dict[str, set[str]] = {}
    others: set[str] = set()
    for needed in notebook.imports:
        for name, line in import_lines(_import(needed)):
            bound_by.setdefault(name, set()).add(line)
    for statement in program.statements:
        if statement.kind == "import" and isinstance(statement.node, ast.Import | ast.ImportFrom):
            for name, line in import_lines(statement.node):
                bound_by.setdefault(name, set()).add(line)
        else:
            others |= statement.effects.binds
    hoistable = {n: next(iter(lines)) for n, lines in bound_by.items() if len(lines) == 1 and n not in others}
    indices = [
        s.index
        for s in program.statements
        if s.kind == "import"
        and isinstance(s.node, ast.Import | ast.ImportFrom)
        and all(name in hoistable or name == "*" for name, _ in import_lines(s.node))
    ]
    return hoistable, indices


def _import(line: str) -> ast.Import | ast.ImportFrom:
    node = ast.parse(line).body[0]
    assert isinstance(node, ast.Import | ast.ImportFrom)
    return node


def _imports_that_may_draw(program: Program) -> frozenset[int]:
    """The first imports of libraries between a seed and a draw of the standard library's stream: many a library draws
    from it when it is imported, so these stay in their place."""
    seeds = [s.index for s in program.statements if "random" in s.effects.seeds]
    draws = [s.index for s in program.statements if "random" in s.effects.draws]
    loaded = set(sys.stdlib_module_names)
    found: set[int] = set()
    for statement in program.statements:
        node = statement.node
        roots: set[str] = set()
        if isinstance(node, ast.Import):
            roots = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
            roots = {(node.module or "").partition(".")[0]}
        if seeds and draws and seeds[0] < statement.index < draws[-1] and roots and not roots & loaded:
            found.add(statement.index)
        loaded |= roots
    return frozenset(found)


def import_lines(node: ast.Import | ast.ImportFrom) -> list[tuple[str, str]]:
    """(name, line) for each name that an import statement binds, the line binding only that."""
    if isinstance(node, ast.Import):
        return [
            (
                a.asname or a.name.split(".")[0],
                f"import {a.name} as {a.asname}" if a.asname else f"import {a.name.split('.')[0]}",
            )
            if a.asname or "." not in a.name
            else (a.name.split(".")[0], f"import {a.name.split('.')[0]}")
            for a in node.names
        ]
    module = "." * node.level + (node.module or "")
    return [
        (a.asname or a.name, f"from {module} import {a.name}" + (f" as {a.asname}" if a.asname else ""))
        for a in node.names
    ]


def _constants(program: Program) -> dict[str, int]:
    return {next(iter(s.effects.binds)): s.index for s in program.statements if s.kind == "constant"}


def _definitions(
    program: Program, imports: frozenset[str], constants: dict[str, int], diagnostics: list[Diagnostic]
) -> tuple[dict[str, int], frozenset[int], dict[str, frozenset[str]]]:
    """Definitions that are made again from their text, those of them that need no variable, and what they read."""
    found: dict[str, int] = {}
    spoiled: set[str] = set()
    for statement in program.statements:
        spoiled |= statement.effects.mutates
        for name in statement.effects.binds:
            if statement.kind == "definition" and name not in found:
                found[name] = statement.index
            elif name in found or statement.kind == "definition":
                spoiled.add(name)
        spoiled |= statement.effects.deletes
    for statement in program.statements:
        if statement.kind != "definition":
            spoiled |= statement.effects.binds & set(found)
    definitions = {n: i for n, i in found.items() if n not in spoiled}
    direct = {n: free_names(program.statements[i].node) - {n} for n, i in definitions.items()}
    free: dict[str, frozenset[str]] = {}
    for name in definitions:
        seen, queue = {name}, [name]
        names: set[str] = set()
        while queue:
            for read in direct.get(queue.pop(), ()):
                if read in definitions and read not in seen:
                    seen.add(read)
                    queue.append(read)
                elif read not in definitions:
                    names.add(read)
        free[name] = frozenset(names)
    fixed = imports | set(constants) | BUILTINS
    assigned = set().union(*(s.effects.binds for s in program.statements)) if program.statements else set()
    shared = frozenset(
        i
        for n, i in definitions.items()
        if not {r for r in free[n] if r not in fixed and r in assigned} and not _declares_global(program, i)
    )
    names_shared = {n for n, i in definitions.items() if i in shared}
    shared = frozenset(
        i for n, i in definitions.items() if i in shared and not (direct[n] & (set(definitions) - names_shared))
    )
    return definitions, shared, free


def _declares_global(program: Program, index: int) -> bool:
    return any(isinstance(n, ast.Global) for n in ast.walk(program.statements[index].node))


def _is_shared(program: Program, node: ast.AST | None, shared: frozenset[int]) -> bool:
    return any(part is node for i in shared for part in ast.walk(program.statements[i].node))


def _is_closed(obj: Obj, imports: dict[str, str], constants: dict[str, int]) -> bool:
    """A function that reads nothing but imports and constants: pickled by value, it stays what it is."""
    if obj.kind != "function" or obj.frame is not None or obj.node is None:
        return False
    return all(n in imports or n in constants or n in BUILTINS for n in free_names(obj.node))


def _computing_cuts(program: Program, cuts: tuple[int, ...], hoisted: frozenset[int]) -> tuple[int, ...]:
    """Drop cuts after which nothing is computed: imports and settings are no stage."""
    kept: list[int] = []
    for start, stop in zip(cuts, (*cuts[1:], len(program.statements)), strict=True):
        if any(s.kind == "compute" and s.index not in hoisted for s in program.statements[start:stop]):
            kept.append(start)
    return (0, *kept[1:]) if kept else (0,)


def _settle(
    program: Program, cuts: tuple[int, ...], scope: Scope, diagnostics: list[Diagnostic]
) -> tuple[tuple[int, ...], tuple[Span, ...]]:
    """Drop boundaries until what is left can be kept."""
    dropped: list[Obstacle] = []
    cuts = _joined_by_files(program, cuts, dropped)
    while True:
        spans, obstacle = crossing(program, cuts, scope)
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


def _joined_by_files(program: Program, cuts: tuple[int, ...], dropped: list[Obstacle]) -> tuple[int, ...]:
    """Two stages may not write one file, nor may one overwrite what another reads."""
    while len(cuts) > 1:
        first: dict[str, int] = {}
        conflict = None
        bounds = list(zip(cuts, (*cuts[1:], len(program.statements)), strict=True))
        uses = [
            [(_normal(f.path), f.writes) for s in program.statements[a:b] for f in s.effects.files if f.path]
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


def _normal(path: str) -> str:
    parts: list[str] = []
    for part in path.replace("\\", "/").split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] != "..":
            parts.pop()
        else:
            parts.append(part)
    return ("/" if path.startswith("/") else "") + "/".join(parts)


def _stages(
    program: Program,
    spans: tuple[Span, ...],
    sections: tuple[Section, ...],
    scope: Scope,
    definitions: dict[str, int],
    constants: dict[str, int],
    notebook: Notebook,
) -> tuple[Stage, ...]:
    stages: list[Stage] = []
    current: dict[str, Artifact] = {}
    for span in spans:
        section = _section_of(program, sections, span, scope)
        indices = tuple(i for i in range(span.start, span.stop) if i not in scope.hoisted)
        mentioned = _mentioned(program, indices)
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
        saves = tuple(Artifact(name, group) for group in span.groups)
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
                module_scope=_module_scope(program, indices + again, span),
                reads_files=tuple(sorted({_normal(f.path) for f in files if f.path and not f.writes})),
                writes_files=tuple(sorted({_normal(f.path) for f in files if f.path and f.writes})),
                constants=tuple(sorted(n for n in everything if n in constants)),
                earlier_settings=settings,
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


def _mentioned(program: Program, indices: Iterable[int]) -> set[str]:
    names: set[str] = set()
    for index in indices:
        names |= {n.id for n in ast.walk(program.statements[index].node) if isinstance(n, ast.Name)}
        names |= program.statements[index].effects.reads
    return names


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


def _carry_random(
    program: Program, stages: tuple[Stage, ...], diagnostics: list[Diagnostic]
) -> tuple[tuple[Stage, ...], tuple[str, ...]]:
    seeded = {stream for s in program.statements for stream in s.effects.seeds}
    drawn = [s for s in program.statements if s.effects.draws & set(STREAMS) - seeded]
    if drawn:
        cells = sorted({s.cell + 1 for s in drawn})
        diagnostics.append(
            Diagnostic("N501", f"random numbers are drawn without a seed in cell(s) {cells}: no run gives them again")
        )
    counters = {stream for s in program.statements for stream in s.effects.draws if ":" in stream}
    carried = seeded | counters
    if not carried:
        return stages, ()
    changed: list[Stage] = []
    last = ""
    imports = _imports_that_may_draw(program)
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
            last = stage.name
    return tuple(changed), (*(s for s in STREAMS if s in seeded), *sorted(counters))


def _data(
    notebook: Notebook, program: Program, cwd: Path | None, brought: set[str], diagnostics: list[Diagnostic]
) -> tuple[tuple[str, ...], str, str]:
    """The files that the notebook needs, relative to the root of its working layout."""
    base = (cwd or notebook.folder).resolve()
    uses = [f for s in program.statements for f in s.effects.files]
    texts = {
        n.value
        for s in program.statements
        for n in ast.walk(s.node)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and 0 < len(n.value) < 300 and "\n" not in n.value
    }
    named = {f.path for f in uses if f.path} | texts
    wanted: set[Path] = set()
    outside: set[Path] = set()
    for text in sorted(named):
        if text.startswith(("/", "~")) or "://" in text or not re.search(r"[\w.]", text) or text in (".", ".."):
            continue
        try:
            path = (base / text).resolve()
            if path.is_file() and path.suffix != ".ipynb":
                wanted.add(path)
            elif path.is_dir() and path != base and base not in (path, *()) and path not in base.parents:
                wanted.update(_files_below(path))
        except (OSError, ValueError):
            continue
    for path in wanted:
        if base not in path.parents:
            outside.add(path)
    written = {_normal(f.path) for f in uses if f.path and f.writes}
    for statement in program.statements:
        for use in statement.effects.files:
            if use.path is None:
                continue
            path = base / use.path
            if not use.writes and _normal(use.path) not in written | brought and not path.expanduser().exists():
                diagnostics.append(
                    Diagnostic(
                        "N401",
                        f"{use.path} is read but is not there: put it at this path before `dvc repro`",
                        statement.cell,
                        use.line,
                    )
                )
    if any(f.path is None for f in uses) or any(s.effects.draws and "?" in s.effects.draws for s in program.statements):
        wanted.update(p for p in _files_below(base) if p.suffix not in (".ipynb", ".py"))
    root = base
    for path in sorted(outside):
        while root not in path.parents:
            root = root.parent
    files = tuple(sorted(PurePosixPath(p.relative_to(root)).as_posix() for p in wanted))
    depth = len(base.relative_to(root).parts)
    return files, "/".join([".."] * depth) or ".", PurePosixPath(base.relative_to(root)).as_posix()


def _folders(notebook: Notebook, program: Program, cwd: Path | None) -> tuple[str, ...]:
    """The folders beside the notebook that it names, or writes into: they may hold nothing that is copied."""
    base = (cwd or notebook.folder).resolve()
    uses = [f for s in program.statements for f in s.effects.files if f.writes]
    named = {str(PurePosixPath(_normal(f.path)).parent) for f in uses if f.path} | {
        _normal(n.value)
        for s in program.statements
        for n in ast.walk(s.node)
        if isinstance(n, ast.Constant) and isinstance(n.value, str) and 0 < len(n.value) < 300 and "\n" not in n.value
    }
    if any(f.path is None for f in uses):
        below = (p for p in base.rglob("*") if p.is_dir() and not p.is_symlink())
        named |= {p.relative_to(base).as_posix() for p in islice(below, MAX_FOLDER_FILES)}
    found: set[str] = set()
    for text in named:
        parts = PurePosixPath(text).parts
        with suppress(OSError, ValueError):
            if parts and parts[0] not in ("/", "~") and not text.startswith(".") and (base / text).is_dir():
                found.add(text)
    return tuple(sorted(f for f in found if not any(o.startswith(f + "/") for o in found)))


def _files_below(folder: Path) -> list[Path]:
    found: list[Path] = []
    for path in sorted(folder.rglob("*")):
        if any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(folder).parts):
            continue
        if path.is_file() and not path.is_symlink():
            found.append(path)
            if len(found) > MAX_FOLDER_FILES:
                return []
    return found
