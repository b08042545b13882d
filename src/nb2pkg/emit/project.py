"""The files around the modules: pyproject.toml, dvc.yaml, README.md, what git and DVC ignore, the smoke test.

All of it is written without DVC or a YAML library, which take longer to import than a conversion does.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass

from nb2pkg.emit.environment import about, setup_of, uv_table
from nb2pkg.emit.format import LINE_LENGTH
from nb2pkg.plan.types import Overrides

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_YAML_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_LOST = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Plot:
    """A folder of plots: of images, or of data that a template draws with these fields on its axes."""

    path: str
    template: str = ""
    x: str = ""
    y: str = ""


@dataclass(frozen=True, slots=True)
class DvcStage:
    """A stage of dvc.yaml; all paths posix, from the package's root."""

    name: str
    module: str
    """The module that `python -m` runs, by full name."""
    desc: str
    deps: tuple[str, ...]
    params: tuple[str, ...]
    """Names of constants in `const_path`."""
    const_path: str
    outs: tuple[str, ...]
    uncached_outs: tuple[str, ...]
    metrics: tuple[str, ...]
    plots: tuple[Plot, ...]
    cells: tuple[str, ...]
    """The ids of the cells that it comes from; DVC does not look at them."""
    reads: tuple[str, ...] = ()
    """All files that it reads, whether or not anything makes them; not written."""
    reads_unknown: bool = False
    """It may read files that nobody can name; not written."""
    arguments: tuple[str, ...] = ()
    """What the module is given on its command line."""
    shared_params: tuple[str, tuple[str, ...]] = ("", ())
    """Another file, and the names of constants in it: those that several notebooks have in common."""


@dataclass(frozen=True, slots=True)
class ReadmeStage:
    """A row of the README's table of stages."""

    name: str
    title: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


def quoted(text: str) -> str:
    """A double-quoted string that JSON, YAML 1.2 and TOML read alike."""
    plain = json.dumps(_LOST.sub("\ufffd", text), ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda m: f"\\u{ord(m[0]):04x}", plain)


def yaml_string(text: str) -> str:
    """A YAML string: bare where no reader takes it for anything else."""
    if _PLAIN.fullmatch(text) and text.lower() not in _YAML_WORDS:
        return text
    return quoted(text)


def _dvc_string(text: str) -> str:
    """A YAML string of dvc.yaml, where `${` begins an interpolation."""
    return yaml_string(_escaped(text))


def _escaped(text: str) -> str:
    return text.replace("${", "\\${")


def dvc_yaml(stages: Iterable[DvcStage]) -> str:
    """The pipeline, in the order of the stages. What goes to reports/ and metrics/ is small and meant for git, so
    DVC does not cache it."""
    lines: list[str] = []
    for stage in stages:
        lines += [f"  {yaml_string(stage.name)}:"]
        if stage.desc:
            lines.append(f"    desc: {_dvc_string(stage.desc)}")
        words = "".join(f" {shlex.quote(word)}" for word in stage.arguments)
        command = f"python -m {stage.module}{words}"
        lines.append(f"    cmd: {_dvc_string(command) if words else command}")
        lines += _block("deps", (_item(d) for d in stage.deps))
        files = [(path, names) for path, names in ((stage.const_path, stage.params), stage.shared_params) if names]
        lines += _block("params", (_parameters(path, names) for path, names in files))
        lines += _block("outs", (*(_item(o) for o in stage.outs), *(_uncached(o) for o in stage.uncached_outs)))
        lines += _block("metrics", (_uncached(m) for m in stage.metrics))
        lines += _block("plots", map(_plot, stage.plots))
        if stage.cells:
            ids = ", ".join(quoted(_escaped(cell)) for cell in stage.cells)
            lines.append(f"    meta:\n      cells: [{ids}]")
    return "\n".join(["stages:" if lines else "stages: {}", *lines]) + "\n"


def _block(key: str, items: Iterable[str]) -> list[str]:
    found = list(items)
    return [f"    {key}:", *found] if found else []


def _parameters(path: str, names: Iterable[str]) -> str:
    return f"      - {_dvc_string(path)}:" + "".join(f"\n          - {_dvc_string(name)}" for name in names)


def _item(path: str) -> str:
    return f"      - {_dvc_string(path)}"


def _uncached(path: str) -> str:
    return f"      - {_dvc_string(path)}:\n          cache: false"


def _plot(plot: Plot) -> str:
    fields = (("template", plot.template), ("x", plot.x), ("y", plot.y))
    return _uncached(plot.path) + "".join(f"\n          {key}: {_dvc_string(value)}" for key, value in fields if value)


