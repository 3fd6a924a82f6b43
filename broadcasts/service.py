"""The whole service in one object: what runs beside the web server on its event loop."""

import asyncio
import contextlib
import logging
import uuid

from channels.db import database_sync_to_async
from channels.layers import get_channel_layer

from broadcasts.archive import upkeep
from broadcasts.asterisk.supervisor import Links
from broadcasts.broker import Broker, Server
from broadcasts.broker.call import Call
from broadcasts.broker.database import OUTAGE, beside_pages
from broadcasts.broker.peers import Peers
from broadcasts.broker.tasks import end
from broadcasts.domain.plan import Configuration
from broadcasts.environment import server_from_environment
from broadcasts.exports.maker import Maker
from broadcasts.facade import Credentials, Facade
from broadcasts.facade.credentials import load_rows
from broadcasts.ledger import Ledger
from broadcasts.ledger.ledger import Outcome
from broadcasts.models import AriUser, AsteriskServer, Revision
from broadcasts.models.snapshot import environment_layer, read_call_configuration

log = logging.getLogger(__name__)

CONFIGURATION_SECONDS = 0.5
CREDENTIALS_USED_SECONDS = 60
BOARD_SECONDS = 0.2
BOARD_LIMIT = 500


class Service:
    """Starts and stops the ledger, the broker and its doors, and keeps their configuration."""

    def __init__(self) -> None:
        self.running = False

    async def start(self) -> None:
        """Start on the running event loop. Raises DatabaseError when there is no database."""
        loop = asyncio.get_running_loop()
        process_id = uuid.uuid4()
        await database_sync_to_async(server_from_environment)()
        self.ledger = Ledger(lambda outcomes: loop.call_soon_threadsafe(tell, outcomes))
        self.broker = Broker(self.ledger, Configuration(environment=environment_layer()))
        self.credentials = Credentials()
        self.links = Links(self.broker, process_id)
        self.facade = Facade(self.broker, self.credentials)
        self.links.on_change.append(self.facade.sync)
        self.peers = Peers(self.broker, process_id)
        self.board = Board(self.broker)
        self._revision = -1
        self.ledger.start()
        await self._configure()
        await self.peers.start()
        await self.links.start()
        self._tasks = [
            asyncio.create_task(self._keep_configured()),
            asyncio.create_task(self._save_credentials_used()),
            asyncio.create_task(self.board.run()),
            asyncio.create_task(upkeep.seal()),
            asyncio.create_task(upkeep.tidy()),
            asyncio.create_task(Maker().run()),
        ]
        self.running = True

    async def stop(self) -> None:
        """Let go of links and candidates, write what is waiting, and end."""
        self.running = False
        await end(self._tasks)
        # First the links: a winner whose socket we close ourselves is not lost.
        await self.links.stop()
        await self.facade.close()
        await self.peers.stop()
        await asyncio.get_running_loop().run_in_executor(None, self.ledger.stop)
        self.credentials.close()

    async def _keep_configured(self) -> None:
        """Take over what was changed in any process, within a moment."""
        while True:
            await asyncio.sleep(CONFIGURATION_SECONDS)
            with contextlib.suppress(*OUTAGE):
                await self._configure()

    async def _configure(self) -> None:
        configuration = await beside_pages(read_configuration)(self._revision)
        if configuration is None:
            return
        self._revision, servers, users, self.broker.configuration = configuration
        self.broker.servers = {server.id: server for server in servers}
        self.credentials.load(users)
        self.links.configure(self.broker.servers)
        self.facade.sync()

    async def _save_credentials_used(self) -> None:
        while True:
            await asyncio.sleep(CREDENTIALS_USED_SECONDS)
            with contextlib.suppress(*OUTAGE):
                await self.credentials.save_use()


class Board:
    """Tells the live boards of every process which broadcasts to read again."""

    def __init__(self, broker: Broker) -> None:
        self._changed: set[int] = set()
        self._state_changed = False
        broker.on_opened.append(self._note)
        broker.on_changed.append(self._note)
        broker.candidates.on_change.append(self._note_state)

    def _note(self, call: Call) -> None:
        if len(self._changed) < BOARD_LIMIT:
            self._changed.add(call.row.pk)

    def _note_state(self) -> None:
        self._state_changed = True

    async def run(self) -> None:
        """Send hints, no more often than people can look."""
        layer = get_channel_layer()
        while True:
            await asyncio.sleep(BOARD_SECONDS)
            changed, self._changed = self._changed, set()
            state_changed, self._state_changed = self._state_changed, False
            with contextlib.suppress(Exception):  # A hint that is lost is caught up with.
                if changed:
                    message = {"type": "board.changed", "ids": sorted(changed)}
                    await layer.group_send("board", message)
                if state_changed:
                    await layer.group_send("board", {"type": "board.state"})


def tell(outcomes: list[Outcome]) -> None:
    """Report the ledger's results, in their order; one that fails costs itself only."""
    for done, result in outcomes:
        try:
            done(result)
        except Exception:
            log.exception("A committed entry could not be followed up")


Read = tuple[int, list[Server], list[AriUser], Configuration]


def read_configuration(known: int) -> Read | None:
    """Return the configuration and its revision, or None while that is still `known`."""
    revision = Revision.current()
    if revision == known:
        return None
    servers = [as_server(row) for row in AsteriskServer.objects.filter(enabled=True)]
    return revision, servers, load_rows(), read_call_configuration()


def as_server(row: AsteriskServer) -> Server:
    """Return a server's row as the broker uses it."""
    return Server(
        id=row.pk,
        name=row.name,
        application=row.application,
        url=row.url.rstrip("/"),
        username=row.username,
        password=row.password,
        outbound=row.kind == AsteriskServer.Kind.OUTBOUND,
    )
