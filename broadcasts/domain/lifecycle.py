"""The lifecycle of a broadcast's row: one table, and what it does not allow changes nothing.

The ledger turns `sources` into the WHERE of its UPDATE, so the table holds in one process or
twenty: a transition whose source state is gone matches no row.
"""

from enum import StrEnum
from types import MappingProxyType


class Status(StrEnum):
    """Where a broadcast stands, as kept in its row."""

    OPEN = "open"
    CLAIMED = "claimed"
    TIMED_OUT = "timed_out"
    ABANDONED = "abandoned"
    NO_CANDIDATES = "no_candidates"
    FAILED = "failed"


class StasisStatus(StrEnum):
    """The three values that native StasisBroadcast leaves in STASISSTATUS."""

    SUCCESS = "SUCCESS"
    FAILED = "FAILED"
    TIMEOUT = "TIMEOUT"


TRANSITIONS = MappingProxyType(
    {
        Status.OPEN: frozenset({Status.CLAIMED, Status.TIMED_OUT, Status.ABANDONED, Status.FAILED}),
        # A claimed call is offered again, or ends, when its winner cannot take it.
        Status.CLAIMED: frozenset({Status.OPEN, Status.ABANDONED, Status.FAILED}),
        Status.TIMED_OUT: frozenset[Status](),
        Status.ABANDONED: frozenset[Status](),
        Status.NO_CANDIDATES: frozenset[Status](),
        Status.FAILED: frozenset[Status](),
    }
)

# Native reports TIMEOUT for a caller who hung up while waiting, and with no candidate too.
STASIS_STATUS = MappingProxyType(
    {
        Status.CLAIMED: StasisStatus.SUCCESS,
        Status.TIMED_OUT: StasisStatus.TIMEOUT,
        Status.ABANDONED: StasisStatus.TIMEOUT,
        Status.NO_CANDIDATES: StasisStatus.TIMEOUT,
        Status.FAILED: StasisStatus.FAILED,
    }
)

FINAL = frozenset(status for status, targets in TRANSITIONS.items() if not targets)


def sources(target: Status) -> frozenset[Status]:
    """Return the statuses from which a row may move to `target`."""
    return frozenset(status for status, targets in TRANSITIONS.items() if target in targets)
