"""How callers' numbers are shown to whoever reads the record."""

from collections.abc import Callable, Mapping
from typing import Any

from broadcasts.domain.numbers import pseudonym
from broadcasts.models.secrets import record_key

Row = dict[str, Any]
Show = Callable[[Mapping[str, Any]], Row]


def in_full(row: Mapping[str, Any]) -> Row:
    """Return a broadcast's columns as they are."""
    return dict(row)


def pseudonym_of(text: str) -> str:
    """Return the pseudonym of a number or a name in this installation."""
    return pseudonym(text, record_key("pseudonyms"))
