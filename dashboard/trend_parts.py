"""The parts of the page on trends below its chart: changes of level, days and hours, the same month a year before.

They speak of the headline opt-out rate, whatever definition the chart shows.
"""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import charts_trends, filters, formats, layout, snapshot, texts
from dashboard.charts import Share
from dashboard.charts_trends import Level

WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEEKDAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

TRENDS = "select * from metrics.trends where channel = ?"
CHANGES = "select * from metrics.change_points where channel = ? order by starts_on"
TESTS = "select * from metrics.season_tests where channel = ? and cycle = ?"
POSITIONS = "select * from metrics.seasons where channel = ? and cycle = ? order by position"
YEARS = "select * from metrics.year_over_year where channel = ? order by month"
#: Complete weeks that a search for changes needs.
FEWEST_WEEKS = 8


def trend(channel: str) -> dict[str, Any] | None:
    """The published trend of a channel (`*` = all); None where there is none, or an earlier version published it."""
    return snapshot.one(TRENDS, [channel]) if snapshot.has("metrics.trends") else None


def changes(channel: str) -> list[dict[str, Any]]:
    """The published changes of level of a channel, in order of time."""
    return snapshot.rows(CHANGES, [channel]) if snapshot.has("metrics.change_points") else []


def levels(found: list[dict[str, Any]]) -> list[Level]:
    """The levels between changes, to draw: the first without a text, each later one with its week."""
    if not found:
        return []
    first = found[0]
    drawn = [Level(first["before_from_on"], first["starts_on"], first["value_before"])]
    for place, change in enumerate(found):
        until = found[place + 1]["starts_on"] if place + 1 < len(found) else change["after_until_on"]
        text = f"Since {formats.day(change['starts_on'])}: {formats.share(change['value_after'])}"
        drawn.append(Level(change["starts_on"], until, change["value_after"], text))
    return drawn


def show_changes(channel: str) -> None:
    """When did the level change? Each change with its week, both rates and how sure it is."""
    st.header("When did the level change?", anchor=False)
    told, found = trend(channel), changes(channel)
    if not snapshot.has("metrics.trends"):
        layout.older("changes of level")
        return
    if told is None:
        st.markdown("Nobody was reached here, so there is no level to change.")
        return
    weeks = int(told["weeks_searched"])
    if weeks < FEWEST_WEEKS:
        st.markdown(
            f"**Not enough data.** A change of level needs at least {FEWEST_WEEKS} complete weeks; there are {weeks}."
        )
        return
    if not found:
        st.markdown(f"**No change of level** stands out from chance in {formats.plural(weeks, 'complete week')}.")
    else:
        st.markdown("\n".join(f"- {change_sentence(change)}" for change in found))
    likely = any(change["shape"] == "drift" for change in found)
    st.caption(
        f"Of the weekly opt-out rate over {formats.plural(weeks, 'complete week')}. A rate that never changed shows a "
        "change here in at most 5 % of cases."
        + (" A slow drift has no one week: heed cuts it where the two halves differ most." if likely else "")
    )
    if found:
        with st.expander(texts.TABLE_BEHIND):
            layout.frame(change_table(found), "Changes of level of the weekly opt-out rate", CHANGE_COLUMNS)


def change_sentence(change: dict[str, Any]) -> str:
    """One change in words: when, from what to what, how sure."""
    way = "rose" if change["value_after"] > change["value_before"] else "fell"
    before, after = level_of(change, "before"), level_of(change, "after")
    times = f", {change['ratio']:.2g} times as much" if change["ratio"] is not None else ""
    start, early, late = (change[name] for name in ("starts_on", "earliest_on", "latest_on"))
    sentence = f"**In the week of {formats.day(start)} the rate {way}** from {before} to {after}{times}"
    if early < late:
        sentence += f"; the change came between the weeks of {formats.day(early)} and {formats.day(late)}"
    if change["shape"] == "drift":
        sentence += "; a slow drift explains it as well as a step"
    return f"{sentence}. {chance(change['p_value'])}."


def level_of(change: dict[str, Any], side: str) -> str:
    """The rate on one side of a change with its interval."""
    low, high = 100 * change[f"lower_{side}"], 100 * change[f"upper_{side}"]
    return f"{precise(change[f'value_{side}'])} (95 % interval {low:.2f}–{formats.JOINER}{high:.2f}{formats.GAP}%)"


def precise(share: float) -> str:
    """A share with two decimals, to tell two that are near: 1.04 %."""
    return f"{100 * share:.2f}{formats.GAP}%"


def chance(p_value: float) -> str:
    """A p value in words: Chance gives as much in 1.2 % of cases."""
    return f"Chance gives as much in {of_cases(p_value)} of cases"


def of_cases(p_value: float) -> str:
    """A p value as a percentage: under 0.1 %, 1.2 %, 31 %."""
    if p_value < 0.001:
        return f"under 0.1{formats.GAP}%"
    return f"{100 * p_value:.{0 if p_value >= 0.0995 else 1}f}{formats.GAP}%"


