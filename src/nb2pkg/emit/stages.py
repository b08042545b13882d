"""The module of a stage: a function of its inputs, and a `main()` that loads them, calls it and saves what it gives.

The function's text is the notebook's own, edited by position and never unparsed.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable

from nb2pkg.analyse.edits import Edit, edit_of, edited
from nb2pkg.analyse.program import Statement
from nb2pkg.emit.imports import Import
from nb2pkg.emit.metrics import logged_after, recording, with_logging
from nb2pkg.emit.source import Module, Source, beside, head, working_folder
from nb2pkg.emit.text import docstring, global_names, indent, split_comments, without_unread
from nb2pkg.plan.by_modules import acts
from nb2pkg.plan.types import Stage

MAIN_TEST = re.compile(r"""__name__\s*==\s*(['"])__main__\1""")


def random_folder(place: str) -> str:
    """Where the random state at the end of a stage lies."""
    return f"data/interim/{place}/random_state"


def stage_module(source: Source, stage: Stage) -> Module:
    """The whole module of a stage."""
    source = beside(source, [stage.name])
    body = f"{_function(source, stage)}\n\n\n{_main(source, stage)}"
    named = _named_in_strings(source, stage, body)
    if named:
        body = f"# Read by name, in strings.\nNAMED_IN_STRINGS = ({', '.join(named)},)\n\n\n{body}"
    variables = _variables(source, stage) if stage.module_scope else set()
    stop = max(stage.statements, default=-1) + 1
    imports, uses = head(source, body, own=stage.name, variables=variables, stop=stop)
    run = f"from {source.plan.package} import {stage.name}\n\n    {stage.name}.{source.local['main']}()"
    title = docstring(stage.title, stage.prose)
    text = f'{title}\n\n{imports}\n\n\n{body}\n\n\nif __name__ == "__main__":\n    {run}\n'
    return Module(stage.name, text, uses)


def call(stage: Stage) -> str:
    """The call of a stage's function, what it gives bound to names."""
    arguments = (f"{n}={n}" for n in stage.inputs) if stage.module_scope else iter(stage.inputs)
    given = f"{', '.join(stage.outputs)} = " if stage.outputs else ""
    return f"{given}{stage.name}({', '.join(arguments)})"


def setting_stages(source: Source, stage: Stage) -> list[Stage]:
    """The earlier stages whose settings hold in this one, in order."""
    wanted = set(stage.earlier_settings)
    return [s for s in source.plan.stages if wanted & set(s.statements)]


def _named_in_strings(source: Source, stage: Stage, body: str) -> list[str]:
    """What the module has to import only because a string names it."""
    named = {n for i in stage.statements for n in source.program.statements[i].effects.named}
    imported = (set(source.imports) | set(source.constants) | set(source.shared)) - _variables(source, stage)
    return sorted((named & imported) - global_names(body))


def _variables(source: Source, stage: Stage) -> set[str]:
    """The names that are variables of the stage."""
    found = set(stage.inputs) | set(stage.outputs)
    for index in (*stage.statements, *stage.local_definitions):
        found |= source.program.statements[index].effects.binds
    return found - set(source.imports) - set(source.constants) - set(source.shared)


# -- the function --------------------------------------------------------------------------------------------------


def _function(source: Source, stage: Stage) -> str:
    variables = _variables(source, stage)
    statements = source.program.statements
    lines: list[str] = []
    if stage.module_scope:
        given = "inputs"
        while given in variables or given in source.imports or given in source.constants or given in source.shared:
            given = f"_{given}"
        lines.append(f"def {stage.name}(**{given}):")
        lines.append(docstring(f"The names are the module's: {stage.module_scope}", level=1))
        if variables:
            lines.append(f"    global {', '.join(sorted(variables))}")
        lines.append(f"    globals().update({given})")
    else:
        lines.append(f"def {stage.name}({', '.join(stage.inputs)}):")
    for name in stage.may_be_unbound:
        lines.append(f"    {name} = {source.local['UNBOUND']}")
    needless = _needless(source, stage)
    for index in stage.local_definitions:
        if index not in needless:
            shown = [m for m in stage.metrics if m.statement == index]
            lines.append(indent(with_logging(source, statements[index], shown)))
    measured = {index: [m for m in stage.metrics if m.statement == index] for index in stage.statements}
    body: list[str] = []
    cell, end = -1, 0
    for index in stage.statements:
        statement = statements[index]
        text = "" if index in needless else _statement(source, index, stage, variables)
        if not text:
            continue
        first = min([statement.node.lineno, *(d.lineno for d in getattr(statement.node, "decorator_list", ()))])
        if statement.cell != cell:
            cell = statement.cell
            body.append(f"\n    {source.local['cell']}({source.cell_ids[cell]!r})" if body else
                        f"    {source.local['cell']}({source.cell_ids[cell]!r})")
        elif first - len(split_comments(statement.text)[0]) > end + 1:
            body.append("")
        body.append(indent(text))
        body += (f"    {line}" for line in logged_after(source, (m for m in measured[index] if not m.at_end)))
        end = statement.node.end_lineno or first
    lines += body
    lines += (f"    {line}" for line in logged_after(source, (m for m in stage.metrics if m.at_end)))
    if stage.outputs:
        lines.append(f"    return {', '.join(stage.outputs)}")
    elif not body:
        lines.append("    pass")
    text = "\n".join(lines)
    return text if stage.module_scope else without_unread(text)


def _needless(source: Source, stage: Stage) -> set[int]:
    """The definitions that nothing in the stage reads: each stage that needs one makes it again."""
    if stage.module_scope:
        return set()
    statements = source.program.statements
    mine = (*stage.local_definitions, *stage.statements)
    definitions = [i for i in mine if statements[i].kind == "definition"]
    needed = set(stage.outputs).union(*(_reads(statements[i].node) for i in mine if i not in definitions))
    while True:
        more = [i for i in definitions if statements[i].effects.binds & needed]
        longer = needed.union(*(_reads(statements[i].node) for i in more))
        if longer == needed:
            return set(definitions) - set(more)
        needed = longer


def _reads(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Store)}


def _statement(source: Source, index: int, stage: Stage, variables: set[str]) -> str:
    """One statement of the notebook as it stands in the stage's function; empty where nothing is left of it."""
    statement = source.program.statements[index]
    measured = [m for m in stage.metrics if m.statement == index]
    node, text = statement.node, MAIN_TEST.sub("True", with_logging(source, statement, measured))
    if statement.displayed and not _displays_itself(source, node):
        comments, code = split_comments(text)
        assert isinstance(node, ast.Expr)
        value = node.value
        if isinstance(value, ast.Tuple) and value.elts and value.col_offset == value.elts[0].col_offset:
            code = f"({code}\n)"  # a tuple without parentheses would be several arguments
        return "\n".join([*comments, f"{source.local['show']}(\n{code}\n)"])
    match node:
        case ast.Pass() | ast.Expr(value=ast.Constant() | ast.Name()):
            return ""
        case ast.Delete():
            kept = [ast.unparse(t) for t in _flat(node.targets) if not isinstance(t, ast.Name) or t.id in variables]
            return f"del {', '.join(kept)}" if kept else ""
        case ast.Import() | ast.ImportFrom():
            return _own_import(source, stage, statement, text)
        case _ if stage.module_scope:
            return _without_annotations(text)
        case _:
            return text


def _without_annotations(text: str) -> str:
    """The statement without the annotations of names that its function declares global, which Python forbids."""
    edits: list[Edit] = []

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            return
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            value = ast.get_source_segment(text, node.value) if node.value is not None else None
            edits.append(edit_of(node, f"{node.target.id} = {value}" if value is not None else "pass"))
        for child in ast.iter_child_nodes(node):
            visit(child)

    if ":" in text:
        visit(ast.parse(text))
    return edited(text, edits) if edits else text


def _displays_itself(source: Source, node: ast.stmt) -> bool:
    """A call of the notebook's `display`, which returns nothing unless it is asked for a handle."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Name(id="display"), keywords=keywords)):
            own = Import(f"{source.plan.top}.report", "display")
            bound = any("display" in s.effects.binds and s.kind != "import" for s in source.program.statements)
            return not bound and source.imports.get("display", own) == own and not keywords
        case _:
            return False


def _needed(source: Source, stage: Stage) -> set[str]:
    """The names that the stage reads or gives; with module scope, all that it binds."""
    nodes = [source.program.statements[i].node for i in (*stage.statements, *stage.local_definitions)]
    bound = _variables(source, stage) if stage.module_scope else set()
    return set(stage.outputs).union(bound, *(_reads(node) for node in nodes))


def _own_import(source: Source, stage: Stage, statement: Statement, text: str) -> str:
    """An import that stays in its place, without the names that the module imports at its head or never reads.

    Where all its names could stand at the head, it is here for what importing does, and imports them itself.
    """
    node = statement.node
    assert isinstance(node, ast.Import | ast.ImportFrom)
    needed = _needed(source, stage)
    bound = [(a.asname or a.name.partition(".")[0], a) for a in node.names]
    at_head = set() if all(n in source.imports for n, _ in bound) and not stage.module_scope else set(source.imports)
    kept = [alias for name, alias in bound if alias.name == "*" or (name not in at_head and name in needed)]
    if len(kept) == len(bound):
        return text
    new = ast.ImportFrom(node.module, kept, node.level) if isinstance(node, ast.ImportFrom) else ast.Import(kept)
    if not acts(statement) or (kept and isinstance(node, ast.ImportFrom)):
        return ast.unparse(new) if kept else ""
    if isinstance(node, ast.ImportFrom):
        return "\n".join(statement.repeats) or f"__import__({node.module!r})"
    each = (ast.unparse(ast.Import([a])) if a in kept else f"__import__({a.name!r})" for a in node.names)
    return "\n".join(each)


def _flat(targets: Iterable[ast.expr]) -> list[ast.expr]:
    flat: list[ast.expr] = []
    for target in targets:
        flat.extend(_flat(target.elts) if isinstance(target, ast.Tuple | ast.List) else [target])
    return flat


# -- main() --------------------------------------------------------------------------------------------------------


def _main(source: Source, stage: Stage) -> str:
    """`main()`: settings, inputs and random state first, then the stage, then what it gives."""
    local = source.local
    lines: list[str] = []
    for origin in setting_stages(source, stage):
        lines.append(f"{local['settings']}.from_{origin.name}()")
    for artifact in stage.loads:
        if len(artifact.names) == 1:
            lines.append(f"{artifact.names[0]} = {local['load']}({artifact.folder!r})")
        else:
            names = [name for name in artifact.names if name in stage.inputs]
            wanted = ", ".join(repr(name) for name in names)
            lines.append(f"{', '.join(names)} = {local['load_together']}({artifact.folder!r}, {wanted})")
    if stage.random_from:
        lines.append(f"{local['load_random_state']}({random_folder(stage.random_from)!r})")
    lines.append(call(stage))
    for artifact in stage.saves:
        if len(artifact.names) == 1:
            lines.append(f"{local['save']}({artifact.names[0]}, {artifact.folder!r})")
        else:
            values = ", ".join(f"{n}={n}" for n in artifact.names)
            lines.append(f"{local['save_together']}({artifact.folder!r}, {values})")
    if stage.keeps_random:
        streams = ", ".join(repr(s) for s in source.plan.streams)
        lines.append(f"{local['save_random_state']}({random_folder(stage.place)!r}, {streams})")
    managers = [f"{local['stage']}({stage.place!r})", recording(source, stage), working_folder(source)]
    head = [f"def {local['main']}():", f"    with {', '.join(filter(None, managers))}:"]
    return "\n".join([*head, *("        " + line for line in lines)])


