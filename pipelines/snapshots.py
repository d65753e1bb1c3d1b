"""Reads the published snapshot for the command line: findings, metrics and the summary of a run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import NoSnapshotError
from pipelines.publish import read_pointer

FINDING_COLUMNS = (
    "rule",
    "finding_class",
    "severity",
    "source",
    "message_id",
    "event_id",
    "contact_key",
    "contact_masked",
    "channel",
    "program",
    "campaign_id",
    "occurred_at",
    "begins_at",
    "processed_at",
    "deadline_at",
    "delivered",
    "details",
    "waived_by",
)
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
#: contact_key as 16 hexadecimal digits: a number that long would lose digits in JSON readers.
KEY_AS_TEXT = "lpad(lower(hex(contact_key)), 16, '0') as contact_key"


def plain(value: Any) -> Any:
    """A value as JSON has it: instants in ISO 8601 with Z, dates as YYYY-MM-DD."""
    if isinstance(value, datetime):
        moment = value.astimezone(UTC)
        return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds").replace("+00:00", "Z")
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
    """One snapshot file, read only."""
    with DuckDBEngine(snapshot, read_only=True) as engine:
        yield engine


def findings_query(filters: dict[str, str | None]) -> tuple[str, dict[str, str]]:
    """The select and parameters for findings; filters by column name, and `period` (YYYY-MM, UTC)."""
    columns = ", ".join(KEY_AS_TEXT if name == "contact_key" else name for name in FINDING_COLUMNS)
    conditions, parameters = _conditions(filters, "strftime(occurred_at, '%Y-%m')")
    return (
        f"select {columns} from audits.findings {conditions} order by rule, occurred_at, source, message_id, event_id",
        parameters,
    )


def metrics_query(filters: dict[str, str | None]) -> tuple[str, dict[str, str]]:
    """The select and parameters for measurements; filters by column name, and `period` (YYYY-MM)."""
    conditions, parameters = _conditions(filters, "strftime(period_start, '%Y-%m')")
    order = "metric, definition, grain, period_start, channel, program, campaign_id, reason"
    return f"select {', '.join(METRIC_COLUMNS)} from metrics.measurements {conditions} order by {order}", parameters


def _conditions(filters: dict[str, str | None], period: str) -> tuple[str, dict[str, str]]:
    used = {name: value for name, value in filters.items() if value is not None}
    terms = [f"{period if name == 'period' else name} = ${name}" for name in used]
    return (f"where {' and '.join(terms)}" if terms else ""), used


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
        "select expectation, kind, success, checked_count, unexpected_count from validation.results order by kind, expectation"
    )
    query, _ = metrics_query({})
    rows = engine.records(f"select * from ({query}) where grain <> 'day' and campaign_id = '*'")
    return {
        "run_id": engine.value("select run_id from run.parameters"),
        "as_of": plain(engine.value("select as_of from run.parameters")),
        "inputs": plain_rows(
            engine.records(
                'select source, file, sha256, read_count as "read", accepted_count as accepted, duplicate_count as duplicate,'
                " quarantined_count as quarantined, load_id, connector, is_new from run.inputs order by load_id"
            )
        ),
        "findings": findings,
        "violations": engine.value(
            "select count(*) from audits.findings where severity in ('critical', 'high') and waived_by is null"
        ),
        "headline": plain_rows(engine.records("select * from metrics.headline order by position")),
        "metrics": plain_rows(rows),
        "verdict": {
            "overall": overall["verdict"] if overall else "Cannot attest",
            "reasons": overall["reasons"].splitlines() if overall and overall["reasons"] else [],
            "by_period": plain_rows(verdicts),
        },
        "validation": {"success": all(check["success"] for check in checks), "expectations": checks},
    }
