"""Does `nb2pkg verify` catch what is wrong with a package? Faults are put into those of examples/, one at a time.

    mutations.py [--json RESULT] [--only WORD ...] [--seed N]

Each package is verified as it is, which has to pass, and then once for each fault, which must not. The faults are
written down below, each a text of one file that becomes another; `--seed` adds faults drawn at random: a number or a
comparison in a stage's function changed, a statement left out. Those may change nothing that can be seen, so the ones
that slip by are listed to be looked at and do not count. The exit status is 0 when every written fault is caught.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from nb2pkg.pipeline import Options, convert
from nb2pkg.verify.check import verify

EXAMPLES = Path(__file__).parent.parent / "examples"
NOTEBOOKS = {
    "tidy": "tidy/churn.ipynb",
    "seeded": "seeded/bootstrap.ipynb",
    "messy": "messy/sales.ipynb",
    "shell": "shell/weather.ipynb",
}


@dataclass(frozen=True, slots=True)
class Fault:
    """A text of one of a package's files that becomes another."""

    kind: str
    package: str
    file: str
    old: str
    new: str
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """How the verification of a fault came out."""

    fault: Fault
    verdict: str
    said: str
    seconds: float

    @property
    def caught(self) -> bool:
        """Whether it was seen."""
        return self.verdict in ("different", "package fails")


PLOT = '    importance.tail(8).plot.barh(figsize=(6, 3), title="What the forest looks at")\n'
SEEDS, LAST = "bootstrap/bootstrap_heights_weights.py", "sales/explore_2.py"
SETTINGS = "        settings.from_bootstrap_heights_weights()\n"
TWICE = "print(tmp.round(2));print(tmp.round(2))"
ALOUD = 'len(hot), file=__import__("sys").stderr)'
SAVED = 'importlib.import_module("numpy").save(file, value'
TRAIN = "        baseline, model = train(X_train_scaled, y_train)\n"

