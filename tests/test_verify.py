"""`nb2pkg verify` with real kernels and DVC itself, on a small notebook: what it passes, and what it does not."""

from __future__ import annotations

import base64
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from case_runner import write_notebook
from nb2pkg.errors import Nb2pkgError
from nb2pkg.pipeline import Options, convert
from nb2pkg.verify.check import VerifyOptions, verify
from nb2pkg.verify.report import Report
from nb2pkg.verify.scratch import LOCK, PREFIX, scratch, sweep


def pixel(level: int) -> str:
    """A PNG image of one pixel, in base64."""
    file = io.BytesIO()
    Image.new("L", (1, 1), level).save(file, "png")
    return base64.b64encode(file.getvalue()).decode()


CELLS = [
    "# Load",
    "import json\nimport time\nwith open('numbers.json') as file:\n    numbers = json.load(file)\nprint(len(numbers))",
    "# Change",
    "numbers.append(sum(numbers))\nnumbers",
    "print('took', time.time())",
    "# Publish",
    "from IPython.display import Image, display\nimport base64\n"
    f"display(Image(base64.b64decode('{pixel(10)}')))\nwith open('out.csv', 'w') as file:\n"
    "    for number in numbers:\n        print(number, file=file)",
    "print(numbers[-1])",
]


def made(folder: Path, cells: list[str], out: str = "out", **options: Any) -> Path:
    """The package of a notebook with these cells."""
    (folder / "nb").mkdir(parents=True)
    (folder / "nb/numbers.json").write_text("[1, 2, 3.5]")
    found: list[Any] = []
    for number, text in enumerate(cells):
        cell: dict[str, Any] = {"id": f"c{number}", "metadata": {}, "source": text, "cell_type": "markdown"}
        found.append(cell if text.startswith("#") else cell | {"cell_type": "code", "outputs": []})
    convert(write_notebook(found, folder / "nb/small.ipynb"), folder / out, Options(git=False, **options))
    return folder / out


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small notebook's package."""
    return made(tmp_path_factory.mktemp("small"), CELLS)


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A cache of this module's own, so that the notebook runs but a few times, and a temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("tmp")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def left() -> set[str]:
    """The scratch folders that are there."""
    return {p.name for p in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")}


def statuses(report: Report, kind: str) -> list[str]:
    """How things of a kind came out."""
    return [check.status for check in report.checks if check.kind == kind]


def test_an_equivalent_package(package: Path) -> None:
    before, scratches = snapshot(package), left()
    report = verify(package)
    assert report.verdict == "equivalent", report.as_json()
    assert len(report.stages) == 3
    assert statuses(report, "stage") == ["equal"] * 3
    assert statuses(report, "text") == ["equal", "equal", "not reproducible", "equal"]
    assert statuses(report, "figure") == ["equal"]
    assert statuses(report, "file") == ["equal"]
    assert set(statuses(report, "variable")) == {"equal"}
    after = snapshot(package)
    assert {n for n in after if n not in before} == {"reports/equivalence.json", "reports/equivalence.html"}
    assert {n: after[n] for n in before} == before
    assert left() <= scratches
    written = json.loads(after["reports/equivalence.json"])
    assert written == json.loads(json.dumps(report.as_json()))
    assert written["schema"] == 1
    assert written["counts"]["text"]["equal"] == 3


def edited(package: Path, folder: Path, name: str, change: Callable[[str], str]) -> Path:
    """A copy of the package with one file changed."""
    shutil.copytree(package, folder)
    path = folder / name
    text = path.read_text()
    assert change(text) != text
    path.write_text(change(text))
    return folder


FAULTS: dict[str, tuple[str, str, str, str]] = {
    "a dropped mutation": ("small/change.py", "    numbers.append(sum(numbers))\n", "", "variable"),
    "another figure": ("small/publish.py", pixel(10), pixel(200), "figure"),
    "a truncated file": ("small/publish.py", "for number in numbers:", "for number in numbers[:-1]:", "file"),
    "a stage that ends early": ("small/change.py", "    cell(", "    raise SystemExit(0)\n    cell(", "stage"),
    "a line too much": ("small/load.py", "    print(", "    print(0)\n    print(", "text"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_faults_are_caught(fault: str, package: Path, tmp_path: Path) -> None:
    name, old, new, kind = FAULTS[fault]
    report = verify(edited(package, tmp_path / "out", name, lambda text: text.replace(old, new)))
    assert report.verdict in ("different", "package fails")
    assert "different" in statuses(report, kind)
    assert report.count("text", "not run") == (3 if kind == "stage" else 0)
    if kind == "figure":
        page = (tmp_path / "out/reports/equivalence.html").read_text()
        assert pixel(10) in page
        assert pixel(200) in page


def test_what_differs_in_one_run_of_the_package_only_is_chance(package: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    seen = f"import pathlib\n    mark = pathlib.Path({str(mark)!r})\n    shown = len(numbers) + (not mark.exists())\n"
    for name, rest, status in (
        ("always", "    print(shown)", "different"),
        ("once", "    mark.touch()\n    print(shown)", "not reproducible"),
    ):

        def change(text: str, new: str = seen + rest) -> str:
            return text.replace("print(len(numbers))", new)

        out = edited(package, tmp_path / name, "small/load.py", change)
        assert statuses(verify(out), "text")[0] == status


def test_what_is_written_above_the_notebook_is_compared(tmp_path: Path) -> None:
    out = made(tmp_path, ["import json\nwith open('../sums.json', 'w') as file:\n    json.dump([6], file)"])
    report = verify(out)
    assert report.verdict == "equivalent", report.as_json()
    assert [(c.name, c.status) for c in report.checks if c.kind == "file"] == [("../sums.json", "equal")]


def test_a_notebook_that_fails_is_reported_with_its_cell(tmp_path: Path) -> None:
    out = made(tmp_path, ["x = 1", "print(x)", "x / 0", "print(2)"])
    report = verify(out)
    assert report.verdict == "notebook fails"
    assert "cell 3" in report.reason
    assert "ZeroDivisionError" in report.reason
    assert {check.status for check in report.checks} == {"not run"}


def test_what_the_time_limit_ends_is_not_passed(tmp_path: Path) -> None:
    out = made(tmp_path, ["import time\nprint(1)", "time.sleep(100)"])
    start = time.monotonic()
    report = verify(out, VerifyOptions(timeout=4))
    assert time.monotonic() - start < 30
    assert report.verdict == "notebook fails"
    assert "4 seconds" in report.reason


def test_interpreters_that_will_not_do(package: Path, tmp_path: Path) -> None:
    with pytest.raises(Nb2pkgError, match="no interpreter that can be run"):
        verify(package, VerifyOptions(python="/no/such/python"))
    with pytest.raises(Nb2pkgError, match="no kernel 'nobodys'"):
        verify(package, VerifyOptions(kernel="nobodys"))
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -S "$@"\n')
    bare.chmod(0o755)
    with pytest.raises(Nb2pkgError, match="ipykernel is not installed"):
        verify(package, VerifyOptions(python=str(bare)))


def test_a_folder_that_is_no_package(tmp_path: Path) -> None:
    with pytest.raises(Nb2pkgError, match="not a package"):
        verify(tmp_path)


# -- ending --------------------------------------------------------------------------------------------------------

SLEEPER = """
import pathlib, subprocess, sys, time
mark = {mark!r}
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(987)", mark], start_new_session=True)
pathlib.Path(mark).touch()
time.sleep(100)
"""


def processes(folder: Path) -> list[str]:
    """The processes with the folder in their command: the kernel, and what the sleeping notebook has started."""
    rows = subprocess.run(["ps", "-axwwo", "args="], capture_output=True, text=True, check=True).stdout
    return [row for row in rows.splitlines() if str(folder) in row]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_command_leaves_nothing_behind(number: signal.Signals, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    mark = temporary / "started"
    out = made(tmp_path, [SLEEPER.format(mark=str(mark))])
    before = snapshot(tmp_path)
    source = str(Path(__file__).parent.parent / "src")
    command = subprocess.Popen(
        [sys.executable, "-m", "nb2pkg", "verify", str(out)],
        env=os.environ | {"PYTHONPATH": source, "TMPDIR": str(temporary)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    until = time.monotonic() + 60
    while not mark.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert len(processes(temporary)) >= 2
    mark.unlink()
    command.send_signal(number)
    _, said = command.communicate(timeout=20)
    told = (130, b"nb2pkg: interrupted; the same command goes on where it was")
    assert number == signal.SIGKILL or (command.returncode, said.strip().splitlines()[-1]) == told
    until = time.monotonic() + 20
    while (processes(temporary) or any(temporary.iterdir())) and time.monotonic() < until:
        time.sleep(0.05)
    assert processes(tmp_path) == []
    assert list(temporary.iterdir()) == []
    assert snapshot(tmp_path) == before


LONG = [
    "# Load",
    """
import os, pathlib, time
there = pathlib.Path({folder!r})
with open(there / "log", "a") as log:
    log.write("package\\n" if "package-" in os.getcwd() else "notebook\\n")
numbers = [1, 2, 3]
{statement}
print(numbers)
""",
    "# Wait",
    """
numbers.append(4)
if "package-" in os.getcwd() and not (there / "go").exists():
    (there / "waits").touch()
    time.sleep(100)
print(numbers)
""",
]
STATEMENTS = {"": 1, "open('-'.join(map(str, numbers)), 'w').close()": 2}
"""What the first stage does besides, and how often it has run in the end: DVC does not know of the second's file."""


@pytest.mark.parametrize("statement", STATEMENTS)
def test_a_killed_verification_goes_on_where_it_was(
    statement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = tmp_path / "a, cache #1"  # what DVC's configuration would read as a list and a comment
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    out = made(tmp_path, [text.format(folder=str(tmp_path), statement=statement) for text in LONG])
    command = [sys.executable, "-m", "nb2pkg", "verify", str(out)]
    env = os.environ | {"PYTHONPATH": str(Path(__file__).parent.parent / "src")}
    first = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 120
    while not (tmp_path / "waits").exists() and time.monotonic() < until:
        time.sleep(0.05)
    first.kill()
    first.wait(20)
    (tmp_path / "go").touch()
    report = verify(out)
    assert report.verdict == "equivalent", report.as_json()
    assert statuses(report, "stage") == ["equal"] * 2
    ran = (tmp_path / "log").read_text().split()
    assert (ran.count("notebook"), ran.count("package")) == (2, STATEMENTS[statement])
    assert list((cache / "nb2pkg/reproduction").iterdir()) == []


def test_what_a_killed_cleaner_left_is_swept() -> None:
    with scratch() as held:
        orphan = Path(tempfile.mkdtemp(prefix=PREFIX))
        (orphan / LOCK).touch()
        for folder in (held, orphan):
            os.utime(folder, (0, 0))
        sweep()
        assert held.exists()
        assert not orphan.exists()
    assert not held.exists()
