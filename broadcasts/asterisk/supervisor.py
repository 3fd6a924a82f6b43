"""All links of this process: which it may hold, holds, and how they are doing."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from uuid import UUID

from broadcasts.broker import LinkDown, Server
from broadcasts.broker.broker import Broker
from broadcasts.broker.database import OUTAGE
from broadcasts.domain.errors import in_a_line
from broadcasts.domain.rest_messages import VERSION_QUERY, VERSION_URI, system_version

from .dial_in import Dialer
from .leases import RENEW_SECONDS, Leases
from .link import LinkState, connected
from .outbound import OutboundLink

log = logging.getLogger(__name__)

# Before we take our application back from a connection that is none of our processes'.
REPLACED_SECONDS = 30.0
# An Asterisk that has dialled us answers, and registers its applications, at once.
ANSWER_SECONDS = 5.0
REGISTER_SECONDS = 5.0
# Seen with Asterisk 23: its connection comes back, but neither registers anything nor answers.
MUTE = (
    "it dialled us but answers nothing, as after another connection took its applications over: "
    "there, run `ari shutdown websocket session NAME` and `ari start outbound-websocket NAME`"
)
REFUSALS_KNOWN = 100


class Links:
    """Dials the servers whose lease this process holds, and takes in those that dial us.

    Leases keep two processes from dialling one server. While the database cannot be asked, links
    stay up, so that callers can still be sent on; should another process have taken the lease
    meanwhile, Asterisk itself says so with ApplicationReplaced, and ours ends.

    Used on the event loop's thread only.

    Attributes:
        on_change: called when a server that dials us comes, goes or registers an application.
    """

    def __init__(self, broker: Broker, process_id: UUID) -> None:
        self.broker = broker
        self.on_change: list[Callable[[], None]] = []
        self._leases = Leases(process_id)
        self._servers: dict[int, Server] = {}
        self._dialling: dict[int, asyncio.Task[None]] = {}
        self._accepted: dict[int, OutboundLink] = {}
        self._refusals: dict[str, str] = {}
        self._introductions: set[asyncio.Task[None]] = set()
        self._changed = asyncio.Event()
        self._renewed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._trouble = ""

    async def start(self) -> None:
        """Begin to hold leases and links."""
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Close every link and give up its lease, so that another process follows at once."""
        if self._task:
            self._task.cancel()
        tasks = list(self._dialling.values())
        self._let_go(list(self._servers))
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._leases.close()

    def configure(self, servers: Mapping[int, Server]) -> None:
        """Act on the enabled servers as they are now: new, edited and removed ones."""
        outdated = [key for key, server in self._servers.items() if servers.get(key) != server]
        self._servers = dict(servers)
        self._let_go(outdated)
        self._changed.set()

    # Servers that dial us

    def outbound_server(self, name: str) -> Server | None:
        """Return the enabled server of this name that dials us."""
        named = (server for server in self._servers.values() if server.name == name)
        return next((server for server in named if server.outbound), None)

    def accepted(self, link: OutboundLink) -> None:
        """Take in the socket of a server; it replaces an older one."""
        server = link.server
        self._refusals.pop(server.name, None)
        older = self._accepted.get(server.id)
        self._ignore_outage(self._leases.take(server.id))
        self._accepted[server.id] = link
        if older:
            log.info("Asterisk %s: a newer connection replaces the older one", server.name)
            older.close()
            # Whom it served leaves now, without a link: with one, a winner would count as lost.
            self.note_change()
        self.broker.link_up(link)
        self.note_change()
        task = asyncio.create_task(self._introduce(link))
        self._introductions.add(task)
        task.add_done_callback(self._introductions.discard)

    def dropped(self, link: OutboundLink, reason: str) -> None:
        """Forget the socket of a server."""
        if self._accepted.get(link.server.id) is link:
            del self._accepted[link.server.id]
            link.close()
            self.note_change()
            log.warning("Asterisk %s: %s", link.server.name, reason)
            self.report(link.server, LinkState(last_error=reason))
            self._ignore_outage(self._leases.release([link.server.id]))

    def note_change(self) -> None:
        """Tell who wants to know that a server's applications may have changed."""
        for listener in self.on_change:
            listener()

    def refused(self, name: str, reason: str) -> None:
        """Say once why a handshake was refused: it will be tried again and again."""
        if self._refusals.get(name) == reason:
            return
        if len(self._refusals) >= REFUSALS_KNOWN:
            self._refusals.clear()
        self._refusals[name] = reason
        log.warning("Asterisk %.64s was refused: %s", name, reason)
        server = self.outbound_server(name)
        if server and server.id not in self._accepted:
            self.report(server, LinkState(last_error=f"refused: {reason}"))

    def report(self, server: Server, state: LinkState) -> None:
        """Record how the link to a server is doing."""
        self._ignore_outage(self._leases.report(server.id, state))

    async def _introduce(self, link: OutboundLink) -> None:
        """Find out who has dialled us, and whether calls will come."""
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await link.request("GET", VERSION_URI, VERSION_QUERY)
        except TimeoutError:
            self._warn(link, LinkState(last_error=MUTE))
            return
        except LinkDown:
            return
        state = connected(link.server, system_version(answer.body), rest_over_socket=True)
        self.report(link.server, state)
        await asyncio.sleep(REGISTER_SECONDS)
        application = link.server.application
        if application not in link.applications:
            reason = f"its `apps` do not name {application} (ari.conf): no call will come"
            self._warn(link, state._replace(last_error=reason))

    def _warn(self, link: OutboundLink, state: LinkState) -> None:
        if self._accepted.get(link.server.id) is link:
            log.warning("Asterisk %s: %s", link.server.name, state.last_error)
            self.report(link.server, state)

    # Leases

    def _let_go(self, keys: list[int]) -> None:
        """Close the links to these servers and give up their leases."""
        for key in keys:
            if task := self._dialling.pop(key, None):
                task.cancel()
            if link := self._accepted.pop(key, None):
                link.close()
        if keys:
            self._ignore_outage(self._leases.release(keys))
            self.note_change()

    async def _run(self) -> None:
        while True:
            self._changed.clear()
            await self._renew()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RENEW_SECONDS):
                    await self._changed.wait()

    async def _renew(self) -> None:
        wanted = {key for key, server in self._servers.items() if not server.outbound}
        accepted = dict(self._accepted)
        away = self._servers.keys() - wanted - accepted.keys()
        try:
            held = await self._leases.hold(wanted, set(accepted))
            elsewhere = await self._leases.held_elsewhere(away) if away else set()
        except OUTAGE as error:
            self._complain(f"leases cannot be renewed: {in_a_line(error)}")
            return
        self._complain("")
        self._renewed.set()
        lost = [key for key in self._dialling if key not in held]
        lost += [key for key in accepted.keys() - held if self._accepted.get(key) is accepted[key]]
        for key in lost:
            log.warning("Asterisk %s: another process holds it now", self._servers[key].name)
        self._let_go(lost)
        # A server that has dialled another process since will not come back for its calls here.
        for key in {*lost, *elsewhere} - self._accepted.keys():
            self.broker.forget_calls(key)
        for server in self._servers.values():
            if server.id in held and not server.outbound:
                self._dial(server)

    def _dial(self, server: Server) -> None:
        task = self._dialling.get(server.id)
        if task is None or task.done():
            self._dialling[server.id] = asyncio.create_task(self._keep_dialling(server))

    async def _keep_dialling(self, server: Server) -> None:
        dialer = Dialer(server, self.broker, self.report)
        while True:
            await dialer.run()
            # Another connection took our application. If it is one of our processes', it has the
            # lease, and the next renewal ends this; if not, the application is ours all the same.
            self._renewed.clear()
            self._changed.set()
            await asyncio.sleep(REPLACED_SECONDS)
            await self._renewed.wait()

    def _complain(self, trouble: str) -> None:
        if trouble and trouble != self._trouble:
            log.error(trouble)
        self._trouble = trouble

    def _ignore_outage(self, work: "asyncio.Future[None]") -> None:
        """Let work on the database fail quietly: the next renewal says if it is away."""
        work.add_done_callback(lambda done: done.cancelled() or done.exception())
