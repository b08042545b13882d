"""Literals that people want to turn become constants: of `const.py`, under a name, tracked by DVC.

    a, b = train_test_split(X, test_size=0.3)    →    TEST_SIZE = 0.3
                                                      a, b = train_test_split(X, test_size=TEST_SIZE)

What goes in here: top-level names that are bound once to a literal, classes of settings, and the literals that
`literals` finds. After the pass each is a statement of kind `constant`, as if its author had written it so; the
statements that used it differ by position only. A list or dict is lifted where nothing changes it.
"""

from __future__ import annotations

import ast
import keyword
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from nb2pkg.analyse import Program
from nb2pkg.analyse.edits import Edit, edit_of, edited, paired
from nb2pkg.analyse.program import Effects, Statement
from nb2pkg.analyse.scopes import BUILTINS
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Notebook
from nb2pkg.refactor.constant_names import name_all, proposals
from nb2pkg.refactor.literals import NOTHING_FETCHED, Found, constant_text, found_in, is_settings_class
from nb2pkg.section.types import Section

UNTOUCHED = "nb2pkg-no-lift"
"""The tag of a cell whose literals stay where they are."""
MOST_ITEMS = 60
"""A literal of more items is a table of data, which stays in its stage."""
SHOWN_USES = 3


@dataclass(frozen=True, slots=True)
class Lift:
    """A constant: its name, and the literals that it stands for (one, or several that mean the same thing)."""

    name: str
    uses: tuple[Found, ...]


def lift(
    notebook: Notebook,
    program: Program,
    sections: tuple[Section, ...],
    knowledge: KnowledgeBase,
    unlifted: frozenset[str] = frozenset(),
    fetched: Mapping[str, str] = NOTHING_FETCHED,
    elsewhere: frozenset[str] = frozenset(),
) -> Program:
    """The program with its constants named, but for those in the cells with the ids `unlifted`.

    `fetched` is the file for each URL that is downloaded beforehand; `elsewhere` are the functions and classes that
    stand outside of the notebook's own modules.
    """
    if any(s.effects.dynamic for s in program.statements):
        return program
    untouched = _untouched(notebook, unlifted)
    program = _with_named(program, untouched)
    return _applied(program, _lifts(program, sections, knowledge, untouched, fetched, elsewhere))


def left_alone(notebook: Notebook, program: Program, unlifted: frozenset[str]) -> Program:
    """The program in which nothing of the cells with the ids `unlifted` is a constant."""
    cells = {cell.index for cell in notebook.cells if cell.id in unlifted}
    if not cells:
        return program
    left = (replace(s, kind="compute") if s.kind == "constant" and s.cell in cells else s for s in program.statements)
    return replace(program, statements=tuple(left))


def proposed(
    notebook: Notebook, program: Program, sections: tuple[Section, ...], knowledge: KnowledgeBase
) -> tuple[Found, ...]:
    """Every literal that `lift` makes a constant of, in its place in the cells."""
    if any(s.effects.dynamic for s in program.statements):
        return ()
    untouched = _untouched(notebook)
    named = [
        Found(s.index, value, text, "named", "", name, name, name)
        for s in program.statements
        if s.cell not in untouched
        for name, value, text in _bindings(program, s)
    ]
    after = _with_named(program, untouched)
    return (*named, *(use for one in _lifts(after, sections, knowledge, untouched) for use in one.uses))


def _untouched(notebook: Notebook, unlifted: frozenset[str] = frozenset()) -> frozenset[int]:
    return frozenset(cell.index for cell in notebook.cells if UNTOUCHED in cell.tags or cell.id in unlifted)


# -- names that the notebook gives -----------------------------------------------------------------------------


def _bindings(program: Program, statement: Statement) -> list[tuple[str, ast.expr, str]]:
    """The names that a statement gives to literals for good: (name, value, text)."""
    node = statement.node
    match node:
        case ast.Assign(targets=[ast.Name(id=name)]):
            pairs = [(name, node.value)]
        case ast.AnnAssign(target=ast.Name(id=name)) if node.value is not None:
            pairs = [(name, node.value)]
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)) if len(targets) == len(values):
            pairs = [(t.id, v) for t, v in zip(targets, values, strict=True) if isinstance(t, ast.Name)]
            if len(pairs) != len(targets) or len({name for name, _ in pairs}) != len(pairs):
                return []
        case _:
            return []
    found: list[tuple[str, ast.expr, str]] = []
    for name, value in pairs:
        text = constant_text(value)
        if text is None or _items(value) > MOST_ITEMS or text in ("[]", "{}", "()") or not _is_constant(program, name):
            return []
        found.append((name, value, text))
    return found


