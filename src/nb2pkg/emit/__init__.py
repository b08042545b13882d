"""From a plan to the tree of files of the package.

What goes in here: text. What does not: decisions (those are in the plan) and writing to the disk.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib import resources
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.emit import project
from nb2pkg.emit.constants import constants_module
from nb2pkg.emit.dvc import dvc_stage
from nb2pkg.emit.fetch import fetch_module, fetch_stage
from nb2pkg.emit.format import LINE_LENGTH, formatted
from nb2pkg.emit.metrics import plot_templates
from nb2pkg.emit.modules import definitions_module, entry_module, package_module, settings_module
from nb2pkg.emit.part import Part
from nb2pkg.emit.project import ReadmeStage
from nb2pkg.emit.source import Source, source_of
from nb2pkg.emit.stages import stage_module
from nb2pkg.emit.tree import Copy, Tree
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Notebook
from nb2pkg.plan.local_modules import imported_by, imported_roots
from nb2pkg.plan.requirements import requirements
from nb2pkg.plan.types import Plan
from nb2pkg.read.formats import NotebookFile, with_sources
from nb2pkg.refactor.runtime_names import RUNTIME
from nb2pkg.refactor.secrets import masked_file


def emit_part(
    file: NotebookFile,
    notebook: Notebook,
    program: Program,
    plan: Plan,
    *,
    python: str | None,
    cwd: Path | None,
    as_of: str = "",
) -> Part:
    """What a notebook brings to its package, with its own bytes."""
    source = source_of(notebook, program, plan)
    base = (cwd or notebook.folder).resolve()
    made = [package_module(source), entry_module(source), *(stage_module(source, s) for s in plan.stages)]
    rest = (constants_module(source), definitions_module(source), settings_module(source), fetch_module(source))
    modules = {m.name: m for m in (*made, *rest) if m is not None}
    copies = _copies(source, (base / plan.root).resolve())
    stages = tuple(dvc_stage(source, s, modules, copies) for s in plan.stages)
    fetched = fetch_stage(source)
    beside = (*(path for path, _ in plan.local_modules), *(plan.among.helper_files if plan.among is not None else ()))
    local = frozenset({plan.top, *(m.split("/")[0].removesuffix(".py") for m in beside)})
    needed = imported_by(content for _, content in plan.local_modules)
    needed |= imported_roots(s.node for s in program.statements)
    needed |= frozenset(plan.among.helper_imports if plan.among is not None else ())
    pinned, told = requirements(needed, notebook.requirements, python, shipped(), local, as_of)
    tests = tuple((s.name, s.name, ("inputs",) if s.module_scope else s.inputs) for s in plan.stages)
    elsewhere = dict(plan.among.shared) if plan.among is not None else {}
    group = "_".join(plan.package.split(".")[1:]) or "stages"
    measured = [m for s in plan.stages for m in s.metrics]
    runtime = [name for name in RUNTIME if name != "workspace" or not plan.in_place]
    runtime += [name for name, is_used in (("metrics", measured), ("downloads", fetched)) if is_used]
    texts = {f"{plan.folder}/{m.name}.py": formatted(m.text) for m in modules.values()}
    texts[f"tests/test_{group}.py"] = project.tests_module(plan.package, tests, source.local["main"])
    folder = PurePosixPath("notebooks", plan.among.folder if plan.among is not None else ".")
    kept = {f"{folder}/{file.name}": masked_file(file.content, notebook.secrets)}
    if notebook.rewritten:  # what verify runs in the original's place, which is kept as it was
        today = masked_file(with_sources(file, notebook.sources), notebook.secrets)
        kept = {f"{folder}/{_beside(file, notebook)}": today} | kept
    ran = {os.path.normpath(folder / name).replace(os.sep, "/"): content for name, content in notebook.run_files}
    kept |= {path: content for path, content in ran.items() if path.startswith("notebooks/") and path not in kept}
    return Part(
        package=plan.package,
        notebook=notebook.name,
        python=notebook.python,
        code_cells=len(notebook.code_cells),
        modules=tuple(texts.items()),
        stages=(fetched, *stages) if fetched is not None else stages,
        shown_stages=tuple(ReadmeStage(s.name, s.title, s.inputs, s.outputs) for s in plan.stages),
        copies=copies,
        requirements=pinned,
        as_of=as_of,
        beside=plan.local_modules,
        kept=tuple(kept.items()),
        runtime=tuple(runtime),
        templates=tuple(plot_templates(measured).items()),
        folders=tuple(sorted(_expected(plan))),
        cwd=source.folder,
        expected=plan.folders,
        upgraded=notebook.rewritten or any(told.code == "N015" for told in plan.diagnostics),
        values=tuple((saved.folder, saved.names) for stage in plan.stages for saved in stage.saves),
        secrets=tuple(dict.fromkeys(s.name for s in notebook.secrets)),
        constants=len(plan.constants) - sum(name in elsewhere for name in source.constants),
        measured=bool(measured),
        diagnostics=told,
    )


def emit(part: Part, plan: Plan, folder: Path) -> Tree:
    """Every file of the package of a notebook that lies in `folder`."""
    package = plan.package
    tracked = tuple(c.target for c in part.copies if c.tracked)
    about = (part.python, f"The notebook {part.notebook}")
    beside = tuple(path for path, _ in part.beside)
    outs = tuple(out for stage in part.stages for out in stage.outs)
    kept = part.kept[0][0]
    told = tuple(map(str, (*plan.diagnostics, *part.diagnostics)))
    texts = {
        "dvc.yaml": project.dvc_yaml(part.stages),
        "pyproject.toml": project.pyproject(
            package, part.requirements, *about, LINE_LENGTH, beside, plan.overrides, part.as_of
        ),
        ".gitignore": project.gitignore(outs, tracked, workspace=not plan.in_place),
        ".dvcignore": project.dvcignore(),
        ".dvc/config": project.dvc_config(),
        ".dvc/.gitignore": project.dvc_internal_gitignore(),
        "README.md": project.readme(
            package,
            f"{part.notebook}.ipynb",
            part.shown_stages,
            told,
            tracked,
            constants=bool(part.constants),
            workspace=not plan.in_place,
            metrics=part.measured,
            secrets=part.secrets,
            as_of=part.as_of,
        ),
        "LICENSE": project.license_note(),
        **dict(part.modules),
    }
    if part.secrets:
        texts[".env.example"] = project.env_example(part.secrets)
    files = {name: text.encode() for name, text in texts.items()} | dict(part.templates)
    files |= {f"{each}/.gitkeep": b"" for each in part.folders}
    files |= runtime_files(package, part.runtime)
    files |= dict(part.beside) | dict(part.kept)
    whole = tuple(sorted(files.items()))
    return Tree(whole, part.copies, package, folder, kept, part.cwd, plan.folders, plan.moved, part.values)


def runtime_files(package: str, names: Iterable[str]) -> dict[str, bytes]:
    """The runtime's modules in a package, by their paths."""
    folder = resources.files("nb2pkg.emit") / "runtime"
    return {f"{package}/{name}.py": (folder / f"{name}.py").read_bytes() for name in names}


def _beside(file: NotebookFile, notebook: Notebook) -> str:
    """A free name beside the kept notebook for what runs today."""
    taken = {file.name, *(name for name, _ in notebook.run_files)}
    names = (f"{file.path.stem}_python3{'_again' * count}.ipynb" for count in range(len(taken) + 1))
    return next(name for name in names if name not in taken)


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
        copies.append(Copy(root / relative, f"{plan.workspace}/{relative}", tracked=inside not in conflicts))
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
