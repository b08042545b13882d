"""A migrated package and its notebooks, with real kernels and DVC itself: each notebook is said to be as it was found,
and none is called equivalent that was not compared."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from lab import migrated, write_notebook
from nb2pkg.cli import main
from nb2pkg.migrate.report import as_json
from nb2pkg.migrate.stored import migrations
from nb2pkg.migrate.types import Migration
from nb2pkg.migrate.verified import verify_migrated, with_equivalence
from nb2pkg.verify.members import read_joined
from nb2pkg.verify.report import JoinedReport, MemberReport, Report
from nb2pkg.verify.scratch import PREFIX

TOOLS = """
class Box:
    def __init__(self, values):
        self.values = values

    def total(self):
        return sum(self.values)
"""


@pytest.fixture(scope="module", autouse=True)
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache of this module's own, so that the notebooks run but a few times, and a temporary folder."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", str(tmp_path_factory.mktemp("tmp")))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a lab whose notebooks hang together in every way."""
    lab = tmp_path_factory.mktemp("research") / "lab"
    (lab / "data").mkdir(parents=True)
    (lab / "data" / "raw.txt").write_text("3 1 2")
    (lab / "lib").mkdir()
    (lab / "lib" / "tools.py").write_text(TOOLS)
    (lab / "prepare").mkdir()
    (lab / "prepare" / "own.py").write_text("def numbers(text):\n    return sorted(map(int, text.split()))\n")
    write_notebook(
        lab / "prepare" / "01 clean.ipynb",
        "import json\nfrom own import numbers",
        "with open('../data/raw.txt') as file:\n    found = numbers(file.read())\nfound",
        "# Save",
        "with open('../data/clean.json', 'w') as file:\n    json.dump(found, file)",
    )
    write_notebook(lab / "setup.ipynb", "import json, pickle\nFACTOR = 2")
    write_notebook(
        lab / "fit" / "02 fit.ipynb",
        "%run ../setup.ipynb",
        "import sys\nsys.path.append('../lib')\nfrom tools import Box",
        "with open('../data/clean.json') as file:\n    box = Box([FACTOR * n for n in json.load(file)])\nbox.total()",
        "# Keep",
        "with open('box.pkl', 'wb') as file:\n    pickle.dump(box, file)",
    )
    write_notebook(
        lab / "03 use.ipynb",
        "import pickle, random, sys\nsys.path.append('lib')",
        "with open('fit/box.pkl', 'rb') as file:\n    box = pickle.load(file)\nprint(box.total(), box.values)",
        "with open('drawn.txt', 'w') as file:\n    print(random.random(), file=file)",
    )
    write_notebook(lab / "04 after.ipynb", "with open('drawn.txt') as file:\n    print('drawn', file.read())", "1 + 1")
    there = "/content/drive/MyDrive/lab/one.txt"
    own = {"05 one": f"open('{there}', 'w').write('one')", "06 other": f"print(open('{there}').read())"}
    for name, cell in own.items():
        write = f"open('who.txt', 'w').write({name!r})\nprint(open('who.txt').read())"
        write_notebook(lab / f"{name}.ipynb", write, cell)
    write_notebook(
        lab / "07 fails.ipynb", "# Fine", "print('so far')", "# Not", "1 / 0", "open('never.txt', 'w').write('never')"
    )
    write_notebook(lab / "08 waits.ipynb", "print(open('never.txt').read())")
    (lab / "09 broken.ipynb").write_text("{")
    out = tmp_path_factory.mktemp("made") / "out"
    migrated(lab, out)
    return out


EXPECTED = {
    "setup.ipynb": "equivalent",
    "prepare/01 clean.ipynb": "equivalent",
    "fit/02 fit.ipynb": "equivalent",
    "03 use.ipynb": "equivalent",
    "04 after.ipynb": "equivalent",
    "05 one.ipynb": "equivalent",
    "06 other.ipynb": "equivalent",
    "07 fails.ipynb": "failed",
    "08 waits.ipynb": "not run",
}


