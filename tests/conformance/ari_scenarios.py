"""What is played on the simulator and on a real Asterisk alike."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine

from ari_observer import Asterisk

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


async def native_claim(asterisk: Asterisk) -> None:
    ears = [await asterisk.ears(name) for name in ("ivr-main", "ivr-2", "support")]
    await asterisk.place_call("nativefilter")
    channel = (await ears[0].until("CallBroadcast"))["channel"]["id"]
    await ears[1].until("CallBroadcast")
    for method in ("GET", "OPTIONS"):
        await asterisk.rest(method, "events/claim")
    for parameters in (
        {},
        {"channelId": channel},
        {"channelId": "", "application": "ivr-main"},
        {"channelId": "none", "application": "ivr-main"},
        {"channelId": channel, "application": "ivr-main"},
        {"channelId": channel, "application": "ivr-2"},
        {"channelId": channel, "application": "ivr-main"},
    ):
        await asterisk.rest("POST", "events/claim", **parameters)
    await ears[0].until("StasisStart")
    await ears[1].until("CallClaimed")
    await asterisk.rest("POST", f"channels/{channel}/continue")
    await ears[0].until("StasisEnd")
    await asterisk.rest("POST", "events/claim", channelId=channel, application="ivr-2")


async def native_timeout(asterisk: Asterisk) -> None:
    ears = await asterisk.ears("support")
    await asterisk.place_call("nativeshort")
    channel = (await ears.until("CallBroadcast"))["channel"]["id"]
    source = f"channel:{channel}"
    await asterisk.rest("POST", "applications/support/subscription", eventSource=source)
    await ears.until("ChannelDestroyed")
    await asterisk.rest("POST", "events/claim", channelId=channel, application="support")


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
    native_claim,
    native_timeout,
]
