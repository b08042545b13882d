"""What a stage shows is what the notebook shows, and is kept."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from nb2pkg.verify.figures import figure_difference

SOURCE = Path(__file__).parents[1] / "src"
HEAD = "from nb2pkg.emit.runtime.report import cell, display, show, stage\n"


def run(code: str, folder: Path, *, fails: bool = False, head: str = HEAD) -> tuple[str, list[dict[str, Any]]]:
    """The stdout of `code` in a process of its own, and the records of its stage `s`."""
    script = folder / "script.py"
    script.write_text(head + code, encoding="utf-8")
    environment = {**os.environ, "PYTHONPATH": str(SOURCE), "MPLBACKEND": "Agg"}
    done = subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) == fails, done.stderr
    lines = (folder / "reports" / "outputs" / "s.jsonl").read_text(encoding="utf-8").splitlines()
    return done.stdout, [json.loads(line) for line in lines]


def figures(folder: Path) -> list[str]:
    return sorted(p.name for p in (folder / "reports" / "figures" / "s").iterdir())


def test_text(tmp_path: Path) -> None:
    code = """
import os
with stage("s"):
    cell("a"); print("one"); print("two"); show(None); show("x")
    cell("b"); print("three"); os.makedirs("w"); os.chdir("w"); display(None, 1)
"""
    out, records = run(code, tmp_path)
    assert out == "one\ntwo\n'x'\nthree\nNone\n1\n"
    assert [(r["cell"], r["kind"], r["text"]) for r in records] == [
        ("a", "stream", "one\ntwo\n"), ("a", "display", "'x'\n"), ("b", "stream", "three\n"),
        ("b", "display", "None\n"), ("b", "display", "1\n"),
    ]  # fmt: skip
    assert figures(tmp_path) == []


def test_an_error_keeps_what_was_shown(tmp_path: Path) -> None:
    code = """
import matplotlib.pyplot as plt
with stage("s"):
    cell("a"); print("one"); plt.plot([1, 2]); 1 / 0
"""
    _, records = run(code, tmp_path, fails=True)
    assert [r["kind"] for r in records] == ["stream", "figure"]


def test_figures(tmp_path: Path) -> None:
    code = """
import matplotlib.pyplot as plt
with stage("s"):
    cell("a/1"); plt.plot([1, 2]); print("p"); plt.show(); plt.plot([3])
    cell("b"); fig, ax = plt.subplots(); fig.show(); show(fig); plt.close(fig)
    cell("c"); plt.ioff(); plt.plot([1])
    cell("d"); print(len(plt.get_fignums())); plt.close("all"); plt.ion(); plt.figure()
    cell("e"); display(fig)
"""
    out, records = run(code, tmp_path)
    assert out == "p\n1\n<Figure size 640x480 with 0 Axes>\n"
    assert figures(tmp_path) == ["01_a_1.png", "02_a_1.png", "03_b.png", "04_e.png"]
    assert records[1] == {"cell": "a/1", "kind": "figure", "file": "reports/figures/s/01_a_1.png"}
    before = {f: (tmp_path / "reports" / "figures" / "s" / f).read_bytes() for f in figures(tmp_path)}
    run(code, tmp_path)
    assert {f: (tmp_path / "reports" / "figures" / "s" / f).read_bytes() for f in figures(tmp_path)} == before
    assert not any(b"Software" in data for data in before.values())


@pytest.mark.parametrize(("before", "kept"), [("", 1), ("import matplotlib; matplotlib.use('svg')", 0)])
def test_matplotlib_imported_first(before: str, kept: int, tmp_path: Path) -> None:
    code = """
with stage("s"):
    cell("a"); plt.plot([1, 2]); plt.show()
"""
    run(code, tmp_path, head=f"{before}\nimport matplotlib.pyplot as plt\n{HEAD}")
    assert len(figures(tmp_path)) == kept


def test_images_and_ipython_display(tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    code = """
from IPython.display import HTML, Image, clear_output, display as ipython_display
PNG = b"\\x89PNG\\r\\n\\x1a\\n" + b"0" * 20
class Picture:
    def _repr_png_(self): return PNG
class Itself:
    def _ipython_display_(self): print("itself")
with stage("s"):
    cell("a"); ipython_display([1], None); clear_output(); show(Itself()); show(HTML("<b>")); show(Picture())
    cell("b"); show(Image(data=PNG, format="png"))
