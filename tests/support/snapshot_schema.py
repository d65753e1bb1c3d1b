"""The published tables and their columns, as docs/snapshot.md lists them, for snapshots made by tests."""

from __future__ import annotations

SCHEMAS = ("run", "reference", "core", "audits", "metrics", "validation")

TABLES: dict[str, str] = {
    "run.parameters": (
        "run_id text, as_of timestamptz, started_at timestamptz, scope text, rules text, default_deadline text, "
        "deadline_amount bigint, deadline_unit text, attribution_window_seconds bigint, "
        "confirmation_window_seconds bigint, double_opt_in boolean, publish_reason_texts boolean, "
        "report_timezone text, default_country text, heed_version text, fingerprint text, excluded_after_as_of bigint"
    ),
    "run.steps": "position int, step text, seconds double, row_count bigint",
    "run.fingerprints": "part text, digest text",
    "run.load_days": (
        "load_id text, table_name text, event_type text, channel text, on_date date, row_count bigint, "
        "new_count bigint, first_at timestamptz, last_at timestamptz"
    ),
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
    "run.changes": (
        "since_run_id text, what text, name text, then_count bigint, now_count bigint, new_count bigint, "
        "gone_count bigint"
    ),
    "run.quarantine": (
        "load_id text, source text, file text, reason text, column_name text, row_count bigint, first_rows text"
    ),
    "run.quarantine_examples": "load_id text, reason text, column_name text, row_number bigint, shape text",
    "run.audit_rules": "rule text, says text, why text, remedy text, severity text, sql text",
    "run.forbidden_sources": "source_type text",
    "reference.channels": "channel text, address_kind text",
    "reference.reply_rules": ("rule text, about text, rank bigint, reading text, in_words text, example text"),
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
    "core.messages": (
        "source text, message_id text, channel text, contact_key bigint, program text, campaign_id text, "
        "message_class text, sent_at timestamptz, status text, is_marketing boolean, is_reached boolean, load_id text, "
        "row_number bigint"
    ),
    "core.consent_events": (
        "source text, event_id text, channel text, contact_key bigint, program text, event_type text, "
        "requested_at timestamptz, processed_at timestamptz, method text, actor text, source_type text, "
        "prechecked boolean, campaign_id text, load_id text, row_number bigint"
    ),
    "core.inbound_messages": (
        "source text, inbound_id text, channel text, contact_key bigint, program text, received_at timestamptz, "
        "load_id text, row_number bigint"
    ),
    "core.inbound_requests": (
        "source text, inbound_id text, channel text, contact_key bigint, program text, received_at timestamptz, "
        "reading text, reply_rule text, exact_keyword boolean, legal_list boolean, is_recorded boolean, "
        "is_inside boolean, begins_at timestamptz"
    ),
    "core.citable_spans": (
        "span_id bigint, kind text, contact_key bigint, channel text, program text, after_at timestamptz, "
        "until_at timestamptz, begins_at timestamptz, processed_at timestamptz, deadline_at timestamptz, "
        "legal_rule_id text, event_id text"
    ),
    "core.confirmations": (
        "source text, message_id text, contact_key bigint, channel text, program text, campaign_id text, "
        "sent_at timestamptz, status text, act_source text, event_id text, event_type text, requested_at timestamptz, "
        "confirmation_number bigint"
    ),
    "core.marketing_confirmations": "source text, message_id text, contact_key bigint, phrase text",
    "core.messages_without_instructions": "source text, message_id text, contact_key bigint, told_by text",
    "core.scoped_acts": (
        "scope_key text, kind text, role text, source text, event_id text, contact_key bigint, requested_at timestamptz"
    ),
    "core.listings": "source text, contact_key bigint, listed boolean, listed_at timestamptz",
    "core.campaigns": (
        "source text, campaign_id text, channel text, program text, name text, language text, "
        "respects_opt_outs int, started_at timestamptz"
    ),
    "core.campaign_messages": (
        "campaign_source text, campaign_id text, campaign_channel text, message_source text, message_channel text, "
        "message_count bigint, marketing_count bigint, first_sent_at timestamptz"
    ),
    "core.confirmation_channels": "channel text",
    "core.consented_channels": "channel text",
    "core.consent_duties": (
        "place_id bigint, channel text, from_at timestamptz, until_at timestamptz, rule_id text, severity text"
    ),
    "core.place_rules": (
        "place_id bigint, channel text, kind text, rule_id text, from_at timestamptz, until_at timestamptz, "
        "severity text, region text, certainty text"
    ),
    "core.quiet_places": "place_id bigint, schedule_id bigint",
    "core.quiet_hours": (
        "schedule_id bigint, channel text, utc_hour bigint, from_at timestamptz, until_at timestamptz, "
        "legal_rule_id text, severity text, certainty text"
    ),
    "core.timeline": (
        "contact_key bigint, contact_masked text, occurred_at timestamptz, kind text, source text, record_id text, "
        "channel text, program text, campaign_id text, what text, status text, processed_at timestamptz, method text, "
        "actor text, load_id text, row_number bigint"
    ),
    "audits.findings": (
        "finding_id text, rule text, finding_class text, severity text, source text, message_id text, event_id text, "
        "contact_key bigint, contact_masked text, channel text, program text, campaign_id text, "
        "occurred_at timestamptz, "
        "begins_at timestamptz, processed_at timestamptz, deadline_at timestamptz, delivered boolean, details text, "
        "waived_by text, legal_rule_id text, jurisdiction text, jurisdiction_certainty text, "
        "waiver_number bigint"
    ),
    "audits.waivers": (
        "waiver_number bigint, rule text, subject text, subject_kind text, reason text, disposition text, who text, "
        "until date, status text, finding_count bigint"
    ),
    "metrics.finding_groups": (
        "period_start date, rule text, finding_class text, severity text, channel text, program text, "
        "campaign_id text, legal_rule_id text, is_waived boolean, finding_count bigint"
    ),
    "metrics.found_messages": ("period_start date, channel text, program text, campaign_id text, message_count bigint"),
    "metrics.measurements": (
        "metric text, definition text, grain text, period_start date, channel text, program text, campaign_id text, "
        "reason text, numerator double, denominator double, value double, lower double, upper double, unit text"
    ),
    "metrics.definitions": (
        "position bigint, metric text, definition text, name text, numerator text, denominator text, "
        "attribution text, attributed_by text, window_seconds bigint, method text, counts text, messages text, "
        "unit text, is_share boolean, grains text, source text, grade text, checked_on text, note text"
    ),
    "metrics.audience": (
        "grain text, period_start date, channel text, opted_in_at_start bigint, opt_ins bigint, re_opt_ins bigint, "
        "unblocks bigint, opt_outs bigint, complaints bigint, blocks bigint, net_growth bigint, "
        "opted_in_at_end bigint, opt_in_acts bigint, opt_out_acts bigint, complaint_acts bigint, block_acts bigint"
    ),
    "metrics.consent_coverage": "period_start date, channel text, source text, phase text, message_count bigint",
    "metrics.consent_origins": "channel text, source_type text, method text, message_count bigint",
    "metrics.segments": "channel text, segment text, pair_count bigint, blocked_count bigint",
    "metrics.segment_pairs": "contact_key bigint, channel text, segment text, is_blocked boolean, since_on date",
    "metrics.inactive_contacts": (
        "channel text, reached_count bigint, long_reached_count bigint, unknown_count bigint, inactive_count bigint, "
        "inactive_days bigint, reports_reads boolean"
    ),
    "metrics.inactive_pairs": "contact_key bigint, channel text, inactive_since_on date",
    "metrics.machine_rules": (
        "rule text, channel text, method text, within_seconds bigint, together_seconds bigint, "
        "fewest_contacts bigint, in_words text, source text, span_count bigint"
    ),
    "core.suspected_machines": "span_id bigint, rule text, seconds double",
    "metrics.headline": (
        "position int, metric text, label text, value double, display text, period_label text, previous_value double, "
        "previous_display text, sentence text"
    ),
    "metrics.trends": (
        "channel text, definition text, last_week_on date, weeks_used bigint, label text, direction bigint, s bigint, "
        "z double, p_value double, tau double, slope double, lower double, upper double, autocorrelation double, "
        "autocorrelation_corrected double, p_value_corrected double, weeks_searched bigint, change_count bigint, "
        "sentence text"
    ),
    "metrics.change_points": (
        "channel text, starts_on date, earliest_on date, latest_on date, before_from_on date, after_until_on date, "
        "numerator_before bigint, denominator_before bigint, value_before double, lower_before double, "
        "upper_before double, numerator_after bigint, denominator_after bigint, value_after double, "
        "lower_after double, upper_after double, ratio double, p_value double, shape text"
    ),
    "metrics.season_tests": (
        "channel text, cycle text, witness_count bigint, opt_out_count bigint, statistic double, p_value double, "
        "p_value_adjusted double, label text"
    ),
    "metrics.seasons": (
        "channel text, cycle text, position bigint, numerator bigint, denominator bigint, value double, lower double, "
        "upper double, expected double, p_value double, direction bigint"
    ),
    "metrics.year_over_year": (
        "channel text, month date, numerator bigint, denominator bigint, value double, lower double, upper double, "
        "numerator_before bigint, denominator_before bigint, value_before double, lower_before double, "
        "upper_before double, difference double, difference_lower double, difference_upper double, p_value double, "
        "p_value_adjusted double, label text"
    ),
    "metrics.campaigns": (
        "grain text, period_start date, channel text, campaign_id text, name text, program text, "
        "language text, delivered_count bigint, opt_out_count bigint, rate double, lower double, "
        "upper double, rest_rate double, ratio double, ratio_lower double, ratio_upper double, "
        "excess_opt_outs double, shrunken_rate double, shrunken_lower double, shrunken_upper double, "
        "limit_lower_95 double, limit_upper_95 double, limit_lower_998 double, limit_upper_998 double, "
        "p_value double, q_value double, is_alert boolean, league_rank bigint"
    ),
    "metrics.campaign_funnels": (
        "grain text, period_start date, channel text, message_count double, centre double, lower_95 double, "
        "upper_95 double, lower_998 double, upper_998 double, relative_spread double"
    ),
    "metrics.message_breakdowns": (
        "grain text, period_start date, channel text, dimension text, bucket text, place bigint, "
        "message_count bigint, known_count bigint, opt_out_count bigint, rate double, lower double, "
        "upper double, ratio double, ratio_lower double, ratio_upper double, p_value double, q_value double"
    ),
    "metrics.breakdown_tests": (
        "grain text, period_start date, channel text, dimension text, bucket_count bigint, "
        "message_count bigint, opt_out_count bigint, statistic double, degrees bigint, dispersion double, "
        "p_value double, q_value double, trend_p_value double, trend_q_value double, trend_sign bigint, "
        "high_bucket text, low_bucket text, ratio double, ratio_lower double, ratio_upper double"
    ),
    "metrics.costs": (
        "grain text, period_start date, channel text, currency text, audience text, message_count bigint, "
        "priced_count bigint, cost double"
    ),
    "metrics.verdicts": (
        "period_start date, channel text, source text, verdict text, violation_count bigint, message_count bigint, "
        "reasons text"
    ),
    "metrics.response_time_curve": (
        "channel text, seconds double, share_processed double, lower double, upper double, at_risk bigint"
    ),
    "metrics.response_groups": (
        "channel text, dimension text, value text, month_start date, span_count bigint, processed_count bigint, "
        "open_count bigint, due_count bigint, within_deadline_count bigint, asked_again_count bigint, "
        "is_small boolean, restricted_to_seconds double, median_seconds double, median_seconds_lower double, "
        "median_seconds_upper double, p90_seconds double, p90_seconds_lower double, p90_seconds_upper double, "
        "p95_seconds double, p95_seconds_lower double, p95_seconds_upper double, restricted_mean_seconds double, "
        "restricted_mean_seconds_lower double, restricted_mean_seconds_upper double, mean_30_days_seconds double, "
        "mean_30_days_seconds_lower double, mean_30_days_seconds_upper double, mean_completed_seconds double, "
        "mean_completed_seconds_lower double, mean_completed_seconds_upper double, share_within_1_hour double, "
        "share_within_1_hour_lower double, share_within_1_hour_upper double, share_within_24_hours double, "
        "share_within_24_hours_lower double, share_within_24_hours_upper double, share_within_48_hours double, "
        "share_within_48_hours_lower double, share_within_48_hours_upper double, share_within_deadline double, "
        "share_within_deadline_lower double, share_within_deadline_upper double, share_asked_again double, "
        "share_asked_again_lower double, share_asked_again_upper double"
    ),
    "metrics.open_requests": (
        "channel text, position bigint, age text, open_count bigint, withdrawn_count bigint, "
        "past_deadline_count bigint, next_deadline_at timestamptz, oldest_begins_at timestamptz"
    ),
    "metrics.repeat_requests": ("channel text, method text, asked_count bigint, span_count bigint"),
    "metrics.membership": (
        "cohort text, channel text, dimension text, value text, opt_in_count bigint, left_count bigint, "
        "expected_left_count double, is_small boolean, followed_days double, left_7_days double, "
        "left_7_days_lower double, left_7_days_upper double, left_30_days double, left_30_days_lower double, "
        "left_30_days_upper double, left_90_days double, left_90_days_lower double, left_90_days_upper double, "
        "left_365_days double, left_365_days_lower double, left_365_days_upper double, median_days double, "
        "median_days_lower double, median_days_upper double"
    ),
    "metrics.membership_curve": (
        "cohort text, channel text, dimension text, value text, days double, share_left double, lower double, "
        "upper double, at_risk bigint"
    ),
    "metrics.membership_tests": (
        "channel text, dimension text, stratified_by text, group_count bigint, opt_in_count bigint, "
        "chi_squared double, degrees bigint, p_value double, p_adjusted double"
    ),
    "metrics.reason_shares_by_week": (
        "week_start date, channel text, reason text, opt_out_count bigint, total_count bigint, value double, "
        "lower double, upper double, is_used boolean"
    ),
    "metrics.reason_trends": (
        "channel text, reason text, direction bigint, slope double, lower double, upper double, p_value double, "
        "q_value double, weeks_used bigint, last_week date"
    ),
    "metrics.reason_changes": (
        "channel text, month_start date, reason text, value double, before_value double, difference double, "
        "lower double, upper double, p_value double, q_value double, has_changed boolean"
    ),
    "metrics.reason_tenure": (
        "channel text, tenure text, position bigint, from_days bigint, until_days bigint, in_words text, reason text, "
        "opt_out_count bigint, total_count bigint, value double, lower double, upper double"
    ),
    "metrics.reason_differences": (
        "dimension text, channel text, member text, month_start date, opt_out_count bigint, given_count bigint, "
        "rest_count bigint, method text, categories bigint, statistic double, degrees bigint, p_value double, "
        "q_value double, is_different boolean, reason text, value double, rest_value double"
    ),
    "metrics.reason_texts": (
        "reason text, position bigint, text text, language text, chosen_as text, contact_count bigint, "
        "first_month date, last_month date"
    ),
    "metrics.slow_stretches": (
        "channel text, first_on date, last_on date, span_count bigint, open_count bigint, median_seconds double, "
        "median_seconds_elsewhere double, p90_seconds double, p90_seconds_elsewhere double, p_value double"
    ),
    "metrics.log_coverage": (
        "log text, channel text, source text, first_on date, last_on date, day_count bigint, record_count bigint, "
        "empty_day_count bigint, longest_gap_days double, longest_gap_from date, longest_gap_to date, "
        "silent_above_days double, silence_count bigint"
    ),
    "metrics.log_weeks": (
        "log text, channel text, source text, week_start date, day_count bigint, record_count bigint"
    ),
    "metrics.silences": ("log text, channel text, source text, last_on date, resumes_on date, gap_days double"),
    "metrics.violation_days": (
        "on_date date, channel text, message_count bigint, finding_count bigint, violation_count bigint, "
        "waived_count bigint"
    ),
    "metrics.finding_counts": (
        "period_start date, channel text, rule text, finding_class text, severity text, finding_count bigint, "
        "violation_count bigint, waived_count bigint, contact_count bigint"
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

#: What the rules read, of contacts with a finding or of none.
EVIDENCE = (
    "core.messages", "core.consent_events", "core.inbound_messages", "core.inbound_requests", "core.citable_spans",
    "core.confirmations", "core.marketing_confirmations", "core.messages_without_instructions", "core.scoped_acts",
    "core.listings", "core.campaigns", "core.campaign_messages", "core.confirmation_channels",
    "core.consented_channels", "core.consent_duties", "core.place_rules", "core.quiet_places", "core.quiet_hours",
    "run.forbidden_sources", "reference.channels", "reference.reply_rules",
)  # fmt: skip
#: What snapshots of before the rule book do not have: whole tables, and columns of others.
RULE_BOOK_TABLES = frozenset({
    "run.quarantine_examples", "metrics.log_coverage", "metrics.log_weeks", "metrics.silences",
    "run.fingerprints", "run.load_days", "metrics.slow_stretches",
    "run.changes", "metrics.violation_days", "metrics.finding_counts",
    "metrics.response_groups", "metrics.open_requests", "metrics.repeat_requests", "metrics.membership",
    "metrics.membership_curve", "metrics.membership_tests",
    "metrics.audience", "metrics.consent_coverage", "metrics.consent_origins", "metrics.segments",
    "metrics.segment_pairs", "metrics.inactive_contacts", "metrics.inactive_pairs", "metrics.machine_rules",
    "core.suspected_machines", "metrics.finding_groups", "metrics.found_messages", *EVIDENCE,
    "metrics.definitions",
    "metrics.trends", "metrics.change_points", "metrics.season_tests", "metrics.seasons", "metrics.year_over_year",
    "metrics.campaigns", "metrics.campaign_funnels", "metrics.message_breakdowns", "metrics.breakdown_tests",
    "metrics.costs",
    "run.audit_rules", "run.rules", "run.rule_reach", "run.deadlines", "run.quiet_windows", "run.caps",
    "run.penalties", "core.contacts", "core.places", "core.place_zones", "core.span_coverage", "core.consent_starts",
    "audits.waivers", "metrics.exposure", "metrics.reply_regimes",
    "metrics.reason_shares_by_week", "metrics.reason_trends", "metrics.reason_changes", "metrics.reason_tenure",
    "metrics.reason_differences", "metrics.reason_texts",
})  # fmt: skip
RULE_BOOK_COLUMNS = {
    "audits.findings": (
        "finding_id",
        "legal_rule_id",
        "jurisdiction",
        "jurisdiction_certainty",
        "waiver_number",
    ),
    "core.opt_out_spans": ("legal_rule_id",),
    "run.parameters": (
        "double_opt_in",
        "publish_reason_texts",
    ),
}


def columns_of(table: str) -> list[str]:
    """The column names of one published table, in order."""
    return [definition.strip().split(" ")[0] for definition in TABLES[table].split(",")]
