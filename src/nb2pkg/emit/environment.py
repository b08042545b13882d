"""The environment of a notebook's time: what a package's pyproject.toml and README say of the day that it is made for.

uv takes no distribution that is newer than a day (`exclude-newer`), which holds for what builds and tests too: the
package itself is not built then, since its tools are of today.
"""

from __future__ import annotations


def uv_table(as_of: str) -> str:
    """The table `[tool.uv]` for the day; empty where there is none."""
    return f'\n[tool.uv]\nexclude-newer = "{as_of}T23:59:59Z"\npackage = false\n' if as_of else ""


def setup_of(
    as_of: str, pinned: str = "what the notebook needs, in the versions that it had"
) -> tuple[tuple[str, str], ...]:
    """The commands that make the environment, of the day or (where there is none) of pinned versions, each with what it
    does, which is `pinned` for the latter."""
    if not as_of:
        return (("pip install -e .", pinned), ("pip install dvc", "once, if you do not have DVC"))
    return (
        ("uv sync --python 3.8", f".venv with what there was on {as_of}, which uv looks up now"),
        (". .venv/bin/activate", ""),
        ("uv tool install dvc", "once, if you do not have DVC; it is of today"),
    )


def about(as_of: str) -> list[str]:
    """What the README says of the day."""
    if not as_of:
        return []
    return [
        "",
        f"No version is pinned: `[tool.uv]` of pyproject.toml leaves out what is newer than {as_of}, the day that this",
        "code was last known to run. `uv lock` writes down what that gives; a later day in `exclude-newer` gives newer",
        f"packages. Without uv's project: `uv pip install --exclude-newer {as_of} -r pyproject.toml`.",
    ]