def _is_constant(program: Program, name: str) -> bool:
    """Whether the name is bound once, and what it is bound to never changes."""
    if name in program.bound_often or name in BUILTINS:
        return False
    for statement in program.statements:
        effects = statement.effects
        if name in effects.mutates or name in effects.deletes:
            return False
        if name in effects.binds and name not in effects.surely_binds:
            return False
    return True


def _items(node: ast.expr) -> int:
    return sum(isinstance(part, ast.Constant) for part in ast.walk(node))


def _with_named(program: Program, untouched: frozenset[int]) -> Program:
    """The statements that bind names to literals for good are constants; one name a statement."""
    statements = list(program.statements)
    added: list[Statement] = []
    for place, statement in enumerate(program.statements):
        if statement.cell in untouched:
            continue
        if isinstance(statement.node, ast.ClassDef):
            statements[place] = _settings_class(program, statement)
            continue
        bindings = _bindings(program, statement)
        for number, (name, _, text) in enumerate(bindings):
            comments, trailing = _comments(statement) if number == 0 else ([], "")
            line = f"{name} = {text}" + (f"  # {trailing}" if trailing else "")
            made = _constant(name, "\n".join([*comments, line]), statement)
            if number == 0:
                statements[place] = replace(made, index=statement.index)
            else:
                added.append(made)
    return _extended(program, statements, added)


def _settings_class(program: Program, statement: Statement) -> Statement:
    """A class of nothing but literals is a constant, its values in the form that DVC edits."""
    node = statement.node
    assert isinstance(node, ast.ClassDef)
    if not is_settings_class(node) or not _is_constant(program, node.name):
        return statement
    edits: list[tuple[ast.expr, str]] = []
    for part in node.body:
        if isinstance(part, ast.Assign | ast.AnnAssign):
            if isinstance(part, ast.AnnAssign) and not (
                isinstance(part.annotation, ast.Name) and part.annotation.id in BUILTINS
            ):
                return statement
            text = constant_text(part.value) if part.value is not None else None
            if text is None or part.value is None:
                return statement
            edits.append((part.value, text))
    text = statement_text(statement, edits)
    return statement if text is None else replace(statement, kind="constant", text=text)


def _constant(name: str, text: str, origin: Statement) -> Statement:
    return Statement(
        index=0,
        cell=origin.cell,
        node=ast.parse(text).body[0],
        text=text,
        kind="constant",
        effects=Effects(binds=frozenset({name}), surely_binds=frozenset({name})),
    )


def _comments(statement: Statement) -> tuple[list[str], str]:
    """The author's words: the comment lines before the statement, and the comment at its end."""
    lines = statement.text.split("\n")
    count = 0
    while count < len(lines) and lines[count].startswith("#"):
        count += 1
    before = lines[:count]
    end = ast.parse(statement.text).body[0]
    rest = lines[(end.end_lineno or 1) - 1].encode()[end.end_col_offset :].decode().strip()
    return before, rest.lstrip("# ").replace(" = ", " is ") if rest.startswith("#") else ""


def _extended(program: Program, statements: list[Statement], added: Iterable[Statement]) -> Program:
    """New statements go to the end: they run nowhere, and the others keep their index."""
    more = [replace(s, index=len(statements) + place) for place, s in enumerate(added)]
    if not statements:
        return program
    return replace(
        program,
        statements=(*statements, *more),
        environments=(*program.environments, *(program.environments[-1] for _ in more)),
        mutated=(*program.mutated, *(frozenset[int]() for _ in more)),
        written=(*program.written, *(frozenset[int]() for _ in more)),
        asked=(*program.asked, *(frozenset[int]() for _ in more)),
    )


# -- literals that have no name --------------------------------------------------------------------------------


