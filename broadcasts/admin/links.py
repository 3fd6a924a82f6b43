"""How the link to each server is doing, as the processes that hold them have reported."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone

from broadcasts.models import AsteriskServer, Broadcast


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """The state of one server's link; `label` is one of "connected", "down", "off" and "new"."""

    label: str
    since: datetime | None = None
    version: str = ""
    rest: str = ""
    error: str = ""
    calls: int = 0


def with_link(servers: "QuerySet[AsteriskServer]") -> "QuerySet[Any]":
    """Add what `status_of` reads, without a query per server."""
    calls = (
        Broadcast.objects.live()
        .filter(server=OuterRef("pk"))
        .order_by()
        .values("server")
        .annotate(number=Count("pk"))
        .values("number")
    )
    number = Coalesce(Subquery(calls, output_field=IntegerField()), 0)
    return servers.select_related("lease").annotate(calls_in_hand=number)


def status_of(server: Any) -> LinkStatus:
    """Judge a server's link; a lease that was not renewed holds none."""
    calls = server.calls_in_hand
    lease = getattr(server, "lease", None)
    if not server.enabled:
        return LinkStatus("off", calls=calls)
    if lease is None:
        return LinkStatus("new", calls=calls)
    if lease.connected_since is None or lease.expires_at < timezone.now():
        return LinkStatus("down", error=lease.last_error or "not connected yet", calls=calls)
    rest = {True: "over the socket", False: "over HTTP"}.get(lease.rest_over_socket, "")
    return LinkStatus(
        "connected",
        lease.connected_since,
        lease.asterisk_version,
        rest,
        lease.last_error,
        calls,
    )
