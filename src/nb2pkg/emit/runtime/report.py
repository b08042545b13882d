"""What the notebook shows, kept: its text in `reports/outputs`, its figures in `reports/figures`.

Text still goes to stdout at once. This module is also the Matplotlib backend of the package, and does with a figure
what the notebook's inline backend does: `plt.show()` and the end of a cell show every open figure and close it.
"""

from __future__ import annotations

import base64
import ctypes
import importlib
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any, TextIO, cast

ROOT = Path.cwd()  # the package's root, where it is started; a stage works elsewhere
BACKEND = f"module://{__name__}"
NOTEBOOK_MAX_COLUMNS = 20
IMAGES = {"image/png": "png", "image/jpeg": "jpg", "image/svg+xml": "svg"}
_SIGNED = {"png": "Software", "svg": "Date"}  # what an image would say of its making
_OPEN_FIGURES: Any = object()


@dataclass
class _Recorder:
    """What one stage has shown so far."""

    name: str
    root: Path
    stdout: TextIO
    cell: str = ""
    figures: int = 0
    records: list[dict[str, str]] = field(default_factory=list)
    descriptor: _Descriptor | None = None

    def drain(self) -> None:
        """Record what was written past Python so far."""
        if self.descriptor is not None:
            self.descriptor.drain()

    def text(self, kind: str, text: str) -> None:
        last = self.records[-1] if self.records else {}
        if kind == "stream" and last.get("kind") == "stream" and last["cell"] == self.cell:
            last["text"] += text
        elif text:
            self.records.append({"cell": self.cell, "kind": kind, "text": text})

    def figure(self, data: bytes, suffix: str) -> None:
        self.figures += 1
        cell = re.sub(r"[^A-Za-z0-9_-]+", "_", self.cell)
        file = f"reports/figures/{self.name}/{self.figures:02}_{cell}.{suffix}"
        (self.root / file).write_bytes(data)
        self.records.append({"cell": self.cell, "kind": "figure", "file": file})

    def start(self) -> None:
        folder = self.root / "reports" / "figures" / self.name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)

    def write(self) -> None:
        path = self.root / "reports" / "outputs" / f"{self.name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = [json.dumps(record, ensure_ascii=False) + "\n" for record in self.records]
        path.write_text("".join(lines), encoding="utf-8", errors="backslashreplace", newline="\n")


@dataclass
class _Descriptor:
    """What is written to the process's standard output past Python: by C and Fortran libraries, by `os.system`.

    It goes to a file, and from there, before Python writes on, to the record and to the real standard output.
    """

    recorder: _Recorder
    file: Any
    read: int = 0
    flush: Any = (
        None  # of the Fortran runtime, which keeps what it writes where standard output was a file
    )

    def find_fortran(self) -> None:
        if self.flush is None and sys.platform == "linux":
            with suppress(OSError, AttributeError):
                lines = Path("/proc/self/maps").read_text(encoding="utf-8").splitlines()
                path = next((line.split()[-1] for line in lines if "libgfortran" in line), "")
                self.flush = ctypes.CDLL(path)._gfortran_flush_i4 if path else None

    def drain(self) -> None:
        if self.flush is not None:
            self.flush(None)
        size = os.fstat(self.file.fileno()).st_size
        if size > self.read:
            data: bytes = os.pread(self.file.fileno(), size - self.read, self.read)
            self.read = size
            text = data.decode("utf-8", "replace")
            self.recorder.text("stream", text)
            self.recorder.stdout.write(text)
            self.recorder.stdout.flush()


