"""The abstract interpreter: runs each statement on abstract objects and notes its effects.

It is sound where it is in doubt: an unknown call mutates what it is given and keeps it, a name in an unknown
string is dynamic. The notebook's own functions are interpreted again at each call, up to a depth.

`State` holds what was seen, `Calls` and `Expressions` give values, this module runs statements.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence

from nb2pkg.analyse.expressions import Expressions
from nb2pkg.analyse.heap import NOTHING, Obj, Value
from nb2pkg.analyse.own_modules import FILE, body_of, names_of
from nb2pkg.analyse.scopes import Frame, bound_names, bound_pattern, evaluates, joined, same
from nb2pkg.analyse.state import CODE

MAX_ROUNDS = 5


class Interpreter(Expressions):
    """Interprets statements in order."""

    def run(self, body: Sequence[ast.stmt], frame: Frame | None) -> None:
        """Interpret statements in order."""
        for node in body:
            self.statement(node, frame)

    def statement(self, node: ast.stmt, frame: Frame | None) -> None:
        """Interpret one statement."""
        self.current = (node, frame)
        outside, self.scope = self.scope, frame
        self._statement(node, frame)
        self.scope = outside

    def _statement(self, node: ast.stmt, frame: Frame | None) -> None:
        match node:
            case ast.Expr():
                self.eval(node.value, frame)
            case ast.Assign():
                value = self.eval(node.value, frame)
                for target in node.targets:
                    self.assign(target, value, frame, node.value)
                if len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
                    self.know(node.targets[0].id, node.value, frame)
            case ast.AnnAssign():
                if node.value is not None:
                    self.assign(node.target, self.eval(node.value, frame), frame, node.value)
                    if isinstance(node.target, ast.Name):
                        self.know(node.target.id, node.value, frame)
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
        strings, texts = (dict(self.strings), dict(frame.strings) if frame else {}), []
        after: list[tuple[dict[str, Value], set[str], dict[str, Value]]] = []
        self.uncertain += 1
        for body in bodies:
            self.env, self.notes.sure, self.strings = dict(before), set(sure), dict(strings[0])
            if frame:
                frame.values, frame.strings = dict(local), dict(strings[1])
            self.run(body, frame)
            after.append((self.env, self.notes.sure, frame.values if frame else {}))
            texts.append((self.strings, frame.strings if frame else {}))
        self.uncertain -= 1
        self.env = joined(env for env, _, _ in after)
        self.notes.sure = set.intersection(*(s for _, s, _ in after))
        self.strings = same(known for known, _ in texts)
        if frame:
            frame.strings = same(known for _, known in texts)
            frame.values = joined(values for _, _, values in after)

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
            strings, texts = dict(self.strings), dict(frame.strings) if frame else {}
            edges = self.heap.edges
            if bind is not None:
                bind()
            self.run(body, frame)
            self.env = joined((env, self.env))
            if frame:
                frame.values = joined((local, frame.values))
                frame.strings = same((texts, frame.strings))
            self.strings = same((strings, self.strings))
            known = self.strings == strings and (frame is None or frame.strings == texts)
            if known and self.env == env and edges == self.heap.edges and (frame is None or frame.values == local):
                break
        self.loops -= 1
        self.uncertain -= 1
        self.notes.sure = sure

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
                for scope in self.scopes_of(base):
                    scope.names.add(target.attr)
                    scope.strings.pop(target.attr, None)
                    scope.values[target.attr] = scope.values.get(target.attr, NOTHING) | value
            case ast.Subscript():
                base = self.eval(target.value, frame, place=True)
                self.set_module(base)
                self.eval(target.slice, frame)
                for number in (number for number in base if self.heap[number].kind not in CODE):
                    known = self.kb.type(self.heap[number].type)
                    plain = isinstance(target.value, ast.Name) and known is not None and known.setitem == "mutates"
                    self.mutate({number}, memory=not plain)
                self.hold(base, value)
            case _:
                pass

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
            if node.target not in self.loads:
                self.loads[node.target] = ast.copy_location(_as_load(node.target), node.target)
            self.mutate(self.eval(self.loads[node.target], frame), memory=True)
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
                own = self.modules.find(alias.name)
                if own:
                    self.load_module(own)
                self.store(bound, self.imported(alias.name if alias.asname else bound), frame)
            return
        module = "." * node.level + (node.module or "")
        inner = self.module_of(frame)
        if inner is not None:
            module = self.modules.absolute(self.heap[inner.module or 0].type, node)
        scopes = self.scopes_of(self.imported(module)) if self.modules.find(module) else []
        for alias in node.names:
            if alias.name != "*":
                self.store(alias.asname or alias.name, self.imported(f"{module}.{alias.name}"), frame)
                for scope in scopes:
                    self.know_text(alias.asname or alias.name, scope.strings.get(alias.name), frame)
                continue
            if inner is None:
                if self.stars and self.computed:
                    self.notes.lasting = "a star import may bind any name again"
                self.stars.append(module)
            elif not scopes:
                inner.stars.append(module)
            for scope in scopes:
                public = {name: value for name, value in scope.values.items() if not name.startswith("_")}
                if inner is not None:
                    inner.names |= public.keys()
                for name, value in public.items():
                    self.store(name, value, frame)
                    self.know_text(name, scope.strings.get(name), frame)

    def load_module(self, name: str) -> int:
        """Run a module where it was not imported before, and those that it is in."""
        if name in self.loaded:
            return self.loaded[name]
        parent, _, last = name.rpartition(".")
        outside = self.scopes_of(self.imported(parent)) if parent else []
        if name in self.loaded:  # the package has imported it
            return self.loaded[name]
        tree = self.modules.trees[name]
        frame = Frame(names=names_of(tree), outer=None)
        number = frame.module = self.loaded[name] = self.heap.new(Obj("module", type=name, frame=frame))
        if name in self.modules.places:
            frame.names.add(FILE)
            frame.strings[FILE] = self.modules.places[name]
        outer = self.notes.prints, self.notes.plots
        self.notes.prints = self.notes.plots = False
        self.run(body_of(tree), frame)
        if self.notes.prints or self.notes.plots:
            self.loud.add(name)
        self.notes.prints |= outer[0]
        self.notes.plots |= outer[1]
        before = set[int]().union(*self.kept.values())
        self.kept[name] = self.heap.reach({number})
        for kept in self.kept[name] - before:
            self.heap[kept].changed = False
        for scope in outside:
            scope.names.add(last)
            self.store(last, frozenset({number}), scope)
        return number

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
                if self.heap[called].kind not in ("function", "class") and self.module_of(frame) is None:
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
        self.notes.dynamic = self.notes.dynamic or evaluates(node)
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


def _as_load(node: ast.expr) -> ast.expr:
    match node:
        case ast.Attribute():
            return ast.Attribute(value=node.value, attr=node.attr, ctx=ast.Load())
        case ast.Subscript():
            return ast.Subscript(value=node.value, slice=node.slice, ctx=ast.Load())
        case _:
            return node
