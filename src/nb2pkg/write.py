"""From the tree to the folder: whole or not at all.

Everything is built in a sibling folder and then put in place by a rename, so that a crash at any moment leaves
either what was there or what was made. What the user keeps in the folder is linked into the new one beforehand.
"""

from __future__ import annotations

import ctypes
import glob
import hashlib
import json
import os
import re
import secrets
import shutil
import stat
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit.project import ignored
from nb2pkg.emit.tree import Copy, Tree
from nb2pkg.errors import OutputError
from nb2pkg.manifest import MANIFEST, manifest_text
from nb2pkg.repository import LOCAL_CONFIG, NO_SCM, repository

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]  # a module, or none

LAYOUTS = ("workspace/", "workspaces/")
"""The folders in which notebooks find their own layouts."""
SKIPPED = frozenset({".ipynb_checkpoints", "__pycache__", ".git"})
_FICLONE = 0x40049409
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


@dataclass(slots=True)
class _Made:
    """What is known of the files written so far."""

    files: dict[str, str] = field(default_factory=dict)
    moved: dict[str, str] = field(default_factory=dict)
    told: list[Diagnostic] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Digest:
    md5: str
    sha256: str
    size: int


def write(
    tree: Tree,
    out: Path,
    *,
    force: bool = False,
    git: bool = True,
    more: Iterable[tuple[str, bytes]] = (),
) -> tuple[Diagnostic, ...]:
    """Write the tree to `out`, with `more` files that are taken one at a time; raises OutputError where files stand in
    the way."""
    target = out.resolve()
    occupied = check_output(tree, out, force=force)
    staging, lock = _sibling(target, out)
    try:
        made = _fill(tree, staging, more)
        if occupied:
            _keep(target, staging, out)
        made.told += repository(staging, target, tree.package, git=git)
        _swap(staging, target)
    except OSError as error:
        shutil.rmtree(staging, ignore_errors=True)
        where = error.filename if isinstance(error.filename, str) else ""
        message = f"can't be written: {error.strerror or error} {where}".rstrip()
        raise OutputError("N605", message, file=str(out)) from error
    except BaseException:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    finally:
        lock.close()
    return tuple(made.told)


def check_output(tree: Tree, out: Path, *, force: bool) -> bool:
    """Whether `out` holds files; raises OutputError where the tree must not be written there."""
    target = out.resolve()
    _check_sources(tree, target, out)
    if target.exists() and not target.is_dir():
        raise OutputError("N601", "is a file; name a folder", file=str(out))
    occupied = target.is_dir() and any(target.iterdir())
    if occupied and not force:
        raise OutputError("N602", "is not empty; --force replaces what nb2pkg wrote there", file=str(out))
    return occupied


def staging_pattern(target: Path) -> Path:
    """What the folders beside `target` are called in which its contents are built."""
    return target.parent / f".{target.name}.nb2pkg-*"


def _check_sources(tree: Tree, target: Path, out: Path) -> None:
    for source in (c.source.resolve() for c in tree.copies):
        if target == source or target in source.parents or source in target.parents:
            message = f"holds the notebook's own data, or lies in it ({source.name}); name another folder"
            raise OutputError("N604", message, file=str(out))
    folder = tree.folder.resolve() if tree.folder else None
    if folder and (target == folder or target in folder.parents):
        raise OutputError("N604", "is the notebook's own folder, or one above it; name another", file=str(out))


def _sibling(target: Path, out: Path) -> tuple[Path, ExitStack]:
    """A new folder beside the target, and its lock, to be closed. Those that killed runs have left are removed."""
    staging = target.parent / staging_pattern(target).name.replace("*", secrets.token_hex(4))
    lock = ExitStack()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for left in target.parent.glob(f".{glob.escape(target.name)}.nb2pkg-*"):
            if left.is_dir() and re.fullmatch(r".*-[0-9a-f]{8}", left.name):  # no journal, no package that was there
                with ExitStack() as tried:
                    if _lock(left, tried):
                        shutil.rmtree(left, ignore_errors=True)
        staging.mkdir()
        _lock(staging, lock)
    except OSError as error:
        raise OutputError("N605", f"can't be written: {error.strerror}", file=str(out)) from error
    return staging, lock


