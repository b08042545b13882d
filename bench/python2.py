"""Upgrade every Python 2 notebook of a folder, and read what comes out as compilers and linters do: nothing runs.

    python2.py FOLDER --work WORK [--json RESULT] [--only TEXT] [--every N]

A notebook counts that records Python 2, or that records nothing and has what only Python 2 has; copies and checkpoints
do not. Its package is valid where

compiles   each module compiles as Python 3
names      ruff finds no undefined name (F821) that was not undefined before: in the notebook's own cells or in the
           module beside it, under a name that the original uses and that is no builtin of Python 2

What is refused is listed by its code: N011 is a cell that neither Python parses, N110 one in another language, N112 and
N113 magics without a plain form, N012 a file of `%run` that is not there. The exit status is 0 where at least 95 % are
valid of those whose every cell is Python 2, and nothing crashed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import shutil
import subprocess
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nb2pkg import python2
from nb2pkg.errors import Nb2pkgError
from nb2pkg.pipeline import Options, tree
from nb2pkg.read import NotebookFile, read
from nb2pkg.read.formats import load

BAR = 0.95
NOT_PYTHON_2 = frozenset({"N011", "N012", "N110", "N112", "N113"})
"""Refusals for what Python 2 alone could not have run either, or not without IPython."""
OLD_BUILTINS = frozenset(
    str.split("apply basestring buffer cmp coerce execfile file intern long raw_input reduce reload unichr unicode")
)


@dataclass
class Row:
    """What became of one notebook."""

    path: str
    refused: str = ""
    """The code of the refusal, or `crash`."""
    message: str = ""
    broken: list[str] = field(default_factory=list)
    """The modules that do not compile."""
    undefined: list[str] = field(default_factory=list)
    """`module: name` of each name that was not undefined before."""
    told: dict[str, int] = field(default_factory=dict)
    seconds: float = 0

    @property
    def valid(self) -> bool:
        return not (self.refused or self.broken or self.undefined)


def found(folder: Path, only: str) -> Iterator[Path]:
    """The Python 2 notebooks below the folder, each content once."""
    seen: set[str] = set()
    for path in sorted(folder.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in path.parts or only not in str(path) or not path.is_file():
            continue
        file = NotebookFile.at(path)
        try:
            raw = load(file)
        except Nb2pkgError:
            continue
        sources = [cell.source for cell in raw.cells if cell.kind == "code"]
        digest = hashlib.sha256("\0".join(sources).encode("utf-8", "surrogatepass")).hexdigest()
        old = raw.major == "2" or (not raw.major and python2.looks_like_python2(sources))
        if old and digest not in seen:
            seen.add(digest)
            yield path


def converted(path: Path, row: Row, out: Path) -> None:
    """Write the package's modules to `out/after`, the notebook's cells to `out/before`."""
    began = time.monotonic()
    try:
        made, _, told = tree(path, Options(git=False))
    except Nb2pkgError as refusal:
        row.refused, row.message = refusal.code, str(refusal)
        return
    except Exception as error:
        row.refused, row.message = "crash", f"{type(error).__name__}: {error}"
        return
    finally:
        row.seconds = round(time.monotonic() - began, 2)
    row.told = dict(sorted(Counter(each.code for each in told).items()))
    for name, content in made.files:
        if name.endswith(".py"):
            target = out / "after" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
            try:
                compile(content, name, "exec")
            except (SyntaxError, ValueError) as error:
                row.broken.append(f"{name}: {error}")
    notebook, _ = read(path)
    cells = [*notebook.imports, *(cell.code for cell in notebook.code_cells)]
    (out / "before").mkdir(parents=True, exist_ok=True)
    (out / "before" / "cells.py").write_text("\n".join(cells) + "\n", encoding="utf-8", errors="replace")


def undefined(work: Path) -> dict[str, list[tuple[str, str]]]:
    """(module, name) of each undefined name, by the folder of the notebook."""
    command = [sys.executable, "-m", "ruff", "check", "--isolated", "--no-cache", "--select", "F821"]
    command += ["--output-format", "json", "--target-version", "py311", str(work)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    names: dict[str, list[tuple[str, str]]] = {}
    for each in json.loads(done.stdout or "[]"):
        name = re.search(r"`(.+?)`", each["message"])
        if each["code"] == "F821" and name:
            path = Path(each["filename"]).relative_to(work.resolve())
            names.setdefault("/".join(path.parts[:2]), []).append(("/".join(path.parts[2:]), name[1]))
    return names


def main() -> int:
    """The table, and whether the bar is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--work", type=Path, required=True, help="scratch; what is there is replaced")
    parser.add_argument("--json", type=Path, help="where the rows are written")
    parser.add_argument("--only", default="", help="notebooks whose path has this in it")
    parser.add_argument("--every", type=int, default=1, help="of the notebooks in their order, each N-th")
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    shutil.rmtree(given.work, ignore_errors=True)
    rows: list[Row] = []
    for number, path in enumerate(list(found(given.folder, given.only))[:: given.every]):
        row = Row(path.relative_to(given.folder).as_posix())
        rows.append(row)
        converted(path, row, given.work / str(number))
        print(f"{number + 1}: {row.path}: {row.message or 'converted'}", file=sys.stderr, flush=True)
    given.work.mkdir(parents=True, exist_ok=True)
    names = undefined(given.work)
    for number, row in enumerate(rows):
        text = (given.folder / row.path).read_text(encoding="utf-8-sig", errors="replace")
        own = {name for _, name in names.get(f"{number}/before", ()) if name in text} - OLD_BUILTINS
        for module, name in names.get(f"{number}/after", ()):
            beside = given.folder / Path(row.path).parent / module
            had = name in beside.read_text(encoding="utf-8", errors="replace") if beside.is_file() else name in own
            if not had or name in OLD_BUILTINS:
                row.undefined.append(f"{module}: {name}")
    if given.json:
        given.json.write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n", encoding="utf-8")
    return report(rows)


def report(rows: list[Row]) -> int:
    """Print what came out."""
    refused = Counter(row.refused for row in rows if row.refused)
    valid = [row for row in rows if row.valid]
    pure = [row for row in rows if row.refused not in NOT_PYTHON_2]
    print(f"\n{len(rows)} notebooks of Python 2; valid Python 3: {len(valid)} ({len(valid) / max(len(rows), 1):.1%})")
    print(f"of the {len(pure)} whose every cell is Python 2: {len(valid) / max(len(pure), 1):.1%}")
    for code, count in refused.most_common():
        print(f"  refused {code}: {count}")
        for row in [each for each in rows if each.refused == code][:3]:
            print(f"    {row.message[:200]}")
    for row in rows:
        for what in (*row.broken, *row.undefined):
            print(f"  {row.path}: {what}")
    told = Counter(code for row in rows for code in row.told)
    print("told, by notebooks: " + ", ".join(f"{code} {told[code]}" for code in sorted(told) if code <= "N018"))
    print(f"seconds a notebook: {sum(row.seconds for row in rows) / max(len(rows), 1):.2f}")
    return 0 if pure and len(valid) / len(pure) >= BAR and not refused["crash"] else 1


if __name__ == "__main__":
    sys.exit(main())
