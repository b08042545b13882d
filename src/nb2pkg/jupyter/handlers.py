"""HTTP: who may ask for what, and what the answers are. `openapi.json` is its description.

Every verb wants a user (authenticated) who may do that (authorised), by the rules of the server; jobs are seen by the
user who began them alone.
"""

from __future__ import annotations

import json
import keyword
import os
import posixpath
import secrets
import sys
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_core.utils import ensure_async
from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado.web import HTTPError, authenticated

from nb2pkg.jupyter.contents import Files, checked, unsaved
from nb2pkg.jupyter.jobs import Job, Occupied, TooMany
from nb2pkg.jupyter.workers import Event, WorkerEnded

if TYPE_CHECKING:
    from nb2pkg.jupyter.extension import PackageExtension

BLOCK = 1 << 20
LARGEST_SEED = 2**32 - 1
"""What numpy and the libraries that build on it take."""
NOWHERE = Path("/nonexistent")
"""The folder of a notebook that lies on no disk of this machine."""


DESCRIPTION = resources.files("nb2pkg.jupyter") / "openapi.json"


@dataclass(frozen=True, slots=True)
class Chosen:
    """What the user chose, as the browser sends it; None: nothing, so the settings of the folder decide."""

    package: str | None = None
    one_stage: bool | None = None
    lift: bool | None = None
    git: bool | None = None
    overwrite: bool = False
    seed: int | None = None
    verify: bool = False
    profile: bool = False

    @property
    def runs(self) -> bool:
        """Whether the notebook is run."""
        return self.verify or self.profile

    @classmethod
    def of(cls, given: object) -> Chosen:
        """From a request's JSON; raises HTTPError where something is not known or not of its type."""
        if not isinstance(given, dict):
            raise HTTPError(400, "options is an object")
        for name, value in given.items():
            kind = {"package": str, "seed": int}.get(name, bool)
            if name not in {each.name for each in fields(cls)} or type(value) is not kind:
                raise HTTPError(400, f"there is no such option: {str(name)[:80]!r}, or not with such a value")
        chosen = cls(**given)
        if chosen.seed is not None and not 0 <= chosen.seed <= LARGEST_SEED:
            raise HTTPError(400, f"a seed is a whole number from 0 to {LARGEST_SEED}")
        name = chosen.package
        if name and not (name.isascii() and name.isidentifier() and len(name) <= 80 and not keyword.iskeyword(name)):
            raise HTTPError(400, "the package's name has to be a name in Python: letters, digits and _")
        return replace(chosen, package=name or None)


