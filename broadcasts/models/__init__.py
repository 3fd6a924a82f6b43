"""What is kept: the record (written by the ledger alone) and the configuration."""

from .access import AccessEvent
from .chain import ChainHead, RetentionNote, Seal
from .configuration import AriUser, AsteriskServer, Revision
from .defaults import Defaults
from .exports import Export, SavedFilter, Schedule, Wanted
from .people import ROLES
from .presets import Preset
from .record import Broadcast, Candidate, ClaimAttempt
from .rules import Rule
from .runtime import Connection, LinkLease, Presence, Process
from .tallies import ApplicationDay, ApplicationHour, ServerDay, ServerHour
from .tokens import ApiToken

__all__ = [
    "ROLES",
    "AccessEvent",
    "ApiToken",
    "ApplicationDay",
    "ApplicationHour",
    "AriUser",
    "AsteriskServer",
    "Broadcast",
    "Candidate",
    "ChainHead",
    "ClaimAttempt",
    "Connection",
    "Defaults",
    "Export",
    "LinkLease",
    "Presence",
    "Preset",
    "Process",
    "RetentionNote",
    "Revision",
    "Rule",
    "SavedFilter",
    "Schedule",
    "Seal",
    "ServerDay",
    "ServerHour",
    "Wanted",
]