@contextmanager
def _descriptor(recorder: _Recorder) -> Iterator[None]:
    """Keep what is written to file descriptor 1, where that is this process's own standard output."""
    try:
        own = recorder.stdout.fileno() == 1
    except (OSError, ValueError):  # no descriptor: a test's or a notebook's own stdout
        own = False
    if not own or not hasattr(os, "pread"):
        yield
        return
    recorder.stdout.flush()
    before, stdout = os.dup(1), recorder.stdout
    real = os.fdopen(before, "w", encoding=stdout.encoding, errors="replace")
    with tempfile.TemporaryFile() as file, real:
        os.dup2(file.fileno(), 1)
        recorder.stdout = real
        recorder.descriptor = _Descriptor(recorder, file)
        try:
            yield
        finally:
            with suppress(AttributeError, OSError):
                ctypes.CDLL(None).fflush(None)
            recorder.descriptor.drain()
            recorder.descriptor = None
            recorder.stdout = stdout
            os.dup2(before, 1)


class _Tee:
    """The stage's stdout: the real one, and the record."""

    def __init__(self, recorder: _Recorder) -> None:
        self._recorder = recorder

    def write(self, text: str) -> int:
        self._recorder.drain()
        self._recorder.text("stream", text)
        self._recorder.stdout.write(text)
        self._recorder.stdout.flush()
        return len(text)

    def isatty(self) -> bool:
        return False  # as in a notebook

    def writelines(self, lines: list[str]) -> None:
        self.write("".join(lines))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recorder.stdout, name)


@dataclass
class _State:
    """The stage that is running, and what has been set up in this process."""

    recorder: _Recorder | None = None
    pandas_is_set: bool = False
    matplotlib_is_set: bool = False
    figure_made: bool = False  # in Matplotlib's interactive mode, since the last cell
    draws_first: bool = True  # what is open at the end of a cell, before it is shown
    formatter: Any = None


