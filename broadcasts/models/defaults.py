"""Defaults: what counts where neither the dialplan nor a preset says anything."""

from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Coalesce

from broadcasts.domain.arguments import MAX_TIMEOUT_MS

from .configuration import AsteriskServer
from .history import ChangeHistory
from .presets import Preset


class Defaults(models.Model):
    """The defaults of one Asterisk server or, without a server, of the whole installation.

    An empty field leaves it to the next layer: a server's to the installation's, and those to the
    settings that the environment gives (`BROADCAST_*`).
    """

    server = models.OneToOneField(
        AsteriskServer,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="defaults",
        help_text="Empty: the whole installation.",
    )
    timeout_ms = models.PositiveIntegerField(
        "time-out (ms)", null=True, blank=True, validators=[MaxValueValidator(MAX_TIMEOUT_MS)]
    )
    notify_claimed = models.BooleanField("tell the candidates who won", null=True, blank=True)
    on_failed_handover = models.CharField(
        "when the winner cannot take the call",
        max_length=16,
        blank=True,
        choices=Preset._meta.get_field("on_failed_handover").choices,
    )
    handover_ms = models.PositiveIntegerField(
        "a winner may take this long to appear (ms)",
        null=True,
        blank=True,
        validators=[MaxValueValidator(MAX_TIMEOUT_MS)],
    )
    rescue = models.BooleanField(
        "offer the call of a winner whose socket is lost again", null=True, blank=True
    )
    any_name_may_claim = models.BooleanField(
        null=True, blank=True, help_text="As natively, even a name that was not offered the call."
    )
    bad_filter_admits_all = models.BooleanField(
        null=True, blank=True, help_text="As natively, a filter that cannot be used is ignored."
    )
    preset = models.ForeignKey(
        Preset,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="For calls whose dialplan gives no filter and that no rule matches.",
    )
    changed_at = models.DateTimeField(auto_now=True)

    history = ChangeHistory(excluded_fields=["changed_at"])

    class Meta:
        ordering = [models.F("server__name").asc(nulls_first=True)]
        verbose_name = verbose_name_plural = "defaults"
        constraints = [
            # Nulls are distinct to a plain unique column.
            models.UniqueConstraint(Coalesce("server", 0), name="one_row_of_defaults_per_server")
        ]

    def __str__(self) -> str:
        return self.server.name if self.server else "Whole installation"

    @classmethod
    def of_installation(cls) -> "Defaults":
        """Return the installation's row, made when there is none yet."""
        return cls.objects.get_or_create(server=None)[0]
