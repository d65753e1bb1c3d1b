"""How many people opt out? The rate over time with its uncertainty, split and cut as the reader likes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pandas
import streamlit as st

from dashboard import charts, charts_trends, definitions, filters, layout, snapshot, trend_parts
from dashboard.charts import Share
from dashboard.definitions import Definition
from dashboard.words import formats, heads, texts
from dashboard.words import trends as words

#: Grains by their name, with their code and their days; a month has its own.
GRAINS = {heads.DAY: "day", heads.WEEK: "week", heads.MONTH: "month", heads.ROLLING_7_DAYS: "rolling_7_days",
          heads.ROLLING_28_DAYS: "rolling_28_days"}  # fmt: skip
GRAIN_DAYS = {"day": 1, "week": 7, "rolling_7_days": 7, "rolling_28_days": 28}
METRICS = ("opt_out_rate", "opt_out_rate_without_machines", "opt_out_rate_per_message", "list_churn")
SPLITS = {heads.TOTAL: None, heads.CHANNEL: "channel", heads.PROGRAM: "program", heads.CAMPAIGN: "campaign_id"}
SERIES_SHOWN = 6
CAMPAIGNS_SHOWN = 12

# A month holds the periods that begin in it, and the rolling windows that end in it.
RATES = """
select period_start, channel, program, campaign_id, numerator, denominator, value, lower, upper
from metrics.measurements
where metric = ? and definition = ? and grain = ?
    and (? is null or date_trunc('month', period_start + cast(? as integer)) = ?)
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
UNATTRIBUTED = """
select numerator, denominator, value from metrics.measurements
where metric = 'unattributed_share' and definition = ? and channel = ? and program = '*' and campaign_id = '*'
    and period_start is not distinct from ? and grain = case when ? is null then 'all' else 'month' end
"""
HEADLINE = "select display, sentence from metrics.headline where metric = 'opt_out_trend'"
NOT_REACHED = """
select coalesce(sum(value), 0) as opt_out_count from metrics.measurements
where metric = 'opt_outs_not_reached' and channel = ? and program = '*' and campaign_id = '*'
    and period_start is not distinct from ? and grain = case when ? is null then 'all' else 'month' end
"""
FIRST_DAY = """
select min(period_start) as first_day from metrics.measurements where metric = 'opt_out_rate' and grain = 'day'
"""
TODAY = "select cast(timezone(report_timezone, as_of) as date) as today from run.parameters"


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("trends", chosen)
    answer = st.container()
    definition = definitions.choose(METRICS)
    with answer:
        show_trend(chosen, definition)
    with st.container(horizontal=True, gap="medium"):
        offered = {name: code for name, code in GRAINS.items() if code in definition.grains or not definition.grains}
        grain = offered[one_of("Grain", "grain", list(offered), heads.WEEK)]
        split = SPLITS[one_of("Split by", "split", list(SPLITS), heads.TOTAL)]
    today, first_day = as_of_day(), first_day_of_record()
    rows = rates(definition, grain, split, chosen)
    for row in rows:
        row["is_over"] = period_end(row["period_start"], grain) < today
        row["is_complete"] = row["is_over"] and row["period_start"] >= first_day
    if not any(row["value"] is not None for row in rows):
        show_nothing(definition, split)
    elif split is None:
        show_total(rows, grain, chosen, definition)
    elif split == "campaign_id":
        show_campaigns(rows, grain, definition)
    else:
        show_split(rows, grain, split, definition)
    show_notes(rows, grain, chosen, definition)
    if chosen.program is None and chosen.campaign is None:
        if not is_headline(definition) or chosen.period:
            st.caption(words.WHAT_FOLLOWS)
        trend_parts.show_all(chosen)
    layout.footer(definitions.footer(definition))


def one_of(label: str, key: str, options: list[str], first: str) -> str:
    """The option chosen in a row of buttons, kept in the URL; `first` unless it is not offered."""
    default = first if first in options else options[0]
    if st.session_state.get(key, default) not in options:
        st.session_state[key] = default
    return st.segmented_control(label, options, default=default, required=True, key=key, bind="query-params") or default


def is_headline(definition: Definition) -> bool:
    """Whether it is the rate that the trend, the changes and the seasons are of."""
    return (definition.metric, definition.definition) == ("opt_out_rate", "heed")


