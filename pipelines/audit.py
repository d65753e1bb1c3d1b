"""Were the rules kept? Runs every rule in sql/audits and gathers their rows as findings."""

from __future__ import annotations

import polars

from pipelines import sqlfiles, waivers
from pipelines.engines.duckdb import DuckDBEngine, quoted
from pipelines.settings import Settings

#: The columns of a finding that `heed findings` prints, in order.
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
#: Every column of audits.findings that a rule's own rows give, and what it is where a rule has nothing to say of it. No
#: name of an instant's type means the same to every engine: the type of what every rule says is taken.
_NO_INSTANT = "case when false then occurred_at end"
RULE_COLUMNS: dict[str, str] = {
    "rule": "cast(null as string)",
    "finding_class": "cast(null as string)",
    "severity": "cast(null as string)",
    "source": "cast(null as string)",
    "message_id": "cast(null as string)",
    "event_id": "cast(null as string)",
    "contact_key": "cast(null as bigint)",
    "channel": "cast(null as string)",
    "program": "cast(null as string)",
    "campaign_id": "cast(null as string)",
    "occurred_at": _NO_INSTANT,
    "begins_at": _NO_INSTANT,
    "processed_at": _NO_INSTANT,
    "deadline_at": _NO_INSTANT,
    "delivered": "cast(null as boolean)",
    "details": "cast(null as string)",
    "legal_rule_id": "cast(null as string)",
}
#: What each rule must say.
REQUIRED_COLUMNS = ("rule", "finding_class", "severity", "contact_key", "occurred_at", "details")


def rules() -> tuple[sqlfiles.SqlFile, ...]:
    """The rules heed audits, one SQL file each, in the order in which they can be built."""
    return sqlfiles.load("audits")


def rule_names() -> list[str]:
    """The name of every rule."""
    return sorted(rule.name for rule in rules())


def chosen(choice: str | tuple[str, ...]) -> list[str]:
    """The rules whose findings `[policy] rules` asks for: those its list names; all where it names none."""
    names = rule_names()
    listed = [name for name in names if not isinstance(choice, str) and name in choice]
    return listed or names


def _select(engine: DuckDBEngine, select: str) -> str:
    """A rule's select with all columns of a finding, what it leaves out as nulls."""
    there = engine.columns(select)
    listed = [name if name in there else f"{nothing} as {name}" for name, nothing in RULE_COLUMNS.items()]
    return f"select {', '.join(listed)} from ({select})"


def write_rule_texts(engine: DuckDBEngine) -> None:
    """Build run.audit_rules: what each rule looks for, why, what to do, and its SQL, as its file says."""
    rows = [
        (rule.name, *(rule.fields[name] for name in ("Rule", "Why", "Remedy", "Severity")), rule.text)
        for rule in sorted(rules(), key=lambda rule: rule.name)
    ]
    schema = dict.fromkeys(("rule", "says", "why", "remedy", "severity", "sql"), polars.String)
    engine.create_from_frame("run.audit_rules", polars.DataFrame(rows, schema=schema, orient="row"))


def audit(engine: DuckDBEngine, settings: Settings) -> int:
    """Build audits.findings over the rules the policy chooses, audits.<rule> for every rule, and audits.waivers.

    The rows of a rule are written once: its relation is a view of the findings. No rule reads another's. The mask and
    place of a contact join them when they are published (sql/published/findings.sql). Returns the number of
    findings. Raises ConfigurationError for a waivers.csv that cannot be read.
    """
    write_rule_texts(engine)
    selects = {rule.name: _select(engine, rule.text) for rule in rules()}
    every = " union all ".join(selects[name] for name in chosen(settings.policy.rules))
    found = engine.build("audits.found", every)
    for name in selects:
        engine.create_view(f"audits.{name}", f"select * from audits.found where rule = {quoted(name)}")
    waivers.write(engine, settings)
    waived_columns, joins = waivers.waived(engine)
    engine.create_view("audits.findings", f"select f.*, {waived_columns} from audits.found as f {joins}")
    waivers.report(engine)
    return found
