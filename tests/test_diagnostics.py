"""docs/diagnostics.md tells of each code that the program has, once, and of no other."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_code_is_documented_once() -> None:
    used = {
        code for path in (ROOT / "src").rglob("*.py") for code in re.findall(r'"(N\d{3})"', path.read_text("utf-8"))
    }
    rows = re.findall(r"(?m)^\| (N\d{3}) \|", (ROOT / "docs" / "diagnostics.md").read_text("utf-8"))
    assert [code for code, count in Counter(rows).items() if count > 1] == []
    assert used == set(rows)
