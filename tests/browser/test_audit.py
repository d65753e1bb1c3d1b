"""The calendars of the audit overview in a real browser: a click and the keyboard choose a cell, and it leads on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import served
from tests.browser.test_pages import opened, settled
from tests.support.snapshot_factory import write_home

pytestmark = pytest.mark.browser
#: Channels below one another: all of them, Email, SMS, WhatsApp; months from December 2025 side by side.
MONTHS = 12


def cell(page: Page, line: int, column: int) -> Locator:
    """A cell of the calendar of verdicts."""
    chart = page.locator('[data-testid="stPlotlyChart"]').first
    return chart.locator(".bars .point path").nth(line * MONTHS + column)


def click(page: Page, target: Locator) -> None:
    """Click into the middle of a cell; its text lies above it and lets the click through."""
    target.scroll_into_view_if_needed()
    box = target.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)


@pytest.mark.parametrize("width", [1280, 390])
def test_a_click_on_a_cell_shows_its_verdict(browser: Browser, dashboard: str, width: int) -> None:
    with opened(browser, dashboard, "light", width) as page:
        page.goto(f"{dashboard}/audit")
        settled(page)
        click(page, cell(page, 2, 5))
        expect(page.get_by_text("May 2026, SMS", exact=True)).to_be_visible(timeout=30_000)
        expect(page.get_by_role("heading", name="Day by day: May 2026, SMS")).to_be_visible()
        settled(page)
        assert "period=May+2026" in page.url
        assert "channel=SMS" in page.url
        # A second cell, and all channels: what was chosen before does not stand in the way.
        click(page, cell(page, 0, 6))
        expect(page.get_by_text("June 2026, all channels", exact=True)).to_be_visible(timeout=30_000)


def test_the_keyboard_chooses_a_cell_and_leads_to_its_findings(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/audit")
        settled(page)
        choice = page.get_by_role("combobox", name="Channel and month")
        choice.focus()
        page.keyboard.type("SMS, January 2026")
        page.keyboard.press("Enter")
        expect(page.get_by_text("January 2026, SMS", exact=True)).to_be_visible(timeout=30_000)
        settled(page)
        page.get_by_role("link", name="worst first").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="What went wrong, and for whom?")).to_be_visible(timeout=30_000)
        settled(page)
        expect(page.get_by_text("January 2026, SMS", exact=True)).to_be_visible()
        assert "violations=true" in page.url


def test_the_month_of_the_days_is_chosen_by_a_button(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/audit?channel=SMS")
        settled(page)
        # No month is chosen: the days are those of the newest month with a violation.
        button = page.get_by_role("button", name="Choose")
        month = (button.text_content() or "").rpartition("Choose ")[2]
        button.click()
        expect(page.get_by_text(f"{month}, SMS", exact=True)).to_be_visible(timeout=30_000)
        settled(page)
        page.get_by_role("link", name="worst first").click()
        expect(page.get_by_role("heading", name="What went wrong, and for whom?")).to_be_visible(timeout=30_000)
        expect(page.get_by_text(f"{month}, SMS", exact=True)).to_be_visible(timeout=30_000)


@pytest.fixture(scope="module")
def long_record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A dashboard over five years of verdicts on twelve channels."""
    folder = tmp_path_factory.mktemp("long")
    path = write_home(folder / "home")
    with duckdb.connect(str(path)) as connection:
        connection.execute(
            """
            insert into metrics.verdicts
            select month::date, channel, '*', ['Pass', 'Fail', 'Cannot attest'][1 + (hash(month, channel) % 3)::int],
                case when hash(month, channel) % 3 = 1 then (hash(channel, month) % 40000)::bigint + 1 else 0 end,
                50000, 'Made.'
            from range(date '2021-12-01', date '2025-09-01', interval 1 month) as months(month)
            cross join unnest(['*', 'sms', 'rcs', 'whatsapp', 'email', 'push', 'voice', 'messenger', 'instagram',
                'telegram', 'line', 'viber', 'other']) as channels(channel)
            """
        )
    with served(folder / "home", folder / "server.log") as address:
        yield address


@pytest.mark.parametrize("width", [1280, 390])
def test_five_years_of_twelve_channels_are_legible(
    browser: Browser, long_record: str, screenshots: Path, width: int
) -> None:
    with opened(browser, long_record, "dark", width) as page:
        page.goto(f"{long_record}/audit?period=June+2023")
        settled(page)
        expect(page.get_by_role("combobox", name="Months shown")).to_have_value("December 2022 to November 2023")
        chart = page.locator('[data-testid="stPlotlyChart"]').first
        bars = chart.locator(".bars .point path")
        expect(bars).to_have_count(13 * MONTHS)
        narrowest = min(box["width"] for bar in bars.all()[:MONTHS] if (box := bar.bounding_box()))
        written = [box["width"] for text in chart.locator(".textpoint text").all() if (box := text.bounding_box())]
        # No text is wider than the cell that it stands in.
        assert max(written) <= narrowest
        assert page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        chart.screenshot(path=screenshots / f"verdicts-{width}.png")
