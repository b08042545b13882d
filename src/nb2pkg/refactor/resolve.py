"""What a piece of code refers to: calls and names with what the knowledge base says of them."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from nb2pkg.analyse import Program
from nb2pkg.analyse.state import LibraryCall
from nb2pkg.knowledge.base import KnowledgeBase


@dataclass(frozen=True, slots=True)
class Resolver:
    """Looks up the nodes of one statement."""

    index: int
    program: Program
    knowledge: KnowledgeBase

    def meanings(self, node: ast.Call) -> list[LibraryCall]:
        """What the call may call, with what is known of each; no name for a function of the notebook."""
        seen = self.program.resolved_calls.get(node)
        if seen:
            return seen
        name = self.reference(node.func)
        if name:
            return [(name, self.knowledge.call(name))]
        if isinstance(node.func, ast.Attribute):
            return [(f"?.{node.func.attr}", self.knowledge.unresolved_method(node.func.attr))]
        return [("", None)]

    def reference(self, node: ast.expr) -> str:
        """The qualified name of something imported; empty for anything else."""
        if isinstance(node, ast.Attribute):
            base = self.reference(node.value)
            return self.knowledge.canonical(f"{base}.{node.attr}") if base else ""
        if isinstance(node, ast.Name):
            env, last = self.program.environments[self.index], self.program.environments[-1]
            for number in env.get(node.id, last.get(node.id, frozenset())):
                obj = self.program.heap[number]
                if obj.kind == "reference":
                    return obj.type
        return ""
