"""Why people leave: shares of opt-outs by reason, their trends, and what differs by month, campaign and tenure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import Any

import numpy as np
import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import reason_texts
from pipelines.measures.periods import Record, last_complete_week
from pipelines.measures.rows import SCHEMA, shares
from pipelines.statistics.estimate import number
from pipelines.statistics.intervals import wilson_interval
from pipelines.statistics.mixtures import MixTest, compare_mixes, fisher_exact
from pipelines.statistics.multiplicity import false_discovery_rates
from pipelines.statistics.trends import TREND_LEVEL, TREND_WEEKS, Trend, trend_of_weeks
from pipelines.statistics.two_shares import difference_of_shares

_Counts = dict[str, int]

WEEKS: dict[str, Any] = {
    "week_start": polars.Date(),
    "channel": polars.String(),
    "reason": polars.String(),
    "opt_out_count": polars.Int64(),
    "total_count": polars.Int64(),
    "value": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "is_used": polars.Boolean(),
}
TRENDS: dict[str, Any] = {
    "channel": polars.String(),
    "reason": polars.String(),
    "direction": polars.Int64(),
    "slope": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "p_value": polars.Float64(),
    "q_value": polars.Float64(),
    "weeks_used": polars.Int64(),
    "last_week": polars.Date(),
}
TENURE: dict[str, Any] = {
    "channel": polars.String(),
    "tenure": polars.String(),
    "position": polars.Int64(),
    "from_days": polars.Int64(),
    "until_days": polars.Int64(),
    "in_words": polars.String(),
    "reason": polars.String(),
    "opt_out_count": polars.Int64(),
    "total_count": polars.Int64(),
    "value": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
}
DIFFERENCES: dict[str, Any] = {
    "dimension": polars.String(),
    "channel": polars.String(),
    "member": polars.String(),
    "month_start": polars.Date(),
    "opt_out_count": polars.Int64(),
    "given_count": polars.Int64(),
    "rest_count": polars.Int64(),
    "method": polars.String(),
    "categories": polars.Int64(),
    "statistic": polars.Float64(),
    "degrees": polars.Int64(),
    "p_value": polars.Float64(),
    "q_value": polars.Float64(),
    "is_different": polars.Boolean(),
    "reason": polars.String(),
    "value": polars.Float64(),
    "rest_value": polars.Float64(),
}
CHANGES: dict[str, Any] = {
    "channel": polars.String(),
    "month_start": polars.Date(),
    "reason": polars.String(),
    "value": polars.Float64(),
    "before_value": polars.Float64(),
    "difference": polars.Float64(),
    "lower": polars.Float64(),
    "upper": polars.Float64(),
    "p_value": polars.Float64(),
    "q_value": polars.Float64(),
    "has_changed": polars.Boolean(),
}


def measure(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """Measurements of feedback_reasons; writes metrics.reason_trends, reason_shares_by_week, reason_tenure,
    reason_differences, reason_changes and reason_texts."""
    by_channel = shares(engine, "feedback_reasons", "'*' as program, '*' as campaign_id, reason")
    months = _months(by_channel)
    _write_trends(engine, record)
    tenures = _write_tenure(engine)
    campaigns = _campaign_counts(engine)
    fewest = engine.value("select value from reference.reason_limits where name = 'fewest_given'")
    differences = [*_by_month(months), *_by_campaign(campaigns, fewest), *_by_tenure(tenures, fewest)]
    engine.create_from_frame("metrics.reason_differences", _frame(differences, DIFFERENCES))
    engine.create_from_frame("metrics.reason_changes", _frame(_changes(months), CHANGES))
    reason_texts.write_texts(engine)
    return polars.concat([by_channel, _campaign_shares(campaigns).select(by_channel.columns)])


def _frame(rows: Iterable[tuple[Any, ...]], schema: dict[str, Any]) -> polars.DataFrame:
    return polars.DataFrame(list(rows), schema=schema, orient="row")


def _typed(frame: polars.DataFrame, schema: dict[str, Any]) -> polars.DataFrame:
    return frame.select(polars.col(name).cast(kind) for name, kind in schema.items())


def _with_wilson(frame: polars.DataFrame, count: str, total: str) -> polars.DataFrame:
    lower, upper = wilson_interval(frame[count].to_numpy(), frame[total].to_numpy())
    return frame.with_columns(
        (polars.col(count) / polars.col(total)).alias("value"),
        polars.Series("lower", lower, dtype=polars.Float64),
        polars.Series("upper", upper, dtype=polars.Float64),
    )


# ---- trends


def _write_trends(engine: DuckDBEngine, record: Record) -> None:
    """metrics.reason_trends and metrics.reason_shares_by_week: the weekly share of each reason, and where it goes."""
    as_of_on = record.as_of_on
    last_week = last_complete_week(as_of_on) if as_of_on else date.min
    weeks = engine.frame(
        "select week_start, channel, reason, numerator as opt_out_count, denominator as total_count"
        " from metrics.reason_weeks order by channel, reason, week_start"
    )
    first_used = last_week - timedelta(weeks=TREND_WEEKS - 1) if as_of_on else date.min
    is_used = polars.col("week_start").is_between(first_used, last_week)
    weeks = _with_wilson(weeks, "opt_out_count", "total_count").with_columns(is_used=is_used)
    engine.create_from_frame("metrics.reason_shares_by_week", _typed(weeks, WEEKS))
    rates: dict[str, dict[str, dict[date, float]]] = defaultdict(lambda: defaultdict(dict))
    for week, channel, reason, value in weeks.select("week_start", "channel", "reason", "value").iter_rows():
        rates[channel][reason][week] = 100 * value
    rows: list[tuple[Any, ...]] = []
    for channel, by_reason in rates.items():
        trends = {reason: trend_of_weeks(values, last_week) for reason, values in by_reason.items()}
        rows += _trend_rows(channel, trends)
    engine.create_from_frame("metrics.reason_trends", _frame(rows, TRENDS))


def _p_value(trend: Trend) -> float | None:
    """Mann-Kendall's p value with likeness of neighbours allowed for."""
    if trend.test is None:
        return None
    return trend.likeness.p_value if trend.likeness else trend.test.p_value


