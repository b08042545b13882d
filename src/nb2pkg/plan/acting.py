"""Modules of the notebook's own that do more than define things: what a second process would do again, or never know.

A stage imports the modules that it uses. Most can be imported any number of times; not one that prints when it is
imported, or is changed afterwards, or reads what the notebook writes.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from nb2pkg.analyse import Program
from nb2pkg.analyse.heap import Obj
from nb2pkg.analyse.own_modules import OwnModules
from nb2pkg.analyse.program import FileUse, Statement
from nb2pkg.analyse.scopes import Frame
from nb2pkg.analyse.state import CODE
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.plan.data import normal_path

GOES = ("os.chdir", "os.fchdir", "contextlib.chdir")
"""What goes to another folder."""


@dataclass(frozen=True, slots=True)
class Acting:
    """A module that acts, under the name that the notebook imports it by."""

    module: str
    once: str = ""
    """Why it has to be imported once, and used in that stage alone; empty: it need not."""
    span: tuple[int, int] = (0, 0)
    """The statements, first and last, from its first import to the last that may use what it keeps."""
    in_place: tuple[int, ...] = ()
    """The imports that stay where they are, for what importing does."""
    opens: bool = False
    """Importing it opens files, so it is done in the folder that the notebook runs in."""


def acting_modules(
    program: Program, seen: Program, modules: OwnModules, imports: Mapping[int, frozenset[str]]
) -> Iterator[Acting]:
    """Those of the modules that act; `seen` is the program as it was analysed with their texts, `imports` says which
    of them the statements import."""
    harmless = _made_if_missing(seen, modules)
    for root in sorted(frozenset().union(*imports.values())):
        places = [index for index, roots in imports.items() if root in roots]
        needed = modules.needed_by(root)
        once = "it prints or plots when it is imported" if needed & {m.partition(".")[0] for m in seen.loud} else ""
        once = once or next(filter(None, (_once(program, seen, index, harmless) for index in places)), "")
        first = places[0]
        is_setting = any(sets(program.statements[i], seen.statements[i]) for i in places)
        if is_setting and any(s.repeats for s in program.statements[:first]):
            once = once or "its import sets again what was set before it"
        objects = _objects_of(seen, needed)
        once = once or _changed(program, seen, root, objects)
        in_place = tuple(i for i in places if _has_effects(program.statements[i], seen.statements[i]))
        if once or in_place:
            span = _span(program, seen, places, objects) if once else (first, first)
            opens = any(seen.statements[i].effects.files for i in places)
            yield Acting(modules.imported_as(root), once, span, in_place, opens)


def joined_by_modules(
    program: Program, cuts: tuple[int, ...], modules: Iterable[Acting], diagnostics: list[Diagnostic]
) -> tuple[int, ...]:
    """No cut while a module is used that has to be imported once."""
    for acting in modules:
        first, last = acting.span
        kept = tuple(cut for cut in cuts if not (acting.once and first < cut <= last))
        if kept != cuts:
            statement = program.statements[first]
            message = f"what uses the module {acting.module} stays in one stage: {acting.once}"
            diagnostics.append(Diagnostic("N311", message, statement.cell, statement.node.lineno, "info"))
        cuts = kept
    return cuts


def sets(own: Statement, looked: Statement) -> bool:
    """Whether a module changes settings of a library in it, which the statement by itself does not."""
    return bool(looked.repeats or looked.effects.lasting) and not (own.repeats or own.effects.lasting)


def _has_effects(own: Statement, looked: Statement) -> bool:
    is_plain = isinstance(own.node, ast.Import | ast.ImportFrom)
    effects = looked.effects
    return is_plain and bool(effects.files or effects.seeds or effects.draws - {"?"} or sets(own, looked))


def _once(program: Program, seen: Program, index: int, harmless: frozenset[int]) -> str:
    """Why what an import runs may run once only, as a reason."""
    own, looked = program.statements[index].effects, seen.statements[index].effects
    if any(stream != "?" and ":" not in stream for stream in looked.draws - own.draws):  # no counter of a library
        return "it draws random numbers when it is imported"
    files = [use for use in looked.files if id(use.argument) not in harmless]
    if any(use.writes and not use.removes for use in files):
        return "it writes files when it is imported"
    made = {path for statement in seen.statements for path in _paths(statement.effects.files, writes=True)}
    read = _paths(files, writes=False)
    if made & read:
        return f"it reads {min(made & read)} when it is imported, which the notebook writes"
    before = seen.statements[:index]
    if files and any(_goes(seen, statement) for statement in before):
        return "it opens files when it is imported, in a folder that the notebook went to"
    if any(use.path is None for use in files) and any(use.writes for each in before for use in each.effects.files):
        return "it may read when it is imported what the notebook has written"
    return ""


def _goes(seen: Program, statement: Statement) -> bool:
    """Whether it goes to another folder."""
    calls = (part for part in ast.walk(statement.node) if isinstance(part, ast.Call))
    return any(name in GOES for call in calls for name, _ in seen.resolved_calls.get(call, ()))


def _paths(files: Iterable[FileUse], *, writes: bool) -> set[str]:
    return {normal_path(use.path) for use in files if use.path and use.writes == writes}


def _made_if_missing(seen: Program, modules: OwnModules) -> frozenset[int]:
    """What is given to calls that make a folder unless it is there, and to those that ask whether it is."""
    making = {
        id(call): (*call.args, getattr(call.func, "value", call))
        for call, meanings in seen.resolved_calls.items()
        if any(fact is not None and fact.makes_folder for _, fact in meanings)
    }
    safe = {id(call) for call in seen.resolved_calls if any(keyword.arg == "exist_ok" for keyword in call.keywords)}
    asking: set[int] = set()
    for node in (part for tree in modules.trees.values() for part in ast.walk(tree)):
        if isinstance(node, ast.If | ast.Try) and all(
            isinstance(part, ast.Expr) and id(part.value) in making for part in node.body
        ):
            safe |= {id(part.value) for part in node.body if isinstance(part, ast.Expr)}
            asking |= {id(part) for part in ast.walk(node.test)} if isinstance(node, ast.If) else set()
    return frozenset(asking | {id(argument) for call in safe & making.keys() for argument in making[call]})


def _objects_of(seen: Program, roots: frozenset[str]) -> frozenset[int]:
    """The objects of the modules' variables, functions and classes, and of all that was in them once imported."""
    found = {n for name, objects in seen.kept.items() if name.partition(".")[0] in roots for n in objects}
    methods = {method for number in found for method in seen.heap[number].methods.values()}
    return frozenset(n for n in found | methods if seen.heap[n].kind != "reference")


