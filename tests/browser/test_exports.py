"""Exports and schedules in a browser: a small one fetched, a large one watched, a schedule made."""

import zipfile
from pathlib import Path

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from broadcasts.domain.lifecycle import Status
from broadcasts.exports import jobs, maker
from broadcasts.exports.verify import verify
from broadcasts.models import Export, Schedule
from broadcasts.web import export_views
from tests.builders import make_broadcast

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def folders(settings, tmp_path: Path) -> Path:
    """Keep packages of a test to itself."""
    settings.EXPORTS_DIR, settings.REPORTS_DIR = tmp_path / "exports", tmp_path / "reports"
    return tmp_path


@sync_to_async
def calls(count: int, status: Status = Status.FAILED) -> None:
    for _ in range(count):
        make_broadcast(status=status)


async def test_what_is_on_the_screen_is_fetched_as_a_package(open_page, no_serious_faults, folders):
    await calls(2)
    await calls(1, Status.TIMED_OUT)
    page = await open_page("/history/?status=failed", "auditor")
    await page.get_by_role("link", name="Export these").click()
    await expect(page.locator(".in-words")).to_contain_text("Status: Failed")
    await expect(page.locator(".in-words")).to_contain_text("2 rows")
    await no_serious_faults(page)
    async with page.expect_download() as fetched:
        await page.get_by_role("button", name="Export", exact=True).click()
    download = await fetched.value
    path = folders / download.suggested_filename
    await download.save_as(path)
    assert verify(path).wrong == []
    with zipfile.ZipFile(path) as package:
        assert len(package.read("broadcasts.csv").splitlines()) == 3


async def test_a_large_export_is_watched_until_it_can_be_fetched(
    open_page, no_serious_faults, monkeypatch
):
    monkeypatch.setattr(export_views, "DIRECT_ROWS", 1)
    await calls(3)
    page = await open_page("/exports/new/", "auditor")
    await page.get_by_role("button", name="Export", exact=True).click()
    await expect(page.get_by_text("It is about to begin.")).to_be_visible()
    await no_serious_faults(page)
    export = await sync_to_async(jobs.take)()
    await Export.objects.filter(pk=export.pk).aupdate(rows_done=1, rows_total=3)
    await expect(page.get_by_text("1 of 3 rows.")).to_be_visible()
    await sync_to_async(jobs.run)(export, lambda *_: None)
    link = page.get_by_role("link", name="Download")
    await expect(link).to_be_visible()
    await no_serious_faults(page)
    async with page.expect_download() as fetched:
        await link.click()
    assert verify(await (await fetched.value).path()).wrong == []


async def test_an_export_is_cancelled_with_the_keyboard(open_page, monkeypatch):
    monkeypatch.setattr(export_views, "DIRECT_ROWS", 0)
    await calls(1)
    page = await open_page("/exports/new/", "auditor")
    await page.get_by_role("button", name="Export", exact=True).press("Enter")
    await page.get_by_role("button", name="Cancel").press("Enter")
    await expect(page.locator("[data-export=cancelled]")).to_be_visible()
    await sync_to_async(maker.make_due)()
    assert (await Export.objects.aget()).state == Export.State.CANCELLED


async def test_a_schedule_is_made_run_paused_and_removed(open_page, no_serious_faults, folders):
    await calls(1)
    page = await open_page("/schedules/", "auditor")
    await no_serious_faults(page)
    await page.get_by_role("link", name="New schedule").click()
    await page.get_by_role("textbox", name="Name").fill("Failed calls")
    await page.get_by_label("Delivery").select_option("folder")
    await no_serious_faults(page)
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_contain_text("Failed calls is due next at")
    await no_serious_faults(page)
    await page.get_by_role("button", name="Run now").click()
    await expect(page.locator("[data-export=waiting]")).to_be_visible()
    await sync_to_async(maker.make_due)()
    assert len(list((folders / "reports").iterdir())) == 1
    await page.goto(page.url.partition("/exports/")[0] + "/schedules/")
    await page.get_by_role("button", name="Pause").click()
    await expect(page.get_by_text("paused")).to_be_visible()
    await page.get_by_text("Remove… Failed calls").click()
    await page.get_by_role("button", name="Remove for good").click()
    await expect(page.get_by_text("Nothing is scheduled.")).to_be_visible()
    assert not await Schedule.objects.aexists()
