"""Measure what is lifted to const.py against hand labels: recall and precision, for each half of the notebooks.

    constants.py --corpus CORPUS --manifest manifest.json --manifest messy.json

The labels are labels/constants.json (labels/README.md says how they were made). Misses and false positives are listed
for the seen half; for the held-out half only figures, unless --show-held-out is given.
The exit status is 0 when recall and precision reach --goal on both halves.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nb2pkg.analyse import analyse
from nb2pkg.knowledge.base import shipped
from nb2pkg.read import read
from nb2pkg.refactor.constants import proposed
from nb2pkg.section import section

LABELS = Path(__file__).parent / "labels" / "constants.json"

Place = tuple[int, int, int]
"""Cell, line and column where a literal begins."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """One notebook: what was right, what was missed, what was lifted without a label."""

    name: str
    half: str
    hits: int
    misses: tuple[str, ...]
    false: tuple[str, ...]


def measured(path: Path, entry: dict[str, Any]) -> Outcome:
    """Compare what is lifted from a notebook with its labels."""
    if hashlib.sha256(path.read_bytes()).hexdigest() != entry["sha256"]:
        raise SystemExit(f"{path} is not the notebook that was labelled")
    notebook, _ = read(path)
    knowledge = shipped()
    program = analyse(notebook, knowledge)
    sections, _ = section(notebook, program.statements)
    cells = {s.index: s.cell for s in program.statements}
    lifted: dict[Place, str] = {
        (cells[f.statement], f.node.lineno, f.node.col_offset): f"{f.kind} {f.use}"
        for f in proposed(notebook, program, sections, knowledge)
    }
    labels: dict[Place, str] = {
        (cell, line, column): f"{kind} {name}({argument})"
        for cell, line, column, _, _, kind, name, argument in entry["labels"]
    }
    return Outcome(
        entry["id"],
        entry["half"],
        len(lifted.keys() & labels.keys()),
        tuple(f"cell {p[0] + 1}, line {p[1]}: {labels[p]}" for p in sorted(labels.keys() - lifted.keys())),
        tuple(f"cell {p[0] + 1}, line {p[1]}: {lifted[p]}" for p in sorted(lifted.keys() - labels.keys())),
    )


def share(part: int, whole: int) -> float:
    """A proportion; 1 of nothing."""
    return part / whole if whole else 1.0


def main() -> int:
    """Measure, print, compare with the goal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, action="append", required=True)
    parser.add_argument("--show-held-out", action="store_true")
    parser.add_argument("--goal", type=float, default=0.95)
    arguments = parser.parse_args()
    rows = {row["id"]: row for manifest in arguments.manifest for row in json.loads(manifest.read_text())}
    outcomes = []
    for entry in json.loads(LABELS.read_text())["notebooks"]:
        row = rows[entry["id"]]
        outcomes.append(measured(arguments.corpus / row["dir"] / row["notebook"], entry))
    reached = True
    for half in ("seen", "held-out"):
        chosen = [o for o in outcomes if o.half == half]
        hits, missed, false = (
            sum(o.hits for o in chosen),
            sum(len(o.misses) for o in chosen),
            sum(len(o.false) for o in chosen),
        )
        recall, precision = share(hits, hits + missed), share(hits, hits + false)
        reached = reached and recall >= arguments.goal and precision >= arguments.goal
        print(
            f"{half}: {len(chosen)} notebooks, {hits + missed} labels, {hits + false} lifted: "
            f"recall {recall:.1%}, precision {precision:.1%}"
        )
        if half == "held-out" and not arguments.show_held_out:
            continue
        for outcome in chosen:
            for what, places in (("missed", outcome.misses), ("lifted without a label", outcome.false)):
                for place in places:
                    print(f"  {outcome.name}: {what}: {place}")
    return 0 if reached else 1


if __name__ == "__main__":
    sys.exit(main())
