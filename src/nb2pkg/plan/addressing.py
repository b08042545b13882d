"""How each path of a notebook gets its new text, where its file moves.

    DIR = "data"                              →    DIR = "data/raw"         the literal that the paths begin with,
    pd.read_csv(os.path.join(DIR, "x.csv"))                                 where all that begin with it move alike
    path = "x.csv"; print(path); open(path)   →    open("data/raw/x.csv")   else the argument of each call that opens it

A literal that is nothing but opened, or a name for one, is left to `relocation`. What goes in here: the decision, as
edits of the cells. A path that can be given its text in no way is a reason to move nothing.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nb2pkg.analyse import Program
from nb2pkg.analyse.arguments import argument_of
from nb2pkg.analyse.program import Statement
from nb2pkg.analyse.scopes import BUILTINS
from nb2pkg.plan.data import normal_path
from nb2pkg.plan.moves import Parts, Rewrite, Stays

_CONSTRUCTORS = frozenset({"Path", "PurePath", "PosixPath"})


@dataclass(frozen=True, slots=True)
class Addressed:
    """What is edited for the new paths, and what is left to be found by its text."""

    rewrites: tuple[Rewrite, ...] = ()
    by_text: frozenset[str] = frozenset()
    """The notebook's paths whose literals are nothing but opened."""
    nodes: frozenset[int] = frozenset()
    """The nodes (by identity) that are part of a path which is opened."""


@dataclass(slots=True)
class _Argument:
    """What one call gives as a path: in a function, it may be several."""

    statement: Statement
    node: ast.expr
    line: int
    paths: set[str] = field(default_factory=set)

    @property
    def path(self) -> str:
        """One of its paths, as people see it."""
        return min(self.paths)


@dataclass(frozen=True, slots=True)
class _Beginning:
    """The literal that a path begins with, and the names on the way to it."""

    literal: ast.Constant
    text: str
    names: tuple[str, ...] = ()


def addressed(program: Program, parts: Parts, to: Mapping[str, str], uneditable: frozenset[int]) -> Addressed:
    """How the paths `to` others are given their new texts; raises Stays where one can't be.

    Nothing of the cells `uneditable` may be edited but by its text.
    """
    return _Addressing(program, parts, to, uneditable).found()


