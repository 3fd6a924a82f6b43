"""Run a simulated Asterisk with calls coming in: ``python -m broadcasts.simulator --port 8088``."""

from __future__ import annotations

import argparse
import asyncio
import os
import random
from contextlib import suppress

from .callers import EXTENSIONS, SAMPLE_CALLS, calls
from .server import SimulatedAsterisk


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m broadcasts.simulator",
        description="A simulated Asterisk whose calls run through dialplan/stasis-broadcast.conf.",
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8088)
    parser.add_argument("--user", default="ari")
    parser.add_argument(
        "--password", default=os.environ.get("ARI_PASSWORD", "ari"), help="default: ARI_PASSWORD"
    )
    parser.add_argument("--rate", type=float, default=1.0, help="calls a second; 0 for none")
    parser.add_argument(
        "--extension", choices=EXTENSIONS, action="append", help="where calls come in; repeatable"
    )
    parser.add_argument(
        "--wait-for",
        metavar="APPLICATION",
        action="append",
        default=[],
        help="no calls come in before this application is connected; repeatable",
    )
    parser.add_argument("--native", action="store_true", help="with native StasisBroadcast as well")
    parser.add_argument("--seed", type=int, help="repeats the same run of callers")
    return parser.parse_args()


async def run(given: argparse.Namespace) -> None:
    async with SimulatedAsterisk(
        host=given.host,
        port=given.port,
        users={given.user: given.password},
        dialplan=SAMPLE_CALLS.read_text(),
        native_broadcast=given.native,
        seed=given.seed,
    ) as asterisk:
        print(f"simulated Asterisk at {asterisk.url}, {given.rate:g} calls a second", flush=True)
        for application in given.wait_for:
            await asterisk.connected(application)
        if given.rate:
            extensions = given.extension or EXTENSIONS
            await calls(asterisk, given.rate, extensions, random.Random(given.seed))
        await asyncio.Event().wait()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(run(options()))
