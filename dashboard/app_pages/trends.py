"""How many people opt out? The rate over time with its uncertainty, split and cut as the reader likes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas
import streamlit as st

from dashboard import charts, filters, formats, layout, snapshot, texts
from dashboard.charts import Share

GRAINS = {"Day": "day", "Week": "week", "Month": "month"}
SPLITS = {"Total": None, "Channel": "channel", "Program": "program", "Campaign": "campaign_id"}
SERIES_SHOWN = 6
CAMPAIGNS_SHOWN = 12
DIRECTIONS: dict[float | None, str] = {1: "Increasing", -1: "Decreasing", 0: "No clear trend"}

RATES = """
select period_start, channel, program, campaign_id, numerator, denominator, value, lower, upper
from metrics.measurements
where metric = 'opt_out_rate' and definition = 'heed' and grain = ?
    and (? is null or date_trunc('month', period_start) = ?)
    and channel {channel} and program {program} and campaign_id {campaign_id}
order by period_start
"""
TREND = """
select
    max(value) filter (where metric = 'opt_out_trend') as slope,
    max(lower) filter (where metric = 'opt_out_trend') as lower,
    max(upper) filter (where metric = 'opt_out_trend') as upper,
    max(numerator) filter (where metric = 'opt_out_trend') as week_count,
    max(value) filter (where metric = 'opt_out_trend_direction') as direction
from metrics.measurements
where metric in ('opt_out_trend', 'opt_out_trend_direction') and channel = ? and program = '*' and campaign_id = '*'
"""
HEADLINE = "select display, sentence from metrics.headline where metric = 'opt_out_trend'"
NOT_REACHED = """
select coalesce(sum(value), 0) as opt_out_count from metrics.measurements
where metric = 'opt_outs_not_reached' and channel = ? and program = '*' and campaign_id = '*'
    and period_start is not distinct from ? and grain = case when ? is null then 'all' else 'month' end
