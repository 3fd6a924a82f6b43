"""Native StasisBroadcast, holes included; the claim's answers are in test_recordings."""

import pytest

from broadcasts.simulator import SimulatedAsterisk
from tests.conformance.ari_observer import Asterisk

PLAN = """
[default]
exten => brief,1,StasisBroadcast(20)
exten => bad,1,StasisBroadcast(5000,^(unclosed)
exten => chain,1,StasisBroadcast(20,^first$)
 same => n,StasisBroadcast(5000,^second$)
"""


@pytest.fixture
def asterisk_options() -> dict[str, object]:
    return {"dialplan": PLAN}


async def test_nobody_claims(asterisk: SimulatedAsterisk, client: Asterisk) -> None:
    ears = await client.ears("ivr")
    channel = await asterisk.call("brief")
    await ears.until("CallBroadcast")
    await channel.ended()
    assert channel.variables["STASISSTATUS"] == "TIMEOUT"


async def test_a_hang_up_reads_as_a_timeout(asterisk: SimulatedAsterisk, client: Asterisk) -> None:
    ears = await client.ears("ivr")
    channel = await asterisk.call("native")
    await ears.until("CallBroadcast")
    await channel.hangup()
    assert channel.variables["STASISSTATUS"] == "TIMEOUT"


async def test_a_bad_filter_reaches_everyone(asterisk: SimulatedAsterisk, client: Asterisk) -> None:
    ears = await client.ears("ivr")
    await asterisk.call("bad")
    await ears.until("CallBroadcast")


async def test_a_winner_that_is_not_connected_fails_the_call(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("ivr")
    channel = await asterisk.call("native")
    await ears.until("CallBroadcast")
    await client.rest("POST", "events/claim", channelId=channel.id, application="nobody")
    await channel.ended()
    assert channel.variables["STASISSTATUS"] == "FAILED"


async def test_a_second_broadcast_of_a_call_can_be_claimed(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("second")
    channel = await asterisk.call("chain")
    await ears.until("CallBroadcast")
    await client.rest("POST", "events/claim", channelId=channel.id, application="second")
    await ears.until("StasisStart")
    assert channel.where == "stasis:second"


async def test_an_asterisk_without_it_does_not_know_the_claim() -> None:
    async with SimulatedAsterisk() as asterisk, Asterisk(asterisk.url, "ari", "ari") as client:
        await client.rest("POST", "events/claim", channelId="x", application="y")
        assert client.log[-1].endswith('{"message":"Resource not found"}')
