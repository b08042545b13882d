"""The import lines of an emitted module, in the order and layout that isort and ruff want."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby


@dataclass(frozen=True, slots=True)
class Import:
    """One imported name: `import module as alias`, or `from module import name as alias`."""

    module: str
    name: str = ""
    alias: str = ""

    def binds(self) -> str:
        """The name that it binds."""
        return self.alias or self.name or self.module.partition(".")[0]

    def full(self) -> str:
        """The full name of what is imported."""
        return f"{self.module}.{self.name}" if self.name else self.module


def parsed(line: str) -> list[Import]:
    """The names of an import statement."""
    node = ast.parse(line).body[0]
    assert isinstance(node, ast.Import | ast.ImportFrom)
    return parsed_node(node)


def parsed_node(node: ast.Import | ast.ImportFrom) -> list[Import]:
    """The names of an import statement."""
    if isinstance(node, ast.ImportFrom):
        module = "." * node.level + (node.module or "")
        return [Import(module, a.name, _alias(a)) for a in node.names]
    return [Import(a.name, "", _alias(a)) for a in node.names]


def _alias(node: ast.alias) -> str:
    return node.asname if node.asname and node.asname != node.name else ""


def block(imports: Iterable[Import], own: frozenset[str], order: Mapping[Import, int] | None = None) -> str:
    """The statements that import all of them; `own` are the root modules that lie in the package's repository.

    `order`, where it is not empty, is the order that they have to keep: a star import may bind a name again.
    """
    if order:
        return _in_order(set(imports), own, order)
    sections: dict[int, list[str]] = {}
    wanted = sorted(set(imports), key=_key)
    for (module, plain), group in groupby(wanted, key=lambda i: (i.module, not i.name)):
        lines = sections.setdefault(_section(module, own), [])
        together: list[str] = []
        apart: list[str] = []
        for each in group:
            if plain:
                lines.append(f"import {module}" + (f" as {each.alias}" if each.alias else ""))
            elif each.alias:
                apart.append(f"from {module} import {each.name} as {each.alias}")
            elif each.name == "*":
                apart.append(f"from {module} import *")
            else:
                together.append(each.name)
        if together:
            first = f"from {module} import {', '.join(together)}"
            names = [*(re.split(" import | as ", line)[1] for line in apart), together[0]]
            places = sorted(zip(names, [*apart, first], strict=True), key=lambda p: _member(p[0]))
            lines += [line for _, line in places]
        else:
            lines += apart
    return "\n\n".join("\n".join(sections[number]) for number in sorted(sections))


def _in_order(imports: set[Import], own: frozenset[str], order: Mapping[Import, int]) -> str:
    """As they stand in the notebook; what the notebook does not import, after that."""
    future = block((i for i in imports if i.module == "__future__"), own)
    placed = sorted((i for i in imports if i in order and i.module != "__future__"), key=lambda i: order[i])
    rest = block((i for i in imports if i not in order and i.module != "__future__"), own)
    lines: list[str] = []
    for (module, kind), group in groupby(placed, key=lambda i: (i.module, "*" if i.name == "*" else bool(i.name))):
        names = [(each.name or module) + (f" as {each.alias}" if each.alias else "") for each in group]
        if kind:
            lines.append(f"from {module} import {', '.join(names)}")
        else:
            lines += [f"import {name}" for name in names]
    return "\n\n".join(part for part in (future, "\n".join(lines), rest) if part)


def _key(each: Import) -> tuple[object, ...]:
    return (bool(each.name), _natural(each.module.lower()), _natural(each.module), _member(each.name), each.alias)


def _member(name: str) -> tuple[object, ...]:
    """Constants, then classes, then the rest."""
    rank = 0 if len(name) > 1 and name.isupper() else 1 if name[:1].isupper() else 2
    return (name != "*", rank, _natural(name.lower()), _natural(name))


def _natural(text: str) -> tuple[object, ...]:
    """`a9` before `a10`."""
    return tuple(int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", text))


def _section(module: str, own: frozenset[str]) -> int:
    root = module.partition(".")[0]
    if root == "__future__":
        return 0
    if not root:
        return 4
    return 1 if root in sys.stdlib_module_names else 3 if root in own else 2
