"""Which scores the stages log, under which name, and that logging changes nothing."""

from __future__ import annotations

import ast
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nb2pkg.emit.runtime import metrics as runtime
from nb2pkg.pipeline import Options, tree
from nb2pkg.read.formats import NotebookFile

SETUP = """\
import numpy as np
from sklearn import metrics
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, confusion_matrix, mean_squared_error, roc_curve
from sklearn.model_selection import GridSearchCV, cross_val_score
X, y, p = np.load('x.npy'), np.load('y.npy'), np.load('p.npy')
model = LogisticRegression().fit(X, y)
"""


def package(tmp_path: Path, *cells: str) -> dict[str, str]:
    """The text files of the package of these cells, without any heading: one stage."""
    code = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None}
    made = [code | {"id": f"c{place}", "source": text} for place, text in enumerate(cells)]
    path = tmp_path / "nb.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    found, _, _ = tree(NotebookFile.at(path), Options(package="pkg", one_stage=True))
    return {name: data.decode() for name, data in found.files if not name.endswith(".png")}


def logged(files: dict[str, str]) -> list[str]:
    """The calls that log, in the order of the stage's text."""
    stage = next(text for name, text in files.items() if name.startswith("pkg/") and "\n    cell(" in text)
    calls = [n for n in ast.walk(ast.parse(stage)) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name)]
    calls.sort(key=lambda n: (n.lineno, n.col_offset))
    return [ast.unparse(n) for n in calls if isinstance(n.func, ast.Name) and n.func.id.startswith("log_")]


LOGGED = {
    "a name, at the end": (["acc = accuracy_score(y, p)", "print(1)"], ["log_metrics(acc=acc)"]),
    "several names together": (
        ["acc = accuracy_score(y, p)\nmse = metrics.mean_squared_error(y, p)\nrmse = np.sqrt(mse)"],
        ["log_metrics(acc=acc, mse=mse, rmse=rmse)"],
    ),
    "a name that is bound again, each time": (
        ["s = model.score(X, y)", "model.fit(X, p)\ns = model.score(X, p)"],
        ["log_metrics(s=s)", "log_metrics(s_2=s)"],
    ),
    "printed": (["print('acc', accuracy_score(y, p))"], ["log_metric('accuracy_score', accuracy_score(y, p))"]),
    "printed, rounded": (["print(round(model.score(X, y), 3))"], ["log_metric('model_score', model.score(X, y))"]),
    "displayed": (["accuracy_score(y, p)"], ["log_metric('accuracy_score', accuracy_score(y, p))"]),
    "in an f-string": (
        ["print(f'{accuracy_score(y, p):.3f} of {len(y)}')"],
        ["log_metric('accuracy_score', accuracy_score(y, p))"],
    ),
    "told apart by the data": (
        ["y_train, y_test = y, p\nprint(accuracy_score(y_train, p))\nprint(accuracy_score(y_test, p))"],
        [
            "log_metric('train_accuracy_score', accuracy_score(y_train, p))",
            "log_metric('test_accuracy_score', accuracy_score(y_test, p))",
        ],
    ),
    "told apart by the model": (
        ["a, b = Ridge().fit(X, y), Ridge(2).fit(X, y)\nprint(a.score(X, y), b.score(X, y))"],
        ["log_metric('a_score', a.score(X, y))", "log_metric('b_score', b.score(X, y))"],
    ),
    "a list that grows": (
        ["scores = []\nfor k in range(3):\n    scores.append(Ridge(k).fit(X, y).score(X, y))"],
        ["log_metrics(scores=scores)"],
    ),
    "a dict of lists that grow": (
        ["h = {'a': []}\nfor k in range(3):\n    h['a'].append(accuracy_score(y, p))"],
        ["log_metrics(h=h)"],
    ),
    "a function that is named so": (
        ["def score(m):\n    return np.abs(m.predict(X) - y).mean()\nprint(round(score(model), 3))"],
        ["log_metric('score', score(model))"],
    ),
    "a dict that is filled": (
        ["r = {}\nfor k in 'ab':\n    s = Ridge().fit(X, y).score(X, y)\n    r[k] = s"],
        ["log_metrics(r=r)"],
    ),
    "a loop's own name, where it is bound": (
        ["for k in range(3):\n    s = Ridge(k).fit(X, y).score(X, y)\n    print(k, s)"],
        ["log_metric('s', Ridge(k).fit(X, y).score(X, y))"],
    ),
    "a cross-validation": (["cv = cross_val_score(model, X, y)\nprint(cv.mean())"], ["log_metrics(cv=cv)"]),
    "an attribute": (
        ["g = GridSearchCV(Ridge(), {'alpha': [1, 2]}).fit(X, y)\nprint(g.best_score_)"],
        ["log_metric('best_score', g.best_score_)"],
    ),
    "what people call a score": (["rmse = np.sqrt(np.mean((y - p) ** 2))"], ["log_metrics(rmse=rmse)"]),
    "a function that returns one": (
        ["def evaluate(m):\n    pred = m.predict(X)\n    return accuracy_score(y, pred)\nprint(evaluate(model))"],
        ["log_metric('evaluate', evaluate(model))"],
    ),
    "a confusion matrix": (["cm = confusion_matrix(y, p)"], ["log_confusion('cm', cm, y, p)"]),
    "a confusion matrix with its classes": (
        ["names = [0, 1]\nprint(confusion_matrix(y, model.predict(X), labels=names))"],
        ["log_confusion('confusion_matrix', confusion_matrix(y, model.predict(X), labels=names), labels=names)"],
    ),
    "a confusion matrix of what has no name": (
        ["cm = confusion_matrix(y, model.predict(X))"],
        ["log_confusion('cm', cm)"],
    ),
    "curves": (
        ["fpr, tpr, t = roc_curve(y, p)\nmetrics.precision_recall_curve(y, p)[0]"],
        [
            "log_roc('roc_curve', roc_curve(y, p))",
            "log_precision_recall('precision_recall_curve', metrics.precision_recall_curve(y, p))",
        ],
    ),
    "a confusion matrix on its way": (
        ["import pandas as pd\nframe = pd.DataFrame(confusion_matrix(y, p))"],
        ["log_confusion('confusion_matrix', confusion_matrix(y, p), y, p)"],
    ),
    "the history of a training": (
        ["import keras\nnet = keras.Sequential()\nhistory = net.fit(X, y, epochs=2)\nloss, acc = net.evaluate(X, y)"],
        ["log_metrics(loss=loss, acc=acc)", "log_curves('history', history)"],
    ),
}


