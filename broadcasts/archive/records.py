"""Finished records, read for sealing: many at a time, with what belongs to them."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from broadcasts.models import AccessEvent, Broadcast, Candidate, ClaimAttempt, Seal

from . import facts


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished broadcast with everything that belongs to it."""

    broadcast: Broadcast
    candidates: list[Candidate]
    attempts: list[ClaimAttempt]

    kind = Seal.Kind.BROADCAST

    @property
    def key(self) -> int:
        return self.broadcast.pk

    @property
    def finished_at(self) -> datetime:
        return self.broadcast.ended_at

    def digest(self) -> bytes:
        return facts.digest_of_broadcast(
            facts.as_row(self.broadcast, facts.BROADCAST),
            [facts.as_row(one, facts.CANDIDATE) for one in self.candidates],
            [facts.as_row(one, facts.ATTEMPT) for one in self.attempts],
        )


@dataclass(frozen=True, slots=True)
class Single:
    """An attempt without a broadcast, or an access: finished as soon as it is written."""

    record: ClaimAttempt | AccessEvent

    @property
    def kind(self) -> Seal.Kind:
        is_attempt = isinstance(self.record, ClaimAttempt)
        return Seal.Kind.ATTEMPT if is_attempt else Seal.Kind.ACCESS

    @property
    def key(self) -> int:
        return self.record.pk

    @property
    def finished_at(self) -> datetime:
        return self.record.at

    def digest(self) -> bytes:
        names = facts.columns(type(self.record))
        return facts.digest_of_single(facts.as_row(self.record, names))


Record = Finished | Single


def with_parts(broadcasts: Iterable[Broadcast]) -> list[Finished]:
    """Return broadcasts with their candidates and attempts, by two queries however many."""
    broadcasts = list(broadcasts)
    keys = [row.pk for row in broadcasts]
    candidates, attempts = defaultdict(list), defaultdict(list)
    for candidate in Candidate.objects.filter(broadcast_id__in=keys).order_by("pk"):
        candidates[candidate.broadcast_id].append(candidate)
    for attempt in ClaimAttempt.objects.filter(broadcast_id__in=keys).order_by("pk"):
        attempts[attempt.broadcast_id].append(attempt)
    return [Finished(row, candidates[row.pk], attempts[row.pk]) for row in broadcasts]
