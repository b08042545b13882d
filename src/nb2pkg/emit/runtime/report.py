"""What the notebook shows, kept: printed and displayed text on stdout and in reports/outputs, figures as PNG."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("MPLBACKEND", "agg")


class _Recorder:
    """Standard output that also keeps what is written, with the cell that wrote it."""

    def __init__(self, stream: Any, name: str) -> None:
        self.stream = stream
        self.name = name
        self.root = Path.cwd()
        self.cell = ""
        self.records: list[dict[str, str]] = []
        self.figures = 0

    def write(self, text: str) -> int:
        self.keep("stream", text)
        return int(self.stream.write(text))

    def flush(self) -> None:
        self.stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)

    def keep(self, kind: str, text: str) -> None:
        last = self.records[-1] if self.records else None
        if kind == "stream" and last and last["kind"] == "stream" and last["cell"] == self.cell:
            last["text"] += text
        else:
            self.records.append({"cell": self.cell, "kind": kind, "text": text})

    def figure(self, figure: Any) -> None:
        if not figure.axes and not figure.lines:
            return
        self.figures += 1
        name = f"{self.figures:02d}_{re.sub(r'[^A-Za-z0-9_-]', '_', self.cell)}.png"
        path = self.root / "reports" / "figures" / self.name / name
        figure.savefig(
            path,
            format="png",
            bbox_inches="tight",
            dpi=figure.dpi,
            facecolor=figure.get_facecolor(),
            edgecolor=figure.get_edgecolor(),
            metadata={"Software": None},
        )
        self.records.append({"cell": self.cell, "kind": "figure", "file": f"reports/figures/{self.name}/{name}"})


_active: list[_Recorder] = []


def _show_figures(*_args: Any, **_keywords: Any) -> None:
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None or not _active:
        return
    for number in pyplot.get_fignums():
        _active[-1].figure(pyplot.figure(number))
    pyplot.close("all")


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Keep what the body prints, displays and draws under `reports/`, by the stage's name."""
    recorder = _Recorder(sys.stdout, name)
    folder = recorder.root / "reports" / "figures" / name
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.png"):
        old.unlink()
    pandas = sys.modules.get("pandas")
    if pandas is not None and pandas.get_option("display.max_columns") == 0:
        pandas.set_option("display.max_columns", 20)  # what pandas itself sets in a notebook
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.show = _show_figures
    _active.append(recorder)
    sys.stdout = recorder  # type: ignore[assignment]
    try:
        yield
        _show_figures()
    finally:
        sys.stdout = recorder.stream
        _active.pop()
        path = recorder.root / "reports" / "outputs" / f"{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(record, ensure_ascii=False) + "\n" for record in recorder.records)
        path.write_text("".join(lines), encoding="utf-8")


def cell(name: str) -> None:
    """The cell `name` begins: the figures of the one before are shown and closed, as in a notebook."""
    _show_figures()
    if _active:
        _active[-1].cell = name


def show(value: Any) -> Any:
    """Display the value of a cell's last expression as IPython does; returns it."""
    if value is not None:
        display(value)
    return value


def display(*values: Any, **_keywords: Any) -> None:
    """Display each value: figures as PNG, all else as text."""
    figure_type = getattr(sys.modules.get("matplotlib.figure"), "Figure", None)
    for value in values:
        if figure_type is not None and isinstance(value, figure_type) and _active:
            _active[-1].figure(value)
            continue
        if hasattr(value, "_ipython_display_"):
            value._ipython_display_()
            continue
        text = _text(value)
        if _active:
            _active[-1].keep("display", text)
            _active[-1].stream.write(text + "\n")
        else:
            print(text)


def _text(value: Any) -> str:
    try:
        from IPython.core.formatters import PlainTextFormatter
    except ImportError:
        return repr(value)
    return str(PlainTextFormatter()(value))
