"""The whole program: read it from top to bottom.

    read      .ipynb -> Notebook                plain Python cells
    analyse   Notebook -> Program               statements with their effects (twice where paths are pointed at copies)
    section   Program -> [Section]              runs of statements with a name
    refactor  Program -> Program                literals become constants
    plan      [Section] -> Plan                 stages, what crosses, files
    emit      Plan -> Tree                      path -> contents
    write     Tree -> out/                      atomically
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nb2pkg.analyse import Program
    from nb2pkg.diagnostics import Diagnostic
    from nb2pkg.emit.part import Part
    from nb2pkg.emit.tree import Tree
    from nb2pkg.facts import Facts
    from nb2pkg.notebook import Notebook
    from nb2pkg.plan.paths import Brought
    from nb2pkg.plan.types import Place, Plan
    from nb2pkg.read.formats import NotebookFile


LONGEST_NAME = 40
"""Characters of a package's name that is made from a file's; whole words of it are kept."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the user chose."""

    package: str = ""
    """The package's name; empty: from the notebook's file name."""
    python: str | None = None
    """The interpreter that versions are read from; None: the current one."""
    as_of: str = ""
    """The day, as 2016-03-01, whose packages the package wants, and no versions of today; empty: none."""
    cwd: Path | None = None
    """The folder that the notebook runs in; None: its own."""
    one_stage: bool = False
    lift: bool = True
    """Hyperparameters, seeds, paths and lists of literals become constants too."""
    seed: int | None = None
    """What every unseeded call is seeded with: the one option that changes results. None: none is."""
    joined: tuple[str, ...] = ()
    """Ids of cells that no stage begins in."""
    unlifted: tuple[str, ...] = ()
    """Ids of cells whose literals and pickling stay as they are."""
    unwrapped: tuple[str, ...] = ()
    """Ids of cells whose names are the module's, not a function's."""
    facts: Facts | None = None
    """What a profile of the notebook has seen."""
    modernize: bool = False
    """API that libraries no longer have is written as it is now, where that is sure."""
    keep_layout: bool = False
    """The notebook's files keep their places, below `workspace/`."""
    force: bool = False
    git: bool = True
    among: Place | None = None
    """The notebook's place among the others of a repository, all of which lie below `within`."""
    within: Path | None = None
    """The folder that no data, module or `%run` file may come from outside of; None: the notebook's paths decide."""


@dataclass(frozen=True, slots=True)
class Converted:
    """A notebook that was converted: its plan, and everything that was doubted on the way."""

    out: Path
    plan: Plan
    diagnostics: tuple[Diagnostic, ...]


@dataclass(frozen=True, slots=True)
class Analysed:
    """A notebook with what its statements do."""

    notebook: Notebook
    program: Program
    base: Path
    """The folder that it runs in."""
    brought: tuple[Brought, ...]
    """Data from elsewhere on this machine that its paths lead to."""
    told: tuple[Diagnostic, ...]


def package_name(stem: str, taken: frozenset[str] = frozenset()) -> str:
    """A valid package name from a file's stem (`01 EDA-final` → `eda_final`) that hides no module, none of `taken`."""
    import keyword
    import sys
    import unicodedata

    ascii_text = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", ascii_text).strip("_").lower()
    name = re.sub(r"_+", "_", re.sub(r"^[\d_]+", "", name))
    if len(name) > LONGEST_NAME:
        name = name[: LONGEST_NAME + 1].rpartition("_")[0] or name[:LONGEST_NAME]
    name = name.strip("_") or "notebook_package"
    reserved = name in sys.stdlib_module_names or keyword.iskeyword(name) or keyword.issoftkeyword(name)
    if reserved or name in taken or name in ("notebooks", "data", "reports", "metrics", "models", "tests", "workspace"):
        name += "_pkg"
    return name


def plan(notebook: Path | NotebookFile, options: Options | None = None) -> Plan:
    """The plan for a notebook; raises NotebookError where it can't be read. Writes nothing, runs nothing."""
    return _plan(_file(notebook), options or Options(), lambda step: None)[2]


