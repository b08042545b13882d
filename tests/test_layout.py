"""Files move to `data/raw/`, `models/`, `data/processed/` and `reports/` where nobody can tell; else all stay."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from nb2pkg.pipeline import Converted, Options, convert

TRAIN = "import pandas as pd\ndf = pd.read_csv('data/train.csv')\n"


def converted(folder: Path, *cells: str, **options: bool) -> Converted:
    """The conversion of a notebook of these cells (`## …` is markdown), with a few files beside it."""
    made = []
    for place, text in enumerate(cells):
        code = {"cell_type": "code", "outputs": [], "execution_count": None}
        kind = {"cell_type": "markdown"} if text.startswith("##") else code
        made.append({"id": f"c{place}", "metadata": {}, "source": text, **kind})
    for name in ("data/train.csv", "other/train.csv", "images/old.png", "log.txt"):
        (folder / "nb" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "nb" / name).write_text("a,b\n1,2\n")
    path = folder / "nb" / "nb.ipynb"
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))
    return convert(path, folder / "out", Options(git=False, package="pkg", **options))


@pytest.mark.parametrize(
    ("code", "moves"),
    [
        (TRAIN, {"data/train.csv": "data/raw/train.csv"}),
        ("print(open('./log.txt').read())", {"log.txt": "data/raw/log.txt"}),
        (
            f"{TRAIN}other = pd.read_csv('other/train.csv')",
            {"data/train.csv": "data/raw/train.csv", "other/train.csv": "data/raw/other/train.csv"},
        ),
        (
            f"{TRAIN}import numpy as np\na = df.values\nimport pickle\nwith open('a.pkl', 'wb') as f:\n"
            "    pickle.dump(a, f)\nwith open('m.pkl', 'wb') as f:\n    pickle.dump(object(), f)\n"
            "df.to_csv('out/x.csv')",
            {
                "data/train.csv": "data/raw/train.csv",
                "a.pkl": "data/processed/a.pkl",
                "m.pkl": "models/m.pkl",
                "out/x.csv": "data/processed/out/x.csv",
            },
        ),
        (
            "import matplotlib.pyplot as plt\nplt.plot([1])\nplt.savefig('images/new.png')",
            {"images/new.png": "reports/images/new.png"},
        ),
        ("import os\nos.makedirs('models', exist_ok=True)\nopen('models/m.pt', 'wb').close()",
         {"models": "models/models", "models/m.pt": "models/models/m.pt"}),
        ("PATH = 'data/train.csv'\nprint(open(PATH).read())", {"data/train.csv": "data/raw/train.csv"}),
    ],
)
def test_what_moves(tmp_path: Path, code: str, moves: dict[str, str]) -> None:
    made = converted(tmp_path, code)
    assert dict(made.plan.moved) == moves and made.plan.in_place
    manifest = json.loads((tmp_path / "out/.nb2pkg/manifest.json").read_text())
    assert {p["original"]: p["package"] for p in manifest["paths"]} == moves
    assert not (tmp_path / "out/workspace").exists() and not (tmp_path / "out/pkg/workspace.py").exists()
    listed = (tmp_path / "out/dvc.yaml").read_text()
    for target in moves.values():
        inside = [other for other in moves.values() if target.startswith(f"{other}/")]
        assert (f"- {target}\n" in listed) or inside


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import os\nopen('data/new.csv', 'w').close()\nprint(os.listdir('data'))", "looked at as a whole"),
        ("from pathlib import Path\nprint([str(p) for p in Path('data').iterdir()])", "tells the path"),
        ("print(open('log.txt').name)", "asked for its name"),
        ("def read(p):\n    print(p)\n    return open(p).read()\nread('log.txt')", "p is not always the same path"),
        ("print(f\"{open('log.txt').read()}\")", "more than the name of a file"),
        ("for name in ('train', 'test'):\n    print(name)\n    open(f'{name}.csv', 'w')", "while the code runs"),
        (f"{TRAIN}import os\nprint(os.getcwd())", "os.getcwd() depends"),
        (f"{TRAIN}import os\nprint(os.listdir())", "os.listdir() depends"),
        (f"{TRAIN}!ls", "depends on the working folder"),
        (f"{TRAIN}df.to_csv('data/train.csv')", "read, and then written over"),
        ("with open('log.txt', 'a') as f:\n    f.write('x')", "appended to"),
        ("import shutil\nprint(shutil.copy('log.txt', 'copy.txt'))", "tells the path"),
        ("f = open('log.txt')\nprint(f.name)", "asked for its name"),
        ("import somelib\nsomelib.read('log.txt')", "may be a file"),
        ("open('missing.csv').read()", "is not there"),
        ("def read(p):\n    return open(p).read()\nlist(map(read, ['log.txt']))", "while the code runs"),
    ],
)
def test_what_stays(tmp_path: Path, code: str, reason: str) -> None:
    made = converted(tmp_path, code)
    assert not made.plan.in_place and not made.plan.moved
    told = [d.message for d in made.diagnostics if d.code == "N405"]
    assert len(told) == 1 and reason in told[0]


@pytest.mark.parametrize(
    ("code", "texts"),
    [
        # The literal that all paths begin with is the one that changes.
        (
            "import os\nDIR = 'data'\nprint(open(os.path.join(DIR, 'train.csv')).read())\n"
            "print(open(f'{DIR}/train.csv').read(), open(DIR + '/train.csv').read())",
            ['DIR = "data/raw"', "os.path.join(DIR, ", 'f"{DIR}/train.csv"'],
        ),
        (
            "from pathlib import Path\nDIR = Path('data')\nFILE = DIR / 'train.csv'\n"
            "print(FILE.read_text(), open(str(DIR / 'train.csv')).read())",
            ['Path("data/raw")', 'DIR / "train.csv"'],
        ),
        ("print(open('./' + 'log.txt').read())", ['"data/raw/"']),
        (
            "DIR = 'data/'\ndef read(name):\n    return open(DIR + name).read()\nprint(read('train.csv'))",
            ['DIR = "data/raw/"', "open(DIR + name)"],
        ),
        (
            "import os\nMODELS = 'models'\nos.makedirs(MODELS, exist_ok=True)\nimport pickle\n"
            "with open(os.path.join(MODELS, 'm.pkl'), 'wb') as f:\n    pickle.dump(object(), f)",
            ['MODELS = "models/models"'],
        ),
        # Where it is more than that, or they go to different places, each argument changes.
        ("path = 'data/train.csv'\nprint(path, open(path).read())", ['"data/train.csv"', '"data/raw/train.csv"']),
        ("DIR = 'data'\nprint(DIR, open(DIR + '/train.csv').read())", ['DIR = "data"', '"data/raw/train.csv"']),
        (
            "DIR = 'data/'\ntext = open(DIR + 'train.csv').read()\nwith open(DIR + 'out.csv', 'w') as f:\n"
            "    print(f.write(text))",
            ['"data/raw/train.csv"', '"data/processed/out.csv"'],
        ),
        ("D = 'data'\nprint(D, open(f'{D}/train.csv').read())", ['D = "data"', 'open("data/raw/train.csv")']),
        ("print('log.txt', open('log.txt').read())", ['"log.txt"', '"data/raw/log.txt"']),
        ("p = 'a.csv'\np = 'log.txt'\nprint(open(p).read())", ['"data/raw/log.txt"']),
        (
            "from pathlib import Path\np = Path('log.txt')\nprint(p, p.read_text())",
            ['p = Path("log.txt")', 'Path("data/raw/log.txt").read_text()'],
        ),
        (
            "import copy, pickle\nDIR = 'data'\ndef read(name):\n    return open(DIR + '/' + name).read()\n"
            "print(pickle.loads(pickle.dumps([1])).index(1), read('train.csv'))",
            ['DIR = "data/raw"', 'read("train.csv")'],
        ),
        # What a function only opens changes where it is given.
        (
            "def read(path):\n    return open(path).read()\nprint(read('log.txt'), read(path='data/train.csv'))",
            ["open(path)", 'read("data/raw/log.txt")'],
        ),
    ],
)
def test_paths_that_are_joined_named_or_shown(tmp_path: Path, code: str, texts: list[str]) -> None:
    made = converted(tmp_path, code)
    assert made.plan.in_place, [str(d) for d in made.diagnostics]
    text = "".join(path.read_text() for path in sorted((tmp_path / "out/pkg").glob("*.py")))
    for name, value in re.findall(r'(?m)^([A-Z]+_[A-Z_]+) = ("[^"]*")', text):
        text = re.sub(rf"\b{name}\b(?! =)", value, text)
    assert [t for t in texts if t not in text] == []
    script = ["-c", code]
    before = subprocess.run([sys.executable, *script], cwd=tmp_path / "nb", capture_output=True, text=True, check=True)
    out = tmp_path / "out"
    after = subprocess.run([sys.executable, "-m", "pkg"], cwd=out, capture_output=True, text=True, check=True)
    assert after.stdout == before.stdout


def test_what_gives_back_its_path_is_told_the_notebooks(tmp_path: Path) -> None:
    made = converted(tmp_path, "from joblib import dump, load\ndump([1], './m.joblib')", "load('m.joblib')")
    assert made.plan.in_place and dict(made.plan.moved) == {"m.joblib": "data/processed/m.joblib"}
    text = "".join(path.read_text() for path in (tmp_path / "out/pkg").glob("*.py"))
    assert re.search(r'show\(dump_joblib\(\[1\], \w+, told="./m.joblib"\)\)', text)


@pytest.mark.parametrize(
    "code",
    [
        "import io\nimport pandas as pd\ntext = io.StringIO('a,b')\nprint(pd.read_csv(text))",
        "import pandas as pd\nwith open('log.txt') as f:\n    df = pd.read_csv(f)",
        "import libpysal\nimport pandas as pd\npath = libpysal.examples.get_path('usjoin.csv')\ndf = pd.read_csv(path)",
        "import os\nimport sys\nsys.path.append(os.path.abspath('..'))",
        "import calm",
    ],
)
def test_what_is_no_file_beside_the_notebook_keeps_none_in_its_place(tmp_path: Path, code: str) -> None:
    (tmp_path / "nb").mkdir()
    (tmp_path / "nb" / "calm.py").write_text("import math\n\ndef double(x):\n    return math.floor(2 * x)\n")
    made = converted(tmp_path, code)
    assert made.plan.in_place, [str(d) for d in made.diagnostics]


@pytest.mark.parametrize("text", ["def f():\n    open('x.csv')\n", "import os\n", "NAME = 'x.csv'\n", "def f(:\n"])
def test_a_module_of_its_own_that_may_open_a_file_keeps_all_in_their_places(tmp_path: Path, text: str) -> None:
    (tmp_path / "nb").mkdir()
    (tmp_path / "nb" / "loud.py").write_text(text)
    told = [d.message for d in converted(tmp_path, "import loud").diagnostics if d.code == "N405"]
    assert len(told) == 1 and "its own module loud may open files" in told[0]


def test_the_user_keeps_the_layout(tmp_path: Path) -> None:
    made = converted(tmp_path, TRAIN, keep_layout=True)
    assert not made.plan.in_place and "N405" not in {d.code for d in made.diagnostics}
    assert (tmp_path / "out/workspace/data/train.csv").is_file()


def test_the_pipeline_runs_with_dvc_and_runs_nothing_again(tmp_path: Path) -> None:
    converted(
        tmp_path,
        "## Load",
        f"{TRAIN}print(df)",
        "## Save",
        "import os\nos.makedirs('tables', exist_ok=True)\ndf.to_csv('tables/x.csv')\n"
        "import pickle\nwith open('model.pkl', 'wb') as f:\n    pickle.dump({'a': df}, f)",
        "## Read",
        "with open('model.pkl', 'rb') as f:\n    back = pickle.load(f)\nprint(back['a'], open('tables/x.csv').read())",
    )
    out = tmp_path / "out"
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": path, "DVC_NO_ANALYTICS": "1"}
    for again in (False, True):
        done = subprocess.run(["dvc", "repro"], cwd=out, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        assert ("Running stage" in done.stdout) is not again
    assert (out / "data/processed/tables/x.csv").is_file() and (out / "data/processed/model.pkl").is_file()
