"""What messages cost that nobody should have got: those to contacts that opted out or show no sign of life."""

from __future__ import annotations

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements

_COSTS = {
    "grain": polars.String(),
    "period_start": polars.Date(),
    "channel": polars.String(),
    "currency": polars.String(),
    "audience": polars.String(),
    "message_count": polars.Int64(),
    "priced_count": polars.Int64(),
    "cost": polars.Float64(),
}


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """No measurements; writes metrics.costs.

    A price names no currency where the source gives none: such messages have rows of their own (null), as those
    without a price have. No sum mixes two currencies.
    """
    days = engine.frame(
        "select 'all' as audience, channel, sent_on, currency, message_count, priced_count, cost"
        " from metrics.sending_counts"
        " union all select audience, channel, sent_on, currency, message_count, priced_count, cost"
        " from metrics.audience_costs"
    ).with_columns(period_start=polars.col("sent_on").dt.truncate("1mo").cast(polars.Date()))
    by_channel = polars.concat([days, days.with_columns(channel=polars.lit("*"))])
    whole = by_channel.with_columns(period_start=polars.lit(None, dtype=polars.Date()))
    costs = (
        polars.concat([by_channel, whole])
        .group_by("period_start", "channel", "currency", "audience")
        .agg(
            polars.col("message_count", "priced_count").sum(),
            # Prices have eight decimals at most; in which order they are summed must not show.
            polars.when(polars.col("priced_count").sum() > 0).then(polars.col("cost").sum().round(8)).alias("cost"),
        )
        .with_columns(
            grain=polars.when(polars.col("period_start").is_null())
            .then(polars.lit("all"))
            .otherwise(polars.lit("month"))
        )
        .select(*_COSTS)
        .cast(_COSTS)  # type: ignore[arg-type]
        .sort("grain", "period_start", "channel", "currency", "audience")
    )
    engine.create_from_frame("metrics.costs", costs)
    return measurements([])
