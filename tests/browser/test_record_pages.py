"""The history and one broadcast in a browser."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.utils import timezone
from playwright.async_api import expect

from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.models import Broadcast, ClaimAttempt
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

LONG = "a-very-long-name-without-any-break-" * 4
NUMBER = "+15551234567"


@sync_to_async
def make_record():
    """Make broadcasts of every status, and return the fullest one."""
    for status in Status:
        builders.make_broadcast(status=status, caller_number=NUMBER)
    builders.make_broadcast([LONG], status=Status.CLAIMED, called="2" * 80)
    full = builders.make_broadcast(
        [f"{LONG}{number}" for number in range(200)],
        status=Status.CLAIMED,
        called="1" * 80,
        channel_name=LONG,
        warnings=[LONG],
        reason=LONG,
        app_filter=LONG,
        arguments_given=["5000", LONG, LONG],
        app_args=[LONG],
        rounds=[{"app_filter": LONG, "timeout_ms": 500}] * 2,
        ended_at=timezone.now() + timedelta(minutes=10),
    )
    full.candidates.filter(position=2).update(failed_at=full.claimed_at, failure=LONG)
    for number in range(60):
        ClaimAttempt.objects.create(
            broadcast=full,
            channel_id=full.channel_id,
            application=f"{LONG}{number}",
            user=LONG[:80],
            at=full.claimed_at + timedelta(milliseconds=number / 10),
            answer=409 if number else 204,
            verdict=Verdict.TAKEN if number else Verdict.WON,
            since_offered_ms=12.5 + number / 10,
            behind_winner_ms=number / 10 or None,
        )
    return full


@pytest.mark.parametrize("width", [400, 1400])
async def test_pages_fit_and_keep_nobody_out_empty_and_full(open_page, is_sound, width):
    page = await open_page("/history/", "auditor", viewport={"width": width, "height": 900})
    complaints = []
    page.on("console", lambda message: complaints.append(message.text))
    await expect(page.locator(".found")).to_contain_text("No broadcast is on record that fits")
    await is_sound(page)

    full = await make_record()
    await page.goto(f"{page.url}?status=claimed&called={'2' * 80}")
    await page.get_by_text("Clear all").click()
    await expect(page.locator(".rows tbody tr")).to_have_count(8)
    for disclosed in ("More filters", "Columns", "Saved filters", "Show numbers"):
        await page.get_by_text(disclosed).first.click()
    await is_sound(page)

    await page.locator(".to-broadcast").first.click()
    await expect(page.locator("h1")).to_contain_text(f"Broadcast {full.pk}")
    await expect(page.locator(".finish")).to_contain_text("20 further claims are not drawn")
    winner = page.locator(".tile .name")
    assert await winner.evaluate("name => name.scrollWidth <= name.clientWidth")
    await is_sound(page)
    assert complaints == []


async def test_a_call_is_found_and_its_number_shown_with_the_keyboard_alone(open_page):
    await make_record()
    page = await open_page("/history/", "auditor")
    await page.get_by_label("Number or channel id").focus()
    await page.keyboard.type("600")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await page.get_by_label("Failed", exact=True).focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/history/?q=600&status=failed")
    await expect(page.locator(".rows tbody tr")).to_have_count(1)
    await page.locator(".to-broadcast").focus()
    await page.keyboard.press("Enter")
    await expect(page.locator(".about")).to_contain_text("•••4567")

    await page.locator("summary", has_text="Show numbers").focus()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await page.keyboard.type("a complaint")
    await page.keyboard.press("Enter")
    await expect(page.locator(".numbers")).to_contain_text("shown in full until")
    await expect(page.locator(".about")).to_contain_text(NUMBER)
    await page.get_by_role("button", name="Mask again").press("Enter")
    await expect(page.locator(".about")).to_contain_text("•••4567")


async def test_times_are_in_the_zone_of_the_browser_or_the_one_chosen(open_page):
    page = await open_page("/history/", timezone_id="Asia/Tokyo")
    await expect(page.locator(".zone-note")).to_contain_text("Asia/Tokyo (UTC+09:00)")
    await page.get_by_role("link", name="Change the time zone").click()
    await page.get_by_label("Show times in").select_option("America/Bogota")
    await page.get_by_role("button", name="Use it").click()
    await page.wait_for_url("**/history/")
    await expect(page.locator(".zone-note")).to_contain_text("America/Bogota (UTC-05:00)")


async def test_without_javascript_the_pages_are_complete(open_page):
    await make_record()
    page = await open_page("/history/", timezone_id="Asia/Tokyo", java_script_enabled=False)
    await expect(page.locator(".zone-note")).to_contain_text("Times in UTC")
    await page.get_by_label("Number or channel id").fill("600")
    await page.get_by_role("button", name="Show", exact=True).first.click()
    await expect(page.locator(".rows tbody tr")).to_have_count(6)


async def test_the_live_board_leads_to_each_broadcast(open_page):
    await make_record()
    page = await open_page("/")
    link = page.locator("#recent > tr a").first
    await link.click()
    newest = await Broadcast.objects.alatest("opened_at")
    await expect(page.locator("h1")).to_contain_text(f"Broadcast {newest.pk}")
