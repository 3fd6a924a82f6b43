"""The configuration's changes, people's accesses and the reports as tables."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from django.db.models import Model

from broadcasts.history.changes import (
    Change,
    Difference,
    entries_of,
    places,
    read_changes,
)
from broadcasts.history.columns import Column
from broadcasts.models import AccessEvent, Wanted
from broadcasts.reports.tables import ReportRefused, all_tables

from .filters import AccessFilter, ChangesFilter, filtered
from .rights import seen_changes_of
from .tables import ExportRefused, Row, Table, chosen, of_query, of_rows, zone_of

# Describing a change holds the entries before it, too.
CHANGES_AT_A_TIME = 200

CHANGES = (
    Column("at", "At"),
    Column("by", "Changed by"),
    Column("model", "Of"),
    Column("name", "Name"),
    Column("change", "Change"),
    Column("field", "Field"),
    Column("old", "Before"),
    Column("new", "After"),
    Column("reason", "Reason"),
)
ACCESSES = (
    Column("id", "Number"),
    Column("at", "At"),
    Column("event", "What happened", fields=("kind",)),
    Column("who", "Who"),
    Column("address", "From"),
    Column("detail", "Detail"),
)


def change_tables(wanted: Wanted, owner: Any) -> list[Table]:
    """Return the changes that the owner may see: a row for each field that a change has changed."""
    models = seen_changes_of(owner)
    if not models:
        raise ExportRefused("The changes of no part of the configuration may be seen.")
    histories = [entries_of(model).objects.all() for model in models]
    found = places([filtered(ChangesFilter, wanted.query, history) for history in histories])
    columns = chosen(wanted.columns, CHANGES)

    def rows() -> Iterator[Row]:
        for change in read_all(models, found):
            for row in told(change):
                yield [row[column.key] for column in columns]

    def count(limit: int | None) -> int:
        return found[:limit].count() if limit else found.count()

    return [Table("changes", "Changes", columns, rows, count)]


def read_all(models: list[type[Model]], found: Any) -> Iterator[Change]:
    """Yield all changes at these places, as many at a time as there is room for."""
    read = found.iterator(chunk_size=CHANGES_AT_A_TIME)
    while some := list(islice(read, CHANGES_AT_A_TIME)):
        yield from read_changes(models, some)


def told(change: Change) -> Iterator[dict[str, Any]]:
    """Yield a row for each field that a change has changed; one alone where it has changed none."""
    common = {
        "at": change.record.history_date,
        "by": change.record.changed_by,
        "model": change.model,
        "name": change.name,
        "change": change.kind,
        "reason": change.record.history_change_reason or "",
    }
    for one in change.differences or [Difference("", "", "")]:
        yield {**common, "field": one.label, "old": one.old, "new": one.new}


def access_tables(wanted: Wanted) -> list[Table]:
    """Return who came in, took something out or looked at numbers in full."""
    found = filtered(AccessFilter, wanted.query, AccessEvent.objects.all()).order_by("-pk").values()
    return [of_query("access", "Accesses", chosen(wanted.columns, ACCESSES), found)]


def report_tables(wanted: Wanted) -> list[Table]:
    """Return the reports of a period, each a table."""
    if wanted.columns:
        raise ExportRefused("Reports are exported with all their columns.")
    try:
        reports = all_tables(wanted.query, zone_of(wanted))
    except ReportRefused as error:
        raise ExportRefused(str(error)) from error
    return [of_report(report) for report in reports]


def of_report(report: Any) -> Table:
    columns = tuple(
        Column(one.key, one.label, unit="ms" if one.kind == "ms" else "") for one in report.columns
    )
    return of_rows(report.key, report.title, columns, report.values())
