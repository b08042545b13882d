"""The report of a migration as people and machines read it: HTML through a parser, JSON through its schema."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import random
import re
import subprocess
import sys
from dataclasses import dataclass, field
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest

from nb2pkg.diagnostics import Diagnostic
from nb2pkg.errors import OutputError
from nb2pkg.migrate.drawing import HEIGHT, WIDTH, draw
from nb2pkg.migrate.near import Pair, side_by_side
from nb2pkg.migrate.page import page
from nb2pkg.migrate.ranking import described, needs
from nb2pkg.migrate.report import as_json, publish, text
from nb2pkg.migrate.types import Link, Migration, Row, SharedCode

BLOCKS = {"div", "li", "ul", "p", "details", "summary"}
VOID = {"meta", "input", "br", "link", "img", "hr"}


@dataclass
class Element:
    """One element of a page."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """All text in it, white space made one blank."""
        whole = "".join(
            child if isinstance(child, str) else f" {child.text} " if child.tag in BLOCKS else child.text
            for child in self.children
        )
        return re.sub(r"\s+", " ", whole).strip()

    def all(self, tag: str, style: str = "", **attributes: str) -> list[Element]:
        """The elements below it with this tag, class and attributes."""
        found = []
        for child in self.children:
            if isinstance(child, Element):
                fits = child.tag == tag and (not style or style in child.attributes.get("class", "").split())
                if fits and all(child.attributes.get(name.replace("_", "-")) == v for name, v in attributes.items()):
                    found.append(child)
                found += child.all(tag, style, **attributes)
        return found


class Parser(HTMLParser):
    """Builds the tree, and fails where what is closed is not what is open."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.open[-1].children.append(element)
        if tag not in VOID:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


def parsed(migrations: list[Migration]) -> Element:
    """The page of these migrations."""
    parser = Parser()
    parser.feed(page(migrations))
    parser.close()
    assert len(parser.open) == 1
    return parser.open[0]


MISSING = Diagnostic("N401", "a.csv is not there", 2, 3)
LAB = Migration(
    "lab",
    "lab",
    (
        Row("a.ipynb", "whole", "lab.a", stages=("a.load", "a.fit"), constants=3, cells=7, python="3.6.5"),
        Row("b.ipynb", "doubts", "lab.b", stages=("b.load",), diagnostics=(MISSING, MISSING)),
        Row("c.ipynb", "doubts", "lab.c", diagnostics=(Diagnostic("N501", "unseeded", 0), MISSING)),
        Row("d.ipynb", "refused", message="%%R", diagnostics=(Diagnostic("N110", "%%R runs R", 3, 1, "error"),)),
        Row("e.ipynb", "crashed", message="KeyError: 'x'"),
        Row("f.ipynb", "timeout", message="more than 60 s"),
        Row("g.ipynb", "copy", message="a.ipynb"),
        Row("h.ipynb", "whole", "lab.h", equivalence="differs", committed="2016-05-01T10:00:00Z"),
    ),
    (
        Link("a.ipynb", "b.ipynb", "data/a.csv"),
        Link("a.ipynb", "b.ipynb", "data/a.pkl"),
        Link("f.ipynb", "b.ipynb", "data/f.csv"),
        Link("b.ipynb", "c.ipynb", "data/b.csv"),
        Link("c.ipynb", "b.ipynb", "data/back.csv"),
        Link("d.ipynb", "c.ipynb", "data/d.csv"),
    ),
    (
        SharedCode("rmse", "lab.shared", ("a.ipynb", "b.ipynb")),
        SharedCode(
            "clean",
            "",
            ("a.ipynb", "b.ipynb", "c.ipynb"),
            (
                "def clean(x):\n    return x < 1\n",
                "def clean(x):\n    return x < 2\n",
                "def clean(x):\n    return x < 1\n",
            ),
        ),
    ),
    (Diagnostic("N612", "data/raw.csv: nobody writes it"), Diagnostic("N613", "ignored", severity="info")),
)


