"""What is connected now: the links to Asterisk and the candidate applications."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet

from broadcasts.models import AsteriskServer, Presence

Row = dict[str, Any]

# A process that has not been seen for longer is dead, and so are its candidates' sockets.
PROCESS_SEEN = timedelta(seconds=5)


def read_links(now: datetime) -> list[Row]:
    """Return every enabled server with the state of its link, whichever process holds it."""
    return [link_state(server, now) for server in enabled_servers()]


def enabled_servers() -> "QuerySet[Any]":
    """Return a query of what `link_state` judges."""
    return AsteriskServer.objects.filter(enabled=True).values(
        "id",
        "name",
        "lease__expires_at",
        "lease__connected_since",
        "lease__asterisk_version",
        "lease__last_error",
    )


def link_state(server: Row, now: datetime) -> Row:
    """Judge one server's link; a lease that was not renewed holds no link."""
    since, expires_at = server["lease__connected_since"], server["lease__expires_at"]
    up = since is not None and expires_at > now
    return {
        "id": server["id"],
        "name": server["name"],
        "up": up,
        "since": since if up else None,
        "version": server["lease__asterisk_version"] or "",
        "error": "" if up else server["lease__last_error"] or "not connected yet",
        "last_error": server["lease__last_error"] or "",
    }


def connected_applications(now: datetime) -> "QuerySet[Presence]":
    """Return the applications that are connected to a process that lives."""
    return Presence.objects.filter(process__seen_at__gt=now - PROCESS_SEEN)
