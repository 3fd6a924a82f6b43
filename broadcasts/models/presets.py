"""Presets: app filters with a name, in one round or several, and what goes with them."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import Q

from broadcasts.domain.policy import OnFailedHandover
from broadcasts.domain.presets import PresetRefused, read_preset_args, read_rounds

from .configuration import name_validator
from .history import ChangeHistory


def one_open_round() -> list[dict[str, Any]]:
    """Return the rounds of a preset that admits everybody, within the default time-out."""
    return [{"app_filter": "", "timeout_ms": None}]


class Preset(models.Model):
    """What a call gets that names it as `@name` in the filter's place, or that a rule sends here.

    Its rounds are part of the row, so that a version is one thing and can be restored as one.
    """

    name = models.CharField(
        max_length=64,
        unique=True,
        validators=[name_validator],
        help_text="The dialplan names it with an @ in front, in the filter's place.",
    )
    description = models.TextField(blank=True)
    rounds = models.JSONField(
        default=one_open_round,
        help_text="A list of rounds, each with app_filter and timeout_ms (milliseconds). Whoever "
        "an earlier round was offered to may still claim in a later one. A single round may leave "
        "timeout_ms empty: the default counts.",
    )
    args = models.CharField(
        "arguments for the winner",
        max_length=1024,
        blank=True,
        help_text="As in the dialplan, separated by colons: sales:priority-high",
    )
    notify_claimed = models.BooleanField(
        "tell the candidates who won", null=True, blank=True, help_text="Unknown: the default."
    )
    on_failed_handover = models.CharField(
        "when the winner cannot take the call",
        max_length=16,
        blank=True,
        choices=[
            (OnFailedHandover.OFFER_AGAIN.value, "Offer it to the others again"),
            (OnFailedHandover.RETURN.value, "Send it back to the dialplan"),
        ],
        help_text="Empty: the default.",
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    changed_at = models.DateTimeField(auto_now=True)

    history = ChangeHistory(excluded_fields=["changed_at"])

    CONTENT = ("name", "description", "rounds", "args", "notify_claimed", "on_failed_handover")

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def save(self, *args: Any, **options: Any) -> None:
        """Save what has changed as a new version; a save that changes nothing makes none."""
        with transaction.atomic():
            stored = Preset.objects.select_for_update().filter(pk=self.pk).first()
            if stored and all(getattr(stored, key) == getattr(self, key) for key in self.CONTENT):
                return
            Preset.count_versions([self])
            super().save(*args, **options)

    def clean(self) -> None:
        """Judge rounds and arguments with the code that judges them for a call."""
        faults = {}
        try:
            self.rounds = [asdict(one) for one in read_rounds(self.rounds)]
        except PresetRefused as refusal:
            faults["rounds"] = refusal.faults
        try:
            read_preset_args(self.args)
        except PresetRefused as refusal:
            faults["args"] = refusal.faults
        if faults:
            raise ValidationError(faults)

    @classmethod
    def count_versions(cls, presets: Sequence["Preset"]) -> None:
        """Give each preset the version behind its newest, or that of a former one with its name.

        So that a name and a version always mean the same, whatever was deleted or renamed.
        """
        known = cls.history.all()
        if len(presets) == 1:
            known = known.filter(Q(id=presets[0].pk) | Q(name=presets[0].name))
        newest: dict[object, int] = defaultdict(int)
        for key, name, version in known.values_list("id", "name", "version").iterator():
            newest[key] = max(newest[key], version)
            newest[name] = max(newest[name], version)
        for preset in presets:
            preset.version = max(newest[preset.pk], newest[preset.name]) + 1
