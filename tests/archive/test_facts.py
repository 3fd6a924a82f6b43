"""What of a record is sealed: every column, and pseudonyms for callers from the start."""

from datetime import timedelta

import pytest
from django.db import models

from broadcasts.archive import facts
from broadcasts.models import AccessEvent, Broadcast, Candidate, ClaimAttempt
from tests.archive.cast import access, attempt, finished

pytestmark = pytest.mark.django_db


def row_of(record: models.Model) -> dict:
    return dict(type(record).objects.values().get(pk=record.pk))


def another(value):
    """Return another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, (int, float)):
        return value + 1
    if isinstance(value, (str, list)):
        return [*value, "x"] if isinstance(value, list) else value + "x"
    if isinstance(value, dict):
        return {**value, "x": 1}
    return 7 if value is None else value + timedelta(microseconds=1)


def of_all_columns(model):
    return sorted(field.attname for field in model._meta.concrete_fields)


@pytest.mark.parametrize("name", of_all_columns(Broadcast))
def test_every_column_of_a_broadcast_is_sealed_but_what_becomes_of_it_later(name):
    row = row_of(finished())
    changed = {**row, name: another(row[name])}
    same = facts.digest_of_broadcast(changed) == facts.digest_of_broadcast(row)
    # A broadcast that claims to have pseudonyms has to have them.
    assert same == (name == "seal")


@pytest.mark.parametrize("name", of_all_columns(Candidate))
def test_every_column_of_a_candidate_is_sealed(name):
    broadcast = finished()
    row, candidate = row_of(broadcast), row_of(broadcast.candidates.first())
    changed = {**candidate, name: another(candidate[name])}
    sealed = facts.digest_of_broadcast(row, [candidate])
    assert facts.digest_of_broadcast(row, [changed]) != sealed


@pytest.mark.parametrize("name", of_all_columns(ClaimAttempt))
def test_every_column_of_an_attempt_is_sealed_with_a_broadcast_or_without(name):
    row, stray = row_of(finished()), row_of(attempt())
    changed = {**stray, name: another(stray[name])}
    sealed = facts.digest_of_broadcast(row, [], [stray])
    assert facts.digest_of_broadcast(row, [], [changed]) != sealed
    assert facts.digest_of_single(changed) != facts.digest_of_single(stray)


@pytest.mark.parametrize("name", of_all_columns(AccessEvent))
def test_every_column_of_an_access_is_sealed(name):
    row = row_of(access())
    changed = {**row, name: another(row[name])}
    assert facts.digest_of_single(changed) != facts.digest_of_single(row)


def pseudonymised(row):
    return {**row, **facts.with_pseudonyms(row), "pseudonymised": True}


def test_a_broadcast_has_the_same_digest_with_pseudonyms():
    row = row_of(finished())
    replaced = pseudonymised(row)
    assert "Alice" not in str(replaced)
    assert "5550123456" not in str(replaced)
    assert facts.digest_of_broadcast(replaced) == facts.digest_of_broadcast(row)


def test_a_pseudonym_is_as_long_as_its_column_allows():
    long = "PJSIP/" + "12345-" * 40
    row = row_of(finished(caller_number="12345", channel_name=long, reason="12345" * 50))
    replaced = pseudonymised(row)
    assert len(replaced["channel_name"]) == 255
    assert len(replaced["reason"]) == 255
    assert facts.digest_of_broadcast(replaced) == facts.digest_of_broadcast(row)


def test_ids_of_channels_and_names_of_applications_stay():
    row = row_of(finished(caller_number="17000", channel_id="1700012345.1"))
    replaced = pseudonymised(row)
    assert [replaced[name] for name in ("channel_id", "winner")] == ["1700012345.1", "ivr-main"]


def test_another_record_key_makes_another_digest(settings):
    row = row_of(finished())
    sealed = facts.digest_of_broadcast(row)
    settings.RECORD_KEY = "another key of the record"
    assert facts.digest_of_broadcast(row) != sealed
