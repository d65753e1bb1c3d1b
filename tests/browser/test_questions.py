"""Twelve questions as somebody asks them who has never seen heed, each answered by clicking from the Overview.

Nobody types an address: the reader uses what a page shows, a link, the menu, a filter, a row, something folded. The
answers come from the sample's answer key, its delivered files, or the command line. docs/questions.md is this list for
readers.
"""

from __future__ import annotations

import csv
import gzip
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.words import formats, texts
from tests.browser.conftest import REPOSITORY
from tests.browser.test_pages import opened, settled
from tests.support.dashboard_server import dashboard, free_port
from tests.support.published import heed
from tests.support.sample_answers import SampleAnswers

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@dataclass
class Visit:
    """A reader at work: every click counts."""

    page: Page
    clicks: list[str] = field(default_factory=list)

    def follow(self, link: str | re.Pattern[str]) -> None:
        """Click a link on the page, by what it says."""
        self._click(
            f"link {link}", lambda: self.page.get_by_test_id("stMain").get_by_role("link", name=link).first.click()
        )

    def menu(self, name: str) -> None:
        """Click a page's name in the menu."""
        menu = self.page.get_by_test_id("stSidebarNav")
        self._click(f"menu {name}", lambda: menu.get_by_role("link", name=texts.PAGES[name].title).first.click())
        expect(self.page.get_by_role("heading", name=texts.PAGES[name].question)).to_be_visible(timeout=30_000)
        settled(self.page)

    def choose(self, label: str, option: str) -> None:
        """Choose in a filter: one click opens it, one chooses."""
        box = self.page.get_by_role("combobox", name=label)
        self._click(f"filter {label}", box.click)
        choice = self.page.get_by_role("option", name=option, exact=True)
        self._click(f"option {option}", choice.click)
        expect(box).to_have_value(option)
        settled(self.page)

    def press(self, option: str) -> None:
        """Press one of a row of buttons."""
        self._click(f"button {option}", self.page.get_by_role("radio", name=option, exact=True).click)

    def unfold(self, name: str) -> None:
        """Open something folded, by what it says."""
        summary = self.page.locator("summary").filter(has_text=name).first
        self._click(f"unfold {name}", summary.click)

    def first_row(self, heading: str) -> None:
        """Click into the first row of the first table, where it opens another page."""
        grid = self.page.locator('[data-testid="stDataFrame"] canvas').first
        grid.scroll_into_view_if_needed()
        # The table is one canvas; its first row begins below the header, its first column is the button.
        self._click("first row", lambda: grid.click(position={"x": 30, "y": 55}, force=True))
        expect(self.page.get_by_role("heading", name=heading)).to_be_visible(timeout=30_000)
        settled(self.page)

    def _click(self, what: str, click: Callable[[], None]) -> None:
        click()
        self.clicks.append(what)
        settled(self.page)

    def text(self) -> str:
        """What stands on the page, with plain spaces."""
        text = self.page.get_by_test_id("stMain").inner_text()
        return re.sub(r"[\u00a0\u2060\u202f]", " ", text).replace(" –", "–")

    def reads(self, words: str | re.Pattern[str]) -> re.Match[str]:
        """Where these words stand on the page, waited for: a page just asked for may still show what it showed."""
        pattern = words if isinstance(words, re.Pattern) else re.compile(re.escape(words))
        for _ in range(100):
            if found := pattern.search(self.text()):
                return found
            self.page.wait_for_timeout(200)
        raise AssertionError(f"{pattern.pattern!r} does not stand on the page:\n{self.text()}")

    def row(self, name: str) -> list[str]:
        """The cells of a table's row that begins so."""
        row = self.page.locator("table tr").filter(has=self.page.locator("td").first.filter(has_text=name)).first
        return [cell.strip() for cell in row.locator("td").all_inner_texts()]

    def grid(self, name: str) -> list[list[str]]:
        """The cells of a table that can be scrolled, by its name, as a screen reader is told them."""
        frame = self.page.get_by_test_id("stDataFrame").filter(has=self.page.get_by_label(re.compile(f"^{name}"))).first
        canvas = frame.locator("canvas").first
        expect(canvas.locator("td").first).to_be_attached()
        rows = canvas.locator("tbody tr").all()
        return [[cell.strip() for cell in row.locator("td").all_text_contents()] for row in rows]


