"""What travels between the parts of a migration: plain frozen values that pickle, from the scan to the report.

    scan      sources -> Repository              notebooks found, with what git knows of them
    survey    Task -> Outcome[Survey]            one notebook: what it defines, reads and writes
    decide    [Survey] -> [Assignment]           names, links over notebooks, code that is shared
    convert   Task -> Outcome[Part]              one notebook: its subpackage
    merge     [Part] -> out/                     one package, one pipeline
    report    Migration -> HTML and JSON         a row a notebook
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from nb2pkg.diagnostics import Diagnostic

if TYPE_CHECKING:
    from nb2pkg.emit.part import Part
    from nb2pkg.migrate.survey import Survey
    from nb2pkg.pipeline import Options

Step = Literal["survey", "convert"]
Status = Literal["done", "refused", "crashed", "timeout", "memory", "killed"]
"""`refused`: the user's input, with a diagnostic. `crashed`: a bug of ours. `killed`: its process went away."""


@dataclass(frozen=True, slots=True)
class Found:
    """A notebook of a repository. All paths are posix, from the repository's root."""

    path: str
    sha256: str
    size: int
    """Bytes."""
    committed: str = ""
    """The date of its last commit (ISO 8601, UTC), empty where git does not know it."""
    copies: tuple[str, ...] = ()
    """Notebooks with the same bytes that do the same, which are not converted again."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """A file that an outcome depends on, as it was: another one makes the outcome stale."""

    path: str
    """Posix, from the repository's root; a file that was looked for and not found is listed too."""
    state: str
    """`sha256:…` of what was read, `size:mtime` of data that was only seen, empty where there was nothing."""


@dataclass(frozen=True, slots=True)
class Task:
    """One notebook's work, for any process or machine that sees the repository."""

    step: Step
    root: str
    """The repository's folder on the disk."""
    notebook: Found
    options: Options
    """Without paths of this machine."""
    surroundings: str = ""
    """A digest of which files there are in the repository: which of its texts are paths depends on that."""

    @property
    def name(self) -> str:
        """What people call it."""
        return self.notebook.path


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a task. Equal for equal input, but for what `figures` holds."""

    step: Step
    path: str
    """The notebook's, from the repository's root."""
    status: Status
    value: Survey | Part | None = None
    diagnostics: tuple[Diagnostic, ...] = ()
    message: str = ""
    """Why there is no value, in one line."""
    depends: tuple[Fingerprint, ...] = ()
    """Files besides the notebook itself."""
    figures: Figures | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """What a task took."""

    seconds: float
    """Wall time."""
    cpu_seconds: float
    peak_memory: int
    """Bytes, of the process that ran it, highest so far."""


# -- the result, as the report has it ------------------------------------------------------------------------------

RowStatus = Literal["whole", "doubts", "refused", "crashed", "timeout", "memory", "copy"]
"""`whole`: came over, nothing told but notes. `doubts`: came over, with warnings that need a person. `copy`: has the
same bytes as another notebook."""


@dataclass(frozen=True, slots=True)
class Row:
    """One notebook of the report."""

    notebook: str
    """Posix, from the repository's root."""
    status: RowStatus
    subpackage: str = ""
    """Full dotted name; empty where nothing came of it."""
    message: str = ""
    """Why it was refused or crashed, or what it is a copy of."""
    stages: tuple[str, ...] = ()
    """Names in dvc.yaml."""
    constants: int = 0
    cells: int = 0
    """Code cells."""
    python: str = ""
    """The version that the notebook recorded."""
    upgraded: bool = False
    """It, or a file that it brings in, was Python 2."""
    committed: str = ""
    diagnostics: tuple[Diagnostic, ...] = ()
    equivalence: Literal["", "equivalent", "differs", "failed", "not run"] = ""
    """Empty where nobody asked for it."""


@dataclass(frozen=True, slots=True)
class Link:
    """A file that one notebook writes and another reads."""

    producer: str
    consumer: str
    """Notebooks, from the repository's root."""
    file: str


@dataclass(frozen=True, slots=True)
class SharedCode:
    """A function or class that stands in several notebooks."""

    name: str
    module: str
    """The module that defines it once, full dotted name; empty for near copies, which stay apart."""
    notebooks: tuple[str, ...]
    texts: tuple[str, ...] = ()
    """Of near copies: one text a notebook, in their order."""


@dataclass(frozen=True, slots=True)
class Migration:
    """What became of one repository."""

    source: str
    """The repository's name."""
    package: str
    rows: tuple[Row, ...]
    links: tuple[Link, ...] = ()
    shared: tuple[SharedCode, ...] = ()
    diagnostics: tuple[Diagnostic, ...] = field(default=())
    """On the repository as a whole: missing producers, cycles, two makers of a file."""
