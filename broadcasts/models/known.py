"""Which applications there are: connected now, or not long ago."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Max
from django.db.models.functions import Now

from .runtime import Connection, Presence

SEEN_WITHIN = timedelta(days=30)
PROCESS_SEEN_WITHIN = timedelta(seconds=15)


@dataclass(frozen=True)
class KnownApplication:
    """An application, and when it was connected last; None: it still is."""

    name: str
    last_seen: datetime | None

    @property
    def is_connected(self) -> bool:
        return self.last_seen is None


def known_applications(server_id: int | None = None) -> list[KnownApplication]:
    """Return the applications that are connected or were within 30 days, to one server or any.

    Those that are connected come first; within that by name.
    """
    connected = Presence.objects.filter(process__seen_at__gt=Now() - PROCESS_SEEN_WITHIN)
    seen = Connection.objects.filter(until__gt=Now() - SEEN_WITHIN)
    if server_id is not None:
        connected, seen = connected.filter(server_id=server_id), seen.filter(server_id=server_id)
    known = dict(seen.values_list("application").annotate(last=Max("until")))
    known |= dict.fromkeys(connected.values_list("application", flat=True))
    applications = [KnownApplication(name, last) for name, last in known.items()]
    return sorted(applications, key=lambda one: (not one.is_connected, one.name))
