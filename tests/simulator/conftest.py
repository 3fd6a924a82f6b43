from collections.abc import AsyncIterator

import pytest

from broadcasts.simulator import SimulatedAsterisk
from tests.conformance.ari_observer import Asterisk


@pytest.fixture
async def asterisk() -> AsyncIterator[SimulatedAsterisk]:
    async with SimulatedAsterisk(read_only_users={"ro": "ro"}, native_broadcast=True) as simulated:
        yield simulated


@pytest.fixture
async def client(asterisk: SimulatedAsterisk) -> AsyncIterator[Asterisk]:
    """An ARI client of `asterisk` that writes down what it is told."""
    async with Asterisk(asterisk.url, "ari", "ari") as connected:
        yield connected
