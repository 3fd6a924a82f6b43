"""Pseudonyms: what is older than the limit names its callers no more.

Sealed broadcasts alone, in the order of the chain, batch by batch; their seals are of the
pseudonyms from the start and stay valid.
"""

from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from django.db import connection, transaction

from broadcasts.models import AccessEvent, Broadcast, Seal

from . import facts
from .chain import head, is_older, locked_head, not_older

BATCH = 50

REPLACE = f"""
    UPDATE {Broadcast._meta.db_table}
    SET {", ".join(f'"{name}" = %s' for name in facts.PRIVATE)}, pseudonymised = %s
    WHERE id = %s"""


class Replacement:
    """One replacement in what was finished before `older_than`, on behalf of `by`."""

    def __init__(self, older_than: datetime, by: str) -> None:
        self._older_than = older_than
        self._by = by
        self.replaced = 0

    def step(self, limit: int = BATCH) -> int:
        """Go on in the chain, as far as it is old enough; returns by how many seals."""
        with transaction.atomic():
            end = locked_head()
            following = Seal.objects.filter(number__gt=end.pseudonyms).order_by("number")[:limit]
            old = list(takewhile(lambda seal: is_older(seal, self._older_than), following))
            if old:
                self.replaced += replace([one.subject for one in broadcasts_of(old)])
                end.pseudonyms = old[-1].number
                end.save(update_fields=["pseudonyms"])
        return len(old)

    def finish(self) -> None:
        """Enter the replacement among the accesses, if there was one."""
        if self.replaced:
            AccessEvent.note(
                AccessEvent.Kind.PSEUDONYMS,
                self._by,
                older_than=self._older_than.isoformat(),
                broadcasts=self.replaced,
            )


def broadcasts_of(seals: Sequence[Seal]) -> list[Seal]:
    return [seal for seal in seals if seal.kind == Seal.Kind.BROADCAST]


def replace(keys: Sequence[int]) -> int:
    """Replace what names the callers of these broadcasts; returns of how many."""
    names = (*facts.PRIVATE, "pk")
    rows = list(Broadcast.objects.filter(pk__in=keys, pseudonymised=False).values(*names))
    if rows:
        with connection.cursor() as cursor:
            cursor.executemany(REPLACE, [_parameters(row) for row in rows])
    return len(rows)


def would_replace(older_than: datetime) -> int:
    """Return in how many broadcasts a replacement would, and change nothing."""
    following = Seal.objects.filter(number__gt=head().pseudonyms)
    stays = following.filter(not_older(older_than)).order_by("number").first()
    old = following.filter(number__lt=stays.number) if stays else following
    return old.filter(kind=Seal.Kind.BROADCAST).count()


def _parameters(row: dict[str, Any]) -> list[Any]:
    told = facts.with_pseudonyms(row)
    columns = [Broadcast._meta.get_field(name) for name in facts.PRIVATE]
    return [
        *(field.get_db_prep_save(told[field.attname], connection) for field in columns),
        True,
        row["pk"],
    ]
