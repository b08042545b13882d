"""What was done is found again by content, whatever was killed or spoilt in between."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from migrate_work import calls, task, work
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit.tree import Copy, Tree
from nb2pkg.errors import Nb2pkgError
from nb2pkg.facts import CellFacts
from nb2pkg.migrate import journal as journal_module
from nb2pkg.migrate.journal import Journal, key_of, read, seen, unchanged
from nb2pkg.migrate.record import Record, outcome_of, record
from nb2pkg.migrate.run import How, run
from nb2pkg.migrate.types import Figures, Fingerprint, Outcome, Task
from nb2pkg.pipeline import Options

FIGURES = Figures(1.5, 1.25, 1 << 20)


def outcome(value: Any = None, **more: Any) -> Outcome:
    """One with the value."""
    return Outcome("convert", "a.ipynb", "done", value, figures=FIGURES, **more)


def run_in(folder: Path, tasks: list[Task], how: How | None = None) -> list[Outcome]:
    """Run with the journal of a folder."""
    with Journal(folder / "journal") as journal:
        return list(run(tasks, work, journal, how))


VALUES = (
    Tree((("a.py", b"\x00\xff"), ("b", b"")), (Copy(Path("/repo/data/x.csv"), "data/raw/x.csv", True),), "pkg"),
    CellFacts("id", 0.1),
    (1, -2.5, None, True, "\ud800 ü", b"", (), (("a", (1,)),)),
    [frozenset({"b", "a"}), {"x": [1], (1, 2): {3}}, Path("elsewhere")],
    float("inf"),
)


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_a_record_gives_the_outcome_back(value: Any) -> None:
    told = (Diagnostic("N401", "x", 1, 2),)
    made = outcome(value, diagnostics=told, message="m", depends=(Fingerprint("lib.py", "sha256:0"),))
    kept = record(made, "/repo")
    assert outcome_of(kept, "/repo") == made
    assert type(outcome_of(kept, "/repo").value) is type(value)
    # Neither what it took nor the order of a set counts.
    assert record(replace(made, figures=None), "/repo").data == kept.data


def test_a_record_is_the_same_wherever_the_repository_lies() -> None:
    here, there = (Tree((), (Copy(Path(root, "x"), "x", True),), "pkg") for root in ("/here", "/there/on"))
    assert record(outcome(here), "/here").data == record(outcome(there), "/there/on").data
    assert outcome_of(record(outcome(here), "/here"), "/there/on").value == there


def test_what_cannot_travel_is_a_bug_that_is_told(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"re\.Pattern can't travel"):
        record(outcome(__import__("re").compile("x")), "/repo")


@pytest.mark.parametrize(
    "text",
    [
        '{"os:system": [["command", "touch PLACE"]]}',
        '{"nb2pkg.write:write": [["tree", 1]]}',
        '{"nb2pkg.migrate.types:Outcome": []}',
        '{"nb2pkg.nowhere:Thing": []}',
        '{"nb2pkg.pipeline:Path": []}',
        '{"unknown": []}',
        "[" * 100_000 + "]" * 100_000,
        "1",
        "not JSON",
    ],
)
def test_a_forged_record_makes_nothing(tmp_path: Path, text: str) -> None:
    import zlib

    forged = zlib.compress(text.replace("PLACE", str(tmp_path / "made")).encode())
    with pytest.raises(ValueError, match=r".+"):
        outcome_of(Record("done", FIGURES, forged), str(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_what_is_unchanged_is_not_done_again(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    tasks = [task(repo, name) for name in ("a.ipynb", "b.ipynb", "refused.ipynb", "raises.ipynb")]
    first = run_in(tmp_path, tasks)
    assert run_in(tmp_path, tasks) == first, "even what they took"
    tasks[1] = task(repo, "b.ipynb", "changed")
    second = run_in(tmp_path, tasks)
    assert calls(repo) == ["a.ipynb", "b.ipynb", "b.ipynb", "raises.ipynb", "refused.ipynb"]
    assert [one == other for one, other in zip(first, second, strict=True)] == [True, False, True, True]


def test_another_place_is_no_change(tmp_path: Path) -> None:
    tasks = [task(tmp_path / "repo", "a.ipynb", options=Options(within=tmp_path / "repo"))]
    first = run_in(tmp_path, tasks)
    shutil.move(tmp_path / "repo", tmp_path / "moved")
    there = str(tmp_path / "moved")
    moved = [replace(tasks[0], root=there, options=Options(within=tmp_path / "moved"))]
    assert run_in(tmp_path, moved) == first
    assert calls(tmp_path / "moved") == ["a.ipynb"]


def test_options_count_and_copies_do_not(tmp_path: Path) -> None:
    one = task(tmp_path / "repo", "a.ipynb")
    others = [
        replace(one, step="convert"),
        replace(one, options=Options(seed=1)),
        replace(one, options=Options(unlifted=("a",))),
        replace(one, options=Options(joined=("a",))),
        replace(one, options=Options(python=sys.executable)),
        replace(one, notebook=replace(one.notebook, path="b.ipynb")),
    ]
    assert len({key_of(each) for each in (one, *others)}) == 7
    assert key_of(replace(one, notebook=replace(one.notebook, copies=("c.ipynb",)))) == key_of(one)


def test_another_nb2pkg_does_all_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = task(tmp_path / "repo", "a.ipynb")
    before = key_of(one)
    package = tmp_path / "nb2pkg"
    shutil.copytree(Path(journal_module.__file__).parents[1] / "knowledge", package / "knowledge")
    (package / "__init__.py").touch()
    keys = {before}
    for change in (lambda: None, lambda: (package / "knowledge" / "mine.toml").write_text("x = 1")):
        change()
        monkeypatch.setattr(journal_module.nb2pkg, "__file__", str(package / "__init__.py"))
        journal_module.identity.cache_clear()
        keys.add(key_of(one))
    monkeypatch.undo()
    journal_module.identity.cache_clear()
    assert len(keys) == 3
    assert key_of(one) == before


def test_files_that_an_outcome_depends_on_count(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    tasks = [task(repo, "a.ipynb")]
    changes = (
        lambda: None,
        lambda: (repo / "lib.py").write_text("x = 1"),  # it was looked for, and not there
        lambda: (repo / "lib.py").write_text("x = 2"),
        lambda: os.utime(repo / "lib.py", (1, 1)),  # the same text
        (repo / "lib.py").unlink,
    )
    done = []
    for change in changes:
        change()
        run_in(tmp_path, tasks)
        done.append(len(calls(repo)))
    assert done == [1, 2, 3, 3, 4]


def test_a_fingerprint_sees_what_it_is_of(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("one")
    root = str(tmp_path)
    looked, text, absent = seen(root, "x"), read(root, "x"), seen(root, "y")
    assert (absent.state, text.state[:7], looked.state[:2]) == ("", "sha256:", "3:")
    assert all(unchanged(root, each) for each in (looked, text, absent))
    os.utime(tmp_path / "x", (1, 1))
    assert [unchanged(root, each) for each in (looked, text, absent)] == [False, True, True]
    (tmp_path / "y").mkdir()
    assert not unchanged(root, absent)
    assert unchanged(root, seen(root, "y"))


def test_limits_that_were_too_low_are_tried_again_when_higher(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    tasks = [task(repo, name) for name in ("dies.ipynb", "grows.ipynb", "hangs.ipynb")]
    low = How(jobs=2, timeout=4.0, memory_limit=200 << 20)
    assert [o.status for o in run_in(tmp_path, tasks, low)] == ["killed", "memory", "timeout"]
    run_in(tmp_path, tasks[1:], low)
    run_in(tmp_path, tasks[1:], replace(low, timeout=2.0))
    assert calls(repo) == ["dies.ipynb", "dies.ipynb", "grows.ipynb", "hangs.ipynb"]
    run_in(tmp_path, tasks[1:], replace(low, timeout=4.1))
    assert calls(repo).count("hangs.ipynb") == 2
    run_in(tmp_path, tasks[1:2], replace(low, memory_limit=201 << 20))
    assert calls(repo).count("grows.ipynb") == 2
    run_in(tmp_path, tasks[:1], low)
    assert calls(repo).count("dies.ipynb") == 4


def test_one_writer(tmp_path: Path) -> None:
    with Journal(tmp_path / "journal"), pytest.raises(Nb2pkgError, match="another run is using this journal"):
        Journal(tmp_path / "journal")
    Journal(tmp_path / "journal").close()


def not_sqlite(path: Path) -> None:
    """Some other file."""
    path.write_text("hello\n" * 1000)


def other_program(path: Path) -> None:
    """A database of somebody else."""
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE mine (x)")
    database.close()


def later_version(path: Path) -> None:
    """One that a later nb2pkg has made."""
    Journal(path).close()
    with sqlite3.connect(path) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()


def damaged(path: Path) -> None:
    """A journal with its middle overwritten."""
    repo = path.parent / "repo-before"
    with Journal(path) as journal:
        for n in range(50):
            journal.add(task(repo, f"{n}.ipynb"), record(outcome(os.urandom(3000)), str(repo)))
    content = bytearray(path.read_bytes())
    content[4096 : len(content) // 2] = b"\x55" * (len(content) // 2 - 4096)
    path.write_bytes(content)


@pytest.mark.parametrize("spoil", [not_sqlite, other_program, later_version, damaged])
def test_what_is_no_journal_is_moved_aside(tmp_path: Path, spoil: Any) -> None:
    path = tmp_path / "journal"
    spoil(path)
    before = path.read_bytes()
    (tmp_path / "journal.aside-1").touch()
    with Journal(path) as journal:
        assert [d.code for d in journal.diagnostics] == ["N962"]
        assert "it is journal.aside-2 now" in journal.diagnostics[0].message
        assert [o.status for o in run([task(tmp_path / "repo", "a.ipynb")], work, journal)] == ["done"]
    assert (tmp_path / "journal.aside-2").read_bytes() == before
    with Journal(path) as journal:
        assert journal.diagnostics == ()


def test_a_row_that_is_spoilt_is_done_again(tmp_path: Path) -> None:
    tasks = [task(tmp_path / "repo", name) for name in ("a.ipynb", "b.ipynb")]
    first = run_in(tmp_path, tasks)
    with sqlite3.connect(tmp_path / "journal") as database:
        database.execute("UPDATE outcomes SET data = 'x' WHERE notebook = 'a.ipynb'")
    database.close()
    assert [replace(o, figures=None) for o in run_in(tmp_path, tasks)] == [replace(o, figures=None) for o in first]
    assert calls(tmp_path / "repo") == ["a.ipynb", "a.ipynb", "b.ipynb"]


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Nb2pkgError, match=r"the journal can't be used here \(.*\[N961\]"):
        Journal(tmp_path / "file" / "journal")
    with pytest.raises(Nb2pkgError, match=r"the journal can't be used here \(unable to open"):
        Journal(tmp_path)


def test_what_nobody_asks_for_is_forgotten(tmp_path: Path) -> None:
    tasks = [task(tmp_path / "repo", name) for name in ("a.ipynb", "b.ipynb")]
    run_in(tmp_path, tasks)
    with Journal(tmp_path / "journal") as journal:
        run(tasks[:1], work, journal)
        journal.prune()
        assert [journal.find(each) is not None for each in tasks] == [True, False]


def test_kill_9_loses_nothing_that_was_done(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    names = [f"{n}-slow.ipynb" for n in range(12)]
    tasks = [task(repo, name) for name in names]
    script = (
        "import migrate_work as m; from pathlib import Path; from nb2pkg.migrate.run import How, run\n"
        "from nb2pkg.migrate.journal import Journal\n"
        f"run([m.task(Path('repo').resolve(), n) for n in {names}], m.work, Journal(Path('journal')), How(jobs=2))\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    command = [sys.executable, "-c", script]
    for seen_before_the_kill in (3, 7):
        parent = subprocess.Popen(command, cwd=tmp_path, env=os.environ | {"PYTHONPATH": path})
        while not (repo / "calls").exists() or len(calls(repo)) < seen_before_the_kill:
            assert parent.poll() is None
            time.sleep(0.01)
        parent.send_signal(signal.SIGKILL)
        parent.wait()
    after = run_in(tmp_path, tasks, How(jobs=2))
    # Only what was being done when the kills came is done again.
    assert len(calls(repo)) <= len(names) + 2 * 2 * 2
    straight = run_in(tmp_path / "straight", tasks, How(jobs=2))
    assert [record(o, str(repo)).data for o in after] == [record(o, str(repo)).data for o in straight]
