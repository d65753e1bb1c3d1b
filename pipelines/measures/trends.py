"""Whether more people leave, or fewer: the trend of the weekly opt-out rate, and the weeks that changed its level."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.headline import trend_sentence
from pipelines.measures.periods import Record, last_complete_week
from pipelines.measures.rows import measurements, row
from pipelines.statistics.changes import FEWEST_PERIODS, Change, change_points
from pipelines.statistics.estimate import Estimate
from pipelines.statistics.trends import TREND_WEEKS, Trend, trend_label, trend_of_weeks

DEFINITION = "mann_kendall_theil_sen"
_TRENDS = {
    "channel": polars.String(),
    "definition": polars.String(),
    "last_week_on": polars.Date(),
    "weeks_used": polars.Int64(),
    "label": polars.String(),
    "direction": polars.Int64(),
    "s": polars.Int64(),
    "z": polars.Float64(),
    "p_value": polars.Float64(),
    "tau": polars.Float64(),
    "slope": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "autocorrelation": polars.Float64(),
    "autocorrelation_corrected": polars.Float64(),
    "p_value_corrected": polars.Float64(),
    "weeks_searched": polars.Int64(),
    "change_count": polars.Int64(),
    "sentence": polars.String(),
}
_CHANGE_POINTS = {
    "channel": polars.String(),
    "starts_on": polars.Date(),
    "earliest_on": polars.Date(),
    "latest_on": polars.Date(),
    "before_from_on": polars.Date(),
    "after_until_on": polars.Date(),
    "numerator_before": polars.Int64(),
    "denominator_before": polars.Int64(),
    "value_before": polars.Float64(),
    "lower_before": polars.Float64(),
    "upper_before": polars.Float64(),
    "numerator_after": polars.Int64(),
    "denominator_after": polars.Int64(),
    "value_after": polars.Float64(),
    "lower_after": polars.Float64(),
    "upper_after": polars.Float64(),
    "ratio": polars.Float64(),
    "p_value": polars.Float64(),
    "shape": polars.String(),
}

#: Opted out and reached by week (its Monday), complete weeks alone.
_Weeks = dict[date, tuple[int, int]]


@dataclass(frozen=True)
class _Levels:
    """The weeks of a channel in which changes were sought, and those found."""

    weeks: list[date]
    changes: list[Change]


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of opt_out_trend and opt_out_trend_direction; writes metrics.trends and metrics.change_points."""
    found = trends(engine, record)
    levels = {channel: _levels(weeks) for channel, weeks in _weeks(engine, record).items()}
    rows = [_trend_row(channel, now, levels.get(channel), record) for channel, (now, _) in found.items()]
    engine.create_from_frame("metrics.trends", polars.DataFrame(rows, schema=_TRENDS, orient="row"))
    changes = [line for channel, level in levels.items() for line in _change_rows(channel, level)]
    engine.create_from_frame("metrics.change_points", polars.DataFrame(changes, schema=_CHANGE_POINTS, orient="row"))
    return _rows(found)


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


def _weeks(engine: DuckDBEngine, record: Record) -> dict[str, _Weeks]:
    """The complete weeks of each channel; the first one counts if somebody was reached on its Monday."""
    if record.as_of_on is None:
        return {}
    first_days = dict(
        engine.rows(
            "select channel, min(period_start) from metrics.opt_out_rate"
            " where grain = 'day' and program = '*' and campaign_id = '*' group by channel"
        )
    )
    found: dict[str, _Weeks] = {}
    for week, channel, numerator, denominator in engine.rows(
        "select week_start, channel, numerator, denominator from metrics.opt_out_trend order by channel, week_start"
    ):
        if first_days[channel] <= week <= last_complete_week(record.as_of_on):
            found.setdefault(channel, {})[week] = (numerator, denominator)
    return found


def _levels(counts: _Weeks) -> _Levels:
    weeks = sorted(counts)
    if len(weeks) < FEWEST_PERIODS:
        return _Levels(weeks, [])
    return _Levels(weeks, change_points([counts[week][0] for week in weeks], [counts[week][1] for week in weeks]))


def _trend_row(channel: str, trend: Trend, levels: _Levels | None, record: Record) -> tuple[object, ...]:
    test, likeness = trend.test, trend.likeness
    return (
        channel,
        DEFINITION,
        trend.last_week if record.as_of_on else None,
        trend.weeks_used,
        trend_label(trend.direction),
        trend.direction,
        *((test.s, test.z, test.p_value, test.tau) if test else (None,) * 4),
        trend.slope.value,
        trend.slope.lower,
        trend.slope.upper,
        *((likeness.autocorrelation, likeness.corrected, likeness.p_value) if likeness else (None,) * 3),
        len(levels.weeks) if levels else 0,
        len(levels.changes) if levels else 0,
        trend_sentence(trend) if record.as_of_on else "No message that could bring an opt-out is on record.",
    )


def _change_rows(channel: str, levels: _Levels) -> list[tuple[object, ...]]:
    weeks, changes = levels.weeks, levels.changes
    edges = [0, *(change.first for change in changes), len(weeks)]
    rows: list[tuple[object, ...]] = []
    for place, change in enumerate(changes):
        before, after = change.before, change.after
        rows.append(
            (
                channel,
                *(weeks[index] for index in (change.first, change.earliest, change.latest, edges[place])),
                weeks[edges[place + 2] - 1] + timedelta(days=6),
                change.numerator_before,
                change.denominator_before,
                *(before.value, before.lower, before.upper),
                change.numerator_after,
                change.denominator_after,
                *(after.value, after.lower, after.upper),
                change.ratio,
                change.p_value,
                "drift" if change.is_drift else "step",
            )
        )
    return rows


def _rows(trends: dict[str, tuple[Trend, Trend]]) -> polars.DataFrame:
    rows = []
    for channel, (trend, _) in trends.items():
        weeks = (trend.weeks_used, TREND_WEEKS)
        direction = Estimate(trend.direction)
        unit = "percentage_points_per_week"
        rows.append(row("opt_out_trend", DEFINITION, None, channel, weeks, trend.slope, unit))
        rows.append(row("opt_out_trend_direction", DEFINITION, None, channel, weeks, direction, "direction"))
    return measurements(rows)
