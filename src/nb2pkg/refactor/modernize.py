"""`--modernize`: API that a library no longer has is written as it is now, as knowledge/modernize.toml says.

    from sklearn.cross_validation import train_test_split    →    from sklearn.model_selection import train_test_split
    df.sort("a")                                              →    df.sort_values("a")

Names are resolved, by the imports and (for methods) by the types of the analysis. It works on the cells' text, so that
all that follows sees a notebook that was written so. Without the option, what is gone is only told.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nb2pkg.analyse import Program, analyse
from nb2pkg.analyse.edits import Edit, edit_of
from nb2pkg.analyse.imported import Imported
from nb2pkg.analyse.program import Statement
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.knowledge.facts import Removed
from nb2pkg.notebook import Cell, Notebook
from nb2pkg.refactor.modern_forms import FORMS, Use, renamed_attribute
from nb2pkg.refactor.resolve import Resolver
from nb2pkg.refactor.rewriting import CellEdits, rewritten

_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Found:
    """One use of what is gone: the edits that mend it; None where it can only be told."""

    name: str
    removed: Removed
    cell: int
    line: int
    edits: tuple[Edit, ...] | None


def modernized(
    notebook: Notebook, program: Program, knowledge: KnowledgeBase
) -> tuple[Notebook, Program, tuple[Diagnostic, ...]]:
    """The notebook with what is gone written as it is now, analysed, and what was mended and what can only be told."""
    mended: list[Found] = []
    found = _found(notebook, program, knowledge)
    for _ in range(_ROUNDS):
        wanted = {CellEdits(use.cell, use.edits) for use in found if use.edits}
        new, done = rewritten(notebook, sorted(wanted, key=lambda each: (each.cell, str(each.edits))))
        if not done:
            break
        mended += [use for use in found if use.edits and CellEdits(use.cell, use.edits) in done]
        notebook, program = new, analyse(new, knowledge)
        found = _found(notebook, program, knowledge)
    told = [_mended(name, uses) for name, uses in _by_name(mended).items()]
    together: dict[Removed, list[Found]] = {}
    for each in found:
        together.setdefault(each.removed, []).append(each)
    told += [_left(uses) for uses in together.values()]
    return replace(notebook, is_modern=True), program, tuple(told)


def modern_module(text: str, name: str, knowledge: KnowledgeBase) -> tuple[str, tuple[Diagnostic, ...]]:
    """The text of a module beside the notebook, and what was mended in it and what can only be told."""
    if not _may(knowledge).search(text):
        return text, ()
    notebook = Notebook(name, Path("."), (Cell(0, name, "code", text, text),), sources=(text,))
    new, _, told = modernized(notebook, analyse(notebook, knowledge), knowledge)
    places = re.compile(r" in cell 1$| \(cell 1\)")
    shown = (f"in {name}, line {each.line}: {places.sub('', each.message)}" for each in told)
    return new.cells[0].code, tuple(
        Diagnostic(each.code, message, severity=each.severity) for each, message in zip(told, shown, strict=True)
    )


def told_of(notebook: Notebook, program: Program, knowledge: KnowledgeBase) -> tuple[Diagnostic, ...]:
    """One diagnostic on all that is gone; none where nothing is."""
    found = _by_name(_found(notebook, program, knowledge))
    if not found:
        return ()
    shown = [f"{_shown(name, uses)} (since {uses[0].removed.since}, {_cells(uses)})" for name, uses in found.items()]
    message = f"libraries of today no longer have {', '.join(shown)}: `--modernize` writes what is sure as it is now"
    first = min((use for uses in found.values() for use in uses), key=lambda use: use.cell)
    return (Diagnostic("N201", f"{message}, `--as-of DAY` wants the libraries of a day", first.cell, first.line),)


def _by_name(found: Sequence[Found]) -> dict[str, list[Found]]:
    groups: dict[str, list[Found]] = {}
    for each in sorted(found, key=lambda f: (f.cell, f.line)):
        groups.setdefault(each.name, []).append(each)
    return groups


def _shown(name: str, uses: Sequence[Found]) -> str:
    removed = uses[0].removed
    if removed.only_args:
        written = {edit.text.strip('"') for use in uses for edit in use.edits or ()}
        words = [old for old, new in (*removed.keywords, *removed.strings) if new in written]
        return f"{' and '.join(f'`{word}`' for word in words)} of `{name.removeprefix('?')}`"
    return f"`{name.removeprefix('?')}`"


def _cells(uses: Sequence[Found]) -> str:
    numbers = sorted({use.cell + 1 for use in uses})
    return f"cell{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"


def _mended(name: str, uses: Sequence[Found]) -> Diagnostic:
    removed = uses[0].removed
    what = f"{_shown(name, uses)}, gone since {removed.since}, is written as it is now in {_cells(uses)}"
    return Diagnostic("N202", what, uses[0].cell, uses[0].line, "info")


def _left(uses: Sequence[Found]) -> Diagnostic:
    """What can only be told, of all names that the same advice is for."""
    removed = uses[0].removed
    names = [_shown(name, [use for use in uses if use.name == name]) for name in dict.fromkeys(u.name for u in uses)]
    verb = "is" if len(names) == 1 else "are"
    what = f"{', '.join(names)} {verb} gone since {removed.since} ({_cells(uses)})"
    first = min(uses, key=lambda use: (use.cell, use.line))
    return Diagnostic("N203", f"{what}: {removed.advice or 'write it by hand'}", first.cell, first.line)


# -- finding -----------------------------------------------------------------------------------------------------


def _may(knowledge: KnowledgeBase) -> re.Pattern[str]:
    """What a text has in which something is gone."""
    last = "|".join(sorted({re.escape(name.rpartition(".")[2]) for name in knowledge.removed}))
    return re.compile(rf"\b(?:{last})\b")


def _found(notebook: Notebook, program: Program, knowledge: KnowledgeBase) -> list[Found]:
    may = _may(knowledge)
    whole = {cell.index for cell in notebook.cells if not cell.may_raise}
    if not any(may.search(cell.code) for cell in notebook.code_cells):
        return []
    code = {cell.index: cell.code for cell in notebook.cells}
    statements = [s for s in program.statements if s.cell in whole]
    search = _Search(program, knowledge, Imported.of(s.node for s in program.statements), code)
    for statement in statements:
        if may.search(statement.text):
            search.statement(statement)
    for statement in statements:
        search.imports(statement)
    return [each for each in search.found if each.edits is None or each.name not in search.blocked]


@dataclass(slots=True)
class _Search:
    """Looks for what is gone, statement by statement."""

    program: Program
    knowledge: KnowledgeBase
    imported: Imported
    code: dict[int, str]
    found: list[Found] = field(default_factory=list)
    blocked: set[str] = field(default_factory=set)
    """Names of which some use can't be mended, so that none is."""
    asked: set[str] = field(default_factory=set)
    """Modules whose import has been added."""
    pending: list[Edit] = field(default_factory=list)
    """The imports that a form has asked for."""

    def entry(self, name: str) -> Removed | None:
        """What is known of a name; one of Keras counts within TensorFlow too."""
        found = self.knowledge.removed.get(name)
        if found is None and name.startswith("tensorflow.keras."):
            found = self.knowledge.removed.get(name.removeprefix("tensorflow."))
            if found is not None and found.now.startswith("keras."):
                found = replace(found, now=f"tensorflow.{found.now}")
        return found

    def now(self, name: str, entry: Removed) -> str:
        """The full new name."""
        return entry.now + name.rpartition(".")[2] if entry.now.endswith(".") else entry.now

    def statement(self, statement: Statement) -> None:
        """All uses in a statement but its imports."""
        parents = {id(child): node for node in ast.walk(statement.node) for child in ast.iter_child_nodes(node)}
        hidden = _hidden_names(statement.node)
        for node in ast.walk(statement.node):
            match node:
                case ast.Call():
                    self.call(node, parents.get(id(node), node), statement, hidden)
                case ast.Attribute(ctx=ast.Load()) | ast.Name(ctx=ast.Load()):
                    self.name(node, parents.get(id(node), node), statement)
                case _:
                    pass

    def use(self, node: ast.Call | ast.Attribute, outer: ast.AST, name: str, at: Statement, hidden: set[str]) -> Use:
        def type_of(expression: ast.expr) -> str:
            return self.type_of(expression, at, hidden)

        def spelled(full: str) -> str:
            text, more = self.spelled(full, at)
            self.pending += more
            return text

        self.pending = []
        return Use(node, outer, name, self.code[at.cell], type_of, spelled)

    def add(self, name: str, entry: Removed, at: Statement, line: int, edits: list[Edit] | None) -> None:
        if edits is None and entry.now:
            self.blocked.add(name)
        self.found.append(Found(name, entry, at.cell, line, None if edits is None else tuple(edits)))

    def call(self, node: ast.Call, outer: ast.AST, at: Statement, hidden: set[str]) -> None:
        """A function by its name, or a method by its receiver's type or by a name that means nothing else."""
        name = self.imported.qualified(node.func)
        entry = self.entry(name) if name else None
        if name or not isinstance(node.func, ast.Attribute):
            if entry is not None and (entry.form or entry.keywords or entry.strings):
                self.called(node, outer, name, entry, at, hidden)
            return
        owner = self.type_of(node.func.value, at, hidden)
        for name in ([f"{owner}.{node.func.attr}"] if owner else []) + [f"?.{node.func.attr}"]:
            entry = self.entry(name)
            if entry is None:
                continue
            edits = None
            if not {k.arg for k in node.keywords} & set(entry.unless):
                if entry.form or entry.only_args:
                    self.called(node, outer, name, entry, at, hidden)
                    return
                if entry.now:
                    edits = [renamed_attribute(self.use(node, outer, name, at, hidden), node.func, entry.now)]
                    edits += _argument_edits(node, entry)
            self.add(name, entry, at, node.lineno, edits)
            return

    def called(
        self, node: ast.Call, outer: ast.AST, name: str, entry: Removed, at: Statement, hidden: set[str]
    ) -> None:
        """A call whose arguments, or whose form, are others now."""
        renamed = _argument_edits(node, entry)
        edits: list[Edit] | None = renamed
        if entry.only_args and not edits:
            return
        if entry.form and not entry.now and isinstance(node.func, ast.Name):
            edits = None  # its import would have to go
        elif entry.form:
            more = FORMS[entry.form](self.use(node, outer, name, at, hidden))
            edits = None if more is None else renamed + more + self.pending
        if entry.now and edits == []:
            return  # its name alone changes
        self.add(name, entry, at, node.lineno, edits)

    def name(self, node: ast.Attribute | ast.Name, outer: ast.AST, at: Statement) -> None:
        """What is imported, by its full name; an attribute of a name that means nothing else."""
        name = self.imported.qualified(node)
        entry = self.entry(name) if name else None
        is_called = isinstance(outer, ast.Call) and outer.func is node
        if not name and isinstance(node, ast.Attribute) and not is_called:
            name = f"?.{node.attr}"
            entry = self.entry(name)
            if entry is not None:
                edits = FORMS[entry.form](self.use(node, outer, name, at, set())) if entry.form else None
                self.add(name, entry, at, node.lineno, edits)
            return
        if entry is None or entry.only_args or (entry.form and not entry.now and is_called):
            return
        if not entry.now:
            self.add(name, entry, at, node.lineno, None)
            return
        new = self.now(name, entry)
        text, more = self.spelled(new, at)
        if isinstance(node, ast.Name):
            text, more = new.rpartition(".")[2], []  # its import changes too
            if text == node.id or "." not in new or node.id != name.rpartition(".")[2]:
                return
            if text in self.imported.bound:
                self.add(name, entry, at, node.lineno, None)
                return
        self.add(name, entry, at, node.lineno, [edit_of(node, text), *more])

    def spelled(self, name: str, at: Statement) -> tuple[str, list[Edit]]:
        """How a full name is written, with the edit that imports it."""
        if name.startswith("builtins."):
            return name.removeprefix("builtins."), []
        known = self.imported.spelled(name)
        root = known.partition(".")[0]
        if known and self.imported.names.get(root) != root:
            return known, []
        module = name.rpartition(".")[0] or name
        if known == name and module in self.imported.names.values():
            return known, []
        if module in self.asked:
            return name, []
        self.asked.add(module)
        return name, self.import_edits(at, [module])

    def import_edits(self, at: Statement, modules: Sequence[str]) -> list[Edit]:
        """Imports above the statement."""
        node = at.node
        line = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
        return [Edit(line, node.col_offset, line, node.col_offset, f"import {module}\n") for module in modules]

    def type_of(self, node: ast.expr, at: Statement, hidden: set[str]) -> str:
        """The one type that an expression may have; empty where there are others, or none is known."""
        match node:
            case ast.Name():
                if node.id in hidden:
                    return ""
                before = self.program.environments[at.index - 1] if at.index else {}
                types = {self.program.heap[number].type for number in before.get(node.id, ())}
                return types.pop() if len(types) == 1 else ""
            case ast.Call():
                facts = [f for _, f in Resolver(at.index, self.program, self.knowledge).meanings(node)]
                types = {f.returns if f is not None else "" for f in facts}
                return types.pop() if len(types) == 1 else ""
            case ast.Subscript(slice=ast.Constant(value=str())):
                known = self.knowledge.type(self.type_of(node.value, at, hidden))
                return known.item if known is not None else ""
            case _:
                return ""

    def imports(self, statement: Statement) -> None:
        """The import statements within a statement, but for those that are tried."""
        for node in ast.walk(statement.node):
            if isinstance(node, ast.Import | ast.ImportFrom) and id(node) not in self.imported.tried:
                self.found += self.imported_names(node, statement)

    def imported_names(self, node: ast.Import | ast.ImportFrom, at: Statement) -> Iterator[Found]:
        """What one import statement brings that is gone; one edit for all of it."""
        if isinstance(node, ast.ImportFrom) and (node.module is None or node.level):
            return
        module = node.module if isinstance(node, ast.ImportFrom) else ""
        lines: dict[str, list[str]] = {}
        gone: list[tuple[str, Removed, bool]] = []
        for alias in node.names:
            full = f"{module}.{alias.name}" if module else alias.name
            name, entry = self.outdated(full)
            if entry is None:
                lines.setdefault(module or "", []).append(_alias(alias.name, alias.asname))
                continue
            is_mended = bool(entry.now) and name not in self.blocked
            gone.append((name, entry, is_mended))
            if not is_mended:
                lines.setdefault(module or "", []).append(_alias(alias.name, alias.asname))
                continue
            new = self.now(name, entry) + full[len(name) :]
            kept = alias.asname or (alias.name if module else "")
            home, _, last = new.rpartition(".")
            if not module:
                lines.setdefault("", []).append(_alias(new, alias.asname))
            elif home:
                lines.setdefault(home, []).append(_alias(last, alias.asname))
            else:
                lines.setdefault("", []).append(_alias(new, kept if kept != new else None))
        if not gone:
            return
        indent = "\n" + " " * node.col_offset
        texts = [f"from {m} import" if m else "import" for m in lines]
        edit = edit_of(node, indent.join(f"{t} {', '.join(n)}" for t, n in zip(texts, lines.values(), strict=True)))
        for name, entry, is_mended in gone:
            yield Found(name, entry, at.cell, node.lineno, (edit,) if is_mended else None)

    def outdated(self, full: str) -> tuple[str, Removed | None]:
        """The longest part of a full name that is gone."""
        name = full
        while name:
            entry = self.entry(name)
            if entry is not None and not entry.only_args:
                return name, entry
            name = name.rpartition(".")[0]
        return full, None


def _alias(name: str, asname: str | None) -> str:
    return f"{name} as {asname}" if asname and asname != name else name


def _hidden_names(node: ast.AST) -> set[str]:
    """The names that functions in the statement bind for themselves."""
    found: set[str] = set()
    for part in ast.walk(node):
        if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            found |= {each.arg for each in ast.walk(part) if isinstance(each, ast.arg)}
            found |= {n.id for n in ast.walk(part) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found


def _argument_edits(node: ast.Call, entry: Removed) -> list[Edit]:
    """The new names of keywords, and of texts among the arguments."""
    keywords, strings = dict(entry.keywords), dict(entry.strings)
    edits: list[Edit] = []
    for keyword in node.keywords:
        if keyword.arg in keywords and keywords[keyword.arg] not in {k.arg for k in node.keywords}:
            start = keyword.col_offset
            edits.append(Edit(keyword.lineno, start, keyword.lineno, start + len(keyword.arg), keywords[keyword.arg]))
    for each in (*node.args, *(k.value for k in node.keywords)) if strings else ():
        for part in ast.walk(each):
            if isinstance(part, ast.Constant) and isinstance(part.value, str) and part.value in strings:
                edits.append(edit_of(part, f'"{strings[part.value]}"'))
    return edits
