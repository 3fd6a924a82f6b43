"""The end of the chain: who may append to it, when, and what an auditor keeps of it."""

from datetime import datetime

from django.db.models import Q
from django.db.models.functions import Now

from broadcasts.domain import seal
from broadcasts.models import ChainHead, Seal
from broadcasts.models.secrets import record_key

ONLY = 1


class Broken(Exception):
    """The chain is not what this service has made of it; the message says where."""


def locked_head() -> ChainHead:
    """Return where the chain ends, and keep everybody else from it until the transaction ends.

    SQLite's transactions have taken the database's only write lock at their start.
    """
    return ChainHead.objects.select_for_update().get_or_create(pk=ONLY)[0]


def clock() -> datetime:
    """Return the time by the database's clock, so that those of several hosts need not agree."""
    return ChainHead.objects.values_list(Now(), flat=True).get(pk=ONLY)


def head() -> ChainHead:
    """Return where the chain ends now; an empty one if nothing was ever sealed."""
    return ChainHead.objects.filter(pk=ONLY).first() or ChainHead()


def is_older(seal: Seal, than: datetime) -> bool:
    """Whether a record was finished before: at the latest when it was sealed, whatever it says."""
    return min(seal.finished_at, seal.sealed_at) < than


def not_older(than: datetime) -> Q:
    """Match the seals that are not older."""
    return Q(finished_at__gte=than, sealed_at__gte=than)


def anchor() -> str:
    """Return the end of the chain as `NUMBER:CHAINHEX`.

    Whoever keeps it can show later that nothing up to there has been changed since, whatever has
    been done to the database: `manage.py verify_record --expect NUMBER:CHAINHEX`.
    """
    end = head()
    return as_anchor(end.number, end.chain)


def as_anchor(number: int, chain: bytes) -> str:
    """Return a place in the chain as `NUMBER:CHAINHEX`."""
    return f"{number}:{bytes(chain).hex()}"


def read_anchor(text: str) -> tuple[int, bytes]:
    """Read `NUMBER:CHAINHEX`. Raises ValueError, in words, for anything else."""
    number, _, chain = text.partition(":")
    try:
        value = bytes.fromhex(chain)
    except ValueError:
        value = b""
    if not (number.isascii() and number.isdecimal() and len(value) == len(seal.BEGINNING)):
        raise ValueError(f"not NUMBER:CHAINHEX with 64 hexadecimal digits: {text!r}")
    return int(number), value


def chained(previous: bytes, row: Seal) -> bytes:
    """Return what the chain has to be at a seal that follows `previous`."""
    link = seal.Link(
        row.number,
        row.kind,
        row.subject,
        row.finished_at,
        row.sealed_at,
        row.late,
        bytes(row.digest),
    )
    return seal.chain(previous, link, record_key("seal"))
