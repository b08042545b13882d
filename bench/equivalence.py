"""Measure the promise: does the package do under `dvc repro` whatever the notebook does, top to bottom?

    equivalence.py --corpus CORPUS --manifest manifest.json --manifest messy.json --python ENV/bin/python \
        --nb2pkg "PYTHON -m nb2pkg" --dvc DVC --ruff RUFF --cache REFS --work WORK --json RESULT

Each notebook is run twice (reference.py; kept under --cache), converted, reproduced from an empty cache
and compared: printed and displayed text, figures, files. What differs between the runs of the notebook
itself is left out; one that does not repeat itself is run up to five times if the package differs.
The exit status is 0 when every notebook that runs is equivalent.
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
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from comparison import compared, dvc_stages, repeats_itself
from reference import Record, add_run, environment, reference, run

TAIL = 3000  # characters of a failure's stderr that are kept
SHOWN = 100  # characters of the first difference in the table
KEPT_DIFFERENCES = 40
MANY_CELLS, ENOUGH_STAGES = 8, 3
MOST_RUNS = 5  # of a notebook that does not repeat itself
VERDICTS = (
    "equivalent",
    "differs",
    "repro-failed",
    "conversion-refused",
    "converter-crashed",
    "notebook-fails",
    "bench-crashed",
)


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
        return reference(row, o.corpus, o.cache, o.python, o.timeout, refresh=o.refresh, once=o.once)

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

        result["stages"] = len(dvc_stages(out))
        self.structure(notebook, out, env, result)
        return self.reproduce(row, ref, work, out, result)

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

    def reproduce(self, row: Record, ref: Record, work: Path, out: Path, result: Record) -> str:
        o, stages = self.o, dvc_stages(out)
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

        found, notes = compared(ref, out, stages, repro, day)
        for _ in range(MOST_RUNS - len(ref["runs"])):
            if not found or repeats_itself(ref):
                break
            ref = add_run(ref, row, o.corpus, o.cache, o.python, o.timeout)
            found, notes = compared(ref, out, stages, repro, day)
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
    ap.add_argument("--once", action="store_true", help="run the notebooks once; nothing is left out as chance")
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