def _trend_rows(channel: str, trends: Mapping[str, Trend]) -> Iterable[tuple[Any, ...]]:
    p_values = {reason: _p_value(trend) for reason, trend in trends.items()}
    q_values = _controlled(p_values)
    for reason, trend in trends.items():
        q_value, slope = q_values[reason], trend.slope
        direction = None
        if q_value is not None and trend.test is not None:
            direction = int(np.sign(trend.test.s)) if q_value < TREND_LEVEL else 0
        numbers = (slope.value, slope.lower, slope.upper, p_values[reason], q_value)
        yield (channel, reason, direction, *numbers, trend.weeks_used, trend.last_week)


def _controlled(p_values: Mapping[Any, float | None]) -> dict[Any, float | None]:
    """The q value of each test that could be made; None for the others."""
    found = false_discovery_rates(np.array(list(p_values.values()), dtype=np.float64))
    return {key: number(q_value) for key, q_value in zip(p_values, found, strict=True)}


# ---- tenure


def _write_tenure(engine: DuckDBEngine) -> dict[str, dict[str, _Counts]]:
    """metrics.reason_tenure; gives the counts by channel, bucket and reason, unknown left out."""
    frame = engine.frame(
        """
        with totals as (
            select channel, tenure, sum(opt_out_count) as total_count
            from metrics.reason_tenures
            group by channel, tenure
        )
        select
            n.channel, t.tenure, t.position, t.from_days, t.until_days, t.in_words, l.reason,
            cast(coalesce(c.opt_out_count, 0) as bigint) as opt_out_count, cast(n.total_count as bigint) as total_count
        from totals as n
        join reference.reason_tenures as t on t.tenure = n.tenure
        cross join reference.reason_list as l
        left join metrics.reason_tenures as c
            on c.channel = n.channel and c.tenure = n.tenure and c.reason = l.reason
        order by n.channel, t.position, l.priority
        """
    )
    frame = _with_wilson(frame, "opt_out_count", "total_count")
    engine.create_from_frame("metrics.reason_tenure", _typed(frame, TENURE))
    counts: dict[str, dict[str, _Counts]] = defaultdict(lambda: defaultdict(dict))
    for channel, tenure, reason, count in frame.select("channel", "tenure", "reason", "opt_out_count").iter_rows():
        if tenure != "unknown":
            counts[channel][tenure][reason] = count
    return counts