def test_what_needs_a_person_comes_in_the_order_of_its_weight() -> None:
    found = needs([LAB])
    assert [(need.kind, need.code, need.places[0].notebook, need.dependents) for need in found] == [
        ("refused", "N110", "d.ipynb", 2),  # c reads from it, and b from c
        ("timeout", "", "f.ipynb", 2),
        ("crashed", "", "e.ipynb", 0),
        ("equivalence", "", "h.ipynb", 0),
        ("repository", "N612", "", 0),
        ("doubt", "N401", "b.ipynb", 0),  # two notebooks share it
        ("doubt", "N501", "c.ipynb", 0),
    ]
    assert [place.notebook for place in found[5].places] == ["b.ipynb", "c.ipynb"]


def test_a_repository_that_could_not_be_read_comes_first() -> None:
    gone = Migration("gone", "", (), diagnostics=(Diagnostic("N901", "gone: is no folder", severity="error"),))
    assert [need.code for need in needs([LAB, gone])][:2] == ["N901", "N110"]
    assert text(gone).endswith("1. N901: gone: is no folder")


def test_the_page_tells_what_to_do_first() -> None:
    told = [item.text for item in parsed([LAB]).all("ol", "needs")[0].all("li") if "data-kind" in item.attributes]
    assert len(told) == 7
    refused = next(one for one in told if "d.ipynb" in one)
    assert "cell 4, line 1" in refused and "N110" in refused and "write it in Python" in refused
    shared = next(one for one in told if "N401" in one)
    assert shared.startswith("N401 in 2 notebooks: a file that is read is not there")


def test_each_code_that_is_documented_has_its_advice() -> None:
    documented = files("nb2pkg").joinpath("diagnostics.md").read_text(encoding="utf-8")
    codes = re.findall(r"(?m)^\| (N\d{3}) ", documented)
    assert codes and [code for code in codes if not described(code)[0]] == []
    assert described("N100")[1] == "" and described("N401")[1] == "put it at the path before `dvc repro`"


def test_the_table_has_a_row_a_notebook() -> None:
    root = parsed([LAB])
    table = root.all("table", id="table")[0]
    heads = [head.text for head in table.all("thead")[0].all("th")]
    rows = {row.all("th")[0].text: row for row in table.all("tbody")[0].all("tr")}
    assert list(rows) == [row.notebook for row in LAB.rows]
    assert all(len(row.all("td")) + 1 == len(heads) for row in rows.values())

    def cell(notebook: str, head: str) -> str:
        return rows[notebook].all("td")[heads.index(head) - 1].text

    assert cell("a.ipynb", "stages") == "2 a.load a.fit" and cell("a.ipynb", "constants") == "3"
    assert cell("b.ipynb", "diagnostics").startswith("2 warnings cell 3, line 3: warning N401")
    assert (
        cell("d.ipynb", "status") == "refused" and cell("d.ipynb", "diagnostics") == "cell 4, line 1: N110 %%R runs R"
    )
    assert cell("g.ipynb", "diagnostics") == "the same as a.ipynb"
    assert cell("h.ipynb", "equivalence") == "differs" and cell("h.ipynb", "last commit") == "2016-05-01"
    counts = {one.all("dt")[0].text: one.all("dd")[0].text for one in root.all("dl", "counts")[0].all("div")}
    assert counts == {
        "whole": "2", "with doubts": "2", "refused": "1", "crashed": "1", "timed out": "1", "exact copy": "1",
    }  # fmt: skip


def test_links_on_the_page_lead_somewhere_on_it() -> None:
    root = parsed([LAB, LAB])
    ids = [value for tag in ("tr", "h2") for one in root.all(tag) if (value := one.attributes.get("id"))]
    targets = {one.attributes["href"] for one in root.all("a") if "href" in one.attributes}
    assert len(set(ids)) == len(ids) and targets and targets <= {f"#{one}" for one in ids}


def test_the_graph_has_an_arrow_for_each_pair_of_notebooks() -> None:
    svg = parsed([LAB]).all("svg")[0]
    edges = {(g.attributes["data-from"], g.attributes["data-to"]): g for g in svg.all("g", "edge")}
    assert set(edges) == {(link.producer, link.consumer) for link in LAB.links}
    assert edges["a.ipynb", "b.ipynb"].all("title")[0].text == "a.ipynb → b.ipynb: data/a.csv, data/a.pkl"
    assert [way for way, g in edges.items() if "cyclic" in g.attributes["class"]] == [("c.ipynb", "b.ipynb")]
    boxes = {box.attributes["data-notebook"]: box for box in svg.all("a", "box")}
    assert set(boxes) == {"a.ipynb", "b.ipynb", "c.ipynb", "d.ipynb", "f.ipynb"}
    assert boxes["d.ipynb"].all("text")[0].text == "✕ d" and "refused" in boxes["d.ipynb"].attributes["class"]


