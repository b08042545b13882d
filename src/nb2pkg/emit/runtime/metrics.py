"""What the stages measure, for DVC: scores in `metrics/<stage>.json`, learning curves and confusion matrices in
`reports/plots/<stage>`.

To log a value changes nothing about it. What is no finite number, and holds none, is left out.
"""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path.cwd()  # the package's root, where it is started; a stage works elsewhere
MOST_ITEMS = 20
MOST_CLASSES = 100
MOST_POINTS = 500


class _Record:
    """What one stage has logged so far."""

    def __init__(self, stage: str, kinds: tuple[str, ...]) -> None:
        self.kinds = kinds
        self.file = ROOT / "metrics" / f"{stage}.json"
        self.plots = ROOT / "reports" / "plots" / stage
        self.metrics: dict[str, list[Any]] = {}
        self.rows: dict[str, list[dict[str, Any]]] = {}

    def plot(self, kind: str, name: str, rows: list[dict[str, Any]]) -> None:
        """Keep a plot; a second one of the same name gets a number."""
        number, path = 1, f"{kind}/{name}.json"
        while path in self.rows:
            number += 1
            path = f"{kind}/{name}_{number}.json"
        self.rows[path] = rows

    def write(self) -> None:
        if "scores" in self.kinds:
            found = {name: _numbers(values) for name, values in self.metrics.items()}
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
        for path, rows in self.rows.items():
            lines = ",\n".join(json.dumps(row) for row in rows)
            (self.plots / path).write_text(f"[\n{lines}\n]\n", encoding="utf-8")


_RUNNING: list[_Record] = []


@contextmanager
def record_metrics(stage: str, *kinds: str) -> Iterator[None]:
    """Keep what the body logs as a stage's: its "scores", and the kinds of its plots."""
    record = _Record(stage, kinds)
    shutil.rmtree(record.plots, ignore_errors=True)
    for kind in kinds:
        if kind != "scores":
            (record.plots / kind).mkdir(parents=True)
    _RUNNING.append(record)
    try:
        yield
    finally:
        _RUNNING.pop()
        record.write()


def log_metrics(**values: Any) -> None:
    """Log several scores by their names."""
    for name, value in values.items():
        log_metric(name, value)


def log_metric(name: str, value: Any) -> Any:
    """Log a score, and return it. One that is logged again, in a loop, becomes a numbered series."""
    if _RUNNING:
        numbers = _numbers(value)
        if numbers is not None:
            _RUNNING[-1].metrics.setdefault(name, []).append(numbers)
    return value


def log_confusion(name: str, matrix: Any, *classes: Any, labels: Any = None) -> Any:
    """Log a confusion matrix (a row for each true class), and return it. Its classes are called by their `labels`,
    or by what is in the true and the predicted `classes`.
    """
    counts = _listed(matrix)
    square = isinstance(counts, list) and all(
        isinstance(row, list) and len(row) == len(counts) for row in counts
    )
    if _RUNNING and square and 0 < len(counts) <= MOST_CLASSES:
        called = _called(classes if labels is None else (labels,), labels is None, len(counts))
        rows = [
            {"actual": called[actual], "predicted": called[predicted], "count": _number(count)}
            for actual, row in enumerate(counts)
            for predicted, count in enumerate(row)
        ]
        _RUNNING[-1].plot("confusion", name, rows)
    return matrix


def _called(given: tuple[Any, ...], in_order: bool, count: int) -> list[Any]:
    """What the classes are called; their numbers where that is not clear."""
    try:
        items = [item for values in given for item in _listed(values) or ()]
        found = sorted(set(items)) if in_order else items
    except TypeError:  # lists in lists, or what can't be compared
        return list(range(count))
    return [str(item) for item in found] if len(found) == count else list(range(count))


def log_roc(name: str, curve: Any) -> Any:
    """Log a ROC curve (false positive rates, true positive rates, thresholds), and return it."""
    return _logged_curve("roc", name, curve, ("fpr", "tpr"))


