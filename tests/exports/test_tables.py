"""How the rows of an export are read."""

import psycopg
import pytest

from broadcasts.exports.tables import Times
from tests.databases import postgres_database

TIMES = [
    "2026-11-29 19:57:00.123456+00",
    "2026-11-29 19:57:00.1+00",
    "2026-11-29 19:57:00+00",
    "0044-03-15 12:00:00+00",
]


@pytest.mark.postgres
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu"])
def test_times_of_postgresql_are_read_as_psycopg_reads_them(zone):
    with postgres_database() as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SET TIME ZONE '{zone}'")
        times = "SELECT at::timestamptz FROM unnest(%s::text[]) AS at"
        read = connection.execute(times, [TIMES]).fetchall()
        connection.adapters.register_loader("timestamptz", Times)
        assert connection.execute(times, [TIMES]).fetchall() == read
        with pytest.raises(psycopg.DataError):
            connection.execute("SELECT 'infinity'::timestamptz").fetchall()
