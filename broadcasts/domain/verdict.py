"""What a claim is told. Losing is a value; the doors map it to an answer once."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType

from .lifecycle import Status


class Verdict(StrEnum):
    """The outcome of one claim attempt, and the reason that the record keeps."""

    WON = "won"
    TAKEN = "taken"
    NOT_OFFERED = "not_offered"
    NOT_CONNECTED = "not_connected"
    NOT_ALLOWED = "not_allowed"
    TIMED_OUT = "timed_out"
    ABANDONED = "abandoned"
    FAILED = "failed"
    ENDED = "ended"
    UNKNOWN = "unknown"
    FAULT = "fault"

    @property
    def http_status(self) -> int:
        """The HTTP status that native answers (Asterisk, res/ari/resource_events.c)."""
        return _HTTP_STATUS.get(self, 404)


_HTTP_STATUS = {Verdict.WON: 204, Verdict.TAKEN: 409, Verdict.FAULT: 500}

# What a claim is told that the row, by its status, does not let win.
LOST: Mapping[Status, Verdict] = MappingProxyType(
    {
        Status.CLAIMED: Verdict.TAKEN,
        Status.TIMED_OUT: Verdict.TIMED_OUT,
        Status.ABANDONED: Verdict.ABANDONED,
        Status.NO_CANDIDATES: Verdict.NOT_OFFERED,
        Status.FAILED: Verdict.FAILED,
    }
)