def _by_tenure(tenures: dict[str, dict[str, _Counts]], fewest: int) -> Iterable[tuple[Any, ...]]:
    """Each bucket against the other buckets of its channel."""
    for channel, members in tenures.items():
        yield from _against_the_rest("tenure", channel, members, _sum(members.values()), fewest)


# ---- campaigns


def _campaign_counts(engine: DuckDBEngine) -> polars.DataFrame:
    return engine.frame(
        "select month_start, channel, campaign_id, reason, opt_out_count from metrics.reason_campaigns"
        " order by month_start, channel, campaign_id, reason"
    )


def _campaign_shares(counts: polars.DataFrame) -> polars.DataFrame:
    """Measurements by campaign, of the reasons that were given: month and whole record."""
    named = counts.filter(polars.col("campaign_id").is_not_null())
    no_month = polars.lit(None, dtype=polars.Date)
    parts = []
    for grain, period in (("month", polars.col("month_start")), ("all", no_month)):
        keys = ["period_start", "campaign_id"]
        grouped = (
            named.with_columns(period_start=period).group_by(*keys, "reason").agg(polars.col("opt_out_count").sum())
        )
        totals = polars.col("opt_out_count").sum().over(keys)
        parts.append(grouped.with_columns(grain=polars.lit(grain), total=totals))
    frame = _with_wilson(polars.concat(parts), "opt_out_count", "total")
    measured = frame.select(
        metric=polars.lit("feedback_reasons"),
        definition=polars.lit("heed"),
        grain="grain",
        period_start="period_start",
        channel=polars.lit("*"),
        program=polars.lit("*"),
        campaign_id="campaign_id",
        reason="reason",
        numerator=polars.col("opt_out_count").cast(polars.Float64),
        denominator=polars.col("total").cast(polars.Float64),
        value="value",
        lower="lower",
        upper="upper",
        unit=polars.lit("share"),
    )
    return _typed(measured, SCHEMA)


def _by_campaign(counts: polars.DataFrame, fewest: int) -> Iterable[tuple[Any, ...]]:
    """Each campaign against all other opt-outs that came by its channel."""
    totals: dict[str, _Counts] = defaultdict(lambda: defaultdict(int))
    members: dict[str, dict[str, _Counts]] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
    for _, channel, campaign_id, reason, count in counts.iter_rows():
        totals[channel][reason] += count
        if campaign_id is not None:
            members[channel][campaign_id][reason] += count
    for channel in members:
        yield from _against_the_rest("campaign", channel, members[channel], totals[channel], fewest)


# ---- months


def _months(by_channel: polars.DataFrame) -> dict[str, dict[date, _Counts]]:
    """Opt-outs by channel, month and reason."""
    months: dict[str, dict[date, _Counts]] = defaultdict(lambda: defaultdict(dict))
    chosen = by_channel.filter(polars.col("grain") == "month").sort("channel", "period_start", "reason")
    for channel, month, reason, count in chosen.select("channel", "period_start", "reason", "numerator").iter_rows():
        months[channel][month][reason] = int(count)
    return months


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)


