"""Servers and pages for the tests: each server is started once, each test has a folder and a page of its own."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from served import App, Served, chromium, served

ROOT = Path(__file__).parents[2]
SHOTS = Path(__file__).with_name("screenshots")
PATIENCE = 60_000.0
"""Milliseconds for what a page does by itself."""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from _server("lab", tmp_path_factory)


@pytest.fixture(scope="session")
def notebook7(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from _server("notebook", tmp_path_factory)


@pytest.fixture(scope="session")
def dark_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    yield from _server("lab", tmp_path_factory, theme="JupyterLab Dark")


def _server(app: App, factory: pytest.TempPathFactory, **how: str) -> Iterator[Served]:
    folder = factory.mktemp(app)
    (folder / "root").mkdir()
    with served(app, folder / "root", folder / "private", **how) as found:
        yield found


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page with cookies of its own; where the test fails, what it showed is kept."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, accept_downloads=True)
    made = context.new_page()
    made.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    yield made
    name = re.sub(r"\W+", "_", request.node.name)
    SHOTS.mkdir(exist_ok=True)
    for number, each in enumerate(context.pages):
        each.screenshot(path=SHOTS / f"end-{name}-{number}.png")
    context.close()


@pytest.fixture
def shot(page: Page) -> Callable[[str], None]:
    """Take a picture of the page, for people to look at."""

    def take(name: str) -> None:
        SHOTS.mkdir(exist_ok=True)
        page.screenshot(path=SHOTS / f"{name}.png")

    return take


def example(server: Served, name: str, folder: str) -> str:
    """A copy of an example below the server's root; the path of its notebook."""
    place = server.root / folder
    shutil.copytree(ROOT / "examples" / name, place)
    (notebook,) = place.glob("*.ipynb")
    return f"{folder}/{notebook.name}"


def write_notebook(server: Served, path: str, *cells: str) -> str:
    """A notebook of code cells."""
    made: list[dict[str, Any]] = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": cell, "outputs": [], "execution_count": None}
        for n, cell in enumerate(cells)
    ]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = {"cells": made, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    place = server.root / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(json.dumps(content), encoding="utf-8")
    return path


def files(package: Path) -> dict[str, bytes]:
    """What a package holds, but for git's own, what stages make, and the report with its timings."""
    found = (p.relative_to(package).as_posix() for p in sorted(package.rglob("*")) if p.is_file())
    own = (name for name in found if not name.startswith((".git/", "reports/")) and "__pycache__" not in name)
    return {name: (package / name).read_bytes() for name in own}


PYTHON = sys.executable
