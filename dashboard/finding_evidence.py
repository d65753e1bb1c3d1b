"""What the snapshot holds around one finding: the records it is about, the span, the law, and where each came from."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dashboard import snapshot
from dashboard.words.finding_story import Known

Row = dict[str, Any]
#: How much of the contact's time is drawn around a finding.
AROUND = timedelta(days=30)
MOST_EVENTS = 400

FINDING = "select * from audits.findings where finding_id = ?"
MESSAGE = """
select message_id as record_id, message_class, status, sent_at as occurred_at, load_id, row_number
from core.messages where contact_key = ? and source = ? and message_id = ?
"""
INBOUND = """
select inbound_id as record_id, received_at as occurred_at, load_id, row_number
from core.inbound_messages where contact_key = ? and source = ? and inbound_id = ?
"""
# Under scope person the act may be another contact's of the same person.
CONTACTS = """
select o.contact_key
from core.contacts as c
join core.contacts as o on o.person_key = c.person_key
where c.contact_key = ? and (select scope from run.parameters) = 'person'
"""
EVENT = """
select
    source, event_id as record_id, event_type, requested_at, requested_at as occurred_at, processed_at, method, actor,
    load_id, row_number
from core.consent_events where contact_key in ({keys}) and event_id = ?
order by requested_at, source limit 1
"""
SPAN = """
select kind, channel, program, begins_at, processed_at, ends_at, deadline_at, method, repeat_count,
    legal_rule_id as law, source, event_id, contact_key
from core.opt_out_spans
where contact_key in ({keys}) and begins_at = ? and (channel in ('*', ?) or ? = '*')
order by case when event_id = ? then 0 else 1 end, kind desc, span_id limit 1
"""
ZONES = """
select coalesce(c.timezone, z.timezone) as timezone
from core.contacts as c left join core.place_zones as z on z.place_id = c.place_id
where c.contact_key = ? group by all order by 1
"""
FIRST_OPT_IN = """
select min(opted_in_at) as opted_in_at from core.consent_starts
where contact_key = ? and channel in ('*', ?) and program in ('*', ?) and opted_in_at > ?
"""
PARAMETERS = "select as_of, confirmation_window_seconds, scope from run.parameters"
LOADS = "select load_id, file, sha256, connector, loaded_at from run.inputs where list_contains(?, load_id)"
RULE = "select * from run.audit_rules where rule = ?"
LAW = """
select rule_id, coalesce(citation, regulation, rule_id) as citation, regulation, source_url, in_words, grade
from run.rules where rule_id = ?
"""
WAIVER = "select waiver_number, reason, who, until from audits.waivers where waiver_number = ?"
AROUND_IT = """
select occurred_at, kind, source, record_id, channel, what, status
from core.timeline where contact_key = ? and occurred_at between ? and ?
order by abs(epoch(occurred_at) - epoch(cast(? as timestamptz))) limit ?
"""
VIOLATIONS = """
select distinct source, coalesce(message_id, event_id) as record_id
from audits.findings where contact_key = ? and waived_by is null and severity in ('critical', 'high')
"""


@dataclass(frozen=True)
class Evidence:
    """One finding with everything around it; None where the snapshot holds nothing.

    `rule` is its row of run.audit_rules, `law` that of run.rules, `waiver` that of audits.waivers; `records` are what
    it is about, in time order, each with `what`, `occurred_at`, `record_id` and where it came from (`file`,
    `row_number`, `sha256`, `loaded_at`, `load_id`).
    """

    finding: Row
    known: Known
    rule: Row
    law: Row | None
    waiver: Row | None
    records: list[Row]


def read(finding_id: str) -> Evidence | None:
    """The finding of that id in this page run's snapshot, with what is known around it; None if there is none."""
    finding = snapshot.one(FINDING, [finding_id])
    if finding is None:
        return None
    told = snapshot.one(PARAMETERS) or {}
    key = finding["contact_key"]
    contacts = {key, *(row["contact_key"] for row in snapshot.rows(CONTACTS, [key]))} - {None}
    # Numbers written into the SQL: DuckDB then reads only where they can be.
    keys = ", ".join(map(str, sorted(contacts))) or "null"
    law = snapshot.one(LAW, [finding["legal_rule_id"]]) if finding["legal_rule_id"] else None
    is_reply = finding["rule"] == "opt_out_request_missed"
    subject = [key, finding["source"], finding["message_id"]]
    message = None if is_reply or not finding["message_id"] else snapshot.one(MESSAGE, subject)
    event = snapshot.one(EVENT.format(keys=keys), [finding["event_id"]]) if finding["event_id"] else None
    span = _span(finding, keys)
    known = Known(
        message=message,
        event=event,
        span=span,
        zones=[row["timezone"] for row in snapshot.rows(ZONES, [key]) if row["timezone"]],
        opted_in_at=_first_opt_in(finding),
        window_seconds=told.get("confirmation_window_seconds"),
        as_of=told.get("as_of"),
        law=(law or {}).get("citation"),
    )
    opener = snapshot.one(EVENT.format(keys=keys), [span["event_id"]]) if span else None
    reply = snapshot.one(INBOUND, subject) if is_reply else None
    records = [
        *([message | {"what": message["message_class"]}] if message else []),
        *([reply | {"what": "inbound"}] if reply else []),
        *(one | {"what": one["event_type"]} for one in (opener, event) if one),
    ]
    return Evidence(
        finding=finding,
        known=known,
        rule=snapshot.one(RULE, [finding["rule"]]) or {},
        law=law,
        waiver=snapshot.one(WAIVER, [finding["waiver_number"]]) if finding["waiver_number"] else None,
        records=_with_origin(records),
    )


