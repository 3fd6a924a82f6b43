"""What is kept: the record (written by the ledger alone) and the configuration."""

from .configuration import AriUser, AsteriskServer, Revision
from .defaults import Defaults
from .people import ROLES
from .presets import Preset
from .record import Broadcast, Candidate, ClaimAttempt
from .rules import Rule
from .runtime import Connection, LinkLease, Presence, Process

__all__ = [
    "ROLES",
    "AriUser",
    "AsteriskServer",
    "Broadcast",
    "Candidate",
    "ClaimAttempt",
    "Connection",
    "Defaults",
    "LinkLease",
    "Presence",
    "Preset",
    "Process",
    "Revision",
    "Rule",
]
