"""Campaigns, breakdowns and costs of a made snapshot: counts from a fixed seed, judged by the real measures.

In a planted one the campaign autumn-sale loses four times as many people by SMS in October 2026, the rate doubles with
every further message in seven days, and at 21:00 it is three times the usual; else chance is all there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from functools import cache
from typing import Any

import numpy as np
import polars

from pipelines.build import write_reference
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import breakdowns, campaigns, costs
from pipelines.measures.periods import Record, report_zone
from tests.support.snapshot_numbers import AS_OF, FIRST_DAY, periods

Row = dict[str, Any]

RATES = {"sms": 0.006, "email": 0.003, "whatsapp": 0.005}
SIZES = {"sms": 4_000, "email": 6_000, "whatsapp": 3_000}
LISTED = ("autumn-sale", "loyalty-weekly", "store-hours", "newsletter", "product-updates", "back-in-stock")
BAD = ("sms", "autumn-sale", date(2026, 10, 1))
NAMES: dict[str | None, str] = {"autumn-sale": "Autumn sale", "newsletter": "Newsletter"}
RELATIONS = (
    "metrics.campaigns", "metrics.campaign_funnels", "metrics.message_breakdowns", "metrics.breakdown_tests",
    "metrics.costs",
)  # fmt: skip


@cache
def tables(*, planted: bool) -> dict[str, list[Row]]:
    """Rows of every relation of the campaigns and timing pages."""
    chance = np.random.default_rng(20261124)
    with DuckDBEngine() as engine:
        write_reference(engine)
        engine.create_from_frame("metrics.campaign_counts", _campaign_counts(chance, planted=planted))
        for relation, frame in _message_counts(chance, planted=planted).items():
            engine.create_from_frame(f"metrics.{relation}", frame)
        engine.create_from_frame("metrics.audience_costs", _audience_costs())
        record = Record(AS_OF, report_zone("Europe/Berlin"))
        for family in (campaigns, breakdowns, costs):
            family.measure(engine, record)
        return {relation: engine.records(f"select * from {relation}") for relation in RELATIONS}


def _campaign_counts(chance: np.random.Generator, *, planted: bool) -> polars.DataFrame:
    rows = []
    for month, days in periods("month"):
        for channel, size in SIZES.items():
            for campaign in (*LISTED, None):
                messages = int(size * days / 30 * chance.lognormal(0, 0.3))
                rate = RATES[channel] * (4 if planted and (channel, campaign, month) == BAD else 1)
                rows.append({
                    "channel": channel, "campaign_id": campaign, "month_start": month, "name": NAMES.get(campaign),
                    "program": "offers", "language": "en" if campaign in LISTED[:3] else None,
                    "delivered_count": messages, "opt_out_count": int(chance.binomial(messages, rate)),
                })  # fmt: skip
    # A handful of messages, of which one drove somebody away: nothing to name.
    rows.append(rows[0] | {"campaign_id": "tiny", "name": None, "month_start": BAD[2]})
    rows[-1] |= {"delivered_count": 4, "opt_out_count": 1}
    return polars.DataFrame(rows, infer_schema_length=None)


def _message_counts(chance: np.random.Generator, *, planted: bool) -> dict[str, polars.DataFrame]:
    sent, pressed, spoken, opt_outs = [], [], [], []
    for day, channel, weekday in _days():
        for hour, recent in ((9, 1), (12, 2), (15, 3), (18, 4), (21, 1)):
            messages = SIZES[channel] // 10
            rate = RATES[channel]
            if planted:
                rate *= 2.0 ** (recent - 1) * (3 if hour == 21 else 1) / 2
            template, language = ("short", "en") if (day.day + hour) % 2 else ("long", "de")
            common = {"channel": channel, "sent_on": day}
            sent.append(common | {
                "template_id": template if channel != "email" else None,
                "currency": "USD" if channel == "sms" else None, "is_zone_known": 1, "local_hour": hour,
                "local_weekday": weekday, "message_count": messages + 10, "delivered_count": messages,
                "priced_count": messages if channel == "sms" else 0,
                "cost": 0.0079 * messages if channel == "sms" else None,
            })  # fmt: skip
            counted = {"delivered_count": messages}
            pressed.append(common | counted | {"messages_7_days": recent, "messages_30_days": recent + 3})
            spoken.append(common | counted | {"language": language})
            opt_outs += [
                common | {
                    "template_id": sent[-1]["template_id"], "language": language, "is_zone_known": 1,
                    "local_hour": hour, "local_weekday": weekday, "messages_7_days": recent,
                    "messages_30_days": recent + 3, "sequence_position": int(chance.integers(1, 31)),
                    "first_month": FIRST_DAY,
                }
                for _ in range(int(chance.binomial(messages, rate)))
            ]  # fmt: skip
    sequences = [
        {"channel": channel, "first_month": FIRST_DAY, "message_count": 30, "sequence_count": size}
        for channel, size in SIZES.items()
    ]
    made = {
        "sending_counts": sent, "pressure_counts": pressed, "language_counts": spoken, "sequences": sequences,
        "opt_out_messages": opt_outs,
    }  # fmt: skip
    return {name: polars.DataFrame(rows, infer_schema_length=None) for name, rows in made.items()}


def _days() -> Iterator[tuple[date, str, int]]:
    """A Monday, a Wednesday and a Saturday of every fourth week, on each channel."""
    monday = FIRST_DAY
    while monday < AS_OF.date() - timedelta(days=7):
        for weekday in (1, 3, 6):
            for channel in SIZES:
                yield monday + timedelta(days=weekday - 1), channel, weekday
        monday += timedelta(days=28)


def _audience_costs() -> polars.DataFrame:
    rows = [
        {"audience": audience, "channel": "sms", "sent_on": date(2026, month, 5), "currency": "USD",
         "message_count": count, "priced_count": count - 1, "cost": 0.0079 * (count - 1)}
        for month in (9, 10)
        for audience, count in (("opted_out", 140), ("inactive", 900))
    ]  # fmt: skip
    return polars.DataFrame(rows)
