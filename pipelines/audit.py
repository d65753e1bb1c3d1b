"""Were the rules kept? Runs every rule in sql/audits and gathers their rows as findings."""

from __future__ import annotations

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine

#: The columns of audits.findings, in order.
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
#: The columns every rule returns: a mask comes from the contact, a waiver from the home.
RULE_COLUMNS = tuple(name for name in FINDING_COLUMNS if name not in ("contact_masked", "waived_by"))


def rules() -> tuple[sqlfiles.SqlFile, ...]:
    """The rules heed audits, one SQL file each."""
    return sqlfiles.load("audits")


def audit(engine: DuckDBEngine) -> int:
    """Build audits.<rule> for every rule and audits.findings over all of them; returns the number of findings."""
    for rule in rules():
        engine.create(rule.relation, rule.text)
    columns = ", ".join(RULE_COLUMNS)
    every = " union all ".join(f"select {columns} from {rule.relation}" for rule in rules())
    given = {"contact_masked": "c.contact_masked", "waived_by": "cast(null as string) as waived_by"}
    return engine.create(
        "audits.findings",
        f"""
        select {", ".join(given.get(name, f"f.{name}") for name in FINDING_COLUMNS)}
        from ({every}) as f
        join core.contacts as c on c.contact_key = f.contact_key
        order by f.rule, f.occurred_at, f.source, f.message_id, f.event_id""",
    )
