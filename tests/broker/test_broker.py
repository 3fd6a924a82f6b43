"""Small parts of the broker; tests/service shows the whole at work."""

import pytest

from broadcasts.broker.arrivals import channel_of, is_stale
from broadcasts.broker.broker import Allowance, may_speak_for


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
