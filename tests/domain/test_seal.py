"""Digests and the chain: one way to write a record, and nothing that can be changed unseen."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from broadcasts.domain.seal import BEGINNING, PART_BYTES, Link, canonical, chain, differing, digest

KEY = b"k" * 32
AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
LINK = Link(7, "broadcast", 12, AT, AT + timedelta(minutes=1), False, b"d" * 48)

TEXTS = st.text()
FRACTIONS = st.floats(min_value=-1e15, max_value=1e15)
LEAVES = st.none() | st.booleans() | st.integers() | FRACTIONS | TEXTS
VALUES = st.recursive(LEAVES, lambda inner: st.lists(inner) | st.dictionaries(TEXTS, inner))


def shuffled(value, random):
    """Return the same JSON with its keys in another order."""
    if isinstance(value, dict):
        items = [(key, shuffled(item, random)) for key, item in value.items()]
        random.shuffle(items)
        return dict(items)
    return [shuffled(item, random) for item in value] if isinstance(value, list) else value


@given(VALUES, st.randoms())
def test_a_value_is_written_the_same_however_a_database_has_kept_it(value: object, random: Random):
    kept = json.loads(json.dumps(shuffled(value, random)))
    assert canonical(kept) == canonical(value)


@given(VALUES)
def test_what_is_written_says_the_value_and_no_other(value: object):
    assert json.loads(canonical(value)) == value


@pytest.mark.parametrize("value", ["\ud800", 2**80, {"a": [2**80, AT]}, {"\udfff": 1}])
def test_what_a_record_should_not_hold_is_written_all_the_same(value):
    assert canonical(value) == canonical(value)
    assert canonical(value) != canonical([value])


def test_a_time_is_written_with_its_microseconds_and_offset():
    assert canonical(AT + timedelta(microseconds=1)) == b'"2026-03-01T12:00:00.000001+00:00"'


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes"])
def test_what_is_no_json_is_refused(value):
    with pytest.raises(TypeError):
        canonical(value)


def test_a_digest_tells_which_parts_differ():
    parts = [{"a": 1}, [{"b": 2}], []]
    sealed = digest(parts, KEY)
    assert len(sealed) == 3 * PART_BYTES
    assert differing(sealed, digest(parts, KEY)) == []
    assert differing(sealed, digest([{"a": 2}, [{"b": 2}], [{}]], KEY)) == [0, 2]
    assert differing(sealed, sealed[:-1]) == [2]
    assert differing(sealed, digest(parts, b"x" * 32)) == [0, 1, 2]


def test_the_same_content_in_another_part_is_another_digest():
    one, other = digest([[1], [2]], KEY), digest([[2], [1]], KEY)
    assert not {one[:PART_BYTES], one[PART_BYTES:]} & {other[:PART_BYTES], other[PART_BYTES:]}


@pytest.mark.parametrize(
    "change",
    [
        {"number": 8},
        {"kind": "access"},
        {"subject": 13},
        {"finished_at": AT + timedelta(microseconds=1)},
        {"sealed_at": AT},
        {"late": True},
        {"digest": b"e" * 48},
    ],
)
def test_whatever_a_link_says_is_in_the_chain(change):
    assert chain(BEGINNING, replace(LINK, **change), KEY) != chain(BEGINNING, LINK, KEY)


def test_a_link_is_bound_to_what_it_follows_and_to_the_key():
    told = {chain(BEGINNING, LINK, KEY), chain(b"b" * 32, LINK, KEY), chain(BEGINNING, LINK, b"x")}
    assert len(told) == 3
    assert {len(value) for value in told} == {32}
