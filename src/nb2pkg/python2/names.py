"""What the names of a notebook stand for, as far as its imports and assignments say, over all its texts at once.

What goes in here: whether a name is a builtin, what was imported under it, whether it is certainly an int or a float.
Names are taken together over all scopes, so that a name is certain only where every binding of it is.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["int", "float", ""]
"""What a value certainly is; a float may be an array of them; empty: not known."""

_FLOAT_MODULES = ("math.", "cmath.")
_INT_OF_MATH = frozenset({"math.factorial"})
_NUMPY = str.split(
    "pi e inf nan sqrt exp log log2 log10 log1p sin cos tan arcsin arccos arctan arctan2 sinh cosh tanh "
    "mean std var average linspace float64 float32 hypot deg2rad rad2deg trapz corrcoef random.rand "
    "random.randn random.random random.normal random.uniform random.random_sample random.standard_normal "
    "random.exponential random.beta random.gamma"
)
_FLOAT = frozenset(f"numpy.{name}" for name in _NUMPY) | frozenset(
    str.split("time.time time.clock timeit.default_timer random.random random.uniform random.gauss")
)
_INT = frozenset(str.split("random.randint random.randrange sys.getsizeof time.time_ns numpy.random.randint"))
_FLOAT_METHODS = frozenset({"mean", "std", "var", "total_seconds"})
"""Methods that give floats wherever they are met."""


@dataclass(slots=True)
class Names:
    """The names of several trees."""

    imports: dict[str, str] = field(default_factory=dict)
    """What was imported, by the name that it has."""
    bound: set[str] = field(default_factory=set)
    """Every name that is bound, but by an import."""
    values: dict[str, list[ast.expr | Kind]] = field(default_factory=dict)
    """What each name is bound to: an expression, or what it certainly is."""
    true_division: bool = False
    """Some text has `from __future__ import division`, so that ints may divide to a float."""
    attributes: set[str] = field(default_factory=set)
    """Every `name.attribute` that is read."""
    _kinds: dict[str, Kind] = field(default_factory=dict)

    @classmethod
    def of(cls, trees: Iterable[ast.Module], *, true_division: bool = False) -> Names:
        """The names of all trees."""
        found = cls(true_division=true_division)
        for tree in trees:
            for node in ast.walk(tree):
                found._take(node)
        for name, values in found.values.items():
            found.bound.add(name)
            if name in found.imports:
                values.append("")
        return found

    def _take(self, node: ast.AST) -> None:
        match node:
            case ast.Import():
                for alias in node.names:
                    local = alias.asname or alias.name.partition(".")[0]
                    self.imports[local] = alias.name if alias.asname else local
            case ast.ImportFrom(module=str(module)):
                for alias in node.names:
                    self.imports[alias.asname or alias.name] = f"{module}.{alias.name}"
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self._bind(node.name, "")
            case ast.arg():
                self._bind(node.arg, "")
            case ast.Global() | ast.Nonlocal():
                for name in node.names:
                    self._bind(name, "")
            case ast.ExceptHandler(name=str(name)):
                self._bind(name, "")
            case ast.Assign(targets=targets):
                for target in targets:
                    self._target(target, node.value)
            case ast.AugAssign(target=ast.Name(id=name)):
                self._bind(name, ast.BinOp(ast.Name(name, ast.Load()), node.op, node.value))
            case ast.For() | ast.comprehension():
                self._target(node.target, "int" if self._counts(node.iter) else "")
            case ast.Name(ctx=ast.Store() | ast.Del()) if node.id not in self.values:
                self.values[node.id] = [""]
            case ast.Attribute(value=ast.Name(id=name)):
                self.attributes.add(f"{name}.{node.attr}")
            case ast.With(items=items):
                for item in items:
                    if item.optional_vars is not None:
                        self._target(item.optional_vars, item.context_expr)
            case _:
                pass

    def _target(self, target: ast.expr, value: ast.expr | Kind) -> None:
        match target:
            case ast.Name():
                self._bind(target.id, value)
            case ast.Tuple() | ast.List():
                parts: list[ast.expr | Kind] = [""] * len(target.elts)
                if isinstance(value, ast.Tuple) and len(value.elts) == len(parts):
                    parts = [*value.elts]
                for each, part in zip(target.elts, parts, strict=True):
                    self._target(each, part)
            case ast.Starred():
                self._target(target.value, "")
            case _:
                pass

    def _bind(self, name: str, value: ast.expr | Kind) -> None:
        self.values.setdefault(name, []).append(value)

    def _counts(self, node: ast.expr) -> bool:
        match node:
            case ast.Call(func=ast.Name(id="range")):
                return True
            case ast.Call(func=ast.Name(id="list"), args=[inner]):
                return self._counts(inner)
            case ast.List() | ast.Tuple():
                return bool(node.elts) and all(
                    isinstance(e, ast.Constant) and type(e.value) is int for e in node.elts
                )
            case _:
                return False

    def is_builtin(self, node: ast.expr, name: str) -> bool:
        """Whether the node is the builtin of this name, which nothing here rebinds."""
        return isinstance(node, ast.Name) and node.id == name and name not in self.bound and name not in self.imports

    def qualified(self, node: ast.expr) -> str:
        """The full name of something imported; empty for anything else."""
        if isinstance(node, ast.Attribute):
            base = self.qualified(node.value)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Name) and node.id not in self.bound:
            return self.imports.get(node.id, "")
        return ""

    def kind(self, node: ast.expr) -> Kind:
        """What an expression certainly is under Python 2, in whose code `/` floors ints."""
        match node:
            case ast.Constant(value=value):
                return "int" if type(value) in (int, bool) else "float" if type(value) in (float, complex) else ""
            case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
                return self.kind(node.operand)
            case ast.BinOp():
                return self._operation(node)
            case ast.IfExp():
                return _both(self.kind(node.body), self.kind(node.orelse))
            case ast.Name():
                return self._name(node)
            case ast.Attribute():
                name = self.qualified(node)
                return "float" if name in _FLOAT or name.startswith(("math.pi", "math.e")) else ""
            case ast.Subscript(value=ast.Attribute(attr="shape")) if not isinstance(node.slice, ast.Slice):
                return "int"
            case ast.Call():
                return self._call(node)
            case _:
                return ""

    def _operation(self, node: ast.BinOp) -> Kind:
        left, right = self.kind(node.left), self.kind(node.right)
        match node.op:
            case ast.Add() | ast.Sub() | ast.Mult() | ast.Div() | ast.FloorDiv():
                if "float" in (left, right):
                    return "float"
                return "" if self.true_division and isinstance(node.op, ast.Div) else _both(left, right)
            case ast.Mod():
                return "float" if left == "float" else _both(left, right)
            case ast.Pow():
                if "float" in (left, right):
                    return "float"
                grows = isinstance(node.right, ast.Constant) and left == right == "int"
                return "int" if grows else ""
            case _:
                return _both(left, right) if left == "int" else ""

    def _name(self, node: ast.Name) -> Kind:
        name = node.id
        if name in self._kinds:
            return self._kinds[name]
        if name in self.imports and name not in self.bound:
            return "float" if self.imports[name] in _FLOAT or self.imports[name] in ("math.pi", "math.e") else ""
        self._kinds[name] = ""  # where it is bound by way of itself, the other bindings decide
        kinds: set[Kind] = set()
        for value in self.values.get(name, [""]):
            if isinstance(value, ast.BinOp) and isinstance(value.left, ast.Name) and value.left.id == name:
                right = self.kind(value.right)
                keeps = isinstance(value.op, ast.Add | ast.Sub | ast.Mult | ast.FloorDiv | ast.Mod)
                if right == "int" and (keeps or (isinstance(value.op, ast.Div) and not self.true_division)):
                    continue  # an int or a float stays what it is
            kinds.add(self.kind(value) if isinstance(value, ast.expr) else value)
        found: Kind = kinds.pop() if len(kinds) == 1 else ""
        self._kinds[name] = found
        return found

    def _call(self, node: ast.Call) -> Kind:
        if isinstance(node.func, ast.Name):
            name = node.func.id if node.func.id not in self.bound and node.func.id not in self.imports else ""
            if name in ("len", "ord", "int", "hash", "id"):
                return "int"
            if name in ("float", "round"):
                return "float"
            if name == "abs" and len(node.args) == 1:
                return self.kind(node.args[0])
            if name in ("min", "max") and len(node.args) > 1:
                kinds = {self.kind(each) for each in node.args}
                return kinds.pop() if len(kinds) == 1 else ""
        called = self.qualified(node.func)
        if called in _FLOAT or (called.startswith(_FLOAT_MODULES) and called not in _INT_OF_MATH):
            return "float"
        if called in _INT:
            return "int"
        if not called and isinstance(node.func, ast.Attribute) and node.func.attr in _FLOAT_METHODS:
            return "float"
        return ""


def _both(left: Kind, right: Kind) -> Kind:
    return left if left == right else ""
