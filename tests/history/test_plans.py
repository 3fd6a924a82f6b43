"""Where PostgreSQL would read so few rows without any index: what SQLite answers a filter from."""

import pytest
from django.db import connection

from broadcasts.history.filters import BroadcastFilter
from broadcasts.history.paging import PER_PAGE, HistoryPages
from broadcasts.models import Broadcast
from tests.builders import make_broadcast

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="plans of SQLite"),
]


def plan(**asked):
    found = BroadcastFilter({"period": "all", **asked}, queryset=Broadcast.objects.all()).qs
    return found.order_by(*HistoryPages.ordering)[: PER_PAGE + 1].explain()


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("server", "broadcast_by_server"),
        ("caller", "broadcast_by_caller"),
        ("called", "broadcast_by_called"),
        ("same_channel", "broadcast_by_channel"),
        ("attempted", "attempt_by_application"),
    ],
)
def test_each_of_these_has_an_index(name, index):
    one = make_broadcast(caller_number="1", called="2")
    values = {"server": one.server.name, "same_channel": one.pk}
    assert index in plan(**{name: values.get(name, "1")})


def test_a_million_broadcasts_of_a_server_are_not_sorted_for_a_page():
    assert "TEMP B-TREE FOR ORDER BY" not in plan(server=make_broadcast().server.name)
