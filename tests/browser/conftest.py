"""A real browser and a real server for people's pages."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest
import pytest_asyncio
import uvicorn
from asgiref.sync import sync_to_async
from axe_playwright_python.async_playwright import Axe
from django.conf import settings
from django.core.cache import cache
from django.test import AsyncClient
from playwright.async_api import Browser, Page, async_playwright

from broadcast_project.asgi import application
from tests.admin.cast import person
from tests.builders import make_member
from tests.databases import missing

HERE = Path(__file__).parent

ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give the tests of the browser one event loop: the browser's."""
    for item in items:
        if item.path.parent == HERE and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


class Uvicorn(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()


class WebServer:
    """The application on a port of its own, on the test's loop; can be stopped and started."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        options = uvicorn.Config(
            application,
            port=self.port,
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=1,
        )
        self._server = Uvicorn(options)
        self._running = asyncio.create_task(self._server.serve())
        await self._server.listening.wait()

    async def stop(self) -> None:
        self._server.should_exit = True
        await self._running


@pytest_asyncio.fixture(loop_scope="session")
async def server(transactional_db: None) -> AsyncIterator[WebServer]:
    cache.clear()
    running = WebServer()
    await running.start()
    yield running
    await running.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """One browser for all tests: starting it takes longer than most of them."""
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not executable:
        missing("no Chromium: name one with CHROMIUM")
    async with async_playwright() as playwright:
        running = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def browser(chromium: Browser, server: WebServer) -> AsyncIterator[Browser]:
    """The browser, without windows; those that a test opens are closed before its server."""
    yield chromium
    for context in chromium.contexts:
        await context.close()


@pytest_asyncio.fixture(loop_scope="session")
async def session(transactional_db: None) -> AsyncClient:
    """The sign-in of a staff member."""
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(make_member)(name="olga", is_staff=True))
    return client


async def open_window(
    browser: Browser, server: WebServer, session: AsyncClient, path: str, **window: object
) -> Page:
    """Open a page of ours with somebody's session, in a window of its own."""
    context = await browser.new_context(**window)
    cookie = session.cookies[settings.SESSION_COOKIE_NAME].value
    await context.add_cookies(
        [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": server.url}]
    )
    page = await context.new_page()
    await page.goto(f"{server.url}{path}")
    return page


@pytest.fixture
def open_board(browser: Browser, server: WebServer, session: AsyncClient) -> Callable[..., Page]:
    """Return a function that opens the board, signed in, in a window of its own."""
    return partial(open_window, browser, server, session, "/")


@pytest.fixture
def open_page(browser: Browser, server: WebServer) -> Callable[..., Awaitable[Page]]:
    """Return a function that opens a page as one of a role, in a window of its own."""

    async def opened(path: str, role: str = "operator", **window: object) -> Page:
        client = AsyncClient()
        await client.aforce_login(await sync_to_async(make_member)(role))
        return await open_window(browser, server, client, path, **window)

    return opened


@pytest.fixture
def open_admin(browser: Browser, server: WebServer) -> Callable[..., Awaitable[Page]]:
    """Return a function that opens a page of the admin as one of an admin's role."""

    async def opened(path: str, **window: object) -> Page:
        client = AsyncClient()
        await client.aforce_login(await sync_to_async(person)("admin"))
        return await open_window(browser, server, client, f"/admin/{path}", **window)

    return opened


@pytest.fixture
def no_serious_faults() -> Callable[[Page], Awaitable[None]]:
    """Return a check that keeps nobody out of a page: axe finds nothing serious or critical."""

    async def check(page: Page) -> None:
        results = await Axe().run(page)
        grave = {fault["impact"] for fault in results.response["violations"]}
        assert grave.isdisjoint({"serious", "critical"}), results.generate_report()

    return check


@pytest.fixture
def is_sound(
    no_serious_faults: Callable[[Page], Awaitable[None]],
) -> Callable[..., Awaitable[None]]:
    """Return a check that a page fits its window and keeps nobody out, light and dark."""

    async def check(page: Page) -> None:
        width = page.viewport_size["width"]
        assert await page.evaluate("document.scrollingElement.scrollWidth") <= width
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await no_serious_faults(page)

    return check
