"""One contact in a real browser: an address is typed, a key is all that remains of it, and the page goes on paper."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.browser.conftest import served
from tests.browser.test_pages import opened, settled
from tests.support.home import EVENT, MESSAGE, Home, without_validation

ADDRESS = "+1 (202) 555-0101"
FILES: dict[str, str | bytes] = {
    "m.csv": MESSAGE
    + "m1,sms,+12025550101,2026-10-05T10:00:00Z,marketing,delivered\n"
    + "m2,sms,+12025550101,2026-10-07T10:00:00Z,marketing,delivered\n"
    + "".join(f"b{n},email,busy@example.com,2026-09-{n + 1:02d}T10:00:00Z,marketing,\n" for n in range(28)),
    "e.csv": EVENT + "e1,sms,+12025550101,opt_out,2026-10-05T12:00:00Z,2026-10-05T13:00:00Z\n",
}

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Home, Path]]:
    """The address of a dashboard beside its history, its home, and the server's log."""
    folder = tmp_path_factory.mktemp("contact")
    with pytest.MonkeyPatch.context() as patch:
        without_validation(patch)
        home = Home(folder / "home").configure()
        home.deliver(FILES).run()
    with served(home.path, folder / "server.log") as address:
        yield address, home, folder / "server.log"


def test_an_address_is_typed_and_only_its_key_remains(
    browser: Browser, site: tuple[str, Home, Path], screenshots: Path
) -> None:
    address, home, log = site
    key = home.heed("contact", ADDRESS, "--json").json()["contact_key"]
    with opened(browser, address) as page:
        asked: list[str] = []
        page.on("request", lambda request: asked.append(f"{request.url} {request.post_data or ''}"))
        page.goto(f"{address}/contact")
        settled(page)
        field = page.get_by_role("searchbox", name="Address or contact key")
        field.fill(ADDRESS)
        page.keyboard.press("Enter")
        expect(page.get_by_text("+1202•••••01 got 2 messages")).to_be_visible(timeout=30_000)
        settled(page)
        assert re.search(rf"/contact\?contact={key}$", page.url)
        expect(field).to_have_value("")
        page.screenshot(path=screenshots / "contact-from-history.png", full_page=True)
        # Whoever gets the link sees the same contact.
        page.reload()
        expect(page.get_by_text("+1202•••••01 got 2 messages")).to_be_visible(timeout=30_000)
        assert page.evaluate("JSON.stringify([localStorage, sessionStorage, history.state])").find("5550101") == -1
    assert asked
    written = log.read_text() + (home.path / "private" / "access.jsonl").read_text() + "".join(asked)
    assert key in written
    for piece in ("5550101", "555-0101"):
        assert piece not in written


def test_a_contact_goes_on_paper(browser: Browser, site: tuple[str, Home, Path], screenshots: Path) -> None:
    address, home, _ = site
    key = home.heed("contact", "busy@example.com", "--json").json()["contact_key"]
    with opened(browser, address, "dark") as page:
        page.goto(f"{address}/contact?contact={key}&print=true")
        settled(page)
        expect(page.get_by_text("Print this page with Ctrl+P")).to_be_visible()
        page.emulate_media(media="print")
        for hidden in ("stSidebar", "stHeader", "stForm", "stDownloadButton"):
            expect(page.locator(f'[data-testid="{hidden}"]').first).to_be_hidden()
        expect(page.get_by_text("Print this page with Ctrl+P")).to_be_hidden()
        rows = page.locator('[data-testid="stTable"]').first.locator("tbody tr")
        expect(rows).to_have_count(28)
        paper = page.evaluate("getComputedStyle(document.querySelector('.stApp')).backgroundColor")
        assert paper == "rgb(255, 255, 255)"
        page.screenshot(path=screenshots / "contact-on-paper.png", full_page=True)
        # All of it is printed, and not the first window full.
        printed = page.pdf(format="A4")
    pages = len(re.findall(rb"/Type\s*/Page[^s]", printed))
    assert 2 <= pages <= 6


def test_files_of_a_contact_are_written_down(browser: Browser, site: tuple[str, Home, Path]) -> None:
    address, home, _ = site
    key = home.heed("contact", ADDRESS, "--json").json()["contact_key"]
    with opened(browser, address) as page:
        page.goto(f"{address}/contact?contact={key}")
        settled(page)
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as CSV").click()
        text = Path(download.value.path()).read_text(encoding="utf-8")
    assert download.value.suggested_filename.startswith(f"contact-{key}-")
    assert text.splitlines()[0].startswith('"occurred_at","kind","source","record_id"')
    assert text.count("\n") == 4
    assert "5550101" not in text
    line = json.loads((home.path / "private" / "access.jsonl").read_text().splitlines()[-1])
    assert (line["what"], line["export"], line["contact_key"], line["rows"]) == ("export", "contact", key, 3)
