from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.cache import cache

from tests.builders import make_member


@pytest.fixture(autouse=True)
def forgotten_summary():
    """The board's counts are shared for a moment; no test shall see another's."""
    cache.clear()


@pytest.fixture
def service() -> SimpleNamespace:
    """A running service that holds nothing, as the views see it."""
    candidates = SimpleNamespace(here=list)
    broker = SimpleNamespace(servers={}, links={}, candidates=candidates, calls_of=lambda _: [])
    return SimpleNamespace(running=True, broker=broker, ledger=SimpleNamespace(backlog=0, owed=0))


@pytest.fixture
def folders(settings, tmp_path: Path) -> Path:
    """Keep packages of a test to itself."""
    settings.EXPORTS_DIR, settings.REPORTS_DIR = tmp_path / "exports", tmp_path / "reports"
    return tmp_path


@pytest.fixture
def auditor(client):
    """Sign an auditor in."""
    person = make_member("auditor")
    client.force_login(person)
    return person
