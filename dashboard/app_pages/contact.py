"""What happened to this contact? Spans, messages and consent events in time order, in words, drawn and listed."""

from __future__ import annotations

import re
from typing import Any

import pandas
import streamlit as st

from dashboard import charts, formats, layout, snapshot, texts
from dashboard.charts import Mark

EVENTS = """
with findings as (
    select source, coalesce(message_id, event_id) as record_id, list(finding_class order by finding_class) as classes,
        bool_or(waived_by is null and severity in ('critical', 'high')) as is_violation
    from audits.findings where contact_key = ? group by all
)
select
    timeline.contact_masked, timeline.occurred_at, timeline.kind, timeline.channel, timeline.program,
    timeline.campaign_id, timeline.what, timeline.status, timeline.processed_at, timeline.method, timeline.actor,
    timeline.source, timeline.record_id, timeline.load_id, timeline.row_number, findings.classes,
    coalesce(findings.is_violation, false) as is_violation
from core.timeline
left join findings on findings.source = timeline.source and findings.record_id = timeline.record_id
where timeline.contact_key = ?
order by timeline.occurred_at, timeline.kind, timeline.record_id
"""
SPANS = """
select kind, channel, program, begins_at, processed_at, ends_at, deadline_at, method, repeat_count, reason
from core.opt_out_spans where contact_key = ? order by begins_at
"""
LANES = {"message": "Messages", "consent_event": "Consent events", "inbound_message": "Replies"}
AS_OF = "select as_of from run.parameters"


def show() -> None:
    """Draw the page."""
    findings = texts.PAGES["findings"]
    st.page_link(findings.file, label="Back to the findings", icon=":material/arrow_back:")
    layout.header("contact")
    text = st.text_input(
        "Contact key", key="contact", bind="query-params", max_chars=16, width=260,
        help="The 16 hexadecimal digits of contact_key, as in the findings and exports.",
    )  # fmt: skip
    key = contact_key(text)
    if key is None:
        layout.empty(
            "No contact chosen",
            "Open one from the findings, or enter the 16 digits of its contact key.",
            icon=":material/person_search:",
        )
        return
    events = snapshot.rows(EVENTS, [key, key])
    spans = snapshot.rows(SPANS, [key])
    if not events and not spans:
        layout.empty(
            "Nothing is kept here for this contact",
            "The snapshot holds timelines of contacts with a finding. Everything about any contact:",
            snapshot.command_for("contact ADDRESS"),
            icon=":material/person_off:",
        )
        return
    masked = (events or [{}])[0].get("contact_masked") or ""
    show_words(masked, events, spans)
    show_chart(events, spans)
    show_events(events)
    layout.footer()


def contact_key(text: str | None) -> int | None:
    """The signed 64-bit key that 16 hexadecimal digits stand for, or None if they are not that."""
    digits = (text or "").strip().lower()
    if not re.fullmatch(r"[0-9a-f]{16}", digits):
        return None
    number = int(digits, 16)
    return number - 2**64 if number >= 2**63 else number


def show_words(masked: str, events: list[dict[str, Any]], spans: list[dict[str, Any]]) -> None:
    """The story in sentences."""
    violations = sum(1 for event in events if event["is_violation"])
    messages = sum(1 for event in events if event["kind"] == "message")
    verdict = f":red[{formats.plural(violations, 'violation')}]" if violations else "no violation"
    st.markdown(f"**{texts.plain(masked)} got {formats.plural(messages, 'message')}; {verdict}.**")
    st.markdown("\n".join(f"- {span_words(span, events)}" for span in spans) or "This contact never opted out.")


