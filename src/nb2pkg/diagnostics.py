"""Diagnostics: what could not be kept or had to be guessed, each with a stable code.

The families: N0xx reading the file, N1xx magics and shell lines, N2xx analysis, N3xx sections and stages,
N4xx files and data, N5xx randomness, N6xx emitting and writing, N7xx verifying, N8xx secrets,
N9xx migrating a repository.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One doubt: `code`, the 0-based index of the `cell` (None: the notebook), the 1-based `line` in it."""

    code: str
    message: str
    cell: int | None = None
    line: int | None = None
    severity: Severity = "warning"

    def __str__(self) -> str:
        """`cell 3, line 2: warning N101: …`, counting cells from one as people do."""
        place = "notebook" if self.cell is None else f"cell {self.cell + 1}"
        if self.line is not None:
            place += f", line {self.line}"
        return f"{place}: {self.severity} {self.code}: {self.message}"
