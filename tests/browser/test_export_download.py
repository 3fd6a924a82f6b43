"""A large package goes out through the real server: the event loop stays free, memory small."""

import asyncio
import hashlib
import os
import resource
from pathlib import Path

import aiohttp
from asgiref.sync import sync_to_async
from django.conf import settings as configured
from django.test import AsyncClient
from django.utils import timezone

from broadcasts.exports import jobs
from broadcasts.models import Export
from tests.builders import make_member

# Many times what a server would ever hold of an answer.
SIZE = 256 * 2**20
MOST_MORE_MB = 60


@sync_to_async
def finished(folder: Path) -> Export:
    """Put a package of this size where a finished export has it."""
    owner, now = make_member("auditor"), timezone.now()
    export = Export.objects.create(
        owner=owner, state=Export.State.DONE, started_at=now, expires_at=now, size=SIZE
    )
    folder.mkdir()
    with jobs.path_of(export).open("wb") as package:
        package.truncate(SIZE - 1)
        package.seek(0, os.SEEK_END)
        package.write(b"\n")
    return export


async def test_the_loop_stays_free_and_memory_small(server, settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"
    export = await finished(settings.EXPORTS_DIR)
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(make_member)("auditor"))
    cookies = {configured.SESSION_COOKIE_NAME: client.cookies[configured.SESSION_COOKIE_NAME].value}
    address = f"{server.url}/exports/{export.pk}/download/"
    digest, size, others = hashlib.sha256(), 0, 0
    async with aiohttp.ClientSession(cookies=cookies) as session:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        async with session.get(address) as answer:
            assert answer.headers["Content-Length"] == str(SIZE)
            # Nobody reads on: the server has to wait with the rest, and serves others meanwhile.
            for _ in range(3):
                async with session.get(f"{server.url}/healthz") as other:
                    assert other.status == 200
                    others += 1
            async for piece in answer.content.iter_chunked(1 << 18):
                digest.update(piece)
                size += len(piece)
                await asyncio.sleep(0)
    more_mb = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert size == SIZE
    assert others == 3
    with jobs.path_of(export).open("rb") as package:
        assert digest.hexdigest() == hashlib.file_digest(package, "sha256").hexdigest()
    assert more_mb < MOST_MORE_MB


async def test_a_reader_that_leaves_ends_its_download_alone(server, settings, tmp_path):
    settings.EXPORTS_DIR = tmp_path / "exports"
    export = await finished(settings.EXPORTS_DIR)
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(make_member)("auditor"))
    cookies = {configured.SESSION_COOKIE_NAME: client.cookies[configured.SESSION_COOKIE_NAME].value}
    async with aiohttp.ClientSession(cookies=cookies) as session:
        async with session.get(f"{server.url}/exports/{export.pk}/download/") as answer:
            await answer.content.read(1)
        async with session.get(f"{server.url}/healthz") as other:
            assert other.status == 200
