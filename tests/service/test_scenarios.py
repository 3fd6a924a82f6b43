"""What callers and candidates live through, over every kind of link, side by side with native.

Against a real Asterisk instead of the simulated one: set ASTERISK_URL (see stages.py), and have
the extensions of broadcasts/simulator/extensions.conf in its dialplan.
"""

import pytest

from .cast import LIMITED, READER
from .record import listed
from .stages import LINKS, OUR_LINKS, warnings_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

everywhere = pytest.mark.parametrize("linked_stage", LINKS, indirect=True)
with_us = pytest.mark.parametrize("linked_stage", OUR_LINKS, indirect=True)

WON = (204, "")
TAKEN = (409, '{"message":"Channel has already been claimed by another application"}')
NOT_FOUND = (404, '{"message":"Channel not found or not in broadcast state"}')
NO_CHANNEL = (400, '{"message":"channelId parameter is required"}')
NO_APPLICATION = (400, '{"message":"application parameter is required"}')


# The four scenarios of Asterisk's own test suite


@everywhere
async def test_a_claim_wins_the_call(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.any, '"Alice" <+15551234567>')
    await ivr.offer(call.id)
    assert (await ivr.claim(call.id))[:2] == WON
    await ivr.gets(call.id)
    await stage.recorded(call.id, status="claimed", winner="ivr-main", ended_at=None)
    await ivr.goes_on(call.id)
    assert await call.status() == "SUCCESS"
    await call.ended()
    broadcast = await stage.recorded(
        call.id,
        status="claimed",
        winner="ivr-main",
        stasis_status="SUCCESS",
        caller_number="+15551234567",
        caller_name="Alice",
        called=stage.any,
        timeout_ms=5000,
        app_filter="",
        hangup_cause=16,
    )
    await stage.attempted(call.id, ("ivr-main", 204, "won"))
    if broadcast:
        assert broadcast["opened_at"] <= broadcast["claimed_at"] <= broadcast["handed_over_at"]
        assert broadcast["handed_over_at"] <= broadcast["ended_at"] <= broadcast["hung_up_at"]


@everywhere
async def test_of_two_applications_on_one_socket_the_second_gets_409(stage):
    both = await stage.candidate("sales", "support")
    call = await stage.call(stage.any)
    await both.offer(call.id, "sales")
    await both.offer(call.id, "support")
    assert (await both.claim(call.id, "sales"))[:2] == WON
    assert (await both.claim(call.id, "support"))[:2] == TAKEN
    assert (await both.gets(call.id))["application"] == "sales"
    await stage.attempted(call.id, ("sales", 204, "won"), ("support", 409, "taken"))
    await call.hang_up()


@everywhere
async def test_a_filter_reaches_only_those_it_admits(stage):
    support = await stage.candidate("support")
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.filtered)
    await ivr.offer(call.id)
    await support.not_told_of(call.id)
    assert (await ivr.claim(call.id))[:2] == WON
    await ivr.gets(call.id)
    broadcast = await stage.recorded(call.id, app_filter="^ivr-.*", notify_claimed=True)
    if broadcast:
        assert stage.offered_to(broadcast) == {"ivr-main"}
    await call.hang_up()


@everywhere
async def test_without_a_claim_the_dialplan_reads_timeout(stage):
    support = await stage.candidate("support")
    call = await stage.call(stage.short)
    await support.offer(call.id)
    assert await call.status() == "TIMEOUT"
    assert (await support.claim(call.id))[:2] == NOT_FOUND
    await call.ended()
    await stage.recorded(call.id, status="timed_out", stasis_status="TIMEOUT", winner="")
    await stage.attempted(call.id, ("support", 404, "timed_out"))


# The claim's table of answers


@everywhere
async def test_claims_after_the_first_get_409_until_the_session_has_ended_then_404(stage):
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await support.offer(call.id)
    assert (await ivr.claim(call.id))[:2] == WON
    assert (await support.claim(call.id))[:2] == TAKEN
    await ivr.gets(call.id)
    assert (await support.claim(call.id))[:2] == TAKEN
    assert (await ivr.claim(call.id))[:2] == TAKEN
    await ivr.goes_on(call.id)
    assert await call.status() == "SUCCESS"
    await stage.recorded(call.id, stasis_status="SUCCESS")
    assert (await support.claim(call.id))[:2] == NOT_FOUND
    await stage.attempted(
        call.id,
        ("ivr-main", 204, "won"),
        ("support", 409, "taken"),
        ("support", 409, "taken"),
        ("ivr-main", 409, "taken"),
        ("support", 404, "ended"),
    )


@everywhere
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, NO_CHANNEL),
        ({"application": "ivr-main"}, NO_CHANNEL),
        ({"channelId": "", "application": "ivr-main"}, NO_CHANNEL),
        ({"channelId": "none"}, NO_APPLICATION),
        ({"channelId": "none", "application": ""}, NO_APPLICATION),
        ({"channelId": "none", "application": "ivr-main"}, NOT_FOUND),
    ],
)
async def test_claims_that_cannot_be_meant(stage, query, expected):
    ivr = await stage.candidate("ivr-main")
    answer = await ivr.ari.request("POST", "events/claim", **query)
    assert answer[:2] == expected
    assert answer.headers["Content-Type"] == "application/json"


