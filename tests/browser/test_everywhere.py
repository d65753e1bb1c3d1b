"""What every page does, in a real browser: a view is a link, and what is seen can be taken along."""

from __future__ import annotations

import io
import struct
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import pyarrow.parquet
import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.words import filters, taking, texts
from tests.browser.test_pages import opened, settled

VIEWS = [
    ("trends", "channel=SMS&period=October+2026&grain=Month&split=Program"),
    ("trends", "campaign=newsletter&definition=Opt-outs+per+message"),
    ("findings", "severity=High&severity=Warning&page=2"),
    ("campaigns", "campaign_span=Whole+record&channel=Email"),
    ("response", "by=Channel&channel=SMS"),
    ("membership", "by=Source"),
    ("rules", "kind=Quiet+hours&notes=true"),
]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def arrive(page: Page, name: str) -> None:
    """Wait until the page of this name has drawn."""
    expect(page.get_by_role("heading", name=texts.PAGES[name].question, exact=True)).to_be_visible(timeout=30_000)
    settled(page)


def shown(page: Page) -> str:
    """The words of the page, its footer and its age apart."""
    lines = page.locator('[data-testid="stMainBlockContainer"]').inner_text().splitlines()
    return "\n".join(line for line in lines if "published" not in line)


@pytest.mark.parametrize(("name", "query"), VIEWS)
def test_a_view_is_a_link(browser: Browser, dashboard: str, name: str, query: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/{name}?{query}")
        arrive(page, name)
        asked = sorted(parse_qsl(query))
        assert sorted(parse_qsl(urlsplit(page.url).query)) == asked
        expect(page.get_by_text("Not all of this link was understood")).to_have_count(0)
        before = shown(page)
        page.reload()
        arrive(page, name)
        assert sorted(parse_qsl(urlsplit(page.url).query)) == asked
        assert shown(page) == before


def test_what_is_chosen_on_the_page_comes_into_the_link(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/trends")
        arrive(page, "trends")
        page.get_by_role("radio", name="Month").click()
        settled(page)
        page.get_by_role("button", name=filters.LINK).click()
        link = page.locator('[data-testid="stPopoverBody"] code')
        expect(link).to_contain_text("scope=channel")
        asked = dict(parse_qsl(urlsplit(link.inner_text()).query))
        assert asked == {"grain": "Month", "scope": "channel", "run": "20261118T141001Z-4f2a9c"}
        page.goto(link.inner_text())
        arrive(page, "trends")
        expect(page.get_by_role("radio", name="Month")).to_be_checked()
        expect(page.get_by_text("This link was made")).to_have_count(0)


def test_back_leads_to_the_page_before(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/trends?channel=SMS")
        arrive(page, "trends")
        page.get_by_role("link", name="Response time").click()
        arrive(page, "response")
        page.go_back()
        arrive(page, "trends")
        assert urlsplit(page.url).query == "channel=SMS"
        expect(page.get_by_text("Whole record, SMS", exact=True)).to_be_visible()


def test_a_link_from_elsewhere_is_answered_calmly(browser: Browser, dashboard: str, screenshots: Path) -> None:
    with opened(browser, dashboard, "dark", 390) as page:
        page.goto(f"{dashboard}/trends?channel=Fax&scope=person&run=20261018T060001Z-1c77d0")
        arrive(page, "trends")
        expect(page.get_by_text("channel = Fax")).to_be_visible()
        expect(page.get_by_text("these numbers apply them per channel")).to_be_visible()
        page.screenshot(path=screenshots / "link-from-elsewhere.png")
        page.get_by_role("link", name=filters.WHAT_CHANGED).click()
        arrive(page, "restated")


def test_a_chart_and_its_numbers_are_taken_by_keyboard(browser: Browser, dashboard: str, screenshots: Path) -> None:
    with opened(browser, dashboard, "dark") as page:
        page.goto(f"{dashboard}/trends?channel=SMS")
        arrive(page, "trends")
        page.get_by_role("button", name=taking.TAKE).first.focus()
        page.keyboard.press("Enter")
        body = page.get_by_role("dialog")
        camera = body.locator("button.modebar-btn")
        expect(camera).to_be_visible(timeout=30_000)
        page.screenshot(path=screenshots / "take-with-you.png")
        files = {}
        for control in (
            body.get_by_role("button", name=taking.CSV),
            body.get_by_role("button", name=taking.PARQUET),
            camera,
        ):
            control.focus()
            with page.expect_download() as download:
                page.keyboard.press("Enter")
            assert download.value.suggested_filename.startswith("heed-trends-opt-out-rate-by-week")
            assert "20261118T141001Z-4f2a9c" in download.value.suggested_filename
            ending = download.value.suggested_filename.rpartition(".")[2]
            files[ending] = Path(download.value.path()).read_bytes()
        # The chart is still there: an image that loses its chart while it is made leaves an error behind.
        expect(camera).to_be_visible()
        assert files["csv"].startswith(b'"Week","Opted out","Reached","Rate (%)"')
        assert b'"Whole record, SMS"' in files["csv"]
        assert b"heed_run" in (pyarrow.parquet.read_schema(io.BytesIO(files["parquet"])).metadata or {})
        (screenshots / "taken.png").write_bytes(files["png"])
        assert files["png"].startswith(b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", files["png"][16:24])
        assert width == 2000
        assert 600 < height < 1400
        assert 20_000 < len(files["png"]) < 2_000_000


def test_the_reader_s_own_time_is_said(browser: Browser, dashboard: str) -> None:
    for zone, told in (("Europe/Vienna", "(15:05 your time, Europe/Vienna)"),
                       ("Asia/Tokyo", "(23:05 your time, Asia/Tokyo)"), ("UTC", "")):  # fmt: skip
        context = browser.new_context(timezone_id=zone)
        page = context.new_page()
        page.goto(f"{dashboard}/trends")
        arrive(page, "trends")
        expect(page.get_by_text(f"Data up to 18 Nov 2026 14:05 UTC {told}".strip())).to_be_visible()
        expect(page.get_by_text("your time")).to_have_count(1 if told else 0)
        context.close()
