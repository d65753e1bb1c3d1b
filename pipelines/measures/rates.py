"""How many people leave: the opt-out rate, and the opt-outs that it leaves out."""

from __future__ import annotations

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements, row, shares
from pipelines.statistics.estimate import Estimate


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of opt_out_rate, its rolling windows among them, and opt_outs_not_reached."""
    dimensions = "program, campaign_id, '*' as reason"
    return polars.concat(
        [
            shares(engine, "opt_out_rate", dimensions),
            shares(engine, "opt_out_rate", dimensions, counts="opt_out_rate_rolling"),
            _opt_outs_not_reached(engine),
        ]
    )


def _opt_outs_not_reached(engine: DuckDBEngine) -> polars.DataFrame:
    counts = engine.rows(
        "select grain, period_start, channel, numerator, denominator from metrics.opt_outs_not_reached"
    )
    return measurements(
        row("opt_outs_not_reached", "heed", month, channel, (count, begun), Estimate(count), "count", grain)
        for grain, month, channel, count, begun in counts
    )
