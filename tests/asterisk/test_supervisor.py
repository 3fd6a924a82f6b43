import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import pytest
from django.db import InterfaceError, OperationalError
from django.utils import timezone

from broadcasts.asterisk import supervisor
from broadcasts.asterisk.dial_in import DialInLink
from broadcasts.asterisk.leases import Leases
from broadcasts.asterisk.supervisor import Links
from broadcasts.broker import Server
from broadcasts.models import AsteriskServer, LinkLease
from broadcasts.simulator import SimulatedAsterisk
from tests.links import server

from .cast import AttentiveBroker, eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def brisk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Renew so often that no test has to wait for the next time."""
    monkeypatch.setattr(supervisor, "RENEW_SECONDS", 0.02)


@pytest.fixture
async def known(asterisk: SimulatedAsterisk) -> Server:
    """The simulated Asterisk as the links know it."""
    row = await AsteriskServer.objects.acreate(
        name="pbx1", url=asterisk.url, username="ari", password="ari"
    )
    return server(asterisk.url, id=row.pk)


@asynccontextmanager
async def supervising(broker: AttentiveBroker, *servers: Server) -> AsyncIterator[Links]:
    links = Links(broker, uuid4())  # type: ignore[arg-type]
    links.configure({each.id: each for each in servers})
    await links.start()
    try:
        yield links
    finally:
        await links.stop()


def lease_of(known: Server, **state: Any) -> Callable[[], Any]:
    return LinkLease.objects.filter(server_id=known.id, **state).aexists


def forgotten(broker: AttentiveBroker, known: Server) -> Callable[[], Any]:
    async def is_forgotten() -> bool:
        return broker.forgotten == [known.id]

    return is_forgotten


async def die(links: Links) -> None:
    """End as a killed process does: nothing is given up, and the connections just break."""
    for task in (links._task, *links._dialling.values()):
        task.cancel()


async def test_a_dial_in_server_is_dialled_and_its_state_recorded(
    broker: AttentiveBroker, known: Server
) -> None:
    async with supervising(broker, known):
        await broker.ups.get()
        await eventually(
            lease_of(
                known,
                holder__isnull=False,
                connected_since__isnull=False,
                asterisk_version="23.9.0-sim",
                rest_over_socket=True,
                last_error="",
            )
        )


async def test_trouble_is_recorded_until_it_is_over(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, known: Server
) -> None:
    await asterisk.refuse_connections()
    async with supervising(broker, known):
        await eventually(lease_of(known, last_error__startswith="connection refused"))
        await asterisk.accept_connections()
        await eventually(lease_of(known, last_error="", connected_since__isnull=False))


async def test_of_two_processes_one_dials(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, known: Server
) -> None:
    other = AttentiveBroker()
    async with supervising(broker, known):
        await broker.ups.get()
        async with supervising(other, known) as standby:
            await standby._renew()
            await standby._renew()
            assert other.ups.empty()
            assert len(asterisk.sockets) == 1


async def test_a_clean_stop_hands_the_server_over_at_once(
    broker: AttentiveBroker, known: Server
) -> None:
    other = AttentiveBroker()
    async with AsyncExitStack() as first:
        await first.enter_async_context(supervising(broker, known))
        await broker.ups.get()
        async with supervising(other, known):
            await first.aclose()
            await other.ups.get()
            assert broker.links == {}


async def test_a_dead_process_is_followed_when_its_lease_expires(
    broker: AttentiveBroker, known: Server
) -> None:
    other = AttentiveBroker()
    async with supervising(broker, known) as dead:
        await broker.ups.get()
        await die(dead)
        async with supervising(other, known) as standby:
            await standby._renew()
            assert other.ups.empty()
            await LinkLease.objects.aupdate(expires_at=timezone.now())
            await other.ups.get()


async def test_a_process_that_has_lost_its_lease_lets_go(
    broker: AttentiveBroker, known: Server
) -> None:
    async with supervising(broker, known):
        link = await broker.ups.get()
        await LinkLease.objects.aupdate(holder=uuid4())
        assert await broker.downs.get() is link
        await eventually(forgotten(broker, known))


async def test_a_process_without_its_database_does_not_take_our_application_back(
    asterisk: SimulatedAsterisk,
    broker: AttentiveBroker,
    known: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever took it may be the process that holds the lease by now."""
    monkeypatch.setattr(supervisor, "REPLACED_SECONDS", 0)

    def away(*_: Any) -> None:
        raise OperationalError("the database is away")

    async with supervising(broker, known):
        first = await broker.ups.get()
        with monkeypatch.context() as outage:
            outage.setattr(Leases, "hold", away)
            other = DialInLink(server(asterisk.url, id=-1), AttentiveBroker())  # type: ignore[arg-type]
            await other.open()
            assert await broker.downs.get() is first
            await asyncio.sleep(0.2)
            assert broker.ups.empty()
        await broker.ups.get()
        other.close()


