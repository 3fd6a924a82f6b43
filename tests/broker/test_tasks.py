"""Tasks that end when they are told to, whatever they are waiting for."""

import asyncio
import contextlib

from broadcasts.broker.tasks import end


async def test_a_task_ends_whose_cancellation_was_swallowed():
    async def loop() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.sleep(60)
        await asyncio.sleep(60)

    task = asyncio.create_task(loop())
    await asyncio.sleep(0)
    async with asyncio.timeout(20):
        await end([task])
    assert task.cancelled()


async def test_what_has_ended_already_is_no_trouble():
    async def fail() -> None:
        raise ValueError

    task = asyncio.create_task(fail())
    await asyncio.wait([task])
    await end([task])
    assert task.exception()
