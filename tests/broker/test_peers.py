"""Processes that know of each other through the database."""

import asyncio
import threading
import uuid
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from broadcasts.broker import Broker, Principal
from broadcasts.broker import peers as peers_module
from broadcasts.broker.peers import Peers
from broadcasts.domain.plan import Configuration
from broadcasts.ledger import Ledger
from broadcasts.models import Connection, Presence, Process
from tests import builders
from tests.service.cast import eventually

pytestmark = pytest.mark.django_db(transaction=True)

LONG_AGO = timedelta(minutes=10)


class Session:
    """A candidate that is connected."""

    principal = Principal("ivr")

    def send(self, text: str) -> None:
        raise AssertionError("nothing is offered here")


@pytest.fixture
async def peers(transactional_db, monkeypatch):
    """A process of the service with one candidate, ivr-main."""
    monkeypatch.setattr(peers_module, "HEARTBEAT_SECONDS", 0.02)
    server = await sync_to_async(builders.make_server)()
    broker = Broker(Ledger(lambda outcomes: None), Configuration())
    broker.candidates.join(server.pk, "ivr-main", Session())
    running = Peers(broker, uuid.uuid4())
    await running.start()
    await eventually(lambda: Presence.objects.filter(application="ivr-main").aexists())
    yield running
    await running.stop()


async def test_a_process_that_was_taken_for_dead_makes_itself_known_again(peers):
    """As when the database was away for it alone, and another process started meanwhile."""
    await Connection.objects.filter(until=None).aupdate(until=timezone.now())
    await Process.objects.filter(pk=peers.process_id).adelete()
    await eventually(lambda: Presence.objects.filter(process=peers.process_id).aexists())
    assert await Connection.objects.filter(until=None).acount() == 1
    assert await Process.objects.filter(pk=peers.process_id).acount() == 1


async def test_who_comes_after_that_is_known_too(peers):
    await Process.objects.filter(pk=peers.process_id).adelete()
    server = await sync_to_async(builders.make_server)()
    peers.broker.candidates.join(server.pk, "sales", Session())
    await eventually(lambda: has_presences(2))


async def test_a_slow_page_does_not_make_a_living_process_look_dead(peers):
    page, is_done = asyncio.Event(), threading.Event()
    loop = asyncio.get_running_loop()

    def slow_page() -> None:
        loop.call_soon_threadsafe(page.set)
        is_done.wait(20)

    slow = asyncio.ensure_future(sync_to_async(slow_page)())
    await page.wait()
    try:
        async with asyncio.timeout(10):
            await peers._synchronize()
    finally:
        is_done.set()
        await slow


async def test_what_a_crashed_process_left_is_closed_by_one_that_lives(peers):
    """Its candidates were connected until it was seen last, whenever that is noticed."""
    crashed = await sync_to_async(builders.make_process)()
    server = await sync_to_async(builders.make_server)()
    left = await Connection.objects.acreate(
        server=server, application="sales", user="ivr", process=crashed.pk, since=timezone.now()
    )
    seen_at = timezone.now() - LONG_AGO
    await Process.objects.filter(pk=crashed.pk).aupdate(seen_at=seen_at)
    await eventually(lambda: is_gone(crashed))
    await left.arefresh_from_db()
    assert left.until == seen_at
    assert await Connection.objects.filter(until=None).acount() == 1, "its own goes on"


async def test_a_process_that_was_seen_just_now_is_left_alone(peers):
    living = await sync_to_async(builders.make_process)()
    crashed = await sync_to_async(builders.make_process)(seen_at=timezone.now() - LONG_AGO)
    await eventually(lambda: is_gone(crashed))
    assert not await is_gone(living)


async def has_presences(number: int) -> bool:
    return await Presence.objects.acount() == number


async def is_gone(process: Process) -> bool:
    return not await Process.objects.filter(pk=process.pk).aexists()


async def test_a_hint_that_cannot_be_followed_costs_only_itself(peers, monkeypatch):
    seen = []

    def look_again(broadcast_id: int) -> None:
        seen.append(broadcast_id)
        if len(seen) == 1:
            raise RuntimeError("the first one fails")

    monkeypatch.setattr(peers.broker, "look_again", look_again)
    monkeypatch.setattr(peers_module, "HEARTBEAT_SECONDS", 20)
    for number in (1, 2):
        hint = {"type": "hint", "about": "look", "broadcast": number, "origin": "another"}
        await peers._layer.group_send(peers_module.GROUP, hint)
    await eventually(lambda: seen == [1, 2])


@pytest.mark.parametrize("turns", range(5))
async def test_it_stops_also_when_somebody_is_just_leaving(peers, monkeypatch, turns):
    """As at the end of the service, when its own candidates leave."""
    monkeypatch.setattr(peers_module, "HEARTBEAT_SECONDS", 60)
    await asyncio.sleep(0.3)
    peers._changed.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await peers.stop()
