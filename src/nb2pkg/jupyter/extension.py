"""What a Jupyter server loads: the limits that its administrator may set, and an end that leaves nothing behind."""

from __future__ import annotations

from jupyter_server.extension.application import ExtensionApp
from jupyter_server.serverapp import ServerApp
from traitlets import Float, Int

from nb2pkg.jupyter.handlers import handlers
from nb2pkg.jupyter.jobs import Jobs
from nb2pkg.jupyter.workers import Workers


class PackageExtension(ExtensionApp):
    """Plans notebooks and exports them as packages, under `nb2pkg/` of the server's base URL."""

    name = "nb2pkg"

    max_body = Int(50 << 20, help="How many bytes a request may have.").tag(config=True)
    max_plans = Int(16, help="How many plans may be made at once, those that wait included.").tag(config=True)
    max_running = Int(2, help="How many exports run at once.").tag(config=True)
    max_jobs = Int(64, help="How many exports there may be that have not ended.").tag(config=True)
    plan_timeout = Float(60.0, help="Seconds after which a plan is given up.").tag(config=True)
    export_timeout = Float(600.0, help="Seconds after which an export is stopped.").tag(config=True)
    verify_timeout = Float(14_400.0, help="Seconds after which an export that verifies is stopped.").tag(config=True)
    keep_seconds = Float(3_600.0, help="Seconds for which an export that has ended is remembered.").tag(config=True)
    idle_seconds = Float(900.0, help="Seconds after which an idle process ends.").tag(config=True)

    def initialize_settings(self) -> None:
        """Make what the handlers use."""
        self.planning = 0
        self.workers = Workers(self.max_running, self.idle_seconds)
        self.jobs = Jobs(
            self.workers, running=self.max_running, unfinished=self.max_jobs, keep_seconds=self.keep_seconds
        )
        self.settings["nb2pkg_extension"] = self

    async def _start_jupyter_server_extension(self, serverapp: ServerApp) -> None:
        """Have a process ready before the first page asks, once the server runs (jupyter_server 2.15 or newer)."""
        await self.workers.warm()

    def initialize_handlers(self) -> None:
        """Add the handlers."""
        self.handlers.extend(handlers("/"))

    async def stop_extension(self) -> None:
        """Cancel what runs, end all processes, remove what was kept."""
        await self.jobs.stop()
        await self.workers.stop()
