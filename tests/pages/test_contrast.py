"""Contrast of what the theme and the charts draw with, by the formula of WCAG 2.2, on both themes."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from dashboard import charts

CONFIG = Path(charts.__file__).parent / ".streamlit" / "config.toml"
THEMES: dict[str, Any] = {
    name: tomllib.loads(CONFIG.read_text(encoding="utf-8"))["theme"][name] for name in ("light", "dark")
}
TEXT, GRAPHICS = 4.5, 3.0


def luminance(color: str) -> float:
    """The relative luminance of #rrggbb."""
    parts = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def grounds(theme: str) -> list[str]:
    """What a theme puts text and charts on: the page, cards and code, and the menu."""
    told = THEMES[theme]
    return [told["backgroundColor"], told["secondaryBackgroundColor"], told["sidebar"]["backgroundColor"]]


def test_the_formula_knows_black_on_white_and_the_standards_own_grey() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#ffffff", "#ffffff") == pytest.approx(1)
    # The lightest grey that passes on white.
    assert contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(
    "name", ["textColor", "linkColor", "codeTextColor", "redTextColor", "grayColor", "orangeColor", "blueColor"]
)
def test_text_can_be_read(theme: str, name: str) -> None:
    for ground in grounds(theme):
        assert contrast(THEMES[theme][name], ground) >= TEXT, ground


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("name", ["ACCENT", "NEUTRAL", "VIOLATION"])
def test_marks_of_a_chart_stand_out(theme: str, name: str) -> None:
    assert contrast(getattr(charts, name), THEMES[theme]["backgroundColor"]) >= GRAPHICS


@pytest.mark.parametrize("theme", THEMES)
def test_colours_that_streamlit_gives_to_series_stand_out(theme: str) -> None:
    for color in THEMES[theme]["chartCategoricalColors"]:
        assert contrast(color, THEMES[theme]["backgroundColor"]) >= GRAPHICS, color


@pytest.mark.parametrize("theme", THEMES)
def test_controls_stand_out(theme: str) -> None:
    for ground in grounds(theme):
        assert contrast(THEMES[theme]["primaryColor"], ground) >= GRAPHICS
