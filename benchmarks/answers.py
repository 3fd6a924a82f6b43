"""Claims answered 409 per second: C connections claim one call that is already taken.

The call is a real one: two applications are offered it, the first claims and holds it, and the
claims counted are the second's. It ends when the time is up.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections import Counter
from typing import Any
from uuid import uuid4

import orjson
import uvloop

from benchmarks.calls import add_servers, originate_query, servers
from benchmarks.wire import EventSocket, HttpConnection, HttpPool, Server

PATIENCE = 10.0  # seconds for each step of the call


class TakenCall:
    """A call that `bench-winner` holds and `bench-loser` was offered too."""

    def __init__(self, extension: str, asterisk: Server, server: Server) -> None:
        self.extension, self.asterisk, self.server = extension, asterisk, server
        self.channel = f"bench-{uuid4()}"
        self.pool = HttpPool(server)
        self.happened = {
            (app, kind): asyncio.Event()
            for app in ("bench-winner", "bench-loser")
            for kind in ("CallBroadcast", "StasisStart", "StasisEnd")
        }
        self.sockets: list[EventSocket] = []

    async def set_up(self, seconds: float) -> None:
        """Make the call and win it; it may be held for `seconds`.

        Raises TimeoutError when an event does not come, and RuntimeError on an unwanted answer.
        """
        for app in ("bench-winner", "bench-loser"):
            socket = await EventSocket.open(
                self.server, app, lambda text, app=app: self._on(app, text)
            )
            self.sockets.append(socket)
        query = originate_query(self.extension, self.channel, timeout=int(seconds + 60))
        originator = HttpPool(self.asterisk)
        await self._expect(200, originator, f"/channels?{query}")
        originator.close()
        await self._wait("bench-winner", "CallBroadcast")
        await self._wait("bench-loser", "CallBroadcast")
        await self._expect(204, self.pool, self.claim_path("bench-winner"))
        await self._wait("bench-winner", "StasisStart")

    def claim_path(self, app: str) -> str:
        return f"/events/claim?channelId={self.channel}&application={app}"

    async def end(self) -> None:
        await self._expect(204, self.pool, f"/channels/{self.channel}/continue")
        await self._wait("bench-winner", "StasisEnd")

    def close(self) -> None:
        for socket in self.sockets:
            socket.close()
        self.pool.close()

    def _on(self, app: str, text: bytes) -> None:
        event = orjson.loads(text)
        if event.get("channel", {}).get("id") == self.channel:
            happened = self.happened.get((app, event["type"]))
            if happened:
                happened.set()

    async def _wait(self, app: str, kind: str) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.happened[app, kind].wait()

    async def _expect(self, wanted: int, pool: HttpPool, path: str) -> None:
        status, body = await pool.ask("POST", path)
        if status != wanted:
            raise RuntimeError(f"POST {path}: {status} {body.decode(errors='replace')}")


class Flood:
    """Connections that send the same request again as soon as it is answered."""

    def __init__(self, server: Server, request: bytes) -> None:
        self.server, self.request = server, request
        self.answers: Counter[tuple[int, bytes]] = Counter()

    async def run(self, connections: int, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self.running, self.stopped = 0, asyncio.Event()
        self.until = time.perf_counter() + seconds
        for _ in range(connections):
            self.running += 1
            _, connection = await loop.create_connection(
                lambda: HttpConnection(lambda _: None), self.server.host, self.server.port
            )
            self._send(connection)
        await self.stopped.wait()

    def _send(self, connection: HttpConnection) -> None:
        def answered(status: int, body: bytes) -> None:
            self.answers[status, body] += 1
            if status and time.perf_counter() < self.until:
                connection.send(self.request, answered)
            else:
                self._stop(connection)

        connection.send(self.request, answered)

    def _stop(self, connection: HttpConnection) -> None:
        connection.transport.close()
        self.running -= 1
        if not self.running:
            self.stopped.set()


async def flood(
    connections: int, seconds: float, extension: str, asterisk: Server, server: Server
) -> dict[str, Any]:
    call = TakenCall(extension, asterisk, server)
    try:
        await call.set_up(seconds)
        claims = Flood(server, server.request("POST", call.claim_path("bench-loser")))
        began, cpu = time.perf_counter(), time.process_time()
        await claims.run(connections, seconds)
        elapsed, cpu = time.perf_counter() - began, time.process_time() - cpu
        await call.end()
    finally:
        call.close()
    return result(claims.answers, elapsed, cpu)


def result(answers: Counter[tuple[int, bytes]], elapsed: float, cpu: float) -> dict[str, Any]:
    taken = sum(count for (status, _), count in answers.items() if status == 409)
    others = {
        f"claim answered {status} {body.decode(errors='replace')}": count
        for (status, body), count in answers.items()
        if status != 409
    }
    return {
        "answers_409": taken,
        "seconds": round(elapsed, 3),
        "answers_per_second": round(taken / elapsed, 1),
        "generator_us_per_answer": round(1_000_000 * cpu / taken, 2) if taken else None,
        "generator_cpu": round(cpu / elapsed, 3),
        "problems": others,
    }


def measure(
    connections: int, seconds: float, extension: str, asterisk: Server, server: Server
) -> dict[str, Any]:
    """Flood for `seconds` in an event loop of its own and return what was counted."""
    return uvloop.run(flood(connections, seconds, extension, asterisk, server))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_servers(parser)
    parser.add_argument("--connections", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    counted = measure(options.connections, options.seconds, options.extension, *servers(options))
    print(json.dumps(counted, indent=2))


if __name__ == "__main__":
    main()