def _changed(program: Program, seen: Program, root: str, objects: frozenset[int]) -> str:
    """What the notebook changes of what a module keeps, or the module's own functions do, as a reason. What is set the
    same way again in each stage is no such change."""
    defaults = _only_defaults(seen, objects)
    for own, mutated in zip(program.statements, seen.mutated, strict=False):
        changed = [
            n for n in mutated & objects if _is_state(seen.heap[n]) and (n not in defaults or seen.heap[n].changed)
        ]
        if changed and not own.repeats:
            names = sorted(_names(seen, root, changed))
            what = f"its {', '.join(names)}" if names else "what it keeps"
            return f"cell {own.cell + 1} changes {what}"
    return ""


def _only_defaults(seen: Program, objects: frozenset[int]) -> frozenset[int]:
    """Those that are nothing but default values of functions: nothing but the function itself can change them."""
    held: set[int] = set()
    others: set[int] = set()
    for obj in (seen.heap[number] for number in objects):
        methods = {n for method in obj.methods.values() for n in seen.heap[method].holds}
        others |= obj.holds - methods if obj.kind != "function" else set()
        held |= {n for n in obj.holds if seen.heap[n].type != "cell"} if obj.kind == "function" else set()
    return frozenset(held - others)


def _is_state(obj: Obj) -> bool:
    """Whether a change of it is one. A library that gets a function or a class does not set its attributes, and its own
    object of a type that nobody knows keeps to itself, unless an attribute or item of it is set."""
    return obj.changed if obj.kind in CODE else bool(obj.type) or obj.cls is not None or obj.changed


def _names(seen: Program, root: str, changed: Iterable[int]) -> Iterator[str]:
    """The variables of the module that hold what is changed."""
    for module, number in seen.loaded.items():
        frame = seen.heap[number].frame
        if isinstance(frame, Frame) and f"{module}.".startswith(f"{root}."):
            yield from (name for name, value in frame.values.items() if value & set(changed))


def _span(program: Program, seen: Program, imports: list[int], objects: frozenset[int]) -> tuple[int, int]:
    names: set[str] = set()
    last = imports[0]
    for statement in program.statements[imports[0] : len(seen.statements)]:
        effects = statement.effects
        mentioned = {part.id for part in ast.walk(statement.node) if isinstance(part, ast.Name)}
        mentioned |= effects.reads | effects.calls
        known = seen.environments[statement.index - 1] if statement.index else {}
        reached = any(objects & seen.heap.reach(known.get(name, frozenset())) for name in mentioned)
        if statement.index in imports or reached or names & mentioned:
            if statement.kind == "definition":
                names |= effects.binds
            else:
                last = statement.index
    return imports[0], last
