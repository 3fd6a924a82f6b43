"""What a seal proves: the digest of a finished record, and the chain that it is a link of.

Both are HMAC-SHA256 under a key that the database does not hold, so nobody who can write to the
database alone can make one that passes. They can take the end of the chain back, though, and have
the service seal anew: only an anchor that is kept elsewhere tells (docs/proof.md).
"""

import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson

Facts = Mapping[str, Any]

# What the first link follows.
BEGINNING = bytes(32)
# Of each part's HMAC so much is kept: half of it, which RFC 2104 holds to be enough.
PART_BYTES = 16


@dataclass(frozen=True, slots=True)
class Link:
    """What a link of the chain says besides what it follows."""

    number: int
    kind: str
    subject: int
    finished_at: datetime
    sealed_at: datetime
    late: bool
    digest: bytes


def canonical(value: Any) -> bytes:
    """Return the one way to write a value of JSON and times, whichever database it comes from.

    Sorted keys, no spaces; times have to be in UTC, as they are read from a database. (PostgreSQL
    takes fractions from 10^16 on for integers.) Raises TypeError for anything else.
    """
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # What is no Unicode, and integers of more than 64 bits.
        return json.dumps(value, default=datetime.isoformat, sort_keys=True).encode()


def digest(parts: Iterable[Facts | Sequence[Facts]], key: bytes) -> bytes:
    """Return what the parts of a record are recognised by: `PART_BYTES` for each, in order."""
    return b"".join(
        hmac.digest(key, b"%d:" % place + canonical(part), "sha256")[:PART_BYTES]
        for place, part in enumerate(parts)
    )


def differing(one: bytes, other: bytes) -> list[int]:
    """Return the places of the parts in which two digests differ."""
    ends = range(PART_BYTES, max(len(one), len(other)) + PART_BYTES, PART_BYTES)
    return [
        place
        for place, end in enumerate(ends)
        if one[end - PART_BYTES : end] != other[end - PART_BYTES : end]
    ]


def chain(previous: bytes, link: Link, key: bytes) -> bytes:
    """Return the chain up to and including a link, which follows `previous`: 32 bytes."""
    told = [
        previous.hex(),
        link.number,
        link.kind,
        link.subject,
        link.finished_at,
        link.sealed_at,
        link.late,
        link.digest.hex(),
    ]
    return hmac.digest(key, canonical(told), "sha256")
