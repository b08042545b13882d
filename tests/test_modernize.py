"""API that libraries no longer have is told, and under `--modernize` written as it is now where that is sure."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from nb2pkg.cli import main
from nb2pkg.knowledge.base import shipped
from nb2pkg.pipeline import Options, convert, plan
from nb2pkg.pipeline import analysed as analysed_notebook
from nb2pkg.refactor.modern_forms import FORMS


def save(path: Path, *sources: str, **metadata: Any) -> Path:
    """A notebook of these code cells."""
    cells = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": []} for s in sources]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}))
    return path


def modern(tmp_path: Path, *sources: str) -> tuple[list[str], list[str]]:
    """The cells' code under --modernize, and what was told of API that is gone."""
    found = analysed_notebook(save(tmp_path / "a.ipynb", *sources), Options(modernize=True))
    return [c.code for c in found.notebook.code_cells], [
        d.code for d in found.told if d.code in ("N201", "N202", "N203")
    ]


PANDAS = "import pandas as pd\ndf = pd.read_csv('d.csv')\ns = df['a']\n"
MENDED = {
    "a module": (
        "from sklearn.cross_validation import train_test_split, cross_val_score as cvs\nx = train_test_split(y)",
        "from sklearn.model_selection import train_test_split, cross_val_score as cvs\nx = train_test_split(y)",
    ),
    "a module by its name": (
        "from sklearn import cross_validation, svm\nx = cross_validation.train_test_split(y)",
        "from sklearn import model_selection, svm\nx = model_selection.train_test_split(y)",
    ),
    "a module as another": (
        "import sklearn.grid_search as gs\nx = gs.GridSearchCV(m, p)",
        "import sklearn.model_selection as gs\nx = gs.GridSearchCV(m, p)",
    ),
    "joblib": (
        "from sklearn.externals import joblib\njoblib.dump(m, 'm.pkl')",
        "import joblib\njoblib.dump(m, 'm.pkl')",
    ),
    "a class with another name": (
        "from sklearn.preprocessing import Imputer, StandardScaler\n"
        "x = Imputer(missing_values='NaN', strategy='mean', axis=0)",
        "from sklearn.impute import SimpleImputer\nfrom sklearn.preprocessing import StandardScaler\n"
        "x = SimpleImputer(missing_values=float(\"nan\"), strategy='mean')",
    ),
    "a builtin": (
        "import numpy as np\nx = np.zeros(3, dtype=np.int)",
        "import numpy as np\nx = np.zeros(3, dtype=int)",
    ),
    "what has to be imported": (
        "import pandas as pd\nx = pd.datetime(2020, 1, 1)",
        "import pandas as pd\nimport datetime\nx = datetime.datetime(2020, 1, 1)",
    ),
    "what is imported already": (
        "import pandas as pd\nimport numpy as np\nx = pd.np.nan",
        "import pandas as pd\nimport numpy as np\nx = np.nan",
    ),
    "rolling": (
        "import pandas as pd\nx = pd.rolling_mean(y, 3, center=True)",
        "import pandas as pd\nx = y.rolling(3, center=True).mean()",
    ),
    "rolling in rolling": (
        "import pandas as pd\nx = pd.rolling_mean(pd.rolling_std(y, 2), window=3)",
        "import pandas as pd\nx = y.rolling(2).std().rolling(window=3).mean()",
    ),
    "DataFrame.sort": (
        PANDAS + "x = df.sort('a', ascending=False)",
        PANDAS + "x = df.sort_values('a', ascending=False)",
    ),
    "its columns": (PANDAS + "x = df.sort(columns=['a'])", PANDAS + "x = df.sort_values(by=['a'])"),
    "its index": (PANDAS + "x = df.sort()", PANDAS + "x = df.sort_index()"),
    "Series.order": (PANDAS + "x = s.order(ascending=False)", PANDAS + "x = s.sort_values(ascending=False)"),
    "as_matrix": ("x = df.as_matrix()", "x = df.values"),
    "ix of labels": (
        PANDAS + "x = df.ix[df.a > 3, 'b']\ny = df.ix[:, ['a', 'b']]",
        PANDAS + "x = df.loc[df.a > 3, 'b']\ny = df.loc[:, ['a', 'b']]",
    ),
    "append of frames": (
        PANDAS + "x = df.append(df, ignore_index=True)",
        PANDAS + "x = pd.concat([df, df], ignore_index=True)",
    ),
    "a style": (
        "import matplotlib.pyplot as plt\nplt.style.use('seaborn-whitegrid')",
        'import matplotlib.pyplot as plt\nplt.style.use("seaborn-v0_8-whitegrid")',
    ),
    "hold": (
        "import matplotlib.pyplot as plt\nplt.hold(True)\nplt.plot(x)",
        "import matplotlib.pyplot as plt\npass\nplt.plot(x)",
    ),
    "seaborn's size": (
        "import seaborn as sns\nsns.pairplot(x, size=3)",
        "import seaborn as sns\nsns.pairplot(x, height=3)",
    ),
    "factorplot": (
        "import seaborn as sns\nsns.factorplot(x='a', data=d, size=4)",
        "import seaborn as sns\nsns.catplot(x='a', data=d, height=4, kind=\"point\")",
    ),
    "Keras's modules": (
        "from keras.layers.core import Dense, Dropout\n"
        "from keras.layers.convolutional import Convolution2D, MaxPooling2D\n"
        "a = Convolution2D(32, 3, 3, border_mode='same')\nb = Dense(output_dim=3, init='normal')",
        "from keras.layers import Dense, Dropout\nfrom keras.layers import Conv2D, MaxPooling2D\n"
        "a = Conv2D(32, (3, 3), padding='same')\nb = Dense(units=3, kernel_initializer='normal')",
    ),
    "Keras within TensorFlow": (
        "from tensorflow.keras.optimizers import Adam\na = Adam(lr=0.1)",
        "from tensorflow.keras.optimizers import Adam\na = Adam(learning_rate=0.1)",
    ),
    "fit_generator": ("m.fit_generator(g, nb_epoch=3)", "m.fit(g, epochs=3)"),
    "nb_epoch": ("m.fit(x, y, nb_epoch=3)", "m.fit(x, y, epochs=3)"),
    "scipy": (
        "from scipy.misc import comb, factorial\nfrom scipy.integrate import simps\nx = comb(3, 2) + simps(y, z)",
        "from scipy.special import comb, factorial\n"
        "from scipy.integrate import simpson\nx = comb(3, 2) + simpson(y, x=z)",
    ),
    "chisqprob": (
        "from scipy import stats\nx = stats.chisqprob(1, 2)",
        "from scipy import stats\nx = stats.chi2.sf(1, 2)",
    ),
    "networkx": ("x = list(G.nodes_iter(data=True))", "x = list(G.nodes(data=True))"),
    "collections": (
        "import collections\nfrom collections import Mapping, Counter\nx = collections.Iterable",
        "import collections\nfrom collections.abc import Mapping\n"
        "from collections import Counter\nimport collections.abc\n"
        "x = collections.abc.Iterable",
    ),
    "clock": ("import time\nx = time.clock()", "import time\nx = time.perf_counter()"),
    "widgets": (
        "from IPython.html import widgets\nx = widgets.IntSlider()",
        "import ipywidgets as widgets\nx = widgets.IntSlider()",
    ),
    "in a function": (
        "import numpy as np\ndef f(x):\n    return x.astype(np.float)",
        "import numpy as np\ndef f(x):\n    return x.astype(float)",
    ),
}


