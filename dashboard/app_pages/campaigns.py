"""Which campaign drives people away? The campaigns that stand out, the funnel they stand out of, and the league."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pandas
import streamlit as st

from dashboard import charts, charts_campaigns, definitions, filters, layout, snapshot
from dashboard.charts import Share
from dashboard.charts_campaigns import Campaign
from dashboard.definitions import Definition
from dashboard.words import campaigns as words
from dashboard.words import formats, heads, texts

METRICS = ("opt_out_rate_per_message", "opt_out_rate")
SPANS = (heads.ONE_MONTH, texts.ALL_PERIODS)
FUNNELS_SHOWN = 4
BARS_SHOWN = 12
NAMED_IN_ANSWER = 3
LEAGUE = """
select * from metrics.campaigns
where period_start is not distinct from ? and (? is null or channel = ?) and delivered_count > 0
order by is_alert desc, shrunken_rate desc, channel, campaign_id
"""
WITHOUT_MESSAGES = """
select cast(coalesce(sum(opt_out_count), 0) as bigint) as opt_out_count from metrics.campaigns
where period_start is not distinct from ? and (? is null or channel = ?) and delivered_count = 0
"""
LIMITS = """
select * from metrics.campaign_funnels where period_start is not distinct from ? and channel = ? order by message_count
"""
PLAIN = """
select channel, campaign_id, numerator, denominator, value, lower, upper from metrics.measurements
where metric = ? and definition = ? and campaign_id <> '*' and program = '*'
    and period_start is not distinct from ? and grain = ? and (? is null or channel = ?) and channel <> '*'
    and denominator > 0
order by coalesce(lower, value) desc, channel, campaign_id
"""
NAMES = "select channel, campaign_id, min(name) as name from metrics.campaigns group by channel, campaign_id"
UNATTRIBUTED = """
select numerator, denominator, value from metrics.measurements
where metric = 'unattributed_share' and definition = ? and channel = ? and program = '*' and campaign_id = '*'
    and period_start is not distinct from ? and grain = ?
"""
LAST_MONTH = """
select cast(date_trunc('month', timezone(report_timezone, as_of)) - interval 1 month as date) as month
from run.parameters
"""
COUNT = st.column_config.NumberColumn(format="localized")
PERCENT = st.column_config.NumberColumn(format="%.2f %%")
COLUMNS = {
    heads.MESSAGES: COUNT, heads.OPT_OUTS: COUNT, heads.COUNTED: COUNT, heads.OF: COUNT, heads.RATE: PERCENT,
    heads.FROM: PERCENT,
    heads.TO: PERCENT, heads.DRAWN_IN: st.column_config.NumberColumn(
        format="%.2f %%", help=words.DRAWN_IN_HELP
    ),
    heads.DRAWN_IN_FROM: PERCENT, heads.DRAWN_IN_TO: PERCENT, heads.REST_OF_CHANNEL: PERCENT,
    heads.TIMES_THE_REST: st.column_config.NumberColumn(format="%.2f"), heads.TIMES_FROM: st.column_config.NumberColumn(
        format="%.2f"), heads.TIMES_TO: st.column_config.NumberColumn(format="%.2f"),
    heads.MORE_THAN_USUAL: st.column_config.NumberColumn(
        format="%+.1f", help=words.MORE_HELP
    ),
    "p": st.column_config.NumberColumn(format="%.4f"),
    "q": st.column_config.NumberColumn(format="%.4f", help=words.Q_HELP),
}  # fmt: skip


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    month: date = chosen.period or (snapshot.one(LAST_MONTH) or {"month": None})["month"] or date.min
    # The controls stand below the answer, and the answer is about what they choose.
    top, answer = st.container(), st.container()
    if not snapshot.has("metrics.campaigns"):
        with top:
            layout.header("campaigns", replace(chosen, period=month))
        layout.older(words.OLDER)
        layout.footer()
        return
    with st.container(horizontal=True, gap="medium", vertical_alignment="bottom"):
        definition = definitions.choose(METRICS)
        span = SPANS[0]
        if chosen.period is None:
            span = st.segmented_control(
                words.PERIOD, list(SPANS), default=SPANS[0], required=True, key="campaign_span", bind="query-params"
            ) or SPANS[0]  # fmt: skip
    period = None if span == SPANS[1] else month
    with top:
        layout.header("campaigns", replace(chosen, period=period))
    if definition.is_own and definition.metric == METRICS[0]:
        rows = snapshot.rows(LEAGUE, [period, chosen.channel, chosen.channel])
        own = only(rows, chosen.campaign)
        with answer:
            show_answer(own, period)
        if own:
            # One campaign is seen among all of its channel.
            channels = {row["channel"] for row in own}
            show_funnels([row for row in rows if row["channel"] in channels], period)
            show_league(own)
    else:
        rows = only(snapshot.rows(PLAIN, plain_parameters(definition, period, chosen.channel)), chosen.campaign)
        with answer:
            show_plain_answer(rows, definition, period)
        if rows:
            show_plain(rows, definition)
    show_beside(definition, period, chosen)
    show_way_out()
    layout.footer(definitions.footer(definition))


def only(rows: list[dict[str, Any]], campaign: str | None) -> list[dict[str, Any]]:
    """The rows of the campaign chosen; all of them where none is."""
    return [row for row in rows if campaign in (None, row["campaign_id"])]


def plain_parameters(definition: Definition, period: date | None, channel: str | None) -> list[Any]:
    """What the query of another definition's league is asked with."""
    grain = "month" if period else "all"
    return [definition.metric, definition.definition, period, grain, channel, channel]