def rates(definition: Definition, grain: str, split: str | None, chosen: filters.Filters) -> list[dict[str, Any]]:
    """The measured rates of the chosen grain, split and filters. Campaigns are measured across programs."""
    program = None if split == "campaign_id" or chosen.campaign else chosen.program
    wanted = {"channel": chosen.channel, "program": program, "campaign_id": chosen.campaign}
    last_day = GRAIN_DAYS[grain] - 1 if grain.startswith("rolling") else 0
    conditions: dict[str, str] = {}
    parameters: list[Any] = [definition.metric, definition.definition, grain, chosen.period, last_day, chosen.period]
    for column, value in wanted.items():
        if column == split and value is None:
            conditions[column] = "<> '*'"
        else:
            conditions[column] = "= ?"
            parameters.append(value or "*")
    return snapshot.rows(RATES.format(**conditions), parameters)


def show_nothing(definition: Definition, split: str | None) -> None:
    """Nothing to draw: nobody was reached, or the definition does not know the split."""
    if split and not is_headline(definition):
        title = words.NOT_MEASURED.format(split=split.removesuffix("_id"))
        layout.empty(title, words.NO_NUMBER.format(name=texts.plain(definition.name)))
    else:
        layout.empty(texts.NOTHING_IN_PERIOD, words.NOBODY_REACHED)


def show_trend(chosen: filters.Filters, definition: Definition) -> None:
    """The answer: which way it goes, and the sentence behind it."""
    if not is_headline(definition):
        st.caption(words.TREND_OF_HEADLINE)
    if chosen.campaign:
        st.markdown(words.ALL_CAMPAIGNS)
        if chosen.program:
            st.caption(words.OVER_ALL_PROGRAMS)
        return
    if chosen.program:
        st.markdown(words.ALL_PROGRAMS)
        return
    told = trend_parts.trend(chosen.channel_or_all)
    if told:
        st.markdown(f"**{texts.plain(told['label'])}.** {texts.plain(told['sentence'])}")
        return
    if chosen.channel is None:
        headline = snapshot.one(HEADLINE) or {"display": words.NOT_ENOUGH_DATA, "sentence": ""}
        st.markdown(f"**{texts.plain(headline['display'])}.** {texts.plain(headline['sentence'])}")
        return
    trend = snapshot.one(TREND, [chosen.channel]) or {}
    direction = words.DIRECTIONS.get(trend.get("direction"), words.NOT_ENOUGH_DATA)
    weeks = formats.Counted(trend.get("week_count") or 0)
    if trend.get("slope") is None:
        st.markdown(words.TOO_FEW_WEEKS.format(direction=direction, weeks=weeks))
        return
    sentence = words.SLOPE.format(slope=formats.signed(trend["slope"], 2))
    if trend["lower"] is not None and trend["upper"] is not None:
        sentence += words.SLOPE_INTERVAL.format(
            lower=formats.signed(trend["lower"], 2), upper=formats.signed(trend["upper"], 2)
        )
    st.markdown(words.TREND.format(direction=direction, sentence=sentence, weeks=weeks))


def show_total(rows: list[dict[str, Any]], grain: str, chosen: filters.Filters, definition: Definition) -> None:
    """One series with its band, its highest period, its changes of level and the weeks the trend was computed from."""
    shares = [as_share(row, grain) for row in rows]
    complete = [share for share in shares if share.is_complete and share.value is not None]
    marks: list[tuple[date, str]] = []
    used, levels = None, []
    is_whole = chosen.program is None and chosen.campaign is None and chosen.period is None
    if grain == "week" and is_whole and is_headline(definition):
        trend = snapshot.one(TREND, [chosen.channel_or_all]) or {}
        weeks = [share.at for share in shares if share.is_complete][-int(trend.get("week_count") or 0) :]
        if trend.get("week_count") and weeks:
            used = (weeks[0], weeks[-1] + timedelta(days=6), words.WEEKS_USED.format(weeks=len(weeks)))
        levels = trend_parts.levels(trend_parts.changes(chosen.channel_or_all))
    if len(complete) > 2 and not levels:
        highest = max(complete, key=lambda share: share.value or 0)
        marks = [(highest.at, words.HIGHEST.format(value=formats.share(highest.value)))]
    figure = charts.share_over_time(shares, marks=marks, used=used, name=definition.name, cut_name=cut_name(rows))
    figure = charts_trends.mark_levels(figure, levels)
    alt = describe(shares, grain, definition)
    if levels:
        alt += words.LEVEL_CHANGED.format(times=formats.Counted(len(levels) - 1))
    layout.chart(figure, alt, table(rows, grain, definition), columns(definition))


