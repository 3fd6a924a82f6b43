"""One line in the log for each call: whom it was offered to and what became of it.

No line tells a caller's number or name, which may stand in a channel's name or a reason, too.
"""

import logging

from broadcasts.domain.broadcast import Broadcast as Arbitrated
from broadcasts.domain.numbers import masked
from broadcasts.models import Broadcast

log = logging.getLogger("broadcasts.calls")


def log_winner(row: Broadcast, broadcast: Arbitrated) -> None:
    """Say who won, and how long after the offer."""
    waited = (row.claimed_at - row.opened_at).total_seconds() * 1000 if row.claimed_at else 0
    log.info(
        "%s → %s: offered to %s; %s won after %.1f ms",
        told(row, row.channel_name),
        told(row, row.called or "s"),
        names_of(broadcast.candidates),
        broadcast.winner,
        waited,
    )


def log_outcome(row: Broadcast, broadcast: Arbitrated) -> None:
    """Say why nobody has the call."""
    log.info(
        "%s → %s: offered to %s; %s (%s)",
        told(row, row.channel_name),
        told(row, row.called or "s"),
        names_of(broadcast.candidates),
        str(row.status).replace("_", " "),
        told(row, row.reason),
    )


def told(row: Broadcast, text: str) -> str:
    """Return a text about a call as the log may hold it."""
    caller = {"caller_number": row.caller_number, "caller_name": row.caller_name}
    return masked({**caller, "reason": text})["reason"]


def names_of(candidates: tuple[str, ...]) -> str:
    if len(candidates) > 5:
        return f"{len(candidates)} applications"
    return ", ".join(candidates) or "nobody"
