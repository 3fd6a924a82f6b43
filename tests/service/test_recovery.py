"""Crashes and outages: nobody is stranded, and the record agrees with what was answered."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broadcasts.simulator import SimulatedAsterisk
from broadcasts.simulator.channel import Channel
from broadcasts.simulator.outbound import OutboundSocket
from tests.databases import manage

from .cast import CANDIDATE, Candidate, ServiceProcess, eventually
from .proxy import Proxy
from .record import Record
from .stages import DIALPLAN, dialling_in
from .workers import Worker

CALLS = 200
# How many wins have been seen when the service is killed: the others are at every other stage.
IN_THE_MIDDLE = 60

engines = pytest.mark.parametrize(
    "engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)


@pytest.fixture
async def asterisk() -> AsyncIterator[SimulatedAsterisk]:
    async with SimulatedAsterisk(dialplan=DIALPLAN) as simulated:
        yield simulated


@asynccontextmanager
async def serving(
    asterisk: SimulatedAsterisk, database_url: str, directory: Path
) -> AsyncIterator[ServiceProcess]:
    """Run a service that dials in; whatever happens to it, no traceback may be in its log."""
    service = dialling_in(asterisk.url, database_url, directory)
    try:
        await service.start()
        yield service
    finally:
        await service.stop()
    assert service.tracebacks == [], service.log


@asynccontextmanager
async def dialled(
    asterisk: SimulatedAsterisk, database_url: str, directory: Path
) -> AsyncIterator[tuple[ServiceProcess, OutboundSocket]]:
    """Run a service that this Asterisk dials, and dials again only after a good while."""
    arguments = ["pbx1", "--outbound", "--url", asterisk.url, "--username", "ari"]
    manage(database_url, "asterisk_server", *arguments, "--password", "ari")
    service = ServiceProcess(database_url, directory)
    try:
        await service.launch()
        await service.answers()
        address = f"ws://{service.bind}/asterisk/pbx1/"
        # Longer than an event counts as fresh.
        link = await asterisk.dial_out(address, "ari", "ari", ["broadcast"], reconnect_interval=2.5)
        await service.ready()
        yield service, link
    finally:
        await service.stop()
    assert service.tracebacks == [], service.log


@asynccontextmanager
async def two_candidates(service: ServiceProcess) -> AsyncIterator[list[Candidate]]:
    """Connect a candidate for ivr-main and one for support."""
    both = [await Candidate.connect(service.url, CANDIDATE, app) for app in ("ivr-main", "support")]
    try:
        yield both
    finally:
        for candidate in both:
            await candidate.leave()


async def offered(
    asterisk: SimulatedAsterisk, candidates: Iterable[Candidate], exten: str = "patient"
) -> Channel:
    """Place a call and wait until these candidates are offered it."""
    call = await asterisk.call(exten)
    for candidate in candidates:
        await candidate.offer(call.id)
    return call


@asynccontextmanager
async def working(service: ServiceProcess, *apps: str) -> AsyncIterator[list[Worker]]:
    """Run a worker for each application."""
    workers = [Worker(service.url, app) for app in apps]
    try:
        await service.has_candidates(len(apps))
        yield workers
    finally:
        for worker in workers:
            await worker.stop()


def statuses(channel: Channel) -> list[str]:
    """Return every STASISSTATUS that the dialplan of a call has read so far."""
    mark = "UserEvent(BroadcastStatus,Status: "
    return [step.partition(mark)[2].rstrip(")") for step in channel.history if mark in step]


def is_settled(channel: Channel, workers: list[Worker]) -> bool:
    """Whether a call is with an application that knows of it, or back with a status."""
    for worker in workers:
        if channel.where == f"stasis:{worker.app}":
            return channel.id in worker.got
    return channel.where == "ended" and bool(statuses(channel))


def unsettled(calls: list[Channel], workers: list[Worker]) -> list[Channel]:
    return [call for call in calls if not is_settled(call, workers)]


def everything_is_known(record: Record) -> bool:
    """Whether every broadcast has got to a winner, or ended."""
    rows = record.rows("broadcast")
    return all(row["handed_over_at"] or row["ended_at"] for row in rows)


async def all_hang_up(calls: list[Channel]) -> None:
    for call in calls:
        if call.where != "ended":
            await call.hangup()


def recorded_wins(record: Record) -> set[tuple[str, str]]:
    return {
        (row["channel_id"], row["application"])
        for row in record.rows("claimattempt")
        if row["answer"] == 204
    }


@engines
async def test_a_crash_in_the_middle_of_200_calls(engine, asterisk, template, tmp_path):
    with template.copied(engine, tmp_path) as url:
        record = Record(url)
        async with (
            serving(asterisk, url, tmp_path) as service,
            working(service, "ivr-main", "ivr-2", "support") as workers,
        ):
            calls = [await asterisk.call("patient") for _ in range(CALLS)]
            await eventually(lambda: sum(w.won.total() for w in workers) >= IN_THE_MIDDLE)
            await service.kill()
            assert unsettled(calls, workers), "the service was killed too late"
            await asterisk.disconnected("broadcast")
            while_it_is_down = await asterisk.call("patient")
            await while_it_is_down.ended()
            assert statuses(while_it_is_down) == ["FAILED"]
            await service.start()
            await eventually(lambda: not unsettled(calls, workers))
            await eventually(lambda: everything_is_known(record))
            await all_hang_up(calls)
            await eventually(lambda: not record.live())
        assert len(record.rows("broadcast")) == CALLS
        seen = {(channel, w.app) for w in workers for channel, n in w.won.items() if n}
        assert seen <= recorded_wins(record)
        assert {row["status"] for row in record.rows("broadcast")} == {"claimed"}


async def test_sockets_of_asterisk_that_drop_with_calls_everywhere(asterisk, template, tmp_path):
    """As when the network between the two is interrupted: Asterisk's calls live on."""
    with template.copied("sqlite", tmp_path) as url:
        record = Record(url)
        async with serving(asterisk, url, tmp_path) as service, two_candidates(service) as both:
            ivr, support = both
            waiting, held, gone = [await offered(asterisk, both) for _ in range(3)]
            for call in (held, gone):
                assert (await ivr.claim(call.id)).status == 204
                await ivr.gets(call.id)
            await asterisk.refuse_connections()
            await gone.hangup()
            await asterisk.accept_connections()
            await asterisk.connected("broadcast")
            await asterisk.connected("support")
            await service.has_candidates(2)
            assert (await support.claim(held.id)).status == 409
            assert (await support.claim(waiting.id)).status == 204
            await support.gets(waiting.id)
            await eventually(lambda: bool(record.broadcasts(gone.id)[0]["ended_at"]))
            assert (await support.claim(gone.id)).status == 404
            await all_hang_up([waiting, held])
            await eventually(lambda: not record.live())


