"""Verification: whatever was changed, removed or put in is found, and named."""

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models import F

from broadcasts.archive.chain import anchor, read_anchor
from broadcasts.archive.verification import BATCH, CannotStart, Verification
from broadcasts.domain.verdict import Verdict
from broadcasts.models import AccessEvent, Broadcast, Candidate, ChainHead, ClaimAttempt, Seal
from tests.archive.cast import LATER, access, at, attempt, faults, finished, seal, verified

pytestmark = pytest.mark.django_db


@pytest.fixture
def record():
    """Sealed: broadcasts 1, 4, 7; attempts without one 2, 5, 8; accesses 3, 6, 9."""
    for seconds in (0, 10, 20):
        finished(seconds), attempt(seconds + 1), access(seconds + 2)
    seal()


def subject(number: int):
    """Return the record that a seal is of, as a queryset of one."""
    one = Seal.objects.get(number=number)
    model = {"broadcast": Broadcast, "attempt": ClaimAttempt, "access": AccessEvent}[one.kind]
    return model.objects.filter(pk=one.subject)


def test_a_record_that_nobody_touched_is_as_it_was_sealed(record):
    report = verified()
    assert (report.faults.count, report.late.count) == (0, 0)
    assert report.checked == {"broadcast": 3, "attempt": 3, "access": 3}
    assert (report.earliest, report.latest) == (at(0), at(22))
    assert report.anchor == anchor()


def test_a_record_without_anything_is_so_too():
    assert verified().faults.count == 0


def the_broadcast(number):
    row = subject(number).get()
    return f"the broadcast {row.pk} (channel {row.channel_id}, opened 2026-03-01 12:00:07 UTC"


@pytest.mark.parametrize(
    "columns",
    [
        {"winner": "sales"},
        {"caller_number": "+15550199999"},
        {"claim_ms": 12.500001},
        {"channel": {}},
        {"ended_at": at(10.000001)},
        {"pseudonymised": True},
    ],
)
def test_a_changed_broadcast_is_named(record, columns):
    subject(4).update(**columns)
    (fault,) = verified().faults.told
    assert fault.seal == 4
    assert fault.what.startswith(the_broadcast(4))
    assert fault.what.endswith("was changed: the broadcast itself")


def test_a_removed_broadcast_is_named(record):
    key = subject(4).get().pk
    subject(4).delete()
    (fault,) = verified().faults.told
    assert fault.seal == 4
    assert fault.what == f"the broadcast {key}, finished 2026-03-01 12:00:10 UTC, was removed"


def test_a_broadcast_that_was_put_in_is_named(record):
    one = finished(5)
    (fault,) = faults()
    assert fault.startswith(f"the broadcast {one.pk} (channel {one.channel_id}")
    assert fault.endswith("was put in: it has no seal, though all that ended then was sealed")


@pytest.mark.parametrize("number", [4, 5, 99])
def test_a_broadcast_that_was_put_in_with_a_seal_that_is_not_its_own_is_named(record, number):
    one = finished(5, seal=number)
    (fault,) = faults()
    assert fault.startswith(f"the broadcast {one.pk} ")
    assert fault.endswith(f"was put in: seal {number} is not of it")


def test_a_broadcast_that_is_put_in_while_the_service_runs_is_sealed_late_and_named(record):
    one = finished(5)
    seal(LATER + timedelta(minutes=5))
    report = verified()
    assert report.faults.count == 0
    (late,) = report.late.told
    assert (late.seal, late.what) == (
        10,
        f"the broadcast {one.pk}, finished 2026-03-01 12:00:05 UTC",
    )


@pytest.mark.parametrize("mark", [None, 7, 99])
def test_a_broadcast_whose_mark_was_changed_is_named_once(record, mark):
    subject(4).update(seal=mark)
    (fault,) = verified().faults.told
    assert fault.seal == 4
    assert fault.what.endswith("was changed: its mark of the seal")


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (lambda row: row.candidates.filter(position=1).update(application="x"), "its candidates"),
        (lambda row: row.candidates.filter(position=2).delete(), "its candidates"),
        (
            lambda row: Candidate.objects.create(
                broadcast=row, application="x", position=3, reached_by="socket", offered_at=at(8)
            ),
            "its candidates",
        ),
        (lambda row: row.attempts.filter(answer=409).update(answer=404), "its claim attempts"),
        (lambda row: row.attempts.filter(answer=204).delete(), "its claim attempts"),
        (lambda row: attempt(9, row, "x", Verdict.TAKEN), "its claim attempts"),
    ],
)
def test_what_was_done_to_the_parts_of_a_broadcast_is_found(record, spoil, part):
    spoil(subject(4).get())
    (fault,) = verified().faults.told
    assert fault.seal == 4
    assert fault.what.endswith(f"was changed: {part}")


