"""Measure the promise: does the package do under `dvc repro` whatever the notebook does, top to bottom?

    equivalence.py --corpus CORPUS --manifest manifest.json --manifest messy.json --python ENV/bin/python \
        --nb2pkg "PYTHON -m nb2pkg" --dvc DVC --ruff RUFF --cache REFS --work WORK --json RESULT

Each notebook is run twice (reference.py; kept under --cache), converted, reproduced from an empty cache
and compared: printed and displayed text, figures, files. What differs between the two runs of the
notebook itself is left out. The exit status is 0 when every notebook that runs is equivalent.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import shutil
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from datetime import date
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from reference import Ran, Record, environment, reference, run, sha

TAIL = 3000  # characters of a failure's stderr that are kept
SHOWN = 100  # characters of the first difference in the table
KEPT_DIFFERENCES = 40
MANY_CELLS, ENOUGH_STAGES = 8, 3
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
VERDICTS = (
    "equivalent",
    "differs",
    "repro-failed",
    "conversion-refused",
    "converter-crashed",
    "notebook-fails",
    "bench-crashed",
)


# ------------------------------------------------------------------------------------------------- text


@dataclass(frozen=True)
class Line:
    """A line that the notebook shows. `one`: any line or none may stand here; `any`: any number of lines."""

    text: str
    wild: str = ""


def normaliser(day: str, folders: Iterable[str]) -> Callable[[str], str]:
    """Give what makes lines comparable: no addresses, no dates of the run, no paths of the scratch copy."""
    d = date.fromisoformat(day)
    days = {
        d.strftime(f) for f in ("%a, %d %b %Y", "%Y-%m-%d", "%d %b %Y", "%b %d, %Y", "%m/%d/%Y", "%d/%m/%Y")
    }
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


# ---------------------------------------------------------------------------------------- one notebook


def tail(text: str) -> str:
    return text.strip()[-TAIL:]


def exception_of(text: str) -> str:
    """Give the last line of a traceback, or else the last line that says anything."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    raised = [
        x for x in lines if re.match(r"[A-Za-z_][\w.]*(Error|Exception|Exit|Interrupt|Iteration)\b(:|$)", x)
    ]
    if raised:
        return raised[-1]
    return lines[-1] if lines else ""


