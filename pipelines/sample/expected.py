"""The numbers the sample must give, worked out from the simulated world's own bookkeeping."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipelines.sample.clock import HORIZON, MONTHS, NEVER, START, WEEK, WEEKS, iso, month_of, week_of
from pipelines.sample.people import CHANNEL_NAMES, CHANNELS
from pipelines.sample.world import World

_TREND_WEEKS = 12
_SIGNIFICANT = 1.96  # two-sided at 0.05


def _began(world: World, channel: int, periods: NDArray[np.int64], count: int) -> tuple[list[int], list[int]]:
    """Per period: reached pairs that began a span in it, and pairs that began one without being reached."""
    spans = world.spans
    state = world.states[channel]
    mine = spans.channel[: spans.count] == channel
    pair = spans.pair[: spans.count][mine]
    period = periods[mine]
    unique = np.unique(pair.astype(np.int64) * count + period)
    pair, period = unique // count, unique % count
    bits = state.reached_weeks if count == WEEKS else state.reached_months
    reached = (bits[pair].astype(np.int64) >> period) & 1
    inside = np.bincount(period[reached == 1], minlength=count)
    outside = np.bincount(period[reached == 0], minlength=count)
    return inside.tolist(), outside.tolist()


def _reached(world: World, channel: int, count: int) -> list[int]:
    state = world.states[channel]
    bits = state.reached_weeks if count == WEEKS else state.reached_months
    return [int(np.count_nonzero((bits >> period) & 1)) for period in range(count)]


def _rates(world: World, count: int) -> dict[str, dict[str, list[int]]]:
    begins = world.spans.begins[: world.spans.count]
    periods = week_of(begins) if count == WEEKS else month_of(begins)
    rates: dict[str, dict[str, list[int]]] = {}
    for channel in CHANNELS:
        numerator, not_reached = _began(world, channel, periods, count)
        rates[CHANNEL_NAMES[channel]] = {
            "numerator": numerator,
            "denominator": _reached(world, channel, count),
            "not_reached": not_reached,
        }
    rates["*"] = {
        name: [sum(values) for values in zip(*(rates[channel][name] for channel in CHANNEL_NAMES), strict=True)]
        for name in ("numerator", "denominator", "not_reached")
    }
    return rates


def _share(numerator: int, denominator: int) -> float | None:
    return numerator / denominator if denominator else None


def _trend(weekly: dict[str, list[int]]) -> dict[str, Any]:
    """Mann-Kendall (corrected for ties) and Theil-Sen over the last twelve complete weeks before as_of."""
    last = HORIZON // WEEK
    weeks = range(last - _TREND_WEEKS, last)
    rates = np.array([weekly["numerator"][week] / max(weekly["denominator"][week], 1) for week in weeks])
    differences = rates[None, :] - rates[:, None]
    upper = np.triu_indices(_TREND_WEEKS, 1)
    s = int(np.sign(differences[upper]).sum())
    ties = sum(n * (n - 1) * (2 * n + 5) for n in Counter(rates.tolist()).values())
    n = _TREND_WEEKS
    deviation = float(np.sqrt((n * (n - 1) * (2 * n + 5) - ties) / 18))
    z = (s - np.sign(s)) / deviation if deviation else 0.0
    slopes = differences[upper] / (upper[1] - upper[0])
    direction = "No clear trend" if abs(z) <= _SIGNIFICANT else "Increasing" if s > 0 else "Decreasing"
    return {
        "direction": direction,
        "s": s,
        "z": float(z),
        "percentage_points_per_week": float(np.median(slopes)) * 100,
        "weeks": [
            {
                "starts_at": iso(week * WEEK)[:10],
                "numerator": weekly["numerator"][week],
                "denominator": weekly["denominator"][week],
            }
            for week in weeks
        ],
    }


def _median_response(world: World, month: int | None) -> dict[str, Any]:
    """Kaplan-Meier median of processed_at - begins_at, open spans censored at as_of."""
    spans = world.spans
    begins = spans.begins[: spans.count].astype(np.int64)
    chosen = np.ones(spans.count, dtype=np.bool_)
    if month is not None:
        chosen &= month_of(begins.astype(np.int32)) == month
    processed = spans.processed[: spans.count].astype(np.int64)[chosen]
    begins = begins[chosen]
    done = processed < NEVER
    seconds = np.where(done, processed, HORIZON) - begins
    order = np.lexsort((~done, seconds))
    still_open, median = 1.0, None
    at_risk = len(order)
    for position in order.tolist():
        if done[position]:
            still_open *= 1 - 1 / at_risk
            if still_open <= 0.5 + 1e-12:
                median = int(seconds[position])
                break
        at_risk -= 1
    return {"median_seconds": median, "spans": len(order), "open": int(np.count_nonzero(~done))}


def expected(world: World) -> dict[str, Any]:
    """Headline rate, trend and response time, with what they rest on."""
    monthly = _rates(world, len(MONTHS))
    weekly = _rates(world, WEEKS)
    october = MONTHS.index("2026-10")
    overall = monthly["*"]
    return {
        "as_of": iso(HORIZON),
        "opt_out_rate": {
            "period": MONTHS[october],
            "numerator": overall["numerator"][october],
            "denominator": overall["denominator"][october],
            "value": _share(overall["numerator"][october], overall["denominator"][october]),
            "previous_value": _share(overall["numerator"][october - 1], overall["denominator"][october - 1]),
        },
        "opt_out_trend": _trend(weekly["*"]),
        "response_time": {"2026-10": _median_response(world, october), "all": _median_response(world, None)},
        "findings": world.key.by_class(),
        "monthly": {
            channel: [
                {"month": month, **{name: values[position] for name, values in numbers.items()}}
                for position, month in enumerate(MONTHS)
            ]
            for channel, numbers in monthly.items()
        },
        "weeks_from": START.date().isoformat(),
    }
