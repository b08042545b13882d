"""One notebook, looked at before anything is decided for the repository: what it reads and writes, which functions
it defines, which helper modules it imports. It has nothing that is not text or numbers, so it travels."""

from __future__ import annotations

import ast
import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.scopes import BUILTINS
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit.imports import Import, parsed, parsed_node
from nb2pkg.knowledge.base import shipped
from nb2pkg.migrate.types import Found
from nb2pkg.pipeline import Analysed, Options, analysed
from nb2pkg.plan.by_modules import with_modules
from nb2pkg.plan.hoisting import constants_of, definitions_of, free_names, hoist_imports
from nb2pkg.plan.local_modules import looked_into, own_modules
from nb2pkg.plan.moves import given
from nb2pkg.plan.types import Place
from nb2pkg.refactor.secret_places import modules_without_secrets
from nb2pkg.section.names import imported_names

_SEEN = re.compile(r"__doc__|__module__|\b(help|getsource|getfile)\(")
"""What tells where a function stands, or its docstring: nothing of such a notebook is shared."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A function or class of a notebook that needs none of its variables."""

    name: str
    is_class: bool
    digest: str
    """Equal for definitions that do the same by their text: formatting, comments and docstrings do not count, what
    their names stand for does. Empty where they may not be shared."""
    text: str
    plain: str
    """The text without formatting, comments and docstrings."""
    imports: tuple[Import, ...]
    """What it needs to be imported."""
    uses: tuple[str, ...]
    """Other definitions of the notebook that it needs."""
    constants: tuple[tuple[str, str], ...]
    """(name, literal) of each constant of the notebook that it reads."""
    cell: int


@dataclass(frozen=True, slots=True)
class Helper:
    """A file of a helper module that a notebook imports."""

    target: str
    """Its path below the folder that it is imported from (`tools.py`, `tools/text.py`)."""
    source: str
    """Where it lies, posix, from the repository's root; empty where the notebook writes it itself."""
    content: bytes


@dataclass(frozen=True, slots=True)
class Survey:
    """What a notebook has to do with others. All paths are posix, from the repository's root."""

    path: str
    name: str
    """The file's name without its ending."""
    python: str
    code_cells: int
    title: str = ""
    """Its first heading."""
    imports: tuple[str, ...] = ()
    """The root modules that it imports."""
    reads: tuple[str, ...] = ()
    """Files that it reads before it writes them itself, in order."""
    writes: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    """Folders that it makes, with nothing in them."""
    reads_unknown: bool = False
    definitions: tuple[Definition, ...] = ()
    helpers: tuple[Helper, ...] = ()
    """Without the secrets that they held."""
    secrets: tuple[str, ...] = ()
    """Variables of the environment that the helpers read instead."""
    told: tuple[Diagnostic, ...] = ()
    """On the helpers."""
    runs: tuple[str, ...] = ()
    """Notebooks and scripts that it brings in with `%run`."""


def survey(root: Path, notebook: Found, options: Options) -> Survey:
    """Look at the notebook `notebook` of the repository in `root`; raises NotebookError where it can't be read."""
    path = root / notebook.path
    found = analysed(path, replace(options, within=root, among=Place(made=None)))
    helpers, secrets, told = _helpers(found, root)
    known = ((h.target, h.content, root.resolve() / h.source if h.source else None) for h in helpers)
    texts = looked_into(known, found.base)
    program, acting = with_modules(found.notebook, found.program, texts, shipped())
    found = replace(found, program=program)
    reads, writes, folders, unknown = _files(found, root)
    return Survey(
        path=notebook.path,
        name=found.notebook.name,
        python=found.notebook.python,
        code_cells=len(found.notebook.code_cells),
        title=_title(found),
        imports=tuple(sorted(imported_names(found.program.statements))),
        reads=reads,
        writes=writes,
        folders=folders,
        reads_unknown=unknown,
        definitions=_definitions(found, frozenset(each.module for each in acting if each.opens)),
        helpers=helpers,
        secrets=secrets,
        told=told,
        runs=tuple(
            PurePosixPath(os.path.normpath(PurePosixPath(notebook.path).parent / name)).as_posix()
            for name, _ in found.notebook.run_files
        ),
    )


