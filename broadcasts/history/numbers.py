"""How callers' numbers are shown to whoever reads the record."""

from collections.abc import Callable, Mapping
from typing import Any

from broadcasts.domain.numbers import pseudonym
from broadcasts.models.secrets import record_key

Row = dict[str, Any]
# What a record's private texts are known by.
WHOSE = ("caller_number", "caller_name")

Show = Callable[[Mapping[str, Any]], Row]


def in_full(row: Mapping[str, Any]) -> Row:
    """Return a broadcast's columns as they are."""
    return dict(row)


def part_shown(part: Mapping[str, Any], broadcast: Mapping[str, Any], show: Show) -> Row:
    """Return a row of what belongs to a broadcast: its texts are private like that one's own."""
    whose = {name: broadcast[name] for name in WHOSE}
    told = show({**part, **whose})
    return {name: told[name] for name in part}


def pseudonym_of(text: str) -> str:
    """Return the pseudonym of a number or a name in this installation."""
    return pseudonym(text, record_key("pseudonyms"))
