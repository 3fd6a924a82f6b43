"""Crashes: nobody is stranded, and the record agrees with what was answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from broadcasts.simulator import SimulatedAsterisk
from broadcasts.simulator.channel import Channel

from .cast import ServiceProcess, eventually
from .record import Record
from .stages import DIALPLAN, dialling_in, populated
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
    with populated(engine, template, tmp_path) as url:
        record = Record(url)
        async with (
            serving(asterisk, url, tmp_path) as service,
            working(service, "ivr-main", "ivr-2", "support") as workers,
        ):
            calls = [await asterisk.call("patient") for _ in range(CALLS)]
            await eventually(lambda: sum(w.won.total() for w in workers) >= IN_THE_MIDDLE)
            await service.kill()
            assert unsettled(calls, workers), "the service was killed too late"
            while_it_is_down = await asterisk.call("patient")
            await while_it_is_down.ended()
            assert statuses(while_it_is_down) == ["FAILED"]
            await service.start()
            await eventually(lambda: not unsettled(calls, workers))
            await all_hang_up(calls)
            await eventually(lambda: not record.live())
        seen = {(channel, w.app) for w in workers for channel, n in w.won.items() if n}
        assert seen <= recorded_wins(record)
        assert len(record.rows("broadcast")) == CALLS
        assert {row["status"] for row in record.rows("broadcast")} == {"claimed"}
