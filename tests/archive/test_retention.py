"""Retention: what is too old goes from the beginning of the chain, and a signed note stays."""

from datetime import timedelta

import pytest
from django.db import DatabaseError

from broadcasts.archive import retention, verification
from broadcasts.archive.chain import Broken
from broadcasts.archive.retention import Removal, is_genuine, signed, would_remove
from broadcasts.archive.signing import is_signed, sign
from broadcasts.models import (
    AccessEvent,
    Broadcast,
    Candidate,
    ClaimAttempt,
    RetentionNote,
    Seal,
    ServerHour,
)
from tests.archive.cast import LATER, access, at, attempt, faults, finished, seal, verified
from tests.builders import make_broadcast

pytestmark = pytest.mark.django_db


@pytest.fixture
def record():
    """Sealed: broadcasts 1, 4, 7; attempts without one 2, 5, 8; accesses 3, 6, 9."""
    for seconds in (0, 10, 20):
        finished(seconds), attempt(seconds + 1), access(seconds + 2)
    seal()


def remove(older_than, limit=100) -> Removal:
    removal = Removal(older_than, "somebody")
    while removal.step(limit):
        pass
    removal.finish()
    return removal


def test_what_is_too_old_goes_with_all_that_belongs_to_it(record):
    removed = remove(at(15)).removed
    assert removed == {"broadcasts": 2, "candidates": 4, "claim attempts": 6, "accesses": 2}
    assert Broadcast.objects.get().ended_at == at(20)
    assert (Candidate.objects.count(), ClaimAttempt.objects.count()) == (2, 3)
    assert list(Seal.objects.values_list("number", flat=True)) == [7, 8, 9]


def test_what_a_clock_that_was_ahead_has_dated_goes_with_what_it_was_sealed_with():
    access(10**9), finished(0)
    seal()
    assert would_remove(LATER + timedelta(days=1)) == {"access": 1, "broadcast": 1}
    assert remove(LATER + timedelta(days=1)).removed["accesses"] == 1
    assert not Broadcast.objects.exists()


def test_the_rest_is_a_chain_that_can_be_verified(record):
    remove(at(15))
    report = verified()
    assert report.faults.count == 0
    assert report.removed_through == 6
    Broadcast.objects.update(winner="sales")
    assert len(faults()) == 1


@pytest.mark.parametrize(
    ("harm", "broken_at"),
    [
        (lambda: Seal.objects.filter(number__gt=3).update(finished_at=at(-99)), 4),
        (lambda: Seal.objects.filter(number=2).update(digest=bytes(32)), 2),
        (lambda: Seal.objects.filter(number=2).delete(), 2),
        (lambda: Seal.objects.filter(number=1).delete(), 2),
    ],
)
def test_what_a_forger_makes_old_is_not_removed_for_it(record, harm, broken_at):
    harm()
    before = Broadcast.objects.count(), ClaimAttempt.objects.count(), AccessEvent.objects.count()
    with pytest.raises(Broken, match=f"does not hold at seal {broken_at}:"):
        Removal(at(15), "the service").step()
    after = Broadcast.objects.count(), ClaimAttempt.objects.count(), AccessEvent.objects.count()
    assert after == before
    assert not RetentionNote.objects.exists()


def test_a_removal_goes_on_behind_a_genuine_note_alone(record):
    remove(at(5))
    RetentionNote.objects.update(chain=bytes(32))
    with pytest.raises(Broken, match="seal 4"):
        remove(at(15))


def test_a_note_says_what_went_and_is_signed(record):
    remove(at(15))
    note = RetentionNote.objects.get()
    assert (note.first, note.through, note.by) == (1, 6, "somebody")
    assert note.removed == {"broadcasts": 2, "candidates": 4, "claim attempts": 6, "accesses": 2}
    assert is_signed(signed(note), bytes(note.signature))


def test_a_removal_in_many_batches_leaves_one_note(record):
    remove(at(15), limit=1)
    assert RetentionNote.objects.get().through == 6
    assert not faults()


def test_each_removal_leaves_a_note_of_its_own(record):
    remove(at(5))
    remove(at(15))
    assert list(RetentionNote.objects.values_list("first", "through")) == [(1, 3), (4, 6)]
    assert not faults()


def test_two_removals_at_the_same_time_note_what_each_of_them_removed(record):
    """As when two processes of the service tidy up."""
    one, other = (Removal(at(100), "the service") for _ in range(2))
    for removal in (one, other, one, other, one):
        removal.step(2)
    one.finish(), other.finish()
    noted = list(RetentionNote.objects.order_by("first").values_list("first", "through"))
    assert noted == [(1, 2), (3, 4), (5, 6), (7, 8), (9, 9)]
    assert one.removed["broadcasts"] + other.removed["broadcasts"] == 3
    assert faults() == []


