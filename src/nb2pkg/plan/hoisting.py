"""What stands outside of the stages: imports, constants, and the definitions that are made again from their text."""

from __future__ import annotations

import ast
import sys

from nb2pkg.analyse import Program
from nb2pkg.analyse.heap import Obj
from nb2pkg.analyse.scopes import BUILTINS, evaluates
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.notebook import Notebook


def free_names(node: ast.AST) -> frozenset[str]:
    """The global names that a function or class (or any statement) may read."""
    import symtable

    source = ast.unparse(node)
    free: set[str] = set()

    def visit(table: symtable.SymbolTable) -> None:
        for symbol in table.get_symbols():
            if symbol.is_global() and (symbol.is_referenced() or symbol.is_declared_global()):
                free.add(symbol.get_name())
            if table.get_type() == "module" and symbol.is_referenced():
                free.add(symbol.get_name())
        for child in table.get_children():
            visit(child)

    visit(symtable.symtable(source, "cell", "exec"))
    return frozenset(free)


def hoist_imports(notebook: Notebook, program: Program) -> tuple[dict[str, str], list[int]]:
    """Imports that can stand at the top of each module: their names are never anything else."""
    bound_by: dict[str, set[str]] = {}
    others: set[str] = set()
    for needed in notebook.imports:
        for name, line in import_lines(_import(needed)):
            bound_by.setdefault(name, set()).add(line)
    for statement in program.statements:
        if statement.kind == "import" and isinstance(statement.node, ast.Import | ast.ImportFrom):
            for name, line in import_lines(statement.node):
                bound_by.setdefault(name, set()).add(line)
        else:
            others |= statement.effects.binds
    hoistable = {n: next(iter(lines)) for n, lines in bound_by.items() if len(lines) == 1 and n not in others}
    indices = [
        s.index
        for s in program.statements
        if s.kind == "import"
        and isinstance(s.node, ast.Import | ast.ImportFrom)
        and all(name in hoistable or name == "*" for name, _ in import_lines(s.node))
    ]
    return hoistable, indices


def _import(line: str) -> ast.Import | ast.ImportFrom:
    node = ast.parse(line).body[0]
    assert isinstance(node, ast.Import | ast.ImportFrom)
    return node


def imports_that_may_draw(program: Program) -> frozenset[int]:
    """The first imports of libraries between a seed and a draw of the standard library's stream: many a library draws
    from it when it is imported, so these stay in their place."""
    seeds = [s.index for s in program.statements if "random" in s.effects.seeds]
    draws = [s.index for s in program.statements if "random" in s.effects.draws]
    loaded = set(sys.stdlib_module_names)
    found: set[int] = set()
    for statement in program.statements:
        node = statement.node
        roots: set[str] = set()
        if isinstance(node, ast.Import):
            roots = {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.names[0].name != "*":
            roots = {(node.module or "").partition(".")[0]}
        if seeds and draws and seeds[0] < statement.index < draws[-1] and roots and not roots & loaded:
            found.add(statement.index)
        loaded |= roots
    return frozenset(found)


def import_lines(node: ast.Import | ast.ImportFrom) -> list[tuple[str, str]]:
    """(name, line) for each name that an import statement binds, the line binding only that."""
    if isinstance(node, ast.Import):
        return [
            (
                a.asname or a.name.split(".")[0],
                f"import {a.name} as {a.asname}" if a.asname else f"import {a.name.split('.')[0]}",
            )
            if a.asname or "." not in a.name
            else (a.name.split(".")[0], f"import {a.name.split('.')[0]}")
            for a in node.names
        ]
    module = "." * node.level + (node.module or "")
    return [
        (a.asname or a.name, f"from {module} import {a.name}" + (f" as {a.asname}" if a.asname else ""))
        for a in node.names
    ]


def constants_of(program: Program) -> dict[str, int]:
    """The statement that binds each constant."""
    return {next(iter(s.effects.binds)): s.index for s in program.statements if s.kind == "constant"}


def definitions_of(
    program: Program, imports: frozenset[str], constants: dict[str, int], diagnostics: list[Diagnostic]
) -> tuple[dict[str, int], frozenset[int], dict[str, frozenset[str]]]:
    """Definitions that are made again from their text, those of them that need no variable, and what they read."""
    found: dict[str, int] = {}
    spoiled: set[str] = set()
    for statement in program.statements:
        spoiled |= statement.effects.mutates
        for name in statement.effects.binds:
            if statement.kind == "definition" and name not in found:
                found[name] = statement.index
            elif name in found or statement.kind == "definition":
                spoiled.add(name)
        spoiled |= statement.effects.deletes
    for statement in program.statements:
        if statement.kind != "definition":
            spoiled |= statement.effects.binds & set(found)
    definitions = {n: i for n, i in found.items() if n not in spoiled and not evaluates(program.statements[i].node)}
    direct = {n: free_names(program.statements[i].node) - {n} for n, i in definitions.items()}
    free: dict[str, frozenset[str]] = {}
    for name in definitions:
        seen, queue = {name}, [name]
        names: set[str] = set()
        while queue:
            for read in direct.get(queue.pop(), ()):
                if read in definitions and read not in seen:
                    seen.add(read)
                    queue.append(read)
                elif read not in definitions:
                    names.add(read)
        free[name] = frozenset(names)
    fixed = imports | set(constants) | BUILTINS
    assigned = set().union(*(s.effects.binds for s in program.statements)) if program.statements else set()
    shared = frozenset(
        i
        for n, i in definitions.items()
        if not {r for r in free[n] if r not in fixed and r in assigned} and not _declares_global(program, i)
    )
    names_shared = {n for n, i in definitions.items() if i in shared}
    shared = frozenset(
        i for n, i in definitions.items() if i in shared and not (direct[n] & (set(definitions) - names_shared))
    )
    return definitions, shared, free


def _declares_global(program: Program, index: int) -> bool:
    return any(isinstance(n, ast.Global) for n in ast.walk(program.statements[index].node))


def is_shared(program: Program, node: ast.AST | None, shared: frozenset[int]) -> bool:
    """Whether a function or class stands in one of these definitions."""
    return any(part is node for i in shared for part in ast.walk(program.statements[i].node))


def is_closed(obj: Obj, imports: dict[str, str], constants: dict[str, int]) -> bool:
    """A function that reads nothing but imports and constants: pickled by value, it stays what it is."""
    if obj.kind != "function" or obj.frame is not None or obj.node is None:
        return False
    return all(n in imports or n in constants or n in BUILTINS for n in free_names(obj.node))
