"""API that is gone and takes more than another name: a form gives the edits for one use, or None where it can't tell.

What goes in here: the forms that knowledge/modernize.toml names. Which code they are asked about is in `modernize`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass

from nb2pkg.analyse.edits import Edit, edit_of, segment


@dataclass(frozen=True, slots=True)
class Use:
    """One use of something that is gone."""

    node: ast.Call | ast.Attribute
    """The call; the attribute where nothing is called."""
    outer: ast.AST
    """What it stands in."""
    name: str
    """Its full name, or `?.method`."""
    text: str
    """The text that it is in."""
    type_of: Callable[[ast.expr], str]
    """The type of an expression; empty where it is not known."""
    spelled: Callable[[str], str]
    """How a full name is written here; asks for its import."""

    def source(self, node: ast.expr) -> str:
        """The text of a node."""
        return segment(self.text, node)

    def receiver(self, node: ast.expr) -> str:
        """The text of a node of which a method is called."""
        text = self.source(node)
        return text if isinstance(node, ast.Name | ast.Attribute | ast.Call | ast.Subscript) else f"({text})"


Edits = list[Edit] | None


def renamed_attribute(use: Use, node: ast.Attribute, new: str) -> Edit:
    """Another name for the attribute, its receiver as it is."""
    return edit_of(node, f"{use.source(node.value)}.{new}")


def _call(use: Use) -> tuple[ast.Call, ast.Attribute] | None:
    node = use.node
    return (node, node.func) if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else None


def _given(node: ast.Call) -> dict[str, ast.expr] | None:
    """The keyword arguments; None where the call has any that can't be seen."""
    if any(k.arg is None for k in node.keywords) or any(isinstance(a, ast.Starred) for a in node.args):
        return None
    return {k.arg: k.value for k in node.keywords if k.arg is not None}


def imputer(use: Use) -> Edits:
    """`Imputer(missing_values='NaN', axis=0)` as SimpleImputer, which goes by columns."""
    node = use.node
    if not isinstance(node, ast.Call):
        return []
    given = _given(node)
    if given is None or len(node.args) > 2 or "verbose" in given:
        return None
    axis = given.get("axis")
    if axis is not None and ast.unparse(axis) != "0":
        return None
    parts = [_missing(use, a) if n == 0 else use.source(a) for n, a in enumerate(node.args)]
    for name, value in given.items():
        if name != "axis":
            parts.append(f"{name}={_missing(use, value) if name == 'missing_values' else use.source(value)}")
    return [_arguments(node, ", ".join(parts))] if "axis" in given or "NaN" in use.source(node) else []


def _missing(use: Use, node: ast.expr) -> str:
    return 'float("nan")' if isinstance(node, ast.Constant) and node.value == "NaN" else use.source(node)


def _arguments(node: ast.Call, text: str) -> Edit:
    """All between the parentheses of a call."""
    every: list[ast.expr | ast.keyword] = sorted(
        [*node.args, *node.keywords], key=lambda each: (each.lineno, each.col_offset)
    )
    first, last = every[0], every[-1]
    return Edit(first.lineno, first.col_offset, last.end_lineno or 0, last.end_col_offset or 0, text)


def rolling(use: Use) -> Edits:
    """`pd.rolling_mean(x, 3, min_periods=1)` as `x.rolling(3, min_periods=1).mean()`."""
    node = use.node
    given = _given(node) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or given is None or not 1 <= len(node.args) <= 3:
        return None
    if given.keys() - {"window", "min_periods", "center"} or use.type_of(node.args[0]) == "numpy.ndarray":
        return None
    rest = [use.source(each) for each in node.args[1:]]
    if len(rest) == 2:
        rest[1] = f"min_periods={rest[1]}"
    rest += [f"{name}={use.source(value)}" for name, value in given.items()]
    method = use.name.rpartition("_")[2]
    return [edit_of(node, f"{use.receiver(node.args[0])}.rolling({', '.join(rest)}).{method}()")]


def expanding(use: Use) -> Edits:
    """`pd.expanding_mean(x)` as `x.expanding().mean()`."""
    node = use.node
    given = _given(node) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or given is None or len(node.args) != 1 or given.keys() - {"min_periods"}:
        return None
    rest = ", ".join(f"{name}={use.source(value)}" for name, value in given.items())
    return [edit_of(node, f"{use.receiver(node.args[0])}.expanding({rest}).{use.name.rpartition('_')[2]}()")]


def sort(use: Use) -> Edits:
    """`df.sort('a', ascending=False)` as `df.sort_values('a', ascending=False)`; without columns, `sort_index`."""
    found = _call(use)
    given = _given(found[0]) if found else None
    if found is None or given is None or len(found[0].args) > 1:
        return None
    node, func = found
    if not node.args and "columns" not in given:
        return [renamed_attribute(use, func, "sort_index")]
    names = [k for k in node.keywords if k.arg == "columns"]
    edits = [renamed_attribute(use, func, "sort_values")]
    return edits + [Edit(k.lineno, k.col_offset, k.lineno, k.col_offset + len("columns"), "by") for k in names]


def order(use: Use) -> Edits:
    """`s.order()` as `s.sort_values()`; `s.sort()`, which changed it, as `s.sort_values(inplace=True)`."""
    found = _call(use)
    if found is None:
        return None
    node, func = found
    if func.attr == "order":
        return [renamed_attribute(use, func, "sort_values")] if not node.args else None
    if node.args or node.keywords:
        return None
    return [edit_of(node, f"{use.source(func.value)}.sort_values(inplace=True)")]