@everywhere
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
async def test_another_method_is_not_allowed(stage, method):
    ivr = await stage.candidate("ivr-main")
    answer = await ivr.ari.request(method, "events/claim")
    assert answer[:2] == (405, '{"message":"Invalid method"}')
    assert answer.headers["Allow"] == "OPTIONS,POST"


@everywhere
async def test_options_are_told(stage):
    ivr = await stage.candidate("ivr-main")
    answer = await ivr.ari.request("OPTIONS", "events/claim")
    assert answer[:2] == (204, "")
    assert answer.headers["Allow"] == "OPTIONS,POST"


@everywhere
@pytest.mark.parametrize("user", ["", "candidate:wrong", "nobody:secret"])
async def test_who_is_not_known_is_asked_to_sign_in(stage, user):
    stranger = await stage.stranger(user)
    answer = await stranger.request(
        "POST", "events/claim", channelId="none", application="ivr-main"
    )
    assert answer[:2] == (401, '{"message":"Authentication required"}')
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Asterisk REST Interface"'


@everywhere
async def test_who_may_only_read_cannot_claim(stage):
    reader = await stage.candidate("support", user=READER)
    call = await stage.call(stage.any)
    await reader.offer(call.id)
    assert (await reader.claim(call.id))[:2] == (403, '{"message":"Write access denied"}')
    await call.hang_up()


@everywhere
async def test_claims_over_the_socket_get_the_same_answers(stage):
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await support.offer(call.id)

    async def ask(candidate, uri, **fields):
        response = await candidate.ask(method="POST", uri=uri, request_id="r", **fields)
        body = response.get("message_body", "")
        return response["status_code"], response["reason_phrase"], body

    claim = f"events/claim?channelId={call.id}&application="
    assert await ask(ivr, claim + "ivr-main") == (204, "No Content", "")
    pairs = {"channelId": call.id, "application": "support"}
    query = [{"name": name, "value": value} for name, value in pairs.items()]
    taken = (409, "Conflict", TAKEN[1])
    assert await ask(support, "events/claim", query_strings=query) == taken
    unknown = "events/claim?channelId=none&application=ivr-main"
    assert await ask(ivr, unknown) == (404, "Not Found", NOT_FOUND[1])
    assert await ask(ivr, "events/claim") == (400, "Bad Request", NO_CHANNEL[1])
    assert await ask(ivr, f"events/claim?channelId={call.id}") == (
        400,
        "Bad Request",
        NO_APPLICATION[1],
    )
    await ivr.gets(call.id)
    await stage.attempted(call.id, ("ivr-main", 204, "won"), ("support", 409, "taken"))
    await call.hang_up()


# Events


@everywhere
async def test_an_offer_looks_like_natives(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.any, '"Alice" <+15551234567>')
    offer = await ivr.offer(call.id)
    assert list(offer) == [
        "type",
        "timestamp",
        "channel",
        "caller",
        "called",
        "asterisk_id",
        "application",
    ]
    assert (offer["caller"], offer["called"]) == ("+15551234567", stage.any)
    assert offer["application"] == "ivr-main"
    assert offer["channel"]["name"] == call.name
    assert offer["channel"]["caller"] == {"name": "Alice", "number": "+15551234567"}
    assert offer["channel"]["dialplan"]["exten"] == stage.any
    start = offer["timestamp"], offer["asterisk_id"]
    await ivr.claim(call.id)
    started = await ivr.gets(call.id)
    assert len(started["timestamp"]) == len(start[0])
    assert started["asterisk_id"] == start[1]
    await call.hang_up()


@everywhere
async def test_a_call_without_a_number_is_offered_with_an_empty_one(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.any)
    assert (await ivr.offer(call.id))["caller"] == ""
    await call.hang_up()


@everywhere
async def test_all_who_were_offered_the_call_are_told_who_has_it_if_wanted(stage):
    ivr, other = await stage.candidate("ivr-main"), await stage.candidate("ivr-2")
    support = await stage.candidate("support")
    call = await stage.call(stage.filtered)
    await ivr.offer(call.id)
    await other.offer(call.id)
    assert (await other.claim(call.id))[:2] == WON
    for candidate in (ivr, other):
        claimed = await candidate.event("CallClaimed", call.id)
        assert sorted(claimed) == [
            "application",
            "asterisk_id",
            "channel",
            "timestamp",
            "type",
            "winner_app",
        ]
        assert claimed["winner_app"] == "ivr-2"
        assert claimed["application"] == candidate.apps[0]
    await other.gets(call.id)
    await support.not_told_of(call.id)
    await call.hang_up()


