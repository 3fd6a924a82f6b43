"""The running service seals what is finished, and says nothing of it."""

import json

from tests.databases import manage

from .cast import ServiceProcess, eventually
from .record import Record

FINISHED_LONG_AGO = """
from datetime import timedelta
from django.utils import timezone
from broadcasts.models import AsteriskServer, ChainHead
from tests.archive.cast import attempt, finished
finished(), attempt()
AsteriskServer.objects.update(enabled=False)
# Also if the service takes most of a minute to start, nobody has stopped looking.
now = timezone.now()
looked_at, unbroken_since = now + timedelta(seconds=25), now - timedelta(hours=1)
ChainHead.objects.create(pk=1, looked_at=looked_at, unbroken_since=unbroken_since)
"""


async def test_the_service_seals_beside_the_calls(template, tmp_path):
    with template.copied("sqlite", tmp_path) as url:
        manage(url, "shell", "-c", FINISHED_LONG_AGO)
        service = ServiceProcess(url, tmp_path)
        await service.start()
        try:
            await eventually(lambda: Record(url).rows("broadcast")[0]["seal"] is not None)
        finally:
            await service.stop()
        report = json.loads(manage(url, "verify_record", "--json"))
        assert report["checked"] == {"attempt": 1, "broadcast": 1}
        assert report["faults"]["count"] == 0
        assert "ERROR" not in service.log
