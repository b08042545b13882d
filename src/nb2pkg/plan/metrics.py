"""Which scores, confusion matrices and training histories the stages log, and under which name.

A score is what the knowledge base says is one: a call, an attribute, a variable that people name so. It is logged
where the notebook binds it, keeps it in a list or dict, or shows it. What goes in here: finding and naming. What
does not: the text of the stages.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nb2pkg.analyse import Program
from nb2pkg.analyse.arguments import argument_of
from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.plan.types import Metric, MetricKind, Stage
from nb2pkg.refactor.constant_names import name_all

_WORDS = re.compile(r"\w+")
_CURVES = ("roc", "precision_recall")
_CONTAINERS = ("builtins.list", "builtins.dict")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
_COMPOUND = (ast.For, ast.AsyncFor, ast.While, ast.If, ast.With, ast.AsyncWith, ast.Try)


@dataclass(frozen=True, slots=True)
class _Found:
    """Something to log, with the names that it might have, best first."""

    metric: Metric
    names: tuple[str, ...]


def with_metrics(
    program: Program, stages: Sequence[Stage], knowledge: KnowledgeBase, *, follow: bool = True
) -> tuple[Stage, ...]:
    """The stages with what each logs; with `follow`, what the notebook's own functions print, where it calls them."""
    if any(s.effects.dynamic for s in program.statements) or not _may_measure(program, knowledge):
        return tuple(stages)
    finder = _Finder(program, knowledge)
    found = {s.index: finder.found_in(s.index) for s in program.statements}
    made = [replace(s, metrics=_named(program, s, [f for i in s.statements for f in found[i]])) for s in stages]
    return tuple(_with_followed(program, made, finder.inside) if follow and finder.inside else made)


def _may_measure(program: Program, knowledge: KnowledgeBase) -> bool:
    """Whether there is any score; most notebooks that have none are left at once."""
    facts = (fact for meanings in program.resolved_calls.values() for _, fact in meanings)
    if any(fact is not None and fact.metric for fact in facts):
        return True
    return knowledge.may_measure({word for s in program.statements for word in _WORDS.findall(s.text)})


def _with_followed(
    program: Program, stages: Sequence[Stage], inside: Mapping[int, tuple[_Found, ...]]
) -> Iterator[Stage]:
    """The stages with what is shown by the functions that they call, under names of their own."""
    functions = {}
    for index in inside:
        node = program.statements[index].node
        if isinstance(node, ast.FunctionDef) and node.name not in program.bound_often:
            functions[node.name] = index
    taken = {m.name for s in stages for m in s.metrics}
    flat = [(index, found) for index in functions.values() for found in inside[index]]
    names = name_all([found.names for _, found in flat], taken)
    metrics: dict[int, list[Metric]] = {}
    for (index, found), name in zip(flat, names, strict=True):
        metrics.setdefault(index, []).append(replace(found.metric, name=name))
    for stage in stages:
        nodes = (program.statements[i].node for i in stage.statements)
        calls = (part for node in nodes if not isinstance(node, _FUNCTIONS) for part in ast.walk(node))
        called = {c.func.id for c in calls if isinstance(c, ast.Call) and isinstance(c.func, ast.Name)}
        own = [m for name, index in functions.items() if name in called for m in metrics.get(index, ())]
        yield replace(stage, metrics=(*stage.metrics, *own))


def _named(program: Program, stage: Stage, found: Sequence[_Found]) -> tuple[Metric, ...]:
    """What a stage logs, every name once; a variable that keeps its value is logged at the end, once."""
    binders = Counter(n for i in stage.statements for n in program.statements[i].effects.binds)
    spoiled = {n for i in stage.statements for n in program.statements[i].effects.deletes}
    kept: list[_Found] = []
    last: dict[str, int] = {}
    shown: dict[str, int] = {}
    for each in found:
        name = each.metric.variable
        text = ast.unparse(each.metric.node) if each.metric.node is not None else ""
        if text and text in shown and not _changed(program, each.metric.node, shown[text], each.metric.statement):
            continue  # the same score, shown again
        shown[text] = each.metric.statement
        lasting = binders[name] <= 1 and name not in spoiled
        if name and lasting and name in last:
            continue  # a list that grows in several statements
        if name:
            last[name] = each.metric.statement
        kept.append(replace(each, metric=replace(each.metric, at_end=bool(name) and lasting)))
    variables = {f.metric.variable for f in kept if f.metric.at_end}
    loose = [f for f in kept if not f.metric.at_end]
    names = iter(name_all([f.names for f in loose], variables))
    return tuple(
        replace(f.metric, name=f.metric.variable if f.metric.at_end else next(names)) for f in kept
    )