def sent_after_processing(visit: Visit, right: SampleAnswers) -> None:
    visit.follow(re.compile("Read the .* violations"))
    visit.choose("Month", "October 2026")
    visit.choose("Channel", "SMS")
    planted = [incident for incident in right.key["incidents"] if incident["name"] == "suppression_off"]
    (count,) = [one["findings"]["message_after_opt_out"]["sent_after_processing"] for one in planted]
    assert str(count) in visit.row("Sent after processing")


def oldest_open_request(visit: Visit, right: SampleAnswers) -> None:
    visit.follow(re.compile("Apply the .* opt-outs"))
    first = visit.grid("Open opt-outs by deadline")[0]
    assert formats.instant(right.first_deadline()) in first
    assert any(cell.endswith("overdue") for cell in first)


def file_and_row(visit: Visit, right: SampleAnswers) -> None:
    visit.follow(re.compile("Read the .* violations"))
    visit.choose("Channel", "Email")
    visit.first_row(texts.PAGES["finding"].question)
    (finding_id,) = parse_qs(urlsplit(visit.page.url).query)["finding_id"]
    place = re.compile(r"(inbox/\S+\.(?:csv|gz)), row ([\d,]+)")
    visit.reads(place)
    places = place.findall(visit.text())
    message = right.message_of(finding_id)
    # The file that the page names holds, in the row it names, the message that the finding is about.
    assert any(message in delivered_row(right.home / path, int(row.replace(",", ""))) for path, row in places), places


def delivered_row(path: Path, number: int) -> list[str]:
    """A row of a delivered CSV file, counted from 1 below its header."""
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.reader(data.decode().splitlines()))[number]


def expired_waiver(visit: Visit, right: SampleAnswers) -> None:
    visit.follow(re.compile("Renew or remove"))
    (expired,) = [waiver for waiver in right.key["waivers"] if waiver["status"] == "expired"]
    count = formats.plural(expired["finding_count"], "finding")
    campaign = expired["subject"].removeprefix("campaign:")
    visit.reads(re.compile(rf"{campaign}, until 31 Oct 2026\. {count} counts? again"))


def campaign_beyond_chance(visit: Visit, right: SampleAnswers) -> None:
    visit.menu("campaigns")
    visit.choose("Month", "July 2026")
    # The letter of Thursday, 9 July: week 28.
    (planted,) = [one for one in right.key["incidents"] if one["name"] == "newsletter_drove_people_away"]
    assert planted["starts_at"].startswith("2026-07-09")
    answer = visit.reads(re.compile(r"away in July 2026, beyond chance:\s+(.*)"))
    assert "mail-thu-2026w28" in answer[1]


def left_of_reached(visit: Visit, right: SampleAnswers) -> None:
    visit.menu("trends")
    visit.choose("Month", "October 2026")
    visit.choose("Channel", "SMS")
    visit.press("Month")
    visit.unfold(texts.TABLE_BEHIND)
    (october,) = [month for month in right.expected["monthly"]["sms"] if month["month"] == "2026-10"]
    (row,) = [row for row in visit.grid("Opt-out rate by month") if row[0] == "October 2026"]
    assert [october["numerator"], october["denominator"]] == [int(cell.replace(",", "")) for cell in row[1:3]]


def reason(visit: Visit, right: SampleAnswers) -> None:
    visit.menu("reasons")
    counts = right.reasons("2026-10")
    given = {reason: count for reason, count in counts.items() if reason != "unspecified"}
    most = max(given, key=lambda reason: given[reason])
    total = sum(counts.values())
    words = f"Most often: {texts.humanise(most).lower()}, {formats.share(given[most] / total)} of {total} opt-outs"
    visit.reads(re.sub(r"[\u00a0\u202f]", " ", words))


