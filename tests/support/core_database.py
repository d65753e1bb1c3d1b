"""Accepted rows straight into the SQL of sql/core, sql/audits and sql/metrics, without files or a run.

Addresses become contact keys in the order of their text, so that "the smallest text" of two addresses and the
smaller of their keys are the same choice.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars

from pipelines import audit, build, sqlfiles
from pipelines.canonical import TABLES
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.resources import reference_folder
from pipelines.settings import Deadline, Settings
from pipelines.settings import Policy as SettingsPolicy
from tests.support.histories import History
from tests.support.reference import greatest_time
from tests.support.reference_deadlines import RuleRow
from tests.support.reference_places import AREAS, CALLING_CODES, calling_prefix
from tests.support.reference_reading import Records
from tests.support.reference_spans import Policy

_TYPES: Mapping[str, Any] = {
    "TIMESTAMPTZ": polars.Datetime("us", "UTC"),
    "DOUBLE": polars.Float64,
    "BOOLEAN": polars.Boolean,
    "BIGINT": polars.Int64,
    "VARCHAR": polars.String,
}
_METRICS = (
    "span_reach",
    "opt_out_rate",
    "opt_out_rate_rolling",
    "opt_outs_not_reached",
    "feedback_reasons",
    "response_time",
)
_UNITS = {"h": "hours", "d": "calendar_days", "bd": "business_days"}


def contact_keys(history: History) -> dict[str, int]:
    """A key per address, in order of the addresses' text."""
    addresses = sorted({row["contact"] for rows in history.rows.values() for row in rows if "contact" in row})
    return {address: 1000 + position for position, address in enumerate(addresses)}


def as_of(history: History) -> datetime:
    """The greatest time of the history; some day for an empty one."""
    return greatest_time(Records(history.rows, {})) or datetime(2026, 3, 1, tzinfo=UTC)


def build_core(engine: DuckDBEngine, history: History, policy: Policy, home: Path) -> dict[str, int]:
    """Build core, the findings of message_after_opt_out and the counts of sql/metrics; returns the contact keys."""
    keys = _build_facts(engine, history, policy, home)
    finding = sqlfiles.read("audits.message_after_opt_out")
    engine.create("audits.findings", f"select *, cast(null as varchar) as waived_by from ({finding.text})")
    for metric in _METRICS:
        engine.create(f"metrics.{metric}", sqlfiles.read(f"metrics.{metric}").text)
    return keys


def build_audited(
    engine: DuckDBEngine,
    history: History,
    policy: Policy,
    book: Iterable[RuleRow],
    home: Path,
    judged_at: datetime | None = None,
) -> dict[str, int]:
    """Build core and the findings of every rule under a book of these rows alone; returns the contact keys.

    The rows are written as the home's rules.csv, where heed's own are switched off. The record is judged at
    `judged_at`, or at its greatest time.
    """
    write_book(home, book)
    keys = _build_facts(engine, history, policy, home, judged_at)
    audit.audit(engine, _settings(policy, home))
    return keys


def write_book(home: Path, rows: Iterable[RuleRow]) -> None:
    """A home's rules.csv that holds these rows and switches off every row that heed ships."""
    with (reference_folder() / "rules.csv").open(encoding="utf-8", newline="") as lines:
        shipped = [{"rule_id": row["rule_id"], "enabled": "no"} for row in csv.DictReader(lines)]
    listed = [*shipped, *rows]
    columns = list(dict.fromkeys(column for row in listed for column in row))
    with (home / "rules.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, restval="", lineterminator="\n")
        writer.writeheader()
        writer.writerows(listed)


def _build_facts(
    engine: DuckDBEngine, history: History, policy: Policy, home: Path, judged_at: datetime | None = None
) -> dict[str, int]:
    judged_at = judged_at or as_of(history)
    keys = contact_keys(history)
    for name, table in TABLES.items():
        rows = [
            row | {"contact_key": keys.get(row.get("contact", "")), "load_id": "000001", "row_number": position}
            for position, row in enumerate(history.rows.get(name, []), start=1)
        ]
        schema = {"source": polars.String, **{column.stored_name: _TYPES[column.sql_type] for column in table.columns}}
        schema |= {"load_id": polars.String, "row_number": polars.Int64}
        listed = [tuple(row.get(column) for column in schema) for row in rows]
        engine.create_from_frame(f"history.{name}", polars.DataFrame(listed, schema=schema, orient="row"))
    addresses = [(key, *_masked(address)) for address, key in keys.items()]
    schema = {"contact_key": polars.Int64, "contact_masked": polars.String, "address_kind": polars.String}
    schema |= {"country": polars.String}
    engine.create_from_frame("history.addresses", polars.DataFrame(addresses, schema=schema, orient="row"))

    settings = _settings(policy, home)
    _write_parameters(engine, policy, judged_at)
    build.write_reference(engine)
    build.write_rule_book(engine, settings)
    build.write_calendars(engine, settings, judged_at)
    build.build_layer(engine, "core")
    return keys


def _masked(address: str) -> tuple[str, str, str | None]:
    """The mask, kind and country of an address; of a phone's mask only the beginning tells anything."""
    prefix = calling_prefix(address)
    if prefix is not None:
        country = AREAS[prefix][0] if prefix in AREAS else CALLING_CODES[prefix]
        return f"{prefix}•••••01", "phone", country
    return address, "email" if "@" in address else "other", None


def _deadline(policy: Policy) -> Deadline:
    amount = policy.default_deadline.rstrip("hbd")
    return Deadline(int(amount), _UNITS[policy.default_deadline[len(amount) :]], policy.default_deadline)


def _cap(policy: Policy) -> tuple[int, int] | None:
    return policy.frequency_cap and (policy.frequency_cap[0], round(policy.frequency_cap[1].total_seconds()))


def _settings(policy: Policy, home: Path) -> Settings:
    told = SettingsPolicy(
        scope=policy.scope,
        rules=policy.rules,
        default_deadline=_deadline(policy),
        confirmation_window_seconds=round(policy.confirmation_window.total_seconds()),
        default_country=policy.default_country,
        report_timezone=policy.report_timezone,
        double_opt_in=policy.double_opt_in,
        frequency_cap=_cap(policy),
        forbidden_sources=policy.forbidden_sources,
    )
    return Settings(home, told, ())


def _write_parameters(engine: DuckDBEngine, policy: Policy, instant: datetime) -> None:
    deadline = _deadline(policy)
    values: dict[str, Any] = {
        "run_id": "test",
        "as_of": instant,
        "started_at": instant,
        "scope": policy.scope,
        "rules": policy.rules if isinstance(policy.rules, str) else ",".join(policy.rules),
        "default_deadline": deadline.text,
        "deadline_amount": deadline.amount,
        "deadline_unit": deadline.unit,
        "attribution_window_seconds": 72 * 3600,
        "confirmation_window_seconds": round(policy.confirmation_window.total_seconds()),
        "double_opt_in": policy.double_opt_in,
        "report_timezone": policy.report_timezone,
        "default_country": policy.default_country,
        "heed_version": "test",
        "fingerprint": "test",
        "excluded_after_as_of": 0,
    }
    schema = {"as_of": polars.Datetime("us", "UTC"), "started_at": polars.Datetime("us", "UTC")}
    frame = polars.DataFrame([values], schema_overrides={**schema, "default_country": polars.String})
    engine.create_from_frame("run.parameters", frame)
