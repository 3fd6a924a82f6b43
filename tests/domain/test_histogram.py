"""Percentiles from counts."""

import json
import math
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.domain.histogram import LEAST_MS, RELATIVE_ERROR, Histogram, added_up, packed

DURATIONS = st.lists(st.floats(min_value=-10, max_value=1e7), min_size=1)
SHARES = st.floats(min_value=0, max_value=1)


def histogram(durations):
    counted = Histogram()
    for duration in durations:
        counted.add(duration)
    return counted


def at_rank(durations, share):
    """Return the very value that a percentile stands for."""
    return sorted(durations)[max(1, math.ceil(share * len(durations))) - 1]


@given(DURATIONS, SHARES)
def test_a_percentile_is_within_the_stated_error_of_the_value_at_its_rank(durations, share):
    exact = max(at_rank(durations, share), LEAST_MS)
    said = histogram(durations).percentile(share)
    assert abs(said - exact) <= exact * RELATIVE_ERROR * (1 + 1e-9)


@given(DURATIONS, SHARES)
def test_nothing_at_the_rank_is_shorter_than_the_least(durations, share):
    assert histogram(durations).least(share) <= max(at_rank(durations, share), LEAST_MS)


@given(DURATIONS, DURATIONS)
def test_histograms_add_up(some, others):
    together = histogram(some)
    together.merge(histogram(others).buckets)
    assert together.buckets == histogram(some + others).buckets
    assert len(together) == len(some) + len(others)


@given(st.lists(DURATIONS))
def test_packed_histograms_add_up_to_the_histogram_of_all(many):
    kept = [packed(histogram(durations).buckets) for durations in [*many, []]]
    assert added_up(json.loads(json.dumps(kept))) == histogram(chain(*many)).buckets


@pytest.mark.parametrize("share", [0, 0.5, 1])
def test_of_nothing_there_is_no_percentile(share):
    assert Histogram().percentile(share) is None
    assert Histogram().least(share) is None


def test_a_histogram_stays_small():
    assert len(histogram(range(1, 60_000)).buckets) < 300
