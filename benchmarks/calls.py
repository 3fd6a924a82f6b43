"""Whole calls per second and their latencies: originate, offer, claim, hand-over, end.

N applications are connected, one socket each, and M of them claim whatever they are offered. K
calls are kept in flight. See README.md for what is counted.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import json
import math
import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
import uvloop

from benchmarks.wire import EventSocket, HttpPool, Server

IDLE_READ = 0.1  # seconds between two reads of a socket that does not claim


@dataclass(frozen=True)
class Load:
    """What to run; durations in seconds."""

    extension: str
    apps: int = 3
    claimants: int = 3
    at_once: int = 20
    calls: int | None = None
    seconds: float = 10.0
    warm_up: int = 100
    ending: str = "continue"
    patience: float = 10.0


@dataclass(slots=True, eq=False)
class Call:
    """One call as the applications saw it; times from `time.perf_counter()`."""

    channel: str
    originate_status: int | None = None
    offered: dict[str, float] = field(default_factory=dict)
    sent: dict[str, float] = field(default_factory=dict)
    granted: dict[str, float] = field(default_factory=dict)
    started: dict[str, float] = field(default_factory=dict)
    ending_status: int | None = None
    ended_at: float | None = None
    lost: bool = False
    surprises: list[str] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None

    def problems(self) -> list[str]:
        """Say what was wrong with the call; nothing for one that was whole."""
        found = list(self.surprises)
        if self.originate_status != 200:
            found.append(f"originate answered {self.originate_status}")
        if len(self.granted) != 1:
            found.append(f"{len(self.granted)} claims answered 204")
        if self.started.keys() != self.granted.keys():
            found.append("StasisStart elsewhere than at the winner")
        if self.started and self.ending_status != 204:
            found.append(f"ending the call answered {self.ending_status}")
        if self.lost:
            found.append("lost")
        return found


class Application:
    """A candidate; one that does not claim only looks for what it must never get."""

    def __init__(self, name: str, claims: bool, run: Run) -> None:
        self.name, self.claims, self.run = name, claims, run
        self.pool = HttpPool(run.server)
        self.socket: EventSocket | None = None

    async def connect(self) -> None:
        on_text = self._on_event if self.claims else self._on_ignored
        pause = 0 if self.claims else IDLE_READ
        self.socket = await EventSocket.open(self.run.server, self.name, on_text, pause)

    def _on_ignored(self, payload: bytes) -> None:
        if b'"CallBroadcast"' in payload:
            self.run.offers += 1
        elif b'"StasisStart"' in payload:
            self._on_event(payload)

    def _on_event(self, payload: bytes) -> None:
        event = orjson.loads(payload)
        call = self.run.by_channel.get(event.get("channel", {}).get("id"))
        if call is None:
            return
        kind = event["type"]
        if kind == "CallBroadcast":
            self.run.offers += 1
            self._claim(call)
        elif kind == "StasisStart":
            self._end(call)
        elif kind == "StasisEnd":
            self.run.ended(call)

    def _claim(self, call: Call) -> None:
        def answered(status: int, body: bytes) -> None:
            self.run.claimed(call, self.name, status, body)

        call.offered[self.name] = time.perf_counter()
        path = f"/events/claim?channelId={call.channel}&application={self.name}"
        self.run.unanswered += 1
        call.sent[self.name] = time.perf_counter()
        self.pool.send("POST", path, answered)

    def _end(self, call: Call) -> None:
        def answered(status: int, body: bytes) -> None:
            call.ending_status = status
            self.run.unanswered -= 1

        call.started[self.name] = time.perf_counter()
        self.run.unanswered += 1
        if self.run.load.ending == "continue":
            self.pool.send("POST", f"/channels/{call.channel}/continue", answered)
        else:
            self.pool.send("DELETE", f"/channels/{call.channel}", answered)

    @property
    def connected(self) -> bool:
        return self.socket is not None and not self.socket.closed

    def close(self) -> None:
        if self.socket:
            self.socket.close()
        self.pool.close()


class Run:
    """One run of a load: its applications and its calls."""

    def __init__(self, load: Load, asterisk: Server, server: Server) -> None:
        self.load, self.server = load, server
        self.originator = HttpPool(asterisk)
        self.applications = [
            Application(f"bench-{number}", number < load.claimants, self)
            for number in range(load.apps)
        ]
        self.by_channel: dict[str, Call] = {}
        self.in_flight: set[Call] = set()
        self.answers: Counter[int] = Counter()
        self.offers = self.unanswered = 0

    async def measure(self) -> dict[str, Any]:
        """Connect, warm up, run the load and return what was counted."""
        try:
            for application in self.applications:
                await application.connect()
            await self._keep_in_flight(self.load.warm_up, math.inf)
            await self._drain()
            warm_up = len(self.by_channel)
            began, cpu = time.perf_counter(), time.process_time()
            await self._keep_in_flight(self.load.calls or math.inf, began + self.load.seconds)
            cpu = time.process_time() - cpu
            await self._drain()
            return self._result(list(self.by_channel.values())[warm_up:], began, cpu)
        finally:
            for application in self.applications:
                application.close()
            self.originator.close()

    async def _keep_in_flight(self, calls: float, until: float) -> None:
        self.left, self.until = calls, until
        self.finished = asyncio.Event()
        for _ in range(self.load.at_once):
            self._next()
        await self.finished.wait()

    async def _drain(self) -> None:
        """Wait for the answers and the offers that outlast their calls."""
        limit = time.perf_counter() + self.load.patience
        expected = len(self.by_channel) * self.load.apps
        while self.unanswered or self.offers < expected:
            if time.perf_counter() > limit:
                return
            await asyncio.sleep(0.05)

    def _next(self) -> None:
        if self.left > 0 and time.perf_counter() < self.until:
            self.left -= 1
            self._originate()
        elif not self.in_flight:
            self.finished.set()

    def _originate(self) -> None:
        # The channel's id is ours, so that an offer can come before the answer to this request.
        call = Call(f"bench-{os.getpid()}-{time.monotonic_ns()}")
        self.by_channel[call.channel] = call
        self.in_flight.add(call)
        loop = asyncio.get_running_loop()
        call.timer = loop.call_later(self.load.patience, self._give_up, call)
        query = originate_query(self.load.extension, call.channel)

        def answered(status: int, body: bytes) -> None:
            call.originate_status = status
            if status != 200:
                self.left = 0  # no use in asking again
                self._give_up(call)

        self.originator.send("POST", f"/channels?{query}", answered)

    def claimed(self, call: Call, name: str, status: int, body: bytes) -> None:
        self.unanswered -= 1
        self.answers[status] += 1
        if status == 204:
            call.granted[name] = time.perf_counter()
        elif not (status == 409 or (status == 404 and call.started)):
            # A loser's claim is 409 until the winner's session ends, and 404 from then on.
            call.surprises.append(f"claim answered {status} {body.decode(errors='replace')}")

    def ended(self, call: Call) -> None:
        if call in self.in_flight:
            call.ended_at = time.perf_counter()
            self._leave(call)

    def _give_up(self, call: Call) -> None:
        if call in self.in_flight:
            call.lost = True
            self._leave(call)

    def _leave(self, call: Call) -> None:
        self.in_flight.discard(call)
        if call.timer:
            call.timer.cancel()
        self._next()

    def _result(self, calls: list[Call], began: float, cpu: float) -> dict[str, Any]:
        whole = [call for call in calls if call.ended_at and not call.problems()]
        elapsed = max((call.ended_at or 0 for call in whole), default=began) - began
        return {
            "calls": len(calls),
            "whole": len(whole),
            "seconds": round(elapsed, 3),
            "calls_per_second": round(len(whole) / elapsed, 1) if elapsed else 0.0,
            **latencies(whole),
            "answers": dict(self.answers),
            "generator_ms_per_call": round(1000 * cpu / len(whole), 3) if whole else None,
            "generator_cpu": round(cpu / elapsed, 3) if elapsed else None,
            "problems": self._problems(),
        }

    def _problems(self) -> dict[str, int]:
        """Count what was wrong, over the warm-up too."""
        found = Counter(text for call in self.by_channel.values() for text in call.problems())
        missing = len(self.by_channel) * self.load.apps - self.offers
        if missing:
            found["offers missing" if missing > 0 else "offers too many"] = abs(missing)
        closed = sum(not application.connected for application in self.applications)
        if closed:
            found["sockets closed by the server"] = closed
        return dict(found)


def originate_query(extension: str, channel: str, timeout: int = 30) -> str:
    """Return the query of a call from `sink` to `extension`, whose channel there is `channel`.

    `timeout` in seconds: how long `extension` may leave the call unanswered.
    """
    return urlencode(
        {
            "endpoint": f"Local/{extension}@default",
            "context": "default",
            "extension": "sink",
            "priority": 1,
            "callerId": "+15551234567",
            # Asterisk heeds otherChannelId only beside a channelId, and refuses an id that is the
            # beginning of one in use.
            "channelId": f"caller-{channel}",
            "otherChannelId": channel,
            "timeout": timeout,
        }
    )


def latencies(calls: list[Call]) -> dict[str, float | None]:
    """Return median and 99th percentile in ms, from the winners' point of view."""
    samples: dict[str, list[float]] = {"offered_204": [], "offered_start": [], "claim_204": []}
    for call in calls:
        ((winner, granted),) = call.granted.items()
        samples["offered_204"].append(granted - call.offered[winner])
        samples["offered_start"].append(call.started[winner] - call.offered[winner])
        samples["claim_204"].append(granted - call.sent[winner])
    return {
        f"{name}_ms_{label}": percentile(values, share)
        for name, values in samples.items()
        for label, share in (("median", 50), ("p99", 99))
    }