def _lock(folder: Path, until: ExitStack) -> bool:
    """Lock a folder, unless another process has; a lock ends with its process, however that does."""
    if fcntl is None:
        return False
    try:
        descriptor = os.open(folder, os.O_RDONLY)
        until.callback(os.close, descriptor)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # somebody has it, or this file system has no locks
        return False
    return True


# -- the new files -------------------------------------------------------------------------------------------------


def _fill(tree: Tree, folder: Path, more: Iterable[tuple[str, bytes]]) -> _Made:
    made = _Made()
    files = dict(tree.files)
    tracked: list[str] = []
    for copy in sorted(tree.copies, key=lambda c: c.target):
        if _copy(copy, folder, made):
            made.moved[copy.target] = _origin(copy, tree.folder)
            if copy.tracked:
                tracked.append(ignored(copy.target))
    lines = files.get(".gitignore", b"").decode().splitlines()
    missing = [line for line in tracked if line not in lines]
    if missing:
        files[".gitignore"] = ("\n".join([*lines, *missing]) + "\n").encode()
    for name, data in chain(sorted(files.items()), more):
        _new(folder, name).write_bytes(data)
        made.files[name] = hashlib.sha256(data).hexdigest()
    about: dict[str, object] = {"package": tree.package, "notebook": tree.notebook, "cwd": tree.cwd}
    about |= {"folders": tree.folders}
    paths = [{"original": original, "package": package} for original, package in tree.paths]
    about |= {"paths": paths, "values": {name: list(names) for name, names in tree.values}}
    about |= {"members": [asdict(member) for member in tree.members]} if tree.members else {}
    manifest = {"version": 1, **about, "files": made.files, "moved": made.moved}
    _new(folder, MANIFEST).write_text(manifest_text(manifest), encoding="utf-8", errors="surrogateescape")
    return made


def _new(folder: Path, name: str) -> Path:
    """The path of an emitted file, its folder made. A name that leads out of the folder is a bug of ours."""
    parts = PurePosixPath(name)
    if parts.is_absolute() or not parts.parts or ".." in parts.parts:
        raise ValueError(f"not a path inside the package: {name!r}")
    path = folder / parts
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _origin(copy: Copy, folder: Path | None) -> str:
    """Where a copy came from, from the notebook's folder: never a path that only this machine has."""
    if folder is not None:
        source, base = copy.source.absolute(), folder.absolute()
        if len(os.path.commonpath([source, base])) > len(source.anchor):
            return Path(os.path.relpath(source, base)).as_posix()
    common: list[str] = []
    ends = PurePosixPath(copy.target.removeprefix("workspace/")).parts
    for one, other in zip(reversed(copy.source.parts), reversed(ends), strict=False):
        if one != other:
            break
        common.insert(0, one)
    return "/".join(common) or copy.source.name


