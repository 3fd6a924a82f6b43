"""What recovery makes of calls, over a link that is scripted."""

import asyncio
from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone

from broadcasts.broker.opening import GOSUB_CONTEXT
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.models import Broadcast
from tests import builders
from tests.service.cast import eventually

from .cast import Candidate

pytestmark = pytest.mark.django_db(transaction=True)


async def test_a_call_that_arrives_while_it_is_asked_about_is_offered_once(stages):
    stage = stages()
    claims = []

    def arrives():
        stage.broker.event(stage.link, stage.link.started())
        claims.append(asyncio.ensure_future(stage.claim()))

    stage.link.before_answer = arrives
    stage.broker.link_up(stage.link)
    await eventually(lambda: bool(claims))
    assert await claims[0] is Verdict.WON
    await asyncio.sleep(0.2)
    assert stage.candidate.offers == 1
    assert await stage.claim() is Verdict.TAKEN
    assert await Broadcast.objects.acount() == 1


async def test_a_call_that_came_again_while_the_link_was_down_is_offered_again(stages):
    stage = stages()
    await stage.win_and_come_back()
    stage.broker.link_down(stage.link)
    stage.broker.link_up(stage.another_link())
    await eventually(lambda: stage.candidate.offers == 1)


async def test_a_call_that_came_again_while_no_process_ran_is_offered_again(stages):
    first = stages()
    await first.win_and_come_back()
    second = stages()
    second.channel["id"] = first.channel["id"]
    second.broker.link_up(second.link)
    await eventually(lambda: second.candidate.offers == 1)


async def test_a_call_that_another_process_has_handed_over_since_is_left_with_its_winner(stages):
    """The link was with that process meanwhile; here the call is over, with an older broadcast."""
    stage = stages()
    await stage.win_and_come_back()
    stage.broker.link_down(stage.link)
    newer = await sync_to_async(builders.make_broadcast)(
        ("ivr",),
        status=Status.CLAIMED,
        channel_id=stage.channel["id"],
        server_id=stage.server.id,
    )
    link = stage.another_link()
    stage.broker.link_up(link)
    subscription = ("POST", "applications/broadcast/subscription")
    await eventually(lambda: subscription in link.asked)
    await asyncio.sleep(0.2)
    assert stage.candidate.offers == 0
    assert await Broadcast.objects.order_by("-pk").afirst() == newer
    assert [uri for method, uri in link.asked if method == "POST"] == [subscription[1]]


async def test_a_late_start_of_a_second_broadcast_is_no_repetition_of_the_first(stages):
    """Late by both clocks: as when that of Asterisk is some seconds behind."""
    stage, late = stages(), timedelta(seconds=3)
    stage.broker.event(stage.link, stage.link.started(late))
    await eventually(lambda: stage.candidate.offers == 1)
    stage.broker.event(stage.link, stage.link.left())
    await eventually(Broadcast.objects.exclude(ended_at=None).aexists)
    stage.broker.event(stage.link, stage.link.started(late))
    await eventually(lambda: stage.candidate.offers == 2)


async def test_a_late_start_of_a_call_that_was_found_begins_it_once(stages):
    stage = stages()
    stage.broker.link_up(stage.link)
    await eventually(lambda: stage.candidate.offers == 1)
    stage.broker.event(stage.link, stage.link.started())
    assert await stage.claim() is Verdict.WON
    await asyncio.sleep(0.2)
    assert stage.candidate.offers == 1
    assert await Broadcast.objects.acount() == 1
    stage.broker.event(stage.link, stage.link.left())
    stage.broker.event(stage.link, stage.link.started())
    await eventually(lambda: stage.candidate.offers == 2)


async def test_an_answer_that_tells_nothing_does_not_mean_that_a_call_is_gone(stages, monkeypatch):
    monkeypatch.setattr("broadcasts.broker.recovery.RETRY_SECONDS", 0.05)
    stage = stages()
    stage.link.refusals = {
        "applications/broadcast": [500],
        f"channels/{stage.channel['id']}": [503, 500],
    }
    stage.broker.link_up(stage.link)
    await eventually(lambda: stage.candidate.offers == 1)


async def test_a_caller_who_cannot_be_sent_back_is_sent_back_again(stages, monkeypatch):
    monkeypatch.setattr("broadcasts.broker.call.RETURN_AGAIN_SECONDS", 0.05)
    stage = stages()
    sent_back = f"channels/{stage.channel['id']}/continue"
    stage.link.refusals = {sent_back: [500, 412]}
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    stage.broker.event(stage.link, stage.link.started())
    await eventually(lambda: stage.link.asked.count(("POST", sent_back)) == 3)
    await asyncio.sleep(0.2)
    assert stage.link.asked.count(("POST", sent_back)) == 3


