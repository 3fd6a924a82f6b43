"""What of a finished record is sealed: all of it, with pseudonyms where the caller is named.

So its seal stays valid when the pseudonyms replace the caller's number and name for good. What
columns there are is asked of the models: a new one is sealed without being named here.
"""

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from django.db import models

from broadcasts.domain import seal
from broadcasts.domain.numbers import cloak, pseudonym
from broadcasts.models import AccessEvent, Broadcast, Candidate, ClaimAttempt
from broadcasts.models.secrets import record_key

Row = Mapping[str, Any]

# Of a broadcast, what becomes of it once it is finished.
AFTERWARDS = {"seal", "pseudonymised"}
# Texts that name no caller, and that others refer to.
NAMES = {
    "channel_id",
    "asterisk_id",
    "status",
    "stasis_status",
    "winner",
    "preset_name",
    "rule_name",
}
# The parts of a broadcast's record, in the order of their digests.
PARTS = ("the broadcast itself", "its candidates", "its claim attempts")


def columns(model: type[models.Model]) -> tuple[str, ...]:
    """Return the names of a model's columns."""
    return tuple(field.attname for field in model._meta.concrete_fields)


BROADCAST = columns(Broadcast)
CANDIDATE = columns(Candidate)
ATTEMPT = columns(ClaimAttempt)
ACCESS = columns(AccessEvent)

SEALED = tuple(name for name in BROADCAST if name not in AFTERWARDS)
# The columns in which a caller may be named, with how long a text they hold.
PRIVATE: Mapping[str, int | None] = {
    field.attname: field.max_length
    for field in Broadcast._meta.concrete_fields
    if isinstance(field, (models.CharField, models.TextField, models.JSONField))
    and field.attname not in NAMES
}


def as_row(record: models.Model, names: Sequence[str]) -> Row:
    """Return the columns of a record that has been read as an object."""
    return {name: getattr(record, name) for name in names}


def with_pseudonyms(row: Row) -> dict[str, Any]:
    """Return a broadcast's private columns with pseudonyms, each as long as its column allows."""
    private = {name: row[name] for name in PRIVATE}
    filled = {name: value for name, value in private.items() if value}
    replaced = cloak(filled, _pseudonym, _pseudonym)
    return private | {
        name: value[: PRIVATE[name]] if isinstance(value, str) else value
        for name, value in replaced.items()
    }


def digest_of_broadcast(
    row: Row, candidates: Sequence[Row] = (), attempts: Sequence[Row] = ()
) -> bytes:
    """Return the digest of a broadcast with its candidates and attempts, each in their order."""
    facts = {name: row[name] for name in SEALED}
    if not row["pseudonymised"]:
        facts |= with_pseudonyms(row)
    return seal.digest([facts, candidates, attempts], record_key("seal"))


def digest_of_single(row: Row) -> bytes:
    """Return the digest of an attempt without a broadcast, or of an access."""
    return seal.digest([row], record_key("seal"))


# Callers come again.
_known = lru_cache(4096)(pseudonym)


def _pseudonym(text: str) -> str:
    return _known(text, record_key("pseudonyms"))
