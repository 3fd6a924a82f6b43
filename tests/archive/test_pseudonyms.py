"""Pseudonyms: old broadcasts name their callers no more, and their seals stay valid."""

from datetime import timedelta

import pytest

from broadcasts.archive.pseudonyms import Replacement, would_replace
from broadcasts.models import AccessEvent, Broadcast
from tests.archive.cast import LATER, at, attempt, faults, finished, seal

pytestmark = pytest.mark.django_db


def replace(older_than, limit=100) -> Replacement:
    replacement = Replacement(older_than, "somebody")
    while replacement.step(limit):
        pass
    replacement.finish()
    return replacement


def test_the_chain_is_valid_before_while_and_after_numbers_are_replaced():
    for seconds in (0, 10, 20):
        finished(seconds), attempt(seconds)
    seal()
    for older_than, replaced in ((at(0), 0), (at(15), 2), (at(100), 1)):
        assert replace(older_than, limit=1).replaced == replaced
        assert not faults()
    assert Broadcast.objects.filter(pseudonymised=True).count() == 3


def test_a_caller_is_named_nowhere_any_more_and_is_still_the_same_caller():
    for seconds in range(3):
        finished(seconds, caller_number="+15550123456" if seconds else "+15550177777")
    seal()
    replace(at(100))
    for row in Broadcast.objects.values():
        assert "555012345" not in str(row)
        assert "Alice" not in str(row)
        assert row["called"] == "600"
    numbers = Broadcast.objects.order_by("ended_at").values_list("caller_number", flat=True)
    assert numbers[1] == numbers[2] != numbers[0]


def test_a_number_that_makes_a_text_too_long_is_replaced_all_the_same():
    finished(caller_number="12345", channel_name="12345-" * 42, reason="12345" * 51)
    seal()
    replace(at(100))
    row = Broadcast.objects.get()
    assert (row.pseudonymised, len(row.channel_name), len(row.reason)) == (True, 255, 255)
    assert not faults()


def test_a_change_is_found_after_numbers_were_replaced():
    finished()
    seal()
    replace(at(100))
    Broadcast.objects.update(caller_number="+15550123456")
    assert len(faults()) == 1


def test_what_is_not_sealed_or_not_old_enough_keeps_its_numbers():
    finished(0), finished(50)
    seal()
    unsealed = finished(1)
    assert replace(at(10)).replaced == 1
    assert Broadcast.objects.get(pk=unsealed.pk).caller_number == "+15550123456"
    assert not Broadcast.objects.get(ended_at=at(50)).pseudonymised


def test_what_comes_late_is_replaced_too():
    finished(50)
    seal()
    replace(at(100))
    finished(1)
    seal(LATER + timedelta(minutes=5))
    assert replace(at(100)).replaced == 1
    assert not faults()


def test_a_replacement_is_recorded_and_one_of_nothing_is_not():
    finished()
    seal()
    replace(at(100))
    replace(at(100))
    event = AccessEvent.objects.get()
    assert (event.kind, event.who) == (AccessEvent.Kind.PSEUDONYMS, "somebody")
    assert event.detail["broadcasts"] == 1


def test_what_would_be_replaced_is_told_and_stays():
    finished(0), finished(10), attempt(0)
    seal()
    assert (would_replace(at(5)), would_replace(at(100))) == (1, 2)
    assert not Broadcast.objects.filter(pseudonymised=True).exists()
    replace(at(5))
    assert would_replace(at(100)) == 1
