"""Which literals are knobs: arguments that the knowledge base calls hyperparameters or seeds, paths and URLs.

What goes in here: finding. What does not: naming the constants, and putting them into the text.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from nb2pkg.analyse import Program
from nb2pkg.analyse.arguments import argument_of
from nb2pkg.analyse.parameters import is_parameter
from nb2pkg.analyse.program import Statement
from nb2pkg.analyse.state import LibraryCall
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.refactor.resolve import Resolver

Kind = Literal["hyperparameter", "seed", "path", "url", "named"]

URL = re.compile(r"(?:https?|ftp|s3|gs)://\S+")
_PATH = re.compile(r"(?!:)[^<>{}\n]*\w[^<>{}\n]*")
LONGEST_PATH = 300
NOTHING_FETCHED: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True)
class Found:
    """A literal that is to become a constant."""

    statement: int
    node: ast.expr = field(compare=False)
    """Its place, in the lines of the cell."""
    text: str
    """Its value as `const.py` holds it: `repr`, on one line; a tuple's items as a list."""
    kind: Kind
    callee: str = ""
    """What is called, by its own name: `KMeans`; for a method, the variable that it is called on, if there is one."""
    argument: str = ""
    """The argument's name; empty where it has none."""
    use: str = ""
    """For people: `KMeans(n_clusters)`."""
    target: str = ""
    """The variable or attribute that is made."""

    def named(self, name: str) -> str:
        """The text in its place once the constant has a name."""
        return f"tuple({name})" if isinstance(self.node, ast.Tuple) else name

    @property
    def mutable(self) -> bool:
        """A list or dict: it must not be shared by two places."""
        return isinstance(self.node, ast.List | ast.Dict | ast.Call)


def constant_text(node: ast.expr) -> str | None:
    """A literal in the form that DVC reads and edits: its `repr`; None for what is no such literal."""
    if isinstance(node, ast.Call):
        if not (isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args and node.keywords):
            return None
        parts = [(k.arg, constant_text(k.value)) for k in node.keywords]
        if any(name is None or text is None for name, text in parts):
            return None
        return "{" + ", ".join(f"{name!r}: {text}" for name, text in parts) + "}"
    try:
        value = ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    return repr(value) if is_parameter(value) else None


def _argument_text(node: ast.expr, program: Program) -> str | None:
    """A tuple's items make a list, which DVC can hold: `tuple(NAME)` stands in its place."""
    if not isinstance(node, ast.Tuple) or not node.elts:
        return constant_text(node)
    text = constant_text(ast.List(node.elts, ast.Load()))
    return None if text is None or _binds_tuple(program) else text


def _binds_tuple(program: Program) -> bool:
    """Whether `tuple` is not always the builtin."""
    for part in (part for statement in program.statements for part in ast.walk(statement.node)):
        match part:
            case ast.Name(id="tuple", ctx=ast.Store()) | ast.arg(arg="tuple") | ast.FunctionDef(name="tuple"):
                return True
            case _:
                pass
    return False


def found_in(
    statement: Statement, program: Program, knowledge: KnowledgeBase, fetched: Mapping[str, str] = NOTHING_FETCHED
) -> tuple[Found, ...]:
    """The literals of a statement that are to become constants, in the order of its text.

    `fetched` is the file for each URL that is downloaded beforehand.
    """
    finder = _Finder(statement.index, program, knowledge, fetched)
    finder.visit(statement.node, once=True)
    unique = {(f.node.lineno, f.node.col_offset): f for f in finder.found}
    return tuple(unique[place] for place in sorted(unique))