WRITTEN = (
    Fault("dropped mutation", "tidy", "churn/clean.py", '    df["region"] = df["region"].fillna("unknown")\n', ""),
    Fault("dropped mutation", "seeded", "bootstrap/noise_stage.py", '["weight"] += noise', '["weight"] + noise'),
    Fault("dropped mutation", "messy", "sales/functions.py", ".fillna(default_price)", ""),
    Fault("swapped arguments", "tidy", "churn/evaluate.py", "matrix(y_test, predicted)", "matrix(predicted, y_test)"),
    Fault("swapped arguments", "messy", "sales/functions.py", "m.predict(a) - b", "m.predict(a) + b"),
    Fault("swapped values", "seeded", "bootstrap/conclusion.py", "high, low = load", "low, high = load"),
    Fault("swapped artifacts", "tidy", "churn/features_stage.py", "        save(y_test, ", "        save(y_train, "),
    Fault("stale artifact", "tidy", "churn/features_stage.py", "interim/clean/df", "interim/load_data/df"),
    Fault("lost seed", "seeded", SEEDS, "    np.random.seed(SEED)\n", ""),
    Fault("lost seed", "seeded", SEEDS, "    random.seed(SEED)\n", ""),
    Fault("lost random state", "seeded", "bootstrap/split.py", "        load_random_state(", "        str("),
    Fault("stale random state", "seeded", "bootstrap/conclusion.py", "model/random", "bootstrap/random"),
    Fault("lost setting", "seeded", "bootstrap/data_load.py", SETTINGS, ""),
    Fault("other setting", "seeded", "bootstrap/settings.py", "(6, 3)", "(6, 4)"),
    Fault("wrong constant", "tidy", "churn/const.py", "RANDOM_STATE = 42", "RANDOM_STATE = 43"),
    Fault("wrong constant", "tidy", "churn/const.py", "_C = 0.5", "_C = 0.51"),
    Fault("wrong constant", "shell", "weather/const.py", "degree = 3", "degree = 2"),
    Fault("wrong constant", "messy", "sales/predict.py", "lags = [1]", "lags = [2]"),
    Fault("wrong constant", "seeded", "bootstrap/noise_stage.py", "1.5", "1.500001"),
    Fault("missing figure", "tidy", "churn/evaluate.py", PLOT, ""),
    Fault("missing figure", "seeded", "bootstrap/noise_stage.py", "plt.show()", "plt.close()"),
    Fault("other figure", "tidy", "churn/evaluate.py", "What the forest looks at", "What the forest looks ot"),
    Fault("other figure", "seeded", "bootstrap/bootstrap.py", '    ax.axvline(high, color="black")\n', ""),
    Fault("other figure", "messy", LAST, "m.predict(X2)[:60]", "m.predict(X2)[:59]"),
    Fault("figure too much", "seeded", "bootstrap/noise_stage.py", "plt.show()", "plt.show()\n    plt.plot([1])"),
    Fault("truncated file", "messy", LAST, "df.to_csv", "df[:-1].to_csv"),
    Fault("truncated file", "messy", "sales/explore.py", "save_object(df,", "save_object(df[:-1],"),
    Fault("file not written", "messy", LAST, "    df.to_csv(PREDICTIONS_CSV)\n", ""),
    Fault("file of another name", "messy", "sales/const.py", "predictions.csv\"", "prediction.csv\""),
    Fault("file too much", "messy", LAST, "df.to_csv(", 'open("more.txt", "w").close()\n    df.to_csv('),
    Fault("other file", "messy", LAST, "to_csv(PREDICTIONS_CSV", "to_csv(PREDICTIONS_CSV, index=False"),
    Fault("other file", "messy", LAST, "df.to_csv", "df.round(0).to_csv"),
    Fault("other model", "messy", "sales/build_model.py", "save_object(m,", "save_object(Ridge().fit(X, y),"),
    Fault("file not appended to", "shell", "weather/report_save.py", "notebook\" >> report", "notebook\" > report"),
    Fault("stage ends early", "tidy", "churn/train.py", TRAIN, f"        raise SystemExit(0)\n{TRAIN}"),
    Fault("stage ends early", "shell", "weather/download.py", "def download():\n", "def download():\n    exit()\n"),
    Fault("stage fails", "messy", "sales/predict.py", "score(m2", "score(m3"),
    Fault("stage left out", "tidy", "dvc.yaml", "  evaluate:\n", "  evaluate:\n    frozen: true\n"),
    Fault("line not printed", "tidy", "churn/load_data.py", '    print("rows:", len(df))\n', ""),
    Fault("line to standard error", "shell", "weather/prepare.py", "len(hot))", ALOUD),
    Fault("line printed twice", "messy", "sales/explore.py", "print(tmp.round(2))", TWICE),
    Fault("value not displayed", "tidy", "churn/clean.py", 'show(df["churned"]', 'str(df["churned"]'),
    Fault("of another cell", "tidy", "churn/clean.py", 'cell("churn-07")', 'cell("churn-06")'),
    Fault("lossy artifact", "tidy", "churn/artifacts.py", SAVED, f'{SAVED}.astype("f4").astype("f8")'),
    Fault("lost record", "shell", "weather/report.py", 'write_text("".join(lines)', 'write_text("".join(lines[:-1])'),
    Fault("off by one", "shell", "weather/prepare.py", '["temperature"] > 15', '["temperature"] >= 15'),
    Fault("shell line", "shell", "weather/download.py", "head -n 3", "head -n 2"),
)


def drawn(packages: dict[str, Path], count: int, seed: int) -> Iterator[Fault]:
    """Faults at random places of stages' functions."""
    source = random.Random(seed)
    for _ in range(count):
        package, root = source.choice(sorted(packages.items()))
        path = source.choice(sorted(p for p in root.glob("*/*.py") if f'stage("{p.stem}")' in p.read_text("utf-8")))
        text = path.read_text("utf-8")
        body = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == path.stem).body
        node = source.choice([n for n in body if not isinstance(n, ast.Return)])
        lines = text.splitlines(keepends=True)
        old = "".join(lines[node.lineno - 1 : node.end_lineno])
        changed = ast.unparse(_Changed(source).visit(ast.parse(ast.unparse(node))))
        new = "".join(f"    {line}\n" for line in changed.splitlines())
        same = ast.dump(ast.parse(changed)) == ast.dump(ast.parse(ast.unparse(node)))
        name = path.relative_to(root).as_posix()
        yield Fault("statement left out" if same else "changed", package, name, old, "" if same else new, drawn=True)


