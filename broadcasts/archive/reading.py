"""Sealed records, read for verification: those of a batch of seals by a few queries."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import models

from broadcasts.models import AccessEvent, Broadcast, Candidate, ClaimAttempt, Seal

from . import facts

Row = dict[str, Any]

SINGLES: dict[str, type[ClaimAttempt | AccessEvent]] = {
    Seal.Kind.ATTEMPT: ClaimAttempt,
    Seal.Kind.ACCESS: AccessEvent,
}


class Records:
    """What a batch of seals is of. Whatever a column's converter raises is let through."""

    def __init__(self, seals: Sequence[Seal]) -> None:
        self._rows: dict[tuple[str, int], Row] = {}
        keys = [seal.subject for seal in seals if seal.kind == Seal.Kind.BROADCAST]
        self._read(Seal.Kind.BROADCAST, Broadcast, facts.BROADCAST, keys)
        self._candidates = parts(Candidate, facts.CANDIDATE, keys)
        self._attempts = parts(ClaimAttempt, facts.ATTEMPT, keys)
        for kind, model in SINGLES.items():
            keys = [seal.subject for seal in seals if seal.kind == kind]
            self._read(kind, model, facts.columns(model), keys)

    def of(self, seal: Seal) -> Row | None:
        """Return the columns of a seal's record, or None if it is gone."""
        return self._rows.get((seal.kind, seal.subject))

    def digest(self, seal: Seal) -> bytes:
        """Return what the digest of a seal's record would be now."""
        row = self._rows[seal.kind, seal.subject]
        if seal.kind != Seal.Kind.BROADCAST:
            return facts.digest_of_single(row)
        key = seal.subject
        return facts.digest_of_broadcast(row, self._candidates[key], self._attempts[key])

    def _read(
        self, kind: str, model: type[models.Model], names: Sequence[str], keys: Iterable[int]
    ) -> None:
        for row in rows(model, names, pk__in=list(keys)):
            self._rows[kind, row["id"]] = row


def rows(model: type[models.Model], names: Sequence[str], **where: Any) -> list[Row]:
    """Return rows of a model by its keys."""
    if not where["pk__in"]:
        return []
    return list(model.objects.filter(**where).order_by().values(*names))


def parts(
    model: type[models.Model], names: Sequence[str], keys: Sequence[int]
) -> dict[int, list[Row]]:
    """Return what belongs to broadcasts, by their keys, in its order."""
    found: dict[int, list[Row]] = defaultdict(list)
    if keys:
        belonging = model.objects.filter(broadcast_id__in=keys).order_by("pk")
        for row in belonging.values(*names):
            found[row["broadcast_id"]].append(row)
    return found
