"""What is finished and waits for its seal: for how long, and whether it can be read at all.

SQLite lets any value into any column, so what was altered by hand may be nothing that a column of
its kind can hold. No digest can be made of such a record.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from django.db import DatabaseError
from django.db.models import QuerySet
from django.utils import timezone

from broadcasts.models import AccessEvent, Broadcast, ChainHead, ClaimAttempt, Seal
from broadcasts.reports.tallies import Tally

from .chain import head
from .records import Single, with_parts

# By then all that the ledgers know of a finished record has been written.
SETTLED = timedelta(seconds=60)
BATCH = 50

# How sqlite3 begins what it says of a text that is none.
NO_TEXT = "Could not decode to UTF-8"


class Unreadable(Exception):
    """A record that waits for its seal cannot be read; the message names it, without its values."""

    def __init__(self, record: str) -> None:
        super().__init__(
            f"{record} cannot be read, as if it had been altered by hand. Nothing is sealed until "
            "its row has been mended or removed; see docs/proof.md"
        )


def unsealed(end: ChainHead) -> dict[Seal.Kind, "QuerySet[Any]"]:
    """Return what is finished and has no seal, each kind in the order in which it is sealed."""
    broadcasts = Broadcast.objects.filter(seal=None, ended_at__isnull=False)
    attempts = ClaimAttempt.objects.filter(broadcast=None, pk__gt=end.attempts)
    accesses = AccessEvent.objects.filter(pk__gt=end.accesses)
    return {
        Seal.Kind.BROADCAST: broadcasts.order_by("ended_at", "pk"),
        Seal.Kind.ATTEMPT: attempts.order_by("pk"),
        Seal.Kind.ACCESS: accesses.order_by("pk"),
    }


def lag(now: datetime | None = None) -> float:
    """Return since how many seconds the oldest of what waits could have been sealed; 0 if nothing.

    A few short queries, however long the record is or how much waits. Raises DatabaseError.
    """
    end = head()
    settled = (now or timezone.now()) - SETTLED
    times = [_oldest(kind, rows, end) for kind, rows in unsealed(end).items()]
    return max([0.0, *((settled - at).total_seconds() for at in times if at)])


def _oldest(kind: Seal.Kind, rows: "QuerySet[Any]", end: ChainHead) -> datetime | None:
    column, count = ("ended_at", 1) if kind == Seal.Kind.BROADCAST else ("at", BATCH)
    try:
        # Single records are in the order of their keys, not quite in that of their times.
        return min(rows.values_list(column, flat=True)[:count], default=None)
    except Exception as error:
        if not is_of_a_value(error):
            raise
        return end.horizon


def is_of_a_value(error: Exception) -> bool:
    """Whether reading failed for what a column holds, not for the database."""
    return not isinstance(error, DatabaseError) or str(error).startswith(NO_TEXT)


def unreadable(now: datetime | None = None, limit: int = BATCH) -> Iterator[str]:
    """Yield, in words, which of the next records to be sealed cannot be read.

    They are read one by one, `limit` of each kind. Raises DatabaseError.
    """
    settled = (now or timezone.now()) - SETTLED
    for kind, rows in unsealed(head()).items():
        if kind == Seal.Kind.BROADCAST:
            rows = rows.filter(ended_at__lte=settled)
        for key in list(rows.values_list("pk", flat=True)[:limit]):
            try:
                _try_to_seal(kind, rows.filter(pk=key))
            except Exception as error:
                if not is_of_a_value(error):
                    raise
                yield f"the {kind.label} {key}"


def _try_to_seal(kind: Seal.Kind, rows: "QuerySet[Any]") -> None:
    """Do all with a record that sealing does but write, whatever that raises."""
    if kind != Seal.Kind.BROADCAST:
        for row in rows:
            Single(row).digest()
        return
    for record in with_parts(rows):
        record.digest()
        Tally([record])
