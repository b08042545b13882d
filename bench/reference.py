"""What a notebook does when it is run top to bottom: run it twice in fresh kernels and keep what it showed.

Imported, it serves `equivalence.py`. Run as a script by the notebooks' own interpreter (which needs
nbclient, nbformat and ipykernel, nothing else), it is the runner: reference.py NOTEBOOK CWD RESULT SECONDS.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, cast

FORMAT = 2
SKIPPED_FOLDERS = {".ipynb_checkpoints", "__pycache__", ".git"}
GRACE = 30  # seconds that a runner gets to stop its own kernel before it is killed

Record = dict[str, Any]


# ------------------------------------------------------------------------------------------- the runner


def record_cells(nb: Any) -> list[Record]:
    """Give each code cell's outputs: text in order, figures as a count."""
    cells: list[Record] = []
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        outputs: list[Record] = []
        figures = rich = 0
        stderr = ""
        for out in cell.get("outputs", []):
            kind = out["output_type"]
            if kind == "stream":
                if out["name"] == "stdout":
                    outputs.append({"kind": "stream", "text": out["text"]})
                else:
                    stderr += out["text"]
            elif kind in ("display_data", "execute_result"):
                data = out["data"]
                if any(mime.startswith("image/") for mime in data):
                    figures += 1
                    outputs.append({"kind": "figure", "text": ""})
                elif "text/plain" in data:
                    outputs.append({"kind": "display", "text": data["text/plain"]})
                    # a live figure (`%matplotlib notebook`) is a script that draws it
                    figures += "mpl.figure" in data.get("application/javascript", "")
                else:
                    rich += 1
            elif kind == "error":
                outputs.append({"kind": "error", "text": f"{out['ename']}: {out['evalue']}"})
        cells.append(
            {
                "index": len(cells),
                "id": cell.get("id", ""),
                "outputs": outputs,
                "figures": figures,
                "rich": rich,
                "stderr": stderr[-2000:],
            }
        )
    return cells


def runner(notebook: str, cwd: str, result: str, seconds: float) -> None:
    """Run one notebook in a fresh kernel, in `cwd`, and write what it showed to `result`."""
    # It makes a grammar when jsonschema imports it, which takes a second; no notebook needs it.
    sys.modules.setdefault("rfc3987_syntax", cast(ModuleType, None))
    import nbformat
    from nbclient import NotebookClient

    read: Any = nbformat.read
    nb = read(notebook, as_version=4)
    client = NotebookClient(
        nb, kernel_name="python3", timeout=None, startup_timeout=120, resources={"metadata": {"path": cwd}}
    )

    async def go() -> None:
        await asyncio.wait_for(client.async_execute(), seconds)

    error = ""
    start = time.time()
    try:
        asyncio.run(go())
    except TimeoutError:
        error = f"Timeout: over {seconds:.0f} s"
    except Exception as e:
        name = getattr(e, "ename", "") or type(e).__name__
        said = getattr(e, "evalue", "") or str(e)
        error = f"{name}: {said[-1500:]}"
        if time.time() - start >= seconds:  # nbclient makes a dead kernel of a cancelled run
            error = f"Timeout: over {seconds:.0f} s"
    got = {
        "ok": not error,
        "error": error,
        "seconds": round(time.time() - start, 2),
        "cells": record_cells(nb),
    }
    Path(result).write_text(json.dumps(got), encoding="utf-8")


# ------------------------------------------------------------------------------------ processes and files


@dataclass(frozen=True)
class Ran:
    """A process that ended: its exit status, or None when the time was up and it was killed."""

    status: int | None
    stdout: str
    stderr: str
    seconds: float