def test_near_copies_stand_side_by_side() -> None:
    root = parsed([LAB])
    [near] = root.all("details", "near-copies")
    assert near.all("summary")[0].text == "clean: 2 versions in 3 notebooks"
    [diff] = near.all("table", "diff")
    assert [head.text for head in diff.all("thead")[0].all("th")] == ["a.ipynb c.ipynb", "b.ipynb"]
    assert [cell.text for cell in diff.all("td", "lost")] == ["return x < 1"]
    assert [cell.text for cell in diff.all("td", "new")] == ["return x < 2"]
    [once] = root.all("table", "shared")
    assert [cell.text for cell in once.all("td")] == ["rmse", "lab.shared", "a.ipynb b.ipynb"]


def test_long_near_copies_show_what_differs_only() -> None:
    old = [f"line {number}" for number in range(100)]
    new = [*old[:50], "another", *old[51:80], *old[81:]]
    found = list(side_by_side("\n".join(old), "\n".join(new)))
    assert [pair for pair in found if pair.kind == "changed"] == [
        Pair("changed", "line 50", "another"),
        Pair("changed", "line 80", None),
    ]
    assert [pair.kind for pair in found].count("gap") == 3 and len(found) < 20


HOSTILE = (
    "<script>alert(1)</script>.ipynb",
    "\"onmouseover='alert(1)' x=\".ipynb",
    "line\nbreak\r</title></style></svg>.ipynb",
    "{{ 7*7 }}{% raw %}&lt;b&gt;.ipynb",
    "\x1b[31m\u202egnp.ipynb",
    os.fsdecode(b"caf\xe9.ipynb"),
)


def hostile(name: str) -> Migration:
    """A migration with this text wherever text of a notebook can stand."""
    told = Diagnostic("N401", name, 0, 1)
    row = Row(name, "doubts", name, name, (name,), 1, 1, name, True, name, (told,))
    failed = Row(name + "2", "refused", "", name, diagnostics=(Diagnostic("N110", name, 1, 1, "error"),))
    links = (Link(name, name + "2", name), Link(name + "2", name, name))
    shared = (SharedCode(name, name, (name,)), SharedCode(name, "", (name, name + "2"), (name, name + "\nx")))
    return Migration(name, name, (row, failed), links, shared, (told,))


@pytest.mark.parametrize("name", HOSTILE)
def test_names_from_notebooks_are_text(name: str, tmp_path: Path) -> None:
    root = parsed([hostile(name)])
    allowed = {"href", "id", "class", "data-status", "data-sort", "data-kind", "data-from", "data-to", "data-notebook"}
    for tag in ("a", "tr", "td", "g", "li"):
        assert all(set(one.attributes) <= allowed for one in root.all(tag)), tag
    assert len(root.all("script")) == 1 and len(root.all("svg")) == 1 and len(root.all("title")) == 1 + 2 + 2
    names = [one.all("th")[0].text for one in root.all("table", id="table")[0].all("tbody")[0].all("tr")]
    assert names == [re.sub(r"\s+", " ", name), re.sub(r"\s+", " ", name + "2")]
    publish([hostile(name)], tmp_path)
    read = json.loads((tmp_path / "migration.json").read_text(encoding="utf-8"))
    assert read["repositories"][0]["notebooks"][0]["notebook"] == name
    shown = text(hostile(name))
    assert all(line.isprintable() for line in shown.split("\n")) and shown.count("\n") < 9


def test_the_page_fetches_nothing_and_runs_its_own_script_only() -> None:
    whole = page([LAB])
    root = parsed([LAB])
    assert not re.search(r"https?://|@import|url\((?!#)|\bsrc=", whole)
    [script] = root.all("script")
    digest = base64.b64encode(hashlib.sha256("".join(map(str, script.children)).encode()).digest()).decode()
    [policy] = [one.attributes["content"] for one in root.all("meta", http_equiv="Content-Security-Policy")]
    assert f"script-src 'sha256-{digest}'" in policy and "default-src 'none'" in policy


