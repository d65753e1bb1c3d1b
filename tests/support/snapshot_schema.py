"""The published tables and their columns, as docs/snapshot.md lists them, for snapshots made by tests."""

from __future__ import annotations

SCHEMAS = ("run", "core", "audits", "metrics", "validation")

TABLES: dict[str, str] = {
    "run.parameters": (
        "run_id text, as_of timestamptz, started_at timestamptz, scope text, rules text, default_deadline text, "
        "deadline_amount bigint, deadline_unit text, attribution_window_seconds bigint, "
        "confirmation_window_seconds bigint, report_timezone text, default_country text, heed_version text, "
        "fingerprint text, excluded_after_as_of bigint"
    ),
    "run.steps": "position int, step text, seconds double, row_count bigint",
    "run.inputs": (
        "load_id text, source text, connector text, connector_version text, file text, size_bytes bigint, sha256 text, "
        "read_count bigint, accepted_count bigint, duplicate_count bigint, quarantined_count bigint, "
        "loaded_at timestamptz, first_record_at timestamptz, last_record_at timestamptz, is_new boolean"
    ),
    "run.sources": (
        "source text, connectors text, timezone text, message_count bigint, consent_event_count bigint, "
        "inbound_message_count bigint, contact_count bigint, unmatched_contact_count bigint, "
        "unknown_class_count bigint, clock_skew_count bigint, "
        "first_record_at timestamptz, last_record_at timestamptz, limits text"
    ),
    "run.history": (
        "run_id text, as_of timestamptz, started_at timestamptz, verdict text, message_count bigint, "
        "violation_count bigint, opt_out_rate double, opt_out_trend text, response_time_seconds double"
    ),
    "run.quarantine": (
        "load_id text, source text, file text, reason text, column_name text, row_count bigint, first_rows text"
    ),
    "core.opt_out_spans": (
        "span_id bigint, kind text, scope_key text, contact_key bigint, contact_masked text, source text, "
        "event_id text, channel text, program text, begins_at timestamptz, begins_on date, processed_at timestamptz, "
        "ends_at timestamptz, deadline_at timestamptz, event_type text, method text, actor text, campaign_id text, "
        "repeat_count bigint, has_clock_skew boolean, reason text"
    ),
    "core.timeline": (
        "contact_key bigint, contact_masked text, occurred_at timestamptz, kind text, source text, record_id text, "
        "channel text, program text, campaign_id text, what text, status text, processed_at timestamptz, method text, "
        "actor text, load_id text, row_number bigint"
    ),
    "audits.findings": (
        "rule text, finding_class text, severity text, source text, message_id text, event_id text, "
        "contact_key bigint, contact_masked text, channel text, program text, campaign_id text, "
        "occurred_at timestamptz, "
        "begins_at timestamptz, processed_at timestamptz, deadline_at timestamptz, delivered boolean, details text, "
        "waived_by text"
    ),
    "metrics.measurements": (
        "metric text, definition text, grain text, period_start date, channel text, program text, campaign_id text, "
        "reason text, numerator double, denominator double, value double, lower double, upper double, unit text"
    ),
    "metrics.headline": (
        "position int, metric text, label text, value double, display text, period_label text, previous_value double, "
        "previous_display text, sentence text"
    ),
    "metrics.verdicts": (
        "period_start date, channel text, source text, verdict text, violation_count bigint, message_count bigint, "
        "reasons text"
    ),
    "metrics.response_time_curve": (
        "channel text, seconds double, share_processed double, lower double, upper double, at_risk bigint"
    ),
    "validation.results": (
        "expectation text, kind text, relation text, description text, success boolean, checked_count bigint, "
        "unexpected_count bigint"
    ),
}


def columns_of(table: str) -> list[str]:
    """The column names of one published table, in order."""
    return [definition.strip().split(" ")[0] for definition in TABLES[table].split(",")]
