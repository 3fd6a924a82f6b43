"""What is saved in a browser decides the next call, in every process."""

import asyncio
from contextlib import ExitStack

import pytest
from playwright.async_api import Browser, Page, expect

from tests.databases import manage
from tests.service.installation import LONG, preset, two_processes
from tests.service.templates import Template

pytestmark = [pytest.mark.browser, pytest.mark.postgres]

PASSWORD = "only-for-this-test"


async def signed_in(browser: Browser, url: str) -> Page:
    """Sign in as people do, and open the list of presets."""
    page = await browser.new_page()
    await page.goto(f"{url}/admin/broadcasts/preset/")
    await page.get_by_label("User name").fill("root")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    return page


async def test_a_preset_saved_in_the_browser_decides_the_next_call_in_both_processes(
    browser, tmp_path, monkeypatch
):
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    with ExitStack() as stack:
        template = Template(tmp_path, stack)
        async with two_processes(template, tmp_path) as (installation, asterisks):
            url = installation.database_url
            manage(url, "createsuperuser", "--noinput", "--username=root", "--email=root@localhost")
            rules = ({"name": "all", "preset": "usual"},)
            installation.configure(preset("usual", ("^nobody$", LONG)), rules=rules)
            page = await signed_in(browser, installation.service.url)
            await page.get_by_role("link", name="usual").click()
            await page.get_by_label("App filter").fill("^no-one$")
            await page.get_by_role("button", name="Save", exact=True).click()
            await expect(page.get_by_text("was changed successfully")).to_be_visible()
            await asyncio.sleep(1)  # What is promised: within a second.
            for asterisk in asterisks:
                call = await asterisk.call("open")
                await call.ended()
                row = await installation.recorded(call.id, status="no_candidates")
                assert (row["preset_version"], row["app_filter"]) == (2, "^no-one$")
