"""An installation whose configuration is changed while it runs, in one process or in two."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from broadcasts.simulator import SimulatedAsterisk
from tests.databases import manage

from .cast import CANDIDATE, Candidate, ServiceProcess, eventually
from .record import Record, Row
from .templates import Template

DIALPLAN = """
[default]
exten => open,1,Gosub(stasis-broadcast,s,1)
 same => n,Hangup()
exten => named,1,Gosub(stasis-broadcast,s,1(,@vip))
 same => n,Hangup()
exten => filtered,1,Gosub(stasis-broadcast,s,1(,^support$))
 same => n,Hangup()
"""

# Whoever is connected first, for a while that no test waits for; then everybody.
LONG, SHORT = 30_000, 300


def preset(name: str, *rounds: tuple[str, int], **values: Any) -> Row:
    steps = [{"app_filter": one, "timeout_ms": ms} for one, ms in rounds]
    return {"name": name, "rounds": steps, **values}


class Installation:
    """A service on its own database, and the candidates that are connected to it."""

    def __init__(self, service: ServiceProcess, database_url: str, directory: Path) -> None:
        self.service = service
        self.record = Record(database_url)
        self.database_url = database_url
        self._directory = directory
        self._candidates: list[Candidate] = []

    def configure(self, *presets: Row, rules: tuple[Row, ...] = ()) -> None:
        """Make presets and rules these."""
        path = self._directory / "configuration.json"
        path.write_text(json.dumps({"presets": presets, "rules": rules}))
        manage(self.database_url, "import_configuration", str(path))

    async def candidate(self, app: str) -> Candidate:
        candidate = await Candidate.connect(self.service.url, CANDIDATE, app)
        self._candidates.append(candidate)
        return candidate

    async def recorded(self, channel_id: str, **columns: Any) -> Row:
        """Wait until the broadcast of a channel reads so."""

        def reads_so() -> bool:
            found = self.record.broadcasts(channel_id)
            return bool(found) and columns.items() <= found[-1].items()

        await eventually(reads_so)
        return self.record.broadcasts(channel_id)[-1]

    async def close(self) -> None:
        for candidate in self._candidates:
            await candidate.leave()
        await self.service.stop()


@asynccontextmanager
async def two_processes(
    template: Template, directory: Path
) -> AsyncIterator[tuple[Installation, list[SimulatedAsterisk]]]:
    """Run two processes on one PostgreSQL, each with an Asterisk that dials it."""
    async with AsyncExitStack() as stack:
        url = stack.enter_context(template.copied("postgresql", directory))
        services = [ServiceProcess(url, directory) for _ in range(2)]
        asterisks = []
        for number, service in enumerate(services):
            name = f"pbx{number}"
            manage(url, "asterisk_server", name, "--outbound", "--username", "a", "--password", "b")
            asterisk = await stack.enter_async_context(SimulatedAsterisk(dialplan=DIALPLAN))
            address = f"ws://{service.bind}/asterisk/{name}/"
            apps = ["broadcast", "ivr-main"]
            await asterisk.dial_out(address, "a", "b", apps, reconnect_interval=0.1)
            asterisks.append(asterisk)
            stack.push_async_callback(service.stop)
            await service.launch()
        await asyncio.gather(*(service.ready() for service in services))
        yield Installation(services[0], url, directory), asterisks
        assert [service.tracebacks for service in services] == [[], []]