class _Addressing:
    def __init__(self, program: Program, parts: Parts, to: Mapping[str, str], uneditable: frozenset[int]) -> None:
        self.parts, self.to, self.uneditable = parts, to, uneditable
        self.arguments = _arguments(program)
        self.bindings = _bindings(program)
        strings = [node for _, nodes in parts for node in nodes if isinstance(node, ast.JoinedStr)]
        self.quoted = {id(part) for string in strings for part in ast.walk(string) if part is not string}
        self.owners = {id(node): statement for statement, nodes in parts for node in nodes}
        self.opened = {id(part) for a in self.arguments for part in ast.walk(a.node)}
        self.functions = {
            id(node): statement.node
            for statement, nodes in parts
            if isinstance(statement.node, ast.FunctionDef)
            for node in nodes
        }
        self.known = BUILTINS.union(*(statement.effects.binds for statement, _ in parts))
        self.receivers = {
            id(node.func.value)
            for _, nodes in parts
            for node in nodes
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }

    def found(self) -> Addressed:
        """All edits."""
        passed = self.passed()
        groups: dict[int, list[tuple[_Argument, _Beginning]]] = {}
        shown: set[str] = set()
        """What can't be found by its text, since the text is more than the name of a file."""
        for argument in self.arguments:
            begins = self.beginning(argument.node)
            if id(argument.node) in passed:
                continue
            if begins is None:
                shown |= argument.paths
            else:
                groups.setdefault(id(begins.literal), []).append((argument, begins))
        chains = {name for group in groups.values() for _, begins in group for name in begins.names}
        nodes = self.opened | {id(p) for name in chains for p in ast.walk(self.bindings[name][1])}
        only = {name for name in self.bindings if self.is_only_part(name, nodes)}
        rewrites: list[Rewrite] = []
        edited: set[int] = set()
        for group in groups.values():
            literal, start = group[0][1].literal, group[0][1].text
            paths = {path for argument, _ in group for path in argument.paths}
            loose = any(name not in only for _, begins in group for name in begins.names)
            texts = {self.begun(start, path) for path in paths}
            if loose or (paths == {normal_path(start)} and id(literal) in self.quoted):
                shown |= paths
            elif paths == {normal_path(start)}:
                pass  # found by its text
            elif len(texts) == 1 and "" not in texts and self.may_edit(literal):
                rewrites.append(Rewrite(self.owners[id(literal)].cell, literal, repr(texts.pop())))
                edited |= {id(argument.node) for argument, _ in group}
            else:
                shown |= paths
        given = {id(literal) for literals in passed.values() for literal in literals}
        shown |= self.standing_elsewhere({id(self.bindings[name][1]) for name in only} | given)
        alone = [a for a in self.arguments if id(a.node) not in edited and a.paths & shown]
        rewrites += map(self.alone, alone)
        both = {old for old, new in self.to.items() if old != new} & set(self.to.values())
        if rewrites and both:
            raise Stays(f"{min(both)} is the old name of one file and the new name of another")
        return Addressed(tuple(rewrites), frozenset(self.to) - shown, frozenset(nodes | given | self.poured()))

    def standing_elsewhere(self, bound: set[int]) -> set[str]:
        """The paths that stand as literals which are no argument of a call that opens them, nor (by identity) `bound`
        to a name that is none but that."""
        whole = {id(a.node) for a in self.arguments} | bound | self.quoted
        literals = (n for _, nodes in self.parts for n in nodes if isinstance(n, ast.Constant) and id(n) not in whole)
        return {p for n in literals if isinstance(n.value, str) and (p := normal_path(n.value)) in self.to}

    def passed(self) -> dict[int, list[ast.Constant]]:
        """The arguments that are parameters of a function which only opens them, each with the literals that all its
        calls give."""
        found: dict[int, list[ast.Constant]] = {}
        for argument in self.arguments:
            function = self.functions.get(id(argument.node))
            if not isinstance(argument.node, ast.Name) or not isinstance(function, ast.FunctionDef):
                continue
            literals = self.given_for(function, argument.node.id)
            if literals is not None and all(normal_path(str(each.value)) in self.to for each in literals):
                found[id(argument.node)] = literals
        return found

    def given_for(self, function: ast.FunctionDef, name: str) -> list[ast.Constant] | None:
        """The literals that all calls of a function give for a parameter that it only opens; None where not all are."""
        names = [a.arg for a in (*function.args.posonlyargs, *function.args.args)]
        inside = [n for n in ast.walk(function) if isinstance(n, ast.Name) and n.id == name]
        if name not in names or any(id(n) not in self.opened for n in inside) or function.args.defaults:
            return None
        found: list[ast.Constant] = []
        for _, nodes in self.parts:
            calls = [n for n in nodes if isinstance(n, ast.Call)]
            named = [n for n in nodes if isinstance(n, ast.Name) and n.id == function.name]
            mine = [c for c in calls if any(c.func is n for n in named)]
            if len(mine) < len(named):
                return None
            for call in mine:
                value = argument_of(call, f"{names.index(name)}|{name}")
                starred = any(isinstance(a, ast.Starred) for a in call.args) or any(not k.arg for k in call.keywords)
                if starred or not isinstance(value, ast.Constant) or not isinstance(value.value, str):
                    return None
                found.append(value)
        return found

    def poured(self) -> set[int]:
        """The literals that are given for parameters which only are parts of paths that the function opens."""
        found: set[int] = set()
        functions = {s.node.name: s.node for s, _ in self.parts if isinstance(s.node, ast.FunctionDef)}
        for call in (n for _, nodes in self.parts for n in nodes if isinstance(n, ast.Call)):
            function = functions.get(call.func.id) if isinstance(call.func, ast.Name) else None
            names = [a.arg for a in function.args.args] if function is not None else []
            for place, name in enumerate(names):
                value = argument_of(call, f"{place}|{name}")
                read = [n for n in ast.walk(function or call) if isinstance(n, ast.Name) and n.id == name]
                if isinstance(value, ast.Constant) and all(id(n) in self.opened for n in read):
                    found.add(id(value))
        return found

    def is_only_part(self, name: str, nodes: set[int]) -> bool:
        """Whether the name is read in paths alone."""
        return all(
            id(node) in nodes
            for _, part in self.parts
            for node in part
            if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load)
        )

    def beginning(self, node: ast.expr, names: tuple[str, ...] = ()) -> _Beginning | None:
        """The literal that the text of an expression begins with, where it always is the same one."""
        match node:
            case ast.Constant(value=str(text)):
                return _Beginning(node, text, names)
            case ast.Name(id=name) if name in self.bindings and name not in names:
                return self.beginning(self.bindings[name][1], (*names, name))
            case ast.BinOp(op=ast.Add() | ast.Div(), left=left):
                return self.beginning(left, names)
            case ast.Call(func=ast.Attribute(attr="joinpath", value=owner)):
                return self.beginning(owner, names)
            case ast.Call(args=[first, *_]) if is_path_call(node):
                return self.beginning(first, names)
            case ast.JoinedStr(values=[ast.FormattedValue(value=first), *_]):
                return self.beginning(first, names)
            case _:
                return None

    def begun(self, literal: str, path: str) -> str:
        """What the literal has to be for `path` to become its new one; empty where no text would do."""
        whole, start, new = normal_path(path), normal_path(literal), self.to.get(normal_path(path), "")
        rest = whole.removeprefix(start)
        if not new or not whole.startswith(start) or not new.endswith(rest):
            return ""
        head = new.removesuffix(rest)
        return f"{head}/" if literal.endswith("/") and not head.endswith("/") else head

    def may_edit(self, node: ast.expr) -> bool:
        """Whether the place of a node in its cell is known."""
        return id(node) not in self.quoted and self.owners[id(node)].cell not in self.uneditable

    def alone(self, argument: _Argument) -> Rewrite:
        """The new path in the place of the argument."""
        node, cell, line = argument.node, argument.statement.cell, argument.line
        names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
        if len(argument.paths) != 1 or not names <= self.known:
            raise Stays(f"{ast.unparse(node)[:40]} is not always the same path", cell, line)
        text = repr(self.to[normal_path(argument.path)])
        if id(node) in self.receivers:
            made = self.constructor(node)
            text = f"{made}({text})" if made else ""
        if not text or not self.may_edit(node) or not _is_silent(node):
            raise Stays(f"{ast.unparse(node)[:40]} is more than the name of a file", cell, line)
        owner = self.owners.get(id(node))
        return Rewrite(owner.cell if owner is not None else cell, node, text)

    def constructor(self, node: ast.expr) -> str:
        """What makes the Path that the expression is."""
        match node:
            case ast.Call(func=func, args=[_, *_]) if is_path_call(node) and ast.unparse(func).split(".")[-1] in (
                _CONSTRUCTORS
            ):
                return ast.unparse(func)
            case ast.Name(id=name) if name in self.bindings:
                return self.constructor(self.bindings[name][1])
            case ast.BinOp(op=ast.Div(), left=left):
                return self.constructor(left)
            case ast.Call(func=ast.Attribute(attr="joinpath", value=owner)):
                return self.constructor(owner)
            case _:
                return ""


