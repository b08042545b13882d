"""The formatter gives what Black alone gives, for whatever it takes into its own hands."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import black
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nb2pkg.emit import format as format_module
from nb2pkg.emit.format import formatted

CASES = sorted((Path(__file__).parent / "cases").glob("*.py"))


def by_black(text: str) -> str:
    try:
        return black.format_str(text, mode=black.Mode(line_length=100))
    except black.InvalidInput:
        return text


def stand_ins(text: str) -> int:
    """How many runs of statements Black does not see."""
    return len(format_module._shortened(text)[1])


OWN_HANDS = {
    "spaces": "x=f( a,b = 1 )",
    "quotes": "x = {'a': 'b', 'c': [1, 2.5, None, True]}",
    "brackets over lines": "f(\n    a,\n    b\n)",
    "comment after": "x = 1  # why",
    "comments between": "x = 1\n# why\ny = 2",
    "f-string": "print(f'{a:.2f} of {b}', end='')",
    "lambda": "g = df.apply(lambda r: r.a+1 if r.b else 0, axis=1)",
    "comprehension": "z = [a for a in b if a not in c]",
    "slice": "df.iloc[:, 0:n] = df.iloc[1:2, a]",
    "tuple": "plt.figure(figsize=(10,5))",
    "loop": "for a, b in zip(x, y):\n  print(a)\n  if a: print(b)\n  elif b:\n    c += 1",
    "with": "with open('a') as f:\n    f.read()",
    "try": "try:\n    f()\nexcept ValueError as e:\n    print(e)",
    "imports": "import a, b\nfrom c import d as e",
    "indented with tabs": "if a:\n\tx = 1\n\ty = 2",
}
BLACKS_HANDS = {
    "power": "x = a ** 2",
    "trailing comma": "f(a, b,)",
    "redundant brackets": "x = (a + b)",
    "slice of an expression": "x = a[i+1:]",
    "both quotes": "x = \"it's\"",
    "backslash": "x = '\\n'",
    "prefix": "x = r'a'",
    "number": "x = 0XFF + 1E5",
    "semicolon": "x = 1; y = 2",
    "triple quotes": "x = '''a'''",
    "f-string with spaces": "x = f'{ a }'",
    "f-string with a string": "x = f'{a[\"b\"]}'",
    "comment without a space": "x = 1 #why",
    "comment inside": "f(\n    a,  # why\n    b)",
    "too long": f"x = f({', '.join(['argument'] * 11)})",
    "import in a block": "with a:\n    import b\n    c()",
    "blank line inside": "if a:\n    b()\n\n    c()",
    "double sign": "x = - - a",
    "unary over power": "x = -a ** -b",
    "except tuple": "try:\n    f()\nexcept (A, B):\n    g()",
    "fmt off": "# fmt: off\nx=1",
    "name alone": "x",
    "not Python": "x = = 1",
}


@pytest.mark.parametrize("source", [*OWN_HANDS.values(), *BLACKS_HANDS.values()], ids=[*OWN_HANDS, *BLACKS_HANDS])
def test_formats_as_black_does(source: str) -> None:
    inside = "def f():\n" + "\n".join("    " + line for line in source.split("\n"))
    for text in (source, inside, f"{source}\n{source}", f'"""Doc."""\n{source}\n\n\n{inside}\n\n{source}'):
        expected = by_black(text)
        assert formatted(text) == expected
        assert formatted(formatted(text)) == expected


@pytest.mark.parametrize("source", OWN_HANDS.values(), ids=OWN_HANDS)
def test_takes_plain_statements_into_its_own_hands(source: str) -> None:
    assert stand_ins(source) == 1


@pytest.mark.parametrize("source", BLACKS_HANDS.values(), ids=BLACKS_HANDS)
def test_leaves_the_rest_to_black(source: str) -> None:
    assert source.partition("\n")[0] in format_module._shortened(source)[0].split("\n")


@pytest.mark.parametrize("path", CASES, ids=[p.stem for p in CASES])
def test_formats_cases_as_black_does(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert formatted(text) == by_black(text)


_NAMES = st.sampled_from(["a", "df", "x_1", "plt"])
_ATOMS = st.one_of(
    _NAMES,
    st.sampled_from(["1", "0", "2.5", "1e-05", "None", "True", "'s'", '"a b"']),
    st.sampled_from(["''", "()", "[]", "{}", "'#'", "f'{a}'"]),
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    two = st.tuples(inner, inner)
    operators = st.sampled_from([" + ", "*", " == ", " and ", " in ", "**", "//", "@", " if a else ", ", "])
    return st.one_of(
        st.tuples(inner, operators, inner).map("".join),
        two.map(lambda p: f"({p[0]}, {p[1]})"),
        two.map(lambda p: f"f({p[0]},k={p[1]})"),
        two.map(lambda p: f"[{p[0]} , {p[1]}]"),
        two.map(lambda p: f"{{{p[0]}: {p[1]}}}"),
        two.map(lambda p: f"a[{p[0]}:{p[1]}]"),
        two.map(lambda p: f"[x for x in {p[0]} if {p[1]}]"),
        inner.map(lambda e: f"({e})"),
        inner.map(lambda e: f"-{e}"),
        inner.map(lambda e: f"not {e}"),
        inner.map(lambda e: f"({e}).a"),
        inner.map(lambda e: f"df[{e}]"),
        inner.map(lambda e: f"(lambda q: {e})"),
        inner.map(lambda e: f"f(*{e})"),
    )


_EXPRESSIONS = st.recursive(_ATOMS, _larger, max_leaves=6)
_HEADS = st.sampled_from(["", "x = ", "x += ", "a, b = ", "if ", "for x in ", "with "])
_STATEMENTS = st.tuples(_HEADS, _EXPRESSIONS).map(
    lambda p: f"{p[0]}{p[1]}" + (":\n   pass" if re.match("if |for |with ", p[0]) else "")
)


def _is_python(text: str) -> bool:
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


@settings(max_examples=300, deadline=None)
@given(st.lists(_STATEMENTS.filter(_is_python), min_size=1, max_size=4))
def test_formats_what_is_made_up_as_black_does(statements: list[str]) -> None:
    text = "\n".join(statements) + "\n"
    assert formatted(text) == by_black(text)
