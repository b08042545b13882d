"""What is installed from a checkout: the extension with its built assets, without node."""

from __future__ import annotations

import os
import subprocess
import zipfile
from pathlib import Path

from conftest import PYTHON, ROOT


def test_a_wheel_is_built_without_node_and_holds_the_extension(tmp_path: Path) -> None:
    for name in ("node", "npm", "npx", "jlpm", "yarn"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/called\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    environment = {**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = [PYTHON, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(tmp_path), str(ROOT)]
    subprocess.run(command, env=environment, check=True)
    assert not (tmp_path / "called").exists()
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    placed = {name.partition(".data/data/")[2] for name in names}
    assets = ROOT / "src" / "nb2pkg" / "labextension"
    built = {p.relative_to(assets).as_posix() for p in assets.rglob("*") if p.is_file()}
    extension = "share/jupyter/labextensions/nb2pkg-labextension/"
    assert {extension + name for name in (*built, "install.json")} <= placed
    assert "etc/jupyter/jupyter_server_config.d/nb2pkg.json" in placed
    assert "nb2pkg/jupyter/openapi.json" in names
    assert not [name for name in names if "/labextension/" in name and ".data/" not in name]


def test_jupyter_lists_both_extensions() -> None:
    for command, name in (("labextension", "nb2pkg-labextension"), ("server", "nb2pkg.jupyter")):
        words = [command, "list"] if command == "labextension" else [command, "extension", "list"]
        done = subprocess.run([PYTHON, "-m", "jupyter", *words], capture_output=True, text=True, check=True)
        lines = [line for line in (done.stdout + done.stderr).splitlines() if name in line]
        assert any("OK" in line for line in lines), done.stdout + done.stderr
