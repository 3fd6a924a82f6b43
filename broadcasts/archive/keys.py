"""Up to which keys of single records nobody can write one any more.

Keys are given out when rows are written, but on PostgreSQL a row is not seen before its transaction
ends: one with a smaller key may come after one with a larger. Sealing goes by the keys, so one that
came behind the last key sealed would never get its seal, and be taken for put in.
"""

import time

from django.db import OperationalError, connection
from django.db.models import Max

from .reading import SINGLES

# How long writers are waited for, within a look. Theirs are moments.
PATIENCE_SECONDS = 1.0
PAUSE_SECONDS = 0.01

# A transaction takes this lock before it is given a key, and keeps it to its end.
WRITERS = """
    SELECT virtualtransaction FROM pg_locks
    WHERE mode = 'RowExclusiveLock' AND relation = ANY(%s::regclass[])
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    AND pid IS DISTINCT FROM pg_backend_pid()"""


def keys_without_gaps() -> dict[str, int]:
    """Return of each kind up to which key every row that there will ever be can be read.

    Raises OperationalError while somebody who may have got a smaller one is still at it.
    """
    last = {
        kind: model.objects.aggregate(last=Max("pk"))["last"] for kind, model in SINGLES.items()
    }
    if connection.vendor == "postgresql":
        _wait_for(_writers())
    return {kind: key or 0 for kind, key in last.items()}


def _wait_for(writers: set[str]) -> None:
    until = time.monotonic() + PATIENCE_SECONDS
    while writers:
        if time.monotonic() > until:
            raise OperationalError("somebody has been writing attempts or accesses for too long")
        time.sleep(PAUSE_SECONDS)
        writers &= _writers()


def _writers() -> set[str]:
    """Return the transactions that write what is only ever appended; they are not known by more."""
    tables = [model._meta.db_table for model in SINGLES.values()]
    with connection.cursor() as cursor:
        cursor.execute(WRITERS, [tables])
        return {name for (name,) in cursor.fetchall()}