@pytest.mark.parametrize(("number", "what"), [(5, "the claim attempt"), (6, "the access")])
def test_a_changed_single_record_is_named(record, number, what):
    subject(number).update(at=F("at") + timedelta(seconds=1))
    (fault,) = verified().faults.told
    assert fault.seal == number
    assert fault.what.startswith(f"{what} {subject(number).get().pk} (")
    assert fault.what.endswith("was changed")


@pytest.mark.parametrize(("number", "what"), [(5, "the claim attempt"), (6, "the access")])
def test_a_removed_single_record_is_named(record, number, what):
    key = subject(number).get().pk
    subject(number).delete()
    (fault,) = verified().faults.told
    assert fault.seal == number
    assert fault.what.startswith(what)
    assert f" {key}, finished" in fault.what
    assert fault.what.endswith("was removed")


@pytest.mark.parametrize("number", [2, 5, 8])
def test_an_attempt_that_was_put_in_among_the_sealed_is_named(record, number):
    """In the place of one that was sealed: with the key of a broadcast's attempt, now free."""
    key = subject(number).get().pk - 1
    ClaimAttempt.objects.filter(pk=key).update(broadcast=None)
    told = faults()
    assert len(told) == 2
    assert told[0].endswith("was changed: its claim attempts")
    assert told[1].startswith(f"the claim attempt {key} (by sales for channel")
    assert told[1].endswith("was put in: it has no seal")


@pytest.mark.parametrize("key", [-1, 0])
def test_an_access_that_was_put_in_before_all_others_is_named(record, key):
    AccessEvent.objects.create(pk=key, at=at(3), kind=AccessEvent.Kind.SIGN_IN, who="somebody")
    (fault,) = faults()
    assert fault.startswith(f"the access {key} (somebody: sign_in")
    assert fault.endswith("was put in: it has no seal")


def test_a_seal_that_was_put_in_before_the_first_is_named(record):
    first = Seal.objects.get(number=1)
    first.number = 0
    first.save(force_insert=True)
    assert faults() == ["seal 0 is before the beginning of the chain: put in"]


def test_a_linked_attempt_that_takes_the_place_of_a_single_one_is_found(record):
    subject(5).update(broadcast=subject(4).get())
    assert [fault.partition(")")[2] for fault in faults()] == [
        " was changed: its claim attempts",
        " was changed",
    ]


@pytest.mark.parametrize(
    "columns",
    [
        {"kind": "access"},
        {"subject": 999},
        {"finished_at": at(11)},
        {"sealed_at": at(11)},
        {"late": True},
        {"digest": bytes(48)},
        {"chain": bytes(32)},
    ],
)
def test_a_changed_seal_is_named_and_no_other(record, columns):
    Seal.objects.filter(number=4).update(**columns)
    report = verified()
    assert report.faults.told[0].seal == 4
    assert report.faults.told[0].what.startswith("seal 4 was changed")
    assert {fault.seal for fault in report.faults.told} <= {4, None}


def test_removed_seals_are_named_and_their_broadcasts(record):
    Seal.objects.filter(number__in=[4, 5]).delete()
    report = verified()
    assert report.faults.told[0].what == "seals 4 to 5 are missing"
    assert report.faults.count == 2 + 2, "two seals, a broadcast and an attempt"


def test_a_seal_that_was_put_in_behind_the_end_is_named(record):
    seal_9 = Seal.objects.get(number=9)
    Seal.objects.create(
        number=10,
        kind="broadcast",
        subject=finished(21).pk,
        finished_at=at(21),
        sealed_at=LATER,
        digest=seal_9.digest,
        chain=seal_9.chain,
    )
    told = faults()
    assert told[0] == "seal 10 is behind the end of the chain: put in"


