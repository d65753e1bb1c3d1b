"""Whether more people leave, or fewer: the trend of the weekly opt-out rate."""

from __future__ import annotations

from datetime import date, timedelta

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record, last_complete_week
from pipelines.measures.rows import measurements, row
from pipelines.statistics.estimate import Estimate
from pipelines.statistics.trends import TREND_WEEKS, Trend, trend_of_weeks


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of opt_out_trend and opt_out_trend_direction."""
    return _rows(trends(engine, record))


def trends(engine: DuckDBEngine, record: Record) -> dict[str, tuple[Trend, Trend]]:
    """By channel (`*` = all, always there): the trend of the last complete weeks, and of as many weeks before them."""
    rates: dict[str, dict[date, float]] = {"*": {}}
    for week, channel, numerator, denominator in engine.rows(
        "select week_start, channel, numerator, denominator from metrics.opt_out_trend order by channel, week_start"
    ):
        rates.setdefault(channel, {})[week] = 100 * numerator / denominator
    as_of_on = record.as_of_on
    last_week = last_complete_week(as_of_on) if as_of_on else date.min
    earlier = last_week - timedelta(weeks=TREND_WEEKS) if as_of_on else date.min
    return {
        channel: (trend_of_weeks(values, last_week), trend_of_weeks(values, earlier))
        for channel, values in rates.items()
    }


def _rows(trends: dict[str, tuple[Trend, Trend]]) -> polars.DataFrame:
    definition = "mann_kendall_theil_sen"
    rows = []
    for channel, (trend, _) in trends.items():
        weeks = (trend.weeks_used, TREND_WEEKS)
        direction = Estimate(trend.direction)
        unit = "percentage_points_per_week"
        rows.append(row("opt_out_trend", definition, None, channel, weeks, trend.slope, unit))
        rows.append(row("opt_out_trend_direction", definition, None, channel, weeks, direction, "direction"))
    return measurements(rows)
