"""The published tables and their columns, as docs/snapshot.md lists them, for snapshots made by tests."""

from __future__ import annotations

SCHEMAS = ("run", "core", "audits", "metrics", "validation")

TABLES: dict[str, str] = {
    "run.parameters": (
        "run_id text, as_of timestamptz, started_at timestamptz, scope text, rules text, default_deadline text, "
        "deadline_amount bigint, deadline_unit text, attribution_window_seconds bigint, "
        "confirmation_window_seconds bigint, double_opt_in boolean, report_timezone text, default_country text, "
        "heed_version text, fingerprint text, excluded_after_as_of bigint"
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
    "run.audit_rules": "rule text, says text, why text, remedy text, severity text",
    "run.rules": (
        "rule_id text, jurisdiction text, regulation text, citation text, channel text, message_class text, kind text, "
        "value text, unit text, counting text, effective_from text, effective_to text, grade text, checked_on text, "
        "source_url text, enabled text, severity text, in_words text, note text, origin text, is_in_force boolean, "
        "is_judged boolean, judged_from date, judged_until date"
    ),
    "run.rule_reach": (
        "rule_id text, kind text, country text, region text, channel text, from_on date, until_on date, severity text"
    ),
    "run.deadlines": "rule_id text, amount bigint, unit text, counting text",
    "run.quiet_windows": "rule_id text, weekday bigint, from_minute bigint, until_minute bigint, clock text",
    "run.caps": "rule_id text, amount bigint, window_seconds bigint",
    "run.penalties": "rule_id text, low double, high double, currency text, unit text",
    "core.contacts": (
        "contact_key bigint, contact_masked text, address_kind text, person_key text, country text, region text, "
        "timezone text, jurisdiction text, jurisdiction_certainty text, place_id bigint, country_from text, "
        "region_from text, timezone_from text, region_certainty text, timezone_certainty text"
    ),
    "core.places": (
        "place_id bigint, place text, country text, region text, country_certainty text, region_certainty text, "
        "zone_key text, timezone_certainty text"
    ),
    "core.place_zones": "place_id bigint, timezone text",
    "core.opt_out_spans": (
        "span_id bigint, kind text, scope_key text, contact_key bigint, contact_masked text, person_key text, "
        "source text, event_id text, channel text, program text, begins_at timestamptz, begins_on date, "
        "processed_at timestamptz, ends_at timestamptz, deadline_at timestamptz, legal_rule_id text, event_type text, "
        "method text, actor text, campaign_id text, "
        "repeat_count bigint, has_clock_skew boolean, reason text"
    ),
    "core.span_coverage": (
        "span_id bigint, kind text, contact_key bigint, channel text, program text, begins_at timestamptz, "
        "begins_on date, processed_at timestamptz, ends_at timestamptz, deadline_at timestamptz, legal_rule_id text, "
        "source text, event_id text"
    ),
    "core.consent_starts": (
        "contact_key bigint, channel text, program text, opted_in_at timestamptz, requested_at timestamptz, "
        "source text, event_id text"
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
        "waived_by text, legal_rule_id text, jurisdiction text, jurisdiction_certainty text"
    ),
    "audits.waivers": (
        "waiver_number bigint, rule text, subject text, subject_kind text, reason text, disposition text, who text, "
        "until date, status text, finding_count bigint"
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
    "metrics.exposure": (
        "legal_rule_id text, currency text, unit text, violation_count bigint, possible_count bigint, "
        "low_amount double, high_amount double"
    ),
    "metrics.reply_regimes": (
        "regime text, channel text, read_count bigint, request_count bigint, missed_by_regime_count bigint, "
        "unrecorded_count bigint"
    ),
    "validation.results": (
        "expectation text, kind text, relation text, description text, success boolean, checked_count bigint, "
        "unexpected_count bigint"
    ),
}

#: What snapshots of before the rule book do not have: whole tables, and columns of others.
RULE_BOOK_TABLES = frozenset({
    "run.audit_rules", "run.rules", "run.rule_reach", "run.deadlines", "run.quiet_windows", "run.caps",
    "run.penalties", "core.contacts", "core.places", "core.place_zones", "core.span_coverage", "core.consent_starts",
    "audits.waivers", "metrics.exposure", "metrics.reply_regimes",
})  # fmt: skip
RULE_BOOK_COLUMNS = {
    "audits.findings": ("legal_rule_id", "jurisdiction", "jurisdiction_certainty"),
    "core.opt_out_spans": ("legal_rule_id",),
    "run.parameters": ("double_opt_in",),
}


def columns_of(table: str) -> list[str]:
    """The column names of one published table, in order."""
    return [definition.strip().split(" ")[0] for definition in TABLES[table].split(",")]
