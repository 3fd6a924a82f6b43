"""Hourly counts of the sealed record, so that a report costs the same however long the record is.

A broadcast is counted once, in the transaction that seals it and for the hour in which it was
opened; what is not sealed yet is few, and is added when a report is read. Histograms are
`domain/histogram.py`'s: a number per bucket.
"""

from typing import Any, Self

import orjson
from django.db import models

from broadcasts.domain.histogram import Buckets, added_up, packed

from .configuration import AsteriskServer


class Packed(models.TextField):
    """Numbers by whole number, packed as histograms are, in JSON.

    A text, as PostgreSQL takes longer to write out the JSON of a long report than all the rest.
    """

    def from_db_value(self, value: str, *_: object) -> dict[int, int]:
        return added_up([orjson.loads(value)])

    def get_prep_value(self, value: Buckets) -> Any:
        return orjson.dumps(packed(value)).decode()


class Counted(models.Model):
    """Counts of what began in one span of time, named by the column SPAN.

    COUNTS are columns with a number, NUMBERS_BY_KEY those with a number per key.
    """

    SPAN = "hour"
    KEY: tuple[str, ...] = ("hour", "server_id")
    COUNTS: tuple[str, ...] = ()
    NUMBERS_BY_KEY: tuple[str, ...] = ()

    server = models.ForeignKey(AsteriskServer, models.CASCADE, related_name="+")

    class Meta:
        abstract = True

    @property
    def key(self) -> tuple[object, ...]:
        """What this row alone counts."""
        return tuple(getattr(self, name) for name in self.KEY)

    def add(self, other: Self) -> None:
        """Add what another row has counted."""
        for name in self.COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in self.NUMBERS_BY_KEY:
            mine = getattr(self, name)
            for key, number in getattr(other, name).items():
                mine[key] = mine.get(key, 0) + number


class ServerCounts(Counted):
    """What became of a server's broadcasts."""

    COUNTS = ("claimed", "timed_out", "abandoned", "no_candidates", "failed", "failed_handovers")
    NUMBERS_BY_KEY = ("claim_ms", "timed_out_quarters")

    claimed = models.PositiveIntegerField(default=0)
    timed_out = models.PositiveIntegerField(default=0)
    abandoned = models.PositiveIntegerField(default=0)
    no_candidates = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    failed_handovers = models.PositiveIntegerField(
        default=0, help_text="Broadcasts of which a winner could not take the call."
    )
    claim_ms = Packed(default=dict, help_text="Histogram of the time to claim.")
    timed_out_quarters = Packed(
        default=dict,
        help_text="Those timed out by quarter of an hour, 0 to 95 of the day (UTC).",
    )

    class Meta:
        abstract = True


class ServerHour(ServerCounts):
    """What became of what was opened in one hour (UTC)."""

    hour = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["hour", "server"], name="one_server_hour")]

    def __str__(self) -> str:
        return f"{self.server} {self.hour:%Y-%m-%d %H}"


class ServerDay(ServerCounts):
    """The sum of a server's hours of one day (UTC): a long report reads days, not hours."""

    SPAN = "day"
    KEY = ("day", "server_id")

    day = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["day", "server"], name="one_server_day")]

    def __str__(self) -> str:
        return f"{self.server} {self.day:%Y-%m-%d}"


class ApplicationCounts(Counted):
    """How an application fared with a server's broadcasts.

    Each count is of broadcasts: `attempted` however often, `never_answered` of those offered.
    """

    COUNTS = ("offered", "attempted", "won", "never_answered", "failed_handovers")
    NUMBERS_BY_KEY = ("margin_ms",)

    application = models.CharField(max_length=255)
    offered = models.PositiveIntegerField(default=0)
    attempted = models.PositiveIntegerField(default=0)
    won = models.PositiveIntegerField(default=0)
    never_answered = models.PositiveIntegerField(default=0)
    failed_handovers = models.PositiveIntegerField(default=0)
    margin_ms = Packed(
        default=dict, help_text="Histogram of how far behind the winner its losing claims were."
    )

    class Meta:
        abstract = True


class ApplicationHour(ApplicationCounts):
    """How an application fared with what was opened in one hour (UTC)."""

    KEY = ("hour", "server_id", "application")

    hour = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "server", "application"], name="one_application_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} {self.hour:%Y-%m-%d %H}"


class ApplicationDay(ApplicationCounts):
    """The sum of an application's hours of one day (UTC)."""

    SPAN = "day"
    KEY = ("day", "server_id", "application")

    day = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["day", "server", "application"], name="one_application_day"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} {self.day:%Y-%m-%d}"