def span_words(span: dict[str, Any], events: list[dict[str, Any]]) -> str:
    """One span as two or three sentences."""
    act = "Blocked" if span["kind"] == "block" else "Opted out"
    where = texts.channel(span["channel"]) if span["channel"] != "*" else "every channel"
    method = f" by {texts.humanise(span['method']).lower()}" if span["method"] else ""
    words = [f"{act} of {where} on {formats.instant(span['begins_at'])}{method}."]
    if span["repeat_count"]:
        words.append(f"Had to ask {span['repeat_count'] + 1} times.")
    if span["processed_at"]:
        took = (span["processed_at"] - span["begins_at"]).total_seconds()
        words.append(f"Applied after {formats.duration(took)}.")
    else:
        words.append("Nothing shows that it was applied.")
    if span["deadline_at"]:
        words.append(f"Deadline: {formats.instant(span['deadline_at'])}.")
    after = [
        event for event in events
        if event["kind"] == "message" and event["occurred_at"] > span["begins_at"]
        and span["channel"] in ("*", event["channel"])
        and (span["ends_at"] is None or event["occurred_at"] < span["ends_at"])
    ]  # fmt: skip
    if after:
        first = (after[0]["occurred_at"] - span["begins_at"]).total_seconds()
        words.append(f"{formats.plural(len(after), 'message')} since, the first after {formats.duration(first)}.")
    else:
        words.append("No message since.")
    if span["ends_at"]:
        words.append(f"Opted in again on {formats.instant(span['ends_at'])}.")
    return texts.plain(" ".join(words))


def show_chart(events: list[dict[str, Any]], spans: list[dict[str, Any]]) -> None:
    """Spans as bars, messages and consent events on them."""
    as_of = (snapshot.one(AS_OF) or {}).get("as_of")
    last = max([event["occurred_at"] for event in events] + [span["begins_at"] for span in spans])
    open_end = min(as_of or last, last + (last - min(event["occurred_at"] for event in events)) / 4) if events else last
    bars, lines = [], []
    for span in spans:
        ends = span["ends_at"] or max(open_end, span["begins_at"])
        name = "Block span" if span["kind"] == "block" else "Opt-out span"
        bars.append((span["begins_at"], ends, name, f"{name} from {formats.instant(span['begins_at'])}"))
        lines += [(span["processed_at"], "applied")] if span["processed_at"] else []
        if span["deadline_at"] and span["deadline_at"] <= ends:
            lines.append((span["deadline_at"], "deadline"))
    marks = [
        Mark(
            event["occurred_at"],
            LANES.get(event["kind"], texts.humanise(event["kind"])),
            f"{texts.what_happened(event['what'])}, {formats.instant(event['occurred_at'])}",
            event["is_violation"],
            event["kind"] == "message",
        )
        for event in events
    ]
    figure = charts.timeline(bars, marks, lines)
    alt = f"Timeline: {formats.plural(len(spans), 'span')} and {formats.plural(len(events), 'record')}."
    st.plotly_chart(figure, config=charts.CONFIG, alt=alt)


def show_events(events: list[dict[str, Any]]) -> None:
    """Every record in time order, with what was found about it and where it came from."""
    table = pandas.DataFrame(
        [
            {
                "When (UTC)": event["occurred_at"],
                "What": texts.what_happened(event["what"]),
                "Channel": texts.channel(event["channel"]),
                "Program": texts.program(event["program"]),
                "Campaign": event["campaign_id"],
                "Status": texts.humanise(event["status"] or ""),
                "Found": [texts.finding_label(name) for name in event["classes"] or []],
                "Applied (UTC)": event["processed_at"],
                "Method": texts.humanise(event["method"] or ""),
                "Actor": texts.humanise(event["actor"] or ""),
                "Source": event["source"],
                "Record": event["record_id"],
                "Load": event["load_id"],
                "Row": event["row_number"],
            }
            for event in events
        ]
    )
    when = st.column_config.DatetimeColumn(format="D MMM YYYY, HH:mm:ss")
    st.dataframe(
        table, hide_index=True, placeholder="", alt="Everything recorded about this contact, in time order",
        column_config={"When (UTC)": when, "Applied (UTC)": when, "Found": st.column_config.ListColumn()},
    )  # fmt: skip


show()
