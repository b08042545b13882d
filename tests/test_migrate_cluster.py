"""The same work on a real Dask cluster of this machine: the same outcomes, whoever is killed."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from migrate_work import calls, task, work
from nb2pkg.errors import Nb2pkgError
from nb2pkg.migrate import cluster
from nb2pkg.migrate.journal import Journal
from nb2pkg.migrate.progress import Silent
from nb2pkg.migrate.record import record
from nb2pkg.migrate.run import How, run
from nb2pkg.migrate.types import Task

PATIENCE = 60.0
PATHS = os.pathsep.join([str(Path(__file__).parent), *sys.path])
QUIET = {"DASK_DISTRIBUTED__LOGGING__distributed": "critical", "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"}


def started(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """A process of Dask's command line."""
    return subprocess.Popen(
        [sys.executable, "-m", f"distributed.cli.{module}", *arguments],
        env=os.environ | {"PYTHONPATH": PATHS} | QUIET,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@contextmanager
def dask(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A scheduler's address, and its processes, the scheduler first, then workers, which no nanny starts again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{free.getsockname()[1]}"
    common = ("--no-dashboard", "--host", "127.0.0.1")
    made = [started("dask_scheduler", "--port", address.rpartition(":")[2], *common)]
    given = ("--no-nanny", "--nthreads", "1", "--local-directory", str(folder), "--death-timeout", "60")
    try:
        for _ in range(workers):
            made.append(started("dask_worker", address, *given, *common))
        yield address, made
    finally:
        for process in reversed(made):
            process.kill()
        for process in made:
            process.wait()


def data(tasks: list[Task], folder: Path, how: How) -> list[bytes]:
    """What became of each, without what it took."""
    with Journal(folder) as journal:
        return [record(outcome, tasks[0].root).data for outcome in run(tasks, work, journal, how)]


def test_a_cluster_that_loses_a_worker_gives_what_this_machine_gives(tmp_path: Path) -> None:
    repo = tmp_path / "repo"
    names = [f"{n}-slow.ipynb" for n in range(16)]
    for number, fault in enumerate(("dies", "raises", "refused", "hangs", "grows")):
        names.insert(3 * number, f"{fault}.ipynb")
    tasks = [task(repo, name) for name in names]
    limits = {"timeout": 5.0, "memory_limit": 200 << 20}
    local = data(tasks, tmp_path / "local", How(jobs=2, **limits))  # type: ignore[arg-type]  # of two kinds
    (repo / "calls").unlink()
    with dask(tmp_path, workers=3) as (address, made):

        def kill_one() -> None:
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until and not ((repo / "calls").exists() and len(calls(repo)) > 5):
                time.sleep(0.01)
            made[1].send_signal(signal.SIGKILL)

        killer = threading.Thread(target=kill_one)
        killer.start()
        found = data(tasks, tmp_path / "dask", How(scheduler=address, **limits))  # type: ignore[arg-type]  # as above
        killer.join()
        assert made[1].wait() == -signal.SIGKILL
    assert found == local
    assert len(calls(repo)) > len(names)
    # Both have filled the journal alike: nothing is left to do.
    (repo / "calls").unlink()
    with Journal(tmp_path / "dask") as journal:
        left = [each.name for each in tasks if journal.find(each, 5.0, 200 << 20) is None]
    assert left == ["dies.ipynb"]


def test_what_ends_the_worker_itself_each_time_costs_its_own_row(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [task(tmp_path / "repo", name) for name in ("a.ipynb", "b.ipynb", "ends-dask.ipynb")]
    monkeypatch.setattr(cluster, "_perform", ending)
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    with dask(tmp_path, 2) as (address, _), Journal(tmp_path / "journal") as journal:
        outcomes = list(run(tasks, work, journal, How(scheduler=address)))
    assert [outcome.status for outcome in outcomes] == ["done", "done", "killed"]


def ending(each: Task, *given: object) -> object:
    """Stands for what takes a whole machine with it, which no task can do to its own process's parent."""
    if "ends-dask" in each.name:
        os.kill(os.getpid(), signal.SIGKILL)
    return cluster.Worker(*given).perform(each)  # type: ignore[arg-type]  # what the cluster was given


@pytest.mark.parametrize(("ending", "why"), [(0, ""), (1, "no worker is left")], ids=["scheduler", "workers"])
def test_a_cluster_that_goes_away_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: int, why: str
) -> None:
    tasks = [task(tmp_path / "repo", f"{n}-slow.ipynb") for n in range(60)]
    monkeypatch.setattr(cluster, "LOOK", 0.2)
    with dask(tmp_path, workers=1) as (address, made), Journal(tmp_path / "journal") as journal:

        class Killer(Silent):
            def made(self, status: str) -> None:  # type: ignore[override]  # any text will do
                monkeypatch.setattr(cluster, "ANSWER", 0.5)
                made[ending].kill()

        with pytest.raises(
            Nb2pkgError, match=rf"^the Dask cluster went away; run it again to go on \(.*{why}.*\[N963\]$"
        ):
            run(tasks, work, journal, How(scheduler=address), Killer())
        assert any(journal.find(each) for each in tasks)


def test_a_cluster_that_cannot_do_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = [task(tmp_path / "repo", "a.ipynb")]
    monkeypatch.setattr(cluster, "ANSWER", 1.0)
    with Journal(tmp_path / "journal") as journal:
        with pytest.raises(Nb2pkgError, match=r"^no Dask scheduler answers at tcp://127\.0\.0\.1:9 .*\[N963\]$"):
            run(tasks, work, journal, How(scheduler="tcp://127.0.0.1:9"))
        with pytest.raises(Nb2pkgError, match="no Dask scheduler answers at nonsense"):
            run(tasks, work, journal, How(scheduler="nonsense"))
        with dask(tmp_path, workers=1) as (address, _):
            monkeypatch.setattr(cluster, "ANSWER", 30.0)
            monkeypatch.setattr(cluster, "identity", lambda: "another")
            with pytest.raises(Nb2pkgError, match=r"the Dask worker tcp://\S+ has another nb2pkg"):
                run(tasks, work, journal, How(scheduler=address))
            monkeypatch.undo()
            away = Task("survey", str(tmp_path / "away"), tasks[0].notebook, tasks[0].options)
            with pytest.raises(Nb2pkgError, match=r"does not see \S+/away: put the repository, or TMPDIR"):
                run([away], work, journal, How(scheduler=address))
