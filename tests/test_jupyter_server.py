"""The server extension: what each verb answers to whom, what it may touch, and that it is as openapi.json says."""

from __future__ import annotations

import asyncio
import base64
import io
import json
import re
import shutil
import subprocess
import sys
import time
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, ClassVar

import nbformat
import pytest
from jsonschema import Draft202012Validator
from jupyter_server.auth.authorizer import Authorizer
from jupyter_server.auth.identity import IdentityProvider, User
from jupyter_server.services.contents.checkpoints import Checkpoints
from jupyter_server.services.contents.manager import ContentsManager
from openapi_spec_validator import validate
from tornado.httpclient import HTTPResponse
from tornado.web import HTTPError, RequestHandler

from nb2pkg.jupyter.handlers import DESCRIPTION, handlers
from nb2pkg.pipeline import Options, convert, plan

pytest_plugins = ("pytest_jupyter.jupyter_server",)

EXAMPLE = Path(__file__).parents[1] / "examples" / "tidy"
API = json.loads(DESCRIPTION.read_text(encoding="utf-8"))
LIMITS: dict[str, Any] = {"max_body": 1 << 20, "plan_timeout": 60.0}

Call = Callable[..., Awaitable["Answer"]]


class ByHeader(IdentityProvider):
    """Users by a header of the request."""

    # the base may answer with an awaitable; this one never does
    def get_user(self, handler: RequestHandler) -> User | None:  # type: ignore[override]
        name = handler.request.headers.get("X-User")
        return User(name) if name else None

    def is_token_authenticated(self, handler: RequestHandler) -> bool:
        """As scripts are, which need no XSRF token."""
        return True


class ReadersOnly(Authorizer):
    """Nobody writes but `writer`, and nobody runs anything."""

    def is_authorized(self, handler: Any, user: User, action: str, resource: str) -> bool:
        return action == "read" or (user.username == "writer" and resource == "contents")


class Answer:
    """An answer that was held against the description."""

    def __init__(self, method: str, path: str, response: HTTPResponse) -> None:
        self.code, self.body, self.headers = response.code, response.body, response.headers
        operation = _operation(method, path)
        if operation is None:
            return
        described = operation["responses"].get(str(self.code))
        assert described is not None, f"{method} {path} answered {self.code}: {self.body!r}"
        for kind, content in described.get("content", {}).items():
            assert self.headers["Content-Type"].startswith(kind)
            if "schema" in content:
                schema = {**content["schema"], "components": API["components"]}
                Draft202012Validator(schema).validate(self.json)

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def _operation(method: str, path: str) -> dict[str, Any] | None:
    for template, operations in API["paths"].items():
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), "/" + path):
            found: dict[str, Any] | None = operations.get(method.lower())
            return found
    return None


@pytest.fixture
def jp_base_url() -> str:
    """A base URL as JupyterHub's, which catches whatever forgets it."""
    return "/user/a@b/"


@pytest.fixture
def limits() -> dict[str, Any]:
    return LIMITS


@pytest.fixture
def jp_server_config(limits: dict[str, Any]) -> dict[str, Any]:
    return {
        "ServerApp": {"jpserver_extensions": {"nb2pkg.jupyter": True}, "allow_unauthenticated_access": False},
        "PackageExtension": limits,
    }


@pytest.fixture
def call(jp_fetch: Any) -> Call:
    """Ask for something; the answer, whatever its status, is checked against openapi.json."""

    async def ask(method: str, path: str, given: Any = None, **how: Any) -> Answer:
        body = None if given is None else given if isinstance(given, bytes | str) else json.dumps(given)
        how = {"allow_nonstandard_methods": True, "raise_error": False, "request_timeout": 60, **how}
        return Answer(method, path, await jp_fetch(*path.split("/"), method=method, body=body, **how))

    return ask


@pytest.fixture
def notebook(jp_root_dir: Path) -> str:
    """A copy of an example below the server's root."""
    shutil.copytree(EXAMPLE, jp_root_dir / "work dir")
    return "work dir/churn.ipynb"


