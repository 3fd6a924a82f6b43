"""With BROADCAST_RESCUE: whose loss takes a call back from its winner, and whose does not."""

import asyncio
from dataclasses import replace

import pytest

from broadcasts.broker import Principal
from broadcasts.domain.arbiter import Phase
from broadcasts.domain.plan import BUILT_IN, Configuration
from broadcasts.domain.verdict import Verdict
from broadcasts.models import Broadcast
from tests.service.cast import eventually

from .cast import Candidate

pytestmark = pytest.mark.django_db(transaction=True)


BRIEF_RESCUE = replace(BUILT_IN, rescue=True, handover_ms=500)


@pytest.fixture
async def stage(stages):
    """A call that is with its winner, while another application would take it, too."""
    stage = stages()
    stage.broker.configuration = Configuration(environment=BRIEF_RESCUE)
    stage.sales = Candidate()
    stage.broker.candidates.join(stage.server.id, "sales", stage.sales)
    stage.broker.event(stage.link, stage.link.started())
    await eventually(lambda: stage.candidate.offers == 1)
    assert await stage.claim() is Verdict.WON
    stage.broker.winner_started(stage.server.id, "ivr", stage.channel["id"])
    return stage


def phase_of(stage) -> Phase:
    (call,) = stage.broker.calls_of(stage.server.id)
    return call.arbiter.phase


async def test_a_winner_that_leaves_has_its_call_taken_back(stage):
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    assert phase_of(stage) is Phase.REOPENING
    await eventually(lambda: phase_of(stage) is Phase.OFFERED)


async def test_a_winner_that_leaves_another_process_has_its_call_taken_back(stage):
    candidates, server_id = stage.broker.candidates, stage.server.id
    candidates.set_elsewhere({server_id: ["ivr"]})
    candidates.leave(server_id, "ivr", stage.candidate)
    candidates.set_elsewhere({server_id: ["other"]})
    assert phase_of(stage) is Phase.REOPENING
    await eventually(lambda: phase_of(stage) is Phase.OFFERED)


async def test_a_winner_that_is_connected_elsewhere_by_now_keeps_its_call(stage):
    stage.broker.candidates.set_elsewhere({stage.server.id: ["ivr"]})
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    assert phase_of(stage) is Phase.WITH_WINNER


async def test_a_winner_that_leaves_because_the_link_is_lost_keeps_its_call(stage):
    """It is reached over this link, or we are stopping: its own socket is not lost."""
    stage.broker.link_down(stage.link)
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    assert phase_of(stage) is Phase.WITH_WINNER


async def test_a_rescued_call_stays_with_a_winner_of_another_process(stage):
    """It was not with us when it was moved, so no StasisEnd of ours tells of it."""
    stage.broker.candidates.leave(stage.server.id, "sales", stage.sales)
    stage.broker.candidates.set_elsewhere({stage.server.id: ["sales"]})
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    await eventually(lambda: phase_of(stage) is Phase.OFFERED)
    sales = Principal("sales")
    assert await stage.broker.claim(stage.channel["id"], "sales", sales) is Verdict.WON
    stage.link.held_by.add("sales")
    await asyncio.sleep(1)
    assert phase_of(stage) is Phase.WITH_WINNER


async def test_a_winner_that_left_while_the_link_was_lost_has_its_call_taken_back(stage):
    stage.broker.link_down(stage.link)
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    stage.broker.link_up(stage.another_link())
    await eventually(lambda: phase_of(stage) is Phase.OFFERED)


async def test_a_winner_that_left_while_no_process_ran_has_its_call_taken_back(stages, stage):
    await eventually(Broadcast.objects.exclude(handed_over_at=None).aexists)
    second = stages()
    second.broker.configuration = stage.broker.configuration
    second.channel["id"] = stage.channel["id"]
    second.broker.candidates.leave(second.server.id, "ivr", second.candidate)
    second.broker.candidates.join(second.server.id, "sales", second.candidate)
    second.broker.link_up(second.link)
    await eventually(lambda: second.candidate.offers == 1)


async def test_a_winner_that_comes_back_with_the_link_keeps_its_call(stage):
    stage.broker.link_down(stage.link)
    stage.broker.candidates.leave(stage.server.id, "ivr", stage.candidate)
    stage.broker.link_up(stage.another_link())
    stage.broker.candidates.join(stage.server.id, "ivr", stage.candidate)
    await asyncio.sleep(0.7)
    assert phase_of(stage) is Phase.WITH_WINNER
