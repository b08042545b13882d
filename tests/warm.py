"""A process that has imported the slow libraries, and forks a child for each run.

Goes in: lines of JSON on stdin, each one run (a notebook's cells in IPython, a module of a package, or a script).
Comes out: a line with the exit status. What does not go in here: anything of nb2pkg; the cells are the reference.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import runpy
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

LIBRARIES = ("IPython.core.interactiveshell", "matplotlib.pyplot", "numpy.random", "pandas", "pyarrow.parquet")
SECONDS = 60


def run_cells(path: str) -> None:
    """The notebook, top to bottom. What a kernel does and a plain shell does not is done by hand."""
    from IPython.core.displayhook import DisplayHook
    from IPython.core.displaypub import DisplayPublisher
    from IPython.core.interactiveshell import InteractiveShell
    from matplotlib import pyplot
    from pandas import set_option
    from traitlets.config import Config

    def emit(data: dict[str, Any]) -> None:
        text = data.get("text/plain")
        if text is None or "image/png" in data or text.startswith("<Figure size "):
            return  # a figure is no text
        sys.stdout.write(text + "\n")
        sys.stdout.flush()

    class Hook(DisplayHook):
        def start_displayhook(self) -> None:
            pass

        def write_output_prompt(self) -> None:
            pass

        def write_format_data(self, format_dict: dict[str, Any], md_dict: Any = None) -> None:
            emit(format_dict)

        def finish_displayhook(self) -> None:
            pass

    class Publisher(DisplayPublisher):
        def publish(self, data: dict[str, Any], *args: Any, **kwargs: Any) -> None:
            emit(data)

    class Shell(InteractiveShell):
        displayhook_class = Hook
        display_pub_class = Publisher

        def showtraceback(self, *args: Any, **kwargs: Any) -> None:
            print("error:", *sys.exc_info()[:2], file=sys.stderr)

        def system(self, command: str) -> None:  # a kernel sends what the command prints to the cell
            import subprocess

            sys.stdout.flush()
            command = self.var_expand(command, depth=1)
            done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, text=True, check=False)
            self.user_ns["_exit_code"] = done.returncode
            sys.stdout.write(done.stdout)

        system_piped = system_raw = system

    cells = json.loads(Path(path).read_text(encoding="utf-8"))
    sys.argv[1:] = []
    sys.path[0] = ""
    set_option("display.max_columns", 20)  # a kernel is no terminal: not as many as fit
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.colors = "NoColor"
    shell = Shell.instance(config=config)
    for cell in cells:
        if cell["cell_type"] != "code":
            continue
        result = shell.run_cell(cell["source"], store_history=True)
        pyplot.close("all")
        if not result.success and "raises-exception" not in cell["metadata"].get("tags", []):
            sys.stdout.flush()
            error = result.error_before_exec or result.error_in_exec
            print(f"cell {cell['id']} failed: {error!r}", file=sys.stderr)
            sys.exit(1)
    shell.user_ns.clear()


def run_module(name: str) -> None:
    """What ``python -m name`` does."""
    sys.argv = [name]
    sys.path[0] = os.getcwd()
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def run_script(path: str) -> None:
    """What ``python path`` does."""
    sys.argv = [path]
    runpy.run_path(path, run_name="__main__")


def become(request: dict[str, Any]) -> int:
    """Turn this child into the process that was asked for; its exit status."""
    signal.alarm(SECONDS)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for number, path in ((1, request["stdout"]), (2, request["stderr"])):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
    os.chdir(request["folder"])
    os.environ.update(request["environment"])
    try:
        {"cells": run_cells, "module": run_module, "script": run_script}[request["run"]](request["argument"])
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def end(status: int, before: set[str]) -> None:
    """Close what the run left open, then end at once: tearing down the libraries takes most of a second."""
    for name in set(sys.modules) - before:
        vars(sys.modules[name]).clear()
    gc.collect()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def serve() -> None:
    """Answer each line of stdin."""
    for name in LIBRARIES:
        importlib.import_module(name)
    gc.freeze()
    before = set(sys.modules)
    answers = os.fdopen(os.dup(1), "w")
    while line := sys.stdin.readline():
        child = os.fork()
        if child == 0:
            end(become(json.loads(line)), before)
        answers.write(f"{os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        answers.flush()



if __name__ == "__main__":
    serve()
