"""Python 2's grammar to Python 3's, by fissix: many texts at once, so that each knows the imports of the others.

What goes in here: fissix, and what its fixers need to be kept from. What does not: what the code means (`meaning`,
`division`). fissix is loaded when the first text of Python 2 is met, never before.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from nb2pkg.python2.lambdas import untupled

_FUTURE = re.compile(r"^[ \t]*from[ \t]+__future__[ \t]+import[ \t]+([^\n#]*)", re.MULTILINE)
_MARKER = re.compile(r"^__nb2pkg_text_(\d+)__[ \t]*\n", re.MULTILINE)
_LEFT_TO_US = frozenset({"import", "sorted", "reduce"})
"""Fixers that know too little: of packages, of DataFrame.sort, of the cells that come before."""
_FIXER_OF = {
    "map": "map",
    "filter": "filter",
    "zip": "zip",
    "range": "xrange",
    "xrange": "xrange",
    "input": "input",
    "raw_input": "raw_input",
    "long": "long",
    "unicode": "unicode",
    "basestring": "basestring",
    "apply": "apply",
    "intern": "intern",
    "reload": "reload",
    "execfile": "execfile",
    "next": "next",
}
"""The fixer that takes a name for the builtin, so that it may not run where the name is bound."""


@dataclass(frozen=True, slots=True)
class Text:
    """One text of Python 2, and what `from __future__` has switched on where it begins."""

    text: str
    futures: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Refactored:
    """A text after the fixers, or why it can't be parsed."""

    text: str
    error: str = ""
    line: int = 0
    imports: tuple[str, ...] = ()
    """Statements that the text now needs above it."""


def futures_of(text: str) -> frozenset[str]:
    """What the text's `from __future__ import …` switch on."""
    if "__future__" not in text:
        return frozenset()
    found = (re.split(r"[\s,()]+", match[1]) for match in _FUTURE.finditer(text))
    return frozenset(word for words in found for word in words if word)


def parses(text: str, futures: frozenset[str] = frozenset()) -> bool:
    """Whether Python 2 parses the text."""
    tree, _, _ = _tree(Text(text, futures))
    return tree is not None


def refactored(texts: Sequence[Text]) -> list[Refactored]:
    """Each text in the grammar of Python 3, in order; those that Python 2 does not parse come back as they were."""
    try:
        return _together(texts)
    except Exception as error:  # a fixer that stumbles on one text takes no other with it
        if len(texts) == 1:
            return [Refactored(texts[0].text, f"{type(error).__name__}: {error}")]
        return [refactored([text])[0] for text in texts]


def _together(texts: Sequence[Text]) -> list[Refactored]:
    from fissix import pytree
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols

    trees = [_tree(each) for each in texts]
    whole = pytree.Node(python_symbols.file_input, [])
    for number, (tree, _, _) in enumerate(trees):
        if tree is None:
            continue
        end = tree.children[-1] if tree.children else tree  # a text without statements is its end only
        for child in list(tree.children[:-1]):
            child.remove()
            whole.append_child(child)
        mark = pytree.Leaf(token.NAME, f"__nb2pkg_text_{number}__", prefix=end.prefix)
        whole.append_child(pytree.Node(python_symbols.simple_stmt, [mark, pytree.Leaf(token.NEWLINE, "\n")]))
    whole.append_child(pytree.Leaf(token.ENDMARKER, ""))
    given = {id(child) for child in whole.children}
    whole.used_names = set().union(*(tree.used_names for tree, _, _ in trees if tree is not None))
    whole.future_features = frozenset.union(frozenset(), *(each.futures for each in texts))
    bound = set(_bound(whole))
    untupled(whole)
    _tool(frozenset(_FIXER_OF[name] for name in bound if name in _FIXER_OF)).refactor_tree(whole, "")
    added = [child for child in whole.children if id(child) not in given and _is_added_import(child)]
    for child in added:
        child.remove()
    statements = [str(child).strip() for child in added]
    parts = _MARKER.split(str(whole))
    done = {int(number): part for part, number in zip(parts[0::2], parts[1::2], strict=False)}
    found: list[Refactored] = []
    for number, (each, (tree, error, line)) in enumerate(zip(texts, trees, strict=True)):
        if tree is None:
            found.append(Refactored(each.text, error, line))
            continue
        text = done[number] if each.text.endswith("\n") else done[number].removesuffix("\n")
        needed = tuple(s for s in statements if re.search(rf"\b{s.split()[-1]}\b", text))
        found.append(Refactored(_without_mixed_tabs(text), imports=needed))
    return found


