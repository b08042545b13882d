"""What a plan shows of itself to people who may want another: its sections with their cells, and its constants.

Nothing that is emitted depends on it.
"""

from __future__ import annotations

import ast
from bisect import bisect_right

from nb2pkg.analyse import Program
from nb2pkg.notebook import Notebook
from nb2pkg.plan.crossing import Span
from nb2pkg.plan.types import PlannedConstant, PlannedSection, Stage
from nb2pkg.section.types import Section

LONGEST_VALUE = 200


def planned_sections(
    notebook: Notebook,
    program: Program,
    sections: tuple[Section, ...],
    spans: tuple[Span, ...],
    stages: tuple[Stage, ...],
) -> tuple[PlannedSection, ...]:
    """The sections, each with the stage that it went into."""
    own = {cell.index: cell.host if cell.host >= 0 else cell.index for cell in notebook.cells}
    starts = [span.start for span in spans]
    seen: set[int] = set()
    found: list[PlannedSection] = []
    for section in sections:
        statements = program.statements[section.start : section.stop]
        first = statements[0]
        cut_inside = own[first.cell] in seen
        cells = dict.fromkeys(own[s.cell] for s in statements)
        seen |= cells.keys()
        found.append(
            PlannedSection(
                name=section.name,
                title=section.title,
                kind=section.kind,
                reason=section.reason,
                stage=stages[max(0, bisect_right(starts, section.start) - 1)].name,
                cells=tuple(cells),
                line=first.node.lineno if cut_inside else 1,
            )
        )
    return tuple(found)


def planned_constants(
    notebook: Notebook, program: Program, constants: tuple[int, ...], stages: tuple[Stage, ...]
) -> tuple[PlannedConstant, ...]:
    """The constants, each with the stages that use it."""
    own = {cell.index: cell.host if cell.host >= 0 else cell.index for cell in notebook.cells}
    found: list[PlannedConstant] = []
    for index in constants:
        statement = program.statements[index]
        value = getattr(statement.node, "value", None)
        text = ast.unparse(value) if value is not None else ""
        shown = text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
        for name in sorted(statement.effects.binds):
            users = tuple(stage.name for stage in stages if name in stage.constants)
            found.append(PlannedConstant(name, shown, own.get(statement.cell, statement.cell), users))
    return tuple(found)
