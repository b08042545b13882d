"""Read every emitted package as a hostile reviewer's tools do: without running any of it.

    emitted.py --corpus CORPUS --manifest manifest.json --manifest messy.json --work WORK [--json RESULT]

Each notebook is converted twice, in two processes with different hash seeds, and the package is checked:

ruff       no F401, F811, F821, F841 or E9 that the notebook's own code does not have, none suppressed; imports sorted
           (but where a star import has to keep its place)
black      formatting it again, by the line length of its own pyproject.toml, changes nothing
compiles   each module, without running it
same       the two conversions have the same bytes, `.git` aside
dvc        dvc.yaml is valid by DVC's own schema
pickle     no module but artifacts.py imports or calls a pickler
tracked    every file that a stage is known to read or write is in dvc.yaml or a .dvc file, or a diagnostic tells of it

The exit status is 0 when all of it holds for every notebook.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import subprocess
import sys
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

RULES = "F401,F811,F821,F841,E9,I001"
NOQA = re.compile(r"#\s*(noqa|ruff:|type:\s*ignore|fmt:|isort:|pylint:|flake8:)", re.IGNORECASE)
SEEDS = ("1", "2")
# Converts what it is told on stdin, a notebook a line, in one process.
CONVERTER = """
import json, sys
from pathlib import Path
from nb2pkg.errors import Nb2pkgError
from nb2pkg.pipeline import Options, convert

for line in sys.stdin:
    job = json.loads(line)
    try:
        convert(Path(job["notebook"]), Path(job["out"]), Options(cwd=Path(job["cwd"]), git=False, force=True))
        error = ""
    except Nb2pkgError as reason:
        error = f"refused: {reason}"
    except Exception as reason:
        error = f"crashed: {type(reason).__name__}: {reason}"
    print(json.dumps({"id": job["id"], "error": error}), flush=True)
"""


@dataclass
class Row:
    """What was found in the package of one notebook."""

    id: str
    error: str = ""
    findings: list[str] = field(default_factory=list)
    excused: int = 0
    """Findings that the notebook's own code has too."""
    stages: int = 0
    lines: int = 0
    tracked: int = 0
    told: int = 0
    """Files in dvc.yaml or a .dvc file, and those that only a diagnostic tells of."""
    in_place: bool = False


def jobs(corpus: Path, manifests: list[Path], wanted: list[str]) -> list[dict[str, str]]:
    """The notebooks of the manifests."""
    found = []
    for manifest in manifests:
        for row in json.loads(manifest.read_text(encoding="utf-8")):
            if wanted and not any(word in row["id"] for word in wanted):
                continue
            base = (corpus / row["dir"]).resolve()
            cwd = str((base / row["cwd"]).resolve())
            found.append({"id": row["id"], "notebook": str(base / row["notebook"]), "cwd": cwd})
    return found


