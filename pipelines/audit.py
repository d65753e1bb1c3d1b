"""Were the rules kept? Runs every rule in sql/audits and gathers their rows as findings."""

from __future__ import annotations

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine

#: The columns every rule returns, in order.
RULE_COLUMNS = (
    "rule",
    "finding_class",
    "severity",
    "source",
    "message_id",
    "event_id",
    "contact_key",
    "channel",
    "program",
    "campaign_id",
    "occurred_at",
    "begins_at",
    "processed_at",
    "deadline_at",
    "delivered",
    "details",
)


def rules() -> tuple[sqlfiles.SqlFile, ...]:
    """The rules heed audits, one SQL file each."""
    return sqlfiles.load("audits")


def audit(engine: DuckDBEngine) -> int:
    """Build audits.<rule> for every rule and audits.findings over all of them; returns the number of findings."""
    columns = ", ".join(RULE_COLUMNS)
    for rule in rules():
        engine.create(rule.relation, rule.text)
    every = " union all ".join(f"select {columns} from {rule.relation}" for rule in rules())
    return engine.create(
        "audits.findings",
        f"""
        select
            f.rule, f.finding_class, f.severity, f.source, f.message_id, f.event_id, f.contact_key, c.contact_masked,
            f.channel, f.program, f.campaign_id, f.occurred_at, f.begins_at, f.processed_at, f.deadline_at, f.delivered,
            f.details, cast(null as string) as waived_by
        from ({every}) as f
        join core.contacts as c on c.contact_key = f.contact_key
        order by f.rule, f.occurred_at, f.source, f.message_id, f.event_id""",
    )
