"""Working databases made by hand: every relation a run builds, empty or sound, with rows put in by the test."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.canonical import TABLES as CANONICAL_TABLES
from pipelines.engines.duckdb import DuckDBEngine
from tests.support.snapshot_schema import TABLES as PUBLISHED_TABLES

Row = Mapping[str, Any]

_PUBLISHED = (
    "run.parameters",
    "run.steps",
    "run.inputs",
    "run.sources",
    "run.quarantine",
    "run.rule_reach",
    "run.penalties",
    "audits.findings",
    "metrics.measurements",
)

#: Relations of the working database by name, with their columns.
TABLES: dict[str, str] = {
    "core.messages": (
        "source text, message_id text, channel text, contact_key bigint, person_id text, sender text, program text, "
        "campaign_id text, message_class text, sent_at timestamptz, sent_on date, status text, status_at timestamptz, "
        "error_code text, price double, currency text, template_id text, is_marketing boolean, is_reached boolean, "
        "load_id text, row_number bigint"
    ),
    "core.consent_events": (
        "source text, event_id text, channel text, contact_key bigint, person_id text, program text, event_type text, "
        "requested_at timestamptz, requested_on date, processed_at timestamptz, method text, actor text, "
        "source_type text, consent_source text, consent_text text, prechecked boolean, proof text, reason_code text, "
        "reason_text text, reason text, campaign_id text, message_id text, load_id text, row_number bigint"
    ),
    "core.reason_readings": "text_id bigint, text text, language text, reason text, phrase text, unknown_count bigint",
    "core.inbound_messages": (
        "source text, inbound_id text, channel text, contact_key bigint, received_at timestamptz, sender text, "
        "program text, body text, button text, load_id text, row_number bigint"
    ),
    "core.inbound_readings": (
        "source text, inbound_id text, reading text, reply_rule text, exact_keyword boolean, legal_list boolean"
    ),
    "core.inbound_requests": "source text, inbound_id text, is_recorded boolean",
    "core.contacts": PUBLISHED_TABLES["core.contacts"],
    "run.absent_sources": "source text",
    "core.written_pairs": (
        "contact_key bigint, channel text, first_reached_at timestamptz, last_reached_at timestamptz, "
        "reached_count bigint, last_read_at timestamptz"
    ),
    "core.consent_phases": (
        "contact_key bigint, channel text, program text, phase text, from_at timestamptz, until_at timestamptz, "
        "opening_span_id bigint, closing_span_id bigint, origin_id bigint"
    ),
    "core.pair_changes": (
        "contact_key bigint, channel text, changed_at timestamptz, changed_on date, change integer, act text"
    ),
    "core.pairs": "contact_key bigint, channel text",
    "core.consent_origins": "origin_id bigint, source_type text, method text",
    "core.listings": "source text, contact_key bigint, listed boolean, listed_at timestamptz",
    "core.suspected_machines": "span_id bigint, rule text, seconds double",
    "core.attributions": (
        "span_id bigint, contact_key bigint, begins_at timestamptz, begins_on date, method text, reason text, "
        "attributed_by text, source text, message_id text, channel text, program text, campaign_id text, "
        "template_id text, sent_at timestamptz, opt_out_channel text, opt_out_program text, touch_source text, "
        "touch_message_id text, touch_channel text, touch_program text, touch_campaign_id text, "
        "touch_template_id text, touch_sent_at timestamptz, touch_seconds double"
    ),
    "core.campaigns": (
        "source text, campaign_id text, channel text, program text, name text, language text, template_text text, "
        "respects_opt_outs integer, started_at timestamptz"
    ),
    "run.zone_offsets": "timezone text, from_at timestamptz, until_at timestamptz, offset_seconds bigint",
    "core.delivery_reports": "source text, reports_delivery integer",
    "core.citable_spans": (
        "span_id bigint, kind text, contact_key bigint, channel text, program text, after_at timestamptz, "
        "until_at timestamptz, begins_at timestamptz, processed_at timestamptz, deadline_at timestamptz, "
        "legal_rule_id text, event_id text"
    ),
    "core.consent_spans": (
        "scope_key text, channel text, program text, contact_key bigint, source text, event_id text, "
        "begins_at timestamptz, ends_at timestamptz"
    ),
    "core.scoped_acts": (
        "scope_key text, channel text, program text, source text, event_id text, contact_key bigint, "
        "person_key text, event_type text, kind text, role text, requested_at timestamptz, processed_at timestamptz"
    ),
    "run.local_days": "timezone text, on_date date, begins_at timestamptz, ends_at timestamptz",
    "run.report_offsets": "timezone text, from_at timestamptz, until_at timestamptz, offset_seconds bigint",
    "core.opt_out_spans": (
        "span_id bigint, kind text, scope_key text, contact_key bigint, source text, event_id text, channel text, "
        "program text, begins_at timestamptz, begins_on date, processed_at timestamptz, ends_at timestamptz, "
        "deadline_at timestamptz, event_type text, method text, actor text, campaign_id text, repeat_count bigint, "
        "has_clock_skew boolean, reason text"
    ),
    "core.span_coverage": (
        "span_id bigint, kind text, contact_key bigint, channel text, program text, begins_at timestamptz, "
        "begins_on date, processed_at timestamptz, ends_at timestamptz, deadline_at timestamptz, event_id text, "
        "source text, legal_rule_id text"
    ),
    **{
        f"history.{table.name}": ", ".join(
            [
                "source text",
                *(f"{column.stored_name} {column.sql_type}" for column in table.columns),
                "load_id text",
                "row_number bigint",
            ]
        )
        for table in CANONICAL_TABLES.values()
    },
    **{relation: PUBLISHED_TABLES[relation] for relation in _PUBLISHED},
}

#: What a row says where the test does not.
DEFAULTS: dict[str, dict[str, Any]] = {
    "run.parameters": {
        "run_id": "run-1",
        "as_of": "2026-11-01 00:00:00+00",
        "started_at": "2026-11-01 01:00:00+00",
        "scope": "channel",
        "rules": "default",
        "default_deadline": "10bd",
        "deadline_amount": 10,
        "deadline_unit": "business_days",
        "attribution_window_seconds": 259_200,
        "confirmation_window_seconds": 300,
        "report_timezone": "UTC",
        "heed_version": "0.1.0",
        "fingerprint": "0",
        "excluded_after_as_of": 0,
    },
    "run.inputs": {
        "load_id": "load-1",
        "source": "shop",
        "connector": "canonical",
        "connector_version": "1",
        "file": "inbox/messages.csv",
        "read_count": 0,
        "accepted_count": 0,
        "duplicate_count": 0,
        "quarantined_count": 0,
        "is_new": True,
    },
    "core.messages": {
        "source": "shop",
        "channel": "sms",
        "contact_key": 1,
        "program": "default",
        "message_class": "marketing",
        "sent_at": "2026-10-01 12:00:00+00",
        "sent_on": "2026-10-01",
        "status": "delivered",
        "is_marketing": True,
        "is_reached": True,
        "load_id": "load-1",
        "row_number": 1,
    },
    "core.consent_events": {
        "source": "shop",
        "channel": "sms",
        "contact_key": 1,
        "program": "*",
        "event_type": "opt_out",
        "requested_at": "2026-10-01 12:00:00+00",
        "requested_on": "2026-10-01",
        "load_id": "load-1",
        "row_number": 1,
    },
    "core.inbound_messages": {
        "source": "shop",
        "channel": "sms",
        "contact_key": 1,
        "received_at": "2026-10-01 12:00:00+00",
        "program": "default",
        "body": "STOP",
        "load_id": "load-1",
        "row_number": 1,
    },
    "core.contacts": {
        "contact_key": 1,
        "contact_masked": "+1202•••••17",
        "address_kind": "phone",
        "person_key": "1",
    },
    "core.opt_out_spans": {
        "span_id": 1,
        "kind": "opt_out",
        "scope_key": "1",
        "contact_key": 1,
        "source": "shop",
        "channel": "sms",
        "program": "*",
        "begins_at": "2026-10-01 12:00:00+00",
        "begins_on": "2026-10-01",
        "event_type": "opt_out",
        "repeat_count": 0,
        "has_clock_skew": False,
        "reason": "unspecified",
    },
    "core.span_coverage": {
        "span_id": 1,
        "kind": "opt_out",
        "contact_key": 1,
        "channel": "sms",
        "program": "*",
        "begins_at": "2026-10-01 12:00:00+00",
        "begins_on": "2026-10-01",
        "source": "shop",
    },
    "audits.findings": {
        "rule": "message_after_opt_out",
        "finding_class": "sent_in_flight",
        "severity": "notice",
        "source": "shop",
        "contact_key": 1,
        "channel": "sms",
        "program": "default",
        "delivered": True,
    },
    "metrics.measurements": {
        "metric": "opt_out_rate",
        "definition": "heed",
        "grain": "all",
        "channel": "*",
        "program": "*",
        "campaign_id": "*",
        "reason": "*",
        "unit": "share",
    },
}


def working_database(path: Path | None = None) -> DuckDBEngine:
    """An engine on a new database at `path` (None: in memory) with every relation of TABLES, all of them empty."""
    engine = DuckDBEngine(path, threads=1)  # a few rows: more threads would wait for each other
    for schema in sorted({relation.partition(".")[0] for relation in TABLES}):
        engine.execute(f"create schema {schema}")
    for relation, columns in TABLES.items():
        engine.execute(f"create table {relation} ({columns})")
    return engine


def insert(engine: DuckDBEngine, relation: str, *rows: Row) -> None:
    """Put rows in a relation; a column a row does not name takes its default, or stays empty."""
    told: dict[tuple[str, ...], list[Any]] = {}
    for row in rows:
        values = DEFAULTS.get(relation, {}) | dict(row)
        told.setdefault(tuple(values), []).extend(values.values())
    # One statement for all rows that name the same columns: a statement a row takes most of a test's time.
    for columns, cells in told.items():
        line = f"({', '.join('?' for _ in columns)})"
        lines = ", ".join([line] * (len(cells) // len(columns)))
        engine.execute(f"insert into {relation} ({', '.join(columns)}) values {lines}", cells)


def sound_database(path: Path | None = None) -> DuckDBEngine:
    """A small working database in which everything holds.

    Contact 1 opts out of sms on 1 October at 12:00 and back in on the 5th; contact 2 blocks every channel on the 2nd.
    m2 and m6 went to them in between.
    """
    engine = working_database(path)
    insert(engine, "run.parameters", {})
    insert(engine, "core.contacts", {"contact_key": 1, "person_key": "1"}, {"contact_key": 2, "person_key": "2"})
    insert(
        engine,
        "core.messages",
        {"message_id": "m1", "sent_at": "2026-10-01 10:00:00+00"},
        {"message_id": "m2", "sent_at": "2026-10-02 10:00:00+00"},
        {"message_id": "m3", "message_class": "transactional", "sent_at": "2026-10-02 11:00:00+00"}
        | {"is_marketing": False, "is_reached": False},
        {"message_id": "m4", "channel": "email", "sent_at": "2026-10-02 12:00:00+00"},
        {"message_id": "m5", "sent_at": "2026-10-06 10:00:00+00", "status": "failed", "is_reached": False},
        {"message_id": "m6", "contact_key": 2, "channel": "whatsapp", "sent_at": "2026-10-03 10:00:00+00"}
        | {"message_class": "unknown", "status_at": "2026-10-03 10:00:05+00"},
    )
    insert(
        engine,
        "core.consent_events",
        {"event_id": "e1", "requested_at": "2026-10-01 12:00:00+00", "processed_at": "2026-10-01 12:00:01+00"},
        {"event_id": "e2", "requested_at": "2026-10-05 12:00:00+00", "event_type": "opt_in"},
        {"event_id": "e3", "requested_at": "2026-10-02 12:00:00+00", "event_type": "block", "contact_key": 2}
        | {"channel": "*"},
    )
    insert(engine, "core.inbound_messages", {"inbound_id": "i1"})
    span_1 = {"begins_at": "2026-10-01 12:00:00+00", "processed_at": "2026-10-01 12:00:01+00"}
    span_1 |= {"event_id": "e1", "ends_at": "2026-10-05 12:00:00+00", "deadline_at": "2026-10-16 00:00:00+00"}
    span_2 = {"span_id": 2, "kind": "block", "contact_key": 2, "event_id": "e3", "channel": "whatsapp"}
    span_2 |= {"begins_at": "2026-10-02 12:00:00+00", "deadline_at": "2026-10-17 00:00:00+00"}
    insert(engine, "core.opt_out_spans", span_1, span_2 | {"scope_key": "2"})
    insert(engine, "core.span_coverage", span_1, span_2)
    insert(
        engine,
        "audits.findings",
        {"message_id": "m2", "event_id": "e1", "occurred_at": "2026-10-02 10:00:00+00"}
        | {"begins_at": span_1["begins_at"]},
        {"message_id": "m6", "event_id": "e3", "occurred_at": "2026-10-03 10:00:00+00", "contact_key": 2}
        | {"begins_at": span_2["begins_at"], "channel": "whatsapp"},
        {"rule": "opt_out_request_missed", "finding_class": "missed", "message_id": "i1"},
        {"rule": "opt_in_without_act", "finding_class": "no_act", "event_id": "e2"},
        {"rule": "campaign_ignores_opt_outs", "finding_class": "ignores", "campaign_id": "c1"},
    )
    insert(
        engine,
        "metrics.measurements",
        {"numerator": 1, "denominator": 4, "value": 0.25, "lower": 0.05, "upper": 0.7},
        # 2 of 2: the interval's upper end is 1, one rounding short of it.
        {"channel": "sms", "numerator": 2, "denominator": 2, "value": 1.0, "lower": 0.34, "upper": 0.9999999999999999},
        {"channel": "email", "numerator": 0, "denominator": 0},
        {"metric": "opt_outs_not_reached", "unit": "count", "numerator": 3, "value": 3},
        {"metric": "response_time", "unit": "seconds", "numerator": 1, "denominator": 2, "value": 86400, "lower": 1},
    )
    for table in ("messages", "consent_events", "inbound_messages"):
        shared = sorted(_columns(f"core.{table}") & _columns(f"history.{table}"))
        engine.execute(
            f"insert into history.{table} ({', '.join(shared)}) select {', '.join(shared)} from core.{table}"
        )
    # 13 rows read = 10 accepted (6 messages + 3 events + 1 inbound) + 2 duplicates + 1 quarantined.
    insert(
        engine,
        "run.inputs",
        {"read_count": 13, "accepted_count": 10, "duplicate_count": 2, "quarantined_count": 1}
        | {"last_record_at": "2026-10-06 10:00:00+00"},
    )
    return engine


def _columns(relation: str) -> set[str]:
    return {definition.split()[0] for definition in TABLES[relation].split(", ")}
