"""What the interpreter has seen so far: the heap, the names, and what the current statement does.

What goes in here: reading and binding names, making objects, noting changes. What does not: the meaning of any syntax.
"""

from __future__ import annotations

import ast
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from nb2pkg.analyse.heap import NOTHING, Heap, Obj, Value
from nb2pkg.analyse.own_modules import OwnModules
from nb2pkg.analyse.program import FileUse
from nb2pkg.analyse.scopes import BUILTINS, Frame
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.knowledge.facts import Call

LibraryCall = tuple[str, Call | None]
"""A call's qualified name (`?.method` for a method), and what is known of it."""
CODE = ("module", "class", "function")
"""The kinds of objects that are made by code as it stands."""
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
    unseeded: set[str] = field(default_factory=set)
    seeds: set[str] = field(default_factory=set)
    files: list[FileUse] = field(default_factory=list)
    downloads: list[FileUse] = field(default_factory=list)
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
    edges: int = -1
    """How many edges the heap had when `changed_deep` was begun."""
    changed_deep: tuple[set[int], set[int]] = field(default_factory=lambda: (set(), set()))
    """What was changed with all that it reaches: objects, and memory too."""


class State(ABC):
    """Holds the heap and the global scope while statements are interpreted in order."""

    def __init__(self, knowledge: KnowledgeBase, modules: OwnModules) -> None:
        self.kb = knowledge
        self.modules = modules
        self.loaded: dict[str, int] = {}
        """The objects of those that were imported."""
        self.loud: set[str] = set()
        """Those that print or plot when they are imported."""
        self.kept: dict[str, set[int]] = {}
        """The objects that each of them holds, and all that is in these, once it was imported."""
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
        self.scope: Frame | None = None
        """The innermost scope of the code that is interpreted."""
        self.site: ast.Call | None = None
        """The call whose function is about to be interpreted."""
        self.computed = False
        """A statement before this one did more than import."""
        self.inlined = 0
        self.sites: list[int] = []
        """The ids of the expressions that are evaluated, of which each has to live as long as this does."""
        self.loads: dict[ast.expr, ast.expr] = {}
        """For what an augmented assignment changes: the expression that reads it."""
        self.resolved_calls: dict[ast.Call, list[LibraryCall]] = {}
        self._references: dict[str, Value] = {}
        self._made: dict[tuple[int, int, str], int] = {}

    def forget(self) -> None:
        """Begin a new top-level statement."""
        self.notes = Notes()
        self.inlined = 0
        self._made.clear()

    # -- what the parts of the interpreter need of each other -------------------------------------------------

    @abstractmethod
    def run(self, body: Sequence[ast.stmt], frame: Frame | None) -> None:
        """Interpret statements in order."""

    @abstractmethod
    def eval(self, node: ast.expr, frame: Frame | None, *, place: bool = False) -> Value:
        """The objects that an expression may be; with `place`, it is assigned to, not read."""

    @abstractmethod
    def call(self, node: ast.Call, frame: Frame | None) -> Value:
        """A call in the text."""

    @abstractmethod
    def function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, frame: Frame | None) -> Value:
        """The object of a definition."""

    @abstractmethod
    def assign(self, target: ast.expr, value: Value, frame: Frame | None, source: ast.expr | None) -> None:
        """Bind a target."""

    @abstractmethod
    def load_module(self, name: str) -> int:
        """The object of a module of the notebook's own, which runs when it is imported first."""

    # -- names -----------------------------------------------------------------------------------------------

    def imported(self, name: str) -> Value:
        """What a full name refers to: a module of the notebook's own, something in one, or what a library has."""
        parent, _, last = name.rpartition(".")
        outside = self.modules.find(parent)
        if outside:
            module = self.load_module(outside)
            if any(last in scope.values for scope in self.scopes_of({module})):
                return self.member(module, last)
        own = self.modules.find(name)
        if own:
            return frozenset({self.load_module(own)})
        return self.member(module, last) if outside else self.reference(name)

    def member(self, module: int, name: str) -> Value:
        """A name of a module of the notebook's own."""
        for scope in self.scopes_of({module}):
            if name in scope.names:
                return scope.values.get(name, NOTHING)
        return self.reference(f"{self.heap[module].type}.{name}")

    def scopes_of(self, value: Iterable[int]) -> list[Frame]:
        """The scopes of those of these objects that are modules."""
        frames = (self.heap[number].frame for number in value if self.heap[number].kind == "module")
        return [frame for frame in frames if isinstance(frame, Frame)]

    def module_of(self, frame: Frame | None) -> Frame | None:
        """The scope of the module in which code stands; None: the notebook."""
        while frame is not None and frame.outer is not None:
            frame = frame.outer
        return frame if frame is not None and frame.module is not None else None

    def reference(self, name: str) -> Value:
        """The object that stands for something imported or built in."""
        if name not in self._references:
            canonical = self.kb.canonical(name)
            known = self.kb.type(canonical)
            singular = known is not None and known.equal == "never"
            self._references[name] = frozenset({self.heap.new(Obj("reference", type=canonical, singular=singular))})
        return self._references[name]

    def load(self, name: str, frame: Frame | None) -> Value:
        """The value of a name where it is read."""
        scope = frame
        first = True
        while scope is not None:
            if name in scope.global_names:
                home = scope.scope_of(name)
                if home is None:
                    break
                scope, first = home, True
            own = name in scope.names and name not in scope.nonlocal_names and (first or not scope.is_class)
            if own and (name in scope.values or not scope.is_class):
                return scope.values.get(name, NOTHING)
            if scope.module is not None:
                return self.not_bound(name, scope.stars)
            first = False
            scope = scope.outer
        if name not in self.notes.sure:
            self.notes.reads.add(name)
        if name in self.env:
            return self.env[name]
        return self.not_bound(name, self.stars)

    def not_bound(self, name: str, stars: list[str]) -> Value:
        """The value of a name that no statement binds: a builtin's, or one that a star import has brought."""
        if name in DYNAMIC:
            self.notes.dynamic = f"{name}() is used"
        if name in BUILTINS:
            return self.reference("builtins." + name)
        if stars:
            return self.reference(f"{stars[-1]}.{name}")
        return NOTHING

    def store(self, name: str, value: Value, frame: Frame | None, *, weak: bool = False) -> None:
        """Bind a name; `weak` keeps what it was bound to as well."""
        scope = frame.scope_of(name) if frame is not None else None
        if scope is not None:
            weak |= scope.module is not None and scope is not frame
            scope.values[name] = scope.values.get(name, NOTHING) | value if weak else value
            scope.strings.pop(name, None)
            cell = scope.cell if scope.module is None else scope.module
            if cell is not None:
                self.heap.hold(cell, value)
                if scope is not frame:
                    self.mutate({cell})
            return
        if self.stack:
            weak = True
        self.notes.binds.add(name)
        self.strings.pop(name, None)
        if weak:
            self.env[name] = self.env.get(name, NOTHING) | value
        else:
            self.env[name] = value
            self.notes.sure.add(name)

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

    # -- objects ---------------------------------------------------------------------------------------------

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

    def hold(self, base: Value, value: Value) -> None:
        """The objects of `base` now keep references to `value`."""
        for number in base:
            obj = self.heap[number]
            if obj.kind != "reference" and obj.type not in ("pandas.DataFrame", "pandas.Series", "numpy.ndarray"):
                self.heap.hold(number, value)

    def mutate(self, value: Value | set[int], *, memory: bool = False, deep: bool = False) -> None:
        """Note that objects change in place."""
        targets = self._reached_anew(value, memory) if deep else set(value)
        itself = all(self.heap[number].kind in CODE for number in value)
        given, queue = set(value), list(targets)
        while queue:
            number = queue.pop()
            obj = self.heap[number]
            if obj.kind == "reference" or (obj.kind in ("class", "function") and number not in given):
                continue
            self.notes.mutated.add(number)
            obj.changed |= not deep and (itself or obj.kind not in CODE)
            if memory:
                self.notes.written.add(number)
            if obj.kind == "bound":
                queue += obj.receiver - given
                given |= obj.receiver

    def _reached_anew(self, value: Value | set[int], memory: bool) -> set[int]:
        """What the objects reach, but for what the statement has changed so before, while nothing new is held."""
        if self.notes.edges != self.heap.edges:
            self.notes.edges = self.heap.edges
            self.notes.changed_deep = (set(), set())
        done = self.notes.changed_deep[memory]
        targets = self.heap.reach({o for o in value if o not in done or self.heap[o].kind == "class"})
        done |= targets
        return targets

    def search(self, value: Value) -> None:
        """Note that what is equal to nothing may be found among these, by its identity."""
        self.notes.asked |= {o for o in self.heap.reach(value) if self.heap[o].singular}

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
