"""Definitions one can switch: opt-outs per message and list churn, as heed counts them and as others do."""

from __future__ import annotations

import numpy as np
import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import SCHEMA
from pipelines.statistics.intervals import wilson_interval


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of opt_out_rate_per_message, unattributed_share and list_churn, each under every definition of it.

    metrics.definitions, beside them, says how each counts; sql/metrics builds it.
    """
    return polars.concat(
        [
            _ratios(engine, "opt_out_rate_per_message", "program, campaign_id", "opt_outs_per_message"),
            _ratios(engine, "unattributed_share", "'*' as program, '*' as campaign_id", "share"),
            _ratios(engine, "list_churn", "'*' as program, '*' as campaign_id", "ratio"),
        ]
    )


def _ratios(engine: DuckDBEngine, metric: str, dimensions: str, unit: str) -> polars.DataFrame:
    """Numerator / denominator of every row of a relation of counts; none without a denominator.

    What is no true share may count more than its denominator: then there is no interval, since Wilson's is one of a
    share.
    """
    counts = engine.frame(
        f"select '{metric}' as metric, definition, grain, period_start, channel, {dimensions}, '*' as reason,"
        " cast(numerator as double) as numerator, cast(denominator as double) as denominator,"
        " case when denominator > 0 then cast(numerator as double) / cast(denominator as double) end as value"
        f" from metrics.{metric}"
    )
    numerator, denominator = counts["numerator"].to_numpy(), counts["denominator"].to_numpy()
    is_within = numerator <= denominator
    lower, upper = wilson_interval(np.where(is_within, numerator, 0.0), np.where(is_within, denominator, 0.0))
    return counts.with_columns(
        polars.Series("lower", lower).fill_nan(None),
        polars.Series("upper", upper).fill_nan(None),
        polars.lit(unit).alias("unit"),
    ).select(*SCHEMA)
