"""What a section is called: its kind, the phrase that people read, and a module name that nothing else has."""

from __future__ import annotations

import ast
import builtins
import keyword
import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

from nb2pkg.analyse.program import Statement

MODULE_OF_KIND = {
    "load": "load_data",
    "clean": "clean_data",
    "explore": "explore",
    "features": "build_features",
    "split": "split",
    "model": "build_model",
    "train": "train",
    "evaluate": "evaluate",
    "predict": "predict",
    "save": "save",
}
TITLE_OF_KIND = {
    "load": "Load the data",
    "clean": "Clean the data",
    "explore": "Explore the data",
    "features": "Build the features",
    "split": "Split the data",
    "model": "Build the model",
    "train": "Train the model",
    "evaluate": "Evaluate the model",
    "predict": "Predict",
    "save": "Save the results",
}
RESERVED = frozenset(
    {"const", "artifacts", "report", "metrics", "workspace", "settings", "functions", "classes", "definitions"}
    | {"paths", "tests", "data", "main"}
)
MOST_WORDS = 3
MOST_CHARACTERS = 28

_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """a an the of to and or for in on with we our us let lets will is are be this that these those it its from
        by at as into using use how what why which do does i my me you your now here some all can have has was were""",
    )
)
_NO_ACCENT = str.maketrans(
    {"đ": "d", "Đ": "D", "ø": "o", "Ø": "O", "ł": "l", "Ł": "L", "ß": "ss", "æ": "ae", "Æ": "AE", "ı": "i"}
)
"""Letters that Unicode does not decompose."""
# The more telling words first: "split the data to train a model" is a split.
_KIND_OF_WORDS = (
    ("split", r"split"),
    ("evaluate", r"evaluat|accurac|result|metric|validation|confusion"),
    ("predict", r"predict|forecast|inference|submission"),
    ("features", r"feature"),
    ("clean", r"clean|missing|pre-?process|imput|outlier"),
    ("explore", r"\beda\b|explor|visuali[sz]|plot"),
    ("train", r"train|\bfit|model"),
    ("load", r"\bload|\bimport|\bread|\bget\b.*\bdata|\bdata ?sets?\b"),
    ("save", r"\bsav(?:e|ing)\b|\bexport"),
)


def kind_of(statements: Iterable[Statement], title: str) -> str:
    """The kind that most labels say, else the one that the heading's words say, else the commonest label."""
    labels = Counter(each.label for each in statements if each.kind == "compute" and each.label)
    commonest = labels.most_common(1)
    if commonest and commonest[0][1] * 2 > labels.total():
        return commonest[0][0]
    for kind, words in _KIND_OF_WORDS:
        if re.search(words, title.lower()):
            return kind
    return commonest[0][0] if commonest else ""


def imported_names(statements: Iterable[Statement]) -> frozenset[str]:
    """The root modules that the notebook imports and the names that its imports bind, at any depth."""
    names: set[str] = set()
    for statement in statements:
        if isinstance(statement.node, ast.Assign | ast.Expr):
            continue  # most statements, and no import can be inside them
        for node in ast.walk(statement.node):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
            if isinstance(node, ast.Import | ast.ImportFrom):
                for alias in node.names:
                    names.add(alias.asname or alias.name.partition(".")[0])
                    if isinstance(node, ast.Import):
                        names.add(alias.name.partition(".")[0])
    return frozenset(names)


def module_names(wanted: Sequence[tuple[str, str, bool]], taken: frozenset[str]) -> tuple[str, ...]:
    """A module name for each (text, kind, chosen by the user), all different and none of `taken`."""
    given: list[str] = []
    for number, (text, kind, chosen) in enumerate(wanted, 1):
        base = _identifier(text) if chosen else short_name(text)
        base = base or MODULE_OF_KIND.get(kind, "") or f"part_{number}"
        given.append(_unique(base, kind, taken.union(given), chosen))
    return tuple(given)


def short_name(text: str) -> str:
    """The heading as a short identifier in ASCII, or empty where nothing is left of it."""
    text = re.sub(r"(?<=\S)\s*\([^)]*\)", " ", text)
    words = _words(text)
    telling = [word for word in words if word not in _STOP_WORDS]
    while telling and telling[0][0].isdigit():  # `the 3 models`
        telling.pop(0)
    telling = telling[:MOST_WORDS]
    while len(telling) > 1 and len("_".join(telling)) > MOST_CHARACTERS:
        telling.pop()
    return "_".join(telling)[:MOST_CHARACTERS].strip("_")


def _words(text: str) -> list[str]:
    """The ASCII words, from the first that may begin an identifier; none where most letters are of another script."""
    text = re.sub(r"['’]", "", text).translate(_NO_ACCENT)
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    kept = sum(map(str.isalpha, ascii_text))
    if kept < 2 or kept * 2 < sum(map(str.isalpha, text)):
        return []
    words: list[str] = re.findall(r"[a-z0-9]+", ascii_text.lower())
    while words and words[0][0].isdigit():
        words.pop(0)
    return words


def _identifier(text: str) -> str:
    """The user's own name, changed only where Python demands it."""
    if text.isascii() and text.isidentifier() and text.islower():
        return text
    return "_".join(_words(text))


def _unique(base: str, kind: str, taken: frozenset[str], chosen: bool) -> str:
    """`base`, else with its kind, else with a number after it."""
    if _is_free(base, taken):
        return base
    room = max(len(base), MOST_CHARACTERS) if chosen else MOST_CHARACTERS
    if kind and kind not in base.split("_") and base != MODULE_OF_KIND.get(kind):
        longer = f"{base[: room - len(kind) - 1].rstrip('_')}_{kind}"
        if _words_in(longer) <= MOST_WORDS + 1 and _is_free(longer, taken):
            return longer
    number = 2
    while True:
        end = f"_{number}"
        longer = base[: room - len(end)].rstrip("_") + end
        if _is_free(longer, taken):
            return longer
        number += 1


def _words_in(name: str) -> int:
    return name.count("_") + 1


def _is_free(name: str, taken: frozenset[str]) -> bool:
    return not (
        name in taken
        or name in RESERVED
        or name in sys.stdlib_module_names
        or hasattr(builtins, name)
        or keyword.iskeyword(name)
        or keyword.issoftkeyword(name)
        or not name.isidentifier()
    )
