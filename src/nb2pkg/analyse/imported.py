"""What was imported under which name, as it is written, before the knowledge base's aliases: over all cells at once.

A name counts only where nothing else binds it and all its imports agree, so that what is looked up is sure. Imports
that are tried (`try: … except ImportError`) say that their name may be another's.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(slots=True)
class Imported:
    """The imports of several trees."""

    names: dict[str, str] = field(default_factory=dict)
    """The full name of what was imported, by the name that it has."""
    bound: set[str] = field(default_factory=set)
    """Names that are bound otherwise too, or by imports that do not agree."""
    tried: set[int] = field(default_factory=set)
    """The ids of the import statements that stand in a `try`."""

    @classmethod
    def of(cls, trees: Iterable[ast.AST]) -> Imported:
        """The imports of all trees."""
        found = cls()
        for tree in trees:
            for node in ast.walk(tree):
                found._take(node)
        return found

    def _take(self, node: ast.AST) -> None:
        match node:
            case ast.Try():
                self.tried |= {id(n) for n in ast.walk(node) if isinstance(n, ast.Import | ast.ImportFrom)}
            case ast.Import():
                for alias in node.names:
                    local = alias.asname or alias.name.partition(".")[0]
                    self._bind(local, alias.name if alias.asname else local, id(node) in self.tried)
            case ast.ImportFrom(module=str(module), level=0):
                for alias in node.names:
                    self._bind(alias.asname or alias.name, f"{module}.{alias.name}", id(node) in self.tried)
            case ast.Name(ctx=ast.Store() | ast.Del()):
                self.bound.add(node.id)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.bound.add(node.name)
            case ast.arg():
                self.bound.add(node.arg)
            case ast.ExceptHandler(name=str(name)):
                self.bound.add(name)
            case _:
                pass

    def _bind(self, local: str, name: str, is_tried: bool) -> None:
        if is_tried or self.names.setdefault(local, name) != name:
            self.bound.add(local)

    def qualified(self, node: ast.expr) -> str:
        """The full name of something imported, as it was imported; empty for anything else."""
        if isinstance(node, ast.Attribute):
            base = self.qualified(node.value)
            return f"{base}.{node.attr}" if base else ""
        if isinstance(node, ast.Name) and node.id not in self.bound:
            return self.names.get(node.id, "")
        return ""

    def spelled(self, name: str) -> str:
        """How a full name is written with the imports that are there; empty where none leads to it."""
        rest = ""
        while name:
            for local, full in self.names.items():
                if full == name and local not in self.bound:
                    return local + rest
            name, dot, last = name.rpartition(".")
            rest = dot + last + rest
        return ""
