"""How long do people stay? The share gone after a week, a month, a year, and who leaves sooner."""

from __future__ import annotations

from typing import Any

import pandas
import streamlit as st

from dashboard import charts_durations, filters, formats, layout, snapshot, texts

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
    "Source": "source_type", "Where exactly": "consent_source", "Method": "method",
    "Double or single": "opt_in_kind", "Incentive": "incentive", "Channel": "channel",
}  # fmt: skip
BY = {
    "source_type": "source", "consent_source": "where exactly they opted in", "method": "method",
    "opt_in_kind": "double or single opt-in", "incentive": "incentive", "channel": "channel",
}  # fmt: skip
NAMES = {
    ("opt_in_kind", "double"): "Double opt-in", ("opt_in_kind", "single"): "Single opt-in",
    ("incentive", "yes"): "With an incentive", ("incentive", "no"): "Without one",
}  # fmt: skip
DAYS = (7, 30, 90, 365)
LEVEL = 0.05
CURVES_SHOWN = 4
PERCENT = st.column_config.NumberColumn(format="%.1f %%")
WATCHED, EVERY = "Since departures are on record", "Every opt-in on record"
Row = dict[str, Any]


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("membership", chosen)
    if not snapshot.has("metrics.membership"):
        layout.older("times from opt-in to opt-out")
        layout.footer()
        return
    totals = {row["cohort"]: row for row in snapshot.rows(TOTALS, [chosen.channel_or_all])}
    if not totals:
        layout.empty(texts.NOTHING_IN_PERIOD, f"No opt-in is on record here. {texts.WIDEN}")
    else:
        cohort = choose_cohort(totals)
        show_answer(totals, cohort)
        show_curve(totals[cohort], cohort)
        show_differences(chosen)
        show_groups(chosen, cohort)
    reasons = texts.PAGES["reasons"]
    st.page_link(reasons.file, label=reasons.question, icon=reasons.icon)
    layout.footer(
        "Stay by the definition `kaplan_meier`: from the opt-in to the opt-out, complaint or block that ended it; "
        "who is still in counts as staying on"
    )


def choose_cohort(totals: dict[str, Row]) -> str:
    """Which opt-ins are counted: those that could be seen to leave from their first day, or every one."""
    if "watched" not in totals:
        return "all"
    control = st.segmented_control(
        "Opt-ins counted", [WATCHED, EVERY], default=WATCHED, required=True, key="counted", bind="query-params"
    )
    return "all" if control == EVERY else "watched"


def show_answer(totals: dict[str, Row], cohort: str) -> None:
    """The share gone by each horizon, as a sentence and four numbers, and what the choice of opt-ins does to it."""
    total = totals[cohort]
    parts = [
        f"{formats.share(total[f'left_{days}_days'])} are gone within {days} days"
        for days in (30, 90)
        if total[f"left_{days}_days"] is not None
    ]
    median = (
        f"Half are gone within {formats.duration(total['median_days'] * 86_400)}"
        if total["median_days"] is not None
        else f"Fewer than half are gone within the longest time on record, "
        f"{formats.duration(total['followed_days'] * 86_400)}"
    )
    opening = f"Of {formats.plural(total['opt_in_count'], 'opt-in')}, " if parts else ""
    st.markdown(f"**{opening}{' and '.join(parts)}{'. ' if parts else ''}{median}.**")
    with st.grid(4, min_column_width=150, gap="small"):
        for days in DAYS:
            share = total[f"left_{days}_days"]
            interval = formats.interval(total[f"left_{days}_days_lower"], total[f"left_{days}_days_upper"])
            note = "The record does not reach so far" if share is None else f"95 %: {interval}"
            layout.card(f"Gone within {days} days", formats.share(share), note)
    if "watched" in totals:
        older = totals["all"]["opt_in_count"] - totals["watched"]["opt_in_count"]
        left_out = "left out here" if cohort == "watched" else "counted here, so the shares are too low"
        st.caption(
            f"{formats.plural(older, 'opt-in is', 'opt-ins are')} older than the first departure on record, "
            f"and {left_out}: who left before that is missing, so only those who stayed are on record. "
            f"With them, {formats.share(totals['all']['left_30_days'])} are gone within 30 days; without them, "
            f"{formats.share(totals['watched']['left_30_days'])}."
        )


def show_curve(total: Row, cohort: str) -> None:
    """The share gone by each day, of all of them."""
    steps = snapshot.rows(CURVE, [cohort, "*", "channel"])
    steps = [step for step in steps if step["value"] == total["value"]]
    st.header("Share gone, day by day", anchor=False)
    if not steps:
        st.markdown("Nobody has left.")
        return
    curve = curve_of("All of them", steps, total["followed_days"])
    st.caption("Who is still in counts as staying on (Kaplan-Meier). The band is the 95 % interval.")
    marks = [days for days in DAYS if days <= total["followed_days"]]
    figure = charts_durations.shares_gone([curve], marks=marks)
    layout.chart(figure, f"Kaplan-Meier curve: {curve.notes[-1]} at its end.", steps_table([("All", steps)]), columns())


def curve_of(name: str, steps: list[Row], until: float) -> charts_durations.Steps:
    """Steps of a relation as a curve to draw."""
    notes = [
        f"{name}: {formats.share(step['share_left'])} gone within {formats.duration(step['days'] * 86_400)} "
        f"({formats.interval(step['lower'], step['upper'])})"
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
                "Group": name,
                "Days": round(step["days"], 2),
                "Gone": step["share_left"] * 100,
                "From": None if step["lower"] is None else step["lower"] * 100,
                "To": None if step["upper"] is None else step["upper"] * 100,
                "At risk": step["at_risk"],
            }
            for name, steps in curves
            for step in steps
        ]
    )


