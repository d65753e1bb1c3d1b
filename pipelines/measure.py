"""Measures: counts in sql/metrics become numbers with intervals, in the relations the snapshot publishes.

SQL counts; the statistics of those counts are made here, since no SQL dialect has them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
import polars
from numpy.typing import NDArray

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.headline import headline
from pipelines.settings import fixed_offset_seconds
from pipelines.statistics import (
    TREND_WEEKS,
    Estimate,
    Floats,
    ProcessedCurve,
    Trend,
    kaplan_meier,
    mean,
    processed_quantile,
    restricted_mean,
    trend_of_weeks,
    wilson_interval,
)

_MEASUREMENT = {
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
_CURVE = {
    "channel": polars.String(),
    "seconds": polars.Float64(),
    "share_processed": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "at_risk": polars.Int64(),
}


class _ResponseTimes(NamedTuple):
    """The opt-out spans of one channel (`*` = all) and month (None = whole record), one array element per span."""

    channel: str
    month_start: date | None
    seconds: Floats
    is_processed: NDArray[np.bool_]
    is_due: NDArray[np.bool_]
    is_within_deadline: NDArray[np.bool_]
    curve: ProcessedCurve


def measure(engine: DuckDBEngine) -> None:
    """Build every relation of schema metrics in the working database, from core, audits and run.

    Published: metrics.measurements, metrics.headline, metrics.verdicts and metrics.response_time_curve. The other
    relations of the schema are the counts they rest on, one per file of sql/metrics, and metrics.report_months.
    """
    as_of, zone_name = engine.rows("select as_of, report_timezone from run.parameters")[0]
    zone = report_zone(zone_name)
    as_of_on = as_of.astimezone(zone).date() if as_of else None
    engine.create_from_frame("metrics.report_months", _report_months(engine, as_of, zone))
    for file in sqlfiles.load("metrics"):
        engine.create(file.relation, file.text)

    trends = _trends(engine, as_of_on)
    response_times = list(_response_times(engine))
    measurements = polars.concat(
        [
            _shares(engine, "opt_out_rate", "program, campaign_id, '*' as reason"),
            _shares(engine, "feedback_reasons", "'*' as program, '*' as campaign_id, reason"),
            _opt_outs_not_reached(engine),
            _trend_measurements(trends),
            _response_time_measurements(response_times),
        ]
    ).sort(list(_MEASUREMENT)[:8], nulls_last=False)
    engine.create_from_frame("metrics.measurements", measurements)
    engine.create_from_frame("metrics.response_time_curve", _response_time_curve(response_times))
    engine.create_from_frame("metrics.headline", headline(measurements, as_of_on, *trends["*"]))


def report_zone(name: str) -> tzinfo:
    """The report time zone as Python's own: an IANA name, or a fixed offset such as -06:00."""
    offset = fixed_offset_seconds(name)
    return ZoneInfo(name) if offset is None else timezone(timedelta(seconds=offset))


def last_complete_week(as_of_on: date) -> date:
    """The Monday of the last ISO week that was over when `as_of_on` (a date of the report time zone) began."""
    return as_of_on - timedelta(days=as_of_on.weekday() + 7)


def _report_months(engine: DuckDBEngine, as_of: datetime | None, zone: tzinfo) -> polars.DataFrame:
    """One row per month of the report time zone, from the first record to as_of: its days and its instants.

    Built here, since the SQL dialects share no way to ask for the local time of an instant.
    """
    first = engine.value(
        "select min(occurred_at) from (select min(sent_at) as occurred_at from core.messages"
        " union all select min(begins_at) from core.opt_out_spans"
        " union all select min(occurred_at) from audits.findings)"
    )
    rows = []
    if as_of and first:
        month, last = first.astimezone(zone).date().replace(day=1), as_of.astimezone(zone).date()
        while month <= last:
            following = (month + timedelta(days=31)).replace(day=1)
            starts_at, ends_at = (datetime(day.year, day.month, 1, tzinfo=zone) for day in (month, following))
            rows.append((month, following - timedelta(days=1), starts_at.astimezone(UTC), ends_at.astimezone(UTC)))
            month = following
    instant = polars.Datetime("us", "UTC")
    schema = {"period_start": polars.Date(), "last_day": polars.Date(), "starts_at": instant, "ends_at": instant}
    return polars.DataFrame(rows, schema=schema, orient="row")


def _shares(engine: DuckDBEngine, metric: str, dimensions: str) -> polars.DataFrame:
    """Measurements of a metric whose counts make shares: value and Wilson interval added."""
    counts = engine.frame(
        f"select '{metric}' as metric, 'heed' as definition, grain, period_start, channel, {dimensions},"
        " cast(numerator as double) as numerator, cast(denominator as double) as denominator,"
        f" cast(numerator as double) / cast(denominator as double) as value from metrics.{metric}"
    )
    lower, upper = wilson_interval(counts["numerator"].to_numpy(), counts["denominator"].to_numpy())
    return counts.with_columns(
        polars.Series("lower", lower),
        polars.Series("upper", upper),
        polars.lit("share").alias("unit"),
    )


def _opt_outs_not_reached(engine: DuckDBEngine) -> polars.DataFrame:
    counts = engine.rows(
        "select grain, period_start, channel, numerator, denominator from metrics.opt_outs_not_reached"
    )
    return _measurements(
        _row("opt_outs_not_reached", "heed", month, channel, (count, begun), Estimate(count), "count", grain)
        for grain, month, channel, count, begun in counts
    )


