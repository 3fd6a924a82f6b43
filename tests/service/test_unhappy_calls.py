"""What becomes of calls that something is wrong with; the faults are a simulated Asterisk's."""

import asyncio

import pytest

from .record import listed
from .stages import ASTERISK_URL, stage, warnings_of

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(bool(ASTERISK_URL), reason="a real Asterisk is not broken at will"),
]

over_both_links = pytest.mark.parametrize(
    "linked_stage", ["dial-in", "outbound-alone"], indirect=True
)
over_one_link = pytest.mark.parametrize("linked_stage", ["dial-in"], indirect=True)


@pytest.fixture
def failing_moves(stage):
    """Names that no channel can be moved to, though they are registered."""
    yield stage.asterisk.failing_moves
    stage.asterisk.failing_moves.clear()


@over_both_links
async def test_a_call_that_its_winner_cannot_take_is_offered_to_the_others(stage, failing_moves):
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    failing_moves.add("ivr-main")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await support.offer(call.id)
    assert (await ivr.claim(call.id)).status == 204
    await support.offer(call.id)
    assert (await ivr.claim(call.id)).status == 404
    assert (await support.claim(call.id)).status == 204
    await support.gets(call.id)
    await support.goes_on(call.id)
    assert await call.status() == "SUCCESS"
    broadcast = await stage.recorded(
        call.id, status="claimed", winner="support", stasis_status="SUCCESS"
    )
    failures = {row["application"]: row["failure"] for row in stage.record.candidates(broadcast)}
    assert "not registered" in failures["ivr-main"]
    assert failures["support"] == ""
    await stage.attempted(
        call.id, ("ivr-main", 204, "won"), ("ivr-main", 404, "not_offered"), ("support", 204, "won")
    )


@over_both_links
async def test_a_call_that_nobody_can_take_goes_back_failed(stage, failing_moves):
    ivr = await stage.candidate("ivr-main")
    failing_moves.add("ivr-main")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    assert (await ivr.claim(call.id)).status == 204
    assert await call.status() == "FAILED"
    broadcast = await stage.recorded(call.id, status="failed", stasis_status="FAILED")
    assert broadcast["reason"].startswith("ivr-main: ")
    assert (await ivr.claim(call.id)).status == 404


@over_both_links
async def test_a_filter_that_cannot_be_used_widens_nothing(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call("refused")
    assert await call.status() == "FAILED"
    await ivr.not_told_of(call.id)
    broadcast = await stage.recorded(call.id, status="failed", stasis_status="FAILED")
    assert broadcast["reason"].startswith("filter refused: ")
    assert stage.offered_to(broadcast) == set()


@over_both_links
async def test_a_chain_tries_one_team_after_the_other(stage):
    """One channel, two subroutines in a row."""
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    call = await stage.call("chain")
    await ivr.offer(call.id)
    assert await call.status() == "TIMEOUT"
    await support.offer(call.id)
    assert (await ivr.claim(call.id)).status == 404
    assert (await support.claim(call.id)).status == 204
    await support.gets(call.id)
    await support.goes_on(call.id)
    assert await call.status() == "SUCCESS"
    await stage.recorded(call.id, status="claimed", winner="support", stasis_status="SUCCESS")
    first, _ = stage.record.broadcasts(call.id)
    assert (first["status"], first["stasis_status"]) == ("timed_out", "TIMEOUT")


@over_both_links
async def test_a_chain_goes_on_at_once_where_nobody_is(stage):
    support = await stage.candidate("support")
    call = await stage.call("chain")
    assert await call.status() == "TIMEOUT"
    await support.offer(call.id)
    assert (await support.claim(call.id)).status == 204
    await support.gets(call.id)
    first, _ = stage.record.broadcasts(call.id)
    assert first["status"] == "no_candidates"
    await call.hang_up()


@over_both_links
async def test_arguments_that_mean_nothing_are_warned_about(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call("odd")
    await ivr.offer(call.id)
    await ivr.claim(call.id)
    assert (await ivr.gets(call.id))["args"] == ["a", "b"]
    broadcast = await stage.recorded(call.id, timeout_ms=500, notify_claimed=False)
    assert listed(broadcast["arguments_given"]) == ["soon", "", "a::b", "maybe"]
    assert listed(broadcast["app_args"]) == ["a", "", "b"]
    assert len(warnings_of(broadcast)) == 2
    await call.hang_up()


@over_both_links
async def test_a_caller_who_hangs_up_during_the_hand_over(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    stage.asterisk.rest_delay = 0.2
    try:
        assert (await ivr.claim(call.id)).status == 204
        await stage.asterisk.pbx.channels[call.id].hangup()
    finally:
        stage.asterisk.rest_delay = 0.0
    await stage.recorded(call.id, status="abandoned", winner="ivr-main", stasis_status="TIMEOUT")
    assert (await ivr.claim(call.id)).status == 404


@over_both_links
async def test_a_call_stays_with_a_winner_that_lost_its_socket(stage):
    """As natively: it is still the winner's, until somebody moves or ends it."""
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await ivr.claim(call.id)
    await ivr.gets(call.id)
    await stage.leaves(ivr)
    assert (await support.claim(call.id)).status == 409
    await call.hang_up()
    await stage.recorded(call.id, status="claimed", winner="ivr-main", stasis_status="SUCCESS")


@over_one_link
async def test_another_socket_takes_an_application_over(stage):
    first = await stage.candidate("ivr-main")
    second = await stage.candidate("ivr-main")
    async with asyncio.timeout(5):
        await first.inbox.take(lambda event: event["type"] == "ApplicationReplaced")
        await first.inbox.closed.wait()
    call = await stage.call(stage.any)
    await second.offer(call.id)
    assert (await second.claim(call.id)).status == 204
    await second.gets(call.id)
    await call.hang_up()


async def test_by_setting_a_call_that_its_winner_cannot_take_goes_back(template, tmp_path):
    setting = {"BROADCAST_ON_FAILED_HANDOVER": "return"}
    async with stage("dial-in", template, tmp_path, **setting) as returning:
        ivr, support = await returning.candidate("ivr-main"), await returning.candidate("support")
        returning.asterisk.failing_moves.add("ivr-main")
        call = await returning.call(returning.any)
        await ivr.offer(call.id)
        await support.offer(call.id)
        assert (await ivr.claim(call.id)).status == 204
        assert await call.status() == "FAILED"
        await support.not_told_of(call.id)
        await returning.recorded(call.id, status="failed", stasis_status="FAILED")
        await returning.clear()


async def test_by_setting_a_call_is_rescued_from_a_winner_that_lost_its_socket(template, tmp_path):
    async with stage("dial-in", template, tmp_path, BROADCAST_RESCUE="on") as rescuing:
        ivr, support = await rescuing.candidate("ivr-main"), await rescuing.candidate("support")
        call = await rescuing.call("patient")
        await ivr.offer(call.id)
        await support.offer(call.id)
        await ivr.claim(call.id)
        await ivr.gets(call.id)
        await rescuing.leaves(ivr)
        await support.offer(call.id)
        assert (await support.claim(call.id)).status == 204
        await support.gets(call.id)
        await rescuing.recorded(call.id, status="claimed", winner="support")
        await call.hang_up()
        await rescuing.clear()
