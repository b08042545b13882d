"""Writes the report: reports/equivalence.json for machines, and reports/equivalence.html, one file, for people."""

from __future__ import annotations

import base64
import html
import shutil
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from nb2pkg.errors import OutputError
from nb2pkg.pages import document, json_text, part, put
from nb2pkg.verify.lines import LineDifference
from nb2pkg.verify.report import KINDS, STATUSES, Check, JoinedReport, MemberReport, Report
from nb2pkg.verify.terminal import joined_summary, summary

REPORTS = JSON, HTML = "reports/equivalence.json", "reports/equivalence.html"
PAGES = "reports/equivalence"
"""The folder of the pages of a package's notebooks, where it has many."""
_STYLE = """
.equal { color: var(--good); } .different { color: var(--bad); font-weight: 600; } .other { color: var(--unsure); }
img { max-width: 32rem; border: 1px solid var(--line); }
figure { display: inline-block; margin: .5rem; vertical-align: top; }
"""


def parts(root: Path) -> tuple[Path, ...]:
    """Where the files are written before they are put in place, to be removed if that never happens."""
    return tuple(part(root / name) for name in (JSON, HTML))


def joined_parts(root: Path) -> tuple[Path, ...]:
    """The same of a report on many notebooks."""
    return (*parts(root), part(root / PAGES))


def publish(report: Report, root: Path) -> None:
    """Write both files, each whole or not at all."""
    _put_all(root, json_text(report.as_json()), page(report))


def publish_joined(report: JoinedReport, root: Path) -> None:
    """Write both files, and a page for each notebook into a folder beside them."""
    folder, staged = root / PAGES, part(root / PAGES)
    try:
        shutil.rmtree(staged, ignore_errors=True)
        for member in report.members:
            put(staged / _page_name(member), page(member.report, f"{member.path}: {member.equivalence}"))
        shutil.rmtree(folder, ignore_errors=True)
        staged.rename(folder)
    except OSError as error:
        raise OutputError("N704", f"can't be written: {error.strerror or error}", file=str(folder)) from error
    _put_all(root, json_text(report.as_json()), joined_page(report))


def _put_all(root: Path, machines: str, people: str) -> None:
    for name, content in ((JSON, machines), (HTML, people)):
        try:
            put(root / name, content)
        except OSError as error:
            raise OutputError("N704", f"can't be written: {error.strerror or error}", file=str(root / name)) from error


def joined_page(report: JoinedReport) -> str:
    """The table of the notebooks, each with the page that has its details."""
    heads = "".join(f"<th>{word}" for word in ("notebook", "result", "why", "subpackage", "stages", *STATUSES[:4]))
    rows = "".join(map(_member_row, report.members))
    body = (
        f"<h1>{_text(report.package)}</h1><p>{_text(joined_summary(report))}</p>"
        f"<table><tr>{heads}</tr>{rows}</table>"
        f"<p>Each notebook was run with {_text(report.python)}, among the files that those before it had made; "
        f"the package by <code>dvc repro</code>, in {report.package_seconds:.0f} s.</p>"
    )
    return document(f"{report.package}: equivalence", body, _STYLE)


def _member_row(member: MemberReport) -> str:
    report = member.report
    style = {"equivalent": "equal", "differs": "different"}.get(member.equivalence, "other")
    link = f'<a href="{Path(PAGES).name}/{quote(_page_name(member))}">{_text(member.path)}</a>'
    numbers = "".join(f"<td class=n>{sum(report.count(k, s) for k in KINDS) or '-'}</td>" for s in STATUSES[:4])
    return (
        f"<tr><td>{link}</td><td class={style}>{member.equivalence}</td><td>{_text(member.reason)}</td>"
        f"<td>{_text(report.package)}</td><td class=n>{len(report.stages)}</td>{numbers}</tr>"
    )


def _page_name(member: MemberReport) -> str:
    return f"{member.report.package.partition('.')[2] or member.report.package}.html"


def page(report: Report, title: str = "") -> str:
    """The report as one HTML file that needs no other."""
    rows = "".join(_row(check) for check in report.checks)
    heads = "".join(f"<th>{status}</th>" for status in STATUSES)
    counts = ""
    for kind in KINDS:
        numbers = "".join(f"<td class=n>{report.count(kind, status) or '-'}</td>" for status in STATUSES)
        counts += f"<tr><td>{kind}</td>{numbers}</tr>"
    title = title or f"{report.package}: {report.verdict}"
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
