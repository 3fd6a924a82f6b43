"""Hourly counts of the sealed record, so that a report costs the same however long the record is.

A broadcast is counted once, in the transaction that seals it and for the hour in which it was
opened; what is not sealed yet is few, and is added when a report is read. Histograms are
`domain/histogram.py`'s: a number per bucket.
"""

from django.db import models

from .configuration import AsteriskServer


class ServerHour(models.Model):
    """What became of a server's broadcasts that were opened in one hour (UTC)."""

    hour = models.DateTimeField()
    server = models.ForeignKey(AsteriskServer, models.CASCADE, related_name="+")
    claimed = models.PositiveIntegerField(default=0)
    timed_out = models.PositiveIntegerField(default=0)
    abandoned = models.PositiveIntegerField(default=0)
    no_candidates = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    failed_handovers = models.PositiveIntegerField(
        default=0, help_text="Broadcasts of which a winner could not take the call."
    )
    claim_ms = models.JSONField(default=dict, help_text="Histogram of the time to claim.")

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["hour", "server"], name="one_server_hour")]

    def __str__(self) -> str:
        return f"{self.server} {self.hour:%Y-%m-%d %H}"


class ApplicationHour(models.Model):
    """How an application fared with a server's broadcasts that were opened in one hour (UTC).

    Each count is of broadcasts: `attempted` however often, `never_answered` of those offered.
    """

    hour = models.DateTimeField()
    server = models.ForeignKey(AsteriskServer, models.CASCADE, related_name="+")
    application = models.CharField(max_length=255)
    offered = models.PositiveIntegerField(default=0)
    attempted = models.PositiveIntegerField(default=0)
    won = models.PositiveIntegerField(default=0)
    never_answered = models.PositiveIntegerField(default=0)
    failed_handovers = models.PositiveIntegerField(default=0)
    margin_ms = models.JSONField(
        default=dict, help_text="Histogram of how far behind the winner its losing claims were."
    )

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["hour", "server", "application"], name="one_application_hour"
            )
        ]

    def __str__(self) -> str:
        return f"{self.application} {self.hour:%Y-%m-%d %H}"
