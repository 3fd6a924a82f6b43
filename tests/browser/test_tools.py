"""The tools in a browser."""

import itertools

import pytest
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from broadcasts import replay
from broadcasts.models import Preset
from tests import builders

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

make_broadcast = sync_to_async(builders.make_broadcast)
make_presence = sync_to_async(builders.make_presence)
make_preset = sync_to_async(builders.make_preset)


def names(page, mark: str):
    return page.locator(f".tried-names li[data-in={mark}]")


async def test_who_is_in_and_who_is_out_follows_what_is_typed(open_admin):
    await make_presence("vip-1")
    await make_presence("sales")
    page = await open_admin("broadcasts/preset/add/")
    await expect(names(page, "true")).to_have_count(2)

    filter_input = page.get_by_label("App filter")
    await filter_input.press_sequentially("^(vip")
    faults = page.locator(".tried .faults")
    await expect(faults).to_contain_text("app_filter '^(vip'")
    await expect(filter_input).to_have_attribute("aria-invalid", "true")
    await expect(page.locator(".tried-names")).to_have_count(0)

    await filter_input.press_sequentially(")-")
    await expect(names(page, "true")).to_have_text("invip-1")
    await expect(names(page, "false")).to_have_text("outsales")
    await expect(faults).to_be_hidden()
    await expect(page.locator(".tried-title").first).to_have_text("Connected now: 1 of 2 in")


async def test_each_round_has_its_own_list_and_rounds_may_be_removed(open_admin):
    await make_presence("vip-1")
    page = await open_admin("broadcasts/preset/add/")
    await page.get_by_label("App filter").fill("^sales")
    await expect(names(page, "false")).to_have_text("outvip-1")
    await page.get_by_role("button", name="Add a round").click()
    await expect(names(page, "true")).to_have_text("invip-1")
    await expect(page.locator("[data-rounds] > .faults")).to_contain_text("needs its timeout_ms")
    await page.get_by_role("button", name="Remove this round").first.click()
    await expect(names(page, "false")).to_have_count(0)
    await expect(page.locator("[data-rounds] > .faults")).to_be_hidden()


async def test_arguments_that_would_be_lost_are_told_while_typing(open_admin):
    page = await open_admin("broadcasts/preset/add/")
    await page.get_by_label("Arguments for the winner").fill("sales::high")
    await expect(page.locator(".faults")).to_contain_text(["argument 2 is empty"])


async def test_a_draft_is_replayed_as_it_is_typed_and_not_saved(open_admin):
    await make_broadcast(["ivr-1"])
    preset = await make_preset("sales", "")
    page = await open_admin(f"broadcasts/preset/{preset.pk}/change/")
    await page.get_by_label("App filter").fill("^nobody")
    async with page.expect_popup() as opened:
        await page.get_by_role("button", name="Replay this draft").click()
    popup = await opened.value
    await expect(popup.get_by_role("status")).to_contain_text("1 of 1 calls would have reached")
    await expect(popup.get_by_label("App filter")).to_have_value("^nobody")
    assert (await Preset.objects.aget(pk=preset.pk)).version == preset.version


async def test_a_long_replay_shows_how_far_it_is_and_can_be_stopped_and_taken_up_again(
    open_admin, monkeypatch
):
    monkeypatch.setattr(replay, "SLICE", 1)
    for _ in range(3):
        await make_broadcast(["ivr-1"])
    page = await open_admin("replay/")
    await page.get_by_label("App filter").fill("^nobody")
    answered = itertools.count(1)

    async def answer_once(route):
        if next(answered) == 1:
            await route.continue_()

    await page.route("**/replay-slice/", answer_once)
    await page.get_by_role("button", name="Replay", exact=True).click()
    await expect(page.locator("[data-reached]")).to_contain_text("1 calls, back to")
    await expect(page.locator("[data-table=losses] tbody")).to_have_text("ivr-11 fewer")
    await page.get_by_role("button", name="Stop").click()
    state = page.get_by_role("status")
    await expect(state).to_have_text(
        "It was stopped. So far: 1 of 1 calls would have reached other applications."
    )

    await page.unroute("**/replay-slice/")
    await page.get_by_role("button", name="Go on").click()
    await expect(state).to_have_text("3 of 3 calls would have reached other applications.")
    await expect(page.get_by_role("progressbar")).to_have_js_property("value", 1)
    await expect(page.locator("[data-stop]")).to_be_hidden()


async def test_a_replay_that_breaks_off_says_so(open_admin):
    page = await open_admin("replay/")
    await page.route("**/replay-slice/", lambda route: route.fulfill(status=503))
    await page.get_by_role("button", name="Replay", exact=True).click()
    state = page.get_by_role("status")
    await expect(state).to_contain_text("It broke off: the service answered 503")
    await page.unroute("**/replay-slice/")
    await page.get_by_role("button", name="Go on").click()
    await expect(state).to_have_text("There were no such calls in this period.")


async def test_what_is_wrong_with_a_draft_is_said_on_the_page(open_admin):
    page = await open_admin("replay/")
    await page.get_by_label("App filter").fill("^(vip")
    await page.get_by_role("button", name="Replay", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("app_filter '^(vip'")
    await expect(page.get_by_label("App filter")).to_have_value("^(vip")


async def test_without_its_script_a_replay_is_one_answer(open_admin):
    await make_broadcast(["ivr-1"])
    page = await open_admin("replay/")
    await page.route("**/replay.js", lambda route: route.abort())
    await page.reload()
    await page.get_by_label("App filter").fill("^nobody")
    await page.get_by_role("button", name="Replay", exact=True).click()
    await expect(page.get_by_role("status")).to_contain_text("1 of 1 calls would have reached")
    await expect(page.get_by_role("progressbar")).to_be_hidden()


async def test_the_enter_key_saves_the_preset(open_admin):
    preset = await make_preset("sales", "")
    page = await open_admin(f"broadcasts/preset/{preset.pk}/change/")
    await page.get_by_label("App filter").fill("^vip-")
    await page.get_by_label("App filter").press("Enter")
    await page.wait_for_url("**/broadcasts/preset/**")
    await expect(page.get_by_text("was changed successfully")).to_be_visible()
    stored = await Preset.objects.aget(pk=preset.pk)
    assert stored.rounds[0]["app_filter"] == "^vip-"


async def test_an_import_is_shown_and_then_applied(open_admin):
    page = await open_admin("exchange/")
    await page.get_by_label("Or its text").fill("presets: [{name: fresh}]\nrules: []")
    await page.get_by_role("button", name="Show the difference").click()
    await expect(page.get_by_role("region", name="What the import changes")).to_contain_text(
        "preset fresh"
    )
    assert not await Preset.objects.aexists()
    await page.get_by_role("button", name="Import it").click()
    await expect(page.get_by_text("The document was imported")).to_be_visible()
    assert await Preset.objects.filter(name="fresh").aexists()


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize(
    "path",
    [
        "broadcasts/preset/add/",
        "rule-tester/?extension=600&app_filter=^" + "x" * 200,
        "replay/",
        "exchange/",
    ],
)
async def test_nothing_is_wider_than_the_window(open_admin, path, width):
    await make_presence("a-very-long-name-without-any-break-" * 5)
    page = await open_admin(path, viewport={"width": width, "height": 900})
    await page.wait_for_load_state("networkidle")
    assert await page.evaluate("document.scrollingElement.scrollWidth") <= width
