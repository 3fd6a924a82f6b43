"""Run one REST and WebSocket scenario on the simulator and on a real Asterisk, print differences.

    python tests/conformance/compare_with_asterisk.py http://127.0.0.1:8088 --user ari --password ari

The real one needs ARI enabled, an empty registry of applications, and the extensions of
``broadcasts/simulator/extensions.conf`` with ``dialplan/stasis-broadcast.conf`` included. Ids,
times and the version are left out of the comparison; everything else has to be equal. Prints
nothing and exits with 0 when it is.
"""

from __future__ import annotations

import argparse
import asyncio
import difflib
import json
import re
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Self

from aiohttp import (
    ClientSession,
    ClientWebSocketResponse,
    WSMsgType,
    WSServerHandshakeError,
    encode_basic_auth,
)

if __name__ == "__main__":  # run as a script, not imported by a test
    sys.path.insert(0, str(Path(__file__).parents[2]))

from broadcasts.simulator import SimulatedAsterisk

Json = Any
PATIENCE = 5.0  # seconds for a message that is sure to come


class Ears:
    """One application's socket and everything it heard."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[Json] = []
        self.closed = asyncio.Event()
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                self.heard.append(json.loads(message.data))
                self._news.set()
        self.closed.set()

    async def until(self, kind: str, count: int = 1) -> Json:
        """The `count`-th message of this type."""
        async with asyncio.timeout(PATIENCE):
            while len(found := [m for m in self.heard if m["type"] == kind]) < count:
                self._news.clear()
                await self._news.wait()
        return found[count - 1]

    async def ask(self, text: str) -> Json:
        answers = sum(message["type"] == "RESTResponse" for message in self.heard)
        await self.socket.send_str(text)
        return await self.until("RESTResponse", answers + 1)


class Asterisk:
    """The Asterisk under test, and the log of what it answered."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._authorization = {"Authorization": encode_basic_auth(user, password)}
        self.log: list[str] = []
        self._session: ClientSession
        self._ears: list[Ears] = []

    async def __aenter__(self) -> Self:
        self._session = ClientSession()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._session.close()

    def note(self, *what: Json) -> None:
        self.log.append(" ".join(w if isinstance(w, str) else json.dumps(w) for w in what))

    async def rest(
        self, method: str, path: str, *, json: Json = None, anonymous: bool = False, **params: str
    ) -> Json:
        headers = {} if anonymous else self._authorization
        url = f"{self.url}/ari/{path}"
        async with self._session.request(
            method, url, params=params, headers=headers, json=json
        ) as answer:
            body = await answer.text()
            shown = {name: answer.headers.get(name) for name in ("Allow", "WWW-Authenticate")}
            self.note(method, path, params, answer.status, answer.reason or "", shown, body)
            return _parsed(body)

    async def ears(self, *apps: str) -> Ears:
        socket = await self._session.ws_connect(
            f"{self.url}/ari/events?app={','.join(apps)}", headers=self._authorization
        )
        self._ears.append(Ears(socket))
        return self._ears[-1]

    async def refused(self, query: str, **headers: str) -> None:
        try:
            await self._session.ws_connect(f"{self.url}/ari/events?{query}", headers=headers)
        except WSServerHandshakeError as refusal:
            self.note("handshake", query, refusal.status)
        else:
            self.note("handshake", query, "accepted")

    async def authorised_refusal(self, query: str) -> None:
        await self.refused(query, **self._authorization)

    async def note_closing(self, what: str, ears: Ears) -> None:
        """Whether this socket is closed now, from the other side."""
        try:
            await asyncio.wait_for(ears.closed.wait(), 1)
        except TimeoutError:
            self.note(what, "stays open")
        else:
            self.note(what, "closed", ears.socket.close_code)

    async def place_call(self, exten: str) -> str:
        """The id of leg ;1."""
        place = {"extension": "sink", "context": "default", "priority": "1"}
        call = await self.rest("POST", "channels", endpoint=f"Local/{exten}@default", **place)
        return str(call["id"])

    async def hang_up_all(self) -> None:
        """Close what the scenario opened, and log what was heard."""
        for ears in self._ears:
            await ears.socket.close()
            for message in ears.heard:
                self.note("heard", message)
        self._ears.clear()


