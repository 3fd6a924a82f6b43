"""The history of changes: who changed what, when, from what to what, and why if they said so."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import models
from django.dispatch import receiver
from simple_history.models import HistoricalRecords
from simple_history.signals import pre_create_historical_record


class Change(models.Model):
    """What every entry of a history keeps besides the values.

    `changed_by` outlives the person's account; it is empty for what a command or a migration did.
    """

    changed_by = models.CharField(max_length=150, blank=True, editable=False)

    class Meta:
        abstract = True


class ChangeHistory(HistoricalRecords):
    """Keeps every change of a model; a save of nothing but excluded fields is none.

    Excluded fields are secrets, and what the service itself keeps up to date.
    """

    def __init__(self, **options: Any) -> None:
        # Built per model: Django binds a field to the one model that it is given to.
        reason = models.CharField("reason", max_length=255, null=True)
        super().__init__(bases=[Change], history_change_reason_field=reason, **options)

    def post_save(
        self,
        instance: models.Model,
        created: bool,
        using: str | None = None,
        update_fields: Collection[str] | None = None,
        **kwargs: Any,
    ) -> None:
        if update_fields is None or set(update_fields) - set(self.excluded_fields):
            super().post_save(instance, created, using, **kwargs)

    def get_change_reason_for_object(
        self, instance: models.Model, history_type: str, using: str | None
    ) -> str | None:
        """Return the reason that was given; a new password is the one change that nothing shows."""
        reason = super().get_change_reason_for_object(instance, history_type, using)
        reason = reason or getattr(self.context, "reason", None)
        is_new_password = history_type == "~" and getattr(instance, "_password", None) is not None
        return reason or ("new password" if is_new_password else None)


@contextmanager
def for_reason(reason: str) -> Iterator[None]:
    """Keep this reason with every change that is made within, also with what it takes along."""
    ChangeHistory.context.reason = reason or None
    try:
        yield
    finally:
        del ChangeHistory.context.reason


@receiver(pre_create_historical_record)
def name_who(
    instance: models.Model,
    history_instance: Change,
    history_user: models.Model | None,
    **_: object,
) -> None:
    """Keep who it was as a text; who removes their own account is no account any more."""
    if history_user is not None:
        history_instance.changed_by = str(history_user)
    if history_instance.history_type == "-" and instance == history_user:
        history_instance.history_user = None
