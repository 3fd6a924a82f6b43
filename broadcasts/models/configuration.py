"""Asterisk servers and candidates' credentials, and the number that says they changed."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django.utils import timezone

from broadcasts.domain.app_filter import FilterRefused, compile_filter

from .history import ChangeHistory
from .secrets import SecretField

name_validator = RegexValidator(
    r"\A[A-Za-z0-9._-]+\Z", "Use letters, digits, dots, dashes and underscores only."
)

# Django's own validator of URLs refuses host names without a dot, which every LAN has.
address_validator = RegexValidator(
    r"\Ahttps?://[^\s/?#@]+(/[^\s?#]*)?\Z",
    "Use an address such as http://127.0.0.1:8088, without user name or query.",
)


def validate_pattern(pattern: str) -> None:
    """Raise ValidationError unless calls could use `pattern` as an app filter."""
    try:
        compile_filter(pattern)
    except FilterRefused as refusal:
        raise ValidationError(f"This pattern cannot be used: {refusal}") from refusal


class AsteriskServer(models.Model):
    """An Asterisk whose calls are broadcast.

    Dial-in: we connect to `url`. Outbound: it connects to us, and `url`, when given too, serves the
    candidates' own sockets. Keyed by our own name for it, as an Asterisk's entity id derives from a
    network address, which can collide or change.
    """

    class Kind(models.TextChoices):
        DIAL_IN = "dial_in", "We connect to Asterisk"
        OUTBOUND = "outbound", "Asterisk connects to us"

    name = models.CharField(max_length=64, unique=True, validators=[name_validator])
    kind = models.CharField(max_length=16, choices=Kind.choices, default=Kind.DIAL_IN)
    url = models.CharField(
        "address",
        max_length=255,
        blank=True,
        validators=[address_validator],
        help_text="For example http://127.0.0.1:8088 (with its prefix, when http.conf sets one).",
    )
    username = models.CharField(max_length=80)
    password = SecretField(help_text="Kept encrypted.")
    password_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    application = models.CharField(
        max_length=80,
        default="broadcast",
        help_text="The application that the dialplan names in Stasis(); never a candidate.",
    )
    enabled = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)

    history = ChangeHistory(excluded_fields=["password", "changed_at"])

    class Meta:
        ordering = ["name"]
        verbose_name = "Asterisk server"

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        """Save; of a new password the history keeps when it came, and nothing else."""
        stored = AsteriskServer.objects.filter(pk=self.pk).values_list("password", flat=True)
        if stored.first() != self.password:
            self.password_changed_at = timezone.now()
        super().save(*args, **options)

    def clean(self) -> None:
        if self.kind == self.Kind.DIAL_IN and not self.url:
            raise ValidationError({"url": "A server that we connect to needs its address."})


class AriUser(models.Model):
    """The credentials of candidate applications. Only a hash of the secret is kept."""

    name = models.CharField(max_length=80, unique=True, validators=[name_validator])
    password_hash = models.CharField(max_length=255, editable=False)
    password_changed_at = models.DateTimeField(null=True, blank=True, editable=False)
    applications = models.CharField(
        max_length=255,
        blank=True,
        validators=[validate_pattern],
        help_text="Which applications it may register and claim for: a pattern as in an app "
        "filter, such as ^ivr-; empty: any name.",
    )
    read_only = models.BooleanField(default=False)
    enabled = models.BooleanField(default=True)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    history = ChangeHistory(excluded_fields=["password_hash", "last_used_at", "changed_at"])

    class Meta:
        ordering = ["name"]
        verbose_name = "ARI user"

    def __str__(self) -> str:
        return self.name

    def set_password(self, password: str) -> None:
        """Keep a slow hash of `password`; call save() afterwards."""
        self.password_hash = make_password(password)
        self.password_changed_at = timezone.now()


class Revision(models.Model):
    """One row that counts every change of the configuration.

    Each process compares it with what it last read, so a change takes effect everywhere without a
    restart and without a query per call.
    """

    number = models.PositiveBigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return str(self.number)

    @classmethod
    def current(cls) -> int:
        """Return the number of changes so far."""
        return cls.objects.filter(pk=1).values_list("number", flat=True).first() or 0

    @classmethod
    def advance(cls) -> None:
        """Count one more change, within the transaction that makes it."""
        with transaction.atomic():
            if not cls.objects.filter(pk=1).update(number=models.F("number") + 1):
                cls.objects.get_or_create(pk=1, defaults={"number": 1})


@receiver([post_save, post_delete], sender=AsteriskServer)
@receiver([post_save, post_delete], sender=AriUser)
@receiver([post_save, post_delete], sender="broadcasts.Preset")
@receiver([post_save, post_delete], sender="broadcasts.Rule")
@receiver([post_save, post_delete], sender="broadcasts.Defaults")
def count_change(**_: object) -> None:
    Revision.advance()
