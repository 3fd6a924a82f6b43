"""What a real Asterisk was recorded saying, the simulator says in the same situation.

A recording is replayed request by request: every message that had come by then has to come again,
in the same order for each application, with the same content but for ids and times.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, encode_basic_auth, web

from broadcasts.simulator import SimulatedAsterisk
from tests.conformance.ari_observer import Asterisk, Ears

RECORDINGS = Path(__file__).parents[1] / "recordings"
DIAL_IN = ("dial_in_move_and_follow", "dial_in_timeout_move_movefailed_userevent")
ADMIN = {"Authorization": encode_basic_auth("ari", "ari")}
# The body of the recorded POST /events/user, which its recording leaves out.
USER_EVENT = {"variables": {"caller": "+1", "called": "x", "deadline_ms": 500}}
WATCHED = ("STASISSTATUS", "BROADCASTSTATUS")

Json = Any


def recorded(name: str) -> list[Json]:
    return json.loads((RECORDINGS / f"{name}.json").read_text())


def cases() -> list[Any]:
    """Every case of the dial-in recordings, as a list of its entries."""
    found: list[Any] = []
    for name in DIAL_IN:
        for entry in recorded(name):
            if entry["kind"] == "CASE":
                plan = "-".join(entry["plan"].values())
                found.append(pytest.param([], id=f"{name}-{plan}"))
            else:
                found[-1].values[0].append(entry)
    return found


def masked(text: str) -> str:
    """Without what no two Asterisks share: ids, times, channel name counters, versions."""
    text = re.sub(r"\d{10}\.\d+", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+\+0000", "TIME", text)
    text = re.sub(r"23\.9\.0-\w+", "VERSION", text)
    return re.sub(r"(Local/\w+@\w+)-[0-9a-f]{8}", r"\1-NAME", text)


def shown(message: Json) -> str:
    return masked(json.dumps(message))


class Replay:
    """Plays one recorded case and collects what the simulator sends."""

    def __init__(
        self, asterisk: SimulatedAsterisk, session: ClientSession, *, variables: bool
    ) -> None:
        self.asterisk = asterisk
        self.session = session
        self.variables = variables
        self.ears: dict[str, Ears] = {}
        self.expected: dict[str, list[Json]] = defaultdict(list)
        self.ids: dict[str, str] = {}

    async def listen(self, *apps: str) -> None:
        for app in apps:
            everything = "true" if app == "watch" else "false"
            query = {"app": app, "subscribeAll": everything, "api_key": "ari:ari"}
            socket = await self.session.ws_connect(f"{self.asterisk.url}/ari/events", params=query)
            self.ears[app] = Ears(socket)

    def heard(self, app: str) -> list[Json]:
        """What the recording would have kept.

        Its watcher looked at two variables and the user events; one recording has no variables.
        """
        messages = self.ears[app].heard
        if app == "watch":
            return [m for m in messages if m.get("variable") in WATCHED or "userevent" in m]
        return [m for m in messages if self.variables or m["type"] != "ChannelVarset"]

    async def play(self, entry: Json) -> None:
        if entry["kind"] == "event":
            self.expected[entry["app"]].append(entry["event"])
        else:
            await self._started()
            await self._request(entry)

    async def _started(self) -> None:
        """Wait for the calls that had reached an application when the next request was made.

        Other messages may have been written down before the request that caused them.
        """
        for app, expected in self.expected.items():
            starts = [m for m in expected if m["type"] == "StasisStart"]
            for number, start in enumerate(starts, 1):
                played = await self.ears[app].until("StasisStart", number)
                self.ids[start["channel"]["id"]] = played["channel"]["id"]

    async def finish(self) -> None:
        """Everything that was recorded has come again, in the order of each application."""
        for app, expected in self.expected.items():
            await self.ears[app].when(partial(self._heard_all, app, len(expected)))
            played = self.heard(app)[: len(expected)]
            assert list(map(shown, played)) == list(map(shown, expected))

    def _heard_all(self, app: str, count: int) -> bool:
        return len(self.heard(app)) >= count

    def _translated(self, text: str) -> str:
        for recorded_id, played_id in self.ids.items():
            text = text.replace(recorded_id, played_id)
        return text

    async def _request(self, entry: Json) -> None:
        url = f"{self.asterisk.url}/ari/{self._translated(entry['p'])}"
        params = {name: self._translated(str(value)) for name, value in entry["q"].items()}
        body = USER_EVENT if entry["p"].startswith("events/user") else None
        async with self.session.request(
            entry["m"], url, params=params, headers=ADMIN, json=body
        ) as answer:
            assert answer.status == entry["status"], entry
            text = await answer.text()
        if entry["p"] == "channels":
            self.ids[json.loads(entry["body"][: entry["body"].index(",")] + "}")["id"]] = (
                json.loads(text)["id"]
            )
        # The recording cut long bodies short, and had other channels from earlier cases.
        if "channel_ids" not in entry["body"] or entry["m"] == "POST":
            assert masked(text).startswith(masked(entry["body"])), entry


@pytest.mark.parametrize("entries", cases())
async def test_a_recorded_dial_in_case_is_played_the_same(
    asterisk: SimulatedAsterisk, entries: list[Json]
) -> None:
    async with ClientSession() as session:
        replay = Replay(asterisk, session, variables="ChannelVarset" in json.dumps(entries))
        await replay.listen("broadcast", "ivr-main", "watch")
        for entry in entries:
            await replay.play(entry)
        await replay.finish()


async def test_a_recorded_outbound_connection_is_played_the_same(
    asterisk: SimulatedAsterisk,
) -> None:
    entries = recorded("outbound_websocket")
    handshake, *_ = entries
    requests = [json.dumps(entry["msg"]) for entry in entries if entry["kind"] == "SEND"]
    messages = [entry["ev"] for entry in entries if entry["kind"] == "RECV"]
    connected: asyncio.Future[tuple[set[str], Ears]] = asyncio.get_running_loop().create_future()

    async def accept(request: web.BaseRequest) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(protocols=("ari",))
        await socket.prepare(request)
        ears = Ears(socket)
        connected.set_result((set(request.headers), ears))
        await ears.closed.wait()
        return socket

    async with listening(accept) as port:
        uri = f"ws://127.0.0.1:{port}/asterisk/pbx1/"
        outbound = await asterisk.dial_out(uri, "pbx1", "s3cret", ["broadcast"])
        headers, ears = await connected
        # The recording sent garbage before its fourth request, and left that out.
        for text in [*requests[:3], "garbage", requests[3]]:
            await ears.socket.send_str(text)
        played = (await ears.until("StasisStart"))["channel"]["id"]
        for text in requests[4:]:
            await ears.socket.send_str(text.replace(recorded_channel(messages), played))
        await ears.has(len(messages))
        await outbound.close()
    assert headers == set(handshake["headers"])
    for answers in (True, False):  # a request's answer and its events may come in either order
        assert lines(ears.heard, answers) == lines(messages, answers)


def recorded_channel(messages: list[Json]) -> str:
    return next(str(m["channel"]["id"]) for m in messages if m["type"] == "StasisStart")


def lines(messages: list[Json], answers: bool) -> list[str]:
    return [shown(m) for m in messages if (m["type"] == "RESTResponse") == answers]


async def test_recorded_native_broadcasts_are_played_the_same(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    """Two calls: one that anybody may claim, one with a filter, arguments and a notice."""
    entries = recorded("native_stasis_broadcast")
    calls = [entry["ext"] for entry in entries if entry["kind"] == "originate"]
    messages = [entry for entry in entries if entry["kind"] == "ws"]
    claims = [entry for entry in entries if entry["kind"] == "claim"]
    ears = {app: await client.ears(app) for app in ("support", "ivr-main", "ivr-2")}

    for exten, of_this_call in zip(calls, (claims[:5], claims[5:]), strict=True):
        winner, *losers, later = (claim["app"] for claim in of_this_call)
        offers = len(ears[winner].of("CallBroadcast")) + 1
        await client.place_call(exten, caller="Alice <+15551234567>")
        offered = await ears[winner].until("CallBroadcast", offers)
        channel = offered["channel"]["id"]
        for app in (winner, *losers):
            await client.rest("POST", "events/claim", channelId=channel, application=app)
        await client.rest("POST", f"channels/{channel}/continue")
        await ears[winner].until("StasisEnd")
        await client.rest("POST", "events/claim", channelId=channel, application=later)

    for app, heard in ears.items():
        expected = [entry["event"] for entry in messages if entry["app"] == app]
        await heard.has(len(expected))
        assert sorted(map(shown, heard.heard)) == sorted(map(shown, expected))
    answers = [line for line in client.log if line.startswith("POST events/claim")]
    for line, claim in zip(answers, claims, strict=True):
        assert f'"application": "{claim["app"]}"' in line
        assert f" {claim['status']} " in line
        assert line.endswith(f" {claim['body']}")


@asynccontextmanager
async def listening(
    handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
) -> AsyncIterator[int]:
    """A server for the simulator to dial; yields its port."""
    runner = web.ServerRunner(web.Server(handler), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield runner.addresses[0][1]
    await runner.cleanup()
