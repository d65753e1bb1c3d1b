"""The records of one contact, from history or from the snapshot alone, each with what was found about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pandas
import pyarrow

from dashboard import snapshot
from dashboard.contact_history import Held
from dashboard.words import contact as words
from dashboard.words import heads, rule_texts, texts

FOUND = """
select
    source, coalesce(message_id, event_id) as record_id,
    case when message_id is null then 'consent_event' when rule = 'opt_out_request_missed' then 'inbound_message'
    else 'message' end as kind,
    list(concat(rule, '/', finding_class) order by rule, finding_class) as classes,
    bool_or(waived_by is null and severity in ('critical', 'high')) as is_violation
from audits.findings where contact_key = ? group by all
"""
TIMELINE = """
select
    t.occurred_at, t.kind, t.source, t.record_id, t.channel, t.program, t.campaign_id, t.what, t.status, t.processed_at,
    t.method, t.actor, t.load_id, t.row_number, i.file, i.sha256
from core.timeline as t
left join run.inputs as i on i.load_id = t.load_id
where t.contact_key = ?
order by t.occurred_at, t.kind, t.record_id
"""
LOADS = "select load_id from run.inputs"
#: The columns of the files to save, in order; all but the last three are of a record, those are the audit's.
EXPORTED = (
    "occurred_at", "kind", "source", "record_id", "channel", "program", "campaign_id", "what", "status", "processed_at",
    "method", "actor", "text", "details", "file", "row_number", "load_id", "sha256",
)  # fmt: skip
_TIME = pyarrow.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class Record:
    """One delivered row about the contact. `is_judged`: the snapshot's run had it, and its time was before as_of."""

    at: datetime | None
    kind: str
    source: str
    record_id: str
    channel: str
    row: dict[str, Any]
    classes: tuple[str, ...] = ()
    is_violation: bool = False
    is_new_load: bool = False
    is_judged: bool = True
    details: dict[str, Any] = field(default_factory=dict)

    @property
    def subject(self) -> tuple[str, str, str]:
        """What the row is about: several rows may be versions of one message."""
        return self.kind, self.source, self.record_id


def from_history(held: Held, as_of: datetime | None) -> list[Record]:
    """The records that history holds, oldest first."""
    judged_loads = {row["load_id"] for row in snapshot.rows(LOADS)}
    return _with_findings(held.key, held.records, judged_loads, as_of)


def from_snapshot(key: int) -> list[Record]:
    """The records that the snapshot holds of a contact with a finding, oldest first; without texts and details."""
    rows = snapshot.rows(TIMELINE, [key])
    return _with_findings(key, rows, {row["load_id"] for row in rows}, None)


def _with_findings(
    key: int, rows: Iterable[dict[str, Any]], judged_loads: set[str], as_of: datetime | None
) -> list[Record]:
    found = {(row["kind"], row["source"], row["record_id"]): row for row in snapshot.rows(FOUND, [key])}
    records = []
    for row in rows:
        about = found.get((row["kind"], row["source"], row["record_id"]), {})
        is_new, at = row["load_id"] not in judged_loads, row["occurred_at"]
        records.append(
            Record(
                at=at,
                kind=row["kind"],
                source=row["source"],
                record_id=row["record_id"] or "",
                channel=row["channel"] or "*",
                row=row,
                classes=tuple(about.get("classes") or ()),
                is_violation=bool(about.get("is_violation")),
                is_new_load=is_new,
                is_judged=not is_new and (at is None or as_of is None or at <= as_of),
                details=row.get("details") or {},
            )
        )
    return records


def first_versions(records: Iterable[Record]) -> list[Record]:
    """One record for each message, event, reply and listing: the earliest row about it."""
    earliest: dict[tuple[str, str, str], Record] = {}
    for record in records:
        earliest.setdefault(record.subject, record)
    return list(earliest.values())


def details_in_line(record: Record) -> str:
    """What else the row says, as text: price: 0.0079; currency: USD."""
    return "; ".join(f"{name}: {value}" for name, value in record.details.items())


def shown(records: Sequence[Record]) -> pandas.DataFrame:
    """The records as a table to read, a row each; columns that are empty throughout are left out."""
    frame = pandas.DataFrame(
        [
            {
                heads.WHEN_UTC: record.at,
                heads.WHAT: what(record),
                heads.CHANNEL: texts.channel(record.channel),
                heads.PROGRAM: texts.program(record.row["program"] or "default"),
                heads.CAMPAIGN: record.row["campaign_id"] or "",
                heads.STATUS: texts.humanise(record.row["status"] or ""),
                heads.FOUND: [rule_texts.class_name_of(name) for name in record.classes],
                heads.TEXT: record.row.get("text") or "",
                heads.APPLIED_UTC: record.row["processed_at"],
                heads.METHOD: texts.humanise(record.row["method"] or ""),
                heads.ACTOR: texts.humanise(record.row["actor"] or ""),
                heads.JUDGED: texts.YES if record.is_judged else texts.NOT_YET,
                heads.DETAILS: details_in_line(record),
                heads.SOURCE: record.source,
                heads.RECORD: record.record_id,
                heads.FILE: record.row["file"],
                heads.ROW: record.row["row_number"],
                heads.LOAD: record.row["load_id"],
                heads.SHA256: record.row["sha256"],
            }
            for record in records
        ]
    )
    optional = (heads.TEXT, heads.APPLIED_UTC, heads.METHOD, heads.ACTOR, heads.DETAILS, heads.CAMPAIGN)
    unused = [name for name in optional if frame[name].isna().all() or frame[name].eq("").all()]
    if all(record.is_judged for record in records):
        unused.append(heads.JUDGED)
    return frame.drop(columns=unused)


def what(record: Record) -> str:
    """What a record is, in words."""
    return words.LISTED if record.kind == "listing" else texts.what_happened(record.row["what"])


def exported(records: Sequence[Record]) -> pyarrow.Table:
    """The records as a table to save: every column of a delivered row, and what was found about it."""
    rows = [record.row | {"details": details_in_line(record) or None} for record in records]
    columns: dict[str, pyarrow.Array] = {}
    for name in EXPORTED:
        kind = (
            _TIME if name in ("occurred_at", "processed_at")
            else pyarrow.int64() if name == "row_number" else pyarrow.string()
        )  # fmt: skip
        columns[name] = pyarrow.array([row.get(name) for row in rows], kind)
    columns["findings"] = pyarrow.array([", ".join(record.classes) or None for record in records], pyarrow.string())
    columns["is_violation"] = pyarrow.array([record.is_violation for record in records], pyarrow.bool_())
    columns["is_judged"] = pyarrow.array([record.is_judged for record in records], pyarrow.bool_())
    return pyarrow.table(columns)


def files_of(records: Sequence[Record]) -> list[dict[str, Any]]:
    """The files the records came from, with their digest and how many records each gave, the fullest first."""
    counts = Counter((record.row["file"], record.row["sha256"], record.row["load_id"]) for record in records)
    return [
        {heads.FILE: file, heads.RECORDS: count, heads.SHA256: digest, heads.LOAD: load}
        for (file, digest, load), count in counts.most_common()
    ]
