"""Tasks that end when they are told to, whatever they are waiting for."""

import asyncio
import threading

from broadcasts.broker.database import beside_pages
from broadcasts.broker.tasks import end


async def test_a_task_ends_that_is_cancelled_while_it_waits_for_a_thread():
    is_busy, may_go_on = threading.Event(), threading.Event()

    def work() -> None:
        is_busy.set()
        may_go_on.wait(20)

    async def loop() -> None:
        while True:
            await beside_pages(work)()
            await asyncio.sleep(0.01)

    task = asyncio.create_task(loop())
    await asyncio.to_thread(is_busy.wait, 20)
    asyncio.get_running_loop().call_later(0.3, may_go_on.set)
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