def _span(finding: Row, keys: str) -> Row | None:
    if not finding["begins_at"]:
        return None
    where = [finding["begins_at"], finding["channel"], finding["channel"], finding["event_id"]]
    return snapshot.one(SPAN.format(keys=keys), where)


def _first_opt_in(finding: Row) -> datetime | None:
    if finding["rule"] != "message_without_consent":
        return None
    where = [finding["contact_key"], finding["channel"], finding["program"], finding["occurred_at"]]
    first: datetime | None = (snapshot.one(FIRST_OPT_IN, where) or {}).get("opted_in_at")
    return first


def _with_origin(records: list[Row]) -> list[Row]:
    """Records in time order, each once, with the file that it came from."""
    once = {(row["what"], row["record_id"]): row for row in records}
    loads = {row["load_id"]: row for row in snapshot.rows(LOADS, [tuple(row["load_id"] for row in once.values())])}
    unknown = dict.fromkeys(("file", "sha256", "connector", "loaded_at"))
    return [
        row | unknown | loads.get(row["load_id"], {})
        for row in sorted(once.values(), key=lambda row: (row["occurred_at"], row["what"]))
    ]


def around(finding: Row) -> tuple[list[Row], bool]:
    """The contact's records of 30 days before and after, in time order, and whether there were too many to show all.

    Each says whether it `is_violation`.
    """
    at, key = finding["occurred_at"], finding["contact_key"]
    rows = snapshot.rows(AROUND_IT, [key, at - AROUND, at + AROUND, at, MOST_EVENTS + 1])
    bad = {(row["source"], row["record_id"]) for row in snapshot.rows(VIOLATIONS, [key])}
    shown = [row | {"is_violation": (row["source"], row["record_id"]) in bad} for row in rows[:MOST_EVENTS]]
    return sorted(shown, key=lambda row: (row["occurred_at"], row["kind"], row["record_id"])), len(rows) > MOST_EVENTS


def commands(records: list[Row]) -> str:
    """Shell commands that show each record in its file, and that the file is still the one that was read."""
    lines = []
    for file in dict.fromkeys(row["file"] for row in records if row["file"]):
        name = shlex.quote(file)
        lines.append(f"sha256sum {name}")
        rows = sorted({row["row_number"] for row in records if row["file"] == file})
        plain_name = file.lower().removesuffix(".gz")
        # A file's first row follows its header in CSV, and is its first line in JSON Lines.
        first = {".csv": 2, ".tsv": 2, ".txt": 2, ".jsonl": 1, ".ndjson": 1}.get(plain_name[plain_name.rfind(".") :])
        if first:
            wanted = [*([1] if first == 2 else []), *(row + first - 1 for row in rows)]
            shown = "".join(f"{line}p;" for line in wanted).rstrip(";")
            opened = (
                f"gunzip -c {name} | sed -n '{shown}'" if file.lower().endswith(".gz") else f"sed -n '{shown}' {name}"
            )
            lines.append(opened)
    return "\n".join(lines)
