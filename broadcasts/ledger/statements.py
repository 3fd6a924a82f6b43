"""The statements that every call needs, compiled once.

They are what the ORM would send; building each of them anew, for every entry, costs more than the
database takes to run them.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from django.db import connection, models
from django.db.backends.utils import CursorWrapper

from broadcasts.domain.lifecycle import StasisStatus, Status
from broadcasts.models import Broadcast, Candidate, ClaimAttempt

Row = Mapping[str, Any]

BROADCASTS = Broadcast._meta.db_table

# The claim names only the broadcast's own columns, so that PostgreSQL checks it again after
# waiting for another claim's lock.
CLAIM = f"""
    UPDATE {BROADCASTS} SET status = '{Status.CLAIMED}', winner = %s, claimed_at = %s
    WHERE id = %s AND status = '{Status.OPEN}' AND ended_at IS NULL"""

HANDED_OVER = f"""
    UPDATE {BROADCASTS} SET handed_over_at = %s
    WHERE id = %s AND status = '{Status.CLAIMED}' AND ended_at IS NULL"""

SESSION_END = f"""
    UPDATE {BROADCASTS} SET ended_at = %s, talk_ms = %s, stasis_status = '{StasisStatus.SUCCESS}'
    WHERE id = %s AND status = '{Status.CLAIMED}' AND ended_at IS NULL"""

HANG_UP = f"""
    UPDATE {BROADCASTS} SET hung_up_at = %s, hangup_cause = %s, hangup_cause_text = %s
    WHERE id = %s"""


def time_value(at: datetime | None) -> Any:
    """Return a time as this database's driver takes it."""
    return connection.ops.adapt_datetimefield_value(at)


def _json_value(value: Any) -> str:
    return orjson.dumps(value).decode()


def _converter(field: models.Field) -> Callable[[Any], Any] | None:
    if isinstance(field, models.DateTimeField):
        return time_value
    return _json_value if isinstance(field, models.JSONField) else None


class Insert:
    """INSERT of one model's rows, given as mappings of every column but the key."""

    def __init__(self, model: type[models.Model]) -> None:
        fields = [field for field in model._meta.concrete_fields if not field.primary_key]
        self._columns = [(field.attname, _converter(field)) for field in fields]
        names = ", ".join(f'"{field.column}"' for field in fields)
        self._into = f"INSERT INTO {model._meta.db_table} ({names}) VALUES "
        self._row = f"({', '.join(['%s'] * len(fields))})"
        self._returning = cache(self._with_keys)

    def _with_keys(self, count: int) -> str:
        return f"{self._into}{', '.join([self._row] * count)} RETURNING id"

    def _values(self, row: Row) -> list[Any]:
        return [convert(row[name]) if convert else row[name] for name, convert in self._columns]

    def many(self, cursor: CursorWrapper, rows: Sequence[Row]) -> None:
        """Insert rows whose keys nobody needs."""
        if rows:
            cursor.executemany(self._into + self._row, [self._values(row) for row in rows])

    def with_keys(self, cursor: CursorWrapper, rows: Sequence[Row]) -> list[int]:
        """Insert rows and return their keys."""
        if not rows:
            return []
        parameters = [value for row in rows for value in self._values(row)]
        cursor.execute(self._returning(len(rows)), parameters)
        return [key for (key,) in cursor.fetchall()]


insert_broadcasts = Insert(Broadcast)
insert_candidates = Insert(Candidate)
insert_attempts = Insert(ClaimAttempt)