def verified(out: Path) -> tuple[JoinedReport, Migration]:
    """Both reports."""
    report, migration, told = verify_migrated(out)
    assert migration is not None, told
    return report, migration


def results(report: JoinedReport) -> dict[str, str]:
    """How each notebook came out."""
    return {member.path: member.equivalence for member in report.members}


def left() -> set[str]:
    """The scratch folders that are there."""
    return {path.name for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*")}


def test_each_notebook_is_compared_among_the_files_of_those_before_it(package: Path, tmp_path: Path) -> None:
    out = shutil.copytree(package, tmp_path / "out")
    before = {path: path.read_bytes() for path in out.rglob("*") if path.is_file()}
    report, migration = verified(out)
    assert results(report) == EXPECTED, json.dumps(report.as_json(), indent=1)
    rows = {row.notebook: row for row in migration.rows}
    assert {path: row.equivalence for path, row in rows.items()} == {**EXPECTED, "09 broken.ipynb": "not run"}
    told = {p: [(d.code, d.severity, d.cell) for d in r.diagnostics if d.code[:3] == "N72"] for p, r in rows.items()}
    assert {path: found for path, found in told.items() if found} == {
        "07 fails.ipynb": [("N721", "warning", 3)],
        "08 waits.ipynb": [("N722", "info", None)],
    }
    assert "ZeroDivisionError" in rows["07 fails.ipynb"].diagnostics[-1].message
    assert "07 fails.ipynb" in rows["08 waits.ipynb"].diagnostics[-1].message
    compared = {member.path: member.report for member in report.members}
    assert [c.status for c in compared["fit/02 fit.ipynb"].checks if c.kind in ("file", "variable")] == ["equal"] * 2
    # What one notebook draws, the next one prints: its own runs differ in that, so it can't be passed.
    assert [c.status for c in compared["04 after.ipynb"].checks if c.kind == "text"] == ["not reproducible", "equal"]
    written = json.loads((out / "reports/equivalence.json").read_text())
    assert written == json.loads(json.dumps(report.as_json()))
    assert written["counts"] == {"equivalent": 7, "differs": 0, "failed": 1, "not run": 1}
    page = (out / "reports/equivalence.html").read_text()
    for member in report.members:
        name = member.report.package.partition(".")[2]
        assert f'href="equivalence/{name}.html"' in page
        assert (out / f"reports/equivalence/{name}.html").is_file()
    told_again = json.loads((out / "migration.json").read_text())
    assert told_again == json.loads(json.dumps(as_json([migration])))
    changed = {path.relative_to(out).as_posix() for path in before if path.read_bytes() != before[path]}
    assert changed == {"migration.json", "migration.html", ".nb2pkg/manifest.json"}
    assert left() == set()


def test_what_was_broken_by_hand_differs_under_its_name(package: Path, tmp_path: Path) -> None:
    out = shutil.copytree(package, tmp_path / "out")
    module = out / "lab/clean/save.py"
    text = module.read_text()
    assert "found, file" in text
    module.write_text(text.replace("found, file", "found[1:], file"))
    stops = out / "lab/one/part_1.py"
    stops.write_text(stops.read_text().replace("    with stage(", "    raise RuntimeError('by hand')\n    with stage("))
    answer = CliRunner().invoke(main, ["verify", str(out), "--python", sys.executable])
    assert answer.exit_code == 1, answer.output
    written = json.loads((out / "reports/equivalence.json").read_text())
    found = {each["notebook"]: each for each in written["notebooks"]}
    differs = {path for path, each in found.items() if each["equivalence"] == "differs"}
    assert differs == {"prepare/01 clean.ipynb", "fit/02 fit.ipynb", "03 use.ipynb", "05 one.ipynb"}
    assert found["prepare/01 clean.ipynb"]["reason"].startswith("file ../data/clean.json of stage clean-save: ")
    assert "it reads files of prepare/01 clean.ipynb, which differs itself" in found["fit/02 fit.ipynb"]["reason"]
    assert found["05 one.ipynb"]["reason"] == "stage one-part_1: RuntimeError: by hand"
    assert found["setup.ipynb"]["equivalence"] == "equivalent"
    assert (found["06 other.ipynb"]["equivalence"], found["06 other.ipynb"]["reason"]) == (
        "not run",
        "it needs 05 one.ipynb, whose package fails in stage one-part_1: RuntimeError: by hand",
    )
    assert "differs" in answer.output and "prepare/01 clean.ipynb: file ../data/clean.json" in answer.output
    needs = json.loads((out / "migration.json").read_text())["needs"]
    unequal = [need for need in needs if need["code"] == "N720"]
    assert unequal[0]["kind"] == "equivalence"
    assert unequal[0]["places"][0]["notebook"] == "prepare/01 clean.ipynb", "most others wait for it"
    assert unequal[0]["dependents"] == 3


def test_migrate_verifies_and_writes_again(tmp_path: Path) -> None:
    lab, out = tmp_path / "small", tmp_path / "out"
    write_notebook(lab / "a.ipynb", "print('a')")
    command = ["migrate", str(lab), str(out), "--no-git", "--jobs", "1", "--verify", "--python", sys.executable]
    answer = CliRunner().invoke(main, command)
    assert answer.exit_code == 0, answer.output
    assert "verified: 1 equivalent" in answer.output
    assert [row.equivalence for row in migrations(json.loads((out / "migration.json").read_text()))[0].rows] == [
        "equivalent"
    ]
    without = CliRunner().invoke(main, [word for word in command if word != "--verify"] + ["--force"])
    assert without.exit_code == 0, without.output
    assert json.loads((out / "migration.json").read_text())["repositories"][0]["notebooks"][0]["equivalence"] is None
    (out / "migration.html").write_text("mine")
    answer = CliRunner().invoke(main, ["verify", str(out), "--python", sys.executable])
    assert answer.exit_code == 0, answer.output
    assert "N723" in answer.output
    assert (out / "migration.html").read_text() == "mine"


def test_helper_modules_and_what_is_run_lie_beside_the_kept_notebooks(package: Path) -> None:
    assert (package / "notebooks/lib/tools.py").read_text() == TOOLS
    members = {member.path: member for member in read_joined(package).members}
    fit = members["fit/02 fit.ipynb"]
    assert fit.package.modules == ("notebooks/lib/tools.py", "notebooks/setup.ipynb")
    assert fit.reads == (("prepare/01 clean.ipynb", "data/clean.json"),)
    assert members["06 other.ipynb"].package.workspace == "workspaces/other"
    assert members["06 other.ipynb"].reads == (("05 one.ipynb", "drive/lab/one.txt"),)
    assert [member.path for member in read_joined(package).before(members["04 after.ipynb"])] == [
        "prepare/01 clean.ipynb",
        "fit/02 fit.ipynb",
        "03 use.ipynb",
    ]


def test_what_was_python_2_is_never_called_equivalent(package: Path) -> None:
    (before,) = migrations(json.loads((package / "migration.json").read_text()))
    report = Report("lab.one", "notebooks/05 one_python3.ipynb", "python", "equivalent", "", (), 2, 0.0, 0.0, ())
    member = MemberReport("05 one.ipynb", report, upgraded=True)
    after = with_equivalence(before, JoinedReport("lab", "python", 0.0, (member,)))
    [row] = [row for row in after.rows if row.notebook == "05 one.ipynb"]
    assert row.equivalence == "not run"
    assert "Python 2" in row.diagnostics[-1].message


def test_the_report_of_a_migration_can_be_read_back(package: Path) -> None:
    data = json.loads((package / "migration.json").read_text())
    assert as_json(migrations(data)) == data
    with pytest.raises(ValueError, match="no report"):
        migrations({"repositories": [{}]})
