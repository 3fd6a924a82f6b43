"""Who may take out what, judged anew whenever a package is made or fetched."""

from typing import Any

from django.db.models import Model

from broadcasts.access import MAY_EXPORT, MAY_SEE_RECORD, MAY_UNMASK
from broadcasts.domain.numbers import masked
from broadcasts.history.changes import KEPT, permission_to_see
from broadcasts.history.numbers import Show, in_full
from broadcasts.models import Export, Wanted

from .tables import ExportRefused

MAY_SEE_ACCESSES = "broadcasts.view_accessevent"

# Besides MAY_EXPORT; of changes, each history has a permission of its own.
ALSO = {
    Wanted.Kind.RECORD: MAY_SEE_RECORD,
    Wanted.Kind.CHANGES: MAY_EXPORT,
    Wanted.Kind.ACCESS: MAY_SEE_ACCESSES,
    Wanted.Kind.REPORTS: MAY_SEE_RECORD,
}


class CommandLine:
    """Whoever may run commands on the server may do everything; goes by `name` on record."""

    def __init__(self, name: str) -> None:
        self._name = name

    def has_perm(self, permission: str) -> bool:
        return True

    def get_username(self) -> str:
        return self._name


def may_export(person: Any, kind: str = Wanted.Kind.RECORD) -> bool:
    """Whether somebody may take this out now. Who is not active may nothing."""
    return person.has_perm(MAY_EXPORT) and person.has_perm(ALSO[Wanted.Kind(kind)])


def needed(person: Any, wanted: Wanted) -> list[str]:
    """Return the permissions that a package takes that is made with somebody's rights now."""
    needs = [MAY_EXPORT, ALSO[Wanted.Kind(wanted.kind)]]
    if in_full_for(person, wanted):
        needs.append(MAY_UNMASK)
    if wanted.kind == Wanted.Kind.CHANGES:
        needs += [permission_to_see(model) for model in seen_changes_of(person)]
    return needs


def seen_changes_of(person: Any) -> list[type[Model]]:
    """Return the models whose changes somebody may see now."""
    return [model for model in KEPT if person.has_perm(permission_to_see(model))]


def may_fetch(person: Any, export: Export) -> bool:
    """Whether somebody may have a package now: what is in it went by the rights of then."""
    return may_export(person, export.kind) and all(map(person.has_perm, export.needs))


def check(person: Any, wanted: Wanted) -> None:
    """Raise ExportRefused unless somebody may take this out now."""
    if not may_export(person, wanted.kind):
        raise ExportRefused(f"{person.get_username()} may not export this (any more).")


def in_full_for(person: Any, wanted: Wanted) -> bool:
    """Whether numbers go out in full: asked for, and allowed now."""
    return wanted.unmasked and person.has_perm(MAY_UNMASK)


def shown_to(person: Any, wanted: Wanted) -> Show:
    """Return how private texts go out."""
    return in_full if in_full_for(person, wanted) else masked
