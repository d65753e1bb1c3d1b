"""What pages lead to in a real browser, where nothing may complain and no other host is asked for anything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

Look = Literal["light", "dark"]
# Streamlit looks for its server below the page's own path first; the 404 it gets is its way of finding out.
PROBES = ("/_stcore/health", "/_stcore/host-config")

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@contextmanager
def opened(browser: Browser, address: str, look: Look = "light", width: int = 1280) -> Iterator[Page]:
    """A page of a fresh browser that fails the test on complaints and on requests to other hosts."""
    complaints: list[str] = []
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=look, reduced_motion="reduce", accept_downloads=True
    )
    page = context.new_page()

    def hear(message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and not urlsplit(url).path.endswith(PROBES):
            complaints.append(f"console: {message.text} {url}")

    def reach(url: str) -> None:
        if urlsplit(url).scheme in ("http", "https", "ws", "wss") and urlsplit(url).netloc != urlsplit(address).netloc:
            complaints.append(f"request to {url}")

    page.on("console", hear)
    page.on("pageerror", lambda error: complaints.append(f"page error: {error}"))
    page.on("request", lambda request: reach(request.url))
    page.on("websocket", lambda socket: reach(socket.url))
    try:
        yield page
        assert complaints == []
    finally:
        context.close()


def settled(page: Page) -> None:
    """Wait until the page has drawn what its script made."""
    page.wait_for_selector('[data-testid="stMainBlockContainer"] h1', timeout=30_000)
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=30_000)
    expect(page.locator('[data-testid="stSkeleton"]')).to_have_count(0, timeout=30_000)
    for chart in page.locator('[data-testid="stPlotlyChart"]').all():
        expect(chart.locator("svg.main-svg").first).to_be_visible(timeout=30_000)


def test_charts_have_text_alternatives(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        for name in ("audit", "missed", "trends", "response", "reasons"):
            page.goto(f"{dashboard}/{name}")
            settled(page)
            charts = page.locator('[data-testid="stPlotlyChart"]')
            assert charts.count() > 0
            for index in range(charts.count()):
                named = charts.nth(index).locator("xpath=descendant-or-self::*[@aria-label]")
                assert len(named.first.get_attribute("aria-label") or "") > 20


def test_filters_travel_in_the_url(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/findings?channel=SMS&violations=true")
        settled(page)
        expect(page.get_by_text("Whole record, SMS", exact=True)).to_be_visible()
        page.get_by_role("link", name="Response time").click()
        expect(page.get_by_role("heading", name="How fast is an opt-out applied?")).to_be_visible()
        settled(page)
        assert "channel=SMS" in page.url
        expect(page.get_by_text("Whole record, SMS", exact=True)).to_be_visible()


def test_the_overview_leads_to_the_violations(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/")
        settled(page)
        page.get_by_role("link", name="worst first").click()
        expect(page.get_by_role("heading", name="What went wrong, and for whom?")).to_be_visible()
        settled(page)
        assert "violations=true" in page.url


def test_a_finding_leads_to_its_contact(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/findings?violations=true")
        settled(page)
        table = page.locator('[data-testid="stDataFrame"] canvas').first
        table.scroll_into_view_if_needed()
        # The table is one canvas; its first row begins below the header, its first column is the button.
        table.click(position={"x": 30, "y": 55}, force=True)
        expect(page.get_by_role("heading", name="What happened here, and how do we know?")).to_be_visible()
        settled(page)
        page.get_by_role("link", name="Everything about this contact").click()
        expect(page.get_by_role("heading", name="What happened to this contact?")).to_be_visible(timeout=30_000)
        settled(page)
        assert re.search(r"/contact\?contact=[0-9a-f]{16}$", page.url)
        page.get_by_role("link", name="Back to the findings").click()
        expect(page.get_by_role("heading", name="What went wrong, and for whom?")).to_be_visible(timeout=30_000)
        settled(page)
        assert "violations=true" in page.url


def test_a_missed_request_leads_to_its_findings(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/missed")
        settled(page)
        page.get_by_role("link", name="worst first").click()
        expect(page.get_by_role("heading", name="What went wrong, and for whom?")).to_be_visible()
        settled(page)
        expect(page.get_by_text("Clear request missed").first).to_be_visible()
        assert "rule=Opt-out+request+missed" in page.url


def test_the_law_is_filtered_in_the_url(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/rules?kind=Quiet+hours")
        settled(page)
        expect(page.get_by_role("link", name="Fla. Stat. 501.616(6)(a)")).to_be_visible()
        expect(page.get_by_text("An opt-out is applied within ten business days")).to_have_count(0)


def test_findings_download_as_csv_and_parquet(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/findings")
        settled(page)
        for label, start in (("All as CSV", b'"rule"'), ("All as Parquet", b"PAR1")):
            with page.expect_download() as download:
                page.get_by_text(label).click()
            assert Path(download.value.path()).read_bytes().startswith(start)