def refusal_of(text: str) -> str:
    """Give the line that says why a notebook was refused."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return next((x for x in reversed(lines) if re.search(r"\berror\b", x, re.I)), lines[-1] if lines else "")


def cause(verdict: str, row: Record) -> str:
    said = str(row.get("first", ""))
    if verdict == "differs":
        return str(row["differences"][0]["kind"])
    if verdict == "conversion-refused":
        code = re.search(r"\b[A-Z]{1,4}\d{2,4}\b", said)
        return code.group() if code else said[:60]
    name = re.match(r"[\w.]+(?=:|$)", said)
    return name.group() if name else said[:60]


def first_of(difference: Record) -> str:
    lost = " ⏎ ".join(difference["expected"][:2])
    new = " ⏎ ".join(difference["got"][:2])
    return f"{difference['kind']}: -{lost[:45]!r} +{new[:45]!r}"


class Bench:
    """The settings, and the steps that a notebook goes through."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.o = options
        self.nb2pkg = shlex.split(options.nb2pkg)

    def reference(self, row: Record) -> Record:
        o = self.o
        return reference(row, o.corpus, o.cache, o.python, o.timeout, refresh=o.refresh)

    def measure(self, row: Record) -> Record:
        """Give the notebook's row of the result: its verdict and what led to it."""
        start = time.time()
        result: Record = {"id": row["id"], "verdict": "", "first": "", "cause": "", "differences": []}
        try:
            result["verdict"] = self.steps(row, result)
        except Exception as e:  # one notebook never stops the others
            result["verdict"], result["first"] = "bench-crashed", f"{type(e).__name__}: {e}"
        if result["verdict"] != "equivalent":
            result["cause"] = cause(result["verdict"], result)
        result["seconds"] = round(time.time() - start, 1)
        return result

    def steps(self, row: Record, result: Record) -> str:
        o = self.o
        ref = self.reference(row)
        result["deterministic"] = row["deterministic"]
        result["code_cells"] = row["n_code_cells"]
        result["notebook_seconds"] = ref["seconds"] / max(1, len(ref["runs"]))
        if not ref["ok"]:
            result["first"] = ref["error"].strip()
            return "notebook-fails"

        work: Path = o.work / row["id"]
        shutil.rmtree(work, ignore_errors=True)
        source, out = work / "source", work / "out"
        shutil.copytree(o.corpus / row["dir"], source)
        notebook = source / row["notebook"]

        args = [*self.nb2pkg, str(notebook), str(out), "--no-git", "--force", "--python", o.python]
        if Path(os.path.normpath(source / row["cwd"])) != notebook.parent:
            args += ["--cwd", os.path.normpath(source / row["cwd"])]
        env = dict(os.environ)
        converted = run(args, work, env, o.convert_timeout)
        result["convert_seconds"] = converted.seconds
        result["convert_stderr"] = tail(converted.stderr)
        if converted.status != 0 or not (out / "dvc.yaml").exists():
            result["convert_stdout"] = tail(converted.stdout)
            if converted.status is None:
                result["first"] = f"Timeout: over {o.convert_timeout:.0f} s"
            elif converted.status == 0:
                result["first"] = "NoDvcYaml: exit status 0, but there is no dvc.yaml"
            elif converted.status == 2 and "Traceback" not in converted.stderr:
                result["first"] = refusal_of(converted.stderr or converted.stdout)
                return "conversion-refused"
            else:
                result["first"] = exception_of(converted.stderr or converted.stdout)
            return "converter-crashed"

        stages = dvc_stages(out)
        result["stages"] = len(stages)
        self.structure(notebook, out, env, result)
        return self.reproduce(ref, work, out, stages, result)

    def structure(self, notebook: Path, out: Path, env: dict[str, str], result: Record) -> None:
        """Add what does not decide: the largest stage's share, and what ruff finds."""
        planned = run(
            [*self.nb2pkg, "plan", str(notebook), "--json"], out.parent, env, self.o.convert_timeout
        )
        try:
            sizes = [int(s["statements"]) for s in json.loads(planned.stdout)["stages"]]
            result["largest_share"] = round(max(sizes) / sum(sizes), 3)
        except (ValueError, KeyError, TypeError, ZeroDivisionError):
            result["largest_share"] = None
        packages = sorted(
            {p.parent for p in [*out.glob("*/__init__.py"), *out.glob("*/const.py")]} - {out / "tests"}
        )
        if not packages:
            result["ruff"] = ["no package folder"]
            return
        select = [
            "--select",
            "F401,F811,F821,F841,E9",
            "--isolated",
            "--no-cache",
            "--output-format",
            "concise",
        ]
        ruff = run([self.o.ruff, "check", *select, *map(str, packages)], out, env, 120)
        found = [x for x in ruff.stdout.splitlines() if re.match(r".+:\d+:\d+: ", x)]
        if ruff.status not in (0, 1):
            found.append(f"ruff: {tail(ruff.stderr)[-300:]}")
        result["ruff"] = [x.replace(f"{out}/", "") for x in found]

    def reproduce(self, ref: Record, work: Path, out: Path, stages: list[str], result: Record) -> str:
        o = self.o
        env = environment(o.python, work / "scratch")
        env |= {
            "DVC_NO_ANALYTICS": "1",
            "DVC_SITE_CACHE_DIR": str(work / "scratch" / "site"),
            "DVC_GLOBAL_CONFIG_DIR": str(work / "scratch" / "global"),
            "DVC_SYSTEM_CONFIG_DIR": str(work / "scratch" / "system"),
        }
        shutil.rmtree(out / ".dvc" / "cache" / "runs", ignore_errors=True)
        lock = out / "dvc.lock"
        result["came_with_lock"] = lock.exists()
        lock.unlink(missing_ok=True)
        day = time.strftime("%Y-%m-%d")
        repro = run([o.dvc, "repro"], out, env, o.repro_timeout)
        result["repro_seconds"] = repro.seconds
        if repro.status != 0:
            result["repro_stderr"], result["repro_stdout"] = tail(repro.stderr), tail(repro.stdout)
            failed = re.search(r"failed to reproduce '([^']+)'", repro.stderr)
            result["failed_stage"] = failed.group(1) if failed else ""
            result["first"] = exception_of(re.sub(r"(?m)^ERROR: .*$", "", repro.stderr)) or tail(repro.stderr)
            if repro.status is None:
                result["first"] = f"Timeout: over {o.repro_timeout:.0f} s"
            return "repro-failed"
        (work / "repro.stdout").write_text(repro.stdout, encoding="utf-8")
        (work / "repro.stderr").write_text(repro.stderr, encoding="utf-8")

        found, result["text"] = compare_text(ref, out, stages, repro, day)
        for compare in (compare_figures, compare_files):
            more, notes = compare(ref, out)
            found += more
            result |= notes
        again = run([o.dvc, "repro"], out, env, o.repro_timeout)
        reran = re.findall(r"Running stage '([^']+)'", again.stdout)
        if again.status != 0 or reran:
            said = reran or [tail(again.stderr)[-300:]]
            found.append({"kind": "second-repro-runs", "expected": [], "got": said})
        if o.checks:
            for check in (["stage", "list"], ["dag"]):
                ran = run([o.dvc, *check], out, env, 120)
                if ran.status != 0:
                    kind = f"dvc-{check[0]}-fails"
                    found.append({"kind": kind, "expected": [], "got": [tail(ran.stderr)[-300:]]})
        result["difference_count"] = len(found)
        result["kinds"] = dict(Counter(d["kind"] for d in found))
        result["differences"] = found[:KEPT_DIFFERENCES]
        if found:
            result["first"] = first_of(found[0])
            return "differs"
        return "equivalent"


