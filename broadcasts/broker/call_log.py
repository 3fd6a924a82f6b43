"""One line in the log for each call: whom it was offered to and what became of it."""

import logging

from broadcasts.domain.broadcast import Broadcast as Arbitrated
from broadcasts.models import Broadcast

log = logging.getLogger("broadcasts.calls")


def log_winner(row: Broadcast, broadcast: Arbitrated) -> None:
    """Say who won, and how long after the offer."""
    waited = (row.claimed_at - row.opened_at).total_seconds() * 1000 if row.claimed_at else 0
    log.info(
        "%s → %s: offered to %s; %s won after %.1f ms",
        row.channel_name,
        row.called or "s",
        names_of(broadcast.candidates),
        broadcast.winner,
        waited,
    )


def log_outcome(row: Broadcast, broadcast: Arbitrated) -> None:
    """Say why nobody has the call."""
    log.info(
        "%s → %s: offered to %s; %s (%s)",
        row.channel_name,
        row.called or "s",
        names_of(broadcast.candidates),
        str(row.status).replace("_", " "),
        row.reason,
    )


def names_of(candidates: tuple[str, ...]) -> str:
    if len(candidates) > 5:
        return f"{len(candidates)} applications"
    return ", ".join(candidates) or "nobody"
