"""What somebody can do who sees little or has no mouse; test_every_page holds every page to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Locator, Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from dashboard.words import texts
from tests.browser.test_pages import opened, settled

# The script from the installed package. The browser's debugger runs it in the page, where the pages' content security
# policy does not reach, so the policy stays on while axe looks.
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
STANDARD = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Beyond the standard: what somebody who reads by headings and landmarks finds their way by.
ORDER = [
    "heading-order", "page-has-heading-one", "empty-heading", "landmark-one-main", "landmark-unique",
    "landmark-no-duplicate-main", "region", "skip-link", "tabindex", "scope-attr-valid", "presentation-role-conflict",
]  # fmt: skip
#: What cannot be mended from outside of a library: (rule of axe, part of the page) -> why, and in which version.
EXEMPT: dict[tuple[str, str], str] = {}
RUN = """async ([rules, exempt]) => {
  const found = await axe.run(document, {runOnly: {type: 'rule', values: rules}, resultTypes: ['violations']})
  return found.violations.flatMap(({id, impact, nodes}) => nodes
    .filter(({target}) => !exempt.some(([rule, part]) =>
      rule === id && document.querySelector(target.at(-1))?.closest(part)))
    .map(({html, any, all, none}) =>
      `${id} (${impact}): ${html.slice(0, 200)} ${[...any, ...all, ...none].map((check) => check.message).join('; ')}`))
}"""
pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def complaints(page: Page) -> list[str]:
    """What axe finds on the page as it stands."""
    page.evaluate(AXE)
    rules = page.evaluate("(tags) => axe.getRules(tags).map(({ruleId}) => ruleId)", STANDARD)
    assert len(rules) > 60
    found: list[str] = page.evaluate(RUN, [[*rules, *ORDER], list(EXEMPT)])
    return found


def unfold(page: Page) -> None:
    """Open everything that is folded."""
    folded = page.locator('[data-testid="stMain"] details:not([open]) > summary')
    while folded.count():
        folded.first.click()
    settled(page)


def test_axe_finds_nothing_on_the_menu_of_a_phone(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard, "light", 390) as page:
        page.goto(f"{dashboard}/trends")
        settled(page)
        page.get_by_test_id("stExpandSidebarButton").click()
        expect(page.get_by_role("link", name="Response time")).to_be_in_viewport()
        assert complaints(page) == []


# Where the keyboard is: what it is, and whether it can be seen that the keyboard is there. Marks it as reached.
STOP = """() => {
  const at = document.activeElement
  if (!at || at === document.body || at === window.firstStop) return null
  window.firstStop ??= at
  at.dataset.reached = 'true'
  // A table is one control with stops in it: its frame, its grid and the grid's cells, in an order of its own.
  const control = at.closest('[data-testid="stDataFrame"]') ?? at
  const before = window.controlBefore
  window.controlBefore = control
  let seen = at, depth = 0
  const marked = (part) => {
    const style = getComputedStyle(part)
    return (style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2)
  }
  while (seen && depth < 4 && !marked(seen)) { seen = seen.parentElement; depth += 1 }
  const box = at.getBoundingClientRect()
  return {
    what: `${at.tagName} ${at.dataset.testid || at.getAttribute('role') || ''} `
      + (at.getAttribute('aria-label') || at.innerText || '').slice(0, 60),
    // A grid draws a ring around its own cell.
    visible: Boolean(at.closest('canvas') || (seen && marked(seen))),
    isAfter: !before || before === control
      || Boolean(before.compareDocumentPosition(control) & Node.DOCUMENT_POSITION_FOLLOWING),
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
  }
}"""
IN_SIGHT = """() => {
  const box = document.activeElement.getBoundingClientRect()
  return box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth
}"""
MISSED = """() => [...document.querySelectorAll(
    'a[href], button, input, select, textarea, summary, [tabindex="0"], [role="button"], [role="combobox"]')]
  .filter((part) => !part.dataset.reached && part.tabIndex >= 0 && !part.disabled && part.checkVisibility(
    {opacityProperty: true, visibilityProperty: true}) && part.getClientRects().length)
  // Of a group of choices one is a stop; the arrow keys reach the others.
  .filter((part) => !part.closest('[role="radiogroup"]')?.querySelector('[data-reached]'))
  .map((part) => part.outerHTML.slice(0, 160))"""


def comes_into_sight(page: Page) -> bool:
    """Whether what the keyboard is at is soon in the window: a table scrolls to its cell a moment later."""
    try:
        page.wait_for_function(IN_SIGHT, timeout=2_000)
    except PlaywrightTimeoutError:
        return False
    return True


def walk(page: Page) -> list[dict[str, Any]]:
    """Every stop of the Tab key from the top of the page until it leaves the page or begins anew."""
    stops: list[dict[str, Any]] = []
    for _ in range(400):
        page.keyboard.press("Tab")
        stop = page.evaluate(STOP)
        if stop is None:
            if stops:
                return stops
            continue
        stop["inside"] = stop["inside"] or comes_into_sight(page)
        stops.append(stop)
    raise AssertionError(f"the keyboard does not get out: {stops[-5:]}")


@pytest.mark.parametrize("name", list(texts.PAGES))
def test_the_keyboard_reaches_every_control_in_reading_order(
    browser: Browser, dashboard: str, screenshots: Path, name: str
) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/{'' if name == 'overview' else name}")
        settled(page)
        stops = walk(page)
        assert stops[0]["what"].endswith("Skip to main content")
        assert [stop["what"] for stop in stops if not stop["visible"]] == []
        assert [stop["what"] for stop in stops if not stop["inside"]] == []
        assert [stop["what"] for stop in stops if not stop["isAfter"]] == []
        assert page.evaluate(MISSED) == []
        page.keyboard.press("Shift+Tab")
        page.screenshot(path=screenshots / f"focus-{name}.png")


def test_an_officer_needs_no_mouse(browser: Browser, dashboard: str, screenshots: Path) -> None:
    """From the Overview to the open requests on one channel, and to the table behind the chart."""
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/")
        settled(page)
        tab_to(page, page.get_by_role("link", name="Response time").first)
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name=texts.PAGES["response"].question)).to_be_visible()
        settled(page)
        tab_to(page, page.get_by_role("combobox", name="Channel"))
        page.keyboard.type("SMS")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Whole record, SMS", exact=True)).to_be_visible()
        settled(page)
        assert "channel=SMS" in page.url
        table = page.get_by_text(texts.TABLE_BEHIND).first
        tab_to(page, page.locator("summary").filter(has=table).first)
        page.screenshot(path=screenshots / "keyboard-table.png")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("stDataFrame").first).to_be_visible()


def test_the_skip_link_passes_the_menu(browser: Browser, dashboard: str) -> None:
    with opened(browser, dashboard) as page:
        page.goto(f"{dashboard}/")
        settled(page)
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('[data-testid=\"stMain\"]') !== null")


def tab_to(page: Page, target: Locator) -> None:
    """Press Tab until the keyboard is at the target."""
    for _ in range(120):
        if target.evaluate("(part) => part === document.activeElement"):
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not reach {target}")