async def ended(call: Call, job: str, **how: Any) -> dict[str, Any]:
    """The job, once it has ended."""
    for _ in range(1200):
        view: dict[str, Any] = (await call("GET", f"nb2pkg/jobs/{job}", **how)).json
        if view["state"] in ("done", "failed", "cancelled"):
            return view
        await asyncio.sleep(0.05)
    raise AssertionError(f"the job did not end: {view}")


def tree(folder: Path) -> dict[str, bytes]:
    files = (p for p in sorted(folder.rglob("*")) if p.is_file() and ".git/" not in p.as_posix())
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}


def alive(processes: tuple[int, ...]) -> list[int]:
    def runs(number: int) -> bool:
        try:
            return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    return [number for number in processes if runs(number)]


# -- the description -----------------------------------------------------------------------------------------------


def test_the_description_is_valid_and_has_all_verbs() -> None:
    validate(API)
    described = {
        (template, verb.upper()) for template, verbs in API["paths"].items() for verb in verbs if verb != "parameters"
    }
    served = {
        (re.sub(r"\(.*?\)", "{id}", path), verb.upper())
        for path, handler in handlers("/")
        for verb in ("get", "post", "put", "patch", "delete", "head")
        if verb in vars(handler)
    }
    assert served == described


async def test_the_description_is_served(call: Call) -> None:
    assert (await call("GET", "nb2pkg/openapi.json")).json == API


# -- plans ---------------------------------------------------------------------------------------------------------


async def test_the_plan_is_the_one_of_the_command_line(call: Call, notebook: str, jp_root_dir: Path) -> None:
    answer = await call("POST", "nb2pkg/plan", {"path": notebook})
    assert answer.code == 200
    assert answer.json == json.loads(json.dumps(plan(jp_root_dir / notebook).as_json()))


async def test_a_seed_is_in_the_plan_and_in_the_package(call: Call, jp_root_dir: Path) -> None:
    cells = ["import numpy as np", "print(np.random.default_rng().random())"]
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    given = {"path": "draws.ipynb", "content": content, "options": {"seed": 7}}
    seeded = (await call("POST", "nb2pkg/plan", given)).json
    unseeded = (await call("POST", "nb2pkg/plan", {**given, "options": {}})).json
    assert [(each["name"], each["value"]) for each in seeded["constants"]] == [("SEED", "7")]
    assert unseeded["constants"] == []
    job = await ended(call, (await call("POST", "nb2pkg/jobs", {**given, "out": "draws"})).json["id"])
    assert job["state"] == "done", job
    assert "SEED = 7" in (jp_root_dir / "draws/draws/const.py").read_text()


async def test_the_plan_of_what_is_on_the_screen(call: Call, notebook: str, jp_root_dir: Path) -> None:
    content = nbformat.read(jp_root_dir / notebook, as_version=4)
    content.cells.append(nbformat.v4.new_code_cell("%%R\nx"))
    answer = await call("POST", "nb2pkg/plan", {"path": "work dir/new.ipynb", "content": content})
    assert (answer.code, answer.json["code"], answer.json["cell"]) == (422, "N110", len(content.cells) - 1)


@pytest.mark.parametrize(
    "given",
    [b"{", b"[]", b"\xff", {}, {"path": 3}, {"path": ""}, {"path": "a.ipynb", "content": "text"}]
    + [{"path": "a.ipynb", "unknown": 1}, {"path": "a.ipynb", "options": []}, b"[" * 100_000]
    + [{"path": "a.ipynb", "options": option} for option in ({"x": 1}, {"lift": 1}, {"package": "a b"})],
)
async def test_what_is_no_request_is_told(call: Call, given: Any) -> None:
    for path in ("nb2pkg/plan", "nb2pkg/jobs"):
        assert (await call("POST", path, given)).code == 400


