from types import SimpleNamespace

import pytest
from django.core.cache import cache


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
