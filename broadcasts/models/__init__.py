"""What is kept: the record (written by the ledger alone) and the configuration."""

from .configuration import AriUser, AsteriskServer, Revision
from .record import Broadcast, Candidate, ClaimAttempt
from .runtime import LinkLease, Presence, Process

__all__ = [
    "AriUser",
    "AsteriskServer",
    "Broadcast",
    "Candidate",
    "ClaimAttempt",
    "LinkLease",
    "Presence",
    "Process",
    "Revision",
]
