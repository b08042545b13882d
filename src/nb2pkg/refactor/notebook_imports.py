"""Notebooks that a notebook imports as modules, by one of the loaders that people use, become modules of their own.

    import import_ipynb; import tools         →    import tools              (tools.py holds the cells of tools.ipynb)
    from ipynb.fs.full.lib.tools import f     →    from lib_tools import f
    from ipynb.fs.defs.tools import f         →    from tools import f       (tools.py holds the definitions alone)
    with Notebook(): import tools             →    import tools              (importnb)

The loaders are import_ipynb 0.2, nbimporter 0.3, ipynb 0.5 and importnb 2023.11; which statements of a notebook each
of them runs, and where it looks for the file, is as it is there. None of them displays what a cell's last line gives.
"""

from __future__ import annotations

import ast
import keyword
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from nb2pkg.analyse.edits import Edit, edit_of, edited
from nb2pkg.diagnostics import Diagnostic
from nb2pkg.errors import NotebookError
from nb2pkg.notebook import Cell, Notebook

_FS = re.compile(r"(?:ipynb\.fs\.)?(full|defs)\.(.+)")
_LOADERS = ("import_ipynb", "nbimporter", "importnb", "ipynb")
_EXTENSION = re.compile(r"^\s*%(?:re)?load_ext\s+importnb\b", re.MULTILINE)
_MANAGERS = re.compile(r"(?:importnb\.)?(?:Notebook|imports)|__import__\(['\"]importnb['\"]\)\.Notebook")

Reader = Callable[[Path], tuple[Notebook, tuple[Diagnostic, ...], bytes]]
"""Reads a notebook: what it is in plain Python, what could not be kept of it, and its bytes."""
_Key = tuple[Path, str]
"""A notebook, and how much of it is run: `full`, or what the loader calls definitions."""


@dataclass(frozen=True, slots=True)
class _Kept:
    """The statements that a loader runs where it does not run all."""

    nodes: tuple[type[ast.stmt], ...]
    constants: bool = False
    """Assignments to names in capitals too."""

    def has(self, node: ast.stmt) -> bool:
        """Whether it runs the statement."""
        if self.constants and isinstance(node, ast.Assign):
            return all(isinstance(t, ast.Name) and t.id.isupper() for t in node.targets)
        return isinstance(node, self.nodes)


_DEFINITIONS = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom)
_KEPT = {
    "full": _Kept((ast.stmt,)),
    "defs": _Kept(_DEFINITIONS, constants=True),
    "nbimporter": _Kept(_DEFINITIONS),
    "importnb": _Kept((*_DEFINITIONS, ast.AsyncFunctionDef)),
}


def with_notebook_imports(
    notebook: Notebook, within: Path | None, reader: Reader
) -> tuple[Notebook, tuple[Diagnostic, ...]]:
    """The notebook with imports of plain modules in the place of imports of notebooks, these modules among those that
    it writes, and what was done. `reader` reads them; none is taken from outside of `within`, links followed. Raises
    NotebookError where one can't be read."""
    if not any(name in cell.source for cell in notebook.code_cells for name in _LOADERS):
        return notebook, ()
    found = _Modules(notebook.folder, within, reader)
    found.scan(notebook)
    if not found.notebooks:
        return notebook, tuple(found.told)
    texts = {key: found.text(key) for key in found.names}
    cells = tuple(found.mended(cell) if cell.kind == "code" else cell for cell in notebook.cells)
    doubt = found.left(cells)
    if doubt is not None:
        return notebook, (doubt,)
    read_too = found.notebooks.values()
    return (
        replace(
            notebook,
            cells=cells,
            written_modules=(
                *notebook.written_modules,
                *((f"{found.names[key]}.py", text) for key, text in texts.items()),
                *(each for other in read_too for each in other.written_modules),
            ),
            run_files=tuple(sorted({**found.files, **dict(notebook.run_files)}.items())),
            requirements=tuple(dict.fromkeys((*notebook.requirements, *(r for o in read_too for r in o.requirements)))),
        ),
        tuple(found.told),
    )


