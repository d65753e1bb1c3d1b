"""Schema run: what a run was told, what it read, what it could not use, and what came before it."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import Any

import polars

from pipelines import __version__, chain, connectors
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Ledger
from pipelines.publish import RUNS
from pipelines.settings import Settings

_INSTANT = polars.Datetime("us", "UTC")


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def write_parameters(
    engine: DuckDBEngine, settings: Settings, run_id: str, as_of: datetime | None, started_at: datetime, digest: str
) -> None:
    """Build run.parameters: one row."""
    policy = settings.policy
    rules = policy.rules if isinstance(policy.rules, str) else ",".join(policy.rules)
    row: dict[str, Any] = {
        "run_id": run_id,
        "as_of": as_of,
        "started_at": started_at,
        "scope": policy.scope,
        "rules": rules,
        "default_deadline": policy.default_deadline.text,
        "deadline_amount": policy.default_deadline.amount,
        "deadline_unit": policy.default_deadline.unit,
        "attribution_window_seconds": policy.attribution_window_seconds,
        "confirmation_window_seconds": policy.confirmation_window_seconds,
        "double_opt_in": policy.double_opt_in,
        "publish_reason_texts": policy.publish_reason_texts,
        "report_timezone": policy.report_timezone,
        "default_country": policy.default_country,
        "heed_version": __version__,
        "fingerprint": digest,
    }
    overrides: dict[str, Any] = {"as_of": _INSTANT, "started_at": _INSTANT, "default_country": polars.String}
    engine.create_from_frame("run.parameters", polars.DataFrame([row], schema_overrides=overrides))


def write_excluded(engine: DuckDBEngine) -> None:
    """Add excluded_after_as_of to run.parameters: delivered records later than as_of, in no number of this run."""
    engine.execute(
        """
        create or replace table run.parameters as
        select p.*, (
            select count(*) from (
                select sent_at as instant from history.messages
                union all select requested_at from history.consent_events
                union all select received_at from history.inbound_messages
            ) where instant > p.as_of
        ) as excluded_after_as_of
        from run.parameters as p"""
    )


def write_inputs(engine: DuckDBEngine, ledger: Ledger, new: set[str]) -> None:
    """Build run.inputs: one row per load; `new` are the load ids of this run."""
    rows = [
        {
            "load_id": load.load_id,
            "source": load.source,
            "connector": load.connector,
            "connector_version": str(load.connector_version),
            "file": load.file,
            "size_bytes": load.size_bytes,
            "sha256": load.sha256,
            "read_count": load.read_count,
            "accepted_count": load.accepted_count,
            "duplicate_count": load.duplicate_count,
            "quarantined_count": load.quarantined_count,
            "loaded_at": _instant(load.loaded_at),
            "first_record_at": _instant(load.first_record_at),
            "last_record_at": _instant(load.last_record_at),
            "is_new": load.load_id in new,
        }
        for load in ledger.loads
    ]
    schema: dict[str, Any] = dict.fromkeys(
        ("load_id", "source", "connector", "connector_version", "file"), polars.String
    )
    schema |= {"size_bytes": polars.Int64, "sha256": polars.String}
    schema |= dict.fromkeys(("read_count", "accepted_count", "duplicate_count", "quarantined_count"), polars.Int64)
    schema |= dict.fromkeys(("loaded_at", "first_record_at", "last_record_at"), _INSTANT) | {"is_new": polars.Boolean}
    engine.create_from_frame("run.inputs", polars.DataFrame(rows, schema=schema))


def _matches(parts: tuple[str, ...], pattern: tuple[str, ...]) -> bool:
    """Whether a path fits a glob pattern, both cut at their slashes; `**` stands for any number of folders."""
    if not pattern:
        return not parts
    if pattern[0] == "**":
        return any(_matches(parts[start:], pattern[1:]) for start in range(len(parts) + 1))
    return bool(parts) and fnmatchcase(parts[0], pattern[0]) and _matches(parts[1:], pattern[1:])


def _absent_sources(settings: Settings, ledger: Ledger) -> list[str]:
    """The names of [[source]] tables of which no row is on record.

    Of several tables of one name each has to have its own; a name's only table has whatever came under that name.
    """
    held = [load for load in ledger.loads if load.accepted_count + load.duplicate_count > 0]
    tables = Counter(source.name for source in settings.sources)
    absent = {
        source.name
        for source in settings.sources
        if not any(
            load.source == source.name
            and (tables[source.name] == 1 or _matches(PurePosixPath(load.file).parts, PurePosixPath(source.path).parts))
            for load in held
        )
    }
    return sorted(absent)


def write_sources(engine: DuckDBEngine, settings: Settings, ledger: Ledger) -> None:
    """Build run.sources: one row per source of heed.toml or of history; and run.absent_sources."""
    names = sorted({source.name for source in settings.sources} | {load.source for load in ledger.loads})
    rows = []
    for name in names:
        used = {source.connector for source in settings.sources if source.name == name}
        used |= {load.connector for load in ledger.loads if load.source == name}
        zones = {source.timezone for source in settings.sources if source.name == name and source.timezone}
        limits = {connectors.named(one).LIMITS for one in used & set(connectors.names())}
        limits |= {source.limits.strip() for source in settings.sources if source.name == name and source.limits}
        said = " ".join(sorted(limits - {""}))
        rows.append((name, ", ".join(sorted(used)), ", ".join(sorted(zones)) or None, said))
    engine.create_from_frame(
        "run.configured_sources",
        polars.DataFrame(
            rows, schema=dict.fromkeys(("source", "connectors", "timezone", "limits"), polars.String), orient="row"
        ),
    )
    absent = polars.DataFrame({"source": _absent_sources(settings, ledger)}, schema={"source": polars.String})
    engine.create_from_frame("run.absent_sources", absent)
    engine.create(
        "run.sources",
        """
        with
        records as (
            select source, 'message' as kind, contact_key, sent_at as instant from core.messages
            union all select source, 'consent_event', contact_key, requested_at from core.consent_events
            union all select source, 'inbound_message', contact_key, received_at from core.inbound_messages
        ),
        counted as (
            select source,
                count(*) filter (where kind = 'message') as message_count,
                count(*) filter (where kind = 'consent_event') as consent_event_count,
                count(*) filter (where kind = 'inbound_message') as inbound_message_count,
                min(instant) as first_record_at, max(instant) as last_record_at
            from records group by source
        ),
        classless as (
            select source, count(*) as unknown_class_count
            from core.messages where message_class = 'unknown' group by source
        ),
        skewed as (
            select source, count(*) as clock_skew_count
            from core.consent_events where processed_at < requested_at group by source
        ),
        people as (
            select r.source, count(*) as contact_count,
                count(*) filter (where c.address_kind = 'other') as unmatched_contact_count
            from (select distinct source, contact_key from records) as r
            join core.contacts as c on c.contact_key = r.contact_key
            group by r.source
        )
        select s.source, s.connectors, s.timezone,
            coalesce(n.message_count, 0) as message_count,
            coalesce(n.consent_event_count, 0) as consent_event_count,
            coalesce(n.inbound_message_count, 0) as inbound_message_count,
            coalesce(p.contact_count, 0) as contact_count,
            coalesce(p.unmatched_contact_count, 0) as unmatched_contact_count,
            coalesce(u.unknown_class_count, 0) as unknown_class_count,
            coalesce(k.clock_skew_count, 0) as clock_skew_count,
            n.first_record_at, n.last_record_at, s.limits
        from run.configured_sources as s
        left join counted as n on n.source = s.source
        left join people as p on p.source = s.source
        left join classless as u on u.source = s.source
        left join skewed as k on k.source = s.source
        order by s.source""",
    )


def write_steps(engine: DuckDBEngine, steps: list[tuple[str, float, int]]) -> None:
    """Build run.steps from (step, seconds, rows)."""
    rows = [(position, *step) for position, step in enumerate(steps, start=1)]
    schema = {"position": polars.Int32, "step": polars.String, "seconds": polars.Float64, "row_count": polars.Int64}
    engine.create_from_frame("run.steps", polars.DataFrame(rows, schema=schema, orient="row"))


def summary_row(engine: DuckDBEngine) -> dict[str, Any]:
    """This run as one row of run.history, without its position among the others."""
    return engine.records(
        """
        select p.run_id, p.as_of, p.started_at,
            (select verdict from metrics.verdicts where period_start is null and channel = '*' and source = '*')
                as verdict,
            (select count(*) from core.messages) as message_count,
            (select count(*) from audits.findings where severity in ('critical', 'high') and waived_by is null)
                as violation_count,
            (select value from metrics.headline where metric = 'opt_out_rate') as opt_out_rate,
            (select display from metrics.headline where metric = 'opt_out_trend') as opt_out_trend,
            (select value from metrics.headline where metric = 'response_time') as response_time_seconds
        from run.parameters as p"""
    )[0]


def write_history(engine: DuckDBEngine, published: Path) -> dict[str, Any]:
    """Build run.history from the runs published before and this one; returns this one's row."""
    row = summary_row(engine)
    # A line torn by a crash is none: that run's snapshot was never pointed at.
    earlier = [line.entry for line in chain.lines(published / RUNS) if line.entry and line.entry.get("run_id")]
    earlier = [one | {name: _instant(one.get(name)) for name in ("as_of", "started_at")} for one in earlier]
    schema: dict[str, Any] = {
        "run_id": polars.String,
        "as_of": _INSTANT,
        "started_at": _INSTANT,
        "verdict": polars.String,
    }
    schema |= {"message_count": polars.Int64, "violation_count": polars.Int64, "opt_out_rate": polars.Float64}
    schema |= {"opt_out_trend": polars.String, "response_time_seconds": polars.Float64}
    engine.create_from_frame("run.history", polars.DataFrame([*earlier, row], schema=schema))
    return row