def _parsed(body: str) -> Json:
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        return None


Scenario = Callable[[Asterisk], Coroutine[None, None, None]]


async def refusals(asterisk: Asterisk) -> None:
    for method, path in [
        ("GET", "nothing"),
        ("GET", "channels/none"),
        ("DELETE", "channels/none"),
        ("POST", "channels/none/continue"),
        ("POST", "channels/none/answer"),
        ("POST", "channels/none/variable"),
        ("GET", "channels/none/variable"),
        ("GET", "applications/none"),
        ("POST", "applications/none/subscription"),
        ("POST", "events/user/Hello"),
        ("POST", "asterisk/ping"),
        ("PUT", "channels"),
        ("OPTIONS", "channels"),
        ("OPTIONS", "channels/none/variable"),
        ("OPTIONS", "applications/none/subscription"),
        ("GET", "applications/"),
        ("POST", "channels"),
    ]:
        await asterisk.rest(method, path)
    await asterisk.rest("GET", "applications", anonymous=True)
    await asterisk.rest("GET", "applications", anonymous=True, api_key="ari:wrong")
    await asterisk.rest("POST", "channels/none/move", app="x")
    await asterisk.rest("POST", "channels/none/move")
    await asterisk.rest("GET", "channels/none/variable", variable="X")
    await asterisk.rest("POST", "channels/none/variable", variable="X", value="1")
    await asterisk.rest("POST", "channels", endpoint="nowhere", extension="sink")
    await asterisk.rest("POST", "channels", endpoint="Local/sink@default")
    await asterisk.rest("POST", "events/user/Hello", application="none")
    await asterisk.rest("POST", "applications/none/subscription", eventSource="channel:none")
    await asterisk.refused("app=x")
    await asterisk.authorised_refusal("")
    await asterisk.authorised_refusal("app=")


