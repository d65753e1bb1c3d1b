"""English text of the part about slow stretches of response times."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from dashboard.words import formats

NONE = "No stretch of days was slower than chance explains (one record in twenty without any would show one)."
HEAD = "Slow stretches"
DEFINITION = (
    "Definition `slow_stretches`: days in a row whose opt-outs took longer than those of other days, weekday for "
    "weekday, at an error rate of 5 %. They are looked for in the whole record."
)


def in_words(row: dict[str, Any]) -> str:
    """A slow stretch in a sentence: its days, how many opt-outs, how long they took, and how long others did."""
    days = (row["last_on"] - row["first_on"] + timedelta(days=1)).days
    took = _took(row["median_seconds"], row["p90_seconds"])
    usual = _took(row["median_seconds_elsewhere"], row["p90_seconds_elsewhere"])
    waiting = f"; {formats.plural(row['open_count'], 'is', 'are')} still open" if row["open_count"] else ""
    return (
        f"**{formats.day(row['first_on'])} to {formats.day(row['last_on'])}** ({formats.plural(days, 'day')}, "
        f"{formats.plural(row['span_count'], 'opt-out')}{waiting}): {took}. On other days: {usual}."
    )


def _took(median: float | None, ninth: float | None) -> str:
    half = f"half within {formats.duration(median)}" if median is not None else "fewer than half were applied"
    most = f"nine of ten within {formats.duration(ninth)}" if ninth is not None else "nine of ten not yet"
    return f"{half}, {most}" if median is not None else half