CHANGE_COLUMNS = {name: st.column_config.NumberColumn(format="%.2f %%") for name in ("Rate before", "Rate after")} | {
    "Times": st.column_config.NumberColumn(format="%.2f"),
    "p": st.column_config.NumberColumn(format="%.4f"),
}


def change_table(found: list[dict[str, Any]]) -> pandas.DataFrame:
    """The changes as a table."""
    return pandas.DataFrame(
        [
            {
                "From": change["starts_on"],
                "Earliest": change["earliest_on"],
                "Latest": change["latest_on"],
                "Rate before": 100 * change["value_before"],
                "Opted out of reached, before": _of(change["numerator_before"], change["denominator_before"]),
                "Rate after": 100 * change["value_after"],
                "Opted out of reached, after": _of(change["numerator_after"], change["denominator_after"]),
                "Times": change["ratio"],
                "p": change["p_value"],
                "Shape": change["shape"],
            }
            for change in found
        ]
    )


def show_seasons(channel: str) -> None:
    """On which days and at which hours do people leave?"""
    st.header("On which days, at which hours?", anchor=False)
    if not snapshot.has("metrics.seasons"):
        layout.older("days and hours of opt-outs")
        return
    with st.grid(2, min_column_width=320, gap="medium") as grid:
        with grid.cell(), st.container(gap="xsmall"):
            show_cycle(channel, "weekday")
        with grid.cell(), st.container(gap="xsmall"):
            show_cycle(channel, "hour")


def show_cycle(channel: str, cycle: str) -> None:
    """One cycle: its answer in words, its columns, its table."""
    test, rows = snapshot.one(TESTS, [channel, cycle]), snapshot.rows(POSITIONS, [channel, cycle])
    name = "day of the week" if cycle == "weekday" else "hour of the day"
    if test is None or not rows:
        st.markdown(f"**By {name}:** no opt-out to tell.")
        return
    st.markdown(f"**By {name}:** {season_sentence(cycle, test, rows)}")
    shares = [as_share(cycle, row) for row in rows]
    expected = [Share(share.at, row["expected"], None, None) for share, row in zip(shares, rows, strict=True)]
    names = ("Opt-out rate of the day", "Without a season") if cycle == "weekday" else (
        "Share of opt-outs", "Without a season"
    )  # fmt: skip
    marked = [str(share.at) for share, row in zip(shares, rows, strict=True) if row["direction"]]
    highest = max(rows, key=lambda row: row["value"] or 0)
    alt = f"By {name}, highest {position_name(cycle, highest['position'])}: {formats.share(highest['value'])}."
    figure = charts_trends.share_columns(shares, beside=expected, names=names, marked=marked)
    layout.chart(figure, alt, season_table(cycle, rows), SEASON_COLUMNS)
    st.caption(
        "Of the contacts reached on such a day, the share that opted out on it. Without a season, every day of a week "
        "has the rate of its week and channel."
        if cycle == "weekday"
        else "When opt-outs were asked for. Without a season, their hours follow from when the last message before "
        "each was sent and how long people take."
    )


def season_sentence(cycle: str, test: dict[str, Any], rows: list[dict[str, Any]]) -> str:
    """What a test of a cycle says."""
    witnesses = formats.plural(int(test["witness_count"]), "week" if cycle == "weekday" else "day of sending",
                               "weeks" if cycle == "weekday" else "days of sending")  # fmt: skip
    basis = f"{formats.plural(int(test['opt_out_count']), 'opt-out')}, {witnesses}"
    if test["label"] == "Cannot be told":
        if cycle == "hour":
            return f"cannot be told. All messages go out at one time, so hours and delays are one ({basis})."
        return f"cannot be told. Messages reach people on one day of each week only ({basis})."
    if test["p_value"] is None:
        return f"not enough data ({basis})."
    sure = f"{chance(test['p_value_adjusted'])} ({basis})"
    if test["label"] != "Season":
        return f"no clear season. {sure}."
    parts = []
    for direction, word in ((1, "more"), (-1, "fewer")):
        there = [position_name(cycle, row["position"]) for row in rows if row["direction"] == direction]
        if there:
            parts.append(f"{word} than expected {'on' if cycle == 'weekday' else 'at'} {_listed(there)}")
    where = (
        "; ".join(parts)
        if parts
        else f"they differ, though no single {'day' if cycle == 'weekday' else 'hour'} is sure"
    )
    return f"there is a season: {where}. {sure}."


def position_name(cycle: str, position: int) -> str:
    """A weekday or an hour as people say it: Monday, 9:00."""
    return WEEKDAY_NAMES[position - 1] if cycle == "weekday" else f"{position}:00"


def as_share(cycle: str, row: dict[str, Any]) -> Share:
    """One position as a column to draw."""
    label = WEEKDAYS[row["position"] - 1] if cycle == "weekday" else f"{row['position']}:00"
    note = (
        f"{position_name(cycle, row['position'])}: {formats.share(row['value'])} "
        f"({formats.interval(row['lower'], row['upper'])}), "
        f"{formats.count(row['numerator'])} of {formats.count(row['denominator'])}; "
        f"without a season {formats.share(row['expected'])}"
    )
    return Share(label, row["value"], row["lower"], row["upper"], note)


