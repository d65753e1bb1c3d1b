"""The measurements of a made snapshot: rates, trends, response times and reasons, from a fixed seed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

Row = dict[str, Any]

AS_OF = datetime(2026, 11, 18, 14, 5, tzinfo=UTC)
FIRST_DAY = date(2025, 9, 1)
CHANNELS = {"sms": "gateway", "email": "mailer", "whatsapp": "messenger"}
BASE_RATE = {"sms": 0.021, "email": 0.0062, "whatsapp": 0.0115}
REACHED_A_DAY = {"sms": 310, "email": 620, "whatsapp": 140}
CAMPAIGNS = {
    ("sms", "offers"): ["autumn-sale", "loyalty-weekly"],
    ("sms", "service-news"): ["store-hours"],
    ("email", "offers"): ["newsletter", "autumn-sale"],
    ("email", "service-news"): ["product-updates"],
    ("whatsapp", "offers"): ["back-in-stock"],
}
REASONS = {
    "too_frequent": 0.34, "not_relevant": 0.21, "unspecified": 0.19, "never_signed_up": 0.08, "content": 0.06,
    "found_alternative": 0.05, "privacy": 0.04, "temporary": 0.03,
}  # fmt: skip


def periods(grain: str) -> Iterator[tuple[date | None, int]]:
    """Period starts with their number of days in the record."""
    last = AS_OF.date()
    if grain == "all":
        yield None, (last - FIRST_DAY).days + 1
        return
    start = FIRST_DAY
    while start <= last:
        if grain == "month":
            following = date(start.year + start.month // 12, start.month % 12 + 1, 1)
        else:
            following = start + timedelta(days=7 if grain == "week" else 1)
        yield start, (min(following, last + timedelta(days=1)) - start).days
        start = following


def wilson(numerator: float, denominator: float) -> tuple[float | None, float | None, float | None]:
    """Share with its 95 % Wilson interval, or three nulls without a denominator."""
    if not denominator:
        return None, None, None
    z, share = 1.959964, numerator / denominator
    middle = (share + z * z / (2 * denominator)) / (1 + z * z / denominator)
    half = z * math.sqrt(share * (1 - share) / denominator + z * z / (4 * denominator**2)) / (1 + z * z / denominator)
    return share, max(0.0, middle - half), min(1.0, middle + half)


def rates(chance: random.Random) -> list[Row]:
    """Opt-out rates by every grain and dimension, opt-outs not reached, and the trends."""
    rows = []
    cells: list[tuple[str, str, str]] = [("*", "*", "*")]
    cells += [(channel, "*", "*") for channel in CHANNELS]
    cells += [("*", program, "*") for program in ("offers", "service-news")]
    cells += [(channel, program, "*") for channel, program in CAMPAIGNS]
    pairs = [(channel, name) for (channel, _), names in CAMPAIGNS.items() for name in names]
    cells += [(channel, "*", name) for channel, name in pairs]
    cells += [("*", "*", name) for name in dict.fromkeys(name for _, name in pairs)]
    for grain in ("day", "week", "month", "all"):
        for start, days in periods(grain):
            for channel, program, campaign in cells:
                channels = [channel] if channel != "*" else list(CHANNELS)
                fraction = (0.62 if program == "offers" else 0.38) if program != "*" else 1.0
                fraction *= 0.4 if campaign != "*" else 1.0
                denominator = numerator = 0
                for name in channels:
                    reached = round(REACHED_A_DAY[name] * fraction * days**0.62 * chance.uniform(0.93, 1.07))
                    since = (AS_OF.date() - start).days if start else 200
                    rate = BASE_RATE[name] * (1 + 0.35 * math.sin(since / 41)) * (0.72 if since < 84 else 1)
                    rate *= 1.5 if campaign == "autumn-sale" else 1
                    mean = reached * rate * days**0.38 / 4
                    numerator += min(reached, max(0, round(chance.gauss(mean, math.sqrt(mean)))))
                    denominator += reached
                rows.append(_measure("opt_out_rate", "heed", grain, start, (channel, program, campaign),
                                     numerator, denominator, *wilson(numerator, denominator)))  # fmt: skip
                if program == campaign == "*":
                    rows.append(_measure("opt_outs_not_reached", "heed", grain, start, (channel, "*", "*"),
                                         days // 3, None, days // 3, None, None, unit="count"))  # fmt: skip
    for channel, slope, direction in (
        ("*", -0.021, -1),
        ("sms", -0.048, -1),
        ("email", 0.002, 0),
        ("whatsapp", None, None),
    ):
        weeks = 12 if slope is not None else 4
        cell = ("all", None, (channel, "*", "*"), weeks, 12)
        rows.append(_measure("opt_out_trend", "mann_kendall_theil_sen", *cell, slope, None, None,
                             unit="percentage_points_per_week"))  # fmt: skip
        rows.append(_measure("opt_out_trend_direction", "mann_kendall_theil_sen", *cell, direction, None, None,
                             unit="direction"))  # fmt: skip
    return rows


def _measure(
    metric: str, definition: str, grain: str, start: date | None, cell: tuple[str, str, str], numerator: float | None,
    denominator: float | None, value: float | None, lower: float | None, upper: float | None, *, unit: str = "share",
    reason: str = "*",
) -> Row:  # fmt: skip
    return {
        "metric": metric, "definition": definition, "grain": grain, "period_start": start, "channel": cell[0],
        "program": cell[1], "campaign_id": cell[2], "reason": reason, "numerator": numerator,
        "denominator": denominator, "value": value, "lower": lower, "upper": upper, "unit": unit,
    }  # fmt: skip


def response_times(spans: list[Row]) -> list[Row]:
    """Response times of the spans by month and channel; quantiles count open spans as waiting."""
    rows = []
    for grain in ("month", "all"):
        for start, _ in periods(grain):
            for channel in ("*", *CHANNELS):
                chosen = [
                    span for span in spans
                    if channel in ("*", span["channel"])
                    and (start is None or f"{span['begins_on']:%Y-%m}" == f"{start:%Y-%m}")
                ]  # fmt: skip
                done = sorted((s["processed_at"] - s["begins_at"]).total_seconds() for s in chosen if s["processed_at"])
                open_ages = [(AS_OF - s["begins_at"]).total_seconds() for s in chosen if not s["processed_at"]]
                in_time = sum(1 for s in chosen if s["processed_at"] and s["processed_at"] <= s["deadline_at"])

                def quantile(share: float, done: list[float] = done, total: int = len(chosen)) -> float | None:
                    return done[int(share * total)] if int(share * total) < len(done) else None

                cell = (grain, start, (channel, "*", "*"))
                for definition, value in (
                    ("kaplan_meier_median", quantile(0.5)), ("kaplan_meier_p90", quantile(0.9)),
                    ("kaplan_meier_p95", quantile(0.95)), ("restricted_mean", sum(done) / len(done) if done else None),
                    ("mean_completed", sum(done) / len(done) if done else None),
                    ("oldest_open_age", max(open_ages, default=None)),
                ):  # fmt: skip
                    low, high = (value * 0.84, value * 1.2) if value and "median" in definition else (None, None)
                    rows.append(_measure("response_time", definition, *cell, len(done), len(chosen), value, low, high,
                                         unit="seconds"))  # fmt: skip
                rows.append(_measure("response_time", "share_within_deadline", *cell, in_time, len(chosen),
                                     *wilson(in_time, len(chosen))))  # fmt: skip
                rows.append(_measure("response_time", "open_count", *cell, len(open_ages), len(chosen), len(open_ages),
                                     None, None, unit="count"))  # fmt: skip
    return rows


def reasons(chance: random.Random) -> list[Row]:
    """Shares of reasons by month and channel."""
    rows = []
    for grain in ("month", "all"):
        for start, _ in periods(grain):
            for channel in ("*", *CHANNELS):
                total = (900 if start is None else 62) // (1 if channel == "*" else 3)
                shift = {reason: share * chance.uniform(0.7, 1.35) for reason, share in REASONS.items()}
                for reason, share in shift.items():
                    count = round(total * share / sum(shift.values()))
                    rows.append(_measure("feedback_reasons", "heed", grain, start, (channel, "*", "*"), count, total,
                                         *wilson(count, total), reason=reason))  # fmt: skip
    return rows


def curve(spans: list[Row]) -> list[Row]:
    """The share of spans applied within a time, about sixty steps per channel."""
    rows = []
    for channel in ("*", *CHANNELS):
        chosen = [span for span in spans if channel in ("*", span["channel"])]
        done = sorted((s["processed_at"] - s["begins_at"]).total_seconds() for s in chosen if s["processed_at"])
        for index in range(0, len(done), max(1, len(done) // 60)):
            share, lower, upper = wilson(index + 1, len(chosen))
            rows.append({"channel": channel, "seconds": done[index], "share_processed": share, "lower": lower,
                         "upper": upper, "at_risk": len(chosen) - index})  # fmt: skip
    return rows
