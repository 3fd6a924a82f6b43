"""What reports read of the record itself."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from broadcasts.models import Broadcast
from broadcasts.reports.periods import Period, Span
from broadcasts.reports.reading import read_once, unsealed
from tests.builders import make_server

from .cast import make_records

pytestmark = pytest.mark.django_db

DAY = datetime(2026, 3, 2, tzinfo=UTC)


def period(**of) -> Period:
    return Period(Span(DAY, DAY + timedelta(days=1)), UTC, **of)


@pytest.mark.skipif(connection.vendor != "sqlite", reason="plans of SQLite")
@pytest.mark.parametrize("of_server", [False, True])
def test_what_is_not_sealed_is_found_without_going_through_the_period(of_server):
    plan = unsealed(period(server=make_server() if of_server else None)).explain()
    assert "USING INDEX broadcast_unsealed" in plan
    assert "broadcast_by" not in plan


def test_what_is_not_sealed_is_asked_for_once():
    make_records(5, DAY, timedelta(hours=1))
    with CaptureQueriesContext(connection) as asked:
        assert read_once(period()).complete
    table = f'FROM "{Broadcast._meta.db_table}"'
    assert len([one for one in asked if table in one["sql"]]) == 1
