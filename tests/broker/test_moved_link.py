"""A process whose server has moved its link to another one leaves that server's calls to it."""

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from broadcasts.broker import Broker, Principal, Response
from broadcasts.broker.call import Call
from broadcasts.domain.arbiter import Phase
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.messages import timestamp
from broadcasts.domain.plan import BUILT_IN, Configuration
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import Ledger
from broadcasts.ledger.entries import moment
from broadcasts.models import Broadcast, ClaimAttempt
from broadcasts.service import tell
from tests import builders
from tests.links import server
from tests.service.cast import eventually

pytestmark = pytest.mark.django_db(transaction=True)

CHANNEL = "moved.1"
HANDOVER_MS = 100
IVR, SALES = Principal("ivr"), Principal("sales")


class Session:
    """A candidate that is connected."""

    principal = IVR

    def send(self, text: str) -> None:
        """Take an offer."""


class SilentLink:
    """A link that takes every request; none is answered."""

    def __init__(self, known: Any) -> None:
        self.server = known
        self.asked: list[str] = []

    def request(self, method: str, uri: str, *_: Any) -> "asyncio.Future[Response]":
        self.asked.append(uri)
        return asyncio.get_running_loop().create_future()


@pytest.fixture
async def link(transactional_db):
    row = await sync_to_async(builders.make_server)()
    return SilentLink(server(id=row.pk))


@pytest.fixture
async def broker(link):
    """A process with a link and two candidates, who have little time to take a call."""
    loop = asyncio.get_running_loop()
    ledger = Ledger(lambda outcomes: loop.call_soon_threadsafe(tell, outcomes))
    ledger.start()
    environment = replace(BUILT_IN, handover_ms=HANDOVER_MS)
    running = Broker(ledger, Configuration(environment=environment))
    running.servers[link.server.id] = link.server
    running.links[link.server.id] = link
    for application in ("ivr", "sales"):
        running.candidates.join(link.server.id, application, Session())
    yield running
    await asyncio.to_thread(ledger.stop)


def call_comes(broker: Broker, link: SilentLink) -> Call:
    channel = {"id": CHANNEL, "name": "PJSIP/trunk", "dialplan": {"app_name": "Stasis"}}
    at = timestamp(moment(time.time()))
    event = {"type": "StasisStart", "timestamp": at, "args": ["30000"], "channel": channel}
    broker.event(link, event)
    call = broker.call_of(link.server.id, CHANNEL)
    assert call
    return call


async def time_for_the_hand_over() -> None:
    await asyncio.sleep(3 * HANDOVER_MS / 1000)


def stored() -> Broadcast:
    return Broadcast.objects.get(channel_id=CHANNEL)


async def test_the_time_for_a_hand_over_does_not_run_without_the_link(broker, link):
    """Another process may have moved the call by then: it must not be offered again."""
    call_comes(broker, link)
    assert await broker.claim(CHANNEL, "ivr", IVR) is Verdict.WON
    broker.link_down(link)
    await time_for_the_hand_over()
    row = await sync_to_async(stored)()
    assert (row.status, row.winner) == (Status.CLAIMED, "ivr")


async def test_it_runs_anew_when_the_link_is_back(broker, link):
    call = call_comes(broker, link)
    assert await broker.claim(CHANNEL, "ivr", IVR) is Verdict.WON
    broker.link_down(link)
    await time_for_the_hand_over()
    back = broker.links[link.server.id] = SilentLink(link.server)
    call.link_restored(back)
    await asyncio.sleep(HANDOVER_MS / 2000)
    assert call.arbiter.phase is Phase.MOVING
    await eventually(reopened)


async def test_a_claim_is_answered_by_the_record_without_the_link(broker, link):
    """What this process remembers of the call may be over for long."""
    call_comes(broker, link)
    assert await broker.claim(CHANNEL, "ivr", IVR) is Verdict.WON
    broker.link_down(link)
    await Broadcast.objects.aupdate(ended_at=moment(1_800_000_000))
    assert await broker.claim(CHANNEL, "sales", SALES) is Verdict.ENDED


async def test_a_claim_that_wins_without_the_link_is_carried_out_with_the_next_one(broker, link):
    call = call_comes(broker, link)
    broker.link_down(link)
    assert await broker.claim(CHANNEL, "ivr", IVR) is Verdict.WON
    await eventually(lambda: sync_to_async(lambda: call.arbiter.phase is Phase.MOVING)())
    assert await broker.claim(CHANNEL, "sales", SALES) is Verdict.TAKEN
    back = broker.links[link.server.id] = SilentLink(link.server)
    call.link_restored(back)
    assert back.asked[-1] == f"channels/{CHANNEL}/move"


async def test_the_calls_of_a_server_that_another_process_holds_are_forgotten(broker, link):
    """Their timers too: none ends a call that is offered there."""
    call = call_comes(broker, link)
    assert await broker.claim(CHANNEL, "ivr", IVR) is Verdict.WON
    broker.forget_calls(link.server.id)
    assert broker.calls_of(link.server.id) == []
    await time_for_the_hand_over()
    assert call.arbiter.phase is Phase.MOVING


async def test_a_claim_that_was_asked_before_the_link_was_lost_is_told_to_who_has_it(broker, link):
    told = []
    broker.on_claimed_elsewhere.append(told.append)
    call = call_comes(broker, link)
    claim = asyncio.ensure_future(broker.claim(CHANNEL, "ivr", IVR))
    await asyncio.sleep(0)
    broker.link_down(link)
    broker.forget_calls(link.server.id)
    assert await claim is Verdict.WON
    assert told == [call.row.pk]


async def test_a_claim_that_outruns_the_commit_of_another_process_waits_for_it(broker, link):
    broker.alone = False
    claim = asyncio.ensure_future(broker.claim(CHANNEL, "ivr", IVR))
    await asyncio.sleep(0.1)
    make = sync_to_async(builders.make_broadcast)
    await make(("ivr",), channel_id=CHANNEL, server_id=link.server.id)
    assert await claim is Verdict.WON
    assert await broker.claim("nobody's", "ivr", IVR) is Verdict.UNKNOWN
    assert await ClaimAttempt.objects.filter(channel_id="nobody's").acount() == 1


async def reopened() -> bool:
    return await Broadcast.objects.filter(channel_id=CHANNEL, status=Status.OPEN).aexists()