def _copy(copy: Copy, folder: Path, made: _Made) -> bool:
    """Copy one file or folder with its `.dvc` file; False where it was left out."""
    source, path = copy.source, _new(folder, copy.target)
    inside = source.parent.resolve()
    try:
        if source.is_symlink() and inside not in source.resolve().parents:
            made.told.append(_left_out(copy.target, "is a link that leads out of its folder"))
            return False
        if source.is_dir():
            path.mkdir()
            parts: dict[str, _Digest] = {}
            for relative in _regular(source, source.resolve(), "", made):
                parts[relative] = _copy_file(source / relative, _new(path, relative))
            text = _dvc_folder(path.name, parts)
        elif stat.S_ISREG(source.stat().st_mode):
            parts = {"": _copy_file(source, path)}
            text = _dvc_outs(path.name, parts[""].md5, parts[""].size)
        else:
            made.told.append(_left_out(copy.target, "is neither a file nor a folder"))
            return False
    except OSError as error:
        raise OutputError("N606", f"can't be copied: {error.strerror or error}", file=str(source)) from error
    if copy.tracked:
        name = tracked_by(copy.target)
        if name != f"{copy.target}.dvc":
            above = "../" * name.count("/")
            text = f"wdir: {_scalar(above + copy.target.rpartition('/')[0])}\n{text}"
        _new(folder, name).write_text(text, encoding="utf-8")
        made.files[name] = hashlib.sha256(text.encode()).hexdigest()
        made.files.update({f"{copy.target}/{r}" if r else copy.target: d.sha256 for r, d in parts.items()})
    return True


def tracked_by(target: str) -> str:
    """The `.dvc` file of data, from the package's root: beside it, but for what lies in a layout of the notebook's own,
    where a listing of the folder would show it."""
    return f"data/{target}.dvc" if target.startswith(LAYOUTS) else f"{target}.dvc"


def _left_out(target: str, why: str) -> Diagnostic:
    return Diagnostic("N612", f"{target} is not copied: it {why}; put the data there before `dvc repro`")


def _regular(folder: Path, root: Path, prefix: str, made: _Made) -> Iterator[str]:
    """The regular files below a folder, sorted; links that lead out of it are left out and told."""
    for entry in sorted(os.scandir(folder), key=lambda e: e.name):
        if entry.name in SKIPPED:
            continue
        relative = prefix + entry.name
        if entry.is_dir(follow_symlinks=False):
            yield from _regular(folder / entry.name, root, relative + "/", made)
        elif entry.is_file() and (not entry.is_symlink() or root in Path(entry.path).resolve().parents):
            yield relative
        else:
            made.told.append(_left_out(relative, "is no regular file of the folder"))


def _copy_file(source: Path, target: Path) -> _Digest:
    with source.open("rb") as reader, target.open("xb") as writer:
        if not _clone(reader, writer):
            shutil.copyfileobj(reader, writer, 1 << 20)
    md5, sha256, size = hashlib.md5(usedforsecurity=False), hashlib.sha256(), 0
    with target.open("rb") as file:
        while block := file.read(1 << 20):
            md5.update(block)
            sha256.update(block)
            size += len(block)
    return _Digest(md5.hexdigest(), sha256.hexdigest(), size)


def _clone(reader: BinaryIO, writer: BinaryIO) -> bool:
    """Share the file's blocks where the file system can, else let the kernel copy; False: nothing was done."""
    if sys.platform != "linux":
        return False
    import fcntl

    try:
        fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
        return True
    except OSError:
        pass
    done = 0
    try:
        while count := os.copy_file_range(reader.fileno(), writer.fileno(), 1 << 30):
            done += count
    except OSError:
        if done:
            raise
    return done > 0


def _dvc_folder(name: str, parts: dict[str, _Digest]) -> str:
    listed = [{"md5": digest.md5, "relpath": relative} for relative, digest in sorted(parts.items())]
    digest = hashlib.md5(json.dumps(listed, sort_keys=True).encode(), usedforsecurity=False).hexdigest()
    return _dvc_outs(name, f"{digest}.dir", sum(d.size for d in parts.values()), len(parts))


def _dvc_outs(name: str, md5: str, size: int, count: int | None = None) -> str:
    files = "" if count is None else f"  nfiles: {count}\n"
    # A bare `123e4567…` of digits only, or `12e34`, would be a number.
    shown = f"'{md5}'" if re.fullmatch(r"[0-9_]+(e[0-9]+)?", md5) else md5
    return f"outs:\n- md5: {shown}\n  size: {size}\n{files}  hash: md5\n  path: {_scalar(name)}\n"


