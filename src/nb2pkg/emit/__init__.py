"""From a plan to the tree of files of the package.

What goes in here: text. What does not: decisions (those are in the plan) and writing to the disk.
"""

from __future__ import annotations

import ast
from importlib import resources
from pathlib import Path

from nb2pkg.analyse import Program
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit import project
from nb2pkg.emit.format import formatted
from nb2pkg.emit.modules import Module, Writer, random_folder
from nb2pkg.emit.tree import Copy, Tree
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Notebook
from nb2pkg.plan.requirements import requirements
from nb2pkg.plan.types import Plan, Stage

RUNTIME = ("artifacts", "report", "workspace")


def emit(
    path: Path, notebook: Notebook, program: Program, plan: Plan, *, python: str | None, cwd: Path | None
) -> tuple[Tree, tuple[Diagnostic, ...]]:
    """Every file of the package of the notebook at `path`."""
    writer = Writer(notebook, program, plan)
    package = plan.package
    base = (cwd or notebook.folder).resolve()
    root = (base / plan.root).resolve()
    modules = [writer.const(), *(writer.stage(s) for s in plan.stages), writer.entry()]
    modules += [m for m in (writer.definitions(), writer.settings()) if m is not None]
    by_name = {m.name: m for m in modules}
    files: dict[str, bytes] = {f"{package}/__init__.py": f'"""The notebook {notebook.name} as a package."""\n'.encode()}
    for module in modules:
        files[f"{package}/{module.name}.py"] = formatted(module.text).encode()
    for name in RUNTIME:
        files[f"{package}/{name}.py"] = (resources.files("nb2pkg.emit") / "runtime" / f"{name}.py").read_bytes()
    for relative in plan.local_modules:
        files[relative] = (base / relative).read_bytes()
    files[f"notebooks/{path.name}"] = path.read_bytes()
    conflicts = {w for s in plan.stages for w in s.writes_files}
    copies: list[Copy] = []
    for relative in plan.data_files:
        inside = _from_cwd(relative, plan.cwd)
        if inside in conflicts and _written_first(program, inside):
            continue
        target = f"workspace/{relative}"
        copies.append(Copy(source=root / relative, target=target, tracked=inside not in conflicts))
    stages = tuple(_dvc_stage(s, plan, program, writer, by_name, copies) for s in plan.stages)
    roots = _roots(program, notebook)
    local = frozenset(m.split("/")[0].removesuffix(".py") for m in plan.local_modules)
    pinned, told = requirements(roots, notebook.requirements, python, shipped(), local)
    outs = tuple(o for s in stages for o in s.outs)
    files["dvc.yaml"] = project.dvc_yaml(stages).encode()
    described = f"The notebook {notebook.name}"
    files["pyproject.toml"] = project.pyproject(package, pinned, notebook.python, described).encode()
    files[".gitignore"] = project.gitignore(outs, tuple(c.target for c in copies if c.tracked)).encode()
    files[".dvcignore"] = project.dvcignore().encode()
    files[".dvc/config"] = project.dvc_config().encode()
    files[".dvc/.gitignore"] = project.dvc_internal_gitignore().encode()
    files["README.md"] = _readme(plan).encode()
    files["LICENSE"] = project.license_note().encode()
    files["tests/test_stages.py"] = project.tests_module(
        package, tuple((s.name, s.name, ("inputs",) if s.module_scope else s.inputs) for s in plan.stages)
    ).encode()
    return Tree(tuple(sorted(files.items())), tuple(copies), package, notebook.folder), told


def _from_cwd(relative: str, cwd: str) -> str:
    if cwd == ".":
        return relative
    if relative.startswith(cwd + "/"):
        return relative[len(cwd) + 1 :]
    return "../" * len(cwd.split("/")) + relative


def _written_first(program: Program, path: str) -> bool:
    for statement in program.statements:
        for use in statement.effects.files:
            if use.path is not None and use.path.removeprefix("./") == path:
                return use.writes
    return False


