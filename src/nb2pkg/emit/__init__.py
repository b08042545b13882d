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
from nb2pkg.emit.constants import constants_module
from nb2pkg.emit.dvc import dvc_stage
from nb2pkg.emit.fetch import fetch_module, fetch_stage
from nb2pkg.emit.format import LINE_LENGTH, formatted
from nb2pkg.emit.metrics import plot_templates
from nb2pkg.emit.modules import definitions_module, entry_module, package_module, settings_module
from nb2pkg.emit.source import Source, source_of
from nb2pkg.emit.stages import stage_module
from nb2pkg.emit.tree import Copy, Tree
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Notebook
from nb2pkg.plan.requirements import requirements
from nb2pkg.plan.types import Plan
from nb2pkg.read.formats import NotebookFile
from nb2pkg.refactor.runtime_names import RUNTIME
from nb2pkg.refactor.secrets import masked_file


def emit(
    file: NotebookFile, notebook: Notebook, program: Program, plan: Plan, *, python: str | None, cwd: Path | None
) -> tuple[Tree, tuple[Diagnostic, ...]]:
    """Every file of the package of a notebook, whose own bytes it keeps."""
    source = source_of(notebook, program, plan)
    package = plan.package
    base = (cwd or notebook.folder).resolve()
    made = [package_module(source), entry_module(source), *(stage_module(source, s) for s in plan.stages)]
    rest = (constants_module(source), definitions_module(source), settings_module(source), fetch_module(source))
    modules = {m.name: m for m in (*made, *rest) if m is not None}
    copies = _copies(source, (base / plan.root).resolve())
    stages = tuple(dvc_stage(source, s, modules, copies) for s in plan.stages)
    fetched = fetch_stage(source)
    stages = (fetched, *stages) if fetched is not None else stages
    beside = tuple(target for target, _ in plan.local_modules)
    local = frozenset(m.split("/")[0].removesuffix(".py") for m in beside)
    pinned, told = requirements(_roots(program), notebook.requirements, python, shipped(), local)
    about = (notebook.python, f"The notebook {notebook.name}")
    tracked = tuple(c.target for c in copies if c.tracked)
    tests = tuple((s.name, s.name, ("inputs",) if s.module_scope else s.inputs) for s in plan.stages)
    texts = {
        "dvc.yaml": project.dvc_yaml(stages),
        "pyproject.toml": project.pyproject(package, pinned, *about, LINE_LENGTH, beside, plan.overrides),
        ".gitignore": project.gitignore(
            tuple(o for s in stages for o in s.outs), tracked, workspace=not plan.in_place
        ),
        ".dvcignore": project.dvcignore(),
        ".dvc/config": project.dvc_config(),
        ".dvc/.gitignore": project.dvc_internal_gitignore(),
        "README.md": _readme(source, file.name, tracked, told),
        "LICENSE": project.license_note(),
        "tests/test_stages.py": project.tests_module(package, tests, source.local["main"]),
    }
    texts |= {f"{package}/{m.name}.py": formatted(m.text) for m in modules.values()}
    files = {name: text.encode() for name, text in texts.items()}
    measured = [m for s in plan.stages for m in s.metrics]
    files |= plot_templates(measured)
    files |= {f"{folder}/.gitkeep": b"" for folder in _expected(plan)}
    runtime = [name for name in RUNTIME if name != "workspace" or not plan.in_place]
    runtime += [name for name, is_used in (("metrics", measured), ("downloads", fetched)) if is_used]
    for name in runtime:
        files[f"{package}/{name}.py"] = (resources.files("nb2pkg.emit") / "runtime" / f"{name}.py").read_bytes()
    files |= plan.local_modules
    kept = f"notebooks/{file.name}"
    files |= {f"notebooks/{name}": content for name, content in notebook.run_files}
    files[kept] = masked_file(file.content, notebook.secrets)
    if notebook.secrets:
        files[".env.example"] = project.env_example(s.name for s in notebook.secrets).encode()
    listed = tuple(sorted(files.items()))
    return Tree(listed, copies, package, notebook.folder, kept, source.folder, plan.folders, plan.moved), told


def _expected(plan: Plan) -> set[str]:
    """The folders that the stages write into and do not make: git and DVC keep none that are empty."""
    written = {w for stage in plan.stages for w in stage.writes_files}
    pairs = [(original, package) for original, package in plan.moved if package in written]
    made = tuple(f"{original}/" for original, _ in pairs)
    return {package.rpartition("/")[0] for original, package in pairs if not original.startswith(made)}


def _copies(source: Source, root: Path) -> tuple[Copy, ...]:
    """The data files, those that a stage writes over untracked: DVC knows one maker of a file."""
    plan = source.plan
    conflicts = {w for s in plan.stages for w in s.writes_files}
    copies: list[Copy] = []
    for relative in plan.data_files:
        inside = _from_cwd(relative, plan.cwd)
        if inside in conflicts and _written_first(source.program, inside):
            continue
        copies.append(Copy(root / relative, f"workspace/{relative}", tracked=inside not in conflicts))
    for path, target in plan.brought:
        where = target if plan.in_place else f"{source.folder}/{target}"
        copies.append(Copy(Path(path), where, tracked=True))
    return tuple(copies)


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


def _roots(program: Program) -> frozenset[str]:
    roots: set[str] = set()
    for statement in program.statements:
        for part in ast.walk(statement.node):
            if isinstance(part, ast.Import):
                roots.update(a.name.split(".")[0] for a in part.names)
            elif isinstance(part, ast.ImportFrom) and part.module and not part.level:
                roots.add(part.module.split(".")[0])
    return frozenset(roots)


def _readme(source: Source, notebook: str, data: tuple[str, ...], told: tuple[Diagnostic, ...]) -> str:
    plan = source.plan
    stages = tuple(project.ReadmeStage(s.name, s.title, s.inputs, s.outputs) for s in plan.stages)
    doubts = tuple(str(d) for d in (*plan.diagnostics, *told))
    return project.readme(
        plan.package,
        notebook,
        stages,
        doubts,
        data,
        constants=bool(plan.constants),
        workspace=not plan.in_place,
        metrics=any(s.metrics for s in plan.stages),
        secrets=tuple(s.name for s in source.notebook.secrets),
    )
