"""The end of what runs beside everything else."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.1


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks, and again until they have ended.

    Once is not enough: what a task waits for may be done in the very moment in which the task is
    cancelled, and its loop go on, as with wait_for before Python 3.12 (bpo-37658), which redis-py
    uses to send.
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=AGAIN_SECONDS)
