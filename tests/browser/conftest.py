"""A real browser and a real server for people's pages."""

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Callable

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from django.conf import settings
from django.core.cache import cache
from django.test import AsyncClient
from playwright.async_api import Browser, Page, async_playwright

from broadcast_project.asgi import application
from tests.builders import make_user
from tests.databases import missing

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


@pytest.fixture
async def server(transactional_db: None) -> AsyncIterator[WebServer]:
    cache.clear()
    running = WebServer()
    await running.start()
    yield running
    await running.stop()


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    executable = os.environ.get("CHROMIUM") or shutil.which("chromium")
    if not executable:
        missing("no Chromium: name one with CHROMIUM")
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
        yield chromium
        await chromium.close()


@pytest.fixture
async def session(transactional_db: None) -> AsyncClient:
    """The sign-in of a staff member."""
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(make_user)("olga", is_staff=True))
    return client


@pytest.fixture
async def open_board(
    browser: Browser, server: WebServer, session: AsyncClient
) -> Callable[..., Page]:
    """Return a function that opens the board, signed in, in a window of its own."""

    async def opened(**window: object) -> Page:
        context = await browser.new_context(**window)
        cookie = session.cookies[settings.SESSION_COOKIE_NAME].value
        await context.add_cookies(
            [{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": server.url}]
        )
        page = await context.new_page()
        await page.goto(server.url)
        return page

    return opened