async def test_a_link_outlives_an_outage_of_the_database(
    broker: AttentiveBroker, known: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: asyncio.Queue[None] = asyncio.Queue()

    def away(*_: Any) -> None:
        asked.put_nowait(None)
        raise OperationalError("the database is away")

    async with supervising(broker, known):
        link = await broker.ups.get()
        with monkeypatch.context() as outage:
            outage.setattr(Leases, "hold", away)
            await asked.get()
            await asked.get()
        assert broker.links == {known.id: link}
        await eventually(lease_of(known, holder__isnull=False, expires_at__gt=timezone.now()))


@pytest.mark.parametrize("fault", [OperationalError, InterfaceError])
async def test_leases_are_renewed_after_any_fault_of_the_database(
    broker: AttentiveBroker, known: Server, monkeypatch: pytest.MonkeyPatch, fault: type[Exception]
) -> None:
    def away(*_: Any) -> None:
        raise fault("the connection is closed")

    with monkeypatch.context() as outage:
        outage.setattr(Leases, "_hold", away)
        async with supervising(broker, known):
            await asyncio.sleep(0.1)
            outage.undo()
            await broker.ups.get()


async def test_an_edited_server_is_dialled_anew(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, known: Server
) -> None:
    async with supervising(broker, known) as links:
        first = await broker.ups.get()
        links.configure({known.id: server(asterisk.url, id=known.id, application="other")})
        assert await broker.downs.get() is first
        second = await broker.ups.get()
        assert second.server.application == "other"


async def test_a_removed_server_is_hung_up_on_and_its_lease_given_up(
    broker: AttentiveBroker, known: Server
) -> None:
    async with supervising(broker, known) as links:
        await broker.ups.get()
        links.configure({})
        await broker.downs.get()
        await eventually(lease_of(known, holder=None))


async def test_our_application_is_taken_back_from_a_stranger_after_a_while(
    asterisk: SimulatedAsterisk,
    broker: AttentiveBroker,
    known: Server,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "REPLACED_SECONDS", 0)
    async with supervising(broker, known):
        first = await broker.ups.get()
        stranger = DialInLink(server(asterisk.url, id=-1), AttentiveBroker())  # type: ignore[arg-type]
        await stranger.open()
        assert await broker.downs.get() is first
        await broker.ups.get()
        assert (await stranger.until_lost()).startswith("another connection took")


async def test_a_lease_is_never_held_twice() -> None:
    row = await AsteriskServer.objects.acreate(name="pbx1", username="ari", password="ari")
    processes = [Leases(uuid4()) for _ in range(4)]
    for _ in range(20):
        held = await asyncio.gather(*(leases.hold({row.pk}, set()) for leases in processes))
        assert sorted(held, key=len)[:-1] == [set(), set(), set()]
        assert {row.pk} in held
        await processes[held.index({row.pk})].release([row.pk])
    for leases in processes:
        await leases.close()


async def test_an_accepted_server_keeps_its_lease_but_never_takes_it_back() -> None:
    row = await AsteriskServer.objects.acreate(name="pbx1", username="ari", password="ari")
    first, second = Leases(uuid4()), Leases(uuid4())
    await first.take(row.pk)
    assert await first.hold(set(), {row.pk}) == {row.pk}
    await second.take(row.pk)
    assert await first.hold(set(), {row.pk}) == set()
    assert await second.hold(set(), {row.pk}) == {row.pk}
    await second.release([row.pk])
    assert await first.hold(set(), {row.pk}) == set()
    await first.close()
    await second.close()
