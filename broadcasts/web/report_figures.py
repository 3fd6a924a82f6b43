"""How the reports' figures are shown: in words, each leading to the broadcasts behind it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse

from broadcasts.reports.figures import Asked, Cell, Column, Table
from broadcasts.web.words import duration

# How dark a cell of the time-outs is, from 0 to this.
DEEPEST = 5


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure in words; `address`: of what is behind it, "" for none."""

    text: str
    address: str = ""
    depth: int = 0


@dataclass(frozen=True, slots=True)
class ShownRow:
    label: str
    cells: list[Shown]


@dataclass(frozen=True, slots=True)
class Heading:
    """The head of a column; `address`: of the page sorted by it, `sorted`: how it is already."""

    label: str
    address: str = ""
    sorted: str = ""


@dataclass(frozen=True, slots=True)
class ShownTable:
    """A table for the page: its first columns have become each row's label."""

    key: str
    title: str
    headings: list[Heading]
    rows: list[ShownRow]


def address_of(asked: Asked | None) -> str:
    """Return where the history shows what is asked for."""
    return f"{history()}?{urlencode(asked, doseq=True)}" if asked else ""


@cache
def history() -> str:
    """Return the address of the history, which hundreds of figures lead to."""
    return reverse("web:history")


def in_words(value: Any, kind: str) -> str:
    """Return a figure as people read it."""
    if value is None:
        return "–"
    if kind == "count":
        return f"{value:,}"
    if kind == "ms":
        return duration(value)
    if kind == "share":
        return f"{value * 100:.1f} %"
    return f"{value:.2f}" if kind == "ratio" else str(value)


def span_in_words(since: datetime, until: datetime, step: str) -> str:
    """Return a step as a row is called by it."""
    if step == "hour":
        return f"{since:%a %d %b, %H:%M}"
    if step == "day":
        return f"{since:%a %d %b}"
    last = until - timedelta(minutes=1)
    return f"{since:%d %b} – {last:%d %b}" if since.date() != last.date() else f"{since:%d %b}"


def shown_cell(cell: Cell, column: Column, most: int = 0) -> Shown:
    """Return a figure; there is nothing behind none. `most`: what the deepest tint stands for."""
    depth = -(-DEEPEST * cell.value // most) if most else 0
    return Shown(
        in_words(cell.value, column.kind), address_of(cell.asked) if cell.value else "", depth
    )


def shown(table: Table, step: str, sorts: Mapping[str, Heading]) -> ShownTable:
    """Return a table as the page has it, what it comes to at the end."""
    is_timed = table.columns[0].kind == "time"
    first = 2 if is_timed else 1
    columns = table.columns[first:]
    most = deepest_of(table) if table.key == "time_outs" else 0
    rows = [
        ShownRow(
            span_in_words(row[0].value, row[1].value, step) if is_timed else row[0].value,
            cells_of(row[first:], columns, most),
        )
        for row in table.rows
    ]
    rows.append(ShownRow("All", cells_of(table.total[first:], columns)))
    labelled = (Column(step, step.capitalize()) if is_timed else table.columns[0], *columns)
    headings = [sorts.get(column.key, Heading(column.label)) for column in labelled]
    return ShownTable(table.key, table.title, headings, rows)


def cells_of(cells: Iterable[Cell], columns: Iterable[Column], most: int = 0) -> list[Shown]:
    """Return the figures of a row; sums, which come last, are not tinted."""
    return [
        shown_cell(cell, column, 0 if column.key == "all" else most)
        for cell, column in zip(cells, columns, strict=True)
    ]


def deepest_of(table: Table) -> int:
    """Return the largest count of an hour of a weekday."""
    return max(cell.value for row in table.rows for cell in row[1:-1])


def tiles(tables: list[Table]) -> list[tuple[str, str, Shown]]:
    """Return the period's main figures: a status or "", a label and the figure."""
    totals = {
        (table.key, column.key): shown_cell(cell, column)
        for table in tables
        for column, cell in zip(table.columns, table.total, strict=True)
    }
    return [(status, label, totals[place]) for status, label, place in TILES]


TILES = (
    ("", "Broadcasts", ("outcomes", "all")),
    ("claimed", "Claimed", ("outcomes", "claimed")),
    ("timed_out", "Timed out", ("outcomes", "timed_out")),
    ("failed", "Failed hand-overs", ("failed_handovers", "failed_handovers")),
    ("", "Median time to claim", ("latency", "median")),
    ("", "95th percentile", ("latency", "p95")),
    ("", "99th percentile", ("latency", "p99")),
)
