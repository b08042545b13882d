"""The day that a repository's environment is made for: that of its notebooks' last commit, when they were known to run.

With `--modernize` it is today's, since the code is made to fit that.
"""

from __future__ import annotations

from dataclasses import replace

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.migrate.scan import Repository
from nb2pkg.pipeline import Options
from nb2pkg.plan.requirements import FIRST_DAY


def of_its_time(options: Options, repository: Repository) -> tuple[Options, tuple[Diagnostic, ...]]:
    """The options with the day, where the user named none and git knows one, and what is told of it."""
    days = [notebook.committed[:10] for notebook in repository.notebooks if notebook.committed]
    if options.as_of or options.modernize or not days:
        return options, ()
    last = max(days)
    if last >= FIRST_DAY:
        return replace(options, as_of=last), ()
    message = f"the last commit of a notebook is of {last}: the environment is that of {FIRST_DAY}, the first day whose"
    message = f"{message} packages run on a Python that the package runs on"
    return replace(options, as_of=FIRST_DAY), (Diagnostic("N907", message, severity="info"),)
