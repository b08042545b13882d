"""The server's files, as nb2pkg may see them: always through the contents manager, and never outside of its root.

Where the files lie on this machine, the worker reads and writes beside them, whole or not at all. Where they do not,
the notebook's folder is brought here first, and the package goes back as one zip.
"""

from __future__ import annotations

import base64
import json
import os
from pathlib import Path
from typing import Any

import nbformat
from jupyter_core.paths import is_hidden
from jupyter_core.utils import ensure_async
from jupyter_server.services.contents.fileio import FileManagerMixin
from tornado.web import HTTPError

MOST_FILES = 2_000
MOST_BYTES = 500 << 20
"""How much of a folder that lies elsewhere is brought here."""


def checked(path: object) -> str:
    """A path from the server's root, with `/`: whatever could lead out of it is refused."""
    if not isinstance(path, str) or len(path) > 4096 or "\\" in path or any(ord(char) < 32 for char in path):
        raise HTTPError(400, "a path is a text with / between its parts")
    parts = path.rstrip("/").split("/") if path else []
    if any(part in ("", ".", "..") or part.startswith("~") for part in parts):
        raise HTTPError(400, f"{path!r} is no path from the server's root")
    return "/".join(parts)


class Files:
    """What handlers ask of the contents manager."""

    def __init__(self, manager: Any) -> None:
        self.manager = manager
        """A `ContentsManager`, or an asynchronous one."""

    @property
    def root(self) -> Path | None:
        """The root, links followed, where it is a folder of this machine."""
        if not isinstance(self.manager, FileManagerMixin):
            return None
        return Path(str(self.manager.root_dir)).expanduser().resolve()

    def local(self, path: str) -> Path:
        """Where a path lies on this machine; links that lead out of the root are refused, and what is hidden."""
        root = self.root
        assert root is not None
        place = Path(os.path.normpath(root / path))
        try:
            inside = place.resolve().is_relative_to(root)
        except (OSError, RuntimeError):
            inside = False
        if not inside:
            raise HTTPError(403, f"{path} leads out of the server's root")
        parts = place.relative_to(root).parts
        hidden = any(part.startswith(".") for part in parts) or is_hidden(str(place), str(root))
        if hidden and not self.manager.allow_hidden:
            raise HTTPError(403, f"{path} is hidden, and this server shows no hidden files")
        return place

    async def notebook(self, path: str) -> str:
        """The notebook's text: the very bytes of its file where there is one, else what Jupyter would save."""
        if self.root is not None:
            self.local(path)
        if path.endswith(".ipynb"):
            model = await self._get(path, type="file", format="text")
            return str(model["content"])
        model = await self._get(path, type="notebook")
        return text_of(model["content"])

    async def exists(self, path: str) -> bool:
        """Whether a file or folder is there."""
        there = await ensure_async(self.manager.file_exists(path)) or await ensure_async(self.manager.dir_exists(path))
        return bool(there)

    async def occupied(self, path: str) -> bool:
        """Whether a package written there would meet something."""
        if self.root is None:
            return await self.exists(f"{path}.zip")
        place = self.local(path)
        return place.exists() and not (place.is_dir() and not any(place.iterdir()))

    async def bring(self, folder: str, target: Path) -> None:
        """Copy the files below a folder that lies elsewhere to this machine, notebooks and hidden files left out."""
        count, size = 0, 0
        queue = [folder]
        while queue:
            listing = await self._get(queue.pop(), type="directory")
            for entry in listing["content"]:
                path, place = entry["path"], target / Path(entry["path"]).relative_to(folder or ".")
                if not place.resolve().is_relative_to(target.resolve()) or entry["name"].startswith("."):
                    continue
                if entry["type"] == "directory":
                    queue.append(path)
                elif entry["type"] == "file":
                    model = await self._get(path, type="file", format="base64")
                    content = base64.b64decode(model["content"])
                    count, size = count + 1, size + len(content)
                    if count > MOST_FILES or size > MOST_BYTES:
                        raise HTTPError(413, f"{folder or 'the folder'} holds too much to bring it here")
                    place.parent.mkdir(parents=True, exist_ok=True)
                    place.write_bytes(content)

    async def put(self, source: Path, path: str) -> None:
        """Save a file of this machine through the contents manager."""
        content = base64.b64encode(source.read_bytes()).decode("ascii")
        model = {"type": "file", "format": "base64", "content": content}
        await ensure_async(self.manager.save(model, path))

    async def _get(self, path: str, **how: str) -> dict[str, Any]:
        model: dict[str, Any] = await ensure_async(self.manager.get(path, content=True, **how))
        return model


def text_of(content: dict[str, Any]) -> str:
    """A notebook's content as Jupyter saves it."""
    return str(nbformat.writes(nbformat.from_dict(content))) + "\n"


def unsaved(content: object) -> str:
    """The text of a notebook that a browser sent. What is wrong with it is told by the reader, as of any file."""
    if not isinstance(content, dict):
        raise HTTPError(400, "content is a notebook's JSON")
    try:
        return text_of(content)
    except Exception:  # nbformat stumbles over what is no notebook in many ways
        return json.dumps(content)
