"""A home with one published snapshot, small but like a real one, for tests of what reads snapshots.

Four kinds: `findings` (violations in three channels over fifteen months), `clean` (the same traffic, no finding, a
Pass), `empty` (a first run over an empty inbox) and `old` (as `findings`, from before there was a rule book). Every row
is made from a fixed seed. Numbers agree where a reader would compare them: findings with verdicts, spans with open
requests, inputs with their sums.
"""

from __future__ import annotations

import json
import math
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pandas

from tests.support import (
    snapshot_audience,
    snapshot_audit,
    snapshot_campaigns,
    snapshot_coverage,
    snapshot_definitions,
    snapshot_durations,
    snapshot_evidence,
    snapshot_reasons,
    snapshot_rules,
    snapshot_trends,
)
from tests.support.snapshot_numbers import (
    AS_OF,
    CAMPAIGNS,
    CHANNELS,
    FIRST_DAY,
    REACHED_A_DAY,
    REASONS,
    Row,
    curve,
    periods,
    rates,
    reasons,
    response_times,
)
from tests.support.snapshot_schema import RULE_BOOK_COLUMNS, RULE_BOOK_TABLES, SCHEMAS, TABLES, columns_of

RESPONSE_TIME = "Median response time"


def write_home(
    home: Path,
    kind: str = "findings",
    *,
    published_at: datetime | None = None,
    run: int = 1,
    preset: str = "default",
) -> Path:
    """Publish one snapshot of `kind` (findings, clean, empty, old) in `home` and return the snapshot's path.

    `published_at` defaults to now; a later `run` number publishes a newer snapshot beside the earlier ones; `preset`
    is the rules that the policy chose.
    """
    published = home / "published"
    published.mkdir(parents=True, exist_ok=True)
    run_id = f"20261118T1410{run:02d}Z-4f2a9c"
    path = published / f"{run_id}.duckdb"
    tables = dict.fromkeys(TABLES, None) | _tables(run_id, "findings" if kind == "old" else kind, preset)
    connection = duckdb.connect(str(path))
    connection.execute("set TimeZone = 'UTC'")
    for schema in SCHEMAS:
        connection.execute(f"create schema {schema}")
    for table, definition in TABLES.items():
        if table == "core.timeline":
            continue  # a view of what is published anyway
        connection.execute(f"create table {table} ({definition})")
        rows = tables[table]
        if rows:
            frame = pandas.DataFrame([[row.get(name) for name in columns_of(table)] for row in rows], dtype=object)
            frame.columns = columns_of(table)
            connection.register("frame", frame)
            connection.execute(f"insert into {table} select * from frame")
            connection.unregister("frame")
    connection.execute(f"create view core.timeline as {snapshot_evidence.TIMELINE}")
    if kind == "old":
        connection.execute("create table core.before as select * from core.timeline; drop view core.timeline")
        connection.execute("alter table core.before rename to timeline")
        for table in RULE_BOOK_TABLES:
            connection.execute(f"drop table {table}")
        for table, names in RULE_BOOK_COLUMNS.items():
            for name in names:
                connection.execute(f"alter table {table} drop column {name}")
    connection.close()
    pointer = {
        "run_id": run_id,
        "snapshot": path.name,
        "as_of": AS_OF.isoformat(),
        "published_at": (published_at or datetime.now(UTC)).isoformat(),
        "fingerprint": f"{run:02d}" + "9b1d5e7c03" * 6,
    }
    (published / "CURRENT.json").write_text(json.dumps(pointer), encoding="utf-8")
    return path


