"""What an export contains: tables, each of which becomes a file of its own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import itemgetter
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection, transaction
from django.db.models import QuerySet
from django.http import QueryDict
from psycopg.types.datetime import TimestamptzLoader

from broadcasts.history.columns import Column
from broadcasts.models import Wanted

# Rows that are fetched from the database at a time.
CHUNK = 2000

Row = Sequence[Any]
Query = Mapping[str, Sequence[str]]


class ExportRefused(ValueError):
    """An export that cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Table:
    """One file: its name, its columns, and how to read and to count its rows.

    `count` is given the number at which to stop counting, or None.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: Callable[[], Iterator[Row]]
    count: Callable[[int | None], int]


def of_query(
    name: str,
    title: str,
    columns: tuple[Column, ...],
    found: "QuerySet[Any]",
    show: Callable[[Any], Mapping[str, Any]] | None = None,
) -> Table:
    """Return the table of a query of dicts; `show` is passed each of them before it is read."""
    read = reader(columns)

    def rows() -> Iterator[Row]:
        for row in found.iterator(chunk_size=CHUNK):
            yield read(show(row) if show else row)

    def count(limit: int | None) -> int:
        return found.order_by()[:limit].count() if limit else found.order_by().count()

    return Table(name, title, columns, rows, count)


def reader(columns: tuple[Column, ...]) -> Callable[[Any], Row]:
    """Return what reads the columns of a row, in one go but for those that are put together."""
    fields = [column.needs[0] for column in columns]
    put_together = [(place, one.read) for place, one in enumerate(columns) if one.read]
    # Of a single field it would yield no tuple: so it always gets one more.
    get = itemgetter(*fields, fields[0])

    def read(row: Any) -> Row:
        values = list(get(row)[:-1])
        for place, one in put_together:
            values[place] = one(row)
        return values

    return read


def of_rows(name: str, title: str, columns: tuple[Column, ...], rows: Iterable[Row]) -> Table:
    """Return the table of rows that are in memory."""
    held = list(rows)
    return Table(name, title, columns, lambda: iter(held), lambda _: len(held))


def chosen(keys: Iterable[str], columns: tuple[Column, ...]) -> tuple[Column, ...]:
    """Return the columns of these keys among `columns`; all when there is none.

    Raises ExportRefused.
    """
    by_key = {column.key: column for column in columns}
    try:
        return tuple(by_key[key] for key in dict.fromkeys(keys)) or columns
    except KeyError as error:
        raise ExportRefused(f"There is no column {error.args[0]!r}.") from error


def as_data(query: Query) -> QueryDict:
    """Return a query as a form takes it."""
    data = QueryDict(mutable=True)
    for name, values in query.items():
        data.setlist(name, list(values))
    return data


def zone_of(wanted: Wanted) -> ZoneInfo:
    """Return the zone that an export's times are given in. Raises ExportRefused."""
    try:
        return ZoneInfo(wanted.zone)
    except (KeyError, ValueError, OSError) as error:
        raise ExportRefused(f"There is no time zone {wanted.zone!r}.") from error


class Times(TimestamptzLoader):
    """Reads PostgreSQL's times; psycopg's own reading of one takes a tenth of a row's time."""

    # Django puts its own in place of those of another zone than it has told PostgreSQL.
    timezone = UTC

    def load(self, data: Any) -> datetime:
        try:
            return datetime.fromisoformat(bytes(data).decode())
        except ValueError:
            return super().load(data)


@contextmanager
def snapshot() -> Iterator[None]:
    """Show every query within the same state of the database, without keeping anybody waiting.

    A cursor of PostgreSQL that is read bit by bit belongs to a transaction. A transaction of
    SQLite's would be one that writes, and each of its queries sees one state anyway.
    """
    if connection.vendor != "postgresql" or connection.in_atomic_block:
        yield
        return
    with transaction.atomic(), connection.cursor() as cursor:
        connection.connection.adapters.register_loader("timestamptz", Times)
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
