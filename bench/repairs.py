"""What `nb2pkg NOTEBOOK OUT --verify` comes to over a corpus, and what repair costs.

    repairs.py --corpus CORPUS --manifest manifest.json --manifest messy.json --python ENV/bin/python --work WORK \
        [--id PART ...] [--timeout SECONDS] [--json RESULT]

A row for each notebook: the verdict, the stages before and after repair, the changes that helped and those that did
not, how often the notebook ran, what was compared. One notebook's failure is a row and stops nothing. What is in
RESULT already is not run again. The exit status is 0 when every notebook that runs is equivalent.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

Row = dict[str, Any]


def measured(entry: Row, options: argparse.Namespace) -> Row:
    """Convert and verify one notebook with the command itself."""
    source = options.corpus / entry["dir"]
    out = options.work / entry["id"]
    shutil.rmtree(out, ignore_errors=True)
    start = time.monotonic()
    command = [sys.executable, "-m", "nb2pkg", str(source / entry["notebook"]), str(out), "--verify", "--no-git"]
    command += ["--cwd", str((source / entry["cwd"]).resolve()), "--python", options.python]
    command += ["--timeout", str(options.timeout)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    row: Row = {"id": entry["id"], "deterministic": entry["deterministic"], "status": done.returncode}
    row["seconds"] = round(time.monotonic() - start, 1)
    try:
        report = json.loads((out / "reports/equivalence.json").read_text("utf-8"))
    except (OSError, ValueError):
        said = [line for line in done.stderr.splitlines() if line.strip()]
        return row | {"verdict": "refused" if done.returncode == 2 else "crashed", "reason": said[-1] if said else ""}
    different = [check for check in report["checks"] if check["status"] == "different"]
    return row | {
        "verdict": report["verdict"],
        "reason": report["reason"],
        "stages": len(report["stages"]),
        "stages_before": report["stages_before_repair"],
        "runs": report["notebook_runs"],
        "helped": [step for step in report["repair"] if step["helped"]],
        "did_not_help": [step for step in report["repair"] if not step["helped"]],
        "counts": report["counts"],
        "different": [f"{check['kind']} {check['name']}: {check['detail']}" for check in different[:10]],
    }


def line(row: Row) -> str:
    """A row of the table."""
    stages = f"{row['stages_before']} -> {row['stages']}" if "stages" in row else "-"
    helped = "; ".join(step["change"] for step in row.get("helped", ()))
    said = helped or row["reason"] or next(iter(row.get("different", ())), "")
    numbers = f"{stages:>8} {row.get('runs', '-'):>4} {row['seconds']:7.1f}"
    return f"{row['id'][:48]:48} {row['verdict']:14} {numbers}  {said[:90]}".rstrip()


def summary(rows: list[Row]) -> list[str]:
    """The figures of all rows."""
    verdicts = Counter(row["verdict"] for row in rows)
    lines = [", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common())]
    ran = [row for row in rows if row["verdict"] in ("equivalent", "different", "package fails")]
    for name, told in (("run", ran), ("run and are deterministic", [row for row in ran if row["deterministic"]])):
        good = sum(row["verdict"] == "equivalent" for row in told)
        lines.append(f"of {len(told)} that {name}, {good} are equivalent")
    if ran:
        before, after = (sum(row[key] for row in ran) / len(ran) for key in ("stages_before", "stages"))
        repaired = [row for row in ran if row["stages"] < row["stages_before"] or row["helped"]]
        lines.append(f"stages on average {before:.2f} before repair, {after:.2f} after; {len(repaired)} were repaired")
        counts = Counter[str]()
        for row in ran:
            for statuses in row["counts"].values():
                counts.update(statuses)
        lines.append(", ".join(f"{count} {status}" for status, count in counts.items()))
    return lines


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, action="append", required=True)
    parser.add_argument("--python", required=True, help="the notebooks' interpreter")
    parser.add_argument("--work", type=Path, required=True, help="where the packages go")
    parser.add_argument("--id", nargs="*", default=[], help="only notebooks whose id has this in it")
    parser.add_argument("--timeout", type=float, default=600)
    parser.add_argument("--json", type=Path, help="where the whole result goes")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    entries = [entry for path in options.manifest for entry in json.loads(path.read_text("utf-8"))]
    entries = [e for e in entries if not options.id or any(part in e["id"] for part in options.id)]
    kept = options.json and options.json.exists()
    rows: list[Row] = json.loads(options.json.read_text("utf-8")) if kept else []
    done = {row["id"] for row in rows}
    for entry in entries:
        if entry["id"] in done:
            continue
        rows.append(measured(entry, options))
        print(line(rows[-1]), flush=True)
        if options.json:
            options.json.write_text(json.dumps(rows, indent=1), "utf-8")
    print("\n".join(summary(rows)))
    return 0 if all(row["verdict"] in ("equivalent", "notebook fails") for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