def _tables(run_id: str, kind: str, preset: str) -> dict[str, list[Row]]:
    tables: dict[str, list[Row]] = {
        "run.parameters": [_parameters(run_id, preset)],
        "run.steps": _steps(kind),
        "metrics.definitions": snapshot_definitions.definitions(),
        "run.audit_rules": snapshot_rules.audit_rules(),
        "run.rules": snapshot_rules.rules(preset),
        "run.rule_reach": snapshot_rules.reach(),
        "run.deadlines": snapshot_rules.deadlines(),
        "run.caps": [{"rule_id": "policy", "amount": 5, "window_seconds": 604_800}],
    }
    if kind == "empty":
        tables["metrics.headline"] = _headline(empty=True)
        verdict = {"channel": "*", "source": "*", "verdict": "Cannot attest", "violation_count": 0, "message_count": 0}
        tables["metrics.verdicts"] = [verdict | {"period_start": None, "reasons": "No message was loaded."}]
        tables["run.history"] = [_history(run_id, 0, "Cannot attest", 0, 0, None, None, None)]
        return tables
    chance = random.Random(20261118)
    spans = _spans(chance, every_span_in_time=kind == "clean")
    findings, timeline = _findings(chance, spans) if kind == "findings" else ([], [])
    if findings:
        more = snapshot_rules.findings_of_other_rules()
        findings, timeline = [snapshot_rules.with_law(one) for one in [*findings, *more[0]]], [*timeline, *more[1]]
        tables["audits.waivers"] = snapshot_rules.waivers(findings)
        tables["metrics.exposure"] = snapshot_rules.exposure(findings)
    findings = snapshot_evidence.in_order(findings)
    rated = rates(chance)
    reasoned = reasons(chance)
    durations = snapshot_durations.tables(spans)
    switched = snapshot_definitions.measurements(rated)
    tables |= {
        "core.opt_out_spans": spans,
        "core.contacts": snapshot_rules.contacts([*spans, *findings]),
        **snapshot_rules.places(),
        **snapshot_evidence.records(timeline),
        **snapshot_evidence.counted(findings, "Europe/Berlin"),
        "audits.findings": findings,
        "metrics.measurements": [
            *rated,
            *switched,
            *response_times(spans),
            *snapshot_durations.measurements(spans),
            *reasoned,
            *snapshot_audience.measurements(rated, spans),
        ],
        **snapshot_audience.tables(spans),
        **snapshot_campaigns.tables(planted=kind == "findings"),
        "metrics.response_time_curve": curve(spans),
        **durations,
        **snapshot_reasons.tables(reasoned),
        **snapshot_trends.tables(),
        **snapshot_audit.tables(findings, durations["metrics.open_requests"], kind),
        "metrics.headline": _headline(),
        "metrics.verdicts": _verdicts(findings, kind),
        "metrics.reply_regimes": snapshot_rules.reply_regimes(),
        "run.inputs": _inputs(kind),
        "run.sources": _sources(),
        "run.quarantine": _quarantine(kind),
        "run.quarantine_examples": [] if kind == "clean" else snapshot_coverage.quarantine_examples(),
        **snapshot_coverage.tables(FIRST_DAY, AS_OF.date(), kind),
        "validation.results": _validation(),
        "run.history": _run_history(run_id, findings, kind),
    }
    return tables


def _parameters(run_id: str, preset: str) -> Row:
    return {
        "run_id": run_id, "as_of": AS_OF, "started_at": AS_OF + timedelta(minutes=5), "scope": "channel",
        "rules": preset, "default_deadline": "10bd", "deadline_amount": 10, "deadline_unit": "business_days",
        "attribution_window_seconds": 259200, "confirmation_window_seconds": 300, "double_opt_in": False,
        "report_timezone": "Europe/Berlin",
        "default_country": "DE", "heed_version": "0.1.0", "fingerprint": "9b1d5e7c03" * 6, "excluded_after_as_of": 3,
    }  # fmt: skip


def _steps(kind: str) -> list[Row]:
    names = ["load", "build", "audit", "measure", "validate", "publish"]
    seconds = [2.41, 0.62, 0.34, 1.18, 3.9, 0.2]
    rows = [0, 0, 0, 0, 18, 1] if kind == "empty" else [141_386, 139_940, 512, 9_240, 18, 1]
    return [
        {"position": index + 1, "step": name, "seconds": seconds[index], "row_count": rows[index]}
        for index, name in enumerate(names)
    ]


def _spans(chance: random.Random, *, every_span_in_time: bool) -> list[Row]:
    spans = []
    days = (AS_OF.date() - FIRST_DAY).days
    for span_id in range(1, 901):
        channel = chance.choices(list(CHANNELS), [0.55, 0.3, 0.15])[0]
        begins_at = datetime(2025, 9, 1, tzinfo=UTC) + timedelta(
            days=chance.randrange(days), seconds=chance.randrange(86_400)
        )
        seconds = min(chance.lognormvariate(math.log(3_600 if channel == "sms" else 14_400), 1.6), 2_900_000)
        deadline_at = begins_at + timedelta(days=14)
        if every_span_in_time:
            seconds = min(seconds, 1_000_000)
        processed_at = begins_at + timedelta(seconds=round(seconds))
        is_open = chance.random() < (0 if every_span_in_time else 0.006) or processed_at > AS_OF
        program = chance.choice(["offers", "offers", "service-news"]) if channel != "whatsapp" else "offers"
        address = (
            f"{'abcdefghij'[span_id % 10]}•••@example.com" if channel == "email" else f"+1202•••••{span_id % 100:02d}"
        )
        spans.append({
            "span_id": span_id, "kind": "opt_out", "scope_key": f"{span_id}:{channel}",
            "contact_key": chance.randrange(-(2**63), 2**63), "contact_masked": address, "source": CHANNELS[channel],
            "event_id": f"opt-out-{span_id}", "channel": channel, "program": program, "begins_at": begins_at,
            "begins_on": begins_at.date(), "processed_at": None if is_open else processed_at,
            "ends_at": begins_at + timedelta(days=60) if span_id % 31 == 0 and begins_at < AS_OF - timedelta(days=60)
            else None,
            "deadline_at": deadline_at, "event_type": "opt_out",
            "legal_rule_id": "us-tcpa-optout-10bd" if channel == "sms" else None, "person_key": f"contact:{span_id}",
            "method": "keyword" if channel == "sms" else "one_click" if channel == "email" else "button",
            "actor": "contact", "campaign_id": chance.choice(CAMPAIGNS.get((channel, program), [None])),
            "repeat_count": 2 if span_id % 23 == 0 else 0, "has_clock_skew": span_id % 211 == 0,
            "reason": chance.choices(list(REASONS), list(REASONS.values()))[0],
        })  # fmt: skip
    return spans


