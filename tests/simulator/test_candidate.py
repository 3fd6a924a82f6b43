"""The sample candidate, on an Asterisk with native StasisBroadcast."""

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from broadcasts.simulator import SimulatedAsterisk, candidate
from broadcasts.simulator.candidate import Candidate, Options, milliseconds


@asynccontextmanager
async def taking_part(asterisk: SimulatedAsterisk, app: str) -> AsyncIterator[None]:
    """A candidate runs in a thread; yields when it is connected."""
    sample = Candidate(Options(asterisk.url, "ari", "ari", app, talk=0.01))
    run = asyncio.create_task(asyncio.to_thread(sample.run))
    await asterisk.connected(app)
    yield
    sample.stop()
    await run


async def test_it_claims_answers_talks_and_hangs_up(asterisk: SimulatedAsterisk) -> None:
    async with taking_part(asterisk, "ivr-main"):
        channel = await asterisk.call("nativefilter")
        await channel.ended()
        assert channel.places == ["dialplan", "stasis:ivr-main", "ended"]
        assert channel.state == "Up"
        assert channel.hangup_cause == 16


async def test_one_of_two_gets_the_call(asterisk: SimulatedAsterisk) -> None:
    async with taking_part(asterisk, "ivr-main"), taking_part(asterisk, "ivr-2"):
        channel = await asterisk.call("nativefilter")
        await channel.ended()
        assert channel.places[1] in ("stasis:ivr-main", "stasis:ivr-2")
        assert len(channel.places) == 3


async def test_it_comes_back_when_its_socket_drops(
    asterisk: SimulatedAsterisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(candidate, "RECONNECT_SECONDS", 0.01)
    async with taking_part(asterisk, "ivr-main"):
        asterisk.drop_socket("ivr-main")
        await asterisk.disconnected("ivr-main")
        await asterisk.connected("ivr-main")
        channel = await asterisk.call("native")
        await channel.ended()
        assert "stasis:ivr-main" in channel.places


@pytest.mark.parametrize(
    ("text", "span"), [("50", (50, 50)), ("0-200ms", (0, 200)), ("7ms", (7, 7))]
)
def test_thinking_time_is_read(text: str, span: tuple[int, int]) -> None:
    assert milliseconds(text) == span


def test_a_thinking_time_that_is_none_is_refused() -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="not a time"):
        milliseconds("soon")
