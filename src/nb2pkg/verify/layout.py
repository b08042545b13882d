"""The emitted folder as the verifier reads it: what its files say, and the notebook's own layout made again from it.

This is the only module that knows where a package keeps what; it asks the manifest, dvc.yaml and the notebook.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from nb2pkg.errors import OutputError

MANIFEST = ".nb2pkg/manifest.json"
WORKSPACE = "workspace"
WORKSPACES = (WORKSPACE, "workspaces")
"""The folders of the notebooks' own layouts: the one that all share, and those that belong to one of several."""
NOTEBOOKS = "notebooks"
DRIVE = "drive"
"""The folder of a layout at which several notebooks meet that did so on Google Drive."""
OWN_OUTPUTS = ("dvc.lock", "data/interim", "reports/outputs", "reports/figures", "metrics")
"""What the stages write, or DVC, that the notebook does not."""
RECORDS = "reports/outputs"
REPORTS = ("reports/equivalence.json", "reports/equivalence.html", "reports/equivalence")
"""What a verification writes."""
UNSEEN = frozenset({".ipynb_checkpoints", "__pycache__", ".git", ".pytest_cache", ".venv"})
"""Folders that are nobody's output."""


@dataclass(frozen=True, slots=True)
class NotebookCell:
    """A code cell of the notebook, by its place among all cells (from 0)."""

    index: int
    id: str
    source: str


@dataclass(frozen=True, slots=True)
class PackageStage:
    """A stage of dvc.yaml: the cells that it comes from, and the folders of the values that it saves."""

    name: str
    cells: tuple[str, ...]
    saves: tuple[str, ...]
    records: str = ""
    """The file that holds what it has shown, from the root."""
    command: str = ""


@dataclass(frozen=True, slots=True)
class Package:
    """An emitted folder, or the share of one notebook in a package of several."""

    root: Path
    name: str
    """The package that holds `artifacts`."""
    notebook: str
    """The kept notebook, from the root."""
    cwd: str
    """The folder that stands for the notebook's working folder, from the root."""
    cells: tuple[NotebookCell, ...]
    stages: tuple[PackageStage, ...]
    outs: frozenset[str]
    """Everything that the stages write, from the root."""
    paths: tuple[tuple[str, str], ...]
    """(path from the notebook's working folder, path from the root) of what lies elsewhere in the package."""
    modules: tuple[str, ...]
    """The notebook's own modules and what `%run` brought in, from the root."""
    folders: tuple[str, ...]
    """Folders that the notebook expects to find, from its working folder."""
    data: frozenset[str]
    """The data files that were copied in, from the root."""
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """(folder, the variables in it) of what the stages save for each other."""
    title: str = ""
    """What people call it: its subpackage, where it is one of several."""
    workspace: str = WORKSPACE
    """The folder of the notebook's own layout, from the root."""
    joined: bool = False
    """It is one of several: what lies in notebooks/ lies there as in the folder that `workspace` stands for."""

    def host(self, record: str) -> str:
        """The id of the notebook's own cell that a recorded id belongs to: `%run` brings in `<id>-run1-3`."""
        own = [cell.id for cell in self.cells]
        if record in own:
            return record
        return max((each for each in own if record.startswith((f"{each}-run", f"{each}-part"))), key=len, default="")

    def stage_of(self, cell: str) -> str:
        """The first stage that runs some of a cell; empty where none does."""
        return next((s.name for s in self.stages if cell in map(self.host, s.cells)), "")

    def is_own_output(self, path: str) -> bool:
        """Whether a file that is there after a run is the package's own: a record, a figure, a score, a value."""
        saved = {out for stage in self.stages for out in stage.saves}
        own = {*OWN_OUTPUTS, *(self.outs - saved)}
        return path in own or any(parent.as_posix() in own for parent in PurePosixPath(path).parents)

    def place(self, path: str) -> str:
        """Where the package has what the notebook has at `path` (from its working folder)."""
        for original, target in self.paths:
            if path == original or path.startswith(f"{original}/"):
                return target + path[len(original) :]
        return os.path.normpath(f"{self.cwd}/{path}").replace(os.sep, "/")


