"""Tokens with which other programs read the record over the API."""

from datetime import datetime, timedelta

from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Q
from django.utils import timezone
from knox.models import AbstractAuthToken

# How exactly it is known when a token was used last: a request seldom waits for a write.
USE_NOTED_EVERY = timedelta(minutes=1)


class ApiToken(AbstractAuthToken):
    """A token of somebody's, of which only a hash is kept.

    It may do what both its owner and its role may do, so it ends with either.
    """

    name = models.CharField(max_length=80, help_text="Which program uses it.")
    role = models.ForeignKey(Group, models.CASCADE, related_name="+")
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created"]
        default_permissions = ()

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        """Whether its time is over; one without an expiry was not made by us and is none."""
        return self.expiry is None or self.expiry <= timezone.now()

    def rights(self) -> frozenset[str]:
        """Return what it may do now, such as `broadcasts.view_broadcast`.

        Whoever has a role may do all that the role may: of the owner nothing else need be asked.
        """
        granted = Q(group=self.role_id)
        if not self.user.is_superuser:
            granted &= Q(group__user=self.user_id)
        found = Permission.objects.filter(granted).order_by()
        names = found.values_list("content_type__app_label", "codename")
        return frozenset(f"{label}.{codename}" for label, codename in names)

    def note_use(self, now: datetime) -> None:
        """Remember that it was used, unless that was noted a moment ago."""
        if self.last_used_at is None or now - self.last_used_at >= USE_NOTED_EVERY:
            type(self).objects.filter(pk=self.pk).update(last_used_at=now)
