"""Tables as bytes, in each of the formats."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import orjson

from broadcasts.history.columns import Column
from broadcasts.models import Wanted

from .cells import Conversions, begins_plainly, harmless
from .tables import Row, Table

# Rows that are written at a time.
BLOCK = 1000
# A half of a pair that stands alone, as JSON may hold one, has no place in UTF-8.
LONE_HALVES = "backslashreplace"

# What the writer of the csv module takes as it is.
PLAIN = frozenset({int, float, type(None)})

Step = Callable[[int], None]


class Entry(Protocol):
    """A file inside a package."""

    def write(self, data: bytes) -> Any: ...


def names(columns: Iterable[Column], header: str) -> list[str]:
    """Return what columns are called: by their keys, or by their titles with the units."""
    if header == Wanted.Header.KEYS:
        return [column.key for column in columns]
    return [f"{one.label} ({one.unit})" if one.unit else one.label for one in columns]


def blocks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    """Yield rows, many at a time."""
    while block := list(islice(rows, BLOCK)):
        yield block


def write_csv(table: Table, wanted: Wanted, zone: ZoneInfo, entry: Entry, step: Step) -> None:
    """Write comma-separated values as RFC 4180 has them, in UTF-8; none is an empty cell."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer)
    if wanted.header != Wanted.Header.NONE:
        writer.writerow(names(table.columns, wanted.header))
    convert = Conversions(zone, harmless)
    convert[bool] = lambda value: "true" if value else "false"
    for block in blocks(table.rows()):
        columns = [as_cells(column, convert) for column in zip(*block, strict=True)]
        writer.writerows(zip(*columns, strict=True))
        entry.write(buffer.getvalue().encode(errors=LONE_HALVES))
        buffer.seek(0)
        buffer.truncate()
        step(len(block))
    entry.write(buffer.getvalue().encode(errors=LONE_HALVES))


def as_cells(column: Sequence[Any], convert: Conversions) -> Sequence[Any]:
    """Return the values of a column as cells. Few columns need a look at each of their values."""
    kinds = set(map(type, column))
    if kinds <= PLAIN:
        return column
    if kinds == {str} and all(map(begins_plainly, {text[:1] for text in column})):
        return column
    return [value if type(value) in PLAIN else convert[type(value)](value) for value in column]


def write_json_lines(
    table: Table, wanted: Wanted, zone: ZoneInfo, entry: Entry, step: Step
) -> None:
    """Write an object per line; without a header, a list."""
    columns = names(table.columns, wanted.header)
    nameless = wanted.header == Wanted.Header.NONE
    convert = Conversions(zone, str)
    for kind in (int, float, type(None), bool, list, dict):
        convert[kind] = lambda value: value
    for block in blocks(table.rows()):
        rows = ([convert[type(value)](value) for value in row] for row in block)
        lines = (row if nameless else dict(zip(columns, row, strict=True)) for row in rows)
        entry.write(b"".join(map(json_line, lines)))
        step(len(block))


def json_line(row: Any) -> bytes:
    """Return a row as JSON, also with what orjson refuses."""
    try:
        return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        return json.dumps(row).encode() + b"\n"
