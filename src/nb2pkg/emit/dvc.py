"""The stages of dvc.yaml: what each depends on, which constants it reads, what it writes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nb2pkg.emit.constants import definitions_run, parameters
from nb2pkg.emit.metrics import metric_files, plot_rows
from nb2pkg.emit.project import DvcStage
from nb2pkg.emit.source import Module, Source
from nb2pkg.emit.stages import random_folder
from nb2pkg.emit.tree import Copy
from nb2pkg.plan.types import Stage


def dvc_stage(
    source: Source,
    stage: Stage,
    modules: Mapping[str, Module],
    copies: Sequence[Copy],
) -> DvcStage:
    """The row of dvc.yaml of one stage."""
    package, plan, statements = source.plan.package, source.plan, source.program.statements
    imported = {"__init__", *modules[stage.name].uses}
    if definitions_run(source, stage):
        imported.add(source.shared_module)  # it may be imported only by what is loaded
    for name in tuple(imported):
        if name in modules:
            imported |= set(modules[name].uses)
    deps = {f"{package}/{name}.py" for name in (stage.name, *imported)}
    deps.update(target for target, _ in plan.local_modules)
    deps.update(a.folder for a in stage.loads)
    if stage.random_from:
        deps.add(random_folder(stage.random_from))
    outs = {a.folder for a in stage.saves}
    if stage.keeps_random:
        outs.add(random_folder(stage.name))
    targets = {c.target for c in copies} | {path for _, path in plan.downloads}
    outs |= {o for o in _written(source, stage) if o not in targets}
    others = {o for s in plan.stages if s is not stage for o in _written(source, s)}
    outs -= {out for out in outs if any(other.startswith(f"{out}/") for other in others)}
    outs -= {out for out in outs if any(out.startswith(f"{other}/") for other in outs)}
    earlier = set().union(*(_written(source, s) for s in plan.stages[: plan.stages.index(stage)]))
    for read in stage.reads_files:
        where = _inside(f"{source.folder}/{read}", source.plan.in_place)
        if where in earlier or any(where == t or where.startswith(f"{t}/") for t in targets):
            deps.add(where)
    if _reads_unknown_files(source, stage):
        deps |= targets | (earlier - targets)
    return DvcStage(
        name=stage.name,
        module=f"{package}.{stage.name}",
        desc=stage.title,
        deps=tuple(sorted(deps - outs)),
        params=tuple(sorted(parameters(source, stage, modules, imported))),
        const_path=f"{package}/const.py",
        outs=tuple(sorted(outs)),
        uncached_outs=(f"reports/outputs/{stage.name}.jsonl",),
        metrics=metric_files(stage),
        plots=plot_rows(stage),
        cells=tuple(dict.fromkeys(source.cell_ids[statements[i].cell] for i in stage.statements)),
    )


def _written(source: Source, stage: Stage) -> set[str]:
    """What a stage writes inside the package."""
    relative = (w for w in stage.writes_files if not w.startswith(("/", "~")))
    return {_inside(f"{source.folder}/{w}", source.plan.in_place) for w in relative} - {""}


def _reads_unknown_files(source: Source, stage: Stage) -> bool:
    """Calls that nobody knows, or paths that are made at run time: any file may be read."""
    effects = (source.program.statements[i].effects for i in (*stage.statements, *stage.local_definitions))
    return any("?" in e.draws or any(f.path is None for f in e.files) for e in effects)


def _inside(path: str, in_place: bool) -> str:
    """A path with its `..` resolved, or empty where it leaves the package, or the working layout if there is one."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) if parts and (in_place or parts[0] == "workspace") else ""