@dataclass(slots=True)
class _Modules:
    """The notebooks that are imported, one by another too."""

    folder: Path
    within: Path | None
    reader: Reader
    loaders: set[str] = field(default_factory=set)
    """Those that were imported, of which one (nbimporter) can be told to run all."""
    notebooks: dict[Path, Notebook] = field(default_factory=dict)
    names: dict[_Key, str] = field(default_factory=dict)
    """The module of each."""
    files: dict[str, bytes] = field(default_factory=dict)
    bound: set[str] = field(default_factory=set)
    """What the loaders' imports bind, which are left out."""
    told: list[Diagnostic] = field(default_factory=list)

    # -- which are there ---------------------------------------------------------------------------------------

    def scan(self, notebook: Notebook) -> None:
        """Find the loaders first, then what they load, and name the modules."""
        trees = [(cell, tree) for cell in notebook.code_cells if (tree := _tree(cell.code)) is not None]
        self._find_loaders(trees)
        wanted: dict[_Key, int] = {}
        queue = [(cell.index, node) for cell, tree in trees for node in ast.walk(tree)]
        seen: set[_Key] = set()
        while queue:
            cell, node = queue.pop(0)
            for key in self._keys(node):
                if key in seen:
                    continue
                seen.add(key)
                wanted.setdefault(key, cell)
                other = self._read(key[0], cell)
                inner = [(c, tree) for c in other.code_cells if (tree := _tree(c.code)) is not None]
                self._find_loaders(inner)
                queue += ((cell, part) for _, tree in inner for part in ast.walk(tree))
        taken: set[str] = set()
        for key, cell in wanted.items():
            self.names[key] = name = self._name(key, taken)
            taken.add(name)
            how = "its cells are" if key[1] == "full" else "its definitions are"
            message = f"the notebook {self._shown(key[0])} is imported: {how} the module {name}.py"
            self.told.append(Diagnostic("N019", message, cell, severity="info"))

    def _find_loaders(self, trees: Iterable[tuple[Cell, ast.Module]]) -> None:
        for cell, tree in trees:
            self.loaders |= {"importnb"} if _EXTENSION.search(cell.source) else set()
            for node in ast.walk(tree):
                if isinstance(node, ast.Import):
                    self.loaders |= {a.name.partition(".")[0] for a in node.names} & set(_LOADERS)
                elif isinstance(node, ast.ImportFrom) and node.module:
                    self.loaders |= {node.module.partition(".")[0]} & set(_LOADERS)
                elif isinstance(node, ast.With) and _manager(node):
                    self.loaders.add("importnb-defs" if "include_non_defs=False" in ast.unparse(node) else "importnb")
                elif _tells_all(node):
                    self.loaders.add("nbimporter-full")

    def _mode(self) -> str:
        """How much a plain import runs of a notebook."""
        if "import_ipynb" in self.loaders:
            return "full"
        if "nbimporter" in self.loaders:
            return "full" if "nbimporter-full" in self.loaders else "nbimporter"
        if "importnb" in self.loaders or "importnb-defs" in self.loaders:
            return "importnb" if "importnb-defs" in self.loaders else "full"
        return ""

    def _keys(self, node: ast.AST) -> Iterator[_Key]:
        match node:
            case ast.Import(names=names):
                found = [self.key(alias.name, 0) for alias in names]
            case ast.ImportFrom(module=str(module), level=level, names=names):
                whole = self.key(module, level)
                found = [whole] if whole else [self.key(f"{module}.{alias.name}", level) for alias in names]
            case _:
                found = []
        yield from (key for key in found if key is not None)

    def key(self, module: str, level: int) -> _Key | None:
        """The notebook that a module's name means, where it means one."""
        match = _FS.fullmatch(module)
        if match and (module.startswith("ipynb.") if not level else level == 1 and "ipynb" in self.loaders):
            path = self._path(match[2], is_first=True)
            return (path, match[1]) if path else None
        mode = self._mode()
        if level or not mode or module.partition(".")[0] in sys.stdlib_module_names:
            return None
        path = self._path(module, is_first=False)
        return (path, mode) if path else None

    def _path(self, dotted: str, *, is_first: bool) -> Path | None:
        """Where the notebook of a dotted name lies. `is_first`: before a module of that name."""
        *parents, last = dotted.split(".")
        folder = self.folder.joinpath(*parents)
        if not is_first and ((folder / f"{last}.py").is_file() or (folder / last / "__init__.py").is_file()):
            return None
        names = (last,) if is_first else (last, last.replace("_", " "))
        for candidate in (folder / f"{name}.ipynb" for name in names):
            if candidate.is_file() and (self.within is None or candidate.resolve().is_relative_to(self.within)):
                return candidate
        return None

    def _read(self, path: Path, cell: int) -> Notebook:
        if path in self.notebooks:
            return self.notebooks[path]
        shown = self._shown(path)
        try:
            found, told, content = self.reader(path)
        except NotebookError as error:
            where = f"cell {error.cell + 1} of {shown}" if error.cell is not None else shown
            message = f"the notebook {shown} is imported, and can't be read: {where}: {error.message}"
            raise NotebookError(error.code, message, file=error.file, cell=cell) from error
        self.notebooks[path] = found
        self.files[shown] = content
        for each in told:
            place = f"in {shown}" + (f", cell {each.cell + 1}" if each.cell is not None else "")
            self.told.append(replace(each, message=f"{place}: {each.message}", cell=cell, line=None))
        for name, content in found.run_files:
            self.files.setdefault(f"{Path(shown).parent / name}", content)
        return found

    def _shown(self, path: Path) -> str:
        return path.relative_to(self.folder).as_posix()

    def _name(self, key: _Key, taken: set[str]) -> str:
        path, mode = key
        stem = re.sub(r"\W", "_", path.relative_to(self.folder).with_suffix("").as_posix())
        name = f"_{stem}" if stem[0].isdigit() else stem
        is_there = (self.folder / f"{name}.py").exists() or (self.folder / name / "__init__.py").exists()
        if is_there or keyword.iskeyword(name) or name in sys.stdlib_module_names:
            name += "_notebook"
        if name in taken:
            name += f"_{'all' if mode == 'full' else 'definitions'}"
        return name

    # -- what they become --------------------------------------------------------------------------------------

    def text(self, key: _Key) -> str:
        """The module that a notebook is."""
        path, mode = key
        notebook = self.notebooks[path]
        parts = [self._cell_text(self.mended(cell).code, _KEPT[mode]) for cell in notebook.code_cells]
        body = "\n\n\n".join(part for part in parts if part)
        lines = [*notebook.imports]
        if re.search(r"\bdisplay\(", body):
            lines.append("from IPython.display import display")
        if mode == "nbimporter" and re.search(r"^def __nbinit__\(", body, re.MULTILINE):
            body += "\n\n__nbinit__()"
        what = "The cells" if mode == "full" else "The definitions"
        head = f"# {what} of {self._shown(path)}."
        return "\n\n".join(part for part in (head, "\n".join(lines), body) if part) + "\n"

    def _cell_text(self, code: str, kept: _Kept) -> str:
        tree = _tree(code)
        if tree is None or all(map(kept.has, tree.body)):
            return code.strip("\n")
        rows = code.split("\n")
        parts: list[str] = []
        for place, node in enumerate(tree.body):
            if kept.has(node):
                first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", ()))])
                beside = [o for o in tree.body[max(0, place - 1) : place + 2] if o is not node]
                alone = all((o.end_lineno or 0) < first or o.lineno > (node.end_lineno or 0) for o in beside)
                parts.append("\n".join(rows[first - 1 : node.end_lineno]) if alone else ast.unparse(node))
        return "\n".join(parts)

    def mended(self, cell: Cell) -> Cell:
        """A cell with plain imports."""
        tree = _tree(cell.code)
        if tree is None:
            return cell
        edits: list[Edit] = []
        self._mend(tree.body, cell.code, edits)
        return replace(cell, code=edited(cell.code, edits)) if edits else cell

    def left(self, cells: Iterable[Cell]) -> Diagnostic | None:
        """What is told where a loader is used for more than imports: then everything stays as it is."""
        for cell in cells:
            tree = _tree(cell.code) if cell.kind == "code" else None
            for node in ast.walk(tree) if tree is not None else ():
                if isinstance(node, ast.Name) and node.id in self.bound:
                    message = (
                        f"notebooks are imported, and {node.id} is used for more than that: it stays as it is, so the "
                        "package needs this loader, and the notebooks where it runs"
                    )
                    return Diagnostic("N019", message, cell.index, node.lineno, "warning")
        return None

    def _mend(self, body: list[ast.stmt], text: str, edits: list[Edit]) -> None:
        for node in body:
            new = self._mended(node, text)
            if new is not None:
                edits.append(edit_of(node, new))
                continue
            for name in ("body", "orelse", "finalbody"):
                inner = getattr(node, name, None)
                if isinstance(inner, list):
                    self._mend(inner, text, edits)
            for handler in getattr(node, "handlers", []):
                self._mend(handler.body, text, edits)
            for part in ast.iter_child_nodes(node):
                if not isinstance(part, ast.stmt | ast.ExceptHandler | ast.match_case):
                    edits += self._chains(part)

    def _mended(self, node: ast.stmt, text: str) -> str | None:
        """The statement in the place of one of a loader's; None: it is none of them."""
        match node:
            case ast.Import(names=names):
                new = [self._plain(alias) for alias in names]
                return None if new == names else "; ".join(ast.unparse(n) for n in map(_import, new) if n) or "pass"
            case ast.ImportFrom(module=str(module), level=level, names=names):
                return self._from(module, level, names)
            case ast.With() if _manager(node):
                within = [self._mended(each, text) or ast.unparse(each) for each in node.body]
                space = " " * node.col_offset
                rows = [line for part in within for line in part.split("\n")]
                missing = (node.end_lineno or 0) - node.lineno + 1 - len(rows)
                return f"\n{space}".join(rows) + "\n" * missing  # what follows keeps its line
            case ast.Expr() | ast.Assign() if _tells_all(node):
                return "pass"
        return None

    def _plain(self, alias: ast.alias) -> ast.alias | None:
        key = self.key(alias.name, 0)
        if key is not None:
            name = self.names[key]
            bound = alias.asname or (alias.name if "." not in alias.name else "")
            return ast.alias(name, bound if bound and bound != name else None)
        root = alias.name.partition(".")[0]
        if root in _LOADERS:
            self.bound.add(alias.asname or root)
            return None
        return alias

    def _from(self, module: str, level: int, names: list[ast.alias]) -> str | None:
        key = self.key(module, level)
        if key is not None:
            return ast.unparse(ast.ImportFrom(self.names[key], names, 0))
        if module == "importnb" and not level:
            self.bound |= {alias.asname or alias.name for alias in names}
            return "pass"
        keys = [self.key(f"{module}.{alias.name}", level) for alias in names]
        if not any(keys):
            return None
        lines = []
        for alias, each in zip(names, keys, strict=True):
            if each is None:
                lines.append(ast.unparse(ast.ImportFrom(module, [alias], level)))
            else:
                name, bound = self.names[each], alias.asname or alias.name
                lines.append(f"import {name}" + (f" as {bound}" if bound != name else ""))
        return "; ".join(lines)

    def _chains(self, node: ast.AST) -> Iterator[Edit]:
        """`ipynb.fs.full.tools`, written out, as the module."""
        for part in ast.walk(node):
            if isinstance(part, ast.Attribute):
                dotted = _dotted(part)
                key = self.key(dotted, 0) if "." in dotted else None
                if key is not None:
                    yield edit_of(part, self.names[key])


def _import(alias: ast.alias | None) -> ast.Import | None:
    return ast.Import([alias]) if alias is not None else None


def _tree(code: str) -> ast.Module | None:
    try:
        return ast.parse(code)
    except (SyntaxError, ValueError):
        return None


def _dotted(node: ast.expr) -> str:
    """`a.b.c` as text; empty for anything else."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            base = _dotted(value)
            return f"{base}.{name}" if base else ""
        case _:
            return ""


def _manager(node: ast.With) -> bool:
    """`with Notebook():` of importnb, around imports alone."""
    texts = [ast.unparse(i.context_expr.func) for i in node.items if isinstance(i.context_expr, ast.Call)]
    only = all(isinstance(each, ast.Import | ast.ImportFrom) for each in node.body)
    return only and len(texts) == len(node.items) and all(map(_MANAGERS.fullmatch, texts))


def _tells_all(node: ast.AST) -> bool:
    """`nbimporter.options["only_defs"] = False`."""
    match node:
        case ast.Assign(targets=[ast.Subscript(value=value, slice=ast.Constant(value="only_defs"))]):
            return _dotted(value).endswith("options") and ast.unparse(node.value) == "False"
        case _:
            return False
