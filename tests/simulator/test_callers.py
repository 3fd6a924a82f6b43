"""The callers of a first run."""

import asyncio
import random
import sys

import pytest

from broadcasts.simulator import SimulatedAsterisk
from broadcasts.simulator.callers import EXTENSIONS, SAMPLE_CALLS, calls
from tests.conformance.ari_observer import Asterisk


@pytest.fixture
def asterisk_options() -> dict[str, object]:
    return {"dialplan": SAMPLE_CALLS.read_text(), "seed": 1}


async def test_callers_dial_every_extension_and_some_give_up(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("broadcast")
    coming_in = asyncio.create_task(calls(asterisk, 1000, EXTENSIONS, random.Random(1)))
    await ears.when(
        lambda: {m["channel"]["dialplan"]["exten"] for m in ears.heard} >= {*EXTENSIONS}
    )
    await ears.until("ChannelHangupRequest")
    coming_in.cancel()


async def test_a_failed_over_call_is_broadcast_twice(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("broadcast")
    channel = await asterisk.call("support")
    for number, arguments in enumerate((["300", "^support$", "", ""], ["2000", "", "", ""]), 1):
        assert (await ears.until("StasisStart", number))["args"] == arguments
        path = f"channels/{channel.id}"
        await client.rest("POST", f"{path}/variable", variable="BROADCASTSTATUS", value="TIMEOUT")
        await client.rest("POST", f"{path}/continue")
    await channel.ended()


async def test_the_command_starts_an_asterisk_and_calls() -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "broadcasts.simulator", "--port", "0", "--rate", "100"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout
    try:
        line = (await process.stdout.readline()).decode()
        url = next(word.rstrip(",") for word in line.split() if word.startswith("http"))
        async with Asterisk(url, "ari", "ari") as client:
            ears = await client.ears("broadcast")
            await ears.until("StasisStart")
    finally:
        process.terminate()
        await process.wait()