def is_path_call(node: ast.Call) -> bool:
    """`os.path.join(…)`, `Path(…)`, `str(…)` of a path."""
    match node.func:
        case ast.Name(id=name):
            return name in (*_CONSTRUCTORS, "str")
        case ast.Attribute(attr="join" | "fspath", value=owner):
            return not isinstance(owner, ast.Constant)
        case ast.Attribute(attr=name):
            return name in _CONSTRUCTORS
        case _:
            return False


def _arguments(program: Program) -> list[_Argument]:
    found: dict[int, _Argument] = {}
    for statement in program.statements:
        for use in statement.effects.files:
            if use.argument is not None and use.path is not None:
                made = _Argument(statement, use.argument, use.line)
                found.setdefault(id(use.argument), made).paths.add(normal_path(use.path))
    return list(found.values())


def _bindings(program: Program) -> dict[str, tuple[Statement, ast.expr]]:
    """The names that one statement binds, for good, with the value of each."""
    found: dict[str, tuple[Statement, ast.expr]] = {}
    for statement in program.statements:
        match statement.node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        if name not in program.bound_often and name in statement.effects.surely_binds:
            found[name] = statement, value
    return found


def _is_silent(node: ast.expr) -> bool:
    """Whether nobody notices that the expression is not computed."""
    allowed: Iterable[type[ast.AST]] = (
        ast.Constant, ast.Name, ast.Attribute, ast.BinOp, ast.JoinedStr, ast.FormattedValue, ast.Call, ast.Load,
        ast.operator,
    )
    calls = (part for part in ast.walk(node) if isinstance(part, ast.Call))
    known = all(is_path_call(c) or (isinstance(c.func, ast.Attribute) and c.func.attr == "joinpath") for c in calls)
    return known and all(isinstance(part, tuple(allowed)) for part in ast.walk(node))
