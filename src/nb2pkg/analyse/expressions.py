"""Expressions: what they may be, and what evaluating them does."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from nb2pkg.analyse.calls import MANY, Calls
from nb2pkg.analyse.heap import NOTHING, Obj, Value
from nb2pkg.analyse.scopes import Frame, bound_names


class Expressions(Calls):
    """Evaluates expressions to the objects that they may be."""

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

    def arithmetic(self, left: Value, right: Value) -> Value:
        """An operator's result: new, of the operands' type, holding what containers held."""
        both = left | right
        if not both:
            return NOTHING
        types = {self.heap[o].type for o in both if self.heap[o].kind == "value"}
        for candidate in ("pandas.DataFrame", "pandas.Series", "numpy.ndarray", "builtins.list", "pathlib.Path"):
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
                # One of very many stands for its attributes too: a loop may ask each for ever more.
                found |= {number} if len(base) > MANY else self.imported(f"{obj.type}.{node.attr}")
                continue
            if obj.kind == "module":
                found |= self.member(number, node.attr)
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
            if obj.cls is not None and node.attr == "__class__":
                found |= {obj.cls}
                continue
            holds = obj.holds
            if obj.cls is not None:  # not its class, but what that has
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
        outside, self.scope = self.scope, inner
        value = self._comprehension(node, inner)
        self.scope = outside
        return value

    def _comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp, inner: Frame
    ) -> Value:
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
