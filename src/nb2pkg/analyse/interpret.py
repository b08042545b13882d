"""The abstract interpreter: runs each statement on abstract objects and notes its effects.

It is sound where it is in doubt: an unknown call mutates what it is given and keeps it, a name in an unknown
string is dynamic. The notebook's own functions are interpreted again at each call, up to a depth.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from nb2pkg.analyse.heap import NOTHING, Heap, Obj, Value
from nb2pkg.analyse.program import FileUse
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.knowledge.facts import Call

BUILTINS = frozenset(dir(builtins))
LibraryCall = tuple[str, Call | None]
"""A call's qualified name (`?.method` for a method), and what is known of it."""
MAX_DEPTH = 8
MAX_INLINED = 200
MANY = 16
MAX_ROUNDS = 5
IMMUTABLE_BUILTINS = frozenset(
    name
    for line in (
        "abs all any ascii bin bool bytes callable chr complex divmod float format hash hex id input int",
        "isinstance issubclass len max min oct ord pow repr round str sum type hasattr range slice",
    )
    for name in line.split()
)
NONE = "builtins.NoneType"
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
DYNAMIC = frozenset({"exec", "globals", "locals", "vars", "dir"})


@dataclass(slots=True)
class Notes:
    """What one statement was seen to do."""

    reads: set[str] = field(default_factory=set)
    binds: set[str] = field(default_factory=set)
    sure: set[str] = field(default_factory=set)
    deletes: set[str] = field(default_factory=set)
    mutated: set[int] = field(default_factory=set)
    written: set[int] = field(default_factory=set)
    asked: set[int] = field(default_factory=set)
    """Objects whose identity the statement asks for (`is`, `id`)."""
    asked_names: set[str] = field(default_factory=set)
    """Names of immutable values whose identity it asks for."""
    draws: set[str] = field(default_factory=set)
    seeds: set[str] = field(default_factory=set)
    files: list[FileUse] = field(default_factory=list)
    calls: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)
    labels: list[str] = field(default_factory=list)
    prints: bool = False
    plots: bool = False
    dynamic: str = ""
    unknown: bool = False
    returned: list[str] = field(default_factory=list)
    """The types that the library calls return, in the order in which they end."""
    nothing: bool = False
    """The last call that ended returns None, whatever it calls."""
    undeclared: bool = False
    """It calls something that does more than declare."""
    lasting: str = ""
    """Why no later statement can be run in another process, or empty."""
    set_by: list[ast.stmt | None] = field(default_factory=list)
    """What set a setting: None where it can't be run again by itself."""


@dataclass(slots=True)
class Frame:
    """A function's or comprehension's scope."""

    names: set[str]
    outer: Frame | None
    values: dict[str, Value] = field(default_factory=dict)
    global_names: set[str] = field(default_factory=set)
    nonlocal_names: set[str] = field(default_factory=set)
    result: Value = NOTHING
    cell: int | None = None
    """The object that stands for its variables, which the functions made in it keep."""
    is_class: bool = False


