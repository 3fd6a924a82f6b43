"""Calls, and what ARI may do with them."""

import asyncio

import pytest

from broadcasts.simulator import SimulatedAsterisk
from tests.conformance.ari_observer import Asterisk

PLAN = """
[default]
exten => direct,1,Stasis(ivr,a,"b,c",)
 same => n,NoOp(back)
exten => quiet,1,Wait(60)
exten => lost,1,NoSuchApplication()
"""


@pytest.fixture
def asterisk_options() -> dict[str, object]:
    return {"dialplan": PLAN}


async def test_stasis_passes_arguments_split_at_commas(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("ivr")
    channel = await asterisk.call("direct", caller_number="+15551234567", caller_name="Alice")
    start = await ears.until("StasisStart")
    assert start["args"] == ["a", "b,c", ""]
    assert start["channel"]["caller"] == {"name": "Alice", "number": "+15551234567"}
    assert channel.where == "stasis:ivr"
    assert channel.variables["STASISSTATUS"] == ""


async def test_a_call_goes_on_where_nobody_listens(asterisk: SimulatedAsterisk) -> None:
    channel = await asterisk.call("direct")
    await channel.ended()
    assert channel.variables["STASISSTATUS"] == "FAILED"
    assert channel.history[-1] == "default,direct,2 NoOp(back)"
    assert channel.where == "ended"


async def test_stasis_overwrites_the_status_that_ari_set(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("ivr")
    channel = await asterisk.call("direct")
    await ears.until("StasisStart")
    path = f"channels/{channel.id}"
    await client.rest("POST", f"{path}/variable", variable="STASISSTATUS", value="TIMEOUT")
    assert channel.variables["STASISSTATUS"] == "TIMEOUT"
    await client.rest("POST", f"{path}/continue")
    await channel.ended()
    assert channel.variables["STASISSTATUS"] == "SUCCESS"


async def test_a_channel_outside_stasis_takes_no_commands(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    channel = await asterisk.call("quiet")
    for path in ("variable?variable=A&value=b", "continue", "move?app=x", "answer"):
        await client.rest("POST", f"channels/{channel.id}/{path}")
        assert " 409 Conflict " in client.log[-1]
        assert '{"message":"Channel not in Stasis application"}' in client.log[-1]


async def test_a_caller_hangs_up_with_a_cause(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("ivr")
    channel = await asterisk.call("direct")
    await ears.until("StasisStart")
    source = f"channel:{channel.id}"
    await client.rest("POST", "applications/ivr/subscription", eventSource=source)
    await channel.hangup(cause=17)
    destroyed = await ears.until("ChannelDestroyed")
    assert (destroyed["cause"], destroyed["cause_txt"]) == (17, "User busy")
    assert channel.hangup_cause == 17
    await client.rest("GET", f"channels/{channel.id}")
    assert client.log[-1].endswith('{"message":"Channel not found"}')


async def test_the_order_of_a_moves_two_events_varies(asterisk: SimulatedAsterisk) -> None:
    first: set[str] = set()
    async with Asterisk(asterisk.url, "ari", "ari") as client:
        ears = await client.ears("ivr", "winner")
        while len(first) < 2:
            channel = await asterisk.call("direct")
            await ears.until("StasisStart", len(ears.of("StasisStart")) + 1)
            before = len(ears.heard)
            await client.rest("POST", f"channels/{channel.id}/move", app="winner")
            await ears.has(before + 2)
            first.add(ears.heard[before]["type"])
            await channel.hangup()
            await ears.has(before + 4)  # ChannelHangupRequest and the last StasisEnd
    assert first == {"StasisEnd", "StasisStart"}


async def test_moves_can_be_made_to_fail(asterisk: SimulatedAsterisk, client: Asterisk) -> None:
    ears = await client.ears("ivr", "winner")
    asterisk.failing_moves.add("winner")
    channel = await asterisk.call("direct")
    await ears.until("StasisStart")
    await client.rest("POST", f"channels/{channel.id}/move", app="winner", appArgs="x")
    failed = await ears.until("ApplicationMoveFailed")
    assert (failed["destination"], failed["args"]) == ("winner", ["x"])
    assert failed["application"] == "ivr"
    assert channel.where == "stasis:ivr"


async def test_an_originated_call_is_answered_and_hung_up_on_both_legs(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("ivr")
    first = await client.place_call("direct")
    second = (await ears.until("StasisStart"))["channel"]["id"]
    legs = [asterisk.pbx.channels[name] for name in (first, second)]
    assert [leg.state for leg in legs] == ["Down", "Ring"]
    await client.rest("POST", f"channels/{second}/answer")
    assert [leg.state for leg in legs] == ["Up", "Up"]
    await legs[1].hangup()
    await legs[0].ended()
    assert legs[0].history == ["default,sink,1 Answer()", "default,sink,2 Wait(3600)"]


async def test_an_originated_leg_can_go_to_an_application(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("ivr")
    endpoint = "Local/sink@default"
    await client.rest("POST", "channels", endpoint=endpoint, app="ivr", appArgs="from,ari")
    start = await ears.until("StasisStart")
    assert start["args"] == ["from", "ari"]
    assert start["channel"]["name"].endswith(";1")


async def test_calls_come_in_at_a_rate(asterisk: SimulatedAsterisk, client: Asterisk) -> None:
    ears = await client.ears("ivr")
    await asterisk.generate("direct", per_second=1000, count=20)
    await ears.until("StasisStart", 20)
    assert len(asterisk.pbx.channels) == 20


async def test_a_dialplan_that_cannot_go_on_ends_the_call(
    asterisk: SimulatedAsterisk, caplog: pytest.LogCaptureFixture
) -> None:
    channel = await asterisk.call("lost")
    await channel.ended()
    assert "no dialplan application NoSuchApplication" in caplog.text


async def test_waiting_for_a_place_that_was_left_again_ends_too(
    asterisk: SimulatedAsterisk,
) -> None:
    channel = await asterisk.call("direct")
    await channel.ended()
    async with asyncio.timeout(1):
        await channel.reaches("dialplan")
