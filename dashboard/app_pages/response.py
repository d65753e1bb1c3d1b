"""How fast is an opt-out applied? The answer, the curve behind it, month by month, and what is still open."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas
import streamlit as st

from dashboard import charts, filters, formats, layout, snapshot, texts

OPEN_SHOWN = 20

MEASURES = """
select definition, numerator, denominator, value, lower, upper from metrics.measurements
where metric = 'response_time' and grain = case when ? is null then 'all' else 'month' end
    and period_start is not distinct from ? and channel = ? and program = '*' and campaign_id = '*'
"""
MONTHS = """
select period_start, definition, value, denominator from metrics.measurements
where metric = 'response_time' and grain = 'month' and channel = ? and program = '*' and campaign_id = '*'
    and definition in ('kaplan_meier_median', 'kaplan_meier_p90', 'share_within_deadline')
order by period_start
"""
CURVE = """
select seconds, share_processed, lower, upper, at_risk from metrics.response_time_curve where channel = ?
order by seconds
"""
SPREAD = """
with spans as (
    select
        epoch(processed_at) - epoch(begins_at) as seconds, processed_at is null or processed_at > as_of as is_open,
        least(coalesce(processed_at, as_of), as_of) > deadline_at as is_late
    from core.opt_out_spans cross join (select as_of from run.parameters)
    where kind = 'opt_out' and (? is null or channel = ?) and (? is null or date_trunc('month', begins_on) = ?)
)
select
    case
        when is_open then 8 when seconds <= 60 then 1 when seconds <= 3600 then 2 when seconds <= 21600 then 3
        when seconds <= 86400 then 4 when seconds <= 259200 then 5 when seconds <= 864000 then 6 else 7
    end as bucket,
    count(*) filter (where is_late is not true) as in_time_count, count(*) filter (where is_late) as late_count
from spans group by bucket
"""
BUCKETS = ["≤ 1 min", "≤ 1 h", "≤ 6 h", "≤ 1 d", "≤ 3 d", "≤ 10 d", "> 10 d", "open"]
WAITING = """
with waiting as (
    select contact_masked, channel, program, begins_at, deadline_at, as_of,
        (epoch(as_of) - epoch(begins_at)) / 86400 as age_days, deadline_at < as_of as is_overdue
    from core.opt_out_spans cross join (select as_of from run.parameters)
    where kind = 'opt_out' and (processed_at is null or processed_at > as_of)
        and (? is null or channel = ?) and (? is null or date_trunc('month', begins_on) = ?)
)
"""
BY_AGE = """
select
    case when age_days < 1 then 1 when age_days < 3 then 2 when age_days < 10 then 3 when age_days < 30 then 4 else 5
    end as age_group,
    count(*) as open_count, count(*) filter (where is_overdue) as overdue_count,
    min(deadline_at) filter (where not is_overdue) as next_deadline
