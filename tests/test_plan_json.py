"""The plan for machines, which JupyterLab's preview shows: tagging what it shows changes nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nb2pkg.pipeline import plan, tree
from nb2pkg.read.formats import NotebookFile

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*/*.ipynb"))


def tagged(file: NotebookFile, sections: list[dict[str, Any]]) -> NotebookFile:
    """The notebook with the sections of its plan as tags."""
    content = json.loads(file.content)
    for section in sections:
        line = f"@{section['line']}" if section["line"] > 1 else ""
        metadata = content["cells"][section["cells"][0]]["metadata"]
        metadata.setdefault("tags", []).append(f"nb2pkg:{section['name']}{line}")
    return replace(file, content=json.dumps(content).encode())


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_sections_as_tags_give_the_same_package(path: Path) -> None:
    file = NotebookFile.at(path)
    shown = plan(file).as_json()
    kept = tagged(file, shown["sections"])
    again = plan(kept).as_json()
    assert [(s["name"], s["cells"], s["stage"]) for s in again["sections"]] == [
        (s["name"], s["cells"], s["stage"]) for s in shown["sections"]
    ]
    for key in ("stages", "crossings", "constants"):
        # What a section says of itself comes from its tag now.
        ours, theirs = ([{**each, "title": "", "kind": "", "reason": ""} for each in p[key]] for p in (again, shown))
        assert ours == theirs
    names, others = ({name for name, _ in tree(each)[0].files} for each in (kept, file))
    assert names == others


def test_sections_crossings_and_constants_are_told() -> None:
    shown = plan(next(path for path in EXAMPLES if path.stem == "churn")).as_json()
    assert json.loads(json.dumps(shown)) == shown
    first, second = shown["sections"][:2]
    assert (first["name"], first["line"]) == (first["stage"], 1)
    assert max(first["cells"]) < min(second["cells"])
    assert {"from": first["stage"], "to": second["stage"], "names": ["df"]} in shown["crossings"]
    (size,) = (constant for constant in shown["constants"] if constant["name"] == "TEST_SIZE")
    assert size["value"] == "0.25"
    assert size["stages"]
