"""Sources and outputs on a real S3-compatible server: whole or told, one line for what goes wrong."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer
from s3fs import S3FileSystem

from lab import write_notebook
from nb2pkg.errors import NotebookError, OutputError
from nb2pkg.migrate import MigrateOptions, remote
from nb2pkg.migrate.progress import Bar
from nb2pkg.migrate.remote import MARK, bring, check_free, deliver, is_remote
from nb2pkg.migrate.session import migrate_all

PATHS = os.pathsep.join(sys.path)


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The address of a server."""
    running = ThreadedMotoServer(port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def s3(server: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A client of it, with an empty bucket `lab`; what the code under test uses finds it by the environment."""
    import botocore.session

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    client = botocore.session.get_session().create_client("s3")
    client.create_bucket(Bucket="lab")
    yield client
    for key in keys(client):
        client.delete_object(Bucket="lab", Key=key)
    client.delete_bucket(Bucket="lab")
    S3FileSystem.clear_instance_cache()


def keys(client: Any) -> list[str]:
    """What is in the bucket."""
    return [each["Key"] for each in client.list_objects_v2(Bucket="lab").get("Contents", ())]


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


FILES = {
    "a.ipynb": b"{}",
    ".git/HEAD": b"ref: x\n",
    "data/x 1.csv": b"\x00\xff" * 1000,
    "data/empty": b"",
    "ü/#?%.txt": b"u",
}


def made(folder: Path, files: dict[str, bytes]) -> Path:
    """A folder with the files."""
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("place", ["s3://lab/old/repo", "s3://lab/old/repo/", "s3://lab"])
def test_a_folder_goes_there_and_comes_back(tmp_path: Path, s3: Any, place: str) -> None:
    deliver(made(tmp_path / "repo", FILES), place)
    bring(place, tmp_path / "back")
    assert contents(tmp_path / "back") == FILES
    below = place.removeprefix("s3://lab").strip("/")
    assert sorted(keys(s3)) == sorted(f"{below}/{name}".lstrip("/") for name in FILES)


def test_what_is_brought_has_its_time(tmp_path: Path, s3: Any) -> None:
    s3.put_object(Bucket="lab", Key="repo/a.ipynb", Body=b"{}")
    s3.put_object(Bucket="lab", Key="repo/folder/", Body=b"")  # what consoles make for folders
    s3.put_object(Bucket="lab", Key="repository/other.ipynb", Body=b"{}")
    changed = s3.head_object(Bucket="lab", Key="repo/a.ipynb")["LastModified"]
    for folder in ("one", "two"):
        bring("s3://lab/repo", tmp_path / folder)
        assert contents(tmp_path / folder) == {"a.ipynb": b"{}"}
        assert datetime.fromtimestamp((tmp_path / folder / "a.ipynb").stat().st_mtime, UTC) == changed


def test_many_files_come_in_parts(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "AT_ONCE", 3)
    files = {f"{n % 4}/{n}.txt": str(n).encode() for n in range(10)}
    deliver(made(tmp_path / "repo", files), "s3://lab/many")
    bring("s3://lab/many", tmp_path / "back")
    assert contents(tmp_path / "back") == files


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path, s3: Any) -> None:
    for key in ("repo/../../evil", "repo//etc/evil", "repo/./evil"):
        s3.put_object(Bucket="lab", Key=key, Body=b"evil")
        with pytest.raises(NotebookError, match="has a name that can't be a path here: lab/repo/"):
            bring("s3://lab/repo", tmp_path / "in" / "here")
        s3.delete_object(Bucket="lab", Key=key)
    assert contents(tmp_path) == {}


def test_what_is_there_is_only_replaced_by_force(tmp_path: Path, s3: Any) -> None:
    deliver(made(tmp_path / "first", FILES), "s3://lab/out")
    second = made(tmp_path / "second", {"a.ipynb": b"new", "b.ipynb": b"{}"})
    with pytest.raises(OutputError, match=r"^s3://lab/out: is not empty; --force"):
        deliver(second, "s3://lab/out")
    with pytest.raises(OutputError, match="is not empty"):
        check_free("s3://lab/out")
    assert len(keys(s3)) == len(FILES)
    deliver(second, "s3://lab/out", force=True)
    assert keys(s3) == ["out/a.ipynb", "out/b.ipynb"]
    check_free("s3://lab/other")


def test_an_upload_that_is_killed_is_seen_and_done_again(tmp_path: Path, s3: Any) -> None:
    folder = made(tmp_path / "repo", {f"{n}.txt": b"x" for n in range(10)})
    script = (
        "import os, signal, s3fs; from pathlib import Path; from nb2pkg.migrate import remote\n"
        "remote.AT_ONCE, put = 4, s3fs.S3FileSystem.put\n"
        "def dying(self, paths, *rest):\n"
        "    put(self, paths, *rest)\n"
        "    '5.txt' in paths[-1] + paths[1] and os.kill(os.getpid(), signal.SIGKILL)\n"
        "s3fs.S3FileSystem.put = dying\n"
        "remote.deliver(Path('repo'), 's3://lab/out')\n"
    )
    environment = os.environ | {"PYTHONPATH": PATHS}
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env=environment, check=False)
    assert done.returncode == -signal.SIGKILL
    left = keys(s3)
    assert f"out/{MARK}" in left
    assert 1 < len(left) < 11
    check_free("s3://lab/out")
    deliver(folder, "s3://lab/out")
    assert sorted(keys(s3)) == sorted(f"out/{n}.txt" for n in range(10))


def test_an_upload_that_fails_says_how_far_it_was(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = made(tmp_path / "repo", {"a": b"1", "b": b"2", "c": b"3"})
    monkeypatch.setattr(remote, "AT_ONCE", 1)
    deliver(folder, "s3://lab/out")
    parts = remote._parts

    def losing(of: list[Any]) -> Iterator[list[Any]]:
        for each in parts(of):
            yield each
            (folder / "b").unlink(missing_ok=True)

    monkeypatch.setattr(remote, "_parts", losing)
    with pytest.raises(
        OutputError, match=r"^s3://lab/out: the upload stopped after 1 of 3 files; run it again \(.*\[N965\]$"
    ):
        deliver(folder, "s3://lab/out", force=True)
    assert f"out/{MARK}" in keys(s3)


def test_what_cannot_be_had_is_one_line(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        NotebookError, match=r"^s3://lab/nothing: holds no files, or does not exist; check the address \[N964\]$"
    ):
        bring("s3://lab/nothing", tmp_path)
    with pytest.raises(NotebookError, match=r"^s3://nowhere/x: .*\[N964\]$"):
        bring("s3://nowhere/x", tmp_path)
    with pytest.raises(OutputError, match=r"^s3://nowhere/x: .*(bucket does not exist|No such bucket).*\[N96[45]\]$"):
        deliver(made(tmp_path / "repo", FILES), "s3://nowhere/x")
    with pytest.raises(NotebookError, match=r"^nope://x: can't be used \(Protocol not known: nope\) \[N964\]$"):
        bring("nope://x", tmp_path)
    with pytest.raises(NotebookError, match=r"^gs://x: .*install.*\[N964\]$"):
        bring("gs://x", tmp_path)
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    S3FileSystem.clear_instance_cache()  # which knows the key
    with pytest.raises(NotebookError, match=r"^s3://lab/x: can't be used \(Unable to locate credentials\) \[N964\]$"):
        bring("s3://lab/x", tmp_path)
    with pytest.raises(OutputError, match="Unable to locate credentials"):
        check_free("s3://lab/x")


def test_a_repository_is_migrated_from_there_to_there(tmp_path: Path, s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_notebook(tmp_path / "lab" / "make.ipynb", "text = open('in.csv').read()", "open('made.txt', 'w').write(text)")
    write_notebook(tmp_path / "lab" / "use.ipynb", "print(open('made.txt').read())")
    (tmp_path / "lab" / "in.csv").write_text("a,b\n1,2\n")
    deliver(tmp_path / "lab", "s3://lab/repo")
    options = MigrateOptions(git=False)
    migrate_all(["s3://lab/repo"], "s3://lab/out", options)
    bring("s3://lab/out", tmp_path / "there")
    migrate_all([str(tmp_path / "lab")], str(tmp_path / "here"), replace(options, package="repo"))
    there, here = contents(tmp_path / "there"), contents(tmp_path / "here")
    assert there.keys() == here.keys()
    # It lies elsewhere each time that it is brought; what was done is known all the same.
    told = io.StringIO()
    migrate_all(["s3://lab/repo"], "s3://lab/out", replace(options, force=True), watcher=Bar(told))
    assert told.getvalue().splitlines() == [f"{step}: 2 of 2, 2 from the journal" for step in ("survey", "convert")]
    bring("s3://lab/out", tmp_path / "again")
    assert contents(tmp_path / "again") == there


def test_a_killed_migration_leaves_nothing_on_this_machine(tmp_path: Path, s3: Any) -> None:
    deliver(made(tmp_path / "repo", {f"{n}.ipynb": b"{}" for n in range(50)}), "s3://lab/repo")
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = os.environ | {"TMPDIR": str(temporary), "XDG_CACHE_HOME": str(tmp_path / "cache"), "PYTHONPATH": PATHS}
    command = [sys.executable, "-m", "nb2pkg", "migrate", "s3://lab/repo", "s3://lab/out"]
    migrating = subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not list(temporary.glob("*/repo/*.ipynb")) and time.monotonic() < until:
        time.sleep(0.01)
    assert migrating.poll() is None
    migrating.kill()
    migrating.wait()
    while any(temporary.iterdir()) and time.monotonic() < until:
        time.sleep(0.05)
    assert list(temporary.iterdir()) == []


def test_addresses_are_told_from_paths() -> None:
    assert [is_remote(p) for p in ("s3://b", "gs://b/x", "memory://x")] == [True] * 3
    assert [is_remote(p) for p in ("repo", "/a/b", "file:///a", "C://x", "a:b", "git@host:x/y")] == [False] * 6
