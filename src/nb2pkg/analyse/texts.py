"""Texts that are known without running anything: paths of files, and code in strings."""

from __future__ import annotations

import ast
import posixpath
import re
from collections.abc import Callable, Sequence

from nb2pkg.analyse.arguments import argument_of
from nb2pkg.analyse.heap import NOTHING, Value
from nb2pkg.analyse.program import FileUse
from nb2pkg.analyse.scopes import Frame
from nb2pkg.analyse.state import State
from nb2pkg.knowledge.commands import files_of
from nb2pkg.knowledge.facts import Call


class Texts(State):
    """Knows what strings some expressions are, and what is named in them."""

    def strings_in(self, node: ast.AST, name: str) -> None:
        """Names in strings are reads: `df.query("@t")`, formulas, `eval`."""
        if not isinstance(node, ast.Call):
            return
        if name in ("builtins.eval", "builtins.exec"):
            text = self.text_of(node.args[0]) if node.args else None
            try:
                tree = ast.parse(text) if text is not None else None
            except SyntaxError:
                tree = None
            if tree is None or name == "builtins.exec":
                self.notes.dynamic = f"{name.removeprefix('builtins.')}() of a computed string"
                return
            for part in ast.walk(tree):
                if isinstance(part, ast.Name):
                    self.notes.named.add(part.id)
                    self.load(part.id, None)
            return
        for arg in (*node.args, *(k.value for k in node.keywords)):
            text = self.text_of(arg)
            if text is not None and len(text) < 2000 and ("@" in text or "~" in text):
                for word in re.findall(r"[^\W\d]\w*", text):
                    if word in self.env:
                        self.notes.named.add(word)
                        self.load(word, None)

    def files(self, fact: Call, node: ast.Call, values: Callable[[str], Value]) -> None:
        """Note the files that a call reads or writes; `values` gives the objects of a parameter."""
        if fact.shell:
            self.files_of_shell(node)
        for parameters_, writes in ((fact.reads_file, False), (fact.writes_file, True)):
            for parameter in parameters_:
                argument = argument_of(node, parameter)
                if parameter == "self" and isinstance(node.func, ast.Attribute):
                    argument = node.func.value
                if argument is None:
                    if fact.folder == "default" and not writes:
                        self.notes.files.append(FileUse(None, False, node.lineno))  # of the working folder, any
                    continue
                is_writing = writes
                if fact.mode:
                    given = argument_of(node, fact.mode)
                    mode = self.text_of(given) if given is not None else "r"
                    is_writing = mode is None or any(c in mode for c in "wax+")
                path = self.text_of(argument)
                if path is None and self.is_elsewhere(values(parameter)):
                    continue
                if path is not None and "://" in path:
                    if not is_writing and not fact.mode:
                        self.notes.downloads.append(FileUse(path, False, node.lineno, argument))
                    continue
                removes = writes and parameter in fact.removes_file
                self.notes.files.append(FileUse(path, is_writing, node.lineno, argument, removes))
                if fact.mode and mode is not None and "a" in mode:
                    self.notes.files.append(FileUse(path, False, node.lineno))

    def files_of_shell(self, node: ast.Call) -> None:
        """Note the files of a command, or of the script that a shell is given."""
        given = [*node.args[:1], *(k.value for k in node.keywords if k.arg == "input")]
        for text in filter(None, map(self.text_of, given)):
            found = files_of(text)
            for path in found.reads:
                self.notes.files.append(FileUse(path, False, node.lineno))
            for path in (*found.writes, *found.appends):
                self.notes.files.append(FileUse(path, True, node.lineno))
            for path in found.removes:
                self.notes.files.append(FileUse(path, True, node.lineno, removes=True))
            for path in found.appends:
                self.notes.files.append(FileUse(path, False, node.lineno))

    def is_elsewhere(self, value: Value) -> bool:
        """Whether what is given as a path surely names no file beside the notebook."""
        types = [self.kb.type(self.heap[number].type) for number in value]
        return bool(types) and all(known is not None and not known.beside for known in types)

    def know(self, name: str, value: ast.expr, frame: Frame | None) -> None:
        """Keep what is known of the text that a name was just bound to."""
        self.know_text(name, self.text_of(value), frame)

    def know_text(self, name: str, text: str | None, frame: Frame | None) -> None:
        """Keep the text that a name was just bound to, where it is known."""
        scope = frame.scope_of(name) if frame is not None else None
        strings = self.strings if scope is None else scope.strings
        if text is not None and scope is frame:
            strings[name] = text
        else:
            strings.pop(name, None)

    def know_arguments(self, args: ast.arguments, frame: Frame, site: ast.Call | None, count: int) -> None:
        """Keep the texts that a function's parameters are: given by the call, which may pass `self` before, or not."""
        names = [a.arg for a in (*args.posonlyargs, *args.args)]
        defaults = zip(names[len(names) - len(args.defaults) :], args.defaults, strict=True)
        only = zip((a.arg for a in args.kwonlyargs), args.kw_defaults, strict=True)
        texts = {name: self.text_of(value) for name, value in (*defaults, *only) if value is not None}
        if site is None or any(isinstance(a, ast.Starred) for a in site.args) or any(not k.arg for k in site.keywords):
            texts = {}
        else:
            first = count - len(site.args)
            texts |= {name: self.text_of(value) for name, value in zip(names[first:], site.args, strict=False)}
            texts |= {k.arg: self.text_of(k.value) for k in site.keywords if k.arg}
        frame.strings = {name: text for name, text in texts.items() if text is not None and name in frame.names}

    def text_of(self, node: ast.expr) -> str | None:
        """The string that an expression is, where that can be known."""
        match node:
            case ast.Constant(value=str(text)):
                return text
            case ast.Name():
                scope = self.scope.scope_of(node.id) if self.scope is not None else None
                return (self.strings if scope is None else scope.strings).get(node.id)
            case ast.BinOp(op=ast.Add()):
                left, right = self.text_of(node.left), self.text_of(node.right)
                return None if left is None or right is None else left + right
            case ast.BinOp(op=ast.Div()):
                return self.joined([node.left, node.right])
            case ast.BinOp(op=ast.Mod(), left=ast.Constant(value=str(form)), right=given):
                values = [self.text_of(v) for v in (given.elts if isinstance(given, ast.Tuple) else [given])]
                texts = tuple(v for v in values if v is not None)
                plain = len(texts) == len(values) == form.count("%") == form.count("%s")
                return form % texts if plain else None
            case ast.JoinedStr():
                parts: list[str] = []
                for part in node.values:
                    formatted = isinstance(part, ast.FormattedValue) and (part.format_spec or part.conversion != -1)
                    text_part = self.text_of(part.value if isinstance(part, ast.FormattedValue) else part)
                    if text_part is None or formatted:
                        return None
                    parts.append(text_part)
                return "".join(parts)
            case ast.Call(func=ast.Attribute(attr="format", value=ast.Constant(value=str(form))), keywords=[]):
                values = [self.text_of(v) for v in node.args]
                texts = tuple(v for v in values if v is not None)
                plain = len(texts) == len(values) == form.count("{}") == form.count("{") == form.count("}")
                return form.format(*texts) if plain else None
            case ast.Call(func=ast.Attribute(attr="joinpath", value=owner), keywords=[]):
                return self.joined([owner, *node.args])
            case ast.Call(func=ast.Attribute(attr="join", value=ast.Name() | ast.Attribute()), keywords=[]):
                return self.joined(node.args)
            case ast.Call(func=ast.Name(id="Path") | ast.Attribute(attr="Path"), keywords=[]):
                return self.joined(node.args)
            case ast.Call(func=ast.Name(id="str") | ast.Attribute(attr="fspath"), args=[path], keywords=[]):
                return self.text_of(path)
            case ast.Attribute(value=ast.Name(id=module), attr=name) if name not in ("parent", "name", "stem"):
                return self.text_in(module, name)
            case _ if self.module_of(self.scope) is not None:
                return self.beside_file(node)
            case _:
                return None

    def text_in(self, module: str, name: str) -> str | None:
        """A text that a module of the notebook's own has."""
        scope = self.scope.scope_of(module) if self.scope is not None else None
        value = (self.env if scope is None else scope.values).get(module, NOTHING)
        known = [inside.strings.get(name) for inside in self.scopes_of(value)]
        return known[0] if len(value) == len(known) == 1 else None

    def beside_file(self, node: ast.expr) -> str | None:
        """The path of a folder above a module's file. It is as good as an absolute one: from the folder that the
        notebook runs in."""
        match node:
            case ast.Call(func=ast.Attribute(attr="dirname"), args=[path], keywords=[]):
                return _parent(self.text_of(path))
            case ast.Call(func=ast.Attribute(attr="abspath" | "realpath" | "normpath"), args=[path], keywords=[]):
                return self.text_of(path)
            case ast.Call(func=ast.Attribute(value=path, attr="resolve" | "absolute"), args=[], keywords=[]):
                return self.text_of(path)
            case ast.Attribute(value=path, attr="parent"):
                return _parent(self.text_of(path))
            case ast.Subscript(value=ast.Attribute(value=path, attr="parents"), slice=ast.Constant(value=int(number))):
                text = self.text_of(path)
                for _ in range(min(number, 50) + 1):
                    text = _parent(text)
                return text
            case _:
                return None

    def joined(self, nodes: Sequence[ast.expr]) -> str | None:
        """The path that is joined of these, where each is known and none but the first begins at the root."""
        found = [self.text_of(node) for node in nodes]
        pieces = [piece for piece in found if piece is not None]
        if not pieces or len(pieces) < len(found) or any(piece.startswith("/") for piece in pieces[1:]):
            return None
        return "/".join(p.rstrip("/") or p for p in pieces if p)


def _parent(path: str | None) -> str | None:
    """The folder that a path is in."""
    if path is None:
        return None
    normal = posixpath.normpath(path)
    above = normal in (".", "..") or normal.endswith("/..")
    return posixpath.normpath(f"{normal}/..") if above else posixpath.dirname(normal) or "."
