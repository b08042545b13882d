"""Where the notebook's files lie in the package: inputs in `data/raw/`, what is written in `models/`,
`data/processed/` and `reports/`; or, where moving them could be noticed, below `workspace/`, all as it was.

What goes in here: the decision, which is made for a notebook as a whole. A path may move where it is known and is
nothing but the name of a file that is opened (`opened`), and where no code can tell which folder it runs in.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.program import FileUse, Statement
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Notebook
from nb2pkg.plan.acting import GOES
from nb2pkg.plan.addressing import Addressed, addressed
from nb2pkg.plan.data import data_files, expected_folders, normal_path
from nb2pkg.plan.fetching import Saved, fetched
from nb2pkg.plan.local_modules import local_files
from nb2pkg.plan.moves import Layout, Move, Stays, given
from nb2pkg.plan.opened import first_unknown, nothing_else_is_opened, results_to_tell
from nb2pkg.plan.paths import Brought
from nb2pkg.plan.places import made_places, raw_places

_OPENING_MODULES = frozenset(str.split(
    "os io pathlib glob shutil subprocess sqlite3 pickle joblib importlib tempfile zipfile tarfile runpy")
)
_OPENS = re.compile(r"(?i)open|read|write|load|save|file|path|dump|export|store|exec|eval|import|to_|dataset|sql")
"""What the name of a function has in it that may open a file."""


def decide(
    notebook: Notebook,
    program: Program,
    base: Path,
    brought: tuple[Brought, ...],
    knowledge: KnowledgeBase,
    saved: tuple[Saved, ...] = (),
) -> Layout:
    """The layout for a notebook that runs in the folder `base`, where what is `saved` is downloaded beforehand."""
    wanted = _wanted(base, saved)
    try:
        _no_code_knows_the_folder(notebook, program, base, knowledge)
        uses = [(s, f) for s in program.statements for f in s.effects.files]
        known: dict[str, Path | None] = {b.target: b.source for b in brought} | {path: None for _, path in wanted}
        inputs, outputs = _sorted_out(uses, base, known)
        moves = (*raw_places(inputs), *made_places(outputs, program, knowledge))
        _folders_stay_whole(moves, uses)
        if any(path not in inputs for _, path in wanted):
            raise Stays("what is downloaded is opened by nothing that is known")
        looked_into = program.statements if uses or first_unknown(program) else ()
        parts = tuple((s, tuple(ast.walk(s.node))) for s in looked_into)
        places = Addressed()
        telling: tuple[tuple[ast.Call, str, str], ...] = ()
        if uses:
            uneditable = frozenset(cell.index for cell in notebook.cells if cell.may_raise)
            places = addressed(program, parts, {m.original: m.package for m in moves}, uneditable)
            telling = results_to_tell(program, parts, knowledge)
        nothing_else_is_opened(program, parts, base, moves, knowledge, places.nodes)
        downloads = tuple(fetched(program, {m.package for m in moves}))
    except Stays as reason:
        return unmoved(notebook, program, base, brought, knowledge, saved, reason)
    folders = expected_folders(notebook, program, base)
    return Layout(
        moves,
        in_place=True,
        by_text=places.by_text,
        rewrites=places.rewrites,
        downloads=downloads,
        saved=wanted,
        telling=telling,
        folders=folders,
    )


def unmoved(
    notebook: Notebook,
    program: Program,
    base: Path,
    brought: tuple[Brought, ...],
    knowledge: KnowledgeBase,
    saved: tuple[Saved, ...] = (),
    reason: Stays | None = None,
) -> Layout:
    """The layout in which nothing moves; what is read by its URL is downloaded beforehand all the same, where no code
    goes to another folder."""
    calls = (name for meanings in program.resolved_calls.values() for name, _ in meanings)
    goes = any(name in GOES for name in calls)
    dynamic = any(s.effects.dynamic for s in program.statements)
    downloads = () if goes or dynamic else tuple(fetched(program, set()))
    up = ""
    if downloads:
        _, _, where = data_files(notebook, program, base, {b.target for b in brought}, [])
        up = "../" * (1 if where == "." else 1 + len(where.split("/")))
    why, place = (reason.why, reason.place) if reason is not None else ("", None)
    return Layout(downloads=downloads, up=up, saved=_wanted(base, saved), why=why, place=place)


def _wanted(base: Path, saved: tuple[Saved, ...]) -> tuple[tuple[str, str], ...]:
    """What is not there yet."""
    return tuple((each.url, each.path) for each in saved if not (base / each.path).exists())


def kept(layout: Layout) -> tuple[Diagnostic, ...]:
    """What is told of downloads, and where nothing moves."""
    told = [
        Diagnostic("N406", f"{url} is downloaded once, to {path}, by a stage of its own", severity="info")
        for url, path in (*layout.downloads, *layout.saved)
    ]
    if layout.why:
        cell, line = layout.place or (None, None)
        message = f"the files keep the notebook's own layout, below workspace/: {layout.why}"
        told.append(Diagnostic("N405", message, cell, line, "info"))
    return tuple(told)


def _folders_stay_whole(moves: tuple[Move, ...], uses: list[tuple[Statement, FileUse]]) -> None:
    """What is written into a folder that is looked at as a whole goes where the folder goes."""
    places = {m.original: m.package for m in moves}
    for path, place in places.items():
        for above in PurePosixPath(path).parents:
            goal = places.get(above.as_posix())
            if goal is not None and place != goal + path[len(above.as_posix()) :]:
                statement, use = next((s, f) for s, f in uses if f.path and normal_path(f.path) == path)
                message = f"{path} is written into a folder that is looked at as a whole"
                raise Stays(message, statement.cell, use.line)


def _no_code_knows_the_folder(notebook: Notebook, program: Program, base: Path, knowledge: KnowledgeBase) -> None:
    for statement in program.statements:
        if statement.effects.dynamic:
            raise Stays(statement.effects.dynamic, statement.cell, statement.node.lineno)
    if notebook.written_modules or notebook.run_files:
        raise Stays("the notebook writes or runs files of code")
    openers = _own_modules_that_may_open(program, base, knowledge)
    for statement in program.statements if openers else ():
        for root in _imported(statement.node):
            if (base / f"{root}.py").is_file() or (base / root / "__init__.py").is_file():
                message = f"its own module {root if root in openers else min(openers)} may open files"
                raise Stays(message, statement.cell, statement.node.lineno)
    searched = {id(part) for node in program.resolved_calls if _is_search_path(node) for part in ast.walk(node)}
    opened = {id(f.argument) for s in program.statements for f in s.effects.files}
    for node, meanings in program.resolved_calls.items():
        if id(node) in searched:
            continue
        for name, fact in meanings:
            here = fact is not None and fact.folder == "default" and not any(id(a) in opened for a in given(node))
            if fact is not None and (fact.folder == "always" or here):
                owner = statement_of(program, node)
                cell = owner.cell if owner else None
                raise Stays(f"{name.removeprefix('builtins.')}() depends on the working folder", cell, node.lineno)


def _is_search_path(node: ast.Call) -> bool:
    """`sys.path.append(…)`: what lies there is copied to where the package's modules are found."""
    return isinstance(node.func, ast.Attribute) and ast.unparse(node.func.value) == "sys.path"