def read_package(root: Path) -> Package:
    """Read an emitted folder; raises OutputError where it is none."""
    manifest = manifest_of(root)
    name, notebook = str(manifest["package"]), str(manifest["notebook"])
    check_kept(root, notebook)
    stages = stages_of(root)
    modules = []
    for file in sorted(manifest["files"]):
        first = PurePosixPath(file).parts[0]
        beside = first == NOTEBOOKS and file != notebook
        if beside or (file.endswith(".py") and first not in (name, "tests", WORKSPACE)):
            modules.append(file)
    return Package(
        root=root,
        name=name,
        notebook=notebook,
        cwd=str(manifest["cwd"]),
        cells=cells_of(root / notebook),
        stages=tuple(stages),
        outs=frozenset(out for outs in stages.values() for out in outs),
        paths=tuple((str(p["original"]), str(p["package"])) for p in manifest.get("paths", ())),
        modules=tuple(modules),
        folders=words(manifest.get("folders")),
        data=frozenset(manifest.get("moved", ())),
        values=values_of(manifest),
        title=name,
    )


def manifest_of(root: Path) -> dict[str, Any]:
    """The manifest of an emitted folder; raises OutputError where there is none."""
    try:
        manifest: dict[str, Any] = json.loads((root / MANIFEST).read_text(encoding="utf-8", errors="surrogateescape"))
        for key in ("package", "notebook", "cwd", "files"):
            manifest[key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        message = f"is not a package that nb2pkg wrote ({MANIFEST} is missing or too old); convert the notebook again"
        raise OutputError("N701", message, file=str(root)) from error
    return manifest


def values_of(manifest: dict[str, Any]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """(folder, the variables in it) of what the stages save."""
    return tuple((str(folder), words(names)) for folder, names in dict(manifest.get("values", {})).items())


def check_kept(root: Path, notebook: str) -> None:
    """Raise OutputError where the kept notebook is gone."""
    if not (root / notebook).is_file():
        raise OutputError("N701", f"{notebook} is gone: there is nothing to compare with", file=str(root))


def stages_of(root: Path) -> dict[PackageStage, tuple[str, ...]]:
    """The stages of dvc.yaml, and all that each writes."""
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        loaded = YAML(typ="safe").load(root / "dvc.yaml") or {}
        return {_stage(name, stage): tuple(_outs(stage)) for name, stage in (loaded.get("stages") or {}).items()}
    except (OSError, YAMLError, AttributeError, TypeError) as error:
        raise OutputError("N701", f"dvc.yaml can't be read ({type(error).__name__})", file=str(root)) from error


def _stage(name: str, stage: dict[str, Any]) -> PackageStage:
    records = next((out for out in _outs(stage) if out.startswith(f"{RECORDS}/")), "")
    return PackageStage(name, words(stage.get("meta", {}).get("cells")), _saved(stage), records, str(stage.get("cmd")))


def _outs(stage: dict[str, Any]) -> Iterator[str]:
    for key in ("outs", "metrics", "plots"):
        for out in stage.get(key) or ():
            yield str(next(iter(out)) if isinstance(out, dict) else out)


def _saved(stage: dict[str, Any]) -> tuple[str, ...]:
    """The outs that are cached and may hold a value: which do is seen when they are there."""
    return tuple(str(out) for out in stage.get("outs") or () if not isinstance(out, dict))


def words(found: object) -> tuple[str, ...]:
    """The texts of a list of them; nothing else."""
    return tuple(str(word) for word in found) if isinstance(found, list) else ()


def cells_of(path: Path) -> tuple[NotebookCell, ...]:
    """The code cells with the ids that the package's records have: their own, else `cell-<index>`."""
    raw = json.loads(path.read_text(encoding="utf-8-sig"))
    ids = [cell.get("id") for cell in raw.get("cells", ())]
    notebook = read_notebook(path)
    used: set[str] = set()
    found: list[NotebookCell] = []
    for index, cell in enumerate(notebook.cells):
        name = ids[index] if index < len(ids) else None
        if not isinstance(name, str) or not name or name in used:
            name = f"cell-{index}"
            while name in used:
                name += "-again"
        used.add(name)
        if cell.cell_type == "code":
            found.append(NotebookCell(index, name, str(cell.source)))
    return tuple(found)


def read_notebook(path: Path) -> Any:
    """The notebook as nbformat 4, without what nbformat says about it."""
    import logging
    import warnings

    import nbformat

    logger = logging.getLogger("traitlets")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return nbformat.read(path, as_version=4)
    finally:
        logger.disabled = was_disabled


# -- the scratch copies --------------------------------------------------------------------------------------------


def lay_out_notebook(package: Package, folder: Path, given: Mapping[str, Path] | None = None) -> Path:
    """Make the notebook's own folder again below `folder`; gives its working folder. `given` are files of others, by
    their paths from there."""
    is_data, own = _data_test(package), package.workspace
    _copy(package.root / own, folder, lambda path: not is_data(f"{own}/{path}"))
    for path, file in (given or {}).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, folder / path)
    if package.cwd.startswith(own):
        cwd = folder / PurePosixPath(package.cwd).relative_to(own)
    else:
        # As deep as its paths lead up: what it writes there is seen, and stays in the copy.
        ups = max((PurePosixPath(original).parts.count("..") for original, _ in package.paths), default=0)
        cwd = folder.joinpath(*["notebooks"] * ups)
    cwd.mkdir(parents=True, exist_ok=True)
    for original, target in package.paths:
        if target in package.outs or not (package.root / target).exists():
            continue
        goal = cwd / original
        goal.parent.mkdir(parents=True, exist_ok=True)
        if (package.root / target).is_dir():
            _copy(package.root / target, goal, lambda path: False)
        else:
            shutil.copyfile(package.root / target, goal)
    for module in package.modules:
        goal = (folder if package.joined else cwd) / module.removeprefix(f"{NOTEBOOKS}/")
        if not goal.exists():
            goal.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(package.root / module, goal)
    for made in package.folders:
        (cwd / made).mkdir(parents=True, exist_ok=True)
    return cwd


def lay_out_package(package: Package, folder: Path) -> None:
    """Copy the package as it is now, without anything that its stages have made."""

    is_data = _data_test(package)

    def left_out(path: str) -> bool:
        return (
            path in package.outs
            or (path.partition("/")[0] in WORKSPACES and not is_data(path))
            or path in (*OWN_OUTPUTS, *REPORTS)
            or path in (".dvc/cache", ".dvc/tmp", ".dvc/config.local")
        )

    _copy(package.root, folder, left_out)
    (folder / ".dvc").mkdir(exist_ok=True)
    use_cache(folder, folder / ".dvc" / "cache")


def use_cache(folder: Path, cache: Path, *, for_all: bool = False) -> None:
    """The DVC cache of a copy, whatever the package's configuration says: what the package's own holds would not be
    run. `for_all`: outputs that the package keeps in Git go there too, without which DVC remembers no run of a stage.
    """
    own = f"[core]\n    no_scm = True\n    analytics = false\n[cache]\n    dir = \"{cache}\"\n"
    (folder / ".dvc/config.local").write_text(own, encoding="utf-8")
    pipeline = folder / "dvc.yaml"
    if for_all and pipeline.exists():
        from ruamel.yaml import YAML

        whole = YAML().load(pipeline)
        stages = [stage.get("do", stage) for stage in whole.get("stages", {}).values()]
        for out in (out for stage in stages for kind in ("outs", "metrics", "plots") for out in stage.get(kind, ())):
            for settings in out.values() if isinstance(out, dict) else ():
                settings.pop("cache", None)
        YAML().dump(whole, pipeline)


def _data_test(package: Package) -> Callable[[str], bool]:
    """Whether a path of the workspace (or one below it) is data, and not what an earlier run has left there."""
    root, ran = package.root, (package.root / "dvc.lock").exists()
    texts = "\n".join(cell.source for cell in package.cells)

    def test(path: str) -> bool:
        if path in package.outs:
            return False
        if not ran or (root / path).is_dir() or path in package.data or (root / f"data/{path}.dvc").exists():
            return True
        if any(parent.as_posix() in package.data for parent in PurePosixPath(path).parents):
            return True
        return PurePosixPath(path).name in texts  # put there by hand, as the diagnostic N401 asks

    return test


def _copy(source: Path, target: Path, left_out: Callable[[str], bool], prefix: str = "") -> None:
    """Copy a folder; `left_out` is asked about each path below it. what is nobody's is left out too."""
    target.mkdir(parents=True, exist_ok=True)
    if not source.is_dir():
        return
    for entry in sorted(os.scandir(source), key=lambda e: e.name):
        path = f"{prefix}{entry.name}"
        if entry.name in UNSEEN or left_out(path):
            continue
        if entry.is_dir(follow_symlinks=False):
            _copy(Path(entry.path), target / entry.name, left_out, f"{path}/")
        elif entry.is_file():
            shutil.copyfile(entry.path, target / entry.name)
            shutil.copymode(entry.path, target / entry.name)
