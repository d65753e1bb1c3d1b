"""A new snapshot beside the old ones, then the pointer to it: a reader sees the old one or the new one, whole."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines import chain, sqlfiles
from pipelines.durable import replace_durably, write_whole
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import NewerFormatError
from pipelines.ledger import sha256_of
from pipelines.signature import SIGNED_BY, Signer
from pipelines.zones import utc_text

POINTER = "CURRENT.json"
#: One line per published run.
RUNS = "runs.jsonl"

#: Tables of a snapshot and the order of their rows; every other relation stays in the working database.
_TABLES = {
    "run.parameters": "1",
    "run.steps": "position",
    "run.fingerprints": "part",
    "run.inputs": "load_id",
    "run.load_days": "load_id, table_name, on_date nulls first, channel, event_type",
    "run.sources": "source",
    "run.history": "started_at, run_id",
    "run.changes": "what, name",
    "run.rules": "rule_id",
    "run.audit_rules": "rule",
    "run.rule_reach": "rule_id, country, region, channel",
    "run.deadlines": "rule_id",
    "run.quiet_windows": "rule_id, weekday, from_minute",
    "run.caps": "rule_id",
    "run.penalties": "rule_id",
    "run.quarantine": "load_id, row_count desc, reason, column_name",
    "run.quarantine_examples": "load_id, reason, column_name, row_number",
    "core.contacts": "contact_key",
    "core.places": "place_id",
    "core.place_zones": "place_id, timezone",
    "core.opt_out_spans": "contact_key, begins_at, span_id",
    "core.span_coverage": "contact_key, begins_at, span_id",
    "core.consent_starts": "contact_key, channel, program",
    # What the rules read, of contacts with a finding: by contact, so that one contact's rows are read without the rest.
    "core.messages": "contact_key, sent_at, message_id",
    "core.consent_events": "contact_key, requested_at, event_id",
    "core.inbound_messages": "contact_key, received_at, inbound_id",
    "core.inbound_requests": "contact_key, received_at, inbound_id",
    "core.citable_spans": "contact_key, after_at, span_id",
    "core.confirmations": "contact_key, sent_at, message_id",
    "core.marketing_confirmations": "contact_key, message_id",
    "core.messages_without_instructions": "contact_key, message_id",
    "core.scoped_acts": "contact_key, requested_at, event_id, scope_key, kind",
    "core.listings": "contact_key, source",
    # And what they read that is about no contact.
    "core.campaigns": "source, campaign_id, channel",
    "core.campaign_messages": "campaign_source, campaign_id, campaign_channel, message_source, message_channel",
    "core.confirmation_channels": "channel",
    "core.consented_channels": "channel",
    "core.consent_duties": "place_id, channel, from_at",
    "core.place_rules": "place_id, channel, rule_id, from_at",
    "core.quiet_places": "place_id",
    "core.quiet_hours": "schedule_id, channel, utc_hour, from_at",
    "run.forbidden_sources": "source_type",
    "reference.channels": "channel",
    "reference.reply_rules": "rule, about",
    # The worst first, then the newest: the order of the list that people read, which pages of it rely on.
    "audits.findings": "case severity when 'critical' then 1 when 'high' then 2 when 'warning' then 3 else 4 end,"
    " occurred_at desc, source, message_id, event_id, rule, finding_id",
    "audits.waivers": "waiver_number",
    "metrics.found_messages": "period_start, channel, program, campaign_id",
    "metrics.finding_groups": "rule, finding_class, period_start, channel, program, campaign_id, legal_rule_id",
    "metrics.measurements": "metric, definition, grain, period_start, channel, program, campaign_id, reason",
    "metrics.definitions": "position",
    "metrics.headline": "position",
    "metrics.trends": "channel",
    "metrics.change_points": "channel, starts_on",
    "metrics.season_tests": "channel, cycle",
    "metrics.seasons": "channel, cycle, position",
    "metrics.year_over_year": "channel, month",
    "metrics.campaigns": "grain, period_start, channel, league_rank nulls last, campaign_id",
    "metrics.campaign_funnels": "grain, period_start, channel, message_count",
    "metrics.message_breakdowns": "grain, period_start, channel, dimension, place, bucket",
    "metrics.breakdown_tests": "grain, period_start, channel, dimension",
    "metrics.costs": "grain, period_start, channel, currency, audience",
    "metrics.verdicts": "period_start nulls first, channel, source",
    "metrics.log_coverage": "log, channel, source",
    "metrics.log_weeks": "log, channel, source, week_start",
    "metrics.silences": "log, channel, source, last_on",
    "metrics.violation_days": "channel, on_date",
    "metrics.finding_counts": "period_start nulls first, channel, rule, finding_class",
    "metrics.exposure": "legal_rule_id",
    "metrics.reply_regimes": "regime, channel",
    "metrics.response_time_curve": "channel, seconds",
    "metrics.slow_stretches": "channel, first_on",
    "metrics.response_groups": "channel, dimension, value",
    "metrics.open_requests": "channel, position",
    "metrics.repeat_requests": "channel, method, asked_count",
    "metrics.membership": "cohort, channel, dimension, value",
    "metrics.membership_curve": "cohort, channel, dimension, value, days",
    "metrics.membership_tests": "channel, dimension",
    "metrics.reason_shares_by_week": "channel, week_start, reason",
    "metrics.reason_trends": "channel, reason",
    "metrics.reason_changes": "channel, month_start, reason",
    "metrics.reason_tenure": "channel, position, reason",
    "metrics.reason_differences": "dimension, channel, month_start nulls first, member",
    "metrics.reason_texts": "reason, position",
    "metrics.audience": "grain, channel, period_start",
    "metrics.consent_coverage": "period_start, channel, source, phase",
    "metrics.consent_origins": "channel, source_type, method",
    "metrics.segments": "channel, segment",
    "metrics.segment_pairs": "contact_key, channel",
    "metrics.inactive_contacts": "channel",
    "metrics.inactive_pairs": "contact_key, channel",
    "metrics.machine_rules": "rule, within_seconds desc",
    "core.suspected_machines": "span_id, rule",
    "validation.results": "kind, expectation",
}


#: Views in the snapshot of its own tables.
_VIEWS = ("core.timeline",)


def read_pointer(published: Path) -> dict[str, Any] | None:
    """What CURRENT.json says; None where nothing is published or its snapshot is gone.

    Raises NewerFormatError where a later version of heed published it.
    """
    try:
        pointer: dict[str, Any] = json.loads((published / POINTER).read_text(encoding="utf-8"))
        is_whole = (published / pointer["snapshot"]).is_file() and "fingerprint" in pointer and "run_id" in pointer
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if chain.is_newer(pointer):
        raise NewerFormatError(published / POINTER)
    return pointer if is_whole else None


def pointer_text(pointer: dict[str, Any]) -> str:
    """CURRENT.json as it is written, to the byte."""
    return json.dumps(pointer, indent=2) + "\n"


def _forget_old(published: Path, keep: int, current: str) -> None:
    snapshots = sorted(published.glob("*.duckdb"), key=lambda path: path.name)
    for path in [path for path in snapshots if path.name != current][: max(0, len(snapshots) - keep)]:
        path.unlink()
    for leftover in ("*.building*", ".*.partial"):
        for path in published.glob(leftover):
            path.unlink()


def publish(
    engine: DuckDBEngine,
    published: Path,
    row: dict[str, Any],
    fingerprint: str,
    ledger_head: str,
    keep: int,
    signer: Signer | None = None,
) -> Path:
    """Write `<run_id>.duckdb`, point CURRENT.json at it and keep the last `keep`; returns the snapshot's path.

    `row` is this run's row of run.history, `ledger_head` the digest of the ledger's last line; `signer` signs the run.
    """
    published.mkdir(parents=True, exist_ok=True)
    run_id = row["run_id"]
    building = published / f"{run_id}.duckdb.building"
    building.unlink(missing_ok=True)
    # A file of sql/published says which rows and columns of the relation of its name a snapshot has.
    chosen = {
        f"{'audits' if one.name == 'findings' else 'core'}.{one.name}": one.text for one in sqlfiles.load("published")
    }
    rows = {relation: f"({chosen[relation]})" if relation in chosen else relation for relation in _TABLES}
    tables = {relation: f"select * from {rows[relation]} order by {order}" for relation, order in _TABLES.items()}
    try:
        engine.copy_to_file(building, tables, {relation: chosen[relation] for relation in _VIEWS})
    except BaseException:
        for leftover in published.glob(f"{building.name}*"):
            leftover.unlink(missing_ok=True)
        raise
    path = published / f"{run_id}.duckdb"
    told = {
        "run_id": run_id,
        "snapshot": path.name,
        "as_of": utc_text(row["as_of"]) if row["as_of"] else None,
        "published_at": utc_text(datetime.now(UTC).replace(microsecond=0)),
        "fingerprint": fingerprint,
        "format": chain.FORMAT,
    }
    # First the line that vouches for it, then its name, then the pointer: nobody sees what nothing vouches for.
    line = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in row.items()}
    made = {"snapshot_sha256": sha256_of(building), "ledger_head": ledger_head}
    signed = {SIGNED_BY: signer.public_key} if signer else {}
    head = chain.append(
        published / RUNS,
        line | {name: told[name] for name in told if name not in line} | made | signed,
        # Before the line, so that a line that names a key has its signature, wherever a run dies.
        lambda head: signer.sign(published, head) if signer else None,
    )
    replace_durably(building, path)
    write_whole(published / POINTER, pointer_text(told | {"head": head}))
    _forget_old(published, keep, path.name)
    return path
