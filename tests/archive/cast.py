"""A finished record, and what is done to it."""

from datetime import UTC, datetime, timedelta

from broadcasts.archive.sealing import INTERRUPTED, look
from broadcasts.archive.verification import Verification
from broadcasts.archive.waiting import BATCH, SETTLED
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.models import AccessEvent, Broadcast, ClaimAttempt, Seal
from tests.builders import make_broadcast

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
# When all that is finished at noon, or soon after, can be sealed.
LATER = NOON + timedelta(minutes=10)


def at(seconds: float) -> datetime:
    """Return a moment after noon."""
    return NOON + timedelta(seconds=seconds)


def finished(seconds: float = 0.0, offered=("ivr-main", "sales"), **columns) -> Broadcast:
    """Make a claimed broadcast that ended so many seconds after noon, with an attempt of each."""
    ended_at, caller = at(seconds), columns.get("caller_number", "+15550123456")
    defaults = {
        "status": Status.CLAIMED,
        "opened_at": ended_at - timedelta(seconds=3),
        "claim_ms": 12.5,
        "ended_at": ended_at,
        "stasis_status": "SUCCESS",
        "caller_number": caller,
        "caller_name": "Alice",
        "channel_name": f"Local/{caller}@trunk-1",
        "channel": {
            "id": "17.1",
            "caller": {"number": caller, "name": "Alice"},
            "dialplan": {"exten": "600", "priority": 1},
        },
    }
    broadcast = make_broadcast(offered, **{**defaults, **columns})
    for place, name in enumerate(offered):
        attempt(seconds - 2, broadcast, name, Verdict.TAKEN if place else Verdict.WON)
    return broadcast


def attempt(
    seconds: float = 0.0,
    broadcast: Broadcast | None = None,
    application: str = "stray",
    verdict: Verdict = Verdict.UNKNOWN,
) -> ClaimAttempt:
    """Make a claim attempt so many seconds after noon, without a broadcast unless given."""
    return ClaimAttempt.objects.create(
        broadcast=broadcast,
        channel_id=broadcast.channel_id if broadcast else "17.404",
        application=application,
        user="ivr",
        at=at(seconds),
        answer=verdict.http_status,
        verdict=verdict,
        behind_winner_ms=1.25 if verdict is Verdict.TAKEN else None,
    )


def access(seconds: float = 0.0, who: str = "an-auditor") -> AccessEvent:
    """Make a sign-in so many seconds after noon."""
    return AccessEvent.objects.create(at=at(seconds), kind=AccessEvent.Kind.SIGN_IN, who=who)


def watch(now: datetime = LATER) -> None:
    """Look in vain for as long as it takes until what was finished before is sealed."""
    look(now - SETTLED)
    look(now - INTERRUPTED)


def seal(now: datetime = LATER, limit: int = BATCH) -> list[Seal]:
    """Seal all that can be at that moment, and return the seals that came of it."""
    before = Seal.objects.count()
    watch(now)
    while look(now, limit).more:
        pass
    return list(Seal.objects.order_by("number")[before:])


def verified(**how):
    """Return the report of a verification."""
    return Verification(**how).run()


def faults(**how) -> list[str]:
    """Return what a verification finds, in words."""
    return [one.what for one in verified(**how).faults.told]
