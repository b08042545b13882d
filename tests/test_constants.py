"""Which literals become constants, what they are called, and what is left alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from nb2pkg.analyse import Program, analyse
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Cell, Notebook
from nb2pkg.refactor.constants import UNTOUCHED, lift
from nb2pkg.section import section


def lifted(*sources: str, tags: tuple[str, ...] = ()) -> Program:
    """The program of these cells after the pass."""
    cells = tuple(Cell(i, f"c{i}", "code", s, s, tags=tags) for i, s in enumerate(sources))
    notebook = Notebook("case", Path("."), cells)
    program = analyse(notebook, shipped())
    sections, _ = section(notebook, program.statements)
    return lift(notebook, program, sections, shipped())


def constants(program: Program) -> dict[str, str]:
    """Name and text of every constant."""
    nodes = [
        s.node if isinstance(s.node, ast.ClassDef) else ast.parse(s.text).body[0]
        for s in program.statements
        if s.kind == "constant"
    ]
    return {
        n.targets[0].id: ast.unparse(n.value)
        for n in nodes
        if isinstance(n, ast.Assign) and isinstance(n.targets[0], ast.Name)
    }


SPLIT = "from sklearn.model_selection import train_test_split, cross_val_score, GridSearchCV\n"
MODELS = "from sklearn.linear_model import Ridge, Lasso\nfrom sklearn.ensemble import RandomForestClassifier as RF\n"

LIFTED = {
    "a tuple, as the list that DVC can hold": (
        "from sklearn.neural_network import MLPClassifier\nm = MLPClassifier(hidden_layer_sizes=(100, 50))",
        {"HIDDEN_LAYER_SIZES": "[100, 50]"},
    ),
    "one object, made again": (
        MODELS + "m = Lasso(alpha=0.4)\nm.fit(x)\nm = Lasso(alpha=0.4)\nm = Lasso(alpha=0.5)",
        {"LASSO_ALPHA": "0.4", "LASSO_ALPHA_2": "0.5"},
    ),
    "what belongs to the whole experiment": (
        "import linearmodels\na = linearmodels.IV2SLS(y, x, None, None).fit(cov_type='robust')\n"
        "b = linearmodels.IV2SLS(y, x, z, None).fit(cov_type='robust')",
        {"COV_TYPE": "'robust'"},
    ),
    "keyword": (
        SPLIT + "a = train_test_split(x, test_size=0.3, random_state=42)",
        {"TEST_SIZE": "0.3", "RANDOM_STATE": "42"},
    ),
    "positional": ("from sklearn.cluster import KMeans\nm = KMeans(3)", {"N_CLUSTERS": "3"}),
    "an alias of the class": (MODELS + "m = RF(n_estimators=100)", {"N_ESTIMATORS": "100"}),
    "layers by position": (
        "from torch import nn\nclass Net(nn.Module):\n    def __init__(self):\n        self.fc1 = nn.Linear(784, 10)",
        {"IN_FEATURES": "784", "OUT_FEATURES": "10"},
    ),
    "layers of keras": (
        "from tensorflow.keras.layers import Dense, Dropout\nls = [Dense(64, activation='relu'), Dropout(0.5)]",
        {"DENSE_UNITS": "64", "DENSE_ACTIVATION": "'relu'", "DROPOUT_RATE": "0.5"},
    ),
    "a fit of what is not known": (
        "h = build().fit(x, y, epochs=10, batch_size=32)",
        {"EPOCHS": "10", "BATCH_SIZE": "32"},
    ),
    "a seed once for two calls": (
        SPLIT + "import numpy as np\nnp.random.seed(7)\na = train_test_split(x, random_state=7)",
        {"SEED": "7"},
    ),
    "an exponent as DVC edits it": ("import torch\no = torch.optim.Adam(p, lr=1e-3)", {"LEARNING_RATE": "0.001"}),
    "same value, two models": (
        MODELS + "r = Ridge(alpha=0.1)\ns = Lasso(alpha=0.1)",
        {"RIDGE_ALPHA": "0.1", "LASSO_ALPHA": "0.1"},
    ),
    "same value, one experiment": (
        SPLIT + "a = train_test_split(x, test_size=0.3)\nb = train_test_split(y, test_size=0.3)",
        {"TEST_SIZE": "0.3"},
    ),
    "a grid": (
        SPLIT + "g = GridSearchCV(m, {'C': [1, 10]}, cv=5)",
        {"PARAM_GRID": "{'C': [1, 10]}", "CV_FOLDS": "5"},
    ),
    "a path": ("import pandas as pd\nd = pd.read_csv('../data/train.csv')", {"TRAIN_CSV": "'../data/train.csv'"}),
    "a file name of a path": (
        "import os\nimport pandas as pd\nd = pd.read_csv(os.path.join(root, 'train.csv'))",
        {"TRAIN_CSV": "'train.csv'"},
    ),
    "a URL": (
        "import pandas as pd\nd = pd.read_csv('https://a.org/b/c.csv?x=1')",
        {"C_CSV_URL": "'https://a.org/b/c.csv?x=1'"},
    ),
    "a lower-case name": ("rate = 0.5  # of the learning", {"rate": "0.5"}),
    "a list that stays as it is": ("cols = ['a',\n        'b']\nprint(cols)", {"cols": "['a', 'b']"}),
    "a dict call": ("cfg = dict(lr=1e-3, layers=2)\nprint(cfg['lr'])", {"cfg": "{'lr': 0.001, 'layers': 2}"}),
    "names of a tuple": ("a, b = -1, 0.5", {"a": "-1", "b": "0.5"}),
    "an annotated name": ("rate: float = 0.5", {"rate": "0.5"}),
    "a config dict that is not all literals": (
        "import torch\ncfg = {'lr': 0.01, 'device': torch.device('cpu')}",
        {"LEARNING_RATE": "0.01"},
    ),
    "an uncalled function": ("import numpy as np\ndef f():\n    np.random.seed(42)", {"SEED": "42"}),
    "a literal next to a keyword": (SPLIT + "a = train_test_split(x,test_size=.3)if x else 0", {"TEST_SIZE": "0.3"}),
}

LEFT_ALONE = {
    "a rebound name": "n = 1\nn = 2",
    "a counter": "n = 0\nn += 1",
    "a name of a loop": "for i in [1, 2]:\n    k = 3",
    "a name of a branch": "if x:\n    k = 3",
    "a global": "k = 3\ndef f():\n    global k\n    k = 4",
    "a list that grows": "scores = [1]\nscores.append(2)",
    "a list that grows under another name": "a = [1]\nb = a\nb.append(2)",
    "a list that a function changes": "a = [1]\ndef f(v):\n    v[0] = 2\nf(a)",
    "a list that nobody knows what happens to": "import mystery\na = [1]\nmystery.run(a)",
    "a dict with a new key": "d = {'a': 1}\nd['b'] = 2",
    "a builtin's name": "max = 3",
    "a set": "s = {1, 2}",
    "an expression": "steps = 10 * 2",
    "bytes": "b = b'x'",
    "a table of data": f"t = {list(range(500))}",
    "cosmetics": "import matplotlib.pyplot as plt\nplt.plot(x, lw=2, alpha=0.5)\nplt.figure(figsize=(3, 4))",
    "columns and axes": "import pandas as pd\nd = pd.DataFrame(x).drop('a', axis=1, inplace=True)",
    "options of a reader": "import pandas as pd\nd = pd.read_csv(f, sep=';', index_col=0)",
    "workers": MODELS + "m = RF(n_jobs=-1, verbose=1)",
    "no seed": SPLIT + "a = train_test_split(x, random_state=None)",
    "an f-string, whose positions are wrong": SPLIT + "print(f'{train_test_split(x, test_size=0.3)}')",
    "a list made in each round": "from sklearn.neural_network import MLPClassifier\n"
    "for i in x:\n    m = MLPClassifier(hidden_layer_sizes=[5, 5])",
    "what exec may see": SPLIT + "exec(code)\na = train_test_split(x, test_size=0.3)",
}


@pytest.mark.parametrize("case", LIFTED)
def test_is_lifted(case: str) -> None:
    source, expected = LIFTED[case]
    assert constants(lifted(source)) == expected


@pytest.mark.parametrize("case", LEFT_ALONE)
def test_is_left_alone(case: str) -> None:
    program = lifted(LEFT_ALONE[case])
    assert constants(program) == {}
    assert len(program.statements) == len(lifted(LEFT_ALONE[case], tags=(UNTOUCHED,)).statements)


@pytest.mark.parametrize("case", LIFTED)
def test_the_text_means_the_same(case: str) -> None:
    """With the constants put back, each statement is what it was."""
    source, _ = LIFTED[case]
    program = lifted(source)
    own = {part.id for part in ast.walk(ast.parse(source)) if isinstance(part, ast.Name)}
    values = {n: ast.parse(text, mode="eval").body for n, text in constants(program).items() if n not in own}

    class PutBack(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.AST:
            return values.get(node.id, node) if isinstance(node.ctx, ast.Load) else node

        def visit_Call(self, node: ast.Call) -> ast.AST:
            match self.generic_visit(node):
                case ast.Call(func=ast.Name(id="tuple"), args=[ast.List(elts=items)]):
                    return ast.Tuple(items, ast.Load())
                case other:
                    return other

    again = [ast.unparse(PutBack().visit(ast.parse(s.text))) for s in program.statements if s.kind != "constant"]
    assert set(again) <= {ast.unparse(node) for node in ast.parse(source).body}


def test_names_avoid_what_the_notebook_uses() -> None:
    found = constants(lifted(SPLIT + "TEST_SIZE = f()\na = train_test_split(x, test_size=0.3)"))
    assert list(found.values()) == ["0.3"]
    assert "TEST_SIZE" not in found


def test_a_settings_class_is_a_constant() -> None:
    program = lifted("class CFG:\n    lr = 1e-3  # step\n    sizes = [8, 16]\nprint(CFG.lr)")
    (found,) = [s for s in program.statements if s.kind == "constant"]
    assert found.text == "class CFG:\n    lr = 0.001  # step\n    sizes = [8, 16]"


def test_a_settings_class_with_expressions_keeps_its_place() -> None:
    program = lifted("class CFG:\n    epochs = 3\n    steps = epochs * 2\nprint(CFG.steps)")
    assert constants(program) == {"CFG_EPOCHS": "3"}


def test_a_tagged_cell_is_left_alone() -> None:
    source = SPLIT + "a = train_test_split(x, test_size=0.3)"
    assert constants(lifted(source, tags=(UNTOUCHED,))) == {}


def test_a_tuple_is_made_again_where_it_is_used() -> None:
    made = lifted("from sklearn.neural_network import MLPClassifier\nm = MLPClassifier(hidden_layer_sizes=(100, 50))")
    assert any("hidden_layer_sizes=tuple(HIDDEN_LAYER_SIZES)" in s.text for s in made.statements)


def test_what_dvc_would_not_give_back_as_it_was_is_no_constant() -> None:
    made = lifted("SIZE = (1, 2)", "DEEP = [(1, 2)]", "MIXED = {1: 2, 'a': 3}", "ODD = 'a\\u2028b'", "HUGE = 1e999")
    assert constants(made) == {}
