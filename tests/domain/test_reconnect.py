"""Delays grow, stay bounded and are jittered."""

from itertools import islice, pairwise

from broadcasts.domain.reconnect import backoff


def test_delays_grow_up_to_the_maximum_and_go_on_for_ever():
    delays = list(islice(backoff(initial=1, factor=2, maximum=5, random=lambda: 1.0), 2000))
    assert delays[:4] == [1, 2, 4, 5]
    assert set(delays[3:]) == {5}


def test_the_first_delay_is_short():
    assert next(backoff()) <= 0.1


def test_jitter_takes_away_at_most_half():
    whole = list(islice(backoff(random=lambda: 1.0), 20))
    half = list(islice(backoff(random=lambda: 0.0), 20))
    assert [delay / 2 for delay in whole] == half
    assert all(earlier <= later for earlier, later in pairwise(half))


def test_two_clients_wait_differently():
    assert list(islice(backoff(), 10)) != list(islice(backoff(), 10))
