"""The markdown headings of a notebook: ATX, setext and HTML, but not those inside fences or indented code."""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from nb2pkg.notebook import Notebook

PROSE_LIMIT = 400
_LONGEST_SETEXT = 120

_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*$")
_TIGHT_ATX = re.compile(r" {0,3}(#{1,6})([^\s#!].*?)[ \t]*#*[ \t]*$")
"""`##Title`, which classic Jupyter and Colab show as a heading."""
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
_HTML = re.compile(r"<h([1-6])\b[^>]*>(.*?)</h\1\s*>", re.IGNORECASE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_CODE_SPAN = re.compile(r"(?<!`)(`+)(?!`)([^\n]*?)(?<!`)\1(?!`)")
_NOT_PARAGRAPH = re.compile(r" {0,3}(?:[-*+]\s|\d+[.)]\s|>|\||<[/!a-zA-Z]|(?:[-*_]\s*){3,}$)")

_NUMBERING = re.compile(
    r"""(?:(?:step|part|section|chapter|task|exercise|question|stage|phase|notebook|lesson|lab)\s*\#?\s*)(?:\d+(?:\.\d+)*|[ivx]+)\b[\s.):–—-]*
      | \(?(?:\d+(?:\.\d+)*[a-z]?|[ivx]+|[a-z])[.):]+[\s.):–—-]*(?=\D)
      | \d+(?:\.\d+)+\s+
      | \d+\s*[–—-]\s+
      | \d+\s+(?-i:(?=[A-Z]))""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: the place of its cell among the notebook's cells, its level (1-6), and its plain text."""

    place: int
    level: int
    text: str
    prose: str
    """The first paragraph after it in the same cell, plain, maybe empty."""
    parent: int
    """The index, among the notebook's headings, of the shallower heading that it stands under; -1 for none."""


def headings(notebook: Notebook) -> tuple[Heading, ...]:
    """All headings in the notebook's order."""
    found: list[Heading] = []
    for place, cell in enumerate(notebook.cells):
        if cell.kind != "markdown":
            continue
        for level, text, prose in headings_of(cell.source):
            parent = len(found) - 1
            while parent >= 0 and found[parent].level >= level:
                parent = found[parent].parent
            found.append(Heading(place, level, text, prose, parent))
    return tuple(found)


def headings_of(source: str) -> tuple[tuple[int, str, str], ...]:
    """(level, plain text, prose) of each heading in one cell's markdown."""
    lines = _without_code(source)
    spots = sorted(_spots(lines))
    found: list[tuple[int, str, str]] = []
    for number, (_, after, level, raw) in enumerate(spots):
        text = without_numbering(plain(raw)).strip(" :.-–—\t")
        if text:
            stop = spots[number + 1][0] if number + 1 < len(spots) else len(lines)
            found.append((level, text, _first_paragraph(lines[after:stop])))
    return tuple(found)


def plain(text: str) -> str:
    """Markdown or HTML as plain text on one line, without emoji."""
    text = re.sub(r"!\[[^\]]*\](?:\([^)]*\)|\[[^\]]*\])", " ", text)
    text = re.sub(r"\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])", r"\1", text)
    text = html.unescape(re.sub(r"</?[a-zA-Z][^>]*>", " ", text))
    text = re.sub(r"\*+|~~|`+|(?<!\w)_+(?=\S)|(?<=\S)_+(?!\w)", "", text)
    text = re.sub(r"\\([#*_.()\[\]!`>-])", r"\1", text)
    text = re.sub(r"(?<!\w):[a-z][a-z0-9_+]+:(?!\w)", " ", text)
    text = re.sub(r"[\u200d\u20e3\ufe0e\ufe0f]", "", text)
    text = "".join(" " if unicodedata.category(char) in {"So", "Cs", "Co", "Cc", "Cf"} else char for char in text)
    text = re.sub("[\U0001f3fb-\U0001f3ff]", "", text)
    return " ".join(text.split())


def without_numbering(text: str) -> str:
    """The heading without `2.1`, `Step 3:` or `IV.` before it, unless nothing else is there."""
    match = _NUMBERING.match(text)
    rest = text[match.end() :] if match else text
    return rest if any(char.isalpha() for char in rest) else text


def _without_code(source: str) -> list[str]:
    """The lines, with those of fences, indented code and comments made empty."""
    source = _COMMENT.sub(lambda match: "\n" * match[0].count("\n"), source)
    lines: list[str] = []
    fence = ""
    for line in source.splitlines():
        text = line.expandtabs(4)
        mark = _FENCE.match(text)
        if fence:
            closes = mark and mark[1].startswith(fence) and not text.strip(" " + fence[0])
            fence = "" if closes else fence
            lines.append("")
        elif mark:
            fence = mark[1]
            lines.append("")
        elif text.startswith("    ") and not (lines and lines[-1].strip()):
            lines.append("")
        else:
            lines.append(text)
    return lines


def _spots(lines: list[str]) -> Iterator[tuple[int, int, int, str]]:
    """(first line, line after it, level, raw text) of each heading."""
    paragraph = 0  # the first line of the paragraph that may become a setext heading
    for number, line in enumerate(lines):
        atx = _ATX.match(line)
        if atx is None and (line.lstrip().startswith("##") or not any(map(str.strip, lines[:number]))):
            atx = _TIGHT_ATX.match(line)
        under = _UNDERLINE.match(line)
        if atx:
            yield number, number + 1, len(atx[1]), atx[2] or ""
            paragraph = number + 1
        elif under and paragraph < number:
            text = " ".join(lines[paragraph:number])
            if len(text) <= _LONGEST_SETEXT:
                yield paragraph, number + 1, 1 if under[1][0] == "=" else 2, text
            paragraph = number + 1
        elif not line.strip() or _NOT_PARAGRAPH.match(line):
            paragraph = number + 1
    text = _CODE_SPAN.sub(lambda match: " " * len(match[0]), "\n".join(lines))
    for tag in _HTML.finditer(text):
        first = text.count("\n", 0, tag.start())
        if not _ATX.match(lines[first]):
            raw = "\n".join(lines)[tag.start(2) : tag.end(2)]
            yield first, text.count("\n", 0, tag.end()) + 1, int(tag[1]), raw


def _first_paragraph(lines: list[str]) -> str:
    """The first paragraph with words in it, plain and cut at a word."""
    for block in re.split(r"\n\s*\n", "\n".join(lines)):
        text = plain(re.sub(r"(?m)^\s*(?:[-*+]\s+|>\s?)", "", block))
        if any(char.isalpha() for char in text) and not text.startswith("|"):
            if len(text) > PROSE_LIMIT:
                text = text[: PROSE_LIMIT - 1].rsplit(" ", 1)[0] + "…"
            return text
    return ""
