"""The stages of dvc.yaml: what each depends on, which constants it reads, what it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nb2pkg.emit.constants import definitions_run, parameters
from nb2pkg.emit.metrics import metric_files, plot_rows
from nb2pkg.emit.project import DvcStage
from nb2pkg.emit.source import Module, Source, module_files
from nb2pkg.emit.stages import random_folder
from nb2pkg.emit.tree import Copy
from nb2pkg.plan.types import Plan, Stage


def dvc_stage(
    source: Source,
    stage: Stage,
    modules: Mapping[str, Module],
    copies: Sequence[Copy],
) -> DvcStage:
    """The row of dvc.yaml of one stage."""
    plan, statements = source.plan, source.program.statements
    imported = set(modules[stage.name].uses)
    elsewhere = dict(plan.among.shared) if plan.among is not None else {}
    # Some may be imported only by what is loaded.
    imported |= {elsewhere.get(name, source.shared_module) for name in definitions_run(source, stage)}
    for name in tuple(imported):
        if name in modules:
            imported |= set(modules[name].uses)
    deps = module_files(plan, (stage.name, *imported))
    deps.update(target for target, _ in plan.local_modules)
    deps.update(plan.among.helper_files if plan.among is not None else ())
    deps.update(a.folder for a in stage.loads)
    if stage.random_from:
        deps.add(random_folder(stage.random_from))
    outs = {a.folder for a in stage.saves}
    if stage.keeps_random:
        outs.add(random_folder(stage.place))
    targets = {c.target for c in copies} | {path for _, path in plan.downloads}
    outs |= {o for o in _made(source, stage) if o not in targets}
    outs -= {out for out in outs if any(out.startswith(f"{other}/") for other in outs)}
    earlier = set().union(*(_made(source, s) for s in plan.stages[: plan.stages.index(stage)]))
    reads = [_inside(f"{source.folder}/{read}", plan) for read in stage.reads_files]
    made = {f"{plan.workspace}/{path}" for path in plan.among.made or ()} if plan.among is not None else set()
    for where in reads:
        deps |= {path for path in made if path == where or path.startswith(f"{where}/")}
        deps |= {path for path in earlier if f"{where}/".startswith(f"{path}/") or path.startswith(f"{where}/")}
        if any(where == t or where.startswith(f"{t}/") for t in targets):
            deps.add(where)
    unknown = _reads_unknown_files(source, stage)
    if unknown:
        deps |= targets | (earlier - targets) | made
    used = parameters(source, stage, modules, imported)
    return DvcStage(
        name=stage.step,
        module=f"{plan.package}.{stage.name}",
        desc=stage.title,
        deps=tuple(sorted(deps - outs)),
        params=tuple(sorted(name for name in used if _top(name) not in elsewhere)),
        const_path=f"{plan.folder}/const.py",
        outs=tuple(sorted(outs)),
        uncached_outs=(f"reports/outputs/{stage.place}.jsonl",),
        metrics=metric_files(stage),
        plots=plot_rows(stage),
        cells=tuple(dict.fromkeys(source.cell_ids[statements[i].cell] for i in stage.statements)),
        reads=tuple(sorted({read for read in reads if read})),
        reads_unknown=unknown,
        shared_params=(f"{plan.top}/const.py", tuple(sorted(name for name in used if _top(name) in elsewhere))),
    )


def _top(name: str) -> str:
    """The constant itself, where an attribute of it is named."""
    return name.partition(".")[0]


def _made(source: Source, stage: Stage) -> set[str]:
    """Of what a stage writes inside the package, all but the folders that others write into."""
    plan = source.plan
    found = _written(source, stage)
    if plan.among is not None:
        found -= {f"{plan.workspace}/{folder}" for folder in plan.among.common_folders}
    others = {path for other in plan.stages if other is not stage for path in _written(source, other)}
    return {path for path in found if not any(other.startswith(f"{path}/") for other in others)}


def _written(source: Source, stage: Stage) -> set[str]:
    """What a stage writes inside the package, and leaves there."""
    # What others read may have been removed under a condition only.
    read = {path for other in source.plan.stages if other is not stage for path in other.reads_files}
    kept = set(stage.writes_files) - (set(stage.removes_files) - read)
    relative = (w for w in kept if not w.startswith(("/", "~")))
    return {_inside(f"{source.folder}/{w}", source.plan) for w in relative} - {""}


def _reads_unknown_files(source: Source, stage: Stage) -> bool:
    """Calls that nobody knows, or paths that are made at run time: any file may be read."""
    effects = (source.program.statements[i].effects for i in (*stage.statements, *stage.local_definitions))
    return any("?" in e.draws or any(f.path is None for f in e.files) for e in effects)


def _inside(path: str, plan: Plan) -> str:
    """A path with its `..` resolved, or empty where it leaves the package, or the working layout if there is one."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    found = "/".join(parts)
    fetched = any(found == target for _, target in plan.downloads)
    return found if plan.in_place or fetched or found.startswith(f"{plan.workspace}/") else ""
