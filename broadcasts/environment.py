"""Asterisk servers that are configured from outside the admin: by command, by environment."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from broadcasts.models import AsteriskServer

ENVIRONMENT_NAME = "default"


def save_server(name: str, **values: Any) -> tuple[AsteriskServer, bool]:
    """Create or update a server; returns it and whether it is new.

    Nothing is written when nothing changes, so that a restart does not look like an edit.

    Raises:
        ValidationError: a value cannot be used.
    """
    try:
        return _save(name, values)
    except (IntegrityError, ValidationError):
        # Another process, started at the same moment, may have created it meanwhile.
        return _save(name, values)


@transaction.atomic
def _save(name: str, values: dict[str, Any]) -> tuple[AsteriskServer, bool]:
    server = AsteriskServer.objects.filter(name=name).first() or AsteriskServer(name=name)
    is_new = server.pk is None
    if is_new or any(getattr(server, field) != value for field, value in values.items()):
        for field, value in values.items():
            setattr(server, field, value)
        server.full_clean()
        server.save()
    return server, is_new


def server_from_environment() -> AsteriskServer | None:
    """Create or update the server that ARI_URL names; None where it is not set.

    Raises:
        ValidationError: a value cannot be used.
    """
    if not settings.ARI_URL:
        return None
    server, _ = save_server(
        ENVIRONMENT_NAME,
        kind=AsteriskServer.Kind.DIAL_IN,
        url=settings.ARI_URL,
        username=settings.ARI_USERNAME,
        password=settings.ARI_PASSWORD,
        application=settings.ARI_APP,
    )
    return server
