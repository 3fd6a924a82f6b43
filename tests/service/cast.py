"""Who plays in the tests of the whole service: its processes, callers and candidates."""

import asyncio
import json
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple, Self

import aiohttp
from yarl import URL

from tests.databases import ROOT, environment

# What is sure to come may take this long on a machine that has much else to do.
PATIENCE_SECONDS = 45.0
POLL_SECONDS = 0.02

# The candidates' credentials.
CANDIDATE, READER, LIMITED = "candidate:secret", "reader:secret", "limited:secret"

Event = dict[str, Any]


class Answer(NamedTuple):
    """What a REST request came to."""

    status: int
    body: str
    headers: dict[str, str]


async def eventually(condition: Callable[[], Awaitable[bool] | bool]) -> None:
    """Wait for what nobody announces, such as a row in a database; fails after a while."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            holds = condition()
            if holds if isinstance(holds, bool) else await holds:
                return
            await asyncio.sleep(POLL_SECONDS)


def free_port() -> int:
    """Return a port that nothing listens at."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class ServiceProcess:
    """`manage.py serve`, as its users run it.

    Args:
        database_url: of a migrated database.
        directory: where its log is kept.
        bind: HOST:PORT; a free port unless given.
        server: the web server; the service's own choice unless given.
        variables: further environment variables.
    """

    def __init__(
        self,
        database_url: str,
        directory: Path,
        *,
        bind: str = "",
        server: str = "",
        **variables: str,
    ) -> None:
        self.bind = bind or f"127.0.0.1:{free_port()}"
        self.url = f"http://{self.bind}"
        self._arguments = ["--bind", self.bind, *(["--server", server] if server else [])]
        self._environment = environment(database_url, **variables)
        self._log = directory / f"service-{self.bind.rpartition(':')[2]}.log"
        self._process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        """Start it and wait until it says that calls can be broadcast."""
        await self.launch()
        await self.ready()

    async def launch(self) -> None:
        """Start it."""
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                "manage.py",
                "serve",
                *self._arguments,
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )

    async def ready(self) -> None:
        """Wait until /readyz says so."""
        await self._until("readyz")

    async def answers(self) -> None:
        """Wait until it answers at all, linked to an Asterisk or not."""
        await self._until("healthz")

    async def _until(self, path: str) -> None:
        async with aiohttp.ClientSession() as session:
            await eventually(lambda: self._probe(session, path))

    async def _probe(self, session: aiohttp.ClientSession, path: str) -> bool:
        assert self._process and self._process.returncode is None, self.log
        try:
            async with session.get(f"{self.url}/{path}") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def gauge(self, name: str) -> float:
        """Return the sum of a gauge in /metrics over its labels."""
        async with aiohttp.ClientSession() as session, session.get(f"{self.url}/metrics") as answer:
            lines = (await answer.text()).splitlines()
        return sum(
            float(line.split()[-1])
            for line in lines
            if line.startswith(f"stasis_broadcast_{name}") and not line.startswith("#")
        )

    async def has_candidates(self, count: int) -> None:
        """Wait until so many applications are connected to this process."""

        async def holds() -> bool:
            return await self.gauge("connected_candidates") == count

        await eventually(holds)

    async def kill(self) -> None:
        """End it as a crash does: `kill -9`."""
        assert self._process
        self._process.kill()
        await self._process.wait()

    async def stop(self) -> None:
        """End it as an operator does."""
        if self._process and self._process.returncode is None:
            self._process.terminate()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._process.wait()

    @property
    def log(self) -> str:
        """Everything it has printed, all its lives."""
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    @property
    def tracebacks(self) -> list[str]:
        """What no log may have, whatever happens."""
        return [line for line in self.log.splitlines() if "Traceback" in line]

    @property
    def complaints(self) -> list[str]:
        """What a healthy log has none of: tracebacks, and lines at the level ERROR."""
        marks = ("Traceback", " ERROR ", " CRITICAL ", "Exception", "Error:")
        return [line for line in self.log.splitlines() if any(mark in line for mark in marks)]


class Inbox:
    """Keeps what a socket receives until somebody asks for it."""

    def __init__(self, connection: aiohttp.ClientWebSocketResponse) -> None:
        self.connection = connection
        self.closed = asyncio.Event()
        self._events: list[Event] = []
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self.connection:
            if message.type is aiohttp.WSMsgType.TEXT:
                self._events.append(json.loads(message.data))
                self._news.set()
        self.closed.set()

    async def take(self, wanted: Callable[[Event], bool]) -> Event:
        """Return, and take out, the first event that is wanted; waits for it to come."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while (event := next(filter(wanted, self._events), None)) is None:
                self._news.clear()
                await self._news.wait()
        self._events.remove(event)
        return event

    def left(self, channel_id: str) -> list[str]:
        """Return the types of the events of a channel that nobody has taken."""
        return [event["type"] for event in self._events if channel_of(event) == channel_id]

    async def close(self) -> None:
        await self.connection.close()
        await self._reader


def channel_of(event: Event) -> str:
    """Return the id of an event's channel, or ""."""
    return event.get("channel", {}).get("id", "")


