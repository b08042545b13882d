"""`jupyter nbconvert --to package notebook.ipynb`, and JupyterLab's *File > Save and Export Notebook As > Package*.

On the command line the package's files are handed to nbconvert's writer, which puts them into a folder of the
notebook's name. A server gets one zip instead: the one that it would make itself has no folders.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import Exporter
from nbconvert.exporters.exporter import ResourcesDict
from nbconvert.utils.exceptions import ConversionException
from nbformat import NotebookNode
from traitlets import Bool, Unicode

from nb2pkg.archive import archive
from nb2pkg.errors import Nb2pkgError
from nb2pkg.pipeline import Options, convert, package_name
from nb2pkg.read.formats import NotebookFile
from nb2pkg.repository import LOCAL_CONFIG
from nb2pkg.settings import options_for

MAIN = "README.md"
"""The file of the package that stands for all of it: nbconvert writes one main file, whatever else it writes."""


class PackageExporter(Exporter):
    """A Python package with a DVC pipeline."""

    export_from_notebook = "Package"
    output_mimetype = "application/zip"

    package = Unicode("", help="The package's name; empty: from the notebook's.").tag(config=True)
    one_stage = Bool(None, allow_none=True, help="Do not cut the notebook: one stage.").tag(config=True)
    lift = Bool(None, allow_none=True, help="Make constants of literals inside of calls.").tag(config=True)
    as_zip = Bool(False, help="One zip, on the command line too.").tag(config=True)

    def _file_extension_default(self) -> str:
        return ".zip"

    def from_filename(
        self, filename: str, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[NotebookNode, dict[str, Any]]:
        """Convert the notebook at a path, whose own bytes are kept unless a preprocessor changes them."""
        found = ResourcesDict() if resources is None else resources
        found["nb2pkg_original"] = Path(filename).read_bytes()
        made: tuple[NotebookNode, dict[str, Any]] = super().from_filename(filename, found, **kw)
        return made

    def from_notebook_node(
        self, nb: NotebookNode, resources: dict[str, Any] | None = None, **kw: Any
    ) -> tuple[str | bytes, dict[str, Any]]:
        """Convert a notebook: the main file and the others in `resources`, or a zip of all of them."""
        original = (resources or {}).get("nb2pkg_original")
        nb, resources = super().from_notebook_node(nb, resources, **kw)
        resources.pop("nb2pkg_original", None)
        about: Mapping[str, Any] = resources.get("metadata", {})
        stem = str(about.get("name") or "notebook")
        file = NotebookFile(f"{stem}.ipynb", Path(about.get("path") or "."), _content(nb, original))
        # Only nbconvert's own application says where its writer will put what there is besides the main file.
        by_writer = "unique_key" in resources and not self.as_zip
        folder = str(resources["unique_key"]) if by_writer else self.package or package_name(stem)
        options = self._options(file)
        if by_writer:
            self._refuse_occupied(Path(self._build_directory() or file.folder) / folder)
        try:
            with tempfile.TemporaryDirectory(prefix="nb2pkg-") as made:
                out = Path(made) / Path(folder).name
                told = convert(file, out, options if by_writer else replace(options, python=None))
                for diagnostic in told.diagnostics:
                    self.log.info("%s", diagnostic)
                if by_writer:
                    return _for_the_writer(out, folder, resources)
                archive(out, Path(made) / "package.zip")
                resources["output_extension"] = ".zip"
                return (Path(made) / "package.zip").read_bytes(), resources
        except Nb2pkgError as error:
            raise ConversionException(str(error)) from error

    def _options(self, file: NotebookFile) -> Options:
        try:
            return options_for(
                file.path, package=self.package or None, one_stage=self.one_stage, lift=self.lift, git=False
            )
        except Nb2pkgError as error:
            raise ConversionException(str(error)) from error

    def _build_directory(self) -> str:
        return str(self.config.FilesWriter.get("build_directory", "")) if "FilesWriter" in self.config else ""

    def _refuse_occupied(self, folder: Path) -> None:
        if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
            raise ConversionException(f"{folder} is not empty; move it away, or name another with --output")


def _content(nb: NotebookNode, original: bytes | None) -> bytes:
    """The notebook's own bytes where it is still that notebook, else the bytes that Jupyter would save."""
    if original is not None and nbformat.reads(original.decode("utf-8-sig"), as_version=4) == nb:
        return original
    return (str(nbformat.writes(nb)) + "\n").encode()


def _for_the_writer(out: Path, folder: str, resources: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """README.md as the main file, all the others beside it."""
    paths = (p for p in sorted(out.rglob("*")) if p.is_file())
    outputs = {f"{folder}/{p.relative_to(out).as_posix()}": p.read_bytes() for p in paths}
    assert f"{folder}/{LOCAL_CONFIG}" in outputs, "there is no repository of git, so DVC is told"
    resources["outputs"] = outputs
    resources["output_extension"] = f"/{MAIN}"
    resources["output_suffix"] = ""
    return outputs.pop(f"{folder}/{MAIN}").decode(), resources
