"""The generators' clients, against real servers on real sockets."""

import asyncio

import pytest
import websockets

from benchmarks.wire import EventSocket, HttpPool, Server


async def opened(server: Server, wanted: int, **options: float) -> tuple[EventSocket, list[bytes]]:
    """Return a socket and its first `wanted` messages."""
    messages: list[bytes] = []
    enough = asyncio.Event()

    def on_text(payload: bytes) -> None:
        messages.append(payload)
        if len(messages) == wanted:
            enough.set()

    socket = await EventSocket.open(server, "bench", on_text, **options)
    await enough.wait()
    return socket, messages


@pytest.mark.parametrize("pause", [0, 0.01])
async def test_an_event_socket_reads_messages_of_every_length(pause: float) -> None:
    sent = ["", "a" * 125, "b" * 126, "c" * 65_535, "d" * 65_536, "last"]

    async def talk(connection: websockets.ServerConnection) -> None:
        for text in sent:
            await connection.send(text)
        await connection.wait_closed()

    async with websockets.serve(talk, "127.0.0.1", 0, compression=None) as running:
        server = Server(f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}", "u:p")
        socket, messages = await opened(server, len(sent), pause=pause)
        socket.close()

    assert [message.decode() for message in messages] == sent


async def test_an_event_socket_answers_a_ping() -> None:
    async def talk(connection: websockets.ServerConnection) -> None:
        await (await connection.ping("still there?"))
        await connection.send("it is")
        await connection.wait_closed()

    async with websockets.serve(talk, "127.0.0.1", 0, compression=None) as running:
        server = Server(f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}", "u:p")
        socket, messages = await opened(server, 1)
        socket.close()

    assert messages == [b"it is"]


async def answer_by_path(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer 204 without a length, 409 with one, and 404 in chunks before closing."""
    while head := await reader.readuntil(b"\r\n\r\n"):
        if b"/first" in head:
            writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
        elif b"/second" in head:
            writer.write(b"HTTP/1.1 409 Conflict\r\nContent-Length: 5\r\n\r\ntaken")
        else:
            writer.write(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\n")
            writer.write(b"Transfer-Encoding: chunked\r\n\r\n4\r\ngone\r\n0\r\n\r\n")
            break
    writer.close()


async def test_a_pool_keeps_its_connection_and_replaces_a_closed_one() -> None:
    connections = 0

    async def count(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await answer_by_path(reader, writer)

    async with await asyncio.start_server(count, "127.0.0.1", 0) as running:
        pool = HttpPool(Server(f"http://127.0.0.1:{running.sockets[0].getsockname()[1]}", "u:p"))
        assert await pool.ask("POST", "/first") == (204, b"")
        assert await pool.ask("POST", "/second") == (409, b"taken")
        assert connections == 1
        assert await pool.ask("POST", "/third") == (404, b"gone")
        assert await pool.ask("POST", "/third") == (404, b"gone")
        assert connections == 2
        pool.close()


async def test_a_refused_connection_is_answered_with_status_0() -> None:
    pool = HttpPool(Server("http://127.0.0.1:1", "u:p"))
    status, _ = await pool.ask("POST", "/first")
    assert status == 0
