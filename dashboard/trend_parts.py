"""The parts of the page on trends below its chart: changes of level, days and hours, the same month a year before.

They speak of the headline opt-out rate, whatever definition the chart shows.
"""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import charts_trends, filters, layout, snapshot
from dashboard.charts import Share
from dashboard.charts_trends import Level
from dashboard.words import formats, heads, texts
from dashboard.words import trend_parts as words

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
        text = words.SINCE.format(
            starts_on=formats.day(change["starts_on"]), value_after=formats.share(change["value_after"])
        )
        drawn.append(Level(change["starts_on"], until, change["value_after"], text))
    return drawn


def show_changes(channel: str) -> None:
    """When did the level change? Each change with its week, both rates and how sure it is."""
    st.header(words.LEVELS, anchor=False)
    told, found = trend(channel), changes(channel)
    if not snapshot.has("metrics.trends"):
        layout.older(words.OLDER_LEVELS)
        return
    if told is None:
        st.markdown(words.NOBODY_REACHED)
        return
    weeks = int(told["weeks_searched"])
    if weeks < FEWEST_WEEKS:
        st.markdown(words.TOO_FEW_WEEKS.format(fewest=FEWEST_WEEKS, weeks=weeks))
        return
    if not found:
        st.markdown(words.NO_CHANGE.format(weeks=formats.Counted(weeks)))
    else:
        st.markdown("\n".join(f"- {words.change_sentence(change)}" for change in found))
    likely = any(change["shape"] == "drift" for change in found)
    st.caption(words.OF_THE_RATE.format(weeks=formats.Counted(weeks)) + (words.DRIFT if likely else ""))
    if found:
        with st.expander(texts.TABLE_BEHIND):
            layout.frame(change_table(found), words.LEVELS_ALT, CHANGE_COLUMNS)


CHANGE_COLUMNS = {
    name: st.column_config.NumberColumn(format="%.2f %%") for name in (heads.RATE_BEFORE, heads.RATE_AFTER)
} | {
    heads.TIMES: st.column_config.NumberColumn(format="%.2f"),
    "p": st.column_config.NumberColumn(format="%.4f"),
}


def change_table(found: list[dict[str, Any]]) -> pandas.DataFrame:
    """The changes as a table."""
    return pandas.DataFrame(
        [
            {
                heads.FROM: change["starts_on"],
                heads.EARLIEST: change["earliest_on"],
                heads.LATEST: change["latest_on"],
                heads.RATE_BEFORE: 100 * change["value_before"],
                heads.OPTED_OUT_OF_REACHED_BEFORE: formats.part(
                    change["numerator_before"], change["denominator_before"]
                ),
                heads.RATE_AFTER: 100 * change["value_after"],
                heads.OPTED_OUT_OF_REACHED_AFTER: formats.part(change["numerator_after"], change["denominator_after"]),
                heads.TIMES: change["ratio"],
                "p": change["p_value"],
                heads.SHAPE: change["shape"],
            }
            for change in found
        ]
    )


def show_seasons(channel: str) -> None:
    """On which days and at which hours do people leave?"""
    st.header(words.SEASONS, anchor=False)
    if not snapshot.has("metrics.seasons"):
        layout.older(words.OLDER_SEASONS)
        return
    with st.grid(2, min_column_width=320, gap="medium") as grid:
        with grid.cell(), st.container(gap="xsmall"):
            show_cycle(channel, "weekday")
        with grid.cell(), st.container(gap="xsmall"):
            show_cycle(channel, "hour")


def show_cycle(channel: str, cycle: str) -> None:
    """One cycle: its answer in words, its columns, its table."""
    test, rows = snapshot.one(TESTS, [channel, cycle]), snapshot.rows(POSITIONS, [channel, cycle])
    name = words.BY_WEEKDAY if cycle == "weekday" else words.BY_HOUR
    if test is None or not rows:
        st.markdown(words.NOTHING_BY.format(name=name))
        return
    st.markdown(words.BY.format(name=name, season=words.season_sentence(cycle, test, rows)))
    shares = [as_share(cycle, row) for row in rows]
    expected = [Share(share.at, row["expected"], None, None) for share, row in zip(shares, rows, strict=True)]
    names = (words.RATE_OF_DAY, words.WITHOUT_SEASON) if cycle == "weekday" else (
        words.SHARE_OF_OPT_OUTS, words.WITHOUT_SEASON
    )  # fmt: skip
    marked = [str(share.at) for share, row in zip(shares, rows, strict=True) if row["direction"]]
    highest = max(rows, key=lambda row: row["value"] or 0)
    alt = words.SEASON_ALT.format(
        name=name, highest=words.position_name(cycle, highest["position"]), value=formats.share(highest["value"])
    )
    figure = charts_trends.share_columns(shares, beside=expected, names=names, marked=marked)
    layout.chart(figure, alt, season_table(cycle, rows), SEASON_COLUMNS)
    st.caption(words.WEEKDAY_COUNTED if cycle == "weekday" else words.HOUR_COUNTED)