class _Bound(ast.NodeVisitor):
    """The names that a function body binds in its own scope."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.globals: set[str] = set()
        self.nonlocals: set[str] = set()
        self.yields = False

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self.names.add(node.id)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> None:
        self.names.add(node.name)
        for part in node.decorator_list:
            self.visit(part)

    visit_AsyncFunctionDef = visit_FunctionDef
    visit_ClassDef = visit_FunctionDef

    def visit_Lambda(self, node: ast.Lambda) -> None:
        pass

    def visit_Global(self, node: ast.Global) -> None:
        self.globals.update(node.names)

    def visit_Nonlocal(self, node: ast.Nonlocal) -> None:
        self.nonlocals.update(node.names)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        if node.name:
            self.names.add(node.name)
        self.generic_visit(node)

    def visit_alias(self, node: ast.alias) -> None:
        self.names.add((node.asname or node.name).split(".")[0])

    def visit_Yield(self, node: ast.Yield) -> None:
        self.yields = True
        self.generic_visit(node)

    def visit_YieldFrom(self, node: ast.YieldFrom) -> None:
        self.yields = True
        self.generic_visit(node)

    def _comprehension(self, node: ast.AST) -> None:
        for walrus in (n for n in ast.walk(node) if isinstance(n, ast.NamedExpr)):
            self.visit(walrus.target)

    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def bound_names(body: Iterable[ast.AST]) -> _Bound:
    """Scan a body for the names that it binds, declares global, and whether it yields."""
    scan = _Bound()
    for node in body:
        scan.visit(node)
    return scan


def parameters(args: ast.arguments) -> list[str]:
    """All parameter names of a function, positional first."""
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    names = [a.arg for a in every]
    if args.vararg:
        names.append(args.vararg.arg)
    if args.kwarg:
        names.append(args.kwarg.arg)
    return names


class Interpreter:
    """Holds the heap and the global scope while statements are interpreted in order."""

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self.kb = knowledge
        self.heap = Heap()
        self.env: dict[str, Value] = {}
        self.strings: dict[str, str] = {}
        self.stars: list[str] = []
        self.notes = Notes()
        self.stack: list[ast.AST] = []
        self.loops = 0
        self.uncertain = 0
        """How many branches and loops the code stands in, which may not run."""
        self.current: tuple[ast.stmt, Frame | None] | None = None
        self.computed = False
        """A statement before this one did more than import."""
        self.inlined = 0
        self.sites: list[int] = []
        self.library_calls: dict[ast.Call, list[LibraryCall]] = {}
        self._references: dict[str, Value] = {}
        self._made: dict[tuple[int, int, str], int] = {}

    def forget(self) -> None:
        """Begin a new top-level statement."""
        self.notes = Notes()
        self.inlined = 0
        self._made.clear()

    # -- names -----------------------------------------------------------------------------------------------

    def reference(self, name: str) -> Value:
        """The object that stands for something imported or built in."""
        if name not in self._references:
            canonical = self.kb.canonical(name)
            known = self.kb.type(canonical)
            singular = known is not None and known.equal == "never"
            self._references[name] = frozenset({self.heap.new(Obj("reference", type=canonical, singular=singular))})
        return self._references[name]

    def fresh(self, type_name: str = "", holds: Iterable[int] = (), views: Iterable[int] = ()) -> Value:
        """A new object."""
        known = self.kb.type(type_name)
        if known is not None and not known.mutable:
            return NOTHING
        obj = Obj("value", type=type_name, holds=set(holds), views=set(views))
        if known is not None:
            obj.storable = known.storable
            obj.by_value = known.equal == "value"
        if not self.stack and not self.loops:
            return frozenset({self.heap.new(obj)})
        # Inside a function or loop, one object an expression and top-level statement: else they have no end.
        key = (id(self.notes), self.sites[-1] if self.sites else 0, type_name)
        if key not in self._made:
            self._made[key] = self.heap.new(obj)
        else:
            self.heap.hold(self._made[key], obj.holds)
            self.heap.view(self._made[key], obj.views)
        return frozenset({self._made[key]})

    def load(self, name: str, frame: Frame | None) -> Value:
        """The value of a name where it is read."""
        scope = frame
        first = True
        while scope is not None:
            if name in scope.global_names:
                break
            own = name in scope.names and name not in scope.nonlocal_names and (first or not scope.is_class)
            if own and (name in scope.values or not scope.is_class):
                return scope.values.get(name, NOTHING)
            first = False
            scope = scope.outer
        if name not in self.notes.sure:
            self.notes.reads.add(name)
        if name in self.env:
            return self.env[name]
        if name in DYNAMIC:
            self.notes.dynamic = f"{name}() is used"
        if name in BUILTINS:
            return self.reference("builtins." + name)
        if self.stars:
            return self.reference(f"{self.stars[-1]}.{name}")
        return NOTHING

    def store(self, name: str, value: Value, frame: Frame | None, *, weak: bool = False) -> None:
        """Bind a name; `weak` keeps what it was bound to as well."""
        scope = frame
        while scope is not None and name not in scope.global_names:
            if name in scope.names and name not in scope.nonlocal_names:
                scope.values[name] = scope.values.get(name, NOTHING) | value if weak else value
                if scope.cell is not None:
                    self.heap.hold(scope.cell, value)
                    if scope is not frame:
                        self.mutate({scope.cell})
                return
            scope = scope.outer
        if self.stack:
            weak = True
        self.notes.binds.add(name)
        self.strings.pop(name, None)
        if weak:
            self.env[name] = self.env.get(name, NOTHING) | value
        else:
            self.env[name] = value
            self.notes.sure.add(name)

    def mutate(self, value: Value | set[int], *, memory: bool = False, deep: bool = False) -> None:
        """Note that objects change in place."""
        targets = self.heap.reach(value) if deep else set(value)
        for number in targets:
            obj = self.heap[number]
            if obj.kind == "reference" or (obj.kind == "class" and number not in value):
                continue
            self.notes.mutated.add(number)
            if memory:
                self.notes.written.add(number)
            if obj.kind == "bound":
                self.mutate(obj.receiver, memory=memory)

    def set_module(self, value: Value) -> None:
        """Note that an attribute or item is set; of what is imported, this lasts as long as the process."""
        if value and all(self.heap[number].kind == "reference" for number in value):
            self.set_by(None)

    def set_by(self, call: ast.AST | None) -> None:
        """Note that the current statement, by this call or by itself, sets what lasts as long as the process."""
        assert self.current is not None
        node, frame = self.current
        alone = isinstance(node, ast.Assign | ast.AugAssign | ast.Delete) if call is None else (
            isinstance(node, ast.Expr) and node.value is call
        )
        again = alone and not self.uncertain and all(
            self.is_imported(part.id, frame) for part in ast.walk(node) if isinstance(part, ast.Name)
        )
        self.notes.set_by.append(node if again else None)

    def is_imported(self, name: str, frame: Frame | None) -> bool:
        """Whether a name is what an import bound it to, or a builtin, and nothing of a function."""
        while frame is not None:
            if name in frame.names:
                return False
            frame = frame.outer
        value = self.env.get(name)
        return name in BUILTINS if value is None else bool(value) and all(
            self.heap[number].kind == "reference" for number in value
        )

    # -- statements ------------------------------------------------------------------------------------------

    def run(self, body: Sequence[ast.stmt], frame: Frame | None) -> None:
        """Interpret statements in order."""
        for node in body:
            self.statement(node, frame)

    def statement(self, node: ast.stmt, frame: Frame | None) -> None:
        """Interpret one statement."""
        self.current = (node, frame)
        match node:
            case ast.Expr():
                self.eval(node.value, frame)
            case ast.Assign():
                value = self.eval(node.value, frame)
                for target in node.targets:
                    self.assign(target, value, frame, node.value)
                if frame is None and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    text = self.text_of(node.value)
                    if text is not None:
                        self.strings[node.targets[0].id] = text
            case ast.AnnAssign():
                if node.value is not None:
                    self.assign(node.target, self.eval(node.value, frame), frame, node.value)
            case ast.AugAssign():
                self.augmented(node, frame)
            case ast.For() | ast.AsyncFor():
                self.loop(node, frame)
            case ast.While():
                self.eval(node.test, frame)
                self.repeat(node.body, frame)
                self.run(node.orelse, frame)
            case ast.If():
                self.eval(node.test, frame)
                self.branches([node.body, node.orelse], frame)
            case ast.With() | ast.AsyncWith():
                before = list(self.notes.set_by)
                for item in node.items:
                    value = self.eval(item.context_expr, frame)
                    if item.optional_vars is not None:
                        self.assign(item.optional_vars, value, frame, None)
                self.run(node.body, frame)
                if any(self.restores(item.context_expr, frame) for item in node.items):
                    self.notes.set_by = before
            case ast.Try() | ast.TryStar():
                self.branches([[*node.body, *node.orelse], []], frame)
                for handler in node.handlers:
                    if handler.type is not None:
                        self.eval(handler.type, frame)
                    if handler.name:
                        self.branches([[ast.Pass()], []], frame)
                        caught = self.fresh()
                        for number in caught:
                            self.heap[number].storable = False  # pickling loses its cause and its traceback
                        self.store(handler.name, caught, frame, weak=True)
                    self.branches([handler.body, []], frame)
                self.run(node.finalbody, frame)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self.define(node, frame)
            case ast.ClassDef():
                self.define_class(node, frame)
            case ast.Return():
                value = self.eval(node.value, frame) if node.value else NOTHING
                if frame is not None:
                    frame.result |= value
            case ast.Delete():
                for target in node.targets:
                    self.delete(target, frame)
            case ast.Import() | ast.ImportFrom():
                self.do_import(node, frame)
            case ast.Assert():
                self.eval(node.test, frame)
                if node.msg is not None:
                    self.eval(node.msg, frame)
            case ast.Raise():
                for part in (node.exc, node.cause):
                    if part is not None:
                        self.eval(part, frame)
            case ast.Match():
                self.eval(node.subject, frame)
                subject = self.fresh(holds=self.eval(node.subject, frame))
                for match_case in node.cases:
                    for name in bound_pattern(match_case.pattern):
                        self.store(name, subject, frame, weak=True)
                self.branches([c.body for c in node.cases] + [[]], frame)
            case _:
                pass

    def restores(self, manager: ast.expr, frame: Frame | None) -> bool:
        """Whether a context manager sets back what its body sets."""
        named = self.eval(manager.func, frame) if isinstance(manager, ast.Call) else NOTHING
        facts = [self.kb.call(self.heap[o].type) for o in named if self.heap[o].kind == "reference"]
        return any(fact is not None and fact.restores for fact in facts)

    def branches(self, bodies: Sequence[Sequence[ast.stmt]], frame: Frame | None) -> None:
        """Interpret alternatives; afterwards every name may be what any of them made it."""
        before, sure = dict(self.env), set(self.notes.sure)
        local = dict(frame.values) if frame else {}
        after: list[tuple[dict[str, Value], set[str], dict[str, Value]]] = []
        self.uncertain += 1
        for body in bodies:
            self.env, self.notes.sure = dict(before), set(sure)
            if frame:
                frame.values = dict(local)
            self.run(body, frame)
            after.append((self.env, self.notes.sure, frame.values if frame else {}))
        self.uncertain -= 1
        self.env = _joined(env for env, _, _ in after)
        self.notes.sure = set.intersection(*(s for _, s, _ in after))
        if frame:
            frame.values = _joined(values for _, _, values in after)

    def loop(self, node: ast.For | ast.AsyncFor, frame: Frame | None) -> None:
        """A `for` loop."""
        items = self.items_of(self.eval(node.iter, frame))

        def bind() -> None:
            self.assign(node.target, items, frame, None)

        self.repeat(node.body, frame, bind)
        self.run(node.orelse, frame)

    def repeat(self, body: Sequence[ast.stmt], frame: Frame | None, bind: Callable[[], None] | None = None) -> None:
        """A loop's body runs none, one or more times: until another round teaches nothing."""
        sure = set(self.notes.sure)
        self.loops += 1
        self.uncertain += 1
        for _ in range(MAX_ROUNDS):
            env, local = dict(self.env), dict(frame.values) if frame else {}
            edges = self.heap.edges
            if bind is not None:
                bind()
            self.run(body, frame)
            self.env = _joined((env, self.env))
            if frame:
                frame.values = _joined((local, frame.values))
            if self.env == env and edges == self.heap.edges and (frame is None or frame.values == local):
                break
        self.loops -= 1
        self.uncertain -= 1
        self.notes.sure = sure

    def items_of(self, value: Value) -> Value:
        """What iterating over a value may give."""
        items: set[int] = set()
        for number in value:
            obj = self.heap[number]
            if obj.kind == "reference":
                continue
            items |= obj.holds
            known = self.kb.type(obj.type)
            if obj.type in ("builtins.list", "builtins.tuple", "builtins.dict", "builtins.set"):
                continue
            if known is not None and not known.storable:
                self.notes.mutated.add(number)
            if obj.type not in ("pandas.DataFrame", "pandas.Index"):
                items |= self.fresh(known.item if known else "", holds=obj.holds, views={number})
        return frozenset(items)

    def assign(self, target: ast.expr, value: Value, frame: Frame | None, source: ast.expr | None) -> None:
        """Bind a target."""
        match target:
            case ast.Name():
                self.store(target.id, value, frame)
            case ast.Tuple() | ast.List():
                if isinstance(source, ast.Tuple | ast.List) and len(source.elts) == len(target.elts):
                    values = [self.eval(e, frame) for e in source.elts]
                    for part, part_value in zip(target.elts, values, strict=True):
                        self.assign(part, part_value, frame, None)
                    return
                items = self.items_of(value)
                for part in target.elts:
                    self.assign(part, items, frame, None)
            case ast.Starred():
                self.assign(target.value, self.fresh("builtins.list", holds=value), frame, None)
            case ast.Attribute():
                base = self.eval(target.value, frame, place=True)
                self.set_module(base)
                self.mutate(base)
                self.hold(base, value)
            case ast.Subscript():
                base = self.eval(target.value, frame, place=True)
                self.set_module(base)
                self.eval(target.slice, frame)
                for number in base:
                    known = self.kb.type(self.heap[number].type)
                    plain = isinstance(target.value, ast.Name) and known is not None and known.setitem == "mutates"
                    self.mutate({number}, memory=not plain)
                self.hold(base, value)
            case _:
                pass

    def hold(self, base: Value, value: Value) -> None:
        """The objects of `base` now keep references to `value`."""
        for number in base:
            obj = self.heap[number]
            if obj.kind != "reference" and obj.type not in ("pandas.DataFrame", "pandas.Series", "numpy.ndarray"):
                self.heap.hold(number, value)

    def augmented(self, node: ast.AugAssign, frame: Frame | None) -> None:
        """`x += y` reads x, may change its object in place, and binds x."""
        value = self.eval(node.value, frame)
        if isinstance(node.target, ast.Name):
            old = self.load(node.target.id, frame)
            self.mutate(old, memory=True)
            for number in old:
                self.heap.hold(number, value)
            self.store(node.target.id, old or self.arithmetic(old, value), frame)
        else:
            loaded = ast.copy_location(_as_load(node.target), node.target)
            self.mutate(self.eval(loaded, frame), memory=True)
            self.assign(node.target, value, frame, None)

    def delete(self, target: ast.expr, frame: Frame | None) -> None:
        """`del` of a name unbinds it; of an item or attribute, changes the object."""
        match target:
            case ast.Name():
                if frame is None or target.id not in frame.names:
                    self.notes.deletes.add(target.id)
                    self.env.pop(target.id, None)
                    self.notes.sure.discard(target.id)
                else:
                    frame.values.pop(target.id, None)
            case ast.Tuple() | ast.List():
                for part in target.elts:
                    self.delete(part, frame)
            case ast.Subscript() | ast.Attribute():
                base = self.eval(target.value, frame, place=True)
                self.set_module(base)
                self.mutate(base)
                if isinstance(target, ast.Subscript):
                    self.eval(target.slice, frame)
            case _:
                pass

    def do_import(self, node: ast.Import | ast.ImportFrom, frame: Frame | None) -> None:
        """Imported names refer to what the import names."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                bound = alias.asname or alias.name.split(".")[0]
                self.store(bound, self.reference(alias.name if alias.asname else bound), frame)
            return
        module = "." * node.level + (node.module or "")
        for alias in node.names:
            if alias.name == "*":
                if self.stars and self.computed:
                    self.notes.lasting = "a star import may bind any name again"
                self.stars.append(module)
            else:
                self.store(alias.asname or alias.name, self.reference(f"{module}.{alias.name}"), frame)

    # -- definitions -----------------------------------------------------------------------------------------

    def define(self, node: ast.FunctionDef | ast.AsyncFunctionDef, frame: Frame | None) -> None:
        """A function: defaults and decorators are read now, the body when it is called."""
        self.store(node.name, self.function(node, frame), frame)

    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, frame: Frame | None) -> Value:
        """The object of a function or lambda, holding its defaults."""
        held: set[int] = set()
        for default in (*node.args.defaults, *node.args.kw_defaults):
            if default is not None:
                held |= self.eval(default, frame)
        scope = frame
        while scope is not None:
            if scope.cell is not None:
                held.add(scope.cell)
            scope = scope.outer
        number = self.heap.new(Obj("function", type="function", holds=held, node=node, frame=frame))
        value: Value = frozenset({number})
        for decorator in getattr(node, "decorator_list", ()):
            applied = self.eval(decorator, frame)
            if self.declares(decorator, frame):
                continue
            self.notes.undeclared = True
            for called in applied:
                if self.heap[called].kind in ("function", "class"):
                    value |= self.call_object(called, [value], {}, decorator)
                elif self.heap[called].kind != "reference":
                    self.mutate({called}, deep=True)
                if self.heap[called].kind not in ("function", "class"):
                    self.heap[number].storable = False  # what was made may keep a state of its own, as a cache does
        return value

    def declares(self, decorator: ast.expr, frame: Frame | None) -> bool:
        """Whether a decorator says what something is, and keeps no state."""
        named = self.eval(decorator.func if isinstance(decorator, ast.Call) else decorator, frame)
        facts = [self.kb.call(self.heap[o].type) if self.heap[o].kind == "reference" else None for o in named]
        return bool(facts) and all(fact is not None and fact.declares for fact in facts)

    def define_class(self, node: ast.ClassDef, frame: Frame | None) -> None:
        """A class: its body runs now."""
        methods: dict[str, int] = {}
        held: set[int] = set()
        for base in node.bases:
            for number in self.eval(base, frame):
                held.add(number)
                methods.update(self.heap[number].methods)
        for keyword in node.keywords:
            held |= self.eval(keyword.value, frame)
        for decorator in node.decorator_list:
            self.eval(decorator, frame)
            self.notes.undeclared |= not self.declares(decorator, frame)
        scan = bound_names(node.body)
        inner = Frame(names=set(scan.names), outer=frame, is_class=True)
        self.run(node.body, inner)
        for name, value in inner.values.items():
            for number in value:
                if self.heap[number].kind == "function":
                    methods[name] = number
                    held |= self.heap[number].holds
                else:
                    held.add(number)
        number = self.heap.new(Obj("class", type=node.name, holds=held, node=node, methods=methods))
        self.store(node.name, frozenset({number}), frame)

    # -- calls -----------------------------------------------------------------------------------------------

    def call_object(
        self, number: int, args: Sequence[Value], keywords: dict[str, Value], node: ast.AST
    ) -> Value:
        """Call one object with values."""
        obj = self.heap[number]
        everything = frozenset().union(*args, *keywords.values()) if args or keywords else NOTHING
        match obj.kind:
            case "function":
                return self.inline(number, args, keywords)
            case "bound":
                return self.inline(next(iter(obj.holds)), [obj.receiver, *args], keywords)
            case "class":
                self.notes.calls.add(obj.type)
                instance = self.fresh(obj.type)
                for made in instance:
                    self.heap[made].cls = number
                    self.heap.hold(made, {number})
                if "__init__" in obj.methods:
                    self.inline(obj.methods["__init__"], [instance, *args], keywords)
                else:
                    self.hold(instance, everything)
                return instance
            case "reference" if obj.type == "builtins.type" and len(args) == 1:
                classes = {self.heap[o].cls for o in everything}
                return frozenset(c for c in classes if c is not None) | self.fresh(holds=everything)
            case "reference":
                return self.library(self.kb.call(obj.type), obj.type, NOTHING, args, keywords, node)
            case _ if obj.method and isinstance(node, ast.Call):
                found: Value = NOTHING
                self.heap.hold(number, obj.receiver)  # only now is it known to be a method
                for receiver in obj.receiver:
                    found |= self.method(receiver, obj.method, args, keywords, node, frozenset({receiver}))
                return found
            case _:
                if obj.cls is not None and "__call__" in self.heap[obj.cls].methods:
                    return self.inline(self.heap[obj.cls].methods["__call__"], [frozenset({number}), *args], keywords)
                fact = self.kb.method(obj.type, "__call__") if obj.type else None
                return self.library(fact, "", frozenset({number}), args, keywords, node)

    def inline(self, number: int, args: Sequence[Value], keywords: dict[str, Value]) -> Value:
        """Interpret the body of one of the notebook's functions with these arguments."""
        self.notes.returned.append("")
        obj = self.heap[number]
        node = obj.node
        assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        everything = frozenset(obj.holds).union(*args, *keywords.values())
        if node in self.stack or len(self.stack) >= MAX_DEPTH or self.inlined > MAX_INLINED:
            self.mutate(everything, deep=True, memory=True)
            return self.fresh(holds=everything) | everything
        self.inlined += 1
        if not obj.storable:
            self.mutate({number})
        body: Sequence[ast.stmt] = (
            [ast.Return(value=node.body)] if isinstance(node, ast.Lambda) else node.body
        )
        names = parameters(node.args)
        scan = bound_names(body)
        outer = obj.frame if isinstance(obj.frame, Frame) else None
        frame = Frame(names=(scan.names | set(names)) - scan.globals, outer=outer, global_names=scan.globals)
        frame.nonlocal_names = scan.nonlocals
        positional = [a.arg for a in (*node.args.posonlyargs, *node.args.args)]
        rest: Value = frozenset(obj.holds)
        for name in names:
            frame.values[name] = rest
        for place, value in enumerate(args):
            if place < len(positional):
                frame.values[positional[place]] = value
            elif node.args.vararg:
                packed = self.fresh("builtins.tuple", holds=value)
                frame.values[node.args.vararg.arg] = frame.values.get(node.args.vararg.arg, NOTHING) | packed
        for keyword, value in keywords.items():
            if keyword in names:
                frame.values[keyword] = value
            elif node.args.kwarg:
                packed = self.fresh("builtins.dict", holds=value)
                frame.values[node.args.kwarg.arg] = frame.values.get(node.args.kwarg.arg, NOTHING) | packed
            elif not keyword:
                for name in names:
                    frame.values[name] = frame.values.get(name, NOTHING) | self.heap.held(value)
        if any(isinstance(part, _SCOPES) for statement in body for part in ast.walk(statement)):
            (frame.cell,) = self.fresh("cell")
            for value in frame.values.values():
                self.heap.hold(frame.cell, value)
        self.stack.append(node)
        self.run(body, frame)
        self.stack.pop()
        self.notes.returned[:] = [""]  # what the function returns is not what its last call returned
        if scan.yields:
            generator = self.fresh("builtins.generator", holds=frame.result | everything)
            for made in generator:
                self.heap[made].storable = False
            return generator
        return frame.result

    def call(self, node: ast.Call, frame: Frame | None) -> Value:
        """A call expression."""
        args: list[Value] = []
        for arg in node.args:
            value = self.eval(arg, frame)
            args.append(self.items_of(value) | value if isinstance(arg, ast.Starred) else value)
        keywords: dict[str, Value] = {}
        for keyword in node.keywords:
            keywords[keyword.arg or ""] = self.eval(keyword.value, frame)
        result: Value = NOTHING
        returned = self.notes.returned
        if isinstance(node.func, ast.Attribute):
            receiver = self.eval(node.func.value, frame, place=True)
            if not receiver:
                self.strings_in(node, "")
                self.notes.nothing = False
                return self.method_on_immutable(node, args)
            groups = self.alike(receiver)
            returned.clear()
            for number, alike in groups:
                result |= self.method(number, node.func.attr, args, keywords, node, alike)
            self.notes.nothing = returned == [NONE] * len(groups)
            return result
        called = self.eval(node.func, frame)
        returned.clear()
        for number in called:
            result |= self.call_object(number, args, keywords, node)
        self.notes.nothing = bool(called) and returned == [NONE] * len(called)
        return result

    def alike(self, value: Value) -> list[tuple[int, Value]]:
        """Objects for which a method does the same: each for itself, of very many plain ones those of one type."""
        if len(value) <= MANY:
            return [(number, frozenset({number})) for number in value]
        groups: dict[str | int, set[int]] = {}
        for number in value:
            obj = self.heap[number]
            groups.setdefault(obj.type if obj.kind == "value" and obj.cls is None else number, set()).add(number)
        return [(min(numbers), frozenset(numbers)) for numbers in groups.values()]

    def method_on_immutable(self, node: ast.Call, args: Sequence[Value]) -> Value:
        """A method of a string or number; `str.format` and its like keep nothing."""
        assert isinstance(node.func, ast.Attribute)
        if node.func.attr in ("split", "splitlines", "rsplit", "partition"):
            return self.fresh("builtins.list")
        return NOTHING

    def method(
        self, number: int, name: str, args: Sequence[Value], keywords: dict[str, Value], node: ast.Call, alike: Value
    ) -> Value:
        """A method call on one object (for all those `alike`), or a function of a module."""
        obj = self.heap[number]
        if obj.kind == "reference":
            qualified = self.kb.canonical(f"{obj.type}.{name}")
            fact = self.kb.call(qualified)
            if fact is None:
                fact = self.kb.method(obj.type, name)
            return self.library(fact, qualified, NOTHING, args, keywords, node)
        cls = number if obj.kind == "class" else obj.cls
        if cls is not None and name in self.heap[cls].methods:
            function = self.heap[self.heap[cls].methods[name]]
            decorators = {d.id for d in getattr(function.node, "decorator_list", ()) if isinstance(d, ast.Name)}
            self.notes.calls.add(self.heap[cls].type)
            bound = args if obj.kind == "class" or "staticmethod" in decorators else [frozenset({number}), *args]
            if "classmethod" in decorators:
                bound = [frozenset({cls}), *args]
            return self.inline(self.heap[cls].methods[name], bound, keywords)
        fact = self.kb.method(obj.type, name) if obj.type else None
        if fact is None:
            fact = self.kb.unresolved_method(name)
        called = self.library(fact, f"?.{name}", alike, args, keywords, node)
        for held in self.heap.held(alike):
            if self.heap[held].kind == "function" and fact is None:
                called |= self.inline(held, [], {})
        return called

    def library(
        self,
        fact: Call | None,
        name: str,
        receiver: Value,
        args: Sequence[Value],
        keywords: dict[str, Value],
        node: ast.AST,
    ) -> Value:
        """Apply what is known of a call."""
        everything: Value = receiver.union(*args, *keywords.values())
        if isinstance(node, ast.Call):
            seen = self.library_calls.setdefault(node, [])
            if all(known is not fact for _, known in seen):
                seen.append((name, fact))
        self.notes.undeclared |= fact is None or not fact.declares
        self.strings_in(node, name)
        short = name.removeprefix("builtins.")
        if short in DYNAMIC:
            self.notes.dynamic = f"{short}() is used"
        if fact is None and name.startswith("builtins.") and short in IMMUTABLE_BUILTINS:
            fact = Call(relation="scalar")
        if fact is None:
            self.notes.returned.append("")
            if everything or receiver:
                self.notes.unknown = True
            self.mutate(everything, deep=True)
            self.notes.draws.add("?")
            self.call_back(everything)
            return self.fresh(holds=everything)

        def named(parameter: str) -> Value:
            if parameter == "self":
                return receiver
            if parameter == "*":
                return everything
            found: Value = NOTHING
            for part in parameter.split("|"):
                if part.isdigit():
                    found |= args[int(part)] if int(part) < len(args) else NOTHING
                else:
                    found |= keywords.get(part, NOTHING)
            return found

        deep = not name.startswith("builtins.")
        for parameter in fact.mutates:
            target = named(parameter)
            types = {self.heap[o].type for o in target}
            self.mutate(target, deep=deep and not types <= {"builtins.list", "builtins.dict", "builtins.set"})
            if parameter == "self" and not fact.plots:  # what is drawn is kept, but never changed by drawing
                self.hold(receiver, everything - receiver)
        for parameter in fact.asks:
            self.notes.asked |= named(parameter)
        if fact.searches:
            self.search(everything)
        for parameter in fact.writes:
            self.mutate(named(parameter), memory=True)
        call = node if isinstance(node, ast.Call) else None
        if fact.inplace and call is not None:
            given = _keyword(call, fact.inplace)
            if given is not None and not (isinstance(given, ast.Constant) and given.value is False):
                self.mutate(receiver, memory=fact.relation == "view")
        if fact.draws:
            given = _keyword(call, fact.draws_unless) if call is not None and fact.draws_unless else None
            if given is None or (isinstance(given, ast.Constant) and given.value is None):
                self.notes.draws.add(fact.draws)
        for value in everything:
            if self.heap[value].type in ("numpy.random.Generator", "numpy.random.RandomState"):
                self.mutate({value})
        if fact.seeds:
            self.notes.seeds.add(fact.seeds)
        if call is not None:
            self.files(fact, call)
        for parameter in fact.calls:
            self.call_back(named(parameter))
        self.notes.prints |= fact.prints
        self.notes.plots |= fact.plots
        none = fact.none_with and call is not None and _argument(call, fact.none_with) is not None
        self.notes.returned.append(NONE if none else fact.returns)
        if fact.setting:
            self.set_by(node)
        if fact.stage:
            self.notes.labels.append(fact.stage)
        subject = frozenset().union(*(named(p) for p in fact.of)) if fact.of else everything
        if fact.ambient:
            return self.reference(fact.returns or f"{name}()")
        match fact.relation:
            case "scalar" if fact.returns == "builtins.float" and self._is_nan(call):
                return frozenset({self.heap.new(Obj("value", type=fact.returns, singular=True))})
            case "scalar":
                return NOTHING
            case "same":
                return subject
            case "view":
                return self.fresh(fact.returns, holds=self.heap.held(subject), views=subject)
            case "holds":
                return self.fresh(fact.returns, holds=subject)
            case "unknown":
                return self.fresh(fact.returns, holds=subject, views=subject)
            case _:
                functions = {o for o in subject if self.heap[o].kind in ("function", "class")}
                return self.fresh(fact.returns, holds=functions if not fact.calls else ())

    def _is_nan(self, call: ast.Call | None) -> bool:
        text = self.text_of(call.args[0]) if call is not None and call.args else None
        return text is not None and text.strip().lstrip("+-").lower() == "nan"

    def call_back(self, value: Value) -> None:
        """Functions of the notebook among these may be called, with what nobody knows."""
        if len(self.stack) >= MAX_DEPTH or self.inlined > MAX_INLINED:
            self.call_back_unseen(value)
            return
        for number in value:
            obj = self.heap[number]
            if obj.kind in ("function", "bound") and obj.node is not None:
                node = obj.node
                assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                count = len(node.args.posonlyargs) + len(node.args.args)
                self.inline(number, [self.fresh() for _ in range(count)], {})
            elif obj.method and self.is_mutator(obj):
                self.heap.hold(number, obj.receiver)
                self.mutate(obj.receiver, memory=True)
            elif obj.kind == "class":
                for method in obj.methods.values():
                    self.call_back(frozenset({method}))
            elif obj.cls is not None:
                for method in self.heap[obj.cls].methods.values():
                    self.inline(method, [frozenset({number})], {})

    def call_back_unseen(self, value: Value) -> None:
        """As `call_back`, where no body is interpreted any more: all that the functions hold may change."""
        targets: set[int] = set()
        for number in value:
            obj = self.heap[number]
            methods = obj.methods if obj.kind == "class" else self.heap[obj.cls].methods if obj.cls is not None else {}
            targets.update(*(self.heap[method].holds for method in methods.values()))
            if obj.kind == "function":
                targets |= obj.holds
            elif obj.kind == "bound" or (methods and obj.kind != "class"):
                targets.add(number)
        self.mutate(targets, deep=True, memory=True)

    def is_mutator(self, obj: Obj) -> bool:
        """Whether what was read as an attribute is a method that is known to change its object."""
        types = {self.heap[receiver].type for receiver in obj.receiver}
        facts = [self.kb.method(type_name, obj.method) for type_name in types if type_name]
        return any(fact is not None and bool(fact.mutates or fact.writes) for fact in facts)

    def strings_in(self, node: ast.AST, name: str) -> None:
        """Names in strings are reads: `df.query("@t")`, formulas, `eval`."""
        if not isinstance(node, ast.Call):
            return
        if name in ("builtins.eval", "builtins.exec"):
            text = self.text_of(node.args[0]) if node.args else None
            try:
                tree = ast.parse(text) if text is not None else None
            except SyntaxError:
                tree = None
            if tree is None or name == "builtins.exec":
                self.notes.dynamic = f"{name.removeprefix('builtins.')}() of a computed string"
                return
            for part in ast.walk(tree):
                if isinstance(part, ast.Name):
                    self.notes.named.add(part.id)
                    self.load(part.id, None)
            return
        for arg in (*node.args, *(k.value for k in node.keywords)):
            text = self.text_of(arg)
            if text is not None and len(text) < 2000 and ("@" in text or "~" in text):
                for word in re.findall(r"[^\W\d]\w*", text):
                    if word in self.env:
                        self.notes.named.add(word)
                        self.load(word, None)

    def files(self, fact: Call, node: ast.Call) -> None:
        """Note the files that a call reads or writes."""
        for parameters_, writes in ((fact.reads_file, False), (fact.writes_file, True)):
            for parameter in parameters_:
                argument = _argument(node, parameter)
                if argument is None:
                    continue
                is_writing = writes
                if fact.mode:
                    given = _argument(node, fact.mode)
                    mode = self.text_of(given) if given is not None else "r"
                    is_writing = mode is None or any(c in mode for c in "wax+")
                path = self.text_of(argument)
                if path is None and not isinstance(argument, ast.Constant | ast.JoinedStr | ast.BinOp | ast.Name):
                    path = None
                if path is not None and "://" in path:
                    continue
                self.notes.files.append(FileUse(path, is_writing, node.lineno, argument))
                if fact.mode and mode is not None and "a" in mode:
                    self.notes.files.append(FileUse(path, False, node.lineno))

    def text_of(self, node: ast.expr) -> str | None:
        """The string that an expression is, where that can be known."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name():
                return self.strings.get(node.id)
            case ast.BinOp(op=ast.Add() | ast.Div()):
                left, right = self.text_of(node.left), self.text_of(node.right)
                if left is None or right is None:
                    return None
                return left + ("/" if isinstance(node.op, ast.Div) else "") + right
            case ast.JoinedStr():
                parts: list[str] = []
                for part in node.values:
                    inner = part.value if isinstance(part, ast.FormattedValue) else part
                    text_part = self.text_of(inner)
                    if text_part is None:
                        return None
                    parts.append(text_part)
                return "".join(parts)
            case ast.Call(func=ast.Attribute(attr="join")) | ast.Call(func=ast.Name(id="Path")):
                pieces = [self.text_of(a) for a in node.args]
                if not pieces or None in pieces:
                    return None
                return "/".join(p.rstrip("/") for p in pieces if p)
            case _:
                return None

    # -- expressions -----------------------------------------------------------------------------------------

    def eval(self, node: ast.expr, frame: Frame | None, *, place: bool = False) -> Value:
        """The objects that an expression may be. `place`: an attribute of an object stands for the object."""
        self.sites.append(id(node))
        value = self._eval(node, frame, place)
        self.sites.pop()
        return value

    def _eval(self, node: ast.expr, frame: Frame | None, place: bool) -> Value:
        match node:
            case ast.Constant():
                return NOTHING
            case ast.Name():
                return self.load(node.id, frame)
            case ast.Attribute():
                return self.attribute(node, frame, place)
            case ast.Call():
                return self.call(node, frame)
            case ast.Subscript():
                base = self.eval(node.value, frame, place=place)
                self.eval(node.slice, frame)
                return self.item(base, place)
            case ast.Tuple() | ast.List() | ast.Set():
                held: Value = frozenset().union(*(self.eval(e, frame) for e in node.elts)) if node.elts else NOTHING
                if isinstance(node, ast.Tuple):
                    return self.fresh("builtins.tuple", holds=held) if held else NOTHING
                return self.fresh("builtins.list" if isinstance(node, ast.List) else "builtins.set", holds=held)
            case ast.Dict():
                held = frozenset().union(
                    *(self.eval(e, frame) for e in (*node.keys, *node.values) if e is not None)
                )
                return self.fresh("builtins.dict", holds=held)
            case ast.BinOp():
                return self.arithmetic(self.eval(node.left, frame), self.eval(node.right, frame))
            case ast.Compare():
                operands = [node.left, *node.comparators]
                values = [self.eval(operand, frame) for operand in operands]
                if any(isinstance(op, ast.Is | ast.IsNot) for op in node.ops):
                    self.ask(operands, values)
                self.search(frozenset().union(*values))
                if all(isinstance(op, ast.In | ast.NotIn | ast.Is | ast.IsNot) for op in node.ops):
                    return NOTHING
                return self.arithmetic(values[0], frozenset().union(*values[1:]))
            case ast.UnaryOp():
                return self.arithmetic(self.eval(node.operand, frame), NOTHING)
            case ast.BoolOp():
                return frozenset().union(*(self.eval(v, frame) for v in node.values))
            case ast.IfExp():
                self.eval(node.test, frame)
                return self.eval(node.body, frame) | self.eval(node.orelse, frame)
            case ast.Lambda():
                return self.function(node, frame)
            case ast.NamedExpr():
                value = self.eval(node.value, frame)
                self.store(node.target.id, value, frame, weak=True)
                return value
            case ast.ListComp() | ast.SetComp() | ast.GeneratorExp() | ast.DictComp():
                return self.comprehension(node, frame)
            case ast.JoinedStr() | ast.FormattedValue():
                for part in ast.iter_child_nodes(node):
                    if isinstance(part, ast.expr):
                        self.eval(part, frame)
                return NOTHING
            case ast.Starred() | ast.Await():
                return self.eval(node.value, frame)
            case ast.Yield() | ast.YieldFrom():
                value = self.eval(node.value, frame) if node.value else NOTHING
                if frame is not None:
                    frame.result |= value
                return self.fresh()
            case ast.Slice():
                for bound in (node.lower, node.upper, node.step):
                    if bound is not None:
                        self.eval(bound, frame)
                return NOTHING
            case _:
                return NOTHING

    def ask(self, operands: Sequence[ast.expr], values: Sequence[Value]) -> None:
        """Note that it is asked whether these are one object; whether they are `None` is no question of identity."""
        if any(isinstance(operand, ast.Constant) for operand in operands):
            return
        if any(value and all(self.heap[o].kind == "reference" for o in value) for value in values):
            return
        for operand, value in zip(operands, values, strict=True):
            self.notes.asked |= value
            if not value:
                self.notes.asked_names |= {n for n in self.notes.reads if not self.env.get(n)}
                self.notes.asked_names |= {n.id for n in ast.walk(operand) if isinstance(n, ast.Name)}

    def search(self, value: Value) -> None:
        """Note that what is equal to nothing may be found among these, by its identity."""
        self.notes.asked |= {o for o in self.heap.reach(value) if self.heap[o].singular}

    def arithmetic(self, left: Value, right: Value) -> Value:
        """An operator's result: new, of the operands' type, holding what containers held."""
        both = left | right
        if not both:
            return NOTHING
        types = {self.heap[o].type for o in both if self.heap[o].kind == "value"}
        for candidate in ("pandas.DataFrame", "pandas.Series", "numpy.ndarray", "builtins.list"):
            if candidate in types:
                return self.fresh(candidate, holds=self.heap.held(both))
        return self.fresh(holds=self.heap.held(both))

    def attribute(self, node: ast.Attribute, frame: Frame | None, place: bool) -> Value:
        """An attribute read."""
        base = self.eval(node.value, frame, place=place)
        found: Value = NOTHING
        for number in base:
            obj = self.heap[number]
            if obj.kind == "reference":
                found |= self.reference(f"{obj.type}.{node.attr}")
                continue
            cls = number if obj.kind == "class" else obj.cls
            if cls is not None and node.attr in self.heap[cls].methods:
                method = self.heap[cls].methods[node.attr]
                listed = getattr(self.heap[method].node, "decorator_list", ())
                decorated = {d.id for d in listed if isinstance(d, ast.Name)}
                if "property" in decorated:
                    found |= self.inline(method, [frozenset({number})], {})
                else:
                    bound = Obj("bound", holds={method}, receiver=frozenset({number}), node=self.heap[method].node)
                    found |= {self.heap.new(bound)}
                continue
            holds = obj.holds
            if obj.cls is not None and node.attr != "__class__":  # not its class, but what that has
                holds = holds - {obj.cls} | self.heap[obj.cls].holds
            if place:
                found |= {number} | holds
                continue
            fact = self.kb.call(f"{obj.type}.{node.attr}") if obj.type else None
            known = self.kb.type(obj.type)
            relation = known.attributes if known else "unknown"
            if fact is not None and fact.returns and fact.relation in ("scalar", "view", "fresh"):
                relation = fact.relation
            if relation in ("scalar", "fresh"):
                continue
            if relation == "same":
                found |= {number} | holds
            else:
                made = self.fresh(fact.returns if fact else "", holds=holds, views={number})
                found |= holds | made
                for new in made:
                    self.heap[new].receiver, self.heap[new].method = frozenset({number}), node.attr
        return found

    def item(self, base: Value, place: bool) -> Value:
        """`x[...]` of the objects of `base`."""
        found: Value = NOTHING
        for number in base:
            obj = self.heap[number]
            if obj.kind == "reference":
                found |= {number}
                continue
            if place:
                found |= {number} | obj.holds
                continue
            known = self.kb.type(obj.type)
            relation = known.getitem if known else "unknown"
            match relation:
                case "scalar":
                    pass
                case "fresh":
                    found |= self.fresh(known.item if known else "")
                case "holds" | "same":
                    found |= obj.holds
                    if not obj.holds and obj.type not in ("builtins.list", "builtins.dict", "builtins.tuple"):
                        found |= {number}
                case "view":
                    found |= self.fresh(known.item if known else "", holds=obj.holds, views={number})
                case _:
                    found |= obj.holds | self.fresh(holds=obj.holds, views={number})
        return found

    def comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, frame: Frame | None
    ) -> Value:
        """A comprehension: its targets are its own."""
        names: set[str] = set()
        for generator in node.generators:
            names |= bound_names([generator.target]).names
        inner = Frame(names=names, outer=frame)
        for generator in node.generators:
            items = self.items_of(self.eval(generator.iter, inner))
            self.assign(generator.target, items, inner, None)
            for test in generator.ifs:
                self.eval(test, inner)
        if isinstance(node, ast.DictComp):
            held = self.eval(node.key, inner) | self.eval(node.value, inner)
            return self.fresh("builtins.dict", holds=held)
        held = self.eval(node.elt, inner)
        match node:
            case ast.ListComp():
                return self.fresh("builtins.list", holds=held)
            case ast.SetComp():
                return self.fresh("builtins.set", holds=held)
            case _:
                made = self.fresh("builtins.generator", holds=held)
                for number in made:
                    self.heap[number].storable = False
                return made


def _joined(scopes: Iterable[dict[str, Value]]) -> dict[str, Value]:
    """Every name with what it may be in any of the scopes."""
    merged: dict[str, Value] = {}
    for scope in scopes:
        for name, value in scope.items():
            merged[name] = merged.get(name, NOTHING) | value
    return merged


def bound_pattern(pattern: ast.pattern) -> set[str]:
    """The names that a `match` pattern captures."""
    names: set[str] = set()
    for part in ast.walk(pattern):
        for attribute in ("name", "rest"):
            name = getattr(part, attribute, None)
            if isinstance(name, str):
                names.add(name)
    return names


def _as_load(node: ast.expr) -> ast.expr:
    match node:
        case ast.Attribute():
            return ast.Attribute(value=node.value, attr=node.attr, ctx=ast.Load())
        case ast.Subscript():
            return ast.Subscript(value=node.value, slice=node.slice, ctx=ast.Load())
        case _:
            return node


def _keyword(node: ast.Call, name: str) -> ast.expr | None:
    return next((k.value for k in node.keywords if k.arg == name), None)


def _argument(node: ast.Call, parameter: str) -> ast.expr | None:
    for part in parameter.split("|"):
        if part.isdigit():
            if int(part) < len(node.args):
                return node.args[int(part)]
        else:
            found = _keyword(node, part)
            if found is not None:
                return found
    return None