def convert_all(work: Path, todo: list[dict[str, str]]) -> dict[str, str]:
    """Convert everything once for each hash seed; the errors by notebook."""
    errors: dict[str, str] = {}
    for seed in SEEDS:
        lines = "".join(json.dumps(job | {"out": str(work / seed / job["id"])}) + "\n" for job in todo)
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", CONVERTER]
        done = subprocess.run(command, input=lines, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        for line in done.stdout.splitlines():
            answer = json.loads(line)
            errors[answer["id"]] = errors.get(answer["id"]) or answer["error"]
    return errors


def package_of(out: Path) -> Path:
    """The package's folder in an emitted project."""
    return next(path.parent for path in sorted(out.glob("*/__main__.py")))


def ruff(paths: list[Path], *options: str) -> list[dict[str, Any]]:
    """Ruff's findings, `noqa` comments ignored."""
    if not paths:
        return []
    command = [sys.executable, "-m", "ruff", "check", "--no-cache", "--ignore-noqa", "--output-format", "json"]
    command += ["--select", RULES, *options, *map(str, paths)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise RuntimeError(done.stderr)
    findings: list[dict[str, Any]] = json.loads(done.stdout)
    return findings


def what(finding: dict[str, Any]) -> tuple[str, str]:
    """The rule, and the name that it is about."""
    name = re.search(r"`([^`]+)`", finding["message"])
    return finding["code"] or "syntax", name[1].rpartition(".")[2] if name else ""


def check_ruff(row: Row, notebook: Path, package: Path) -> None:
    """What ruff finds in the package and not in the notebook."""
    own = {what(finding) for finding in ruff([notebook], "--isolated")}
    for finding in ruff([package, package.parent / "tests"]):
        code, name = what(finding)
        path = Path(finding["filename"])
        ordered = code == "I001" and re.search(r"^from \S+ import \*$", path.read_text(encoding="utf-8"), re.MULTILINE)
        if ordered or ((code, name) in own and code != "I001"):
            row.excused += 1
            continue
        where = path.relative_to(package.parent)
        row.findings.append(f"{code} {where}:{finding['location']['row']} {finding['message']}")


def check_files(row: Row, notebook: Path, package: Path) -> None:
    """No suppressed finding of ours, compiled and stable under black."""
    import black

    own = notebook.read_text(encoding="utf-8", errors="replace")
    settings = tomllib.loads((package.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["black"]
    mode = black.Mode(line_length=settings["line-length"])
    for path in sorted([*package.glob("*.py"), *package.parent.glob("tests/*.py")]):
        text = path.read_text(encoding="utf-8")
        row.lines += text.count("\n")
        where = path.relative_to(package.parent)
        row.findings += [f"suppressed {where} {m[0]}" for m in NOQA.finditer(text) if m[0] not in own]
        try:
            compile(text, str(path), "exec", dont_inherit=True)
        except SyntaxError as error:
            row.findings.append(f"compiles {where}:{error.lineno} {error.msg}")
            continue
        if black.format_str(text, mode=mode) != text:
            row.findings.append(f"black {where}")


def check_dvc(row: Row, out: Path) -> None:
    """Valid by DVC's schema."""
    from dvc.schema import COMPILED_MULTI_STAGE_SCHEMA
    from ruamel.yaml import YAML

    data = YAML(typ="safe").load((out / "dvc.yaml").read_text(encoding="utf-8"))
    row.stages = len(data["stages"])
    try:
        COMPILED_MULTI_STAGE_SCHEMA(data)
    except Exception as error:  # voluptuous.Invalid
        row.findings.append(f"dvc {error}")


def check_pickle(row: Row, package: Path) -> None:
    """No module but artifacts.py pickles."""
    for path in sorted(package.glob("*.py")):
        if path.name == "artifacts.py":
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    found = [alias.name for alias in names]
                case ast.ImportFrom(module=str(module)):
                    found = [module]
                case ast.Attribute(attr=attribute):
                    found = [attribute]
                case _:
                    continue
            row.findings += [f"pickle {path.name}:{node.lineno} {name}" for name in found if "pickle" in name]


def check_tracked(row: Row, job: dict[str, str], out: Path) -> None:
    """Every file of a stage is DVC's, or told of."""
    from ruamel.yaml import YAML

    from nb2pkg.pipeline import Options, plan

    made = plan(Path(job["notebook"]), Options(cwd=Path(job["cwd"])))
    row.in_place = made.in_place
    cwd = json.loads((out / ".nb2pkg/manifest.json").read_text(encoding="utf-8"))["cwd"]
    stages = YAML(typ="safe").load((out / "dvc.yaml").read_text(encoding="utf-8"))["stages"].values()
    listed = {str(next(iter(o)) if isinstance(o, dict) else o) for s in stages for o in s.get("outs", ())}
    for file in (path for path in out.rglob("*.dvc") if path.is_file()):
        told = YAML(typ="safe").load(file.read_text(encoding="utf-8"))
        folder = file.parent.relative_to(out) / told.get("wdir", ".")
        listed |= {os.path.normpath(folder / one["path"]) for one in told["outs"]}
    messages = " ".join(d.message for d in made.diagnostics)
    for path in sorted({p for s in made.stages for p in (*s.reads_files, *s.writes_files)}):
        where = os.path.normpath(f"{cwd}/{path}")
        if any(where == o or where.startswith(f"{o}/") or o.startswith(f"{where}/") for o in listed):
            row.tracked += 1
        elif path in messages:
            row.told += 1
        else:
            row.findings.append(f"tracked {path} is not")


def check_same(row: Row, one: Path, other: Path) -> None:
    """The same files with the same bytes."""
    trees = [
        {p.relative_to(out).as_posix(): p for p in out.rglob("*") if p.is_file() and ".git" not in p.parts}
        for out in (one, other)
    ]
    row.findings += [f"same {name} is in one conversion only" for name in sorted(trees[0].keys() ^ trees[1].keys())]
    for name in sorted(trees[0].keys() & trees[1].keys()):
        if trees[0][name].read_bytes() != trees[1][name].read_bytes():
            row.findings.append(f"same {name} differs")


def checked(job: dict[str, str], work: Path, error: str) -> Row:
    """All checks of one notebook's package."""
    row = Row(job["id"], error)
    if error:
        return row
    one, other = (work / seed / job["id"] for seed in SEEDS)
    package = package_of(one)
    check_ruff(row, Path(job["notebook"]), package)
    check_files(row, Path(job["notebook"]), package)
    check_dvc(row, one)
    check_pickle(row, package)
    check_tracked(row, job, one)
    check_same(row, one, other)
    return row


def table(rows: list[Row]) -> str:
    """A line a notebook, the findings below it, and the sums."""
    lines = []
    for row in rows:
        verdict = row.error or ("clean" if not row.findings else f"{len(row.findings)} finding(s)")
        lines.append(f"{row.id[:60]:60} {row.stages:3} stages {row.lines:5} lines {row.excused:3} excused  {verdict}")
        lines += [f"    {finding}" for finding in row.findings]
    kinds = Counter(finding.partition(" ")[0] for row in rows for finding in row.findings)
    clean = sum(not row.findings and not row.error for row in rows)
    lines.append(f"\n{clean} of {len(rows)} clean, {sum(bool(row.error) for row in rows)} not converted")
    tracked, told = sum(r.tracked for r in rows), sum(r.told for r in rows)
    lines.append(f"{tracked} files tracked, {told} only told of; {sum(r.in_place for r in rows)} without workspace/")
    lines += [f"{count:5} {kind}" for kind, count in kinds.most_common()]
    return "\n".join(lines)


def main() -> int:
    """Convert, check, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--manifest", type=Path, action="append", required=True)
    parser.add_argument("--work", type=Path, required=True, help="a folder for the packages")
    parser.add_argument("--json", type=Path, help="a file for the result")
    parser.add_argument("--id", action="append", default=[], help="only notebooks whose id holds this")
    arguments = parser.parse_args()
    work = arguments.work.resolve()
    todo = jobs(arguments.corpus, arguments.manifest, arguments.id)
    errors = convert_all(work, todo)
    rows = [checked(job, work, errors[job["id"]]) for job in todo]
    print(table(rows))
    if arguments.json:
        kept = [{"id": r.id, "error": r.error, "findings": r.findings, "excused": r.excused} for r in rows]
        arguments.json.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")
    return any(row.error or row.findings for row in rows)


if __name__ == "__main__":
    sys.exit(main())