def _by_month(months: dict[str, dict[date, _Counts]]) -> Iterable[tuple[Any, ...]]:
    """Each month against the month before."""
    for channel, by_month in months.items():
        for month, counts in by_month.items():
            before = by_month.get(_month_before(month))
            if before:
                test = _compare(counts, before)
                yield _difference_row("month", channel, "before", month, counts, before, test, test.p_value)


def _changes(months: dict[str, dict[date, _Counts]]) -> Iterable[tuple[Any, ...]]:
    """Each reason's share of a month against the month before, the false discoveries among the reasons controlled."""
    for channel, by_month in months.items():
        for month, counts in by_month.items():
            before = by_month.get(_month_before(month))
            if not before:
                continue
            whole, whole_before = sum(counts.values()), sum(before.values())
            p_values: dict[str, float | None] = {
                reason: fisher_exact(count, whole - count, before[reason], whole_before - before[reason])
                for reason, count in counts.items()
            }
            q_values = _controlled(p_values)
            for reason, count in counts.items():
                moved = difference_of_shares((count, whole), (before[reason], whole_before))
                p_value, q_value = p_values[reason], q_values[reason]
                now_and_before = (count / whole, before[reason] / whole_before)
                interval = (moved.value, moved.lower, moved.upper)
                has_changed = q_value is not None and q_value < TREND_LEVEL
                yield (channel, month, reason, *now_and_before, *interval, p_value, q_value, has_changed)


# ---- mixes


def _sum(members: Iterable[_Counts]) -> _Counts:
    total: _Counts = defaultdict(int)
    for counts in members:
        for reason, count in counts.items():
            total[reason] += count
    return total


def _given(counts: _Counts) -> _Counts:
    return {reason: count for reason, count in counts.items() if reason != "unspecified" and count}


def _compare(counts: _Counts, rest: _Counts) -> MixTest:
    """Whether the reasons given differ; those who gave none tell nothing of why they left."""
    reasons = sorted(set(_given(counts)) | set(_given(rest)))
    return compare_mixes([counts.get(one, 0) for one in reasons], [rest.get(one, 0) for one in reasons])


def _against_the_rest(
    dimension: str, channel: str, members: Mapping[str, _Counts], total: _Counts, fewest: int
) -> Iterable[tuple[Any, ...]]:
    """Each member against all that is not it, the false discoveries among the members controlled.

    Members of which fewer than `fewest` gave a reason could show nothing, and would only blunt the other tests.
    """
    rests = {name: {one: total[one] - counts.get(one, 0) for one in total} for name, counts in members.items()}
    is_told = {name: sum(_given(counts).values()) >= fewest for name, counts in members.items()}
    tests = {name: _compare(counts if is_told[name] else {}, rests[name]) for name, counts in members.items()}
    q_values = _controlled({name: test.p_value for name, test in tests.items()})
    for name, counts in members.items():
        yield _difference_row(dimension, channel, name, None, counts, rests[name], tests[name], q_values[name])


def _difference_row(
    dimension: str,
    channel: str,
    member: str,
    month: date | None,
    counts: _Counts,
    rest: _Counts,
    test: MixTest,
    q_value: float | None,
) -> tuple[Any, ...]:
    given, given_rest = _given(counts), _given(rest)
    size, rest_size = sum(given.values()), sum(given_rest.values())
    told = test.p_value is not None
    # The reason that is most above its share of the rest says what the difference is.
    excess = {one: given[one] / size - given_rest.get(one, 0) / rest_size for one in given} if told else {}
    reason = max(excess, key=lambda one: (excess[one], one)) if excess else None
    value = given[reason] / size if reason else None
    rest_value = given_rest.get(reason, 0) / rest_size if reason else None
    is_different = q_value is not None and q_value < TREND_LEVEL
    sizes = (sum(counts.values()), size, rest_size)
    numbers = (test.method, test.categories, test.statistic, test.degrees, test.p_value, q_value)
    return (dimension, channel, member, month, *sizes, *numbers, is_different, reason, value, rest_value)
