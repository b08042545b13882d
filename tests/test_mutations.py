"""The faults of bench/mutations.py can still be put into the packages of examples/; the bench runs them, not this."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "bench"))

import mutations
from nb2pkg.pipeline import Options, convert


def test_every_fault_is_one_of_a_text_that_is_there(tmp_path: Path) -> None:
    for name, notebook in mutations.NOTEBOOKS.items():
        convert(mutations.EXAMPLES / notebook, tmp_path / name, Options(git=False))
    assert [fault for fault in mutations.WRITTEN if mutations.stale(fault, tmp_path / fault.package)] == []
    assert len(mutations.WRITTEN) >= 30
