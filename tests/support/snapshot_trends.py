"""The trends of a made snapshot: one falls, one is none, one has too few weeks; a step, a season, a year before."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

Row = dict[str, Any]

LAST_WEEK = date(2026, 11, 9)
STEP_ON = date(2026, 8, 24)
#: channel: label, direction, slope in percentage points a week, weeks used, p value
TRENDS = {
    "*": ("Decreasing", -1, -0.021, 12, 0.0032),
    "sms": ("Decreasing", -1, -0.048, 12, 0.0003),
    "email": ("No clear trend", 0, 0.002, 12, 0.73),
    "whatsapp": ("Not enough data", None, None, 4, None),
}


def tables() -> dict[str, list[Row]]:
    """The rows of the five relations."""
    return {
        "metrics.trends": [_trend(channel) for channel in TRENDS],
        "metrics.change_points": [_change("*", "step"), _change("sms", "drift")],
        "metrics.season_tests": [test for channel in TRENDS for test in _tests(channel)],
        "metrics.seasons": [row for channel in TRENDS for row in _positions(channel)],
        "metrics.year_over_year": [_year(channel, month) for channel in ("*", "sms") for month in (9, 10)],
    }


def _trend(channel: str) -> Row:
    label, direction, slope, weeks, p_value = TRENDS[channel]
    told = f"The weekly rate changes by {slope} percentage points a week." if slope is not None else (
        "A trend needs at least 6 weeks in which somebody was reached; the 12 weeks to 15 November 2026 have 4."
    )  # fmt: skip
    return {
        "channel": channel, "definition": "mann_kendall_theil_sen", "last_week_on": LAST_WEEK, "weeks_used": weeks,
        "label": label, "direction": direction, "p_value": p_value, "slope": slope, "p_value_corrected": p_value,
        "weeks_searched": 63 if weeks == 12 else 4, "change_count": int(channel in ("*", "sms")), "sentence": told,
    }  # fmt: skip


def _change(channel: str, shape: str) -> Row:
    return {
        "channel": channel, "starts_on": STEP_ON, "earliest_on": date(2026, 8, 17), "latest_on": STEP_ON,
        "before_from_on": date(2025, 9, 1), "after_until_on": date(2026, 11, 15), "numerator_before": 2_040,
        "denominator_before": 204_000, "value_before": 0.01, "lower_before": 0.0096, "upper_before": 0.0104,
        "numerator_after": 288, "denominator_after": 40_000, "value_after": 0.0072, "lower_after": 0.0064,
        "upper_after": 0.0081, "ratio": 0.72, "p_value": 0.0125, "shape": shape,
    }  # fmt: skip


def _tests(channel: str) -> list[Row]:
    found = {"weekday": ("Season", 0.0004), "hour": ("No clear season", 0.31)}
    if channel == "whatsapp":
        found = {"weekday": ("Not enough data", None), "hour": ("Cannot be told", None)}
    return [
        {
            "channel": channel, "cycle": cycle, "witness_count": 63 if cycle == "weekday" else 421,
            "opt_out_count": 1_912, "statistic": 9.0, "p_value": p_value, "p_value_adjusted": p_value, "label": label,
        }
        for cycle, (label, p_value) in found.items()
    ]  # fmt: skip


def _positions(channel: str) -> list[Row]:
    rows = []
    for position in range(1, 8):
        value = 0.004 + 0.002 * (position == 7)
        rows.append(("weekday", position, round(value * 40_000), 40_000, value, 0.0043, int(position == 7)))
    for position in range(24):
        share = max(0.0, math.sin((position - 6) / 18 * math.pi)) / 11.4
        rows.append(("hour", position, round(share * 1_912), 1_912, share, share, 0))
    return [
        {
            "channel": channel, "cycle": cycle, "position": position, "numerator": numerator,
            "denominator": denominator, "value": value, "lower": 0.86 * value, "upper": 1.16 * value,
            "expected": expected, "p_value": None if channel == "whatsapp" else 0.01 if direction else 0.8,
            "direction": 0 if channel == "whatsapp" else direction,
        }
        for cycle, position, numerator, denominator, value, expected, direction in rows
    ]  # fmt: skip


def _year(channel: str, month: int) -> Row:
    now = 0.031 if month == 9 else 0.021
    return {
        "channel": channel, "month": date(2026, month, 1), "numerator": round(9_000 * now), "denominator": 9_000,
        "value": now, "lower": now - 0.003, "upper": now + 0.003, "numerator_before": 279, "denominator_before": 9_000,
        "value_before": 0.031, "lower_before": 0.0276, "upper_before": 0.0348, "difference": now - 0.031,
        "difference_lower": now - 0.0358, "difference_upper": now - 0.0263, "p_value": 1.0 if month == 9 else 3e-5,
        "p_value_adjusted": 1.0 if month == 9 else 6e-5, "label": "No clear difference" if month == 9 else "Lower",
    }  # fmt: skip