def test_seals_that_were_put_in_in_place_of_others_are_named(record):
    one = finished(11)
    Seal.objects.filter(number=4).update(subject=one.pk)
    one.seal = 4
    one.save()
    told = faults()
    assert told[0].startswith("seal 4 was changed")
    assert len(told) == 2, "the seal, and the broadcast that has none now"


def test_an_end_that_was_cut_off_is_named(record):
    Seal.objects.filter(number__gte=8).delete()
    assert faults()[0] == "seals 8 to 9 are missing: the end of the chain"


def test_an_end_that_was_noted_otherwise_is_named(record):
    ChainHead.objects.update(chain=bytes(32))
    assert faults() == ["the end of the chain, as it was noted, was changed"]


def test_an_end_that_is_not_noted_any_more_is_named(record):
    ChainHead.objects.all().delete()
    assert faults()[0] == "seals 1 to 9 are behind the end of the chain: put in"


def cut_off_without_a_trace(number: int) -> None:
    """Do what somebody may who can write all of the database: go back to an earlier end."""
    for one in Seal.objects.filter(number__gt=number):
        subject(one.number).delete()
        one.delete()
    last = Seal.objects.get(number=number)
    attempts = Seal.objects.filter(kind="attempt").order_by("number").last()
    accesses = Seal.objects.filter(kind="access").order_by("number").last()
    ChainHead.objects.update(
        number=number,
        chain=last.chain,
        attempts=attempts.subject,
        accesses=accesses.subject,
        horizon=last.finished_at,
    )


def test_an_anchor_proves_what_the_chain_alone_cannot(record):
    expected = read_anchor(anchor())
    assert not faults(expected=expected)
    cut_off_without_a_trace(6)
    assert not faults(), "the rest is a valid chain"
    assert faults(expected=expected) == ["the chain ends with seal 6, before seal 9"]


def test_an_anchor_of_another_chain_is_told(record):
    assert faults(expected=(4, bytes(32))) == ["the chain is another one at seal 4 than it was"]
    assert not faults(expected=(0, bytes(32)))


def test_verification_can_begin_with_any_seal(record):
    subject(1).update(winner="sales")
    assert len(faults()) == 1
    report = verified(start=2)
    assert report.faults.count == 0
    assert sum(report.checked.values()) == 8
    subject(9).update(who="x")
    assert verified(start=9).faults.count == 1


@pytest.mark.parametrize("start", [0, -1, 10, 10**9])
def test_verification_cannot_begin_where_there_is_no_seal(record, start):
    with pytest.raises(CannotStart, match=r"The chain (begins with seal 1|ends with seal 9)\."):
        verified(start=start)


def test_under_another_key_nothing_is_as_it_was_sealed(record, settings):
    settings.RECORD_KEY = "another key of the record"
    assert verified().faults.count == 9


def test_the_first_is_named_and_the_others_are_counted(record):
    for seconds in range(30, 60):
        finished(seconds)
    seal(LATER + timedelta(minutes=1))
    Broadcast.objects.update(reason="x")
    report = verified()
    assert report.faults.count == 33
    assert report.faults.told[0].seal == 1
    assert len(report.faults.told) == 20


def test_a_value_that_cannot_be_read_spoils_its_own_record_alone(record):
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL lets no such value in")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE broadcasts_broadcast SET opened_at = '2026-02-31 12:00:00' WHERE id = %s",
            [subject(4).get().pk],
        )
    (fault,) = verified().faults.told
    assert fault.seal == 4
    assert fault.what.endswith("was changed: it cannot be read")


def test_it_walks_batch_by_batch(record, monkeypatch):
    monkeypatch.setattr("broadcasts.archive.verification.BATCH", 2)
    assert BATCH > 2
    told = []
    assert not Verification().run(lambda done, total: told.append((done, total))).faults.count
    assert told == [(2, 9), (4, 9), (6, 9), (8, 9), (9, 9)]


def test_what_is_not_sealed_yet_is_counted_and_no_fault(record):
    finished(700), attempt(700), access(700)
    report = verified()
    assert report.faults.count == 0
    assert set(report.unsealed.values()) == {0, 1}