def _trends(engine: DuckDBEngine, as_of_on: date | None) -> dict[str, tuple[Trend, Trend]]:
    """By channel (`*` = all, always there): the trend of the last complete weeks, and of as many weeks before them."""
    rates: dict[str, dict[date, float]] = {"*": {}}
    for week, channel, numerator, denominator in engine.rows(
        "select week_start, channel, numerator, denominator from metrics.opt_out_trend order by channel, week_start"
    ):
        rates.setdefault(channel, {})[week] = 100 * numerator / denominator
    last_week = last_complete_week(as_of_on) if as_of_on else date.min
    earlier = last_week - timedelta(weeks=TREND_WEEKS) if as_of_on else date.min
    return {
        channel: (trend_of_weeks(values, last_week), trend_of_weeks(values, earlier))
        for channel, values in rates.items()
    }


def _trend_measurements(trends: dict[str, tuple[Trend, Trend]]) -> polars.DataFrame:
    definition = "mann_kendall_theil_sen"
    rows = []
    for channel, (trend, _) in trends.items():
        weeks = (trend.weeks_used, TREND_WEEKS)
        direction = Estimate(trend.direction)
        unit = "percentage_points_per_week"
        rows.append(_row("opt_out_trend", definition, None, channel, weeks, trend.slope, unit))
        rows.append(_row("opt_out_trend_direction", definition, None, channel, weeks, direction, "direction"))
    return _measurements(rows)


def _response_times(engine: DuckDBEngine) -> Iterator[_ResponseTimes]:
    """The response times of every channel and month that has opt-out spans, and of all of them."""
    spans = engine.frame(
        "select channel, month_start, duration_seconds, is_processed, is_due, is_within_deadline"
        " from metrics.response_time"
    ).sort("duration_seconds")
    # Spans on every channel belong to the total alone.
    by_channel = polars.concat(
        [spans.with_columns(channel=polars.lit("*")), spans.filter(polars.col("channel") != "*")]
    )
    whole_record = by_channel.with_columns(month_start=polars.lit(None, dtype=polars.Date()))
    groups = polars.concat([by_channel, whole_record]).partition_by("channel", "month_start", as_dict=True)
    for (channel, month_start), group in groups.items():
        seconds, is_processed = group["duration_seconds"].to_numpy(), group["is_processed"].to_numpy()
        is_due, is_within_deadline = group["is_due"].to_numpy(), group["is_within_deadline"].to_numpy()
        curve = kaplan_meier(seconds, is_processed)
        yield _ResponseTimes(channel, month_start, seconds, is_processed, is_due, is_within_deadline, curve)


def _response_time_measurements(groups: Iterable[_ResponseTimes]) -> polars.DataFrame:
    rows = []
    for group in groups:
        spans, processed = len(group.seconds), int(group.is_processed.sum())
        due, within = int(group.is_due.sum()), int(group.is_within_deadline.sum())
        still_open = group.seconds[~group.is_processed]
        lower, upper = wilson_interval(within, due)
        on_time = Estimate(within / due, float(lower[0]), float(upper[0])) if due else Estimate(None)
        oldest = Estimate(float(still_open.max()) if len(still_open) else None)
        for definition, counts, estimate, unit in (
            ("kaplan_meier_median", (processed, spans), processed_quantile(group.curve, 0.5), "seconds"),
            ("kaplan_meier_p90", (processed, spans), processed_quantile(group.curve, 0.9), "seconds"),
            ("kaplan_meier_p95", (processed, spans), processed_quantile(group.curve, 0.95), "seconds"),
            ("restricted_mean", (processed, spans), restricted_mean(group.seconds, group.is_processed), "seconds"),
            ("mean_completed", (processed, spans), mean(group.seconds[group.is_processed]), "seconds"),
            ("share_within_deadline", (within, due), on_time, "share"),
            ("open_count", (len(still_open), spans), Estimate(len(still_open)), "count"),
            ("oldest_open_age", (len(still_open), spans), oldest, "seconds"),
        ):
            rows.append(_row("response_time", definition, group.month_start, group.channel, counts, estimate, unit))
    return _measurements(rows)


def _response_time_curve(groups: Iterable[_ResponseTimes]) -> polars.DataFrame:
    """The Kaplan-Meier steps of the whole record, for all channels and each."""
    steps = [
        polars.DataFrame(
            {
                "channel": [group.channel] * len(group.curve.seconds),
                "seconds": group.curve.seconds,
                "share_processed": group.curve.share_processed,
                "lower": group.curve.lower,
                "upper": group.curve.upper,
                "at_risk": group.curve.at_risk,
            },
            schema=_CURVE,
        ).with_columns(polars.col("lower", "upper").fill_nan(None))
        for group in groups
        if group.month_start is None
    ]
    return polars.concat([polars.DataFrame(schema=_CURVE), *steps]).sort("channel", "seconds")


def _row(
    metric: str,
    definition: str,
    period_start: date | None,
    channel: str,
    counts: tuple[int, int],
    estimate: Estimate,
    unit: str,
    grain: str | None = None,
) -> tuple[Any, ...]:
    """One measurement by period and channel; without a grain, a period is a month and no period the whole record."""
    grain = grain or ("month" if period_start else "all")
    value = (estimate.value, estimate.lower, estimate.upper)
    return (metric, definition, grain, period_start, channel, "*", "*", "*", *counts, *value, unit)


def _measurements(rows: Iterable[tuple[Any, ...]]) -> polars.DataFrame:
    return polars.DataFrame(list(rows), schema=_MEASUREMENT, orient="row", strict=False)