@everywhere
async def test_nobody_is_told_who_has_it_otherwise(stage):
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await support.offer(call.id)
    await ivr.claim(call.id)
    await ivr.gets(call.id)
    await support.not_told_of(call.id)
    await call.hang_up()


@everywhere
async def test_the_winner_gets_the_arguments(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.filtered)
    await ivr.offer(call.id)
    await ivr.claim(call.id)
    assert (await ivr.gets(call.id))["args"] == ["sales", "priority-high"]
    await call.hang_up()


# How calls end


@everywhere
async def test_a_caller_who_hangs_up_while_waiting_cannot_be_claimed(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await call.hang_up()
    await call.ended()
    await stage.recorded(call.id, status="abandoned", stasis_status="TIMEOUT", winner="")
    assert (await ivr.claim(call.id))[:2] == NOT_FOUND
    await stage.attempted(call.id, ("ivr-main", 404, "abandoned"))


@everywhere
async def test_the_winner_hangs_up(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await ivr.claim(call.id)
    await ivr.gets(call.id)
    answer = await ivr.ari.request("DELETE", f"channels/{call.id}", reason="busy")
    assert answer.status == 204
    await call.ended()
    await stage.recorded(call.id, status="claimed", stasis_status="SUCCESS", hangup_cause=17)
    assert (await ivr.claim(call.id))[:2] == NOT_FOUND


@everywhere
async def test_a_call_can_be_broadcast_again(stage):
    """The winner sends it to another extension, where it is offered anew."""
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await support.offer(call.id)
    assert (await ivr.claim(call.id))[:2] == WON
    await ivr.gets(call.id)
    await ivr.goes_on(call.id, context="default", extension=stage.any, priority="1")
    await ivr.offer(call.id)
    await support.offer(call.id)
    assert (await support.claim(call.id))[:2] == WON
    assert (await ivr.claim(call.id))[:2] == TAKEN
    await support.gets(call.id)
    await support.goes_on(call.id)
    assert await call.status() == "SUCCESS"
    await stage.recorded(call.id, status="claimed", winner="support", stasis_status="SUCCESS")
    if stage.record:
        first, second = stage.record.broadcasts(call.id)
        assert (first["winner"], first["stasis_status"]) == ("ivr-main", "SUCCESS")
        assert first["ended_at"] <= second["opened_at"]


# Where native is less strict


@with_us
async def test_without_candidates_the_call_goes_on_at_once(stage):
    call = await stage.call(stage.any)
    assert await call.status() == "TIMEOUT"
    await call.ended()
    broadcast = await stage.recorded(call.id, status="no_candidates", stasis_status="TIMEOUT")
    assert broadcast["reason"] == "no connected application is admitted"
    assert broadcast["candidate_count"] == 0


@with_us
async def test_only_who_was_offered_the_call_can_win_it(stage):
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    call = await stage.call(stage.filtered)
    await ivr.offer(call.id)
    assert (await support.claim(call.id))[:2] == NOT_FOUND
    assert (await ivr.claim(call.id, "nobody"))[:2] == NOT_FOUND
    assert (await ivr.claim(call.id))[:2] == WON
    await ivr.gets(call.id)
    await stage.attempted(
        call.id,
        ("support", 404, "not_offered"),
        ("nobody", 404, "not_offered"),
        ("ivr-main", 204, "won"),
    )
    await call.hang_up()


@with_us
async def test_credentials_claim_only_for_the_names_they_may_speak_for(stage):
    limited, support = (
        await stage.candidate("ivr-main", user=LIMITED),
        await stage.candidate("support"),
    )
    call = await stage.call(stage.any)
    await limited.offer(call.id)
    await support.offer(call.id)
    assert (await limited.claim(call.id, "support"))[:2] == NOT_FOUND
    assert (await support.claim(call.id))[:2] == WON
    await stage.attempted(call.id, ("support", 404, "not_allowed"), ("support", 204, "won"))
    await call.hang_up()


@with_us
async def test_who_has_left_cannot_claim(stage):
    ivr, support = await stage.candidate("ivr-main"), await stage.candidate("support")
    call = await stage.call(stage.any)
    await ivr.offer(call.id)
    await support.offer(call.id)
    await stage.leaves(support)
    assert (await ivr.claim(call.id, "support"))[:2] == NOT_FOUND
    assert (await ivr.claim(call.id))[:2] == WON
    await stage.attempted(call.id, ("support", 404, "not_connected"), ("ivr-main", 204, "won"))
    await call.hang_up()


@with_us
async def test_what_the_record_keeps_of_the_arguments(stage):
    ivr = await stage.candidate("ivr-main")
    call = await stage.call(stage.filtered)
    await ivr.offer(call.id)
    await call.hang_up()
    broadcast = await stage.recorded(call.id, status="abandoned", timeout_ms=5000)
    assert listed(broadcast["arguments_given"]) == [
        "5000",
        "^ivr-.*",
        "sales:priority-high",
        "yes",
    ]
    assert listed(broadcast["app_args"]) == ["sales", "priority-high"]
    assert warnings_of(broadcast) == []
