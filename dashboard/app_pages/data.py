"""What do these numbers rest on? Whether the evidence is complete, what was set aside, checked, loaded and restated."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard import coverage, formats, layout, quarantined, snapshot, texts
from dashboard.words import data as words

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
            "source": "Source", "file": "File", "read_count": NUMBER("Read", format="localized"),
            "accepted_count": NUMBER("Accepted", format="localized"),
            "duplicate_count": NUMBER("Duplicate", format="localized"),
            "quarantined_count": NUMBER("Quarantined", format="localized"), "is_new": "New",
            "first_record_at": WHEN("First record", format="D MMM YYYY"),
            "last_record_at": WHEN("Last record", format="D MMM YYYY"), "connector": "Connector",
            "loaded_at": WHEN("Loaded (UTC)", format="D MMM YYYY, HH:mm"),
            "size_bytes": NUMBER("Size", format="bytes"), "sha256": "SHA-256", "load_id": "Load",
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
            "source": "Source", "connectors": "Connectors", "message_count": NUMBER("Messages", format="localized"),
            "consent_event_count": NUMBER("Consent events", format="localized"),
            "inbound_message_count": NUMBER("Replies", format="localized"),
            "contact_count": NUMBER("Contacts", format="localized"),
            "unmatched_contact_count": NUMBER("Unmatched contacts", format="localized"),
            "unknown_class_count": NUMBER("Messages without class", format="localized"),
            "clock_skew_count": NUMBER("Processed before asked", format="localized"),
            "first_record_at": WHEN("First record", format="D MMM YYYY"),
            "last_record_at": WHEN("Last record", format="D MMM YYYY"), "timezone": "Time zone",
            "limits": "Cannot know",
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
    rows["success"] = rows["success"].map({True: "met", False: words.RESULT_NOT_MET})
    with st.expander(words.EXPECTATIONS, expanded=failed > 0):
        layout.frame(
            rows,
            words.EXPECTATIONS_ALT,
            {
                "success": "Result", "description": "Expectation", "relation": "Relation", "kind": "Kind",
                "checked_count": NUMBER("Checked", format="localized"),
                "unexpected_count": NUMBER("Unexpected", format="localized"), "expectation": "Name",
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
            {"Step": texts.humanise(row["step"]), "Seconds": row["seconds"], "Rows": row["row_count"]} for row in steps
        ]
        layout.table(lines, words.STEPS_ALT, {"Seconds": formats.seconds, "Rows": formats.count})
    history = snapshot.rows(HISTORY)
    runs = [
        {
            "Data up to": formats.day(row["as_of"]).replace(" ", formats.GAP),
            "Verdict": layout.verdict_badge(row["verdict"]),
            "Violations": row["violation_count"],
            "Messages": row["message_count"],
            "Opt-out rate": row["opt_out_rate"],
            "Trend": texts.plain(row["opt_out_trend"]) or formats.MISSING,
            "Response time": formats.duration(row["response_time_seconds"]),
            "Run": row["run_id"],
        }
        for row in history[:RUNS_SHOWN]
    ]
    writers = {"Violations": formats.count, "Messages": formats.count, "Opt-out rate": formats.share}
    layout.table(runs, words.RUNS_ALT, writers)
    if history[RUNS_SHOWN:]:
        st.caption(words.NEWEST.format(newest=RUNS_SHOWN, runs=formats.Counted(len(history))))


show()
