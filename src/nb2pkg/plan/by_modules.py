"""What the statements of a notebook do by way of its own modules.

What a module's functions read, write, draw, seed and set belongs to the statement that calls them. So the notebook is
analysed once more, with the texts of its modules.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import replace

from nb2pkg.analyse import Program, analyse
from nb2pkg.analyse.own_modules import OwnModules
from nb2pkg.analyse.program import FileUse, Statement
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Notebook
from nb2pkg.plan.acting import Acting, acting_modules, sets


def with_modules(
    notebook: Notebook, program: Program, modules: OwnModules, knowledge: KnowledgeBase
) -> tuple[Program, tuple[Acting, ...]]:
    """The program whose statements read, write, seed and set what the modules do that they use; and those of the
    modules that act. `program` has the notebook's statements, and may have more after them."""
    imports = {s.index: roots for s in program.statements if (roots := modules.roots_in(s.node))}
    if not imports:
        return program, ()
    try:
        seen = analyse(notebook, knowledge, modules)
    except RecursionError:
        return _not_followed(program, min(imports)), ()
    written = program.statements[: len(seen.statements)]
    acting = tuple(acting_modules(program, seen, modules, imports))
    once = {each.module for each in acting if each.once}
    statements: list[Statement] = []
    stars = program.stars
    without = analyse(notebook, knowledge)  # `program` may have been changed since
    for own, plain, looked in zip(written, without.statements, seen.statements, strict=True):
        statement = _with_effects(own, plain, looked)
        if isinstance(own.node, ast.Import | ast.ImportFrom) and own.index in imports:
            joined = any(modules.imported_as(root) in once for root in imports[own.index])
            statement = _with_import(own, looked, statement, modules, joined=joined)
            if statement.text != own.text:
                stars = tuple(star for star in stars if star != own.text)
        elif sets(own, looked):
            statement = _with_settings(statement, looked)
        statements.append(statement)
    more = program.statements[len(written) :]
    return replace(program, statements=(*statements, *more), stars=stars), acting


def _not_followed(program: Program, index: int) -> Program:
    """The program that is one stage, for what the statement imports."""
    statement = program.statements[index]
    effects = replace(statement.effects, dynamic="its own modules are nested too deep to be followed")
    statements = list(program.statements)
    statements[index] = replace(statement, effects=effects)
    return replace(program, statements=tuple(statements))


def acts(statement: Statement) -> bool:
    """Whether an import that stays in its place is there for what importing does."""
    effects = statement.effects
    return statement.kind != "import" or bool(statement.repeats or effects.seeds or effects.draws)


def _with_effects(own: Statement, plain: Statement, looked: Statement) -> Statement:
    """The statement with the files and the random streams of the modules' functions that it calls."""
    effects, more = own.effects, looked.effects
    known = {_place(use): use.path for use in more.files if use.argument is not None}
    texts = [known.get(_place(use)) if use.path is None else None for use in plain.effects.files]
    files = list(effects.files)
    if len(files) == len(texts):  # no call was exchanged for another one
        files = [use if text is None else replace(use, path=text) for use, text in zip(files, texts, strict=True)]
    had = zip(plain.effects.files, texts, strict=True)
    count = Counter((use.path or text, use.writes, use.removes) for use, text in had)
    added: list[FileUse] = []
    for use in more.files:
        key = use.path, use.writes, use.removes
        if count[key]:
            count[key] -= 1
        else:
            added.append(FileUse(use.path, use.writes, own.node.lineno, None, use.removes))
    return replace(
        own,
        effects=replace(
            effects,
            files=(*files, *dict.fromkeys(added)),
            seeds=effects.seeds | more.seeds,
            draws=effects.draws | (more.draws - {"?"}),
            unseeded=effects.unseeded | more.unseeded,
        ),
    )


def _place(use: FileUse) -> tuple[object, ...]:
    """The same for the same call in both programs."""
    given = use.argument
    return use.line, use.writes, use.removes, *((given.lineno, given.col_offset, ast.dump(given)) if given else ())


def _with_settings(statement: Statement, looked: Statement) -> Statement:
    """A call of a function that sets: it is called again in later stages, where it does nothing else."""
    if looked.kind == "setting":
        return replace(statement, repeats=(statement.text,))
    lasting = looked.effects.lasting or "what it sets can't be set again without running it again"
    return replace(statement, effects=replace(statement.effects, lasting=lasting))


def _with_import(
    own: Statement, looked: Statement, statement: Statement, modules: OwnModules, *, joined: bool
) -> Statement:
    """An import of modules that may act. One of those that are imported once (`joined`) is not like any other."""
    node = own.node
    is_setting = sets(own, looked)
    if joined:
        statement = replace(statement, kind="compute")
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and (joined or is_setting):
        text = own.text if own.text.startswith("exec(") else f"exec({ast.unparse(node)!r}, globals())"
        lasting = own.effects.lasting or "it is imported with all its names, for what importing does"
        return replace(statement, kind="compute", text=text, effects=replace(statement.effects, lasting=lasting))
    if is_setting:
        statement = replace(statement, repeats=tuple(f"__import__({name!r})" for name in _modules_of(node, modules)))
    return statement


def _modules_of(node: ast.AST, modules: OwnModules) -> list[str]:
    """The modules of the notebook's own that an import statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names if modules.find(alias.name)]
    if isinstance(node, ast.ImportFrom) and node.module:
        inner = [f"{node.module}.{alias.name}" for alias in node.names]
        found = [name for name in inner if modules.find(name)]
        return [node.module, *found] if modules.find(node.module) and len(found) < len(inner) else found
    return []
