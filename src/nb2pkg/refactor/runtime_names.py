"""What the modules of a package import from the modules that are copied into it, and under which name."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from nb2pkg.analyse import Program

RUNTIME = ("artifacts", "report", "workspace")
"""The modules that are copied into each package; `metrics` is where a stage logs any."""
OBJECTS = (
    "HIGHEST_PROTOCOL",
    "dump_joblib",
    "load_object",
    "load_pandas",
    "object_from_bytes",
    "object_to_bytes",
    "read_object",
    "save_object",
    "save_pandas",
    "write_object",
)
"""What artifacts.py does in the place of pickle."""
OFFERED = {
    "UNBOUND": "artifacts",
    "load": "artifacts",
    "load_random_state": "artifacts",
    "load_together": "artifacts",
    "save": "artifacts",
    "save_random_state": "artifacts",
    "save_together": "artifacts",
    **dict.fromkeys(OBJECTS, "artifacts"),
    "cell": "report",
    "log_confusion": "metrics",
    "log_curves": "metrics",
    "log_metric": "metrics",
    "log_metrics": "metrics",
    "log_precision_recall": "metrics",
    "log_roc": "metrics",
    "record_metrics": "metrics",
    "show": "report",
    "stage": "report",
    "working_folder": "workspace",
}
"""What the modules import from them."""
RUNTIME_MODULES = frozenset({*OFFERED.values(), "downloads", "transfer"})
"""Every module that may be copied into a package."""


def local_names(program: Program) -> dict[str, str]:
    """The runtime's own names, with a `_` before those that the notebook uses (or may use) itself."""
    offered = (*OFFERED, "main", "settings")
    names = mentioned(s.node for s in program.statements)
    if any(s.effects.dynamic for s in program.statements):
        names.update(OFFERED)
    local: dict[str, str] = {}
    for name in offered:
        new = name
        while new in names:
            new = f"_{new}"
        local[name] = new
    return local


def mentioned(nodes: Iterable[ast.AST]) -> set[str]:
    """Every name that the code has in any place, but attributes."""
    names: set[str] = set()
    for node in nodes:
        for part in ast.walk(node):
            match part:
                case ast.Name(id=name) | ast.arg(arg=name):
                    names.add(name)
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    names.add(part.name)
                case ast.alias():
                    names.add((part.asname or part.name).partition(".")[0])
                case ast.Global() | ast.Nonlocal():
                    names.update(part.names)
                case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                    names.add(name)
    return names
