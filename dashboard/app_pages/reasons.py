"""Why do people leave? Shares by reason, what changed, where each goes, who differs, and what leavers say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import charts, filters, layout, snapshot, taking
from dashboard.reason_parts import (
    UNSPECIFIED,
    Rows,
    as_share,
    reason_name,
    show_campaigns,
    show_said,
    show_tenure,
)
from dashboard.words import charts as chart_words
from dashboard.words import formats, heads, texts
from dashboard.words import reason_parts as part_words
from dashboard.words import reasons as words

SHARES = """
select period_start, reason, numerator, denominator, value, lower, upper from metrics.measurements
where metric = 'feedback_reasons' and channel = ? and program = '*' and campaign_id = '*' and reason <> '*'
    and grain in ('month', 'all')
"""
LAST_MONTH = """
select cast(date_trunc('month', timezone(report_timezone, as_of)) - interval 1 month as date) as month
from run.parameters
"""
CHANGES = "select * from metrics.reason_changes where channel = ? and month_start = ?"
MONTH_TEST = "select * from metrics.reason_differences where dimension = 'month' and channel = ? and month_start = ?"
TRENDS = """
select t.*, m.value as share from metrics.reason_trends as t
left join metrics.measurements as m
    on m.metric = 'feedback_reasons' and m.grain = 'all' and m.channel = t.channel and m.reason = t.reason
        and m.program = '*' and m.campaign_id = '*'
where t.channel = ?
order by coalesce(abs(t.direction), 0) desc, m.value desc, t.reason
"""
WEEKS = """
select w.*, w.week_start + 6 < cast(timezone(p.report_timezone, p.as_of) as date) as is_complete
from metrics.reason_shares_by_week as w cross join run.parameters as p
where w.channel = ? and w.reason = ? order by w.week_start
"""
CHARTS_SHOWN = 4


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    # Without a month chosen, the latest complete one is compared with the one before it.
    month: date = chosen.period or (snapshot.one(LAST_MONTH) or {"month": date.min})["month"]
    layout.header("reasons", replace(chosen, period=month))
    channel = chosen.channel_or_all
    rows = snapshot.rows(SHARES, [channel])
    now, before, ever = (of_period(rows, start) for start in (month, previous(month), None))
    if not total(now) and not total(ever):
        layout.empty(texts.NOTHING_IN_PERIOD, words.NOTHING)
    elif not total(now):
        layout.empty(
            words.NOTHING_IN_MONTH.format(month=formats.month(month)),
            words.WHOLE_RECORD.format(opt_outs=formats.Counted(int(total(ever))), widen=texts.WIDEN),
        )
    else:
        show_shares(now, before, ever, month, channel)
    if not snapshot.has("metrics.reason_texts"):
        layout.older(words.OLDER)
    elif total(ever):
        show_trends(channel)
        show_campaigns(channel)
        show_tenure(channel, ever)
        show_said()
    layout.footer(words.COUNTED)


# ---- shares


def of_period(rows: Rows, start: date | None) -> dict[str, dict[str, Any]]:
    """The shares of one period by reason; None is the whole record."""
    return {row["reason"]: row for row in rows if row["period_start"] == start}


def previous(month: date) -> date:
    """The month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def total(shares: dict[str, dict[str, Any]]) -> float:
    """How many opt-outs the shares are of."""
    return max((row["denominator"] or 0 for row in shares.values()), default=0)


def shift_in_words(changes: dict[str, dict[str, Any]], test: dict[str, Any] | None, month: date) -> str:
    """Whether the reasons changed against the month before, as a sentence."""
    then = formats.month(previous(month))
    if not changes:
        return words.NOTHING_BEFORE.format(then=then)
    moved = {reason: row["difference"] for reason, row in changes.items() if row["has_changed"]}
    if moved:
        names = ", ".join(f"{reason_name(reason).lower()} {formats.points(moves)}" for reason, moves in moved.items())
        return words.CHANGED.format(then=then, names=names)
    if test and test["is_different"]:
        return words.MIX_CHANGED.format(then=then)
    return words.NOT_CHANGED.format(then=then)


def show_shares(
    now: dict[str, dict[str, Any]],
    before: dict[str, dict[str, Any]],
    ever: dict[str, dict[str, Any]],
    month: date,
    channel: str,
) -> None:
    """The answer in words, the shares as bars, the changes as a table."""
    order = sorted(now, key=lambda reason: (reason == UNSPECIFIED, -(now[reason]["value"] or 0)))
    tested = snapshot.has("metrics.reason_changes")
    found = snapshot.rows(CHANGES, [channel, month]) if tested else []
    changes = {row["reason"]: row for row in found}
    given = [reason for reason in order if reason != UNSPECIFIED and now[reason]["value"]]
    lead = words.NOBODY
    if given:
        lead = words.MOST_OFTEN.format(
            reason=reason_name(given[0]).lower(), value=formats.share(now[given[0]]["value"])
        )
    shift = shift_in_words(changes, snapshot.one(MONTH_TEST, [channel, month]), month) if tested else ""
    st.markdown(
        words.ANSWER.format(
            lead=lead, opt_outs=formats.Counted(int(total(now))), month=formats.month(month), shift=shift
        )
    )
    names_of = (formats.month(month), formats.month(previous(month)))
    figure = charts.share_bars(
        [as_share(now[reason]) for reason in order],
        before=[as_share(before[reason]) for reason in order if reason in before],
        names=names_of,
    )
    lines = []
    for reason in order:
        line = {
            heads.REASON: reason_name(reason),
            heads.OPT_OUTS: now[reason]["numerator"],
            heads.SHARE: now[reason]["value"],
            heads.INTERVAL: formats.interval(now[reason]["lower"], now[reason]["upper"]),
        }
        if tested:
            change = changes.get(reason)
            line |= {
                heads.CHANGE: change["difference"] if change else None,
                heads.CHANGE_INTERVAL: range_of(change),
                heads.BEYOND_CHANCE: (texts.YES if change["has_changed"] else texts.NO) if change else formats.MISSING,
            }
        lines.append(line | {texts.ALL_PERIODS: ever.get(reason, {}).get("value")})
    alt = words.SHARES_ALT.format(month=names_of[0], lead=lead.lower(), before=names_of[1])
    drawn = taking.of_shares(heads.REASON, [as_share(now[reason]) for reason in order])
    layout.chart(figure, alt, drawn, is_table_beside=True)
    st.caption(words.BARS)
    writers = {heads.OPT_OUTS: formats.count, heads.SHARE: formats.share, texts.ALL_PERIODS: formats.share}
    layout.table(lines, alt, writers | ({heads.CHANGE: formats.points} if tested else {}))
    if tested:
        st.caption(words.BEYOND_CHANCE)


