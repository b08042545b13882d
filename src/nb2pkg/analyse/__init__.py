"""From a notebook to its statements with their effects.

What goes in here: reading Python statically. What does not: deciding on sections, stages or files.
"""

from __future__ import annotations

import ast
from collections import Counter
from dataclasses import dataclass, field, replace

from nb2pkg.analyse.heap import Heap, Value
from nb2pkg.analyse.interpret import Interpreter
from nb2pkg.analyse.own_modules import OwnModules
from nb2pkg.analyse.parameters import is_parameter
from nb2pkg.analyse.program import Effects, Statement, StatementKind
from nb2pkg.analyse.scopes import BUILTINS, bound_names
from nb2pkg.analyse.state import LibraryCall, Notes
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.notebook import Cell, Notebook


@dataclass(frozen=True, slots=True)
class Program:
    """The statements, and what the names were bound to after each of them."""

    statements: tuple[Statement, ...]
    environments: tuple[dict[str, Value], ...]
    """After each statement: the objects that each global name may be."""
    heap: Heap
    mutated: tuple[frozenset[int], ...]
    """For each statement: the objects that it may change."""
    written: tuple[frozenset[int], ...]
    """For each statement: the objects whose memory it may write."""
    asked: tuple[frozenset[int], ...]
    """For each statement: the objects whose identity it asks for."""
    groups: tuple[int, ...]
    """For each object: the representative of those that may share memory with it."""
    stars: tuple[str, ...]
    """The star imports, as statements."""
    bound_often: frozenset[str]
    """Names that more than one statement binds, or a function declares global."""
    resolved_calls: dict[ast.Call, list[LibraryCall]]
    """What each call was seen to call, where that is no function of the notebook."""
    loaded: dict[str, int] = field(default_factory=dict)
    """The objects of the notebook's own modules, where they were looked into."""
    loud: frozenset[str] = frozenset()
    """Those of these modules that print or plot when they are imported."""
    kept: dict[str, set[int]] = field(default_factory=dict)
    """The objects that each of these held when it was imported, and all that was in them."""

    def as_text(self) -> str:
        """The program for people: a line a statement, its first row and its effects on names."""
        lines: list[str] = []
        for s in self.statements:
            effects = (("reads", s.effects.reads), ("binds", s.effects.binds), ("mutates", s.effects.mutates))
            told = "; ".join(f"{verb} {', '.join(sorted(names))}" for verb, names in effects if names)
            lines.append(f"{s.index} [cell {s.cell + 1}] {s.kind}: {s.text.splitlines()[0]}  ({told or 'no names'})")
        return "\n".join(lines)


def analyse(notebook: Notebook, knowledge: KnowledgeBase, modules: OwnModules | None = None) -> Program:
    """Find every top-level statement and its effects. `Cell.code` must be valid Python. Of the notebook's own
    `modules` it is seen what they do; of others, and of libraries, what the knowledge base says."""
    interpreter = Interpreter(knowledge, modules or OwnModules())
    pieces = [(cell, node, text) for cell in notebook.code_cells for node, text in statements_of(cell)]
    counts = Counter(name for _, node, _ in pieces for name in _bound(node))
    later_globals = {
        name for _, node, _ in pieces for part in ast.walk(node) if isinstance(part, ast.Global) for name in part.names
    }
    statements: list[Statement] = []
    environments: list[dict[str, Value]] = []
    mutated: list[frozenset[int]] = []
    written: list[frozenset[int]] = []
    asked: list[frozenset[int]] = []
    stars: list[str] = []
    for line in notebook.imports:
        interpreter.statement(ast.parse(line).body[0], None)
    for index, (cell, node, source) in enumerate(pieces):
        ends_cell = index + 1 == len(pieces) or pieces[index + 1][0] is not cell
        before = len(interpreter.heap.objects)
        interpreter.forget()
        interpreter.statement(node, None)
        notes = interpreter.notes
        text = _stage_text(node, source, notes)
        if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and not notes.lasting:
            stars.append(text)
        kind = _kind(node, notes, counts, later_globals)
        interpreter.computed |= kind != "import"
        repeats: tuple[str, ...] = (text,) if kind == "setting" else ()
        if notes.set_by and kind != "setting":
            if None in notes.set_by:
                notes.lasting = notes.lasting or "what it sets can't be set again without running it again"
            else:
                repeats = tuple(dict.fromkeys(ast.unparse(s) for s in notes.set_by if s is not None))
        statements.append(
            Statement(
                index=index,
                cell=cell.index,
                node=node,
                text=text,
                repeats=repeats,
                kind=kind,
                effects=_effects(notes),
                label=Counter(notes.labels).most_common(1)[0][0] if notes.labels else "",
                displayed=isinstance(node, ast.Expr)
                and _is_displayed(cell, ends_cell)
                and not _is_none(node.value, notes),
            )
        )
        environments.append(dict(interpreter.env))
        old = frozenset(o for o in notes.mutated if o < before)
        mutated.append(old)
        written.append(frozenset(o for o in notes.written if o < before))
        asked.append(frozenset(o for o in notes.asked if o < before))
    groups = interpreter.heap.memory_groups()
    for index, statement in enumerate(statements):
        changed = _changed_names(
            environments[index - 1] if index else {}, interpreter.heap, mutated[index], written[index], groups
        )
        if changed:
            statements[index] = replace(statement, effects=replace(statement.effects, mutates=changed))
    return Program(
        statements=tuple(statements),
        environments=tuple(environments),
        heap=interpreter.heap,
        mutated=tuple(mutated),
        written=tuple(written),
        asked=tuple(asked),
        groups=tuple(groups),
        stars=tuple(stars),
        bound_often=frozenset(n for n, c in counts.items() if c > 1) | later_globals,
        resolved_calls=interpreter.resolved_calls,
        loaded=interpreter.loaded,
        loud=frozenset(interpreter.loud),
        kept=interpreter.kept,
    )


