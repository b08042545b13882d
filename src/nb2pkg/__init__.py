"""nb2pkg turns a Jupyter notebook into a Python package with a DVC pipeline that reproduces it.

`nb2pkg.convert(notebook, out)` writes the package, `nb2pkg.pipeline.plan(notebook)` shows what it would write.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from nb2pkg.errors import Nb2pkgError, NotebookError, OutputError

if TYPE_CHECKING:
    from nb2pkg.pipeline import Converted, Options, convert

__all__ = ["Converted", "Nb2pkgError", "NotebookError", "Options", "OutputError", "convert"]


def __getattr__(name: str) -> object:
    """The passes are imported when they are asked for: `nb2pkg --help` needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from nb2pkg import pipeline

    return getattr(pipeline, name)
