"""Retention: records that are older than it go, from the beginning of the chain, in order.

A signed note says what has gone and where the chain begins now. It is written together with each
batch that goes, so that the chain can be checked whenever the removal stops.

Seals are believed only where the chain holds. Who can write to the database could else make young
records old, and have the service itself sign that they were rightly removed.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from itertools import takewhile

from django.db import transaction
from django.db.models import Count
from django.utils import timezone

from broadcasts.domain.seal import BEGINNING, canonical
from broadcasts.models import (
    AccessEvent,
    Broadcast,
    Candidate,
    ClaimAttempt,
    RetentionNote,
    Seal,
)

from .chain import Broken, chained, is_older, locked_head, not_older
from .signing import is_signed, sign

BATCH = 50

# What a note counts, by the names of the models.
COUNTED = {
    Broadcast: "broadcasts",
    Candidate: "candidates",
    ClaimAttempt: "claim attempts",
    AccessEvent: "accesses",
}


class Removal:
    """One removal of what was finished before `older_than`, on behalf of `by`: batch by batch.

    `unverified`: also where the chain does not hold, once that has been looked into.
    """

    def __init__(self, older_than: datetime, by: str, unverified: bool = False) -> None:
        self._older_than = older_than
        self._by = by
        self._unverified = unverified
        self._notes: list[RetentionNote] = []

    @property
    def removed(self) -> dict[str, int]:
        """How many records of each kind have gone so far."""
        return dict(sum((Counter(note.removed) for note in self._notes), Counter()))

    def step(self, limit: int = BATCH) -> int:
        """Remove the next records of the chain, if they are old enough; returns how many seals.

        Raises Broken, and has then removed none of them.
        """
        with transaction.atomic():
            locked_head()
            first = Seal.objects.order_by("number")[:limit]
            old = list(takewhile(lambda seal: is_older(seal, self._older_than), first))
            if old:
                if not self._unverified:
                    check(old)
                self._keep_note(old, remove(old))
        return len(old)

    def finish(self) -> None:
        """Enter the removal among the accesses, if anything has gone."""
        if self._notes:
            AccessEvent.note(
                AccessEvent.Kind.RETENTION,
                self._by,
                older_than=self._older_than.isoformat(),
                seals=", ".join(f"{note.first}–{note.through}" for note in self._notes),
                removed=self.removed,
                **({"unverified": True} if self._unverified else {}),
            )

    def _keep_note(self, gone: list[Seal], removed: Counter[str]) -> None:
        note = self._note_before(gone[0].number) or RetentionNote(
            at=timezone.now(),
            by=self._by[:150],
            older_than=self._older_than,
            first=gone[0].number,
            removed={},
        )
        note.through, note.chain = gone[-1].number, bytes(gone[-1].chain)
        note.removed = dict(Counter(note.removed) + removed)
        note.signature = sign(signed(note))
        note.save()
        if note not in self._notes:
            self._notes.append(note)

    def _note_before(self, number: int) -> RetentionNote | None:
        """Return the note that this seal continues, unless somebody else removed the one before."""
        return next((note for note in self._notes[-1:] if note.through == number - 1), None)


def check(seals: list[Seal]) -> None:
    """Raise Broken unless the chain, from where it begins, is unbroken up to the last of these."""
    value = beginning(seals[0].number)
    for number, seal in enumerate(seals, seals[0].number):
        if value is None or seal.number != number or chained(value, seal) != bytes(seal.chain):
            raise Broken(f"the chain does not hold at seal {number}: see `manage.py verify_record`")
        value = bytes(seal.chain)


def beginning(number: int) -> bytes | None:
    """Return what the first seal that there is has to follow; None where nobody can tell."""
    if number == 1:
        return BEGINNING
    note = RetentionNote.objects.filter(through=number - 1).first()
    return bytes(note.chain) if note and is_genuine(note) else None


def remove(seals: Iterable[Seal]) -> Counter[str]:
    """Delete seals with their records; returns how many of each kind."""
    seals = list(seals)

    def subjects(kind: Seal.Kind) -> list[int]:
        return [seal.subject for seal in seals if seal.kind == kind]

    removed: Counter[str] = Counter()
    for model, kind in (
        (Broadcast, Seal.Kind.BROADCAST),
        (ClaimAttempt, Seal.Kind.ATTEMPT),
        (AccessEvent, Seal.Kind.ACCESS),
    ):
        _, counts = model.objects.filter(pk__in=subjects(kind)).delete()
        removed.update({COUNTED[one]: counts.get(one._meta.label, 0) for one in COUNTED})
    Seal.objects.filter(pk__in=[seal.number for seal in seals]).delete()
    return +removed


def would_remove(older_than: datetime) -> dict[str, int]:
    """Return how many seals of each kind a removal would take, and change nothing."""
    stays = Seal.objects.filter(not_older(older_than)).order_by("number").first()
    goes = Seal.objects.filter(number__lt=stays.number) if stays else Seal.objects.all()
    kinds = goes.order_by().values_list("kind").annotate(Count("number"))
    return {Seal.Kind(kind).label: count for kind, count in kinds}


def signed(note: RetentionNote) -> bytes:
    """Return what the signature of a note is of."""
    return canonical(
        {
            "at": note.at,
            "by": note.by,
            "older_than": note.older_than,
            "first": note.first,
            "through": note.through,
            "chain": bytes(note.chain).hex(),
            "removed": note.removed,
        }
    )


def is_genuine(note: RetentionNote) -> bool:
    """Whether a note was written by this service and says what it said then."""
    return is_signed(signed(note), bytes(note.signature))
