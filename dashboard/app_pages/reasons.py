"""Why do people leave? Shares by reason with their uncertainty, against the month before."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import streamlit as st

from dashboard import charts, filters, formats, layout, snapshot, texts
from dashboard.charts import Share

SHARES = """
select period_start, reason, numerator, denominator, value, lower, upper from metrics.measurements
where metric = 'feedback_reasons' and channel = ? and program = '*' and campaign_id = '*' and reason <> '*'
    and grain in ('month', 'all')
"""
LAST_MONTH = """
select cast(date_trunc('month', timezone(report_timezone, as_of)) - interval 1 month as date) as month
from run.parameters
"""


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    # Without a month chosen, the latest complete one is compared with the one before it.
    month: date = chosen.period or (snapshot.one(LAST_MONTH) or {"month": date.min})["month"]
    layout.header("reasons", replace(chosen, period=month))
    rows = snapshot.rows(SHARES, [chosen.channel_or_all])
    now, before, ever = (of_period(rows, start) for start in (month, previous(month), None))
    if not total(now) and not total(ever):
        layout.empty(texts.NOTHING_IN_PERIOD, f"No opt-out was recorded here. {texts.WIDEN}")
    elif not total(now):
        layout.empty(
            f"No opt-out in {formats.month(month)}",
            f"{formats.plural(int(total(ever)), 'opt-out')} in the whole record. {texts.WIDEN}",
        )
    else:
        show_shares(now, before, ever, month)
    layout.footer("Reason: as the contact gave it, mapped to eleven; without one it is `unspecified`, never dropped")


def of_period(rows: list[dict[str, Any]], start: date | None) -> dict[str, dict[str, Any]]:
    """The shares of one period by reason; None is the whole record."""
    return {row["reason"]: row for row in rows if row["period_start"] == start}


def previous(month: date) -> date:
    """The month before."""
    return date(month.year - (month.month == 1), (month.month - 2) % 12 + 1, 1)


def total(shares: dict[str, dict[str, Any]]) -> float:
    """How many opt-outs the shares are of."""
    return max((row["denominator"] or 0 for row in shares.values()), default=0)


def change(now: dict[str, Any] | None, before: dict[str, Any] | None) -> tuple[float, float, float] | None:
    """Difference of two shares with its 95 % interval (Newcombe, from the two Wilson intervals), as fractions."""
    if not now or not before or now["value"] is None or before["value"] is None:
        return None
    difference = now["value"] - before["value"]
    down = math.hypot(now["value"] - now["lower"], before["upper"] - before["value"])
    up = math.hypot(now["upper"] - now["value"], before["value"] - before["lower"])
    return difference, difference - down, difference + up


def show_shares(
    now: dict[str, dict[str, Any]], before: dict[str, dict[str, Any]], ever: dict[str, dict[str, Any]], month: date
) -> None:
    """The answer in words, the shares as bars, the changes as a table."""
    order = sorted(now, key=lambda reason: (reason == "unspecified", -(now[reason]["value"] or 0)))
    changes = {reason: change(now[reason], before.get(reason)) for reason in order}
    given = [reason for reason in order if reason != "unspecified" and now[reason]["value"]]
    lead = f"Most often: {reason_name(given[0]).lower()}, {formats.share(now[given[0]]['value'])}" if given else (
        "Nobody gave a reason"
    )  # fmt: skip
    moved = {reason: move[0] for reason, move in changes.items() if move and (move[1] > 0 or move[2] < 0)}
    names = ", ".join(f"{reason_name(reason).lower()} {formats.points(moves)}" for reason, moves in moved.items())
    shift = f"Beyond chance, this changed against {formats.month(previous(month))}: {names}" if moved else (
        f"No share differs from {formats.month(previous(month))} by more than chance explains"
    )  # fmt: skip
    if not total(before):
        shift = f"{formats.month(previous(month))} has no opt-outs to compare with"
    st.markdown(f"**{lead} of {formats.plural(int(total(now)), 'opt-out')} in {formats.month(month)}.** {shift}.")
    names_of = (formats.month(month), formats.month(previous(month)))
    figure = charts.share_bars(
        [as_share(now[reason]) for reason in order],
        before=[as_share(before[reason]) for reason in order if reason in before],
        names=names_of,
    )
    lines = [
        {
            "Reason": reason_name(reason),
            "Opt-outs": now[reason]["numerator"],
            "Share": now[reason]["value"],
            "95 % interval": formats.interval(now[reason]["lower"], now[reason]["upper"]),
            "Change": move[0] if (move := changes[reason]) else None,
            "Change, 95 % interval": range_of(move) if move else formats.MISSING,
            "Whole record": ever.get(reason, {}).get("value"),
        }
        for reason in order
    ]
    alt = f"Shares of reasons in {names_of[0]}, {lead.lower()}; {names_of[1]} beside it."
    st.plotly_chart(figure, config=charts.CONFIG, alt=alt)
    st.caption("Bars with 95 % intervals; the diamond is the month before.")
    writers = {"Opt-outs": formats.count, "Share": formats.share, "Change": formats.points}
    layout.table(lines, alt, writers | {"Whole record": formats.share})


def range_of(move: tuple[float, float, float]) -> str:
    """The interval of a change, never broken over lines: −14.6 to +17.7 points."""
    return f"{formats.signed(move[1] * 100)} to {formats.points(move[2])}".replace(" ", formats.GAP)


def reason_name(reason: str) -> str:
    """A reason as words."""
    return texts.humanise(reason)


def as_share(row: dict[str, Any]) -> Share:
    """A measured share as a bar to draw."""
    note = (
        f"{formats.share(row['value'])} ({formats.interval(row['lower'], row['upper'])}), "
        f"{formats.count(row['numerator'])} of {formats.count(row['denominator'])}"
    )
    return Share(reason_name(row["reason"]), row["value"], row["lower"], row["upper"], note)


show()
