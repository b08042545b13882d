"""How stages log what they measure: the calls in their text, the rows in dvc.yaml, the templates of the plots."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from importlib import resources

from nb2pkg.analyse.edits import Edit, edit_of, edited, paired
from nb2pkg.analyse.program import Statement
from nb2pkg.emit.project import Plot
from nb2pkg.emit.source import Source
from nb2pkg.plan.types import Metric, MetricKind, Stage

FUNCTION: dict[MetricKind, str] = {
    "score": "log_metric",
    "confusion": "log_confusion",
    "history": "log_curves",
    "roc": "log_roc",
    "precision_recall": "log_precision_recall",
}
FOLDER: dict[MetricKind, str] = {
    "confusion": "confusion",
    "history": "curves",
    "roc": "roc",
    "precision_recall": "precision_recall",
}
"""Where the plots of a kind lie, below the stage's own folder."""
TEMPLATE: dict[MetricKind, tuple[str, str, str]] = {
    "confusion": ("confusion_counts", "predicted", "actual"),
    "history": ("learning_curves", "epoch", "value"),
    "roc": ("linear", "fpr", "tpr"),
    "precision_recall": ("linear", "recall", "precision"),
}
"""The template of each kind of plot, and what it has on its axes."""
_BY_DVC = frozenset({"linear"})
"""Templates that DVC has itself."""


def with_logging(source: Source, statement: Statement, metrics: Iterable[Metric]) -> str:
    """The statement's text with its measured expressions logged where they stand."""
    wanted = [metric for metric in metrics if metric.node is not None]
    if not wanted:
        return statement.text
    text, edits = statement.text, list[Edit]()
    tree = ast.parse(text).body[0]
    place = {id(one): two for one, two in paired(statement.node, tree)}
    for metric in wanted:
        spot = place.get(id(metric.node))
        if isinstance(spot, ast.expr):
            edits += _around(text, tree, spot, source.local[FUNCTION[metric.kind]], metric)
    return edited(text, edits)


def logged_after(source: Source, metrics: Iterable[Metric]) -> list[str]:
    """The calls that log variables: all scores in one, and one for each plot."""
    bound = [m for m in metrics if m.variable]
    scores = ", ".join(f"{m.name}={m.variable}" for m in bound if m.kind == "score")
    lines = [f"{source.local['log_metrics']}({scores})"] if scores else []
    return lines + [
        f"{source.local[FUNCTION[m.kind]]}({', '.join([repr(m.name), m.variable, *m.labels])})"
        for m in bound
        if m.kind != "score"
    ]


def recording(source: Source, stage: Stage) -> str:
    """The context manager that a stage with metrics runs in; empty for one without."""
    if not stage.metrics:
        return ""
    kinds = ["scores"] if metric_files(stage) else []
    return f"{source.local['record_metrics']}({', '.join(map(repr, [stage.place, *kinds, *_folders(stage)]))})"


def metric_files(stage: Stage) -> tuple[str, ...]:
    """The stage's files of scores."""
    return (f"metrics/{stage.place}.json",) if any(m.kind in ("score", "history") for m in stage.metrics) else ()


def plot_rows(stage: Stage) -> tuple[Plot, ...]:
    """The stage's folders of plots, its figures among them."""
    kinds = {FOLDER[m.kind]: TEMPLATE[m.kind] for m in stage.metrics if m.kind in FOLDER}
    plots = [Plot(f"reports/plots/{stage.place}/{folder}", *kinds[folder]) for folder in _folders(stage)]
    return (Plot(f"reports/figures/{stage.place}"), *plots)


def plot_templates(metrics: Iterable[Metric]) -> dict[str, bytes]:
    """The templates that the plots need, where DVC looks for them."""
    names = {TEMPLATE[m.kind][0] for m in metrics if m.kind in TEMPLATE} - _BY_DVC
    folder = resources.files("nb2pkg.emit") / "templates"
    return {f".dvc/plots/{name}.json": (folder / f"{name}.json").read_bytes() for name in sorted(names)}


def _folders(stage: Stage) -> Sequence[str]:
    return sorted({FOLDER[m.kind] for m in stage.metrics if m.kind in FOLDER})


def _around(text: str, tree: ast.AST, spot: ast.expr, function: str, metric: Metric) -> list[Edit]:
    """The edits that make an expression the argument of a call; none where they would not be Python before 3.12."""
    string = next((p for p in ast.walk(tree) if isinstance(p, ast.JoinedStr) and spot in list(ast.walk(p))), None)
    quote = '"' if string is None else _other_quote(text, string)
    if (string is not None and not _is_found(text, string, spot)) or spot.end_lineno is None:
        return []
    whole = edit_of(spot, "")
    head = f"{function}({quote}{metric.name}{quote}, "
    start = replace(whole, end_line=whole.line, end_column=whole.column, text=head)
    end = "".join(f", {label}" for label in metric.labels)
    stop = replace(whole, line=whole.end_line, column=whole.end_column, text=f"{end})")
    try:
        ast.parse(edited(text, [start, stop]))
    except SyntaxError:
        return []
    return [start, stop]


def _other_quote(text: str, string: ast.JoinedStr) -> str:
    """The quote that may stand inside of an f-string, before Python 3.12."""
    segment = ast.get_source_segment(text, string) or ""
    found = re.search("[\"']", segment)
    return "'" if found is not None and found[0] == '"' else '"'


def _is_found(text: str, string: ast.JoinedStr, node: ast.expr) -> bool:
    """Whether the node stands where `ast` says: before Python 3.12 it may be wrong inside of f-strings."""
    segment = ast.get_source_segment(text, node) or ""
    try:
        same = ast.dump(ast.parse(segment, mode="eval").body) == ast.dump(node)
    except SyntaxError:
        return False
    return same and (ast.get_source_segment(text, string) or "").count(segment) == 1
