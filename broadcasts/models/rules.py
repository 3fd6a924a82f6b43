"""Rules: which preset a call gets when its dialplan gives no filter."""

from typing import Any

from django.core.exceptions import ValidationError
from django.db import models

from broadcasts.domain.dialplan_pattern import PatternRefused, compile_pattern

from .configuration import AsteriskServer
from .history import ChangeHistory
from .presets import Preset

PATTERN_HELP = (
    "Exact, or a pattern as in the dialplan: _ in front, X for 0-9, Z for 1-9, N for 2-9, [15-7], "
    "and at the end . for one or more characters or ! for any number. Empty: any."
)


def validate_dialplan_pattern(text: str) -> None:
    """Raise ValidationError unless calls could be matched with this text."""
    try:
        compile_pattern(text)
    except PatternRefused as refusal:
        raise ValidationError(str(refusal)) from refusal


class Rule(models.Model):
    """Sends calls to a preset; of all enabled rules that match a call the first one counts."""

    position = models.PositiveIntegerField(default=0, db_index=True, help_text="From 1 up.")
    name = models.CharField(max_length=64, unique=True)
    enabled = models.BooleanField(default=True)
    server = models.ForeignKey(
        AsteriskServer,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="rules",
        help_text="Empty: any.",
    )
    context = models.CharField(
        max_length=80, blank=True, help_text="The dialplan context, exactly. Empty: any."
    )
    extension = models.CharField(
        max_length=80, blank=True, validators=[validate_dialplan_pattern], help_text=PATTERN_HELP
    )
    caller = models.CharField(
        "caller's number",
        max_length=80,
        blank=True,
        validators=[validate_dialplan_pattern],
        help_text=PATTERN_HELP,
    )
    preset = models.ForeignKey(Preset, models.PROTECT, related_name="rules")
    changed_at = models.DateTimeField(auto_now=True)

    history = ChangeHistory(excluded_fields=["changed_at"])

    class Meta:
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        """Save; a new rule without a position goes behind the others."""
        if not self.position:
            last = Rule.objects.aggregate(last=models.Max("position"))["last"] or 0
            self.position = last + 1
        super().save(*args, **options)