async def subscriptions(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("broadcast")
    await asterisk.rest("GET", "applications")
    for source in ("channel:none", "nonsense:1", "channel"):
        await asterisk.rest("POST", "applications/broadcast/subscription", eventSource=source)
        await asterisk.rest("DELETE", "applications/broadcast/subscription", eventSource=source)
    await asterisk.place_call("brokerfilter")
    channel = (await ears.until("StasisStart"))["channel"]["id"]
    source = f"channel:{channel}"
    await asterisk.rest("POST", "applications/broadcast/subscription", eventSource=source)
    await asterisk.rest("DELETE", "applications/broadcast/subscription", eventSource=source)
    await asterisk.rest("POST", "events/user/Hello", application="broadcast", source="channel:none")
    await asterisk.rest("POST", "events/user/Hello", application="broadcast", source="nonsense:1")
    await asterisk.rest(
        "POST",
        "events/user/Hello",
        application="broadcast",
        source=source,
        json={"variables": {"caller": "+1", "deadline_ms": 500}},
    )
    await ears.until("ChannelUserevent")
    await asterisk.rest("POST", "events/user/Hello", application="broadcast")
    await asterisk.rest("DELETE", f"channels/{channel}")
    await ears.until("StasisEnd")


async def timeout_and_return(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("broadcast")
    await asterisk.place_call("gosub")
    channel = (await ears.until("StasisStart"))["channel"]["id"]
    await asterisk.rest("GET", f"channels/{channel}")
    source = f"channel:{channel}"
    await asterisk.rest("POST", "applications/broadcast/subscription", eventSource=source)
    path = f"channels/{channel}/variable"
    await asterisk.rest("POST", path, variable="STASISSTATUS", value="TIMEOUT")
    await asterisk.rest("POST", path, variable="BROADCASTSTATUS", value="TIMEOUT")
    for name in ("BROADCASTSTATUS", "UNKNOWN", "CALLERID(num)", "CHANNEL", "ARG1", "ARG2"):
        await asterisk.rest("GET", path, variable=name)
    await asterisk.rest("POST", f"channels/{channel}/continue")
    await ears.until("ChannelDestroyed")


async def labels(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("broadcast")
    await asterisk.place_call("broker")
    channel = (await ears.until("StasisStart"))["channel"]["id"]
    source = f"channel:{channel}"
    await asterisk.rest("POST", "applications/broadcast/subscription", eventSource=source)
    await asterisk.rest("POST", f"channels/{channel}/continue", label="nowhere")
    await asterisk.rest("POST", f"channels/{channel}/continue", label="0")
    place = {"context": "default", "extension": "broker", "priority": "3"}
    await asterisk.rest("POST", f"channels/{channel}/continue", **place)
    await ears.until("ChannelDestroyed")


async def move_and_follow(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("broadcast")
    winner = await asterisk.ears("ivr-main")
    await asterisk.place_call("brokerfilter")
    channel = (await ears.until("StasisStart"))["channel"]["id"]
    source = f"channel:{channel}"
    await asterisk.rest("POST", "applications/broadcast/subscription", eventSource=source)
    arguments = 'a:b,"c,d",,(e,f)'
    await asterisk.rest("POST", f"channels/{channel}/move", app="gone", appArgs="x,,y")
    await ears.until("ApplicationMoveFailed")
    await asterisk.rest("POST", f"channels/{channel}/move", app="ivr-main", appArgs=arguments)
    await winner.until("StasisStart")
    await ears.until("StasisEnd")
    await asterisk.rest("GET", "applications/broadcast")
    await asterisk.rest("GET", "applications/ivr-main")
    await asterisk.rest("POST", f"channels/{channel}/continue")
    await ears.until("ChannelDestroyed")


async def answered_and_hung_up(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("broadcast")
    await asterisk.place_call("brokerfilter")
    channel = (await ears.until("StasisStart"))["channel"]["id"]
    source = f"channel:{channel}"
    await asterisk.rest("POST", "applications/broadcast/subscription", eventSource=source)
    await asterisk.rest("POST", f"channels/{channel}/answer")
    await ears.until("ChannelStateChange")
    await asterisk.rest("DELETE", f"channels/{channel}", reason="nonsense")
    await asterisk.rest("DELETE", f"channels/{channel}", reason_code="nonsense")
    await asterisk.rest("DELETE", f"channels/{channel}", reason_code="17", reason="busy")
    await asterisk.rest("DELETE", f"channels/{channel}", reason="busy")
    await ears.until("ChannelDestroyed")


async def caller_hangs_up(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("broadcast")
    first = await asterisk.place_call("brokerfilter")
    channel = (await ears.until("StasisStart"))["channel"]["id"]
    source = f"channel:{channel}"
    await asterisk.rest("POST", "applications/broadcast/subscription", eventSource=source)
    await asterisk.rest("DELETE", f"channels/{first}")
    await ears.until("ChannelDestroyed")
    for path in ("continue", "answer", "variable"):
        await asterisk.rest("POST", f"channels/{channel}/{path}", variable="X")


async def replaced(asterisk: Asterisk) -> None:
    old = await asterisk.ears("broadcast")
    await asterisk.ears("broadcast")
    await old.until("ApplicationReplaced")
    await asterisk.note_closing("replaced", old)
    both = await asterisk.ears("a", "b")
    await asterisk.ears("b")
    await both.until("ApplicationReplaced")
    await asterisk.note_closing("half replaced", both)
    await asterisk.rest("GET", "applications/a")


async def rest_over_the_socket(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("broadcast")
    request = {"type": "RESTRequest", "transaction_id": "t", "request_id": "r"}
    for fields in [
        {"method": "GET", "uri": "applications"},
        {"method": "GET", "uri": "nothing?x=1"},
        {"method": "GET", "uri": "events"},
        {"method": "OPTIONS", "uri": "channels"},
        {"method": "POST", "uri": "asterisk/ping"},
        {"method": "NONSENSE", "uri": "applications"},
        {"uri": "applications"},
        {"method": "GET"},
        {"method": "GET", "uri": "applications", "query_strings": 5},
        {"method": "GET", "uri": "applications", "query_strings": [{"name": "only"}]},
        {"method": "POST", "uri": "channels", "message_body": "{}"},
        {
            "method": "POST",
            "uri": "channels",
            "message_body": "{",
            "content_type": "application/json",
        },
        {
            "method": "POST",
            "uri": "channels",
            "message_body": '{"endpoint":"Local/sink@default"}',
            "content_type": "application/json",
        },
        {"method": "POST", "uri": "channels", "message_body": "x", "content_type": "text/plain"},
        {"method": "GET", "uri": "applications", "type": "Unknown"},
        {"method": "GET", "uri": "applications", "type": ""},
    ]:
        await ears.ask(json.dumps(request | fields))
    await ears.ask("garbage")
    await ears.ask('{"type":"RESTRequest"')
    await ears.ask("[1,2]")
    await ears.ask("{}")


async def dead_winner(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("broadcast")
    winner = await asterisk.ears("ivr-main")
    await asterisk.place_call("brokerfilter")
    channel = (await ears.until("StasisStart"))["channel"]["id"]
    await asterisk.rest("POST", f"channels/{channel}/move", app="ivr-main")
    await winner.until("StasisStart")
    await ears.until("StasisEnd")
    await winner.socket.close()
    await winner.closed.wait()
    await asterisk.rest("GET", "applications/ivr-main")
    await asterisk.rest("POST", f"channels/{channel}/move", app="broadcast", appArgs="back")
    await ears.until("StasisStart", 2)
    await asterisk.rest("DELETE", f"channels/{channel}")
    await ears.until("StasisEnd", 2)


SCENARIOS: list[Scenario] = [
    refusals,
    subscriptions,
    timeout_and_return,
    labels,
    move_and_follow,
    answered_and_hung_up,
    caller_hangs_up,
    replaced,
    rest_over_the_socket,
    dead_winner,
]

MASKS = [
    (r"\d{10}\.\d+", "ID"),
    (r"\d{4}-\d\d-\d\dT[\d:.]+\+0000", "TIME"),
    (r"(Local/\w+@\w+)-[0-9a-f]{8}", r"\1-NAME"),
    (r'("(?:asterisk_id|entity_id)\\?": ?\\?")[0-9a-f:]{17}', r"\1EID"),
]


def masked(line: str) -> str:
    """The line without what no two Asterisks share."""
    for pattern, mask in MASKS:
        line = re.sub(pattern, mask, line)
    return line


async def observe(scenario: Scenario, url: str, user: str, password: str) -> list[str]:
    """What this Asterisk answered and sent, in order, one line each."""
    async with Asterisk(url, user, password) as asterisk:
        try:
            await scenario(asterisk)
        except TimeoutError:
            asterisk.note("a message that should have come did not")
        await asterisk.hang_up_all()
        return [masked(line) for line in asterisk.log]


async def differences(scenario: Scenario, url: str, user: str, password: str) -> list[str]:
    """Where the simulator (-) and the real Asterisk (+) part."""
    async with SimulatedAsterisk() as simulated:
        expected = await observe(scenario, simulated.url, "ari", "ari")
    found = await observe(scenario, url, user, password)
    return list(difflib.unified_diff(expected, found, "simulated", "real", n=0, lineterm=""))


async def main() -> int:
    parser = argparse.ArgumentParser(description="Compare the simulator with a real Asterisk.")
    parser.add_argument("url", help="of the real one, such as http://127.0.0.1:8088")
    parser.add_argument("--user", default="ari")
    parser.add_argument("--password", default="ari")
    options = parser.parse_args()
    differ = False
    for scenario in SCENARIOS:
        lines = await differences(scenario, options.url, options.user, options.password)
        differ = differ or bool(lines)
        if lines:
            print(scenario.__name__, *lines, sep="\n")
    return int(differ)


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
