"""What can be entered in the record. Times are seconds since the epoch.

Somebody waits for an entry that is `urgent`; the others may wait a moment for company.
`done` is called with the entry's result after its commit, on the event loop; with a
`LedgerError` when the record could not be written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from broadcasts.domain.happenings import Claim
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.models import Broadcast


class LedgerError(Exception):
    """The record could not be written."""


def moment(seconds: float) -> datetime:
    """Return seconds since the epoch as an aware datetime."""
    return datetime.fromtimestamp(seconds, UTC)


def no_one(_: Any) -> None:
    """Be the `done` of an entry whose result nobody waits for."""


@dataclass(frozen=True, slots=True)
class RowState:
    """A broadcast's row as it stands.

    ended: once nobody holds the call any more; held: whether the winner has, or had, the call.
    """

    status: Status
    winner: str
    ended: bool
    held: bool
    claimed_at: datetime | None


@dataclass(frozen=True, slots=True)
class ClaimResult:
    """What a claim came to, and who holds the row now."""

    verdict: Verdict
    winner: str = ""
    broadcast_id: int | None = None


@dataclass(slots=True)
class Opening:
    """A broadcast and its candidates, in the order of delivery.

    `replaces`: the channel may have an older live one.
    """

    row: Broadcast
    candidates: tuple[str, ...]
    reached_by: str
    replaces: bool = False
    urgent: bool = True
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class RoundBegun:
    """A later round, and whom it is offered to besides those that were offered the call before.

    `deadline` is that of the last round.
    """

    urgent: ClassVar[bool] = True

    row: Broadcast
    number: int
    candidates: tuple[str, ...]
    reached_by: str
    offered_before: int
    deadline: float
    at: float
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class TryClaim:
    """A claim for `row`, or, when memory knows none, for the channel that the claim names.

    `note_unknown`, `note_lost`: whether an attempt for a channel that nobody knows is recorded, or
    one that does not win.
    `any_name_at`: the servers whose calls may be claimed by whom they were not offered to.
    """

    urgent: ClassVar[bool] = True

    claim: Claim
    channel_id: str
    row: Broadcast | None
    any_name_at: frozenset[int] = frozenset()
    note_unknown: bool = True
    note_lost: bool = True
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class Attempt:
    """A claim that was answered from memory."""

    urgent: ClassVar[bool] = False

    claim: Claim
    verdict: Verdict
    channel_id: str
    row: Broadcast | None
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class Ending:
    """An ending without a winner's session."""

    urgent: ClassVar[bool] = True

    row: Broadcast
    status: Status
    reason: str
    at: float
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class Reopening:
    """A claim taken back, as its application could not take the call."""

    urgent: ClassVar[bool] = True

    row: Broadcast
    application: str
    reason: str
    at: float
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class HandedOver:
    """The winner has the call."""

    urgent: ClassVar[bool] = False

    row: Broadcast
    at: float
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class SessionEnd:
    """The winner's session is over."""

    urgent: ClassVar[bool] = False

    row: Broadcast
    at: float
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class HangUp:
    """How the channel ended (Q.850 cause)."""

    urgent: ClassVar[bool] = False

    row: Broadcast
    at: float
    cause: int
    cause_text: str
    done: Callable[[Any], None] = no_one


@dataclass(slots=True)
class Look:
    """Read a row again, in its turn among the writes."""

    urgent: ClassVar[bool] = True

    row: Broadcast
    done: Callable[[Any], None] = no_one


Entry = (
    Opening
    | RoundBegun
    | TryClaim
    | Attempt
    | Ending
    | Reopening
    | HandedOver
    | SessionEnd
    | HangUp
    | Look
)
