"""What the notebook's runs and the package have shown and written, compared: text, figures, files.

What the notebook's own runs do not agree on is left out. More runs than two tell more of that: the package must agree
with one pair of them.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from itertools import combinations
from pathlib import Path
from typing import Any

from reference import Ran, Record, sha

LOOSE = {
    ".png",
    ".pdf",
    ".svg",
    ".jpg",
    ".jpeg",
    ".pickle",
    ".pkl",
    ".sav",
    ".joblib",
    ".npz",
    ".h5",
    ".hdf5",
}


# ------------------------------------------------------------------------------------------------- text


@dataclass(frozen=True)
class Line:
    """A line that the notebook shows. `one`: any line or none may stand here; `any`: any number of lines."""

    text: str
    wild: str = ""


def normaliser(day: str, folders: Iterable[str]) -> Callable[[str], str]:
    """Give what makes lines comparable: no addresses, no dates of the run, no paths of the scratch copy."""
    d = date.fromisoformat(day)
    ways = ("%a, %d %b %Y", "%a, %b %d %Y", "%Y-%m-%d", "%d %b %Y", "%b %d, %Y", "%m/%d/%Y", "%d/%m/%Y")
    days = {d.strftime(way) for way in ways}
    swaps = [(re.compile(re.escape(f)), "<folder>") for f in folders]
    swaps += [(re.compile(re.escape(s)), "<day>") for s in sorted(days, key=len, reverse=True)]
    swaps += [(re.compile(r"0x[0-9a-fA-F]{4,}"), "0x…"), (re.compile(r"/\S*ipykernel_\d+/\d+\.py"), "<cell>")]

    def normal(line: str) -> str:
        if "\r" in line:  # a terminal shows what was written last
            line = next((part for part in reversed(line.split("\r")) if part), "")
        for pattern, word in swaps:
            line = pattern.sub(word, line)
        return line

    return normal


def split_lines(items: Iterable[tuple[Any, str, str]]) -> list[str]:
    """Turn (cell, kind, text) into lines: writes of a cell are joined; a display has lines of its own."""
    text = ""
    last: Any = None
    for cell, kind, part in items:
        if text and not text.endswith("\n") and (cell != last or kind == "display"):
            text += "\n"
        text += part
        if kind == "display" and not text.endswith("\n"):
            text += "\n"
        last = cell
    lines = text.split("\n")
    return lines[:-1] if lines[-1] == "" else lines


def cell_lines(cell: Record, normal: Callable[[str], str]) -> list[str]:
    shown = [(0, o["kind"], o["text"]) for o in cell["outputs"] if o["kind"] in ("stream", "display")]
    return [normal(line) for line in split_lines(shown)]


def without_coincidences(lines: list[Line]) -> list[Line]:
    """In a table of random numbers some lines agree by chance: those between lines that differ are wild.

    Only where at least three places differ and they are half of what lies between the first and the last.
    """
    places = [i for i, line in enumerate(lines) if line.wild]
    if len(places) < 3 or 2 * len(places) < places[-1] - places[0] + 1:
        return lines
    first, last = places[0], places[-1]
    width = len(lines[first].text.split())

    def row(line: Line) -> bool:
        return len(line.text.split()) == width and re.search(r"\d", line.text) is not None

    while first > 0 and row(lines[first - 1]):
        first -= 1
    while last < len(lines) - 1 and row(lines[last + 1]):
        last += 1
    return [
        Line(line.text, "any") if first <= i <= last and re.search(r"\d", line.text) else line
        for i, line in enumerate(lines)
    ]


def expected_lines(ref: Record) -> list[Line]:
    """Give the notebook's lines; what its two runs do not agree on is wild."""
    first, second = ref["runs"]
    normals = [normaliser(r["day"], [r["folder"]]) for r in (first, second)]
    expected: list[Line] = []
    for one, two in zip(first["cells"], second["cells"], strict=True):
        a, b = cell_lines(one, normals[0]), cell_lines(two, normals[1])
        if a == b:
            expected += [Line(t) for t in a]
            continue
        lines: list[Line] = []
        for op, i1, i2, j1, j2 in SequenceMatcher(None, a, b, autojunk=False).get_opcodes():
            if op == "equal":
                lines += [Line(t) for t in a[i1:i2]]
            elif i2 - i1 == j2 - j1:
                lines += [Line(t, "one") for t in a[i1:i2]]
            else:
                lines.append(Line(" / ".join(a[i1:i2])[:200], "any"))
        expected += without_coincidences(lines)
    return expected