def test_a_removal_that_fails_at_once_is_not_recorded_as_one(record, monkeypatch):
    def fail(*_):
        raise DatabaseError

    monkeypatch.setattr(retention, "sign", fail)
    removal = Removal(at(15), "somebody")
    with pytest.raises(DatabaseError):
        removal.step()
    removal.finish()
    assert removal.removed == {}
    assert not AccessEvent.objects.filter(kind=AccessEvent.Kind.RETENTION).exists()


def test_a_removal_that_stops_half_way_leaves_a_chain_that_can_be_verified(record, monkeypatch):
    removal = Removal(at(30), "somebody")
    removal.step(2)

    def fail(seals):
        raise DatabaseError("away")

    with monkeypatch.context() as broken, pytest.raises(DatabaseError):
        broken.setattr(retention, "remove", fail)
        removal.step(2)
    assert RetentionNote.objects.get().through == 2
    assert not faults()


def test_everything_may_go(record):
    remove(at(100))
    assert not Seal.objects.exists()
    assert not faults()
    finished(700)
    assert seal(at(900))[-1].number >= 10
    assert not faults()


def test_only_the_beginning_of_the_chain_goes(record):
    """A record that was sealed late goes once all that was sealed before it is old enough."""
    finished(5)
    seal(LATER + timedelta(minutes=5))
    remove(at(15))
    assert list(Broadcast.objects.order_by("ended_at").values_list("seal", flat=True)) == [10, 7]


def test_what_is_live_or_not_sealed_stays(record):
    make_broadcast(opened_at=at(0))
    finished(1)
    remove(at(100))
    assert Broadcast.objects.count() == 2


def test_what_reports_have_counted_stays(record):
    remove(at(100))
    assert sum(ServerHour.objects.values_list("claimed", flat=True)) == 3


def test_a_removal_is_itself_recorded(record):
    remove(at(15))
    event = AccessEvent.objects.order_by("pk").last()
    assert (event.kind, event.who) == (AccessEvent.Kind.RETENTION, "somebody")
    assert event.detail["removed"]["broadcasts"] == 2


def test_where_nothing_is_too_old_nothing_is_noted(record):
    before = AccessEvent.objects.count()
    assert remove(at(-10)).removed == {}
    assert not RetentionNote.objects.exists()
    assert AccessEvent.objects.count() == before


def test_what_would_go_is_told_and_stays(record):
    assert would_remove(at(15)) == {
        "access": 2,
        "broadcast": 2,
        "claim attempt without a broadcast": 2,
    }
    assert sum(would_remove(at(100)).values()) == Seal.objects.count() == 9


@pytest.mark.parametrize(
    "columns",
    [
        {"by": "nobody"},
        {"at": at(0)},
        {"older_than": at(0)},
        {"first": 2},
        {"through": 4},
        {"chain": bytes(32)},
        {"removed": {}},
        {"signature": bytes(64)},
    ],
)
def test_a_changed_note_is_found(record, columns):
    remove(at(15))
    RetentionNote.objects.update(**columns)
    told = faults()
    assert told[0].startswith("the note of retention of")
    assert told[0].endswith("was changed, or is forged")


def test_a_forged_note_covers_no_removal(record, settings):
    last = Seal.objects.get(number=3)
    note = RetentionNote(at=at(50), by="x", older_than=at(5), first=1, through=3, removed={})
    note.chain = bytes(last.chain)
    key, settings.RECORD_KEY = settings.RECORD_KEY, "the key of a forger"
    note.signature = sign(signed(note))
    settings.RECORD_KEY = key
    note.save()
    assert not is_genuine(note)
    retention.remove(Seal.objects.filter(number__lte=3))
    assert faults()[:2] == [
        "the note of retention of 2026-03-01 12:00:50 UTC was changed, or is forged",
        "seals 1 to 3 are missing",
    ]


def test_a_removed_note_is_found(record):
    remove(at(5))
    remove(at(15))
    RetentionNote.objects.filter(first=1).delete()
    (fault,) = faults()
    assert fault.endswith("begins with seal 4, not with 1")
    RetentionNote.objects.all().delete()
    assert faults() == ["seals 1 to 6 are missing"]


def test_an_anchor_of_what_has_gone_is_compared_with_the_note_or_not_at_all(record):
    chain = bytes(Seal.objects.get(number=6).chain)
    remove(at(15))
    assert not faults(expected=(6, chain))
    assert faults(expected=(6, bytes(32)))
    assert faults(expected=(5, chain)) == [
        "seal 5 has gone by the retention: it cannot be compared"
    ]


def test_what_the_retention_removes_during_a_verification_is_no_fault(record, monkeypatch):
    """The walk has read a batch of seals whose records go before it reads those."""
    monkeypatch.setattr("broadcasts.archive.verification.BATCH", 3)
    read = verification.Records

    def read_later(seals):
        monkeypatch.setattr(verification, "Records", read)
        remove(at(25))
        return read(seals)

    monkeypatch.setattr(verification, "Records", read_later)
    assert not faults()
