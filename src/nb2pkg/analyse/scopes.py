"""Names and scopes of Python: what a body binds, and the frame in which a function's body runs."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterable
from dataclasses import dataclass, field

from nb2pkg.analyse.heap import NOTHING, Value

BUILTINS = frozenset(dir(builtins))
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


@dataclass(slots=True)
class Frame:
    """A function's or comprehension's scope."""

    names: set[str]
    outer: Frame | None
    values: dict[str, Value] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)
    result: Value = NOTHING
    strings: dict[str, str] = field(default_factory=dict)
    """What is known of the texts that its names are."""
    cell: int | None = None
    """The object that stands for its variables, which the functions made in it keep."""
    is_class: bool = False
    module: int | None = None
    """Of a module of the notebook's own: the object that stands for it."""
    stars: list[str] = field(default_factory=list)
    """Of such a module: the libraries whose names it imports all."""

    def scope_of(self, name: str) -> Frame | None:
        """The scope in which code of this one binds a name; None: the notebook's own."""
        scope = self
        is_global = False
        while True:
            is_global |= name in scope.global_names
            is_seen = scope is self or not scope.is_class  # what a class binds, its methods do not see
            is_own = is_seen and name in scope.names and name not in scope.nonlocal_names and not is_global
            if is_own or scope.module is not None:
                return scope
            if scope.outer is None:
                return None
            scope = scope.outer


class _Bound(ast.NodeVisitor):
    """The names that a function body binds in its own scope."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.yields = False

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.names.add(node.name)
        for part in node.decorator_list:
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def visit_Global(self, node: ast.Global) -> None:
        self.globals.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.nonlocals.update(node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> None:
        self.names.add((node.asname or node.name).split(".")[0])

    def visit_Yield(self, node: ast.Yield) -> None:
        self.yields = True
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.yields = True
        self.generic_visit(node)

    def _comprehension(self, node: ast.AST) -> None:
        for walrus in (n for n in ast.walk(node) if isinstance(n, ast.NamedExpr)):
            self.visit(walrus.target)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def bound_names(body: Iterable[ast.AST]) -> _Bound:
    """Scan a body for the names that it binds, declares global, and whether it yields."""
    scan = _Bound()
    for node in body:
        scan.visit(node)
    return scan


def parameters(args: ast.arguments) -> list[str]:
    """All parameter names of a function, positional first."""
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    names = [a.arg for a in every]
    if args.vararg:
        names.append(args.vararg.arg)
    if args.kwarg:
        names.append(args.kwarg.arg)
    return names


def same(scopes: Iterable[dict[str, str]]) -> dict[str, str]:
    """What all the scopes agree on."""
    first, *others = scopes
    return {name: text for name, text in first.items() if all(other.get(name) == text for other in others)}


def bound_pattern(pattern: ast.pattern) -> set[str]:
    """The names that a `match` pattern captures."""
    names: set[str] = set()
    for part in ast.walk(pattern):
        for attribute in ("name", "rest"):
            name = getattr(part, attribute, None)
            if isinstance(name, str):
                names.add(name)
    return names


def joined(scopes: Iterable[dict[str, Value]]) -> dict[str, Value]:
    """Every name with what it may be in any of the scopes."""
    merged: dict[str, Value] = {}
    for scope in scopes:
        for name, value in scope.items():
            merged[name] = merged.get(name, NOTHING) | value
    return merged


def evaluates(node: ast.stmt) -> str:
    """Why a definition may name its module's variables in strings; empty where it does not.

    Of a class no call need be seen: displaying an object runs some of its methods.
    """
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id="eval" | "exec" as name), args=[argument, *_]):
                if not isinstance(argument, ast.Constant):
                    return f"{getattr(node, 'name', 'a function')} calls {name}() of a computed string"
            case ast.Call(func=ast.Name(id="globals"), args=[]):
                return f"{getattr(node, 'name', 'a function')} calls globals()"
    return ""