def _findings(chance: random.Random, spans: list[Row]) -> tuple[list[Row], list[Row]]:
    findings: list[Row] = []
    timeline: list[Row] = []
    for span in spans:
        number = span["span_id"]
        late = span["processed_at"] is None or span["processed_at"] > span["deadline_at"]
        overdue = late and span["deadline_at"] < AS_OF
        is_recent = span["begins_at"] > datetime(2026, 4, 1, tzinfo=UTC)
        messages = chance.choice([1, 2, 3, 5]) if number % (40 if is_recent else 6) == 0 else 0
        if not messages and not overdue:
            continue
        base = {key: span[key] for key in ("source", "contact_key", "contact_masked", "channel", "program")}
        row = {"load_id": "load-0003", "row_number": number}
        timeline.append(base | row | {
            "occurred_at": span["begins_at"] - timedelta(days=40), "kind": "consent_event",
            "record_id": f"opt-in-{number}",
            "what": "opt_in", "processed_at": span["begins_at"] - timedelta(days=40), "method": "web_form",
            "actor": "contact",
        })  # fmt: skip
        timeline.append(base | row | {
            "occurred_at": span["begins_at"], "kind": "consent_event", "record_id": span["event_id"], "what": "opt_out",
            "processed_at": span["processed_at"], "method": span["method"], "actor": "contact",
            "campaign_id": span["campaign_id"],
        })  # fmt: skip
        cited = {key: span[key] for key in ("begins_at", "processed_at", "deadline_at", "event_id")}
        if overdue:
            findings.append(base | cited | {
                "rule": "opt_out_not_honoured_in_time",
                "finding_class": "processed_late" if span["processed_at"] else "not_processed",
                "severity": "high" if span["processed_at"] else "warning", "occurred_at": span["deadline_at"],
                "campaign_id": None, "waived_by": None,
                "details": "processed after its deadline" if span["processed_at"] else "still open past its deadline",
            })  # fmt: skip
        for index in range(-3, messages):
            hours = chance.uniform(1, 60) * (index + 1) if index >= 0 else 200.0 * index
            sent_at = span["begins_at"] + timedelta(hours=hours)
            if sent_at > AS_OF:
                continue
            message_id = f"{span['source']}-{number:05d}-{index + 4}"
            status = "suppressed" if index >= 0 and chance.random() < 0.12 else "delivered"
            campaign = span["campaign_id"] if index % 2 == 0 else None
            timeline.append(base | row | {
                "occurred_at": sent_at, "kind": "message", "record_id": message_id, "campaign_id": campaign,
                "what": "marketing", "status": status,
            })  # fmt: skip
            if index < 0 or (span["ends_at"] and sent_at >= span["ends_at"]):
                continue
            finding_class = _class_of(status, sent_at, span)
            findings.append(base | cited | {
                "rule": "message_after_opt_out", "finding_class": finding_class,
                "severity": snapshot_rules.SEVERITY[("message_after_opt_out", finding_class)],
                "message_id": message_id, "event_id": span["event_id"], "campaign_id": campaign, "occurred_at": sent_at,
                "delivered": status == "delivered", "details": f"{hours:.1f} h after the opt-out",
                "waived_by": "legal@example.org: service recall, until 2026-12-31" if number % 36 == 0 else None,
            })  # fmt: skip
    for number in range(90):
        channel = chance.choice(["sms", "whatsapp"])
        rule, finding_class = (
            ("message_without_consent", "no_consent_on_record") if number % 3 == 0
            else ("message_in_quiet_hours", ("certain", "possible", "unknown")[number // 3 % 3])
        )  # fmt: skip
        key, masked = chance.randrange(2**63), f"+1305•••••{number:02d}"
        sent_at = AS_OF - timedelta(days=chance.randrange(400), hours=chance.randrange(24))
        common = {
            "source": CHANNELS[channel], "contact_key": key, "contact_masked": masked, "channel": channel,
            "program": "offers", "campaign_id": chance.choice(CAMPAIGNS[(channel, "offers")]), "occurred_at": sent_at,
        }  # fmt: skip
        findings.append(common | {
            "rule": rule, "finding_class": finding_class, "severity": snapshot_rules.SEVERITY[(rule, finding_class)],
            "message_id": f"lone-{number}", "delivered": True,
            "details": "no opt-in on record" if number % 3 == 0 else "sent at 22:40 local time",
        })  # fmt: skip
        timeline.append(common | {"kind": "message", "record_id": f"lone-{number}", "what": "marketing",
                                  "status": "delivered", "load_id": "load-0002", "row_number": number})  # fmt: skip
    return findings, timeline


def _class_of(status: str, sent_at: datetime, span: Row) -> str:
    if status == "suppressed":
        return "suppressed_by_provider"
    if span["processed_at"] is not None and sent_at > span["processed_at"]:
        return "sent_after_processing"
    return "sent_past_deadline" if sent_at > span["deadline_at"] else "sent_in_flight"


def _headline(*, empty: bool = False) -> list[Row]:
    if empty:
        labels = {"opt_out_rate": "Opt-out rate", "opt_out_trend": "Opt-out trend", "response_time": RESPONSE_TIME}
        return [
            {"position": index + 1, "metric": metric, "label": label, "display": "No data",
             "period_label": "Whole record", "previous_display": "No data", "sentence": "No opt-out is on record."}
            for index, (metric, label) in enumerate(labels.items())
        ]  # fmt: skip
    return [
        {"position": 1, "metric": "opt_out_rate", "label": "Opt-out rate", "value": 0.0119, "display": "1.2 %",
         "period_label": "October 2026", "previous_value": 0.0134, "previous_display": "1.3 %",
         "sentence": "Of 8,741 contact and channel pairs reached in October 2026, 104 opted out "
                     "(95 % interval 1.0 % to 1.4 %); September: 1.3 %."},
        {"position": 2, "metric": "opt_out_trend", "label": "Opt-out trend", "value": -0.021, "display": "Decreasing",
         "period_label": "12 weeks to 15 November 2026", "previous_value": None, "previous_display": "No clear trend",
         "sentence": "Over the 12 weeks to 15 November 2026 the weekly opt-out rate was decreasing: -0.02 percentage "
                     "points a week (95 % interval -0.03 to -0.01); the 12 weeks before: no clear trend."},
        {"position": 3, "metric": "response_time", "label": RESPONSE_TIME, "value": 3960.0, "display": "1.1 h",
         "period_label": "October 2026", "previous_value": 4860.0, "previous_display": "1.4 h",
         "sentence": "Half of the 61 opt-outs of October 2026 were processed within 1.1 h (95 % interval 54 min to "
                     "1.4 h); still open: 1, the oldest for 19 days; September: 1.4 h."},
    ]  # fmt: skip


def _verdicts(findings: list[Row], kind: str) -> list[Row]:
    violations = [f for f in findings if f["severity"] in ("critical", "high") and not f.get("waived_by")]
    rows = []
    for start, days in [*periods("all"), *periods("month")]:
        for channel in ("*", *CHANNELS):
            for source in ("*", *CHANNELS.values()) if channel == "*" else ("*", CHANNELS[channel]):
                count = sum(
                    1 for f in violations
                    if channel in ("*", f["channel"]) and source in ("*", f["source"])
                    and (start is None or f["occurred_at"].strftime("%Y-%m") == start.strftime("%Y-%m"))
                )  # fmt: skip
                reached = [n for n in CHANNELS if channel in ("*", n) and source in ("*", CHANNELS[n])]
                messages = sum(REACHED_A_DAY[name] for name in reached) * days // 4
                hole = kind == "findings" and channel in ("*", "whatsapp") and source in ("*", "messenger")
                reasons = [f"Violations: {count}."] if count else []
                reasons += ["Opt-outs without proof of processing: 1."] if hole else []
                verdict = "Fail" if count else "Cannot attest" if hole else "Pass"
                rows.append({"period_start": start, "channel": channel, "source": source, "verdict": verdict,
                             "violation_count": count, "message_count": messages,
                             "reasons": "\n".join(reasons) or "No violation, and no hole."})  # fmt: skip
    return rows


def _inputs(kind: str) -> list[Row]:
    rows = []
    for number, (source, file, read, duplicate, quarantined) in enumerate((
        ("gateway", "inbox/gateway/messages-2025.csv", 48_112, 96, 0),
        ("gateway", "inbox/gateway/messages-2026.csv", 39_870, 210, 14),
        ("gateway", "inbox/gateway/opt-outs.csv", 512, 0, 0),
        ("mailer", "inbox/mailer/events-2026.jsonl", 45_310, 871, 22),
        ("messenger", "inbox/messenger/webhooks-2026.jsonl", 7_582, 205, 5),
    )):  # fmt: skip
        bad = 0 if kind == "clean" else quarantined
        rows.append({
            "load_id": f"load-{number + 1:04d}", "source": source, "connector": "canonical", "connector_version": "1",
            "file": file, "size_bytes": read * 143, "sha256": f"{number}a7c" * 16, "read_count": read,
            "accepted_count": read - duplicate - bad, "duplicate_count": duplicate, "quarantined_count": bad,
            "loaded_at": AS_OF + timedelta(minutes=6), "first_record_at": datetime(2025, 9, 1, 6, tzinfo=UTC),
            "last_record_at": AS_OF - timedelta(hours=number), "is_new": number > 2,
        })  # fmt: skip
    return rows


def _sources() -> list[Row]:
    limits = {"gateway": "", "mailer": "Does not report delivery to the inbox, only acceptance.",
              "messenger": "Webhooks are not replayed. Opt-outs in the app are not logged."}  # fmt: skip
    return [
        {"source": source, "connectors": "canonical", "timezone": "UTC", "message_count": REACHED_A_DAY[channel] * 110,
         "consent_event_count": 300, "inbound_message_count": 120 if channel == "sms" else 0, "contact_count": 9_400,
         "unmatched_contact_count": 37 if channel == "whatsapp" else 0,
         "unknown_class_count": 210 if channel == "sms" else 0, "clock_skew_count": 3 if channel == "email" else 0,
         "first_record_at": datetime(2025, 9, 1, 6, tzinfo=UTC), "last_record_at": AS_OF, "limits": limits[source]}
        for channel, source in CHANNELS.items()
    ]  # fmt: skip


def _quarantine(kind: str) -> list[Row]:
    rows = [
        ("load-0002", "gateway", "inbox/gateway/messages-2026.csv", "timestamp_without_zone", "sent_at", 14, "120"),
        ("load-0004", "mailer", "inbox/mailer/events-2026.jsonl", "contact_missing", "contact", 22, "17, 902, 1204"),
        ("load-0005", "messenger", "inbox/messenger/webhooks-2026.jsonl", "timestamp_implausible", "sent_at", 5, "3"),
    ]  # fmt: skip
    return [] if kind == "clean" else [dict(zip(columns_of("run.quarantine"), row, strict=True)) for row in rows]


def _validation() -> list[Row]:
    names = [
        ("messages_have_one_row_per_message", "key", "core.messages", "No message appears twice.", True, 139_940, 0),
        ("spans_do_not_overlap", "invariant", "core.opt_out_spans", "Spans of one scope never overlap.", True, 900, 0),
        ("findings_agree_with_asof", "invariant", "audits.findings", "A second way finds the same rows.", True, 512, 0),
        ("volume_as_usual", "fitness", "core.messages", "No day has far fewer messages than usual.", False, 444, 2),
    ]  # fmt: skip
    return [dict(zip(columns_of("validation.results"), row, strict=True)) for row in names]


def _history(
    run_id: str, days_ago: int, verdict: str, messages: int, violations: int, rate: float | None, trend: str | None,
    seconds: float | None,
) -> Row:  # fmt: skip
    at = AS_OF - timedelta(days=days_ago)
    return dict(zip(columns_of("run.history"), (run_id, at, at + timedelta(minutes=5), verdict, messages, violations,
                                                rate, trend, seconds), strict=True))  # fmt: skip


def _run_history(run_id: str, findings: list[Row], kind: str) -> list[Row]:
    violations = sum(1 for f in findings if f["severity"] in ("critical", "high") and not f.get("waived_by"))
    return [
        _history(snapshot_audit.RUN_BEFORE, 31, "Fail", 121_004, violations + 12, 0.0134, "No clear trend", 4860.0),
        _history(run_id, 0, "Pass" if kind == "clean" else "Fail", 117_700, violations, 0.0119, "Decreasing", 3960.0),
    ]