def descendants(pid: int) -> list[int]:
    """Give the ids of the processes that stem from `pid` (a kernel has a session of its own)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                stat = (entry / "stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            children.setdefault(int(stat.rpartition(")")[2].split()[1]), []).append(int(entry.name))
    found, todo = [], [pid]
    while todo:
        kids = children.get(todo.pop(), [])
        found += kids
        todo += kids
    return found


def run(args: list[str], cwd: Path, env: dict[str, str], timeout: float) -> Ran:
    """Run a command with a time limit; when it is up, kill it with all that it started."""
    start = time.time()
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        p = subprocess.Popen(
            args, cwd=cwd, env=env, stdin=subprocess.DEVNULL, stdout=out, stderr=err, start_new_session=True
        )
        status: int | None
        try:
            status = p.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        finally:
            if p.poll() is None:
                below = descendants(p.pid)
                for kill, pid in [(os.killpg, p.pid), *[(os.kill, q) for q in below]]:
                    with contextlib.suppress(ProcessLookupError):
                        kill(pid, signal.SIGKILL)
                p.wait()
        texts = []
        for f in (out, err):
            f.seek(0)
            texts.append(f.read().decode("utf-8", "replace"))
    return Ran(status, texts[0], texts[1], round(time.time() - start, 2))


def environment(python: str, scratch: Path) -> dict[str, str]:
    """Give the environment in which notebook and package run: the same one for both."""
    env = {
        k: v
        for k, v in os.environ.items()
        if k not in ("PYTHONPATH", "PYTHONHOME", "MPLBACKEND", "VIRTUAL_ENV")
    }
    env["PATH"] = f"{Path(python).parent}{os.pathsep}{env.get('PATH', os.defpath)}"
    env["IPYTHONDIR"] = str(scratch / "ipython")
    env["JUPYTER_RUNTIME_DIR"] = str(scratch / "jupyter")
    env["PYTHONDONTWRITEBYTECODE"] = "1"
    return env


def sha(path: Path) -> str:
    h = hashlib.sha256()
    with path.open("rb") as f:
        while block := f.read(1 << 20):
            h.update(block)
    return h.hexdigest()


def listing(folder: Path) -> dict[str, tuple[str, int]]:
    """Give every file below `folder`: relative path ──► hash and time of last change."""
    found = {}
    for root, folders, files in os.walk(folder):
        folders[:] = [d for d in folders if d not in SKIPPED_FOLDERS]
        for name in files:
            path = Path(root, name)
            if path.is_file():
                found[path.relative_to(folder).as_posix()] = (sha(path), path.stat().st_mtime_ns)
    return found


# ---------------------------------------------------------------------------------------- the reference


def run_once(row: Record, source: Path, python: str, timeout: float) -> Record:
    """Run the notebook once in a copy of its folder; add the files that it wrote."""
    with tempfile.TemporaryDirectory(prefix="nbref-") as tmp:
        scratch = Path(tmp)
        folder = scratch / "nb"
        shutil.copytree(source, folder)
        before = listing(folder)
        result = scratch / "result.json"
        notebook, cwd = folder / row["notebook"], folder / row["cwd"]
        script = [python, str(Path(__file__).resolve()), str(notebook), str(cwd), str(result), str(timeout)]
        day = time.strftime("%Y-%m-%d")
        ran = run(script, scratch, environment(python, scratch), timeout + GRACE)
        got: Record
        if result.exists():
            got = json.loads(result.read_text(encoding="utf-8"))
        else:
            why = "killed, time is up" if ran.status is None else ran.stderr.strip()[-1500:]
            got = {"ok": False, "error": f"Runner: {why}", "seconds": ran.seconds, "cells": []}
        got["day"] = day
        got["folder"] = str(folder)
        got["files"] = {
            path: state[0] for path, state in sorted(listing(folder).items()) if before.get(path) != state
        }
        return got


def cached(row: Record, source: Path, cache: Path) -> Record | None:
    """Give the reference that is kept for this notebook, if it is of the notebook as it is now."""
    path = cache / f"{row['id']}.json"
    if not path.exists():
        return None
    try:
        kept: Record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return None
    same = kept.get("format") == FORMAT and kept.get("notebook_sha") == sha(source / row["notebook"])
    return kept if same else None


def reference(
    row: Record, corpus: Path, cache: Path, python: str, timeout: float, *, refresh: bool, once: bool = False
) -> Record:
    """Give what the notebook does, from two runs (or one, held to repeat itself), kept under `cache`."""
    source = corpus / row["dir"]
    if not refresh and (kept := cached(row, source, cache)):
        return kept
    runs: list[Record] = []
    for _ in range(1 if once else 2):
        got = run_once(row, source, python, timeout)
        if not got["ok"] and re.match(r"(DeadKernelError|RuntimeError: Kernel)", got["error"]):
            got = run_once(row, source, python, timeout)  # two kernels can draw the same port
        runs.append(got)
        if not got["ok"]:
            break
    if once:
        runs *= 2  # what is compared with itself differs nowhere, so nothing is left out
    ref: Record = {
        "format": FORMAT,
        "id": row["id"],
        "notebook_sha": sha(source / row["notebook"]),
        "python": python,
        "ok": len(runs) == 2 and all(r["ok"] for r in runs),
        "error": next((r["error"] for r in runs if not r["ok"]), ""),
        "seconds": round(sum(r["seconds"] for r in runs), 2),
        "runs": runs,
    }
    keep(ref, cache)
    return ref


def add_run(ref: Record, row: Record, corpus: Path, cache: Path, python: str, timeout: float) -> Record:
    """Run a notebook that does not repeat itself once more."""
    got = run_once(row, corpus / row["dir"], python, timeout)
    if not got["ok"]:
        return ref
    longer: Record = {**ref, "runs": [*ref["runs"], got], "seconds": round(ref["seconds"] + got["seconds"], 2)}
    keep(longer, cache)
    return longer


def keep(ref: Record, cache: Path) -> None:
    """Write a reference to the cache, whole or not at all."""
    cache.mkdir(parents=True, exist_ok=True)
    part = cache / f".{ref['id']}.{os.getpid()}.part"
    part.write_text(json.dumps(ref), encoding="utf-8")
    part.replace(cache / f"{ref['id']}.json")


if __name__ == "__main__":
    runner(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
