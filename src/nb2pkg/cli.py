"""The command line: a thin shell on `nb2pkg.pipeline`, which decides nothing."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nb2pkg.errors import Nb2pkgError

if TYPE_CHECKING:
    from collections.abc import Callable

    from nb2pkg.migrate import Migrated
    from nb2pkg.pipeline import Options


class _Default(click.Group):
    """A group whose first word, where it is no subcommand, belongs to `convert`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put `convert` in front of a notebook's path."""
        if args and args[0] not in self.commands and args[0] not in ("--help", "--version"):
            args = ["convert", *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; Ctrl-C ends it with one line, and status 130 as a shell gives it."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            goes_on = ctx.invoked_subcommand in ("migrate", "verify")
            click.echo(f"nb2pkg: interrupted{'; the same command goes on where it was' if goes_on else ''}", err=True)
            sys.exit(130)


@click.group(cls=_Default)
@click.version_option(package_name="nb2pkg")
def main() -> None:
    """Turn a Jupyter notebook into a Python package with a DVC pipeline.

    \b
    nb2pkg NOTEBOOK OUT         write the package of NOTEBOOK to the folder OUT
                                (its options: nb2pkg convert --help)
    nb2pkg plan NOTEBOOK        show what would be written, and why
    nb2pkg verify OUT           run the notebook and the package of OUT, and compare what both did
    nb2pkg migrate REPO... OUT  make one package of all notebooks of a repository, and a report
    """


_NOTEBOOK = click.argument("notebook", type=click.Path(path_type=Path))
_CWD = click.option(
    "--cwd", type=click.Path(path_type=Path, exists=True, file_okay=False), help="The folder that the notebook runs in."
)
_PACKAGE = click.option("--package", default=None, help="The package's name (default: from the notebook's).")
_ONE = click.option("--one-stage/--many-stages", default=None, help="Do not cut the notebook: one stage.")
_SEED = click.option("--seed", type=int, default=None, help="Seed every call that draws without one; changes results.")
_LIFT = click.option("--lift/--no-lift", default=None, help="Make constants of literals inside of calls (default: do).")
_AS_OF = click.option(
    "--as-of",
    metavar="DAY",
    type=click.DateTime(["%Y-%m-%d"]),
    callback=lambda _context, _option, day: day.date().isoformat() if day is not None else None,
    help="Want the packages of a day (2016-03-01), not the versions of today.",
)
_MODERN = click.option(
    "--modernize/--no-modernize", default=None, help="Write what libraries have no longer as it is now, if sure."
)
_KEEP = click.option(
    "--keep-layout/--move-files", default=None, help="Leave the notebook's files where they are, below workspace/."
)


@main.command(name="convert", hidden=True)
@_NOTEBOOK
@click.argument("out", type=click.Path(path_type=Path))
@_PACKAGE
@_CWD
@_ONE
@_LIFT
@_SEED
@_MODERN
@_KEEP
@click.option("--python", default=None, help="The interpreter whose installed versions are pinned.")
@_AS_OF
@click.option("--force", is_flag=True, help="Replace a package that is there (never files edited by hand).")
@click.option("--git/--no-git", default=None, help="Make a git repository (default: do).")
@click.option("--verify", "verified", is_flag=True, help="Run the notebook and the package, and repair what differs.")
@click.option("--profile", "profiled", is_flag=True, help="Run the notebook once, and plan with what is seen.")
@click.option("--kernel", default=None, help="With --verify or --profile: the Jupyter kernel that it runs in.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="With these: seconds for each run.")
def convert_command(
    notebook: Path,
    out: Path,
    verified: bool,
    profiled: bool,
    kernel: str | None,
    timeout: float | None,
    **options: Any,
) -> None:
    """Write the package of NOTEBOOK to the folder OUT."""
    from nb2pkg.pipeline import convert
    from nb2pkg.settings import options_for

    report = None
    try:
        chosen = options_for(notebook, out, **options)
        if profiled:
            chosen = _profiled(notebook, chosen, kernel, timeout)
        if verified:
            from nb2pkg.repair import convert_verified
            from nb2pkg.verify.bar import Bar

            result, report = convert_verified(notebook, out, chosen, kernel, timeout, Bar())
        else:
            result = convert(notebook, out, chosen)
    except Nb2pkgError as error:
        click.echo(f"nb2pkg: {error}", err=True)
        sys.exit(2)
    for diagnostic in result.diagnostics:
        click.echo(str(diagnostic), err=True)
    names = ", ".join(s.name for s in result.plan.stages)
    click.echo(f"{out}: package {result.plan.package}, {len(result.plan.stages)} stage(s): {names}")
    if report is not None:
        from nb2pkg.verify.terminal import table

        click.echo(table(report))
    click.echo(f"next: cd {out} && dvc repro")
    sys.exit(0 if report is None or report.verdict == "equivalent" else 1)


def _profiled(notebook: Path, options: Options, kernel: str | None, timeout: float | None) -> Options:
    """The options with what a run of the notebook has shown, which is told."""
    from dataclasses import replace

    from nb2pkg.profile import profile
    from nb2pkg.verify.bar import Bar

    facts, told = profile(notebook, options, kernel, timeout, Bar())
    for diagnostic in told:
        click.echo(str(diagnostic), err=True)
    click.echo(facts.as_text(), err=True)
    return replace(options, facts=facts)


@main.command()
@_NOTEBOOK
@_PACKAGE
@_CWD
@_ONE
@_LIFT
@_SEED
@_MODERN
@click.option("--profile", "profiled", is_flag=True, help="Run the notebook once, and plan with what is seen.")
@click.option("--python", default=None, help="With --profile: the interpreter that it runs in.")
@_KEEP
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def plan(notebook: Path, as_json: bool, profiled: bool, **options: Any) -> None:
    """Show the stages that NOTEBOOK falls into, what crosses between them, and every doubt."""
    import json

    from nb2pkg.pipeline import plan as make
    from nb2pkg.settings import options_for

    try:
        chosen = options_for(notebook, **options)
        if profiled:
            chosen = _profiled(notebook, chosen, None, None)
        made = make(notebook, chosen)
    except Nb2pkgError as error:
        click.echo(f"nb2pkg: {error}", err=True)
        sys.exit(2)
    if as_json:
        found = made.as_json() | ({"profile": chosen.facts.as_json()} if chosen.facts else {})
        click.echo(json.dumps(found, indent=2))
    else:
        click.echo(made.as_text())


@main.command()
@click.argument("out", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--python", default=None, help="The interpreter of the notebook (default: this one).")
@click.option("--kernel", default=None, help="The Jupyter kernel that names it instead.")
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Seconds for each run.")
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def verify(out: Path, python: str | None, kernel: str | None, timeout: float | None, as_json: bool) -> None:
    """Run the notebook kept in OUT and its package in scratch copies, and compare them cell by cell; of a package of
    many notebooks, each of them.

    This runs the notebook's code, at least twice. Exit status 0: everything compared is equal.
    """
    import json

    from nb2pkg.verify.bar import Bar
    from nb2pkg.verify.check import VerifyOptions
    from nb2pkg.verify.check import verify as check
    from nb2pkg.verify.members import is_joined
    from nb2pkg.verify.terminal import joined_table, table

    options = VerifyOptions(python, kernel, timeout)
    try:
        if is_joined(out.resolve()):
            from nb2pkg.migrate.verified import verify_migrated

            joined, _, told = verify_migrated(out.resolve(), options, Bar())
            for diagnostic in told:
                click.echo(str(diagnostic), err=True)
            found, shown, equivalent = joined.as_json(), joined_table(joined), joined.equivalent
        else:
            report = check(out, options, Bar())
            found, shown, equivalent = report.as_json(), table(report), report.verdict == "equivalent"
    except Nb2pkgError as error:
        click.echo(f"nb2pkg: {error}", err=True)
        sys.exit(2)
    click.echo(json.dumps(found, indent=1) if as_json else shown)
    sys.exit(0 if equivalent else 1)


@main.command()
@click.argument("sources", nargs=-1, required=True)
@click.argument("out")
@_PACKAGE
@_ONE
@_LIFT
@_SEED
@_MODERN
@_AS_OF
@click.option("--python", default=None, help="The interpreter whose installed versions are pinned.")
@click.option("--force", is_flag=True, help="Replace a package that is there (never files edited by hand).")
@click.option("--git/--no-git", default=True, help="Make a git repository (default: do).")
@click.option("--jobs", type=click.IntRange(min=1), help="Processes (default: one a processor).")
@click.option(
    "--timeout", type=click.FloatRange(min=0, min_open=True), default=600, help="Seconds for each notebook (600)."
)
@click.option("--memory-limit", type=click.IntRange(min=64), help="Megabytes for each notebook.")
@click.option("--scheduler", default="", help="A Dask scheduler (tcp://host:port) whose workers do the work.")
@click.option("--verify", "verified", is_flag=True, help="Run the notebooks and the package, and compare them.")
@click.option("--kernel", default=None, help="With --verify: the Jupyter kernel that the notebooks run in.")
@click.option("--run-timeout", type=click.FloatRange(min=0, min_open=True), help="With it: seconds for each run.")
@click.option("--json", "as_json", is_flag=True, help="The report for machines.")
def migrate(
    sources: tuple[str, ...],
    out: str,
    package: str | None,
    force: bool,
    git: bool,
    jobs: int | None,
    timeout: float | None,
    memory_limit: int | None,
    scheduler: str,
    verified: bool,
    kernel: str | None,
    run_timeout: float | None,
    as_json: bool,
    **options: Any,
) -> None:
    """Make one package, with one pipeline, of all notebooks of a repository; of several SOURCES, a package each in
    OUT. What they are may be folders or URLs (s3://...).

    Runs nothing of them, without --verify. What was done is kept beside OUT: run it again after an interruption, and it
    goes on. Exit status 0: every notebook came over (and is equivalent, if that was asked); 1: some did not, the report
    says which.
    """
    import json
    import os

    from nb2pkg.migrate import MigrateOptions
    from nb2pkg.migrate.progress import Bar
    from nb2pkg.migrate.report import as_json as report
    from nb2pkg.migrate.report import text
    from nb2pkg.migrate.run import How
    from nb2pkg.migrate.session import migrate_all
    from nb2pkg.pipeline import Options

    chosen = MigrateOptions(
        package=package or "",
        notebook=Options(**{name: value for name, value in options.items() if value is not None}),
        force=force,
        git=git,
    )
    how = How(
        jobs=jobs or os.cpu_count() or 1,
        timeout=timeout,
        memory_limit=memory_limit * 2**20 if memory_limit else None,
        scheduler=scheduler,
    )
    try:
        if verified:
            made = migrate_all(sources, out, chosen, how, Bar(), then=_verifier(options["python"], kernel, run_timeout))
        else:
            made = migrate_all(sources, out, chosen, how, Bar())
    except Nb2pkgError as error:
        click.echo(f"nb2pkg: {error}", err=True)
        sys.exit(2)
    for one in made:
        for diagnostic in one.diagnostics:
            click.echo(str(diagnostic), err=True)
        if not as_json:
            click.echo(text(one.migration))
    if as_json:
        click.echo(json.dumps(report([one.migration for one in made]), indent=1))
    else:
        click.echo(f"next: see {out}/migration.html" + (f"; cd {out} && dvc repro" if len(made) == 1 else ""))
    rows = [row for one in made for row in one.migration.rows if row.status != "copy"]
    failed = any(row.status not in ("whole", "doubts") for row in rows)
    failed = failed or (verified and any(row.equivalence != "equivalent" for row in rows))
    sys.exit(1 if failed or any(not one.migration.rows for one in made) else 0)


def _verifier(python: str | None, kernel: str | None, timeout: float | None) -> Callable[[Migrated], Migrated]:
    """Verifies a package once it is written; raises Nb2pkgError where nothing can be run here."""
    from nb2pkg.migrate.verified import verified
    from nb2pkg.verify.bar import Bar
    from nb2pkg.verify.check import VerifyOptions
    from nb2pkg.verify.environment import interpreter

    interpreter(python, kernel)
    return lambda made: verified(made, VerifyOptions(python, kernel, timeout), Bar())
