"""What every emitted module is written from: the notebook, its program and plan, and which names are taken."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nb2pkg.analyse import Program
from nb2pkg.emit.imports import Import, block, parsed, parsed_node
from nb2pkg.emit.text import global_names, indent
from nb2pkg.notebook import Notebook
from nb2pkg.plan.types import WORKSPACE_FOLDER, Plan
from nb2pkg.refactor.runtime_names import OFFERED, RUNTIME_MODULES, local_names


@dataclass(frozen=True, slots=True)
class Module:
    """An emitted module: its name in the package, its text before formatting, the package modules it imports."""

    name: str
    text: str
    uses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """The notebook with its plan, looked up by name."""

    notebook: Notebook
    program: Program
    plan: Plan
    imports: Mapping[str, Import]
    futures: tuple[Import, ...]
    stars: tuple[tuple[int, Import], ...]
    """The star imports, with the statements that they are."""
    order: Mapping[Import, int]
    """The place of each import in the notebook, where a star import may bind again what stands before it."""
    submodules: Mapping[str, tuple[Import, ...]]
    """For a name bound by `import a.b`: all such imports."""
    cell_ids: Mapping[int, str]
    constants: Mapping[str, int]
    shared: Mapping[str, int]
    """The functions and classes that stand once in the module `shared_module`."""
    shared_module: str
    local: Mapping[str, str]
    """What the modules call each offered name of the runtime, and their own `main` and `settings`."""
    own_roots: frozenset[str]
    """The root modules that lie in the package's repository."""

    @property
    def folder(self) -> str:
        """The working folder of the stages, from the package's root."""
        if self.plan.in_place:
            return "."
        return self.plan.workspace if self.plan.cwd == "." else f"{self.plan.workspace}/{self.plan.cwd}"

    def runtime(self, name: str) -> Import:
        """The import of an offered name of the runtime, under the name that the modules have for it."""
        local = self.local[name]
        return Import(f"{self.plan.top}.{OFFERED[name]}", name, local if local != name else "")


def source_of(notebook: Notebook, program: Program, plan: Plan) -> Source:
    """Look everything up once."""
    imports: dict[str, Import] = {}
    futures: list[Import] = []
    for _, line in plan.imports:
        for each in parsed(line):
            if each.module == "__future__":
                futures.append(each)
            elif each.name == "display" and each.module in ("IPython.display", "IPython.core.display"):
                imports[each.binds()] = Import(f"{plan.top}.report", "display", each.alias)
            else:
                imports[each.binds()] = each
    submodules: dict[str, list[Import]] = {}
    for line in notebook.imports:
        for each in parsed(line):
            if "." in each.module or each.binds() not in imports:
                imports[each.binds()] = each
            if "." in each.module:
                submodules.setdefault(each.binds(), []).append(each)
    order: dict[Import, int] = {}
    stars: list[tuple[int, Import]] = []
    for statement in program.statements:
        if isinstance(statement.node, ast.Import | ast.ImportFrom):
            for each in parsed_node(statement.node):
                order.setdefault(each, len(order))
                if each.name == "*":
                    stars.append((statement.index, each))
                if not each.name and not each.alias and "." in each.module:
                    submodules.setdefault(each.binds(), []).append(each)
    kinds = {isinstance(program.statements[i].node, ast.ClassDef) for i in plan.shared_definitions}
    roots = {m.split("/")[0].removesuffix(".py") for m, _ in plan.local_modules}

    def binding(indices: Iterable[int]) -> dict[str, int]:
        return {next(iter(program.statements[i].effects.binds)): i for i in indices}

    return Source(
        notebook=notebook,
        program=program,
        plan=plan,
        imports=imports,
        futures=tuple(futures),
        stars=tuple(stars),
        order=order if program.stars else {},
        submodules={name: tuple(found) for name, found in submodules.items()},
        cell_ids={cell.index: cell.id for cell in notebook.cells},
        constants=binding(plan.constants),
        shared=binding(plan.shared_definitions),
        shared_module="definitions" if len(kinds) != 1 else "classes" if True in kinds else "functions",
        local=local_names(program),
        own_roots=frozenset(roots | {plan.top}),
    )