def tree(
    notebook: Path | NotebookFile,
    options: Options | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> tuple[Tree, Plan, tuple[Diagnostic, ...]]:
    """Every file of a notebook's package, none of them written; the plan, and what was doubted on the way.

    `on_step` is told of each pass before it begins, by its name.
    """
    from nb2pkg.emit import emit

    file = _file(notebook)
    made, planned = part(file, options, on_step)
    return emit(made, planned, file.folder), planned, (*planned.diagnostics, *made.diagnostics)


def part(
    notebook: Path | NotebookFile,
    options: Options | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> tuple[Part, Plan]:
    """What a notebook brings to its package, or to that of a whole repository (`Options.among`); and its plan."""
    from nb2pkg.emit import emit_part
    from nb2pkg.emit.tree import within

    options = options or Options()
    file = _file(notebook)
    source, program, planned = _plan(file, options, on_step)
    on_step("emit")
    with _silent():
        made = emit_part(
            file, source, program, planned, python=options.python, cwd=options.cwd, as_of=options.as_of
        )
    if options.within is not None:
        copies, left_out = within(made.copies, options.within)
        made = replace(made, copies=copies, diagnostics=(*made.diagnostics, *left_out))
    return replace(made, diagnostics=tuple(map(source.as_seen, made.diagnostics))), planned


def convert(
    notebook: Path | NotebookFile,
    out: Path,
    options: Options | None = None,
    on_step: Callable[[str], None] = lambda step: None,
) -> Converted:
    """Write the package of `notebook` to `out`; raises Nb2pkgError where the input or the folder won't do."""
    from nb2pkg.write import write

    options = options or Options()
    found, made, told = tree(notebook, options, on_step)
    on_step("write")
    written = write(found, out, force=options.force, git=options.git)
    return Converted(out=out, plan=made, diagnostics=(*told, *written))


def _file(notebook: Path | NotebookFile) -> NotebookFile:
    from nb2pkg.read.formats import NotebookFile

    return NotebookFile.at(notebook) if isinstance(notebook, Path) else notebook


def analysed(notebook: Path | NotebookFile, options: Options | None = None) -> Analysed:
    """A notebook read and analysed, before anything is decided about it. Writes nothing, runs nothing."""
    return _analysed(_file(notebook), options or Options(), lambda step: None)


def _analysed(file: NotebookFile, options: Options, on_step: Callable[[str], None]) -> Analysed:
    from nb2pkg.analyse import analyse
    from nb2pkg.knowledge.base import shipped
    from nb2pkg.plan.copies_into import with_copies_into_folders
    from nb2pkg.plan.drive import meet_on_drive
    from nb2pkg.plan.paths import point_at_copies
    from nb2pkg.read import read
    from nb2pkg.refactor.helper_imports import with_helpers
    from nb2pkg.refactor.modernize import modernized, told_of
    from nb2pkg.refactor.notebook_imports import with_notebook_imports
    from nb2pkg.refactor.secrets import masked, without_secrets
    from nb2pkg.refactor.seed import with_seed

    with _silent():
        on_step("read")
        within = options.within.resolve() if options.within else None
        notebook, told = read(file, within=within)
        notebook, imported = with_notebook_imports(notebook, within, lambda path: _read_beside(path, within))
        told = (*told, *imported)
        if options.among is not None:
            notebook = with_helpers(notebook, dict(options.among.helpers))
        notebook, hidden = without_secrets(notebook, shipped())
        told = (*(masked(t, notebook.secrets) for t in told), *hidden)
        on_step("analyse")
        program = analyse(notebook, shipped())
        if options.modernize:
            notebook, program, changed = modernized(notebook, program, shipped())
            told = (*told, *changed)
        else:
            told = (*told, *told_of(notebook, program, shipped()))
        base = (options.cwd or notebook.folder).resolve()
        if options.among is not None and options.within is not None:
            met, there = meet_on_drive(notebook, program, base, options.within.resolve(), options.among.made)
            if met is not notebook:
                notebook, program, told = met, analyse(met, shipped()), (*told, *there)
        pointed, brought, moved = point_at_copies(notebook, program, base)
        if pointed is not notebook:
            notebook, program = pointed, analyse(pointed, shipped())
        if options.seed is not None:
            seeded, changed = with_seed(notebook, program, shipped(), options.seed)
            if seeded is not notebook:
                notebook, program, moved = seeded, analyse(seeded, shipped()), (*moved, *changed)
        program = with_copies_into_folders(program, base)
    return Analysed(notebook, program, base, brought, (*told, *moved))


def _read_beside(path: Path, within: Path | None) -> tuple[Notebook, tuple[Diagnostic, ...], bytes]:
    """A notebook that another one imports, with its bytes."""
    from nb2pkg.read import NotebookFile, read

    file = NotebookFile.at(path)
    return (*read(file, within=within), file.content)


def _plan(
    file: NotebookFile, options: Options, on_step: Callable[[str], None]
) -> tuple[Notebook, Program, Plan]:
    from nb2pkg.knowledge.base import shipped
    from nb2pkg.plan import make_plan
    from nb2pkg.plan.by_modules import with_modules
    from nb2pkg.plan.fetching import saved_downloads, without_saved
    from nb2pkg.plan.layout import decide, kept, unmoved
    from nb2pkg.plan.local_modules import looked_into, own_modules
    from nb2pkg.plan.moves import WORKSPACE
    from nb2pkg.plan.relocation import readdressed, relocated, telling
    from nb2pkg.plan.types import Overrides
    from nb2pkg.refactor.constants import left_alone, lift
    from nb2pkg.refactor.saved_objects import through_artifacts
    from nb2pkg.refactor.secret_places import modules_without_secrets
    from nb2pkg.section import section
    from nb2pkg.section.names import imported_names

    found = _analysed(file, options, on_step)
    notebook, program, among = found.notebook, found.program, options.among
    with _silent():
        saved = () if among is not None else saved_downloads(program)
        program = without_saved(program, saved)
        layout = WORKSPACE
        if among is None:
            decided = decide if not options.keep_layout else unmoved
            layout = decided(notebook, program, found.base, found.brought, shipped(), saved)
        notebook, program, layout = readdressed(notebook, program, layout, shipped())
        program = without_saved(program, saved)
        on_step("section")
        sections, doubts = section(notebook, program.statements, options.facts.expensive if options.facts else ())
        modules = imported_names(program.statements) | shipped().roots()
        package = options.package or package_name(notebook.name, modules)
        program = left_alone(notebook, program, frozenset(options.unlifted))
        if options.lift:
            on_step("refactor")
            elsewhere = frozenset(name for name, _ in among.shared) if among is not None else frozenset()
            unlifted = frozenset(options.unlifted)
            fetched = {url: layout.up + path for url, path in layout.downloads}
            program = lift(notebook, program, sections, shipped(), unlifted, fetched, elsewhere)
        untouched = frozenset(cell.index for cell in notebook.cells if cell.id in options.unlifted)
        program = telling(relocated(program, layout), layout)
        program = through_artifacts(program, shipped(), untouched, copies=layout.in_place)
        on_step("plan")
        within = options.within.resolve() if options.within else None
        if among is None:
            beside = own_modules(notebook, program, found.base, within)
            known = looked_into(((f.target, f.content, f.source) for f in beside), found.base)
        else:
            beside = ()
            top = within or found.base
            helpers = ((name, text, top / path if path else None) for name, text, path in among.helper_texts)
            known = looked_into(helpers, found.base, {now: own for own, now in among.helpers})
        program, acting = with_modules(notebook, program, known, shipped())
        made = make_plan(
            notebook,
            program,
            sections,
            package,
            cwd=options.cwd,
            brought=found.brought,
            layout=layout,
            modules=beside,
            acting=acting,
            one_stage=options.one_stage,
            facts=options.facts,
            overrides=Overrides(options.joined, options.unlifted, options.unwrapped, options.keep_layout),
            within=within,
            among=among,
        )
        texts, secrets, hidden = modules_without_secrets(made.local_modules, notebook.secrets, shipped())
        notebook, made = replace(notebook, secrets=secrets), replace(made, local_modules=texts)
    doubted = (*found.told, *kept(layout), *doubts, *hidden, *made.diagnostics)
    return notebook, program, replace(made, diagnostics=tuple(map(notebook.as_seen, doubted)))


@contextmanager
def _silent() -> Iterator[None]:
    """What Python says of the notebook's code (invalid escapes) is not our user's concern."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