def _title(found: Analysed) -> str:
    texts = (line for c in found.notebook.cells if c.kind == "markdown" for line in c.source.split("\n"))
    headings = (re.match(r"#{1,3}\s+(.+)", line) for line in texts)
    return next((match[1].strip(" #*_`") for match in headings if match), "")


def _files(found: Analysed, root: Path) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], bool]:
    """What is read before it is written, what is written, which folders are made, and whether there are reads of files
    that nobody can name."""
    base = os.path.relpath(found.base, root.resolve())
    reads: dict[str, None] = {}
    writes: dict[str, None] = {}
    folders: dict[str, None] = {}
    unknown = False
    making = _arguments_of_folder_makers(found.program)
    for statement in found.program.statements:
        effects = statement.effects
        unknown = unknown or "?" in effects.draws
        for use in sorted(effects.files, key=lambda f: f.writes):
            if use.path is None:
                unknown = unknown or not use.writes
                continue
            path = inside(use.path, base)
            if path and id(use.argument) in making:
                folders[path] = None
            elif path and use.removes and (made := _at_or_below(path, (*writes, *folders))):
                writes = {each: None for each in writes if each not in made}
                folders = {each: None for each in folders if each not in made}
            elif path and use.writes:
                writes[path] = None
            elif path and path not in writes:
                reads[path] = None
    # Who makes a folder asks before whether it is there (`if not isdir(x): makedirs(x)`), which reads no file in it.
    return tuple(path for path in reads if path not in folders), tuple(writes), tuple(folders), unknown


def _at_or_below(path: str, known: Iterable[str]) -> frozenset[str]:
    return frozenset(each for each in known if f"{each}/".startswith(f"{path}/"))


def _arguments_of_folder_makers(program: Program) -> frozenset[int]:
    """What is given to calls that make a folder and put nothing into it."""
    makers = (
        call
        for call, meanings in program.resolved_calls.items()
        if any(fact is not None and fact.makes_folder for _, fact in meanings)
    )
    return frozenset(id(argument) for call in makers for argument in given(call))


def inside(path: str, base: str) -> str:
    """A path of a notebook that runs in `base`, from the repository's root; empty where it leads out of it."""
    if path.startswith(("/", "~")) or "://" in path or "\\" in path:
        return ""
    whole = PurePosixPath(os.path.normpath(f"{base}/{path}")).as_posix()
    return "" if whole == "." or whole.startswith("..") else whole


def _helpers(found: Analysed, root: Path) -> tuple[tuple[Helper, ...], tuple[str, ...], tuple[Diagnostic, ...]]:
    """The files of helper modules without secrets, the variables that these are in now, and what is told of them."""
    inside_root = root.resolve()
    notebook = found.notebook
    files = own_modules(notebook, found.program, found.base, inside_root)
    plain, secrets, told = modules_without_secrets(((f.target, f.content) for f in files), (), shipped())
    sources = (f.source.resolve().relative_to(inside_root).as_posix() if f.source else "" for f in files)
    helpers = tuple(Helper(name, source, content) for (name, content), source in zip(plain, sources, strict=True))
    return helpers, tuple(secret.name for secret in secrets), told


# -- definitions -----------------------------------------------------------------------------------------------


