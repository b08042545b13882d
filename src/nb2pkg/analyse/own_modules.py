"""The texts of modules of the notebook's own, for an analysis that looks into them.

Without them, what such a module does is unknown, as of any library that nobody has described.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from nb2pkg.analyse.scopes import bound_names

FILE = "__file__"
MANY = 400
"""One that has more functions and classes than this is taken for a library, which keeps to itself."""


@dataclass(frozen=True, slots=True)
class OwnModules:
    """Modules by their full names (`tools`, `tools.text`)."""

    trees: Mapping[str, ast.Module] = field(default_factory=dict)
    packages: frozenset[str] = frozenset()
    """Those of them that have modules in them."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where the file of each lies, from the folder that the notebook runs in, as far as that is known."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Under which name the notebook imports a root module, where that is not its own: (name, own name)."""

    @classmethod
    def of(cls, files: Iterable[tuple[str, bytes, str]], names: Mapping[str, str] | None = None) -> OwnModules:
        """`files` are (path below the folder that it is imported from, content, path from the folder that the notebook
        runs in, or nothing); text that is no Python is none."""
        trees: dict[str, ast.Module] = {}
        places: dict[str, str] = {}
        packages: set[str] = set()
        counts: dict[str, int] = {}
        for path, content, place in sorted(files):
            tree = _parsed(content) if path.endswith(".py") else None
            if tree is not None:
                name = path.removesuffix(".py").replace("/", ".")
                if name.endswith(".__init__"):
                    name = name.removesuffix(".__init__")
                    packages.add(name)
                trees[name] = tree
                places |= {name: place} if place else {}
                defined = sum(isinstance(part, ast.FunctionDef | ast.ClassDef) for part in ast.walk(tree))
                counts[name.partition(".")[0]] = counts.get(name.partition(".")[0], 0) + defined
        few = {name: tree for name, tree in trees.items() if counts[name.partition(".")[0]] <= MANY}
        return cls(few, frozenset(packages), places, dict(names or {}))

    def find(self, name: str) -> str:
        """The module that a dotted name is when it is imported; empty where it is none of these."""
        if not self.trees:
            return ""
        for known, own in self.names.items():
            if f"{name}.".startswith(f"{known}."):
                name = own + name[len(known) :]
                break
        return name if name in self.trees else ""

    def absolute(self, module: str, node: ast.ImportFrom) -> str:
        """The full name of what `from` an import in `module` takes."""
        if not node.level:
            return node.module or ""
        parts = module.split(".") if module in self.packages else module.split(".")[:-1]
        parts = parts[: len(parts) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def roots_in(self, node: ast.AST) -> frozenset[str]:
        """The root modules of these that statements import, wherever in them, by their own names."""
        found: set[str] = set()
        for part in ast.walk(node):
            names: list[str] = []
            if isinstance(part, ast.Import):
                names = [alias.name for alias in part.names]
            elif isinstance(part, ast.ImportFrom) and part.module and not part.level:
                names = [part.module, *(f"{part.module}.{alias.name}" for alias in part.names)]
            found |= {own.partition(".")[0] for name in names if (own := self.find(name))}
        return frozenset(found)

    def needed_by(self, root: str) -> frozenset[str]:
        """A root module, and those that it or these import, wherever in them."""
        found: set[str] = set()
        queue = [root]
        while queue:
            each = queue.pop()
            if each not in found:
                found.add(each)
                inside = (tree for name, tree in self.trees.items() if name.partition(".")[0] == each)
                queue += [name for tree in inside for name in sorted(self.roots_in(tree))]
        return frozenset(found)

    def imported_as(self, root: str) -> str:
        """The name under which the notebook imports a root module."""
        return next((name for name, own in self.names.items() if own == root), root)


def body_of(tree: ast.Module) -> list[ast.stmt]:
    """What an import runs of a module."""
    return [part for node in tree.body for part in (_otherwise(node) if _is_main(node) else [node])]


def names_of(tree: ast.Module) -> set[str]:
    """The names that a module binds, its functions' `global` ones too."""
    declared = {name for part in ast.walk(tree) if isinstance(part, ast.Global) for name in part.names}
    return bound_names(tree.body).names | declared


def _parsed(content: bytes) -> ast.Module | None:
    try:
        return ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return None


def _is_main(node: ast.stmt) -> bool:
    """`if __name__ == "__main__":`."""
    match node:
        case ast.If(test=ast.Compare(left=left, ops=[ast.Eq()], comparators=[right])):
            return {ast.unparse(left), ast.unparse(right)} == {"__name__", "'__main__'"}
        case _:
            return False


def _otherwise(node: ast.stmt) -> list[ast.stmt]:
    return node.orelse if isinstance(node, ast.If) else []