"""
    out, _ = run(code, tmp_path)
    assert out == (
        "[1]\nNone\nitself\n<IPython.core.display.HTML object>\n"
    )
    assert figures(tmp_path) == ["01_a.png", "02_b.png"]
    for name in figures(tmp_path):
        assert (tmp_path / "reports" / "figures" / "s" / name).read_bytes().startswith(b"\x89PNG")


SETUP = """
import numpy as np, pandas as pd, collections
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.linear_model import LogisticRegression
wide = pd.DataFrame(np.arange(60 * 40).reshape(60, 40) / 7, columns=[f"column_{i}" for i in range(40)])
class Thing: pass
"""
VALUES = [
    "wide", "wide.iloc[:, :12]", "wide['column_3']", "np.arange(2000).reshape(40, 50)", "np.linspace(0, 1, 30)",
    "{'a': {'b': list(range(60)), 'c': {'d': 'x' * 60, 'e': [1.5, None]}}}", "['long string ' * 5] * 8", "Thing",
    "make_pipeline(StandardScaler(), LogisticRegression(C=0.123456, max_iter=1000, class_weight='balanced'))",
    "{'one': wide.iloc[:3, :15], 'two': wide['column_1'].head()}", "np.float64(0.1)", "collections.Counter('hello')",
    "{3, 1, 2}", "list(range(2000))", "pd.Categorical([f'category number {i}' for i in range(12)])", "'text'",
    "pd.Series([f'category number {i}' for i in range(12)], dtype='category')", "wide.describe()", "3.0", "wide.dtypes",
    "LogisticRegression(C=2)", "wide.groupby('column_1')['column_2'].mean()", "pd.date_range('2020', periods=50)",
]  # fmt: skip


def kernel(cells: list[str], folder: Path) -> list[Any]:
    """The outputs of each cell, run by a real kernel."""
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    environment = {k: v for k, v in os.environ.items() if k != "MPLBACKEND"}
    client = nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3")
    client.execute(env=environment, cwd=str(folder))
    return [made.outputs for made in notebook.cells]


def test_text_is_the_text_of_a_real_kernel(tmp_path: Path) -> None:
    outputs = kernel([SETUP, *(f"print({v})\n{v}" for v in VALUES)], tmp_path)[1:]
    expected = [
        "".join(o["text"] if o.output_type == "stream" else o["data"]["text/plain"] + "\n" for o in cell)
        for cell in outputs
    ]
    body = "".join(f"    cell('{i}'); print({v}); show({v})\n" for i, v in enumerate(VALUES))
    _, records = run(f"{SETUP}\nwith stage('s'):\n{body}", tmp_path)
    for i, value in enumerate(VALUES):
        assert "".join(r["text"] for r in records if r["cell"] == str(i)) == expected[i], value


# The statements of a cell, and its last expression.
PLOTS = [
    ("import matplotlib.pyplot as plt", "None"),
    ("plt.plot([1, 2], label='long label ' * 9)", "plt.legend(loc=(1, 1))"),
    ("fig, ax = plt.subplots(figsize=(3, 2), dpi=50, facecolor='red'); plt.show()", "plt.bar([1], [2]) and None"),
    ("fig, ax = plt.subplots(); display(fig)", "None"),
    ("fig, ax = plt.subplots(); n = []; _ = fig.canvas.mpl_connect('draw_event', n.append)", "None"),
    ("fig, ax = plt.subplots(); ax.plot([1]); plt.draw_if_interactive(); plt.show()", "len(n)"),
    ("plt.ioff(); plt.plot([1])", "None"),
    ("plt.show()", "None"),
    ("plt.ion()", "plt.figure()"),
    ("", "plt.isinteractive()"),
    ("fig, ax = plt.subplots(); n = []; _ = fig.canvas.mpl_connect('draw_event', n.append)", "None"),
    ("fig, ax = plt.subplots(); _ = fig.canvas.mpl_connect('draw_event', n.append)", "len(n)"),
    ("fig, ax = plt.subplots(); plt.draw_if_interactive(); plt.show()", "len(n)"),
    ("from matplotlib.figure import Figure; f = Figure(); f.add_subplot()", "f"),
    ("import matplotlib; matplotlib.use('agg'); plt.plot([1])", "None"),
    ("plt.show()", "plt.get_fignums()"),
]


def test_images_are_the_images_of_a_real_kernel(tmp_path: Path) -> None:
    """Compared as pixels: a kernel's PNG also names the software."""
    outputs = kernel([f"{statements}\n{last}" for statements, last in PLOTS], tmp_path)
    body = "".join(f"    cell('{i}'); {s + ';' if s else ''} show({last})\n" for i, (s, last) in enumerate(PLOTS))
    _, records = run(f"with stage('s'):\n{body}", tmp_path)
    image = pytest.importorskip("PIL.Image")
    shown = []
    for i, cell in enumerate(outputs):
        for o in (o for o in cell if "data" in o):
            png = o["data"].get("image/png")
            shown.append((str(i), pixels(image, base64.b64decode(png)) if png else o["data"]["text/plain"] + "\n"))
    kept = [
        (r["cell"], pixels(image, (tmp_path / r["file"]).read_bytes()) if r["kind"] == "figure" else r["text"])
        for r in records
    ]
    at = re.compile("at 0x[0-9a-f]+")
    assert [(c, at.sub("", x) if isinstance(x, str) else x) for c, x in kept] == [
        (c, at.sub("", x) if isinstance(x, str) else x) for c, x in shown
    ]


