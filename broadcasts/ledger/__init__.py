"""The only writer of the record: group commit, and the claim by conditional update."""

from .entries import (
    Attempt,
    ClaimResult,
    Ending,
    Entry,
    HandedOver,
    HangUp,
    Look,
    Opening,
    Reopening,
    RoundBegun,
    RowState,
    SessionEnd,
    TryClaim,
)
from .ledger import Ledger

__all__ = [
    "Attempt",
    "ClaimResult",
    "Ending",
    "Entry",
    "HandedOver",
    "HangUp",
    "Ledger",
    "Look",
    "Opening",
    "Reopening",
    "RoundBegun",
    "RowState",
    "SessionEnd",
    "TryClaim",
]
