import pytest
from asgiref.sync import sync_to_async

from tests import builders

from .cast import Stage


@pytest.fixture
async def stages(transactional_db):
    """Return a function that sets a stage; all have one server, as processes one after another."""
    server = await sync_to_async(builders.make_server)()
    opened = []

    def stage(**options):
        opened.append(Stage(server, **options))
        return opened[-1]

    yield stage
    for one in opened:
        await sync_to_async(one.ledger.stop)()