async def test_content_that_is_no_notebook_is_refused(call: Call) -> None:
    for content in ({}, {"cells": 1}, {"cells": [1]}, {"metadata": {"kernelspec": {"language": "R"}}, "cells": []}):
        assert (await call("POST", "nb2pkg/plan", {"path": "a.ipynb", "content": content})).code == 422


async def test_a_notebook_that_is_not_there(call: Call) -> None:
    assert (await call("POST", "nb2pkg/plan", {"path": "none.ipynb"})).code == 404
    assert (await call("POST", "nb2pkg/jobs", {"path": "none.ipynb"})).code == 404


# -- exports -------------------------------------------------------------------------------------------------------


async def test_an_export_is_what_the_command_line_writes(
    call: Call, notebook: str, jp_root_dir: Path, tmp_path: Path
) -> None:
    options = {"package": "churn_rate", "git": False}
    answer = await call("POST", "nb2pkg/jobs", {"path": notebook, "out": "out/pkg", "options": options})
    assert answer.code == 202
    job = await ended(call, answer.json["id"])
    assert job["state"] == "done", job
    assert job["result"]["out"] == "out/pkg"
    assert (jp_root_dir / job["result"]["readme"]).is_file()
    assert [each["id"] for each in (await call("GET", "nb2pkg/jobs")).json["jobs"]] == [job["id"]]
    convert(jp_root_dir / notebook, tmp_path / "pkg", Options("churn_rate", git=False))
    assert tree(jp_root_dir / "out/pkg") == tree(tmp_path / "pkg")
    archive = await call("GET", f"nb2pkg/jobs/{job['id']}/archive")
    assert archive.code == 200
    assert "churn_rate.zip" in archive.headers["Content-Disposition"]
    with zipfile.ZipFile(io.BytesIO(archive.body)) as found:
        found.extractall(tmp_path / "unpacked")
    assert tree(tmp_path / "unpacked" / "pkg") == tree(tmp_path / "pkg")
    again = await call("POST", "nb2pkg/jobs", {"path": notebook, "out": "out/pkg", "options": options})
    assert again.code == 409
    options["overwrite"] = True
    answer = await call("POST", "nb2pkg/jobs", {"path": notebook, "out": "out/pkg", "options": options})
    assert (await ended(call, answer.json["id"]))["state"] == "done"


async def test_a_zip_is_written_nowhere(call: Call, notebook: str, jp_root_dir: Path) -> None:
    before = tree(jp_root_dir)
    answer = await call("POST", "nb2pkg/jobs", {"path": notebook})
    job = await ended(call, answer.json["id"])
    assert (job["state"], job["result"]["out"]) == ("done", "")
    archive = await call("GET", f"nb2pkg/jobs/{job['id']}/archive")
    with zipfile.ZipFile(io.BytesIO(archive.body)) as found:
        assert "churn/dvc.yaml" in found.namelist()
    assert tree(jp_root_dir) == before
    assert (await call("DELETE", f"nb2pkg/jobs/{job['id']}")).code == 204
    assert (await call("GET", f"nb2pkg/jobs/{job['id']}")).code == 404


async def test_a_refused_notebook_is_a_failed_job(call: Call, jp_root_dir: Path) -> None:
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("%%R\nx")])
    answer = await call("POST", "nb2pkg/jobs", {"path": "r.ipynb", "content": content, "out": "pkg"})
    job = await ended(call, answer.json["id"])
    assert (job["state"], job["error"]["code"], job["error"]["cell"]) == ("failed", "N110", 0)
    assert not list(jp_root_dir.iterdir())
    assert (await call("GET", f"nb2pkg/jobs/{job['id']}/archive")).code == 409


# -- who -----------------------------------------------------------------------------------------------------------

VERBS = [
    ("GET", "nb2pkg/openapi.json"),
    ("POST", "nb2pkg/plan"),
    ("GET", "nb2pkg/jobs"),
    ("POST", "nb2pkg/jobs"),
    ("GET", "nb2pkg/jobs/" + "0" * 32),
    ("DELETE", "nb2pkg/jobs/" + "0" * 32),
    ("GET", "nb2pkg/jobs/" + "0" * 32 + "/archive"),
]


