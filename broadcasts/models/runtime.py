"""Who is running now: processes, their links, the candidates connected to them; who was."""

from uuid import UUID

from django.db import models

from .configuration import AsteriskServer


class Process(models.Model):
    """A process of this service. One that has not been seen for a while is dead."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=255)
    pid = models.PositiveIntegerField()
    started_at = models.DateTimeField()
    seen_at = models.DateTimeField()

    class Meta:
        default_permissions = ["view"]

    def __str__(self) -> str:
        return f"{self.host}:{self.pid}"


class LinkLease(models.Model):
    """Which process may act for a server, until when, and how its link is doing."""

    server = models.OneToOneField(
        AsteriskServer, models.CASCADE, primary_key=True, related_name="lease"
    )
    holder = models.UUIDField(null=True)
    expires_at = models.DateTimeField()
    connected_since = models.DateTimeField(null=True)
    asterisk_version = models.CharField(max_length=80, blank=True)
    rest_over_socket = models.BooleanField(null=True)
    last_error = models.CharField(max_length=255, blank=True)

    class Meta:
        default_permissions = ["view"]

    def __str__(self) -> str:
        return f"{self.server} held by {self.holder}"


class Presence(models.Model):
    """A candidate application that is connected, and to which process and server."""

    process = models.ForeignKey(Process, models.CASCADE, related_name="presences")
    server = models.ForeignKey(AsteriskServer, models.CASCADE, related_name="presences")
    application = models.CharField(max_length=255)
    user = models.CharField(max_length=80)
    since = models.DateTimeField()

    class Meta:
        default_permissions = ["view"]
        constraints = [
            models.UniqueConstraint(
                fields=["process", "server", "application"],
                name="one_presence_per_application",
            )
        ]

    def __str__(self) -> str:
        return self.application


class ConnectionQuerySet(models.QuerySet["Connection"]):
    """Names the states of a connection."""

    def current(self, process_id: UUID) -> "ConnectionQuerySet":
        """Those of a process that have not ended."""
        return self.filter(process=process_id, until__isnull=True)


class Connection(models.Model):
    """The time for which a candidate application was connected to a process, for a server.

    Kept when it is over, so that later one can tell whom a filter would have reached. Without an
    end it goes on, or its process died and no other has noticed yet.
    """

    server = models.ForeignKey(AsteriskServer, models.CASCADE, related_name="connections")
    application = models.CharField(max_length=255)
    user = models.CharField(max_length=80)
    process = models.UUIDField(help_text="Its own row is gone once it ends.")
    since = models.DateTimeField()
    until = models.DateTimeField(null=True, blank=True)

    objects = ConnectionQuerySet.as_manager()

    class Meta:
        default_permissions = ["view"]
        indexes = [
            models.Index(fields=["until"], name="connection_by_end"),
            models.Index(fields=["process"], name="connection_by_process"),
        ]

    def __str__(self) -> str:
        return self.application
