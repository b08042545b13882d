"""Pickling becomes calls of the package's artifacts.py, which does exactly the same in one place.

    with open("model.pkl", "wb") as f:       →    save_object(model, "model.pkl")
        pickle.dump(model, f)
    bytes_ = pickle.dumps(model)             →    bytes_ = object_to_bytes(model)

The notebook's file stays a pickle, under its own name. A frame, an array, a list or dict is written beside it in an
open format too, where that gives it back exactly; which one is seen when it runs, so the out is a folder.

What goes in here: edits of the text. Which calls these are, and what stands in their place, the knowledge base says.
"""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from nb2pkg.analyse import Program
from nb2pkg.analyse.arguments import argument_of
from nb2pkg.analyse.edits import Edit, edit_of, edited, paired, segment
from nb2pkg.analyse.program import FileUse, Statement
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.knowledge.facts import Call
from nb2pkg.refactor.resolve import Resolver
from nb2pkg.refactor.runtime_names import OBJECTS, local_names

COPIES = "data/interim/objects"
_OPEN = frozenset({"pandas.DataFrame", "numpy.ndarray", "builtins.list", "builtins.dict"})
"""The types of which an open format may hold some."""


def through_artifacts(
    program: Program, knowledge: KnowledgeBase, untouched: frozenset[int] = frozenset(), *, copies: bool = False
) -> Program:
    """The program with its pickling done by artifacts.py, but for what stands in the cells `untouched`.

    With `copies`, what an open format may hold is written in one too.
    """
    if any(s.effects.dynamic for s in program.statements):
        return program
    names = "|".join(sorted(knowledge.artifact_calls()))
    may = re.compile(rf"\b({names})\b")
    edited_ones = [s for s in program.statements if s.kind not in ("import", "constant") and s.cell not in untouched]
    wanted = [s for s in edited_ones if may.search(s.text)]
    if not wanted:
        return program
    local = local_names(program)
    statements = list(program.statements)
    taken: set[str] = set()
    for statement in wanted:
        rewriter = _Rewriter(statement, program, knowledge, local, taken, copies=copies)
        text = rewriter.text()
        more = tuple(FileUse(folder, True, statement.node.lineno) for folder in rewriter.copied)
        effects = replace(statement.effects, files=(*statement.effects.files, *more)) if more else statement.effects
        statements[statement.index] = replace(statement, text=text, effects=effects)
    return replace(program, statements=tuple(statements))