def audience(visit: Visit, right: SampleAnswers) -> None:
    visit.menu("audience")
    told = visit.reads(re.compile(r"The audience grew by (\d+) in October 2026; ([\d,]+) contacts opted in now"))
    assert told[2] == f"{right.opted_in():,}"


def all_right(visit: Visit, right: SampleAnswers) -> None:
    visit.reads(f"No. {right.violations()} violations are on record.")


def getting_better(visit: Visit, right: SampleAnswers) -> None:
    trend = right.expected["opt_out_trend"]
    assert trend["direction"] == "Decreasing"
    visit.reads("the weekly opt-out rate was decreasing")
    visit.reads(f"{trend['percentage_points_per_week']:.2f} percentage points a week")


def how_fast(visit: Visit, right: SampleAnswers) -> None:
    told = right.expected["response_time"]
    half = formats.duration(told["2026-10"]["median_seconds"]).replace("\u00a0", " ")
    visit.reads(f"Half of the opt-outs applied within {half}")
    visit.reads(f"Apply the {told['all']['open']} opt-outs past their deadline")


def nothing_lost(visit: Visit, right: SampleAnswers) -> None:
    visit.follow(re.compile("Repair the .* rows in quarantine"))
    told = right.files()
    visit.reads(f"{told['read']:,} records read from {told['files']} files")
    visit.reads(f"{told['duplicate']:,} duplicates, {told['quarantined']} in quarantine")


#: (who asks, the question, within how many clicks, how it is answered)
QUESTIONS: list[tuple[str, str, int, Callable[[Visit, SampleAnswers], None]]] = [
    ("officer", "How many texts went out in October to people whose opt-out had already been applied?", 5,
     sent_after_processing),
    ("officer", "When must the oldest open opt-out be applied, and is that day past?", 1, oldest_open_request),
    ("officer", "Which file and which row does this violation by e-mail come from?", 4, file_and_row),
    ("officer", "Which waiver no longer holds, since when, and what counts again because of it?", 1, expired_waiver),
    ("marketer", "Which campaign drove people away in July, and is it more than chance?", 3, campaign_beyond_chance),
    ("marketer", "Of the people we texted in October, how many left?", 7, left_of_reached),
    ("marketer", "What is the reason most people gave for leaving last month?", 1, reason),
    ("marketer", "Is the audience growing, and how many people may we write to?", 1, audience),
    ("manager", "Are we all right?", 0, all_right),
    ("manager", "Is the opt-out rate getting better or worse?", 0, getting_better),
    ("manager", "How long does it take us to stop writing, and is anybody still waiting?", 0, how_fast),
    ("manager", "Was anything lost on the way into these numbers?", 1, nothing_lost),
]  # fmt: skip


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, SampleAnswers]]:
    """The address of a dashboard over the sample, and its right answers."""
    home = tmp_path_factory.mktemp("questions") / "home"
    for verb in ("sample", "run"):
        heed(home, verb, in_process=verb == "sample")
    with dashboard(home, free_port()) as site:
        yield site, SampleAnswers(home)


@pytest.mark.parametrize(("who", "question", "within", "answer"), QUESTIONS, ids=[one[3].__name__ for one in QUESTIONS])
def test_a_fresh_reader_finds_the_answer(
    browser: Browser, sample: tuple[str, SampleAnswers], who: str, question: str, within: int,
    answer: Callable[[Visit, SampleAnswers], None],
) -> None:  # fmt: skip
    site, right = sample
    with opened(browser, site) as page:
        page.goto(site)
        settled(page)
        visit = Visit(page)
        answer(visit, right)
        assert len(visit.clicks) == within, (who, question, visit.clicks)


def test_the_questions_are_written_down_for_readers() -> None:
    written = (REPOSITORY / "docs" / "questions.md").read_text(encoding="utf-8")
    asked = re.findall(r"^\| (officer|marketer|manager) \| (.*?) \| (\d+) \|", written, re.MULTILINE)
    assert asked == [(who, question, str(within)) for who, question, within, _ in QUESTIONS]
    assert [sum(one[0] == who for one in QUESTIONS) for who in ("officer", "marketer", "manager")] == [4, 4, 4]