def _tree(given: Text) -> tuple[Any, str, int]:
    """The text's tree; else None, why not, and at which line."""
    from fissix.pgen2.parse import ParseError
    from fissix.pgen2.tokenize import TokenError

    ways = [True] if "print_function" in given.futures else [False, True]
    error, line = "", 0
    for print_function in ways:
        driver = _tool(frozenset(), print_function).driver
        try:
            return driver.parse_string(given.text if given.text.endswith("\n") else given.text + "\n"), "", 0
        except ParseError as caught:
            context = caught.context
            place = context[1][0] if isinstance(context, tuple) and len(context) > 1 else 0
            error, line = error or "invalid syntax", line or place
        except TokenError as caught:
            error, line = error or str(caught.args[0]), line or int(caught.args[1][0])
        except IndentationError as caught:
            error, line = error or caught.msg, line or caught.lineno or 0
        except (AssertionError, RecursionError, ValueError, IndexError, KeyError):  # of the tokenizer, on odd texts
            error = error or "invalid syntax"
    return None, error, line


@cache
def _tool(without: frozenset[str], print_function: bool = False) -> Any:
    """fissix's tool, with every fixer that is on by default but for those left out."""
    from fissix.refactor import RefactoringTool, get_fixers_from_package

    left_out = {f"fissix.fixes.fix_{name}" for name in without | _LEFT_TO_US}
    fixers = [name for name in sorted(get_fixers_from_package("fissix.fixes")) if name not in left_out]
    return RefactoringTool(fixers, {"print_function": print_function})


def _is_added_import(node: Any) -> bool:
    """Whether a fixer has put the statement there: an import whose line end was in no text."""
    from fissix.pygram import python_symbols

    if node.type != python_symbols.simple_stmt or node.children[-1].lineno:
        return False
    return node.children[0].type in (python_symbols.import_name, python_symbols.import_from) and len(node.children) == 2


def _bound(tree: Any) -> Iterator[str]:
    """Every name that is assigned, imported, defined or a parameter, in any scope."""
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as symbols

    targets = {symbols.for_stmt, symbols.comp_for}
    for node in tree.pre_order():
        if node.type == symbols.expr_stmt:
            last = max((n for n, c in enumerate(node.children) if c.type == token.EQUAL), default=0)
            yield from _names(node.children[:last])
        elif node.type in targets or node.type in (symbols.funcdef, symbols.classdef):
            yield from _names(node.children[1:2])
        elif node.type in (symbols.parameters, symbols.import_name, symbols.import_from, symbols.varargslist):
            yield from _names(node.children)
        elif node.type in (symbols.with_item, symbols.except_clause, symbols.lambdef):
            yield from _names(node.children[1:-1] if node.type == symbols.lambdef else node.children[2:])


def _names(nodes: Iterable[Any]) -> Iterator[str]:
    from fissix.pgen2 import token
    from fissix.pygram import python_symbols as symbols

    for node in nodes:
        if node.type == token.NAME:
            yield node.value
        elif node.type not in (symbols.trailer, symbols.power):
            yield from _names(node.children)


def _without_mixed_tabs(text: str) -> str:
    """The text with the tabs of its indentation as spaces, as Python 2 counts them, where Python 3 refuses the mix."""
    if "\t" not in text:
        return text
    try:
        compile(text, "<cell>", "exec", dont_inherit=True)
    except TabError:
        tree, _, _ = _tree(Text(text, frozenset({"print_function"})))
        from fissix.pgen2 import token

        inside = {
            line
            for leaf in (tree.leaves() if tree is not None else ())
            if leaf.type == token.STRING
            for line in range(leaf.lineno + 1, leaf.lineno + leaf.value.count("\n") + 1)
        }
        rows = text.split("\n")
        for number, row in enumerate(rows, 1):
            blank = len(row) - len(row.lstrip())
            if number not in inside:
                rows[number - 1] = row[:blank].expandtabs(8) + row[blank:]
        return "\n".join(rows)
    except (SyntaxError, ValueError):
        pass
    return text
