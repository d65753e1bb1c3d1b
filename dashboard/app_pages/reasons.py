"""Why do people leave? Shares by reason, what changed, where each goes, who differs, and what leavers say."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import streamlit as st

from dashboard import charts, filters, formats, layout, snapshot, taking, texts
from dashboard.reason_parts import (
    UNSPECIFIED,
    Rows,
    as_share,
    chance,
    reason_name,
    show_campaigns,
    show_said,
    show_tenure,
)

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
DIRECTIONS = {1: "Increasing", -1: "Decreasing", 0: "No clear trend", None: "Not enough data"}
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
        layout.empty(texts.NOTHING_IN_PERIOD, f"No opt-out was recorded here. {texts.WIDEN}")
    elif not total(now):
        layout.empty(
            f"No opt-out in {formats.month(month)}",
            f"{formats.plural(int(total(ever)), 'opt-out')} in the whole record. {texts.WIDEN}",
        )
    else:
        show_shares(now, before, ever, month, channel)
    if not snapshot.has("metrics.reason_texts"):
        layout.older("trends, campaigns or texts of reasons")
    elif total(ever):
        show_trends(channel)
        show_campaigns(channel)
        show_tenure(channel, ever)
        show_said()
    layout.footer("Reason: as the contact gave it, mapped to eleven; without one it is `unspecified`, never dropped")


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
        return f"{then} has no opt-outs to compare with."
    moved = {reason: row["difference"] for reason, row in changes.items() if row["has_changed"]}
    if moved:
        names = ", ".join(f"{reason_name(reason).lower()} {formats.points(moves)}" for reason, moves in moved.items())
        return f"Against {then}, this changed by more than chance explains: {names}."
    if test and test["is_different"]:
        return f"The mix of reasons is another than in {then}, though no single share stands out."
    return f"No share differs from {then} by more than chance explains."


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
    lead = f"Most often: {reason_name(given[0]).lower()}, {formats.share(now[given[0]]['value'])}" if given else (
        "Nobody gave a reason"
    )  # fmt: skip
    shift = shift_in_words(changes, snapshot.one(MONTH_TEST, [channel, month]), month) if tested else ""
    st.markdown(f"**{lead} of {formats.plural(int(total(now)), 'opt-out')} in {formats.month(month)}.** {shift}")
    names_of = (formats.month(month), formats.month(previous(month)))
    figure = charts.share_bars(
        [as_share(now[reason]) for reason in order],
        before=[as_share(before[reason]) for reason in order if reason in before],
        names=names_of,
    )
    lines = []
    for reason in order:
        line = {
            "Reason": reason_name(reason),
            "Opt-outs": now[reason]["numerator"],
            "Share": now[reason]["value"],
            "95 % interval": formats.interval(now[reason]["lower"], now[reason]["upper"]),
        }
        if tested:
            change = changes.get(reason)
            line |= {
                "Change": change["difference"] if change else None,
                "Change, 95 % interval": range_of(change),
                "Beyond chance": ("yes" if change["has_changed"] else "no") if change else formats.MISSING,
            }
        lines.append(line | {"Whole record": ever.get(reason, {}).get("value")})
    alt = f"Shares of reasons in {names_of[0]}, {lead.lower()}; {names_of[1]} beside it."
    drawn = taking.of_shares("Reason", [as_share(now[reason]) for reason in order])
    layout.chart(figure, alt, drawn, is_table_beside=True)
    st.caption("Bars with 95 % intervals; the diamond is the month before.")
    writers = {"Opt-outs": formats.count, "Share": formats.share, "Whole record": formats.share}
    layout.table(lines, alt, writers | ({"Change": formats.points} if tested else {}))
    if tested:
        st.caption(
            "Beyond chance: Fisher's exact test of each share against the month before, the false-discovery rate over "
            "the eleven reasons held at 5 %."
        )


def range_of(change: dict[str, Any] | None) -> str:
    """The interval of a change, never broken over lines: −14.6 to +17.7 points."""
    if not change:
        return formats.MISSING
    return f"{formats.signed(change['lower'] * 100)} to {formats.points(change['upper'])}".replace(" ", formats.GAP)


# ---- trends


def show_trends(channel: str) -> None:
    """Which reason is given more often from week to week, and which less."""
    st.header("Which reasons grow?", anchor=False)
    rows = snapshot.rows(TRENDS, [channel])
    moving = [row for row in rows if row["direction"]]
    if moving:
        told = ", ".join(
            f"{reason_name(row['reason']).lower()} {'up' if row['direction'] > 0 else 'down'} by "
            f"{abs(row['slope']):.1f} points a week"
            for row in moving
        )
        st.markdown(f"**{told[0].upper()}{told[1:]}**, over the last {moving[0]['weeks_used']} complete weeks.")
    elif any(row["direction"] is not None for row in rows):
        st.markdown(f"**No reason has a clear trend** over the last {rows[0]['weeks_used']} complete weeks.")
    else:
        weeks = max((row["weeks_used"] for row in rows), default=0)
        st.markdown(f"**Not enough data.** A trend needs at least 6 complete weeks; there are {weeks}.")
    shown = [row for row in rows if row["direction"] or row["reason"] != UNSPECIFIED][:CHARTS_SHOWN]
    weekly = {row["reason"]: snapshot.rows(WEEKS, [channel, row["reason"]]) for row in shown}
    highest = 1.6 * max((week["value"] or 0 for weeks in weekly.values() for week in weeks), default=0)
    with st.grid(2, min_column_width=320, gap="medium") as grid:
        for row in shown:
            with grid.cell(), st.container(gap="xsmall"):
                draw_weeks(row, weekly[row["reason"]], min(highest, 1.0))
    alt = "Trends of the reasons: direction, slope in percentage points a week, and its interval"
    with st.expander(texts.TABLE_BEHIND):
        layout.table(
            [
                {
                    "Reason": reason_name(row["reason"]),
                    "Trend": DIRECTIONS[row["direction"]],
                    "Points a week": row["slope"],
                    "95 % interval": slope_range(row),
                    "q": row["q_value"],
                    "Weeks": row["weeks_used"],
                }
                for row in rows
            ],
            alt,
            {"Points a week": lambda value: formats.MISSING if value is None else formats.signed(value, 2),
             "q": chance, "Weeks": formats.count},
        )  # fmt: skip
        st.caption(
            "Mann-Kendall test of the weekly shares with Theil-Sen slope, neighbouring weeks that are alike allowed "
            "for; q holds the false-discovery rate over the eleven reasons, and below 0.05 is called a trend."
        )


def draw_weeks(row: dict[str, Any], weeks: Rows, highest: float) -> None:
    """The weekly share of one reason, on the scale of all that are drawn."""
    shares = [
        replace(as_share(week), at=week["week_start"], is_complete=week["is_complete"],
                note=f"Week from {formats.day(week['week_start'])}: {as_share(week).note}")
        for week in weeks
    ]  # fmt: skip
    name, direction = reason_name(row["reason"]), DIRECTIONS[row["direction"]]
    st.markdown(f"**{name}** · {direction.lower()}")
    used = [week["week_start"] for week in weeks if week["is_used"]]
    span = (used[0], used[-1] + timedelta(days=6), "tested") if row["direction"] is not None and used else None
    figure = charts.share_over_time(shares, height=220, highest=highest, used=span)
    figure.update_layout(showlegend=False, margin_t=20)
    for trace in figure.data:
        if trace.name == "Opt-out rate":
            trace.name = "Share of opt-outs"
    alt = f"Weekly share of opt-outs with the reason {name.lower()}: {direction.lower()}."
    layout.chart(figure, alt, taking.of_shares("Week from", shares), is_table_beside=True)


def slope_range(row: dict[str, Any]) -> str:
    """The interval of a slope: −0.12 to +0.90."""
    if row["lower"] is None or row["upper"] is None:
        return formats.MISSING
    return f"{formats.signed(row['lower'], 2)} to {formats.signed(row['upper'], 2)}".replace(" ", formats.GAP)


show()
