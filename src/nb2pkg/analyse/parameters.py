"""Which values DVC can hold as parameters, so that a second `dvc repro` finds them unchanged.

They go through `ast.literal_eval`, JSON, a merge of dicts and a YAML lock file. Seen with DVC 3.67: `dvc params diff`
fails over a tuple; one inside of a list or dict comes back as a list and differs ever after, as does text with line
separators that YAML folds; keys of several types can't be sorted.
"""

from __future__ import annotations

import math

_UNPRINTED = frozenset("\n\t")
"""What a text may hold that is not printable."""


def is_parameter(value: object) -> bool:
    """Whether DVC gives the value back as it was."""
    match value:
        case None | bool() | int():
            return True
        case str():
            return all(character.isprintable() or character in _UNPRINTED for character in value)
        case float():
            return math.isfinite(value)
        case list():
            return all(map(is_parameter, value))
        case dict():
            kinds = {type(key) for key in value}
            return kinds in ({str}, {int}, set()) and all(map(is_parameter, (*value, *value.values())))
        case _:
            return False
