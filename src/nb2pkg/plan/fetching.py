"""What a notebook reads from the web and can be downloaded beforehand, once, by a stage of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from nb2pkg.analyse import Program
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
