"""One magic to plain Python: what each line magic and each cell magic of IPython becomes, or why it can't.

A rule gets the magic's words and the `Reading` that it may tell about imports, requirements, written files and doubts.
It returns the Python text, or None where the magic goes.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from nb2pkg.diagnostics import Diagnostic, Severity
from nb2pkg.errors import NotebookError
from nb2pkg.knowledge.commands import in_python
from nb2pkg.magic_names import TIMED_CELL
from nb2pkg.read import shell

RUN_MARK = "__nb2pkg_run__"
"""The call that stands where a `%run` was, until its file is brought in."""

SILENT_LINE = frozenset(str.split(
    "matplotlib load_ext reload_ext unload_ext autoreload aimport config pdb xmode colors autosave autocall automagic "
    "alias doctest_mode logstart logstop logon logoff notebook page precmd")
)
LIVE_FIGURES = frozenset({"notebook", "nbagg"})
"""Backends of `%matplotlib` under which a figure stays open from cell to cell, and is not an image of the notebook."""
DROPPED_LINE = frozenset(str.split(
    "who whos who_ls history hist lsmagic magic qtconsole connect_info pinfo pinfo2 pdoc pdef psource pfile psearch "
    "quickref watermark tensorflow_version gui load loadpy recall rerun save pastebin edit ed less more man html "
    "javascript js latex markdown svg dhist tb env_list code_wrap macro pycat killbgscripts")
)
TIMED_LINE = frozenset(str.split("timeit prun lprun mprun memit snakeviz debug"))
SHOWN_CELL = {
    "html": "HTML",
    "HTML": "HTML",
    "javascript": "Javascript",
    "js": "Javascript",
    "latex": "Latex",
    "markdown": "Markdown",
    "svg": "SVG",
    "SVG": "SVG",
}
FOREIGN = frozenset(str.split("R cython sql julia perl ruby px bigquery spark pyspark scala octave matlab pypy"))
SHELL_LINE = frozenset(str.split(
    "mkdir ls ll la lf lk ldir lx cat rm cp mv rmdir touch head tail grep find wget curl unzip tar git echo")
)
PACKAGES = frozenset(str.split("pip conda mamba micromamba uv"))
BARE_NAMES = frozenset(str.split("ls pwd cd ll who whos"))
_PYLAB = (
    "import numpy; import matplotlib; import numpy as np; import matplotlib.pyplot as plt; "
    "from matplotlib import pylab, mlab, pyplot; from pylab import *; from numpy import *"
)


@dataclass(slots=True)
class Reading:
    """What is gathered while the cells of one notebook are translated, one after the other."""

    file: str
    folder: Path
    bound: shell.Bound
    python: str = ""
    """The Python version that the notebook recorded."""
    upgraded: bool = False
    """What was Python 2 is upgraded: a cell that is no Python is none of Python 2 either."""
    cell: int = 0
    origin: str = ""
    """The file that is being brought in by `%run`."""
    silent: bool = False
    show_all_next: bool | None = None
    diagnostics: list[Diagnostic] = field(default_factory=list)
    imports: set[str] = field(default_factory=set)
    requirements: list[str] = field(default_factory=list)
    written: dict[str, str] = field(default_factory=dict)

    def tell(self, code: str, message: str, line: int | None, severity: Severity = "info") -> None:
        """Note a doubt about the current cell."""
        if self.origin:
            message, line = f"in {self.origin}: {message}", None
        self.diagnostics.append(Diagnostic(code, message, self.cell, line, severity))

    def need(self, *modules: str) -> None:
        """Note the modules that the translation uses."""
        self.imports.update(f"import {module}" for module in modules)

    def refusal(self, code: str, message: str, line: int | None = None) -> NotebookError:
        """The error that refuses the current cell."""
        where = ", ".join([self.origin] * bool(self.origin) + [f"line {line}"] * bool(line))
        where += ": " if where else ""
        return NotebookError(code, where + message, file=self.file, cell=self.cell)


def system(command: str, line: int | None, reading: Reading) -> str | None:
    """`!command` as a statement."""
    if shell.installed(command, reading.folder) is not None:
        return packages(command, line, reading)
    plain = in_python(command)
    if plain is not None and _holds(command.split(), plain.code, reading):
        if plain.left_out:
            reading.tell("N104", f"{plain.left_out} is left out: it is not the same twice", line)
        reading.need(*plain.imports)
        return plain.code
    reading.need("subprocess")
    return shell.printed(shell.expanded(command, reading.bound))


def _holds(words: list[str], code: str, reading: Reading) -> bool:
    """Whether the command would do as the Python code does: not say that something is there, or is not."""
    match words[0]:
        case "mkdir":
            folders = re.findall(r'makedirs\("([^"]+)"', code)
            return "-p" in words or not any((reading.folder / folder).exists() for folder in folders)
        case "cp":
            return (reading.folder / words[1]).is_file()
        case _:
            return True


def packages(command: str, line: int | None, reading: Reading) -> str | None:
    """A command that begins with pip or conda: its requirements, and whatever follows it in the same line."""
    first, mark, rest = _split_once(command)
    for requirement in shell.installed(first, reading.folder) or ():
        if requirement not in reading.requirements:
            reading.requirements.append(requirement)
    reading.tell("N100", f"`{first.strip()}` is left to the package's requirements; it is not a step", line)
    return system(rest.strip(), line, reading) if mark and rest.strip() else None


def _split_once(command: str) -> tuple[str, str, str]:
    match = re.search(r"&&|(?<!\\);", command)
    return (command[: match.start()], match.group(), command[match.end() :]) if match else (command, "", "")


def getoutput(command: str, reading: Reading) -> str:
    """`!command` as a value: its lines."""
    if shell.is_package_command(command):
        packages(command, None, reading)
        return "[]"
    reading.need("subprocess")
    reading.need("IPython.utils.text")
    return shell.lines_of(shell.expanded(command, reading.bound))


def line_magic(
    name: str, rest: str, line: int, reading: Reading, nested: Callable[[str], str], *, value: bool = False
) -> str | None:
    """`%name rest` as Python text; `value` where something is bound to it. None: it goes."""
    rest = rest.strip()
    text = _line_magic(name, rest, line, reading, nested, value)
    if value and text is None:
        message = f"what `%{name}` returns is bound, and has no plain Python form; bind it without the magic"
        raise reading.refusal("N113", message, line)
    return text


def _line_magic(
    name: str, rest: str, line: int, reading: Reading, nested: Callable[[str], str], value: bool
) -> str | None:
    if name == "config":
        return _config(rest, reading)
    if name == "matplotlib" and rest in LIVE_FIGURES:
        reading.need("matplotlib")
        return 'matplotlib.use("nbagg"); matplotlib.interactive(True)'
    if name in SILENT_LINE:
        return None
    if name == "time":
        text = nested(_without_flags(rest)).strip()
        return f"({text.rstrip(';')})" if value and text else text or None
    if name in TIMED_LINE:
        reading.tell("N102", f"`%{name} {rest}` only measures or inspects; it was left out", line, "warning")
        return None
    if name in DROPPED_LINE:
        reading.tell("N101", f"`%{name}` shows something to the notebook's reader only; it was left out", line)
        return None
    if name == "precision":
        reading.tell("N103", f"`%precision {rest}` was left out: numbers are shown in full", line, "warning")
        return None
    if name in PACKAGES:
        return _package_magic(name, rest, line, reading)
    if name == "run":
        return _run(rest, line, reading, value)
    if name == "pylab":
        return None if value else _PYLAB
    if name == "cd":
        return _cd(rest, reading, line)
    if name in ("env", "set_env"):
        return _env(rest, line, reading, value)
    if name == "pwd":
        reading.need("os")
        return "os.getcwd()"
    if name in ("sx", "system", "sc", "!"):
        return getoutput(rest, reading)
    if name in SHELL_LINE:
        reading.need("subprocess")
        command = {"ls": "ls -F", "ll": "ls -l -F"}.get(name, name)
        return None if value else shell.printed(shell.expanded(f"{command} {rest}".strip(), reading.bound))
    if name in FOREIGN:
        raise reading.refusal("N110", f"`%{name}` runs another language; write this part in Python", line)
    reading.tell("N111", f"`%{name}` is not a magic that nb2pkg knows; it was left out", line, "warning")
    return None


def _without_flags(rest: str) -> str:
    """`%time --no-raise-error stmt` → `stmt`."""
    return re.sub(r"^(?:--no-raise-error\s+)+", "", rest)


def _config(rest: str, reading: Reading) -> str | None:
    match = re.match(r"InteractiveShell\.ast_node_interactivity\s*=\s*['\"]?(\w+)", rest)
    if match:
        reading.show_all_next = match.group(1) == "all"
    match = re.match(r"InlineBackend\.figure_formats?\s*=\s*[{\[(]?\s*['\"](retina|png2x|svg)['\"]\s*[}\])]?\s*$", rest)
    if match is None:
        return None
    reading.need("os")
    return f'os.environ["FIGURE_FORMAT"] = "{match[1]}"'


def _package_magic(name: str, rest: str, line: int, reading: Reading) -> str | None:
    command = f"{name} {rest}"
    if shell.installed(command, reading.folder) is None:
        reading.tell("N101", f"`%{command}` was left out", line)
        return None
    return packages(command, line, reading)


def _run(rest: str, line: int, reading: Reading, value: bool) -> str | None:
    if value:
        return None
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    while words and words[0] in ("-i", "-e", "-t", "-G"):
        words.pop(0)
    if not words or words[0].startswith("-"):
        message = f"`%run {rest}` has options that nb2pkg does not know; import the file instead"
        raise reading.refusal("N112", message, line)
    return f"{RUN_MARK}({words!r})"


def _cd(rest: str, reading: Reading, line: int) -> str:
    quiet = bool(re.match(r"-q\b", rest))
    target = re.sub(r"^-q\s*", "", rest).strip()
    if len(target) > 1 and target[0] == target[-1] and target[0] in "'\"":
        target = target[1:-1]
    if target.startswith("-"):
        raise reading.refusal("N113", f"`%cd {target}` depends on the folders visited before; name the folder", line)
    reading.need("os")
    folder = shell.expanded(target or "~", reading.bound)
    if not target or target.startswith("~"):
        folder = f"os.path.expanduser({folder})"
    return f"os.chdir({folder})" + ("" if quiet else "; print(os.getcwd())")


def _env(rest: str, line: int, reading: Reading, value: bool) -> str | None:
    name, mark, setting = rest.partition("=") if "=" in rest else rest.partition(" ")
    name, setting = name.strip(), setting.strip()
    if value:
        reading.need("os")
        return f"os.environ[{shell.literal(name)}]" if name and not mark else None
    if not mark:
        reading.tell("N101", f"`%env {rest}` only shows the environment; it was left out", line)
        return None
    reading.need("os")
    text = shell.expanded(setting, reading.bound)
    variable = shell.literal(name)
    shown = shell.literal(f"env: {name}={setting}")
    if text != shell.literal(setting):
        shown = shell.literal(f"env: {name}=") + f" + os.environ[{variable}]"
    return f"os.environ[{variable}] = {text}; print({shown})"


def cell_magic(
    name: str, rest: str, body: str, reading: Reading, nested: Callable[[str], str]
) -> str | None:
    """`%%name rest` over `body` as Python text, whose line 1 is the magic's own; None: the cell goes."""
    if name == "time":
        return "\n" + nested(body)
    if name == "capture":
        return _capture(rest, nested(body), reading)
    if name in TIMED_CELL:
        reading.tell("N102", f"a cell under `%%{name}` only measures; it was left out", 1, "warning")
        return None
    if name in SHOWN_CELL:
        reading.tell("N105", f"`%%{name}` acts on the notebook's page only; the package shows it as text", 1)
        reading.need("IPython.display")
        return f"IPython.display.display(IPython.display.{SHOWN_CELL[name]}({shell.literal(body)}))"
    if name in ("writefile", "file"):
        return _writefile(rest, body, reading)
    if name in ("bash", "sh", "script", "python", "python3"):
        return _script(rest if name == "script" else f"{name} {rest}", body, reading)
    if name in ("sx", "system", "!"):
        return getoutput(body, reading)
    if name in FOREIGN:
        raise reading.refusal("N110", f"`%%{name}` runs another language; write this cell in Python", 1)
    message = f"`%%{name}` is not a cell magic that nb2pkg knows; take it off or write the cell in plain Python"
    raise reading.refusal("N112", message, 1)