@dataclass(slots=True)
class _Rewriter:
    """Finds the edits of one statement."""

    statement: Statement
    program: Program
    knowledge: KnowledgeBase
    local: dict[str, str]
    taken: set[str]
    """The folders of copies so far."""
    copies: bool = False
    copied: list[str] = field(default_factory=list)
    edits: list[Edit] = field(default_factory=list)
    places: dict[int, ast.AST] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)

    def text(self) -> str:
        """The statement's new text."""
        node, text = self.statement.node, self.statement.text
        self.places = {id(one): two for one, two in paired(node, ast.parse(text).body[0])}
        self.visit(node, tried=False)
        return _without_imports(edited(text, self.edits), self.knowledge) if self.edits else text

    def visit(self, node: ast.AST, *, tried: bool) -> None:
        """Look into a piece of code; `tried`: what is raised in it may be caught."""
        match node:
            case ast.With(items=[item], body=[body]) if not tried:
                self.block(node, item, body)
            case ast.Call():
                self.call(node)
            case ast.Attribute() | ast.Name() if id(node) not in self.done:
                self.value(node)
            case _:
                pass
        for child in ast.iter_child_nodes(node):
            self.visit(child, tried=tried or isinstance(node, ast.Try))

    def fact(self, node: ast.Call) -> Call | None:
        """What is known of a call that artifacts.py has a function for."""
        facts = [fact for _, fact in Resolver(self.statement.index, self.program, self.knowledge).meanings(node)]
        first = facts[0] if facts else None
        same = first is not None and all(f is not None and f.artifacts == first.artifacts for f in facts)
        return first if same and first is not None and first.artifacts else None

    def place(self, node: ast.expr | ast.stmt) -> ast.expr | ast.stmt | None:
        """The node in the text."""
        found = self.places.get(id(node))
        return found if isinstance(found, ast.expr | ast.stmt) else None

    def opened(self, node: ast.expr, mode: str) -> ast.expr | None:
        """The path of an `open(path, mode)`, in the text."""
        if not isinstance(node, ast.Call) or not mode:
            return None
        names = {name for name, _ in Resolver(self.statement.index, self.program, self.knowledge).meanings(node)}
        builtin = isinstance(node.func, ast.Name) and node.func.id == "open" and names <= {"builtins.open", ""}
        if not builtin or (names == {""} and any("open" in s.effects.binds for s in self.program.statements)):
            return None
        match node:
            case ast.Call(args=[_, ast.Constant(value=given)], keywords=[]) if given == mode:
                pass
            case ast.Call(args=[_], keywords=[ast.keyword(arg="mode", value=ast.Constant(value=given))]) if (
                given == mode
            ):
                pass
            case _:
                return None
        there = self.place(node)
        return there.args[0] if isinstance(there, ast.Call) and not isinstance(node.args[0], ast.Starred) else None

    # -- what is rewritten -------------------------------------------------------------------------------------

    def block(self, node: ast.With, item: ast.withitem, body: ast.stmt) -> None:
        """A file that is opened for one dump or load."""
        match body:
            case ast.Expr(value=ast.Call() as call) | ast.Assign(value=ast.Call() as call):
                pass
            case ast.Return(value=ast.Call() as call) | ast.AnnAssign(value=ast.Call() as call):
                pass
            case _:
                return
        fact, name, outer, inner = self.fact(call), item.optional_vars, self.place(node), self.place(body)
        if fact is None or not isinstance(name, ast.Name) or outer is None or inner is None:
            return
        given = argument_of(call, fact.handle)
        path = self.opened(item.context_expr, fact.opened)
        if path is None or not (isinstance(given, ast.Name) and given.id == name.id) or self.is_read(name.id):
            return
        between = Edit(outer.lineno, outer.col_offset, inner.lineno, inner.col_offset, "")
        if "#" in _between(self.statement.text, between):
            return
        self.edits.append(between)
        self.done.add(id(item.context_expr))
        self.through_path(call, fact, given, path)

    def call(self, node: ast.Call) -> None:
        """A call by itself."""
        if id(node) in self.done:
            return
        fact = self.fact(node)
        if fact is None:
            return
        handle = argument_of(node, fact.handle) if fact.handle else None
        path = self.opened(handle, fact.opened) if handle is not None else None
        if handle is not None and path is not None:
            self.through_path(node, fact, handle, path)
        elif Resolver(self.statement.index, self.program, self.knowledge).reference(node.func) or not isinstance(
            node.func, ast.Attribute
        ):
            self.named(node, fact, fact.artifacts)
        else:
            self.method(node, node.func, fact)

    def through_path(self, node: ast.Call, fact: Call, handle: ast.expr, path: ast.expr) -> None:
        """`dump(x, file)` becomes `save_object(x, path)`."""
        there = self.place(handle)
        copy = self.copy_of(node, fact)
        if isinstance(there, ast.expr) and self.named(node, fact, fact.artifacts_file, open_copy=copy):
            self.edits.append(edit_of(there, segment(self.statement.text, path)))
            self.done.update(id(part) for part in ast.walk(handle))

    def copy_of(self, node: ast.Call, fact: Call) -> str:
        """The folder for a copy in an open format, of what is dumped once into a known file; empty where none is."""
        written = [use.path for use in self.statement.effects.files if use.writes]
        once = isinstance(self.statement.node, ast.With | ast.Expr)
        value = node.args[0] if node.args else None
        if not (self.copies and once and fact.opened == "wb" and not fact.pickler and isinstance(value, ast.Name)):
            return ""
        objects = self.program.environments[self.statement.index].get(value.id, frozenset())
        types = {self.program.heap[number].type for number in objects}
        if not types or not types <= _OPEN or len(written) != 1 or not written[0]:
            return ""
        folder = f"{COPIES}/{PurePosixPath(written[0]).stem}"
        if folder in self.taken:
            return ""
        self.taken.add(folder)
        self.copied.append(folder)
        return folder

    def named(self, node: ast.Call, fact: Call, function: str, open_copy: str = "") -> bool:
        """The same call of another function."""
        there = self.place(node)
        if not isinstance(there, ast.Call):
            return False
        self.done.update((id(node), *(id(part) for part in ast.walk(node.func))))
        self.edits.append(edit_of(there.func, self.local[function]))
        if fact.pickler or open_copy:
            line, column = there.end_lineno or there.lineno, (there.end_col_offset or 1) - 1
            before = _before(self.statement.text, line, column)
            comma = "" if before.endswith((",", "(")) else ", "
            more = f'library="{fact.pickler}"' if fact.pickler else f'open_copy="{open_copy}"'
            self.edits.append(Edit(line, column, line, column, f"{comma}{more}"))
        return True

    def method(self, node: ast.Call, func: ast.Attribute, fact: Call) -> None:
        """`x.to_pickle(path)` becomes `save_pandas(x, path)`."""
        there = self.place(func)
        if not isinstance(there, ast.Attribute) or there.end_lineno is None or there.end_col_offset is None:
            return
        lines = [line.encode() for line in self.statement.text.split("\n")]
        line = lines[there.end_lineno - 1]
        head = line[: there.end_col_offset].removesuffix(func.attr.encode()).rstrip()
        tail = line[there.end_col_offset :]
        if not head.endswith(b".") or not tail.lstrip().startswith(b"("):
            return
        self.done.add(id(node))
        self.done.add(id(func))
        start, end = len(head) - 1, there.end_col_offset + len(tail) - len(tail.lstrip()) + 1
        comma = ", " if node.args or node.keywords else ""
        opening = f"{self.local[fact.artifacts]}("
        self.edits.append(Edit(there.lineno, there.col_offset, there.lineno, there.col_offset, opening))
        self.edits.append(Edit(there.end_lineno, start, there.end_lineno, end, comma))

    def value(self, node: ast.Attribute | ast.Name) -> None:
        """A function of pickle that is passed on, or a constant of it."""
        name = Resolver(self.statement.index, self.program, self.knowledge).reference(node)
        fact = self.knowledge.call(name) if name else None
        there = self.place(node)
        if fact is None or fact.artifacts not in OBJECTS or fact.pickler or not isinstance(there, ast.expr):
            return
        if isinstance(node.ctx, ast.Load):
            self.done.update(id(part) for part in ast.walk(node))
            self.edits.append(edit_of(there, self.local[fact.artifacts]))

    def is_read(self, name: str) -> bool:
        """Whether the file is also used where no `with` has opened it under this name."""
        return any(_reads_outside(s.node, name) for s in self.program.statements)