def columns() -> dict[str, Any]:
    """How the columns of shares are written."""
    return dict.fromkeys(("Gone", "From", "To"), PERCENT)


def show_differences(chosen: filters.Filters) -> None:
    """Which differences between groups are more than chance, in words."""
    st.header("Who leaves sooner?", anchor=False)
    tests = [test for test in snapshot.rows(TESTS, [chosen.channel_or_all]) if test["p_value"] is not None]
    if not tests:
        st.markdown("There are no two groups with 20 opt-ins each to compare.")
        return
    sure = [test for test in tests if test["p_adjusted"] < LEVEL]
    for test in sorted(sure, key=lambda test: test["p_value"]):
        st.markdown(f"- {difference(chosen, test)}")
    unclear = [BY[test["dimension"]] for test in tests if test["p_adjusted"] >= LEVEL]
    if unclear:
        st.markdown(f"No difference that chance would not explain: by {', by '.join(unclear)}.")
    within = ", within each channel" if not chosen.channel else ""
    asked = formats.plural(len(tests), "question")
    st.caption(
        f"Log-rank tests{within}, p values corrected for {asked} asked at once (Holm): where nothing differs, a "
        "difference is named in 1 of 20 records. Each opt-in counts from when departures are on record. A difference "
        "is no proof of a cause."
    )


def difference(chosen: filters.Filters, test: Row) -> str:
    """One difference: who leaves sooner and who later than if all left at one pace."""
    rows = snapshot.rows(GROUPS, ["all", chosen.channel_or_all, test["dimension"]])
    rows = [row for row in rows if row["expected_left_count"]]
    rows.sort(key=lambda row: row["left_count"] / row["expected_left_count"])
    told = [
        f"{texts.plain(name_of(test['dimension'], row['value']))} {word}: {formats.count(row['left_count'])} left, "
        f"{formats.count(row['expected_left_count'])} expected"
        for row, word in ((rows[-1], "sooner"), (rows[0], "later"))
    ]
    return f"**By {BY[test['dimension']]}:** {'; '.join(told)} ({chance(test['p_adjusted'])})."


def chance(p_value: float) -> str:
    """A p value in words."""
    return "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"


def name_of(dimension: str, value: str) -> str:
    """The name of a group as readers say it."""
    if (dimension, value) in NAMES:
        return NAMES[dimension, value]
    if value == "unknown":
        return "Not recorded"
    if dimension == "channel":
        return texts.channel(value)
    return value if dimension == "consent_source" and value != "other" else texts.humanise(value)


def show_groups(chosen: filters.Filters, cohort: str) -> None:
    """The curves of the largest groups, and all groups in a table."""
    control = st.segmented_control(
        "Compare by", list(DIMENSIONS), default="Double or single", required=True, key="by", bind="query-params"
    )
    dimension = DIMENSIONS[control or "Double or single"]
    channel = "*" if dimension == "channel" else chosen.channel_or_all
    rows = [
        row
        for row in snapshot.rows(GROUPS, [cohort, channel, dimension])
        if (dimension, row["value"]) != ("channel", "*")
    ]
    if not rows:
        st.markdown("No opt-in is on record here.")
        return
    found: dict[str, list[Row]] = {}
    for step in snapshot.rows(CURVE, [cohort, channel, dimension]):
        found.setdefault(step["value"], []).append(step)
    largest = [row for row in rows if row["value"] != "unknown" and not row["is_small"]][:CURVES_SHOWN]
    drawn = [
        (
            row,
            curve_of(name_of(dimension, row["value"]), found.get(row["value"], []), row["followed_days"]),
        )
        for row in largest
    ]
    if drawn:
        figure = charts_durations.shares_gone([curve for _, curve in drawn], has_bands=len(drawn) == 1)
        alt = (
            "Share gone by days since the opt-in: " + "; ".join(ninety_words(dimension, row) for row, _ in drawn) + "."
        )
        steps = [(curve.name, found.get(row["value"], [])) for row, curve in drawn]
        layout.chart(figure, alt, steps_table(steps), columns())
    expected = {row["value"]: row["expected_left_count"] for row in snapshot.rows(GROUPS, ["all", channel, dimension])}
    lines = [group_line(control or "", dimension, row, expected.get(row["value"])) for row in rows]
    layout.frame(pandas.DataFrame(lines), f"Share gone by {BY[dimension]}")
    small = [name_of(dimension, row["value"]) for row in rows if row["is_small"]]
    if small:
        st.caption(f"Fewer than 20 opt-ins, so little is known: {texts.plain(', '.join(small))}.")


def ninety_words(dimension: str, row: Row) -> str:
    """What is gone within 90 days, or the record's end."""
    name, share = name_of(dimension, row["value"]), row["left_90_days"]
    return f"{name} {formats.share(share)} within 90 days" if share is not None else f"{name} not followed for 90 days"


def group_line(control: str, dimension: str, row: Row, expected: float | None) -> Row:
    """One group in the table."""
    line: Row = {
        control: name_of(dimension, row["value"]),
        "Opt-ins": formats.count(row["opt_in_count"]),
        "Left": formats.count(row["left_count"]),
    }
    if row["cohort"] == "all":
        line["Expected"] = formats.count(expected)
    for days in DAYS:
        share = row[f"left_{days}_days"]
        interval = formats.interval(row[f"left_{days}_days_lower"], row[f"left_{days}_days_upper"])
        line[f"{days} days"] = formats.MISSING if share is None else f"{formats.share(share)} ({interval})"
    line["Half gone within"] = (
        "not reached" if row["median_days"] is None else formats.duration(row["median_days"] * 86_400)
    )
    return line


show()