class _Changed(ast.NodeTransformer):
    """Changes every number and comparison in a statement, but for the first so many of each, drawn."""

    def __init__(self, source: random.Random) -> None:
        self._left = source.randrange(2)

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        """Another number."""
        if isinstance(node.value, bool) or not isinstance(node.value, int | float):
            return node
        self._left -= 1
        return node if self._left >= 0 else ast.Constant(node.value + 1)

    def visit_Compare(self, node: ast.Compare) -> ast.expr:
        """The opposite comparison."""
        self._left -= 1
        return node if self._left >= 0 else ast.UnaryOp(ast.Not(), node)


def stale(fault: Fault, package: Path) -> bool:
    """Whether the package no longer has the text that the fault changes."""
    path = package / fault.file
    return not path.is_file() or fault.old not in path.read_text("utf-8")


def measured(fault: Fault, package: Path, folder: Path) -> Row:
    """Put the fault into a copy of the package, and verify that."""
    start = time.monotonic()
    shutil.copytree(package, folder)
    path = folder / fault.file
    path.write_text(path.read_text("utf-8").replace(fault.old, fault.new, 1), "utf-8")
    report = verify(folder)
    first = next(iter(report.different), None)
    said = f"{first.kind} {first.name}: {first.detail}" if first else ""
    return Row(fault, report.verdict, said, time.monotonic() - start)


def main() -> int:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path, help="where the whole result goes")
    parser.add_argument("--only", nargs="*", default=[], help="only faults of these packages, or with this in the kind")
    parser.add_argument("--seed", type=int, help="add faults drawn with this seed")
    parser.add_argument("--count", type=int, default=20, help="how many are drawn")
    options = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mutations-") as temporary:
        packages: dict[str, Path] = {}
        for name, notebook in NOTEBOOKS.items():
            packages[name] = convert(EXAMPLES / notebook, Path(temporary, name), Options(git=False)).out
        faults = [*WRITTEN, *(drawn(packages, options.count, options.seed) if options.seed is not None else ())]
        if options.only:
            faults = [f for f in faults if f.package in options.only or any(word in f.kind for word in options.only)]
        for fault in faults:
            if stale(fault, packages[fault.package]):
                raise SystemExit(f"{fault.package}: {fault.file} has no {fault.old!r} any more: change the fault")
        for name in sorted({fault.package for fault in faults}):
            if (verdict := verify(packages[name]).verdict) != "equivalent":
                raise SystemExit(f"{name} is {verdict} without any fault")
        for number, fault in enumerate(faults, 1):
            rows.append(measured(fault, packages[fault.package], Path(temporary, f"fault-{number}")))
            row = rows[-1]
            mark = "caught" if row.caught else "SLIPPED"
            print(f"{mark:8} {fault.package:7} {fault.kind:24} {row.seconds:6.1f} s  {row.said[:90]}", flush=True)
            shutil.rmtree(Path(temporary, f"fault-{number}"))
            if options.json:
                options.json.write_text(json.dumps([asdict(r) | {"caught": r.caught} for r in rows], indent=1))
    for drawn_ones in (False, True):
        told = [row for row in rows if row.fault.drawn == drawn_ones]
        if told:
            what = "drawn" if drawn_ones else "written"
            print(f"{sum(row.caught for row in told)} of {len(told)} {what} faults are caught")
    for row in rows:
        if not row.caught:
            print(f"slipped: {row.fault.package}/{row.fault.file}: {row.fault.old!r} -> {row.fault.new!r}")
    return 0 if all(row.caught for row in rows if not row.fault.drawn) else 1


if __name__ == "__main__":
    sys.exit(main())
