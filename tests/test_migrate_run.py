"""Many tasks in processes of this machine: whatever one does costs its own row, and nothing is left running."""

from __future__ import annotations

import io
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from migrate_work import calls, processes, task, work
from nb2pkg.errors import Nb2pkgError
from nb2pkg.migrate.journal import Journal
from nb2pkg.migrate.progress import Bar
from nb2pkg.migrate.run import How, run
from nb2pkg.migrate.scan import scan
from nb2pkg.migrate.types import Figures, Outcome, Task
from nb2pkg.migrate.work import work as migrate_work_itself
from nb2pkg.pipeline import Options

FAULTS = ("hangs", "grows", "dies", "leaves", "raises", "refused", "falters")
PATIENCE = 30.0


def bare(outcome: Outcome) -> Outcome:
    """Without what it took."""
    return replace(outcome, figures=None)


def gone(pids: set[int]) -> bool:
    """Whether none of the processes is there any more, within the time that that may take."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        alive = [pid for pid in pids if psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie"]
        if not alive:
            return True
        time.sleep(0.05)
    return False


def test_a_fault_costs_its_own_row(tmp_path: Path) -> None:
    names = [f"{name}.ipynb" for pair in zip(FAULTS, ("a", "b", "c", "d", "e", "f", "g"), strict=True) for name in pair]
    tasks = [task(tmp_path / "repo", name) for name in names]
    with Journal(tmp_path / "journal") as journal:
        outcomes = run(tasks, work, journal, How(jobs=2, timeout=5.0, memory_limit=200 << 20))
        found = {outcome.path: outcome for outcome in outcomes}
    assert list(found) == names
    assert {name: found[f"{name}.ipynb"].status for name in FAULTS} == {
        "hangs": "timeout",
        "grows": "memory",
        "dies": "killed",
        "leaves": "killed",
        "raises": "crashed",
        "refused": "refused",
        "falters": "done",
    }
    assert all(found[f"{name}.ipynb"].status == "done" for name in "abcdefg")
    told = {name: (found[f"{name}.ipynb"].message, found[f"{name}.ipynb"].diagnostics) for name in FAULTS}
    assert told["hangs"][0] == "took longer than 5 s (--timeout)"
    assert told["grows"][0] == "took more memory than 200 MB (--memory-limit)"
    assert told["dies"][0] == "its process was ended by SIGKILL, twice"
    assert told["leaves"][0] == "its process ended by itself, with exit status 3, twice"
    assert told["raises"][0].startswith(
        "KeyError: 'no such thing in raises.ipynb: <object object at 0x…>' (tests/migrate_work"
    )
    assert told["refused"][0] == "is not valid Python, see refused.ipynb"
    codes = {name: [(d.code, d.cell, d.severity) for d in told[name][1]] for name in FAULTS}
    assert codes["refused"] == [("N011", 2, "error")]
    assert [codes[name][0][0] for name in FAULTS[:5]] == ["N971", "N972", "N973", "N973", "N970"]
    # What died was tried again once, what failed in its own way was not; what grew, if its process had done others.
    tried = {name: calls(tmp_path / "repo").count(f"{name}.ipynb") for name in FAULTS}
    assert tried.pop("grows") in (1, 2)
    assert tried == {"hangs": 1, "dies": 2, "leaves": 2, "raises": 1, "refused": 1, "falters": 2}
    assert gone(processes(tmp_path / "repo"))


def test_the_outcome_does_not_depend_on_the_processes(tmp_path: Path) -> None:
    tasks = [task(tmp_path / "repo", f"{n}-{'dies' if n % 6 == 3 else 'fine'}.ipynb") for n in range(12)]
    found = []
    for jobs in (1, 3):
        with Journal(tmp_path / f"journal-{jobs}") as journal:
            outcomes = run(tasks, work, journal, How(jobs=jobs))
            found.append([bare(outcome) for outcome in outcomes])
            assert [bare(outcome) for outcome in outcomes] == found[-1], "it can be read again"
            assert all(isinstance(outcome.figures, Figures) for outcome in outcomes)
    assert found[0] == found[1]
    assert [outcome.path for outcome in found[0]] == [each.name for each in tasks]


def test_what_a_migration_does_comes_through_as_it_was(tmp_path: Path) -> None:
    example = Path(__file__).parents[1] / "examples" / "tidy"
    root = shutil.copytree(example, tmp_path / "repo")
    found = scan(root).notebooks
    assert found
    tasks = [Task(step, str(root), each, Options()) for step in ("survey", "convert") for each in found]
    with Journal(tmp_path / "journal") as journal:
        outcomes = list(run(tasks, migrate_work_itself, journal, How(jobs=2)))
    assert [bare(outcome) for outcome in outcomes] == [migrate_work_itself(each) for each in tasks]
    assert all(outcome.status == "done" for outcome in outcomes)


def test_what_other_tasks_have_left_in_a_process_is_nobodys_fault(tmp_path: Path) -> None:
    tasks = [task(tmp_path / "repo", f"{n}-keeps.ipynb") for n in range(3)]
    with Journal(tmp_path / "journal") as journal:
        outcomes = run(tasks, work, journal, How(memory_limit=300 << 20))
        assert [outcome.status for outcome in outcomes] == ["done"] * 3
    assert len(processes(tmp_path / "repo")) == 3


def test_processes_are_kept_from_task_to_task(tmp_path: Path) -> None:
    tasks = [task(tmp_path / "repo", f"{n}.ipynb") for n in range(10)]
    with Journal(tmp_path / "journal") as journal:
        run(tasks, work, journal, How(jobs=2))
    assert len(processes(tmp_path / "repo")) <= 2


def test_what_cannot_be_imported_is_one_line(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; import migrate_work as m; from nb2pkg.migrate.run import run\n"
        "from nb2pkg.migrate.journal import Journal\n"
        "sys.path[:] = [p for p in sys.path if not p.endswith('tests')]\n"
        "run([m.task(Path('repo'), 'a.ipynb')], m.work, Journal(Path('journal')))\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=False,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    last = done.stderr.splitlines()[-1]
    assert last.startswith("nb2pkg.errors.Nb2pkgError: worker processes can't be started: ModuleNotFoundError")
    assert last.endswith("[N960]")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_running(tmp_path: Path, number: signal.Signals) -> None:
    repo = tmp_path / "repo"
    names = ["first-and-longest-of-all.ipynb", "hangs-1.ipynb", "hangs-2.ipynb"]
    script = (
        "import migrate_work as m; from pathlib import Path; from nb2pkg.migrate.run import How, run\n"
        "from nb2pkg.migrate.journal import Journal\n"
        f"run([m.task(Path('repo').resolve(), n) for n in {names}], m.work, Journal(Path('journal')), How(jobs=2))\n"
    )
    path = os.pathsep.join([str(Path(__file__).parent), *sys.path])
    parent = subprocess.Popen(
        [sys.executable, "-c", script], cwd=tmp_path, env=os.environ | {"PYTHONPATH": path}, stderr=subprocess.DEVNULL
    )
    until = time.monotonic() + PATIENCE
    while not (repo / "calls").exists() or len(calls(repo)) < 3:
        assert time.monotonic() < until
        assert parent.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)  # the third has begun, so the first is done, but its row may not be written yet
    parent.send_signal(number)
    assert parent.wait(PATIENCE) != 0
    assert gone(processes(repo))
    # What was done until then is known, and is not done again.
    with Journal(tmp_path / "journal") as journal:
        first = journal.find(task(repo, names[0]))
    assert first is not None
    assert first.status == "done"


def test_the_longest_is_begun_first_and_the_order_stays(tmp_path: Path) -> None:
    sizes = {"short.ipynb": 10, "long.ipynb": 1000, "middle.ipynb": 100}
    tasks = [task(tmp_path / "repo", name, "x" * size) for name, size in sizes.items()]
    with Journal(tmp_path / "journal") as journal:
        found = run(tasks, work, journal, How(jobs=1))
        assert [outcome.path for outcome in found] == list(sizes)
    assert calls(tmp_path / "repo") == ["long.ipynb", "middle.ipynb", "short.ipynb"]


def test_an_error_in_the_run_ends_the_processes(tmp_path: Path) -> None:
    tasks = [task(tmp_path / "repo", name) for name in ("a.ipynb", "hangs.ipynb")]

    class Full(Bar):
        def made(self, status: str) -> None:  # type: ignore[override]  # any text will do
            raise Nb2pkgError("N961", "the disk is full")

    with Journal(tmp_path / "journal") as journal, pytest.raises(Nb2pkgError, match="full"):
        run(tasks, work, journal, How(jobs=2), Full(io.StringIO()))
    assert gone(processes(tmp_path / "repo"))


def test_progress_counts_what_became_of_them(tmp_path: Path) -> None:
    tasks = [task(tmp_path / "repo", name) for name in ("a.ipynb", "b.ipynb", "raises.ipynb", "refused.ipynb")]
    told = io.StringIO()
    with Journal(tmp_path / "journal") as journal:
        run(tasks[:1], work, journal)
        run(tasks, work, journal, watcher=Bar(told))
    last = told.getvalue().splitlines()[-1]
    assert last.startswith("survey: 4 of 4, ")
    assert last.endswith("/s, 1 from the journal, 1 crashed, 1 refused")


def test_on_a_terminal_there_is_a_bar() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    told = Terminal()
    bar = Bar(told)
    bar.begin("convert", 3)
    for status in ("done", "timeout", "done"):
        bar.made(status)  # type: ignore[arg-type]  # of the literal's values
    bar.end()
    last = told.getvalue().replace("\r", "\n").splitlines()[-1]
    assert "convert  [####" in last
    assert "100%" in last
    assert "1 timeout" in last
