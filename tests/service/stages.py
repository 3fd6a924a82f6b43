"""Where the scenarios are played: an Asterisk, simulated or real, and how it is linked to us."""

import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from broadcasts.simulator import SimulatedAsterisk
from tests.databases import manage

from .cast import (
    CANDIDATE,
    LIMITED,
    READER,
    Ari,
    Candidate,
    ServiceProcess,
    Switchboard,
    eventually,
)
from .record import Record, Row, listed
from .templates import Template

# A real Asterisk to play the scenarios on, instead of the simulated one.
ASTERISK_URL = os.environ.get("ASTERISK_URL", "")
ASTERISK_USER = os.environ.get("ASTERISK_USER", "ari:ari")
ASTERISK_READ_ONLY_USER = os.environ.get("ASTERISK_READ_ONLY_USER", "ro:ro")
# Which links it is configured for; and, for outbound ones, where it dials and as whom.
ASTERISK_LINKS = os.environ.get("ASTERISK_LINKS", "native,dial-in").split(",")
ASTERISK_DIALS = os.environ.get("ASTERISK_DIALS", "127.0.0.1:8000")
ASTERISK_DIALS_AS = os.environ.get("ASTERISK_DIALS_AS", "ari:ari")

SIMULATED_LINKS = ["dial-in", "dial-in-http", "dial-in-daphne", "outbound", "outbound-alone"]
LINKS = ASTERISK_LINKS if ASTERISK_URL else ["native", *SIMULATED_LINKS]
OUR_LINKS = [link for link in LINKS if link != "native"]

# What an Asterisk registers whose one outbound socket has to serve the candidates, too.
APPLICATIONS = ["broadcast", "ivr-main", "ivr-2", "support", "sales"]

DIALPLAN = """
[default]
; Its filter is one that native's guard rejects.
exten => refused,1,Gosub(stasis-broadcast,s,1(5000,ivr{101}))
 same => n,UserEvent(BroadcastStatus,Status: ${STASISSTATUS})
 same => n,Hangup()
; The menus for a moment, then the support team.
exten => chain,1,Gosub(stasis-broadcast,s,1(300,^ivr-))
 same => n,UserEvent(BroadcastStatus,Status: ${STASISSTATUS})
 same => n,Gosub(stasis-broadcast,s,1(5000,^support$))
 same => n,UserEvent(BroadcastStatus,Status: ${STASISSTATUS})
 same => n,Hangup()
; Arguments that cannot be read.
exten => odd,1,Gosub(stasis-broadcast,s,1(soon,,a::b,maybe))
 same => n,UserEvent(BroadcastStatus,Status: ${STASISSTATUS})
 same => n,Hangup()
; Little time.
exten => brief,1,Gosub(stasis-broadcast,s,1(2000))
 same => n,UserEvent(BroadcastStatus,Status: ${STASISSTATUS})
 same => n,Hangup()
; Time enough for whatever has to happen first.
exten => patient,1,Gosub(stasis-broadcast,s,1(30000))
 same => n,UserEvent(BroadcastStatus,Status: ${STASISSTATUS})
 same => n,Hangup()
"""


@dataclass
class Stage:
    """One Asterisk, who calls there, and where candidates connect.

    `any`, `filtered` and `short` are extensions: for anybody, within 5 s; for `^ivr-.*`, with the
    arguments `sales:priority-high` and news of the claim; for anybody, within 300 ms.
    """

    link: str
    switchboard: Switchboard
    url: str
    users: dict[str, str]
    service: ServiceProcess | None = None
    record: Record | None = None
    asterisk: SimulatedAsterisk | None = None
    any: str = "gosub"
    filtered: str = "gosubfilter"
    short: str = "gosubshort"
    may_complain: bool = False
    _candidates: list[Candidate] = field(default_factory=list)
    _strangers: list[Ari] = field(default_factory=list)

    async def candidate(self, *apps: str, user: str = CANDIDATE) -> Candidate:
        """Connect a candidate."""
        candidate = await Candidate.connect(self.url, self.users[user], *apps)
        self._candidates.append(candidate)
        return candidate

    async def call(self, exten: str, caller: str = "") -> Any:
        """Place a call."""
        return await self.switchboard.call(exten, caller)

    async def leaves(self, candidate: Candidate) -> None:
        """Let a candidate go, and wait until it is known that it went."""
        self._candidates.remove(candidate)
        await candidate.leave()
        assert self.service
        await self.service.has_candidates(sum(len(other.apps) for other in self._candidates))

    async def stranger(self, user: str) -> Ari:
        """Return a client with these credentials, good or bad."""
        stranger = Ari(self.url, user)
        self._strangers.append(stranger)
        return stranger

    async def clear(self) -> None:
        """Let every candidate go, and wait until it is known that they went."""
        for candidate in self._candidates:
            await candidate.leave()
        for stranger in self._strangers:
            await stranger.close()
        self._candidates.clear()
        self._strangers.clear()
        if self.service:
            await self.service.has_candidates(0)
        else:
            await eventually(self._nobody_listens)

    async def _nobody_listens(self) -> bool:
        answer = await self.switchboard.ari.request("GET", "applications")
        return not any(f'"{name}"' in answer.body for name in APPLICATIONS)

    async def recorded(self, channel_id: str, **columns: Any) -> Row | None:
        """Wait until the newest broadcast of a channel reads so; native records nothing."""
        if self.record is None:
            return None
        record, row = self.record, {}

        def reads_so() -> bool:
            found = record.broadcasts(channel_id)
            row.update(found[-1] if found else {})
            return bool(row) and all(row[name] == value for name, value in columns.items())

        try:
            await eventually(reads_so)
        except TimeoutError:
            assert {name: row.get(name) for name in columns} == columns
        return row

    async def attempted(self, channel_id: str, *attempts: tuple[str, int, str]) -> None:
        """Wait until these are the claims on record for a channel."""
        if self.record is None:
            return
        record = self.record
        try:
            await eventually(lambda: len(record.attempts(channel_id)) >= len(attempts))
        finally:
            assert record.attempts(channel_id) == list(attempts)

    def offered_to(self, broadcast: Row | None) -> set[str]:
        """Return the names of the recorded candidates of a broadcast."""
        assert self.record and broadcast
        return {row["application"] for row in self.record.candidates(broadcast)}