def matches(expected: list[Line], got: list[str]) -> bool:
    """Say whether the lines are the expected ones. Lines that the notebook does not repeat may be there or not."""
    places = _past_wild(expected, {0})  # how many of the expected lines may stand before what is read next
    for text in got:
        read: set[int] = set()
        for i in places:
            if i < len(expected):
                wild = expected[i].wild
                if wild == "any":
                    read.add(i)
                if wild == "one" or (not wild and expected[i].text == text):
                    read.add(i + 1)
        places = _past_wild(expected, read)
    return len(expected) in places


def _past_wild(expected: list[Line], places: set[int]) -> set[int]:
    reached = set(places)
    for place in places:
        i = place
        while i < len(expected) and expected[i].wild:
            i += 1
            reached.add(i)
    return reached


def text_differences(where: str, expected: list[Line], got: list[str]) -> list[Record]:
    """Name the lines that are missing, extra, changed or in another place."""
    if matches(expected, got):
        return []
    tokens = [f"\0wild {i}" if line.wild else line.text for i, line in enumerate(expected)]
    found: list[Record] = []
    for op, i1, i2, j1, j2 in SequenceMatcher(None, tokens, got, autojunk=False).get_opcodes():
        if op == "equal":
            continue
        lost = [line.text for line in expected[i1:i2] if not line.wild]
        wild = len(expected[i1:i2]) > len(lost)
        new = got[j1:j2]
        if wild and not lost:
            continue  # only lines that the notebook itself does not repeat
        kind = "changed" if lost and new else "missing" if lost else "extra"
        found.append({"kind": f"{where}-{kind}", "line": i1 + 1, "expected": lost[:20], "got": new[:20]})
    if not found:  # a wild place holds too many lines or too few
        found.append(
            {"kind": f"{where}-changed", "line": 0, "expected": ["(at a nondeterministic place)"], "got": []}
        )
    fixed = Counter(line.text for line in expected if not line.wild)
    if not any(line.wild for line in expected) and fixed == Counter(got):
        for difference in found:
            difference["kind"] = f"{where}-reordered"
    return found


# ------------------------------------------------------------------------------------ what the package did


OWN_LINES = re.compile(
    r"(?:Stage '[^'\n]+' (?:didn't change, skipping|is cached - skipping run, checking out outputs)"
    r"|'[^'\n]+\.dvc' didn't change, skipping"
    r"|Verifying data sources in stage: '[^'\n]+'"
    r"|(?:Updating|Generating) lock file '[^'\n]+'"
    r"|Use `dvc push` to send your updates to remote storage\."
    r"|Data and pipelines are up to date\."
    r"|To track the changes with git, run:|To enable auto staging, run:"
    r"|\tgit add [^\n]*|\tdvc config core\.autostage true"
    r"|(?:WARNING|ERROR): [^\n]*)[ ]*(?:\n|$)"
)
RUNNING = re.compile(r"Running stage '[^'\n]+':[ ]*\n(?:> [^\n]*\n)+")
FIGURE_TEXT = re.compile(r"<Figure size \S+ with \d+ Ax[^>]*>")


def stage_stdout(text: str) -> str:
    """Give what the stages printed: dvc's stdout without dvc's own lines."""

    def drop(match: re.Match[str]) -> str:
        at = match.start()
        return "" if at == 0 or match.string[at - 1] == "\n" else "\n"

    return OWN_LINES.sub(drop, RUNNING.sub(drop, text))


def dvc_stages(out: Path) -> list[str]:
    from ruamel.yaml import YAML

    loaded = YAML(typ="safe").load(out / "dvc.yaml") or {}
    return [str(name) for name in (loaded.get("stages") or {})]


def recorded(out: Path, stages: list[str]) -> tuple[list[tuple[Any, str, str]], int, list[str]]:
    """Read reports/outputs: texts in the order of the stages, number of figures, what is wrong with it."""
    items: list[tuple[Any, str, str]] = []
    figures = 0
    wrong: list[str] = []
    folder = out / "reports" / "outputs"
    names = {p.stem for p in folder.glob("*.jsonl")}
    wrong += [f"{name}.jsonl is of no stage" for name in sorted(names - set(stages))]
    for stage in stages:
        path = folder / f"{stage}.jsonl"
        if not path.exists():
            continue
        # JSON leaves U+2028 and the like as they are: split at line feeds alone
        for n, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
                kind = record["kind"]
                if kind == "figure":
                    figures += 1
                else:
                    items.append((record["cell"], kind, record["text"]))
            except (ValueError, KeyError, TypeError) as e:
                wrong.append(f"{path.name} line {n}: {type(e).__name__} {e}")
    return items, figures, wrong


