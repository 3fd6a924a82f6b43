"""The live board's socket."""

import asyncio

import orjson
import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from channels.testing import WebsocketCommunicator
from django.contrib.auth.models import Group
from django.db import OperationalError
from django.test import AsyncClient
from django.utils import timezone

from broadcast_project.asgi import application
from broadcasts import access
from broadcasts.domain.lifecycle import Status
from broadcasts.models import Broadcast
from broadcasts.web import consumers
from tests.builders import make_broadcast, make_member, make_user

pytestmark = pytest.mark.django_db(transaction=True)

make_broadcast = sync_to_async(make_broadcast)
make_member, make_user = sync_to_async(make_member), sync_to_async(make_user)


@pytest.fixture(autouse=True)
def brisk(monkeypatch):
    """Nothing to wait for between two looks; no look without a hint."""
    monkeypatch.setattr(consumers, "LOOK_AT_MOST_EVERY", 0)
    monkeypatch.setattr(consumers, "LOOK_AT_LEAST_EVERY", 60)


@pytest.fixture
async def session() -> AsyncClient:
    client = AsyncClient()
    await client.aforce_login(await make_member())
    return client


class Page(WebsocketCommunicator):
    """A page that shows the board: what it was told, and its word that it has drawn it."""

    def __init__(self, session: AsyncClient | None, origin: str = "http://localhost") -> None:
        cookies = session.cookies.output(header="", sep=";").strip() if session else ""
        headers = [(b"host", b"localhost"), (b"origin", origin.encode())]
        super().__init__(application, "/ws/board/", [*headers, (b"cookie", cookies.encode())])

    async def hear(self):
        message = orjson.loads(await self.receive_from(5))
        await self.send_to(text_data="drawn")
        return message

    async def __aenter__(self) -> "Page":
        connected, _ = await self.connect(5)
        assert connected
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.disconnect()


async def hint(kind: str = "board.changed") -> None:
    await get_channel_layer().group_send(consumers.GROUP, {"type": kind, "ids": []})


async def unmask(client: AsyncClient) -> None:
    """Do to a session what unmasking does."""
    session = await client.asession()
    await session.aset(access.UNMASKED_UNTIL, (timezone.now() + access.UNMASKED_FOR).timestamp())
    await session.asave()


async def test_who_is_not_signed_in_is_refused():
    connected, _ = await Page(None).connect(5)
    assert not connected


async def test_who_may_not_see_the_record_is_refused():
    client = AsyncClient()
    await client.aforce_login(await make_user())
    connected, _ = await Page(client).connect(5)
    assert not connected


async def test_another_site_is_refused_even_with_a_session(session):
    connected, _ = await Page(session, origin="http://elsewhere.example").connect(5)
    assert not connected


async def test_a_page_is_told_everything_when_it_connects(session):
    first, second = await make_broadcast(), await make_broadcast(status=Status.TIMED_OUT)
    async with Page(session) as page:
        told = await page.hear()
    assert told["recent"] == [second.pk, first.pk]
    assert told["waiting"] == [first.pk]
    assert {row["id"] for row in told["rows"]} == {first.pk, second.pk}
    assert told["summary"]["open"] == 1


async def test_a_hint_brings_the_rows_that_changed_and_no_others(session):
    await make_broadcast(status=Status.TIMED_OUT)
    waiting = await make_broadcast()
    async with Page(session) as page:
        await page.hear()
        await Broadcast.objects.filter(pk=waiting.pk).aupdate(
            status=Status.FAILED, ended_at=waiting.deadline
        )
        await hint()
        told = await page.hear()
    assert [(row["id"], row["status"]) for row in told["rows"]] == [(waiting.pk, "failed")]
    assert told["waiting"] == []


@pytest.mark.parametrize("kind", ["board.changed", "board.state"])
async def test_every_kind_of_hint_is_understood(session, kind):
    async with Page(session) as page:
        await page.hear()
        await hint(kind)
        assert (await page.hear())["rows"] == []


async def test_a_lost_hint_is_made_up_for(session, monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_AT_LEAST_EVERY", 0.01)
    async with Page(session) as page:
        await page.hear()
        broadcast = await make_broadcast()
        while not (told := await page.hear())["rows"]:
            pass
    assert told["recent"] == [broadcast.pk]


async def test_hints_do_not_pile_up_messages_before_a_slow_page(session):
    async with Page(session) as page:
        await page.receive_from(5)
        for _ in range(50):
            await make_broadcast()
            await hint()
        assert await page.receive_nothing()
        await page.send_to(bytes_data=b"drawn, in whatever form")
        assert len((await page.hear())["rows"]) == 50
        assert await page.receive_nothing()


async def test_a_page_that_draws_nothing_any_more_is_let_go(session, monkeypatch):
    monkeypatch.setattr(consumers, "PATIENCE", 0.05)
    async with Page(session) as page:
        await page.receive_from(5)
        closing = await page.receive_output(5)
    assert closing == {"type": "websocket.close", "code": consumers.TRY_AGAIN_LATER}


async def test_signing_out_ends_the_socket_at_the_next_look(session):
    async with Page(session) as page:
        await page.hear()
        await session.alogout()
        await hint()
        closing = await page.receive_output(5)
    assert closing == {"type": "websocket.close", "code": consumers.MAY_LOOK_NO_LONGER}


async def test_losing_the_right_ends_the_socket_at_the_next_look(session):
    async with Page(session) as page:
        await page.hear()
        operators = await Group.objects.aget(name="operator")
        await operators.user_set.aclear()
        await hint()
        closing = await page.receive_output(5)
    assert closing == {"type": "websocket.close", "code": consumers.MAY_LOOK_NO_LONGER}


async def test_numbers_are_masked_until_the_viewer_unmasks_them():
    client = AsyncClient()
    await client.aforce_login(await make_member("auditor"))
    broadcast = await make_broadcast(channel_name="Local/+15550100@trunk")
    async with Page(client) as page:
        (row,) = (await page.hear())["rows"]
        assert (row["caller"], row["channel"]) == ("•••0100", "Local/•••0100@trunk")
        await unmask(client)
        await hint()
        (row,) = (await page.hear())["rows"]
        assert (row["caller"], row["channel"]) == ("+15550100", broadcast.channel_name)


async def test_what_one_viewer_unmasks_stays_masked_for_another(session):
    client = AsyncClient()
    await client.aforce_login(await make_member("auditor"))
    await unmask(client)
    await make_broadcast()
    async with Page(client) as unmasked, Page(session) as masked:
        told = [(await page.hear())["rows"][0]["caller"] for page in (unmasked, masked)]
    assert told == ["+15550100", "•••0100"]


async def test_a_page_is_let_go_while_the_record_cannot_be_read(session, monkeypatch):
    def read(now, show):
        raise OperationalError("the database is away")

    async with Page(session) as page:
        await page.hear()
        monkeypatch.setattr(consumers.board, "read", read)
        await hint()
        closing = await page.receive_output(5)
    assert closing == {"type": "websocket.close", "code": consumers.TRY_AGAIN_LATER}


async def test_a_page_that_leaves_takes_its_task_with_it(session):
    before = asyncio.all_tasks()
    async with Page(session) as page:
        await page.hear()
    await asyncio.sleep(0)
    assert not [task for task in asyncio.all_tasks() - before if not task.done()]
