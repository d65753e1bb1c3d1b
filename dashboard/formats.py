"""Numbers, durations and times as people read them; a missing value is a dash, never a zero."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

MISSING = "–"
# A narrow gap that never breaks: "2.5 %" stays on one line.
GAP = "\u00a0"


def count(value: float | None) -> str:
    """A whole number with thousands separated: 1,204."""
    return MISSING if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """A fraction as a percentage with two significant digits below 10 %: 0.0119 is 1.2 %."""
    if value is None:
        return MISSING
    percent = value * 100
    digits = 0 if percent in (0.0, 100.0) else 2 if percent < 1 else 1
    return f"{percent:.{digits}f}{GAP}%"


def interval(lower: float | None, upper: float | None) -> str:
    """A 95 % interval of a share: 1.0 % to 1.4 %."""
    return MISSING if lower is None or upper is None else f"{share(lower)} to {share(upper)}"


def points(value: float | None) -> str:
    """A difference of shares, given as a fraction, in percentage points with its sign: +0.4 points."""
    return MISSING if value is None else f"{value * 100:+.1f}{GAP}points".replace("-", "−")


def duration(seconds: float | None) -> str:
    """Seconds in at most two units: 1 h 6 min, 3 d, 45 s."""
    if seconds is None:
        return MISSING
    left = round(abs(seconds))
    parts = []
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        amount, left = divmod(left, size)
        if amount or parts:
            parts.append(f"{amount}{GAP}{unit}" if amount else "")
        if len(parts) == 2:
            break
    return ("−" if seconds < 0 else "") + (" ".join(part for part in parts if part) or f"0{GAP}s")


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
