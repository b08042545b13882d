"""Generates notebooks of three sections that run: a hypothesis strategy that gives the sections' code.

What goes in here: statements of plain Python over lists, dicts, arrays, functions, classes and random streams, each
drawn so that it can't fail. What does not: running or comparing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[str]], str]
Sections = list[list[str]]

IMPORTS = "import functools\nimport random\nimport numpy as np\nrandom.seed(1)\nnp.random.seed(2)"
NAMES = {
    "int": ["x", "y", "n"],
    "list": ["items", "rows", "other"],
    "dict": ["table", "lookup"],
    "array": ["a", "b", "v"],
    "object": ["box", "crate"],
    "rng": ["rng", "source"],
    "set": ["bag"],
    "counter": ["count", "again"],
    "iterator": ["steps"],
    "adder": ["add"],
}
DEFINITIONS = {
    "total": (("int", "list"), "def {name}():\n    return {int} + len({list})"),
    "push": (("list",), "def {name}(value):\n    {list}.append(value)\n    return {list}"),
    "bump": (("int",), "def {name}():\n    global {int}\n    {int} = {int} + 1\n    return {int}"),
    "keep": ((), "def {name}(value, kept=[]):\n    kept.append(value)\n    return kept"),
    "fill": (("array",), "def {name}(value):\n    {array}[0] = value\n    return {array}[-1]"),
    "scale": (("int",), "{name} = lambda value: value * {int}"),
    "nested": (("list",), "def {name}(value):\n    for i in range(2):\n        inner(i)\n    return value"),
}
# What each statement needs to be bound, and its text; {int:new} is bound by it.
STATEMENTS = {
    "int": [
        "{int:new} = {number}",
        "{int} += {number}",
        "{int:new} = len({list})",
        "{int:new} = {dict}.get('k', {int})",
        "{int:new} = int({array}.sum())",
        "{int:new} = random.randint(0, 99)",
        "{int:new} = int(np.random.randint(0, 99))",
        "{int:new} = int({rng}.integers(100))",
        "{int:new} = {counter}()",
        "{int:new} = next({iterator}, 0)",
        "{int:new} = {object}.size()",
    ],
    "list": [
        "{list:new} = [{int}, {number}]",
        "{list:new} = {list}",
        "{list:new} = [{list}, {number}]",
        "{list:new} = [[0] * 2] * 2",
        "{list:new} = {list}[:]",
        "{list:new} = {list} + [{int}]",
        "{list:new} = {dict}.setdefault('z', [])",
        "{list:new} = {object}.held",
        "{list:new} = sorted({set})",
        "{list:new} = [{int} for _ in range(2)]",
        "{list:new} = list(reversed({list}))",
        "{list:new} = {list:new} = [{number}]",
        "{list:new}, {int:new} = [{number}], {int}",
    ],
    "change": [
        "{list}.append({int})",
        "{list}.append({list})",
        "{list} += [{number}]",
        "{list}.extend([{int}, {int}])",
        "{list}.insert(0, {dict})",
        "{list}.reverse()",
        "{dict}['k'] = {int}",
        "{dict}['l'] = {list}",
        "{dict}.update({dict})",
        "{dict}.setdefault('z', []).append({int})",
        "{array}[0] = {number}",
        "{array} += {number}",
        "{array}.sort()",
        "{array}[:] = {array}[0]",
        "for one in [{array}, {array}]:\n    np.add(one, 1, out=one)",
        "np.random.shuffle({array})",
        "random.shuffle({list})",
        "random.seed({number})",
        "np.random.seed({number})",
        "{set}.add({int})",
        "{object}.put({int})",
        "{object}.held = {list}",
        "{object}.extra = {dict}",
        "{object}.shared.append({number})",
        "Box.shared.append({int})",
        "{adder}({number})",
        "setattr({object}, 'held', {list})",
        "for value in [{list}, {list}]:\n    value.append({number})",
        "for i in range(3):\n    {list}.append(i)\n    {int} = {int} + i",
        "if {int} % 2:\n    {list}.append('odd')\nelse:\n    {dict}['even'] = {int}",
        "try:\n    {list}.append({int} // ({int} % 2))\nexcept ZeroDivisionError:\n    {dict}['zero'] = {int}",
        "for one in [{list}]:\n    while len(one) < 4:\n        one.append({int})",
        "print({int}, len({list}))",
        "print({array}.sum(), {array}.dtype)",
    ],
    "new": [
        "{dict:new} = {{'k': {int}, 'l': {list}}}",
        "{dict:new} = {dict}",
        "{dict:new} = dict({dict})",
        "{array:new} = np.arange(6)",
        "{array:new} = np.linspace(0, 1, 5)",
        "{array:new} = {array}",
        "{array:new} = {array}[1:]  if len({array}) > 2 else {array}",
        "{array:new} = {array}[::-1]",
        "{array:new} = {array}[::2]",
        "{array:new} = {array}.copy()",
        "{array:new} = {array} * 2",
        "{array:new} = np.asarray({array})",
        "{array:new} = np.random.rand(4)",
        "{array:new} = np.asfortranarray(np.arange(6.0).reshape(2, 3)).ravel('K')",
        "{object:new} = Box({list})",
        "{object:new} = {object}",
        "{rng:new} = np.random.default_rng({number})",
        "{rng:new} = {rng}",
        "{set:new} = {{{int}, {number}}}",
        "{counter:new} = make_counter({int})",
        "{counter:new} = {counter}",
        "{iterator:new} = iter([{int}, 5, 6, 7])",
        "{adder:new} = {list}.append",
        "{adder:new} = functools.partial(list.append, {list})",
    ],
}
BOX = """class Box:
    shared = []

    def __init__(self, held):
        self.held = held

    def put(self, value):
        self.held.append(value)
        return self

    def size(self):
        return len(self.held)"""
COUNTER = """def make_counter(start):
    count = start

    def counter():
        nonlocal count
        count += 1
        return count

    return counter"""
START = {"int": "x = 3", "list": "items = [1]", "dict": "table = {'k': 1}", "array": "a = np.arange(4)"}
SHOW = """def show(value, seen):
    if isinstance(value, (int, float, str, np.generic)) or value is None:
        return repr(value)
    if isinstance(value, tuple):
        return "(" + ", ".join(show(v, seen) for v in value) + ")"
    if IDENTITY:
        if id(value) in seen:
            return f"#{seen[id(value)]}"
        seen[id(value)] = len(seen)
    elif len(seen) > 6:
        return "..."
    else:
        seen = {**seen, len(seen): 0}
    if isinstance(value, list):
        return "[" + ", ".join(show(v, seen) for v in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {show(v, seen)}" for k, v in value.items()) + "}"
    if isinstance(value, np.ndarray):
        return f"{value.tolist()} {value.dtype} {value.strides}"
    if isinstance(value, set):
        return str(sorted(value))
    if type(value).__name__ == "Box":
        return f"Box {show(vars(value), seen)} {show(type(value).shared, seen)}"
    if isinstance(value, np.random.Generator):
        return str(value.bit_generator.state)
    if type(value).__name__ == "list_iterator":
        return show(list(value), seen)
    return type(value).__name__"""


@dataclass
class _Scope:
    """What the generated code has bound so far."""

    draw: Draw
    bound: dict[str, set[str]] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)

    def pick(self, kind: str) -> str:
        return self.draw(st.sampled_from(sorted(self.bound[kind])))

    def filled(self, template: str) -> str | None:
        """The template with names put in; None where it needs what is not bound."""
        new: list[tuple[str, str]] = []
        text, rest = "", template.replace("{{", "\0").replace("}}", "\1")
        while "{" in rest:
            head, _, rest = rest.partition("{")
            hole, _, rest = rest.partition("}")
            kind, _, how = hole.partition(":")
            if kind == "number":
                text += head + self.draw(st.sampled_from(["2", "7", "40"]))
            elif how:
                name = self.draw(st.sampled_from(NAMES[kind]))
                new.append((kind, name))
                text += head + name
            elif self.bound.get(kind):
                text += head + self.pick(kind)
            else:
                return None
        for kind, name in new:
            self.bound.setdefault(kind, set()).add(name)
        return (text + rest).replace("\0", "{").replace("\1", "}")


@st.composite
def sections(draw: Draw) -> Sections:
    """The cells of three sections, each a piece of code."""
    scope = _Scope(draw)
    cells: Sections = []
    for place in range(3):
        code: list[str] = []
        if place == 0:
            code += [IMPORTS, BOX, COUNTER, *START.values()]
            scope.bound = {kind: {text.split()[0]} for kind, text in START.items()}
        # hypothesis' DrawFn is generic, and the strategy's own parameter is not
        for _ in range(draw(st.integers(2, 7))):  # type: ignore[arg-type]
            code += _statement(scope)
        cells.append(code)
    identity = draw(st.sampled_from(["True", "False"]))
    ends = [f"IDENTITY = {identity}", SHOW, "seen = {}"]
    names = sorted(name for bound in scope.bound.values() for name in bound)
    ends += [f"print({name!r}, show({name}, seen))" for name in names]
    ends += ["print(random.random(), np.random.rand())"]
    cells[-1] += ends
    return cells


def _statement(scope: _Scope) -> list[str]:
    choice = scope.draw(st.sampled_from([*STATEMENTS, *STATEMENTS, "change", "define", "call", "call", "delete"]))
    if choice == "define":
        name = scope.draw(st.sampled_from(sorted(DEFINITIONS)))
        if name == "nested" and "inner" not in scope.functions:
            text = scope.filled("def inner(value):\n    for j in range(2):\n        {list}.append(value)")
            scope.functions["inner"] = "inner"
            return [text] if text else []
        needs, template = DEFINITIONS[name]
        if not all(scope.bound.get(n) for n in needs):
            return []
        scope.functions[name] = name
        return [template.format(name=name, **{kind: scope.pick(kind) for kind in needs})]
    if choice == "call":
        if not scope.functions:
            return []
        name = scope.draw(st.sampled_from(sorted(scope.functions)))
        argument = "" if name in ("total", "bump") else scope.pick("int")
        target = "" if name == "inner" else scope.draw(st.sampled_from(["", "got = ", "print(", "last = "]))
        if target in ("got = ", "last = "):
            scope.bound.setdefault("got", set()).add(target.split()[0])
        return [f"{target}{name}({argument})" + (")" if target == "print(" else "")]
    if choice == "delete":
        kinds = sorted(kind for kind, names in scope.bound.items() if len(names) > 1)
        if not kinds or scope.functions:
            return []
        kind = scope.draw(st.sampled_from(kinds))
        name = scope.pick(kind)
        scope.bound[kind].discard(name)
        return [f"del {name}"]
    text = scope.filled(scope.draw(st.sampled_from(STATEMENTS[choice])))
    return [text] if text else []
