"""Configuration in a browser."""

import re
from collections.abc import Callable

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import Page, expect

from broadcasts.models import AriUser, Preset, Rule
from broadcasts.simulator import SimulatedAsterisk
from tests import builders
from tests.admin import cast

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

Open = Callable[..., Page]


async def test_a_preset_with_a_bad_and_then_a_good_filter(open_admin: Open):
    page = await open_admin("broadcasts/preset/add/")
    await page.get_by_label("Name").fill("sales")
    await page.get_by_label("App filter").fill("^(vip")
    await page.get_by_label("Time-out (ms)").fill("500")
    await page.get_by_role("button", name="Add a round").click()
    await page.get_by_label("Time-out (ms)").nth(1).fill("2000")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.locator("form#preset_form")).to_contain_text("round 1: app_filter '^(vip'")
    await expect(page.get_by_label("App filter").first).to_have_value("^(vip")

    await page.get_by_label("App filter").first.fill("^(vip|gold)-")
    await page.get_by_role("button", name="Save", exact=True).click()
    await page.wait_for_url("**/broadcasts/preset/")
    preset = await Preset.objects.aget(name="sales")
    assert preset.rounds == [
        {"app_filter": "^(vip|gold)-", "timeout_ms": 500},
        {"app_filter": "", "timeout_ms": 2000},
    ]


async def test_rounds_are_removed_but_for_the_last(open_admin: Open):
    page = await open_admin("broadcasts/preset/add/")
    remove = page.get_by_role("button", name="Remove this round")
    await expect(remove).to_be_disabled()
    await page.get_by_role("button", name="Add a round").click()
    await remove.first.click()
    await expect(remove).to_have_count(1)
    await expect(remove).to_be_disabled()


async def test_rules_are_dragged_into_order(open_admin: Open):
    preset = await Preset.objects.acreate(name="sales")
    for name in "abcd":
        await Rule(name=name, preset=preset).asave()
    page = await open_admin("broadcasts/rule/")
    handles = page.locator(".handle")
    await expect(page.locator("#order-hint")).to_be_visible()
    await handles.nth(3).drag_to(handles.nth(1), target_position={"x": 5, "y": 1})
    await expect(page.locator("#order-state")).to_contain_text("Moved to position 2")
    assert [rule.name async for rule in Rule.objects.all()] == ["a", "d", "b", "c"]
    await expect(page.locator("#result_list .field-position")).to_have_text(["1", "2", "3", "4"])
    await page.reload()
    await expect(page.locator("#result_list .field-name")).to_have_text(["a", "d", "b", "c"])


async def test_a_version_is_restored(open_admin: Open):
    preset = await Preset.objects.acreate(name="sales", description="As it was")
    preset.description = "A mistake"
    await preset.asave()
    page = await open_admin(f"broadcasts/preset/{preset.pk}/change/")
    await page.locator("#main a[href$='/history/']").click()
    await page.locator("td[data-label=Version] a", has_text=re.compile(r"^1$")).click()
    await page.get_by_label("Reason for this change").fill("it was better")
    await page.get_by_role("button", name="Restore this version").click()
    await expect(page.get_by_label("Description")).to_have_value("As it was")
    await expect(page.locator("body")).to_contain_text("Version 1 of sales is in force again")


async def test_a_secret_is_shown_once(open_admin: Open):
    page = await open_admin("broadcasts/ariuser/add/")
    await page.get_by_label("Name").fill("ivr")
    await page.get_by_role("button", name="Save", exact=True).click()
    secret = await page.locator("#secret").text_content()
    assert secret
    user = await AriUser.objects.aget(name="ivr")
    assert secret not in user.password_hash
    await page.get_by_role("link", name="It is copied: go on").click()
    await expect(page.get_by_label("Name")).to_have_value("ivr")
    assert secret not in await page.content()


async def test_a_connection_is_tried(open_admin: Open):
    async with SimulatedAsterisk(version="22.5.0") as asterisk:
        page = await open_admin("broadcasts/asteriskserver/add/")
        await page.get_by_label("Address").fill(asterisk.url)
        await page.get_by_label("Username").fill("ari")
        await page.get_by_label("Password").fill("wrong")
        test = page.get_by_role("button", name="Test this connection")
        result = page.locator("[data-test-result]")
        await test.click()
        await expect(result).to_contain_text("wrong user name or password")
        await page.get_by_label("Password").fill("ari")
        await test.click()
        await expect(result).to_contain_text("Connected: Asterisk 22.5.0, REST over the socket.")


async def test_pieces_of_files_are_copied(open_admin: Open):
    server = await sync_to_async(builders.make_server)()
    page = await open_admin(
        f"broadcasts/asteriskserver/{server.pk}/change/",
        permissions=["clipboard-read", "clipboard-write"],
    )
    await page.get_by_role("button", name="Copy").nth(1).click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert "password=PUT-THE-PASSWORD-HERE" in copied


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_no_page_is_wider_than_the_window_or_complains(open_admin: Open, scheme):
    things = await sync_to_async(cast.configured)()
    page = await open_admin("", color_scheme=scheme)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    for name in await sync_to_async(cast.readable_addresses)(things):
        await page.goto(f"{page.url.split('/admin/')[0]}{name}")
        for width in (1400, 400):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate("document.scrollingElement.scrollWidth") <= width, name
    assert complaints == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_serious_keeps_anybody_out(open_admin: Open, no_serious_faults, scheme):
    things = await sync_to_async(cast.configured)()
    preset, rule, user = things.preset.pk, things.rule.pk, things.user.pk
    page = await open_admin("", color_scheme=scheme)
    for path in (
        "",
        "changes/",
        f"broadcasts/preset/{preset}/change/",
        f"broadcasts/preset/{preset}/delete/",
        "broadcasts/rule/",
        "broadcasts/accessevent/",
        "broadcasts/retentionnote/",
        f"broadcasts/rule/{rule}/change/",
        f"auth/user/{user}/change/",
        "rule-tester/?extension=600",
        "replay/",
        "exchange/",
    ):
        await page.goto(f"{page.url.split('/admin/')[0]}/admin/{path}")
        if await page.locator("[data-try]").count():
            # Whom a filter admits is asked for when the page is there.
            await page.wait_for_load_state("networkidle")
        await no_serious_faults(page)