async def test_an_asterisk_that_restarts_takes_its_calls_with_it(asterisk, template, tmp_path):
    with template.copied("sqlite", tmp_path) as url:
        record = Record(url)
        async with serving(asterisk, url, tmp_path) as service, two_candidates(service) as both:
            ivr, _ = both
            waiting, held = [await offered(asterisk, both) for _ in range(2)]
            assert (await ivr.claim(held.id)).status == 204
            await ivr.gets(held.id)
            await asterisk.refuse_connections()
            await all_hang_up([waiting, held])
            await asterisk.accept_connections()
            await eventually(lambda: not record.live())
            assert record.broadcasts(waiting.id)[0]["status"] == "abandoned"
            assert record.broadcasts(held.id)[0]["status"] == "claimed"
            await service.has_candidates(2)
            after = await offered(asterisk, both)
            assert (await ivr.claim(after.id)).status == 204
            await ivr.gets(after.id)
            await after.hangup()


async def test_a_link_that_is_lost_in_the_middle_of_hand_overs(asterisk, template, tmp_path):
    with template.copied("sqlite", tmp_path) as url:
        record = Record(url)
        async with serving(asterisk, url, tmp_path) as service, two_candidates(service) as both:
            ivr, support = both
            calls = [await offered(asterisk, both) for _ in range(20)]
            claims = [asyncio.ensure_future(ivr.claim(call.id)) for call in calls]
            await claims[5]
            asterisk.drop_socket("broadcast")
            assert [(await claim).status for claim in claims] == [204] * 20
            for call in calls:
                await ivr.gets(call.id)
                assert call.where == "stasis:ivr-main"
                assert (await support.claim(call.id)).status == 409
            await all_hang_up(calls)
            await eventually(lambda: not record.live())
            assert {row["status"] for row in record.rows("broadcast")} == {"claimed"}


async def test_a_call_that_came_back_while_its_asterisk_could_not_reach_us(
    asterisk, template, tmp_path
):
    """What happens meanwhile is queued at the other end of an outbound link, and comes in late."""
    with template.copied("sqlite", tmp_path) as url:
        record = Record(url)
        async with (
            dialled(asterisk, url, tmp_path) as (service, link),
            two_candidates(service) as (ivr, support),
        ):
            call = await offered(asterisk, (ivr, support))
            assert (await ivr.claim(call.id)).status == 204
            await ivr.gets(call.id)
            link.drop()
            await ivr.goes_on(call.id, context="default", extension="patient", priority="1")
            await support.offer(call.id)
            assert (await support.claim(call.id)).status == 204
            await support.gets(call.id)
            await call.hangup()
            await eventually(lambda: not record.live())
            winners = [row["winner"] for row in record.broadcasts(call.id)]
            assert winners == ["ivr-main", "support"]


@pytest.mark.postgres
async def test_a_database_that_is_away_for_a_while(asterisk, template, tmp_path):
    with template.copied("postgresql", tmp_path) as direct_url:
        record = Record(direct_url)
        async with (
            Proxy.of(direct_url) as proxy,
            serving(asterisk, proxy.url, tmp_path) as service,
            two_candidates(service) as (ivr, support),
        ):
            waiting = await offered(asterisk, (ivr, support), "brief")
            held = await offered(asterisk, (ivr, support))
            assert (await ivr.claim(held.id)).status == 204
            await ivr.gets(held.id)
            await eventually(lambda: bool(record.broadcasts(held.id)[0]["handed_over_at"]))
            await proxy.cut()
            failed = (500, '{"message":"Failed to claim channel"}')
            assert (await ivr.claim(waiting.id))[:2] == failed
            assert (await ivr.claim("unknown"))[:2] == failed
            impatient = await asterisk.call("patient")
            await impatient.reaches("stasis:broadcast")
            await impatient.hangup()
            entering = await asterisk.call("patient")
            await entering.ended()
            assert statuses(entering) == ["FAILED"]
            await waiting.ended()
            assert statuses(waiting) == ["FAILED"]
            await ivr.goes_on(held.id)
            await held.ended()
            assert statuses(held) == ["SUCCESS"]
            await proxy.mend()
            await eventually(lambda: not record.live())
            assert record.broadcasts(held.id)[0]["stasis_status"] == "SUCCESS"
            assert record.broadcasts(waiting.id)[0]["stasis_status"] == "FAILED"
            after = await offered(asterisk, (ivr, support))
            assert (await support.claim(after.id)).status == 204
            await support.gets(after.id)
            await after.hangup()
