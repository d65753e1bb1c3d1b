"""What do these numbers rest on? Whether the evidence is complete, what was set aside, checked, loaded and restated."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import coverage, layout, quarantined, snapshot
from dashboard.words import data as words
from dashboard.words import formats, heads, texts

SUMS = """
select
    count(*) as file_count, coalesce(sum(read_count), 0)::bigint as read_count,
    coalesce(sum(accepted_count), 0)::bigint as accepted_count,
    coalesce(sum(duplicate_count), 0)::bigint as duplicate_count,
    coalesce(sum(quarantined_count), 0)::bigint as quarantined_count,
    coalesce(bool_and(read_count = accepted_count + duplicate_count + quarantined_count), true) as is_accounted,
    (select excluded_after_as_of from run.parameters) as excluded_count
from run.inputs
"""
INPUTS = """
select source, file, read_count, accepted_count, duplicate_count, quarantined_count, is_new, first_record_at,
    last_record_at, connector, loaded_at, size_bytes, sha256, load_id
from run.inputs order by loaded_at desc, source, file
"""
SOURCES = """
select source, connectors, message_count, consent_event_count, inbound_message_count, contact_count,
    unmatched_contact_count, unknown_class_count, clock_skew_count, first_record_at, last_record_at, timezone, limits
from run.sources order by source
"""
VALIDATION = """
select success, description, relation, kind, checked_count, unexpected_count, expectation from validation.results
order by success, kind, expectation
"""
STEPS = "select step, seconds, row_count from run.steps order by position"
HISTORY = """
select as_of, verdict, violation_count, message_count, opt_out_rate, opt_out_trend, response_time_seconds, run_id
from run.history order by started_at desc
"""
CHANGES = "select then_count, gone_count from run.changes where what = 'restated_numbers'"
RUNS_SHOWN = 20
NUMBER = st.column_config.NumberColumn
WHEN = st.column_config.DatetimeColumn


def show() -> None:
    """Draw the page."""
    layout.header("data")
    sums = snapshot.one(SUMS) or {}
    if not sums.get("file_count"):
        layout.empty(
            words.NOTHING,
            words.NOTHING_BODY,
            snapshot.command_for("run"),
        )
    else:
        show_sums(sums)
        coverage.show_answer()
        coverage.show_coverage()
        quarantined.show()
        show_sources()
        show_validation()
        show_inputs()
    show_restated()
    show_run()
    layout.footer()


def show_sums(sums: dict[str, Any]) -> None:
    """How much arrived and what became of it: every record is somewhere."""
    left_out = sums["excluded_count"]
    st.markdown(
        words.SUMS.format(
            records=formats.Counted(sums["read_count"]),
            files=formats.Counted(sums["file_count"]),
            accepted=formats.count(sums["accepted_count"]),
            duplicates=formats.Counted(sums["duplicate_count"]),
            quarantined=formats.count(sums["quarantined_count"]),
        )
        + (words.ALL_ACCOUNTED if sums["is_accounted"] else words.NOT_ACCOUNTED)
        + (words.LATER.format(records=formats.Counted(left_out)) if left_out else "")
    )


def show_inputs() -> None:
    """Every file that was loaded, with what became of its rows and the digest of its bytes."""
    st.header(words.LOADED, anchor=False)
    layout.frame(
        snapshot.frame(INPUTS),
        words.LOADED_ALT,
        {
            "source": heads.SOURCE, "file": heads.FILE, "read_count": NUMBER(heads.READ, format="localized"),
            "accepted_count": NUMBER(heads.ACCEPTED, format="localized"),
            "duplicate_count": NUMBER(heads.DUPLICATE, format="localized"),
            "quarantined_count": NUMBER(heads.QUARANTINED, format="localized"), "is_new": heads.NEW,
            "first_record_at": WHEN(heads.FIRST_RECORD, format=formats.DAYS_SHOWN),
            "last_record_at": WHEN(heads.LAST_RECORD, format=formats.DAYS_SHOWN), "connector": heads.CONNECTOR,
            "loaded_at": WHEN(heads.LOADED_UTC, format=formats.MINUTES_SHOWN),
            "size_bytes": NUMBER(heads.SIZE, format="bytes"), "sha256": heads.SHA256, "load_id": heads.LOAD,
        },
    )  # fmt: skip


def show_sources() -> None:
    """Each source with what it cannot know."""
    sources = snapshot.rows(SOURCES)
    if not sources:
        return
    st.header(words.SOURCES, anchor=False)
    lines = [f"- **{texts.plain(row['source'])}:** {texts.plain(row['limits'])}" for row in sources if row["limits"]]
    st.markdown("\n".join(lines) or words.NO_BLIND_SPOT)
    classless = sum(row["unknown_class_count"] for row in sources)
    if classless:
        messages = sum(row["message_count"] for row in sources)
        st.markdown(words.NO_CLASS.format(no_class=classless, all=messages))
    skewed = sum(row["clock_skew_count"] for row in sources)
    if skewed:
        st.markdown(words.SKEWED.format(consent_events=formats.Counted(skewed)))
    layout.frame(
        snapshot.frame(SOURCES),
        words.SOURCES_ALT,
        {
            "source": heads.SOURCE, "connectors": heads.CONNECTORS, "message_count": NUMBER(heads.MESSAGES,
            format="localized"),
            "consent_event_count": NUMBER(heads.CONSENT_EVENTS, format="localized"),
            "inbound_message_count": NUMBER(heads.REPLIES, format="localized"),
            "contact_count": NUMBER(heads.CONTACTS, format="localized"),
            "unmatched_contact_count": NUMBER(heads.UNMATCHED_CONTACTS, format="localized"),
            "unknown_class_count": NUMBER(heads.MESSAGES_WITHOUT_CLASS, format="localized"),
            "clock_skew_count": NUMBER(heads.PROCESSED_BEFORE_ASKED, format="localized"),
            "first_record_at": WHEN(heads.FIRST_RECORD, format=formats.DAYS_SHOWN),
            "last_record_at": WHEN(heads.LAST_RECORD, format=formats.DAYS_SHOWN), "timezone": heads.TIME_ZONE,
            "limits": heads.CANNOT_KNOW,
        },
    )  # fmt: skip


def show_validation() -> None:
    """What was checked before publishing."""
    st.header(words.VALIDATION, anchor=False)
    rows = snapshot.frame(VALIDATION)
    if rows.empty:
        st.markdown(words.NOTHING_CHECKED)
        return
    failed = int((~rows["success"].astype(bool)).sum())
    st.markdown(
        words.CHECKED.format(expectations=formats.Counted(len(rows)))
        + (words.NOT_MET.format(failed=formats.Counted(failed)) if failed else words.ALL_MET)
    )
    rows["success"] = rows["success"].map(words.RESULTS)
    with st.expander(words.EXPECTATIONS, expanded=failed > 0):
        layout.frame(
            rows,
            words.EXPECTATIONS_ALT,
            {
                "success": heads.RESULT, "description": heads.EXPECTATION, "relation": heads.RELATION,
                "kind": heads.KIND,
                "checked_count": NUMBER(heads.CHECKED, format="localized"),
                "unexpected_count": NUMBER(heads.UNEXPECTED, format="localized"), "expectation": heads.NAME,
            },
        )  # fmt: skip


def show_restated() -> None:
    """What became of the numbers that the run before reported, in a sentence, and the way to all of them."""
    st.header(words.RESTATEMENTS, anchor=False)
    history = snapshot.rows(HISTORY)
    if len(history) < 2:
        st.markdown(words.FIRST_RUN)
        return
    now, then = history[:2]
    changes = snapshot.one(CHANGES) if snapshot.has("run.changes") else None
    if changes is not None:
        restated, count = changes["gone_count"] or 0, changes["then_count"] or 0
        told = words.RESTATED if restated else words.STANDS
        st.markdown(told.format(restated=formats.Counted(restated), count=formats.Counted(count)))
    st.markdown(
        words.SINCE.format(
            then=formats.instant(then["as_of"]),
            violations=words.difference(then["violation_count"], now["violation_count"]),
            rate=words.then_and_now(formats.share(then["opt_out_rate"]), formats.share(now["opt_out_rate"])),
            verdict=words.then_and_now(then["verdict"], now["verdict"]),
        )
    )
    page = texts.PAGES["restated"]
    st.page_link(page.file, label=page.title, icon=page.icon)


def show_run() -> None:
    """The steps of this run, and the runs before it."""
    steps = snapshot.rows(STEPS)
    st.header(words.RUNS, anchor=False)
    if steps:
        total = sum(row["seconds"] or 0 for row in steps)
        st.markdown(words.STEPS.format(steps=len(steps), seconds=total))
        lines = [
            {heads.STEP: texts.humanise(row["step"]), heads.SECONDS: row["seconds"], heads.ROWS: row["row_count"]}
            for row in steps
        ]
        layout.table(lines, words.STEPS_ALT, {heads.SECONDS: formats.seconds, heads.ROWS: formats.count})
    history = snapshot.rows(HISTORY)
    runs = [
        {
            heads.DATA_UP_TO: formats.day(row["as_of"]).replace(" ", formats.GAP),
            heads.VERDICT: layout.verdict_badge(row["verdict"]),
            heads.VIOLATIONS: row["violation_count"],
            heads.MESSAGES: row["message_count"],
            heads.OPT_OUT_RATE: row["opt_out_rate"],
            heads.TREND: texts.plain(row["opt_out_trend"]) or formats.MISSING,
            heads.RESPONSE_TIME: formats.duration(row["response_time_seconds"]),
            heads.RUN: row["run_id"],
        }
        for row in history[:RUNS_SHOWN]
    ]
    writers = {heads.VIOLATIONS: formats.count, heads.MESSAGES: formats.count, heads.OPT_OUT_RATE: formats.share}
    layout.table(runs, words.RUNS_ALT, writers)
    if history[RUNS_SHOWN:]:
        st.caption(words.NEWEST.format(newest=RUNS_SHOWN, runs=formats.Counted(len(history))))


show()