def test_all_verbs_are_asked_for() -> None:
    assert {operation["operationId"] for verb in VERBS if (operation := _operation(*verb))} == {
        each["operationId"] for verbs in API["paths"].values() for name, each in verbs.items() if name != "parameters"
    }


@pytest.mark.parametrize(("method", "path"), VERBS)
async def test_no_verb_without_a_token(call: Call, notebook: str, method: str, path: str) -> None:
    given = {"path": notebook} if method == "POST" else None
    for header in ({"Authorization": "token wrong"}, {"Authorization": ""}, {"Cookie": "username-localhost=x"}):
        assert (await call(method, path, given, headers={"Authorization": "", **header})).code == 403


@pytest.fixture
def other_users(jp_server_config: dict[str, Any]) -> None:
    jp_server_config["ServerApp"]["identity_provider_class"] = ByHeader


@pytest.fixture
def readers_only(jp_server_config: dict[str, Any]) -> None:
    jp_server_config["ServerApp"] |= {"identity_provider_class": ByHeader, "authorizer_class": ReadersOnly}


async def test_cookies_want_the_xsrf_token(call: Call, jp_fetch: Any, notebook: str, jp_root_dir: Path) -> None:
    first = await jp_fetch("api", "me")  # a token names nobody, so the answer sets a user's cookie
    cookie = "; ".join(text.split(";")[0] for text in first.headers.get_list("Set-Cookie"))
    without = {"Authorization": "", "Cookie": cookie}
    assert (await call("GET", "nb2pkg/jobs", headers=without)).code == 200
    xsrf = {"Cookie": f"{cookie}; _xsrf=2|aaaa|bbbb|1"}
    for headers in (without, {**without, **xsrf}, {**without, **xsrf, "X-XSRFToken": "wrong"}):
        for method, path in VERBS:
            if method != "GET":
                given = {"path": notebook, "out": "pkg"} if path.endswith("jobs") else {"path": notebook}
                answer = await call(method, path, given if method == "POST" else None, headers=headers)
                assert answer.code == 403, (method, path, answer.body)
    assert not (jp_root_dir / "pkg").exists()


async def test_jobs_are_seen_by_their_owner_alone(other_users: None, call: Call, notebook: str) -> None:
    mine, theirs = ({"headers": {"X-User": name, "Authorization": "token x"}} for name in ("me", "they"))
    answer = await call("POST", "nb2pkg/jobs", {"path": notebook}, **mine)
    job = answer.json["id"]
    assert (await call("GET", "nb2pkg/jobs", **theirs)).json == {"jobs": []}
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/archive")):
        assert (await call(method, f"nb2pkg/jobs/{job}{path}", **theirs)).code == 404
    assert (await ended(call, job, **mine))["state"] == "done"


async def test_the_authorizer_decides(readers_only: None, call: Call, notebook: str) -> None:
    def of(name: str) -> dict[str, Any]:
        return {"headers": {"X-User": name, "Authorization": "token x"}}

    assert (await call("POST", "nb2pkg/plan", {"path": notebook}, **of("reader"))).code == 200
    assert (await call("POST", "nb2pkg/jobs", {"path": notebook}, **of("reader"))).code == 403
    assert (await call("DELETE", "nb2pkg/jobs/" + "0" * 32, **of("reader"))).code == 403
    assert (await call("POST", "nb2pkg/jobs", {"path": notebook}, **of("writer"))).code == 202
    for option in ("verify", "profile"):
        given = {"path": notebook, "options": {option: True}}
        assert (await call("POST", "nb2pkg/jobs", given, **of("writer"))).code == 403


# -- where ---------------------------------------------------------------------------------------------------------

ODD = ["..", "../x", "a/../../x", "/etc", "//etc", "a//b", "~/x", "~root/x", "a/./b"]
ODD += ["C:\\x", "a\\..\\b", "a\0b", "a\nb"]


