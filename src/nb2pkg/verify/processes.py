"""Running the notebook and the package: a command that never outlives this process, its lines as they come."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nb2pkg.verify import supervise

LAST_LINES = 400


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended: its exit status (None: the time was up), and the last lines of standard error."""

    status: int | None
    stderr: str
    seconds: float


def run(
    command: Sequence[str],
    cwd: Path,
    environment: Mapping[str, str],
    *,
    timeout: float | None = None,
    on_line: Callable[[str], None] = lambda line: None,
    kept_lines: int = LAST_LINES,
) -> Ended:
    """Run a command with nothing to read, and hand over each line that it prints."""
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", supervise.__file__, "run", *command],
        cwd=cwd,
        env=dict(environment),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdin is not None and process.stdout is not None and process.stderr is not None
    said: deque[bytes] = deque(maxlen=kept_lines)
    reader = threading.Thread(target=said.extend, args=(process.stderr,), daemon=True)
    reader.start()
    late = threading.Event()

    held = process.stdin

    def expire() -> None:
        late.set()
        held.close()

    timer = threading.Timer(timeout, expire) if timeout is not None else None
    if timer is not None:
        timer.daemon = True
        timer.start()
    try:
        for line in process.stdout:
            on_line(line.decode("utf-8", "replace").rstrip("\n"))
        status = process.wait()
        reader.join(5)
    finally:
        if timer is not None:
            timer.cancel()
        held.close()
        process.wait()
        for stream in (process.stdout, process.stderr):
            stream.close()
    text = b"".join(said).decode("utf-8", "replace")
    return Ended(None if late.is_set() else status, text, time.monotonic() - start)