def range_of(change: dict[str, Any] | None) -> str:
    """The interval of a change, never broken over lines: −14.6 to +17.7 points."""
    if not change:
        return formats.MISSING
    return words.RANGE.format(
        lower=formats.signed(change["lower"] * 100), upper=formats.points(change["upper"])
    ).replace(" ", formats.GAP)


# ---- trends


def show_trends(channel: str) -> None:
    """Which reason is given more often from week to week, and which less."""
    st.header(words.GROWING, anchor=False)
    rows = snapshot.rows(TRENDS, [channel])
    moving = [row for row in rows if row["direction"]]
    if moving:
        told = ", ".join(
            words.MOVES_BY.format(
                reason=reason_name(row["reason"]).lower(),
                way=words.WAYS[row["direction"]],
                slope=abs(row["slope"]),
            )
            for row in moving
        )
        st.markdown(words.MOVING.format(first=told[0].upper(), rest=told[1:], weeks=moving[0]["weeks_used"]))
    elif any(row["direction"] is not None for row in rows):
        st.markdown(words.NO_TREND.format(weeks=rows[0]["weeks_used"]))
    else:
        weeks = max((row["weeks_used"] for row in rows), default=0)
        st.markdown(words.TOO_FEW_WEEKS.format(weeks=weeks))
    shown = [row for row in rows if row["direction"] or row["reason"] != UNSPECIFIED][:CHARTS_SHOWN]
    weekly = {row["reason"]: snapshot.rows(WEEKS, [channel, row["reason"]]) for row in shown}
    highest = 1.6 * max((week["value"] or 0 for weeks in weekly.values() for week in weeks), default=0)
    with st.grid(2, min_column_width=320, gap="medium") as grid:
        for row in shown:
            with grid.cell(), st.container(gap="xsmall"):
                draw_weeks(row, weekly[row["reason"]], min(highest, 1.0))
    alt = words.TRENDS_ALT
    with st.expander(texts.TABLE_BEHIND):
        layout.table(
            [
                {
                    heads.REASON: reason_name(row["reason"]),
                    heads.TREND: words.DIRECTIONS[row["direction"]],
                    heads.POINTS_A_WEEK: row["slope"],
                    heads.INTERVAL: slope_range(row),
                    "q": row["q_value"],
                    heads.WEEKS: row["weeks_used"],
                }
                for row in rows
            ],
            alt,
            {heads.POINTS_A_WEEK: lambda value: formats.MISSING if value is None else formats.signed(value, 2),
             "q": part_words.chance, heads.WEEKS: formats.count},
        )  # fmt: skip
        st.caption(words.TREND_TEST)


def draw_weeks(row: dict[str, Any], weeks: Rows, highest: float) -> None:
    """The weekly share of one reason, on the scale of all that are drawn."""
    shares = [
        replace(as_share(week), at=week["week_start"], is_complete=week["is_complete"],
                note=words.WEEK_FROM.format(start=formats.day(week['week_start']), note=as_share(week).note))
        for week in weeks
    ]  # fmt: skip
    name, direction = reason_name(row["reason"]), words.DIRECTIONS[row["direction"]]
    st.markdown(f"**{name}** · {direction.lower()}")
    used = [week["week_start"] for week in weeks if week["is_used"]]
    span = (used[0], used[-1] + timedelta(days=6), "tested") if row["direction"] is not None and used else None
    figure = charts.share_over_time(shares, height=220, highest=highest, used=span)
    figure.update_layout(showlegend=False, margin_t=20)
    for trace in figure.data:
        if trace.name == chart_words.OPT_OUT_RATE:
            trace.name = words.SHARE_OF_OPT_OUTS
    alt = words.WEEKS_ALT.format(reason=name.lower(), direction=direction.lower())
    layout.chart(figure, alt, taking.of_shares(heads.WEEK_FROM, shares), is_table_beside=True)


def slope_range(row: dict[str, Any]) -> str:
    """The interval of a slope: −0.12 to +0.90."""
    if row["lower"] is None or row["upper"] is None:
        return formats.MISSING
    return words.RANGE.format(lower=formats.signed(row["lower"], 2), upper=formats.signed(row["upper"], 2)).replace(
        " ", formats.GAP
    )


show()
