"""How long do people stay? The share gone after a week, a month, a year, and who leaves sooner."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import charts_durations, filters, layout, snapshot
from dashboard.words import formats, heads, texts
from dashboard.words import membership as words

GROUPS = (
    "select * from metrics.membership where cohort = ? and channel = ? and dimension = ? order by opt_in_count desc"
)
TOTALS = "select * from metrics.membership where dimension = 'channel' and value = ?"
CURVE = """
select value, days, share_left, lower, upper, at_risk from metrics.membership_curve
where cohort = ? and channel = ? and dimension = ? order by value, days
"""
TESTS = "select * from metrics.membership_tests where channel = ?"
DIMENSIONS = {
    heads.SOURCE: "source_type", heads.WHERE_EXACTLY: "consent_source", heads.METHOD: "method",
    heads.DOUBLE_OR_SINGLE: "opt_in_kind", heads.INCENTIVE: "incentive", heads.CHANNEL: "channel",
}  # fmt: skip
DAYS = (7, 30, 90, 365)
LEVEL = 0.05
CURVES_SHOWN = 4
PERCENT = st.column_config.NumberColumn(format="%.1f %%")
Row = dict[str, Any]


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("membership", chosen)
    if not snapshot.has("metrics.membership"):
        layout.older(words.OLDER)
        layout.footer()
        return
    totals = {row["cohort"]: row for row in snapshot.rows(TOTALS, [chosen.channel_or_all])}
    if not totals:
        layout.empty(texts.NOTHING_IN_PERIOD, words.NOTHING)
    else:
        cohort = choose_cohort(totals)
        show_answer(totals, cohort)
        show_curve(totals[cohort], cohort)
        show_differences(chosen)
        show_groups(chosen, cohort)
    reasons = texts.PAGES["reasons"]
    st.page_link(reasons.file, label=reasons.question, icon=reasons.icon)
    layout.footer(words.DEFINITION)


def choose_cohort(totals: dict[str, Row]) -> str:
    """Which opt-ins are counted: those that could be seen to leave from their first day, or every one."""
    if "watched" not in totals:
        return "all"
    control = st.segmented_control(
        words.COUNTED,
        [words.WATCHED, words.EVERY],
        default=words.WATCHED,
        required=True,
        key="counted",
        bind="query-params",
    )
    return "all" if control == words.EVERY else "watched"


def show_answer(totals: dict[str, Row], cohort: str) -> None:
    """The share gone by each horizon, as a sentence and four numbers, and what the choice of opt-ins does to it."""
    total = totals[cohort]
    parts = [
        words.GONE_WITHIN.format(share=formats.share(total[f"left_{days}_days"]), days=days)
        for days in (30, 90)
        if total[f"left_{days}_days"] is not None
    ]
    median = (
        words.HALF_GONE.format(median=formats.duration(total["median_days"] * 86_400))
        if total["median_days"] is not None
        else words.FEWER_GONE.format(followed=formats.duration(total["followed_days"] * 86_400))
    )
    opening = words.OF.format(opt_ins=formats.Counted(total["opt_in_count"])) if parts else ""
    st.markdown(f"**{opening}{words.AND.join(parts)}{'. ' if parts else ''}{median}.**")
    with st.grid(4, min_column_width=150, gap="small"):
        for days in DAYS:
            share = total[f"left_{days}_days"]
            interval = formats.interval(total[f"left_{days}_days_lower"], total[f"left_{days}_days_upper"])
            note = words.TOO_SHORT if share is None else f"95 %: {interval}"
            layout.card(words.GONE.format(days=days), formats.share(share), note)
    if "watched" in totals:
        older = totals["all"]["opt_in_count"] - totals["watched"]["opt_in_count"]
        left_out = words.LEFT_OUT if cohort == "watched" else words.COUNTED_HERE
        st.caption(
            words.OLDER_OPT_INS.format(
                opt_ins=formats.Counted(older),
                left_out=left_out,
                with_them=formats.share(totals["all"]["left_30_days"]),
                without=formats.share(totals["watched"]["left_30_days"]),
            )
        )


def show_curve(total: Row, cohort: str) -> None:
    """The share gone by each day, of all of them."""
    steps = snapshot.rows(CURVE, [cohort, "*", "channel"])
    steps = [step for step in steps if step["value"] == total["value"]]
    st.header(words.CURVE, anchor=False)
    if not steps:
        st.markdown(words.NOBODY_LEFT)
        return
    curve = curve_of(words.ALL_OF_THEM, steps, total["followed_days"])
    st.caption(words.CURVE_COUNTED)
    marks = [days for days in DAYS if days <= total["followed_days"]]
    figure = charts_durations.shares_gone([curve], marks=marks)
    layout.chart(figure, words.CURVE_ALT.format(note=curve.notes[-1]), steps_table([(words.ALL, steps)]), columns())


def curve_of(name: str, steps: list[Row], until: float) -> charts_durations.Steps:
    """Steps of a relation as a curve to draw."""
    notes = [
        words.NOTE.format(
            name=name,
            share=formats.share(step["share_left"]),
            days=formats.duration(step["days"] * 86_400),
            interval=formats.interval(step["lower"], step["upper"]),
        )
        for step in steps
    ]
    days, share, lower, upper = (
        [step[column] for step in steps] for column in ("days", "share_left", "lower", "upper")
    )
    return charts_durations.Steps(name, days, share, lower, upper, notes, until)


def steps_table(curves: list[tuple[str, list[Row]]]) -> pandas.DataFrame:
    """The steps of some curves as a table."""
    return pandas.DataFrame(
        [
            {
                heads.GROUP: name,
                heads.DAYS: round(step["days"], 2),
                heads.GONE: step["share_left"] * 100,
                heads.FROM: None if step["lower"] is None else step["lower"] * 100,
                heads.TO: None if step["upper"] is None else step["upper"] * 100,
                heads.AT_RISK: step["at_risk"],
            }
            for name, steps in curves
            for step in steps
        ]
    )


def columns() -> dict[str, Any]:
    """How the columns of shares are written."""
    return dict.fromkeys((heads.GONE, heads.FROM, heads.TO), PERCENT)


def show_differences(chosen: filters.Filters) -> None:
    """Which differences between groups are more than chance, in words."""
    st.header(words.DIFFERENCES, anchor=False)
    tests = [test for test in snapshot.rows(TESTS, [chosen.channel_or_all]) if test["p_value"] is not None]
    if not tests:
        st.markdown(words.NO_GROUPS)
        return
    sure = [test for test in tests if test["p_adjusted"] < LEVEL]
    for test in sorted(sure, key=lambda test: test["p_value"]):
        st.markdown(f"- {difference(chosen, test)}")
    unclear = [words.BY[test["dimension"]] for test in tests if test["p_adjusted"] >= LEVEL]
    if unclear:
        st.markdown(words.UNCLEAR.format(groups=words.AND_BY.join(unclear)))
    within = words.WITHIN if not chosen.channel else ""
    asked = formats.Counted(len(tests))
    st.caption(words.TEST.format(within=within, asked=asked))


def difference(chosen: filters.Filters, test: Row) -> str:
    """One difference: who leaves sooner and who later than if all left at one pace."""
    rows = snapshot.rows(GROUPS, ["all", chosen.channel_or_all, test["dimension"]])
    rows = [row for row in rows if row["expected_left_count"]]
    rows.sort(key=lambda row: row["left_count"] / row["expected_left_count"])
    told = [
        words.PACE.format(
            name=texts.plain(words.name_of(test["dimension"], row["value"])),
            word=word,
            left=formats.count(row["left_count"]),
            expected=formats.count(row["expected_left_count"]),
        )
        for row, word in ((rows[-1], words.SOONER), (rows[0], words.LATER))
    ]
    return words.BY_GROUP.format(
        by=words.BY[test["dimension"]], told="; ".join(told), chance=words.chance(test["p_adjusted"])
    )


def show_groups(chosen: filters.Filters, cohort: str) -> None:
    """The curves of the largest groups, and all groups in a table."""
    control = st.segmented_control(
        words.COMPARE_BY, list(DIMENSIONS), default=heads.DOUBLE_OR_SINGLE, required=True, key="by", bind="query-params"
    )
    dimension = DIMENSIONS[control or heads.DOUBLE_OR_SINGLE]
    channel = "*" if dimension == "channel" else chosen.channel_or_all
    rows = [
        row
        for row in snapshot.rows(GROUPS, [cohort, channel, dimension])
        if (dimension, row["value"]) != ("channel", "*")
    ]
    if not rows:
        st.markdown(words.NOTHING_HERE)
        return
    found: dict[str, list[Row]] = {}
    for step in snapshot.rows(CURVE, [cohort, channel, dimension]):
        found.setdefault(step["value"], []).append(step)
    largest = [row for row in rows if row["value"] != "unknown" and not row["is_small"]][:CURVES_SHOWN]
    drawn = [
        (
            row,
            curve_of(words.name_of(dimension, row["value"]), found.get(row["value"], []), row["followed_days"]),
        )
        for row in largest
    ]
    if drawn:
        figure = charts_durations.shares_gone([curve for _, curve in drawn], has_bands=len(drawn) == 1)
        alt = words.GROUPS_ALT + "; ".join(ninety_words(dimension, row) for row, _ in drawn) + "."
        steps = [(curve.name, found.get(row["value"], [])) for row, curve in drawn]
        layout.chart(figure, alt, steps_table(steps), columns())
    expected = {row["value"]: row["expected_left_count"] for row in snapshot.rows(GROUPS, ["all", channel, dimension])}
    lines = [group_line(control or "", dimension, row, expected.get(row["value"])) for row in rows]
    layout.frame(pandas.DataFrame(lines), words.GONE_BY.format(by=words.BY[dimension]))
    small = [words.name_of(dimension, row["value"]) for row in rows if row["is_small"]]
    if small:
        st.caption(words.SMALL.format(names=texts.plain(", ".join(small))))


def ninety_words(dimension: str, row: Row) -> str:
    """What is gone within 90 days, or the record's end."""
    name, share = words.name_of(dimension, row["value"]), row["left_90_days"]
    return (
        words.GONE_IN_90.format(name=name, share=formats.share(share))
        if share is not None
        else words.NOT_FOLLOWED.format(name=name)
    )


def group_line(control: str, dimension: str, row: Row, expected: float | None) -> Row:
    """One group in the table."""
    line: Row = {
        control: words.name_of(dimension, row["value"]),
        heads.OPT_INS: formats.count(row["opt_in_count"]),
        heads.LEFT: formats.count(row["left_count"]),
    }
    if row["cohort"] == "all":
        line[heads.EXPECTED] = formats.count(expected)
    for days in DAYS:
        share = row[f"left_{days}_days"]
        interval = formats.interval(row[f"left_{days}_days_lower"], row[f"left_{days}_days_upper"])
        line[f"{days} days"] = formats.MISSING if share is None else f"{formats.share(share)} ({interval})"
    line[heads.HALF_GONE_WITHIN] = (
        words.NOT_REACHED if row["median_days"] is None else formats.duration(row["median_days"] * 86_400)
    )
    return line


show()
