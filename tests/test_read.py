"""What reading makes of a notebook: formats, refusals, magics, shell lines, and what it leaves alone."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nb2pkg.analyse import analyse
from nb2pkg.errors import NotebookError
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Notebook
from nb2pkg.pipeline import plan
from nb2pkg.read import NotebookFile, read

PIPES = "shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT"


def save(path: Path, *sources: str, **metadata: Any) -> Path:
    cells = [{"cell_type": "code", "source": s, "metadata": {}, "outputs": []} for s in sources]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 4, "metadata": metadata, "cells": cells}))
    return path


def notebook(tmp_path: Path, *sources: str) -> Notebook:
    return read(save(tmp_path / "a.ipynb", *sources))[0]


ALONE = {
    "plain": "x = 1\nx",
    "percent is modulo": "y = (5\n% 3)",
    "magic in a string": 's = """\n%time x\n!ls\n"""',
    "question in a comment": "x = 1  # really?",
    "commented load": "# %load other.py\nx = 1",
    "bound ls": "ls = [1]\nls",
    "pwd attribute": "import os\nos.getcwd()",
    "not an equals": "a = 1\na != 3",
    "format": 'print("%d" % 3)',
    "await inside": "async def f():\n    await g()",
    "invalid escape": 'p = "\\d"',
    "old print in a string": 's = """\nprint >>f, 1\n"""',
    "empty": "",
}


@pytest.mark.parametrize("source", ALONE.values(), ids=ALONE.keys())
def test_left_alone(tmp_path: Path, source: str) -> None:
    path = save(tmp_path / "a.ipynb", source)
    book, told = read(path)
    assert book.cells[0].code == source
    assert (told, book.imports) == ((), ())


TRANSLATED = {
    "matplotlib": ("%matplotlib inline\nx = 1", "\nx = 1"),
    "in a block": ("if x:\n    %matplotlib inline\ny = 1", "if x:\n    pass\ny = 1"),
    "comments stay": ("# a\n%load_ext autoreload\nx = 1  # b", "# a\n\nx = 1  # b"),
    "leading blank": ("\n\n%matplotlib inline\nx = 1", "\n\n\nx = 1"),
    "time": ("%time x = f(1)", "x = f(1)"),
    "time value": ("x = %time f(1)", "x = (f(1))"),
    "time cell": ("%%time\nx = 1", "\nx = 1\n"),
    "nested": ("%%time\n%matplotlib inline\nx = 1", "\n\nx = 1\n"),
    "timeit": ("%timeit f()\nx = 1", "\nx = 1"),
    "help": ("plt.xlim?", ""),
    "shell": ("!ls a", f'print(subprocess.run("ls a", {PIPES}).stdout, end="")'),
    "mkdir of two": ("!mkdir -p a/b c", 'os.makedirs("a/b", exist_ok=True); os.makedirs("c", exist_ok=True);'),
    "mkdir without -p": ("!mkdir a", 'os.makedirs("a", exist_ok=True);'),
    "mkdir below": ("!mkdir a/b", f'print(subprocess.run("mkdir a/b", {PIPES}).stdout, end="")'),
    "wget": ("!wget -q https://a.org/x.csv -P d", 'os.makedirs("d", exist_ok=True); '
             'urllib.request.urlretrieve("https://a.org/x.csv", "d/x.csv");'),
    "wget of a name": (
        "!wget -q 'https://a.org/x.csv?a=1'",
        f'print(subprocess.run("wget -q \'https://a.org/x.csv?a=1\'", {PIPES}).stdout, end="")',
    ),
    "curl": ("!curl -sSLo a.csv https://a.org/x", f'print(subprocess.run("curl -sSLo a.csv https://a.org/x", {PIPES})'
             '.stdout, end="")'),
    "unzip": ("!unzip -q a.zip -d d && mkdir e",
              'shutil.unpack_archive("a.zip", "d"); os.makedirs("e", exist_ok=True);'),
    "unzip that tells": ("!unzip a.zip -d d", f'print(subprocess.run("unzip a.zip -d d", {PIPES}).stdout, end="")'),
    "tar": ("!tar xzf a.tgz -C d", 'shutil.unpack_archive("a.tgz", "d");'),
    "cp of nothing": ("!cp a b", f'print(subprocess.run("cp a b", {PIPES}).stdout, end="")'),
    "shell quote": ("!echo \"it's\"", f'print(subprocess.run("echo \\"it\'s\\"", {PIPES}).stdout, end="")'),
    "field": ("f = 1\n!cat {f}.txt", f'f = 1\nprint(subprocess.run(f"cat {{f}}.txt", {PIPES}).stdout, end="")'),
    "dollar": ("f = 1\n!cat $f", f'f = 1\nprint(subprocess.run(f"cat {{f}}", {PIPES}).stdout, end="")'),
    "unbound": ("!echo $HOME", f'print(subprocess.run("echo $HOME", {PIPES}).stdout, end="")'),
    "awk": ("!awk '{print $1}' f", f"print(subprocess.run(\"awk '{{print $1}}' f\", {PIPES}).stdout, end=\"\")"),
    "lines": ("x = !ls", f'x = IPython.utils.text.SList(subprocess.run("ls", {PIPES}).stdout.splitlines())'),
    "cd": ("%cd data", 'os.chdir("data"); print(os.getcwd())'),
    "bare cd": ("cd ..\nx = 1", 'os.chdir(".."); print(os.getcwd())\nx = 1'),
    "bare pwd": ("pwd", "os.getcwd()"),
    "mkdir": ("%mkdir -p out", f'print(subprocess.run("mkdir -p out", {PIPES}).stdout, end="")'),
    "figures": ("%config InlineBackend.figure_format = 'retina'", 'os.environ["FIGURE_FORMAT"] = "retina"'),
    "figure formats": ("%config InlineBackend.figure_formats = {'svg'}", 'os.environ["FIGURE_FORMAT"] = "svg"'),
    "env": ("%env A=b", 'os.environ["A"] = "b"; print("env: A=b")'),
    "by hand": ('get_ipython().run_line_magic("time", "x = 1")', "x = 1"),
    "old by hand": ('get_ipython().magic("matplotlib inline")\nx = 1', "\nx = 1"),
    "system by hand": ('get_ipython().system("ls")', f'print(subprocess.run("ls", {PIPES}).stdout, end="")'),
    "non-ascii": ("é = 'ü'\n%time é = 2", "é = 'ü'\né = 2"),
    "await": ("async def f():\n    pass\nx = await f()", "async def f():\n    pass\nx = asyncio.run(f())"),
    "html": ("%%html\n<b>", 'IPython.display.display(IPython.display.HTML("<b>\\n"))'),
    "live figures": ("%matplotlib notebook", 'matplotlib.use("nbagg"); matplotlib.interactive(True)'),
}


@pytest.mark.parametrize(("source", "code"), TRANSLATED.values(), ids=TRANSLATED.keys())
def test_translated(tmp_path: Path, source: str, code: str) -> None:
    assert notebook(tmp_path, source).cells[0].code == code


REFUSED = {
    "print chevron": ("match a:\n    case 1:\n        print >>f, a", "N010", "line 3"),
    "syntax": ("x = 1\ny = = 2", "N011", "line 2"),
    "return": ("x = 1\nreturn x", "N011", "line 2"),
    "R": ("%%R\nplot(x)", "N110", "R"),
    "sql": ("%sql select 1", "N110", "sql"),
    "unknown cell": ("%%nonsense\nx", "N112", "nonsense"),
    "bound": ("x = %who", "N113", "who"),
    "run": ("%run gone.py", "N012", "gone.py"),
    "async with": ("async with a as b:\n    pass", "N123", "line 1"),
    "gather": ("import asyncio\nawait asyncio.gather(f())", "N123", "line 2"),
}


@pytest.mark.parametrize(("source", "code", "said"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(tmp_path: Path, source: str, code: str, said: str) -> None:
    with pytest.raises(NotebookError, match="cell 2") as caught:
        notebook(tmp_path, "a = 1", source)
    assert caught.value.code == code
    assert said in caught.value.message


FILES = {
    "N002": b"  \n",
    "N003": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "N004": b"<!DOCTYPE html><html></html>",
    "N005": b'{"cells": [',
    "N006": b'{"a": 1}',
    "N007": b'{"cells": [], "metadata": {"kernelspec": {"name": "ir", "language": "R"}}}',
    "N008": b"\xff\xfe\x00",
}


@pytest.mark.parametrize(("code", "content"), FILES.items(), ids=FILES.keys())
def test_no_notebook(tmp_path: Path, code: str, content: bytes) -> None:
    (tmp_path / "a.ipynb").write_bytes(content)
    with pytest.raises(NotebookError) as caught:
        read(tmp_path / "a.ipynb")
    assert caught.value.code == code


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(NotebookError) as caught:
        read(tmp_path / "gone.ipynb")
    assert caught.value.code == "N001"


@pytest.mark.parametrize("kernel", ["plaintext", "conda-root-py", "", "python2"])
def test_odd_kernel_names_are_read(tmp_path: Path, kernel: str) -> None:
    assert read(save(tmp_path / "a.ipynb", "x = 1", kernelspec={"name": kernel}))[0].cells


@pytest.mark.parametrize(
    ("source", "text"),
    [(["a = 1\n", "b"], "a = 1\nb"), (["a = 1", "b"], "a = 1\nb"), ("a = 1\r\nb", "a = 1\nb"), ([], "")],
)
def test_sources(tmp_path: Path, source: object, text: str) -> None:
    cells = [{"cell_type": "code", "source": source, "metadata": {"tags": ["raises-exception"]}}]
    (tmp_path / "a.ipynb").write_text(json.dumps({"nbformat": 4, "metadata": {}, "cells": cells}))
    cell = read(tmp_path / "a.ipynb")[0].cells[0]
    assert (cell.code, cell.id, cell.may_raise) == (text, "cell-0", True)


@pytest.mark.parametrize("version", [2, 3])
def test_old_formats(tmp_path: Path, version: int) -> None:
    cell = {"cell_type": "code", "language": "python", "input": ["a = 1", "b = 2"], "outputs": [], "collapsed": False}
    data = {"nbformat": version, "nbformat_minor": 0, "metadata": {"name": "a"}, "worksheets": [{"cells": [cell]}]}
    (tmp_path / "a.ipynb").write_text(json.dumps(data))
    assert [c.code for c in read(tmp_path / "a.ipynb")[0].cells] == ["a = 1\nb = 2"]


INSTALLED = {
    "!pip install -q a==1 'b>2'": ("a==1", "b>2"),
    "%pip install -U a --index-url http://x b": ("a", "b"),
    "!{sys.executable} -m pip install a > /dev/null": ("a",),
    "!conda install -y -c conda-forge a=1.2": ("a==1.2",),
    "!pip install -r req.txt": ("c", "d==2"),
    "pip install a": ("a",),
    "!pip install -e .": (),
    "!pip list": (),
    "!pip install {package}": (),
}


@pytest.mark.parametrize(("source", "requirements"), INSTALLED.items(), ids=INSTALLED.keys())
def test_requirements(tmp_path: Path, source: str, requirements: tuple[str, ...]) -> None:
    (tmp_path / "req.txt").write_text("# x\nc\nd==2  # y\n-i z\n")
    book = notebook(tmp_path, source)
    assert (book.requirements, book.cells[0].code) == (requirements, "")


def test_show_all_starts_after_its_cell(tmp_path: Path) -> None:
    book = notebook(tmp_path, "%config InteractiveShell.ast_node_interactivity = 'all'", "a", "b")
    assert [c.show_all for c in book.cells] == [False, True, True]
    book = notebook(tmp_path, 'InteractiveShell.ast_node_interactivity = "all"', "a")
    assert [c.show_all for c in book.cells] == [False, True]


@pytest.mark.parametrize(
    ("source", "silent"), [("f();", True), ("f();  # c\n", True), ("a; b", False), ('"a;"', False), ("f() # ;", False)]
)
def test_silent(tmp_path: Path, source: str, silent: bool) -> None:
    assert notebook(tmp_path, source).cells[0].silent is silent


def test_capture_keeps_strings(tmp_path: Path) -> None:
    book = notebook(tmp_path, '%%capture\ns = """a\nb"""\nprint(s)')
    space: dict[str, Any] = {}
    exec("\n".join((*book.imports, book.cells[0].code)), space)
    assert space["s"] == "a\nb"
    assert book.cells[0].silent


def test_writefile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    book = notebook(tmp_path, "%%writefile m.py\nx = '{a}'\n", "%%writefile -a m.py\ny = 2\n")
    assert book.written_modules == (("m.py", "x = '{a}'\ny = 2\n"),)
    monkeypatch.chdir(tmp_path)
    for cell in book.cells:
        exec("\n".join((*book.imports, cell.code)))
    assert (tmp_path / "m.py").read_text() == "x = '{a}'\ny = 2\n"
    assert capsys.readouterr().out == "Writing m.py\nAppending to m.py\n"


def test_bash(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    book = notebook(tmp_path, "%%bash\nx='a b'\necho \"$x\"\n")
    exec("\n".join((*book.imports, book.cells[0].code)))
    assert capsys.readouterr().out == "a b\n"


def test_run_brings_files_in(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text('a = 1\nif __name__ == "__main__":\n    b = 2\n')
    save(tmp_path / "o.ipynb", "c = 3", "%run s.py")
    book = notebook(tmp_path, "x = 0\n%run o.ipynb\ny = 1", "z = 2")
    assert [(c.code.strip(), c.origin) for c in book.cells] == [
        ("x = 0", ""),
        ("c = 3", "o.ipynb"),
        ("a = 1\nif True:\n    b = 2", "s.py"),
        ("y = 1", ""),
        ("z = 2", ""),
    ]
    assert book.cells[3].code == "\n\ny = 1"
    assert len({c.index for c in book.cells}) == len({c.id for c in book.cells}) == 5


def test_what_is_run_displays_no_value(tmp_path: Path) -> None:
    """IPython runs the cells of a notebook that `%run` names silently."""
    save(tmp_path / "o.ipynb", "x = 1\nx", "print(x)\nx + 1")
    book = notebook(tmp_path, "%run o.ipynb", "x")
    assert [cell.silent for cell in book.code_cells if cell.origin] == [True, True]
    shown = [s.text for s in analyse(book, shipped()).statements if s.displayed]
    assert shown == ["x"]


def test_run_cycle(tmp_path: Path) -> None:
    with pytest.raises(NotebookError, match="N012"):
        notebook(tmp_path, "%run a.ipynb")


def test_exit_ends_the_notebook(tmp_path: Path) -> None:
    book, told = read(save(tmp_path / "a.ipynb", "a = 1", "exit()", "b = 2"))
    assert [c.code for c in book.cells] == ["a = 1", ""]
    assert [d.code for d in told] == ["N120"]


@pytest.mark.parametrize(
    ("source", "code"),
    [("input()", "N121"), ("%nonsense", "N111"), ("%timeit f()", "N102"), ("%whos", "N101"), ("interact(f)", "N122")],
)
def test_told(tmp_path: Path, source: str, code: str) -> None:
    assert [d.code for d in read(save(tmp_path / "a.ipynb", source))[1]] == [code]


def test_plain_notebooks_import_neither_ipython_nor_nbformat(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", "x = 1\nx")
    code = (
        "import sys; from pathlib import Path; from nb2pkg.read import read; read(Path(sys.argv[1]));"
        "sys.exit('IPython' in sys.modules or 'nbformat' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code, str(path)], check=False).returncode == 0


HISTORY = ["_ + 1", "x = Out[1]", "print(_3)", "In[-1]", "def f():\n    return __"]


@pytest.mark.parametrize("source", HISTORY)
def test_history_is_refused(tmp_path: Path, source: str) -> None:
    with pytest.raises(NotebookError, match="cell 2") as caught:
        notebook(tmp_path, "a = 1", source)
    assert caught.value.code == "N124"


BOUND = ["for _ in range(3):\n    print(_)", "a, _ = 1, 2\n_", "from gettext import gettext as _\n_('a')"]


@pytest.mark.parametrize("source", BOUND)
def test_names_like_history_are_names_where_they_are_bound(tmp_path: Path, source: str) -> None:
    assert notebook(tmp_path, "a = 1", source).cells[1].code == source


def test_newer_python_is_named(tmp_path: Path) -> None:
    path = save(tmp_path / "a.ipynb", "type X = = int", language_info={"name": "python", "version": "3.99.1"})
    with pytest.raises(NotebookError, match=r"3\.99.*N013"):
        read(path)


COMMANDS = {"ls -l": "ls -F -l", "rm -rf a": "rm -rf a"}


@pytest.mark.parametrize(("source", "command"), COMMANDS.items())
def test_a_command_alone_in_its_cell_runs(tmp_path: Path, source: str, command: str) -> None:
    assert f'"{command}"' in notebook(tmp_path, source).cells[0].code
    assert notebook(tmp_path, "ls = rm = l = 1", "ls -l").cells[1].code == "ls -l"


WAITING = {
    "input('a')": "N121",
    "import getpass\ngetpass.getpass()": "N121",
    "import ipywidgets as widgets\nwidgets.interact(f, x=1)": "N122",
    "if a:\n    exit()": "N120",
    "import sys\nsys.exit(1)": "N120",
    "'google.colab' in str(get_ipython())": "N111",
}


@pytest.mark.parametrize(("source", "code"), WAITING.items())
def test_what_a_stage_does_not_have_is_told(tmp_path: Path, source: str, code: str) -> None:
    book, told = read(save(tmp_path / "a.ipynb", source))
    assert [d.code for d in told] == [code]
    assert ("from IPython import get_ipython" in book.imports) == ("get_ipython" in source)


def test_messages_name_the_cell_that_the_user_sees(tmp_path: Path) -> None:
    save(tmp_path / "o.ipynb", "c = 3", "input()", "%nonsense")
    (tmp_path / "s.py").write_text("a = 1\n\n\ndf = open('gone.csv')\n")
    made = plan(save(tmp_path / "a.ipynb", "x = 0", "%run o.ipynb\n%run s.py\nopen('lost.csv')", "y = 1"))
    said = {d.code: d for d in made.diagnostics}
    assert {d.cell for d in made.diagnostics if d.code in ("N111", "N121", "N401")} == {1}
    assert "in o.ipynb: " in said["N121"].message
    lost = {d.message: d.line for d in made.diagnostics if d.code == "N401"}
    assert any("s.py, line 4" in message and line is None for message, line in lost.items())
    assert any("lost.csv" in message and line == 3 for message, line in lost.items())


def test_a_refusal_names_the_file_that_was_run(tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text("a = 1\nb = = 2\n")
    with pytest.raises(NotebookError, match=r"a\.ipynb, cell 2: s\.py, line 2: .*N011"):
        notebook(tmp_path, "x = 0", "%run s.py")


@pytest.mark.parametrize(
    ("metadata", "tags"),
    [
        ({"nb2pkg": {"section": " train "}}, ("nb2pkg:train",)),
        ({"tags": ["a"], "nb2pkg": {"section": "train"}}, ("a", "nb2pkg:train")),
        ({"tags": ["nb2pkg:fit"], "nb2pkg": {"section": "train"}}, ("nb2pkg:fit",)),
        ({"tags": "a", "nb2pkg": {"section": 3}}, ()),
        ({"nb2pkg": []}, ()),
    ],
)
def test_the_section_of_jupyterlabs_form_is_a_tag(metadata: dict[str, object], tags: tuple[str, ...]) -> None:
    cell = {"cell_type": "code", "metadata": metadata, "source": "x = 1"}
    content = json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}).encode()
    assert read(NotebookFile("a.ipynb", Path(), content))[0].cells[0].tags == tags