@pytest.mark.parametrize("case", MENDED)
def test_mends(tmp_path: Path, case: str) -> None:
    given, expected = MENDED[case]
    code, told = modern(tmp_path, given)
    assert code == [expected]
    assert set(told) == {"N202"}


TOLD = {
    "another splitter": "from sklearn.cross_validation import KFold\nx = KFold(10, n_folds=3)",
    "Imputer by rows": "from sklearn.preprocessing import Imputer\nx = Imputer(axis=1)",
    "one of two Imputers": "from sklearn.preprocessing import Imputer\nx = Imputer(axis=1)\ny = Imputer()",
    "ix of positions": "x = df.ix[3]",
    "ix of a variable": "x = df.ix[i, 'a']",
    "append of who knows": PANDAS + "x = df.append(row)",
    "as_matrix of columns": "x = df.as_matrix(['a'])",
    "Panel": "import pandas as pd\nx = pd.Panel(y)",
    "rolling with a frequency": "import pandas as pd\nx = pd.rolling_mean(y, 3, freq='D')",
    "load_boston": "from sklearn.datasets import load_boston\nx = load_boston()",
    "a session": "import tensorflow as tf\nx = tf.Session()",
    "predict_classes": "x = m.predict_classes(y)",
    "samples counted": "m.fit_generator(g, samples_per_epoch=3)",
    "imread": "from scipy.misc import imread\nx = imread('a.png')",
    "hold off": "import matplotlib.pyplot as plt\nplt.hold(False)",
}


