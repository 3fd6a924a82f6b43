"""Records made at random, sealed or not, and the figures counted from them one by one."""

import random
from datetime import datetime, timedelta

from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.models import (
    Broadcast,
    Candidate,
    ClaimAttempt,
)
from broadcasts.reports import tallies
from broadcasts.reports.tallies import read_records
from tests.builders import make_broadcast, make_server

APPLICATIONS = ["ivr-main", "ivr-night", "sales", "support", "überlauf"]
STATUSES = [*Status, Status.CLAIMED, Status.CLAIMED, Status.TIMED_OUT]
# Claims anything, though it is never offered a call.
STRANGER = "stranger"


def make_attempt(broadcast: Broadcast, application: str, verdict: Verdict, behind=None, **columns):
    """Make a claim that was answered with this verdict."""
    return ClaimAttempt.objects.create(
        broadcast=broadcast,
        channel_id=broadcast.channel_id,
        application=application,
        user="u",
        at=broadcast.opened_at,
        answer=verdict.http_status,
        verdict=verdict,
        behind_winner_ms=behind,
        **columns,
    )


def make_record(pick: random.Random, first: datetime, length: timedelta) -> Broadcast:
    """Make one broadcast, as the dice fall, that was opened within `length` from `first`."""
    status = pick.choice(STATUSES)
    offered = (
        [] if status == Status.NO_CANDIDATES else pick.sample(APPLICATIONS, pick.randint(1, 4))
    )
    columns = {}
    if status == Status.CLAIMED or (status == Status.FAILED and pick.random() < 0.5):
        columns = {"claim_ms": pick.lognormvariate(3, 1), "winner": pick.choice(offered)}
    if status == Status.FAILED and columns:
        columns["ended_at"] = first + length
    broadcast = make_broadcast(
        offered,
        status=status,
        server=make_server(pick.choice(["pbx", "branch"])),
        opened_at=first + pick.random() * length,
        **columns,
    )
    for application in offered:
        if pick.random() < 0.1:
            Candidate.objects.filter(broadcast=broadcast, application=application).update(
                failed_at=broadcast.opened_at
            )
    for application in [*offered, STRANGER, *offered]:
        if application == broadcast.winner:
            make_attempt(broadcast, application, Verdict.WON)
        elif pick.random() < 0.3:
            behind = pick.lognormvariate(1, 1) - 0.5 if broadcast.winner else None
            make_attempt(broadcast, application, Verdict.TAKEN, behind)
    return broadcast


def make_records(number: int, first: datetime, length: timedelta, seed: int = 1) -> list[Broadcast]:
    """Make broadcasts of two servers."""
    pick = random.Random(seed)
    return [make_record(pick, first, length) for _ in range(number)]


def seal(broadcasts: list[Broadcast], first_seal: int = 1) -> None:
    """Seal and count those of them that have an outcome."""
    keys = [one.pk for one in broadcasts if one.status != Status.OPEN]
    rows = Broadcast.objects.filter(pk__in=keys)
    tallies.count(read_records(rows))
    for number, key in enumerate(keys, first_seal):
        Broadcast.objects.filter(pk=key).update(seal=number)


def everything() -> list[dict[tuple, list]]:
    """Return all that is counted."""
    return [
        {
            row.key: [getattr(row, name) for name in (*row.COUNTS, *row.NUMBERS_BY_KEY)]
            for row in model.objects.all()
        }
        for model in tallies.TALLIES
    ]