def statements_of(cell: Cell) -> list[tuple[ast.stmt, str]]:
    """The cell's top-level statements, each with its text and the comments directly before it."""
    tree = ast.parse(cell.code)
    lines = cell.code.split("\n")
    if cell.may_raise and tree.body:
        body = "\n".join(_indented(cell.code))
        text = f"try:\n{body}\nexcept Exception:\n    traceback.print_exc()"
        return [(ast.parse(text).body[0], text)]
    pieces: list[tuple[ast.stmt, str]] = []
    end_line, end_col = 0, 0
    for node in tree.body:
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        last = node.end_lineno or node.lineno
        start = first
        same_line = first == end_line
        while not same_line and start - 1 > end_line and lines[start - 2].lstrip().startswith("#"):
            start -= 1
        encoded = lines[first - 1].encode()
        column = node.col_offset if first == node.lineno else 0
        body_lines = lines[first - 1 : last]
        tail = lines[last - 1].encode()
        after = tail[node.end_col_offset :].decode()
        comment = after.strip() if after.strip().startswith("#") else ""
        if last == first:
            text = encoded[column : node.end_col_offset].decode()
        else:
            text = "\n".join(
                [encoded[column:].decode(), *body_lines[1:-1], tail[: node.end_col_offset].decode()]
            )
        if comment:
            text += "  " + comment
        head = [line.strip() for line in lines[start - 1 : first - 1]]
        pieces.append((node, "\n".join([*head, text])))
        end_line, end_col = last, node.end_col_offset or 0
    del end_col
    return pieces


def string_lines(tree: ast.AST) -> set[int]:
    """The 1-based lines that continue a string literal, which no re-indentation may touch."""
    inside: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
            inside.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    return inside


def _indented(code: str) -> list[str]:
    inside = string_lines(ast.parse(code))
    return [
        line if number in inside or not line.strip() else "    " + line
        for number, line in enumerate(code.split("\n"), 1)
    ]


def _bound(node: ast.stmt) -> set[str]:
    scan = bound_names([node])
    return scan.names


def _is_displayed(cell: Cell, ends_cell: bool) -> bool:
    return cell.show_all or (ends_cell and not cell.silent)


def _is_none(node: ast.expr, notes: Notes) -> bool:
    """The value is None, which IPython does not display."""
    if isinstance(node, ast.Constant):
        return node.value is None
    return isinstance(node, ast.Call) and notes.nothing


def _effects(notes: Notes) -> Effects:
    return Effects(
        reads=frozenset(notes.reads),
        binds=frozenset(notes.binds),
        surely_binds=frozenset(notes.sure),
        deletes=frozenset(notes.deletes),
        draws=frozenset(notes.draws),
        unseeded=frozenset(notes.unseeded),
        seeds=frozenset(notes.seeds),
        files=tuple(notes.files),
        downloads=tuple(notes.downloads),
        calls=frozenset(notes.calls),
        named=frozenset(notes.named),
        prints=notes.prints,
        plots=notes.plots,
        dynamic=notes.dynamic,
        lasting=notes.lasting,
        identities=frozenset(notes.asked_names),
        unbound_risk=frozenset(n for n in notes.reads if n in BUILTINS),
    )


def is_literal(node: ast.expr) -> bool:
    """An immutable literal: number, string, boolean, None, or a tuple of those."""
    match node:
        case ast.Constant():
            return node.value is not Ellipsis and not isinstance(node.value, bytes | complex)
        case ast.UnaryOp(op=ast.USub() | ast.UAdd()):
            return isinstance(node.operand, ast.Constant) and isinstance(node.operand.value, int | float)
        case ast.Tuple():
            return all(is_literal(e) for e in node.elts)
        case _:
            return False