def _reads_outside(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Load):
        return True
    if isinstance(node, ast.With) and any(
        isinstance(i.optional_vars, ast.Name) and i.optional_vars.id == name for i in node.items
    ):
        return any(_reads_outside(i.context_expr, name) for i in node.items)
    return any(_reads_outside(child, name) for child in ast.iter_child_nodes(node))


def _between(text: str, edit: Edit) -> str:
    lines = text.split("\n")[edit.line - 1 : edit.end_line]
    lines[-1] = lines[-1].encode()[: edit.end_column].decode()
    lines[0] = lines[0].encode()[edit.column :].decode()
    return "\n".join(lines)


def _before(text: str, line: int, column: int) -> str:
    """The text before a position, without the white space at its end."""
    lines = text.split("\n")[:line]
    lines[-1] = lines[-1].encode()[:column].decode()
    return "\n".join(lines).rstrip()


def _without_imports(text: str, knowledge: KnowledgeBase) -> str:
    """Without the imports inside of the statement that nothing reads any more."""
    tree = ast.parse(text).body[0]
    read = {part.id for part in ast.walk(tree) if isinstance(part, ast.Name)}
    pickling = {name.rpartition(".")[0] for name, call in knowledge.calls.items() if call.artifacts}
    lines = text.split("\n")
    for owner in ast.walk(tree):
        body = getattr(owner, "body", None)
        if not isinstance(body, list) or len(body) < 2:
            continue
        for node in body:
            match node:
                case ast.Import(names=[alias]):
                    modules = {knowledge.canonical(alias.name)}
                case ast.ImportFrom(names=[alias], module=str(module)):
                    modules = {knowledge.canonical(module)}
                case _:
                    continue
            bound = (alias.asname or alias.name).partition(".")[0]
            alone = lines[node.lineno - 1].strip() == ast.unparse(node) and node.lineno == node.end_lineno
            if bound not in read and alone and modules & pickling:
                lines[node.lineno - 1] = ""
    return "\n".join(lines)
