"""What can happen to a broadcast: the arbiter's input. Times are seconds since the epoch."""

from dataclasses import dataclass

from .lifecycle import Status
from .verdict import Verdict


@dataclass(frozen=True, slots=True)
class Opened:
    """The broadcast's row is committed."""


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """The record cannot be written; nothing can be arbitrated."""

    reason: str


@dataclass(frozen=True, slots=True)
class Claim:
    """An application asks for the call.

    `refusal` is what its credentials and connection say against it, or None.
    """

    ticket: int
    application: str
    user: str
    at: float
    refusal: Verdict | None = None


@dataclass(frozen=True, slots=True)
class ClaimDecided:
    """The ledger has committed (or refused) a claim; `winner` is who holds the row now."""

    ticket: int
    verdict: Verdict
    winner: str = ""


@dataclass(frozen=True, slots=True)
class DeadlineReached:
    """The time of the offer, or of its present round, is over."""

    at: float


@dataclass(frozen=True, slots=True)
class RoundAdmitted:
    """Who is connected now and admitted by a later round; `number` is None when none admits anyone.

    Those whom an earlier round was offered to are among them.
    """

    number: int | None
    applications: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class EndingDecided:
    """An ending was committed, or (`landed` False) the row had moved on to `status`.

    held: whether the row says that the winner has, or had, the call.
    """

    landed: bool
    status: Status
    winner: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class RowSeen:
    """The row, read again after a hint."""

    status: Status
    winner: str = ""


@dataclass(frozen=True, slots=True)
class Reopened:
    """A claim that came to nothing was taken back; unless OPEN, the row stays at `status`.

    winner, held: as of `EndingDecided`, unless OPEN.
    """

    status: Status
    at: float
    winner: str = ""
    held: bool = False


@dataclass(frozen=True, slots=True)
class HandoverFailed:
    """The winner did not get the call: the move failed, or no hand-over was seen in time."""

    reason: str
    at: float
    application: str = ""


@dataclass(frozen=True, slots=True)
class LeftBroadcast:
    """StasisEnd of our own application: the channel moved on or is ending."""

    at: float


@dataclass(frozen=True, slots=True)
class WinnerStarted:
    """StasisStart was seen on this application's own socket."""

    application: str
    at: float


@dataclass(frozen=True, slots=True)
class HungUp:
    """The caller is hanging up, or the channel is not there any more."""

    at: float


@dataclass(frozen=True, slots=True)
class BackInDialplan:
    """The dialplan runs the channel again: the winner's session is over."""

    at: float


@dataclass(frozen=True, slots=True)
class Destroyed:
    """The channel has ended, with its Q.850 cause."""

    at: float
    cause: int
    cause_text: str


@dataclass(frozen=True, slots=True)
class WinnerLost:
    """The winner's socket is gone while it holds the call."""

    at: float


@dataclass(frozen=True, slots=True)
class Replaced:
    """The same channel entered a new broadcast."""

    at: float


Happening = (
    Opened
    | Unrecorded
    | Claim
    | ClaimDecided
    | DeadlineReached
    | RoundAdmitted
    | EndingDecided
    | RowSeen
    | Reopened
    | HandoverFailed
    | LeftBroadcast
    | WinnerStarted
    | HungUp
    | BackInDialplan
    | Destroyed
    | WinnerLost
    | Replaced
)