def pyproject(
    package: str,
    requirements: Iterable[str],
    python: str,
    description: str,
    line_length: int = 100,
    modules: Iterable[str] = (),
    overrides: Overrides | None = None,
    as_of: str = "",
) -> str:
    """The package's pyproject.toml; `python` is the version that the notebook recorded, or empty.

    `modules` are the paths of the modules that lie beside the package, from its root. `as_of` is the day whose packages
    it wants, or empty.
    """
    paths = sorted(modules)
    single = [quoted(path.removesuffix(".py")) for path in paths if "/" not in path]
    folders = {path.rpartition("/")[0].replace("/", ".") for path in paths if path.endswith("/__init__.py")}
    packages = ", ".join(quoted(name) for name in sorted({package, *folders}))
    listed = f"py-modules = [{', '.join(single)}]\n" if single else ""
    wanted = "".join(f"    {quoted(r)},\n" for r in requirements)
    ran = f"  # the notebook last ran on {python}" if re.fullmatch(r"\d+(\.\d+)*", python, re.ASCII) else ""
    tools = '"pytest"' if as_of else '"dvc>=3.50", "pytest>=7"'
    return (
        '[build-system]\nrequires = ["setuptools>=68"]\nbuild-backend = "setuptools.build_meta"\n\n'
        f'[project]\nname = {quoted(package.replace("_", "-"))}\nversion = "0.1.0"\n'
        f"description = {quoted(' '.join(description.split()) or package)}\n"
        f'readme = "README.md"\nrequires-python = ">=3.8"{ran}\n'
        f"dependencies = [\n{wanted}]\n\n"
        f"[project.optional-dependencies]\ndev = [{tools}]\n\n"
        f"[tool.setuptools]\npackages = [{packages}]\n{listed}\n"
        f"[tool.black]\nline-length = {line_length}\n\n[tool.ruff]\nline-length = {line_length}\n\n"
        '[tool.pytest.ini_options]\ntestpaths = ["tests"]\n'
        + uv_table(as_of)
    ) + _overrides_table(overrides or Overrides())


def _overrides_table(overrides: Overrides) -> str:
    """What the next conversion has to leave off, and where."""
    named = {name: getattr(overrides, name) for name in ("joined", "unlifted", "unwrapped")}
    lines = [f"{name} = [{', '.join(map(quoted, cells))}]\n" for name, cells in named.items() if cells]
    lines += ["keep_layout = true\n"] * overrides.keep_layout
    return "".join(["\n[tool.nb2pkg]\n", *lines]) if lines else ""


def gitignore(outs: Iterable[str], tracked: Iterable[str], *, workspace: bool = True) -> str:
    """All that git must not hold. Complete by ourselves: DVC adds its own lines only after a whole `repro`."""
    fixed = ["__pycache__/", "*.egg-info/", ".ipynb_checkpoints/", ".pytest_cache/", ".venv/", "/.env", "/dvc_plots"]
    # What the stages leave in the working folder, known or not.
    if workspace:
        fixed.append("/workspace/")
    return "\n".join([*fixed, *sorted({ignored(path) for path in (*outs, *tracked)})]) + "\n"


def ignored(path: str) -> str:
    """The line of .gitignore for exactly this path from the root."""
    line = "/" + re.sub(r"([\\*?\[\]])", r"\\\1", path)
    line = re.sub(r"[\r\n]", "?", line)
    return line[:-1] + "\\ " if line.endswith(" ") else line


def env_example(names: Iterable[str]) -> str:
    """The variables of the environment that stages read, without their values."""
    head = "# Secrets of the notebook. Copy to .env, fill in, and load before a run: set -a; . ./.env; set +a\n"
    return head + "".join(f"{name}=\n" for name in dict.fromkeys(names))


def dvcignore() -> str:
    """What DVC does not look at."""
    return "__pycache__\n.ipynb_checkpoints\n"


def dvc_config() -> str:
    """DVC's configuration: a converted notebook is nobody's statistics."""
    return "[core]\n    analytics = false\n"


def dvc_internal_gitignore() -> str:
    """What git ignores in DVC's own folder."""
    return "/config.local\n/tmp\n/cache\n"


def license_note(found: str | None = None) -> str:
    """The LICENSE found beside the notebook, else a word on whose it is to choose."""
    if found is not None:
        return found
    return (
        "The code of this package comes from a notebook, and its licence is for the notebook's owner to choose.\n"
        "Put the text of the licence here. Until then, all rights stay with the owner.\n"
    )


