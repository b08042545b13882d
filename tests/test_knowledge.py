"""The shipped knowledge base loads, names only types that it knows, and has the facts that others rest on."""

from __future__ import annotations

import pytest

from nb2pkg.knowledge.base import KnowledgeBase, shipped


@pytest.fixture(scope="module")
def kb() -> KnowledgeBase:
    return shipped()


def test_it_loads(kb: KnowledgeBase) -> None:
    assert len(kb.calls) > 1000
    assert len(kb.types) > 50


def test_every_result_and_base_is_a_known_type(kb: KnowledgeBase) -> None:
    calls = [*kb.calls.items(), *kb.call_patterns]
    named = {(name, call.returns) for name, call in calls if call.returns}
    named |= {(t.name, other) for t in kb.types.values() for other in (*t.bases, t.item) if other}
    assert sorted(f"{name}: {other}" for name, other in named if kb.type(other) is None) == []


def test_values_are_of_the_schema(kb: KnowledgeBase) -> None:
    relations = {"fresh", "scalar", "view", "holds", "same", "unknown"}
    stages = {"", *["load", "clean", "explore", "features", "split", "model", "train", "evaluate", "predict", "save"]}
    for name, call in [*kb.calls.items(), *kb.call_patterns]:
        assert call.relation in relations, name
        assert call.stage in stages, name
        for parameters in (call.of, call.mutates, call.writes, call.reads_file, call.writes_file, call.calls):
            assert isinstance(parameters, tuple), name
    for known in kb.types.values():
        assert known.getitem in relations, known.name
        assert known.attributes in relations, known.name
        assert known.default in {"pure", "view", "unknown"}, known.name
        assert known.setitem in {"mutates", "writes"}, known.name


@pytest.mark.parametrize(
    ("type_name", "method", "key", "value"),
    [
        ("pandas.DataFrame", "dropna", "inplace", "inplace"),
        ("pandas.Series", "fillna", "relation", "view"),
        ("pandas.DataFrame", "sample", "draws_unless", "random_state"),
        ("pandas.DataFrame", "to_csv", "writes_file", ("0|path_or_buf|path|excel_writer|fname|buf|path_or_buffer",)),
        ("pandas.DataFrame", "no_such_method", "relation", "fresh"),
        ("numpy.ndarray", "reshape", "relation", "view"),
        ("numpy.ndarray", "sort", "writes", ("self",)),
        ("numpy.random.Generator", "shuffle", "writes", ("0|x",)),
        ("numpy.random.Generator", "wald", "mutates", ("self",)),
        ("builtins.list", "append", "mutates", ("self",)),
        ("collections.defaultdict", "update", "mutates", ("self",)),
        ("matplotlib.axes.Axes", "set_title", "mutates", ("self",)),
        ("matplotlib.axes.Axes", "savefig", "writes_file", ("0|fname",)),
        ("seaborn.FacetGrid", "map", "draws", "numpy"),
    ],
)
def test_methods(kb: KnowledgeBase, type_name: str, method: str, key: str, value: object) -> None:
    fact = kb.method(type_name, method)
    assert fact is not None
    assert getattr(fact, key) == value


@pytest.mark.parametrize(
    ("name", "key", "value"),
    [
        ("pandas.read_csv", "reads_file", ("0|filepath_or_buffer",)),
        ("pandas.read_csv", "returns", "pandas.DataFrame"),
        ("pandas.set_option", "setting", True),
        ("numpy.random.rand", "draws", "numpy"),
        ("numpy.random.seed", "seeds", "numpy"),
        ("numpy.random.shuffle", "writes", ("0|x",)),
        ("numpy.add.at", "writes", ("0",)),
        ("numpy.exp", "writes", ("out",)),
        ("numpy.asarray", "relation", "view"),
        ("random.gauss", "draws", "random"),
        ("random.seed", "seeds", "random"),
        ("builtins.print", "prints", True),
        ("builtins.open", "mode", "1|mode"),
        ("os.path.join", "relation", "scalar"),
        ("matplotlib.pyplot.plot", "plots", True),
        ("matplotlib.pyplot.style.use", "setting", True),
        ("matplotlib.pyplot.rcParams.update", "setting", True),
        ("seaborn.mpl.rc", "setting", True),
        ("seaborn.barplot", "draws", "numpy"),
        ("seaborn.set_style", "setting", True),
        ("joblib.dump", "writes_file", ("1|filename",)),
    ],
)
def test_functions(kb: KnowledgeBase, name: str, key: str, value: object) -> None:
    fact = kb.call(name)
    assert fact is not None
    assert getattr(fact, key) == value


def test_containers_leave_unlisted_methods_to_what_they_hold(kb: KnowledgeBase) -> None:
    """`d["k"].append(x)` asks for `append` of the dict."""
    assert kb.method("builtins.dict", "append") is None
    assert kb.method("collections.defaultdict", "append") is None
    fallback = kb.unresolved_method("append")
    assert fallback is not None
    assert fallback.mutates == ("self",)


def test_what_cannot_be_stored(kb: KnowledgeBase) -> None:
    for name in ("io.TextIOWrapper", "matplotlib.figure.Figure", "builtins.zip", "sqlite3.Connection"):
        known = kb.type(name)
        assert known is not None
        assert not known.storable


def test_imports_and_distributions(kb: KnowledgeBase) -> None:
    assert kb.import_effect("seaborn") is True
    assert kb.import_effect("mpl_toolkits.mplot3d") is True
    assert kb.import_effect("matplotlib.pyplot") is False
    assert kb.import_effect("os.path") is False
    assert kb.import_effect("no_such_module") is None
    assert kb.distribution("cv2") == "opencv-python"
    assert kb.distribution("sklearn") == "scikit-learn"
    assert kb.distribution("pandas") == "pandas"
