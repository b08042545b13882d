"""The stage that downloads what the notebook reads from the web, so that every later run is offline."""

from __future__ import annotations

from nb2pkg.emit.imports import Import, block
from nb2pkg.emit.project import DvcStage
from nb2pkg.emit.source import Module, Source, module_files
from nb2pkg.emit.text import docstring

MAIN = "main"
NAMES = ("fetch", "fetch_files", "download_files")


def fetch_name(source: Source) -> str:
    """The stage's name: no other stage's."""
    stages = {stage.name for stage in source.plan.stages}
    return next(name for name in NAMES if name not in stages)


def fetch_module(source: Source) -> Module | None:
    """The module of the stage; None where nothing is downloaded."""
    plan = source.plan
    if not plan.downloads:
        return None
    name = fetch_name(source)
    title = docstring("Download what the notebook reads from the web", "What is there is not downloaded again.")
    imports = block([Import(f"{plan.top}.downloads", "download")], source.own_roots)
    rows = "".join(f"    {path!r}: {url!r},\n" for url, path in plan.downloads)
    body = f"FILES = {{\n{rows}}}\n\n\ndef main():\n    for path, url in FILES.items():\n        download(url, path)\n"
    run = f"from {plan.package} import {name}\n\n    {name}.main()"
    return Module(name, f'{title}\n\n{imports}\n\n{body}\n\nif __name__ == "__main__":\n    {run}\n', ("downloads",))


def fetch_stage(source: Source) -> DvcStage | None:
    """Its row of dvc.yaml."""
    plan = source.plan
    if not plan.downloads:
        return None
    name = fetch_name(source)
    return DvcStage(
        name="-".join([*plan.folder.split("/")[1:], name]),
        module=f"{plan.package}.{name}",
        desc="Download what the notebook reads from the web",
        deps=tuple(sorted(module_files(plan, ("downloads", name)))),
        params=(),
        const_path=f"{plan.folder}/const.py",
        outs=tuple(sorted(path for _, path in plan.downloads)),
        uncached_outs=(),
        metrics=(),
        plots=(),
        cells=(),
    )
