"""The text of code: indented, commented, named, as the emitted modules need it."""

from __future__ import annotations

import ast
import symtable
import textwrap

from nb2pkg.analyse import string_lines
from nb2pkg.analyse.edits import edit_of, edited


def indent(text: str, level: int = 1) -> str:
    """Indent code, leaving the inside of its string literals alone."""
    inside = string_lines(ast.parse(text))
    pad = "    " * level
    return "\n".join(
        line if number in inside or not line.strip() else pad + line
        for number, line in enumerate(text.split("\n"), 1)
    )


def split_comments(text: str) -> tuple[list[str], str]:
    """The comment lines that a statement's text begins with, and the rest."""
    lines = text.split("\n")
    count = 0
    while count < len(lines) and lines[count].startswith("#"):
        count += 1
    return lines[:count], "\n".join(lines[count:])


def docstring(title: str, prose: str = "", level: int = 0) -> str:
    """A docstring from the notebook's own words."""
    clean = _quotable(" ".join(title.split())).rstrip(":")
    clean = clean or "A part of the notebook"
    if not clean.endswith((".", "!", "?")):
        clean += "."
    text = f'"""{clean}"""'
    if prose:
        text = f'"""{clean}\n\n{textwrap.fill(" ".join(_quotable(prose).split()), 96)}\n"""'
    pad = "    " * level
    return "\n".join(pad + line if line else line for line in text.split("\n"))


def _quotable(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''").strip().rstrip('"')


def global_names(text: str) -> frozenset[str]:
    """The names that a module's text reads from its own globals, at any depth."""
    found: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        top = table.get_type() == "module"
        for symbol in table.get_symbols():
            if (top and symbol.is_referenced()) or (not top and symbol.is_global()):
                found.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(text, "module", "exec"))
    return frozenset(found)


def without_unread(function: str) -> str:
    """A function's text with a `_` before each local name that is assigned and never read.

    The name stays bound, because it may keep its object alive; the `_` tells readers and linters that nothing
    reads it. Where it only gets a literal or another name's value, the assignment goes.
    """
    (node,) = ast.parse(function).body
    assert isinstance(node, ast.FunctionDef)
    (table,) = symtable.symtable(function, "module", "exec").get_children()
    names = {
        s.get_name()
        for s in table.get_symbols()
        if s.is_local() and s.is_assigned() and not (s.is_referenced() or s.is_parameter() or s.is_imported())
        if not s.is_namespace() and not s.get_name().startswith("_") and not _is_read_inside(table, s.get_name())
    }
    scope = _Stores()
    for part in node.body:
        scope.visit(part)
    taken = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
    unread = names & scope.plain - scope.other
    idle = [
        part
        for part in node.body
        if isinstance(part, ast.Assign) and isinstance(part.value, ast.Constant | ast.Name)
        if all(isinstance(t, ast.Name) and t.id in unread for t in part.targets)
    ]
    edits = [edit_of(part, "pass" if idle == node.body else "") for part in idle]
    inside = {id(name) for part in idle for name in ast.walk(part)}
    for name in sorted(unread):
        new = f"_{name}"
        while new in taken:
            new = f"_{new}"
        edits += [edit_of(n, new) for n in scope.names if n.id == name and id(n) not in inside]
    return edited(function, edits)


def _is_read_inside(table: symtable.SymbolTable, name: str) -> bool:
    for child in table.get_children():
        if name in child.get_identifiers() and child.lookup(name).is_free():
            return True
        if _is_read_inside(child, name):
            return True
    return False


class _Stores(ast.NodeVisitor):
    """Where a function binds names in its own scope; `plain`: by an assignment that linters want to be read."""

    def __init__(self) -> None:
        self.names: list[ast.Name] = []
        self.plain: set[str] = set()
        self.other: set[str] = set()
        """Names that are deleted, changed in place, or bound in a way that can't be renamed by its `ast.Name`."""

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Store):
            self.names.append(node)
        elif isinstance(node.ctx, ast.Del):
            self.other.add(node.id)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.plain.update(t.id for t in node.targets if isinstance(t, ast.Name))
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.plain.add(node.target.id)
        self.generic_visit(node)

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        self.plain.add(node.target.id)
        self.generic_visit(node)

    def visit_withitem(self, node: ast.withitem) -> None:
        if isinstance(node.optional_vars, ast.Name):
            self.plain.add(node.optional_vars.id)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.other.add(node.target.id)
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.other.add(node.name)
        self.generic_visit(node)

    def visit_MatchAs(self, node: ast.MatchAs) -> None:
        if node.name:
            self.other.add(node.name)
        self.generic_visit(node)

    def visit_MatchStar(self, node: ast.MatchStar) -> None:
        if node.name:
            self.other.add(node.name)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.other.add(node.name)

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def _comprehension(self, node: ast.AST) -> None:
        for part in ast.walk(node):
            if isinstance(part, ast.NamedExpr):
                self.other.add(part.target.id)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension
