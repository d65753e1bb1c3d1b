"""One finding in a real browser: opened from the list, told in words, and found again when its button is pressed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import served
from tests.browser.test_pages import opened, settled
from tests.support.rule_book_home import rule_book_home

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a dashboard over the sample in which every rule finds something."""
    folder = tmp_path_factory.mktemp("finding")
    home = rule_book_home(folder / "home")
    with served(home, folder / "server.log") as address:
        yield address


def open_first(page: Page) -> None:
    """Choose the first finding of the list by keyboard, as whoever uses no mouse does."""
    chooser = page.get_by_role("combobox", name="Open one of these findings")
    options = page.get_by_role("option")
    for _ in range(5):  # A list that opens while the page is still being drawn closes again.
        chooser.focus()
        page.keyboard.press("ArrowDown")
        try:
            expect(options.first).to_be_visible(timeout=5_000)
            page.wait_for_timeout(200)
            expect(options.first).to_be_visible(timeout=200)
        except AssertionError:
            settled(page)
        else:
            break
    page.keyboard.press("Enter")


def test_an_officer_opens_a_finding_and_runs_its_sql_again(browser: Browser, site: str, screenshots: Path) -> None:
    with opened(browser, site) as page:
        page.goto(f"{site}/findings?finding=Sent+past+the+deadline")
        settled(page)
        open_first(page)
        expect(page.get_by_role("heading", name="What happened here, and how do we know?")).to_be_visible()
        settled(page)
        expect(page.get_by_text("The contact had opted out of SMS on 1 Oct 2026 14:00 UTC")).to_be_visible()
        expect(page.get_by_text("Not all of this link was understood")).to_have_count(0)
        page.get_by_role("button", name="Run this SQL again now").click()
        expect(page.get_by_text("Found again.")).to_be_visible(timeout=30_000)
        settled(page)
        page.screenshot(path=screenshots / "finding.png", full_page=True)
        # Whoever gets the link sees the same finding.
        address = page.url
        page.reload()
        settled(page)
        assert page.url == address
        expect(page.get_by_role("heading", name="Sent past the deadline")).to_be_visible()
        # And the way back is to the list as it was.
        page.goto(f"{site}/findings?finding=Sent+past+the+deadline")
        settled(page)
        open_first(page)
        settled(page)
        page.get_by_role("link", name="Back to the findings").click()
        expect(page.get_by_role("heading", name="What went wrong, and for whom?")).to_be_visible()
        settled(page)
        assert page.url.endswith("/findings?finding=Sent+past+the+deadline")


def test_one_leads_to_the_next_of_the_list(browser: Browser, site: str) -> None:
    with opened(browser, site) as page:
        page.goto(f"{site}/findings?sort=Oldest+first")
        settled(page)
        open_first(page)
        expect(page.get_by_text("1 of the 31 findings on that page of the list")).to_be_visible(timeout=30_000)
        settled(page)
        first = page.url
        page.get_by_role("button", name="Next").click()
        expect(page.get_by_text("2 of the 31 findings on that page of the list")).to_be_visible(timeout=30_000)
        settled(page)
        assert page.url != first
        page.get_by_role("button", name="Previous").click()
        expect(page.get_by_text("1 of the 31 findings on that page of the list")).to_be_visible(timeout=30_000)
        settled(page)
        assert page.url == first


@pytest.mark.parametrize("width", [1280, 390])
def test_a_finding_fits_a_desk_and_a_phone(browser: Browser, site: str, width: int, screenshots: Path) -> None:
    with opened(browser, site, "dark" if width < 500 else "light", width) as page:
        page.goto(f"{site}/findings")
        settled(page)
        open_first(page)
        expect(page.get_by_role("heading", name="The SQL that found it")).to_be_visible(timeout=30_000)
        settled(page)
        assert page.evaluate("document.scrollingElement.scrollWidth") <= width
        page.screenshot(path=screenshots / f"finding-{width}.png", full_page=True)
