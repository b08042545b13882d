"""Runs one notebook top to bottom in a fresh kernel, and tells of each cell as it ends: `python -m` this module.

It is given a JSON file (see `Job`), and writes JSON lines to standard output. It is a process of its own so that a
kernel, and whatever that starts, ends with it.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import queue
import re
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any, TextIO, TypedDict, cast

from nb2pkg.verify.layout import read_notebook

STARTUP = 120
_DRIVE = re.compile(r"""(["'])(?:/content/)?g?drive/(?:MyDrive|My Drive|Shareddrives/[^/"']+)/""")
RUNNER = "import sys; sys.path.insert(0, sys.argv.pop(1)); from nb2pkg.verify import kernel_process as k; k.main()"
"""For `python -c`, with the folder of this package: it may be installed, or only on this process's path."""


class Job(TypedDict):
    """What to run, and after which cells (by their place) which variables are stored."""

    notebook: str
    cwd: str
    python: list[str]
    """The command of the kernel's interpreter."""
    kernel: str
    """The name of a kernelspec; empty: `python` is run."""
    observe: dict[str, list[str]]
    profile: bool
    """Whether all variables are looked at after every cell."""
    drive: str
    """The folder that stands for Google Drive, from `cwd`; empty: paths on it stay."""
    folder: str
    limit: int


def run(job: Job, events: TextIO) -> None:
    """Run the notebook of a job."""

    def tell(**event: Any) -> None:
        events.write(json.dumps(event) + "\n")
        events.flush()

    # It makes a grammar when jsonschema imports it, which takes a second; only identifiers of resources need it.
    sys.modules.setdefault("rfc3987_syntax", cast(ModuleType, None))
    from jupyter_client.manager import AsyncKernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, DeadKernelError

    notebook = read_notebook(Path(job["notebook"]))
    for cell in notebook.cells if job["drive"] else ():
        if cell.cell_type == "code":
            cell.source = on_drive(cell.source, job["drive"])
    manager = _manager(AsyncKernelManager, job)
    resources = {"metadata": {"path": job["cwd"]}}
    client: Any = NotebookClient(
        notebook, km=manager, timeout=None, startup_timeout=STARTUP, resources=resources, allow_errors=False
    )

    async def cells() -> None:
        start = time.monotonic()
        # What the kernel's libraries print past Python is not this process's standard output.
        with Path(job["folder"], "kernel.log").open("wb") as log:
            async with client.async_setup_kernel(cleanup_kc=True, stdout=log, stderr=log):
                tell(event="started", seconds=time.monotonic() - start)
                for place, cell in enumerate(notebook.cells):
                    if cell.cell_type == "code":
                        await one(place, cell)

    async def one(place: int, cell: Any) -> None:
        tell(event="cell", place=place)
        start = time.monotonic()
        error = ""
        try:
            await client.async_execute_cell(cell, place)
        except CellExecutionError as raised:
            error = f"{raised.ename}: {raised.evalue}"
        except DeadKernelError:
            error = "the kernel died"
        done = {"place": place, "outputs": cell.outputs, "seconds": time.monotonic() - start, "error": error}
        tell(event="done", **done)
        if error:
            raise _Failed
        if names := job["observe"].get(str(place)):
            call = f"observe(NAMESPACE, {names!r}, FOLDER, {job['limit']})"
            found = await _called(manager, client.kc, job, place, call)
            tell(event="observed", place=place, values=found or dict.fromkeys(names, "?can't be stored"))
        if job["profile"]:
            found = await _called(manager, client.kc, job, place, f"profile(NAMESPACE, FOLDER, {job['limit']})")
            tell(event="profiled", place=place, values=found)

    with contextlib.suppress(_Failed):
        asyncio.run(cells())
    tell(event="ended")


def on_drive(text: str, folder: str) -> str:
    """Code with its paths on Google Drive, as Colab mounts it, in `folder`."""
    return _DRIVE.sub(lambda match: f"{match[1]}{folder}/", text)


class _Failed(Exception):
    """A cell has failed, and that has been told."""


def _manager(kind: Any, job: Job) -> Any:
    from jupyter_client.kernelspec import KernelSpec

    if job["kernel"]:
        return kind(kernel_name=job["kernel"])
    manager = kind(kernel_name="python3")
    command = [*job["python"], "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    manager._kernel_spec = KernelSpec(argv=command, display_name="Python 3", language="python")
    return manager


async def _called(manager: Any, client: Any, job: Job, place: int, call: str) -> dict[str, Any]:
    """What a call of `observe.py` writes to its index.json; made in an expression that binds nothing, unrecorded."""
    script = str(Path(__file__).with_name("observe.py"))
    folder = Path(job["folder"], "values", str(place))
    given = f"{{'NAMESPACE': globals(), 'FOLDER': {str(folder)!r}, '__name__': 'observe'}}"
    code = (
        f"(lambda own, b: (b.exec(b.compile(b.open({script!r}, encoding='utf-8').read(), {script!r}, 'exec'), own), "
        f"b.eval({call!r}, own)) and 0)({given}, __import__('builtins'))"
    )
    message = client.execute("", silent=True, store_history=False, user_expressions={"done": code})
    while await manager.is_alive():
        with contextlib.suppress(queue.Empty):
            reply = await client.get_shell_msg(timeout=1)
            if reply["parent_header"].get("msg_id") == message:
                break
    try:
        values: dict[str, Any] = json.loads((folder / "index.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values


def main() -> int:
    """Run the job that the argument names."""
    events = os.fdopen(os.dup(1), "w", encoding="utf-8")
    with open(os.devnull, "w", encoding="utf-8") as nothing:
        os.dup2(nothing.fileno(), 1)
    job: Job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    run(job, events)
    return 0


if __name__ == "__main__":
    sys.exit(main())
