"""Reads the published snapshot for the command line: findings, metrics and the summary of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from datetime import timezone as fixed_zone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pipelines import verify
from pipelines.audit import FINDING_COLUMNS
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import DamagedSnapshotError, EngineError, NoSnapshotError, UsageError
from pipelines.publish import read_pointer
from pipelines.settings import fixed_offset_seconds
from pipelines.zones import utc_text

METRIC_COLUMNS = (
    "metric",
    "definition",
    "grain",
    "period_start",
    "channel",
    "program",
    "campaign_id",
    "reason",
    "numerator",
    "denominator",
    "value",
    "lower",
    "upper",
    "unit",
)
WAIVER_COLUMNS = (
    "waiver_number",
    "rule",
    "subject",
    "subject_kind",
    "reason",
    "disposition",
    "who",
    "until",
    "status",
    "finding_count",
)
#: contact_key as 16 hexadecimal digits: a number that long would lose digits in JSON readers.
KEY_AS_TEXT = "lpad(lower(hex(contact_key)), 16, '0') as contact_key"


def plain(value: Any) -> Any:
    """A value as JSON has it: instants in ISO 8601 with Z, dates as YYYY-MM-DD."""
    if isinstance(value, datetime):
        return utc_text(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


def plain_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows with every value as JSON has it."""
    return [{name: plain(value) for name, value in row.items()} for row in rows]


@contextmanager
def published(home: Path) -> Iterator[DuckDBEngine]:
    """The published snapshot of a home, read only; raises NoSnapshotError where there is none."""
    pointer = read_pointer(home / "published")
    if pointer is None:
        raise NoSnapshotError(f"Nothing is published in {home}.", f"Make a snapshot first: heed -C {home} run")
    with opened(home / "published" / pointer["snapshot"]) as engine:
        yield engine


@contextmanager
def opened(snapshot: Path) -> Iterator[DuckDBEngine]:
    """One snapshot file, read only; raises DamagedSnapshotError where it is not what was published."""
    try:
        with DuckDBEngine(snapshot, read_only=True) as engine:
            yield engine
    except EngineError as error:
        if problem := verify.snapshot_problem(snapshot):
            home = snapshot.parent.parent
            raise DamagedSnapshotError(
                f"{snapshot} {problem}.", f"Try: heed -C {home} repair, then heed -C {home} run"
            ) from error
        raise


def report_timezone(engine: DuckDBEngine) -> str:
    """The time zone in which the snapshot's periods are cut."""
    return str(engine.value("select report_timezone from run.parameters"))


def findings_query(filters: dict[str, str | None], timezone: str) -> tuple[str, dict[str, Any]]:
    """The select and parameters for findings; filters by column name, and `period` (YYYY-MM in `timezone`)."""
    columns = ", ".join(KEY_AS_TEXT if name == "contact_key" else name for name in FINDING_COLUMNS)
    conditions, parameters = _conditions(filters, timezone, "occurred_at >= $from_at and occurred_at < $until_at")
    return (
        f"select {columns} from audits.findings {conditions} order by rule, occurred_at, source, message_id, event_id",
        parameters,
    )


def metrics_query(filters: dict[str, str | None], timezone: str) -> tuple[str, dict[str, Any]]:
    """The select and parameters for measurements; filters by column name, and `period` (YYYY-MM)."""
    within = "period_start >= $from_on and period_start < $until_on"
    conditions, parameters = _conditions(filters, timezone, within)
    order = "metric, definition, grain, period_start, channel, program, campaign_id, reason"
    return f"select {', '.join(METRIC_COLUMNS)} from metrics.measurements {conditions} order by {order}", parameters


def waivers_query() -> str:
    """The select for the rows of waivers.csv, each with what became of it."""
    return f"select {', '.join(WAIVER_COLUMNS)} from audits.waivers order by waiver_number"