class Ari:
    """A client of the ARI at an address, which may be an Asterisk's or this service's."""

    def __init__(self, url: str, user: str) -> None:
        self.url = url
        headers = {"Authorization": aiohttp.encode_basic_auth(*user.split(":", 1))} if user else {}
        self._session = aiohttp.ClientSession(headers=headers)

    async def open(self, *apps: str, **query: str) -> aiohttp.ClientWebSocketResponse:
        """Open an event socket; raises aiohttp.ClientError."""
        parameters = {"app": ",".join(apps), **query}
        return await self._session.ws_connect(f"{self.url}/ari/events", params=parameters)

    async def connect(self, *apps: str, **query: str) -> Inbox:
        """Open an event socket, and keep what comes."""
        return Inbox(await self.open(*apps, **query))

    async def request(self, method: str, path: str, **query: str) -> Answer:
        """Ask for a resource below /ari/."""
        url = f"{self.url}/ari/{path}"
        async with self._session.request(method, url, params=query) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def raw(self, method: str, target: str, **options: Any) -> Answer:
        """Send a request whose path and query are encoded already."""
        url = URL(f"{self.url}{target}", encoded=True)
        async with self._session.request(method, url, **options) as answer:
            return Answer(answer.status, await answer.text(), dict(answer.headers))

    async def close(self) -> None:
        await self._session.close()


class Candidate:
    """A program that speaks for its applications over one socket, and claims calls."""

    def __init__(self, ari: Ari, inbox: Inbox, apps: tuple[str, ...]) -> None:
        self.ari = ari
        self.inbox = inbox
        self.apps = apps

    @classmethod
    async def connect(cls, url: str, user: str, *apps: str) -> Self:
        ari = Ari(url, user)
        return cls(ari, await ari.connect(*apps), apps)

    async def event(self, kind: str, channel_id: str, app: str = "") -> Event:
        """Return the next event of a type for a channel, and for one application if given."""
        return await self.inbox.take(
            lambda event: (
                event["type"] == kind
                and channel_of(event) == channel_id
                and app in ("", event["application"])
            )
        )

    async def offer(self, channel_id: str, app: str = "") -> Event:
        """Wait until it is offered a call."""
        return await self.event("CallBroadcast", channel_id, app)

    async def gets(self, channel_id: str, app: str = "") -> Event:
        """Wait until a call is handed to it."""
        return await self.event("StasisStart", channel_id, app)

    async def claim(self, channel_id: str, app: str = "") -> Answer:
        """Claim a call for an application, the first of its own unless given."""
        return await self.ari.request(
            "POST", "events/claim", channelId=channel_id, application=app or self.apps[0]
        )

    async def goes_on(self, channel_id: str, **place: str) -> None:
        """Send its call back to the dialplan."""
        answer = await self.ari.request("POST", f"channels/{channel_id}/continue", **place)
        assert answer.status == 204, answer

    async def ask(self, **request: Any) -> Event:
        """Send a RESTRequest over the socket and return its RESTResponse."""
        await self.inbox.connection.send_json({"type": "RESTRequest", **request})
        return await self.inbox.take(
            lambda event: (
                event["type"] == "RESTResponse"
                and event["request_id"] == request.get("request_id", "")
            )
        )

    async def not_told_of(self, channel_id: str) -> None:
        """Make sure that nothing of a channel has come, nor is on its way."""
        # Answers come in their turn among the events.
        await self.ask(method="POST", uri="events/claim")
        assert self.inbox.left(channel_id) == []

    async def leave(self) -> None:
        await self.inbox.close()
        await self.ari.close()


class Call:
    """A call that somebody placed; `id` is that of the channel which runs the dialplan."""

    def __init__(self, switchboard: "Switchboard", channel: Event, caller_leg: str) -> None:
        self.id = channel["id"]
        self.name = channel["name"]
        self._switchboard = switchboard
        self._caller_leg = caller_leg

    async def status(self) -> str:
        """Return the STASISSTATUS with which the dialplan goes on."""
        told = await self._event("ChannelUserevent")
        return told["userevent"]["Status"]

    async def hang_up(self) -> None:
        """The caller gives up."""
        await self._switchboard.ari.request("DELETE", f"channels/{self._caller_leg}")

    async def ended(self) -> None:
        """Wait until the channel is no more."""
        await self._event("ChannelDestroyed")

    async def _event(self, kind: str) -> Event:
        return await self._switchboard.inbox.take(
            lambda event: event["type"] == kind and channel_of(event) == self.id
        )


class Switchboard:
    """Places calls through an Asterisk's own ARI, and hears what becomes of them."""

    def __init__(self, ari: Ari, inbox: Inbox) -> None:
        self.ari = ari
        self.inbox = inbox

    @classmethod
    async def connect(cls, url: str, user: str) -> Self:
        ari = Ari(url, user)
        return cls(ari, await ari.connect("switchboard", subscribeAll="true"))

    async def call(self, exten: str, caller: str = "") -> Call:
        """Call an extension of the context `default`; the far leg waits in the extension `sink`."""
        answer = await self.ari.request(
            "POST",
            "channels",
            endpoint=f"Local/{exten}@default",
            extension="sink",
            context="default",
            priority="1",
            callerId=caller,
        )
        assert answer.status == 200, answer
        caller_leg = json.loads(answer.body)
        name = f"{caller_leg['name'][:-1]}2"
        created = await self.inbox.take(
            lambda event: event["type"] == "ChannelCreated" and event["channel"]["name"] == name
        )
        return Call(self, created["channel"], caller_leg["id"])

    async def leave(self) -> None:
        await self.inbox.close()
        await self.ari.close()
