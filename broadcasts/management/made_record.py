"""A record of broadcasts that never were, as large as one likes, for measuring and for trying out.

The same seed makes the same record. Days have busy hours, latencies a long tail, callers come
again, and every status occurs.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from broadcasts.domain.lifecycle import STASIS_STATUS, Status
from broadcasts.domain.verdict import Verdict
from broadcasts.models import AsteriskServer, Broadcast, Candidate, ClaimAttempt

BATCH = 2000
APPLICATIONS = [
    *("ivr-main", "ivr-night", "sales-east", "sales-west", "support-1", "support-2", "billing"),
    "rarely-connected",
]
WEIGHTS = [30, 8, 22, 20, 14, 10, 6, 0.05]
CALLERS = 60_000
CALLED = 40
PRESETS = [("", None)] * 7 + [("vip", 3), ("sales", 12), ("sales", 13)]
STATUSES = {
    Status.CLAIMED: 86,
    Status.TIMED_OUT: 7,
    Status.ABANDONED: 4,
    Status.NO_CANDIDATES: 1.5,
    Status.FAILED: 1.5,
}
REASONS = {
    Status.TIMED_OUT: "nobody claimed in time",
    Status.ABANDONED: "the caller hung up",
    Status.NO_CANDIDATES: "no connected application is admitted by the filter",
    Status.FAILED: "the winner did not appear in time",
}
# Calls per hour of the day, relative to one another.
DAY = [1, 1, 1, 1, 1, 2, 4, 9, 16, 20, 20, 18, 15, 18, 20, 18, 15, 10, 7, 5, 4, 3, 2, 1]
MEDIAN_CLAIM_MS = 18.0
CLAIM_SPREAD = 0.9
TIMEOUT_MS = 5000
NORMAL_CLEARING = 16


@dataclass(slots=True)
class Made:
    """One broadcast with what belongs to it, before it is written."""

    broadcast: Broadcast
    candidates: list[Candidate] = field(default_factory=list)
    attempts: list[ClaimAttempt] = field(default_factory=list)


class Maker:
    """Makes broadcasts of one server that were opened within so many days before `until`."""

    def __init__(self, server: AsteriskServer, until: datetime, days: int, seed: int) -> None:
        self._server = server
        self._first_day = (until - timedelta(days=days)).replace(minute=0, second=0, microsecond=0)
        self._days = days
        self._random = random.Random(seed)

    def times(self, count: int) -> list[datetime]:
        """Return the moments of the offers, in order."""
        hours = self._random.choices(range(24), DAY, k=count)
        seconds = [
            self._random.randrange(self._days) * 86_400 + hour * 3600 + self._random.random() * 3600
            for hour in hours
        ]
        return [self._first_day + timedelta(seconds=one) for one in sorted(seconds)]

    def make(self, number: int, at: datetime) -> Made:
        """Make the broadcast of this number, offered at that moment."""
        pick = self._random
        status = pick.choices(list(STATUSES), list(STATUSES.values()))[0]
        names = [] if status is Status.NO_CANDIDATES else self._candidates()
        made = Made(self._broadcast(number, at, status, len(names)))
        made.candidates = [
            Candidate(
                application=name,
                position=position,
                reached_by=Candidate.ReachedBy.SOCKET,
                offered_at=at,
            )
            for position, name in enumerate(names, 1)
        ]
        if status in (Status.CLAIMED, Status.FAILED):
            self._claim(made, names)
        return made

    def _candidates(self) -> list[str]:
        wanted = self._random.choices((1, 2, 3, 4), (30, 40, 20, 10))[0]
        names = self._random.choices(APPLICATIONS, WEIGHTS, k=wanted)
        return list(dict.fromkeys(names))

    def _broadcast(self, number: int, at: datetime, status: Status, candidates: int) -> Broadcast:
        pick = self._random
        # Squared, so that some callers come far more often than others.
        caller = f"+1555{int(pick.random() ** 2 * CALLERS):07d}"
        called = f"6{pick.randrange(CALLED):02d}"
        channel_id = f"{int(at.timestamp())}.{number}"
        name = f"PJSIP/trunk-{number:08x}"
        preset, version = pick.choice(PRESETS)
        ended_at = at + timedelta(milliseconds=TIMEOUT_MS if status is Status.TIMED_OUT else 900)
        return Broadcast(
            server=self._server,
            channel_id=channel_id,
            channel_name=name,
            caller_number=caller,
            called=called,
            context="from-trunk",
            asterisk_id="02:00:00:00:00:01",
            channel={
                "id": channel_id,
                "name": name,
                "state": "Ring",
                "caller": {"name": "", "number": caller},
                "connected": {"name": "", "number": ""},
                "dialplan": {"context": "from-trunk", "exten": called, "priority": 1},
            },
            arguments_given=[str(TIMEOUT_MS), "", "", ""],
            timeout_ms=TIMEOUT_MS,
            preset_name=preset,
            preset_version=version,
            opened_at=at,
            deadline=at + timedelta(milliseconds=TIMEOUT_MS),
            candidate_count=candidates,
            status=status,
            reason=REASONS.get(status, ""),
            stasis_status=STASIS_STATUS[status],
            ended_at=ended_at,
            hung_up_at=ended_at,
            hangup_cause=NORMAL_CLEARING,
            hangup_cause_text="Normal Clearing",
        )

    def _claim(self, made: Made, names: list[str]) -> None:
        """Let one of the candidates win, and some of the others come too late."""
        pick, row = self._random, made.broadcast
        claim_ms = round(pick.lognormvariate(math.log(MEDIAN_CLAIM_MS), CLAIM_SPREAD), 3)
        winner, *losers = pick.sample(names, len(names))
        row.winner, row.claim_ms = winner, claim_ms
        row.claimed_at = row.opened_at + timedelta(milliseconds=claim_ms)
        made.attempts.append(self._attempt(row, winner, Verdict.WON, claim_ms, None))
        for loser in losers:
            if pick.random() < 0.6:
                behind = round(pick.expovariate(1 / 9.0), 3)
                attempt = self._attempt(row, loser, Verdict.TAKEN, claim_ms + behind, behind)
                made.attempts.append(attempt)
        if row.status == Status.FAILED:
            next(
                one for one in made.candidates if one.application == winner
            ).failed_at = row.ended_at
            return
        row.handed_over_at = row.claimed_at + timedelta(milliseconds=2)
        row.talk_ms = int(pick.expovariate(1 / 150_000.0))
        row.ended_at = row.hung_up_at = row.handed_over_at + timedelta(milliseconds=row.talk_ms)

    @staticmethod
    def _attempt(
        row: Broadcast, name: str, verdict: Verdict, since_ms: float, behind: float | None
    ) -> ClaimAttempt:
        return ClaimAttempt(
            channel_id=row.channel_id,
            application=name,
            user=name.partition("-")[0],
            at=row.opened_at + timedelta(milliseconds=since_ms),
            answer=verdict.http_status,
            verdict=verdict,
            since_offered_ms=since_ms,
            behind_winner_ms=behind,
        )


def write(made: list[Made]) -> int:
    """Write broadcasts with what belongs to them; returns how many rows that were."""
    Broadcast.objects.bulk_create([one.broadcast for one in made])
    for one in made:
        for part in (*one.candidates, *one.attempts):
            part.broadcast_id = one.broadcast.pk
    candidates = [part for one in made for part in one.candidates]
    attempts = [part for one in made for part in one.attempts]
    Candidate.objects.bulk_create(candidates)
    ClaimAttempt.objects.bulk_create(attempts)
    return len(made) + len(candidates) + len(attempts)


def batches(maker: Maker, count: int, first: int) -> Iterator[list[Made]]:
    """Yield so many broadcasts in portions, in the order of their offers."""
    numbered = list(enumerate(maker.times(count), first))
    for start in range(0, count, BATCH):
        yield [maker.make(number, at) for number, at in numbered[start : start + BATCH]]
