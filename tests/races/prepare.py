"""Make open broadcasts for a race: `python -m tests.races.prepare COUNT`."""

import sys

from django.utils import timezone

from broadcasts.domain.lifecycle import Status
from broadcasts.models import AsteriskServer, Broadcast


def make_open_broadcasts(count: int) -> None:
    server = AsteriskServer.objects.create(name="race", url="http://127.0.0.1:1", username="u")
    now = timezone.now()
    Broadcast.objects.bulk_create(
        Broadcast(
            server=server,
            channel_id=f"race.{number}",
            channel_name=f"Local/race-{number}",
            channel={},
            arguments_given=[],
            timeout_ms=500,
            opened_at=now,
            deadline=now,
            status=Status.OPEN,
        )
        for number in range(count)
    )


if __name__ == "__main__":
    make_open_broadcasts(int(sys.argv[1]))
