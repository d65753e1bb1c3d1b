"""The same month a year before: whether more people leave than then."""

from __future__ import annotations

from datetime import date

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record
from pipelines.measures.rows import measurements
from pipelines.statistics.intervals import wilson_interval
from pipelines.statistics.multiplicity import holm
from pipelines.statistics.two_shares import difference_of_shares, score_test

#: Level below which a month differs from the one a year before, over all months of a channel.
YEAR_LEVEL = 0.05
_YEAR_OVER_YEAR = {
    "channel": polars.String(),
    "month": polars.Date(),
    "numerator": polars.Int64(),
    "denominator": polars.Int64(),
    "value": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "numerator_before": polars.Int64(),
    "denominator_before": polars.Int64(),
    "value_before": polars.Float64(),
    "lower_before": polars.Float64(),
    "upper_before": polars.Float64(),
    "difference": polars.Float64(),
    "difference_lower": polars.Float64(),
    "difference_upper": polars.Float64(),
    "p_value": polars.Float64(),
    "p_value_adjusted": polars.Float64(),
    "label": polars.String(),
}
_Months = dict[date, tuple[int, int]]


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """No measurements; writes metrics.year_over_year."""
    rows: list[tuple[object, ...]] = []
    for channel, months in _complete_months(engine, record).items():
        pairs = [(month, months[before]) for month in sorted(months) if (before := _year_before(month)) in months]
        p_values = [score_test(months[month], before) for month, before in pairs]
        for (month, then), p_value, adjusted in zip(pairs, p_values, holm(p_values), strict=True):
            compared = _compared(months[month], then)
            rows.append((channel, month, *compared, p_value, adjusted, _label(months[month], then, adjusted)))
    engine.create_from_frame("metrics.year_over_year", polars.DataFrame(rows, schema=_YEAR_OVER_YEAR, orient="row"))
    return measurements([])


def _complete_months(engine: DuckDBEngine, record: Record) -> dict[str, _Months]:
    """Opted out and reached by channel and month; months that are over, and on record from their first day."""
    as_of_on = record.as_of_on
    first_day = engine.value("select min(period_start) from metrics.opt_out_rate where grain = 'day'")
    found: dict[str, _Months] = {}
    if as_of_on is None or first_day is None:
        return found
    for month, channel, numerator, denominator in engine.rows(
        "select period_start, channel, numerator, denominator from metrics.opt_out_rate"
        " where grain = 'month' and program = '*' and campaign_id = '*' order by channel, period_start"
    ):
        if first_day <= month < as_of_on.replace(day=1):
            found.setdefault(channel, {})[month] = (numerator, denominator)
    return found


def _year_before(month: date) -> date:
    return month.replace(year=month.year - 1)


def _compared(now: tuple[int, int], before: tuple[int, int]) -> tuple[object, ...]:
    lower, upper = (bound.tolist() for bound in wilson_interval([now[0], before[0]], [now[1], before[1]]))
    difference = difference_of_shares(now, before)
    return (
        *(*now, now[0] / now[1], lower[0], upper[0]),
        *(*before, before[0] / before[1], lower[1], upper[1]),
        *(difference.value, difference.lower, difference.upper),
    )


def _label(now: tuple[int, int], before: tuple[int, int], adjusted: float | None) -> str:
    if adjusted is None or adjusted >= YEAR_LEVEL:
        return "No clear difference"
    return "Higher" if now[0] * before[1] > before[0] * now[1] else "Lower"
