"""`lambda a, (b, c): a + b` as `lambda a, b_c: a + b_c[0]`: fissix knows a lambda of one tuple only."""

from __future__ import annotations

from typing import Any


def untupled(tree: Any) -> None:
    """Replace the tuples among the parameters of each lambda of a fissix tree, in place."""
    from fissix.fixer_util import Name
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as symbols

    taken = set(tree.used_names)
    for node in list(tree.post_order()):
        if node.type != symbols.lambdef or node.children[1].type == token.COLON:
            continue
        parameters = node.children[1]
        tuples = [n for n in (parameters, *parameters.children) if n.type == symbols.vfpdef]
        for each in tuples:
            places = dict(_places(each.children[1], ""))
            name = "_".join(places)
            while name in taken:
                name += "_"
            taken.add(name)
            each.replace(Name(name, prefix=each.prefix))
            for leaf in list(node.children[-1].leaves()):
                if leaf.type == token.NAME and leaf.value in places and _is_variable(leaf):
                    leaf.replace(Name(name + places[leaf.value], prefix=leaf.prefix))


def _places(node: Any, path: str) -> list[tuple[str, str]]:
    """Each name of a tuple, with the index that gives it."""
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as symbols

    if node.type == token.NAME:
        return [(node.value, path)]
    if node.type == symbols.vfpdef:
        return _places(node.children[1], path)
    parts = [child for child in node.children if child.type != token.COMMA]
    return [found for number, part in enumerate(parts) for found in _places(part, f"{path}[{number}]")]


def _is_variable(leaf: Any) -> bool:
    """Whether a name is neither an attribute nor a keyword."""
    from fissix.pgen2 import token

    before, after = leaf.prev_sibling, leaf.next_sibling
    if before is not None and before.type == token.DOT:
        return False
    return not (after is not None and after.type == token.EQUAL)
