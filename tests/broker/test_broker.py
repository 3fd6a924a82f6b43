"""Small parts of the broker; tests/service shows the whole at work."""

import pytest

from broadcasts.broker.arrivals import channel_of, is_stale
from broadcasts.broker.broker import may_speak_for
from broadcasts.broker.limits import CALLS_REMEMBERED, RECORDED_ATTEMPTS, Allowance, Attempts


def test_an_allowance_is_used_up_and_renewed_every_second():
    allowance = Allowance(2)
    assert [allowance.take(10.0), allowance.take(10.5), allowance.take(10.9)] == [True, True, False]
    assert allowance.take(11.0)


@pytest.mark.parametrize(
    "event", [{}, {"channel": None}, {"channel": {"id": 7}}, {"channel": {"id": "x" * 151}}]
)
def test_nonsense_has_no_channel(event):
    assert channel_of(event) == ""


def test_only_an_old_event_is_stale():
    assert is_stale({"timestamp": "2020-01-01T00:00:00.000+0000"})
    assert not is_stale({"timestamp": "2999-01-01T00:00:00.000+0000"})
    assert not is_stale({"timestamp": "nonsense"})


def test_credentials_speak_for_the_names_that_their_pattern_admits():
    assert may_speak_for("", "anything")
    assert may_speak_for("^ivr-", "ivr-main")
    assert not may_speak_for("^ivr-", "sales")
    assert not may_speak_for("(", "sales"), "a pattern that cannot be used allows nothing"


def test_attempts_are_recorded_up_to_a_number_for_each_application_and_call():
    attempts = Attempts()
    recorded = [attempts.count("1.1", "ivr") for _ in range(RECORDED_ATTEMPTS + 3)]
    assert recorded.count(True) == RECORDED_ATTEMPTS
    assert attempts.count("1.1", "sales")
    assert attempts.count("1.2", "ivr")
    for number in range(CALLS_REMEMBERED):
        attempts.count(f"2.{number}", "ivr")
    assert len(attempts._counts) == CALLS_REMEMBERED
