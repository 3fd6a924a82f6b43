"""The statements that every call needs, compiled once.

They are what the ORM would send; building each of them anew, for every entry, costs more than the
database takes to run them.
"""

from datetime import datetime
from functools import cache
from typing import Any

import orjson
from django.db import connection, models

from broadcasts.domain.lifecycle import StasisStatus, Status
from broadcasts.models import Broadcast, Candidate, ClaimAttempt

BROADCASTS = Broadcast._meta.db_table

# The claim names only the broadcast's own columns, so that PostgreSQL checks it again after
# waiting for another claim's lock.
CLAIM = f"""
    UPDATE {BROADCASTS} SET status = '{Status.CLAIMED}', winner = %s, claimed_at = %s, claim_ms = %s
    WHERE id = %s AND status = '{Status.OPEN}' AND ended_at IS NULL"""

HANDED_OVER = f"""
    UPDATE {BROADCASTS} SET handed_over_at = %s
    WHERE id = %s AND status = '{Status.CLAIMED}' AND ended_at IS NULL"""

SESSION_END = f"""
    UPDATE {BROADCASTS} SET ended_at = %s, talk_ms = %s, stasis_status = '{StasisStatus.SUCCESS}'
    WHERE id = %s AND status = '{Status.CLAIMED}' AND ended_at IS NULL"""

# What has been sealed stays as it is.
HANG_UP = f"""
    UPDATE {BROADCASTS} SET hung_up_at = %s, hangup_cause = %s, hangup_cause_text = %s
    WHERE id = %s AND seal IS NULL"""

# PostgreSQL's locks of a group's rows, in an order that is the same in every process.
LOCK = f"""
    SELECT id FROM {BROADCASTS} WHERE id = ANY(%s) OR (channel_id = ANY(%s) AND ended_at IS NULL)
    ORDER BY id FOR NO KEY UPDATE"""

CANDIDATE = f"""
    INSERT INTO {Candidate._meta.db_table}
    (broadcast_id, application, position, round, reached_by, offered_at, failure)
    VALUES (%s, %s, %s, %s, %s, %s, '')"""

# A sealed broadcast is finished with its attempts: a later one stands by itself. PostgreSQL is made
# to wait for who is sealing it just now; SQLite lets one write at a time.
IF_UNSEALED = f"SELECT id FROM {BROADCASTS} WHERE id = %s AND seal IS NULL"
if connection.features.has_select_for_update:
    IF_UNSEALED += " FOR KEY SHARE"

ATTEMPT = f"""
    INSERT INTO {ClaimAttempt._meta.db_table}
    (broadcast_id, channel_id, application, "user", at, answer, verdict, since_offered_ms,
     behind_winner_ms)
    VALUES (({IF_UNSEALED}), %s, %s, %s, %s, %s, %s, %s, %s)"""

_FIELDS = [field for field in Broadcast._meta.concrete_fields if not field.primary_key]
_TIMES = {field.attname for field in _FIELDS if isinstance(field, models.DateTimeField)}
_DOCUMENTS = {field.attname for field in _FIELDS if isinstance(field, models.JSONField)}


@cache
def open_broadcasts(count: int) -> str:
    """Return the INSERT of so many broadcasts at once, which answers with their keys."""
    columns = ", ".join(f'"{field.column}"' for field in _FIELDS)
    row = f"({', '.join(['%s'] * len(_FIELDS))})"
    rows = ", ".join([row] * count)
    return f"INSERT INTO {BROADCASTS} ({columns}) VALUES {rows} RETURNING id"


def broadcast_values(row: Broadcast) -> list[Any]:
    """Return the parameters of one broadcast in `open_broadcasts`."""
    return [_value(field.attname, getattr(row, field.attname)) for field in _FIELDS]


def _value(name: str, value: Any) -> Any:
    if name in _DOCUMENTS:
        return orjson.dumps(value).decode()
    return time_value(value) if name in _TIMES else value


def time_value(at: datetime | None) -> Any:
    """Return a time as this database's driver takes it."""
    return None if at is None else connection.ops.adapt_datetimefield_value(at)