def percentile(seconds: list[float], share: int) -> float | None:
    """Return a percentile in ms, or None when there are too few values to tell."""
    if len(seconds) < 2:
        return None
    return round(1000 * statistics.quantiles(seconds, n=100, method="inclusive")[share - 1], 3)


def measure(load: Load, asterisk: Server, server: Server) -> dict[str, Any]:
    """Run a load in an event loop of its own; see `Run.measure`."""
    gc.collect()
    gc.disable()  # a pause of the generator would be measured as one of the server
    try:
        return uvloop.run(start(load, asterisk, server))
    finally:
        gc.enable()


async def start(load: Load, asterisk: Server, server: Server) -> dict[str, Any]:
    return await Run(load, asterisk, server).measure()


def add_servers(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where calls come from and where candidates connect."""
    parser.add_argument("--asterisk", default="http://127.0.0.1:8088", help="originates the calls")
    parser.add_argument("--asterisk-user", default="ari:ari")
    parser.add_argument("--url", help="where candidates connect; default: --asterisk")
    parser.add_argument("--user", help="as whom; default: --asterisk-user")
    parser.add_argument("--extension", default="nativequick", help="what is called")


def servers(options: argparse.Namespace) -> tuple[Server, Server]:
    """Return where calls are originated and where candidates connect."""
    asterisk = Server(options.asterisk, options.asterisk_user)
    return asterisk, Server(options.url or options.asterisk, options.user or options.asterisk_user)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add_servers(parser)
    parser.add_argument("--apps", type=int, default=Load.apps, help="applications connected")
    parser.add_argument("--claimants", type=int, default=Load.claimants, help="that claim")
    parser.add_argument("--at-once", type=int, default=Load.at_once, help="calls in flight")
    parser.add_argument("--calls", type=int, help="end after so many")
    parser.add_argument("--seconds", type=float, default=Load.seconds, help="or after so long")
    parser.add_argument("--warm-up", type=int, default=Load.warm_up, help="calls not timed")
    parser.add_argument("--ending", choices=("continue", "hangup"), default=Load.ending)
    options = parser.parse_args()
    chosen = {name: value for name, value in vars(options).items() if name in Load.__annotations__}
    print(json.dumps(measure(Load(**chosen), *servers(options)), indent=2))


if __name__ == "__main__":
    main()
