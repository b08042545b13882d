"""From the click on the toolbar's button to the plan on the screen, for notebooks of 100 cells, in a real browser.

    python bench/preview.py [--times 5] [--settle 5]

Needs what `labextension/browser/run.sh` installs. The process that plans is started when a page is loaded,
and is ready after a second or two; with `--settle 0`, the first click waits for it too.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "labextension" / "browser"))

from served import BUTTON, chromium, open_notebook, served  # noqa: E402 - of the folder that was just added

CELLS = 100
EXAMPLE = ROOT / "examples" / "tidy" / "churn.ipynb"


def large() -> str:
    """The example's cells again and again: 100 cells of real code, three quarters of it."""
    notebook = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    cells = notebook["cells"]
    made = [{**cells[number % len(cells)], "id": f"cell-{number}"} for number in range(CELLS)]
    return json.dumps({**notebook, "cells": made})


def main() -> None:
    """Measure, and print the seconds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=int, default=5, help="clicks per page (default 5)")
    parser.add_argument("--settle", type=float, default=5.0, help="seconds before the first click (default 5)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        root = Path(folder) / "root"
        root.mkdir()
        (root / "large.ipynb").write_text(large(), encoding="utf-8")
        with served("lab", root, Path(folder) / "private") as server:
            page = browser.new_page(viewport={"width": 1400, "height": 900})
            open_notebook(page, server, "large.ipynb")
            seconds: list[float] = []
            page.wait_for_timeout(1000 * given.settle)
            for _ in range(given.times):
                start = time.perf_counter()
                page.locator(BUTTON).click()
                page.locator(".nb2pkg-section").first.wait_for()
                seconds.append(time.perf_counter() - start)
                page.keyboard.press("Escape")
                page.locator("#nb2pkg-sheet").wait_for(state="detached")
    shown = ", ".join(f"{each:.2f}" for each in seconds)
    print(f"click to preview of {CELLS} cells: first {seconds[0]:.2f} s, median {statistics.median(seconds):.2f} s")
    print(f"all: {shown}")


if __name__ == "__main__":
    main()
