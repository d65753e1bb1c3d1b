"""How fast is an opt-out applied? The answer, its curve, who waits longer, what is open, who had to ask again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas
import streamlit as st

from dashboard import (
    access,
    access_texts,
    charts,
    filters,
    formats,
    layout,
    response_groups,
    slow_stretches,
    snapshot,
    texts,
)

OPEN_SHOWN = 20
MEASURES = """
select definition, numerator, denominator, value, lower, upper from metrics.measurements
where metric = 'response_time' and grain = case when ? is null then 'all' else 'month' end
    and period_start is not distinct from ? and channel = ? and program = '*' and campaign_id = '*'
"""
CURVE = """
select seconds, share_processed, lower, upper, at_risk from metrics.response_time_curve where channel = ?
order by seconds
"""
AGES = "select * from metrics.open_requests where channel = ? and open_count > 0 order by position desc"
WAITING = """
select contact_masked, channel, program, begins_at, deadline_at, as_of
from core.opt_out_spans cross join (select as_of from run.parameters)
where kind = 'opt_out' and (processed_at is null or processed_at > as_of) and ends_at is null
    and (? is null or channel = ?)
order by deadline_at nulls last, begins_at limit ?
"""
REPEATS = """
select method, asked_count, span_count from metrics.repeat_requests where channel = ? order by method, asked_count
"""
WITHIN = (
    ("share_within_1_hour", "1 hour"),
    ("share_within_24_hours", "24 hours"),
    ("share_within_48_hours", "48 hours"),
    ("share_within_deadline", "the deadline"),
)
PERCENT = st.column_config.NumberColumn(format="%.1f %%")
Measures = dict[str, dict[str, Any]]


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("response", chosen)
    measures = {
        row["definition"]: row for row in snapshot.rows(MEASURES, [chosen.period, chosen.period, chosen.channel_or_all])
    }
    if not number(measures, "kaplan_meier_median", "denominator"):
        layout.empty(texts.NOTHING_IN_PERIOD, f"No opt-out began here. {texts.WIDEN}")
    else:
        show_answer(measures)
        show_within(measures)
    show_curve(chosen)
    slow_stretches.show(chosen)
    if snapshot.has("metrics.response_groups"):
        response_groups.show(chosen)
        show_open(chosen)
        show_repeats(chosen)
    else:
        layout.older("response times by method and source, and no count of repeated requests")
    layout.footer(
        "Response time by the definition `kaplan_meier`: from the request to the moment it was applied; "
        "open requests count as still waiting"
    )


def number(measures: Measures, definition: str, part: str = "value") -> float | None:
    """A part of one measurement; None where there is none."""
    found: float | None = measures.get(definition, {}).get(part)
    return found


def show_answer(measures: Measures) -> None:
    """Median, tail, share in time and what is open, as a sentence and four numbers; and what the plain mean hides."""
    counted = int(number(measures, "kaplan_meier_median", "denominator") or 0)
    median, within = number(measures, "kaplan_meier_median"), number(measures, "share_within_deadline")
    half = (
        f"Half of them were applied within {formats.duration(median)}"
        if median is not None
        else "Fewer than half of them have been applied"
    )
    in_time = f", and {formats.share(within)} within their deadline" if within is not None else ""
    st.markdown(f"**{formats.plural(counted, 'opt-out')} in this selection. {half}{in_time}.**")
    open_count = int(number(measures, "open_count") or 0)
    oldest = f"the oldest for {formats.duration(number(measures, 'oldest_open_age'))}" if open_count else "none waiting"
    tail = f"19 of 20 within {formats.duration(number(measures, 'kaplan_meier_p95'))}"
    due = int(number(measures, "share_within_deadline", "denominator") or 0)
    in_time_note = f"95 %: {bounds(measures, 'share_within_deadline')}, of {formats.count(due)} due"
    with st.grid(4, min_column_width=150, gap="small"):
        layout.card("Median", formats.duration(median), time_bounds(measures, "kaplan_meier_median"))
        layout.card("9 of 10 within", formats.duration(number(measures, "kaplan_meier_p90")), tail)
        layout.card("Within the deadline", formats.share(within), in_time_note)
        layout.card("Still open", formats.count(open_count), oldest)
    st.markdown(means(measures))


def bounds(measures: Measures, definition: str) -> str:
    """The 95 % interval of a share in words."""
    return formats.interval(number(measures, definition, "lower"), number(measures, definition, "upper"))


def time_bounds(measures: Measures, definition: str) -> str:
    """The 95 % interval of a time in words; nothing where there is none."""
    lower, upper = number(measures, definition, "lower"), number(measures, definition, "upper")
    if lower is None:
        return ""
    first, last = formats.duration(lower), "not reached" if upper is None else formats.duration(upper)
    return f"95 %: about {first}" if first == last else f"95 %: {first} to {last}"


def means(measures: Measures) -> str:
    """The plain mean beside the one that counts open requests in, and what the difference is."""
    plain, whole = number(measures, "mean_completed"), number(measures, "restricted_mean")
    processed = int(number(measures, "kaplan_meier_median", "numerator") or 0)
    waiting = int(number(measures, "open_count") or 0)
    if plain is None or whole is None:
        return f"None of them is known to be applied. So far they have waited {formats.duration(whole)} on average."
    if not waiting:
        return f"On average it took {formats.duration(plain)}. Nothing is open, so this mean leaves nobody out."
    told = f"The mean of the {formats.count(processed)} applied ones is {formats.duration(plain)}. "
    told += f"It leaves out the {formats.count(waiting)} still waiting"
    if whole <= plain * 1.01:
        return f"{told}, which here makes no difference: counted in, it is {formats.duration(whole)}."
    longer = f"{whole / plain:.1f} times as long" if whole >= 2 * plain else f"{whole / plain - 1:.0%} longer"
    longer = longer if plain else "longer"
    return (
        f"{told}, so it flatters: with them counted in, up to the longest wait on record, the mean is "
        f"**{formats.duration(whole)}**, {longer.replace('%', f'{formats.GAP}%')}."
    )


def show_within(measures: Measures) -> None:
    """The share applied within the times people ask about."""
    if "share_within_1_hour" not in measures:
        return
    st.header("Applied within", anchor=False)
    shares, lines = [], []
    for definition, label in WITHIN:
        row = measures[definition]
        of = f"{formats.count(row['numerator'])} of {formats.count(row['denominator'])}"
        of += " due" if definition == "share_within_deadline" else ""
        note = f"{label}: {formats.share(row['value'])} ({formats.interval(row['lower'], row['upper'])}), {of}"
        shares.append(charts.Share(label, row["value"], row["lower"], row["upper"], note))
        lines.append({"Within": label, **percents(row, "value", "lower", "upper"), "Counted": of})
    first = shares[0].note
    columns = dict.fromkeys(("Share", "From", "To"), PERCENT)
    layout.chart(
        charts.share_bars(shares),
        f"Share of opt-outs applied within a time, {first}.",
        pandas.DataFrame(lines),
        columns,
    )
    st.caption(
        "Open requests count as still waiting (Kaplan-Meier), so a share can be above its count: who has waited for 10 "
        "minutes is counted for these 10 minutes. The deadline's share is of those due: applied, or past it."
    )


def percents(row: dict[str, Any], *names: str) -> dict[str, float | None]:
    """A share and its interval in percent, as columns of a table."""
    values = [row[name] for name in names]
    return {
        column: None if value is None else value * 100
        for column, value in zip(("Share", "From", "To"), values, strict=True)
    }


def show_curve(chosen: filters.Filters) -> None:
    """The Kaplan-Meier curve of the whole record."""
    steps = snapshot.rows(CURVE, [chosen.channel_or_all])
    if not steps:
        return
    st.header("Share applied within a time", anchor=False)
    for step in steps:
        step["note"] = (
            f"{formats.share(step['share_processed'])} within {formats.duration(step['seconds'])} "
            f"({formats.interval(step['lower'], step['upper'])})"
        )
    st.caption("Whole record, open requests counted as still waiting. The band is the 95 % interval.")
    alt = f"Kaplan-Meier curve: {steps[-1]['note']} at its end."
    table = pandas.DataFrame(
        [
            {
                "Within": formats.duration(step["seconds"]),
                **percents(step, "share_processed", "lower", "upper"),
                "At risk": step["at_risk"],
            }
            for step in steps
        ]
    )
    layout.chart(charts.share_done_curve(steps), alt, table, dict.fromkeys(("Share", "From", "To"), PERCENT))


def show_open(chosen: filters.Filters) -> None:
    """Requests that nobody has applied yet: how old, and whose deadline comes next."""
    st.header("Still open", anchor=False)
    ages = snapshot.rows(AGES, [chosen.channel_or_all])
    if not ages:
        st.markdown("Nothing is waiting: every opt-out on record has been applied.")
        return
    total, overdue, withdrawn = (
        sum(row[name] for row in ages) for name in ("open_count", "past_deadline_count", "withdrawn_count")
    )
    coming = min((row["next_deadline_at"] for row in ages if row["next_deadline_at"]), default=None)
    past = f"{formats.count(overdue)} of them past the deadline" if overdue else "none of them past the deadline"
    following = f" The next deadline is {formats.instant(coming)}." if coming else ""
    st.markdown(f"**{formats.plural(total, 'opt-out is', 'opt-outs are')} still open, {past}.{following}**")
    if withdrawn:
        told = f"{formats.plural(withdrawn, 'contact has', 'contacts have')} opted in again since"
        st.caption(f"{told}: never known to be applied, and nothing is left to apply.")
    lines = [
        {
            "Waiting for": row["age"],
            "Open": row["open_count"],
            "Past the deadline": row["past_deadline_count"],
            "Next deadline": formats.instant(row["next_deadline_at"]),
        }
        for row in ages
    ]
    layout.table(lines, "Open opt-outs by age", {"Open": formats.count, "Past the deadline": formats.count})
    if not access.may("see_contacts"):
        st.caption(access_texts.NOT_FOR_ROLE)
        return
    rows = snapshot.rows(WAITING, [chosen.channel, chosen.channel, OPEN_SHOWN])
    if not rows:
        return
    table = pandas.DataFrame(
        [
            {
                "Contact": row["contact_masked"],
                "Channel": texts.channel(row["channel"]),
                "Program": texts.program(row["program"]),
                "Requested": formats.instant(row["begins_at"]),
                "Deadline": formats.instant(row["deadline_at"]),
                "Left": left(row["deadline_at"], row["as_of"]),
            }
            for row in rows
        ]
    )
    st.caption(f"To apply first ({len(rows)} of {formats.count(total - withdrawn)}), by deadline:")
    layout.frame(table, "Open opt-outs by deadline")


def left(deadline: datetime | None, as_of: datetime) -> str:
    """The time to a deadline, in words."""
    if deadline is None:
        return formats.MISSING
    seconds = (deadline - as_of).total_seconds()
    return formats.duration(seconds) if seconds >= 0 else f"{formats.duration(-seconds)} overdue"


def show_repeats(chosen: filters.Filters) -> None:
    """How often people had to ask."""
    st.header("Who had to ask more than once?", anchor=False)
    rows = snapshot.rows(REPEATS, [chosen.channel_or_all])
    total = sum(row["span_count"] for row in rows if row["method"] == "*")
    again = sum(row["span_count"] for row in rows if row["method"] == "*" and row["asked_count"] > 1)
    if not total:
        st.markdown("No opt-out is on record here.")
        return
    most = max(row["asked_count"] for row in rows)
    if not again:
        st.markdown(f"Nobody: each of {formats.plural(total, 'opt-out')} was asked for once.")
        return
    share = formats.share(again / total)
    st.markdown(
        f"**{formats.count(again)} of {formats.plural(total, 'opt-out')} ({share}) were asked for more than once, "
        f"up to {most} times.**"
    )
    methods: dict[str, dict[int, int]] = {}
    for row in rows:
        if row["method"] != "*":
            methods.setdefault(row["method"], {})[min(row["asked_count"], 4)] = (
                methods.get(row["method"], {}).get(min(row["asked_count"], 4), 0) + row["span_count"]
            )
    lines = [
        {
            "First asked by": "Not recorded" if method == "unknown" else texts.humanise(method),
            "Once": counts.get(1, 0),
            "Twice": counts.get(2, 0),
            "3 times": counts.get(3, 0),
            "More often": counts.get(4, 0),
        }
        for method, counts in sorted(methods.items(), key=lambda one: -sum(n for k, n in one[1].items() if k > 1))
    ]
    numbers = dict.fromkeys(("Once", "Twice", "3 times", "More often"), formats.count)
    layout.table(lines, "Opt-outs by method and number of times asked", numbers)
    st.caption("Whole record. Two sources that both record one request count as asking twice.")


show()