@pytest.mark.parametrize(("form", "suffix"), [("retina", "png"), ("svg", "svg")])
def test_figures_have_the_format_that_the_notebook_asks_for(form: str, suffix: str, tmp_path: Path) -> None:
    plot = "import matplotlib.pyplot as plt; plt.plot([1, 2])"
    outputs = kernel([f"%config InlineBackend.figure_format = '{form}'", f"{plot};"], tmp_path)
    code = f"import os\nwith stage('s'):\n    cell('a'); os.environ['FIGURE_FORMAT'] = '{form}'; {plot}\n"
    _, records = run(code, tmp_path)
    assert [record["file"] for record in records] == [f"reports/figures/s/01_a.{suffix}"]
    there, own = tmp_path / f"kernel.{suffix}", tmp_path / records[0]["file"]
    shown = outputs[1][-1]["data"]
    there.write_bytes(base64.b64decode(shown["image/png"]) if suffix == "png" else shown["image/svg+xml"].encode())
    assert figure_difference(there, own) == ""
    first = own.read_bytes()
    run(code, tmp_path)
    assert own.read_bytes() == first


def pixels(image: Any, data: bytes) -> bytes:
    picture = image.open(BytesIO(data))
    return repr((picture.size, picture.mode)).encode() + bytes(picture.tobytes())


def test_what_is_written_past_python_is_kept_in_its_place(tmp_path: Path) -> None:
    code = """
import os, subprocess
with stage("s"):
    cell("a"); print("one"); os.system("echo two"); print("three"); os.write(1, b"four\\n")
    cell("b"); subprocess.run(["echo", "five"]); show([6])
print("after")
"""
    out, records = run(code, tmp_path)
    assert out == "one\ntwo\nthree\nfour\nfive\n[6]\nafter\n"
    assert [(r["cell"], r["text"]) for r in records] == [
        ("a", "one\ntwo\nthree\nfour\n"),
        ("b", "five\n"),
        ("b", "[6]\n"),
    ]


def test_what_fortran_writes_is_kept_in_its_place_where_standard_output_is_a_file(tmp_path: Path) -> None:
    """Its runtime keeps what it writes for as long as it can then: to the end of the process."""
    (tmp_path / "fortran.py").write_text(
        HEAD
        + """
import numpy as np
from scipy import odr
with stage("s"):
    cell("a"); print("one")
    data, model = odr.RealData(np.arange(5.0), np.arange(5.0) * 2), odr.Model(lambda b, x: b[0] * x)
    fit = odr.ODR(data, model, beta0=[1.0]); fit.set_iprint(final=1); fit.run(); print("two")
    cell("b"); print("three")
"""
    )
    with (tmp_path / "said").open("w", encoding="utf-8") as said:
        subprocess.run(
            [sys.executable, "fortran.py"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(SOURCE)},
            stdout=said,
            check=True,
        )
    out = (tmp_path / "said").read_text(encoding="utf-8")
    lines = (tmp_path / "reports" / "outputs" / "s.jsonl").read_text(encoding="utf-8").splitlines()
    assert "".join(json.loads(line)["text"] for line in lines) == out
    assert re.search(r"^one\n(.|\n)*FINAL SUMMARY(.|\n)*\ntwo\nthree\n$", out)
