"""Callers of all kinds, for a first run: who calls where, and how patient they are."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

from .channel import Channel
from .server import SimulatedAsterisk

SAMPLE_CALLS = Path(__file__).with_name("sample.conf")
EXTENSIONS = ("reception", "ivr", "sales", "support", "night")
IMPATIENT = 0.1  # of all callers hang up before anybody could talk to them
PATIENCE_SECONDS = (0.05, 0.4)


async def calls(
    asterisk: SimulatedAsterisk, per_second: float, extensions: Sequence[str], chance: random.Random
) -> None:
    """Calls come in until cancelled, at random moments but `per_second` on average."""
    impatient: set[asyncio.Task[None]] = set()
    while True:
        number = f"+1555{chance.randrange(10_000_000):07d}"
        channel = await asterisk.call(chance.choice(extensions), caller_number=number)
        if chance.random() < IMPATIENT:
            task = asyncio.create_task(_give_up(channel, chance.uniform(*PATIENCE_SECONDS)))
            impatient.add(task)
            task.add_done_callback(impatient.discard)
        await asyncio.sleep(chance.expovariate(per_second))


async def _give_up(channel: Channel, patience: float) -> None:
    await asyncio.sleep(patience)
    await channel.hangup()