# ----------------------------------------------------------------------------------------------- report


def table_line(r: Record) -> str:
    share = r.get("largest_share")
    largest = "-" if share is None else f"{share:.0%}"
    first = " ".join(str(r["first"]).split())[:SHOWN]
    stages = r.get("stages", "-")
    numbers = f"{stages!s:>4} {largest:>5} {r['seconds']:7.1f}"
    return f"{r['id'][:52]:52} {r['verdict']:18} {numbers}  {first}".rstrip()


def summary(results: list[Record]) -> list[str]:
    lines = [""]
    comparable = [r for r in results if r["verdict"] != "notebook-fails"]
    lines.append(f"{len(results)} notebooks, {len(comparable)} comparable (they ran, twice)")
    verdicts = Counter(r["verdict"] for r in results)
    for verdict in VERDICTS:
        if n := verdicts[verdict]:
            of = "" if verdict == "notebook-fails" else f"{n / len(comparable):7.1%}"
            lines.append(f"  {verdict:20} {n:4} {of}")
    good = [r for r in results if r["verdict"] == "equivalent"]
    if good:
        many = sum(1 for r in good if r["stages"] > 1)
        lines.append(f"  of the equivalent, {many} ({many / len(good):.1%}) have more than one stage")
    large = [r for r in results if r.get("code_cells", 0) >= MANY_CELLS and r.get("stages")]
    if large:
        cut = sum(1 for r in large if r["stages"] >= ENOUGH_STAGES)
        said = f"{cut} of {len(large)} ({cut / len(large):.1%}) have {ENOUGH_STAGES} or more stages"
        lines.append(f"  with {MANY_CELLS} or more code cells, {said}")
        shares = sorted(s for r in large if (s := r.get("largest_share")) is not None)
        lines.append(f"  and their largest stage's median share of the statements is {shares[len(shares) // 2]:.0%}")
    made = [r for r in results if "ruff" in r]
    if made:
        clean = sum(1 for r in made if not r["ruff"])
        lines.append(
            f"  ruff finds nothing in {clean} of {len(made)} ({sum(len(r['ruff']) for r in made)} findings)"
        )
    causes = Counter((r["verdict"], r["cause"]) for r in results if r["verdict"] != "equivalent")
    if causes:
        lines.append("by cause:")
        lines += [f"  {n:4}  {verdict:18} {why}" for (verdict, why), n in causes.most_common()]
    return lines


