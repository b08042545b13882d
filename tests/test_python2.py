"""A notebook of Python 2 becomes a package of Python 3 that gives what Python 2 gave, and tells what may differ."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nb2pkg.errors import NotebookError
from nb2pkg.pipeline import Options, convert
from nb2pkg.python2 import upgraded_cells, upgraded_file
from nb2pkg.read import read

OLD: dict[str, Any] = {"language_info": {"name": "python", "version": "2.7.11"}}
NEW: dict[str, Any] = {"language_info": {"name": "python", "version": "3.6.1"}}


def save(path: Path, *sources: str, **metadata: Any) -> Path:
    """A notebook of these code cells."""
    cells = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": []} for s in sources]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}))
    return path


def upgraded(*sources: str) -> tuple[list[str], list[str]]:
    """The cells in Python 3, and the codes of what was told, but for the summary."""
    cells, told = upgraded_cells(sources, "2.7.11")
    assert told[0].code == "N015"
    return cells, [each.code for each in told[1:]]


def ran(folder: Path, *sources: str, metadata: dict[str, Any] = OLD) -> str:
    """What the package of the notebook prints."""
    path = save(folder / "old.ipynb", *sources, **metadata)
    plan = convert(path, folder / "out", Options(package="pkg", git=False)).plan
    environment = os.environ | {"PYTHONPATH": ""}
    command = [sys.executable, "-m", plan.package]
    done = subprocess.run(command, cwd=folder / "out", env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


PRINTS = {
    "statements": (
        'print "a", 1, "%d" % 2\nprint\nprint ("x")\nprint("a", 1)\nprint `[1]`',
        "a 1 2\n\nx\n('a', 1)\n[1]\n",
    ),
    "ints divide to ints": ("n = 7\nprint n / 2, -n / 2, 7 / 2.0, len('abc') / 2\nn /= 2\nprint n", "3 -4 3.5 1\n3\n"),
    "what has to be an int": ("def half(n):\n    return [i for i in range(n / 2)]\nprint half(5)", "[0, 1]\n"),
    "a slice": ("def half(x):\n    return x[:len(x) / 2]\nprint half('abcde')", "ab\n"),
    "lists of iterators": (
        "x = map(str, range(3))\nprint x[1], zip(x, x)[0], filter(None, [0, 1])",
        "1 ('0', '0') [1]\n",
    ),
    "dicts": ("d = {1: 2}\nprint d.keys()[0], d.has_key(1), d.items(), len(d.values())", "1 True [(1, 2)] 1\n"),
    "a dict that its loop changes": ("d = {1: 2}\nfor k in d.keys():\n    del d[k]\nprint d", "{}\n"),
    "cmp": (
        "x = [3, 1, 2]\nx.sort(lambda a, b: cmp(b, a))\nprint x, sorted(x, cmp=lambda a, b: a - b)",
        "[3, 2, 1] [1, 2, 3]\n",
    ),
    "exceptions": ("try:\n    raise ValueError, 'no'\nexcept ValueError, e:\n    print e", "no\n"),
    "exec and octals": ("exec 'x = 0777'.replace('0777', '5')\nprint x, 0777, 10L", "5 511 10\n"),
    "modules": (
        "import StringIO, cPickle as pickle, string\nf = StringIO.StringIO()\nprint >>f, 'in', 1\n"
        "print f.getvalue(), string.join(['a', 'b'], '-'), string.letters[:3], pickle.loads(pickle.dumps(1))",
        "in 1\n a-b abc 1\n",
    ),
    "reduce and raw strings": (
        "print reduce(lambda a, (b, c): a + b * c, [(1, 2), (3, 4)], 0), ur'\\d', u'\\xe9'",
        "14 \\d é\n",
    ),
    "lambdas": (
        "print map(lambda (a, (b, c)), d=1: a + b * c + d, [(1, (2, 3))])\n"
        "print (lambda x, (y,): [x['y'], y])(dict(y=1), (2,))",
        "[8]\n[1, 2]\n",
    ),
    "classes": (
        "from __future__ import division\nclass A:\n    def __init__(self, n): self.n = n\n"
        "    def __div__(self, o): return A(self.n * 10)\n"
        "    def __nonzero__(self): return False\nprint (A(1) / A(2)).n, bool(A(1))",
        "10 False\n",
    ),
    "tabs among spaces": ("for i in range(2):\n        x = '''a\n\tb'''\n\tprint i, len(x)", "0 4\n1 4\n"),
    "lines": (
        "f = open('lines.txt', 'w')\nf.write('a\\nb\\n')\nf.close()\nfor line in open('lines.txt'):\n    print line,\n"
        "with open('lines.txt') as f:\n    for line in f: print line,\nprint 'x\\t',\nprint '%d\\n' % 1,\nprint 'y'",
        "a\nb\na\nb\nx\t1\ny\n",
    ),
    "the encoding that nobody sets": ("import sys\nreload(sys)\nsys.setdefaultencoding('utf8')\nprint 1", "1\n"),
}


@pytest.mark.parametrize("case", PRINTS)
def test_prints_what_python_2_printed(case: str, tmp_path: Path) -> None:
    source, expected = PRINTS[case]
    cells, told = upgraded(source)
    command = [sys.executable, "-c", cells[0]]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (expected, "")
    assert told == []


def test_the_package_gives_what_the_notebook_gave(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("import urllib2\ndef half(n):\n    print 'half of', n\n    return n / 2.0\n")
    (tmp_path / "setup_it.py").write_text("print 'set up'\nrows = xrange(6)\n")
    cells = (
        "%matplotlib inline\nimport helper\nfrom collections import OrderedDict",
        "%run setup_it.py\ntotal = reduce(lambda a, b: a + b, rows)\nprint total, len(range(total)) / 2",
        "%time print helper.half(total)",
        "%%writefile made.py\ndef five(): print 'made', 5 / 2",
        "import made\nmade.five()\nd = OrderedDict([('a', 1)])\nfor k, v in d.iteritems():\n    print k, v,\nprint",
    )
    out = ran(tmp_path, *cells)
    wanted = ["set up", "15 7", "half of 15", "7.5", "Writing made.py", "made 2", "a 1"]
    assert [line.strip() for line in out.splitlines() if line.strip()] == wanted


def test_execfile_is_a_run_where_the_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "defs.py").write_text("print 'defs'\nn = 7 / 2\n")
    assert ran(tmp_path, "execfile('defs.py')\nprint n", "x = n * 2\nprint x") == "defs\n3\n6\n"
    path = save(tmp_path / "b.ipynb", "execfile('gone.py')", **OLD)
    assert "exec(" in read(path)[0].cells[0].code


def test_an_import_of_one_cell_counts_in_the_next() -> None:
    cells, _ = upgraded("import urllib2, urllib", "from StringIO import StringIO", "urllib2.urlopen(urllib.quote('x'))")
    assert cells[0] == "import urllib.request, urllib.parse"
    assert cells[1:] == ["from io import StringIO", "urllib.request.urlopen(urllib.parse.quote('x'))"]


def test_a_future_counts_from_its_cell_on() -> None:
    cells, told = upgraded(
        "print 1, 3 / 2", "from __future__ import division, print_function\nprint(3 / 2, 'a')", "print(1 / 2, end='')"
    )
    assert cells == ["print(1, 3 // 2)", "\nprint(3 / 2, 'a')", "print(1 / 2, end='')"]
    assert told == []


def test_a_division_that_nobody_can_tell_is_told_and_stays() -> None:
    source = "def mean(x):\n    return sum(x) / len(x)\ny = mean(z) / 2\nw = mean(z) / 2."
    _, told = upgraded_cells(["x = 1", source], "2.7")
    (only,) = [each for each in told if each.code == "N016"]
    assert (only.cell, only.line, only.severity) == (1, 2, "warning")
    assert "lines 2, 3" in only.message
    assert upgraded(source)[0] == [source]


STAYS = {
    "what both read alike": "import numpy as np\nx = np.arange(3)\nprint(x)\n",
    "a name that is bound": "lat, long = 1, 2\nprint(long)",
    "a function called map": "map = Basemap()\nx, y = map(1, 2)",
    "DataFrame.sort": "df.sort('a')\ndf.sort(['a'], ascending=False)",
    "magics": "%matplotlib inline\nfiles = !ls -l\n!pip install x \\\n  y\nx?\n%timeit -n 3 f(x)",
    "a magic in a text": 's = """\n%time print x\n!ls\n"""\n%matplotlib inline',
    "a cell of another language": "%%bash\nprint x",
    "a comment": "# print x\nx = 1  # except E, e:",
    "floats": "x = 1.5\ny = x / 2 + 3 / x",
    "lists in loops": "for k in sorted(d.keys()):\n    total = sum(range(3))",
}


@pytest.mark.parametrize("source", STAYS.values(), ids=STAYS.keys())
def test_leaves_alone(source: str) -> None:
    assert upgraded(source)[0] == [source]


MENDED = {
    "csv": (
        "import csv\nwith open(p, 'rb') as f:\n    rows = csv.reader(f)",
        "import csv\nwith open(p, \"r\", newline=\"\") as f:\n    rows = csv.reader(f)",
    ),
    "json": ("import json\njson.dump(x, open(p, 'wb'))", 'import json\njson.dump(x, open(p, "w"))'),
    "pickle": ("import pickle\nx = pickle.load(open(p))", 'import pickle\nx = pickle.load(open(p, "rb"))'),
    "file": ("x = file(p).read()", "x = open(p).read()"),
    "a magic with its code": ("%timeit -n 10 print x", "%timeit -n 10 print(x)"),
    "a timed cell": ("%%time\nprint x", "%%time\nprint(x)"),
    "a cell that is shifted": ("  print x\n  y = 1", "print(x)\ny = 1"),
    "automagic": ("cd ..\nprint x", "cd ..\nprint(x)"),
    "parentheses": ("print (len(x))\nprint (1, 2)", "print(len(x))\nprint((1, 2))"),
    "what is unpacked": ("a, b = zip(*x)", "a, b = zip(*x)"),
    "reload": ("import a\nreload(a)", "import importlib\nimport a\nimportlib.reload(a)"),
}


@pytest.mark.parametrize("case", MENDED)
def test_mends(case: str) -> None:
    given, expected = MENDED[case]
    assert upgraded(given)[0] == [expected]


DOUBTS = {
    "decode": ("y = x.decode('utf8')", "N017"),
    "hex": ("y = x.encode('hex')", "N017"),
    "a page": ("import urllib2\ny = urllib2.urlopen(u).read()", "N017"),
    "a hash": ("import hashlib\ny = hashlib.md5(x)", "N017"),
    "a file of bytes": ("y = open(p, 'rb').readlines()", "N017"),
    "round": ("y = round(x)", "N018"),
    "the same seed": ("import random\nrandom.seed(1)\ny = random.choice(x)", "N018"),
    "cmp of a class": ("class A:\n    def __cmp__(self, other):\n        return 0", "N018"),
    "a module that is gone": ("import md5", "N018"),
    "a leak": ("x = [i for i in y]\nprint i", "N018"),
}


@pytest.mark.parametrize("case", DOUBTS)
def test_doubts_are_told(case: str) -> None:
    source, code = DOUBTS[case]
    assert upgraded(source)[1] == [code]


NO_DOUBTS = {
    "bytes are decoded": "import urllib2\nx = 'é'.encode('utf8')\ny = b'a'.decode('utf8')",
    "an array": "import numpy as np\nx = np.load(open(p, 'rb'))",
    "numbers without a seed": "import random\ny = random.choice(x)",
    "a name that is bound too": "for i in y:\n    pass\nx = [i for i in y]\nprint(i)",
}


@pytest.mark.parametrize("source", NO_DOUBTS.values(), ids=NO_DOUBTS.keys())
def test_no_doubt_without_a_reason(source: str) -> None:
    assert upgraded(source)[1] == []


@pytest.mark.parametrize(
    "metadata",
    [OLD, {"kernelspec": {"name": "python2"}}, {"language_info": {"pygments_lexer": "ipython2"}}],
)
def test_a_recorded_kernel_is_enough(tmp_path: Path, metadata: dict[str, Any]) -> None:
    book, told = read(save(tmp_path / "a.ipynb", "x = 3 / 2", **metadata))
    assert (book.is_python2, book.cells[0].code) == (True, "x = 3 // 2")
    assert [each.code for each in told] == ["N015"]


def test_syntax_is_enough(tmp_path: Path) -> None:
    book, told = read(save(tmp_path / "a.ipynb", "x = 3 / 2", "f = lambda (a, b): a"))
    assert book.is_python2
    assert book.cells[0].code == "x = 3 // 2"
    assert told[0].code == "N015"


def test_a_module_of_python_2_is_enough_where_nothing_is_recorded(tmp_path: Path) -> None:
    assert read(save(tmp_path / "a.ipynb", "import cPickle"))[0].cells[0].code == "import pickle"
    assert read(save(tmp_path / "b.ipynb", "import cPickle", **NEW))[0].cells[0].code == "import cPickle"


def test_one_old_cell_does_not_make_a_notebook_old(tmp_path: Path) -> None:
    book, told = read(save(tmp_path / "a.ipynb", "x = 3 / 2\nprint(x, 1)", "%time print x", **NEW))
    assert [cell.code for cell in book.cells] == ["x = 3 / 2\nprint(x, 1)", "print(x)"]
    assert not book.is_python2
    assert [each.code for each in told] == ["N015"]
    assert "cell 2 is Python 2" in told[0].message


@pytest.mark.parametrize(
    ("source", "new"),
    [
        ("n = list(xrange(3))", "n = list(range(3))"),
        ("import sys\nn = sys.maxint", "import sys\nn = sys.maxsize"),
        ("from StringIO import StringIO", "from io import StringIO"),
        ("%time t = unicode(2)", "%time t = str(2)"),
    ],
)
def test_what_only_python_2_has_goes_with_an_old_cell(tmp_path: Path, source: str, new: str) -> None:
    book, _ = read(save(tmp_path / "a.ipynb", source, "print 1", **NEW))
    assert book.sources[0] == new
    alone, told = read(save(tmp_path / "b.ipynb", source, "print(1)", **NEW))
    assert alone.sources[0] == source
    assert not told


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    xrange\nexcept NameError:\n    xrange = range\nx = xrange(3) and 3 / 2",
        "from six.moves import xrange\nx = xrange(3) and 3 / 2",
        "try:\n    import cPickle\nexcept ImportError:\n    import pickle as cPickle\nx = 3 / 2",
        "def f(file):\n    return open(file), 3 / 2",
    ],
)
def test_a_cell_that_python_3_runs_too_stays_beside_an_old_one(tmp_path: Path, source: str) -> None:
    book, _ = read(save(tmp_path / "a.ipynb", source, "print 1", **NEW))
    assert book.sources[0] == source


def test_python_3_never_loads_fissix(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", "%matplotlib inline\nprint(1)", **NEW)
    code = f"import sys, pathlib\nfrom nb2pkg.pipeline import plan\nplan(pathlib.Path({str(path)!r}))\n"
    code += "print('fissix' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_what_is_no_python_at_all_is_refused_with_its_line(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", "print 1", "x = 1\nx = = 2", **OLD)
    with pytest.raises(NotebookError, match=r"a\.ipynb, cell 2: line 2: .*neither Python 3 nor Python 2") as caught:
        read(path)
    assert caught.value.code == "N011"


def test_the_package_keeps_the_original_and_what_runs_today(tmp_path: Path) -> None:
    path = save(tmp_path / "old.ipynb", "print 1", **OLD)
    convert(path, tmp_path / "out", Options(package="pkg", git=False))
    kept = tmp_path / "out" / "notebooks"
    assert (kept / "old.ipynb").read_bytes() == path.read_bytes()
    today = json.loads((kept / "old_python3.ipynb").read_text())
    assert "".join(today["cells"][0]["source"]) == "print(1)"
    assert today["metadata"]["kernelspec"]["name"] == "python3"
    manifest = json.loads((tmp_path / "out" / ".nb2pkg" / "manifest.json").read_text())
    assert manifest["notebook"] == "notebooks/old_python3.ipynb"


def test_verify_runs_what_runs_today(tmp_path: Path) -> None:
    from nb2pkg.verify.check import VerifyOptions, verify

    convert(save(tmp_path / "old.ipynb", "x = 7 / 2", "print x", **OLD), tmp_path / "out", Options(git=False))
    report = verify(tmp_path / "out", VerifyOptions())
    assert report.verdict == "equivalent"


def test_modules_of_a_package_import_each_other(tmp_path: Path) -> None:
    folder = tmp_path / "lab"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "a.py").write_text("import b\nfrom b import two\nprint b.one, two\n")
    (folder / "b.py").write_text("one, two = 1, 2\n")
    assert ran(tmp_path, "import lab.a", "print lab.a.two") == "1 2\n2\n"


def test_a_file_that_is_neither_stays(tmp_path: Path) -> None:
    text, told = upgraded_file("x = = 1\n", "broken.py")
    assert text == "x = = 1\n"
    assert [each.code for each in told] == ["N018"]
    assert "broken.py" in told[0].message


def test_doubts_of_a_file_name_it() -> None:
    text, told = upgraded_file("def f(a, b):\n    print a\n    return a / b\n", "helper.py")
    assert ast.parse(text)
    assert [each.code for each in told] == ["N015", "N016"]
    assert "in helper.py, line 3" in told[1].message
