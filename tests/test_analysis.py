"""What the analysis takes for one object, and what for two."""

from __future__ import annotations

from pathlib import Path

from nb2pkg.analyse import Program, analyse
from nb2pkg.knowledge.base import shipped
from nb2pkg.notebook import Cell, Notebook


def program(code: str) -> Program:
    return analyse(Notebook("a", Path("."), (Cell(0, "0", "code", code, code),)), shipped())


def memory(found: Program, name: str) -> set[int]:
    return {found.groups[number] for number in found.heap.reach(found.environments[-1][name])}


def test_what_two_augmented_assignments_of_a_function_change_is_not_one() -> None:
    found = program(
        "import numpy as np\n"
        "def raised(a, b):\n    a[0] += 1\n    b[0] += 2\n"
        "p = np.zeros(3)\nq = np.ones(3)\nraised(p, q)\n"
    )
    assert not memory(found, "p") & memory(found, "q")
