from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest
import pytest_asyncio

pytest.register_assert_rewrite("tests.service.cast", "tests.service.stages")

from .stages import Stage  # noqa: E402
from .stages import stage as staged  # noqa: E402
from .templates import Template  # noqa: E402


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    """Databases with the credentials of candidates; every service gets a copy."""
    with ExitStack() as stack:
        yield Template(tmp_path_factory.mktemp("template"), stack)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def linked_stage(
    request: pytest.FixtureRequest, template: Template, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    """A stage with the link that the test asks for, shared by the tests of its module."""
    async with staged(request.param, template, tmp_path_factory.mktemp("service")) as stage:
        yield stage


@pytest_asyncio.fixture(loop_scope="module")
async def stage(linked_stage: Stage) -> AsyncIterator[Stage]:
    """The same, without candidates."""
    yield linked_stage
    await linked_stage.clear()
