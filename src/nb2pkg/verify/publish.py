"""Writes the report: reports/equivalence.json for machines, and reports/equivalence.html, one file, for people."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable
from pathlib import Path

from nb2pkg.errors import OutputError
from nb2pkg.pages import document, json_text, part, put
from nb2pkg.verify.lines import LineDifference
from nb2pkg.verify.report import KINDS, STATUSES, Check, Report
from nb2pkg.verify.terminal import summary

JSON, HTML = "reports/equivalence.json", "reports/equivalence.html"
_STYLE = """
.equal { color: var(--good); } .different { color: var(--bad); font-weight: 600; } .other { color: var(--unsure); }
img { max-width: 32rem; border: 1px solid var(--line); }
figure { display: inline-block; margin: .5rem; vertical-align: top; }
"""


def parts(root: Path) -> tuple[Path, ...]:
    """Where the files are written before they are put in place, to be removed if that never happens."""
    return tuple(part(root / name) for name in (JSON, HTML))


def publish(report: Report, root: Path) -> None:
    """Write both files, each whole or not at all."""
    for name, content in ((JSON, json_text(report.as_json())), (HTML, page(report))):
        try:
            put(root / name, content)
        except OSError as error:
            raise OutputError("N704", f"can't be written: {error.strerror or error}", file=str(root / name)) from error


def page(report: Report) -> str:
    """The report as one HTML file that needs no other."""
    rows = "".join(_row(check) for check in report.checks)
    heads = "".join(f"<th>{status}</th>" for status in STATUSES)
    counts = ""
    for kind in KINDS:
        numbers = "".join(f"<td class=n>{report.count(kind, status) or '-'}</td>" for status in STATUSES)
        counts += f"<tr><td>{kind}</td>{numbers}</tr>"
    title = f"{report.package}: {report.verdict}"
    repair = "".join(
        f"<tr><td>{_text(step.change)}</td><td>{_text(step.why)}</td><td>{'yes' if step.helped else 'no'}</td></tr>"
        for step in report.repair
    )
    if repair:
        repair = f"<h2>Repair</h2><table><tr><th>change<th>because of<th>helped</tr>{repair}</table>"
    body = (
        f"<h1>{_text(title)}</h1><p>{_text(summary(report))}</p>"
        f"<table><tr><th></th>{heads}</tr>{counts}</table>{repair}"
        f"<h2>Everything that was compared</h2><table><tr><th>what<th>stage<th>status<th>detail</tr>{rows}</table>"
        f"<p>Notebook: {_text(report.notebook)}, run {report.runs} times with {_text(report.python)}.</p>"
    )
    return document(title, body, _STYLE)


def _row(check: Check) -> str:
    style = check.status if check.status in ("equal", "different") else "other"
    detail = _text(check.detail) + "".join(map(_lines, check.lines)) + _figures(check)
    what = check.name if check.kind in ("figure", "stage") else f"{check.kind}: {check.name}"
    return (
        f"<tr><td>{_text(what)}</td><td>{_text(check.stage)}</td>"
        f"<td class={style}>{check.status}</td><td>{detail}</td></tr>"
    )


def _lines(difference: LineDifference) -> str:
    def shown(lines: Iterable[str], style: str, mark: str) -> str:
        return "".join(f"<pre class={style}>{mark} {_text(line)}</pre>" for line in lines)

    both = shown(difference.expected, "lost", "-") + shown(difference.got, "new", "+")
    return f"<div>line {difference.line}{both}</div>"


def _figures(check: Check) -> str:
    shown = [_image(path, who) for path, who in ((check.expected, "notebook"), (check.got, "package")) if path]
    return f"<div>{''.join(shown)}</div>" if shown else ""


def _image(path: str, who: str) -> str:
    kind = {".png": "image/png", ".jpg": "image/jpeg", ".svg": "image/svg+xml"}.get(Path(path).suffix)
    if kind is None or not Path(path).is_file():
        return f"<figure><figcaption>{who}: no image</figcaption></figure>"
    data = base64.b64encode(Path(path).read_bytes()).decode()
    return f'<figure><figcaption>{who}</figcaption><img alt="{who}" src="data:{kind};base64,{data}"></figure>'


def _text(text: str) -> str:
    return html.escape(text)
