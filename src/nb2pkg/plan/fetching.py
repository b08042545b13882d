"""What a notebook takes from the web and can be downloaded beforehand, once, by a stage of its own.

    pd.read_csv("https://…/x.csv")            what is read by its URL is read from a file
    urlretrieve("https://…/x.csv", "x.csv")   what only downloads a file goes: the file is there
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from nb2pkg.analyse import Program
from nb2pkg.analyse.arguments import argument_of
from nb2pkg.analyse.program import Effects, Statement
from nb2pkg.plan.data import normal_path
from nb2pkg.plan.moves import RAW, given

_FETCHED = re.compile(r"(?:https?|ftp)://")
_ONLY_WEB = frozenset({"storage_options"})
"""Arguments that only what is on the web may have."""


def fetched(program: Program, taken: set[str]) -> Iterator[tuple[str, str]]:
    """What can be downloaded beforehand: a URL that is a literal, or a name for one, and nothing but read."""
    uses = [f for s in program.statements for f in s.effects.downloads if f.path and _FETCHED.match(f.path)]
    if not uses:
        return
    arguments = {id(f.argument) for s in program.statements for f in s.effects.downloads}
    nodes = [(s, node) for s in program.statements for node in ast.walk(s.node)]
    optioned = {
        id(a)
        for _, n in nodes
        if isinstance(n, ast.Call) and any(k.arg in _ONLY_WEB for k in n.keywords)
        for a in given(n)
    }
    for url in dict.fromkeys(f.path for f in uses if f.path):
        names = {f.argument.id for f in uses if f.path == url and isinstance(f.argument, ast.Name)}
        literal = [n for _, n in nodes if isinstance(n, ast.Constant) and n.value == url]
        bound = {
            id(s.node.value): t.id
            for s in program.statements
            if isinstance(s.node, ast.Assign)
            for t in s.node.targets[:1]
            if isinstance(t, ast.Name) and len(s.node.targets) == 1
        }
        only = all(id(n) in arguments or bound.get(id(n)) in names for n in literal)
        only = only and all(
            id(n) in arguments
            for _, n in nodes
            if isinstance(n, ast.Name) and n.id in names and isinstance(n.ctx, ast.Load)
        )
        plain = all(
            isinstance(f.argument, ast.Constant | ast.Name) and id(f.argument) not in optioned
            for f in uses
            if f.path == url
        )
        if not literal or not only or not plain or names & program.bound_often:
            continue
        name = _name_of(url)
        target = f"{RAW}/{name}"
        number = 1
        while target in taken:
            number += 1
            target = f"{RAW}/{number}_{name}"
        taken.add(target)
        yield url, target


def _name_of(url: str) -> str:
    """The file's name. The ending says how it is packed, where the whole URL does."""
    plain = re.split(r"[?#]", url)[0]
    name = re.sub(r"[^\w.-]+", "_", plain.rstrip("/").rpartition("/")[2]).strip("._") or "download"
    return name if plain == url else f"{name}.download" if re.search(r"\.(gz|bz2|zip|xz|zst|tar)$", name) else name


@dataclass(frozen=True, slots=True)
class Saved:
    """A file that a statement of the notebook does nothing but download."""

    statement: int
    url: str
    path: str
    """From the notebook's working folder."""


def saved_downloads(program: Program) -> tuple[Saved, ...]:
    """What the notebook downloads into files by statements that do nothing else.

    Nothing before such a statement may notice that the file is there already, and nothing else writes it.
    """
    if not any("urlretrieve" in statement.text for statement in program.statements):
        return ()
    texts = _texts(program)
    looks = [
        statement.index
        for statement in program.statements
        if any(
            fact is not None and fact.folder
            for part in ast.walk(statement.node)
            if isinstance(part, ast.Call)
            for _, fact in program.resolved_calls.get(part, ())
        )
    ]
    found: list[Saved] = []
    for statement in program.statements:
        if looks and looks[0] < statement.index:
            break
        made = [
            Saved(statement.index, url, normal_path(path))
            for url, path in _downloaded(statement, program, texts) or ()
            if _FETCHED.match(url)
        ]
        others = [s for s in program.statements if s is not statement]
        for each in made:
            uses = [(s, f) for s in others for f in s.effects.files if f.path is not None]
            near = [(s, f) for s, f in uses if _overlap(normal_path(f.path or ""), each.path)]
            if any(f.writes or s.index < statement.index for s, f in near) or each.path.startswith(("/", "~", "..")):
                break
        else:
            found += made
    paths = [each.path for each in found]
    return tuple(each for each in found if paths.count(each.path) == 1)


