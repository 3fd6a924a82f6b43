from collections.abc import AsyncIterator

import aiohttp
import pytest

from broadcasts.facade import Credentials, Facade
from broadcasts.simulator import SimulatedAsterisk
from tests.links import server

from .cast import Client, NotingBroker, served, user


@pytest.fixture
def users() -> list:
    """Whom the facade knows."""
    return [
        user(),
        user("reader", read_only=True),
        user("limited", applications="^ivr-"),
        user("gone", enabled=False),
    ]


@pytest.fixture
def credentials(users) -> Credentials:
    credentials = Credentials()
    credentials.load(users)
    yield credentials
    credentials.close()


@pytest.fixture
def broker() -> NotingBroker:
    """Without any Asterisk server."""
    return NotingBroker()


@pytest.fixture
async def facade(broker, credentials) -> AsyncIterator[Facade]:
    facade = Facade(broker, credentials)
    yield facade
    await facade.close()


@pytest.fixture
async def client(facade) -> AsyncIterator[Client]:
    """A candidate's program that talks to the facade, which is served on a real port."""
    async with served(facade) as address, aiohttp.ClientSession() as session:
        yield Client(session, address)


@pytest.fixture
async def asterisk(broker) -> AsyncIterator[SimulatedAsterisk]:
    """An Asterisk that is the broker's server 1."""
    async with SimulatedAsterisk() as simulated:
        broker.servers[1] = server(simulated.url)
        yield simulated
