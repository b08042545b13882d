"""Writing the tree: whole or not at all, nothing of the user's lost, `.dvc` files as DVC itself writes them."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lab import write_notebook
from nb2pkg import Options, convert
from nb2pkg import write as module
from nb2pkg.emit import project
from nb2pkg.emit.tree import Copy, Tree
from nb2pkg.errors import OutputError
from nb2pkg.write import write

DVC = [sys.executable, "-m", "dvc"]
FILES = {
    ".dvc/config": project.dvc_config(),
    ".dvc/.gitignore": project.dvc_internal_gitignore(),
    ".dvcignore": project.dvcignore(),
    ".gitignore": project.gitignore(("data/interim/load/x",), ()),
    "pkg/__init__.py": "",
    "pkg/load.py": "print(1)\n",
}


def tree(*copies: Copy, folder: Path | None = None, **changes: str) -> Tree:
    files = {**FILES, **{k.replace("__", "/"): v for k, v in changes.items()}}
    return Tree(tuple((n, t.encode()) for n, t in files.items()), copies, "pkg", folder)


def listing(folder: Path) -> dict[str, bytes]:
    found = (p for p in sorted(folder.rglob("*")) if p.is_file() and ".git" not in p.relative_to(folder).parts)
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in found}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "nb"
    for name in ("x.csv", "raw/a.csv", "raw/sub-x/b.csv", "raw/sub/c.csv", "raw/données 1.csv", "raw/.hidden"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{name}\n", encoding="utf-8")
    (folder / "raw" / "__pycache__").mkdir()
    (folder / "raw" / "__pycache__" / "z.pyc").write_bytes(b"z")
    return folder


@pytest.fixture
def identity(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    (tmp_path / "gitconfig").write_text("[user]\n name = A\n email = a@b.c\n")


def code(tree: Tree, out: Path, *, force: bool = False) -> str:
    before = sorted(p.name for p in out.parent.iterdir()) if out.parent.is_dir() else []
    with pytest.raises(OutputError) as caught:
        write(tree, out, force=force, git=False)
    if before:
        assert sorted(p.name for p in out.parent.iterdir()) == before, "a temporary folder was left behind"
    return caught.value.code


def test_files_manifest_and_determinism(tmp_path: Path, source: Path) -> None:
    copies = (Copy(source / "x.csv", "data/raw/x.csv", True), Copy(source / "raw", "workspace/raw", False))
    assert write(tree(*copies, folder=source), tmp_path / "a", git=False) == ()
    write(tree(*copies, folder=source), tmp_path / "b", git=False)
    assert listing(tmp_path / "a") == listing(tmp_path / "b")
    text = (tmp_path / "a" / ".nb2pkg" / "manifest.json").read_text(encoding="utf-8")
    manifest = json.loads(text)
    assert str(tmp_path) not in text
    assert manifest["version"] == 1
    assert {"package", "notebook", "cwd"} <= manifest.keys()
    assert manifest["moved"] == {"data/raw/x.csv": "x.csv", "workspace/raw": "raw"}
    for name, digest in manifest["files"].items():
        assert hashlib.sha256((tmp_path / "a" / name).read_bytes()).hexdigest() == digest
    assert {"pkg/load.py", "data/raw/x.csv", "data/raw/x.csv.dvc"} <= manifest["files"].keys()
    assert "workspace/raw/a.csv" not in manifest["files"]
    assert "/data/raw/x.csv" in (tmp_path / "a" / ".gitignore").read_text().splitlines()
    assert not (tmp_path / "a/workspace/raw/__pycache__").exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b", "nb"]


def test_origins_without_the_notebooks_folder(tmp_path: Path, source: Path) -> None:
    write(tree(Copy(source / "raw/a.csv", "workspace/raw/a.csv", True)), tmp_path / "o", git=False)
    moved = json.loads((tmp_path / "o" / ".nb2pkg" / "manifest.json").read_text())["moved"]
    assert moved == {"workspace/raw/a.csv": "raw/a.csv"}


def test_dvc_files_are_those_of_dvc(tmp_path: Path, source: Path) -> None:
    odd = ["a: b.csv", "123", "1e3", "2020-01-01", "yes", "true", "it's.csv", "#x", "[a].csv", "1.5.csv", "-x", "é.csv"]
    for name in odd:
        (source / name).write_text(name, encoding="utf-8")
    (source / "empty").mkdir()
    names = ["x.csv", "raw", "empty", *odd]
    out = tmp_path / "out"
    write(tree(*(Copy(source / n, f"data/raw/{n}", True) for n in names)), out, git=False)
    ours = {n: (out / f"data/raw/{n}.dvc").read_bytes() for n in names}
    for name in names:
        (out / f"data/raw/{name}.dvc").unlink()
    subprocess.run([*DVC, "add", "-q", *(f"data/raw/{n}" for n in names)], cwd=out, check=True)
    for name in names:
        assert ours[name] == (out / f"data/raw/{name}.dvc").read_bytes(), name


def test_refusals(tmp_path: Path, source: Path) -> None:
    (tmp_path / "file").write_text("x")
    assert code(tree(), tmp_path / "file") == "N601"
    assert code(tree(), tmp_path / "file" / "out") == "N605"
    assert code(tree(), source) == "N602"
    assert code(tree(), source, force=True) == "N602"
    copy = Copy(source / "x.csv", "data/x.csv", True)
    assert code(tree(copy), source, force=True) == "N604"
    assert code(tree(Copy(source, "data/all", True)), source / "out") == "N604"
    assert code(tree(folder=source / "deep"), source, force=True) == "N604"
    assert code(tree(Copy(source / "none.csv", "data/x.csv", True)), tmp_path / "out") == "N606"
    with pytest.raises(ValueError, match="inside the package"):
        write(Tree((("../x", b""),), (), "pkg"), tmp_path / "out", git=False)
    assert not (tmp_path / "out").exists()


def test_force_replaces_ours_and_keeps_theirs(tmp_path: Path, source: Path, identity: None) -> None:
    out = tmp_path / "out"
    copies = (Copy(source / "x.csv", "data/raw/x.csv", True), Copy(source / "raw", "workspace/raw", False))
    write(tree(*copies, pkg__old="old"), out)
    names = ("notes/mine.txt", ".dvc/cache/files/md5/ab/c", "data/interim/load/x/value.npy", "pkg/__pycache__/a.pyc")
    for name in names:
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).write_text("theirs")
    (out / "link").symlink_to("nowhere")
    (out / "workspace/raw/a.csv").write_text("changed by a run")
    head = subprocess.check_output(["git", "-C", str(out), "rev-parse", "HEAD"])
    assert write(tree(*copies, pkg__load="new"), out, force=True) == ()
    assert (out / "pkg/load").read_text() == "new"
    assert (out / "notes/mine.txt").read_text() == "theirs"
    assert (out / ".dvc/cache/files/md5/ab/c").is_file()
    assert (out / "link").is_symlink()
    assert not (out / "pkg/old").exists()
    assert not (out / "data/interim").exists()
    assert not (out / "pkg/__pycache__").exists()
    assert (out / "workspace/raw/a.csv").read_text() == "raw/a.csv\n"
    assert subprocess.check_output(["git", "-C", str(out), "rev-parse", "HEAD"]) == head
    subprocess.run(["git", "-C", str(out), "fsck"], check=True, capture_output=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["gitconfig", "nb", "out"]


def test_force_refuses_hand_edits_by_name(tmp_path: Path) -> None:
    out = tmp_path / "out"
    write(tree(), out, git=False)
    (out / "pkg/load.py").write_text("mine")
    (out / "pkg/train.py").write_text("mine too")
    before = listing(out)
    with pytest.raises(OutputError, match=r"pkg/load\.py, pkg/train\.py"):
        write(Tree((*tree().files, ("pkg/train.py", b"ours")), (), "pkg"), out, force=True, git=False)
    assert listing(out) == before
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_a_package_beside_its_notebook_is_no_data_of_it(tmp_path: Path) -> None:
    write_notebook(tmp_path / "a.ipynb", "from unknown_library import read\nprint(read())")
    (tmp_path / "x.csv").write_text("1\n")
    (tmp_path / "env" / "lib").mkdir(parents=True)
    (tmp_path / "env" / "pyvenv.cfg").write_text("home = /usr\n")
    (tmp_path / "env" / "lib" / "y.csv").write_text("2\n")
    first = convert(tmp_path / "a.ipynb", tmp_path / "out", Options(git=False)).plan
    once = listing(tmp_path / "out")
    again = convert(tmp_path / "a.ipynb", tmp_path / "out", Options(git=False, force=True)).plan
    assert first.data_files == again.data_files == ("x.csv",)
    assert listing(tmp_path / "out") == once


def test_what_a_killed_run_was_building_is_removed_by_the_next(tmp_path: Path) -> None:
    out = tmp_path / "o[1]ut"
    left, busy = (tmp_path / f".o[1]ut.nb2pkg-{key}" for key in ("0123abcd", "4567abcd"))
    other = tmp_path / ".o1ut.nb2pkg-0123abcd"
    kept = [tmp_path / f".o[1]ut.nb2pkg-{name}" for name in ("journal", "0123abcd-old")]
    for folder in (left, busy, other, *kept):
        (folder / "pkg").mkdir(parents=True)
    lock = (
        "import fcntl, os, sys; fcntl.flock(os.open(sys.argv[1], os.O_RDONLY), fcntl.LOCK_EX)\n"
        "print(1, flush=True)\ninput()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", lock, str(busy)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None and holder.stdout.readline()
    write(tree(), out, git=False)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in (busy, other, out, *kept))
    holder.kill()
    holder.communicate()
    write(tree(), out, git=False, force=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(p.name for p in (other, out, *kept))


@pytest.mark.parametrize("exchange", [True, False])
def test_a_crash_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    out = tmp_path / "out"
    write(tree(), out, git=False)
    (out / "mine.txt").write_text("mine")
    before = listing(out)
    real = os.rename

    def fail(old: Path, new: Path) -> None:
        if ".nb2pkg-" in str(old) and not str(old).endswith("-old"):
            raise OSError(28, "No space left on device")
        real(old, new)

    with monkeypatch.context() as patch:
        patch.setattr(module, "_exchange", lambda one, other: False)
        patch.setattr(os, "rename", fail)
        assert code(tree(pkg__x="x"), out, force=True) == "N605"
    assert listing(out) == before
    if not exchange:
        monkeypatch.setattr(module, "_exchange", lambda one, other: False)
    write(tree(pkg__x="x"), out, force=True, git=False)
    assert (out / "mine.txt").read_text() == "mine"
    assert (out / "pkg/x").read_text() == "x"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_links_that_lead_out_are_left_out(tmp_path: Path, source: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    (source / "raw/out.csv").symlink_to(tmp_path / "secret")
    (source / "raw/in.csv").symlink_to("a.csv")
    os.mkfifo(source / "raw/pipe")
    told = write(tree(Copy(source / "raw", "data/raw", True)), tmp_path / "out", git=False)
    assert [d.code for d in told] == ["N612", "N612"]
    assert (tmp_path / "out/data/raw/in.csv").read_text() == "raw/a.csv\n"
    assert not (tmp_path / "out/data/raw/in.csv").is_symlink()
    assert not (tmp_path / "out/data/raw/out.csv").exists()


def test_git(tmp_path: Path, source: Path, identity: None, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out"
    assert write(tree(Copy(source / "x.csv", "data/raw/x.csv", True)), out) == ()
    log = subprocess.check_output(["git", "-C", str(out), "log", "--format=%D %s"], text=True)
    assert log == "HEAD -> main Convert pkg with nb2pkg\n"
    names = subprocess.check_output(["git", "-C", str(out), "ls-files"], text=True).split()
    assert "data/raw/x.csv.dvc" in names
    assert "data/raw/x.csv" not in names
    assert subprocess.check_output(["git", "-C", str(out), "status", "--porcelain"]) == b""
    assert not (out / ".dvc/config.local").exists()
    subprocess.run([*DVC, "status", "-q"], cwd=out, check=False)
    write(tree(), out / "inner")
    assert not (out / "inner/.git").exists()
    (out / ".gitignore").write_text("/ignored/\n*.csv*\n")
    assert [d.code for d in write(tree(), out / "ignored")] == ["N613"]
    assert (out / "ignored/.git").exists()
    assert [d.code for d in write(tree(), out / "ignored" / "a", git=False)] == []
    partly = tree(Copy(source / "x.csv", "data/raw/x.csv", True))
    (told,) = write(partly, out / "partly")
    assert told.code == "N614" and "data/raw/x.csv.dvc" in told.message
    assert "no_scm" in (out / "partly/.dvc/config.local").read_text()
    for name in ("ignored", "partly"):
        subprocess.run([*DVC, "status"], cwd=out / name, check=True)
    (tmp_path / "gitconfig").write_text("")
    assert [d.code for d in write(tree(), tmp_path / "nobody")] == ["N610"]
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [d.code for d in write(tree(), tmp_path / "nogit")] == ["N611"]
    assert "no_scm" in (tmp_path / "nogit/.dvc/config.local").read_text()
