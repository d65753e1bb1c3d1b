"""Response times side by side, by method, source, month or channel: the part of a page that shows who waits longer."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import charts_durations, filters, layout, snapshot
from dashboard.words import formats, heads, texts
from dashboard.words import response_groups as words

GROUPS = """
select * from metrics.response_groups where dimension = ? and (channel = ? or ? = 'channel') order by month_start, value
"""
DIMENSIONS = {heads.METHOD: "method", heads.SOURCE: "source", heads.MONTH: "month", heads.CHANNEL: "channel"}


def show(chosen: filters.Filters) -> None:
    """Median and tail side by side, by method, source, month or channel, with all numbers in a table."""
    st.header(words.HEAD, anchor=False)
    control = st.segmented_control(
        words.COMPARE_BY, list(DIMENSIONS), default=heads.METHOD, required=True, key="by", bind="query-params"
    )
    dimension = DIMENSIONS[control or heads.METHOD]
    rows = snapshot.rows(GROUPS, [dimension, chosen.channel_or_all, dimension])
    rows = [row for row in rows if dimension != "channel" or row["value"] != "*"]
    if not rows:
        st.markdown(words.NOTHING)
        return
    if dimension != "month":
        rows.sort(key=lambda row: (row["median_seconds"] is not None, -(row["median_seconds"] or 0)))
    else:
        rows = rows[::-1][:12]
    names = [_name(dimension, row) for row in rows]
    ranges = [
        charts_durations.Range(
            name,
            row["median_seconds"],
            row["median_seconds_lower"],
            row["median_seconds_upper"],
            row["p90_seconds"],
            f"{name}: {_median_words(row)}",
        )
        for name, row in zip(names, rows, strict=True)
    ]
    scope = "" if dimension == "channel" or not chosen.channel else f", {texts.channel(chosen.channel)}"
    st.caption(words.COUNTED.format(scope=scope))
    alt = words.ALT.format(dimension=dimension) + "; ".join(one.note for one in ranges[:6]) + "."
    table = _table(control or heads.METHOD, names, rows)
    layout.chart(charts_durations.duration_ranges(ranges), alt, table, is_table_beside=True)
    st.dataframe(table, hide_index=True, alt=alt, placeholder="")
    if any(row["is_small"] for row in rows):
        small = [name for name, row in zip(names, rows, strict=True) if row["is_small"]]
        st.caption(words.SMALL.format(names=texts.plain(", ".join(small))))


def _name(dimension: str, row: dict[str, Any]) -> str:
    """The name of a group as readers say it."""
    if dimension == "month":
        return formats.month(row["month_start"])
    if dimension == "channel":
        return texts.channel(row["value"])
    return words.NOT_RECORDED if row["value"] == "unknown" else (
        texts.humanise(row["value"]) if dimension == "method" else row["value"]
    )  # fmt: skip


def _median_words(row: dict[str, Any]) -> str:
    """Median, tail and count of a group."""
    reached = row["median_seconds"] is not None
    median = words.HALF_IN.format(median=formats.duration(row["median_seconds"])) if reached else words.NOT_REACHED
    ninth = formats.duration(row["p90_seconds"])
    return words.TIMES.format(median=median, ninth=ninth, opt_outs=formats.Counted(row["span_count"]))


def _table(column: str, names: list[str], rows: list[dict[str, Any]]) -> pandas.DataFrame:
    """Everything that is known of each group, in words."""

    def interval(row: dict[str, Any], name: str) -> str:
        lower, upper = row[f"{name}_lower"], row[f"{name}_upper"]
        return (
            formats.MISSING
            if lower is None
            else words.BETWEEN.format(lower=formats.duration(lower), upper=formats.duration(upper))
        )

    return pandas.DataFrame(
        [
            {
                column: name,
                heads.OPT_OUTS: row["span_count"],
                heads.OPEN: row["open_count"],
                heads.MEDIAN: formats.duration(row["median_seconds"]),
                heads.INTERVAL_OF_MEDIAN: interval(row, "median_seconds"),
                heads.NINE_OF_TEN: formats.duration(row["p90_seconds"]),
                heads.NINETEEN_OF_TWENTY: formats.duration(row["p95_seconds"]),
                heads.MEAN_OF_30_DAYS: formats.duration(row["mean_30_days_seconds"]),
                heads.MEAN_OPEN_COUNTED_IN: formats.duration(row["restricted_mean_seconds"]),
                heads.MEAN_OF_THE_APPLIED: formats.duration(row["mean_completed_seconds"]),
                **{
                    heading: _share_words(row, f"share_within_{key}")
                    for heading, key in (("1 h", "1_hour"), ("24 h", "24_hours"), ("48 h", "48_hours"))
                },
                heads.DEADLINE: _share_words(row, "share_within_deadline"),
                heads.DUE: row["due_count"],
                heads.ASKED_AGAIN: _share_words(row, "share_asked_again"),
            }
            for name, row in zip(names, rows, strict=True)
        ]
    )


def _share_words(row: dict[str, Any], name: str) -> str:
    """A share with its interval."""
    if row[name] is None:
        return formats.MISSING
    return f"{formats.share(row[name])} ({formats.interval(row[f'{name}_lower'], row[f'{name}_upper'])})"
