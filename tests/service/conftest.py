from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.databases import database

pytest.register_assert_rewrite("tests.service.cast", "tests.service.stages")

from .cast import add_users  # noqa: E402
from .stages import Stage  # noqa: E402
from .stages import stage as staged  # noqa: E402


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SQLite's file with the credentials of candidates; every service gets a copy of it."""
    directory = tmp_path_factory.mktemp("template")
    with database("sqlite", directory) as url:
        add_users(url)
    return directory / "test.sqlite3"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def linked_stage(
    request: pytest.FixtureRequest, template: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A stage with the link that the test asks for, shared by the tests of its module."""
    async with staged(request.param, template, tmp_path_factory.mktemp("service")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(linked_stage: Stage) -> AsyncIterator[Stage]:
    """The same, without candidates."""
    yield linked_stage
    await linked_stage.clear()