def test_the_json_is_what_its_schema_says_and_tells_all() -> None:
    schema = json.loads(files("nb2pkg.migrate").joinpath("migration.schema.json").read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    found = as_json([LAB, Migration("empty", "empty", ())])
    jsonschema.validate(found, schema)
    assert found["counts"]["notebooks"] == 8 and found["counts"]["doubts"] == 2
    lab = found["repositories"][1]
    assert lab["notebooks"][3]["diagnostics"] == [
        {"code": "N110", "severity": "error", "cell": 3, "line": 1, "message": "%%R runs R"}
    ]
    assert [copy["notebook"] for copy in lab["near_copies"][0]["copies"]] == ["a.ipynb", "b.ipynb", "c.ipynb"]

    def closed(part: object) -> object:
        """The schema, where no key may stand that it does not tell of."""
        if isinstance(part, dict):
            more = {"additionalProperties": False} if part.get("type") == "object" else {}
            return {name: closed(value) for name, value in part.items()} | more
        return [closed(one) for one in part] if isinstance(part, list) else part

    jsonschema.validate(found, closed(schema))


def test_equal_migrations_give_equal_bytes_in_whatever_order(tmp_path: Path) -> None:
    def shuffled(one: Migration) -> Migration:
        parts = [random.Random(5).sample(part, len(part)) for part in (one.rows, one.links, one.shared)]
        return Migration(one.source, one.package, *map(tuple, parts), one.diagnostics[::-1])

    other = Migration("other", "other", LAB.rows[:2])
    publish([LAB, other], tmp_path / "1")
    publish([other, shuffled(LAB)], tmp_path / "2")
    for name in ("migration.html", "migration.json"):
        assert (tmp_path / "1" / name).read_bytes() == (tmp_path / "2" / name).read_bytes()


def test_a_report_that_can_not_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(OutputError, match=r"out.migration\.json: can't be written: .* \[N605\]"):
        publish([LAB], tmp_path / "out")


def test_the_terminal_gets_a_few_lines() -> None:
    lines = text(LAB).split("\n")
    assert lines[0] == ("lab: 8 notebooks: 2 whole, 2 with doubts, 1 refused, 1 crashed, 1 timed out, 1 exact copy")
    assert "  1. d.ipynb, cell 4, line 1: refused: N110: %%R runs R (2 notebooks wait for it)" in lines
    assert lines[-1] == "  … 2 more in migration.html"
    assert text(Migration("none", "none", ())) == "none: 0 notebooks"


def chained(count: int, seed: int) -> list[Link]:
    """Links between so many notebooks, with some cycles."""
    choice = random.Random(seed)
    pairs = [(choice.randrange(count), choice.randrange(count)) for _ in range(count)]
    long = [(number, number + 1) for number in range(count // 2)]
    return [Link(f"{a}.ipynb", f"{b}.ipynb", f"{a}.csv") for a, b in (*pairs, *long)]


@pytest.mark.parametrize("seed", range(4))
def test_a_graph_of_hundreds_is_drawn_without_overlap(seed: int) -> None:
    links = chained(400, seed)
    drawing = draw(links)
    expected = {(link.producer, link.consumer) for link in links if link.producer != link.consumer}
    assert {(line.producer, line.consumer) for line in drawing.lines} == expected
    assert {box.notebook for box in drawing.boxes} == {name for pair in expected for name in pair}
    places = {box.notebook: box for box in drawing.boxes}
    for line in drawing.lines:
        assert (places[line.producer].x < places[line.consumer].x) != line.cyclic
    boxes = sorted(drawing.boxes, key=lambda box: box.x)
    for at, box in enumerate(boxes):
        assert 0 <= box.x <= drawing.width - WIDTH and 0 <= box.y <= drawing.height - HEIGHT
        for other in boxes[at + 1 :]:
            if other.x >= box.x + WIDTH:
                break
            assert abs(other.y - box.y) >= HEIGHT, (box, other)


def test_a_drawing_is_the_same_in_every_process() -> None:
    code = (
        "from test_migrate_report import chained, draw\n"
        "import hashlib; print(hashlib.sha256(repr(draw(chained(60, 1))).encode()).hexdigest())"
    )
    found = {
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)},
            cwd=Path(__file__).parent,
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert len(found) == 1