def show_answer(rows: list[dict[str, Any]], period: date | None) -> None:
    """Who stands out, by how much, and how sure that is; or that nobody does."""
    when = words.when_of(period)
    if not rows:
        layout.empty(texts.NOTHING_IN_PERIOD, words.NOTHING_DELIVERED.format(when=when, widen=texts.WIDEN))
        return
    named = sorted((row for row in rows if row["is_alert"]), key=lambda row: -row["excess_opt_outs"])
    listed = formats.Counted(len(rows))
    if not named:
        first = rows[0]
        judged = [row for row in rows if row["q_value"] is not None]
        if not judged:
            st.markdown(words.NOTHING_TO_COMPARE.format(when=when, listed=listed))
            return
        st.markdown(
            words.NONE_STANDS_OUT.format(
                when=when,
                listed=listed,
                first=words.name_of(first),
                channel=texts.channel(first["channel"]),
                rate=formats.share(first["shrunken_rate"]),
                interval=formats.interval(first["shrunken_lower"], first["shrunken_upper"]),
            )
        )
        return
    head = words.ONE_DROVE if len(named) == 1 else words.MANY_DROVE.format(named=formats.count(len(named)))
    st.markdown(words.DROVE.format(head=head, when=when))
    st.markdown("\n".join(f"- {words.sentence(row)}" for row in named[:NAMED_IN_ANSWER]))
    if len(named) > NAMED_IN_ANSWER:
        st.caption(words.AND_MORE.format(more=formats.count(len(named) - NAMED_IN_ANSWER)))


def show_funnels(rows: list[dict[str, Any]], period: date | None) -> None:
    """Each channel's funnel, those with a campaign that stands out first."""
    st.header(words.FUNNELS, anchor=False)
    channels: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        channels.setdefault(row["channel"], []).append(row)
    order = sorted(
        channels,
        key=lambda name: (
            -sum(row["is_alert"] for row in channels[name]),
            -sum(row["opt_out_count"] for row in channels[name]),
        ),
    )
    for name in order[:FUNNELS_SHOWN] if len(order) > 1 else []:
        st.markdown(f"**{texts.channel(name)}**")
        draw_funnel(channels[name], name, period)
    if len(order) == 1:
        draw_funnel(channels[order[0]], order[0], period)
    if len(order) > FUNNELS_SHOWN:
        st.caption(words.FUNNELS_DRAWN.format(drawn=FUNNELS_SHOWN, all=len(order)))
    st.caption(words.FUNNELS_READ)


def draw_funnel(rows: list[dict[str, Any]], channel: str, period: date | None) -> None:
    """The funnel of one channel."""
    campaigns = [
        Campaign(row["delivered_count"], row["rate"], row["name"] or row["campaign_id"], note_of(row), row["is_alert"])
        for row in rows
    ]
    outside = [words.name_of(row) for row in rows if row["is_alert"]]
    alt = words.FUNNEL_ALT.format(
        channel=texts.channel(channel), campaigns=formats.Counted(len(rows)), outside=", ".join(outside) or texts.NONE
    )
    figure = charts_campaigns.funnel(snapshot.rows(LIMITS, [period, channel]), campaigns)
    layout.chart(
        figure,
        alt,
        league(rows),
        COLUMNS,
        is_table_beside=True,
        title=words.FUNNEL.format(channel=texts.channel(channel)),
    )


def show_league(rows: list[dict[str, Any]]) -> None:
    """The table of all campaigns, those that stand out first."""
    st.header(words.LEAGUE, anchor=False)
    layout.frame(league(rows), words.LEAGUE_ALT.format(campaigns=formats.Counted(len(rows))), COLUMNS)
    st.caption(words.LEAGUE_READ)