class Nb2pkgHandler(APIHandler):
    """What the handlers have in common."""

    auth_resource = "contents"

    @property
    def extension(self) -> PackageExtension:
        """The extension, with its limits, jobs and workers."""
        found: PackageExtension = self.settings["nb2pkg_extension"]
        return found

    @property
    def files(self) -> Files:
        """The server's files."""
        return Files(self.contents_manager)

    async def owner(self) -> str:
        """Who asks. The server's own token names nobody: without a cookie, its holders are one and the same."""
        provider = self.identity_provider
        by_token = bool(self.token) and provider.get_token(self) == self.token
        if by_token and not await ensure_async(provider.get_user_cookie(self)):
            return "token"
        return f"user:{self.current_user.username}"

    def body(self, *known: str) -> dict[str, Any]:
        """The request's JSON object with only the known members."""
        if len(self.request.body) > self.extension.max_body:
            raise HTTPError(413, f"the request is larger than {self.extension.max_body} bytes")
        try:
            given = json.loads(self.request.body)
        except (ValueError, RecursionError):
            raise HTTPError(400, "the request's body is not JSON") from None
        if not isinstance(given, dict) or not given.keys() <= {*known}:
            raise HTTPError(400, f"the request's body is an object with {', '.join(known)}")
        return given

    async def job(self, job_id: str) -> Job:
        """The job, if it is of who asks."""
        found = self.extension.jobs.get(await self.owner(), job_id)
        if found is None:
            raise HTTPError(404, "there is no such job; jobs are forgotten after a while")
        return found

    async def request_of(self, given: dict[str, Any], chosen: Chosen) -> dict[str, Any]:
        """What a worker needs to know of the notebook in a request."""
        path = checked(given.get("path"))
        if not path:
            raise HTTPError(400, "path names a notebook")
        files = self.files
        folder, name = posixpath.split(path)
        place = NOWHERE if files.root is None else files.local(folder)
        content = unsaved(given["content"]) if given.get("content") is not None else await files.notebook(path)
        return {
            "name": posixpath.splitext(name)[0] + ".ipynb",
            "folder": str(place),
            "within": str(files.root or place),
            "content": content,
            "options": asdict(chosen),
            "runs": chosen.runs,
            **self._kernel(content),
        }

    def _kernel(self, content: str) -> dict[str, str]:
        """The kernel that the notebook names and its interpreter, where that is installed and not the server's own."""
        try:
            name = json.loads(content)["metadata"]["kernelspec"]["name"]
            python = self.kernel_spec_manager.get_kernel_spec(name).argv[0]
        except Exception:  # it names none, or one that is not installed here, in many ways
            return {}
        # An environment is a folder; the interpreters of several may be links to one.
        own = not os.path.isabs(python) or os.path.dirname(python) == os.path.dirname(sys.executable)
        return {} if own else {"kernel": name, "python": python}


class PlanHandler(Nb2pkgHandler):
    """A notebook's plan."""

    @authenticated
    # jupyter_server gives its decorator no types for coroutines
    @authorized(action="read")  # type: ignore[untyped-decorator]
    async def post(self) -> None:
        """Answer with the plan as `nb2pkg plan --json` prints it."""
        given = self.body("path", "content", "options")
        request = await self.request_of(given, Chosen.of(given.get("options", {})))
        extension = self.extension
        if extension.planning >= extension.max_plans:
            raise HTTPError(429, "too many plans are being made; try again in a moment")
        extension.planning += 1
        try:
            answer = await extension.workers.run({"do": "plan", **request}, extension.plan_timeout)
        except TimeoutError:
            raise HTTPError(504, f"the plan took longer than {extension.plan_timeout:g} seconds") from None
        except WorkerEnded:
            raise HTTPError(503, "the process that plans ended; try again") from None
        finally:
            extension.planning -= 1
        self.answer(answer)

    def answer(self, event: Event) -> None:
        """The plan, or why there is none."""
        if event["event"] == "done":
            self.finish(event["result"])
            return
        self.set_status(422 if event["event"] == "refused" else 500)
        self.finish({name: value for name, value in event.items() if name != "event"})


