"""The live board in a browser."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from playwright.async_api import expect

from broadcasts.domain.lifecycle import Status
from broadcasts.models import Broadcast
from broadcasts.web import consumers
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

make_broadcast = sync_to_async(builders.make_broadcast)
make_lease = sync_to_async(builders.make_lease)
make_server = sync_to_async(builders.make_server)
make_presence = sync_to_async(builders.make_presence)


@pytest.fixture(autouse=True)
def looks_only_on_hints(monkeypatch):
    monkeypatch.setattr(consumers, "LOOK_AT_LEAST_EVERY", 60)


async def hint():
    await get_channel_layer().group_send(consumers.GROUP, {"type": "board.changed", "ids": []})


def rows(page):
    return page.locator("#recent > tr")


async def test_a_call_is_seen_from_its_offer_to_its_claim(open_board):
    await make_lease(asterisk_version="22.5.0")
    await make_presence("ivr-main")
    page = await open_board()
    await expect(page.locator("#connection")).to_have_text("Live")
    await expect(page.locator("#recent-empty")).to_be_visible()
    await expect(page.locator("#links")).to_contain_text("Asterisk 22.5.0")
    await expect(page.locator("#applications")).to_contain_text("ivr-main")

    broadcast = await make_broadcast(offered=["a", "b", "c", "d", "e"], timeout_ms=60_000)
    await hint()
    await expect(rows(page)).to_contain_text(["•••0100 → 600"])
    await expect(rows(page)).to_contain_text(["a, b, c +2 more"])
    await expect(rows(page).locator(".chip")).to_have_text("Offered")
    await expect(page.locator("#waiting")).to_contain_text("s left")
    await expect(page.locator("[data-count=open]")).to_have_text("1")

    await Broadcast.objects.filter(pk=broadcast.pk).aupdate(
        status=Status.CLAIMED,
        winner="b",
        claimed_at=broadcast.opened_at.replace(microsecond=0),
    )
    await hint()
    await expect(rows(page).locator(".chip")).to_have_text("Claimed")
    await expect(rows(page).locator(".winner")).to_have_text("b")
    await expect(page.locator("#waiting-empty")).to_be_visible()


async def test_a_long_name_is_there_to_be_read(open_board):
    await make_broadcast(offered=["a" * 120, "b-" * 60], called="6" * 80, timeout_ms=60_000)
    page = await open_board()
    for place in ("#waiting [data-field=offered]", "#waiting .parties", "#recent .parties"):
        shown = page.locator(place)
        await expect(shown).to_have_count(1)
        assert await shown.evaluate("one => one.scrollWidth <= one.clientWidth"), place
    assert await page.evaluate("document.body.scrollWidth <= innerWidth")


async def test_it_says_that_it_is_stale_and_catches_up_by_itself(open_board, server):
    page = await open_board()
    await expect(page.locator("#connection")).to_have_text("Live")
    await server.stop()
    await expect(page.locator("#stale")).to_contain_text("Not up to date since")
    await expect(page.locator("#connection")).to_have_text("Stale")

    await make_broadcast(caller_number="+15550199")
    await server.start()
    await expect(rows(page)).to_contain_text(["•••0199"], timeout=20_000)
    await expect(page.locator("#stale")).to_be_hidden()
    await expect(page.locator("#connection")).to_have_text("Live")


async def test_a_line_that_is_silent_for_long_counts_as_dead(open_board):
    page = await open_board()
    await expect(page.locator("#connection")).to_have_text("Live")
    await page.clock.install()
    await page.reload()
    await expect(page.locator("#connection")).to_have_text("Live")
    await page.clock.fast_forward(12_500)
    await expect(page.locator("#stale")).to_contain_text("the connection to the service is lost")


async def test_who_was_signed_out_elsewhere_is_led_to_the_sign_in(open_board, session):
    page = await open_board()
    await expect(page.locator("#connection")).to_have_text("Live")
    await session.alogout()
    await hint()
    await page.wait_for_url("**/sign-in/**")


async def test_who_is_signed_out_while_the_service_is_away_is_led_to_the_sign_in(
    open_board, server, session
):
    page = await open_board()
    await expect(page.locator("#connection")).to_have_text("Live")
    await server.stop()
    await session.alogout()
    await server.start()
    await page.wait_for_url("**/sign-in/**")


async def test_a_held_board_stands_still_until_it_is_released(open_board):
    page = await open_board()
    told = asyncio.Event()
    page.on("websocket", lambda socket: socket.on("framereceived", lambda _: told.set()))
    await page.reload()
    await expect(page.locator("#connection")).to_have_text("Live")
    hold = page.get_by_role("button", name="Hold")
    await hold.click()
    await expect(page.locator("#connection")).to_have_text("Held")
    told.clear()
    await make_broadcast()
    await hint()
    await told.wait()
    await expect(rows(page)).to_have_count(0)
    await hold.click()
    await expect(rows(page)).to_have_count(1)


async def test_a_flood_leaves_a_page_of_a_hundred_rows(open_board):
    for _ in range(120):
        await make_broadcast(offered=[])
    page = await open_board()
    await expect(rows(page)).to_have_count(100)
    await expect(page.locator("#waiting > li")).to_have_count(12)
    await expect(page.locator("#waiting-hint")).to_have_text("+ 108 more")
    await make_broadcast(caller_number="+15550177")
    await hint()
    await expect(rows(page).first).to_contain_text("•••0177")
    await expect(rows(page)).to_have_count(100)


async def test_what_callers_send_is_shown_as_text(open_board):
    page = await open_board()
    await make_broadcast(called="<img src=x onerror=alert(1)>")
    await hint()
    await expect(rows(page)).to_contain_text(["<img src=x onerror=alert(1)>"])
    await expect(page.locator("main img")).to_have_count(0)


@pytest.mark.parametrize("width", [400, 800, 1400])
async def test_nothing_is_wider_than_the_window(open_board, width):
    long = "a-very-long-name-without-any-break-" * 4
    server = await make_server("pbx-" + "x" * 60)
    await make_lease(server)
    await make_presence(long, server=server)
    await make_broadcast(
        offered=[long, long + "2"], caller_number="1" * 80, called="2" * 80, channel_name=long
    )
    await make_broadcast(offered=[long], status=Status.CLAIMED, warnings=[long])
    await make_broadcast(status=Status.FAILED, reason=long)
    page = await open_board(viewport={"width": width, "height": 900})
    await expect(rows(page)).to_have_count(3)
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= width


async def test_it_loads_from_this_service_alone_and_breaks_no_rule(open_board, server):
    page = await open_board()
    complaints, addresses = [], []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: addresses.append(request.url))
    await page.reload()
    await expect(page.locator("#connection")).to_have_text("Live")
    assert complaints == []
    assert addresses
    assert all(address.startswith(server.url) for address in addresses)


async def test_the_keyboard_reaches_everything_in_order(open_board):
    page = await open_board()
    await expect(page.locator("#connection")).to_have_text("Live")
    reached = []
    for _ in range(9):
        await page.keyboard.press("Tab")
        reached.append(await page.evaluate("document.activeElement.textContent.trim()"))
    assert reached == [
        "Skip to content",
        "Stasis Broadcast",
        "Live",
        "History",
        "Reports",
        "Admin",
        "Tokens",
        "Sign out",
        "Hold",
    ]


async def test_an_accessibility_checker_finds_nothing_serious(open_board, no_serious_faults):
    await make_lease()
    await make_presence()
    await make_broadcast(status=Status.CLAIMED)
    await make_broadcast(timeout_ms=60_000)
    page = await open_board()
    await expect(rows(page)).to_have_count(2)
    await no_serious_faults(page)