from waiting group by age_group order by age_group desc
"""
BY_DEADLINE = """
select contact_masked, channel, program, begins_at, deadline_at, as_of
from waiting order by deadline_at nulls last, begins_at limit ?
"""
AGES = {1: "under a day", 2: "1 to 3 days", 3: "3 to 10 days", 4: "10 to 30 days", 5: "over 30 days"}


def show() -> None:
    """Draw the page."""
    chosen = filters.chosen()
    layout.header("response", chosen)
    measures = {
        row["definition"]: row for row in snapshot.rows(MEASURES, [chosen.period, chosen.period, chosen.channel_or_all])
    }
    counted = measures.get("kaplan_meier_median", {}).get("denominator") or 0
    if not counted:
        layout.empty(texts.NOTHING_IN_PERIOD, f"No opt-out began here. {texts.WIDEN}")
    else:
        show_answer(measures, int(counted))
        show_spread(chosen)
    show_curve(chosen)
    show_months(chosen)
    show_open(chosen)
    layout.footer("Response time: from the request to the moment it was applied; open requests count as still waiting")


def show_answer(measures: dict[str, dict[str, Any]], counted: int) -> None:
    """Median, tail, share in time and what is open, as a sentence and four numbers."""

    def value(definition: str) -> float | None:
        number: float | None = measures.get(definition, {}).get("value")
        return number

    median, within = value("kaplan_meier_median"), value("share_within_deadline")
    half = f"Half of them were applied within {formats.duration(median)}" if median is not None else (
        "Fewer than half of them have been applied"
    )  # fmt: skip
    in_time = f", and {formats.share(within)} within their deadline" if within is not None else ""
    st.markdown(f"**{formats.plural(counted, 'opt-out')} in this selection. {half}{in_time}.**")
    open_count = int(value("open_count") or 0)
    oldest = f"the oldest for {formats.duration(value('oldest_open_age'))}" if open_count else "none waiting"
    tail = f"19 of 20 within {formats.duration(value('kaplan_meier_p95'))}"
    spread = measures.get("kaplan_meier_median", {})
    bounds = f"95 %: {formats.duration(spread.get('lower'))} to {formats.duration(spread.get('upper'))}"
    share = measures.get("share_within_deadline", {})
    due = formats.interval(share.get("lower"), share.get("upper"))
    due = f"95 %: {due}, of {formats.count(share.get('denominator'))} due"
    with st.grid(4, min_column_width=150, gap="small"):
        layout.card("Median", formats.duration(median), bounds if spread.get("lower") is not None else "")
        layout.card("9 of 10 within", formats.duration(value("kaplan_meier_p90")), tail)
        layout.card("Within the deadline", formats.share(within), due)
        layout.card("Still open", formats.count(open_count), oldest)


def show_spread(chosen: filters.Filters) -> None:
    """How the response times are distributed, in steps people know."""
    st.subheader("How long it took", anchor=False)
    rows = snapshot.rows(SPREAD, [chosen.channel, chosen.channel, chosen.period, chosen.period])
    found = {row["bucket"]: row for row in rows}
    in_time = [found.get(index + 1, {}).get("in_time_count", 0) for index in range(len(BUCKETS))]
    late = [found.get(index + 1, {}).get("late_count", 0) for index in range(len(BUCKETS))]
    figure = charts.stacked_columns(
        BUCKETS, [("Within the deadline", in_time, False), ("Past the deadline", late, True)]
    )
    total = sum(in_time) + sum(late)
    alt = f"{formats.plural(total, 'opt-out')} by response time; {formats.count(sum(late))} past the deadline."
    table = pandas.DataFrame({"Response time": BUCKETS, "Within the deadline": in_time, "Past the deadline": late})
    layout.chart(figure, alt, table)


def show_curve(chosen: filters.Filters) -> None:
    """The Kaplan-Meier curve of the whole record."""
    steps = snapshot.rows(CURVE, [chosen.channel_or_all])
    if not steps:
        return
    st.subheader("Share applied within a time", anchor=False)
    for step in steps:
        step["note"] = (
            f"{formats.share(step['share_processed'])} within {formats.duration(step['seconds'])} "
            f"({formats.interval(step['lower'], step['upper'])})"
        )
    st.caption("Whole record, open requests counted as still waiting. The band is the 95 % interval.")
    last = steps[-1]
    alt = f"Kaplan-Meier curve: {last['note']} at its end."
    table = pandas.DataFrame(
        {
            "Within": [formats.duration(step["seconds"]) for step in steps],
            "Share applied": [step["share_processed"] * 100 for step in steps],
            "From": [None if step["lower"] is None else step["lower"] * 100 for step in steps],
            "To": [None if step["upper"] is None else step["upper"] * 100 for step in steps],
            "At risk": [step["at_risk"] for step in steps],
        }
    )
    percent = st.column_config.NumberColumn(format="%.1f %%")
    layout.chart(charts.share_done_curve(steps), alt, table, {"Share applied": percent, "From": percent, "To": percent})


def show_months(chosen: filters.Filters) -> None:
    """Median and ninth tenth, month by month."""
    rows = snapshot.rows(MONTHS, [chosen.channel_or_all])
    if not rows:
        return
    st.subheader("Month by month", anchor=False)
    months = list(dict.fromkeys(row["period_start"] for row in rows))
    values = {(row["period_start"], row["definition"]): row for row in rows}

    def line(definition: str, name: str) -> tuple[str, list[float | None], list[str]]:
        seconds = [values.get((month, definition), {}).get("value") for month in months]
        notes = [f"{name}: {formats.duration(second)}" for second in seconds]
        return name, seconds, notes

    median, tail = line("kaplan_meier_median", "Median"), line("kaplan_meier_p90", "9 of 10 within")
    table = pandas.DataFrame(
        {
            "Requested in": [formats.month(month) for month in months],
            "Opt-outs": [int(values[(month, "kaplan_meier_median")]["denominator"] or 0) for month in months],
            "Median": [formats.duration(value) for value in median[1]],
            "9 of 10 within": [formats.duration(value) for value in tail[1]],
            "Within the deadline": [
                formats.share(values.get((month, "share_within_deadline"), {}).get("value")) for month in months
            ],
        }
    ).iloc[::-1]
    last = table.iloc[0]
    alt = f"Median response time by month, last {last['Median']}; nine of ten within {last['9 of 10 within']}."
    layout.chart(charts.durations_by_month(months, [median, tail]), alt, table)


def show_open(chosen: filters.Filters) -> None:
    """Requests that nobody has applied yet: how old, and whose deadline comes next."""
    st.subheader("Still open", anchor=False)
    parameters = [chosen.channel, chosen.channel, chosen.period, chosen.period]
    ages = snapshot.rows(WAITING + BY_AGE, parameters)
    if not ages:
        st.markdown("Nothing is waiting: every opt-out in this selection has been applied.")
        return
    total = sum(row["open_count"] for row in ages)
    overdue = sum(row["overdue_count"] for row in ages)
    past = f"{formats.count(overdue)} of them past the deadline" if overdue else "none of them past the deadline"
    st.markdown(f"**{formats.plural(total, 'opt-out is', 'opt-outs are')} still open, {past}.**")
    lines = [
        {
            "Waiting for": AGES[row["age_group"]],
            "Open": row["open_count"],
            "Past the deadline": row["overdue_count"],
            "Next deadline": formats.instant(row["next_deadline"]),
        }
        for row in ages
    ]
    layout.table(lines, "Open opt-outs by age", {"Open": formats.count, "Past the deadline": formats.count})
    rows = snapshot.rows(WAITING + BY_DEADLINE, [*parameters, OPEN_SHOWN])
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
    st.caption(f"The {len(rows)} earliest deadlines:")
    st.dataframe(table, hide_index=True, alt="Open opt-outs by deadline")


def left(deadline: datetime | None, as_of: datetime) -> str:
    """The time to a deadline, in words."""
    if deadline is None:
        return formats.MISSING
    seconds = (deadline - as_of).total_seconds()
    return formats.duration(seconds) if seconds >= 0 else f"{formats.duration(-seconds)} overdue"


show()