def log_precision_recall(name: str, curve: Any) -> Any:
    """Log a precision-recall curve (precisions, recalls, thresholds), and return it."""
    return _logged_curve("precision_recall", name, curve, ("precision", "recall"))


def _logged_curve(kind: str, name: str, curve: Any, axes: tuple[str, str]) -> Any:
    if _RUNNING and isinstance(curve, tuple) and len(curve) >= 2:
        pairs = list(zip(_listed(curve[0]) or (), _listed(curve[1]) or ()))
        step = max(1, -(-len(pairs) // MOST_POINTS))
        kept = [*pairs[:-1:step], *pairs[-1:]]
        points = [dict(zip(axes, map(_number, pair))) for pair in kept]
        _RUNNING[-1].plot(kind, name, [row for row in points if None not in row.values()])
    return curve


def log_curves(name: str, history: Any) -> Any:
    """Log the history of a training (Keras' `History`, or a dict of lists by epoch), its last values as scores; return
    it."""
    curves = getattr(history, "history", history)
    if not _RUNNING or not isinstance(curves, Mapping):
        return history
    rows: list[dict[str, Any]] = []
    last: dict[str, Any] = {}
    for key, values in curves.items():
        numbers = [_number(value) for value in _listed(values) or ()]
        quantity = str(key).replace("val_", "", 1) if str(key).startswith("val_") else str(key)
        part = "train" if quantity == str(key) else "validation"
        for epoch, value in enumerate(numbers, 1):
            if value is not None:
                rows.append({"epoch": epoch, "quantity": quantity, "set": part, "value": value})
        if numbers:
            last[str(key)] = numbers[-1]
    _RUNNING[-1].plot("curves", name, rows)
    log_metric(name, last)
    return history


def _numbers(value: Any) -> Any:
    """The finite numbers of a value in the form that DVC shows: one, or a dict of them; None where there are none."""
    number = _number(value)
    if number is not None:
        return number
    if isinstance(value, Mapping):
        # how long a cross-validation took is no score
        found = {str(k): _numbers(v) for k, v in value.items() if not str(k).endswith("_time")}
        kept = {k: v for k, v in found.items() if v is not None}
        return kept if 0 < len(kept) <= MOST_ITEMS * 5 else None
    if isinstance(value, (list, tuple)):
        items = [_numbers(item) for item in value]
        items = [item for item in items if item is not None]
        if len(items) == 1:
            return items[0]
        if 1 < len(items) <= MOST_ITEMS:
            return {str(place): item for place, item in enumerate(items)}
        return _summary(items, last=True)
    listed = _listed(value)
    return None if listed is None else _summary([_number(item) for item in listed])


def _summary(items: list[Any], last: bool = False) -> Any:
    """Mean and standard deviation of an array, such as the scores of a cross-validation; of a long list, its range."""
    numbers = [item for item in items if isinstance(item, (int, float))]
    if not numbers or len(numbers) < len(items):
        return None
    if last:
        return {"min": min(numbers), "max": max(numbers), "last": numbers[-1]}
    mean = math.fsum(numbers) / len(numbers)
    spread = math.sqrt(math.fsum((number - mean) ** 2 for number in numbers) / len(numbers))
    return {"mean": mean, "std": spread}


def _number(value: Any) -> Any:
    """A finite number as Python's own, whatever library it is of; None for anything else."""
    if isinstance(value, (str, bytes, bool)) or type(value).__name__ in ("bool_", "bool"):
        return None
    if not isinstance(value, (int, float)):
        if getattr(value, "shape", None) != ():
            return None
        try:
            value = value.item() if hasattr(value, "item") else float(value)
        except (TypeError, ValueError, RuntimeError):
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return None
    return value if type(value) is int else float(value)


def _listed(value: Any) -> Any:
    """An array as lists; None for what is none."""
    if isinstance(value, list):
        return value
    try:
        listed = value.tolist()
    except (AttributeError, TypeError, ValueError, RuntimeError):
        return None
    return listed if isinstance(listed, list) else None
