"""Who came in, took something out, or looked at numbers in full. Append-only."""

from typing import Any

from django.db import models
from django.utils import timezone


class AccessEvent(models.Model):
    """One sign-in, export, unmasking or the like."""

    class Kind(models.TextChoices):
        SIGN_IN = "sign_in", "signed in"
        SIGN_IN_FAILED = "sign_in_failed", "failed to sign in"
        SIGN_OUT = "sign_out", "signed out"
        EXPORT = "export", "exported"
        DOWNLOAD = "download", "downloaded an export"
        UNMASK = "unmask", "unmasked numbers"
        TOKEN = "token", "made an API token"
        TOKEN_END = "token_end", "ended an API token"
        RETENTION = "retention", "removed old records"
        PSEUDONYMS = "pseudonyms", "replaced numbers by pseudonyms"

    at = models.DateTimeField()
    kind = models.CharField(max_length=16, choices=Kind.choices)
    who = models.CharField(
        max_length=150,
        blank=True,
        help_text="The name, which outlives the account; none where a sign-in failed with a name "
        "that nobody had, as people type passwords there, too.",
    )
    address = models.CharField(max_length=45, blank=True, help_text="Where they came from.")
    detail = models.JSONField(default=dict, blank=True)

    class Meta:
        verbose_name, verbose_name_plural = "access", "accesses"
        ordering = ["-pk"]
        default_permissions = ["view"]
        indexes = [models.Index(fields=["-at"], name="access_by_time")]

    def __str__(self) -> str:
        return f"{self.who} {self.get_kind_display()}"

    @classmethod
    def note(cls, kind: Kind, who: Any, address: str = "", **detail: Any) -> "AccessEvent":
        """Record what somebody did just now; `detail` has to be JSON and free of secrets."""
        return cls.objects.create(
            at=timezone.now(), kind=kind, who=str(who)[:150], address=address, detail=detail
        )
