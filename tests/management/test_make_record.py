"""A record that was made up."""

import pytest
from django.core.management import CommandError, call_command
from django.db.models import Count, F

from broadcasts.domain.lifecycle import Status
from broadcasts.models import AsteriskServer, Broadcast, Candidate, ClaimAttempt

pytestmark = pytest.mark.django_db


def made(broadcasts=300, **options):
    call_command("make_record", broadcasts=broadcasts, **options)
    return Broadcast.objects.order_by("pk")


def test_it_has_every_status_and_about_three_parts_to_a_broadcast():
    rows = made()
    counts = dict(rows.order_by().values_list("status").annotate(Count("pk")))
    assert sum(counts.values()) == 300
    assert counts.keys() == {status.value for status in Status if status is not Status.OPEN}
    assert 600 < Candidate.objects.count() + ClaimAttempt.objects.count() < 1200


def test_each_broadcast_agrees_with_its_parts():
    made()
    for row in Broadcast.objects.prefetch_related("candidates", "attempts"):
        names = [one.application for one in row.candidates.all()]
        assert row.candidate_count == len(names)
        assert {one.application for one in row.attempts.all()} <= set(names)
        won = [one.application for one in row.attempts.all() if one.answer == 204]
        assert won == ([row.winner] if row.winner else [])
    assert not Broadcast.objects.filter(ended_at__lt=F("opened_at")).exists()


def test_the_same_seed_makes_the_same_record():
    rows = made(50)
    first = list(rows.values_list("caller_number", "winner", "status"))
    again = list(made(50).values_list("caller_number", "winner", "status")[50:])
    assert again == first
    assert list(made(50, seed=2).values_list("caller_number", "winner", "status")[100:]) != first


def test_its_server_takes_no_calls():
    made(1)
    assert not AsteriskServer.objects.get(name="made").enabled


@pytest.mark.parametrize("count", ["0", "-1", "many"])
def test_a_count_that_is_none_is_refused(count):
    with pytest.raises(CommandError, match="whole number from 1 on"):
        call_command("make_record", "--broadcasts", count)
    assert not Broadcast.objects.exists()
