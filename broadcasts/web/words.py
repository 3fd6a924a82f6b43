"""Times, durations and periods in words, as every page says them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone

from broadcasts.history.filters import PERIODS, POINTED, USUAL_PERIOD

# Below so many milliseconds, tenths of one are told.
FINE = 100
SECOND, MINUTE, HOUR = 1000, 60_000, 3_600_000


def duration(ms: float | None) -> str:
    """Return milliseconds as people read them: `12.5 ms`, `3.20 s`, `9:58 min`, `1:04:10 h`."""
    if ms is None:
        return ""
    if ms < SECOND:
        return f"{ms:.1f} ms" if ms < FINE else f"{ms:.0f} ms"
    if ms < MINUTE:
        return f"{ms / SECOND:.2f} s"
    seconds = round(ms / SECOND)
    if ms < HOUR:
        return f"{seconds // 60}:{seconds % 60:02} min"
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02} h"


def thousands(count: int) -> str:
    """Return a number as people read it: `20,000`."""
    return f"{count:,}"


def rows(count: int) -> str:
    """Return how many rows: `1 row`, `20,000 rows`."""
    return "1 row" if count == 1 else f"{thousands(count)} rows"


def moment(at: datetime) -> str:
    """Return a time in the current zone, to the second."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M:%S}"


def minute(at: datetime) -> str:
    """Return a time in the current zone, to the minute."""
    return f"{timezone.localtime(at):%Y-%m-%d %H:%M}"


def exact(at: datetime) -> str:
    """Return a time in the current zone, to the millisecond."""
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]


def zone_in_words() -> str:
    """Return the current zone and how far it is ahead of UTC: `Europe/Berlin (UTC+01:00)`."""
    zone, ahead = str(timezone.get_current_timezone()), f"{timezone.localtime():%z}"
    return zone if zone == "UTC" else f"{zone} (UTC{ahead[:3]}:{ahead[3:5]})"


def period_in_words(asked: Mapping[str, Any]) -> str:
    """Say which time the history is of, given what was asked for."""
    period, since, until = (asked.get(name) for name in ("period", "since", "until"))
    if not (period or since or until):
        period = "all" if any(asked.get(name) for name in POINTED) else USUAL_PERIOD
    label, length = PERIODS.get(period, ("", None))
    said = [f"{label}, since {moment(timezone.now() - length)}"] if length else []
    said += [f"from {moment(since)}"] if since else []
    said += [f"before {moment(until)}"] if until else []
    words = ", ".join(said) or PERIODS["all"][0]
    return words[0].upper() + words[1:]
