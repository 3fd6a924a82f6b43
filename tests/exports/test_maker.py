"""The process that makes exports, as the service starts it."""

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.databases import ROOT, database, environment, manage

ASK = """
from django.contrib.auth import get_user_model
from broadcasts.models import Export
owner = get_user_model().objects.create_user("root", is_superuser=True)
Export.objects.create(owner=owner, query={"period": ["all"]}, columns=["id"])
"""
STATE = "from broadcasts.models import Export; print(Export.objects.get().state)"
# The service's own loop, without the service: as short as it can look.
SERVE = """
import asyncio, django; django.setup()
from broadcasts.exports import maker
maker.LOOK_SECONDS = 0.1
asyncio.run(maker.Maker().run())
"""


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request, tmp_path: Path):
    """A database of each engine with an export that waits."""
    with database(request.param, tmp_path) as found:
        manage(found, "shell", "-c", ASK)
        yield found


def variables(url: str, folder: Path) -> dict[str, str]:
    settings = {"DJANGO_SETTINGS_MODULE": "broadcast_project.settings"}
    return environment(url, EXPORTS_DIR=str(folder), **settings)


async def test_the_service_has_what_is_due_made_by_a_process_of_its_own(url, tmp_path):
    folder = tmp_path / "exports"
    service = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SERVE, cwd=ROOT, env=variables(url, folder), start_new_session=True
    )
    try:
        async with asyncio.timeout(60):
            while not list(folder.glob("*.zip")):
                assert service.returncode is None
                await asyncio.sleep(0.1)
    finally:
        os.killpg(service.pid, signal.SIGKILL)
        await service.wait()


def test_two_makers_at_the_same_time_make_an_export_once(url, tmp_path):
    folder = tmp_path / "exports"
    makers = [
        subprocess.Popen(
            [sys.executable, "manage.py", "make_exports"], cwd=ROOT, env=variables(url, folder)
        )
        for _ in range(3)
    ]
    assert [one.wait(60) for one in makers] == [0, 0, 0]
    assert manage(url, "shell", "-c", STATE).splitlines()[-1] == "done"
    counted = "from broadcasts.models import AccessEvent; print(AccessEvent.objects.count())"
    assert manage(url, "shell", "-c", counted).splitlines()[-1] == "1"
    assert len(list(folder.iterdir())) == 1
