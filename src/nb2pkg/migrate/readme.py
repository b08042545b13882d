"""The README of a package of many notebooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.emit.environment import about, setup_of
from nb2pkg.emit.part import Part
from nb2pkg.migrate.decide import Decision

MOST_DATA = 40
"""Data files that are listed by name."""


def readme(
    decision: Decision,
    parts: Mapping[str, Part],
    order: Sequence[str],
    data: Sequence[str],
    secrets: Sequence[str],
    told: Sequence[Diagnostic],
    as_of: str = "",
) -> str:
    """What the package is, how to run it, its notebooks, its data, and what was doubted."""
    package = decision.package
    first = parts[order[0]] if order else None
    commands = [
        *setup_of(as_of, "what the notebooks need"),
        ("dvc repro", "everything, from the data to the last figure; only what changed runs again"),
        ("dvc dag", "how the stages of all notebooks hang together"),
    ]
    if first is not None and first.stages:
        commands.append((f"dvc repro {first.stages[-1].name}", "one notebook's last stage, and all that it needs"))
    width = max(len(command) for command, _ in commands)
    lines = [f"# {package}", "", "A package of notebooks: a subpackage a notebook, a module a section, one pipeline."]
    lines += ["", "## Run it", "", "```sh", *(f"{c:<{width}}  # {why}" if why else c for c, why in commands), "```"]
    lines += about(as_of)
    lines += ["", "## Notebooks", "", "| notebook | subpackage | stages |", "|---|---|---|"]
    for path in order:
        part = parts[path]
        names = ", ".join(f"`{stage.name}`" for stage in part.stages)
        lines.append(f"| {_cell(path)} | `{part.package}` | {names} |")
    lines += ["", "Each subpackage has its constants in its `const.py`: edit one, and `dvc repro` runs what uses it."]
    if decision.shared.modules:
        named = ", ".join(f"`{m.name}`" for m in decision.shared.modules)
        lines.append(f"What several notebooks define stands once, in {named}.")
    lines += [
        "The stages run in `workspace/`, which has the repository's own layout, so that the notebooks' paths mean what",
        "they meant; one that would write over what others need runs below `workspaces/`.",
    ]
    if secrets:
        named = ", ".join(f"`{name}`" for name in secrets)
        lines += ["", "## Secrets", "", f"Not in this repository; set in the environment before a run: {named}."]
        lines += ["`.env.example` lists them: copy it to `.env`, which git ignores, and fill it in."]
    if data:
        lines += ["", "## Data", "", "Kept by DVC, not by git:", "", *(f"- `{path}`" for path in data[:MOST_DATA])]
        lines += [f"- and {len(data) - MOST_DATA} more"] if len(data) > MOST_DATA else []
    doubts = [str(d) for d in (*decision.links.diagnostics, *told)]
    doubts += [f"{path}: {d}" for path in order for d in parts[path].diagnostics if d.severity != "info"]
    if doubts:
        lines += ["", "## What to know", "", *(f"- {' '.join(text.split())}" for text in doubts)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