@pytest.mark.parametrize("source", TOLD.values(), ids=TOLD.keys())
def test_what_is_not_sure_is_told_and_stays(tmp_path: Path, source: str) -> None:
    code, told = modern(tmp_path, source)
    assert code == [source]
    assert set(told) == {"N203"}


ALONE = {
    "a list": "x = [2, 1]\nx.sort()\nx.append(3)",
    "an estimator": "from sklearn.linear_model import LinearRegression\nm = LinearRegression().fit(x, y)",
    "of another library": "import mine\nx = mine.cross_validation.KFold(3)\ny = mine.float",
    "a name of one's own": "def rolling_mean(x, n):\n    return x\ny = rolling_mean([1], 3)",
    "a name that is bound again": "import numpy as np\nnp = Fake()\nx = np.float",
    "an import that is tried": (
        "try:\n    from sklearn.model_selection import train_test_split\nexcept ImportError:\n"
        "    from sklearn.cross_validation import train_test_split\nx = train_test_split(y)"
    ),
    "a parameter that hides a frame": PANDAS + "def f(df):\n    return df.sort()",
    "what is there": "import numpy as np\nx = np.float64(3)\ny = np.int_(2)\nz = np.bool_(1)",
    "a text": "x = 'sklearn.cross_validation and np.float'",
    "another style": "import matplotlib.pyplot as plt\nplt.style.use('ggplot')",
    "a size of something else": "import matplotlib.pyplot as plt\nplt.text(0, 0, 'a', size=3)",
    "abc": "from collections.abc import Mapping\nfrom collections import Counter",
}


@pytest.mark.parametrize("source", ALONE.values(), ids=ALONE.keys())
def test_leaves_alone(tmp_path: Path, source: str) -> None:
    code, told = modern(tmp_path, source)
    assert code == [source]
    assert told == []


def test_without_the_option_it_is_told_once(tmp_path: Path) -> None:
    source = "from sklearn.cross_validation import train_test_split\nimport numpy as np\nx = np.float(3)"
    path = save(tmp_path / "a.ipynb", "a = 1", source, "b = np.float(2)")
    (only,) = [d for d in plan(path).diagnostics if d.code.startswith("N2")]
    assert (only.code, only.cell, only.line) == ("N201", 1, 1)
    assert "`sklearn.cross_validation` (since scikit-learn 0.20, cell 2)" in only.message
    assert "`numpy.float` (since numpy 1.24, cells 2, 3)" in only.message


RUNS = (
    "import numpy as np\nimport pandas as pd\nimport collections\n"
    "from sklearn.cross_validation import train_test_split",
    "df = pd.DataFrame({'a': [3, 1, 2], 'b': [1.0, 2.0, 4.0]})\nx = df.sort('a')\nprint(x.as_matrix().tolist())",
    "print(pd.rolling_mean(df['b'], 2).tolist()[1:], df.ix[df.a > 1, 'b'].tolist(), np.float('3'))",
    "%time y = df.append(df, ignore_index=True)\nprint(len(y), isinstance({}, collections.Mapping))",
    "a, b = train_test_split(df, test_size=1, random_state=0)\nprint(len(a), len(b))",
)


