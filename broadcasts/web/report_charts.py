"""What the reports' charts are drawn from: the tables' figures, with their addresses."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from broadcasts.reports.figures import Table
from broadcasts.web.report_figures import address_of

Chart = dict[str, Any]


def charts(tables: list[Table], step: str) -> dict[str, Chart]:
    """Return each chart by the key of its table."""
    by_key = {table.key: table for table in tables}
    return {
        "outcomes": over_time(by_key["outcomes"], step, OUTCOMES),
        "latency": over_time(by_key["latency"], step, PERCENTILES),
        "applications": compared(by_key["applications"]),
        "failed_handovers": over_time(by_key["failed_handovers"], step, FAILED_HANDOVERS),
    }


OUTCOMES = ("claimed", "timed_out", "abandoned", "no_candidates", "failed")
PERCENTILES = ("median", "p95", "p99")
FAILED_HANDOVERS = ("failed_handovers",)
SHARES = ("share_of_offers", "share_of_wins")


def over_time(table: Table, step: str, keys: Sequence[str]) -> Chart:
    labels = [short(row[0].value, step) for row in table.rows]
    return {"labels": labels, "series": [series(table, key) for key in keys]}


def compared(table: Table) -> Chart:
    labels = [row[0].value for row in table.rows]
    return {"labels": labels, "series": [series(table, key) for key in SHARES]}


def series(table: Table, key: str) -> dict[str, Any]:
    """Return a column of a table."""
    number = [column.key for column in table.columns].index(key)
    cells = [row[number] for row in table.rows]
    return {
        "key": key,
        "label": table.columns[number].label,
        "values": [cell.value for cell in cells],
        "addresses": [address_of(cell.asked) if cell.value else "" for cell in cells],
    }


def short(since: datetime, step: str) -> str:
    """Return what stands below a step."""
    return f"{since:%H:%M}" if step == "hour" else f"{since:%d %b}"