def dialling_in(
    url: str, database_url: str, directory: Path, user: str = "ari:ari", **options: str
) -> ServiceProcess:
    """Return a service that dials in at an Asterisk, not started yet."""
    name, _, password = user.partition(":")
    ari = {"ARI_URL": url, "ARI_USERNAME": name, "ARI_PASSWORD": password}
    return ServiceProcess(database_url, directory, **ari, **options)


def warnings_of(broadcast: Row | None) -> list[str]:
    assert broadcast
    return listed(broadcast["warnings"])


@asynccontextmanager
async def stage(
    link: str, template: Template, directory: Path, **variables: str
) -> AsyncIterator[Stage]:
    """Set a stage with one kind of link.

    Args:
        template: of the database, with the credentials of candidates.
        directory: for that copy and the service's log.
        variables: further environment of the service.
    """
    async with AsyncExitStack() as stack:
        asterisk, url, user = None, ASTERISK_URL, ASTERISK_USER
        if not ASTERISK_URL:
            asterisk = await stack.enter_async_context(simulated(link))
            url, user = asterisk.url, "ari:ari"
        switchboard = await Switchboard.connect(url, user)
        stack.push_async_callback(switchboard.leave)
        if link == "native":
            users = {CANDIDATE: user, READER: ASTERISK_READ_ONLY_USER}
            names = {"any": "native", "filtered": "nativefilter", "short": "nativeshort"}
            yield Stage(link, switchboard, url, users, asterisk=asterisk, **names)
            return
        database_url = stack.enter_context(template.copied("sqlite", directory))
        service = await linked(link, database_url, directory, asterisk, url, user, variables)
        stack.push_async_callback(service.stop)
        await service.start()
        users = {name: name for name in (CANDIDATE, READER, LIMITED)}
        record = Record(database_url)
        stage = Stage(link, switchboard, service.url, users, service, record, asterisk)
        yield stage
        wrong = service.tracebacks if stage.may_complain else service.complaints
        assert wrong == [], service.log


def simulated(link: str) -> SimulatedAsterisk:
    """Return an Asterisk that is not started yet."""
    return SimulatedAsterisk(
        dialplan=DIALPLAN,
        read_only_users={"ro": "ro"},
        rest_over_websocket=link != "dial-in-http",
        native_broadcast=link == "native",
    )


async def linked(
    link: str,
    database_url: str,
    directory: Path,
    asterisk: SimulatedAsterisk | None,
    url: str,
    user: str,
    variables: dict[str, str],
) -> ServiceProcess:
    """Return a service that is configured for this link and not started yet."""
    if link.startswith("dial-in"):
        server = "daphne" if link == "dial-in-daphne" else ""
        return dialling_in(url, database_url, directory, user, server=server, **variables)
    who, _, secret = ASTERISK_DIALS_AS.partition(":")
    arguments = ["asterisk_server", "pbx1", "--outbound", "--username", who, "--password", secret]
    if link == "outbound":
        # The address is for the candidates' own sockets, with the ARI user of that Asterisk.
        arguments += ["--url", url]
    manage(database_url, *arguments)
    bind = "" if asterisk else ASTERISK_DIALS
    service = ServiceProcess(database_url, directory, bind=bind, **variables)
    if asterisk:
        address = f"ws://{service.bind}/asterisk/pbx1/"
        apps = APPLICATIONS[:1] if link == "outbound" else APPLICATIONS
        await asterisk.dial_out(address, who, secret, apps, reconnect_interval=0.1)
    return service
