"""The text of the emitted modules: one a stage, the constants, the shared definitions, the settings."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass

from nb2pkg.analyse import Program, string_lines
from nb2pkg.analyse.program import Statement
from nb2pkg.notebook import Notebook
from nb2pkg.plan import free_names, import_lines, literal_binder
from nb2pkg.plan.types import Plan, Stage

ARTIFACTS = (
    "UNBOUND",
    "load",
    "load_random_state",
    "load_together",
    "save",
    "save_random_state",
    "save_together",
)
MAIN_TEST = re.compile(r"""__name__\s*==\s*(['"])__main__\1""")


@dataclass(frozen=True, slots=True)
class Module:
    """An emitted module: its name in the package, its text before formatting, the package modules it imports."""

    name: str
    text: str
    uses: tuple[str, ...] = ()


def indent(text: str, level: int = 1) -> str:
    """Indent code, leaving the inside of its string literals alone."""
    inside = string_lines(ast.parse(text))
    pad = "    " * level
    return "\n".join(
        line if number in inside or not line.strip() else pad + line
        for number, line in enumerate(text.split("\n"), 1)
    )


def names_in(text: str) -> set[str]:
    """Every name that a piece of code mentions."""
    found: set[str] = set()
    for part in ast.walk(ast.parse(text)):
        if isinstance(part, ast.Name):
            found.add(part.id)
        elif isinstance(part, ast.Global):
            found.update(part.names)
    return found


def docstring(title: str, prose: str = "", level: int = 0) -> str:
    """A docstring from the notebook's own words."""
    clean = title.replace("\\", "\\\\").replace('"""', "'''").strip().rstrip('"')
    clean = (clean or "A part of the notebook").rstrip(".") + "."
    if prose:
        body = prose.replace("\\", "\\\\").replace('"""', "'''").strip().rstrip('"')
        wrapped = textwrap.fill(" ".join(body.split()), 96)
        text = f'"""{clean}\n\n{wrapped}\n"""'
    else:
        text = f'"""{clean}"""'
    pad = "    " * level
    return "\n".join(pad + line if line else line for line in text.split("\n"))


class Writer:
    """Writes the modules of one plan."""

    def __init__(self, notebook: Notebook, program: Program, plan: Plan) -> None:
        self.notebook = notebook
        self.program = program
        self.plan = plan
        self.imports = dict(plan.imports)
        for line in notebook.imports:
            module = line.removeprefix("import ")
            if "." in module or module not in self.imports:
                self.imports[module.partition(".")[0]] = line
        lines = [line for s in program.statements for line in _lines_of(s)]
        self.import_order = {line: place for place, line in enumerate(lines)}
        self.cell_ids = {cell.index: cell.id for cell in notebook.cells}
        self.constants = {
            next(iter(program.statements[i].effects.binds)): i for i in plan.constants
        }
        self.shared = {
            next(iter(program.statements[i].effects.binds)): i for i in plan.shared_definitions
        }
        kinds = {isinstance(program.statements[i].node, ast.ClassDef) for i in plan.shared_definitions}
        self.shared_module = "definitions" if len(kinds) != 1 else "classes" if True in kinds else "functions"

    # -- heads -----------------------------------------------------------------------------------------------

    def head(self, body: str, local: Iterable[str] = (), *, own: str = "") -> tuple[str, tuple[str, ...]]:
        """The import lines that a module's body needs, and the package's modules among them."""
        package = self.plan.package
        names = names_in(body) - set(local)
        lines: set[str] = set()
        uses: list[str] = []
        future = sorted(line for line in self.imports.values() if line.startswith("from __future__"))
        for name in sorted(names):
            line = self.imports.get(name)
            if line and not line.startswith("from __future__"):
                if line in ("from IPython.display import display", "from IPython.core.display import display"):
                    continue
                lines.add(line)
        submodules = {
            alias.name
            for s in self.program.statements
            if isinstance(s.node, ast.Import)
            for alias in s.node.names
            if "." in alias.name and not alias.asname and alias.name.split(".")[0] in names
        }
        for name in submodules:
            lines.discard(f"import {name.split('.')[0]}")
            lines.add(f"import {name}")
        lines.update(self.program.stars)
        constants = sorted(n for n in names if n in self.constants)
        if constants and own != "const":
            lines.add(f"from {package}.const import {', '.join(constants)}")
        shared = sorted(n for n in names if n in self.shared)
        if shared and own != self.shared_module:
            lines.add(f"from {package}.{self.shared_module} import {', '.join(shared)}")
            uses.append(self.shared_module)
        for module, offered in (
            ("artifacts", ARTIFACTS),
            ("report", ("cell", "show", "stage", "display")),
            ("workspace", ("working_folder",)),
        ):
            wanted = sorted(f"{n} as _{n}" for n in offered if f"_{n}" in names)
            if module == "report" and "display" in names and (
                "display" not in self.imports or "IPython" in self.imports["display"]
            ):
                wanted.append("display")
            if wanted:
                lines.add(f"from {package}.{module} import {', '.join(sorted(wanted))}")
                uses.append(module)
        if "_settings" in names:
            lines.add(f"from {package} import settings as _settings")
            uses.append("settings")
        ordered = sorted(lines, key=lambda line: (package in line.split()[1].split("."), line.split()[1]))
        if self.program.stars:  # a star import may bind again what stands before it
            ordered.sort(key=lambda line: self.import_order.get(line, len(self.import_order)))
        return "\n".join([*future, *ordered]), tuple(sorted(set(uses)))

    # -- stages ----------------------------------------------------------------------------------------------

    def stage(self, stage: Stage) -> Module:
        """The module of one stage."""
        function = self.function(stage)
        main = self.main(stage)
        body = f"{function}\n\n\n{main}"
        named = self.named_in_strings(stage, body)
        if named:
            body = f"# Read by name, in strings.\nNAMED_IN_STRINGS = ({', '.join(named)},)\n\n\n{body}"
        head, uses = self.head(body, self.locals_of(stage))
        text = f"{docstring(stage.title, stage.prose)}\n\n{head}\n\n\n{body}\n"
        text += (
            f'\n\nif __name__ == "__main__":\n    from {self.plan.package} import {stage.name}\n\n'
            f"    {stage.name}.main()\n"
        )
        return Module(stage.name, text, uses)

    def named_in_strings(self, stage: Stage, body: str) -> list[str]:
        """What the module has to import only because a string names it."""
        named = {n for i in stage.statements for n in self.program.statements[i].effects.named}
        imported = (set(self.imports) | set(self.constants) | set(self.shared)) - self.locals_of(stage)
        return sorted((named & imported) - names_in(body))

    def locals_of(self, stage: Stage) -> set[str]:
        """The names that are variables of the stage."""
        found = set(stage.inputs) | set(stage.outputs)
        for index in (*stage.statements, *stage.local_definitions):
            found |= self.program.statements[index].effects.binds
        return found - set(self.imports) - set(self.constants) - set(self.shared)

    def function(self, stage: Stage) -> str:
        """The stage's function."""
        variables = self.locals_of(stage)
        lines: list[str] = []
        if stage.module_scope:
            shown = sorted(variables)
            lines.append(f"def {stage.name}(**inputs):")
            lines.append(docstring(f"{stage.title} (names are the module's: {stage.module_scope})", level=1))
            if shown:
                lines.append(f"    global {', '.join(shown)}")
            lines.append("    globals().update(inputs)")
        else:
            lines.append(f"def {stage.name}({', '.join(stage.inputs)}):")
            lines.append(docstring(stage.title, level=1))
        for name in stage.may_be_unbound:
            lines.append(f"    {name} = _UNBOUND")
        for index in stage.local_definitions:
            lines.append(indent(self.program.statements[index].text))
        read = set(stage.outputs)
        for index in (*stage.statements, *stage.local_definitions):
            node = self.program.statements[index].node
            read |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)}
            read |= self.program.statements[index].effects.reads | free_names_of(node)
            changed = (n.target for n in ast.walk(node) if isinstance(n, ast.AugAssign))
            read |= {target.id for target in changed if isinstance(target, ast.Name)}
        cell = -1
        for index in stage.statements:
            statement = self.program.statements[index]
            if statement.cell != cell:
                cell = statement.cell
                lines.append(f"    _cell({self.cell_ids[cell]!r})")
            text = self.statement(index, stage, variables, read)
            if text:
                lines.append(indent(text))
        if stage.outputs:
            lines.append(f"    return {', '.join(stage.outputs)}")
        return "\n".join(lines)

    def statement(self, index: int, stage: Stage, variables: set[str], read: set[str]) -> str:
        """One statement of the notebook as it stands in the stage's function."""
        statement = self.program.statements[index]
        node, text = statement.node, MAIN_TEST.sub("True", statement.text)
        if statement.displayed:
            comments, code = _split_comments(text)
            assert isinstance(node, ast.Expr)
            if isinstance(node.value, ast.Tuple) and node.value.col_offset == node.value.elts[0].col_offset:
                code = f"({code}\n)"  # a tuple without parentheses would be several arguments
            return "\n".join([*comments, f"_show(\n{code}\n)"])
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            return ""
        if isinstance(node, ast.Delete):
            kept = [
                ast.unparse(t) for t in _flat(node.targets) if not isinstance(t, ast.Name) or t.id in variables
            ]
            return f"del {', '.join(kept)}" if kept else ""
        if (
            not stage.module_scope
            and isinstance(node, ast.Assign)
            and all(isinstance(t, ast.Name) and t.id not in read for t in node.targets)
        ):
            comments, code = _split_comments(text)
            value = ast.get_source_segment(code, ast.parse(code).body[0].value)  # type: ignore[attr-defined]
            if isinstance(node.value, ast.Constant | ast.Name):
                return ""
            return "\n".join([*comments, f"(\n{value}\n)"])
        return text

    def main(self, stage: Stage) -> str:
        """`main()`: load the inputs, run, save the outputs."""
        lines = ["def main():", f'    """Load what `{stage.name}` needs, run it, save what it makes."""']
        lines.append(f"    with _stage({stage.name!r}):")
        body: list[str] = []
        for origin in self.setting_stages(stage):
            body.append(f"_settings.from_{origin}()")
        for artifact in stage.loads:
            if len(artifact.names) == 1:
                body.append(f"{artifact.names[0]} = _load({artifact.folder!r})")
            else:
                body.append(f"together = _load_together({artifact.folder!r})")
                for name in artifact.names:
                    if name in stage.inputs:
                        body.append(f"{name} = together[{name!r}]")
        if stage.random_from:
            body.append(f"_load_random_state({random_folder(stage.random_from)!r})")
        body.append(f"with {self.working_folder()}:")
        call = self.call(stage)
        result = f"{', '.join(stage.outputs)} = {call}" if stage.outputs else call
        body.append("    " + result)
        for artifact in stage.saves:
            if len(artifact.names) == 1:
                body.append(f"_save({artifact.names[0]}, {artifact.folder!r})")
            else:
                values = ", ".join(f"{n}={n}" for n in artifact.names)
                body.append(f"_save_together({artifact.folder!r}, {values})")
        if stage.keeps_random:
            streams = ", ".join(repr(s) for s in self.plan.streams)
            body.append(f"_save_random_state({random_folder(stage.name)!r}, {streams})")
        return "\n".join(lines + ["        " + line for line in body])

    def call(self, stage: Stage, prefix: str = "") -> str:
        """The call of a stage's function."""
        arguments = (f"{n}={n}" for n in stage.inputs) if stage.module_scope else iter(stage.inputs)
        return f"{prefix}{stage.name}({', '.join(arguments)})"

    def folder(self) -> str:
        """The working folder of the stages."""
        return "workspace" if self.plan.cwd == "." else f"workspace/{self.plan.cwd}"

    def working_folder(self) -> str:
        """The call that goes to the notebook's folder, with the empty folders that it has to find there."""
        arguments = [repr(self.folder())] if self.plan.cwd != "." or self.plan.folders else []
        return f"_working_folder({', '.join([*arguments, *map(repr, self.plan.folders)])})"

    # -- the rest --------------------------------------------------------------------------------------------

    def setting_stages(self, stage: Stage) -> list[str]:
        """The earlier stages whose settings hold in this one, in order."""
        wanted = set(stage.earlier_settings)
        return [s.name for s in self.plan.stages if wanted & set(s.statements)]

    def settings(self) -> Module | None:
        """The settings of each stage, for those that come after it."""
        functions: list[str] = []
        for stage in self.plan.stages:
            indices = [i for i in stage.statements if self.program.statements[i].kind == "setting"]
            if not indices:
                continue
            lines = [f"def from_{stage.name}():", f'    """What `{stage.name}` sets for the stages after it."""']
            needed: list[int] = []
            for index in indices:
                for name in sorted(self.program.statements[index].effects.reads):
                    binder = literal_binder(self.program, name)
                    if binder is not None and binder not in needed:
                        needed.append(binder)
            for index in sorted({*needed, *indices}):
                lines.append(indent(self.program.statements[index].text))
            functions.append("\n".join(lines))
        if not functions:
            return None
        body = "\n\n\n".join(functions)
        bound = {n for s in self.program.statements for n in s.effects.binds} - set(self.imports)
        head, uses = self.head(body, bound - set(self.constants) - set(self.shared), own="settings")
        title = docstring("Ambient settings that a stage leaves to those after it")
        return Module("settings", f"{title}\n\n{head}\n\n\n{body}\n", uses)

    def const(self) -> Module:
        """The constants."""
        lines = [docstring("Constants of the notebook: literals that DVC reads and edits"), ""]
        for index in self.plan.constants:
            statement = self.program.statements[index]
            comments, code = _split_comments(statement.text)
            lines.extend([*comments, code])
        return Module("const", "\n".join(lines) + "\n")

    def definitions(self) -> Module | None:
        """The shared functions and classes."""
        if not self.plan.shared_definitions:
            return None
        body = "\n\n\n".join(
            MAIN_TEST.sub("True", self.program.statements[i].text) for i in self.plan.shared_definitions
        )
        head, uses = self.head(body, self.shared, own=self.shared_module)
        text = f"{docstring(f'The {self.shared_module} of the notebook')}\n\n{head}\n\n\n{body}\n"
        return Module(self.shared_module, text, uses)

    def entry(self) -> Module:
        """`python -m <package>`: every stage in one process."""
        package = self.plan.package
        lines = ["def main():", '    """Run every stage in memory, in the notebook\'s order."""']
        for stage in self.plan.stages:
            call = self.call(stage).replace(f"{stage.name}(", f"run_{stage.name}(", 1)
            result = f"{', '.join(stage.outputs)} = {call}" if stage.outputs else call
            lines.append(f"    with _stage({stage.name!r}), {self.working_folder()}:")
            lines.append(f"        {result}")
        imports = [f"from {package}.{s.name} import {s.name} as run_{s.name}" for s in self.plan.stages]
        imports.append(f"from {package}.report import stage as _stage")
        imports.append(f"from {package}.workspace import working_folder as _working_folder")
        text = (
            f"{docstring('Run the whole notebook in one process')}\n\n"
            + "\n".join(sorted(imports))
            + "\n\n\n"
            + "\n".join(lines)
            + '\n\n\nif __name__ == "__main__":\n    main()\n'
        )
        return Module("__main__", text)


def random_folder(stage: str) -> str:
    """Where the random state at the end of a stage lies."""
    return f"data/interim/{stage}/random_state"


def free_names_of(node: ast.stmt) -> frozenset[str]:
    """What the functions inside a statement read."""
    return free_names(node) if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef) else frozenset()


def _lines_of(statement: Statement) -> list[str]:
    """The import lines that a statement is made of."""
    if not isinstance(statement.node, ast.Import | ast.ImportFrom):
        return []
    if statement.node.names[0].name == "*":
        return [statement.text]
    return [line for _, line in import_lines(statement.node)]


def _flat(targets: Iterable[ast.expr]) -> list[ast.expr]:
    flat: list[ast.expr] = []
    for target in targets:
        flat.extend(_flat(target.elts) if isinstance(target, ast.Tuple | ast.List) else [target])
    return flat


def _split_comments(text: str) -> tuple[list[str], str]:
    lines = text.split("\n")
    count = 0
    while count < len(lines) and lines[count].startswith("#"):
        count += 1
    return lines[:count], "\n".join(lines[count:])
