"""The columns of a broadcast: what a page may show, an export contain and the API answer."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet

from broadcasts.models import Broadcast

from .numbers import WHOSE

Row = dict[str, Any]

# What pages and the API tell of a candidate and of a claim attempt.
CANDIDATE = ("application", "position", "reached_by", "round", "offered_at", "failed_at", "failure")
ATTEMPT = (
    *("id", "broadcast", "channel_id", "application", "user", "at", "answer", "verdict"),
    *("since_offered_ms", "behind_winner_ms"),
)


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `fields` are what it reads of the row; `usual`: shown unless chosen otherwise.

    `value` yields text, number, truth, list, aware datetime or None; `unit` says of a number what
    it counts.
    """

    key: str
    label: str
    usual: bool = False
    fields: tuple[str, ...] = ()
    read: Callable[[Row], Any] | None = None
    unit: str = ""

    @property
    def needs(self) -> tuple[str, ...]:
        return self.fields or (self.key,)

    def value(self, row: Row) -> Any:
        return self.read(row) if self.read else row[self.needs[0]]


def preset_used(row: Row) -> str:
    """Return the preset and the version that a call used, as `@name (version 3)`."""
    if not row["preset_name"]:
        return ""
    return f"@{row['preset_name']} (version {row['preset_version']})"


ALL = (
    Column("opened_at", "Offered at", usual=True),
    Column("status", "Status", usual=True),
    Column("caller", "Caller", usual=True, fields=("caller_number",)),
    Column("caller_name", "Caller's name"),
    Column("called", "Called", usual=True),
    Column("candidates", "Candidates", usual=True, fields=("candidate_count",)),
    Column("winner", "Winner", usual=True),
    Column("claim_ms", "Time to claim", usual=True, unit="ms"),
    Column("stasis_status", "STASISSTATUS", usual=True),
    Column("talk_ms", "Winner's session", usual=True, unit="ms"),
    Column("server", "Server", fields=("server_name",)),
    Column(
        "preset", "Preset", fields=("preset_name", "preset_version"), read=preset_used, usual=True
    ),
    Column("rule", "Rule", fields=("rule_name",)),
    Column("reason", "Reason"),
    Column("warnings", "Warnings"),
    Column("id", "Number"),
    Column("channel_id", "Channel id"),
    Column("channel_name", "Channel"),
    Column("context", "Context"),
    Column("app_filter", "App filter"),
    Column("timeout_ms", "Time-out", unit="ms"),
    Column("app_args", "Arguments for the winner"),
    Column("notify_claimed", "Candidates told who won"),
    Column("arguments_given", "Arguments given"),
    Column("rounds", "Rounds"),
    Column("round", "Last round"),
    Column("deadline", "Deadline"),
    Column("claimed_at", "Claimed at"),
    Column("handed_over_at", "Handed over at"),
    Column("ended_at", "Ended at"),
    Column("hung_up_at", "Hung up at"),
    Column("hangup_cause", "Hang-up cause"),
    Column("hangup_cause_text", "Hang-up cause in words"),
    Column("asterisk_id", "Asterisk's id"),
    Column("channel", "Channel as Asterisk described it"),
    Column("seal", "Seal"),
    Column("pseudonymised", "Pseudonyms"),
)
BY_KEY = {column.key: column for column in ALL}
USUAL = tuple(column for column in ALL if column.usual)

# What every row is read with: what it is, and what private texts are known by.
ALWAYS = ("id", "opened_at", *WHOSE)


def chosen(keys: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of these keys in their order; the usual ones when there is none.

    Raises:
        KeyError: there is no column of that key.
    """
    return tuple(BY_KEY[key] for key in dict.fromkeys(keys)) or USUAL


def read(broadcasts: "QuerySet[Broadcast]", columns: Iterable[Column]) -> "QuerySet[Any]":
    """Return a query of rows (dicts) with what these columns need."""
    needed = [field for column in columns for field in column.needs]
    if "server_name" in needed:
        broadcasts = broadcasts.annotate(server_name=F("server__name"))
    return broadcasts.values(*dict.fromkeys([*ALWAYS, *needed]))
