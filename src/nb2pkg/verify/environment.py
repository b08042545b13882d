"""The interpreter that notebook and package run with, and the environment that both get."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nb2pkg.errors import Nb2pkgError

NEEDED = ("nbclient", "jupyter_client", "PIL")
_PROBE = """
import importlib.util, json, sys
from importlib.metadata import distributions
found = sorted({f"{d.metadata['Name']}=={d.version}" for d in distributions()})
print(json.dumps([sys.version, sys.executable, importlib.util.find_spec("ipykernel") is not None, found]))
"""
_LEFT_OUT = ("PYTHONHOME", "PYTHONUNBUFFERED", "MPLBACKEND", "VIRTUAL_ENV", "__PYVENV_LAUNCHER__")


class VerifyError(Nb2pkgError):
    """The check can't be made here; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Interpreter:
    """The Python of the notebook: its path, the kernelspec that names it, if one does, and its variables."""

    path: str
    kernel: str = ""
    variables: tuple[tuple[str, str], ...] = ()
    digest: str = ""
    """Of its version and of all that is installed in it."""


def interpreter(python: str | None, kernel: str | None) -> Interpreter:
    """The interpreter to run with; raises VerifyError where it can't run a notebook."""
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise VerifyError("N702", f"{', '.join(missing)} is not installed here; pip install 'nb2pkg[verify]'")
    variables: tuple[tuple[str, str], ...] = ()
    if kernel:
        path, variables = _of_kernel(kernel)
    else:
        path = shutil.which(python) or python if python else sys.executable
        path = os.path.abspath(path)
    probe = subprocess.run([path, "-c", _PROBE], capture_output=True, text=True, check=False) if _runs(path) else None
    if probe is None or probe.returncode:
        raise VerifyError("N702", f"{path} is no interpreter that can be run; check --python or --kernel")
    version, _, has_kernel, installed = json.loads(probe.stdout.splitlines()[-1])
    if not has_kernel:
        raise VerifyError("N702", f"ipykernel is not installed in {path}; install it there, or name another --python")
    digest = hashlib.sha256(json.dumps([path, version, installed, kernel]).encode()).hexdigest()
    return Interpreter(path, kernel or "", variables, digest)


def _runs(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)


def _of_kernel(name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    try:
        spec = KernelSpecManager().get_kernel_spec(name)
    except NoSuchKernel as error:
        raise VerifyError("N702", f"there is no kernel {name!r}; `jupyter kernelspec list` lists them") from error
    command = spec.argv[0] if spec.argv else ""
    if command in ("python", "python3", f"python{sys.version_info.major}.{sys.version_info.minor}"):
        command = sys.executable  # as Jupyter does
    return shutil.which(command) or command, tuple(sorted(spec.env.items()))


def environment(python: Interpreter, folder: Path) -> dict[str, str]:
    """The variables for a run below the scratch `folder`: the user's own, secrets included, without what is nb2pkg's.

    Both runs get the same, so that what differs is the package's doing.
    """
    env = {name: value for name, value in os.environ.items() if name not in _LEFT_OUT} | dict(python.variables)
    first = [str(Path(python.path).parent)]
    if not (Path(python.path).parent / "python").exists():
        first.insert(0, str(_shim(python, folder)))
    env["PATH"] = os.pathsep.join([*first, env.get("PATH", os.defpath)])
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    env |= {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_RUNTIME_DIR": str(folder / "jupyter"),
        "TMPDIR": str(temporary),
        "PYTHONDONTWRITEBYTECODE": "1",
        "DVC_NO_ANALYTICS": "1",
        "DVC_SITE_CACHE_DIR": str(folder / "dvc"),
        "DVC_GLOBAL_CONFIG_DIR": str(folder / "dvc"),
        "DVC_SYSTEM_CONFIG_DIR": str(folder / "dvc"),
    }
    return env


def _shim(python: Interpreter, folder: Path) -> Path:
    """A folder with a `python` that is this interpreter, which has no file of that name."""
    place = folder / "bin"
    place.mkdir(exist_ok=True)
    script = place / "python"
    script.write_text(f'#!/bin/sh\nexec "{python.path}" "$@"\n', encoding="utf-8")
    script.chmod(0o755)
    return place