class _Finder:
    """Walks one statement. `once`: the code runs at most once; `target`: the variable that is made."""

    def __init__(
        self, index: int, program: Program, knowledge: KnowledgeBase, fetched: Mapping[str, str]
    ) -> None:
        self.index = index
        self.fetched = fetched
        self.program = program
        self.kb = knowledge
        self.resolver = Resolver(index, program, knowledge)
        self.found: list[Found] = []

    def visit(self, node: ast.AST, *, once: bool, target: str = "") -> None:
        """Look into a piece of code."""
        match node:
            case ast.JoinedStr():
                return  # before Python 3.12, `ast` gives wrong positions inside f-strings
            case ast.Call():
                self.call(node, once, target)
            case ast.ClassDef():
                self.class_body(node, once)
            case (
                ast.FunctionDef()
                | ast.AsyncFunctionDef()
                | ast.Lambda()
                | ast.For()
                | ast.AsyncFor()
                | ast.While()
                | ast.ListComp()
                | ast.SetComp()
                | ast.DictComp()
                | ast.GeneratorExp()
            ):
                self.children(node, once=False)
            case ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)]):
                self.named(node.value, once, name)
            case ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name)) if node.value is not None:
                self.named(node.value, once, name)
            case ast.Attribute() | ast.Await() | ast.Starred():
                self.visit(node.value, once=once, target=target)
            case _:
                self.children(node, once=once)

    def children(self, node: ast.AST, *, once: bool) -> None:
        """Look into all parts of a piece of code."""
        for child in ast.iter_child_nodes(node):
            self.visit(child, once=once)

    def named(self, value: ast.expr, once: bool, name: str) -> None:
        """The value that a name takes; a dict that can't be lifted whole may hold hyperparameters by name."""
        if constant_text(value) is None and (isinstance(value, ast.Dict) or _is_dict_call(value)):
            for key, item in _items(value):
                if key and self.kb.is_hyperparameter(key, "", None):
                    self.argument(item, key, name, f"{name}[{key!r}]", once, "")
                else:
                    self.visit(item, once=once)
            return
        self.visit(value, once=once, target=name)

    def class_body(self, node: ast.ClassDef, once: bool) -> None:
        """A class of settings gives a constant an attribute; other classes are looked into as code is."""
        for part in node.body:
            plain = isinstance(part, ast.Assign | ast.AnnAssign) and part.value is not None
            if plain and is_settings_class(node):
                assert isinstance(part, ast.Assign | ast.AnnAssign)
                target = part.targets[0] if isinstance(part, ast.Assign) else part.target
                assert part.value is not None and isinstance(target, ast.Name)
                text = constant_text(part.value)
                if text is not None and text != "None":
                    use = f"{node.name}.{target.id}"
                    found = Found(self.index, part.value, text, "named", node.name, target.id, use)
                    if once or not found.mutable:
                        self.found.append(found)
                    continue
            self.visit(part, once=once)

    def call(self, node: ast.Call, once: bool, target: str) -> None:
        """A call: its function, then each argument by what is known of it."""
        self.visit(node.func, once=once, target=target)
        meanings = self.resolver.meanings(node)
        paths = {
            id(a)
            for _, fact in meanings
            if fact
            for p in (*fact.reads_file, *fact.writes_file)
            for a in [argument_of(node, p)]
            if a is not None
        }
        callee, shown = self.callee(node, meanings)
        arguments: list[tuple[str, ast.expr]] = []
        for place, value in enumerate(node.args):
            starred = any(isinstance(a, ast.Starred) for a in node.args[:place])
            names = [self.kb.positional(place, name, fact) for name, fact in meanings] if not starred else []
            seeding = place == 0 and any(fact is not None and fact.seeds for _, fact in meanings)
            arguments.append(("seed" if seeding else next((n for n in names if n), ""), value))
        arguments += [(k.arg or "", k.value) for k in node.keywords]
        for name, value in arguments:
            if id(value) in paths:
                self.path(value, callee, shown, once)
            elif isinstance(value, ast.Constant) and isinstance(value.value, str) and URL.fullmatch(value.value):
                self.found.append(Found(self.index, value, repr(value.value), "url", callee, name, shown))
            elif name and (
                self.kb.parameter(name).seed or any(self.kb.is_hyperparameter(name, c, f) for c, f in meanings)
            ):
                self.argument(value, name, callee, f"{shown}({name})", once, target)
            else:
                self.visit(value, once=once)

    def callee(self, node: ast.Call, meanings: list[LibraryCall]) -> tuple[str, str]:
        """What is called, for the constant's name and for its comment."""
        func = node.func
        shown = ast.unparse(func) if _is_dotted(func) else f".{func.attr}" if isinstance(func, ast.Attribute) else ""
        parts = meanings[0][0].split(".")
        if parts[0] not in ("", "?"):
            owner = parts[-2] if len(parts) > 1 and parts[-1][:1].islower() and parts[-2][:1].isupper() else parts[-1]
            return owner, shown
        if isinstance(func, ast.Attribute):
            own = isinstance(func.value, ast.Name) and func.value.id not in ("self", "cls")
            return (func.value.id if own and isinstance(func.value, ast.Name) else func.attr), shown
        return shown, shown

    def argument(self, value: ast.expr, name: str, callee: str, use: str, once: bool, target: str) -> None:
        """A hyperparameter or seed: lifted where it is a literal, else its own parts are looked at."""
        text = None if _is_dict_call(value) else _argument_text(value, self.program)
        is_seed = self.kb.parameter(name).seed
        if text is None:
            if isinstance(value, ast.Dict) or _is_dict_call(value):
                for key, item in _items(value):
                    self.argument(item, key, callee, use.removesuffix(")") + f".{key})", once, target)
            else:
                self.visit(value, once=once)
            return
        if is_seed and not re.fullmatch(r"\d+", text):
            return
        found = Found(self.index, value, text, "seed" if is_seed else "hyperparameter", callee, name, use, target)
        if once or not found.mutable:
            self.found.append(found)

    def path(self, value: ast.expr, callee: str, use: str, once: bool) -> None:
        """A path's literal, or those that it is joined of."""
        match value:
            case ast.Constant(value=str(text)):
                text = self.fetched.get(text, text)
                if _PATH.fullmatch(text) and len(text) < LONGEST_PATH:
                    kind: Kind = "url" if URL.fullmatch(text) else "path"
                    self.found.append(Found(self.index, value, repr(text), kind, callee, "", use))
            case ast.BinOp(op=ast.Add() | ast.Div()):
                for part in (value.left, value.right):
                    self.path(part, callee, use, once)
            case ast.Call(func=ast.Attribute(attr="join") | ast.Name(id="Path") | ast.Attribute(attr="Path")):
                for part in value.args:
                    self.path(part, callee, use, once)
            case _:
                self.visit(value, once=once)


def is_settings_class(node: ast.ClassDef) -> bool:
    """A class that only groups values: no bases, no methods, nothing but assignments to names."""
    if node.bases or node.keywords or node.decorator_list:
        return False
    for part in node.body:
        match part:
            case ast.Assign(targets=[ast.Name()]) | ast.Pass() | ast.Expr(value=ast.Constant()):
                pass
            case ast.AnnAssign(target=ast.Name()):
                pass
            case _:
                return False
    return any(isinstance(part, ast.Assign | ast.AnnAssign) for part in node.body)


def _is_dict_call(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dict" and not node.args


def _items(node: ast.expr) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(node, ast.Call):
        yield from ((k.arg or "", k.value) for k in node.keywords)
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            yield (key.value if isinstance(key, ast.Constant) and isinstance(key.value, str) else ""), value


def _is_dotted(node: ast.expr) -> bool:
    while isinstance(node, ast.Attribute):
        node = node.value
    return isinstance(node, ast.Name)