def as_share(cycle: str, row: dict[str, Any]) -> Share:
    """One position as a column to draw."""
    label = texts.WEEKDAYS[row["position"] - 1] if cycle == "weekday" else f"{row['position']}:00"
    note = words.POSITION_NOTE.format(
        position=words.position_name(cycle, row["position"]),
        measured=formats.measured(row),
        expected=formats.share(row["expected"]),
    )
    return Share(label, row["value"], row["lower"], row["upper"], note)


SEASON_COLUMNS = {
    name: st.column_config.NumberColumn(format="%.2f %%")
    for name in (heads.RATE, heads.FROM, heads.TO, heads.WITHOUT_A_SEASON)
} | {"p": st.column_config.NumberColumn(format="%.4f")}


def season_table(cycle: str, rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """The positions of a cycle as a table."""
    return pandas.DataFrame(
        [
            {
                heads.DAY if cycle == "weekday" else heads.HOUR: words.position_name(cycle, row["position"]),
                heads.OPT_OUTS: row["numerator"],
                heads.OF: row["denominator"],
                heads.RATE: _percent(row["value"]),
                heads.FROM: _percent(row["lower"]),
                heads.TO: _percent(row["upper"]),
                heads.WITHOUT_A_SEASON: _percent(row["expected"]),
                "p": row["p_value"],
            }
            for row in rows
        ]
    )


def show_years(channel: str) -> None:
    """Is it more than a year ago?"""
    st.header(words.YEARS, anchor=False)
    if not snapshot.has("metrics.year_over_year"):
        layout.older(words.OLDER_YEARS)
        return
    rows = snapshot.rows(YEARS, [channel])
    if not rows:
        st.markdown(words.NO_YEAR)
        return
    st.markdown(words.year_sentence(rows))
    now = [Share(words.month_name(row), row["value"], row["lower"], row["upper"], words.year_note(row)) for row in rows]
    then = [Share(words.month_name(row), row["value_before"], None, None) for row in rows]
    marked = [words.month_name(row) for row in rows if row["label"] != "No clear difference"]
    names = (words.RATE_OF_MONTH, words.YEAR_BEFORE)
    alt = words.YEARS_ALT.format(first=words.month_name(rows[0]), last=words.month_name(rows[-1]))
    figure = charts_trends.share_columns(now, beside=then, names=names, marked=marked)
    layout.chart(figure, alt, year_table(rows), YEAR_COLUMNS)
    st.caption(words.YEARS_COUNTED)


YEAR_COLUMNS = {
    **{name: st.column_config.NumberColumn(format="%.2f %%") for name in (heads.RATE, heads.A_YEAR_BEFORE)},
    **{name: st.column_config.NumberColumn(format="%+.2f") for name in (heads.DIFFERENCE_POINTS, heads.FROM, heads.TO)},
    **{name: st.column_config.NumberColumn(format="%.4f") for name in ("p", heads.P_ALL_MONTHS)},
}


def year_table(rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """The months as a table, newest first."""
    return pandas.DataFrame(
        [
            {
                heads.MONTH: formats.month(row["month"]),
                heads.RATE: _percent(row["value"]),
                heads.OPTED_OUT_OF_REACHED: formats.part(row["numerator"], row["denominator"]),
                heads.A_YEAR_BEFORE: _percent(row["value_before"]),
                heads.OPTED_OUT_OF_REACHED_THEN: formats.part(row["numerator_before"], row["denominator_before"]),
                heads.DIFFERENCE_POINTS: _percent(row["difference"]),
                heads.FROM: _percent(row["difference_lower"]),
                heads.TO: _percent(row["difference_upper"]),
                "p": row["p_value"],
                heads.P_ALL_MONTHS: row["p_value_adjusted"],
                heads.SAYS: row["label"],
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


def _percent(value: float | None) -> float | None:
    return None if value is None else 100 * value