def readme(
    package: str,
    notebook: str,
    stages: tuple[ReadmeStage, ...],
    told: tuple[str, ...] = (),
    data: tuple[str, ...] = (),
    *,
    constants: bool = True,
    workspace: bool = True,
    metrics: bool = False,
    secrets: tuple[str, ...] = (),
    as_of: str = "",
) -> str:
    """The README of the emitted package: what it is, how to run it, its stages, its data, and what was doubted."""
    first = stages[0].name if stages else "stage"
    commands = (
        *setup_of(as_of),
        ("dvc repro", "everything, from the data to the last figure; only what changed runs again"),
        (f"python -m {package}", "all stages in one process, nothing stored in between"),
        (f"python -m {package}.{first}", "one stage, from this folder"),
    )
    width = max(len(command) for command, _ in commands)
    what = f"The notebook `{notebook}` as a Python package: a module a section, a DVC stage a module."
    lines = [f"# {package}", "", what]
    lines += ["", "## Run it", "", "```sh", *(f"{c:<{width}}  # {why}" if why else c for c, why in commands), "```"]
    lines += about(as_of)
    lines += ["", "## Stages", "", "| stage | what it does | takes | gives |", "|---|---|---|---|"]
    for stage in stages:
        cells = (f"`{stage.name}`", _cell(stage.title), _codes(stage.inputs), _codes(stage.outputs))
        lines.append(f"| {' | '.join(cells)} |")
    lines.append("")
    if constants:
        lines += [
            f"Constants stand in `{package}/const.py`: edit one, and `dvc repro` runs the stages that use it.",
            f"`dvc exp run -S '{package}/const.py:NAME=0.5'` does it for numbers and booleans; DVC's editor leaves",
            "strings and tuples as they are, so edit those in the file. A path also stands in `dvc.yaml`: change both.",
        ]
    lines.append("What the notebook shows is kept in `reports/outputs/`, its figures in `reports/figures/`.")
    if workspace:
        lines += [
            "The stages run in `workspace/`, where the notebook's own paths mean what they meant; what they hand on",
            "lies in `data/interim/`.",
        ]
    else:
        lines += [
            "What the notebook reads lies in `data/raw/`, what it writes in `models/`, `data/processed/` and",
            "`reports/`, what its stages hand on in `data/interim/`. Run them in this folder.",
        ]
    if metrics:
        lines += [
            "Scores are kept in `metrics/`: `dvc metrics show` and `dvc metrics diff` list them, and `dvc plots show`",
            "draws the figures, learning curves and confusion matrices.",
        ]
    if secrets:
        named = ", ".join(f"`{name}`" for name in secrets)
        lines += ["", "## Secrets", "", f"Not in this repository; set in the environment before a run: {named}."]
        lines += ["`.env.example` lists them: copy it to `.env`, which git ignores, and fill it in."]
    if data:
        lines += ["", "## Data", "", "Kept by DVC, not by git:", "", *(f"- `{path}`" for path in data)]
    if told:
        lines += ["", "## What to know", "", *(f"- {' '.join(text.split())}" for text in told)]
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{_cell(name)}`" for name in names)


_TESTS = '''\
"""Each stage can be imported, takes what the pipeline gives it, and stands in dvc.yaml."""

import importlib
import inspect
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = {package}
STAGES = {stages}


@pytest.mark.parametrize(("module", "function", "parameters"), STAGES)
def test_stage(module, function, parameters, monkeypatch):
    monkeypatch.syspath_prepend(ROOT)
    stage = importlib.import_module(f"{{PACKAGE}}.{{module}}")
    assert callable(stage.{main})
    assert list(inspect.signature(getattr(stage, function)).parameters) == parameters


@pytest.mark.parametrize("module", [module for module, _, _ in STAGES])
def test_stage_is_in_the_pipeline(module):
    text = (ROOT / "dvc.yaml").read_text(encoding="utf-8")
    commands = re.findall(r"cmd: python -m (\\S+)", text)
    assert f"{{PACKAGE}}.{{module}}" in commands
'''


def tests_module(package: str, stages: Iterable[tuple[str, str, tuple[str, ...]]], main: str = "main") -> str:
    """A smoke test of each stage: (module in the package, function, parameters). As Black writes it."""
    rows = [_row(*stage) for stage in stages]
    table = "[\n" + "".join(rows) + "]" if rows else "[]"
    return _TESTS.format(package=quoted(package), stages=table, main=main)


def _row(module: str, function: str, parameters: tuple[str, ...]) -> str:
    names = "[" + ", ".join(quoted(p) for p in parameters) + "]"
    line = f"    ({quoted(module)}, {quoted(function)}, {names}),\n"
    if len(line) <= LINE_LENGTH + 1:
        return line
    if len(names) > LINE_LENGTH - 9:
        names = "[\n" + "".join(f"            {quoted(p)},\n" for p in parameters) + "        ]"
    return f"    (\n        {quoted(module)},\n        {quoted(function)},\n        {names},\n    ),\n"