async def test_a_call_whose_context_is_being_asked_for_is_not_sent_back_as_an_older_one(stages):
    stage = stages()
    await sync_to_async(builders.make_broadcast)(
        ("ivr",),
        status=Status.TIMED_OUT,
        channel_id=stage.channel["id"],
        server_id=stage.server.id,
    )
    stage.broker.configuration.needs_context = lambda raw: True
    stage.channel["dialplan"]["context"] = GOSUB_CONTEXT
    stage.link.context_is_told = asyncio.Event()
    stage.broker.event(stage.link, stage.link.started())
    stage.broker.link_up(stage.link)
    await eventually(lambda: ("GET", "applications/broadcast") in stage.link.asked)
    await asyncio.sleep(0.2)
    stage.link.context_is_told.set()
    await eventually(lambda: stage.candidate.offers == 1)
    assert ("POST", f"channels/{stage.channel['id']}/continue") not in stage.link.asked


async def test_a_claim_that_is_decided_while_its_row_is_being_read_moves_the_call(stages):
    stage = stages()
    broadcast = await sync_to_async(builders.make_broadcast)(
        ("ivr",),
        channel_id=stage.channel["id"],
        server_id=stage.server.id,
        timeout_ms=60_000,
    )
    claims = []

    def claimed():
        claims.append(asyncio.ensure_future(stage.claim()))

    stage.link.before_answer = claimed
    stage.broker.link_up(stage.link)
    moved = ("POST", f"channels/{stage.channel['id']}/move")
    await eventually(lambda: moved in stage.link.asked)
    assert await claims[0] is Verdict.WON
    await broadcast.arefresh_from_db()
    assert broadcast.winner == "ivr"


async def test_a_call_that_cannot_be_settled_keeps_no_other_waiting(stages, monkeypatch):
    stage = stages()
    for number in range(9):
        await sync_to_async(builders.make_broadcast)(
            ("ivr",), channel_id=f"spoiled.{number}", server_id=stage.server.id
        )

    def spoil(*_):
        raise ValueError("a row that was altered by hand")

    monkeypatch.setattr("broadcasts.broker.recovery.recorded_call", spoil)
    stage.broker.link_up(stage.link)
    await eventually(lambda: stage.candidate.offers == 1)


async def test_a_caller_in_another_application_is_left_there(stages):
    """Its channel stays subscribed to since its hand-over failed, and the dialplan went on."""
    stage = stages(app_data="voicemail,box1")
    await sync_to_async(builders.make_broadcast)(
        ("ivr",),
        status=Status.FAILED,
        winner="ivr",
        channel_id=stage.channel["id"],
        server_id=stage.server.id,
    )
    stage.broker.link_up(stage.link)
    await eventually(lambda: ("GET", f"channels/{stage.channel['id']}") in stage.link.asked)
    await asyncio.sleep(0.2)
    assert not [uri for method, uri in stage.link.asked if method == "POST"]
    assert stage.candidate.offers == 0


async def test_a_later_round_waits_until_the_applications_have_come_back(stages, monkeypatch):
    """The process was away for longer than the first round was to last."""
    monkeypatch.setattr("broadcasts.broker.opening.RECONNECT_SECONDS", 1.0)
    stage = stages()
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    await sync_to_async(builders.make_broadcast)(
        ("sales",),
        channel_id=stage.channel["id"],
        server_id=stage.server.id,
        rounds=[{"app_filter": name, "timeout_ms": 100} for name in ("sales", "ivr")],
        timeout_ms=200,
        opened_at=timezone.now() - timedelta(seconds=5),
    )
    stage.broker.link_up(stage.link)
    await eventually(lambda: bool(stage.broker.calls_of(stage.server.id)))
    await asyncio.sleep(0.2)
    stage.broker.candidates.join(stage.server.id, "ivr", stage.candidate)
    await eventually(lambda: stage.candidate.offers == 1)
    await eventually(Broadcast.objects.filter(status=Status.OPEN, round=2).aexists)


async def test_whoever_could_not_take_a_call_is_not_offered_it_again_after_a_restart(
    stages, monkeypatch
):
    monkeypatch.setattr("broadcasts.broker.opening.RECONNECT_SECONDS", 0.1)
    stage, sales = stages(), Candidate()
    stage.broker.candidates.join(stage.server.id, "sales", sales)
    broadcast = await sync_to_async(builders.make_broadcast)(
        ("ivr",),
        channel_id=stage.channel["id"],
        server_id=stage.server.id,
        rounds=[{"app_filter": name, "timeout_ms": 60_000} for name in ("ivr", "")],
        timeout_ms=120_000,
        opened_at=timezone.now() - timedelta(seconds=60),
    )
    await broadcast.candidates.aupdate(failed_at=timezone.now(), failure="no StasisStart")
    stage.broker.link_up(stage.link)
    await eventually(lambda: sales.offers == 1)
    await eventually(Broadcast.objects.filter(round=2).aexists)
    assert stage.candidate.offers == 0
    assert await stage.claim() is Verdict.NOT_OFFERED