def beside(source: Source, names: Iterable[str]) -> Source:
    """The source for a module that also has these names (of stages) at its top."""
    clash = {name: f"_{source.local[name]}" for name in names if name in source.local}
    return replace(source, local={**source.local, **clash}) if clash else source


def head(
    source: Source, body: str, *, own: str, variables: Iterable[str] = (), stop: int | None = None
) -> tuple[str, tuple[str, ...]]:
    """The imports that the body of the module `own` needs, and the package's modules among them.

    `variables` are names that the module binds itself. Of star imports it gets those before the statement `stop`:
    a later one may bind the same names to other things.
    """
    package, top = source.plan.package, source.plan.top
    elsewhere = dict(source.plan.among.shared) if source.plan.among is not None else {}
    names = global_names(body) - set(variables)
    wanted = [*source.futures, *(star for index, star in source.stars if stop is None or index < stop)]
    uses: set[str] = set()

    for name in names:
        if name in source.submodules and name in source.imports:
            wanted += source.submodules[name]
        elif name in source.imports:
            wanted.append(source.imports[name])
            if source.imports[name].module == f"{top}.report":
                uses.add("report")
        elif name in source.constants and own != "const":
            wanted.append(Import(elsewhere.get(name, f"{package}.const"), name))
        elif name in source.shared and name in elsewhere:
            wanted.append(Import(elsewhere[name], name))
            uses.add(elsewhere[name])
        elif name in source.shared and own != source.shared_module:
            wanted.append(Import(f"{package}.{source.shared_module}", name))
            uses.add(source.shared_module)
        elif name == "display":
            wanted.append(Import(f"{top}.report", name))
            uses.add("report")
    for name, module in OFFERED.items():
        if source.local[name] in names:
            wanted.append(source.runtime(name))
            uses.add(module)
    if source.local["settings"] in names and own != "settings":
        local = source.local["settings"]
        wanted.append(Import(package, "settings", local if local != "settings" else ""))
        uses.add("settings")
    inside = [each for each in wanted if _opens(source, each)]
    if not inside:
        return block(wanted, source.own_roots, source.order), tuple(sorted(uses))
    uses.add("workspace")
    plain = [source.runtime("working_folder"), *(each for each in wanted if each not in inside)]
    first, last = (block(each, source.own_roots, source.order) for each in (plain, inside))
    return f"{first}\n\nwith {working_folder(source)}:\n{indent(last)}", tuple(sorted(uses))


def _opens(source: Source, wanted: Import) -> bool:
    """Whether it has to be imported in the notebook's working folder."""
    return any(f"{name}.".startswith(f"{m}.") for m in source.plan.opening for name in (wanted.module, wanted.full()))


def working_folder(source: Source) -> str:
    """The call that enters the notebook's working folder, with the empty folders that it has to find there; empty where
    the stages run in the package's root."""
    plan = source.plan
    if plan.in_place:
        return ""
    arguments = [repr(source.folder)] if source.folder != WORKSPACE_FOLDER or plan.folders else []
    return f"{source.local['working_folder']}({', '.join([*arguments, *map(repr, plan.folders)])})"


def module_files(plan: Plan, names: Iterable[str]) -> set[str]:
    """The files of modules, and of each package that is imported with them: those of the runtime by their names are in
    the top package, one with a dotted name is not the notebook's own, all others lie in its folder."""
    found = {f"{plan.top}/__init__.py", f"{plan.folder}/__init__.py"}
    for name in names:
        if "." in name:
            found.add(f"{name.replace('.', '/')}.py")
        else:
            folder = plan.top if name in RUNTIME_MODULES else plan.folder
            found.add(f"{folder}/{name}.py")
    return found
