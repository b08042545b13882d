"""Calls: of the notebook's functions, which are interpreted again, and of libraries, by what is known of them."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import replace

from nb2pkg.analyse.arguments import argument_of, keyword_of
from nb2pkg.analyse.heap import NOTHING, Obj, Value
from nb2pkg.analyse.scopes import SCOPES, Frame, bound_names, parameters
from nb2pkg.analyse.state import DYNAMIC
from nb2pkg.analyse.texts import Texts
from nb2pkg.knowledge.facts import Call, Seeding

MAX_DEPTH = 8
MAX_INLINED = 200
MANY = 16
NONE = "builtins.NoneType"
IMMUTABLE_BUILTINS = frozenset(
    name
    for line in (
        "abs all any ascii bin bool bytes callable chr complex divmod float format hash hex id input int",
        "isinstance issubclass len max min oct ord pow repr round str sum type hasattr range slice",
    )
    for name in line.split()
)


def _returns_nothing(node: ast.AST) -> bool:
    """Whether a function surely returns None: it has no `return` with a value, and is no generator."""
    if not isinstance(node, ast.FunctionDef) or node.decorator_list:
        return False
    queue: list[ast.AST] = [*node.body]
    while queue:
        part = queue.pop()
        if isinstance(part, ast.Yield | ast.YieldFrom) or (isinstance(part, ast.Return) and part.value is not None):
            return False
        if not isinstance(part, SCOPES):
            queue += ast.iter_child_nodes(part)
    return True


class Calls(Texts):
    """Calls a value, a method, a function of a library, and what is given to be called back."""

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
                # It holds what was given to it later too: an attribute of the method.
                method = next(o for o in sorted(obj.holds) if self.heap[o].node is obj.node)
                return self.inline(method, [obj.receiver, *args], keywords)
            case "class":
                self.notes.calls.add(obj.type)
                instance = self.fresh(obj.type)
                for made in instance:
                    self.heap[made].cls = number
                    self.heap.hold(made, {number})
                if "__init__" in obj.methods:
                    self.inline(obj.methods["__init__"], [instance, *args], keywords)
                    self.notes.returned[:] = [""]
                else:
                    self.hold(instance, everything)
                return instance
            case "reference" if obj.type == "builtins.type" and len(args) == 1:
                classes = {self.heap[o].cls for o in everything}
                known = frozenset(c for c in classes if c is not None)
                return known if None not in classes else known | self.fresh(holds=everything)
            case "reference":
                return self.apply(self.kb.call(obj.type), obj.type, NOTHING, args, keywords, node)
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
                return self.apply(fact, "", frozenset({number}), args, keywords, node)

    def inline(self, number: int, args: Sequence[Value], keywords: dict[str, Value]) -> Value:
        """Interpret the body of one of the notebook's functions with these arguments."""
        site, self.site = self.site, None
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
        self.know_arguments(node.args, frame, site, len(args))
        if any(isinstance(part, SCOPES) for statement in body for part in ast.walk(statement)):
            (frame.cell,) = self.fresh("cell")
            for value in frame.values.values():
                self.heap.hold(frame.cell, value)
        self.stack.append(node)
        self.run(body, frame)
        self.stack.pop()
        self.notes.returned[:] = [NONE if _returns_nothing(node) else ""]  # not what its last call returned
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
                self.site = node
                result |= self.method(number, node.func.attr, args, keywords, node, alike)
            self.site = None
            self.notes.nothing = returned == [NONE] * len(groups)
            return result
        called = self.eval(node.func, frame)
        returned.clear()
        for number in called:
            self.site = node
            result |= self.call_object(number, args, keywords, node)
        self.site = None
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
            return self.apply(fact, qualified, NOTHING, args, keywords, node)
        if obj.kind == "module":
            found: Value = NOTHING
            for member in self.member(number, name):
                self.site = node
                found |= self.call_object(member, args, keywords, node)
            return found
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
        called = self.apply(fact, f"?.{name}", alike, args, keywords, node)
        for held in self.heap.held(alike):
            if self.heap[held].kind == "function" and fact is None:
                called |= self.inline(held, [], {})
        return called

    def apply(
        self,
        fact: Call | None,
        name: str,
        receiver: Value,
        args: Sequence[Value],
        keywords: dict[str, Value],
        node: ast.AST,
    ) -> Value:
        """Apply what is known of a call."""
        self.site = None
        everything: Value = receiver.union(*args, *keywords.values())
        if isinstance(node, ast.Call):
            seen = self.resolved_calls.setdefault(node, [])
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
            # what is drawn is kept, but never changed by drawing
            if parameter == "self" and not fact.plots and not (fact.forgets and not self.holds_function(receiver)):
                self.hold(receiver, everything - receiver)
        for parameter in fact.asks:
            self.notes.asked |= named(parameter)
        if fact.searches:
            self.search(everything)
        for parameter in fact.writes:
            self.mutate(named(parameter), memory=True)
        call = node if isinstance(node, ast.Call) else None
        if fact.inplace and call is not None:
            given = keyword_of(call, fact.inplace)
            if given is not None and not (isinstance(given, ast.Constant) and given.value is False):
                self.mutate(receiver, memory=fact.relation == "view")
        if fact.returns_for and call is not None:
            argument = argument_of(call, fact.reads_file[0])
            path = self.text_of(argument) if argument is not None else None
            by_ending = dict(pair.split() for pair in fact.returns_for)
            fact = replace(fact, returns=next((t for end, t in by_ending.items() if path and path.endswith(end)), ""))
        if fact.draws:
            given = keyword_of(call, fact.draws_unless) if call is not None and fact.draws_unless else None
            if given is None or (isinstance(given, ast.Constant) and given.value is None):
                self.notes.draws.add(fact.draws)
                if call is None or not self.is_seeded(fact, name, everything, call):
                    self.notes.unseeded.add(fact.draws)
        for value in everything:
            if self.heap[value].type in ("numpy.random.Generator", "numpy.random.RandomState"):
                self.mutate({value})
        if fact.seeds:
            self.notes.seeds.add(fact.seeds)
        if call is not None:
            self.files(fact, call, named)
        for parameter in fact.calls:
            self.call_back(named(parameter))
        self.notes.prints |= fact.prints
        self.notes.plots |= fact.plots
        none = fact.none_with and call is not None and argument_of(call, fact.none_with) is not None
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
                return self.made(fact, name, self.fresh(fact.returns, holds=subject), call)
            case "unknown":
                return self.fresh(fact.returns, holds=subject, views=subject)
            case _:
                functions = {o for o in subject if self.heap[o].kind in ("function", "class")}
                return self.fresh(fact.returns, holds=functions if not fact.calls else ())

    def is_seeded(self, fact: Call, name: str, everything: Value, call: ast.Call) -> bool:
        """Whether a call that may draw gives the same each time: all that draws in it has a seed."""
        seeding = self.kb.seeding(name)
        if fact.draws_for == "nothing" or seeding.none or (seeding.matters and not seed_matters(seeding, call)):
            return True
        random = [o for o in self.heap.reach(everything) if self.kb.is_random(self.heap[o].type)]
        if random:
            return all(self.heap[o].seeded for o in random) and not fact.draws_unless
        if fact.draws_for == "arguments":
            return True
        return name.startswith("?.") and fact is self.kb.unresolved_method(name[2:])  # nobody knows what it is

    def made(self, fact: Call, name: str, value: Value, call: ast.Call | None) -> Value:
        """What a constructor makes; of a random type, it may have a seed."""
        if call is not None and self.kb.is_random(fact.returns) and not name.startswith("?."):
            seeding = self.kb.seeding(name)
            given = keyword_of(call, fact.draws_unless) if fact.draws_unless else None
            idle = seeding.none or not fact.draws_unless or (seeding.matters and not seed_matters(seeding, call))
            if idle or not (given is None or (isinstance(given, ast.Constant) and given.value is None)):
                for number in value:
                    self.heap[number].seeded = True
        return value

    def holds_function(self, value: Value) -> bool:
        """Whether a function of the notebook is among what these hold."""
        return any(self.heap[number].kind in ("function", "bound", "class") for number in self.heap.reach(value))

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
                for name, method in self.heap[obj.cls].methods.items():
                    if name != "__init__":  # it has been made
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


def seed_matters(seeding: Seeding, call: ast.Call) -> bool:
    """Whether a call has one of the arguments with which its seed matters."""
    for each in seeding.matters:
        parameter, _, values = each.partition("=")
        given = argument_of(call, parameter)
        match given:
            case None | ast.Constant(value=False | None):
                continue
            case ast.Constant(value=str(text)) if values:
                if text in values.split("|"):
                    return True
            case _:
                return True
    return any(keyword.arg is None for keyword in call.keywords)
