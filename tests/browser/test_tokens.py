"""Tokens and the description of the API in a browser."""

from datetime import timedelta

import aiohttp
import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Group
from playwright.async_api import expect

from broadcasts.models import ApiToken
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

make_broadcast = sync_to_async(builders.make_broadcast)


@sync_to_async
def make_tokens(owner: str) -> None:
    """Make tokens for somebody: one that counts, one that is over, and one of a long name."""
    role = Group.objects.get(name="operator")
    for name, days in (("wallboard", 30), ("an old program", -1), ("long" * 20, 1)):
        ApiToken.objects.create(
            user=builders.make_member(owner), expiry=timedelta(days=days), name=name, role=role
        )


async def ask(server, secret: str) -> tuple[int, dict]:
    """Ask for the broadcasts as a program does, over HTTP."""
    headers = {"Authorization": f"Bearer {secret}"}
    async with (
        aiohttp.ClientSession(headers=headers) as program,
        program.get(f"{server.url}/api/v1/broadcasts/") as answer,
    ):
        return answer.status, await answer.json()


async def test_a_token_is_made_seen_once_used_and_ended(open_page, server):
    broadcast = await make_broadcast()
    page = await open_page("/tokens/")
    await expect(page.get_by_text("You have no tokens.")).to_be_visible()
    await page.get_by_label("Program").fill("wallboard")
    await page.get_by_label("Expires in").select_option("7 days")
    await page.get_by_role("button", name="Make a token").click()
    secret = await page.locator("#secret").text_content()
    status, told = await ask(server, secret)
    assert (status, [row["id"] for row in told["results"]]) == (200, [broadcast.pk])

    await page.goto(f"{server.url}/tokens/")
    await expect(page.locator("#secret")).to_have_count(0)
    await expect(page.locator(".token")).to_contain_text(["wallboard"])
    await expect(page.locator(".token")).not_to_contain_text(["Never used"])

    await page.get_by_text("End…").click()
    await page.get_by_role("button", name="End wallboard").click()
    await expect(page.get_by_text("You have no tokens.")).to_be_visible()
    status, told = await ask(server, secret)
    assert (status, told["code"]) == (401, "authentication_failed")


async def test_a_click_copies_the_token(open_page):
    page = await open_page("/tokens/", permissions=["clipboard-read", "clipboard-write"])
    await page.get_by_label("Program").fill("wallboard")
    await page.keyboard.press("Enter")
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == await page.locator("#secret").text_content()


async def test_the_keyboard_makes_and_ends_a_token(open_page):
    page = await open_page("/tokens/")
    await page.get_by_label("Program").focus()
    await page.keyboard.type("wallboard")
    for _ in range(3):
        await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator("#secret")).to_be_visible()
    await page.locator(".token summary").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.locator(".token")).to_have_count(0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("path", ["/tokens/", "/api/"])
async def test_pages_keep_nobody_out(open_page, no_serious_faults, path, width, scheme):
    await make_tokens("admin")
    await make_tokens("operator")
    window = {"viewport": {"width": width, "height": 900}, "color_scheme": scheme}
    page = await open_page(path, "admin", **window)
    for summary in await page.locator("summary").all():
        await summary.click()
    await no_serious_faults(page)
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= width


@pytest.mark.parametrize("path", ["/tokens/", "/api/"])
async def test_pages_load_from_this_service_alone_and_break_no_rule(open_page, server, path):
    page = await open_page(path)
    complaints, addresses = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: addresses.append(request.url))
    await page.reload()
    assert complaints == []
    assert addresses
    assert all(address.startswith(server.url) for address in addresses)
