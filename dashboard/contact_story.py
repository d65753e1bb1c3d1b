"""A contact's story in sentences: where it is, what its opt-outs were, what was found about it and what is excused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dashboard import contact_history, layout, snapshot
from dashboard.contact_records import Record
from dashboard.words import contact_story as words
from dashboard.words import formats, rule_texts, texts

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
# A finding says by whom it is waived; the waiver is one of that person's that names it.
WAIVERS = """
select distinct w.waiver_number, w.rule, w.subject, w.reason, w.who, w.until
from audits.waivers as w
join audits.findings as f on w.rule in ('*', f.rule) and f.waived_by = w.who
where f.contact_key = ? and w.status = 'applied' and case w.subject_kind
    when 'message' then contains(w.subject, f.message_id)
    when 'event' then contains(w.subject, f.event_id)
    when 'campaign' then contains(w.subject, f.campaign_id)
    when 'contact' then contains(w.subject, f.contact_masked) or contains(w.subject, ?)
    else true end
order by w.waiver_number
"""
PLACE = """
select c.contact_masked, c.country, c.region, c.timezone, c.country_from, c.region_from, c.timezone_from,
    p.country_certainty, c.region_certainty, c.timezone_certainty, c.place_id
from core.contacts as c
left join core.places as p on p.place_id = c.place_id
where c.contact_key = ?
"""
ZONES = "select timezone from core.place_zones where place_id = ? order by timezone"
ZONES_SHOWN = 3


def spans_of(key: int) -> list[dict[str, Any]]:
    """The contact's opt-out and block spans, oldest first."""
    has_law = "legal_rule_id" in snapshot.columns("core.opt_out_spans")
    return snapshot.rows(SPANS.format(law="legal_rule_id" if has_law else "cast(null as varchar)"), [key])


def found_about(key: int) -> list[dict[str, Any]]:
    """What was found about the contact by rule, class and law, the worst first."""
    return snapshot.rows(FOUND.format(findings=snapshot.findings()), [key])


def place_of(key: int) -> dict[str, Any] | None:
    """Where the contact is, as the snapshot knows it; None if it does not know the contact."""
    return snapshot.one(PLACE, [key]) if snapshot.has("core.contacts") else None


def place_words(place: dict[str, Any]) -> list[str]:
    """Where the contact is and what its clock says, with how each is known: rules and quiet hours hang on it."""
    country = words.known(
        words.COUNTRY, rule_texts.place(place["country"]), place["country_from"], place["country_certainty"]
    )
    region = words.known(
        words.REGION, rule_texts.place(place["region"]), place["region_from"], place["region_certainty"]
    )
    zones = [place["timezone"]] if place["timezone"] else []
    if not zones and snapshot.has("core.place_zones"):
        zones = [row["timezone"] for row in snapshot.rows(ZONES, [place["place_id"]])]
    listed = ", ".join(zones[:ZONES_SHOWN])
    more = words.OR_MORE.format(more=len(zones) - ZONES_SHOWN) if zones[ZONES_SHOWN:] else ""
    clock = listed if len(zones) < 2 else words.ONE_OF.format(listed=listed, more=more)
    return [
        country,
        region,
        words.known(words.TIME_ZONE, clock or "unknown", place["timezone_from"], place["timezone_certainty"]),
    ]


def found_words(found: Sequence[dict[str, Any]]) -> list[str]:
    """What was found, a line for each rule, class and law."""
    cited = snapshot.citations()
    lines = []
    for row in found:
        law = row["legal_rule_id"]
        under = words.UNDER.format(law=texts.plain(cited.get(law, law))) if law else ""
        waived = words.WAIVED.format(count=formats.count(row["waived_count"])) if row["waived_count"] else ""
        lines.append(
            f"{texts.plain(rule_texts.audit_name(row['rule']))}: "
            f"{texts.plain(rule_texts.class_name(row['rule'], row['finding_class']))}, "
            f"{formats.plural(row['finding_count'], 'finding')}{under}{waived} {layout.severity_badge(row['severity'])}"
        )
    return lines


def waiver_words(key: int) -> list[str]:
    """The waivers that excuse findings of the contact: rule, subject, by whom, until when and why."""
    if not snapshot.has("audits.waivers"):
        return []
    lines = []
    for row in snapshot.rows(WAIVERS, [key, contact_history.as_digits(key)]):
        rule = texts.plain(rule_texts.audit_name(row["rule"])) if row["rule"] != "*" else words.EVERY_RULE
        until = words.UNTIL.format(until=formats.day(row["until"])) if row["until"] else words.UNTIL_REVOKED
        subject, who, reason = (texts.plain(row[name]) for name in ("subject", "who", "reason"))
        lines.append(words.WAIVER.format(rule=rule, subject=subject, who=who, until=until, reason=reason))
    return lines


def span_words(span: dict[str, Any], messages: Sequence[Record], cited: dict[str, str]) -> str:
    """One span as two or three sentences; `messages` are those the snapshot judged, oldest first."""
    act = words.BLOCKED if span["kind"] == "block" else words.OPTED_OUT
    where = texts.channel(span["channel"]) if span["channel"] != "*" else words.EVERY_CHANNEL
    method = words.BY_METHOD.format(method=texts.humanise(span["method"]).lower()) if span["method"] else ""
    told = [words.ACT.format(act=act, where=where, at=formats.instant(span["begins_at"]), method=method)]
    if span["repeat_count"]:
        told.append(words.REPEATED.format(times=span["repeat_count"] + 1))
    if span["processed_at"]:
        took = (span["processed_at"] - span["begins_at"]).total_seconds()
        told.append(words.APPLIED.format(took=formats.duration(took)))
    else:
        told.append(words.NOT_APPLIED)
    if span["deadline_at"]:
        law = words.BY_LAW.format(law=cited.get(span["law"], span["law"])) if span["law"] else ""
        told.append(words.DEADLINE.format(deadline=formats.instant(span["deadline_at"]), law=law))
    after = [
        message.at for message in messages
        if message.at and message.at > span["begins_at"] and span["channel"] in ("*", message.channel)
        and (span["ends_at"] is None or message.at < span["ends_at"])
    ]  # fmt: skip
    if after:
        first = (after[0] - span["begins_at"]).total_seconds()
        until = words.BEFORE_OPT_IN if span["ends_at"] else words.SINCE
        told.append(
            words.AFTER.format(messages=formats.Counted(len(after)), until=until, first=formats.duration(first))
        )
    else:
        told.append(words.NONE_BEFORE if span["ends_at"] else words.NONE_SINCE)
    if span["ends_at"]:
        told.append(words.OPTED_IN_AGAIN.format(at=formats.instant(span["ends_at"])))
    return texts.plain(" ".join(told))
