"""Patterns as the dialplan writes them; an Asterisk 23 answers the same."""

import pytest

from broadcasts.domain.dialplan_pattern import PatternRefused, compile_pattern


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("", ""),
        ("", "anything"),
        ("600", "600"),
        ("600", "6-00"),
        ("6-00", "600"),
        ("_6XX", "600"),
        ("_6XX", "699"),
        ("_ZX", "10"),
        ("_NXX", "234"),
        ("_nxxzz", "20011"),
        ("_X.", "12"),
        ("_X!", "1"),
        ("_!", ""),
        ("_.", "a"),
        ("_1NXXNXXXXXX", "12125550100"),
        ("_[15-7]X", "10"),
        ("_[15-7]X", "69"),
        ("_[a-c]b", "cb"),
        ("_+1555.", "+15551234567"),
        ("_555-XXXX", "5550100"),
        ("_555XXXX", "555-0100"),
        ("_55 5X", "5551"),
        ("_*9.", "*98"),
        ("_[*#]X", "#1"),
        ("_[a-c-]1", "b1"),
        ("_X[0-9][0-9]!", "123"),
        ("_ä!", "äbc"),
    ],
)
def test_it_matches(pattern, value):
    assert compile_pattern(pattern).matches(value)


@pytest.mark.parametrize(
    ("pattern", "value"),
    [
        ("600", "6000"),
        ("600", ""),
        ("6XX", "600"),
        ("_6XX", "60"),
        ("_6XX", "6000"),
        ("_6XX", "6*0"),
        ("_Z", "0"),
        ("_N", "1"),
        ("_X.", "1"),
        ("_.", ""),
        ("_X!", ""),
        ("_[15-7]", "4"),
        ("_a", "A"),
        ("_555.", "555-"),
        ("_X.", "1-"),
        ("_.", "-"),
        ("_X", "٣"),
    ],
)
def test_it_does_not_match(pattern, value):
    assert not compile_pattern(pattern).matches(value)


@pytest.mark.parametrize(
    ("pattern", "complaint"),
    [
        ("_", "nothing behind the _"),
        ("_-", "nothing behind the _"),
        ("--", "nothing but hyphens"),
        ("_6.X", "nothing behind a ."),
        ("_6!!", "nothing behind a !"),
        ("_[12", "not closed"),
        ("_[]X", "lists no characters"),
        ("_[9-1]", "9-1"),
        ("_6XX/555", "a / cannot be matched"),
    ],
)
def test_a_mistake_is_refused_and_named(pattern, complaint):
    with pytest.raises(PatternRefused, match=complaint):
        compile_pattern(pattern)
