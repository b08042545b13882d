"""From a file to raw cells: any nbformat, and a refusal that says what the file is instead."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nb2pkg.errors import NotebookError
from nb2pkg.notebook import OWN_TAG, CellKind

_FOREIGN = frozenset(str.split(
    "r ir julia scala java javascript typescript deno c c++ cpp go golang rust ruby perl haskell octave matlab bash "
    "shell sql kotlin c# csharp f# fsharp powershell sas stata lua ocaml elixir erlang clojure groovy fortran prolog "
    "wolfram mathematica swift php racket scheme q gap maxima singular coq lean agda idris dart nim crystal")
)
_FOREIGN_KERNEL = re.compile(r"(ir|ir[-_]?\d.*|irkernel|julia.*|scala.*|almond|xcpp.*|xr|ijavascript|tslab|irust|rust)")
_MAJOR = re.compile(r"(?i)(?:i?python\s*)?\[?([23])(?![\d])")
"""`2.7.11`, `ipython2`, `python2`, `Python 2`."""


@dataclass(frozen=True, slots=True)
class NotebookFile:
    """A notebook's bytes, saved or not, with the name and the folder that it has or will have."""

    name: str
    """With its ending: `analysis.ipynb`."""
    folder: Path
    content: bytes

    @classmethod
    def at(cls, path: Path) -> NotebookFile:
        """The file that lies at `path`."""
        try:
            return cls(path.name, path.parent, path.read_bytes())
        except FileNotFoundError:
            raise NotebookError("N001", "there is no such file", file=str(path)) from None
        except OSError as error:
            raise NotebookError("N008", f"the file can't be read ({error.strerror})", file=str(path)) from None

    @property
    def path(self) -> Path:
        """Where it lies, or would."""
        return self.folder / self.name


@dataclass(frozen=True, slots=True)
class RawCell:
    """A cell as the file holds it, with its source as one text with `\\n` line ends."""

    id: str
    kind: CellKind
    source: str
    tags: tuple[str, ...]
    run: int | None


@dataclass(frozen=True, slots=True)
class RawNotebook:
    """The cells and the Python version that the file records."""

    cells: tuple[RawCell, ...]
    python: str
    major: Literal["2", "3", ""] = ""
    """The Python of the kernel that it was last run with, where the file says so."""


def text_of(source: object) -> str:
    """A source as one text: a string, lines with their line ends, or lines that lost them (nbformat 2 and 3)."""
    if isinstance(source, str):
        text = source
    elif isinstance(source, list):
        lines = [str(line) for line in source]
        text = "".join(lines) if any(line.endswith(("\n", "\r")) for line in lines) else "\n".join(lines)
    else:
        text = ""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def load(file: NotebookFile) -> RawNotebook:
    """Read a file's bytes; whatever is no notebook of Python is refused with what it is."""
    name = file.name
    try:
        text = file.content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise NotebookError("N008", "the file is not UTF-8 text, so not a notebook", file=name) from None
    head = text.lstrip()[:200].lower()
    if not head:
        raise NotebookError("N002", "the file is empty; save the notebook again", file=name)
    if head.startswith("version https://git-lfs"):
        message = "this is a Git LFS pointer, not the notebook; run `git lfs pull` first"
        raise NotebookError("N003", message, file=name)
    if head.startswith(("<!doctype", "<html", "<?xml", "<head")):
        message = "this is a web page, not the notebook; download the raw .ipynb file"
        raise NotebookError("N004", message, file=name)
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else ""
        message = f"the file is not valid JSON{place}; it may be cut off, or hold merge conflict markers"
        raise NotebookError("N005", message, file=name) from None
    return _raw_notebook(data, text, name)


def _raw_notebook(data: Any, text: str, name: str) -> RawNotebook:
    not_a_notebook = NotebookError("N006", "this is JSON but not a Jupyter notebook (it has no cells)", file=name)
    if not isinstance(data, dict):
        raise not_a_notebook
    if not isinstance(data.get("cells"), list):
        if not isinstance(data.get("worksheets"), list) and data.get("nbformat") != 1:
            raise not_a_notebook
        _refuse_old_languages(data, name)
        data = _upgraded(data, text, name)
    metadata = data.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    _refuse_languages(metadata, name)
    language = metadata.get("language_info")
    version = language.get("version") if isinstance(language, dict) else None
    cells: list[RawCell] = []
    used: set[str] = set()
    for index, raw in enumerate(data["cells"]):
        if not isinstance(raw, dict):
            raise not_a_notebook
        cell = _raw_cell(raw, index, used)
        used.add(cell.id)
        cells.append(cell)
    recorded = version if isinstance(version, str) else ""
    return RawNotebook(tuple(cells), recorded, _major(metadata, recorded))