def rows_of(options: argparse.Namespace) -> list[Record]:
    rows: list[Record] = []
    for manifest in options.manifest:
        rows += json.loads(manifest.read_text(encoding="utf-8"))
    if options.id:
        rows = [r for r in rows if any(part in r["id"] for part in options.id)]
    if options.only_deterministic:
        rows = [r for r in rows if r["deterministic"]]
    there = [r for r in rows if (options.corpus / r["dir"] / r["notebook"]).exists()]
    if len(there) < len(rows):
        print(
            f"{len(rows) - len(there)} notebooks are not in the corpus folder and are left out",
            file=sys.stderr,
        )
    return there


def arguments() -> argparse.Namespace:
    here = Path(sys.executable).parent
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--corpus", type=Path, required=True, help="the folder that holds nb/<id>/")
    ap.add_argument("--manifest", type=Path, action="append", required=True, help="a JSON list of notebooks")
    ap.add_argument("--python", required=True, help="the notebooks' interpreter")
    ap.add_argument("--nb2pkg", default=f"{sys.executable} -m nb2pkg", help="the converter's command")
    ap.add_argument("--dvc", default=str(here / "dvc"))
    ap.add_argument("--ruff", default=str(here / "ruff"))
    ap.add_argument("--cache", type=Path, required=True, help="where references are kept")
    ap.add_argument("--work", type=Path, help="where packages are made (each notebook's folder is emptied)")
    ap.add_argument("--json", type=Path, help="where the whole result goes")
    ap.add_argument("--id", nargs="*", action="extend", help="only notebooks whose id has this in it")
    ap.add_argument("--only-deterministic", action="store_true")
    ap.add_argument("--refresh", action="store_true", help="run the notebooks again")
    ap.add_argument("--references-only", action="store_true")
    ap.add_argument("--checks", action="store_true", help="dvc stage list and dvc dag too")
    ap.add_argument("--jobs", type=int, default=2)
    ap.add_argument("--timeout", type=float, default=300, help="seconds for a run of a notebook")
    ap.add_argument("--convert-timeout", type=float, default=300)
    ap.add_argument("--repro-timeout", type=float, default=600)
    options = ap.parse_args()
    for name in ("corpus", "cache", "work"):
        if value := getattr(options, name):
            setattr(options, name, value.resolve())
    options.python = os.path.abspath(options.python)  # a link makes it the environment's
    if not options.references_only and not options.work:
        ap.error("--work is needed, except with --references-only")
    return options


def main() -> int:
    options = arguments()
    bench = Bench(options)
    rows = rows_of(options)
    results: list[Record] = []
    lock = threading.Lock()

    def keep() -> None:
        if options.json:
            part = options.json.with_name(options.json.name + ".part")
            order = sorted(results, key=lambda r: str(r["id"]))
            part.write_text(json.dumps({"results": order}, indent=1, ensure_ascii=False), encoding="utf-8")
            part.replace(options.json)

    def only_reference(row: Record) -> Record:
        try:
            ref = bench.reference(row)
            verdict, first, seconds = "ok" if ref["ok"] else "notebook-fails", ref["error"], ref["seconds"]
        except Exception as e:
            verdict, first, seconds = "bench-crashed", f"{type(e).__name__}: {e}", 0.0
        return {"id": row["id"], "verdict": verdict, "first": first, "seconds": seconds}

    step = only_reference if options.references_only else bench.measure
    print(f"{'id':52} {'verdict':18} {'stgs':>4} {'large':>5} {'seconds':>7}  first difference", flush=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        for done in as_completed([pool.submit(step, row) for row in rows]):
            with lock:
                results.append(done.result())
                print(table_line(results[-1]), flush=True)
                keep()
    if options.references_only:
        print(dict(Counter(r["verdict"] for r in results)))
        return 0
    print("\n".join(summary(results)))
    return 0 if all(r["verdict"] in ("equivalent", "notebook-fails") for r in results) else 1


if __name__ == "__main__":
    sys.exit(main())