def _dvc_stage(
    stage: Stage,
    plan: Plan,
    program: Program,
    writer: Writer,
    modules: dict[str, Module],
    copies: list[Copy],
) -> project.DvcStage:
    package = plan.package
    imported = set(modules[stage.name].uses)
    for name in tuple(imported):
        if name in modules:
            imported |= set(modules[name].uses)
    deps = {f"{package}/{stage.name}.py", *(f"{package}/{name}.py" for name in imported)}
    deps.update(plan.local_modules)
    deps.update(a.folder for a in stage.loads)
    if stage.random_from:
        deps.add(random_folder(stage.random_from))
    targets = {c.target for c in copies}
    unknown = any(
        "?" in program.statements[i].effects.draws or any(f.path is None for f in program.statements[i].effects.files)
        for i in (*stage.statements, *stage.local_definitions)
    )
    folder = writer.folder()
    outs = {a.folder for a in stage.saves}
    if stage.keeps_random:
        outs.add(random_folder(stage.name))
    kept = {_inside(f"{folder}/{w}") for w in stage.writes_files if not w.startswith(("/", "~"))}
    outs |= {o for o in kept if o and o not in targets}
    earlier = {
        _inside(f"{folder}/{w}")
        for s in plan.stages[: plan.stages.index(stage)]
        for w in s.writes_files
        if not w.startswith(("/", "~"))
    }
    for read in stage.reads_files:
        where = _inside(f"{folder}/{read}")
        if where in targets or where in earlier:
            deps.add(where)
    if unknown:
        deps |= targets | {e for e in earlier if e and e not in targets}
    deps -= outs | {""}
    texts = [modules[stage.name].text, *(modules[name].text for name in sorted(imported) if name in modules)]
    mentioned = {p.id for text in texts for p in ast.walk(ast.parse(text)) if isinstance(p, ast.Name)}
    used = mentioned & set(writer.constants)
    return project.DvcStage(
        name=stage.name,
        module=f"{package}.{stage.name}",
        desc=stage.title,
        deps=tuple(sorted(deps)),
        params=tuple(sorted(used)),
        const_path=f"{package}/const.py",
        outs=tuple(sorted(outs)),
        uncached_outs=(f"reports/outputs/{stage.name}.jsonl",),
        metrics=(),
        plots=(f"reports/figures/{stage.name}",),
        cells=tuple(dict.fromkeys(writer.cell_ids[program.statements[i].cell] for i in stage.statements)),
    )


def _inside(path: str) -> str:
    """A path with its `..` resolved, or empty where it leaves the package."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if not parts:
                return ""
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts) if parts and parts[0] == "workspace" else ""


def _roots(program: Program, notebook: Notebook) -> frozenset[str]:
    roots: set[str] = set()
    for statement in program.statements:
        for part in ast.walk(statement.node):
            if isinstance(part, ast.Import):
                roots.update(a.name.split(".")[0] for a in part.names)
            elif isinstance(part, ast.ImportFrom) and part.module and not part.level:
                roots.add(part.module.split(".")[0])
    return frozenset(roots)


def _readme(plan: Plan) -> str:
    lines = [
        f"# {plan.package}",
        "",
        f"The notebook `{plan.notebook}` as a package: one module a section, one DVC stage a module.",
        "",
        "```sh",
        "pip install -e .          # what the notebook needs, in the versions that it had",
        "dvc repro                 # everything, from the data to the last figure",
        f"python -m {plan.package}          # the same in one process",
        f"python -m {plan.package}.{plan.stages[-1].name if plan.stages else 'x'}     # one stage",
        "```",
        "",
        "| stage | what it is | takes | gives |",
        "|---|---|---|---|",
    ]
    for stage in plan.stages:
        title = stage.title.replace("|", "\\|")
        lines.append(f"| `{stage.name}` | {title} | {', '.join(stage.inputs)} | {', '.join(stage.outputs)} |")
    lines += [
        "",
        "The constants stand in "
        f"`{plan.package}/const.py`: edit one and run `dvc repro`, and only the stages that use it run again.",
        "What the notebook shows is kept in `reports/outputs/`, its figures in `reports/figures/`; it runs in "
        "`workspace/`, where its own paths mean what they meant.",
    ]
    if plan.diagnostics:
        lines += ["", "## What to know", "", *(f"- {d}" for d in plan.diagnostics)]
    return "\n".join(lines) + "\n"