def _capture(rest: str, body: str, reading: Reading) -> str:
    reading.silent = True
    name = next((word for word in rest.split() if not word.startswith("-")), "")
    if not body.strip():
        return ""
    if name:
        reading.need("IPython.utils.capture")
        return f"with IPython.utils.capture.capture_output() as {name}:\n{indented(body)}"
    reading.need("contextlib", "io")
    return f"with contextlib.redirect_stdout(io.StringIO()):\n{indented(body)}"


def indented(body: str) -> str:
    """`body` one level deeper; the inner lines of a string of several lines stay as they are."""
    import ast

    inside: set[int] = set()
    tree = ast.parse(body)
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str | bytes)):
            inside.update(range(node.lineno + 1, (node.end_lineno or node.lineno) + 1))
    lines = body.split("\n")
    text = "\n".join("    " + row if row.strip() and n not in inside else row for n, row in enumerate(lines, 1))
    return text if tree.body else "    pass\n" + text


def _writefile(rest: str, body: str, reading: Reading) -> str:
    words = rest.split()
    append = any(word in ("-a", "--append") for word in words)
    name = " ".join(word for word in words if word not in ("-a", "--append")).strip("'\"")
    if name.endswith(".py"):
        reading.written[name] = (reading.written.get(name, "") if append else "") + body
    reading.need("pathlib")
    where = shell.expanded(name, reading.bound)
    if not name:
        raise reading.refusal("N113", "`%%writefile` names no file; name it, or take the cell out", 1)
    path = f"pathlib.Path({where})" + (".expanduser()" if name.startswith("~") else "")
    if append:
        said, done = '"Appending to "', f'{path}.open("a", encoding="utf-8").write({shell.literal(body)})'
    else:
        said = f'("Overwriting " if {path}.exists() else "Writing ")'
        done = f'{path}.write_text({shell.literal(body)}, encoding="utf-8")'
    reading.silent = True  # what `write_text` returns is not shown
    return f"print({said} + {where}); {done}"


def _script(rest: str, body: str, reading: Reading) -> str | None:
    try:
        words = shlex.split(rest)
    except ValueError:
        words = rest.split()
    command: list[str] = []
    target = ""
    while words:
        word = words.pop(0)
        if word == "--out" and words:
            target = words.pop(0)
        elif word in ("--bg", "--err", "--proc"):
            message = f"`%%{rest}`: `{word}` has no plain form; take the option off"
            raise reading.refusal("N113", message, 1)
        elif word != "--no-raise-error":
            command.append(word)
    if command[:1] == ["false"]:
        reading.tell("N101", "a cell under `%%script false` does not run; it was left out", 1)
        return None
    reading.need("subprocess")
    said = shell.program(command, body)
    return f"{target} = {said}" if target else f'print({said}, end="")'