def _major(metadata: dict[str, Any], version: str) -> Literal["2", "3", ""]:
    """What ran the notebook last; where that is not recorded, what it was meant for."""
    language, kernel = metadata.get("language_info"), metadata.get("kernelspec")
    info = language if isinstance(language, dict) else {}
    spec = kernel if isinstance(kernel, dict) else {}
    for said in (version, info.get("pygments_lexer"), spec.get("name"), spec.get("display_name")):
        match = _MAJOR.match(said) if isinstance(said, str) else None
        if match:
            return "2" if match[1] == "2" else "3"
    return ""


def with_sources(file: NotebookFile, sources: Sequence[str]) -> bytes:
    """The notebook's file with other sources, in nbformat 4 and of Python 3, without outputs: they are another's."""
    text = file.content.decode("utf-8-sig")
    data: dict[str, Any] = json.loads(text)
    if not isinstance(data.get("cells"), list):
        data = _upgraded(data, text, file.name)
    for cell, source in zip(data["cells"], sources, strict=True):
        cell.pop("input", None)
        cell["source"] = source.splitlines(keepends=True)
        if cell.get("cell_type") == "code":
            cell |= {"outputs": [], "execution_count": None}
    metadata = data.get("metadata")
    data["metadata"] = (metadata if isinstance(metadata, dict) else {}) | {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    return (json.dumps(data, indent=1, ensure_ascii=False) + "\n").encode("utf-8", "surrogatepass")


def _raw_cell(raw: dict[str, Any], index: int, used: set[str]) -> RawCell:
    kind = raw.get("cell_type")
    cell_id = raw.get("id")
    if not isinstance(cell_id, str) or not cell_id or cell_id in used:
        cell_id = f"cell-{index}"
        while cell_id in used:
            cell_id += "-again"
    run = raw.get("execution_count")
    return RawCell(
        id=cell_id,
        kind="code" if kind == "code" else "markdown" if kind == "markdown" else "raw",
        source=text_of(raw.get("source", raw.get("input"))),
        tags=_tags(raw.get("metadata")),
        run=run if isinstance(run, int) else None,
    )


def _tags(metadata: object) -> tuple[str, ...]:
    """The cell's tags; a section that JupyterLab's form names is one where no tag names another."""
    if not isinstance(metadata, dict):
        return ()
    listed, form = metadata.get("tags"), metadata.get("nb2pkg")
    tags = tuple(str(tag) for tag in listed) if isinstance(listed, list) else ()
    section = form.get("section") if isinstance(form, dict) else None
    if isinstance(section, str) and section.strip() and not any(tag.startswith(OWN_TAG) for tag in tags):
        return (*tags, OWN_TAG + section.strip())
    return tags


def _upgraded(data: dict[str, Any], text: str, name: str) -> dict[str, Any]:
    """A notebook of nbformat 1 to 3 as nbformat 4."""
    import logging

    import nbformat

    logger = logging.getLogger("traitlets")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        upgraded = nbformat.reads(text, as_version=4)
        new: dict[str, Any] = json.loads(nbformat.writes(upgraded))
    except Exception as error:  # whatever nbformat stumbles on is a file that it can't read
        message = f"nbformat can't read this notebook of format {data.get('nbformat')} ({error})"
        raise NotebookError("N006", message, file=name) from None
    finally:
        logger.disabled = was_disabled
    for cell in new["cells"]:
        cell.pop("id", None)  # nbformat draws them at random
    return new


def _refuse_old_languages(data: dict[str, Any], name: str) -> None:
    for sheet in data.get("worksheets") or []:
        for cell in sheet.get("cells", []) if isinstance(sheet, dict) else []:
            if isinstance(cell, dict) and cell.get("cell_type") == "code":
                _refuse(str(cell.get("language", "")), name)


def _refuse_languages(metadata: dict[str, Any], name: str) -> None:
    info, kernel = metadata.get("language_info"), metadata.get("kernelspec")
    language = info.get("name") if isinstance(info, dict) else None
    spec = kernel if isinstance(kernel, dict) else {}
    language = language or spec.get("language")
    if isinstance(language, str) and language:
        _refuse(language, name)
    elif _FOREIGN_KERNEL.fullmatch(str(spec.get("name", "")).lower()):
        _refuse("r" if str(spec["name"]).lower().startswith(("ir", "xr")) else "julia", name, str(spec["name"]))


def _refuse(language: str, name: str, kernel: str = "") -> None:
    lowered = language.strip().lower()
    if lowered in _FOREIGN or lowered.startswith("c++"):
        what = f"its kernel is {kernel}" if kernel else f"its language is {language}"
        raise NotebookError("N007", f"this is not a Python notebook: {what}", file=name)
