"""The worker: a process that plans, converts and zips for a server, one request after the other.

Requests come as JSON lines on standard input; what happens is told as JSON lines on standard output, the last of each
request being `done`, `refused` (the user's input) or `crashed` (ours). It ends with its standard input, so with the
server, however that ends; SIGTERM ends it cleanly, in the middle of a request too.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import signal
import threading
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nb2pkg.diagnostics import Diagnostic

STEPS = ("read", "analyse", "section", "refactor", "plan", "emit", "write")
MOST_DIFFERENCES = 20
GRACE = 10.0
"""Seconds that a request has to end in once the server is gone."""

Tell = Callable[[dict[str, Any]], None]


def main() -> None:
    """Serve until standard input ends."""
    signal.signal(signal.SIGTERM, _ended)
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever prints, prints to the server's log
    requests: queue.Queue[bytes] = queue.Queue()
    threading.Thread(target=_listen, args=(requests,), daemon=True).start()

    def tell(event: dict[str, Any]) -> None:
        out.write(json.dumps(event) + "\n")
        out.flush()

    _warm()
    while line := requests.get():
        tell(_answer(json.loads(line), tell))


def _ended(number: int, frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _listen(requests: queue.Queue[bytes]) -> None:
    # Not sys.stdin, whose lock would be held by this thread when the process ends.
    rest = b""
    while block := os.read(0, 1 << 20):
        *lines, rest = (rest + block).split(b"\n") if b"\n" in block else (rest + block,)
        for line in lines:
            requests.put(line)
    requests.put(b"")
    timer = threading.Timer(GRACE, os._exit, (1,))
    timer.daemon = True
    timer.start()
    os.kill(os.getpid(), signal.SIGTERM)


def _warm() -> None:
    """Plan and emit something small, for the libraries and tables that this loads."""
    from nb2pkg.pipeline import Options, tree
    from nb2pkg.read.formats import NotebookFile

    cells = [{"cell_type": "code", "metadata": {}, "outputs": [], "source": "%pylab\nx = 1\nprint(x)"}]
    content = json.dumps({"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 4})
    tree(NotebookFile("warm.ipynb", Path(os.devnull).parent, content.encode()), Options(package="warm", lift=True))


def _answer(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from nb2pkg.errors import Nb2pkgError

    try:
        return {"event": "done", "result": _DO[request["do"]](request, tell)}
    except Nb2pkgError as error:
        return {"event": "refused", "code": error.code, "message": error.message, "cell": error.cell}
    except Exception as error:  # a bug of ours: told to the user in short, to the log in full
        traceback.print_exc()
        return {"event": "crashed", "message": f"{type(error).__name__}: {error}"}


def _plan(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from nb2pkg.pipeline import plan

    return plan(_file(request), _options(request)).as_json()


def _export(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    """Write the package to `out`, or to a folder of its own name below `scratch`."""
    from nb2pkg.archive import archive
    from nb2pkg.pipeline import convert, plan
    from nb2pkg.verify.publish import REPORTS

    file, options = _file(request), _options(request)
    scratch = request.get("scratch")
    out = Path(scratch) / plan(file, options).package if scratch else Path(request["out"])

    def on_step(step: str) -> None:
        tell({"event": "step", "step": step, "done": STEPS.index(step), "total": len(STEPS)})

    profiled: tuple[Diagnostic, ...] = ()
    if request["options"]["profile"]:
        options, profiled = _profiled(file, options, request.get("kernel"), tell)
    equivalence = None
    if request["options"]["verify"]:
        made, equivalence = _verified(file, out, options, request.get("kernel"), tell)
    else:
        made = convert(file, out, options, on_step)
    if scratch:
        archive(out, Path(request["archive"]), REPORTS)
    return {
        "equivalence": equivalence,
        "package": made.plan.package,
        "stages": [stage.name for stage in made.plan.stages],
        "diagnostics": [
            {"code": d.code, "severity": d.severity, "cell": d.cell, "line": d.line, "message": d.message}
            for d in (*profiled, *made.diagnostics)
        ],
    }


class _Progress:
    """The runs of the notebook and of the package, told as they go."""

    def __init__(self, name: str, tell: Tell) -> None:
        self.name = name
        self.tell = tell
        self.what, self.done, self.total = "", 0, 0

    def begin(self, what: str, total: int) -> None:
        self.what, self.done, self.total = what, -1, total

    def step(self, name: str) -> None:
        self.done += 1
        detail = f"{self.what}, {name}"
        self.tell({"event": "step", "step": self.name, "done": self.done, "total": self.total, "detail": detail})

    def end(self) -> None:
        pass


def _profiled(file: Any, options: Any, kernel: str | None, tell: Tell) -> tuple[Any, tuple[Diagnostic, ...]]:
    """The options with what a run of the notebook has shown, and what is to be told of it."""
    from nb2pkg.profile import profile

    facts, told = profile(file, options, kernel, progress=_Progress("profile", tell))
    return replace(options, facts=facts), told


def _verified(file: Any, out: Path, options: Any, kernel: str | None, tell: Tell) -> tuple[Any, dict[str, Any]]:
    """A conversion that is verified, and what was found."""
    from nb2pkg.repair import convert_verified
    from nb2pkg.verify.publish import HTML
    from nb2pkg.verify.terminal import summary

    made, report = convert_verified(file, out, options, kernel, progress=_Progress("verify", tell))
    told = [f"{each.kind} {each.name}: {each.detail}".rstrip(": ") for each in report.different]
    return made, {
        "equivalent": report.verdict == "equivalent",
        "summary": summary(report),
        "differences": told[:MOST_DIFFERENCES],
        "report": HTML,
    }


def _archive(request: dict[str, Any], tell: Tell) -> dict[str, Any]:
    from nb2pkg.archive import archive
    from nb2pkg.verify.publish import REPORTS

    archive(Path(request["out"]), Path(request["archive"]), REPORTS)
    return {}


_DO: dict[str, Callable[[dict[str, Any], Tell], dict[str, Any]]] = {
    "plan": _plan,
    "export": _export,
    "archive": _archive,
}


def _file(request: dict[str, Any]) -> Any:
    from nb2pkg.read.formats import NotebookFile

    return NotebookFile(request["name"], Path(request["folder"]), request["content"].encode())


def _options(request: dict[str, Any]) -> Any:
    """What was chosen, then the settings of the notebook's folder, but for the interpreter, which will be run: that is
    the kernel's."""
    from nb2pkg.settings import TABLE, SettingsError, options_for

    chosen, within = request["options"], Path(request["within"])
    options = options_for(
        Path(request["folder"]) / request["name"],
        Path(request["out"]) if "out" in request else None,
        package=chosen["package"],
        one_stage=chosen["one_stage"],
        lift=chosen["lift"],
        seed=chosen["seed"],
        force=chosen["overwrite"],
        git=chosen["git"],
        within=within,
    )
    if options.cwd is not None and not options.cwd.resolve().is_relative_to(within):
        message = f"[{TABLE}] cwd lies outside of the folder that may be read"
        raise SettingsError("N630", message, file=request["name"])
    return replace(options, python=request.get("python"))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError):
        main()
