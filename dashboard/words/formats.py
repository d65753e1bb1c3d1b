"""Numbers, durations and times as people read them; a missing value is a dash, never a zero."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

MISSING = "–"
# A gap that never breaks, and no gap that never breaks: "2.5 %" and "1.0–1.4 %" stay on one line.
GAP = "\u00a0"
JOINER = "\u2060"
# How a column of a table writes days and instants.
DAYS_SHOWN, MINUTES_SHOWN, SECONDS_SHOWN = "D MMM YYYY", "D MMM YYYY, HH:mm", "D MMM YYYY, HH:mm:ss"


def count(value: float | None) -> str:
    """A whole number with thousands separated: 1,204."""
    return MISSING if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """A fraction as a percentage: 0.0119 is 1.2 %, with a second digit below 0.1 %."""
    if value is None:
        return MISSING
    percent = value * 100
    if 0 < percent < 0.005:
        return f"under 0.01{GAP}%"
    return f"{percent:.{2 if 0 < percent < 0.1 else 1}f}{GAP}%"


def money(value: float | None, currency: str) -> str:
    """An amount in whole units of a currency, never broken over lines: $66,000, CAD 1,000,000."""
    if value is None:
        return MISSING
    sign = {"USD": "$", "EUR": "€", "GBP": "£"}.get(currency, f"{currency}{GAP}")
    return f"{sign}{value:,.0f}"


def interval(lower: float | None, upper: float | None) -> str:
    """A 95 % interval of a share, never broken over lines: 1.0–1.4 %."""
    if lower is None or upper is None:
        return MISSING
    return f"{share(lower).removesuffix(f'{GAP}%')}–{JOINER}{share(upper)}"


def part(count_of: float | None, whole: float | None) -> str:
    """A part of a whole: 12 of 1,204."""
    return f"{count(count_of)} of {count(whole)}"


def measured(
    row: Mapping[str, Any], value: str = "value", count_of: str = "numerator", whole: str = "denominator"
) -> str:
    """A share with its 95 % interval and its counts, by their columns' names: 1.2 % (1.0–1.4 %), 12 of 1,204."""
    return f"{share(row[value])} ({interval(row['lower'], row['upper'])}), {part(row[count_of], row[whole])}"


def probability(value: float | None) -> str:
    """A probability as people read it: under 0.0001, 0.0021, 0.34."""
    if value is None:
        return MISSING
    return "under 0.0001" if value < 0.0001 else f"{value:.4f}" if value < 0.01 else f"{value:.2f}"


def points(value: float | None) -> str:
    """A difference of shares, given as a fraction, in percentage points with its sign: +0.4 points."""
    return MISSING if value is None else f"{signed(value * 100)}{GAP}points"


def signed(value: float, digits: int = 1) -> str:
    """A number with its sign, zero without: +0.4, −1.2, 0.0."""
    text = f"{value:+.{digits}f}".replace("-", "−")
    return text if any(digit in "123456789" for digit in text) else text[1:]


def duration(seconds: float | None) -> str:
    """Seconds, not negative, in the largest unit that gives at least one of it: 45 min, 1.5 h, 2.3 days."""
    if seconds is None:
        return MISSING
    if seconds < 1:
        return f"under 1{GAP}s"
    if round(seconds) < 60:
        return f"{round(seconds)}{GAP}s"
    if round(seconds / 60) < 60:
        return f"{round(seconds / 60)}{GAP}min"
    if round(seconds / 3_600, 1) < 24:
        return f"{_short(seconds / 3_600)}{GAP}h"
    days = _short(seconds / 86_400)
    return f"{days}{GAP}{'day' if days == '1' else 'days'}"


def day(value: date | None) -> str:
    """A day: 3 Oct 2026."""
    return MISSING if value is None else f"{value.day} {value:%b %Y}"


def month(value: date | None) -> str:
    """A month: October 2026."""
    return MISSING if value is None else f"{value:%B %Y}"


def instant(value: datetime | None) -> str:
    """An instant to the minute: 18 Nov 2026 14:05 UTC."""
    if value is None:
        return MISSING
    value = value.astimezone(UTC)
    return f"{value.day} {value:%b %Y %H:%M} UTC"


def local(value: datetime, zone: str | None) -> str:
    """An instant in another time zone, the day only where it is another: 01:05, 19 Nov 2026 01:05.

    Nothing where the zone is unknown or its clock says what UTC says.
    """
    try:
        there = value.astimezone(ZoneInfo(zone or "UTC"))
    except (KeyError, ValueError, OSError):
        return ""
    here = value.astimezone(UTC)
    if there.utcoffset() == here.utcoffset():
        return ""
    return f"{there:%H:%M}" if there.date() == here.date() else f"{there.day} {there:%b %Y %H:%M}"


def age(since: datetime, now: datetime) -> str:
    """How long ago something was, in one unit: 3 hours, 2 days."""
    passed = max(now - since, timedelta())
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60)):
        amount = int(passed.total_seconds() // size)
        if amount:
            return f"{amount} {unit}{'s' if amount > 1 else ''}"
    return "less than a minute"


def plural(value: int, one: str, many: str = "") -> str:
    """A count with its noun: 1 finding, 1,204 findings."""
    return f"{count(value)} {one if value == 1 else many or one + 's'}"


class Counted(int):
    """A count inside a template, which writes it with its noun or chooses a word by it.

    "{n}" is 1,204; "{n:opt-out|opt-outs}" is 1 opt-out or 1,204 opt-outs; "{n:~is|are}" is the word alone. A third
    word stands for the whole where there is none: "{n:opt-out|opt-outs|none}".
    """

    def __format__(self, words: str) -> str:
        one, many, none, *_ = [*words.removeprefix("~").split("|"), "", ""]
        if self == 0 and none:
            return none
        word = one if self == 1 else many
        return word if words.startswith("~") else f"{count(int(self))} {word}".rstrip()


def seconds(value: float | None) -> str:
    """Seconds with two digits, for machine times: 0.34."""
    return MISSING if value is None else f"{value:,.2f}"


def _short(number: float) -> str:
    return f"{number:.0f}" if number >= 9.95 or round(number, 1) == round(number) else f"{number:.1f}"
