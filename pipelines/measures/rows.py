"""Measurements: the rows of metrics.measurements, one number each, whatever it measures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.statistics.estimate import Estimate
from pipelines.statistics.intervals import wilson_interval

#: The columns that tell a measurement apart, in the order in which they are sorted.
KEY = ("metric", "definition", "grain", "period_start", "channel", "program", "campaign_id", "reason")
SCHEMA = {
    "metric": polars.String(),
    "definition": polars.String(),
    "grain": polars.String(),
    "period_start": polars.Date(),
    "channel": polars.String(),
    "program": polars.String(),
    "campaign_id": polars.String(),
    "reason": polars.String(),
    "numerator": polars.Float64(),
    "denominator": polars.Float64(),
    "value": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "unit": polars.String(),
}


def shares(engine: DuckDBEngine, metric: str, dimensions: str, *, counts: str | None = None) -> polars.DataFrame:
    """Measurements of a metric whose counts make shares: value and Wilson interval added.

    `counts` names the relation of schema metrics that holds them, where it is not the metric's own.
    """
    table = engine.frame(
        f"select '{metric}' as metric, 'heed' as definition, grain, period_start, channel, {dimensions},"
        " cast(numerator as double) as numerator, cast(denominator as double) as denominator,"
        f" cast(numerator as double) / cast(denominator as double) as value from metrics.{counts or metric}"
    )
    lower, upper = wilson_interval(table["numerator"].to_numpy(), table["denominator"].to_numpy())
    return table.with_columns(
        polars.Series("lower", lower),
        polars.Series("upper", upper),
        polars.lit("share").alias("unit"),
    )


def row(
    metric: str,
    definition: str,
    period_start: date | None,
    channel: str,
    counts: tuple[float, float],
    estimate: Estimate,
    unit: str,
    grain: str | None = None,
    *,
    program: str = "*",
    campaign_id: str = "*",
    reason: str = "*",
) -> tuple[Any, ...]:
    """One measurement; without a grain, a period is a month and no period the whole record."""
    grain = grain or ("month" if period_start else "all")
    value = (estimate.value, estimate.lower, estimate.upper)
    return (metric, definition, grain, period_start, channel, program, campaign_id, reason, *counts, *value, unit)


def measurements(rows: Iterable[tuple[Any, ...]]) -> polars.DataFrame:
    """Rows made by `row` as a table of measurements."""
    return polars.DataFrame(list(rows), schema=SCHEMA, orient="row", strict=False)
