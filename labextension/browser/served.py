"""A Jupyter server of its own for a test or a bench: JupyterLab or Notebook 7, with a token, XSRF and a base URL."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from playwright.sync_api import Browser, Page, sync_playwright

App = Literal["lab", "notebook"]

CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
TOKEN = "a-token"
BASE = "/user/me@lab/"
"""As JupyterHub's: it catches whatever forgets the base URL."""
QUIET = {
    "@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyterlab/docmanager-extension:plugin": {"autosave": False},
}


@dataclass(frozen=True, slots=True)
class Served:
    """A server that runs."""

    app: App
    root: Path
    gates: Path
    """A folder that notebooks know as `os.environ["GATES"]`: they wait for what is made in it."""
    port: int
    process: subprocess.Popen[bytes]

    def url(self, path: str) -> str:
        """The page of a notebook."""
        place = "lab/tree" if self.app == "lab" else "notebooks"
        return f"http://localhost:{self.port}{BASE}{place}/{quote(path)}?reset&token={TOKEN}"

    def tree(self) -> str:
        """The page of the files."""
        place = "lab" if self.app == "lab" else "tree"
        return f"http://localhost:{self.port}{BASE}{place}?reset&token={TOKEN}"


@contextlib.contextmanager
def served(app: App, root: Path, private: Path, *, theme: str = "JupyterLab Light") -> Iterator[Served]:
    """A server for the files below `root`; what Jupyter and nb2pkg keep goes to the folder `private`."""
    overrides = private / "config" / "labconfig" / "default_setting_overrides.json"
    overrides.parent.mkdir(parents=True)
    overrides.write_text(json.dumps({**QUIET, "@jupyterlab/apputils-extension:themes": {"theme": theme}}))
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    places = {"JUPYTER_CONFIG_DIR": "config", "JUPYTER_DATA_DIR": "data", "JUPYTER_RUNTIME_DIR": "runtime"}
    places |= {"JUPYTERLAB_WORKSPACES_DIR": "workspaces", "JUPYTERLAB_SETTINGS_DIR": "settings"}
    # In a cache of its own no run of a notebook is kept from an earlier test.
    places |= {"XDG_CACHE_HOME": "cache", "GATES": "gates"}
    # The kernels and the stages find the interpreter that the server has.
    paths = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {**os.environ, "PATH": paths, **{name: str(private / place) for name, place in places.items()}}
    options = {
        "ServerApp.base_url": BASE,
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": root,
        "IdentityProvider.token": TOKEN,
    }
    command = [sys.executable, "-m", "jupyter", app, "--no-browser", "--allow-root"]
    command += [f"--{name}={value}" for name, value in options.items()]
    (private / "gates").mkdir()
    log = (private / "server.log").open("wb")
    process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=root)
    try:
        _wait(process, f"http://localhost:{port}{BASE}api?token={TOKEN}", private / "server.log")
        yield Served(app, root, private / "gates", port, process)
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            raise


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    for _ in range(600):
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(url).close()
            return
        if process.poll() is not None:
            break
        time.sleep(0.1)
    raise RuntimeError(f"the server did not start:\n{log.read_text()}")


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the system, without a window."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        yield browser
        browser.close()


BUTTON = '[data-jp-item-name="nb2pkg-export"] .jp-ToolbarButtonComponent'


def open_notebook(page: Page, server: Served, path: str) -> None:
    """Go to a notebook's page and wait until it is at rest, which is once its kernel is idle.

    A kernel that connects changes the notebook's metadata, and has Jupyter run commands, which closes the palette.
    """
    page.goto(server.url(path))
    page.locator(BUTTON).wait_for(timeout=90_000)
    page.locator(".jp-CodeCell").first.wait_for()
    page.locator(".jp-KernelName").filter(has_text=re.compile(r"^\s*Python")).wait_for()
    page.locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
