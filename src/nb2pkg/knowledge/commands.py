"""What commands of the shell do with files, as far as their own text proves it.

What goes in here: reading a command. A word with `$`, `*`, `{` or a backquote is not known, nor is what it names.
"""

from __future__ import annotations

import posixpath
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_UNKNOWN = re.compile(r"[$`*?{}~\[\]\\]|\A-")
_CONTROL = frozenset(str.split("for while until if case function do then cd pushd eval exec source . set"))
_READERS = frozenset(str.split("cat head tail wc sort uniq cut less more file nl tac md5sum sha256sum"))
_ARCHIVES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_WGET = re.compile(
    r"--?(q|nv|quiet|no-verbose|nc|no-clobber|c|continue|N|v|verbose|no-check-certificate|show-progress)\Z"
)
_WGET_QUIET = re.compile(r"--?(q|quiet)\Z")
_CURL = re.compile(
    r"(-[LsSfk#]+|--location|--silent|--show-error|--fail|--insecure|--progress-bar|-[LsSfk]*O[LsSfk]*|--remote-name)\Z"
)
_CURL_NAMES = re.compile(r"(-[LsSfk]*O[LsSfk]*|--remote-name)\Z")
_CURL_QUIET = re.compile(r"(-[LSfkO]*s[LSfkO]*|--silent)\Z")
_URL = re.compile(r"(?:https?|ftp)://[^\s'\"<>|&;]+\Z")


@dataclass(frozen=True, slots=True)
class Plain:
    """A command in plain Python that does the same, on one line."""

    code: str
    imports: tuple[str, ...]
    left_out: str = ""
    """What the command says beside, which is not the same twice."""


@dataclass(frozen=True, slots=True)
class Files:
    """The files that a command reads, writes, appends to, and takes away."""

    reads: tuple[str, ...] = ()
    writes: tuple[str, ...] = ()
    appends: tuple[str, ...] = ()
    removes: tuple[str, ...] = ()


def in_python(command: str) -> Plain | None:
    """The command in Python, where it is simple commands one after the other that say nothing of what they do to known
    files."""
    words = _words(command) or []
    if any(set(word) <= set("|&;<>()") and word not in ("&&", ";") for word in words):
        return None
    made = [_one_in_python(each) for each in _simple(words)]
    found = [each for each in made if each is not None]
    if len(found) < len(made):
        return None
    imports = dict.fromkeys(module for each in found for module in each.imports)
    left_out = next((each.left_out for each in found if each.left_out), "")
    return Plain(" ".join(f"{each.code.rstrip(';')};" for each in found), tuple(imports), left_out)


def _one_in_python(words: list[str]) -> Plain | None:
    name, *rest = words or [""]
    match name:
        case "mkdir":
            return _mkdir(rest)
        case "cp":
            plain = len(rest) == 2 and _known(rest)
            code = f"shutil.copy({_text(rest[0])}, {_text(rest[1])});" if plain else ""
            return Plain(code, ("shutil",)) if plain and not rest[1].endswith(("/", ".")) else None
        case "unzip" | "tar":
            return _unpacked(name, rest)
        case "wget" | "curl":
            return _downloaded(name, rest)
        case _:
            return None


def files_of(script: str) -> Files:
    """The files of a script, each of whose lines is commands; none where it has loops, or goes to other folders."""
    reads: list[str] = []
    writes: list[str] = []
    appends: list[str] = []
    removes: list[str] = []
    commands = [list(_simple(words)) for line in script.split("\n") if (words := _words(line)) is not None]
    everything = [command for line in commands for command in line]
    if any(command[0] in _CONTROL for command in everything if command):
        return Files()
    for command in everything:
        words, targets, added = _redirected(command)
        writes += targets
        appends += added
        made = _made(words)
        reads += made.reads
        writes += made.writes
        removes = [*(path for path in removes if path not in (*targets, *added, *made.writes)), *made.removes]
    known = set(writes) | set(appends)
    return Files(tuple(r for r in reads if r not in known), tuple(writes), tuple(appends), tuple(removes))


def _words(command: str) -> list[str] | None:
    lexer = shlex.shlex(command, posix=True, punctuation_chars=True)
    lexer.whitespace_split = True
    lexer.commenters = "#"
    try:
        return list(lexer)
    except ValueError:
        return None


def _simple(words: Sequence[str]) -> Iterator[list[str]]:
    """The commands between `;`, `&&`, `|` and their like."""
    found: list[str] = []
    for word in words:
        if set(word) <= set("|&;()"):
            yield found
            found = []
        else:
            found.append(word)
    yield found


def _redirected(words: Sequence[str]) -> tuple[list[str], list[str], list[str]]:
    """The words without redirections; the files that are written; those that are appended to."""
    plain: list[str] = []
    written: list[str] = []
    added: list[str] = []
    waiting = iter(words)
    for word in waiting:
        if word in (">", ">>", "<", "<<"):
            target = next(waiting, "")
            if plain and plain[-1] in ("1", "2"):
                stream = plain.pop()
                target = "" if stream == "2" and target == "/dev/null" else target
            if word in (">", ">>") and _known([target]) and not target.startswith("/dev/"):
                (written if word == ">" else added).append(target)
        else:
            plain.append(word)
    return plain, written, added