@pytest.fixture
def outside(tmp_path: Path, jp_root_dir: Path) -> Path:
    """A folder outside of the root with a notebook, links to it inside."""
    folder = tmp_path / "outside"
    shutil.copytree(EXAMPLE, folder)
    (jp_root_dir / "link").symlink_to(folder)
    (jp_root_dir / "link.ipynb").symlink_to(folder / "churn.ipynb")
    return folder


@pytest.mark.parametrize("path", ODD)
async def test_paths_that_are_none_from_the_root(
    call: Call, notebook: str, path: str, tmp_path: Path, jp_root_dir: Path
) -> None:
    before = tree(jp_root_dir)
    assert (await call("POST", "nb2pkg/plan", {"path": path})).code == 400
    assert (await call("POST", "nb2pkg/plan", {"path": f"{path}/a.ipynb", "content": {}})).code == 400
    assert (await call("POST", "nb2pkg/jobs", {"path": path})).code == 400
    assert (await call("POST", "nb2pkg/jobs", {"path": notebook, "out": path})).code == 400
    assert tree(jp_root_dir) == before


async def test_links_out_of_the_root_are_not_followed(
    call: Call, notebook: str, outside: Path, jp_root_dir: Path
) -> None:
    before = tree(outside)
    content = nbformat.read(jp_root_dir / notebook, as_version=4)
    for path in ("link.ipynb", "link/churn.ipynb"):
        assert (await call("POST", "nb2pkg/plan", {"path": path})).code == 403
        assert (await call("POST", "nb2pkg/jobs", {"path": path})).code == 403
    assert (await call("POST", "nb2pkg/plan", {"path": "link/new.ipynb", "content": content})).code == 403
    for out in ("link", "link/pkg", "link/a/b"):
        given = {"path": notebook, "out": out, "options": {"overwrite": True}}
        assert (await call("POST", "nb2pkg/jobs", given)).code == 403
    for out in (".hidden", "a/.git/hooks"):
        assert (await call("POST", "nb2pkg/jobs", {"path": notebook, "out": out})).code == 403
    assert tree(outside) == before


async def test_a_notebook_brings_no_files_from_outside(call: Call, outside: Path, jp_root_dir: Path) -> None:
    (outside / "secret.txt").write_text("the secret")
    (outside / "secrets_module.py").write_text("TOKEN = 'the secret'")
    (jp_root_dir / "linked.txt").symlink_to(outside / "secret.txt")
    cells = [
        f"text = open({str(outside / 'secret.txt')!r}).read()",
        "more = open('linked.txt').read() + open('link/secret.txt').read()",
        f"import sys\nsys.path.insert(0, {str(outside)!r})\nimport secrets_module",
        "print(len(text + more))",
    ]
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    answer = await call("POST", "nb2pkg/jobs", {"path": "a.ipynb", "content": content, "out": "pkg"})
    job = await ended(call, answer.json["id"])
    assert job["state"] == "done", job
    assert [path for path, data in tree(jp_root_dir / "pkg").items() if b"the secret" in data] == []
    assert "N409" in {each["code"] for each in job["result"]["diagnostics"]}
    content.cells.append(nbformat.v4.new_code_cell(f"%run {outside / 'secrets_module.py'}"))
    answer = await call("POST", "nb2pkg/plan", {"path": "a.ipynb", "content": content})
    assert (answer.code, answer.json["code"]) == (422, "N012")


# -- how much ------------------------------------------------------------------------------------------------------


async def test_huge_bodies(call: Call, jp_root_dir: Path) -> None:
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell("x" * (1 << 20))])
    for path in ("nb2pkg/plan", "nb2pkg/jobs"):
        assert (await call("POST", path, {"path": "a.ipynb", "content": content})).code == 413


