"""Whether the audience grows, and whether it may be written to: changes of consent, coverage of messages by it."""

from __future__ import annotations

from datetime import date

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import SCHEMA, measurements, shares

#: The relations of sql/metrics that this family reads or publishes.
COUNTS = (
    "audience_changes",
    "consent_acts",
    "covered_pairs",
    "looked_up_messages",
    "consent_coverage",
    "consent_coverage_shares",
    "consent_origins",
    "segment_pairs",
    "segments",
    "signs_of_life",
    "inactive_pairs",
    "inactive_contacts",
)
#: What makes a pair opted in, and what ends it, by the column of metrics.audience that counts it.
GAINS = {"opt_ins": "opt_in", "re_opt_ins": "re_opt_in", "unblocks": "unblock"}
LOSSES = {"opt_outs": "opt_out", "complaints": "complaint", "blocks": "block"}
#: Acts on record, whether or not they changed anything.
ACTS = {
    "opt_in_acts": ("opt_in", "opt_in_confirmed"),
    "opt_out_acts": ("opt_out",),
    "complaint_acts": ("complaint",),
    "block_acts": ("block",),
}
_GRAINS = {"day": "1d", "week": "1w", "month": "1mo"}
_COLUMNS = (
    "grain", "period_start", "channel", "opted_in_at_start", *GAINS, *LOSSES, "net_growth", "opted_in_at_end", *ACTS,
)  # fmt: skip


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of net_growth and consent_coverage; writes metrics.audience."""
    growth = _audience(engine, record.as_of_on)
    engine.create_from_frame("metrics.audience", growth)
    coverage = shares(
        engine,
        "consent_coverage",
        "'*' as program, '*' as campaign_id, '*' as reason",
        counts="consent_coverage_shares",
    )
    return polars.concat([_net_growth(growth), coverage])


def _audience(engine: DuckDBEngine, last: date | None) -> polars.DataFrame:
    """One row per day, week and month from the first consent act to as_of, and channel (`*` = all).

    opted_in_at_end = opted_in_at_start + gains - losses, and is the next period's opted_in_at_start.
    """
    changes = engine.frame(
        "select changed_on as on_date, channel, act, pair_count as count from metrics.audience_changes"
    )
    acts = engine.frame(
        "select requested_on as on_date, channel, event_type as act, act_count as count from metrics.consent_acts"
    )
    first = polars.concat([changes["on_date"], acts["on_date"]]).min()
    empty = polars.DataFrame(schema={name: _type(name) for name in _COLUMNS})
    if last is None or not isinstance(first, date):
        return empty
    wide = [
        _by_day(changes, {name: (act,) for name, act in (GAINS | LOSSES).items()}),
        _by_day(acts, ACTS),
    ]
    counted = [*GAINS, *LOSSES, *ACTS]
    days = (
        polars.concat(wide, how="diagonal")
        .with_columns(polars.col(counted).fill_null(0))
        .group_by("channel", "on_date")
        .agg(polars.col(counted).sum())
    )
    calendar = polars.DataFrame({"on_date": polars.date_range(first, max(first, last), "1d", eager=True)})
    channels = days.select("channel").unique()
    days = calendar.join(channels, how="cross").join(days, on=["on_date", "channel"], how="left")
    grains = [
        days.with_columns(period_start=polars.col("on_date").dt.truncate(every), grain=polars.lit(grain))
        .group_by("grain", "period_start", "channel")
        .agg(polars.col(counted).fill_null(0).sum())
        for grain, every in _GRAINS.items()
    ]
    gained, lost = polars.sum_horizontal(*GAINS), polars.sum_horizontal(*LOSSES)
    return (
        polars.concat(grains)
        .with_columns(net_growth=gained - lost)
        .with_columns(
            opted_in_at_end=polars.col("net_growth").cum_sum().over("grain", "channel", order_by="period_start")
        )
        .with_columns(opted_in_at_start=polars.col("opted_in_at_end") - polars.col("net_growth"))
        .select(polars.col(name).cast(_type(name)) for name in _COLUMNS)
        .sort("grain", "channel", "period_start")
    )


def _by_day(counts: polars.DataFrame, columns: dict[str, tuple[str, ...]]) -> polars.DataFrame:
    """Counts of acts by day and channel, and by day for all channels (`*`); those of no channel only in the latter."""
    named = counts.filter(polars.col("channel") != "*")
    every = counts.with_columns(channel=polars.lit("*"))
    return (
        polars.concat([named, every])
        .group_by("channel", "on_date")
        .agg(
            polars.col("count").filter(polars.col("act").is_in(acts)).sum().cast(polars.Int64).alias(name)
            for name, acts in columns.items()
        )
    )


def _type(column: str) -> polars.DataType:
    if column in ("grain", "channel"):
        return polars.String()
    return polars.Date() if column == "period_start" else polars.Int64()


def _net_growth(growth: polars.DataFrame) -> polars.DataFrame:
    """net_growth of each period: pairs gained less pairs lost, of those opted in at its start."""
    if growth.is_empty():
        return measurements([])
    net, start = polars.col("net_growth").cast(polars.Float64), polars.col("opted_in_at_start").cast(polars.Float64)
    given = growth.select(
        polars.lit("net_growth").alias("metric"),
        polars.lit("heed").alias("definition"),
        "grain",
        "period_start",
        "channel",
        *(polars.lit("*").alias(name) for name in ("program", "campaign_id", "reason")),
        net.alias("numerator"),
        start.alias("denominator"),
        net.alias("value"),
        *(polars.lit(None, polars.Float64()).alias(name) for name in ("lower", "upper")),
        polars.lit("count").alias("unit"),
    )
    return given.select(*SCHEMA)
