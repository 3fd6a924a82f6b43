from collections.abc import AsyncIterator
from typing import Any

import pytest

from broadcasts.simulator import SimulatedAsterisk
from tests.conformance.ari_observer import Asterisk


@pytest.fixture
def asterisk_options() -> dict[str, Any]:
    """What a module's simulated Asterisk differs in."""
    return {}


@pytest.fixture
async def asterisk(asterisk_options: dict[str, Any]) -> AsyncIterator[SimulatedAsterisk]:
    options = {"read_only_users": {"ro": "ro"}, "native_broadcast": True} | asterisk_options
    async with SimulatedAsterisk(**options) as simulated:
        yield simulated


@pytest.fixture
async def client(asterisk: SimulatedAsterisk) -> AsyncIterator[Asterisk]:
    """An ARI client of `asterisk` that writes down what it is told."""
    async with Asterisk(asterisk.url, "ari", "ari") as connected:
        yield connected
