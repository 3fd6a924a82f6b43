"""What the arbiter decides. The broker carries it out. Times are seconds since the epoch."""

from dataclasses import dataclass

from .happenings import Claim
from .lifecycle import StasisStatus, Status
from .verdict import Verdict


@dataclass(frozen=True, slots=True)
class Open:
    """Record the broadcast, with the status it starts in."""

    status: Status
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    """Send CallBroadcast to these applications, in this order."""

    applications: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AdmitRound:
    """Judge who is connected now; report RoundAdmitted of the first round that admits anyone.

    `first` is the number of the first one to look at; those that admit nobody are skipped.
    """

    first: int


@dataclass(frozen=True, slots=True)
class BeginRound:
    """Record that a round begins, whom it is offered to besides, and the last deadline."""

    number: int
    applications: tuple[str, ...]
    deadline: float
    at: float


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Report DeadlineReached at this time."""

    at: float


@dataclass(frozen=True, slots=True)
class WatchHandover:
    """Report HandoverFailed unless the hand-over of this winner is seen in time."""

    application: str


@dataclass(frozen=True, slots=True)
class CommitClaim:
    """Try to claim the row for this application; report ClaimDecided."""

    claim: Claim


@dataclass(frozen=True, slots=True)
class Answer:
    """Answer a claim."""

    ticket: int
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class NoteAttempt:
    """Record an attempt that was answered from memory."""

    claim: Claim
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Announce:
    """Send CallClaimed to every application that was offered the call."""

    winner: str


@dataclass(frozen=True, slots=True)
class Move:
    """Follow the channel, then move it to the winner."""

    application: str


@dataclass(frozen=True, slots=True)
class CommitEnding:
    """End the broadcast if its row still allows it; report EndingDecided."""

    status: Status
    reason: str


@dataclass(frozen=True, slots=True)
class CommitReopen:
    """Take a claim back that came to nothing; report Reopened."""

    application: str
    reason: str


@dataclass(frozen=True, slots=True)
class Return:
    """Set BROADCASTSTATUS and send the channel back to its dialplan."""

    status: StasisStatus


@dataclass(frozen=True, slots=True)
class NoteHandedOver:
    """Record that the winner has the call."""

    at: float


@dataclass(frozen=True, slots=True)
class NoteSessionEnded:
    """Record that the winner's session is over."""

    at: float


@dataclass(frozen=True, slots=True)
class NoteHangup:
    """Record how the channel ended."""

    at: float
    cause: int
    cause_text: str


@dataclass(frozen=True, slots=True)
class Forget:
    """Nothing more can happen to this broadcast."""


Decision = (
    Open
    | Offer
    | AdmitRound
    | BeginRound
    | WakeAt
    | WatchHandover
    | CommitClaim
    | Answer
    | NoteAttempt
    | Announce
    | Move
    | CommitEnding
    | CommitReopen
    | Return
    | NoteHandedOver
    | NoteSessionEnded
    | NoteHangup
    | Forget
)
