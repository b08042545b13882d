"""What the reports have in common: an HTML file that needs no other, its look, and files that appear whole."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import os
from pathlib import Path
from typing import Any

STYLE = """
:root { color-scheme: light dark; --ink: #222; --soft: #5c6066; --paper: #fff; --shade: #f4f4f5; --line: #cdd0d4;
  --good: #17692d; --bad: #b00020; --unsure: #7d5200; --link: #0b57a4; --lost: #fde8ea; --new: #e6f4ea; }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e4e6; --soft: #a2a7ae; --paper: #17191c; --shade: #23262a;
  --line: #43484f; --good: #76d08e; --bad: #ff8b98; --unsure: #e8b95b; --link: #8cbcf2; --lost: #46222a;
  --new: #1c3a26; } }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: var(--ink); background: var(--paper); }
table { border-collapse: collapse; margin: 1rem 0; }
th, td { border: 1px solid var(--line); padding: .25rem .6rem; vertical-align: top; }
th { background: var(--shade); text-align: left; } td.n { text-align: right; }
pre { white-space: pre-wrap; margin: 0; } a { color: var(--link); }
.lost { background: var(--lost); } .new { background: var(--new); }
"""


def document(title: str, body: str, style: str = "", script: str = "") -> str:
    """A whole HTML file around `body`, which is HTML already; nothing but `script` runs, and nothing is fetched."""
    allowed = "'none'"
    if script:
        allowed = f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
    policy = f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {allowed}"
    ran = f"<script>{script}</script>" if script else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{html.escape(title)}</title><style>{STYLE}{style}</style></head><body>{body}{ran}</body></html>\n"
    )


def json_text(value: dict[str, Any]) -> str:
    """The JSON file of a report."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def put(path: Path, text: str) -> None:
    """Write a file whole or not at all; raises OSError. File names that are not Unicode are written escaped."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part(path).write_text(text, encoding="utf-8", errors="backslashreplace")
    os.replace(part(path), path)


def part(path: Path) -> Path:
    """Where `put` writes until the file is whole, to be removed if that never happens."""
    return path.with_name(f".{path.name}.part")