class JobsHandler(Nb2pkgHandler):
    """The user's exports."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """List them."""
        jobs = self.extension.jobs.of(await self.owner())
        self.finish({"jobs": [job.view() for job in jobs]})

    @authenticated
    @authorized
    async def post(self) -> None:
        """Begin one."""
        given = self.body("path", "content", "options", "out")
        chosen = Chosen.of(given.get("options", {}))
        out = checked(given.get("out") or "")
        files, extension = self.files, self.extension
        if chosen.runs:
            await self._may_run()
        if out and await files.occupied(out) and not chosen.overwrite:
            raise HTTPError(409, f"{out} is not empty: choose to overwrite it, or name another folder")
        request = await self.request_of(given, chosen)
        timeout = extension.verify_timeout if chosen.runs else extension.export_timeout
        try:
            job = extension.jobs.start(
                await self.owner(), given["path"], out, partial(_ask, files, request), partial(_finish, files), timeout
            )
        except TooMany:
            self.set_header("Retry-After", "5")
            raise HTTPError(429, "too many exports are under way; wait for one to end, or cancel it") from None
        except Occupied:
            raise HTTPError(409, f"another export is writing to {out}") from None
        self.set_status(202)
        self.finish(job.view())

    async def _may_run(self) -> None:
        """To verify or to profile is to run the notebook."""
        allowed = self.authorizer.is_authorized(self, self.current_user, "execute", "kernels")
        if not await ensure_async(allowed):
            raise HTTPError(403, "to verify or profile runs the notebook, which this user may not; export without")


class JobHandler(Nb2pkgHandler):
    """One export."""

    @authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """How it stands."""
        self.finish((await self.job(job_id)).view())

    @authenticated
    @authorized
    async def delete(self, job_id: str) -> None:
        """Cancel it, or forget one that has ended."""
        await self.extension.jobs.end(await self.job(job_id))
        self.set_status(204)
        self.finish()


class ArchiveHandler(Nb2pkgHandler):
    """The zip of an export."""

    @authenticated
    @authorized
    async def get(self, job_id: str) -> None:
        """Download it; where the package was written to a folder, as it is there now."""
        job, files = await self.job(job_id), self.files
        if job.state != "done" or job.result is None:
            raise HTTPError(409, f"the export is {job.state}; there is nothing to download")
        if not job.archive.is_file():
            made = job.scratch / f"{secrets.token_hex(4)}.zip"  # two may ask at once
            request = {"do": "archive", "out": str(files.local(job.out)), "archive": str(made)}
            answer = await self.extension.workers.run(request, self.extension.export_timeout)
            if answer["event"] != "done":
                raise HTTPError(409, f"{job.out}: {answer['message']}")
            made.replace(job.archive)
        self.set_attachment_header(f"{job.result['package']}.zip")
        self.set_header("Content-Type", "application/zip")
        self.set_header("Cache-Control", "no-store")
        with job.archive.open("rb") as source:
            while block := source.read(BLOCK):
                self.write(block)
                await self.flush()
        self.finish(set_content_type="application/zip")


class DescriptionHandler(Nb2pkgHandler):
    """The description of this interface; asking for it has a worker ready for what comes next."""

    @authenticated
    @authorized
    async def get(self) -> None:
        """Answer with openapi.json."""
        await self.extension.workers.warm()
        self.finish(DESCRIPTION.read_text(encoding="utf-8"))


async def _ask(files: Files, request: dict[str, Any], job: Job) -> dict[str, Any]:
    """What the worker is asked: to write in place, or to a folder of the job's for a zip."""
    asked = {"do": "export", **request}
    if files.root is not None and job.out:
        return {**asked, "out": str(files.local(job.out))}
    made = job.scratch / "package"
    made.mkdir()
    if files.root is None:
        place = job.scratch / "notebook"
        place.mkdir()
        await files.bring(posixpath.dirname(job.notebook), place)
        asked |= {"folder": str(place), "within": str(place)}
    return {**asked, "scratch": str(made), "archive": str(job.archive)}


async def _finish(files: Files, job: Job, result: dict[str, Any]) -> dict[str, Any]:
    """What the owner sees of what the worker made."""
    if files.root is None and job.out:
        await files.put(job.archive, f"{job.out}.zip")
        return {**result, "out": f"{job.out}.zip", "readme": ""}
    return {**result, "out": job.out, "readme": f"{job.out}/README.md" if job.out else ""}


def handlers(base_url: str) -> list[tuple[str, type[Nb2pkgHandler]]]:
    """Each path with its handler."""
    job = r"([0-9a-f]{32})"
    paths: list[tuple[tuple[str, ...], type[Nb2pkgHandler]]] = [
        (("openapi.json",), DescriptionHandler),
        (("plan",), PlanHandler),
        (("jobs",), JobsHandler),
        (("jobs", job), JobHandler),
        (("jobs", job, "archive"), ArchiveHandler),
    ]
    return [(url_path_join(base_url, "nb2pkg", *parts), handler) for parts, handler in paths]
