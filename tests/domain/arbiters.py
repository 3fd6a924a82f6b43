"""Arbiters in each phase, as the stories of their tests begin with."""

from broadcasts.domain.arbiter import Arbiter
from broadcasts.domain.broadcast import Broadcast
from broadcasts.domain.happenings import (
    Claim,
    ClaimDecided,
    LeftBroadcast,
    Opened,
)
from broadcasts.domain.policy import Policy
from broadcasts.domain.verdict import Verdict


def make_arbiter(
    *candidates: str,
    notify_claimed: bool = False,
    rounds: tuple[float, ...] = (),
    **policy,
) -> Arbiter:
    """Return an arbiter of a broadcast to `candidates` that opens at 0 and is due at 10.

    With `rounds`, the first is due at 10 and the others last as long as they say.
    """
    broadcast = Broadcast(candidates, 10.0, Policy(**policy), notify_claimed, rounds=rounds)
    return Arbiter(broadcast)


def claim(application: str, ticket: int = 1, at: float = 1.0, refusal=None) -> Claim:
    return Claim(ticket, application, "user", at, refusal)


def offered(*candidates: str, **options) -> Arbiter:
    arbiter = make_arbiter(*candidates, **options)
    arbiter.start()
    arbiter.handle(Opened())
    return arbiter


def moving(*candidates: str, **options) -> Arbiter:
    """Return an arbiter whose first candidate has won and is being handed the call."""
    arbiter = offered(*candidates, **options)
    arbiter.handle(claim(candidates[0]))
    arbiter.handle(ClaimDecided(1, Verdict.WON, candidates[0]))
    return arbiter


def with_winner(*candidates: str, **options) -> Arbiter:
    arbiter = moving(*candidates, **options)
    arbiter.handle(LeftBroadcast(2.0))
    return arbiter
