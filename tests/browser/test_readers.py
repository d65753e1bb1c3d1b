"""Twenty readers at once while two runs publish: each gets the right answer of one snapshot, and soon the new one.

Four read in Chromium, sixteen over the same WebSocket without drawing. Every answer is held against the snapshot file
that the page itself names in its footer.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import cycle
from pathlib import Path

import duckdb
import pytest
from playwright.sync_api import Browser, Page

from dashboard.words import formats, texts
from tests.browser.conftest import REPOSITORY
from tests.browser.test_pages import settled
from tests.support.dashboard_server import dashboard, free_port
from tests.support.home import EVENT, MESSAGE, Home
from tests.support.page_reader import PageReader

CHANNELS = ("sms", "email", "push", "whatsapp")
# One on each channel in Chromium, the others without.
WITHOUT = 16
FIRST_DAY = datetime(2026, 6, 1, 9, tzinfo=UTC)
CONTACTS, WEEKS = 60, 8

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def first_delivery() -> dict[str, str]:
    """Everybody on four channels gets a message a week; on each channel others opt out, in June and in July."""
    messages, events = [MESSAGE], [EVENT]
    for place, channel in enumerate(CHANNELS, start=1):
        for contact in range(CONTACTS):
            for week in range(WEEKS):
                at = FIRST_DAY + timedelta(weeks=week, minutes=contact)
                who = address(channel, contact)
                messages.append(f"{channel}-{contact}-{week},{channel},{who},{at:%FT%TZ},marketing,delivered\n")
        in_june, in_july = range(36, 36 + 5 * place), range(28, 28 + place)
        events += [opt_out(channel, contact, FIRST_DAY + timedelta(days=20)) for contact in in_june]
        events += [opt_out(channel, contact, FIRST_DAY + timedelta(days=40)) for contact in in_july]
    return {"m1.csv": "".join(messages), "e1.csv": "".join(events)}


def later_delivery(number: int) -> dict[str, str]:
    """More opt-outs of June, so that every answer of the run before becomes an old one."""
    chosen = [(channel, number * 7 + place) for channel in CHANNELS for place in range(3 + CHANNELS.index(channel))]
    return {
        f"e{number}.csv": EVENT
        + "".join(
            opt_out(channel, contact, FIRST_DAY + timedelta(days=number, hours=contact), number)
            for channel, contact in chosen
        )
    }


def address(channel: str, contact: int) -> str:
    return f"p{contact}@example.com" if channel == "email" else f"+1202555{contact:04d}"


def opt_out(channel: str, contact: int, at: datetime, number: int = 1) -> str:
    done = at + timedelta(minutes=5)
    return f"o{number}-{channel}-{contact},{channel},{address(channel, contact)},opt_out,{at:%FT%TZ},{done:%FT%TZ}\n"


@dataclass
class Seen:
    """What one reader was told, and by which run."""

    channel: str
    month: str
    answers: list[tuple[str, str]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    @property
    def runs(self) -> list[str]:
        """The runs it read, each once, in the order of its reading."""
        return list(dict.fromkeys(run for run, _ in self.answers))


def run_of(page: str) -> str:
    """The run that a page names; AssertionError if it names none or several."""
    (run,) = set(re.findall(r"Run `?(\d{8}T\d+Z-[0-9a-f]+)", page))
    return str(run)


class Record:
    """The published snapshots of a home, read directly and apart from the dashboard."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.right = cache(self._right)

    def _right(self, run: str, channel: str, month: str) -> tuple[str, str]:
        """What a page must say of a month and a channel: how far the data go, and how many of how many left."""
        with duckdb.connect(str(self.home / "published" / f"{run}.duckdb"), read_only=True) as snapshot:
            snapshot.execute("set TimeZone = 'UTC'")
            (as_of,) = snapshot.execute("select as_of from run.parameters").fetchone() or (None,)
            (left, reached) = snapshot.execute(
                """
                select numerator, denominator from metrics.measurements
                where metric = 'opt_out_rate' and definition = 'heed' and grain = 'month' and channel = ?
                    and program = '*' and campaign_id = '*' and strftime(period_start, '%B %Y') = ?
                """,
                [channel, month],
            ).fetchone() or (None, None)
        return f"Data up to {formats.instant(as_of)}", f"{left:,.0f} of {reached:,.0f}"


