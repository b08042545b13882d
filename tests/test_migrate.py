"""A repository of notebooks becomes one package whose stages are joined by files, and which does what they did."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from lab import in_order, migrated, paths, run, stages, write_notebook
from nb2pkg.errors import Nb2pkgError
from nb2pkg.migrate.scan import scan


def git(folder: Path, *words: str) -> None:
    identity = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    subprocess.run(["git", *identity, *words], cwd=folder, check=True, capture_output=True)


def row(result: object, name: str) -> object:
    return next(r for r in result.migration.rows if r.notebook == name)  # type: ignore[attr-defined]  # a Migrated


# -- the scan --------------------------------------------------------------------------------------------------


def test_the_scan_passes_over_what_git_ignores_checkpoints_and_copies(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    for name in ("10 last.ipynb", "2 first.ipynb", "ignored/x.ipynb", ".ipynb_checkpoints/2 first-checkpoint.ipynb"):
        write_notebook(lab / name, f"print({name!r})")
    (lab / "Copy of first.ipynb").write_bytes((lab / "2 first.ipynb").read_bytes())
    (lab / ".gitignore").write_text("ignored/\n")
    before = {path: path.read_bytes() for path in lab.rglob("*") if path.is_file()}
    for known in (False, True):
        if known:
            git(lab, "init", "-q")
            git(lab, "add", "-A")
            git(lab, "commit", "-qm", "all", "--date", "2015-03-01T10:00:00Z")
        found = scan(lab).notebooks
        assert [n.path for n in found] == ["2 first.ipynb", "10 last.ipynb"]
        assert found[0].copies == ("Copy of first.ipynb",)
        assert bool(found[0].committed) == known
    assert {path: path.read_bytes() for path in before} == before


def test_a_nested_ignore_file_may_take_back_what_one_above_ignores(tmp_path: Path) -> None:
    write_notebook(tmp_path / "a" / "kept.ipynb", "1")
    write_notebook(tmp_path / "a" / "other.ipynb", "2")
    (tmp_path / ".gitignore").write_text("*.ipynb\n")
    (tmp_path / "a" / ".gitignore").write_text("!kept.ipynb\n")
    assert [n.path for n in scan(tmp_path).notebooks] == ["a/kept.ipynb"]


def test_the_notebook_that_was_copied_is_the_one_without_a_copys_name(tmp_path: Path) -> None:
    for name in ("Copy of fit.ipynb", "fit (1).ipynb", "fit-Copy1.ipynb", "fit.ipynb"):
        write_notebook(tmp_path / name, "1")
    [found] = scan(tmp_path).notebooks
    assert found.path == "fit.ipynb" and len(found.copies) == 3


def test_the_same_bytes_in_two_folders_are_one_notebook_only_where_nothing_around_counts(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    for folder in ("x", "y"):
        write_notebook(lab / folder / "alone.ipynb", "print('alone')")
        write_notebook(lab / folder / "reads.ipynb", "print(open('name.txt').read())")
        (lab / folder / "name.txt").write_text(folder)
    result = migrated(lab, tmp_path / "out")
    rows = {r.notebook: (r.status, r.message) for r in result.migration.rows}
    assert rows["y/alone.ipynb"] == ("copy", "x/alone.ipynb")
    assert sorted(run(tmp_path / "out").splitlines()) == ["alone", "x", "y"]


def test_a_folder_without_notebooks_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Nb2pkgError, match="holds no notebook"):
        scan(tmp_path)
    with pytest.raises(Nb2pkgError, match="is no folder"):
        scan(tmp_path / "none")


def test_the_package_lies_apart_from_the_repository(tmp_path: Path) -> None:
    write_notebook(tmp_path / "lab" / "a.ipynb", "1")
    for out in (tmp_path / "lab" / "out", tmp_path, tmp_path / "lab"):
        with pytest.raises(Nb2pkgError, match="name a folder apart"):
            migrated(tmp_path / "lab", out)


@pytest.mark.parametrize(
    ("day", "expected", "codes"), [("2022-05-04", "2022-05-04", []), ("2013-05-04", "2020-01-01", ["N907"])]
)
def test_the_environment_is_that_of_the_last_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, day: str, expected: str, codes: list[str]
) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "a.ipynb", "import numpy as np\nprint(np.arange(2))")
    monkeypatch.setenv("GIT_COMMITTER_DATE", f"{day}T12:00:00Z")
    git(lab, "init", "-q")
    git(lab, "add", "-A")
    git(lab, "commit", "-qm", "all")
    result = migrated(lab, tmp_path / "out")
    text = (tmp_path / "out" / "pyproject.toml").read_text()
    assert f'exclude-newer = "{expected}T23:59:59Z"' in text
    assert "numpy==" not in text
    assert [d.code for d in result.migration.diagnostics] == codes
    assert [r.status for r in result.migration.rows] == ["whole"]


# -- files between notebooks -----------------------------------------------------------------------------------


def test_a_file_of_one_notebook_is_an_edge_to_the_next(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    (lab / "data").mkdir(parents=True)
    (lab / "data" / "raw.txt").write_text("1 2 3")
    write_notebook(
        lab / "prepare" / "01 clean.ipynb",
        "numbers = [int(n) for n in open('../data/raw.txt').read().split()]",
        "import json\njson.dump(numbers, open('../data/clean.json', 'w'))",
    )
    write_notebook(
        lab / "02 fit.ipynb",
        "import pickle, json\nnumbers = json.load(open('data/clean.json'))",
        "with open('model.pkl', 'wb') as file:\n    pickle.dump(sum(numbers), file)",
    )
    write_notebook(lab / "03 use.ipynb", "import pickle\nwith open('model.pkl', 'rb') as f:\n    print(pickle.load(f))")
    result = migrated(lab, tmp_path / "out")
    assert {(e.producer, e.consumer, e.file) for e in result.migration.links} == {
        ("prepare/01 clean.ipynb", "02 fit.ipynb", "data/clean.json"),
        ("02 fit.ipynb", "03 use.ipynb", "model.pkl"),
    }
    assert run(tmp_path / "out") == "6\n"
    assert [path.name for path in (tmp_path / "out").rglob("?*.dvc")] == ["raw.txt.dvc"]


def test_notebooks_meet_on_drive_and_by_copies(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    there = "/content/drive/MyDrive/lab/x.txt"
    write_notebook(lab / "a" / "1.ipynb", f"path = '{there}'", "open(path, 'w').write('7')\nNone")
    write_notebook(
        lab / "b" / "2.ipynb",
        f"t = open('{there.replace('MyDrive', 'My Drive')}').read()",
        "print(t)\nopen('y.txt', 'w').write(t)\nNone",
        "import shutil\nshutil.copy('y.txt', '../z.txt')\nNone",
    )
    write_notebook(lab / "3.ipynb", "print(open('z.txt').read() * 2)")
    write_notebook(lab / "4.ipynb", "print(open('/content/drive/MyDrive/own/data.txt').read())")
    (lab / "data.txt").write_text("mine")
    result = migrated(lab, tmp_path / "out")
    found = {(e.producer, e.consumer) for e in result.migration.links}
    assert found == {("a/1.ipynb", "b/2.ipynb"), ("b/2.ipynb", "3.ipynb")}
    assert sorted(run(tmp_path / "out").splitlines()) == ["7", "77", "mine"]


def test_notebooks_meet_where_their_modules_say(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    (lab / "data").mkdir(parents=True)
    (lab / "data" / "raw.txt").write_text("1 2 3")
    (lab / "config.py").write_text(
        "import os\n\nDATA = 'data'\nCLEAN: str = DATA + '/clean.txt'\n"
        "HERE = os.path.dirname(os.path.abspath(__file__))\nMODEL = os.path.join(HERE, 'model.pkl')\n"
    )
    (lab / "tools.py").write_text(
        "import pickle\n\nimport config\n\n\ndef save(value):\n    with open(config.MODEL, 'wb') as file:\n"
        "        pickle.dump(value, file)\n"
    )
    write_notebook(
        lab / "1.ipynb",
        "import config\nfrom config import CLEAN",
        "numbers = open(config.DATA + '/raw.txt').read().split()",
        "with open(CLEAN, 'w') as file:\n    file.write(','.join(numbers))\nNone",
    )
    write_notebook(
        lab / "2.ipynb",
        "import tools\nfrom config import *",
        "tools.save(sum(map(int, open(CLEAN).read().split(','))))",
    )
    write_notebook(
        lab / "later" / "3.ipynb",
        "import pickle\nimport sys\nsys.path.append('..')\nfrom config import MODEL",
        "with open(MODEL, 'rb') as file:\n    print(pickle.load(file))",
    )
    result = migrated(lab, tmp_path / "out")
    assert {(e.producer, e.consumer, e.file) for e in result.migration.links} == {
        ("1.ipynb", "2.ipynb", "data/clean.txt"),
        ("2.ipynb", "later/3.ipynb", "model.pkl"),
    }
    assert run(tmp_path / "out") == "6\n"


def test_equal_modules_that_look_beside_themselves_are_not_one(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    text = "from pathlib import Path\n\n\ndef name():\n    return (Path(__file__).parent / 'name.txt').read_text()\n"
    for folder in ("a", "b"):
        write_notebook(lab / folder / f"{folder}1.ipynb", "import own", "print(own.name())")
        (lab / folder / "own.py").write_text(text)
        (lab / folder / "name.txt").write_text(folder)
    migrated(lab, tmp_path / "out")
    assert sorted(run(tmp_path / "out").split()) == ["a", "b"]


def test_what_reads_when_it_is_imported_does_so_in_the_folder_of_each_notebook(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    function = "import conf\n\n\ndef scaled(x):\n    return [conf.N * y for y in x]"
    for folder in ("a", "b"):
        write_notebook(lab / folder / f"{folder}1.ipynb", function, "print(scaled([1, 2]))")
        (lab / folder / "conf.py").write_text("N = int(open('n.txt').read())\n")
        (lab / folder / "n.txt").write_text("3" if folder == "a" else "5")
    migrated(lab, tmp_path / "out")
    assert sorted(run(tmp_path / "out").splitlines()) == ["[3, 6]", "[5, 10]"]


def test_what_is_copied_into_a_folder_is_there_by_its_own_name(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    (lab / "there").mkdir(parents=True)
    (lab / "there" / "kept.txt").write_text("kept")
    write_notebook(
        lab / "2.ipynb",
        "import os, shutil\na = open('a.txt', 'w').write('1')\nb = open('b.txt', 'w').write('2')",
        "c = open('c.txt', 'w').write('3')\nd = open('d.txt', 'w').write('4')",
        "shutil.copy('a.txt', 'there')\nos.makedirs('made')\nshutil.move('b.txt', 'made');",
        "!cp c.txt there/\n!mv d.txt there",
    )
    write_notebook(lab / "3.ipynb", *(f"print(open('{p}').read())" for p in ("there/a.txt", "made/b.txt")))
    write_notebook(lab / "4.ipynb", *(f"print(open('{p}').read())" for p in ("there/c.txt", "there/d.txt")))
    result = migrated(lab, tmp_path / "out")
    assert {(e.producer, e.consumer, e.file) for e in result.migration.links} == {
        ("2.ipynb", "3.ipynb", "there/a.txt"),
        ("2.ipynb", "3.ipynb", "made/b.txt"),
        ("2.ipynb", "4.ipynb", "there/c.txt"),
        ("2.ipynb", "4.ipynb", "there/d.txt"),
    }
    assert sorted(run(tmp_path / "out").splitlines()) == ["1", "2", "3", "4"]


def test_a_folder_that_several_make_is_no_file_of_theirs(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    make = "import os\nos.makedirs('made/deep', exist_ok=True)"
    asks = "import os\nif not os.path.isdir('made/deep'):\n    os.makedirs('made/deep')"
    write_notebook(lab / "1.ipynb", asks, "open('made/one.txt', 'w').write('1')\nNone")
    write_notebook(lab / "2.ipynb", make, "open('made/two.txt', 'w').write(open('made/one.txt').read() + '2')\nNone")
    write_notebook(lab / "3.ipynb", "print(open('made/two.txt').read())")
    result = migrated(lab, tmp_path / "out")
    assert {(e.producer, e.consumer, e.file) for e in result.migration.links} == {
        ("1.ipynb", "2.ipynb", "made/one.txt"),
        ("2.ipynb", "3.ipynb", "made/two.txt"),
    }
    assert result.migration.diagnostics == ()
    assert {out for stage in stages(tmp_path / "out").values() for out in paths(stage, "outs") if "made" in out} == {
        "workspace/made/one.txt",
        "workspace/made/two.txt",
    }
    assert run(tmp_path / "out") == "12\n"


def test_a_folder_that_one_makes_is_its_own_with_all_that_comes_into_it(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(
        lab / "1.ipynb",
        "import os\nos.makedirs('made', exist_ok=True)",
        "for n in range(3):\n    open('made/' + str(n), 'w').write(str(n))",
        "open('made/known', 'w').write('k')\nNone",
    )
    write_notebook(lab / "2.ipynb", "import os\nprint(sorted(os.listdir('made')), open('made/known').read())")
    result = migrated(lab, tmp_path / "out")
    assert {(e.producer, e.consumer) for e in result.migration.links} == {("1.ipynb", "2.ipynb")}
    assert run(tmp_path / "out") == "['0', '1', '2', 'known'] k\n"


def test_what_a_notebook_moves_or_takes_away_again_is_no_out(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(
        lab / "1.ipynb",
        "import os, shutil\nfrom pathlib import Path",
        "Path('f.txt').write_text('f')\nPath('g.txt').write_text('g')\nopen('h.txt', 'w').write('h')\nNone",
        "shutil.move('f.txt', 'one.txt')\nos.rename('g.txt', 'two.txt')\nNone",
        "!mv h.txt three.txt",
        "os.mkdir('scratch')\nopen('scratch/x', 'w').write('x')\nshutil.rmtree('scratch')",
        "open('kept.txt', 'w').write('old')\nos.remove('kept.txt')\nopen('kept.txt', 'w').write('new')\nNone",
    )
    write_notebook(lab / "2.ipynb", "print(*(open(n + '.txt').read() for n in ('one', 'two', 'three', 'kept')))")
    write_notebook(lab / "3.ipynb", "!cp three.txt four.txt", "print(open('two.txt').read(), open('four.txt').read())")
    result = migrated(lab, tmp_path / "out")
    outs = {Path(out).name for stage in stages(tmp_path / "out").values() for out in paths(stage, "outs")}
    assert {name for name in outs if name.endswith(".txt")} == {
        "one.txt", "two.txt", "three.txt", "kept.txt", "four.txt",
    }  # fmt: skip
    assert ("1.ipynb", "3.ipynb", "three.txt") in {(e.producer, e.consumer, e.file) for e in result.migration.links}
    assert sorted(run(tmp_path / "out").splitlines()) == ["f g h new", "g h"]


def test_what_was_left_from_an_earlier_run_is_made_again(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "b make.ipynb", "open('made.txt', 'w').write('new')\nNone")
    write_notebook(lab / "a use.ipynb", "print(open('made.txt').read())")
    (lab / "made.txt").write_text("old")
    migrated(lab, tmp_path / "out")
    assert run(tmp_path / "out") == "new\n"


def test_two_makers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    for letter in "ab":
        write_notebook(
            lab / f"{letter}.ipynb", f"open('out.txt', 'w').write('{letter}')\nprint(open('out.txt').read())"
        )
    write_notebook(lab / "c.ipynb", "print('c', open('out.txt').read())")
    result = migrated(lab, tmp_path / "out")
    assert sorted(run(tmp_path / "out").splitlines()) == ["a", "b", "c a"]
    assert [d.code for d in result.migration.diagnostics] == ["N904"]


def test_who_writes_over_what_others_read_runs_apart(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(
        lab / "a grow.ipynb", "text = open('log.txt').read()", "open('log.txt', 'w').write(text + '+')\nNone"
    )
    write_notebook(lab / "b read.ipynb", "print(open('log.txt').read())")
    (lab / "log.txt").write_text("-")
    result = migrated(lab, tmp_path / "out")
    assert run(tmp_path / "out") == "-\n"
    assert run(tmp_path / "out") == "-\n"
    assert [d.code for d in result.migration.diagnostics] == ["N903"]


def test_a_circle_is_told_and_cut_where_it_leads_back(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "1.ipynb", "a = open('two.txt').read()", "open('one.txt', 'w').write(a + '1')\nNone")
    write_notebook(lab / "2.ipynb", "b = open('one.txt').read()\nprint(b)", "open('two.txt', 'w').write(b + '2')\nNone")
    (lab / "two.txt").write_text("0")
    result = migrated(lab, tmp_path / "out")
    assert [d.code for d in result.migration.diagnostics] == ["N902"]
    assert run(tmp_path / "out") == "01\n"


def test_a_file_that_nobody_makes_is_told(tmp_path: Path) -> None:
    write_notebook(tmp_path / "lab" / "a.ipynb", "print(open('gone.csv').read())")
    result = migrated(tmp_path / "lab", tmp_path / "out")
    assert [d.code for d in result.migration.diagnostics] == ["N905"]


def test_a_reader_of_unknown_files_makes_no_circle(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(
        lab / "1 all.ipynb",
        "import glob\nprint(len(glob.glob(input_folder + '*') if False else ['x']))".replace(
            "input_folder", "str(len)"
        ),
    )
    write_notebook(lab / "2 next.ipynb", "open('two.txt', 'w').write('2')\nNone")
    (lab / "two.txt").write_text("0")
    migrated(lab, tmp_path / "out")
    assert in_order(stages(tmp_path / "out"))


# -- code ------------------------------------------------------------------------------------------------------


COPIED = "def scale(values, factor=2):\n    {comment}return [value * factor for value in values]"


def test_equal_functions_are_defined_once(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "a.ipynb", COPIED.format(comment=""), "print(scale([1]))")
    write_notebook(lab / "b.ipynb", COPIED.format(comment='"""Scale."""\n    # as in a\n    '), "print(scale([2], 3))")
    write_notebook(lab / "c.ipynb", COPIED.format(comment="").replace("* factor", "** factor"), "print(scale([3]))")
    result = migrated(lab, tmp_path / "out")
    shared = (tmp_path / "out" / "lab" / "shared.py").read_text()
    assert shared.count("def scale") == 1
    texts = {n: "".join(p.read_text() for p in (tmp_path / "out" / "lab" / n).glob("*.py")) for n in "abc"}
    assert ["def scale" in texts[name] for name in "abc"] == [False, False, True]
    once = [c for c in result.migration.shared if c.module]
    near = [c for c in result.migration.shared if not c.module]
    assert [(c.name, c.module, c.notebooks) for c in once] == [("scale", "lab.shared", ("a.ipynb", "b.ipynb"))]
    assert [(c.name, len(c.texts)) for c in near] == [("scale", 2)]
    assert sorted(run(tmp_path / "out").splitlines()) == ["[2]", "[6]", "[9]"]


def test_what_shared_functions_read_is_a_constant_once(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    text = "RATE = 3\ndef pay(hours):\n    return hours * RATE"
    write_notebook(lab / "a.ipynb", text, "print(pay(1), RATE)")
    write_notebook(lab / "b.ipynb", text, "hours = 2", "print(pay(hours))")
    write_notebook(lab / "c.ipynb", text.replace("3", "4"), "print(pay(3))")
    migrated(lab, tmp_path / "out")
    package = tmp_path / "out" / "lab"
    assert "RATE = 3" in (package / "const.py").read_text()
    assert [("RATE" in path.read_text()) for path in sorted(package.glob("?/const.py"))] == [False, True]
    found = stages(tmp_path / "out")
    params = {name[0]: stage["params"] for name, stage in found.items()}
    assert params == {
        "a": [{"lab/const.py": ["RATE"]}],
        "b": [{"lab/b/const.py": ["hours"]}, {"lab/const.py": ["RATE"]}],
        "c": [{"lab/c/const.py": ["RATE"]}],
    }
    assert sorted(run(tmp_path / "out").splitlines()) == ["12", "3 3", "6"]


def test_functions_of_one_text_that_mean_different_things_stay_apart(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    use = "def root(x):\n    return sqrt(x)"
    write_notebook(lab / "a.ipynb", "from math import sqrt", use, "print(root(4))")
    write_notebook(lab / "b.ipynb", "from cmath import sqrt", use, "print(root(4))")
    write_notebook(lab / "c.ipynb", "def sqrt(x):\n    return -x", use, "print(root(4))")
    result = migrated(lab, tmp_path / "out")
    assert [c for c in result.migration.shared if c.module] == []
    assert sorted(run(tmp_path / "out").splitlines()) == ["(2+0j)", "-4", "2.0"]


def test_a_shared_function_brings_what_it_needs(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    classes = "class Base:\n    step = 2\nclass Own(Base):\n    def go(self):\n        return np.arange(self.step)"
    text = f"import numpy as np\n{classes}\ndef make():\n    return Own()"
    write_notebook(lab / "a.ipynb", text, "print(make().go())")
    write_notebook(lab / "b.ipynb", "# Other\n", text, "print(make().go() + 1)")
    migrated(lab, tmp_path / "out")
    shared = (tmp_path / "out" / "lab" / "shared.py").read_text()
    assert shared.index("class Base") < shared.index("class Own") and "import numpy as np" in shared
    assert sorted(run(tmp_path / "out").splitlines()) == ["[0 1]", "[1 2]"]


def test_helper_modules_of_one_name_keep_apart(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    for folder, number in (("x", 1), ("y", 2)):
        write_notebook(
            lab / folder / f"{folder}.ipynb", "import utils\nfrom utils import *", "print(utils.number, twice())"
        )
        (lab / folder / "utils.py").write_text(
            f"import base\nnumber = {number}\ndef twice():\n    return base.two * number\n"
        )
        (lab / folder / "base.py").write_text("two = 2\n")
    write_notebook(lab / "z.ipynb", "import sys\nsys.path.append('x')\nimport utils as u", "print(u.number)")
    result = migrated(lab, tmp_path / "out")
    assert sorted(run(tmp_path / "out").splitlines()) == ["1", "1 2", "2 4"]
    assert len(list((tmp_path / "out" / "lab").glob("*utils*.py"))) == 2
    assert len(list((tmp_path / "out" / "lab").glob("*base*.py"))) == 1
    used = paths(stages(tmp_path / "out")[f"{row(result, 'z.ipynb').stages[0]}"], "deps")
    assert {name for name in used if "utils" in name}


def test_a_helper_comes_without_its_secret(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    token = "ghp_" + "k3Jx9Qw7Zt5Rb1Nm8Vc2Ld6Hf4Ys0Pa7Ge3U"
    write_notebook(lab / "a.ipynb", "from tools import size\nprint(size())")
    (lab / "tools.py").write_text(f"TOKEN = '{token}'\ndef size():\n    return len(TOKEN)\n")
    result = migrated(lab, tmp_path / "out")
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file() and token in path.read_text()]
    assert [d.code for d in result.migration.diagnostics] == ["N803"]
    assert "TOKEN=" in (tmp_path / "out" / ".env.example").read_text()


def test_a_helper_that_keeps_state_is_imported_once_in_each_notebook(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    (lab / "tools").mkdir(parents=True)
    (lab / "tools" / "__init__.py").write_text("")
    (lab / "tools" / "ids.py").write_text("import itertools\nN = itertools.count(1)\ndef new():\n    return next(N)\n")
    cells = ("## Load", "{0}\na = new()\nprint(a)", "## Add", "b = new() + a\nprint(b)", "## Report", "print(new(), b)")
    for name, line in (("x", "from tools.ids import new"), ("y", "import tools.ids\nnew = tools.ids.new")):
        write_notebook(lab / f"{name}.ipynb", *(cell.format(line) for cell in cells))
    migrated(lab, tmp_path / "out")
    assert run(tmp_path / "out").splitlines() == ["1", "3", "3 3", "1", "3", "3 3"]


def test_notebooks_that_are_imported_are_helper_modules(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "tools.ipynb", "rate = 3", "def scaled(x):\n    return x * rate", "print(scaled(1))")
    loaders = {"a": "import import_ipynb\nimport tools", "b": "from ipynb.fs.defs import tools\ntools.rate = 5"}
    for name, text in loaders.items():
        cells = ("## Load", f"{text}\nx = tools.scaled(2)\nprint(x)", "## Use", "print(x + 1)")
        write_notebook(lab / f"{name}.ipynb", *cells)
    result = migrated(lab, tmp_path / "out")
    assert sorted(run(tmp_path / "out").splitlines()) == ["10", "11", "3", "3", "6", "7"]
    modules = sorted(path.name for path in (tmp_path / "out" / "lab").glob("tools*.py"))
    assert len(modules) == 2
    assert [d.code for d in row(result, "a.ipynb").diagnostics if d.code == "N019"] == ["N019"]


# -- refusals and names ----------------------------------------------------------------------------------------


def test_a_broken_notebook_costs_its_own_row(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "bad.ipynb", "x = 1", "def broken(:")
    write_notebook(lab / "good.ipynb", "print('good')")
    (lab / "no.ipynb").write_text("{")
    result = migrated(lab, tmp_path / "out")
    rows = {r.notebook: r for r in result.migration.rows}
    assert [rows[name].status for name in ("bad.ipynb", "good.ipynb", "no.ipynb")] == ["refused", "whole", "refused"]
    assert [d.cell for d in rows["bad.ipynb"].diagnostics] == [1]
    assert run(tmp_path / "out") == "good\n"


def test_names_come_from_files_headings_and_folders(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "01_Exploration.ipynb", "print(1)")
    write_notebook(lab / "Untitled3.ipynb", "# Churn of customers", "print(2)")
    write_notebook(lab / "vision" / "train.ipynb", "print(3)")
    write_notebook(lab / "text" / "train.ipynb", "print(4)")
    write_notebook(lab / "report.ipynb", "print(5)")
    result = migrated(lab, tmp_path / "out")
    names = {r.notebook: r.subpackage for r in result.migration.rows}
    assert names == {
        "01_Exploration.ipynb": "lab.exploration",
        "Untitled3.ipynb": "lab.churn_of_customers",
        "report.ipynb": "lab.report_2",
        "text/train.ipynb": "lab.text_train",
        "vision/train.ipynb": "lab.vision_train",
    }
    assert sorted(run(tmp_path / "out")) == sorted("1\n2\n3\n4\n5\n")


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    lab = tmp_path / "lab"
    write_notebook(lab / "a.ipynb", COPIED.format(comment=""), "print(scale([1]))")
    write_notebook(lab / "b.ipynb", COPIED.format(comment=""), "print(scale([2]))")
    texts = []
    for name in ("one", "two"):
        migrated(lab, tmp_path / name)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        texts.append([(path.relative_to(tmp_path / name), path.read_bytes()) for path in files])
    assert texts[0] == texts[1]
    assert json.loads((tmp_path / "one" / ".nb2pkg" / "manifest.json").read_text())["package"] == "lab"
