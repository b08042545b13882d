"""`jupyter nbconvert --to package`: the same package as `nb2pkg`, as a tree and as a zip with its folders."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
from nbconvert.exporters import get_exporter
from nbconvert.nbconvertapp import NbConvertApp
from nbconvert.utils.exceptions import ConversionException

from nb2pkg.pipeline import Options, convert

EXAMPLE = Path(__file__).parents[1] / "examples" / "tidy"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of an example, which has data."""
    return Path(shutil.copytree(EXAMPLE, tmp_path / "work"))


def files(package: Path) -> dict[str, bytes]:
    """Path and contents of each file."""
    return {p.relative_to(package).as_posix(): p.read_bytes() for p in package.rglob("*") if p.is_file()}


def nbconvert(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "nbconvert", "--to", "package", "churn.ipynb", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_command_line_writes_what_nb2pkg_writes(folder: Path, tmp_path: Path) -> None:
    done = nbconvert(folder)
    assert done.returncode == 0, done.stderr
    convert(folder / "churn.ipynb", tmp_path / "out", Options(git=False))
    assert files(folder / "churn") == files(tmp_path / "out")


def test_an_occupied_folder_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "churn").mkdir()
    (folder / "churn" / "mine.txt").write_text("x")
    monkeypatch.chdir(folder)
    given = ["--to", "package", "churn.ipynb"]
    # The application in this process: it takes seconds to start.
    with pytest.raises(SystemExit, match="1"):
        NbConvertApp.launch_instance(given)
    assert "is not empty" in capsys.readouterr().err
    assert list(files(folder / "churn")) == ["mine.txt"]
    NbConvertApp.clear_instance()
    NbConvertApp.launch_instance([*given, "--output", "other"])
    NbConvertApp.clear_instance()
    assert (folder / "other" / "dvc.yaml").is_file()


def test_a_notebook_in_another_language_is_refused(folder: Path) -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%%R\nx <- 1")])
    with pytest.raises(ConversionException, match="N110"):
        get_exporter("package")().from_notebook_node(notebook)


def test_without_the_application_there_is_one_zip_with_folders(folder: Path, tmp_path: Path) -> None:
    notebook = nbformat.read(folder / "churn.ipynb", as_version=4)
    about = {"metadata": {"name": "churn", "path": str(folder)}}
    output, resources = get_exporter("package")().from_notebook_node(notebook, about)
    assert isinstance(output, bytes)
    assert resources["output_extension"] == ".zip"
    assert not resources.get("outputs")
    with zipfile.ZipFile(io.BytesIO(output)) as archive:
        archive.extractall(tmp_path / "unpacked")
    (package,) = (tmp_path / "unpacked").iterdir()
    convert(folder / "churn.ipynb", tmp_path / "out", Options(git=False))
    ours, theirs = files(package), files(tmp_path / "out")
    # The notebook is what Jupyter would save, which need not be what is on the disk.
    assert json.loads(ours.pop("notebooks/churn.ipynb")) == json.loads(theirs.pop("notebooks/churn.ipynb"))
    del ours[".nb2pkg/manifest.json"], theirs[".nb2pkg/manifest.json"]
    assert ours == theirs
    again, _ = get_exporter("package")().from_notebook_node(notebook, about)
    assert again == output
