"""The package's git repository: its own with a first commit, or the one that it lies in.

DVC refuses files that git ignores, so a repository around the package that ignores them is told, and not used.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from nb2pkg.diagnostics import Diagnostic

LOCAL_CONFIG = ".dvc/config.local"
NO_SCM = "[core]\n    no_scm = True\n"


def repository(staging: Path, target: Path, package: str, *, git: bool) -> tuple[Diagnostic, ...]:
    """Make the repository of a package that is built in `staging` and will stand at `target`."""
    told: list[Diagnostic] = []
    if any((folder / ".git").exists() for folder in (target, *target.parents)):
        ignored = _ignored_around(staging, target)
        if not ignored:
            return ()
        if "dvc.yaml" not in ignored:
            _without_git(staging)
            shown = ", ".join(ignored[:3]) + (", …" if len(ignored) > 3 else "")
            message = f"the git repository around the package ignores {shown}, so DVC runs without git there"
            return (Diagnostic("N614", f"{message}: change its .gitignore and remove {LOCAL_CONFIG}"),)
        message = "the git repository around the package ignores it, and DVC would obey that"
        what = "it has a repository of its own" if git else f"DVC runs without git ({LOCAL_CONFIG})"
        told.append(Diagnostic("N613", f"{message}: {what}", severity="info"))
    if not git or shutil.which("git") is None or not _git(staging, "init", "-q"):
        _without_git(staging)
        if git:
            message = "git is not installed, so there is no repository; DVC runs without"
            told.append(Diagnostic("N611", message, severity="info"))
        return tuple(told)
    _git(staging, "symbolic-ref", "HEAD", "refs/heads/main")
    commit = ("commit", "-q", "--no-verify", "--no-gpg-sign", "-m", f"Convert {package} with nb2pkg")
    if not (_git(staging, "add", "-A") and _git(staging, "-c", "user.useConfigOnly=true", *commit)):
        told.append(Diagnostic("N610", "git knows no user.name and user.email: the first commit is left to you"))
    return tuple(told)


def _without_git(folder: Path) -> None:
    local = folder / LOCAL_CONFIG
    local.parent.mkdir(parents=True, exist_ok=True)
    if not local.exists():
        local.write_text(NO_SCM, encoding="utf-8")


def _ignored_around(staging: Path, target: Path) -> list[str]:
    """Which of the files that DVC reads the repository around `target` ignores: DVC refuses those."""
    names = ["dvc.yaml", *(p.relative_to(staging).as_posix() for p in sorted(staging.rglob("*.dvc")) if p.is_file())]
    existing = next(folder for folder in (target, *target.parents) if folder.is_dir())
    paths = {str(target / name): name for name in names}
    done = _git(existing, "check-ignore", "-z", "--stdin", given="\0".join(paths))
    return [paths[path] for path in done.output.split("\0") if path in paths]


@dataclass(frozen=True, slots=True)
class _Done:
    """How a git command ended; false where it failed."""

    ok: bool
    output: str = ""

    def __bool__(self) -> bool:
        return self.ok


def _git(folder: Path, *words: str, given: str = "") -> _Done:
    inherited = ("GIT_AUTHOR", "GIT_COMMITTER", "GIT_CONFIG")
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_") or k.startswith(inherited)}
    command = ["git", "-C", str(folder), *words]
    try:
        done = subprocess.run(command, env=env, input=os.fsencode(given), capture_output=True, check=False)
    except FileNotFoundError:
        return _Done(False)
    return _Done(done.returncode == 0, os.fsdecode(done.stdout))
