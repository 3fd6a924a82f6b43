"""The record: broadcasts, the candidates they were offered to, and every claim attempt.

Append-only but for the columns that the lifecycle moves. The ledger alone writes it.
"""

from django.db import models
from django.db.models import Q

from broadcasts.domain.lifecycle import StasisStatus, Status
from broadcasts.domain.verdict import Verdict

from .configuration import AsteriskServer


def choices(enum: type[Status] | type[StasisStatus] | type[Verdict]) -> list[tuple[str, str]]:
    """Return an enumeration of the domain as Django's choices."""
    return [(member.value, member.value.replace("_", " ")) for member in enum]


class BroadcastQuerySet(models.QuerySet["Broadcast"]):
    """Names the states of a broadcast."""

    def live(self) -> "BroadcastQuerySet":
        """Neither ended nor given back: waiting for a claim, or with a winner."""
        return self.filter(ended_at__isnull=True)

    def open(self) -> "BroadcastQuerySet":
        """Waiting for a claim."""
        return self.live().filter(status=Status.OPEN)

    def with_winner(self) -> "BroadcastQuerySet":
        """Claimed, and the winner's session not over."""
        return self.live().filter(status=Status.CLAIMED)

    def of_channel(self, server_id: int, channel_id: str) -> "BroadcastQuerySet":
        """Every broadcast of one channel, newest first."""
        return self.filter(server_id=server_id, channel_id=channel_id).order_by("-pk")

    def newest_first(self) -> "BroadcastQuerySet":
        return self.order_by("-pk")


