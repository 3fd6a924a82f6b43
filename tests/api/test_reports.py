"""The figures of the reports over the API."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadcasts.domain.lifecycle import Status
from broadcasts.reports.tables import all_tables
from tests.builders import make_broadcast, make_server

pytestmark = pytest.mark.django_db

REPORTS = "/api/v1/reports/"


def test_figures_are_those_of_the_reports(operator):
    make_broadcast(["a", "b"], status=Status.CLAIMED, ended_at=timezone.now())
    make_broadcast(status=Status.TIMED_OUT)
    found = {report["key"]: report for report in operator.rows(REPORTS, zone="Asia/Tokyo")}
    tables = all_tables({}, ZoneInfo("Asia/Tokyo"))
    assert list(found) == [table.key for table in tables]
    for table in tables:
        report = found[table.key]
        assert [column["key"] for column in report["columns"]] == [
            column.key for column in table.columns
        ]
        rows = [list(row.values()) for row in (*report["rows"], report["total"])]
        assert rows == [[as_json(value) for value in values] for values in table.values()]


def as_json(value):
    return value.isoformat() if hasattr(value, "isoformat") else value


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"period": "ever"}, {"period"}),
        ({"first": "2026-02-30"}, {"first"}),
        ({"last": "2026-01-01"}, {"first"}),
        ({"first": "0001-01-01"}, {"first"}),
        ({"first": "2020-01-01"}, {"last"}),
        ({"server": "nowhere"}, {"server"}),
        ({"zone": "Middle/Earth"}, {"zone"}),
        ({"status": "failed"}, {"status"}),
    ],
)
def test_what_is_not_understood_is_named(operator, asked, named):
    assert operator.refused(REPORTS, **asked) == named


def test_a_report_can_be_of_one_server(operator):
    make_broadcast(server=make_server("branch"), status=Status.TIMED_OUT)
    make_broadcast(status=Status.TIMED_OUT)
    day = (timezone.now() - timedelta(days=1)).date().isoformat()
    one, both = (
        operator.rows(REPORTS, first=day, **more)[0]["total"] for more in ({"server": "pbx"}, {})
    )
    assert (one["timed_out"], both["timed_out"]) == (1, 2)


def test_much_takes_as_many_queries_as_little(operator):
    make_broadcast(status=Status.TIMED_OUT)
    with CaptureQueriesContext(connection) as little:
        operator.get(REPORTS)
    for number in range(12):
        make_broadcast([f"ivr-{number}"], server=make_server(f"pbx-{number}"), status=Status.FAILED)
    with CaptureQueriesContext(connection) as much:
        operator.get(REPORTS)
    assert len(much) == len(little)