def compare_text(
    ref: Record, out: Path, stages: list[str], repro: Ran, day: str
) -> tuple[list[Record], Record]:
    expected = expected_lines(ref)
    normal = normaliser(day, [f"{out}/workspace", str(out)])
    items, figures, wrong = recorded(out, stages)
    found: list[Record] = [{"kind": "records-malformed", "expected": [], "got": [w]} for w in wrong]
    found += text_differences("text", expected, [normal(line) for line in split_lines(items)])

    # dvc prints blank lines of its own between stages, so blank lines say nothing here
    printed = [normal(line).rstrip() for line in stage_stdout(repro.stdout).split("\n")]
    printed = [line for line in printed if line and not FIGURE_TEXT.fullmatch(line)]
    shown = [Line(line.text.rstrip(), line.wild) for line in expected]
    shown = [line for line in shown if line.wild == "any" or (line.text and not FIGURE_TEXT.fullmatch(line.text))]
    said = text_differences("stdout", shown, printed)
    glued = False
    if said and not any(line.wild for line in shown):
        # a cell that ends without a line feed: the next one prints on in the same line
        glued = re.sub(r"\s+", "", "".join(x.text for x in shown)) == re.sub(r"\s+", "", "".join(printed))
    notes = {
        "lines": len(expected),
        "nondeterministic_lines": sum(1 for x in expected if x.wild),
        "figure_records": figures,
        "stdout_glued": glued,
    }
    return found + ([] if glued else said), notes


def compare_figures(ref: Record, out: Path) -> tuple[list[Record], Record]:
    cells = list(zip(*(r["cells"] for r in ref["runs"]), strict=True))
    least = sum(min(a["figures"], b["figures"]) for a, b in cells)
    most = sum(max(a["figures"], b["figures"]) for a, b in cells)
    saved = {Path(f).name for r in ref["runs"] for f in r["files"]}
    folder = out / "reports" / "figures"
    pngs = [p for p in folder.rglob("*.png") if p.name not in saved] if folder.exists() else []
    notes = {"figures": most, "figures_got": len(pngs)}
    if least <= len(pngs) <= most:
        return [], notes
    kind = "figures-missing" if len(pngs) < least else "figures-extra"
    return [{"kind": kind, "expected": [f"{most} figures"], "got": [f"{len(pngs)} figures"]}], notes


def compare_files(ref: Record, out: Path) -> tuple[list[Record], Record]:
    """Look for every file that the notebook wrote, by base name."""
    first, second = (r["files"] for r in ref["runs"])
    by_name: dict[str, list[Path]] = {}
    for root, folders, files in os.walk(out):
        folders[:] = [f for f in folders if f not in (".dvc", ".git", ".nb2pkg")]
        for name in files:
            by_name.setdefault(name, []).append(Path(root, name))
    found: list[Record] = []
    loose: list[str] = []
    for path, digest in sorted(first.items()):
        if path not in second:
            continue  # a name that is another one in each run
        there = by_name.get(Path(path).name, [])
        if not there:
            found.append({"kind": "file-missing", "expected": [path], "got": []})
        elif digest == second[path] and digest not in {sha(p) for p in there if p.is_file()}:
            if Path(path).suffix.lower() in LOOSE:
                loose.append(path)
            else:
                where = [p.relative_to(out).as_posix() for p in there]
                found.append({"kind": "file-changed", "expected": [path], "got": where})
    return found, {"files": len(first), "files_other_bytes": loose}


# ---------------------------------------------------------------------------------------------- all of it


def compared(
    ref: Record, out: Path, stages: list[str], repro: Ran, day: str
) -> tuple[list[Record], Record]:
    """Give the differences from the pair of the notebook's runs that is nearest to the package, and notes."""
    best: tuple[list[Record], Record] | None = None
    for pair in combinations(ref["runs"], 2):
        one = {**ref, "runs": list(pair)}
        found, text = compare_text(one, out, stages, repro, day)
        notes: Record = {"text": text, "runs": len(ref["runs"])}
        for compare in (compare_figures, compare_files):
            more, said = compare(one, out)
            found += more
            notes |= said
        if best is None or len(found) < len(best[0]):
            best = found, notes
    assert best is not None
    return best


def repeats_itself(ref: Record) -> bool:
    """Say whether the runs of the notebook show the same text and number of figures."""
    first, second = ref["runs"][:2]
    if any(a["figures"] != b["figures"] for a, b in zip(first["cells"], second["cells"], strict=True)):
        return False
    return not any(line.wild for line in expected_lines({"runs": [first, second]}))
