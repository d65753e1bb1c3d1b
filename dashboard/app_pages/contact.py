"""What happened to this contact? Spans, messages and consent events in time order, in words, drawn and listed."""

from __future__ import annotations

import re
from typing import Any

import pandas
import streamlit as st

from dashboard import access, charts, formats, layout, rule_texts, snapshot, texts
from dashboard.charts import Mark

EVENTS = """
with findings as (
    select
        source, coalesce(message_id, event_id) as record_id,
        case when message_id is null then 'consent_event' when rule = 'opt_out_request_missed' then 'inbound_message'
        else 'message' end as kind,
        list(concat(rule, '/', finding_class) order by rule, finding_class) as classes,
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
    and findings.kind = timeline.kind
where timeline.contact_key = ?
order by timeline.occurred_at, timeline.kind, timeline.record_id
"""
SPANS = """
select kind, channel, program, begins_at, processed_at, ends_at, deadline_at, method, repeat_count, reason, {law} as law
from core.opt_out_spans where contact_key = ? order by begins_at
"""
FOUND = """
select
    rule, finding_class, severity, legal_rule_id, count(*) as finding_count, count(waived_by) as waived_count,
    count(*) filter (where waived_by is null and severity in ('critical', 'high')) as violation_count,
    min(occurred_at) as first_at
from {findings} where contact_key = ?
group by rule, finding_class, severity, legal_rule_id
order by case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end, first_at
"""
PLACE = """
select c.contact_masked, c.country, c.region, c.timezone, c.country_from, c.region_from, c.timezone_from,
    p.country_certainty, c.region_certainty, c.timezone_certainty, c.place_id
from core.contacts as c
left join core.places as p on p.place_id = c.place_id
where c.contact_key = ?
"""
ZONES = "select timezone from core.place_zones where place_id = ? order by timezone"
LANES = {"message": "Messages", "consent_event": "Consent events", "inbound_message": "Replies"}
ZONES_SHOWN = 3
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
    access.view_contact(key)
    events = snapshot.rows(EVENTS, [key, key])
    has_law = "legal_rule_id" in snapshot.columns("core.opt_out_spans")
    spans = snapshot.rows(SPANS.format(law="legal_rule_id" if has_law else "cast(null as varchar)"), [key])
    found = snapshot.rows(FOUND.format(findings=snapshot.findings()), [key])
    place = snapshot.one(PLACE, [key]) if snapshot.has("core.contacts") else None
    if not events and not spans:
        layout.empty(
            "Nothing is kept here for this contact",
            "The snapshot holds timelines of contacts with a finding. Everything about any contact:",
            snapshot.command_for("contact ADDRESS"),
            icon=":material/person_off:",
        )
        return
    masked = (events or [place or {}])[0].get("contact_masked") or "This contact"
    show_words(masked, events, spans, found)
    show_place(place)
    show_found(found)
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


def show_words(
    masked: str, events: list[dict[str, Any]], spans: list[dict[str, Any]], found: list[dict[str, Any]]
) -> None:
    """The story in sentences."""
    violations = sum(row["violation_count"] for row in found)
    messages = sum(1 for event in events if event["kind"] == "message")
    verdict = f":red[{formats.plural(violations, 'violation')}]" if violations else "no violation"
    st.markdown(f"**{texts.plain(masked)} got {formats.plural(messages, 'message')}; {verdict}.**")
    cited = snapshot.citations()
    st.markdown("\n".join(f"- {span_words(span, events, cited)}" for span in spans) or "This contact never opted out.")


def show_place(place: dict[str, Any] | None) -> None:
    """Where the contact is and what its clock says, with how each is known: rules and quiet hours hang on it."""
    if place is None:
        return
    country = known("Country", rule_texts.place(place["country"]), place["country_from"], place["country_certainty"])
    region = known("Region", rule_texts.place(place["region"]), place["region_from"], place["region_certainty"])
    zones = [place["timezone"]] if place["timezone"] else []
    if not zones and snapshot.has("core.place_zones"):
        zones = [row["timezone"] for row in snapshot.rows(ZONES, [place["place_id"]])]
    listed = ", ".join(zones[:ZONES_SHOWN])
    more = f" or {len(zones) - ZONES_SHOWN} more" if zones[ZONES_SHOWN:] else ""
    clock = listed if len(zones) < 2 else f"one of {listed}{more}"
    zone = known("Time zone", clock or "unknown", place["timezone_from"], place["timezone_certainty"])
    st.markdown("\n".join(f"- {line}" for line in (country, region, zone)))


def known(label: str, value: str, origin: str | None, certainty: str | None) -> str:
    """A fact about a contact and how it is known: Country: United States (US), certain (from the phone number)."""
    if value == "unknown":
        return f"{label}: unknown."
    # A fact that nobody knows for sure and that still has candidates names them and claims nothing.
    sure = f", {rule_texts.CERTAINTY.get(certainty, texts.plain(certainty))}" if certainty else ""
    told = f" (from {texts.plain(rule_texts.ORIGINS.get(origin, origin))})" if origin else ""
    if certainty == "unknown":
        return f"{label}: unknown, {texts.plain(value)}{told}."
    return f"{label}: {texts.plain(value)}{sure}{told}."


def show_found(found: list[dict[str, Any]]) -> None:
    """What was found about this contact, under every rule."""
    if not found:
        return
    cited = snapshot.citations()
    lines = []
    for row in found:
        law = row["legal_rule_id"]
        under = f", under {texts.plain(cited.get(law, law))}" if law else ""
        waived = f", {formats.count(row['waived_count'])} waived" if row["waived_count"] else ""
        lines.append(
            f"- {texts.plain(rule_texts.audit_name(row['rule']))}: "
            f"{texts.plain(rule_texts.class_name(row['rule'], row['finding_class']))}, "
            f"{formats.plural(row['finding_count'], 'finding')}{under}{waived} {layout.severity_badge(row['severity'])}"
        )
    st.markdown("**What was found**\n\n" + "\n".join(lines))


def span_words(span: dict[str, Any], events: list[dict[str, Any]], cited: dict[str, str]) -> str:
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
        law = f", by {cited.get(span['law'], span['law'])}" if span["law"] else ""
        words.append(f"Deadline: {formats.instant(span['deadline_at'])}{law}.")
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
                "Found": [rule_texts.class_name_of(name) for name in event["classes"] or []],
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
