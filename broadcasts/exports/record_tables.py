"""The record as tables: the broadcasts that a filter finds, and what belongs to them."""

from typing import Any

from django.db.models import CharField, Exists, F, JSONField, OuterRef

from broadcasts.history import columns as history
from broadcasts.history.columns import Column
from broadcasts.history.filters import BroadcastFilter
from broadcasts.history.numbers import WHOSE, Show, part_shown
from broadcasts.models import Broadcast, Candidate, ClaimAttempt, Wanted

from .filters import filtered
from .tables import Table, chosen, of_query

CANDIDATES = (
    Column("broadcast", "Broadcast", fields=("broadcast_id",)),
    Column("application", "Application"),
    Column("position", "Place in the order of delivery"),
    Column("reached_by", "Reached by"),
    Column("round", "Round"),
    Column("offered_at", "Offered at"),
    Column("failed_at", "Hand-over failed at"),
    Column("failure", "Failure"),
)
ATTEMPTS = (
    Column("id", "Number"),
    Column("broadcast", "Broadcast", fields=("broadcast_id",)),
    Column("channel_id", "Channel id"),
    Column("application", "Application"),
    Column("user", "ARI user"),
    Column("at", "At"),
    Column("answer", "Answer"),
    Column("verdict", "Verdict"),
    Column("since_offered_ms", "Since the offer", unit="ms"),
    Column("behind_winner_ms", "Behind the winner", unit="ms"),
)
# Numbers, times, truths, and words of ours.
WITHOUT_TEXT = {
    field.name
    for field in Broadcast._meta.fields
    if field.choices or not isinstance(field, CharField | JSONField)
}


def record_tables(wanted: Wanted, show: Show) -> list[Table]:
    """Return the broadcasts with the columns chosen; with none chosen, all there is about them."""
    found = filtered(BroadcastFilter, wanted.query, Broadcast.objects.all())
    columns = chosen(wanted.columns, history.ALL)
    ordered = history.read(found.order_by("-opened_at", "-id"), columns)
    tables = [of_query("broadcasts", "Broadcasts", columns, ordered, in_place(show, columns))]
    if not wanted.columns:
        tables += related(found, show, everything=is_everything(wanted))
    return tables


def in_place(show: Show, columns: tuple[Column, ...]) -> Show:
    """Return what shows a row by way of its texts alone; the rest can hold no private text."""
    needed = {field for column in columns for field in column.needs} | {*WHOSE}
    texts = tuple(needed - WITHOUT_TEXT)

    def shown(row: Any) -> Any:
        row.update(show({name: row[name] for name in texts}))
        return row

    return shown


def is_everything(wanted: Wanted) -> bool:
    """Whether nothing is left out: all columns of all broadcasts of any time."""
    asked = {name: values for name, values in wanted.query.items() if any(values)}
    return not wanted.columns and asked == {"period": ["all"]}


def related(found: Any, show: Show, everything: bool) -> list[Table]:
    """Return the candidates and attempts of broadcasts; of everything, also attempts of none."""
    candidates, attempts = Candidate.objects.all(), ClaimAttempt.objects.all()
    if not everything:
        parents = Exists(found.filter(pk=OuterRef("broadcast_id")))
        candidates, attempts = candidates.filter(parents), attempts.filter(parents)
    candidates = values(candidates.order_by("-broadcast_id", "-application"), CANDIDATES)
    whose = {name: F(f"broadcast__{name}") for name in WHOSE}
    return [
        of_query(
            "candidates", "Candidates", CANDIDATES, candidates.annotate(**whose), failures(show)
        ),
        of_query("attempts", "Claim attempts", ATTEMPTS, values(attempts.order_by("pk"), ATTEMPTS)),
    ]


def failures(show: Show) -> Show:
    """Return what shows a candidate, whose failure alone can hold a private text."""
    return lambda row: part_shown(row, row, show) if row["failure"] else row


def values(found: Any, columns: tuple[Column, ...]) -> Any:
    """Return a query of dicts with what these columns need."""
    return found.values(*[field for column in columns for field in column.needs])
