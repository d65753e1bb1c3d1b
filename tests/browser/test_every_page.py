"""Every page in a real browser, visited once in each look: what it shows, and who can read it.

It draws without a complaint, asks no other host, is no wider than its window, axe-core finds nothing by the rules of
WCAG 2.2 A and AA, and the words in its charts stand out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from dashboard.words import texts
from tests.browser.test_accessibility import complaints, unfold
from tests.browser.test_pages import Look, opened, settled

# A page with all it can show: addresses of states that a click would lead to.
STATES = ["contact?contact=0123456789abcdef", "findings?violations=true&channel=SMS", "rules?kind=Quiet+hours"]


# The words in a chart are SVG, which axe does not measure: their colour over the page's, by the formula of WCAG 2.2.
FAINT_WORDS = """() => {
  const parts = (color) => {
    const canvas = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true})
    canvas.fillStyle = getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor
    canvas.fillRect(0, 0, 1, 1)
    if (color) {
      canvas.fillStyle = color
      canvas.fillRect(0, 0, 1, 1)
    }
    return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
  }
  const luminance = (color) => {
    const [red, green, blue] = parts(color).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }
  const ground = luminance('')
  return [...document.querySelectorAll('svg.main-svg text')].filter((word) => word.textContent.trim()).map((word) => {
    const own = luminance(getComputedStyle(word).fill)
    const [lighter, darker] = [Math.max(own, ground), Math.min(own, ground)]
    return [word.textContent, (lighter + 0.05) / (darker + 0.05)]
  }).filter(([, ratio]) => ratio < 4.5)
}"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("look", "width"),
    [
        ("light", 1280),
        ("dark", 390),
        *(pytest.param(look, width, marks=pytest.mark.thorough) for look, width in (("dark", 1280), ("light", 390))),
    ],
)
def test_every_page_in_every_way(browser: Browser, dashboard: str, screenshots: Path, look: Look, width: int) -> None:
    found: list[str] = []
    with opened(browser, dashboard, look, width) as page:
        for name in [*texts.PAGES, *STATES]:
            page.goto(f"{dashboard}/{'' if name == 'overview' else name}")
            settled(page)
            expect(page.locator('[data-testid="stException"]')).to_have_count(0)
            picture = screenshots / f"{name.partition('?')[0]}-{look}-{width}.png"
            if name in texts.PAGES:
                height = page.evaluate("document.querySelector('[data-testid=\"stMain\"]').scrollHeight")
                page.set_viewport_size({"width": width, "height": max(900, height)})
                page.screenshot(path=picture)
                page.set_viewport_size({"width": width, "height": 900})
            found += [f"{name}: {line}" for line in to_the_eye(page, is_on_cells=name == "audit")]
            unfold(page)
            found += [f"{name}: {line}" for line in complaints(page)]
    assert found == []


def to_the_eye(page: Page, *, is_on_cells: bool) -> Iterator[str]:
    """What is wrong with how the page looks; words on a calendar's cells are measured by tests/pages/test_contrast."""
    if (sideways := page.evaluate("document.documentElement.scrollWidth - window.innerWidth")) > 0:
        yield f"is {sideways} pixels wider than the window"
    for word, ratio in [] if is_on_cells else page.evaluate(FAINT_WORDS):
        yield f"faint: {word} {ratio:.2f}"


def test_every_page_of_an_old_empty_snapshot(browser: Browser, old_dashboard: str, screenshots: Path) -> None:
    found: list[str] = []
    with opened(browser, old_dashboard) as page:
        for name in texts.PAGES:
            page.goto(f"{old_dashboard}/{'' if name == 'overview' else name}")
            settled(page)
            expect(page.get_by_text("These numbers are 3 days old.")).to_be_visible()
            page.screenshot(path=screenshots / f"{name}-stale.png", full_page=True)
            found += [f"{name}: {line}" for line in complaints(page)]
    assert found == []