def _scalar(name: str) -> str:
    """A file's name as DVC's YAML writer has it."""
    if re.search(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", name):
        return json.dumps(name)
    number = r"[-+]?(?=[\d.])(\d[\d_]*)?\.?[\d_]*(e[-+]?\d+)?|0x[\da-f_]+|0o[0-7_]+|0b[01_]+|[-+]?\.(inf|nan)"
    number += r"|\d{4}-\d\d-\d\d"
    special = re.match(r"[-?:]( |$)|[,\[\]{}#&*!|>'\"%@`]| |---|\.\.\.$|(=|<<)$", name)
    word = name.lower() in ("true", "false", "null", "~") or re.fullmatch(number, name, re.IGNORECASE)
    if special or word or re.search(r": |:$| #| $", name):
        return "'" + name.replace("'", "''") + "'"
    return name


# -- what was there ------------------------------------------------------------------------------------------------


def _keep(target: Path, staging: Path, out: Path) -> None:
    """Link what the user keeps in `target` into `staging`; raises OutputError where an edit would be lost."""
    try:
        manifest = json.loads((target / MANIFEST).read_text(encoding="utf-8", errors="surrogateescape"))
        written, moved = dict(manifest["files"]), dict(manifest.get("moved", {}))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError("N602", "holds files that are not nb2pkg's; name an empty folder", file=str(out)) from error
    edited = [n for n, digest in sorted(written.items()) if (target / n).is_file() and _sha256(target / n) != digest]
    links: list[str] = []
    outputs = _outputs(target) | set(moved)

    def visit(folder: str) -> None:
        entries = sorted(os.scandir(target / folder), key=lambda e: e.name)
        if folder and not entries:
            links.append(folder)
        for entry in entries:
            name = folder + entry.name
            if name in (MANIFEST, ".dvc/tmp") or name in written or entry.name in ("__pycache__", ".pytest_cache"):
                continue
            if name in outputs and not (name in moved and entry.is_dir()):
                continue
            if name == LOCAL_CONFIG and Path(entry.path).read_text(encoding="utf-8", errors="replace") == NO_SCM:
                continue
            if entry.is_dir(follow_symlinks=False):
                if os.path.lexists(staging / name) and not (staging / name).is_dir():
                    edited.append(name)
                else:
                    visit(name + "/")
            elif not os.path.lexists(staging / name):
                links.append(name)
            elif not any(name.startswith(m + "/") for m in moved):
                edited.append(name)

    visit("")
    if edited:
        message = f"edited or added by hand: {', '.join(sorted(edited))}; move it away, then convert again"
        raise OutputError("N603", message, file=str(out))
    for name in links:
        _link(target / name, staging / name)


def _outputs(target: Path) -> set[str]:
    """What the old pipeline makes and DVC caches: it is made again, or checked out."""
    try:
        lines = (target / ".gitignore").read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return set()
    return {re.sub(r"\\(.)", r"\1", line[1:]) for line in lines if line.startswith("/")}


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_symlink():
        target.symlink_to(os.readlink(source))
    elif source.is_dir():
        target.mkdir(exist_ok=True)
    elif source.is_file():
        try:
            os.link(source, target)
        except OSError:
            shutil.copy2(source, target)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _swap(staging: Path, target: Path) -> None:
    if not target.exists():
        os.rename(staging, target)
        return
    if not any(target.iterdir()):
        target.rmdir()
        os.rename(staging, target)
        return
    if _exchange(staging, target):
        shutil.rmtree(staging, ignore_errors=True)
        return
    old = staging.with_name(staging.name + "-old")
    os.rename(target, old)
    try:
        os.rename(staging, target)
    except BaseException:
        os.rename(old, target)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step, where the kernel and the file system can."""
    if sys.platform != "linux":
        return False
    rename: Callable[..., int] | None = getattr(ctypes.CDLL(None, use_errno=True), "renameat2", None)
    if rename is None:
        return False
    return rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0
