"""Download a file once: what is there stays, and what is half done is never seen under its name."""

from __future__ import annotations

import gzip
import os
import shutil
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

AGENT = "Mozilla/5.0 (compatible; Python-urllib)"  # some servers refuse the plain name
TIMEOUT = 60.0  # seconds in which nothing comes


def download(url: str, path: str) -> None:
    """Write what `url` gives to the file at `path`, unless it is there already."""
    target = Path(path)
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name}.part")
    try:
        with urlopen(Request(url, headers={"User-Agent": AGENT}), timeout=TIMEOUT) as answer:
            packed = answer.headers.get("Content-Encoding") == "gzip"
            body: Any = gzip.GzipFile(fileobj=answer) if packed else answer
            with temporary.open("wb") as file:
                shutil.copyfileobj(body, file)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