def _definitions(found: Analysed, opening: frozenset[str]) -> tuple[Definition, ...]:
    """The functions and classes, but for those that need one of the modules `opening`, which are imported in the
    notebook's own folder."""
    program = found.program
    if program.stars or any(s.effects.dynamic or _SEEN.search(s.text) for s in program.statements):
        return ()
    lines, _ = hoist_imports(found.notebook, program)
    every = _imports(program, lines)
    imports = {n: parts for n, parts in every.items() if not any(_root(part) in opening for part in parts)}
    literals = {name: program.statements[index] for name, index in constants_of(program).items()}
    constants = {name: _literal(statement.node) for name, statement in literals.items()}
    names, closed, _ = definitions_of(program, frozenset(lines), constants_of(program), [])
    nodes = {name: program.statements[index].node for name, index in names.items()}
    digester = _Digester(nodes, imports, constants, {n for n in names if names[n] in closed})
    made: list[Definition] = []
    for name, index in sorted(names.items(), key=lambda item: item[1]):
        node = nodes[name]
        free = free_names(node) - {name}
        uses = tuple(sorted(free & names.keys()))
        needed = tuple(i for n in sorted(free & imports.keys()) for i in imports[n])
        made.append(
            Definition(
                name=name,
                is_class=isinstance(node, ast.ClassDef),
                digest=digester.of(name),
                text=program.statements[index].text,
                plain=bare(ast.unparse(node)),
                imports=needed,
                uses=uses,
                constants=tuple((n, constants[n]) for n in sorted(free & constants.keys())),
                cell=found.notebook.own(program.statements[index].cell),
            )
        )
    return tuple(made)


def _imports(program: Program, lines: Mapping[str, str]) -> dict[str, tuple[Import, ...]]:
    """What each imported name stands for; for one bound by `import a.b`, all such imports."""
    found = {name: tuple(parsed(line)) for name, line in lines.items()}
    for statement in program.statements:
        if isinstance(statement.node, ast.Import | ast.ImportFrom):
            for each in parsed_node(statement.node):
                if not each.name and not each.alias and "." in each.module and each.binds() in found:
                    found[each.binds()] = tuple(dict.fromkeys((*found[each.binds()], each)))
    return found


def _root(wanted: Import) -> str:
    return wanted.module.partition(".")[0]


def _literal(node: ast.stmt) -> str:
    """The value that a constant is bound to; empty where the statement does more."""
    match node:
        case ast.Assign(targets=[ast.Name()]):
            return ast.unparse(node.value)
        case _:
            return ""


@dataclass(frozen=True, slots=True)
class _Digester:
    """Makes the digests of a notebook's definitions."""

    nodes: Mapping[str, ast.stmt]
    imports: Mapping[str, tuple[Import, ...]]
    constants: Mapping[str, str]
    closed: set[str]
    """Those that need no variable."""
    known: dict[str, str] = field(default_factory=dict)

    def of(self, name: str, above: tuple[str, ...] = ()) -> str:
        """The digest of a definition with all that it needs; empty where it needs more than imports, constants and
        definitions. Definitions that need each other are known to each other by their names."""
        if name in self.known:
            return self.known[name]
        parts = [bare(ast.unparse(self.nodes[name]))]
        for free in sorted(free_names(self.nodes[name]) - {name}):
            if free in above:
                parts.append(f"{free}: itself")
            elif free in self.nodes:
                parts.append(f"{free}: {self.of(free, (*above, name)) or self._open(name)}")
            elif free in self.imports:
                parts.append(f"{free}: {self.imports[free]}")
            elif free in self.constants:
                parts.append(f"{free} = {self.constants[free] or self._open(name)}")
            elif free not in BUILTINS:
                self._open(name)
        found = hashlib.sha256("\n".join(parts).encode()).hexdigest() if name in self.closed else ""
        if not above or not found:
            self.known[name] = found
        return found

    def _open(self, name: str) -> str:
        self.closed.discard(name)
        return ""


class _Bare(ast.NodeTransformer):
    """Takes the docstrings away."""

    def _without(self, node: ast.AST) -> ast.AST:
        self.generic_visit(node)
        body = getattr(node, "body", [])
        if ast.get_docstring(node, clean=False) is not None:  # type: ignore[arg-type]  # only what may have one comes here
            node.body = body[1:] or [ast.Pass()]  # type: ignore[attr-defined]  # the same nodes
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = _without


def bare(text: str) -> str:
    """A definition as its text says it, without formatting, comments and docstrings."""
    return ast.unparse(_Bare().visit(ast.parse(text)))