_STATE = _State()


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Record what the body shows as the stage `name`."""
    before = _STATE.recorder
    recorder = _Recorder(name, ROOT, sys.stdout)
    recorder.start()
    _STATE.recorder = recorder
    try:
        with _descriptor(recorder), redirect_stdout(cast(TextIO, _Tee(recorder))):
            _be_a_notebook()
            try:
                yield
            finally:
                _flush_figures()
                _keep_live_figures()
    finally:
        recorder.write()
        _STATE.recorder = before


def cell(id: str) -> None:
    """End the cell before, and start the cell `id`."""
    _flush_figures()
    _be_a_notebook()
    recorder = _STATE.recorder
    if recorder is not None:
        if recorder.descriptor is not None:
            recorder.descriptor.find_fortran()
        recorder.drain()
        recorder.cell = id


def show(value: Any = _OPEN_FIGURES, **_: object) -> Any:
    """Show the last expression of a cell, and return it. (With no value this is Matplotlib's `plt.show()`.)"""
    if value is _OPEN_FIGURES:
        _show_figures()
    elif value is not None:
        _be_a_notebook()
        _show(value)
    return None if value is _OPEN_FIGURES else value


def display(*values: Any, raw: bool = False, display_id: Any = None, **_: object) -> Any:
    """The notebook's `display`."""
    _be_a_notebook()
    for value in values:
        if raw:
            _show_bundle(value)
        else:
            _show(value)
    if display_id:
        handle = importlib.import_module("IPython.display").DisplayHandle
        return handle() if display_id is True else handle(display_id)
    return None


def _show(value: Any) -> None:
    if _is_a("matplotlib.figure", "Figure", value):
        image = _drawn(value)
        if image is not None:
            _record_figure(image, _figure_format()[0])
        else:  # the notebook shows no image of an empty figure, but its text
            _show_text(_bundle(value).get("text/plain", repr(value)))
    elif _is_a("plotly.basedatatypes", "BaseFigure", value):
        _record_figure(value.to_json().encode(), "json")
    else:
        _show_bundle(_bundle(value))


def _show_bundle(bundle: dict[str, Any]) -> None:
    """Show a value by its MIME types: the image if there is one, else the text."""
    image = next((mime for mime in IMAGES if bundle.get(mime)), None)
    if "text/plain" in bundle and image is None:
        _show_text(bundle["text/plain"])
    if image is not None:
        _record_figure(_image_bytes(bundle[image], image), IMAGES[image])


def _image_bytes(data: Any, mime: str) -> bytes:
    if isinstance(data, bytes):
        return data
    return str(data).encode() if mime == "image/svg+xml" else base64.b64decode(data)


def _bundle(value: Any) -> dict[str, Any]:
    """The plain text and the image that IPython shows for `value`; nothing when the value shows itself."""
    if _STATE.formatter is None:
        try:
            _STATE.formatter = importlib.import_module("IPython.core.formatters").DisplayFormatter()
        except ImportError:
            return {"text/plain": repr(value)}
        _be_a_notebook()  # IPython may have been imported just now
    bundle: dict[str, Any] = _STATE.formatter.format(value, include={"text/plain", *IMAGES})[0]
    return bundle


def _show_text(text: str) -> None:
    recorder = _STATE.recorder
    if recorder is None:
        print(text)
        return
    recorder.drain()
    recorder.text("display", text + "\n")
    recorder.stdout.write(text + "\n")
    recorder.stdout.flush()


def _record_figure(data: bytes, suffix: str) -> None:
    if _STATE.recorder is not None:
        _STATE.recorder.drain()
        _STATE.recorder.figure(data, suffix)


def _is_a(module: str, name: str, value: object) -> bool:
    """Whether `value` is an instance of a class that may not have been imported."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)


def _figure_format() -> tuple[str, int]:
    """The format of figures, and how many pixels stand for one: as `%config InlineBackend.figure_format` says."""
    known = {"retina": ("png", 2), "png2x": ("png", 2), "svg": ("svg", 1)}
    return known.get(os.environ.get("FIGURE_FORMAT", ""), ("png", 1))


def _drawn(figure: Any) -> bytes | None:
    """The image that the inline backend makes of a figure; None of an empty one."""
    if not figure.axes and not figure.lines:
        return None
    file = BytesIO()
    form, scale = _figure_format()
    look = {
        "facecolor": figure.get_facecolor(),
        "edgecolor": figure.get_edgecolor(),
        "bbox_inches": "tight",
    }
    with sys.modules["matplotlib"].rc_context({"svg.hashsalt": "figure"}):
        figure.canvas.print_figure(
            file, format=form, dpi=figure.dpi * scale, metadata={_SIGNED[form]: None}, **look
        )
    return file.getvalue()


def _show_figures() -> None:
    """Show every open figure of pyplot, and close it."""
    helpers: Any = sys.modules.get("matplotlib._pylab_helpers")
    managers = helpers.Gcf.get_all_fig_managers() if helpers is not None else []
    try:
        for manager in managers:
            _show(manager.canvas.figure)
    finally:
        if managers:
            importlib.import_module("matplotlib.pyplot").close("all")


def _flush_figures() -> None:
    """Show the open figures at the end of a cell, if one was made in interactive mode (not after `plt.ioff()`).

    Before that, a notebook draws each that has changed, which can move its parts by a pixel. (Once `plt.ioff()` was
    called it does so after it, when they are closed.)
    """
    helpers: Any = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is not None and _STATE.matplotlib_is_set:
        _STATE.draws_first = _STATE.draws_first and sys.modules["matplotlib"].is_interactive()
        if _STATE.draws_first:
            helpers.Gcf.draw_all()
    if _STATE.figure_made:
        _STATE.figure_made = False
        _show_figures()


def _keep_live_figures() -> None:
    """Keep the figures that a live backend (`%matplotlib notebook`) has shown already and left open."""
    helpers: Any = sys.modules.get("matplotlib._pylab_helpers")
    if helpers is None or "nbagg" not in str(sys.modules["matplotlib"].get_backend()).lower():
        return
    for manager in helpers.Gcf.get_all_fig_managers():
        image = _drawn(manager.canvas.figure)
        if image is not None:
            _record_figure(image, _figure_format()[0])
    helpers.Gcf.figs.clear()


def __getattr__(name: str) -> Any:
    """What makes this module a Matplotlib backend, made when Matplotlib asks for it.

    Like the inline one it draws nothing while a cell runs. Matplotlib leaves that to a backend with its own
    `new_figure_manager` only.
    """
    if name not in ("FigureCanvas", "FigureManager", "new_figure_manager"):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    matplotlib: Any = importlib.import_module("matplotlib")
    bases: Any = importlib.import_module("matplotlib.backend_bases")
    agg: Any = importlib.import_module("matplotlib.backends.backend_agg")

    def made(self: Any, canvas: Any, num: Any) -> None:
        bases.FigureManagerBase.__init__(self, canvas, num)
        _STATE.figure_made = _STATE.figure_made or matplotlib.is_interactive()

    def pyplot_show(_cls: Any, /, *_: object, **__: object) -> None:
        _show_figures()

    methods = {"__init__": made, "pyplot_show": classmethod(pyplot_show)}
    manager = type("FigureManager", (bases.FigureManagerBase,), methods)
    canvas = type("FigureCanvas", (agg.FigureCanvasAgg,), {"manager_class": manager})

    def given_figure(num: Any, figure: Any) -> Any:
        return manager(canvas(figure), num)

    def new_figure(num: Any, *args: Any, **how: Any) -> Any:
        kind = how.pop("FigureClass", None) or importlib.import_module("matplotlib.figure").Figure
        return given_figure(num, kind(*args, **how))

    globals().update(FigureManager=manager, FigureCanvas=canvas, new_figure_manager=new_figure)
    globals().update(new_figure_manager_given_figure=given_figure, draw_if_interactive=lambda: None)
    _be_interactive()
    return globals()[name]


def _be_the_backend() -> None:
    """Make this module the backend, unless the notebook has chosen one; a stage imports Matplotlib before or after."""
    matplotlib: Any = sys.modules.get("matplotlib")
    if matplotlib is not None:
        chosen = dict.get(
            matplotlib.rcParams, "backend"
        )  # asked in any other way, Matplotlib chooses one
        if (
            not isinstance(chosen, str)
            or chosen.lower() == os.environ.get("MPLBACKEND", "").lower()
        ):
            matplotlib.rcParams["backend"] = BACKEND
        _be_interactive()
    os.environ["MPLBACKEND"] = BACKEND


def _be_interactive() -> None:
    """Set Matplotlib's interactive mode once, as a notebook does before its first figure, which may be made inside a
    `rc_context` that takes all settings back."""
    if not _STATE.matplotlib_is_set:
        _STATE.matplotlib_is_set = True
        sys.modules["matplotlib"].interactive(True)


def _be_a_notebook() -> None:
    """Make pandas and IPython, where they are imported, show what they show in a notebook."""
    if "matplotlib" in sys.modules and not _STATE.matplotlib_is_set:
        _be_the_backend()
    console: Any = sys.modules.get("pandas.io.formats.console")
    pandas: Any = sys.modules.get("pandas")
    if console is not None and hasattr(pandas, "set_option") and not _STATE.pandas_is_set:
        _STATE.pandas_is_set = True
        console.in_ipython_frontend = lambda: True  # categories in one line, however wide
        pandas.set_option("mode.sim_interactive", True)
        if pandas.get_option("display.max_columns") == 0:
            pandas.set_option("display.max_columns", NOTEBOOK_MAX_COLUMNS)
    functions: Any = sys.modules.get("IPython.core.display_functions")
    if functions is not None:
        functions.print = _printed_by_ipython


def _printed_by_ipython(*values: Any, **how: object) -> None:
    """Stands for `print` in IPython's display module.

    Without a shell its `display` prints the values, whoever imported it and when; its `clear_output` prints escapes.
    """
    if not how:
        display(*values)


_be_the_backend()
_be_a_notebook()
