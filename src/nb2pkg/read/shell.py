"""Shell commands as plain Python: `subprocess` calls, IPython's `{name}` and `$name`, and what pip was asked for."""

from __future__ import annotations

import ast
import builtins
import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from string import Formatter

_DOLLAR = re.compile(r"(.*?)\$(\$?[\w\.]+)(?=([^']*'[^']*')*[^']*$)")  # as IPython.utils.text.DollarFormatter
_BUILTINS = frozenset(dir(builtins))
_INSTALL = re.compile(
    r"\s*(?:sudo\s+)?(?:(?:\{sys\.executable\}|[\w./-]*python[\d.]*)\s+-m\s+)?"
    r"(pip[\d.]*|conda|mamba|micromamba|uv\s+pip)\s+(install|uninstall|list|freeze|show|update|upgrade|config)\b(.*)",
    re.DOTALL,
)
_WITH_VALUE = frozenset(str.split(
    "-c --constraint -i --index-url --extra-index-url -f --find-links -t --target --prefix --root --channel -n --name "
    "-p --cache-dir --trusted-host --proxy --timeout --progress-bar --upgrade-strategy --python")
)

Bound = Callable[[], frozenset[str]]


def literal(text: str) -> str:
    """`text` as a string literal in double quotes, on one line."""
    return json.dumps(text, ensure_ascii=False)


def _fields(command: str) -> Iterator[tuple[str, str | None, str]]:
    for text, field, spec, conversion in Formatter().parse(command):
        start, before = 0, ""
        for match in _DOLLAR.finditer(text):
            new_text, name = match.group(1, 2)
            if name.startswith("$"):
                before += new_text + name
            else:
                yield before + new_text, name, ""
                before = ""
            start = match.end()
        whole = f"{field}:{spec}" if field is not None and spec else field
        yield before + text[start:], whole, conversion or ""


def expanded(command: str, bound: Bound) -> str:
    """A Python expression for `command` as IPython's `var_expand` fills it: as it stands where a field is no
    expression over names that the notebook binds (`awk '{print $1}'`, `$HOME`)."""
    if "{" not in command and "$" not in command:
        return literal(command)
    try:
        parts = list(_fields(command))
        for _, field, _ in parts:
            if field is not None:
                tree = ast.parse(field.strip(), mode="eval")
                names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
                if names - _BUILTINS - bound():
                    return literal(command)
    except (ValueError, SyntaxError):
        return literal(command)
    if all(field is None for _, field, _ in parts):
        return literal("".join(text for text, _, _ in parts))
    fields = [field for _, field, _ in parts if field]
    if any("\\" in field or '"' in field or "\n" in field for field in fields):
        joined = [
            piece
            for text, field, conversion in parts
            for piece in ([literal(text)] if text else [])
            + ([f"{'repr' if conversion == 'r' else 'str'}({field.strip()})"] if field else [])
        ]
        return "(" + " + ".join(joined) + ")"
    body = ""
    for text, field, conversion in parts:
        escaped = literal(text)[1:-1]
        body += escaped.replace("{", "{{").replace("}", "}}")
        if field:
            value = field.strip()
            value = f"({value})" if re.search(r"[:!={]|lambda", value) else value
            body += "{" + value + (f"!{conversion}" if conversion else "") + "}"
    return f'f"{body}"'


def printed(command: str) -> str:
    """The statement that runs the shell command (an expression's text) and prints what it says."""
    run = f"subprocess.run({command}, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)"
    return f'print({run}.stdout, end="")'


def lines_of(command: str) -> str:
    """The expression for the lines that the shell command (an expression's text) writes."""
    run = f"subprocess.run({command}, shell=True, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)"
    return f"IPython.utils.text.SList({run}.stdout.splitlines())"


def program(command: list[str], body: str) -> str:
    """The expression for what a program says that reads `body` as its standard input."""
    run = f"subprocess.run({command!r}, input={literal(body)}, text=True"
    return f"{run}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout"


def is_package_command(command: str) -> bool:
    """Whether the command has to do with installing packages, and nothing else."""
    return _INSTALL.fullmatch(command) is not None and not re.search(r"&&|\|\||;", command)


def installed(command: str, folder: Path) -> tuple[str, ...] | None:
    """What a pip or conda command installs, in its order; None where it is no such command."""
    match = _INSTALL.fullmatch(command)
    if match is None:
        return None
    tool, verb, rest = match.groups()
    if verb != "install":
        return ()
    rest = re.split(r"\s(?:#|[12&]?>|\|)|[;|]|&&", " " + rest)[0]
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    found: list[str] = []
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word in ("-r", "--requirement") and at < len(words):
            found += _listed(folder / words[at])
            at += 1
        elif word.startswith("--requirement="):
            found += _listed(folder / word.partition("=")[2])
        elif word in ("-e", "--editable"):
            continue
        elif word in _WITH_VALUE:
            at += 1
        elif word.startswith("-") or word in (".", "..") or word.startswith(("./", "../", "/", "~")):
            continue
        elif word != "pip" and "{" not in word and "$" not in word:
            found.append(_pinned(word) if tool in ("conda", "mamba", "micromamba") else word)
    return tuple(found)


def _pinned(word: str) -> str:
    """conda's `pandas=1.5` and `conda-forge::pandas` as pip writes them."""
    word = word.rpartition("::")[2]
    return re.sub(r"(?<![=<>!~])=(?!=)", "==", word, count=1)


def _listed(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    lines = [re.sub(r"(^|\s)#.*", "", line).strip() for line in text.splitlines()]
    return [line for line in lines if line and not line.startswith("-")]
