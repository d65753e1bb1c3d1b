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
            "Nothing was loaded",
            "The inbox was empty. Put the delivered files in `inbox/`, then run:",
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
        f"**{formats.plural(sums['read_count'], 'record')} read from {formats.plural(sums['file_count'], 'file')}: "
        f"{formats.count(sums['accepted_count'])} accepted, {formats.plural(sums['duplicate_count'], 'duplicate')}, "
        f"{formats.count(sums['quarantined_count'])} in quarantine.** "
        + ("Every record is accounted for." if sums["is_accounted"] else ":red[Some records are not accounted for.]")
        + (f" {formats.plural(left_out, 'record')} later than the run's end of data are left out." if left_out else "")
    )


def show_inputs() -> None:
    """Every file that was loaded, with what became of its rows and the digest of its bytes."""
    st.header("What was loaded", anchor=False)
    layout.frame(
        snapshot.frame(INPUTS),
        "Loaded files: records read are the sum of accepted, duplicate and quarantined",
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
    st.header("What the sources cannot know", anchor=False)
    lines = [f"- **{texts.plain(row['source'])}:** {texts.plain(row['limits'])}" for row in sources if row["limits"]]
    st.markdown("\n".join(lines) or "No source has a known blind spot.")
    classless = sum(row["unknown_class_count"] for row in sources)
    if classless:
        messages = sum(row["message_count"] for row in sources)
        st.markdown(f"**{classless:,} of {messages:,} messages have no class and are audited as marketing.**")
    skewed = sum(row["clock_skew_count"] for row in sources)
    if skewed:
        st.markdown(
            f"**{formats.plural(skewed, 'consent event')} recorded as processed before the request:** counted as"
            " processed at once. Compare the clocks of the systems that wrote them."
        )
    layout.frame(
        snapshot.frame(SOURCES),
        "Sources with their records and what they cannot know",
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
    st.header("Validation", anchor=False)
    rows = snapshot.frame(VALIDATION)
    if rows.empty:
        st.markdown("No expectation was checked.")
        return
    failed = int((~rows["success"].astype(bool)).sum())
    st.markdown(
        f"{formats.plural(len(rows), 'expectation')} checked before publishing: "
        + (f"**{formats.plural(failed, 'was', 'were')} not met**." if failed else "all met.")
    )
    rows["success"] = rows["success"].map({True: "met", False: "not met"})
    with st.expander("Every expectation, with what it checked", expanded=failed > 0):
        layout.frame(
            rows,
            "Expectations and their results, those not met first",
            {
                "success": "Result", "description": "Expectation", "relation": "Relation", "kind": "Kind",
                "checked_count": NUMBER("Checked", format="localized"),
                "unexpected_count": NUMBER("Unexpected", format="localized"), "expectation": "Name",
            },
        )  # fmt: skip


def show_restated() -> None:
    """What became of the numbers that the run before reported, in a sentence, and the way to all of them."""
    st.header("Restatements", anchor=False)
    history = snapshot.rows(HISTORY)
    if len(history) < 2:
        st.markdown(words.FIRST_RUN)
        return
    now, then = history[:2]
    changes = snapshot.one(CHANGES) if snapshot.has("run.changes") else None
    if changes is not None:
        restated, count = changes["gone_count"] or 0, changes["then_count"] or 0
        of_them = formats.plural(count, "number")
        st.markdown(
            words.RESTATED.format(restated=formats.count(restated), count=of_them, are="is" if restated == 1 else "are")
            if restated
            else words.STANDS.format(count=of_them)
        )
    st.markdown(
        words.SINCE.format(
            then=formats.instant(then["as_of"]),
            violations=difference(then["violation_count"], now["violation_count"]),
            rate=then_and_now(formats.share(then["opt_out_rate"]), formats.share(now["opt_out_rate"])),
            verdict=then_and_now(then["verdict"], now["verdict"]),
        )
    )
    page = texts.PAGES["restated"]
    st.page_link(page.file, label=page.title, icon=page.icon)


def then_and_now(then: str, now: str) -> str:
    """Two values in words: still Fail; 1.2 % then, 1.3 % now."""
    return f"still {now}" if then == now else f"{then} then, {now} now"


def difference(then: int | None, now: int | None) -> str:
    """Violations of two runs in words: 3 violations more (483 then, 486 now)."""
    before, after = then or 0, now or 0
    if before == after:
        return f"still {formats.plural(after, 'violation')}"
    more = f"{formats.plural(abs(after - before), 'violation')} {'more' if after > before else 'fewer'}"
    return f"{more} ({formats.count(before)} then, {formats.count(after)} now)"


def show_run() -> None:
    """The steps of this run, and the runs before it."""
    steps = snapshot.rows(STEPS)
    st.header("This run, and those before", anchor=False)
    if steps:
        total = sum(row["seconds"] or 0 for row in steps)
        st.markdown(f"{len(steps)} steps in {total:.1f} seconds.")
        lines = [
            {"Step": texts.humanise(row["step"]), "Seconds": row["seconds"], "Rows": row["row_count"]} for row in steps
        ]
        layout.table(lines, "Steps of this run", {"Seconds": formats.seconds, "Rows": formats.count})
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
    layout.table(runs, "Published runs, newest first", writers)
    if history[RUNS_SHOWN:]:
        st.caption(f"The newest {RUNS_SHOWN} of {formats.plural(len(history), 'run')}.")


show()
