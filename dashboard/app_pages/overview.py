"""Are we all right? The answer in a sentence, what changed, and what to do next; made to be read in ten seconds."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import streamlit as st

from dashboard import access, layout, next_steps, snapshot
from dashboard.next_steps import State
from dashboard.words import formats, texts
from dashboard.words import overview as words

WHOLE = """
select verdict, violation_count, message_count, reasons from metrics.verdicts
where period_start is null and channel = '*' and source = '*'
"""
# The last month that is over, and the one before it.
MONTHS = """
select v.period_start, v.verdict, v.violation_count from metrics.verdicts as v cross join run.parameters as p
where v.channel = '*' and v.source = '*'
    and v.period_start < cast(date_trunc('month', timezone(p.report_timezone, p.as_of)) as date)
order by v.period_start desc limit 2
"""
HEADLINE = """
select metric, label, value, display, period_label, previous_value, previous_display, sentence
from metrics.headline order by position
"""
HISTORY = "select run_id, as_of, started_at, verdict, violation_count from run.history order by started_at, run_id"
CHANGES = "select * from run.changes order by what, name"
TREND = "select * from metrics.trends where channel = '*'"
LEVELS = "select * from metrics.change_points where channel = '*' order by starts_on"
YEAR = "select * from metrics.year_over_year where channel = '*' order by month desc limit 1"
STRETCH = "select * from metrics.slow_stretches where channel = '*' order by last_on desc limit 1"
SILENT = (
    "select source, last_on, gap_days from metrics.silences where resumes_on is null order by gap_days desc, source"
)
FOUND = """
select rule, severity, finding_count, violation_count, contact_count from metrics.finding_counts
where period_start is null and channel = '*' and finding_class = '*' order by rule
"""
OPEN = """
select coalesce(sum(open_count), 0)::bigint as open_count,
    coalesce(sum(past_deadline_count), 0)::bigint as late_count, min(oldest_begins_at) as oldest
from metrics.open_requests where channel = '*'
"""
WAIVERS = "select count(*) as waiver_count from audits.waivers where status <> 'applied'"
RECORD = """
select (select coalesce(sum(row_count), 0)::bigint from run.quarantine) as quarantined_rows,
    (select count(*) from run.sources where limits <> '') as limited_sources
"""
# Of the last month that is over where one stands out there, else of the whole record.
CAMPAIGNS = """
select c.campaign_id, c.name, c.channel, c.ratio, c.period_start from metrics.campaigns as c
cross join run.parameters as p
where c.is_alert and (c.period_start is null
    or c.period_start = date_trunc('month', timezone(p.report_timezone, p.as_of)) - interval 1 month)
