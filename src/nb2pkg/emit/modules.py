"""The modules beside the stages: the package itself, its entry, shared definitions, the settings."""

from __future__ import annotations

from nb2pkg.emit.fetch import MAIN, fetch_name
from nb2pkg.emit.imports import Import, block
from nb2pkg.emit.metrics import recording, with_logging
from nb2pkg.emit.source import Module, Source, beside, head, working_folder
from nb2pkg.emit.stages import MAIN_TEST, call, setting_stages
from nb2pkg.emit.text import docstring, indent
from nb2pkg.plan.cuts import literal_binder


def package_module(source: Source) -> Module:
    """`__init__.py`, which Python runs before any other module of the package."""
    plan = source.plan
    stages = {s.name for s in plan.stages}
    kept = [source.imports[n] for n in plan.kept_imports if n in source.imports and n not in stages]
    first = "\n".join(source.program.statements[i].text for i in plan.before_imports)
    prose = []
    if first:
        prose.append("What later imports read is set here, before any of them.")
    if kept:
        prose.append("What changes other libraries by being imported is imported here.")
    parts = [docstring(f"The notebook {source.notebook.name} as a package", " ".join(prose))]
    if first:
        parts += [head(source, first, own="__init__", stop=0)[0], first]
    if kept:
        names = ", ".join(repr(each.binds()) for each in kept)
        parts += [block(kept, source.own_roots), f"__all__ = [{names}]"]
    return Module("__init__", "\n\n".join(parts) + "\n")


def entry_module(source: Source) -> Module:
    """`__main__.py`: `python -m <package>` runs every stage in one process."""
    source = beside(source, (s.name for s in source.plan.stages))
    package, local = source.plan.package, source.local
    imports = [source.runtime("stage")]
    if not source.plan.in_place:
        imports.append(source.runtime("working_folder"))
    lines = ["def main():", '    """Run every stage in memory, in the notebook\'s order."""']
    space = "    "
    if source.plan.downloads:
        imports.append(Import(package, fetch_name(source)))
        lines.append(f"{space}{fetch_name(source)}.{MAIN}()")
    if not source.plan.in_place:
        lines.append(f"    with {working_folder(source)}:")
        space += "    "
    for stage in source.plan.stages:
        imports.append(Import(f"{package}.{stage.name}", stage.name))
        managers = (f"{local['stage']}({stage.place!r})", recording(source, stage))
        lines.append(f"{space}with {', '.join(filter(None, managers))}:")
        if stage.metrics:
            imports.append(source.runtime("record_metrics"))
        lines.append(f"{space}    {call(stage)}")
    text = f'{docstring("Run the whole notebook in one process")}\n\n{block(imports, source.own_roots)}\n\n\n'
    text += "\n".join(lines) + '\n\n\nif __name__ == "__main__":\n    main()\n'
    return Module("__main__", text)


def definitions_module(source: Source) -> Module | None:
    """The functions and classes that need no variable of the notebook."""
    elsewhere = dict(source.plan.among.shared) if source.plan.among is not None else {}
    own = {name: index for name, index in source.shared.items() if name not in elsewhere}
    if not own:
        return None
    shown = {m.name: m for stage in source.plan.stages for m in stage.metrics}
    texts = (
        with_logging(source, source.program.statements[i], [m for m in shown.values() if m.statement == i])
        for i in sorted(own.values())
    )
    body = "\n\n\n".join(MAIN_TEST.sub("True", text) for text in texts)
    imports, uses = head(source, body, own=source.shared_module, variables=own)
    title = docstring(f"The {source.shared_module} of the notebook")
    return Module(source.shared_module, f"{title}\n\n{imports}\n\n\n{body}\n", uses)


def settings_module(source: Source) -> Module | None:
    """What each stage sets for the stages after it."""
    plan, statements = source.plan, source.program.statements
    wanted = {s.name for stage in plan.stages for s in setting_stages(source, stage)}
    functions: list[str] = []
    for stage in plan.stages:
        if stage.name not in wanted:
            continue
        indices = [i for i in stage.statements if statements[i].repeats]
        names = sorted({n for i in indices if statements[i].kind == "setting" for n in statements[i].effects.reads})
        binders = {b for b in (literal_binder(source.program, name) for name in names) if b is not None}
        lines = [f"def from_{stage.name}():"]
        again = [statements[i].repeats or (statements[i].text,) for i in sorted({*binders, *indices})]
        lines += [indent(text) for texts in again for text in texts]
        functions.append("\n".join(lines))
    if not functions:
        return None
    body = "\n\n\n".join(functions)
    imports, uses = head(source, body, own="settings")
    title = docstring("What a stage sets for the stages after it", "Each function repeats the settings of one stage.")
    return Module("settings", f"{title}\n\n{imports}\n\n\n{body}\n", uses)
