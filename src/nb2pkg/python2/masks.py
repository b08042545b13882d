"""Magics out of the way and back: a cell's magics become names that any Python parses, and are put back afterwards.

    %matplotlib inline      →   __nb2pkg_0__
    files = !ls             →   files = __nb2pkg_1__
    %timeit f(x)            →   __nb2pkg_2__; f(x)          what it times is Python

What goes in here: text, line by line. A line that only looks like a magic (in a string) comes back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from nb2pkg.magic_names import BARE_WORDS, TIMED_CELL

PYTHON_BODY = frozenset({"time", "capture"}) | TIMED_CELL
"""Cell magics over Python."""
FILE_BODY = frozenset({"writefile", "file"})
"""Cell magics over a file's text."""
_TIMED = re.compile(r"(%(?:time|timeit|prun|lprun|memit|mprun)\s+(?:-\w+(?:\s*\d+|\s+\S+(?=\s+-))?\s+)*)(\S.*)")
_LINE = re.compile(
    r"(?P<before>[ \t]*(?:[A-Za-z_][\w.,\[\] \t'\"]*=[ \t]*)?)"
    r"(?P<magic>%{1,2}[A-Za-z]\w*\b.*|!.*|\?{1,2}[\w.%].*|(?<==)%[A-Za-z].*)"
)
_HELP = re.compile(r"(?P<before>[ \t]*)(?P<magic>%{0,2}[A-Za-z_*][\w.*]*\?{1,2}[ \t;]*(?:#.*)?)")
_MARK = re.compile(r"__nb2pkg_(\d+)__(;\s?)?")


@dataclass(frozen=True, slots=True)
class Masked:
    """A cell in pieces: the line of its cell magic (with what stands above), its text, and what the masks stand for."""

    head: str
    magic: str
    """The cell magic's name; empty where there is none."""
    text: str
    hidden: tuple[str, ...] = ()

    def whole(self, text: str) -> str:
        """The cell with `text` in the place of its own, and the magics back in theirs."""
        return self.head + _MARK.sub(lambda match: self.hidden[int(match[1])], text)


def split(source: str) -> Masked:
    """The cell without its cell magic, nothing masked."""
    rest = source.lstrip("\n")
    match = re.match(r"%%([A-Za-z!]\w*)[^\n]*(?:\n|$)", rest)
    if match is None:
        return Masked("", "", source)
    end = len(source) - len(rest) + match.end()
    return Masked(source[:end], match[1], source[end:])


def masked(cell: Masked, parses: Callable[[str], bool]) -> Masked:
    """The cell with every line that looks like a magic masked; `parses` says whether a text is Python."""
    hidden: list[str] = []
    rows: list[str] = []
    lines = cell.text.split("\n")
    while lines:
        row = lines.pop(0)
        match = _HELP.fullmatch(row) or _LINE.fullmatch(row) or _automagic(row)
        if match is None or row.lstrip().startswith("#"):
            rows.append(row)
            continue
        magic, rest = match["magic"], ""
        timed = _TIMED.fullmatch(magic)
        if timed and not match["before"].strip() and parses(timed[2]):
            magic, rest = timed[1], f"; {timed[2]}"
        else:
            while magic.endswith("\\") and lines:
                magic += "\n" + lines.pop(0)
        rows.append(f"{match['before']}__nb2pkg_{len(hidden)}__{rest}")
        hidden.append(magic)
    return Masked(cell.head, cell.magic, "\n".join(rows), tuple(hidden))


def _automagic(row: str) -> re.Match[str] | None:
    """`cd ..`, `ls *.csv`: a command without its `%`."""
    match = re.fullmatch(r"(?P<before>[ \t]*)(?P<magic>(\w+)(?:[ \t]+[^=(,.\s].*|[ \t]+\.{1,2}(?:/.*)?))", row)
    return match if match and match[3] in BARE_WORDS else None
