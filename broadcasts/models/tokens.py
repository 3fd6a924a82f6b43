"""Tokens with which other programs read the record over the API."""

from django.contrib.auth.models import Group
from django.db import models
from knox.models import AbstractAuthToken


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