async def test_fifty_exports_at_once(call: Call, notebook: str, jp_root_dir: Path, jp_serverapp: Any) -> None:
    given = [{"path": notebook, "out": f"out {number}"} for number in range(50)]
    begun = await asyncio.gather(*(call("POST", "nb2pkg/jobs", each) for each in given))
    assert [answer.code for answer in begun] == [202] * 50
    twice = await call("POST", "nb2pkg/jobs", given[-1])
    assert twice.code == 409
    jobs = [await ended(call, answer.json["id"]) for answer in begun]
    assert [job["state"] for job in jobs] == ["done"] * 50
    first = tree(jp_root_dir / "out 0")
    assert all(tree(jp_root_dir / f"out {number}") == first for number in range(50))
    assert {p.name for p in jp_root_dir.iterdir()} == {"work dir", *(f"out {number}" for number in range(50))}
    extension = jp_serverapp.web_app.settings["nb2pkg_extension"]
    assert len(extension.workers.processes) <= extension.max_running + 1


async def test_no_more_jobs_than_allowed(
    call: Call, notebook: str, jp_root_dir: Path, monkeypatch: pytest.MonkeyPatch, jp_serverapp: Any
) -> None:
    extension = jp_serverapp.web_app.settings["nb2pkg_extension"]
    monkeypatch.setattr(extension.jobs, "unfinished", 3)
    given = [{"path": notebook, "out": f"out{number}"} for number in range(10)]
    begun = await asyncio.gather(*(call("POST", "nb2pkg/jobs", each) for each in given))
    assert sorted(answer.code for answer in begun) == [202] * 3 + [429] * 7
    for answer in begun:
        if answer.code == 202:
            await ended(call, answer.json["id"])
    assert len(list(jp_root_dir.glob("out*"))) == 3


# -- ends ----------------------------------------------------------------------------------------------------------

SLOW = "\n".join(f"x{number} = [{number}, x{number - 1}]" if number else "x0 = []" for number in range(4_000))


def slow() -> dict[str, Any]:
    """The content of a notebook that takes many seconds."""
    cells = [nbformat.v4.new_code_cell(SLOW) for _ in range(4)]
    return dict(nbformat.v4.new_notebook(cells=cells))


async def test_cancelled_halfway_leaves_nothing(call: Call, jp_root_dir: Path, jp_serverapp: Any) -> None:
    extension = jp_serverapp.web_app.settings["nb2pkg_extension"]
    answer = await call("POST", "nb2pkg/jobs", {"path": "slow.ipynb", "content": slow(), "out": "pkg"})
    job = answer.json["id"]
    while not (await call("GET", f"nb2pkg/jobs/{job}")).json["progress"]:
        await asyncio.sleep(0.02)
    processes = extension.workers.processes
    assert alive(processes)
    assert (await call("DELETE", f"nb2pkg/jobs/{job}")).code == 204
    assert (await ended(call, job))["state"] == "cancelled"
    for _ in range(200):
        if not alive(processes):
            break
        await asyncio.sleep(0.05)
    assert alive(processes) == []
    assert list(jp_root_dir.iterdir()) == []


async def test_what_takes_too_long_is_stopped(call: Call, jp_root_dir: Path, jp_serverapp: Any) -> None:
    extension = jp_serverapp.web_app.settings["nb2pkg_extension"]
    extension.plan_timeout = extension.export_timeout = 0.5
    assert (await call("POST", "nb2pkg/plan", {"path": "slow.ipynb", "content": slow()})).code == 504
    answer = await call("POST", "nb2pkg/jobs", {"path": "slow.ipynb", "content": slow(), "out": "pkg"})
    job = await ended(call, answer.json["id"])
    assert job["state"] == "failed"
    assert "0.5 seconds" in job["error"]["message"]
    assert list(jp_root_dir.iterdir()) == []


async def test_the_end_of_the_server_is_the_end_of_all(call: Call, jp_root_dir: Path, jp_serverapp: Any) -> None:
    extension = jp_serverapp.web_app.settings["nb2pkg_extension"]
    answers = [
        await call("POST", "nb2pkg/jobs", {"path": "slow.ipynb", "content": slow(), "out": f"pkg{number}"})
        for number in range(3)
    ]
    while not (await call("GET", f"nb2pkg/jobs/{answers[0].json['id']}")).json["progress"]:
        await asyncio.sleep(0.02)
    processes = extension.workers.processes
    scratch = [job.scratch for job in extension.jobs._jobs.values()]
    assert alive(processes)
    assert all(folder.is_dir() for folder in scratch)
    await extension.stop_extension()
    assert alive(processes) == []
    assert not any(folder.exists() for folder in scratch)
    assert list(jp_root_dir.iterdir()) == []