@pytest.mark.parametrize("case", LOGGED)
def test_logged(case: str, tmp_path: Path) -> None:
    cells, expected = LOGGED[case]
    assert logged(package(tmp_path, SETUP, *cells)) == expected


LEFT = {
    "a score that is only compared": "if accuracy_score(y, p) > 0.5:\n    print('good')",
    "a score inside a lambda": "f = lambda q: accuracy_score(y, q)\nprint(f(p))",
    "the same score, shown again": "acc = accuracy_score(y, p)\nprint(acc)\nacc",
    "a function that nobody calls": "def report(m):\n    print(accuracy_score(y, m.predict(X)))",
    "a prediction": "q = model.predict(X)\nprint(q[:3])",
    "a literal that has the name of a score": "acc = 0.5\nprint(acc)",
    "the key of the best score": "def score(m):\n    return 1\nr = {1: 2}\nbest = min(r, key=r.get)\nprint(best)",
    "text": "print(metrics.classification_report(y, p))",
}


@pytest.mark.parametrize("case", LEFT)
def test_left_alone(case: str, tmp_path: Path) -> None:
    calls = logged(package(tmp_path, SETUP, LEFT[case]))
    assert calls == (["log_metrics(acc=acc)"] if case.startswith("the same") else [])


REPORT = """\
def report(m, X, y):
    q = m.predict(X)
    acc = accuracy_score(y, q)
    print(acc, f'{m.score(X, y):.2f}')
"""


def test_what_a_function_of_the_notebook_prints_is_logged_where_it_is_called(tmp_path: Path) -> None:
    files = package(tmp_path, SETUP, REPORT, "acc = 1.5\nfor m in (model, Ridge()):\n    report(m, X, y)")
    text = files["pkg/functions.py"]
    assert "acc = log_metric('acc', accuracy_score(y, q))" in text.replace('"', "'")
    assert "{log_metric('m_score', m.score(X, y)):.2f}" in text.replace('"', "'")
    assert "from pkg.metrics import log_metric" in text
    assert "- metrics/" in files["dvc.yaml"]
    assert "- pkg/metrics.py" in files["dvc.yaml"]


def test_a_function_that_reads_variables_logs_in_the_stages_that_call_it(tmp_path: Path) -> None:
    code = "def report(m):\n    print(accuracy_score(y, m.predict(X)))\nreport(model)"
    files = package(tmp_path, SETUP, code)
    assert logged(files) == ["log_metric('accuracy_score', accuracy_score(y, m.predict(X)))"]


def test_a_package_without_scores_has_no_metrics(tmp_path: Path) -> None:
    files = package(tmp_path, "print(1)")
    assert "pkg/metrics.py" not in files
    assert "metrics" not in files["dvc.yaml"]


def test_dvc_yaml_names_the_files_and_the_templates_are_there(tmp_path: Path) -> None:
    files = package(tmp_path, SETUP, "acc = accuracy_score(y, p)\nconfusion_matrix(y, p)")
    assert "    metrics:\n      - metrics/evaluate.json:\n          cache: false\n" in files["dvc.yaml"]
    assert "template: confusion_counts\n          x: predicted\n          y: actual" in files["dvc.yaml"]
    assert json.loads(files[".dvc/plots/confusion_counts.json"])["data"] == {"values": "<DVC_METRIC_DATA>"}


def test_names_of_the_notebook_are_not_hidden(tmp_path: Path) -> None:
    files = package(tmp_path, SETUP, "log_metrics = 3\nacc = accuracy_score(y, p)\nprint(log_metrics)")
    (stage,) = (text for text in files.values() if "_log_metrics(" in text)
    assert "from pkg.metrics import log_metrics as _log_metrics" in stage
    assert "_log_metrics(acc=acc)" in stage


