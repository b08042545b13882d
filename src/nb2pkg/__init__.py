"""nb2pkg turns a Jupyter notebook into a Python package with a DVC pipeline that reproduces it.

`nb2pkg.convert(notebook, out)` writes the package, `nb2pkg.plan(notebook)` shows what it would write.
"""

from nb2pkg.errors import Nb2pkgError, NotebookError, OutputError
from nb2pkg.pipeline import Converted, Options, convert, plan

__all__ = ["Converted", "Nb2pkgError", "NotebookError", "Options", "OutputError", "convert", "plan"]
