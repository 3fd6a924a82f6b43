"""The table of transitions."""

import pytest

from broadcasts.domain.lifecycle import FINAL, STASIS_STATUS, TRANSITIONS, Status, sources


def test_a_claim_needs_an_open_row():
    assert sources(Status.CLAIMED) == {Status.OPEN}


def test_only_a_claim_can_be_taken_back():
    assert sources(Status.OPEN) == {Status.CLAIMED}


@pytest.mark.parametrize(
    "final", [Status.TIMED_OUT, Status.ABANDONED, Status.NO_CANDIDATES, Status.FAILED]
)
def test_what_has_ended_stays_ended(final):
    assert final in FINAL
    assert not TRANSITIONS[final]


def test_every_status_but_open_has_a_stasis_status():
    assert set(STASIS_STATUS) == set(Status) - {Status.OPEN}
