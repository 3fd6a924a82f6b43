"""Counting the record again."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from broadcasts.domain.lifecycle import Status
from broadcasts.models import ApplicationHour, Broadcast, RetentionNote, ServerHour
from broadcasts.reports import recount
from tests.builders import make_broadcast, make_server

from .cast import everything, make_records, seal

pytestmark = pytest.mark.django_db

FIRST = datetime(2026, 3, 2, 9, tzinfo=UTC)


def count_again():
    said = StringIO()
    call_command("count_again", stdout=said, stderr=StringIO())
    return said.getvalue()


def test_it_comes_to_what_sealing_counted():
    broadcasts = make_records(60, FIRST, timedelta(days=4))
    seal(broadcasts)
    counted = everything()
    ServerHour.objects.update(claimed=99)
    ApplicationHour.objects.all().delete()
    sealed = sum(one.status != Status.OPEN for one in broadcasts)
    assert f"Counted {sealed} broadcasts of" in count_again()
    assert everything() == counted


def test_what_is_not_sealed_is_left_to_sealing():
    make_records(10, FIRST, timedelta(hours=2))
    assert "Counted 0 broadcasts of 1 days" in count_again()
    assert not ServerHour.objects.exists()


def test_counts_of_what_never_was_go():
    ServerHour.objects.create(hour=FIRST, server=make_server(), claimed=3)
    count_again()
    assert not ServerHour.objects.exists()


def test_an_empty_record_is_counted_at_once():
    assert recount.days() == []
    assert "Counted 0 broadcasts" in count_again()


def test_counts_of_what_the_retention_removed_stay():
    removed = make_broadcast(status=Status.TIMED_OUT, opened_at=FIRST)
    same_day = make_broadcast(status=Status.TIMED_OUT, opened_at=FIRST + timedelta(hours=5))
    later = make_broadcast(status=Status.TIMED_OUT, opened_at=FIRST + timedelta(days=1))
    seal([removed, same_day, later])
    counted = everything()
    Broadcast.objects.filter(pk=removed.pk).delete()
    note = {"first": 1, "through": 1, "chain": b"", "removed": {}, "signature": b"", "by": "x"}
    RetentionNote.objects.create(at=FIRST, older_than=FIRST + timedelta(hours=1), **note)
    assert "Counted 1 broadcasts" in count_again()
    assert everything() == counted
