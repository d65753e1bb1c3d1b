"""How fast is an opt-out applied? The answer, its curve, who waits longer, what is open, who had to ask again."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pandas
import streamlit as st

from dashboard import access, charts, filters, layout, response_groups, slow_stretches, snapshot
from dashboard.words import access_texts, formats, heads, texts
from dashboard.words import response as words

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
        layout.empty(texts.NOTHING_IN_PERIOD, words.NOTHING)
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
        layout.older(words.OLDER)
    layout.footer(words.DEFINITION)


def number(measures: Measures, definition: str, part: str = "value") -> float | None:
    """A part of one measurement; None where there is none."""
    found: float | None = measures.get(definition, {}).get(part)
    return found


def show_answer(measures: Measures) -> None:
    """Median, tail, share in time and what is open, as a sentence and four numbers; and what the plain mean hides."""
    counted = int(number(measures, "kaplan_meier_median", "denominator") or 0)
    median, within = number(measures, "kaplan_meier_median"), number(measures, "share_within_deadline")
    half = words.HALF.format(median=formats.duration(median)) if median is not None else words.FEWER_THAN_HALF
    in_time = words.IN_TIME.format(within=formats.share(within)) if within is not None else ""
    st.markdown(words.ANSWER.format(opt_outs=formats.Counted(counted), half=half, in_time=in_time))
    open_count = int(number(measures, "open_count") or 0)
    oldest = (
        words.OLDEST.format(age=formats.duration(number(measures, "oldest_open_age")))
        if open_count
        else words.NONE_WAITING
    )
    tail = words.TAIL.format(p95=formats.duration(number(measures, "kaplan_meier_p95")))
    due = int(number(measures, "share_within_deadline", "denominator") or 0)
    in_time_note = words.BOUNDS_DUE.format(bounds=bounds(measures, "share_within_deadline"), due=formats.count(due))
    with st.grid(4, min_column_width=150, gap="small"):
        layout.card(words.MEDIAN, formats.duration(median), time_bounds(measures, "kaplan_meier_median"))
        layout.card(words.NINE_OF_TEN, formats.duration(number(measures, "kaplan_meier_p90")), tail)
        layout.card(words.WITHIN_DEADLINE, formats.share(within), in_time_note)
        layout.card(words.STILL_OPEN, formats.count(open_count), oldest)
    st.markdown(means(measures))


def bounds(measures: Measures, definition: str) -> str:
    """The 95 % interval of a share in words."""
    return formats.interval(number(measures, definition, "lower"), number(measures, definition, "upper"))


def time_bounds(measures: Measures, definition: str) -> str:
    """The 95 % interval of a time in words; nothing where there is none."""
    lower, upper = number(measures, definition, "lower"), number(measures, definition, "upper")
    if lower is None:
        return ""
    first, last = formats.duration(lower), words.NOT_REACHED if upper is None else formats.duration(upper)
    return words.ABOUT.format(first=first) if first == last else words.BETWEEN.format(first=first, last=last)


def means(measures: Measures) -> str:
    """The plain mean beside the one that counts open requests in, and what the difference is."""
    plain, whole = number(measures, "mean_completed"), number(measures, "restricted_mean")
    processed = int(number(measures, "kaplan_meier_median", "numerator") or 0)
    waiting = int(number(measures, "open_count") or 0)
    if plain is None or whole is None:
        return words.NONE_APPLIED.format(whole=formats.duration(whole))
    if not waiting:
        return words.NOTHING_OPEN.format(plain=formats.duration(plain))
    told = words.MEAN_OF_APPLIED.format(processed=formats.count(processed), plain=formats.duration(plain))
    told += words.LEAVES_OUT.format(waiting=formats.count(waiting))
    if whole <= plain * 1.01:
        return words.NO_DIFFERENCE.format(told=told, whole=formats.duration(whole))
    longer = (
        words.TIMES_AS_LONG.format(times=whole / plain)
        if whole >= 2 * plain
        else words.LONGER_BY.format(share=whole / plain - 1)
    )
    longer = longer if plain else words.LONGER
    return words.FLATTERS.format(
        told=told, whole=formats.duration(whole), longer=longer.replace("%", f"{formats.GAP}%")
    )


def show_within(measures: Measures) -> None:
    """The share applied within the times people ask about."""
    if "share_within_1_hour" not in measures:
        return
    st.header(words.APPLIED_WITHIN, anchor=False)
    shares, lines = [], []
    for definition, label in words.WITHIN.items():
        row = measures[definition]
        of = formats.part(row["numerator"], row["denominator"])
        of += words.DUE if definition == "share_within_deadline" else ""
        note = f"{label}: {formats.share(row['value'])} ({formats.interval(row['lower'], row['upper'])}), {of}"
        shares.append(charts.Share(label, row["value"], row["lower"], row["upper"], note))
        lines.append({heads.WITHIN: label, **percents(row, "value", "lower", "upper"), heads.COUNTED: of})
    alt = words.WITHIN_ALT.format(first=shares[0].note)
    columns = dict.fromkeys((heads.SHARE, heads.FROM, heads.TO), PERCENT)
    layout.chart(charts.share_bars(shares), alt, pandas.DataFrame(lines), columns)
    st.caption(words.WITHIN_COUNTED)


def percents(row: dict[str, Any], *names: str) -> dict[str, float | None]:
    """A share and its interval in percent, as columns of a table."""
    values = [row[name] for name in names]
    return {
        column: None if value is None else value * 100
        for column, value in zip((heads.SHARE, heads.FROM, heads.TO), values, strict=True)
    }


def show_curve(chosen: filters.Filters) -> None:
    """The Kaplan-Meier curve of the whole record."""
    steps = snapshot.rows(CURVE, [chosen.channel_or_all])
    if not steps:
        return
    st.header(words.CURVE, anchor=False)
    for step in steps:
        step["note"] = words.CURVE_NOTE.format(
            share=formats.share(step["share_processed"]),
            time=formats.duration(step["seconds"]),
            interval=formats.interval(step["lower"], step["upper"]),
        )
    st.caption(words.CURVE_COUNTED)
    alt = words.CURVE_ALT.format(note=steps[-1]["note"])
    table = pandas.DataFrame(
        [
            {
                heads.WITHIN: formats.duration(step["seconds"]),
                **percents(step, "share_processed", "lower", "upper"),
                heads.AT_RISK: step["at_risk"],
            }
            for step in steps
        ]
    )
    layout.chart(
        charts.share_done_curve(steps), alt, table, dict.fromkeys((heads.SHARE, heads.FROM, heads.TO), PERCENT)
    )


def show_open(chosen: filters.Filters) -> None:
    """Requests that nobody has applied yet: how old, and whose deadline comes next."""
    st.header(words.STILL_OPEN, anchor=False)
    ages = snapshot.rows(AGES, [chosen.channel_or_all])
    if not ages:
        st.markdown(words.NOTHING_WAITING)
        return
    total, overdue, withdrawn = (
        sum(row[name] for row in ages) for name in ("open_count", "past_deadline_count", "withdrawn_count")
    )
    coming = min((row["next_deadline_at"] for row in ages if row["next_deadline_at"]), default=None)
    past = words.OVERDUE.format(overdue=formats.count(overdue)) if overdue else words.NONE_OVERDUE
    following = words.NEXT_DEADLINE.format(coming=formats.instant(coming)) if coming else ""
    st.markdown(words.OPEN.format(opt_outs=formats.Counted(total), past=past, following=following))
    if withdrawn:
        told = words.WITHDRAWN.format(contacts=formats.Counted(withdrawn))
        st.caption(words.NOTHING_TO_APPLY.format(told=told))
    lines = [
        {
            heads.WAITING_FOR: row["age"],
            heads.OPEN: row["open_count"],
            heads.PAST_THE_DEADLINE: row["past_deadline_count"],
            heads.NEXT_DEADLINE: formats.instant(row["next_deadline_at"]),
        }
        for row in ages
    ]
    layout.table(lines, words.AGES_ALT, {heads.OPEN: formats.count, heads.PAST_THE_DEADLINE: formats.count})
    if not access.may("see_contacts"):
        st.caption(access_texts.NOT_FOR_ROLE)
        return
    rows = snapshot.rows(WAITING, [chosen.channel, chosen.channel, OPEN_SHOWN])
    if not rows:
        return
    table = pandas.DataFrame(
        [
            {
                heads.CONTACT: row["contact_masked"],
                heads.CHANNEL: texts.channel(row["channel"]),
                heads.PROGRAM: texts.program(row["program"]),
                heads.REQUESTED: formats.instant(row["begins_at"]),
                heads.DEADLINE: formats.instant(row["deadline_at"]),
                heads.LEFT: left(row["deadline_at"], row["as_of"]),
            }
            for row in rows
        ]
    )
    st.caption(words.TO_APPLY_FIRST.format(shown=len(rows), all=formats.count(total - withdrawn)))
    layout.frame(table, words.DEADLINES_ALT)


def left(deadline: datetime | None, as_of: datetime) -> str:
    """The time to a deadline, in words."""
    if deadline is None:
        return formats.MISSING
    seconds = (deadline - as_of).total_seconds()
    return formats.duration(seconds) if seconds >= 0 else words.OVERDUE_BY.format(time=formats.duration(-seconds))


def show_repeats(chosen: filters.Filters) -> None:
    """How often people had to ask."""
    st.header(words.REPEATS, anchor=False)
    rows = snapshot.rows(REPEATS, [chosen.channel_or_all])
    total = sum(row["span_count"] for row in rows if row["method"] == "*")
    again = sum(row["span_count"] for row in rows if row["method"] == "*" and row["asked_count"] > 1)
    if not total:
        st.markdown(words.NO_OPT_OUT)
        return
    most = max(row["asked_count"] for row in rows)
    if not again:
        st.markdown(words.NOBODY_AGAIN.format(opt_outs=formats.Counted(total)))
        return
    share = formats.share(again / total)
    st.markdown(words.AGAIN.format(again=formats.count(again), opt_outs=formats.Counted(total), share=share, most=most))
    methods: dict[str, dict[int, int]] = {}
    for row in rows:
        if row["method"] != "*":
            methods.setdefault(row["method"], {})[min(row["asked_count"], 4)] = (
                methods.get(row["method"], {}).get(min(row["asked_count"], 4), 0) + row["span_count"]
            )
    lines = [
        {
            heads.FIRST_ASKED_BY: heads.NOT_RECORDED if method == "unknown" else texts.humanise(method),
            heads.ONCE: counts.get(1, 0),
            heads.TWICE: counts.get(2, 0),
            heads.THREE_TIMES: counts.get(3, 0),
            heads.MORE_OFTEN: counts.get(4, 0),
        }
        for method, counts in sorted(methods.items(), key=lambda one: -sum(n for k, n in one[1].items() if k > 1))
    ]
    numbers = dict.fromkeys((heads.ONCE, heads.TWICE, heads.THREE_TIMES, heads.MORE_OFTEN), formats.count)
    layout.table(lines, words.REPEATS_ALT, numbers)
    st.caption(words.REPEATS_COUNTED)


show()