"""
TODAY = "select cast(timezone(report_timezone, as_of) as date) as today from run.parameters"
COLUMNS = {
    "Rate": st.column_config.NumberColumn(format="%.2f %%"),
    "From": st.column_config.NumberColumn(format="%.2f %%"),
    "To": st.column_config.NumberColumn(format="%.2f %%"),
    "Opted out": st.column_config.NumberColumn(format="localized"),
    "Reached": st.column_config.NumberColumn(format="localized"),
}


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("trends", chosen)
    show_trend(chosen)
    with st.container(horizontal=True, gap="medium"):
        grain = GRAINS[
            st.segmented_control("Grain", list(GRAINS), default="Week", required=True, key="grain", bind="query-params")
            or "Week"
        ]
        split = SPLITS[
            st.segmented_control(
                "Split by", list(SPLITS), default="Total", required=True, key="split", bind="query-params"
            )
            or "Total"
        ]
    today = as_of_day()
    rows = rates(grain, split, chosen)
    for row in rows:
        row["is_complete"] = period_end(row["period_start"], grain) < today
    if not any(row["value"] is not None for row in rows):
        layout.empty(texts.NOTHING_IN_PERIOD, f"Nobody was reached by a marketing message here. {texts.WIDEN}")
    elif split is None:
        show_total(rows, grain, chosen)
    elif split == "campaign_id":
        show_campaigns(rows, grain)
    else:
        show_split(rows, grain, split)
    show_beside(chosen)
    layout.footer("Opt-out rate by the definition `heed`: contacts reached in the period who opted out in it")


def rates(grain: str, split: str | None, chosen: filters.Filters) -> list[dict[str, Any]]:
    """The measured rates of the chosen grain, split and filters. Campaigns are measured across programs."""
    program = None if split == "campaign_id" else chosen.program
    wanted = {"channel": chosen.channel, "program": program, "campaign_id": None}
    conditions, parameters = {}, [grain, chosen.period, chosen.period]
    for column, value in wanted.items():
        if column == split and value is None:
            conditions[column] = "<> '*'"
        else:
            conditions[column] = "= ?"
            parameters.append(value or "*")
    return snapshot.rows(RATES.format(**conditions), parameters)


def show_trend(chosen: filters.Filters) -> None:
    """The answer: which way it goes, and the sentence behind it."""
    if chosen.program:
        st.markdown("The trend is measured for all programs together; the charts below show this program alone.")
        return
    if chosen.channel is None:
        headline = snapshot.one(HEADLINE) or {"display": "Not enough data", "sentence": ""}
        st.markdown(f"**{texts.plain(headline['display'])}.** {texts.plain(headline['sentence'])}")
        return
    trend = snapshot.one(TREND, [chosen.channel]) or {}
    direction = DIRECTIONS.get(trend.get("direction"), "Not enough data")
    weeks = formats.plural(int(trend.get("week_count") or 0), "complete week")
    if trend.get("slope") is None:
        st.markdown(f"**{direction}.** A trend needs at least 6 weeks; there are {weeks}.")
        return
    sentence = f"The weekly rate changes by {formats.signed(trend['slope'], 2)} percentage points a week"
    if trend["lower"] is not None and trend["upper"] is not None:
        sentence += f" (95 % interval {formats.signed(trend['lower'], 2)} to {formats.signed(trend['upper'], 2)})"
    st.markdown(f"**{direction}.** {sentence}, from {weeks}.")


def show_total(rows: list[dict[str, Any]], grain: str, chosen: filters.Filters) -> None:
    """One series with its band, its highest period and the weeks the trend was computed from."""
    shares = [as_share(row, grain) for row in rows]
    complete = [share for share in shares if share.is_complete and share.value is not None]
    marks = []
    if len(complete) > 2:
        highest = max(complete, key=lambda share: share.value or 0)
        marks = [(highest.at, f"Highest: {formats.share(highest.value)}")]
    used = None
    if grain == "week" and chosen.program is None and chosen.period is None:
        trend = snapshot.one(TREND, [chosen.channel_or_all]) or {}
        weeks = [share.at for share in shares if share.is_complete][-int(trend.get("week_count") or 0) :]
        if trend.get("week_count") and weeks:
            used = (weeks[0], weeks[-1] + timedelta(days=6), f"{len(weeks)} weeks used for the trend")
    layout.chart(
        charts.share_over_time(shares, marks=marks, used=used), describe(shares, grain), table(rows, grain), COLUMNS
    )


def show_split(rows: list[dict[str, Any]], grain: str, split: str) -> None:
    """Small charts on one scale, the series with the most contacts first."""
    series: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        series.setdefault(row[split], []).append(row)
    largest = sorted(series, key=lambda name: -sum(row["denominator"] or 0 for row in series[name]))
    between = (rows[0]["period_start"], rows[-1]["period_start"])
    shown = largest[:SERIES_SHOWN]
    # A small denominator has an interval up to 100 %: the scale follows the rates, with room for most bands.
    highest = 1.6 * max((row["value"] or 0 for name in shown for row in series[name]), default=0)
    with st.grid(2, min_column_width=320, gap="medium") as grid:
        for name in shown:
            shares = [as_share(row, grain) for row in series[name]]
            with grid.cell(), st.container(gap="xsmall"):
                label = texts.channel(name) if split == "channel" else texts.program(name)
                st.markdown(f"**{texts.plain(label)}**")
                figure = charts.share_over_time(shares, height=220, highest=highest, between=between)
                figure.update_layout(showlegend=False, margin_t=8)
                alt = f"{label}: {describe(shares, grain)}"
                st.plotly_chart(figure, config=charts.CONFIG, alt=alt, key=f"rate-{name}")
    if len(largest) > SERIES_SHOWN:
        st.caption(f"The {SERIES_SHOWN} largest of {len(largest)} are drawn; the table has them all.")
    with st.expander(texts.TABLE_BEHIND):
        st.dataframe(table(rows, grain, split), hide_index=True, column_config=COLUMNS, alt="Opt-out rates")


def show_campaigns(rows: list[dict[str, Any]], grain: str) -> None:
    """The campaigns that surely have a high rate: ranked by the lower end of the interval, not by the rate."""
    ranked = sorted((row for row in rows if row["lower"] is not None), key=lambda row: -row["lower"])[:CAMPAIGNS_SHOWN]
    shares = []
    for row in ranked:
        share = as_share(row, grain)
        when = period_name(row["period_start"], grain)
        shares.append(replace(share, at=f"{row['campaign_id']}\n{when}", note=f"{row['campaign_id']}. {share.note}"))
    first = ranked[0]
    alt = f"Highest: {first['campaign_id']}, {formats.share(first['value'])}, at least {formats.share(first['lower'])}."
    st.caption(
        f"The {len(ranked)} highest of {formats.plural(len(rows), f'campaign {grain}')}, by the lower end of their "
        "95 % interval: a small campaign is listed only where the evidence is strong."
    )
    layout.chart(charts.share_bars(shares), alt, table(rows, grain, "campaign_id"), COLUMNS)


def show_beside(chosen: filters.Filters) -> None:
    """The opt-outs that no rate contains."""
    beside = snapshot.one(NOT_REACHED, [chosen.channel_or_all, chosen.period, chosen.period]) or {}
    count = int(beside.get("opt_out_count") or 0)
    if count and chosen.program is None:
        opt_outs = formats.plural(count, "opt-out")
        st.caption(f"Beside the rate: {opt_outs} of contacts that were not reached in the same period.")


def as_share(row: dict[str, Any], grain: str) -> Share:
    """A measured rate as a point to draw."""
    start = row["period_start"]
    is_complete: bool = row["is_complete"]
    note = (
        f"{period_name(start, grain)}: {formats.share(row['value'])} ({formats.interval(row['lower'], row['upper'])}), "
        f"{formats.count(row['numerator'])} of {formats.count(row['denominator'])}"
        + ("" if is_complete else ", not over yet")
    )
    return Share(start, row["value"], row["lower"], row["upper"], note, is_complete)


def describe(shares: list[Share], grain: str) -> str:
    """The chart as a sentence."""
    known = [share for share in shares if share.value is not None]
    if not known:
        return "No rate in this selection."
    values = [share.value or 0 for share in known]
    return (
        f"Opt-out rate by {grain} from {formats.day(known[0].at)} to {formats.day(known[-1].at)}: "
        f"between {formats.share(min(values))} and {formats.share(max(values))}, last {formats.share(values[-1])}."
    )


def table(rows: list[dict[str, Any]], grain: str, split: str | None = None) -> pandas.DataFrame:
    """The rates as a table, newest first."""
    lines = [
        {
            **({split.removesuffix("_id").capitalize(): row[split]} if split else {}),
            grain.capitalize(): period_name(row["period_start"], grain),
            "Opted out": row["numerator"],
            "Reached": row["denominator"],
            "Rate": _percent(row["value"]),
            "From": _percent(row["lower"]),
            "To": _percent(row["upper"]),
            "Over": "yes" if row["is_complete"] else "not yet",
        }
        for row in reversed(rows)
    ]
    return pandas.DataFrame(lines)


def as_of_day() -> date:
    """The day of as_of in the report time zone."""
    row = snapshot.one(TODAY)
    day: date = row["today"] if row else date.max
    return day


def period_end(start: date, grain: str) -> date:
    """The last day of a period."""
    if grain == "month":
        return date(start.year + start.month // 12, start.month % 12 + 1, 1) - timedelta(days=1)
    return start + timedelta(days=6 if grain == "week" else 0)


def period_name(start: date, grain: str) -> str:
    """A period as people say it."""
    if grain == "month":
        return formats.month(start)
    return f"Week of {formats.day(start)}" if grain == "week" else formats.day(start)


def _percent(value: float | None) -> float | None:
    return None if value is None else value * 100


show()
