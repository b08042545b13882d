"""What a lifted literal is called: as a colleague would say it, and as nothing else in the notebook is called.

Each constant proposes names from short to long; constants that want the same name all take their next one, and
what no longer name tells apart is numbered.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from nb2pkg.knowledge.base import KnowledgeBase
from nb2pkg.refactor.literals import Found

_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z]{2})(?=[A-Z][a-z])")
_LONGEST = 60
ROLES = {"CLASSIFIER", "REGRESSOR"}
"""Words at the end of a class's name that say nothing beside the rest of it."""


def upper_snake(name: str) -> str:
    """`RandomForestClassifier` → `RANDOM_FOREST_CLASSIFIER`, `KMeans` → `KMEANS`, `train.csv` → `TRAIN_CSV`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[\W_]+", "_", _WORDS.sub("_", plain)).strip("_").upper()


def proposals(uses: Sequence[Found], stage: str, knowledge: KnowledgeBase) -> tuple[str, ...]:
    """The names that a constant with these uses might have, best first."""
    first = uses[0]
    where = upper_snake(stage)
    match first.kind:
        case "path" | "url":
            names = _of_path(first.text.strip("'\""), first.kind == "url")
            return _valid([*names, f"{where}_{names[0]}"])
        case "seed":
            own = all(upper_snake(f.argument) == "RANDOM_STATE" for f in uses)
            base = "RANDOM_STATE" if own else "SEED"
        case "named":
            return _valid([f"{upper_snake(first.callee)}_{upper_snake(first.argument)}"])
        case _:
            base = knowledge.parameter(first.argument).constant or upper_snake(first.argument)
    callee = _without_role(upper_snake(first.callee))
    target = upper_snake(first.target)
    known = knowledge.parameter(first.argument)
    staged = [_joined(where, base), _joined(where, _joined(callee, base))]
    qualified = [_joined(callee, base), _joined(target, base), *staged]
    if known.shared or first.kind == "seed":
        return _valid([base, *staged[:1], *qualified])
    says_it = "_" in base and len(base) > 4
    return _valid([base, *qualified] if known.constant or says_it else qualified)


def name_all(wanted: Sequence[tuple[str, ...]], taken: set[str]) -> list[str]:
    """A name for each constant, all different and none of them taken."""
    level = [0] * len(wanted)
    while True:
        names = [names[level[place]] for place, names in enumerate(wanted)]
        count = Counter(names)
        crowded = [
            place
            for place, name in enumerate(names)
            if (count[name] > 1 or name in taken) and level[place] + 1 < len(wanted[place])
        ]
        if not crowded:
            break
        for place in crowded:
            level[place] += 1
    return _numbered(wanted, names, taken)


def _numbered(wanted: Sequence[tuple[str, ...]], names: list[str], taken: set[str]) -> list[str]:
    """Constants that no name tells apart get the shortest that no other constant wants, with a number."""
    count = Counter(names)
    given = {*taken, *(name for name in names if count[name] == 1)}
    result: list[str] = []
    bases: dict[str, str] = {}
    for place, name in enumerate(names):
        if count[name] == 1 and name not in taken:
            result.append(name)
            continue
        if name not in bases:
            members = {other for other, final in enumerate(names) if final == name}
            bases[name] = next(
                (c for c in wanted[place] if {o for o, all_ in enumerate(wanted) if c in all_} == members), name
            )
        number, free = 1, bases[name]
        while free in given:
            number += 1
            free = f"{bases[name]}_{number}"
        given.add(free)
        result.append(free)
    return result


def _of_path(text: str, is_url: bool) -> list[str]:
    plain = text.partition("?")[0] if is_url else text
    parts = [p for p in re.split(r"[\\/]+", plain) if p not in ("", ".", "..", "~")]
    last = upper_snake(parts[-1]) if parts else ""
    if is_url:
        last = f"{last}_URL"
    elif text.endswith(("/", "\\")):
        last = f"{last}_DIR"
    elif parts and "." not in parts[-1].lstrip("."):
        last = f"{last}_PATH"
    before = upper_snake(parts[-2]) if len(parts) > 1 else ""
    return [last, f"{before}_{last}"] if before else [last]


def _without_role(name: str) -> str:
    words = name.split("_")
    return "_".join(words[:-1]) if len(words) > 1 and words[-1] in ROLES else name


def _joined(before: str, name: str) -> str:
    if before.endswith(f"_{name}"):
        return before
    return name if not before or name == before or name.startswith(f"{before}_") else f"{before}_{name}"


def _valid(names: Sequence[str]) -> tuple[str, ...]:
    """Each name once, as an identifier."""
    tidy = (re.sub(r"_+", "_", n).strip("_")[-_LONGEST:].strip("_") for n in names)
    whole = [f"FILE_{n}" if n[:1].isdigit() else n for n in tidy if n]
    return tuple(dict.fromkeys(whole)) or ("VALUE",)