class Readers:
    """Sixteen threads, each with a session and filters of its own, that read until they are told to stop."""

    def __init__(self, site: str, record: Record) -> None:
        self.site, self.record = site, record
        self.stop = threading.Event()
        choices = cycle([(channel, month) for month in ("June 2026", "July 2026") for channel in CHANNELS])
        self.seen = [Seen(*choice) for choice, _ in zip(choices, range(WITHOUT), strict=False)]
        self.threads = [threading.Thread(target=self._read, args=(seen,)) for seen in self.seen]

    def _read(self, seen: Seen) -> None:
        try:
            with PageReader(self.site) as reader:
                while not self.stop.is_set():
                    filters = {"channel": texts.channel(seen.channel), "period": seen.month, "grain": "Month"}
                    told = reader.read("trends", **filters)
                    run = run_of("\n".join(told.texts))
                    as_of, answer = self.record.right(run, seen.channel, seen.month)
                    [row] = told.tables[0]
                    said = f"{row['Opted out']:,.0f} of {row['Reached']:,.0f}"
                    if said != answer or as_of not in told.one(f"**{seen.month}") or not told.succeeded:
                        seen.wrong.append(f"{seen.channel}, {seen.month}, run {run}: {said} instead of {answer}")
                    seen.answers.append((run, said))
        except Exception as error:
            # A thread's error would otherwise be nobody's.
            seen.wrong.append(repr(error))


@pytest.mark.timeout(600)
def test_twenty_readers_while_runs_publish(browser: Browser, tmp_path: Path) -> None:
    home = Home(tmp_path / "home").configure().deliver(first_delivery())
    assert home.heed("run").code == 0
    record = Record(home.path)
    with dashboard(home.path, free_port()) as site:
        readers = Readers(site, record)
        contexts = [browser.new_context(viewport={"width": 1280, "height": 900}) for _ in CHANNELS]
        asked = [Seen(channel, "June 2026") for channel in CHANNELS]
        pages = [(context.new_page(), seen) for context, seen in zip(contexts, asked, strict=True)]
        for thread in readers.threads:
            thread.start()
        published = [current(home.path)]
        try:
            for page, seen in pages:
                read_in_chromium(page, site, seen, record)
            wait_until_all_have_read(readers, published[0])
            for number in (2, 3):
                home.deliver(later_delivery(number))
                run = subprocess.Popen(
                    [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "run"], cwd=REPOSITORY,
                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                )  # fmt: skip
                while run.poll() is None:
                    for page, seen in pages:
                        read_in_chromium(page, site, seen, record)
                assert run.returncode == 0
                published.append(current(home.path))
                # Whoever asks from now on is told of the new one, without a restart.
                for page, seen in pages:
                    read_in_chromium(page, site, seen, record)
                    assert seen.answers[-1][0] == published[-1]
                wait_until_all_have_read(readers, published[-1])
        finally:
            readers.stop.set()
            for thread in readers.threads:
                thread.join(timeout=60)
            for context in contexts:
                context.close()
    everybody = [*readers.seen, *(seen for _, seen in pages)]
    assert [wrong for seen in everybody for wrong in seen.wrong] == []
    assert len(set(published)) == 3
    assert {tuple(seen.runs) for seen in everybody} == {tuple(published)}
    # The answers differ between channels and between runs, so a mixed one could not have gone unseen.
    june = {(run, channel): record.right(run, channel, "June 2026")[1] for run in published for channel in CHANNELS}
    assert all(len({june[run, channel] for channel in CHANNELS}) == len(CHANNELS) for run in published)
    assert all(len({june[run, channel] for run in published}) == len(published) for channel in CHANNELS)


def current(home: Path) -> str:
    """The run that is published now."""
    run: str = json.loads((home / "published" / "CURRENT.json").read_text(encoding="utf-8"))["run_id"]
    return run


def wait_until_all_have_read(readers: Readers, run: str) -> None:
    """Wait until each of the sixteen has an answer of the run."""
    until = time.monotonic() + 60
    while not all(seen.wrong or (seen.answers and seen.answers[-1][0] == run) for seen in readers.seen):
        assert time.monotonic() < until, [seen.runs for seen in readers.seen]
        time.sleep(0.1)


def read_in_chromium(page: Page, site: str, seen: Seen, record: Record) -> None:
    """Open the page anew and hold what stands on it against the snapshot that it names."""
    page.goto(f"{site}/trends?channel={texts.channel(seen.channel)}&period={seen.month.replace(' ', '+')}&grain=Month")
    settled(page)
    text = page.get_by_test_id("stMain").inner_text()
    run = run_of(text)
    as_of, answer = record.right(run, seen.channel, seen.month)
    left, reached = (int(part) for part in answer.replace(",", "").split(" of "))
    chart = page.get_by_test_id("stPlotlyChart").first.get_attribute("aria-label") or ""
    share = formats.share(left / reached)
    if as_of not in text or share not in chart:
        seen.wrong.append(f"Chromium, {seen.channel}, run {run}: {chart} instead of {share}")
    seen.answers.append((run, share))