class Broadcast(models.Model):
    """One call offered to the candidates that its filter admits, and what became of it."""

    # Its index is broadcast_by_server.
    server = models.ForeignKey(
        AsteriskServer, models.PROTECT, related_name="broadcasts", db_index=False
    )
    channel_id = models.CharField(max_length=150)
    channel_name = models.CharField(max_length=255)
    caller_number = models.CharField(max_length=80, blank=True)
    caller_name = models.CharField(max_length=80, blank=True)
    called = models.CharField(max_length=80, blank=True)
    context = models.CharField(max_length=80, blank=True)
    asterisk_id = models.CharField(max_length=80, blank=True)
    channel = models.JSONField(help_text="The channel as Asterisk described it at its entry.")

    arguments_given = models.JSONField(help_text="As StasisStart carried them.")
    timeout_ms = models.PositiveIntegerField()
    app_filter = models.CharField(max_length=1024, blank=True)
    app_args = models.JSONField(default=list)
    notify_claimed = models.BooleanField(default=False)
    warnings = models.JSONField(default=list)
    preset_name = models.CharField(max_length=64, blank=True)
    preset_version = models.PositiveIntegerField(null=True, blank=True)
    rule_name = models.CharField(
        max_length=64, blank=True, help_text="The rule that chose the preset."
    )
    rounds = models.JSONField(
        default=list,
        help_text="Of several, each one's app_filter and timeout_ms; a single one is the columns "
        "of these names, which otherwise keep the first filter and the sum.",
    )

    opened_at = models.DateTimeField()
    deadline = models.DateTimeField()
    candidate_count = models.PositiveIntegerField(default=0)
    round = models.PositiveSmallIntegerField(default=1, help_text="The last one that began.")

    # The lifecycle moves only what follows.
    status = models.CharField(max_length=16, choices=choices(Status), default=Status.OPEN)
    reason = models.CharField(max_length=255, blank=True)
    stasis_status = models.CharField(max_length=8, choices=choices(StasisStatus), blank=True)
    winner = models.CharField(max_length=255, blank=True)
    claimed_at = models.DateTimeField(null=True, blank=True)
    claim_ms = models.FloatField(
        "time to claim",
        null=True,
        blank=True,
        help_text="Milliseconds from the offer to the winning claim.",
    )
    handed_over_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    talk_ms = models.PositiveBigIntegerField(null=True, blank=True)
    hung_up_at = models.DateTimeField(null=True, blank=True)
    hangup_cause = models.PositiveSmallIntegerField(null=True, blank=True)
    hangup_cause_text = models.CharField(max_length=80, blank=True)

    # What becomes of a finished record: it is sealed, then its numbers go, and in the end itself.
    seal = models.PositiveBigIntegerField(
        null=True, blank=True, editable=False, help_text="Its place in the chain of the record."
    )
    pseudonymised = models.BooleanField(
        default=False, editable=False, help_text="The caller's number and name are pseudonyms."
    )

    objects = BroadcastQuerySet.as_manager()

    class Meta:
        ordering = ["-pk"]
        default_permissions = ["view"]
        permissions = [
            ("export_record", "Can export the record"),
            ("unmask_numbers", "Can see callers' numbers in full"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["server", "channel_id"],
                condition=Q(ended_at__isnull=True),
                name="one_live_broadcast_per_channel",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.OPEN, ended_at__isnull=False),
                name="an_ended_broadcast_is_not_open",
            ),
            models.CheckConstraint(
                condition=~Q(status=Status.CLAIMED) | ~Q(winner=""),
                name="a_claimed_broadcast_names_its_winner",
            ),
        ]
        indexes = [
            models.Index(
                fields=["channel_id", "server", "-opened_at"], name="broadcast_by_channel"
            ),
            models.Index(fields=["server", "-opened_at"], name="broadcast_by_server"),
            # What most pages filter by can be told from the index, without reading the rows.
            models.Index(
                fields=["-opened_at", "status", "server", "claim_ms"], name="broadcast_by_time"
            ),
            # Those that were missed are few, and looked for in the whole record. A claim, which
            # must be fast, does not touch this one.
            models.Index(
                fields=["status", "-opened_at"],
                condition=~Q(status__in=[Status.OPEN, Status.CLAIMED]),
                name="broadcast_missed",
            ),
            models.Index(fields=["caller_number", "-opened_at"], name="broadcast_by_caller"),
            models.Index(fields=["called", "-opened_at"], name="broadcast_by_called"),
            models.Index(
                fields=["winner", "-opened_at"], condition=~Q(winner=""), name="broadcast_by_winner"
            ),
            models.Index(
                fields=["preset_name", "-opened_at"],
                condition=~Q(preset_name=""),
                name="broadcast_by_preset",
            ),
            models.Index(
                fields=["ended_at"], condition=Q(seal__isnull=True), name="broadcast_unsealed"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.channel_name} ({self.get_status_display()})"


class Candidate(models.Model):
    """An application that was offered a broadcast."""

    class ReachedBy(models.TextChoices):
        SOCKET = "socket", "its own socket"
        LINK = "link", "Asterisk's outbound socket"

    # Its unique constraint finds the candidates of a broadcast: no further index is needed.
    broadcast = models.ForeignKey(
        Broadcast, models.CASCADE, related_name="candidates", db_index=False
    )
    application = models.CharField(max_length=255)
    position = models.PositiveIntegerField(help_text="Place in the shuffled order of delivery.")
    reached_by = models.CharField(max_length=8, choices=ReachedBy.choices)
    round = models.PositiveSmallIntegerField(default=1)
    offered_at = models.DateTimeField()
    failed_at = models.DateTimeField(null=True, blank=True)
    failure = models.CharField(max_length=255, blank=True)

    class Meta:
        ordering = ["broadcast", "position"]
        default_permissions = ["view"]
        constraints = [
            models.UniqueConstraint(
                fields=["broadcast", "application"], name="one_candidate_per_application"
            )
        ]
        indexes = [
            models.Index(fields=["application", "-broadcast"], name="candidate_by_application"),
            models.Index(
                fields=["application", "-broadcast"],
                condition=Q(failed_at__isnull=False),
                name="candidate_failed",
            ),
        ]

    def __str__(self) -> str:
        return self.application


class ClaimAttempt(models.Model):
    """One claim, the answer it was given, and why."""

    broadcast = models.ForeignKey(
        Broadcast, models.CASCADE, related_name="attempts", null=True, blank=True
    )
    channel_id = models.CharField(max_length=150, help_text="As the claim named it.")
    application = models.CharField(max_length=255)
    user = models.CharField(max_length=80, help_text="Whose credentials made the claim.")
    at = models.DateTimeField()
    answer = models.PositiveSmallIntegerField(help_text="HTTP status.")
    verdict = models.CharField(max_length=16, choices=choices(Verdict))
    since_offered_ms = models.FloatField(null=True, blank=True)
    behind_winner_ms = models.FloatField(null=True, blank=True)

    class Meta:
        ordering = ["pk"]
        default_permissions = ["view"]
        indexes = [
            models.Index(fields=["application", "-broadcast"], name="attempt_by_application"),
            models.Index(
                fields=["id"], condition=Q(broadcast__isnull=True), name="attempt_without_broadcast"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.application}: {self.answer}"