def _changed(program: Program, node: ast.expr | None, start: int, stop: int) -> bool:
    """Whether a statement from `start` to `stop` changes a name that the expression reads."""
    assert node is not None
    names = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
    effects = (s.effects for s in program.statements[start : stop + 1])
    return any(names & (e.binds | e.mutates) for e in effects)


class _Finder:
    """Goes through the statements in order, and remembers which variables hold scores."""

    def __init__(self, program: Program, knowledge: KnowledgeBase) -> None:
        self.program = program
        self.kb = knowledge
        self.kinds: dict[str, MetricKind] = {}
        self.index = 0
        self.found: list[_Found] = []
        self.inside: dict[int, tuple[_Found, ...]] = {}
        """What the functions show that are defined by these statements."""

    def found_in(self, index: int) -> tuple[_Found, ...]:
        """What a statement has to log."""
        self.index, self.found = index, []
        statement = self.program.statements[index]
        if statement.kind == "compute":
            self.statement(statement.node, top=True, shown=statement.displayed)
        elif statement.kind == "definition":
            self.definition(statement.node)
        return tuple(self.found)

    # -- statements ------------------------------------------------------------------------------------------

    def statement(self, node: ast.stmt, *, top: bool, shown: bool = False) -> None:
        """One statement; `top`: it surely runs, once."""
        match node:
            case ast.Assign(targets=[target]):
                self.bound(target, node.value, top)
            case ast.AnnAssign(target=ast.Name() as target) if node.value is not None:
                self.bound(target, node.value, top)
            case ast.Expr(
                value=ast.Call(
                    func=ast.Attribute(value=ast.Name(id=name) | ast.Subscript(value=ast.Name(id=name))), args=args
                ) as call
            ) if self.is_filled(name, call) and any(self.kind(a) == "score" for a in args):
                self.container(name, call, top)
            case ast.Expr():
                shows = shown or self.prints(node.value)
                self.shown(node.value, every=shows)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                self.definition(node)
            case _ if isinstance(node, _COMPOUND):
                self.compound(node)
            case _:
                pass

    def compound(self, node: ast.stmt) -> None:
        """A loop or branch: what it binds may have no value at its end, so it is logged where it is computed."""
        before = len(self.found)
        for child in _bodies(node):
            self.statement(child, top=False)
        inner = self.found[before:]
        collected = {n for f in inner if f.metric.variable for n in _names_put_into(node, f.metric.variable)}
        self.found[before:] = [f for f in inner if f.metric.variable or not (set(f.names) & collected)]

    def bound(self, target: ast.expr, value: ast.expr, top: bool) -> None:
        """A value gets a name, or a place in a container."""
        kind = self.kind(value)
        names = [t.id for t in (target.elts if isinstance(target, ast.Tuple) else [target]) if isinstance(t, ast.Name)]
        if kind in _CURVES:
            self.shown(value, every=False)
            return
        if not kind and len(names) == 1 and isinstance(target, ast.Name) and self.may_be_score(names[0], value):
            kind = "score"
        for name in names:
            self.kinds.pop(name, None)
            if kind:
                self.kinds[name] = kind
        if isinstance(target, ast.Subscript) and kind == "score":
            root = target.value
            if isinstance(root, ast.Name):
                self.container(root.id, value, top)
        elif not kind:
            self.shown(value, every=False)
        elif top and names:
            labels = self.labels(value, lasting=True) if kind == "confusion" else ()
            self.found += [_Found(Metric("", kind, self.index, name, labels=labels), (name,)) for name in names]
        elif len(names) == 1 and isinstance(target, ast.Name):
            labels = self.labels(value) if kind == "confusion" else ()
            self.found.append(_Found(Metric("", kind, self.index, node=value, labels=labels), (names[0],)))
        else:
            self.shown(value, every=True)

    def container(self, name: str, value: ast.expr, top: bool) -> None:
        """A score is put into a list or dict, which is logged whole."""
        env = self.program.environments[self.index - 1] if self.index else {}
        if top or name in env:
            self.kinds[name] = "score"
            self.found.append(_Found(Metric("", "score", self.index, name), (name,)))
        else:
            self.shown(value, every=True)

    def is_filled(self, name: str, call: ast.Call) -> bool:
        """Whether the call is a method of a list or dict that puts its argument into it."""
        facts = [fact for _, fact in self.program.resolved_calls.get(call, ())]
        types = {self.program.heap[o].type for o in self.program.environments[self.index].get(name, ())}
        filled = any(fact is not None and "self" in fact.mutates for fact in facts)
        return filled and bool(types) and types <= set(_CONTAINERS)

    def shown(self, node: ast.expr, *, every: bool) -> None:
        """The measured calls in an expression; scores only where `every`, matrices and histories always."""
        kind = self.own_kind(node)
        if kind and (every or kind != "score"):
            labels = self.labels(node) if kind == "confusion" else ()
            self.found.append(_Found(Metric("", kind, self.index, node=node, labels=labels), self.proposals(node)))
            return
        if isinstance(node, _FUNCTIONS):
            return
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.keyword):
                self.shown(child.value, every=every)
            elif isinstance(child, ast.comprehension):
                self.shown(child.iter, every=every)
            elif isinstance(child, ast.expr):
                self.shown(child, every=every)

    def prints(self, node: ast.expr) -> bool:
        """Whether the expression is a call that prints or draws its arguments."""
        if not isinstance(node, ast.Call):
            return False
        facts = [fact for _, fact in self.program.resolved_calls.get(node, ())]
        return any(fact is not None and (fact.prints or fact.plots) for fact in facts)

    # -- expressions -----------------------------------------------------------------------------------------

    def own_kind(self, node: ast.expr) -> MetricKind | None:
        """What a call or attribute itself measures."""
        match node:
            case ast.Call():
                kinds = [fact.metric for _, fact in self.program.resolved_calls.get(node, ()) if fact and fact.metric]
                if kinds:
                    return next((kind for kind in kinds if kind), None)
                if isinstance(node.func, ast.Name) and self.gives_score(node.func.id):
                    return "score"
            case ast.Attribute(value=ast.Name(id=name)):
                env = self.program.environments[self.index]
                types = {self.program.heap[o].type for o in env.get(name, ()) if self.program.heap[o].kind == "value"}
                facts = [self.kb.method(t, node.attr) for t in types if t]
                return next((f.metric for f in facts if f is not None and f.metric == "score"), None)
            case _:
                pass
        return None

    def kind(self, node: ast.expr) -> MetricKind | None:
        """What the value of an expression measures."""
        own = self.own_kind(node)
        if own:
            return own
        match node:
            case ast.Name(id=name):
                return self.kinds.get(name)
            case ast.Call():
                names = [name for name, _ in self.program.resolved_calls.get(node, ())]
                inner = [*node.args, *([node.func.value] if isinstance(node.func, ast.Attribute) else [])]
                keyed = any(k.arg == "key" for k in node.keywords)  # `min(scores, key=…)` is none of the scores
                keeps = bool(names) and not keyed and all(self.kb.keeps_score(name) for name in names)
                unseen = not names and isinstance(node.func, ast.Attribute)  # a method of a number
                if unseen and isinstance(node.func, ast.Attribute):
                    keeps = self.kb.keeps_score(f"?.{node.func.attr}")
                return "score" if keeps and any(self.kind(a) == "score" for a in inner) else None
            case ast.BinOp():
                return self.any_score(node.left, node.right)
            case ast.UnaryOp():
                return self.any_score(node.operand)
            case ast.IfExp():
                return self.any_score(node.body, node.orelse)
            case ast.Subscript() | ast.Await() | ast.NamedExpr():
                return self.any_score(node.value)
            case ast.List() | ast.Tuple():
                return self.any_score(*node.elts)
            case ast.Dict():
                return self.any_score(*node.values)
            case ast.ListComp():
                return self.any_score(node.elt)
            case ast.DictComp():
                return self.any_score(node.value)
            case _:
                return None

    def any_score(self, *nodes: ast.expr) -> MetricKind | None:
        """A score, where one of these is."""
        return "score" if any(self.kind(node) == "score" for node in nodes) else None

    def may_be_score(self, name: str, value: ast.expr) -> bool:
        """A variable that people name so, computed from something."""
        return isinstance(value, ast.Call | ast.BinOp) and self.kb.names_score(name)

    def gives_score(self, name: str) -> bool:
        """Whether the name is a function of the notebook that returns a score."""
        return self.kinds.get(f"{name}()") == "score"

    def definition(self, node: ast.stmt) -> None:
        """A function gives a score where it is named so, or returns one."""
        if not isinstance(node, ast.FunctionDef):
            return
        outer, self.kinds = self.kinds, dict(self.kinds)
        before = len(self.found)
        for child in node.body:
            self.statement(child, top=False)
        returned = [part.value for part in ast.walk(node) if isinstance(part, ast.Return) and part.value is not None]
        gives = bool(returned) and (self.kb.gives_score(node.name) or self.any_score(*returned) is not None)
        shown = tuple(found for found in self.found[before:] if found.metric.node is not None)
        del self.found[before:]
        self.kinds = outer
        if shown and not gives and node is self.program.statements[self.index].node:
            self.inside[self.index] = shown
        self.kinds.pop(f"{node.name}()", None)
        if gives:
            self.kinds[f"{node.name}()"] = "score"

    def labels(self, node: ast.expr, *, lasting: bool = False) -> tuple[str, ...]:
        """What tells the classes of a confusion matrix: names, which are bound once where they are read later."""
        if not isinstance(node, ast.Call):
            return ()
        given = [k.value for k in node.keywords if k.arg == "labels"]
        wanted: list[ast.expr | None] = [*given] or [argument_of(node, "0|y_true"), argument_of(node, "1|y_pred")]
        names = [part.id for part in wanted if isinstance(part, ast.Name)]
        if len(names) < len(wanted) or (lasting and any(name in self.program.bound_often for name in names)):
            return ()
        return (f"labels={names[0]}",) if given else tuple(names)

    # -- names -----------------------------------------------------------------------------------------------

    def proposals(self, node: ast.expr) -> tuple[str, ...]:
        """Names for the value of a call: the function's, then with the model's or the data's before it."""
        if isinstance(node, ast.Attribute):
            owner = node.value.id if isinstance(node.value, ast.Name) else ""
            return (node.attr.strip("_"), f"{owner}_{node.attr.strip('_')}")
        assert isinstance(node, ast.Call)
        func = node.func
        called = func.attr if isinstance(func, ast.Attribute) else func.id if isinstance(func, ast.Name) else "score"
        kinds = [fact.metric for _, fact in self.program.resolved_calls.get(node, ()) if fact]
        if "history" in kinds:
            return ("history", *_joined(_owner(func), "history"))
        models = [_owner(part.func) for part in ast.walk(node) if isinstance(part, ast.Call) and part is not node]
        models += [part.id for part in node.args[:1] if isinstance(part, ast.Name)]
        data = [part.id.lower().removeprefix("y_") for part in node.args if isinstance(part, ast.Name)][:1]
        owner = _owner(func) if self.is_method(node) else ""
        base = f"{owner}_{called}" if owner else called
        model = next((name for name in models if name), "")
        with_data = [f"{owner}_{d}_{called}" if owner else f"{d}_{base}" for d in data]
        with_model = [] if owner else [joined for name in (base, *with_data) for joined in _joined(model, name)]
        return tuple(dict.fromkeys((base, *with_data, *with_model)))

    def is_method(self, node: ast.Call) -> bool:
        """Whether the call is one of an object's method, not of a module's function."""
        return any(name.startswith("?.") for name, _ in self.program.resolved_calls.get(node, ()))


def _joined(before: str, name: str) -> tuple[str, ...]:
    return (f"{before}_{name}",) if before and before not in ("self", name) else ()


def _owner(func: ast.expr) -> str:
    """The variable that a method is called on."""
    return func.value.id if isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) else ""


def _bodies(node: ast.stmt) -> Iterable[ast.stmt]:
    for name in ("body", "orelse", "finalbody"):
        yield from getattr(node, name, ())
    for handler in getattr(node, "handlers", ()):
        yield from handler.body


def _names_put_into(node: ast.AST, container: str) -> set[str]:
    """The names whose values the code puts into a container."""
    found: set[str] = set()
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name)), args=args) if name == container:
                found |= {p.id for a in args for p in ast.walk(a) if isinstance(p, ast.Name)}
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name))], value=value) if name == container:
                found |= {p.id for p in ast.walk(value) if isinstance(p, ast.Name)}
            case _:
                pass
    return found