def values(use: Use) -> Edits:
    """`df.as_matrix()` as `df.values`."""
    found = _call(use)
    if found is None or found[0].args or found[0].keywords:
        return None
    return [edit_of(found[0], f"{use.source(found[1].value)}.values")]


def ix(use: Use) -> Edits:
    """`df.ix[rows, 'a']` as `.loc` where all that is asked for is texts, conditions or everything."""
    if not isinstance(use.outer, ast.Subscript) or not isinstance(use.node, ast.Attribute):
        return None
    index = use.outer.slice
    parts = index.elts if isinstance(index, ast.Tuple) else [index]
    return [renamed_attribute(use, use.node, "loc")] if all(map(_is_label, parts)) else None


def _is_label(node: ast.expr) -> bool:
    match node:
        case ast.Constant(value=value):
            return isinstance(value, str)
        case ast.Compare():
            return True
        case ast.BinOp(op=ast.BitAnd() | ast.BitOr()):
            return _is_label(node.left) and _is_label(node.right)
        case ast.List():
            return bool(node.elts) and all(map(_is_label, node.elts))
        case ast.Slice(step=None):
            return all(end is None or _is_label(end) for end in (node.lower, node.upper))
        case _:
            return False


def append(use: Use) -> Edits:
    """`df.append(other, ignore_index=True)` as `pd.concat([df, other], ignore_index=True)`, of frames or of series."""
    found = _call(use)
    given = _given(found[0]) if found else None
    if found is None or given is None or len(found[0].args) != 1 or given.keys() - {"ignore_index"}:
        return None
    node, func = found
    if use.type_of(node.args[0]) != use.type_of(func.value):
        return None
    rest = "".join(f", {name}={use.source(value)}" for name, value in given.items())
    both = f"[{use.source(func.value)}, {use.source(node.args[0])}]"
    return [edit_of(node, f"{use.spelled('pandas.concat')}({both}{rest})")]


def simpson(use: Use) -> Edits:
    """`simps(y, x)` as `simpson(y, x=x)`."""
    node = use.node
    given = _given(node) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or given is None or not 1 <= len(node.args) <= 2 or "even" in given:
        return None
    return [Edit(a.lineno, a.col_offset, a.lineno, a.col_offset, "x=") for a in node.args[1:]]


def iter_method(use: Use) -> Edits:
    """`G.nodes_iter()` as `G.nodes()`."""
    found = _call(use)
    return [renamed_attribute(use, found[1], found[1].attr.removesuffix("_iter"))] if found else None


def hold(use: Use) -> Edits:
    """`plt.hold(True)`, a statement of its own, goes: figures hold."""
    node = use.node
    if not isinstance(node, ast.Call) or not isinstance(use.outer, ast.Expr) or node.keywords or len(node.args) > 1:
        return None
    if [ast.unparse(a) for a in node.args] not in (["True"], ["1"], ["'on'"]):
        return None
    return [edit_of(use.outer, "pass")]


def factorplot(use: Use) -> Edits:
    """`sns.factorplot(…)` as `sns.catplot(…, kind='point')`, which it drew."""
    node = use.node
    given = _given(node) if isinstance(node, ast.Call) else None
    if not isinstance(node, ast.Call) or not given or node.args:  # the order of the arguments has changed
        return None
    edits = [edit_of(node.func, use.spelled("seaborn.catplot"))]
    sizes = [k for k in node.keywords if k.arg == "size"]
    edits += [Edit(k.lineno, k.col_offset, k.lineno, k.col_offset + len("size"), "height") for k in sizes]
    if "kind" not in given:
        last = node.keywords[-1]
        line, column = last.end_lineno or 0, last.end_col_offset or 0
        edits.append(Edit(line, column, line, column, ', kind="point"'))
    return edits


_OF_CONVOLUTION = {
    "nb_filter": "filters",
    "border_mode": "padding",
    "subsample": "strides",
    "init": "kernel_initializer",
    "W_regularizer": "kernel_regularizer",
    "b_regularizer": "bias_regularizer",
}


def convolution(use: Use) -> Edits:
    """`Convolution2D(32, 3, 3, border_mode='same')` as `Conv2D(32, (3, 3), padding='same')`."""
    node = use.node
    if not isinstance(node, ast.Call):
        return []
    given = _given(node)
    if given is None or len(node.args) not in (1, 2, 3) or given.keys() & {"dim_ordering", "weights", "bias"}:
        return None
    parts = [use.source(each) for each in node.args]
    if {"nb_row", "nb_col"} <= given.keys() and len(parts) == 1:
        parts.append(f"({use.source(given['nb_row'])}, {use.source(given['nb_col'])})")
    elif len(parts) == 3:
        parts[1:] = [f"({parts[1]}, {parts[2]})"]
    elif len(parts) != 2 or given.keys() & {"nb_row", "nb_col"}:
        return None
    for name, value in given.items():
        if name not in ("nb_row", "nb_col"):
            parts.append(f"{_OF_CONVOLUTION.get(name, name)}={use.source(value)}")
    return [_arguments(node, ", ".join(parts))]


FORMS: dict[str, Callable[[Use], Edits]] = {
    form.__name__: form
    for form in (
        imputer,
        rolling,
        expanding,
        sort,
        order,
        values,
        ix,
        append,
        simpson,
        iter_method,
        hold,
        factorplot,
        convolution,
    )
}