def _kind(node: ast.stmt, notes: Notes, counts: Counter[str], global_names: set[str]) -> StatementKind:
    quiet = not (notes.mutated or notes.draws or notes.files or notes.unknown or notes.plots)
    match node:
        case ast.Import() | ast.ImportFrom():
            return "compute" if notes.lasting else "import"
        case ast.FunctionDef() | ast.AsyncFunctionDef() if not notes.undeclared and _plain_definition(node.args, []):
            return "definition"
        case ast.ClassDef() if quiet and not notes.undeclared and not node.keywords and _plain_class(node):
            return "definition"
        case ast.Assign(targets=[ast.Name()], value=ast.Lambda(args=args)) if _plain_definition(args, []):
            return "definition"
        case ast.Assign(targets=[ast.Name(id=name)]) if is_literal(node.value):
            if counts[name] > 1 or name in global_names or name in BUILTINS:
                return "compute"
            return "constant" if is_parameter(ast.literal_eval(node.value)) else "definition"
        case ast.Try() if all(
            isinstance(s, ast.Import | ast.ImportFrom | ast.Pass)
            for s in [*node.body, *(s for h in node.handlers for s in h.body), *node.orelse, *node.finalbody]
        ):
            return "import"
        case ast.With() if all(
            isinstance(s, ast.Import | ast.ImportFrom)
            or (isinstance(s, ast.Expr) and isinstance(s.value, ast.Call) and not notes.unknown)
            for s in node.body
        ) and any(isinstance(s, ast.Import | ast.ImportFrom) for s in node.body) and not notes.mutated:
            return "import"
        case ast.Expr(value=ast.Constant()):
            return "compute"
        case _ if notes.set_by and quiet and not notes.binds and not notes.prints:
            return "setting"
        case _:
            return "compute"


def _stage_text(node: ast.stmt, source: str, notes: Notes) -> str:
    """The statement as it does inside a function what it did at the notebook's top level."""
    if isinstance(node, ast.ImportFrom) and node.names[0].name == "*" and notes.lasting:
        return f"exec({source!r}, globals())"
    return at_module_level(source) if notes.dynamic else source


def at_module_level(text: str) -> str:
    """A statement in whose function the module's names are not local, as they were at the notebook's top level."""
    edits: list[tuple[int, int, str]] = []
    starts = [0]
    for line in text.encode().split(b"\n"):
        starts.append(starts[-1] + len(line) + 1)

    def visit(node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda | ast.ClassDef):
            return
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            start, stop = starts[node.lineno - 1] + node.col_offset, starts[(node.end_lineno or 1) - 1]
            stop += node.end_col_offset or 0
            if node.func.id in ("exec", "eval") and len(node.args) == 1:
                edits.append((stop - 1, stop, ", globals())"))
            elif node.func.id in ("locals", "vars") and not node.args:
                edits.append((start, stop, "globals()"))
            elif node.func.id == "dir" and not node.args:
                edits.append((start, stop, "sorted(globals())"))
        for child in ast.iter_child_nodes(node):
            visit(child)

    visit(ast.parse(text))
    data = text.encode()
    for start, stop, new in sorted(edits, reverse=True):
        data = data[:start] + new.encode() + data[stop:]
    return data.decode()


def _plain_definition(args: ast.arguments, decorators: list[ast.expr]) -> bool:
    defaults = [d for d in (*args.defaults, *args.kw_defaults) if d is not None]
    return not decorators and all(is_literal(d) for d in defaults)


def _plain_class(node: ast.ClassDef) -> bool:
    plain_decorators = {"property", "staticmethod", "classmethod"}
    for part in node.body:
        match part:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                extra = [
                    d
                    for d in part.decorator_list
                    if not (isinstance(d, ast.Name) and d.id in plain_decorators)
                    and not (isinstance(d, ast.Attribute) and d.attr in ("setter", "getter", "deleter"))
                ]
                if not _plain_definition(part.args, extra):
                    return False
            case ast.Assign() if is_literal(part.value) or isinstance(part.value, ast.Call):
                pass  # a call only declares: else the class would not be asked about
            case ast.AnnAssign() if part.value is None or is_literal(part.value) or isinstance(part.value, ast.Call):
                pass
            case ast.Expr(value=ast.Constant()) | ast.Pass():
                pass
            case _:
                return False
    return True


def _changed_names(
    env: dict[str, Value], heap: Heap, mutated: frozenset[int], written: frozenset[int], groups: list[int]
) -> frozenset[str]:
    if not mutated and not written:
        return frozenset()
    memory = {groups[o] for o in written}
    return frozenset(
        name
        for name, value in env.items()
        if any(o in mutated or groups[o] in memory for o in heap.reach(value))
    )