def _made(words: Sequence[str]) -> Files:
    """The files of one simple command."""
    name, rest = (words[0], list(words[1:])) if words else ("", [])
    plain = [word for word in rest if _known([word])]
    match name:
        case "cp" | "mv":
            *sources, target = plain or [""]
            taken = tuple(sources) if name == "mv" else ()
            if len(rest) > len(plain) or not sources:  # an option, which may mean folders, or a name that is not known
                return Files(reads=tuple(sources), removes=taken)
            if len(sources) == 1 and not target.endswith("/"):
                return Files(reads=tuple(sources), writes=(target,), removes=taken)
            writes = tuple(posixpath.join(target, posixpath.basename(source)) for source in sources)
            return Files(reads=tuple(sources), writes=writes, removes=taken)
        case "rm":
            return Files(removes=tuple(plain))
        case "tee" | "touch":
            return Files(writes=tuple(plain))
        case "unzip" | "tar":
            archives = tuple(word for word in plain if word.endswith(_ARCHIVES))
            return Files(reads=archives[:1])
        case "wget" | "curl":
            target = _target(name, rest)
            return Files(writes=(target,)) if target else Files()
        case _ if name in _READERS:
            return Files(reads=tuple(word for word in plain if posixpath.splitext(word)[1]))
        case _:
            return Files()


def _known(words: Sequence[str]) -> bool:
    return all(word and not _UNKNOWN.search(word) and "://" not in word for word in words)


def _text(word: str) -> str:
    return '"' + word.replace('"', '\\"') + '"'


def _mkdir(words: list[str]) -> Plain | None:
    folders = [word for word in words if word not in ("-p", "--parents")]
    deep = len(folders) < len(words) or not any("/" in folder.strip("/") for folder in folders)
    if not folders or not _known(folders) or not deep:
        return None
    return Plain("; ".join(f"os.makedirs({_text(f)}, exist_ok=True)" for f in folders), ("os",))


def _unpacked(name: str, words: list[str]) -> Plain | None:
    """An archive that is unpacked in silence, into a folder of its own."""
    flag, target = ("-d", words) if name == "unzip" else ("-C", words)
    if flag not in target[:-1]:
        return None
    place = words.index(flag)
    folder, rest = words[place + 1], words[:place] + words[place + 2 :]
    options, archives = [w for w in rest if w.startswith("-")], [w for w in rest if not w.startswith("-")]
    if name == "tar" and archives and re.fullmatch(r"[xzjJf]+", archives[0]) and not options:
        options, archives = [archives[0]], archives[1:]
    silent = (
        bool(options) and all(re.fullmatch(r"-[qoun]+", o) for o in options) and any("q" in o for o in options)
        if name == "unzip"
        else bool(options) and all(re.fullmatch(r"-?[xzjJf]+", o) for o in options) and "x" in "".join(options)
    )
    if not silent or len(archives) != 1 or not _known([folder, *archives]) or not archives[0].endswith(_ARCHIVES):
        return None
    return Plain(f"shutil.unpack_archive({_text(archives[0])}, {_text(folder)})", ("shutil",))


def _downloaded(name: str, words: list[str]) -> Plain | None:
    target = _target(name, words)
    urls = [word for word in words if _URL.match(word)]
    if not target or len(urls) != 1:
        return None
    quiet = _WGET_QUIET if name == "wget" else _CURL_QUIET
    said = "" if any(quiet.match(word) for word in words) else f"what `{name}` says of how it downloads"
    folder = posixpath.dirname(target)
    made = f"os.makedirs({_text(folder)}, exist_ok=True); " if folder and name == "wget" and "-P" in words else ""
    code = f"{made}urllib.request.urlretrieve({_text(urls[0])}, {_text(target)});"
    return Plain(code, (*(("os",) if made else ()), "urllib.request"), said)


def _target(name: str, words: list[str]) -> str:
    """The file that a download writes; empty where that is not known, or the command has other options."""
    target = folder = url = ""
    own_name = name == "wget"
    waiting = iter(words)
    for word in waiting:
        if word in (("-O", "--output-document") if name == "wget" else ("-o", "--output")):
            target = next(waiting, "")
        elif word in ("-P", "--directory-prefix") and name == "wget":
            folder = next(waiting, "")
        elif _URL.match(word):
            url = "" if url else word
        elif name == "curl" and _CURL.match(word):
            own_name |= _CURL_NAMES.match(word) is not None
        elif not (name == "wget" and _WGET.match(word)):
            return ""
    last = url.rpartition("/")[2]
    if not target and own_name and "/" in url.partition("://")[2] and re.fullmatch(r"[\w.+-]+", last):
        target = posixpath.join(folder, last)
    return target if url and _known([target]) else ""
