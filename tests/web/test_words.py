"""Durations in words; periods and zones are shown in the tests of the history."""

import pytest

from broadcasts.web.words import duration


@pytest.mark.parametrize(
    ("ms", "words"),
    [
        (None, ""),
        (0, "0.0 ms"),
        (0.44, "0.4 ms"),
        (99.94, "99.9 ms"),
        (212.4, "212 ms"),
        (1000, "1.00 s"),
        (59_990, "59.99 s"),
        (60_000, "1:00 min"),
        (599_000, "9:59 min"),
        (3_599_400, "59:59 min"),
        (3_600_000, "1:00:00 h"),
        (93_784_000, "26:03:04 h"),
    ],
)
def test_durations_are_told_in_the_unit_that_suits_them(ms, words):
    assert duration(ms) == words