def _lifts(
    program: Program,
    sections: tuple[Section, ...],
    knowledge: KnowledgeBase,
    untouched: frozenset[int],
    fetched: Mapping[str, str] = NOTHING_FETCHED,
    elsewhere: frozenset[str] = frozenset(),
) -> tuple[Lift, ...]:
    """The constants to be, named."""
    groups: dict[object, list[Found]] = {}
    for statement in program.statements:
        if statement.kind in ("constant", "import") or statement.cell in untouched:
            continue
        if statement.kind == "definition" and statement.effects.binds & elsewhere:
            continue
        for found in found_in(statement, program, knowledge, fetched):
            if _items(found.node) <= MOST_ITEMS:
                groups.setdefault(_meaning(found, knowledge), []).append(found)
    wanted = [proposals(uses, _stage(sections, uses[0].statement), knowledge) for uses in groups.values()]
    names = name_all(wanted, _names(program, sections))
    return tuple(Lift(name, tuple(uses)) for name, uses in zip(names, groups.values(), strict=True))


def _meaning(found: Found, knowledge: KnowledgeBase) -> object:
    """What two literals must have in common to be one constant."""
    place = (found.statement, found.node.lineno, found.node.col_offset)
    if found.kind in ("path", "url", "seed"):
        return found.kind, found.text
    parameter = knowledge.parameter(found.argument)
    if parameter.shared and not found.mutable:
        return parameter.constant or found.argument, found.text
    if found.target and found.argument and not found.mutable:  # the same object, made again
        return found.callee, found.argument, found.target, found.text
    return place


def _stage(sections: tuple[Section, ...], index: int) -> str:
    return next((s.name for s in sections if s.start <= index < s.stop), "")


def _names(program: Program, sections: tuple[Section, ...]) -> set[str]:
    """Every name that means something already."""
    names = {*BUILTINS, *keyword.kwlist, *keyword.softkwlist, *(s.name for s in sections)}
    for statement in program.statements:
        names |= statement.effects.reads | statement.effects.binds
        for part in ast.walk(statement.node):
            match part:
                case ast.Name():
                    names.add(part.id)
                case ast.arg():
                    names.add(part.arg)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    names.add(part.name)
                case ast.alias():
                    names.add((part.asname or part.name).split(".")[0])
                case _:
                    pass
    return names


def _applied(program: Program, lifts: tuple[Lift, ...]) -> Program:
    """The program with names in place of the literals, and their constants."""
    edits: dict[int, list[tuple[Found, str]]] = {}
    for one in lifts:
        for use in one.uses:
            edits.setdefault(use.statement, []).append((use, one.name))
    statements = list(program.statements)
    done: set[str] = set()
    for index, wanted in edits.items():
        text = statement_text(statements[index], [(use.node, use.named(name)) for use, name in wanted])
        if text is not None:
            names = frozenset(name for _, name in wanted)
            effects = statements[index].effects
            statements[index] = replace(
                statements[index],
                text=text,
                repeats=(text,) if statements[index].kind == "setting" else statements[index].repeats,
                effects=replace(effects, reads=effects.reads | names),
            )
            done |= names
    added: list[Statement] = []
    for one in lifts:
        if one.name in done:
            uses = list(dict.fromkeys(u.use for u in one.uses if u.use))
            shown = ", ".join(uses[:SHOWN_USES]) + (", …" if len(uses) > SHOWN_USES else "")
            text = f"{one.name} = {one.uses[0].text}" + (f"  # {shown}" if shown else "")
            added.append(_constant(one.name, text, statements[one.uses[0].statement]))
    return _extended(program, statements, added)


def statement_text(statement: Statement, edits: Iterable[tuple[ast.expr, str]]) -> str | None:
    """The statement's text with other text in the place of some of its nodes; None where they can't be found in it."""
    place = {id(one): two for one, two in paired(statement.node, ast.parse(statement.text).body[0])}
    found: list[Edit] = []
    lines = [line.encode() for line in statement.text.split("\n")]
    for node, new in edits:
        spot = place.get(id(node))
        if not isinstance(spot, ast.expr):
            return None
        edit = edit_of(spot, new)
        after = lines[edit.end_line - 1][edit.end_column :][:1]
        before = lines[edit.line - 1][: edit.column][-1:]
        spaced = f"{' ' if _is_word(before) else ''}{new}{' ' if _is_word(after) else ''}"
        found.append(replace(edit, text=spaced))
    return edited(statement.text, found)


def _is_word(byte: bytes) -> bool:
    """`0.3if x` is two words, and a name in the place of the number must not join the next."""
    return byte.isalnum() or byte == b"_"