def _own_modules_that_may_open(program: Program, base: Path, knowledge: KnowledgeBase) -> set[str]:
    """The modules beside the notebook that call something which sounds as if it opened a file, or name one."""
    found: set[str] = set()
    for file in local_files(program, base):
        path = file.target
        try:
            nodes = list(ast.walk(ast.parse(file.content)))
        except (SyntaxError, ValueError):
            nodes = []
        called = {ast.unparse(n.func) for n in nodes if isinstance(n, ast.Call)}
        named = any(isinstance(n, ast.Constant) and knowledge.is_file_name(str(n.value)) for n in nodes)
        roots = {root for n in nodes for root in _imported(n)}
        if not nodes or named or roots & _OPENING_MODULES or any(_OPENS.search(name) for name in called):
            found.add(path.partition("/")[0].removesuffix(".py"))
    return found


def _sorted_out(
    uses: list[tuple[Statement, FileUse]], base: Path, known: dict[str, Path | None]
) -> tuple[dict[str, Path | None], dict[str, list[tuple[Statement, FileUse]]]]:
    """The files that are read as they are, with what is copied there, and those that the notebook makes."""
    inputs: dict[str, Path | None] = {}
    outputs: dict[str, list[tuple[Statement, FileUse]]] = {}
    for statement, use in uses:
        place = statement.cell, use.line
        if use.path is None:
            raise Stays("a path is made while the code runs", *place)
        path = use.path
        if path.startswith(("/", "~")) or re.match(r"[A-Za-z]:[\\/]", path) or "\\" in path or "*" in path:
            raise Stays(f"{path} is no path of one file below the notebook", *place)
        normal = normal_path(path)
        if not normal.strip("./"):
            raise Stays("the working folder itself is used", *place)
        if normal in outputs:
            outputs[normal].append((statement, use))
            continue
        if normal in known and known[normal] is None and not use.writes:
            inputs[normal] = None
            continue
        there = known.get(normal) or base / normal
        made_here = any(f.writes and f.argument is use.argument for f in statement.effects.files)
        if use.writes:
            if normal in inputs:
                raise Stays(f"{normal} is read, and then written over", *place)
            if there.is_dir():
                raise Stays(f"{normal} is a folder that is there already", *place)
            outputs.setdefault(normal, []).append((statement, use))
        elif made_here and not there.exists():
            outputs.setdefault(normal, []).append((statement, use))
        elif there.is_file() or there.is_dir():
            inputs[normal] = there
        else:
            raise Stays(f"{normal} is not there", *place)
    for made, first in outputs.items():
        appended = any(not u.writes and u.argument is None and u.line == w.line for _, u in first for _, w in first[:1])
        if appended and (base / made).exists():
            raise Stays(f"{made} is there already, and appended to", first[0][0].cell, first[0][1].line)
    return inputs, outputs


def _imported(node: ast.AST) -> Iterator[str]:
    for part in ast.walk(node):
        if isinstance(part, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in part.names)
        elif isinstance(part, ast.ImportFrom) and part.module:
            yield part.module.partition(".")[0]


def statement_of(program: Program, node: ast.AST) -> Statement | None:
    return next((s for s in program.statements if any(part is node for part in ast.walk(s.node))), None)