def test_the_package_runs_on_libraries_of_today(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", *RUNS)
    convert(path, tmp_path / "out", Options(package="pkg", modernize=True, git=False))
    command = [sys.executable, "-m", "pkg"]
    environment = os.environ | {"PYTHONPATH": ""}
    done = subprocess.run(command, cwd=tmp_path / "out", env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == [
        "[[1.0, 2.0], [2.0, 4.0], [3.0, 1.0]]",
        "[1.5, 3.0] [1.0, 4.0] 3.0",
        "6 True",
        "2 1",
    ], done.stderr
    today = json.loads((tmp_path / "out" / "notebooks" / "a_python3.ipynb").read_text())
    sources = ["".join(cell["source"]) for cell in today["cells"]]
    assert "from sklearn.model_selection import train_test_split" in sources[0]
    assert sources[3].startswith("%time y = pd.concat([df, df], ignore_index=True)")


def test_modules_beside_and_scripts_that_are_run_follow(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("import numpy as np\n\n\ndef f(x):\n    return np.float(x)\n")
    (tmp_path / "latin.py").write_bytes("# -*- coding: latin-1 -*-\nprint '\xe9'\n".encode("latin-1"))
    (tmp_path / "script.py").write_text("import time\nt = time.clock()\n")
    path = save(tmp_path / "a.ipynb", "import helper, latin", "%run script.py\nprint(helper.f(3))")
    made = convert(path, tmp_path / "out", Options(package="pkg", modernize=True, git=False))
    out = tmp_path / "out"
    assert (out / "helper.py").read_text().endswith("    return float(x)\n")
    assert (out / "latin.py").read_bytes().endswith("print('\xe9')\n".encode("latin-1"))
    assert "t = time.perf_counter()" in (out / "notebooks" / "script.py").read_text()
    told = [str(each) for each in made.diagnostics if each.code == "N202"]
    assert any("in helper.py, line 5: `numpy.float`, gone since numpy 1.24, is written as it is now" in t for t in told)


def test_the_option_stands_on_the_command_line_and_in_the_table(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", "import numpy as np\nx = np.float(3)")
    assert "N201" in CliRunner().invoke(main, ["plan", str(path)]).output
    assert "N202" in CliRunner().invoke(main, ["plan", str(path), "--modernize"]).output
    (tmp_path / "pyproject.toml").write_text("[tool.nb2pkg]\nmodernize = true\n")
    assert "N202" in CliRunner().invoke(main, ["plan", str(path)]).output


def is_there(name: str) -> bool:
    """Whether the full name leads to a module, or to something in one."""
    module, _, last = name.rpartition(".")
    if not module:
        return importlib.util.find_spec(name) is not None
    try:
        return hasattr(importlib.import_module(module), last) or importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:  # of a class or an object
        owner, _, thing = module.rpartition(".")
        return hasattr(getattr(importlib.import_module(owner), thing), last)


HERE = tuple(str.split("numpy pandas sklearn scipy collections time math importlib datetime IPython joblib"))
NEW = sorted(
    {
        e.now + n.rpartition(".")[2] if e.now.endswith(".") else e.now
        for n, e in shipped().removed.items()
        if e.now.partition(".")[0] in HERE
    }
)


@pytest.mark.parametrize("name", NEW)
def test_what_it_is_called_now_is_there(name: str) -> None:
    assert is_there(name)


def test_every_entry_can_be_told() -> None:
    for name, entry in shipped().removed.items():
        assert entry.since, name
        assert entry.now or entry.form or entry.advice or entry.only_args, name
        assert not entry.form or entry.form in FORMS, name
        assert not entry.only_args or entry.keywords or entry.strings, name
