"""Calls whose process died when they had been claimed: their winner may come back anywhere."""

import asyncio
import time
from dataclasses import replace

import pytest
from asgiref.sync import sync_to_async

from broadcasts.domain.arbiter import Phase
from broadcasts.domain.happenings import HandoverFailed
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.plan import BUILT_IN, Configuration
from tests import builders
from tests.service.cast import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(params=[{"broadcast"}, {"broadcast", "ivr"}], ids=["not moved yet", "moved"])
async def stage(stages, request):
    """A process that has taken over from a dead one, with which the winner is thought to be."""
    stage = stages()
    stage.link.held_by = request.param
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    stage.broker.candidates.set_elsewhere({stage.server.id: ["ivr", "sales"]})
    await sync_to_async(make_claimed)(stage)
    stage.broker.link_up(stage.link)
    await eventually(lambda: moves(stage) == 1)
    return stage


def make_claimed(stage) -> None:
    builders.make_broadcast(
        ("ivr", "sales"),
        status=Status.CLAIMED,
        handed_over_at=None,
        channel_id=stage.channel["id"],
        server_id=stage.server.id,
        timeout_ms=60_000,
    )


def moves(stage) -> int:
    return stage.link.asked.count(("POST", f"channels/{stage.channel['id']}/move"))


def phase_of(stage) -> Phase:
    (call,) = stage.broker.calls_of(stage.server.id)
    return call.arbiter.phase


def move_fails(stage) -> None:
    stage.broker.event(
        stage.link, stage.link.left("ApplicationMoveFailed") | {"destination": "ivr"}
    )


def winner_comes(stage) -> None:
    stage.broker.candidates.join(stage.server.id, "ivr", stage.candidate)


async def test_it_is_moved_again_to_a_winner_that_comes_here(stage):
    phase = phase_of(stage)
    winner_comes(stage)
    await eventually(lambda: moves(stage) == 2)
    move_fails(stage)  # the first move, of which Asterisk tells only now
    await asyncio.sleep(0.1)
    assert (phase_of(stage), moves(stage)) == (phase, 2)


async def test_it_is_moved_again_when_the_move_is_known_to_have_failed(stage):
    phase = phase_of(stage)
    move_fails(stage)
    assert phase_of(stage) is phase
    winner_comes(stage)
    await eventually(lambda: moves(stage) == 2)


async def test_a_winner_that_has_the_call_elsewhere_is_not_given_it_again(stage):
    (call,) = stage.broker.calls_of(stage.server.id)
    call._trust_the_move()
    winner_comes(stage)
    await asyncio.sleep(0.1)
    assert moves(stage) == 1


@pytest.fixture
def brief_doubt(monkeypatch):
    monkeypatch.setattr("broadcasts.broker.call.DOUBTFUL_SECONDS", 0.1)


@pytest.mark.usefixtures("brief_doubt")
async def test_a_winner_that_took_the_call_at_once_is_not_given_it_again_much_later(stage):
    """It comes here because the process that it was with has stopped."""
    stage.broker.event(stage.link, stage.link.left())
    assert phase_of(stage) is Phase.WITH_WINNER
    await asyncio.sleep(0.2)
    winner_comes(stage)
    await asyncio.sleep(0.1)
    assert moves(stage) == 1


@pytest.mark.parametrize("stage", [{"broadcast"}], indirect=True)
async def test_a_winner_that_comes_too_late_is_not_offered_the_call(stage):
    (call,) = stage.broker.calls_of(stage.server.id)
    call.handle(HandoverFailed("no StasisStart", time.time()))
    await eventually(lambda: phase_of(stage) is Phase.OFFERED)
    winner_comes(stage)
    assert stage.candidate.offers == 0


async def test_a_winner_that_does_not_come_back_is_not_waited_for_without_end(stages):
    """Its call has reached it already; what died has passed its StasisStart on, or has not."""
    stage = stages()
    stage.broker.configuration = Configuration(environment=replace(BUILT_IN, handover_ms=200))
    stage.link.held_by.add("ivr")
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    stage.broker.candidates.join(stage.server.id, "sales", stage.candidate)
    await sync_to_async(make_claimed)(stage)
    stage.broker.link_up(stage.link)
    await eventually(lambda: stage.candidate.offers == 1)
