"""The columns of a broadcast."""

import pytest

from broadcasts.history import columns
from broadcasts.models import Broadcast
from tests.builders import make_broadcast

pytestmark = pytest.mark.django_db


def test_every_column_can_be_read():
    broadcast = make_broadcast(preset_name="vip", preset_version=3)
    (row,) = columns.read(Broadcast.objects.all(), columns.ALL)
    values = {column.key: column.value(row) for column in columns.ALL}
    assert values["server"] == broadcast.server.name
    assert values["preset"] == "@vip (version 3)"
    assert values["caller"] == "+15550100"
    assert values["channel"] == broadcast.channel


def test_every_fact_of_a_broadcast_has_a_column():
    told = {field for column in columns.ALL for field in column.needs}
    kept = {field.name for field in Broadcast._meta.concrete_fields}
    assert kept - told == {"server"}


def test_chosen_columns_keep_their_order_and_come_once():
    keys = [column.key for column in columns.chosen(["winner", "id", "winner"])]
    assert keys == ["winner", "id"]
    assert columns.chosen([]) == columns.USUAL
    with pytest.raises(KeyError):
        columns.chosen(["nothing"])


def test_a_page_takes_one_query(django_assert_num_queries):
    make_broadcast()
    with django_assert_num_queries(1):
        list(columns.read(Broadcast.objects.all(), columns.ALL))
