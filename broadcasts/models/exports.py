"""What people keep for themselves and take out: saved filters, exports, scheduled reports."""

from uuid import uuid4

from django.conf import settings
from django.db import models
from django.db.models import Q


class SavedFilterQuerySet(models.QuerySet["SavedFilter"]):
    """Names whose filters somebody sees."""

    def seen_by(self, user: models.Model) -> "SavedFilterQuerySet":
        """Their own, and those that others share."""
        return self.filter(Q(owner=user) | Q(shared=True))


class SavedFilter(models.Model):
    """A filter of the history or of the reports, with the columns chosen, under a name."""

    class Page(models.TextChoices):
        HISTORY = "history", "history"
        REPORTS = "reports", "reports"

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="saved_filters"
    )
    name = models.CharField(max_length=80)
    page = models.CharField(max_length=16, choices=Page.choices, default=Page.HISTORY)
    query = models.JSONField(default=dict, help_text="The form's values, a list for each name.")
    columns = models.JSONField(default=list, help_text="Keys of columns, in order; empty: usual.")
    shared = models.BooleanField(default=False, help_text="Everybody who sees the page sees it.")
    changed_at = models.DateTimeField(auto_now=True)

    objects = SavedFilterQuerySet.as_manager()

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "page", "name"], name="one_saved_filter_per_name"
            )
        ]

    def __str__(self) -> str:
        return self.name


class Wanted(models.Model):
    """What is to be exported and how: shared by an export and by a schedule of them."""

    class Kind(models.TextChoices):
        RECORD = "record", "broadcasts"
        CHANGES = "changes", "changes of configuration"
        ACCESS = "access", "sign-ins, exports and unmaskings"
        REPORTS = "reports", "reports"

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        JSON_LINES = "jsonl", "JSON Lines"
        XLSX = "xlsx", "Excel (XLSX)"

    class Header(models.TextChoices):
        LABELS = "labels", "column titles"
        KEYS = "keys", "column keys"
        NONE = "none", "no header"

    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.RECORD)
    format = models.CharField(max_length=8, choices=Format.choices, default=Format.CSV)
    query = models.JSONField(default=dict, help_text="The form's values, a list for each name.")
    columns = models.JSONField(default=list, help_text="Keys of columns, in order; empty: all.")
    header = models.CharField(max_length=8, choices=Header.choices, default=Header.LABELS)
    zone = models.CharField(max_length=64, default="UTC", help_text="Time zone of the times.")
    unmasked = models.BooleanField(default=False, help_text="With callers' numbers in full.")

    class Meta:
        abstract = True


class Schedule(Wanted):
    """An export made again and again, with its owner's rights at the time it is made."""

    class Every(models.TextChoices):
        DAY = "day", "every day"
        WEEK = "week", "every week"
        MONTH = "month", "every month"

    class Delivery(models.TextChoices):
        MAIL = "mail", "by mail"
        FOLDER = "folder", "to the reports folder"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="schedules")
    name = models.CharField(max_length=80)
    every = models.CharField(max_length=8, choices=Every.choices, default=Every.DAY)
    day = models.PositiveSmallIntegerField(
        default=1,
        help_text="Of the week (1 is Monday) or of the month; the last one if it has less.",
    )
    at = models.TimeField(help_text="In the schedule's own time zone.")
    delivery = models.CharField(max_length=8, choices=Delivery.choices, default=Delivery.MAIL)
    recipients = models.TextField(blank=True, help_text="Mail addresses, separated by commas.")
    enabled = models.BooleanField(default=True)
    next_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.CharField(max_length=255, blank=True, editable=False)

    class Meta:
        ordering = ["name"]
        default_permissions = ()
        indexes = [models.Index(fields=["next_at"], condition=Q(enabled=True), name="schedule_due")]

    def __str__(self) -> str:
        return self.name


class Export(Wanted):
    """A package that somebody asked for: waiting, being made, or there until it expires."""

    class State(models.TextChoices):
        WAITING = "waiting", "waiting"
        RUNNING = "running", "being made"
        DONE = "done", "ready"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="exports")
    schedule = models.ForeignKey(
        Schedule, models.SET_NULL, null=True, blank=True, related_name="exports"
    )
    state = models.CharField(max_length=16, choices=State.choices, default=State.WAITING)
    error = models.CharField(max_length=255, blank=True)
    asked_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(
        null=True, blank=True, help_text="When its maker last said how far it is."
    )
    finished_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    rows_total = models.PositiveBigIntegerField(null=True, blank=True)
    rows_done = models.PositiveBigIntegerField(default=0)
    size = models.PositiveBigIntegerField(default=0, help_text="Of the package, in bytes.")
    sha256 = models.CharField(max_length=64, blank=True, help_text="Of the package.")
    needs = models.JSONField(
        default=list, help_text="The permissions that its package was made with, and takes."
    )

    class Meta:
        ordering = ["-asked_at"]
        default_permissions = ()
        indexes = [
            models.Index(
                fields=["asked_at"],
                condition=Q(state__in=["waiting", "running"]),
                name="export_unfinished",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} ({self.get_state_display()})"