def test_a_worker_ends_with_a_server_that_was_killed(tmp_path: Path) -> None:
    code = (
        "import asyncio, os\n"
        "from nb2pkg.jupyter.workers import Worker\n"
        "async def main():\n"
        "    worker = await Worker.start()\n"
        "    print(worker.process.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    server = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    worker = int(server.stdout.readline())
    assert alive((worker,))
    server.kill()
    server.wait()
    for _ in range(400):
        if not alive((worker,)):
            return
        time.sleep(0.05)
    raise AssertionError("the worker outlived its server")


# -- files that lie elsewhere --------------------------------------------------------------------------------------


class Elsewhere(ContentsManager):
    """Files that are not on a disk of the server: a dictionary of path and contents."""

    FILES: ClassVar[dict[str, Any]] = {}

    def _checkpoints_class_default(self) -> Any:
        return Checkpoints

    def file_exists(self, path: str = "") -> bool:
        return path.strip("/") in self.FILES

    def dir_exists(self, path: str) -> bool:
        path = path.strip("/")
        return not path or any(name.startswith(path + "/") for name in self.FILES)

    def is_hidden(self, path: str) -> bool:
        return False

    def get(self, path: str, content: bool = True, type: Any = None, format: Any = None, **kw: Any) -> dict[str, Any]:
        path = path.strip("/")
        if type == "directory":
            prefix = path + "/" if path else ""
            below = {name[len(prefix) :].split("/")[0] for name in self.FILES if name.startswith(prefix)}
            kinds = {n: "file" if prefix + n in self.FILES else "directory" for n in below}
            kinds = {n: "notebook" if n.endswith(".ipynb") else kind for n, kind in kinds.items()}
            return {"content": [{"name": n, "path": prefix + n, "type": kind} for n, kind in sorted(kinds.items())]}
        if path not in self.FILES:
            raise HTTPError(404, "no such file")
        data = self.FILES[path]
        return {"content": data.decode() if format == "text" else base64.b64encode(data).decode()}

    def save(self, model: dict[str, Any], path: str = "") -> dict[str, Any]:
        self.FILES[path.strip("/")] = base64.b64decode(model["content"])
        return {}


@pytest.fixture
def elsewhere(jp_server_config: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    files = {f"far/{name}": data for name, data in tree(EXAMPLE).items()}
    monkeypatch.setattr(Elsewhere, "FILES", files)
    jp_server_config["ServerApp"]["contents_manager_class"] = Elsewhere
    return files


async def test_files_that_lie_elsewhere(
    elsewhere: dict[str, bytes], call: Call, jp_root_dir: Path, tmp_path: Path
) -> None:
    answer = await call("POST", "nb2pkg/jobs", {"path": "far/churn.ipynb", "out": "far/pkg"})
    job = await ended(call, answer.json["id"])
    assert job["state"] == "done", job
    assert job["result"]["out"] == "far/pkg.zip"
    with zipfile.ZipFile(io.BytesIO(elsewhere["far/pkg.zip"])) as found:
        found.extractall(tmp_path / "unpacked")
    convert(EXAMPLE / "churn.ipynb", tmp_path / "out", Options(git=False))
    assert tree(tmp_path / "unpacked" / "churn") == tree(tmp_path / "out")
    assert list(jp_root_dir.iterdir()) == []
    assert (await call("POST", "nb2pkg/jobs", {"path": "far/churn.ipynb", "out": "far/pkg"})).code == 409


# -- settings ------------------------------------------------------------------------------------------------------


async def test_the_settings_of_the_folder_hold(call: Call, notebook: str, jp_root_dir: Path, tmp_path: Path) -> None:
    settings = jp_root_dir / "work dir" / "pyproject.toml"
    ran = tmp_path / "ran"
    (tmp_path / "python").write_text(f"#!/bin/sh\ntouch {ran}\n")
    (tmp_path / "python").chmod(0o755)
    settings.write_text(f'[tool.nb2pkg]\npackage = "chosen"\ngit = false\npython = "{tmp_path / "python"}"\n')
    answer = await call("POST", "nb2pkg/jobs", {"path": notebook, "out": "pkg"})
    job = await ended(call, answer.json["id"])
    assert job["result"]["package"] == "chosen"
    assert not (jp_root_dir / "pkg" / ".git").exists()
    assert not ran.exists()
    settings.write_text('[tool.nb2pkg]\ncwd = "../.."\n')
    assert (await call("POST", "nb2pkg/plan", {"path": notebook})).json["code"] == "N630"


# -- verify --------------------------------------------------------------------------------------------------------


async def test_a_profile_is_planned_with_and_a_package_verified_for_a_zip(call: Call, jp_root_dir: Path) -> None:
    new = nbformat.v4
    cells = [
        *(new.new_markdown_cell("# Make"), new.new_code_cell("lock = __import__('threading').Lock()")),
        *(new.new_markdown_cell("# Use"), new.new_code_cell("print(lock.locked())")),
    ]
    content = new.new_notebook(cells=cells)
    given = {"path": "locks.ipynb", "content": content}
    planned = (await call("POST", "nb2pkg/plan", given)).json
    assert len(planned["stages"]) == 2
    given |= {"options": {"profile": True, "verify": True}}
    job = (await call("POST", "nb2pkg/jobs", given)).json["id"]
    told: set[str] = set()
    while (view := (await call("GET", f"nb2pkg/jobs/{job}")).json)["state"] in ("queued", "running"):
        told.add(view["progress"].get("detail", ""))
        await asyncio.sleep(0.1)
    assert view["state"] == "done", view
    assert len(view["result"]["stages"]) == 1  # a lock can't be stored, as the run has shown
    assert view["result"]["equivalence"]["equivalent"], view
    assert any("notebook, profiled" in each for each in told), told
    archive = await call("GET", f"nb2pkg/jobs/{job}/archive")
    with zipfile.ZipFile(io.BytesIO(archive.body)) as found:
        report = json.loads(found.read("locks/reports/equivalence.json"))
    assert report["verdict"] == "equivalent"
    assert list(jp_root_dir.iterdir()) == []


async def test_a_process_is_ready_before_the_first_page_asks(call: Call, jp_serverapp: Any) -> None:
    workers = jp_serverapp.web_app.settings["nb2pkg_extension"].workers
    await jp_serverapp.extension_manager.start_all_extensions()
    (ready,) = workers.processes
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("x = 1")])
    assert (await call("POST", "nb2pkg/plan", {"path": "a.ipynb", "content": content})).code == 200
    assert workers.processes == (ready,)


async def test_verify_tells_of_cells_and_stages_and_what_it_found(call: Call, jp_root_dir: Path) -> None:
    cells = ["values = [1, 2, 3]\nprint(values)", "total = sum(values)\nprint(total)"]
    content = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    given = {"path": "a.ipynb", "content": content, "out": "pkg", "options": {"verify": True}}
    job = (await call("POST", "nb2pkg/jobs", given)).json["id"]
    told: set[str] = set()
    while (view := (await call("GET", f"nb2pkg/jobs/{job}")).json)["state"] in ("queued", "running"):
        told.add(view["progress"].get("detail", ""))
        await asyncio.sleep(0.1)
    assert view["state"] == "done", view
    assert view["result"]["equivalence"]["equivalent"], view
    assert (jp_root_dir / "pkg" / view["result"]["equivalence"]["report"]).is_file()
    assert any("notebook, run 2" in each for each in told), told
    assert any("dvc repro" in each for each in told), told
