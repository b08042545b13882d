"""What goes wrong with the user's input: one line that says which file, which cell, what, and what to do."""

from __future__ import annotations

from functools import partial


class Nb2pkgError(Exception):
    """The input can't be converted as it is; the command line prints the message and exits with status 2."""

    def __init__(self, code: str, message: str, *, file: str = "", cell: int | None = None) -> None:
        """Keep the diagnostic `code`, what is wrong and what to do, the file, and the cell's 0-based index."""
        where = file
        if cell is not None:
            where = f"{file}, cell {cell + 1}" if file else f"cell {cell + 1}"
        super().__init__(f"{where}: {message} [{code}]" if where else f"{message} [{code}]")
        self.code = code
        self.message = message
        self.file = file
        self.cell = cell

    def __reduce__(self) -> tuple[object, ...]:
        """So that it travels between processes."""
        return partial(type(self), file=self.file, cell=self.cell), (self.code, self.message)


class NotebookError(Nb2pkgError):
    """The file is no notebook, or one in a language that is not Python 3."""


class OutputError(Nb2pkgError):
    """The output folder can't be written, or holds files that nobody allowed to be replaced."""