def waivers(engine: DuckDBEngine) -> list[dict[str, Any]]:
    """The rows of `waivers_query`; none in a snapshot made before there were waivers."""
    return engine.records(waivers_query()) if engine.relation_exists("audits.waivers") else []


def exposure(engine: DuckDBEngine) -> list[dict[str, Any]]:
    """What violations would cost, one row per penalty that any of them fall under; alternatives, never to be added."""
    if not engine.relation_exists("metrics.exposure"):
        return []
    return engine.records(
        "select * from metrics.exposure where violation_count + possible_count > 0 order by legal_rule_id"
    )


def _conditions(filters: dict[str, str | None], timezone: str, within: str) -> tuple[str, dict[str, Any]]:
    used: dict[str, Any] = {name: value for name, value in filters.items() if value is not None}
    terms = [within if name == "period" else f"{name} = ${name}" for name in used]
    if period := used.pop("period", None):
        used |= {name: value for name, value in _month(period, timezone).items() if f"${name}" in within}
    return (f"where {' and '.join(terms)}" if terms else ""), used


def _month(period: str, timezone: str) -> dict[str, date]:
    """First day and instant of a month, and of the month after it."""
    match = re.fullmatch(r"(20\d\d)-(0[1-9]|1[0-2])", period)
    if not match:
        raise UsageError(f"--period is {period!r}, which is no month.", "Write it as 2026-10.")
    fixed = fixed_offset_seconds(timezone)
    zone = ZoneInfo(timezone) if fixed is None else fixed_zone(timedelta(seconds=fixed))
    year, month = int(match[1]), int(match[2])
    start = datetime(year, month, 1, tzinfo=zone)
    end = datetime(year + month // 12, month % 12 + 1, 1, tzinfo=zone)
    return {"from_on": start.date(), "until_on": end.date(), "from_at": start, "until_at": end}


def summary(engine: DuckDBEngine) -> dict[str, Any]:
    """What a snapshot says, as `heed run --json` prints it (without the run's own seconds)."""
    findings: dict[str, dict[str, int]] = {}
    for rule, finding_class, count in engine.rows(
        "select rule, finding_class, count(*) from audits.findings group by all order by all"
    ):
        findings.setdefault(rule, {})[finding_class] = count
    verdicts = engine.records("select * from metrics.verdicts order by period_start nulls first, channel, source")
    overall = next(
        (row for row in verdicts if row["period_start"] is None and row["channel"] == row["source"] == "*"), None
    )
    checks = engine.records(
        "select expectation, kind, success, checked_count, unexpected_count from validation.results"
        " order by kind, expectation"
    )
    query, _ = metrics_query({}, report_timezone(engine))
    rows = engine.records(f"select * from ({query}) where grain <> 'day' and (campaign_id = '*' or grain <> 'week')")
    return {
        "run_id": engine.value("select run_id from run.parameters"),
        "as_of": plain(engine.value("select as_of from run.parameters")),
        "inputs": plain_rows(
            engine.records(
                'select source, file, sha256, read_count as "read", accepted_count as accepted,'
                " duplicate_count as duplicate, quarantined_count as quarantined,"
                " load_id, connector, is_new from run.inputs order by load_id"
            )
        ),
        "findings": findings,
        "violations": engine.value(
            "select count(*) from audits.findings where severity in ('critical', 'high') and waived_by is null"
        ),
        "waived": engine.value("select count(*) from audits.findings where waived_by is not null"),
        "waivers": plain_rows(waivers(engine)),
        "exposure": exposure(engine),
        "headline": plain_rows(engine.records("select * from metrics.headline order by position")),
        "metrics": plain_rows(rows),
        "verdict": {
            "overall": overall["verdict"] if overall else "Cannot attest",
            "reasons": overall["reasons"].splitlines() if overall and overall["reasons"] else [],
            "by_period": plain_rows(verdicts),
        },
        "validation": {"success": all(check["success"] for check in checks), "expectations": checks},
    }
