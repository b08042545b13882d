"""Comparing figures by what is seen: the pixels of images, the data of interactive ones, never a file's metadata."""

from __future__ import annotations

import json
import math
import re
from pathlib import Path
from typing import Any

LEVELS = 8
"""Two pixels are the same where no channel differs by more than this, of 255."""
RELATIVE = 1e-9
_MADE_UP = (rb"\s*<dc:date>[^<]*</dc:date>", rb"\b[a-z]{1,3}[0-9a-f]{10}\b", rb"<!--.*?-->")


def is_live(figure: Path) -> bool:
    """Whether a figure of the notebook is one that its reader may turn and zoom: it has no pixels yet."""
    return figure.suffix == ".json" and figure.read_bytes() == b"null"


def figure_difference(one: Path, two: Path) -> str:
    """In what two figures differ; empty where they are the same; `?` and a reason where that can't be said."""
    if not two.is_file():
        return "the package's file is missing"
    a, b = one.read_bytes(), two.read_bytes()
    if a == b:
        return ""
    if one.suffix == two.suffix == ".json":
        return _json_difference(a, b)
    if one.suffix == two.suffix == ".svg":
        for pattern in _MADE_UP:
            a, b = (re.sub(pattern, b"", text, flags=re.DOTALL) for text in (a, b))
        return "" if a == b else "another drawing"
    return _pixel_difference(one, two)


def _pixel_difference(one: Path, two: Path) -> str:
    from PIL import Image, ImageChops, UnidentifiedImageError

    try:
        with Image.open(one) as first, Image.open(two) as second:
            a, b = first.convert("RGBA"), second.convert("RGBA")
    except (UnidentifiedImageError, OSError) as error:
        return f"not an image: {error}"[:200]
    if a.size != b.size:
        return f"{a.width} x {a.height} and {b.width} x {b.height} pixels"
    histograms = [band.histogram() for band in ImageChops.difference(a, b).split()]
    changed = max(sum(counts[LEVELS + 1 :]) for counts in histograms)
    if not changed:
        return ""
    highest = max(level for counts in histograms for level, count in enumerate(counts) if count)
    return f"at least {changed} of {a.width * a.height} pixels, by up to {highest} of 255"


def _json_difference(a: bytes, b: bytes) -> str:
    try:
        one, two = json.loads(a), json.loads(b)
        same = all(_same(one.get(key), two.get(key)) for key in ("data", "layout"))
    except (ValueError, AttributeError):
        return "one of them can't be read"
    return "" if same else "other data or layout"


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[key], b[key]) for key in a if key != "uid")
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=RELATIVE, abs_tol=1e-12) or (math.isnan(a) and math.isnan(b))
    return bool(a == b)