qualify c.period_start is not distinct from max(c.period_start) over ()
order by c.excess_opt_outs desc, c.campaign_id
"""
REASONS = "select reason, weeks_used from metrics.reason_trends where channel = '*' and direction = 1 order by q_value"
PRESSURE = """
select * from metrics.breakdown_tests where grain = 'all' and channel = '*' and dimension = 'messages_7_days'
"""


def show() -> None:
    """Draw the page."""
    layout.header("overview")
    verdict = snapshot.one(WHOLE)
    headline = {row["metric"]: row for row in snapshot.rows(HEADLINE)}
    found = known("metrics.finding_counts", FOUND)
    if verdict is not None:
        show_answer(verdict, found)
    if verdict is None or not verdict["message_count"]:
        layout.empty(words.NO_MESSAGE, texts.FIRST_RUN, snapshot.command_for("run"))
    left, right = st.columns(2, gap="large")
    with left:
        show_changes(headline)
    with right:
        show_steps(found, is_empty=verdict is None or not verdict["message_count"])
    show_numbers(headline)
    layout.footer()


def known(relation: str, sql: str) -> list[dict[str, Any]]:
    """Rows of a query on a relation; none where an earlier version did not publish it."""
    return snapshot.rows(sql) if snapshot.has(relation) else []


def first(relation: str, sql: str) -> dict[str, Any] | None:
    """The first row of a query on a relation that may not be there."""
    return next(iter(known(relation, sql)), None)


def show_answer(verdict: dict[str, Any], found: list[dict[str, Any]]) -> None:
    """The verdict as an answer, its reason, and the last month beside the one before."""
    with st.container(border=True, gap="small"):
        st.header(words.answer(verdict), anchor=False)
        st.markdown(" ".join(filter(None, [words.reason(verdict), words.worst_rules(found)])))
        months = snapshot.rows(MONTHS)
        recent = words.month_against(*[*months, None, None][:2])
        if recent:
            st.markdown(recent)
        if access.may_open("audit"):
            page = texts.PAGES["audit"]
            st.page_link(page.file, label=words.VERDICT_BY, icon=page.icon)


def show_changes(headline: dict[str, dict[str, Any]]) -> None:
    """What is otherwise than in the run before, then than in the month before."""
    st.header(words.CHANGED, anchor=False)
    history, changes = snapshot.rows(HISTORY), known("run.changes", CHANGES)
    silent = words.silence(known("metrics.silences", SILENT))
    said = [*words.since_last_run(history, changes), *([silent] if silent else [])]
    if len(history) > 1:
        then = words.before(history, changes)
        st.markdown(words.SINCE_RUN.format(as_of=formats.instant(then["as_of"])))
    st.markdown("\n".join(f"- {sentence}" for sentence in said))
    as_of = snapshot.published().as_of.astimezone(UTC).date()
    tested = words.beyond_chance(
        first("metrics.trends", TREND), known("metrics.change_points", LEVELS),
        first("metrics.year_over_year", YEAR), as_of,
    )  # fmt: skip
    rate = words.rate(headline.get("opt_out_rate"))
    month = [
        f"{rate} {tested or ''}" if rate else None,
        words.response(headline.get("response_time")),
        words.slow(first("metrics.slow_stretches", STRETCH), as_of),
    ]
    if any(month):
        st.markdown(words.SINCE_MONTH)
        st.markdown("\n".join(f"- {sentence}" for sentence in month if sentence))


def show_steps(found: list[dict[str, Any]], *, is_empty: bool) -> None:
    """At most five links, the most pressing first, each with whom or what it concerns.

    Where no message is on record and nothing presses there are none: what to do is said above.
    """
    known_state = state(found)
    if is_empty and known_state == State():
        return
    st.header(words.NEXT, anchor=False)
    for step in next_steps.steps(known_state, access.may_open):
        page = texts.PAGES[step.page]
        with st.container(gap=None):
            st.page_link(page.file, label=step.label, icon=page.icon, query_params=dict(step.query) or None)
            if step.concerns:
                st.caption(step.concerns)


def state(found: list[dict[str, Any]]) -> State:
    """The published numbers that steps are made of."""
    opened = first("metrics.open_requests", OPEN) or {}
    record = snapshot.one(RECORD) or {}
    return State(
        found=tuple(found),
        open_count=opened.get("open_count") or 0,
        late_count=opened.get("late_count") or 0,
        oldest=opened.get("oldest"),
        broken_waivers=(first("audits.waivers", WAIVERS) or {}).get("waiver_count") or 0,
        silent_sources=len({row["source"] for row in known("metrics.silences", SILENT)}),
        quarantined_rows=record.get("quarantined_rows") or 0,
        limited_sources=record.get("limited_sources") or 0,
        campaigns=tuple(known("metrics.campaigns", CAMPAIGNS)),
        rising_reasons=tuple(known("metrics.reason_trends", REASONS)),
        pressure=first("metrics.breakdown_tests", PRESSURE),
    )


def show_numbers(headline: dict[str, dict[str, Any]]) -> None:
    """The three headline numbers, small, each with its sentence."""
    st.header(words.NUMBERS, anchor=False)
    with st.grid(3, min_column_width=240, gap="small"):
        for number in headline.values():
            note = words.NUMBER_NOTE.format(
                period=texts.plain(number["period_label"]), sentence=texts.plain(number["sentence"])
            )
            layout.card(number["label"], number["display"], note, number["previous_display"])


show()
