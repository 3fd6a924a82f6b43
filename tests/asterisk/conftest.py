from collections.abc import AsyncIterator

import pytest

from broadcasts.simulator import SimulatedAsterisk

from .cast import AttentiveBroker


@pytest.fixture
async def asterisk() -> AsyncIterator[SimulatedAsterisk]:
    async with SimulatedAsterisk() as simulated:
        yield simulated


@pytest.fixture
def broker() -> AttentiveBroker:
    return AttentiveBroker()
