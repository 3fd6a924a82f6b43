"""What the tests of exports and schedules share."""

import asyncio

from django.urls import reverse

from broadcasts.exports import maker
from broadcasts.models import Export

NEW = reverse("web:export_new")
LIST = reverse("web:exports")
NUMBER = "+15551234567"
OPTIONS = {"kind": "record", "format": "csv", "header": "keys", "zone": "UTC"}


def ask(client, **values):
    """Send the form of a new export."""
    return client.post(NEW, {**OPTIONS, "period": "all", "columns": ["id", "status"], **values})


def content_of(response) -> bytes:
    """Return what an answer streams for the event loop."""

    async def gathered():
        return b"".join([piece async for piece in response.streaming_content])

    return asyncio.run(gathered())


def made(owner, **columns) -> Export:
    """Make an export as the service would."""
    export = Export.objects.create(
        owner=owner, **{"query": {"period": ["all"]}, "columns": ["id"], **columns}
    )
    maker.make_due()
    return Export.objects.get(pk=export.pk)
