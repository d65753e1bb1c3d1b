"""What one snapshot says, read whole for comparing; an earlier version's may lack relations."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import polars

from pipelines import snapshots
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.errors import DamagedSnapshotError, EngineError, UsageError
from pipelines.measures.periods import report_zone

_LOAD_DAYS = (
    "select load_id, table_name, event_type, channel, on_date, row_count, new_count, first_at, last_at"
    " from run.load_days"
)
_FINDINGS = (
    "select rule, source, coalesce(message_id, event_id, campaign_id, cast(contact_key as varchar)) as subject,"
    " finding_class, severity, waived_by is not null as is_waived, count(*) as finding_count"
    " from audits.findings group by all"
)


@dataclass(frozen=True)
class Reported:
    """One snapshot: its parameters and, as data frames, what is compared; None for what it does not have."""

    run_id: str
    parameters: dict[str, Any]
    overall_verdict: str
    measurements: polars.DataFrame
    headline: list[dict[str, Any]]
    findings: polars.DataFrame
    verdicts: polars.DataFrame
    inputs: polars.DataFrame
    load_days: polars.DataFrame | None
    fingerprints: dict[str, str] | None
    rules: polars.DataFrame | None
    caps: list[dict[str, Any]]
    waivers: polars.DataFrame | None

    @property
    def as_of(self) -> datetime | None:
        """The instant at which its record was judged; None for an empty record."""
        as_of: datetime | None = self.parameters["as_of"]
        return as_of

    @property
    def as_of_on(self) -> date | None:
        """The first day that was not over, in its report time zone."""
        return self.as_of.astimezone(report_zone(self.parameters["report_timezone"])).date() if self.as_of else None

    def summary(self) -> dict[str, Any]:
        """The run in a few words: run_id, as_of, started_at, heed_version, verdict."""
        told = {name: self.parameters.get(name) for name in ("as_of", "started_at", "heed_version")}
        return {"run_id": self.run_id, **told, "verdict": self.overall_verdict}


def read(snapshot: Path) -> Reported:
    """One kept snapshot; raises UsageError when its file is no snapshot any more."""
    try:
        with snapshots.opened(snapshot) as engine:
            return of(engine)
    except (EngineError, DamagedSnapshotError) as error:
        raise UsageError(
            f"{snapshot} cannot be read: it is damaged, or another version of heed wrote it.",
            "Compare other runs; a new run publishes a new snapshot.",
        ) from error


def of(engine: DuckDBEngine, *, with_findings: bool = True) -> Reported:
    """What the snapshot, or the working database of a run that is about to be one, says.

    Without findings their frame has no rows: they are many, and not every comparison needs them.
    """
    [parameters] = engine.records("select * from run.parameters")
    fingerprints = _held(engine, "run.fingerprints", "select part, digest from run.fingerprints")
    verdicts = engine.frame(
        "select period_start, channel, source, verdict, violation_count, message_count, reasons from metrics.verdicts"
    )
    whole = verdicts.filter(
        polars.col("period_start").is_null() & (polars.col("channel") == "*") & (polars.col("source") == "*")
    )
    has_caps = engine.relation_exists("run.caps")
    return Reported(
        run_id=parameters["run_id"],
        parameters=parameters,
        overall_verdict=whole["verdict"][0] if len(whole) else "Cannot attest",
        measurements=engine.frame(f"select {', '.join(snapshots.METRIC_COLUMNS)} from metrics.measurements"),
        headline=engine.records("select * from metrics.headline order by position"),
        findings=engine.frame(_FINDINGS if with_findings else f"{_FINDINGS} limit 0"),
        verdicts=verdicts,
        inputs=engine.frame("select * from run.inputs"),
        load_days=_held(engine, "run.load_days", _LOAD_DAYS),
        fingerprints=None if fingerprints is None else dict(fingerprints.iter_rows()),
        rules=_held(engine, "run.rules", "select * from run.rules"),
        caps=engine.records("select * from run.caps where rule_id = 'policy'") if has_caps else [],
        waivers=_held(engine, "audits.waivers", "select * from audits.waivers"),
    )


def _held(engine: DuckDBEngine, relation: str, select: str) -> polars.DataFrame | None:
    return engine.frame(select) if engine.relation_exists(relation) else None