def cut_name(rows: list[dict[str, Any]]) -> str:
    """What the periods are that are not whole."""
    return words.NOT_OVER if all(row["is_complete"] for row in rows if row["is_over"]) else words.NOT_WHOLE


def show_split(rows: list[dict[str, Any]], grain: str, split: str, definition: Definition) -> None:
    """Small charts on one scale, the series with the most contacts first."""
    series: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        series.setdefault(row[split], []).append(row)
    largest = sorted(series, key=lambda name: -sum(row["denominator"] or 0 for row in series[name]))
    between = (drawn_at(rows[0]["period_start"], grain), drawn_at(rows[-1]["period_start"], grain))
    shown = largest[:SERIES_SHOWN]
    # A small denominator has an interval up to 100 %: the scale follows the rates, with room for most bands.
    highest = 1.6 * max((row["value"] or 0 for name in shown for row in series[name]), default=0)
    with st.grid(2, min_column_width=320, gap="medium") as grid:
        for name in shown:
            shares = [as_share(row, grain) for row in series[name]]
            with grid.cell(), st.container(gap="xsmall"):
                label = texts.channel(name) if split == "channel" else texts.program(name)
                st.markdown(f"**{texts.plain(label)}**")
                figure = charts.share_over_time(
                    shares, height=220, highest=highest, between=between, name=definition.name
                )
                figure.update_layout(showlegend=False, margin_t=8)
                alt = f"{label}: {describe(shares, grain, definition)}"
                own = table(series[name], grain, definition, split)
                layout.chart(figure, alt, own, columns(definition), is_table_beside=True)
    if len(largest) > SERIES_SHOWN:
        st.caption(words.LARGEST_DRAWN.format(drawn=SERIES_SHOWN, all=len(largest)))
    with st.expander(texts.TABLE_BEHIND):
        lines = table(rows, grain, definition, split)
        alt = words.BY_SPLIT.format(name=definition.name, split=split, grain=grain_name(grain))
        layout.frame(lines, alt, columns(definition))


def show_campaigns(rows: list[dict[str, Any]], grain: str, definition: Definition) -> None:
    """The campaigns that surely have a high rate: ranked by the lower end of the interval, not by the rate."""
    ranked = sorted((row for row in rows if row["lower"] is not None), key=lambda row: -row["lower"])[:CAMPAIGNS_SHOWN]
    if not ranked:
        show_nothing(definition, "campaign_id")
        return
    shares = []
    for row in ranked:
        share = as_share(row, grain)
        when = period_name(row["period_start"], grain)
        shares.append(replace(share, at=f"{row['campaign_id']}\n{when}", note=f"{row['campaign_id']}. {share.note}"))
    first = ranked[0]
    alt = words.HIGHEST_CAMPAIGN.format(
        campaign=first["campaign_id"], value=formats.share(first["value"]), lower=formats.share(first["lower"])
    )
    st.caption(
        words.HIGHEST_LISTED.format(listed=len(ranked), all=formats.plural(len(rows), words.CAMPAIGN_PERIODS[grain]))
    )
    layout.chart(
        charts.share_bars(shares), alt, table(rows, grain, definition, "campaign_id"), columns(definition),
        title=words.HIGHEST_BY_CAMPAIGN.format(name=definition.name),
    )  # fmt: skip


def show_notes(rows: list[dict[str, Any]], grain: str, chosen: filters.Filters, definition: Definition) -> None:
    """What a reader must know beside the chart: overlapping windows, and the opt-outs that no rate contains."""
    if grain.startswith("rolling") and rows:
        days = GRAIN_DAYS[grain]
        st.caption(words.WINDOW.format(days=days, shared=days - 1))
    if chosen.program is not None or chosen.campaign is not None:
        return
    parameters = [chosen.channel_or_all, chosen.period, chosen.period]
    if definition.metric == "opt_out_rate":
        count = int((snapshot.one(NOT_REACHED, parameters) or {}).get("opt_out_count") or 0)
        if count:
            st.caption(words.BESIDE.format(opt_outs=formats.Counted(count)))
    elif definition.attribution:
        left_out = snapshot.one(UNATTRIBUTED, [definition.definition, *parameters])
        if left_out and left_out["value"] is not None:
            st.caption(
                words.UNATTRIBUTED.format(
                    value=formats.share(left_out["value"]),
                    part=formats.part(left_out["numerator"], left_out["denominator"]),
                )
            )


