"""What the service does for the archive, whatever fails meanwhile."""

import logging

import pytest
from channels.db import database_sync_to_async
from django.db import OperationalError

from broadcasts.archive import chain, upkeep
from broadcasts.archive.upkeep import Persistent, due, seal_some, tidy_up
from broadcasts.archive.watch import Watch
from broadcasts.models import Broadcast, ChainHead, RetentionNote
from tests.archive.cast import faults, finished, seal

pytestmark = pytest.mark.django_db(transaction=True)


@database_sync_to_async
def make_and_seal() -> None:
    finished(0), finished(10)
    seal()


@database_sync_to_async
def counted() -> tuple[int, int, int]:
    rows = Broadcast.objects.all()
    return rows.count(), rows.filter(pseudonymised=True).count(), RetentionNote.objects.count()


async def test_a_look_is_taken_beside_the_event_loop():
    assert await seal_some(Watch()) is False
    assert await ChainHead.objects.acount() == 1


async def test_the_settings_say_what_is_replaced_and_removed(settings):
    await make_and_seal()
    settings.PSEUDONYMISE_DAYS = settings.RETENTION_DAYS = 0
    assert due() == []
    assert await tidy_up() is False
    settings.PSEUDONYMISE_DAYS = 1
    assert await tidy_up() is True
    assert await counted() == (2, 2, 0)
    settings.RETENTION_DAYS = 1
    assert await tidy_up() is True
    assert await counted() == (0, 0, 1)
    assert not await database_sync_to_async(faults)()


async def test_the_log_is_told_the_anchor_every_day(caplog):
    caplog.set_level(logging.INFO, upkeep.__name__)
    await make_and_seal()
    await tidy_up()
    anchor = await database_sync_to_async(chain.anchor)()
    assert anchor.startswith("2:")
    assert caplog.messages == [f"The record is sealed up to the anchor {anchor}"]


async def test_a_failure_is_told_once_and_so_is_its_end(caplog):
    caplog.set_level(logging.INFO, upkeep.__name__)
    failing = True

    async def do() -> bool:
        if failing:
            raise OperationalError("away")
        return True

    persistent = Persistent("It fails", "It works again.")
    assert await persistent(do) is False
    assert caplog.messages == [], "it may pass by itself"
    for _ in range(3):
        assert await persistent(do) is False
    assert persistent.is_failing
    failing = False
    assert await persistent(do) is True
    assert await persistent(do) is True
    assert caplog.messages == ["It fails: away", "It works again."]
    assert not persistent.is_failing
