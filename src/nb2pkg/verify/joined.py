"""The verification of a package of many notebooks: one `dvc repro` for all, and each notebook beside its share of it.

A notebook runs among the files that those before it have made in their own runs, not in the package's, so that nothing
of the package is on its side.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from nb2pkg.verify.check import VerifyOptions, checked, not_run
from nb2pkg.verify.compare import observed
from nb2pkg.verify.environment import Interpreter, interpreter
from nb2pkg.verify.members import Joined, Member, read_joined, searched
from nb2pkg.verify.progress import Progress, Silent
from nb2pkg.verify.publish import joined_parts, publish_joined
from nb2pkg.verify.reference import Reference
from nb2pkg.verify.report import JoinedReport, MemberReport, Report
from nb2pkg.verify.reproduction import Ran, Reproduction, run_pipeline, share
from nb2pkg.verify.scratch import scratch


def verify_joined(out: Path, options: VerifyOptions | None = None, progress: Progress | None = None) -> JoinedReport:
    """Run the notebooks and the package of `out`, compare them, and write the report into its reports/."""
    options, progress = options or VerifyOptions(), progress or Silent()
    joined = read_joined(out.resolve())
    python = interpreter(options.python, options.kernel)
    with scratch(*joined_parts(joined.whole.root)) as folder:
        report = _Verification(joined, python, folder, options, progress).report()
        publish_joined(report, joined.whole.root)
    return report


class _Named:
    """A progress that says whose run it is."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name

    def begin(self, what: str, total: int) -> None:
        self._progress.begin(f"{self._name}: {what}", total)

    def step(self, name: str) -> None:
        self._progress.step(name)

    def end(self) -> None:
        self._progress.end()


class _Verification:
    """All runs of both sides, each made when it is asked for."""

    def __init__(
        self, joined: Joined, python: Interpreter, folder: Path, options: VerifyOptions, progress: Progress
    ) -> None:
        self._joined = joined
        self._python = python
        self._folder = folder
        self._options = options
        self._progress = progress
        self._references: dict[str, Reference] = {}
        self._pipelines: dict[bool, Ran] = {}
        self._reports: dict[str, MemberReport] = {}

    def report(self) -> JoinedReport:
        """The report on all notebooks."""
        for number, member in enumerate(self._joined.members):
            place = self._folder / f"member-{number}"
            place.mkdir()
            self._reports[member.path] = self._of(member, self._checked(member, place))
        return JoinedReport(
            package=self._joined.whole.title,
            python=self._python.path,
            package_seconds=self._pipeline(again=False).seconds,
            members=tuple(self._reports.values()),
        )

    def _of(self, member: Member, report: Report) -> MemberReport:
        wrong = [path for path in sorted(member.needs) if self._reports[path].equivalence == "differs"]
        index = {cell.id: cell.index for cell in member.package.cells}
        cell = index.get(report.different[0].cell) if report.different else report.cell
        return MemberReport(member.path, report, member.upgraded, tuple(wrong), cell)

    def _checked(self, member: Member, place: Path) -> Report:
        package = member.package
        reference = Reference(
            package,
            self._python,
            place,
            timeout=self._options.timeout,
            observed=observed(package),
            progress=_Named(self._progress, member.path),
            given=(lambda number: self._given(member, number)) if member.needs else None,
        )
        self._references[member.path] = reference
        if why := self._hindered(member):
            return not_run(package, self._python, "not run", why)

        def reproduced(again: bool) -> Reproduction:
            return share(package, self._pipeline(again=again))

        return checked(package, reference, self._python, place, reproduced, searched(package))

    def _hindered(self, member: Member) -> str:
        """Why the notebook can't be compared, whatever it does itself; empty where it can."""
        for other in self._joined.before(member):
            found = self._reports[other.path].report
            if found.verdict == "notebook fails":
                return f"it needs {other.path}, which fails by itself in {found.reason}"
            if found.verdict == "package fails":
                return f"it needs {other.path}, whose package fails in {found.reason}"
            if found.verdict == "not run":
                return f"it needs {other.path}, which was not run"
        ran = self._pipeline(again=False)
        own = [stage.name for stage in member.package.stages]
        missing = [name for name in own if name not in ran.begun]
        places = [failure.place for failure in ran.failures]
        if missing and ran.failures and "" not in places and not any(place in own for place in places):
            how = "which it waits for fails" if ran.ended else "took the time that there was"
            return f"stage {missing[0]} was not run: stage {places[0]} {how}: {ran.failures[0].error}"
        return ""

    def _pipeline(self, *, again: bool) -> Ran:
        if again not in self._pipelines:
            place = self._folder / ("again" if again else "first")
            place.mkdir()
            limit = self._options.timeout
            self._pipelines[again] = run_pipeline(
                self._joined.whole,
                self._python,
                place,
                timeout=limit * max(len(self._joined.members), 1) if limit is not None else None,
                progress=self._progress,
                keep_going=True,
            )
        return self._pipelines[again]

    def _given(self, member: Member, number: int) -> Mapping[str, Path]:
        """What the notebooks before it have made for a run, by path from the repository's root: all of it in one
        layout, of another one what it reads."""
        found: dict[str, Path] = {}
        for other in self._joined.before(member):
            read = [file for path, file in member.reads if path == other.path and file]
            one_layout = other.package.workspace == member.package.workspace
            run = self._references[other.path].run(number)
            for path, copy in run.files:
                there = other.from_root(path)
                if one_layout or any(there == file or there.startswith(f"{file}/") for file in read):
                    found[there] = run.folder / copy
        return found