def as_share(row: dict[str, Any], grain: str) -> Share:
    """A measured rate as a point to draw."""
    start = row["period_start"]
    is_complete: bool = row["is_complete"]
    measured = formats.measured(row)
    cut = "" if is_complete else f", {words.BEGUN_LATE if row['is_over'] else words.STILL_RUNNING}"
    note = f"{period_name(start, grain)}: {measured}{cut}"
    return Share(drawn_at(start, grain), row["value"], row["lower"], row["upper"], note, is_complete)


def describe(shares: list[Share], grain: str, definition: Definition) -> str:
    """The chart as a sentence."""
    known = [share for share in shares if share.value is not None]
    if not known:
        return words.NO_RATE
    values = [share.value or 0 for share in known]
    return words.SPAN.format(
        name=definition.name,
        grain=grain_name(grain),
        first=formats.day(known[0].at),
        last=formats.day(known[-1].at),
        lowest=formats.share(min(values)),
        highest=formats.share(max(values)),
        newest=formats.share(values[-1]),
    )


def columns(definition: Definition) -> dict[str, Any]:
    """How the columns of the table are written."""
    shares = {name: st.column_config.NumberColumn(format="%.2f %%") for name in (heads.RATE, heads.FROM, heads.TO)}
    return shares | {name: st.column_config.NumberColumn(format="localized") for name in counted(definition)}


def counted(definition: Definition) -> tuple[str, str]:
    """What numerator and denominator are called in the table."""
    return (
        (heads.OPTED_OUT, heads.REACHED)
        if definition.metric == "opt_out_rate"
        else (heads.NUMERATOR, heads.DENOMINATOR)
    )


def table(rows: list[dict[str, Any]], grain: str, definition: Definition, split: str | None = None) -> pandas.DataFrame:
    """The rates as a table, newest first."""
    above, below = counted(definition)
    lines = [
        {
            **({split.removesuffix("_id").capitalize(): row[split]} if split else {}),
            grain_name(grain).capitalize(): period_name(row["period_start"], grain),
            above: row["numerator"],
            below: row["denominator"],
            heads.RATE: _percent(row["value"]),
            heads.FROM: _percent(row["lower"]),
            heads.TO: _percent(row["upper"]),
            heads.OVER: texts.NOT_YET
            if not row["is_over"]
            else texts.YES
            if row["is_complete"]
            else words.BEGUN_LATE_SHORT,
        }
        for row in reversed(rows)
    ]
    return pandas.DataFrame(lines)


def as_of_day() -> date:
    """The day of as_of in the report time zone."""
    row = snapshot.one(TODAY)
    day: date = row["today"] if row else date.max
    return day


def first_day_of_record() -> date:
    """The first day on which anybody was reached: a period that begins before it is cut short."""
    row = snapshot.one(FIRST_DAY)
    day: date = row["first_day"] if row and row["first_day"] else date.min
    return day


def period_end(start: date, grain: str) -> date:
    """The last day of a period."""
    if grain == "month":
        return date(start.year + start.month // 12, start.month % 12 + 1, 1) - timedelta(days=1)
    return start + timedelta(days=GRAIN_DAYS[grain] - 1)


def drawn_at(start: date, grain: str) -> date:
    """Where a period stands in a chart: at its first day, a rolling window at its last."""
    return period_end(start, grain) if grain.startswith("rolling") else start


def grain_name(grain: str) -> str:
    """A grain as a noun: week, 7 days."""
    return words.DAYS.format(days=GRAIN_DAYS[grain]) if grain.startswith("rolling") else grain


def period_name(start: date, grain: str) -> str:
    """A period as people say it."""
    if grain == "month":
        return formats.month(start)
    if grain.startswith("rolling"):
        return words.DAYS_TO.format(days=GRAIN_DAYS[grain], end=formats.day(period_end(start, grain)))
    return words.WEEK_OF.format(start=formats.day(start)) if grain == "week" else formats.day(start)


def _percent(value: float | None) -> float | None:
    return None if value is None else value * 100


show()
