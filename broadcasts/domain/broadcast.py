"""What the arbiter knows of the call that it arbitrates."""

from dataclasses import dataclass

from .lifecycle import Status
from .policy import Policy


@dataclass(slots=True)
class Broadcast:
    """One call, its candidates and its rounds.

    candidates: whom it was offered to so far.
    deadline: of the present round, in seconds since the epoch.
    round, rounds: the present one's number, and how many seconds each lasts; `rounds` is empty for
    a broadcast with a single one.
    """

    candidates: tuple[str, ...]
    deadline: float
    policy: Policy
    notify_claimed: bool = False
    round: int = 1
    rounds: tuple[float, ...] = ()
    status: Status = Status.OPEN
    winner: str = ""

    @property
    def has_later_rounds(self) -> bool:
        return self.round < len(self.rounds)

    @property
    def last_deadline(self) -> float:
        """When the last round is over, in seconds since the epoch."""
        return self.deadline + sum(self.rounds[self.round :])

    def begin_round(self, number: int, admitted: tuple[str, ...], at: float) -> tuple[str, ...]:
        """Go on to a later round; returns those that it is new to.

        It follows on the deadline of the present one, or comes `at` once when that is cut short.
        """
        self.round = number
        self.deadline = min(at, self.deadline) + self.rounds[number - 1]
        new = tuple(name for name in admitted if name not in self.candidates)
        self.candidates += new
        return new