def without_saved(program: Program, saved: Sequence[Saved]) -> Program:
    """The program without the statements that download, and the names that only they read."""
    if not saved:
        return program
    gone = {each.statement for each in saved}
    left = [s for s in program.statements if s.index not in gone]
    read = {n.id for s in left for n in ast.walk(s.node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
    for index in tuple(gone):
        for name in (n.id for n in ast.walk(program.statements[index].node) if isinstance(n, ast.Name)):
            binders = [s for s in program.statements if name in s.effects.binds and s.kind != "import"]
            if name not in read and len(binders) == 1 and _is_text(binders[0].node):
                gone.add(binders[0].index)
    nothing = ast.parse("pass").body[0]
    statements = tuple(
        replace(s, node=nothing, text="pass", kind="compute", effects=Effects(), displayed=False, repeats=())
        if s.index in gone
        else s
        for s in program.statements
    )
    return replace(program, statements=statements)


def _overlap(one: str, two: str) -> bool:
    return one == two or one.startswith(f"{two}/") or two.startswith(f"{one}/")


def _texts(program: Program) -> dict[str, str]:
    """The names that are bound to texts for good."""
    return {
        target.id: s.node.value.value
        for s in program.statements
        if isinstance(s.node, ast.Assign) and isinstance(s.node.value, ast.Constant)
        for target in s.node.targets
        if isinstance(target, ast.Name) and isinstance(s.node.value.value, str)
        and target.id not in program.bound_often
    }


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant) and len(node.targets) == 1


def _downloaded(statement: Statement, program: Program, texts: dict[str, str]) -> list[tuple[str, str]] | None:
    """What the statement downloads, as (URL, path); None where it does anything else."""
    match statement.node:
        case ast.Expr(value=ast.Call() as call) if not statement.displayed:
            found = _retrieved(call, program, texts)
            return None if found is None else [found]
        case ast.If(test=ast.UnaryOp(op=ast.Not(), operand=ast.Call() as test), body=body, orelse=[]):
            names = {name for name, _ in program.resolved_calls.get(test, ())}
            asks = names and all(name.rpartition(".")[2] in ("exists", "isfile", "is_file") for name in names)
            calls = [part.value for part in body if isinstance(part, ast.Expr) and isinstance(part.value, ast.Call)]
            rows = [_retrieved(call, program, texts) for call in calls if not _makes_folder(call, program)]
            pairs = [row for row in rows if row is not None]
            whole = len(calls) == len(body) and len(pairs) == len(rows)
            asked = {normal_path(f.path) for f in statement.effects.files if f.path and not f.writes}
            return pairs if asks and whole and asked <= {normal_path(path) for _, path in pairs} else None
        case _:
            return None


def _makes_folder(call: ast.Call, program: Program) -> bool:
    names = {name for name, _ in program.resolved_calls.get(call, ())}
    return bool(names) and names <= {"os.makedirs", "os.mkdir"}


def _retrieved(call: ast.Call, program: Program, texts: dict[str, str]) -> tuple[str, str] | None:
    """The URL and the path of a call of urlretrieve that is known whole."""
    names = {name for name, _ in program.resolved_calls.get(call, ())}
    if names != {"urllib.request.urlretrieve"} or len(call.args) + len(call.keywords) != 2:
        return None
    given_ = (argument_of(call, "0|url"), argument_of(call, "1|filename"))
    known = [
        node.value if isinstance(node, ast.Constant) else texts.get(node.id) if isinstance(node, ast.Name) else None
        for node in given_
    ]
    url, path = known
    return (url, path) if isinstance(url, str) and isinstance(path, str) else None
