"""The end of what runs beside everything else."""

import asyncio
from collections.abc import Iterable
from typing import Any

AGAIN_SECONDS = 0.1


async def end(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks, and again until they have ended.

    Once is not enough: while a task waits for work in a thread (asgiref's `sync_to_async`), the
    work's result takes the place of being cancelled, and a loop goes on.
    """
    running = {task for task in tasks if not task.done()}
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=AGAIN_SECONDS)
