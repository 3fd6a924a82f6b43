"""An outbox is bounded, and a candidate that is too slow is cut off without delaying others."""

import asyncio

import pytest

from broadcasts.facade.outbox import Outbox, Overflow


async def test_what_waits_is_written_in_order_until_closed():
    outbox = Outbox()
    written = []

    async def send(message):
        written.append(message)
        if message["text"] == "2":
            outbox.put("3")
            outbox.close()
            outbox.put("too late")

    outbox.put("1")
    outbox.put("2")
    await outbox.write(send)
    assert written == [{"type": "websocket.send", "text": text} for text in "123"]


async def test_too_many_messages_overflow_it():
    outbox = Outbox(max_messages=2)
    outbox.put("1")
    outbox.put("2")
    with pytest.raises(Overflow):
        outbox.put("3")


async def test_too_much_text_overflows_it():
    outbox = Outbox(max_characters=10)
    outbox.put("12345")
    with pytest.raises(Overflow):
        outbox.put("678901")


async def test_what_was_written_no_longer_counts():
    outbox = Outbox(max_messages=1)
    sent = asyncio.Event()

    async def send(message):
        sent.set()

    writer = asyncio.create_task(outbox.write(send))
    for _ in range(3):
        sent.clear()
        outbox.put("x")
        await sent.wait()
    outbox.close()
    await writer


async def test_a_slow_candidate_is_cut_off_while_another_goes_on(
    client, broker, asterisk, monkeypatch, caplog
):
    monkeypatch.setattr("broadcasts.facade.events.Outbox", lambda: Outbox(50, 1 << 20))
    slow = await client.connect("slow")
    slow.socket._response.connection.transport.pause_reading()
    quick = await client.connect("quick")
    to_slow, to_quick = (broker.candidates.session(1, name) for name in ("slow", "quick"))
    text = "x" * 10_000
    received = 0
    while broker.candidates.session(1, "slow"):
        to_slow.send(text)
        to_quick.send(text)
        assert await quick.text() == text
        received += 1
    assert received > 50
    assert "Candidate slow reads too slowly: cut off" in caplog.text
    assert broker.candidates.connected(1) == ["quick"]
    slow.socket._response.connection.transport.resume_reading()
    await slow.closed()


async def test_a_burst_that_is_too_big_is_told_as_such(client, broker, asterisk):
    candidate = await client.connect("ivr-main")
    session = broker.candidates.session(1, "ivr-main")
    for _ in range(1001):
        session.send("x")
    assert await candidate.closed() == 1013
