"""The reports in a browser."""

from datetime import UTC, datetime, timedelta

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from playwright.async_api import expect

from broadcasts.domain.lifecycle import Status
from tests.builders import make_broadcast
from tests.reports.cast import make_records, seal

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

ADDRESS = "/reports/?first=2025-03-25&last=2025-04-01"
IN_FULL = "names => names.every((name) => name.scrollWidth <= name.clientWidth)"
SIZES = [{"width": 1400, "height": 900}, {"width": 400, "height": 800}]


@pytest_asyncio.fixture(loop_scope="session")
async def record():
    await sync_to_async(fill)()


def fill():
    since = datetime(2025, 3, 26, 12, tzinfo=UTC)
    long_name = make_broadcast(["n" * 60], status=Status.TIMED_OUT, opened_at=since)
    seal([*make_records(60, since, timedelta(days=5)), long_name])


@pytest_asyncio.fixture(loop_scope="session")
async def open_reports(open_page):
    """Return a function that opens the reports and keeps what the browser complains of."""
    complaints = []

    async def opened(address=ADDRESS, **window):
        page = await open_page(address, "operator", **window)
        page.on("console", lambda said: complaints.append(said.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        await page.reload()
        return page

    yield opened
    assert complaints == []


def is_drawn(page, name):
    """Whether anything but background is on a chart."""
    return page.evaluate(
        """name => {
            const canvas = document.querySelector(`[data-chart=${name}]`);
            const {width, height} = canvas;
            return canvas.getContext("2d").getImageData(0, 0, width, height).data.some(Boolean);
        }""",
        name,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", SIZES, ids=["wide", "narrow"])
async def test_every_chart_is_drawn_and_nothing_keeps_anybody_out(
    record, open_reports, no_serious_faults, size, scheme
):
    page = await open_reports(viewport=size, color_scheme=scheme)
    for name in ("outcomes", "latency", "applications", "failed_handovers"):
        assert await is_drawn(page, name)
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    names = page.locator("[data-report=applications] tbody th")
    assert await names.evaluate_all(IN_FULL)
    await no_serious_faults(page)


async def test_an_empty_report_keeps_nobody_out(transactional_db, open_reports, no_serious_faults):
    page = await open_reports()
    await expect(page.get_by_text("No broadcast ended in this period.")).to_be_visible()
    await no_serious_faults(page)


async def test_a_bar_leads_to_the_broadcasts_behind_it(record, open_reports):
    page = await open_reports(viewport=SIZES[0])
    bar = await page.evaluate(
        """() => {
            const chart = Chart.getChart(document.querySelector("[data-chart=outcomes]"));
            chart.canvas.scrollIntoView({ block: "center" });
            const at = chart.data.datasets[0].data.findIndex((value) => value > 0);
            const { x, y, base } = chart.getDatasetMeta(0).data[at].getProps(["x", "y", "base"]);
            const box = chart.canvas.getBoundingClientRect();
            return { x: box.left + x, y: box.top + (y + base) / 2 };
        }"""
    )
    await page.mouse.click(bar["x"], bar["y"])
    await page.wait_for_url("**/history/?*status=claimed*")


async def test_a_figure_is_reached_by_keyboard(record, open_reports):
    page = await open_reports(viewport=SIZES[0])
    figure = page.locator("[data-report=outcomes] tbody a").first
    await page.locator("[data-report=outcomes]").locator("..").focus()
    await page.keyboard.press("Tab")
    await expect(figure).to_be_focused()
    await page.keyboard.press("Enter")
    await page.wait_for_url("**/history/?*")


async def test_charts_follow_the_scheme(record, open_reports):
    page = await open_reports(color_scheme="light")
    chart = "Chart.getChart(document.querySelector('[data-chart=latency]'))"
    colour = f"{chart}.data.datasets[0].borderColor"
    light = await page.evaluate(colour)
    await page.emulate_media(color_scheme="dark")
    await page.wait_for_function(f"{colour} !== '{light}'")


async def test_without_javascript_the_tables_remain(record, open_reports):
    page = await open_reports(java_script_enabled=False)
    await expect(page.locator("[data-report=outcomes] tbody tr")).to_have_count(9)
    await expect(page.locator("canvas").first).to_be_hidden()


@pytest.mark.parametrize("width", [1400, 400])
async def test_what_the_reports_show_is_saved_opened_changed_and_deleted(
    record, open_reports, is_sound, width
):
    page = await open_reports(viewport={"width": width, "height": 900})
    saved = page.locator(".saved")
    await saved.locator("summary").click()
    await expect(saved).to_contain_text("Nothing is saved yet.")
    await is_sound(page)
    for name in ("Spring", "x" * 80, *(f"Spring {number}" for number in range(3))):
        await page.get_by_label("Save what is shown as").fill(name)
        await page.get_by_role("button", name="Save", exact=True).press("Enter")
        await expect(page.locator("h1")).to_contain_text(name)
        await saved.locator("summary").click()
    await is_sound(page)

    await page.goto(page.url.partition("?")[0])
    await saved.locator("summary").click()
    await page.get_by_role("link", name="Spring", exact=True).click()
    await expect(page.get_by_label("From", exact=True)).to_have_value("2025-03-25")
    await page.get_by_label("Server", exact=True).select_option("branch")
    await page.get_by_role("button", name="Show").click()
    await saved.locator("summary").click()
    await page.get_by_label("Name", exact=True).fill("Spring at the branch")
    await page.get_by_role("button", name="Save the changes").click()
    await expect(page.get_by_role("status")).to_contain_text("Changed the filter")
    await expect(page.get_by_label("Server", exact=True)).to_have_value("branch")
    await is_sound(page)

    await saved.locator("summary").click()
    await page.get_by_role("button", name="Delete").click()
    await expect(page.get_by_role("status")).to_contain_text("Deleted the saved filter")
    await expect(page.locator("h1")).to_have_text("Reports")
