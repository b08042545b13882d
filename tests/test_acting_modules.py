"""Modules beside a notebook that do more than define things: stages print what one process prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from nb2pkg import Options, convert
from nb2pkg.plan.types import Plan

PLAIN = '''"""A module like most."""

import logging
import os
import re
from functools import lru_cache

logger = logging.getLogger(__name__)
WORDS = re.compile("[a-z]+")
DEFAULTS = {"a": 1}
HERE = os.path.dirname(__file__)


@lru_cache(maxsize=None)
def words(text):
    logger.info("words of %s", text)
    return tuple(WORDS.findall(text)), DEFAULTS.get("a"), list(DEFAULTS)


class Model:
    rate = 0.1

    def __init__(self, size):
        self.size = size
        self.seen = []

    def fit(self, rows):
        self.seen.append(rows)
        return self


if __name__ == "__main__":
    print(words("a b"))
'''

CASES: dict[str, tuple[dict[str, str], list[str]]] = {
    "a counter": (
        {"ids.py": "_n = 0\n\n\ndef new():\n    global _n\n    _n += 1\n    return _n\n"},
        ["import ids\n\na = ids.new()\nprint(a)", "b = ids.new() + a\nprint(b)", "print(ids.new(), a, b)"],
    ),
    "an iterator": (
        {"ids.py": "import itertools\n\nNUMBERS = itertools.count(5)\n\n\ndef new():\n    return next(NUMBERS)\n"},
        ["from ids import new as fresh\n\na = fresh()\nprint(a)", "b = fresh()\nprint(b)", "print(a, fresh())"],
    ),
    "a cache that is a class's": (
        {"tools.py": "class Memo:\n    known = {}\n\n    def put(self, x):\n        self.known[x] = len(self.known)\n"},
        [
            "from tools import Memo\n\nm = Memo()\nm.put('a')\nprint(m.known)",
            "m.put('b')\nprint(m.known)",
            "n = Memo()\nn.put('c')\nprint(sorted(n.known.items()))",
        ],
    ),
    "a generator of its own": (
        {"noise.py": "import random\n\nRNG = random.Random(3)\n\n\ndef noise():\n    return RNG.random()\n"},
        ["import noise\n\na = noise.noise()\nprint(a)", "b = a + noise.noise()\nprint(b)", "print(noise.noise(), b)"],
    ),
    "it prints": (
        {"loud.py": "print('loud is loaded')\n\n\ndef double(x):\n    return 2 * x\n"},
        ["a = 3\nprint(a)", "import loud\n\nb = loud.double(a)\nprint(b)", "print(loud.double(b), a)"],
    ),
    "it prints, and nobody reads it": (
        {"loud.py": "print('loud is loaded')\n"},
        ["a = [3]\nprint(a)", "import loud\n\nb = [*a, 4]\nprint(b)", "print(a + b)"],
    ),
    "a star of one that prints": (
        {"loud.py": "print('loud is loaded')\n\n\ndef double(x):\n    return 2 * x\n"},
        ["a = [3]\nprint(a)", "from loud import *\n\nb = double(a)\nprint(b)", "print(double(b), a)"],
    ),
    "it seeds when imported": (
        {"setup_all.py": "import random\n\nrandom.seed(11)\nSIZE = 3\n"},
        [
            "import random\nimport setup_all\n\na = [random.random() for _ in range(setup_all.SIZE)]\nprint(a)",
            "b = [x + random.random() for x in a]\nprint(b)",
            "print(random.random(), setup_all.SIZE, sum(b))",
        ],
    ),
    "a function seeds": (
        {"repeat.py": "import random\n\n\ndef seed_everything(n):\n    random.seed(n)\n"},
        [
            "import random\nfrom repeat import seed_everything\n\nseed_everything(7)\na = [random.random()]\nprint(a)",
            "b = [x + random.random() for x in a]\nprint(b)",
            "print(random.random(), b)",
        ],
    ),
    "a function sets": (
        {"style.py": "import pandas as pd\n\n\ndef wide(n):\n    pd.set_option('display.max_columns', n)\n"},
        [
            "import pandas as pd\nimport style\n\nstyle.wide(3)\nd = pd.DataFrame([range(9)])\nprint(d)",
            "e = d * 2\nprint(e)",
            "print(e + d)",
        ],
    ),
    "it sets when imported": (
        {"style.py": "import pandas as pd\n\npd.set_option('display.max_columns', 3)\nFACTOR = 2\n"},
        [
            "import pandas as pd\nimport style\n\nd = pd.DataFrame({c: [style.FACTOR] for c in 'abcdefg'})\nprint(d)",
            "e = d * 2\nprint(e)",
            "print(e + d)",
        ],
    ),
    "it sets again what was set": (
        {"style.py": "import pandas as pd\n\npd.set_option('display.max_columns', 3)\nFACTOR = 2\n"},
        [
            "import pandas as pd\n\npd.set_option('display.max_columns', 5)\nd = pd.DataFrame([range(9)])\nprint(d)",
            "import style\n\ne = d * style.FACTOR\nprint(e)",
            "print(e + d * style.FACTOR)",
        ],
    ),
    "the notebook changes what it holds": (
        {"conf.py": "ITEMS = [1]\nOPTIONS = {}\n\n\ndef count():\n    return len(ITEMS), OPTIONS.get('a')\n"},
        [
            "import conf\nfrom conf import OPTIONS as o\n\na = conf.count()\nprint(a)",
            "conf.ITEMS.append(2)\no.update(a=3)\nb = conf.count()\nprint(b)",
            "print(conf.count(), a, b)",
        ],
    ),
    "by way of another module": (
        {
            "outer.py": "import inner\n\n\ndef new():\n    return inner.new()\n",
            "inner.py": "FOUND = []\n\n\ndef new():\n    FOUND.append(1)\n    return len(FOUND)\n",
        },
        ["import outer\n\na = outer.new()\nprint(a)", "b = outer.new()\nprint(b, a)", "print(outer.new())"],
    ),
    "it is changed under another name": (
        {"conf.py": "ITEMS = [1]\n\n\ndef count():\n    return len(ITEMS)\n"},
        [
            "import conf\n\nfound = conf.ITEMS\nprint(conf.count())",
            "found.append(2)\nprint(conf.count())",
            "print(conf.count(), conf.ITEMS)",
        ],
    ),
    "what a function hands out": (
        {"conf.py": "_items = []\n\n\ndef items():\n    return _items\n"},
        ["import conf\n\nprint(conf.items())", "conf.items().append(2)\na = 1", "print(conf.items(), a)"],
    ),
    "an attribute is set": (
        {"conf.py": "RATE = 1\n\n\ndef scaled(x):\n    return RATE * x\n"},
        ["import conf\n\na = conf.scaled(2)\nprint(a)", "conf.RATE = 5\nprint(a)", "print(conf.scaled(2), a)"],
    ),
    "an object of a module": (
        {
            "store.py": "class Store:\n    def __init__(self):\n        self.rows = []\n\n"
            "    def add(self, row):\n        self.rows.append(row)\n        return len(self.rows)\n\n\n"
            "STORE = Store()\n"
        },
        [
            "from store import STORE\n\nprint(STORE.add(1))",
            "a = STORE.add(2)\nprint(a)",
            "print(STORE.add(3), STORE.rows, a)",
        ],
    ),
    "a class counts its objects": (
        {
            "ids.py": "class Item:\n    made = 0\n\n    def __init__(self):\n        Item.made += 1\n"
            "        self.id = Item.made\n"
        },
        ["from ids import Item\n\na = Item().id\nprint(a)", "b = Item().id\nprint(b)", "print(Item().id, a, b)"],
    ),
    "a default keeps": (
        {"tools.py": "def add(x, seen=[]):\n    seen.append(x)\n    return list(seen)\n"},
        ["from tools import add\n\na = add(1)\nprint(a)", "b = add(2)\nprint(b)", "print(add(3), a, b)"],
    ),
    "a function's attribute": (
        {"tools.py": "def add(x):\n    add.calls += 1\n    return x + add.calls\n\n\nadd.calls = 0\n"},
        ["from tools import add\n\na = add(1)\nprint(a)", "b = add(2)\nprint(b)", "print(add(3), a, b)"],
    ),
    "what a function closes over": (
        {
            "tools.py": "def _counter():\n    n = 0\n\n    def new():\n        nonlocal n\n        n += 1\n"
            "        return n\n\n    return new\n\n\nnew = _counter()\n"
        },
        ["from tools import new\n\na = new()\nprint(a)", "b = new()\nprint(b)", "print(new(), a, b)"],
    ),
    "one of two imported together prints": (
        {"loud.py": "print('loud is loaded')\n"},
        ["a = [3]\nprint(a)", "import loud, os\n\nb = [*a, len(os.sep)]\nprint(b)", "print(a + b, os.sep)"],
    ),
    "a package whose module counts": (
        {
            "lab/__init__.py": "from .ids import new\n",
            "lab/ids.py": "_n = [0]\n\n\ndef new():\n    _n[0] += 1\n    return _n[0]\n",
        },
        ["import lab\n\na = lab.new()\nprint(a)", "b = lab.ids.new()\nprint(b)", "print(lab.new(), a, b)"],
    ),
    "modules that take all of one another": (
        {
            "base.py": "_hidden = 1\nITEMS = []\n\n\ndef put(x):\n    ITEMS.append(x)\n    return len(ITEMS)\n",
            "more.py": "from base import *\n\n\ndef twice(x):\n    put(x)\n    return put(x)\n",
        },
        ["import more\n\na = more.twice(1)\nprint(a)", "b = more.twice(2)\nprint(b)", "print(more.ITEMS, a, b)"],
    ),
    "it reads when imported": (
        {"conf.json": "[3, 4]", "conf.py": "import json\n\nN = json.load(open('conf.json'))\n"},
        [
            "import conf\n\n\ndef times(x):\n    return [n * x for n in conf.N]\n\n\na = times(2)\nprint(a)",
            "b = times(a[0])\nprint(b)",
            "from conf import N\n\nprint(N, a, b)",
        ],
    ),
    "it reads what is written before": (
        {"conf.txt": "old", "conf.py": "with open('conf.txt') as file:\n    TEXT = file.read()\n"},
        [
            "with open('conf.txt', 'w') as f:\n    f.write('new')\nprint('written')",
            "import conf\n\na = conf.TEXT\nprint(a)",
            "print(conf.TEXT, a)",
        ],
    ),
    "it reads what is written later": (
        {"conf.txt": "old", "conf.py": "with open('conf.txt') as file:\n    TEXT = file.read()\n"},
        [
            "import conf\n\na = conf.TEXT\nprint(a)",
            "with open('conf.txt', 'w') as f:\n    f.write('new')\nprint('written')",
            "print(conf.TEXT, a, open('conf.txt').read())",
        ],
    ),
    "it reads where the notebook went": (
        {"in/conf.txt": "inner", "conf.txt": "outer", "conf.py": "TEXT = open('conf.txt').read()\n"},
        [
            "import os\n\nos.chdir('in')\nprint(os.listdir('.'))",
            "import conf\n\na = conf.TEXT\nprint(a)",
            "print(conf.TEXT, a)",
        ],
    ),
    "it reads beside itself": (
        {
            "lib/conf/c.txt": "there",
            "lib/conf.py": "from pathlib import Path\n\nHERE = Path(__file__).resolve().parent\n"
            "TEXT = (HERE / 'conf' / 'c.txt').read_text()\n\n\ndef again():\n"
            "    return (HERE / 'conf' / 'c.txt').read_text()\n",
        },
        [
            "import sys\n\nsys.path.append('lib')\nprint(1)",
            "import conf\n\na = conf.again()\nprint(a)",
            "print(conf.again(), conf.TEXT, a)",
        ],
    ),
    "it makes folders that are not there": (
        {
            "conf.py": "import os\n\nOUT = 'out'\nif not os.path.exists(OUT):\n    os.makedirs(OUT)\n"
            "try:\n    os.mkdir('more')\nexcept FileExistsError:\n    pass\n"
        },
        [
            "import conf\n\nopen(conf.OUT + '/a.txt', 'w').write('a')\nprint('written')",
            "a = [open('out/a.txt').read()]\nprint(a, conf.OUT)",
            "import os\nfrom conf import OUT\n\nprint(sorted(os.listdir(OUT)), a)",
        ],
    ),
    "a module that another one uses": (
        {"ids.py": "_n = 0\n\n\ndef new():\n    global _n\n    _n += 1\n", "other.py": "import ids\n"},
        ["import ids\n\nids.new()\nprint(1)", "import other\n\nprint(2)", "print(ids._n)"],
    ),
    "a module that a function imports": (
        {
            "outer.py": "def new():\n    import inner\n\n    return inner.new()\n",
            "inner.py": "FOUND = []\nprint('inner')\n\n\ndef new():\n    FOUND.append(1)\n    return len(FOUND)\n",
        },
        ["import outer\n\nprint(outer.new())", "a = outer.new()\nprint(a)", "print(outer.new(), a)"],
    ),
    "what stands with its import prints too": (
        {"loud.py": "print('loud')\nN = 2\n"},
        ["if True:\n    import loud\n\n    print('loaded')", "a = loud.N\nprint(a)", "print(loud.N, a)"],
    ),
    "it does what only an import does": (
        {"m.py": "N = []\nif __name__ == '__main__':\n    N = [1]\nelse:\n    print('imported')\n"},
        ["import m\n\nprint(m.N)", "a = m.N\nprint(a)", "print(m.N, a)"],
    ),
    "it draws when imported": (
        {"m.py": "import random\n\nX = random.random()\n"},
        ["import random\n\nrandom.seed(3)\nprint(1)", "import m\n\nprint(m.X)", "print(m.X, random.random())"],
    ),
    "an attribute of what nobody knows": (
        {"conf.py": "from types import SimpleNamespace\n\nC = SimpleNamespace(a=1)\n"},
        ["import conf\n\nprint(conf.C.a)", "conf.C.a = 5\nprint(2)", "print(conf.C.a)"],
    ),
    "it says where others are": (
        {
            "paths.py": "import os, sys\n\nsys.path.insert(0, os.path.join(os.path.dirname(__file__), 'lib'))\n",
            "lib/tools.py": "import deeper\n\n\ndef double(x):\n    return deeper.TWO * x\n",
            "lib/deeper.py": "TWO = 2\n",
        },
        ["import paths\nimport tools\n\na = 3\nprint(a)", "b = tools.double(a)\nprint(b)", "print(a, b)"],
    ),
    "most only hold things": (
        {"tools.py": PLAIN},
        [
            "import tools\n\na = tools.words('one two')[0]\nprint(a)",
            "m = tools.Model(3).fit(a)\nprint(m.seen, tools.DEFAULTS)",
            "print(tools.words('three'), a, m.seen, m.rate)",
        ],
    ),
    "a notebook's function calls it": (
        {"ids.py": "_n = 0\n\n\ndef new():\n    global _n\n    _n += 1\n    return _n\n"},
        [
            "import ids\n\n\ndef labelled(x):\n    return x, ids.new()\n\n\na = labelled('a')\nprint(a)",
            "b = labelled('b')\nprint(b)",
            "print(labelled('c'), a, b)",
        ],
    ),
}


def converted(modules: dict[str, str], cells: list[str], folder: Path) -> Plan:
    source = folder / "source"
    source.mkdir()
    for name, text in modules.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    made = [
        part
        for place, cell in enumerate(cells)
        for part in (
            {"cell_type": "markdown", "source": f"## {('Load', 'Prepare', 'Report')[place]}", "metadata": {}},
            {"cell_type": "code", "source": cell, "metadata": {}, "outputs": [], "execution_count": None},
        )
    ]
    (source / "a.ipynb").write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": {}, "cells": made}))
    return convert(source / "a.ipynb", folder / "out", Options(git=False)).plan


def run(words: list[str], folder: Path) -> str:
    env = {**os.environ, "PYTHONPATH": str(folder)}
    done = subprocess.run([sys.executable, *words], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.parametrize("case", CASES)
def test_stages_print_what_one_process_prints(case: str, tmp_path: Path) -> None:
    modules, cells = CASES[case]
    plan = converted(modules, cells, tmp_path)
    expected = run(["-c", "\n".join(cells)], tmp_path / "source")
    staged = "".join(run(["-m", f"{plan.package}.{stage.name}"], tmp_path / "out") for stage in plan.stages)
    assert staged == expected


STAGES = {
    "most only hold things": 3,
    "it reads when imported": 3,
    "it reads what is written before": 2,
    "it reads beside itself": 3,
    "it says where others are": 3,
    "it makes folders that are not there": 3,
    "a counter": 1,
    "it prints": 2,
    "it seeds when imported": 3,
    "a function seeds": 3,
    "a function sets": 3,
    "it sets when imported": 3,
}


@pytest.mark.parametrize("case", STAGES)
def test_only_what_has_to_be_is_in_one_stage(case: str, tmp_path: Path) -> None:
    assert len(converted(*CASES[case], tmp_path).stages) == STAGES[case]


def test_what_stays_together_is_told(tmp_path: Path) -> None:
    plan = converted(*CASES["a counter"], tmp_path)
    told = [d for d in plan.diagnostics if d.code == "N311"]
    assert [(d.cell, d.severity) for d in told] == [(1, "info")]
    assert "the module ids stays in one stage: cell 2 changes what it keeps" in told[0].message


SAVING = """import os
import pickle

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = "models"


def save(value, name):
    os.makedirs(FOLDER, exist_ok=True)
    with open(os.path.join(HERE, FOLDER, name), "wb") as file:
        pickle.dump(value, file)


def load(name):
    with open(f"{FOLDER}/{name}", "rb") as file:
        return pickle.load(file)
"""


def test_files_that_a_module_saves_and_loads_are_those_of_the_stages_that_call_it(tmp_path: Path) -> None:
    cells = [
        "import saving\n\nsaving.save([1, 2], 'a.pkl')\nprint('saved')",
        "a = saving.load('a.pkl')\nprint(a)",
        "print(open(saving.FOLDER + '/a.pkl', 'rb').read() != b'', len(a))",
    ]
    plan = converted({"saving.py": SAVING}, cells, tmp_path)
    assert [(s.writes_files, s.reads_files) for s in plan.stages] == [
        (("models", "models/a.pkl"), ()),
        ((), ("models/a.pkl",)),
        ((), ("models/a.pkl",)),
    ]
    printed = [run(["-m", f"{plan.package}.{stage.name}"], tmp_path / "out") for stage in plan.stages]
    assert printed == ["saved\n", "[1, 2]\n", "True 2\n"]
