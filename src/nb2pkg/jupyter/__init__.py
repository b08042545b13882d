"""nb2pkg inside Jupyter: the nbconvert exporter and the server extension, both thin shells on `nb2pkg.pipeline`.

In here goes what only Jupyter needs; nothing of it is imported by the rest. What a conversion is, is not decided here.

    exporter    a notebook that nbconvert read -> its package, as files or as a zip
    extension   what a server loads: its settings, and what happens when it stops
    handlers    HTTP: who may ask for what; openapi.json describes it
    contents    the server's files: what may be read and written
    jobs        exports that go on after their request
    workers     processes that do the work, seen from the server
    work        such a process from the inside
"""

from __future__ import annotations

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    from nb2pkg.jupyter.extension import PackageExtension

    return [{"module": "nb2pkg.jupyter", "app": PackageExtension}]