SEASON_COLUMNS = {
    name: st.column_config.NumberColumn(format="%.2f %%") for name in ("Rate", "From", "To", "Without a season")
} | {"p": st.column_config.NumberColumn(format="%.4f")}


def season_table(cycle: str, rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """The positions of a cycle as a table."""
    return pandas.DataFrame(
        [
            {
                "Day" if cycle == "weekday" else "Hour": position_name(cycle, row["position"]),
                "Opt-outs": row["numerator"],
                "Of": row["denominator"],
                "Rate": _percent(row["value"]),
                "From": _percent(row["lower"]),
                "To": _percent(row["upper"]),
                "Without a season": _percent(row["expected"]),
                "p": row["p_value"],
            }
            for row in rows
        ]
    )


def show_years(channel: str) -> None:
    """Is it more than a year ago?"""
    st.header("More than a year ago?", anchor=False)
    if not snapshot.has("metrics.year_over_year"):
        layout.older("comparison with the year before")
        return
    rows = snapshot.rows(YEARS, [channel])
    if not rows:
        st.markdown("**Not enough data.** No month and the same month a year before are both on record in full.")
        return
    st.markdown(year_sentence(rows))
    now = [Share(_month(row), row["value"], row["lower"], row["upper"], year_note(row)) for row in rows]
    then = [Share(_month(row), row["value_before"], None, None) for row in rows]
    marked = [_month(row) for row in rows if row["label"] != "No clear difference"]
    names = ("Opt-out rate of the month", "A year before")
    alt = f"Opt-out rate by month beside a year before, {_month(rows[0])} to {_month(rows[-1])}."
    figure = charts_trends.share_columns(now, beside=then, names=names, marked=marked)
    layout.chart(figure, alt, year_table(rows), YEAR_COLUMNS)
    st.caption(
        "The test allows for the luck of the draw among contacts, and for all months being looked at together; that "
        "other campaigns ran is no chance. Complete months only."
    )


def year_sentence(rows: list[dict[str, Any]]) -> str:
    """What the last month says against a year before, and how many months differ."""
    last = rows[-1]
    told = {"Higher": "higher than", "Lower": "lower than", "No clear difference": "not clearly different from"}
    counted = {label: sum(row["label"] == label for row in rows) for label in ("Higher", "Lower")}
    return (
        f"**{formats.month(last['month'])} is {told[last['label']]} a year before:** {precise(last['value'])} "
        f"against {precise(last['value_before'])}, {_range(last)}. Of "
        f"{formats.plural(len(rows), 'month')} compared, {counted['Higher']} are clearly higher and "
        f"{counted['Lower']} clearly lower."
    )


def year_note(row: dict[str, Any]) -> str:
    """A month against a year before, for the reader who points at it."""
    return (
        f"{formats.month(row['month'])}: {formats.share(row['value'])} "
        f"({formats.interval(row['lower'], row['upper'])}), a year before {formats.share(row['value_before'])}; "
        f"{_range(row)}. {row['label']}"
    )


YEAR_COLUMNS = {
    **{name: st.column_config.NumberColumn(format="%.2f %%") for name in ("Rate", "A year before")},
    **{name: st.column_config.NumberColumn(format="%+.2f") for name in ("Difference, points", "From", "To")},
    **{name: st.column_config.NumberColumn(format="%.4f") for name in ("p", "p, all months")},
}


def year_table(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """The months as a table, newest first."""
    return pandas.DataFrame(
        [
            {
                "Month": formats.month(row["month"]),
                "Rate": _percent(row["value"]),
                "Opted out of reached": _of(row["numerator"], row["denominator"]),
                "A year before": _percent(row["value_before"]),
                "Opted out of reached, then": _of(row["numerator_before"], row["denominator_before"]),
                "Difference, points": _percent(row["difference"]),
                "From": _percent(row["difference_lower"]),
                "To": _percent(row["difference_upper"]),
                "p": row["p_value"],
                "p, all months": row["p_value_adjusted"],
                "Says": row["label"],
            }
            for row in reversed(rows)
        ]
    )


def show_all(chosen: filters.Filters) -> None:
    """Every part for the chosen channel."""
    channel = chosen.channel_or_all
    show_changes(channel)
    show_seasons(channel)
    show_years(channel)


def _range(row: dict[str, Any]) -> str:
    low, high = 100 * row["difference_lower"], 100 * row["difference_upper"]
    return (
        f"{formats.signed(100 * row['difference'], 2)}{formats.GAP}points "
        f"(95 % interval {formats.signed(low, 2)} to {formats.signed(high, 2)})"
    )


def _month(row: dict[str, Any]) -> str:
    return f"{row['month']:%b %y}"


def _of(numerator: float, denominator: float) -> str:
    return f"{formats.count(numerator)} of {formats.count(denominator)}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