def league(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """Campaigns as a table; nothing about programs or languages where none is on record."""
    lines = [
        {
            heads.STANDS_OUT: texts.YES if row["is_alert"] else "",
            heads.CAMPAIGN: row["name"] or row["campaign_id"],
            heads.ID: row["campaign_id"],
            heads.CHANNEL: texts.channel(row["channel"]),
            heads.PROGRAM: row["program"],
            heads.LANGUAGE: row["language"],
            heads.OPT_OUTS: row["opt_out_count"],
            heads.MESSAGES: row["delivered_count"],
            heads.RATE: percent(row["rate"]), heads.FROM: percent(row["lower"]), heads.TO: percent(row["upper"]),
            heads.DRAWN_IN: percent(row["shrunken_rate"]), heads.DRAWN_IN_FROM: percent(row["shrunken_lower"]),
            heads.DRAWN_IN_TO: percent(row["shrunken_upper"]), heads.REST_OF_CHANNEL: percent(row["rest_rate"]),
            heads.TIMES_THE_REST: row["ratio"], heads.TIMES_FROM: row["ratio_lower"],
            heads.TIMES_TO: row["ratio_upper"],
            heads.MORE_THAN_USUAL: row["excess_opt_outs"], "p": row["p_value"], "q": row["q_value"],
        }
        for row in rows
    ]  # fmt: skip
    frame = pandas.DataFrame(lines)
    return frame.drop(columns=[name for name in (heads.PROGRAM, heads.LANGUAGE) if frame[name].isna().all()])


def show_plain_answer(rows: list[dict[str, Any]], definition: Definition, period: date | None) -> None:
    """The highest campaign by another definition, in words."""
    if not rows:
        layout.empty(texts.NOTHING_IN_PERIOD, words.COUNTS_NONE.format(when=words.when_of(period), widen=texts.WIDEN))
        return
    first = rows[0]
    bounds = f" ({formats.interval(first['lower'], first['upper'])})" if first["lower"] is not None else ""
    st.markdown(
        words.HIGHEST.format(
            when=words.when_of(period),
            name=texts.plain(definition.name),
            campaign=texts.plain(first["campaign_id"]),
            channel=texts.channel(first["channel"]),
            value=formats.share(first["value"]),
            bounds=bounds,
            part=formats.part(first["numerator"], first["denominator"]),
        )
    )


def show_plain(rows: list[dict[str, Any]], definition: Definition) -> None:
    """The league by another definition: bars and table, no judgement."""
    names = {(row["channel"], row["campaign_id"]): row["name"] for row in snapshot.rows(NAMES)}
    shares = []
    for row in rows[:BARS_SHOWN]:
        name = names.get((row["channel"], row["campaign_id"])) or row["campaign_id"]
        note = f"{name}: {formats.measured(row)}"
        label = f"{name}\n{texts.channel(row['channel'])}"
        shares.append(Share(label, row["value"], row["lower"] or row["value"], row["upper"] or row["value"], note))
    lines = [
        {
            heads.CAMPAIGN: names.get((row["channel"], row["campaign_id"])) or row["campaign_id"],
            heads.ID: row["campaign_id"],
            heads.CHANNEL: texts.channel(row["channel"]),
            heads.COUNTED: row["numerator"],
            heads.OF: row["denominator"],
            heads.RATE: percent(row["value"]),
            heads.FROM: percent(row["lower"]),
            heads.TO: percent(row["upper"]),
        }
        for row in rows
    ]
    alt = words.PLAIN_ALT.format(shown=len(shares), campaigns=formats.Counted(len(rows)), name=definition.name)
    layout.chart(charts.share_bars(shares), alt, pandas.DataFrame(lines), COLUMNS)
    st.caption(words.PLAIN_ORDER)


def show_beside(definition: Definition, period: date | None, chosen: filters.Filters) -> None:
    """The opt-outs that no campaign of the league carries."""
    parts = []
    if definition.metric == METRICS[0]:
        parameters = [definition.definition, chosen.channel_or_all, period, "month" if period else "all"]
        row = snapshot.one(UNATTRIBUTED, parameters)
        if row and row["value"] is not None:
            parts.append(
                words.UNATTRIBUTED.format(
                    value=formats.share(row["value"]), part=formats.part(row["numerator"], row["denominator"])
                )
            )
    if definition.is_own and definition.metric == METRICS[0]:
        beside = snapshot.one(WITHOUT_MESSAGES, [period, chosen.channel, chosen.channel]) or {}
        if count := beside.get("opt_out_count"):
            parts.append(words.WITHOUT_MESSAGE.format(opt_outs=formats.Counted(count)))
    if parts:
        st.caption(words.BESIDE.format(parts="; ".join(parts)))


def show_way_out() -> None:
    """Where to go on."""
    with st.container(horizontal=True, gap="medium"):
        for name, label in (
            ("reasons", words.TO_REASONS),
            ("timing", words.TO_TIMING),
            ("trends", words.TO_TRENDS),
        ):
            st.page_link(texts.PAGES[name].file, label=label, icon=texts.PAGES[name].icon)


def note_of(row: dict[str, Any]) -> str:
    """What a reader sees on a campaign in the funnel."""
    name = row["name"] or row["campaign_id"]
    return f"{name}: {formats.measured(row, 'rate', 'opt_out_count', 'delivered_count')}"


def percent(value: float | None) -> float | None:
    """A fraction in percent, for tables."""
    return None if value is None else value * 100


show()
