"""Pickles that the notebook reads and did not write: what they hold is told, and none is opened.

Opening a pickle runs what it names. `picklescan` reads the names from its opcodes, and knows those that do harm.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from pathlib import Path

from nb2pkg.analyse import Program
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.knowledge.base import KnowledgeBase

SHOWN = 4
LARGEST = 200_000_000
"""Bytes beyond which a file is not looked at: that would take longer than the rest of the conversion."""


def told_of_pickles(program: Program, paths: Iterable[Path], knowledge: KnowledgeBase) -> Iterator[Diagnostic]:
    """What has to be known of the pickles among the files that the package takes over."""
    facts = (fact for meanings in program.resolved_calls.values() for _, fact in meanings)
    if not any(fact is not None and fact.unpickles for fact in facts):
        return
    for path in sorted(paths):
        named = _named(path)
        harmful = sorted(name for name, harms in named.items() if harms)
        other = sorted(n for n, harms in named.items() if not harms and not knowledge.is_data_module(n))
        if harmful:
            message = f"{path.name} is a pickle that calls {_listed(harmful)} when it is opened: who made it?"
            yield Diagnostic("N407", message)
        elif other:
            message = f"{path.name} is a pickle that runs code when it is opened, of {_listed(other)}"
            yield Diagnostic("N408", message, severity="info")


def _named(path: Path) -> dict[str, bool]:
    """What a pickle names, and whether it is known to do harm; nothing for other files."""
    from picklescan.scanner import SafetyLevel, scan_bytes

    logger = logging.getLogger("picklescan")
    was_disabled, logger.disabled = logger.disabled, True
    try:
        if path.stat().st_size > LARGEST:
            return {}
        with path.open("rb") as file:
            found = scan_bytes(file, path.name, path.suffix.lower())
    except Exception:  # whatever a file may hold that is no pickle
        return {}
    finally:
        logger.disabled = was_disabled
    return {f"{g.module}.{g.name}": g.safety is SafetyLevel.Dangerous for g in found.globals}


def _listed(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