# -- at run time -----------------------------------------------------------------------------------------------


Recorder = Callable[[Callable[[], object]], dict[str, Any]]


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Recorder:
    """What a stage's file of scores holds after it logged."""
    monkeypatch.setattr(runtime, "ROOT", tmp_path)

    def run(body: Callable[[], object]) -> dict[str, Any]:
        with runtime.record_metrics("s", "scores", "curves", "confusion", "roc", "precision_recall"):
            body()
        found: dict[str, Any] = json.loads((tmp_path / "metrics" / "s.json").read_text())
        return found

    return run


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, 1),
        (0.5, 0.5),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.array(0.25), 0.25),
        (np.array([1.0, 3.0]), {"mean": 2.0, "std": 1.0}),
        ([0.5, 0.25], {"0": 0.5, "1": 0.25}),
        ((0.5,), 0.5),
        (list(range(30)), {"min": 0, "max": 29, "last": 29}),
        ({"a": 0.5, "b": {"c": np.float64(1.5), "d": "text"}}, {"a": 0.5, "b": {"c": 1.5}}),
        ({"test_score": np.array([1.0, 1.0]), "fit_time": np.array([0.1])}, {"test_score": {"mean": 1.0, "std": 0.0}}),
    ],
)
def test_numbers(record: Recorder, value: object, expected: object) -> None:
    assert record(lambda: runtime.log_metric("m", value)) == {"m": expected}


@pytest.mark.parametrize(
    "value",
    [None, True, np.True_, "0.5", float("nan"), float("inf"), np.zeros((2, 2)), np.array([]), object(), [], {}, 1j],
)
def test_what_is_no_number_is_left_out(record: Recorder, value: object) -> None:
    assert record(lambda: runtime.log_metric("m", value)) == {}


def test_a_value_is_given_back_as_it_is(record: Recorder) -> None:
    values = [object(), np.zeros(3), {"a": 1}]
    curves = (runtime.log_curves, runtime.log_roc, runtime.log_precision_recall)
    functions = (runtime.log_metric, runtime.log_confusion, *curves)
    given: list[bool] = []
    record(lambda: given.extend(function("m", v) is v for function in functions for v in values))
    assert given == [True] * 15
    assert all(function("outside", v) is v for function in functions for v in values)


def test_a_loop_makes_a_series(record: Recorder) -> None:
    assert record(lambda: [runtime.log_metric("m", k) for k in (3, 1)]) == {"m": {"0": 3, "1": 1}}


def test_plots(record: Recorder, tmp_path: Path) -> None:
    history = {"loss": [1.0, 0.5], "val_loss": [2.0, float("nan")]}

    def body() -> None:
        runtime.log_curves("history", history)
        runtime.log_confusion("cm", np.array([[3, 1], [0, 2]]))
        runtime.log_confusion("cm", [[1.0]])
        runtime.log_confusion("no", np.zeros((2, 3)))
        runtime.log_confusion("named", np.array([[3, 1], [0, 2]]), np.array(["b", "a"]), ["a"])
        runtime.log_confusion("listed", [[3, 1], [0, 2]], labels=["yes", "no"])
        runtime.log_confusion("other", [[3, 1], [0, 2]], [1, 2, 3], [None])
        runtime.log_roc("roc", (np.linspace(0, 1, 2000), np.linspace(0, 1, 2000), None))
        runtime.log_precision_recall("pr", ([1.0, 0.5], [0.0, float("nan")], []))

    assert record(body) == {"history": {"loss": 0.5}}
    folder = tmp_path / "reports" / "plots" / "s"
    assert sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.json")) == [
        "confusion/cm.json",
        "confusion/cm_2.json",
        "confusion/listed.json",
        "confusion/named.json",
        "confusion/other.json",
        "curves/history.json",
        "precision_recall/pr.json",
        "roc/roc.json",
    ]

    def read(name: str) -> list[dict[str, object]]:
        return list(json.loads((folder / f"{name}.json").read_text()))

    assert read("confusion/named")[1] == {"actual": "a", "predicted": "b", "count": 1}
    assert read("confusion/listed")[1] == {"actual": "yes", "predicted": "no", "count": 1}
    assert read("confusion/other")[1] == {"actual": 0, "predicted": 1, "count": 1}
    roc = read("roc/roc")
    assert len(roc) <= 501 and roc[0] == {"fpr": 0.0, "tpr": 0.0} and roc[-1] == {"fpr": 1.0, "tpr": 1.0}
    assert read("precision_recall/pr") == [{"precision": 1.0, "recall": 0.0}]
    assert json.loads((folder / "confusion" / "cm.json").read_text())[1] == {"actual": 0, "predicted": 1, "count": 1}
    assert json.loads((folder / "curves" / "history.json").read_text())[-1] == {
        "epoch": 1,
        "quantity": "loss",
        "set": "validation",
        "value": 2.0,
    }
