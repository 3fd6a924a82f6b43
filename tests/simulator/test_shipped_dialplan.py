"""dialplan/stasis-broadcast.conf; the expected values were seen on a real Asterisk 23 too."""

import pytest

from broadcasts.simulator import Channel, SimulatedAsterisk
from tests.conformance.ari_observer import Asterisk, Json

PLAN = r"""
[default]
exten => none,1,Gosub(stasis-broadcast,s,1)
exten => one,1,Gosub(stasis-broadcast,s,1(2000))
exten => commas,1,Gosub(stasis-broadcast,s,1(2000,"a,b",[,]))
exten => held,1,Gosub(stasis-broadcast,s,1(2000,${FILTER}))
exten => regex,1,Gosub(stasis-broadcast,s,1(2000,^(a|b)\\.c[^)]$,x:y:,yes))
exten => s,1,Gosub(stasis-broadcast,s,1(2000))
 same => n,NoOp(back in ${CONTEXT},${EXTEN})
exten => nested,1,Gosub(outer,s,1(a,b,c,d))
exten => chosen,1,Set(BROADCAST_APP=second)
 same => n,Gosub(stasis-broadcast,s,1(2000))
exten => h,1,Set(HUNG_UP_IN=${CONTEXT})

[outer]
exten => s,1,Gosub(stasis-broadcast,s,1(2000))
 same => n,Set(AFTERWARDS=${ARG1}${ARG2}${ARG3}${ARG4})
 same => n,Return()
"""


@pytest.fixture
def asterisk_options() -> dict[str, object]:
    return {"dialplan": PLAN}


async def broadcast(
    asterisk: SimulatedAsterisk, client: Asterisk, exten: str, app: str = "broadcast"
) -> tuple[Channel, Json]:
    """A call at this extension, and the StasisStart that the service gets for it."""
    ears = await client.ears(app)
    channel = await asterisk.call(exten)
    return channel, await ears.until("StasisStart")


async def settle(client: Asterisk, channel: Channel, status: str) -> None:
    """What the service does: say what became of the broadcast, and give the call back."""
    if status:
        path = f"channels/{channel.id}/variable"
        await client.rest("POST", path, variable="BROADCASTSTATUS", value=status)
    await client.rest("POST", f"channels/{channel.id}/continue")
    await channel.ended()


@pytest.mark.parametrize(
    ("exten", "args"),
    [
        ("none", ["", "", "", ""]),
        ("one", ["2000", "", "", ""]),
        ("commas", ["2000", "a,b", "[,]", ""]),
        ("regex", ["2000", r"^(a|b)\.c[^)]$", "x:y:", "yes"]),
        ("nested", ["2000", "", "", ""]),
    ],
)
async def test_the_service_gets_the_four_arguments(
    asterisk: SimulatedAsterisk, client: Asterisk, exten: str, args: list[str]
) -> None:
    _, start = await broadcast(asterisk, client, exten)
    assert start["args"] == args


async def test_a_filter_from_a_variable_is_not_evaluated(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    asterisk.pbx.dialplan.globals["FILTER"] = r"^(a|${B})$[1 = 1][^|]\\.c$"
    _, start = await broadcast(asterisk, client, "held")
    assert start["args"] == ["2000", r"^(a|${B})$[1 = 1][^|]\.c$", "", ""]


@pytest.mark.parametrize(
    ("left", "status"),
    [("", "SUCCESS"), ("TIMEOUT", "TIMEOUT"), ("FAILED", "FAILED"), ("OTHER", "SUCCESS")],
)
async def test_the_status_is_what_the_service_found_out(
    asterisk: SimulatedAsterisk, client: Asterisk, left: str, status: str
) -> None:
    channel, _ = await broadcast(asterisk, client, "one")
    await settle(client, channel, left)
    assert channel.variables["STASISSTATUS"] == status


async def test_without_a_service_the_status_is_failed(asterisk: SimulatedAsterisk) -> None:
    channel = await asterisk.call("one")
    await channel.ended()
    assert channel.variables["STASISSTATUS"] == "FAILED"


async def test_an_earlier_outcome_does_not_leak_into_the_next_broadcast(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    asterisk.pbx.dialplan.load("[default]\nexten => one,2,Goto(s,1)")
    channel, _ = await broadcast(asterisk, client, "one")
    path = f"channels/{channel.id}"
    await client.rest("POST", f"{path}/variable", variable="BROADCASTSTATUS", value="TIMEOUT")
    await client.rest("POST", f"{path}/continue")
    await client.everyone[0].until("StasisStart", 2)
    assert channel.variables["BROADCASTSTATUS"] == ""
    await settle(client, channel, "")
    assert channel.variables["STASISSTATUS"] == "SUCCESS"


@pytest.mark.parametrize("exten", ["one", "s"])
async def test_applications_see_the_extension_that_was_dialled(
    asterisk: SimulatedAsterisk, client: Asterisk, exten: str
) -> None:
    channel, start = await broadcast(asterisk, client, exten)
    assert start["channel"]["dialplan"]["exten"] == exten
    await settle(client, channel, "")
    assert channel.places == ["dialplan", "stasis:broadcast", "dialplan", "ended"]


async def test_the_call_returns_behind_the_gosub(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    channel, _ = await broadcast(asterisk, client, "s")
    await settle(client, channel, "")
    assert "default,s,2 NoOp(back in default,s)" in channel.history


async def test_arguments_of_an_outer_gosub_come_back(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    channel, _ = await broadcast(asterisk, client, "nested")
    await settle(client, channel, "")
    assert channel.variables["AFTERWARDS"] == "abcd"


async def test_another_service_is_chosen_by_a_variable(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    _, start = await broadcast(asterisk, client, "chosen", app="second")
    assert start["application"] == "second"


async def test_a_hang_up_runs_the_h_extension_of_the_calling_context(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    channel, _ = await broadcast(asterisk, client, "one")
    await channel.hangup()
    assert channel.variables["HUNG_UP_IN"] == "default"


async def test_a_hang_up_ends_quietly_where_the_calling_context_has_no_h(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    channel, _ = await broadcast(asterisk, client, "nested")
    await channel.hangup()
    assert channel.history[-1] == "stasis-broadcast,h,2 Hangup()"
