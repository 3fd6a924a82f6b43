"""What the live board shows, read from the record.

A look takes a fixed number of bounded queries, whatever the traffic.
"""

import statistics
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.core.cache import cache
from django.db.models import Count

from broadcasts.domain.lifecycle import Status
from broadcasts.domain.numbers import masked
from broadcasts.history.numbers import Show
from broadcasts.history.running import connected_applications, read_links
from broadcasts.models import Broadcast, Candidate

WINDOW = timedelta(minutes=15)
RECENT_LIMIT = 100
WAITING_LIMIT = 12
NAMES_SHOWN = 3
APPLICATION_LIMIT = 200

# The counts of a busy quarter of an hour are the one costly query: all viewers of a process share
# its answer for this long.
SUMMARY_SECONDS = 2
LATENCY_SAMPLE = 1000

COLUMNS = (
    "id",
    "server__name",
    "channel_name",
    "caller_number",
    "caller_name",
    "called",
    "candidate_count",
    "opened_at",
    "deadline",
    "status",
    "reason",
    "warnings",
    "stasis_status",
    "winner",
    "claim_ms",
    "handed_over_at",
    "ended_at",
    "talk_ms",
)

Row = dict[str, Any]


def read(now: datetime, show: Show = masked) -> dict[str, Any]:
    """Return everything that the board shows to one viewer, ready for JSON."""
    waiting = Broadcast.objects.open()
    longest = list(waiting.order_by("opened_at", "pk").values(*COLUMNS)[:WAITING_LIMIT])
    recent = list(
        Broadcast.objects.filter(opened_at__gt=now - WINDOW)
        .order_by("-opened_at", "-pk")
        .values(*COLUMNS)[:RECENT_LIMIT]
    )
    rows = {row["id"]: row for row in (*longest, *recent)}
    names = offered_names(rows)
    return {
        "now": now,
        "summary": {
            Status.OPEN.value: waiting.count(),
            **cache.get_or_set("board.summary", lambda: read_summary(now), SUMMARY_SECONDS),
        },
        "waiting": [row["id"] for row in longest],
        "recent": [row["id"] for row in recent],
        "rows": [shown(show(row), names[row["id"]]) for row in rows.values()],
        "links": read_links(now),
        "applications": read_applications(now),
    }


def offered_names(ids: Iterable[int]) -> dict[int, list[str]]:
    """Return the first few applications that each broadcast was offered to."""
    names: dict[int, list[str]] = defaultdict(list)
    for broadcast_id, application in (
        Candidate.objects.filter(broadcast_id__in=ids, position__lte=NAMES_SHOWN)
        .order_by("broadcast_id", "position")
        .values_list("broadcast_id", "application")
    ):
        names[broadcast_id].append(application)
    return names


def shown(row: Row, names: list[str]) -> Row:
    """Return a broadcast as the board shows it; durations in milliseconds."""
    return {
        "id": row["id"],
        "opened_at": row["opened_at"],
        "deadline": row["deadline"],
        "caller": row["caller_number"] or row["caller_name"],
        "caller_name": row["caller_name"] if row["caller_number"] else "",
        "called": row["called"],
        "channel": row["channel_name"],
        "server": row["server__name"],
        "offered": names,
        "offered_more": row["candidate_count"] - len(names),
        "winner": row["winner"],
        "claim_ms": row["claim_ms"],
        "status": row["status"],
        "stage": stage(row),
        "talk_ms": row["talk_ms"],
        "stasis_status": row["stasis_status"],
        "reason": row["reason"],
        "warnings": row["warnings"],
    }


def stage(row: Row) -> str:
    """Say where a claimed call is; "" for any other."""
    if row["status"] != Status.CLAIMED:
        return ""
    if row["ended_at"]:
        return "ended"
    return "in call" if row["handed_over_at"] else "handing over"


def read_summary(now: datetime) -> dict[str, Any]:
    """Count the window's broadcasts by status; take the median latency of its latest claims."""
    window = Broadcast.objects.filter(opened_at__gt=now - WINDOW)
    counts = dict(window.order_by().values_list("status").annotate(Count("pk")))
    claims = window.filter(claim_ms__isnull=False).order_by("-opened_at")
    latencies = list(claims.values_list("claim_ms", flat=True)[:LATENCY_SAMPLE])
    return {
        **{status.value: counts.get(status, 0) for status in Status if status is not Status.OPEN},
        "median_claim_ms": statistics.median(latencies) if latencies else None,
    }


def read_applications(now: datetime) -> dict[str, Any]:
    """Return the connected candidate applications, at most APPLICATION_LIMIT by name."""
    connected = connected_applications(now)
    listed = connected.order_by("application", "server__name").values(
        "application", "server__name", "user", "since"
    )[:APPLICATION_LIMIT]
    return {
        "count": connected.count(),
        "listed": [
            {
                "name": presence["application"],
                "server": presence["server__name"],
                "user": presence["user"],
                "since": presence["since"],
            }
            for presence in listed
        ],
    }
