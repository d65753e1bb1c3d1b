"""The rule book as relations: every row for readers, and what is in force cut into pieces that SQL joins."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.rulebook import values
from pipelines.rulebook.book import COLUMNS, BookRow, LegalRule
from pipelines.settings import Policy
from pipelines.zones import offset_periods

#: The id of the cap that `[policy] frequency_cap` sets.
POLICY_CAP = "policy"
_INSTANT = polars.Datetime("us", "UTC")
_WHO = {"rule_id": polars.String}
_SCHEMAS: dict[str, dict[str, Any]] = {
    "run.rule_reach": _WHO
    | dict.fromkeys(("kind", "country", "region", "channel"), polars.String)
    | {"from_on": polars.Date, "until_on": polars.Date, "severity": polars.String},
    "run.deadlines": _WHO | {"amount": polars.Int64, "unit": polars.String, "counting": polars.String},
    "run.quiet_windows": _WHO
    | {"weekday": polars.Int64, "from_minute": polars.Int64, "until_minute": polars.Int64, "clock": polars.String},
    "run.quiet_stretches": _WHO
    | dict.fromkeys(("weekday", "from_seconds", "from_micros", "until_seconds"), polars.Int64)
    | {"clock": polars.String},
    "run.caps": _WHO | {"amount": polars.Int64, "window_seconds": polars.Int64},
    "run.penalties": _WHO
    | {"low": polars.Float64, "high": polars.Float64, "currency": polars.String, "unit": polars.String},
}


def _pieces(rule: LegalRule, rows: dict[str, list[tuple[Any, ...]]]) -> None:
    """Add what one rule in force says to the rows of each relation."""
    severity = rule.severity or "high"
    for country, region in values.places(rule.jurisdiction):
        for channel in values.channels(rule.channel):
            reach = (rule.rule_id, rule.kind, country, region, channel, rule.judged_from, rule.judged_until, severity)
            rows["run.rule_reach"].append(reach)
    match rule.kind:
        case "optout_deadline":
            rows["run.deadlines"].append((rule.rule_id, *values.deadline(rule.value, rule.unit, rule.counting)))
        case "quiet_hours":
            windows, clock = values.quiet_hours(rule.value), values.clock(rule.unit)
            for window in windows:
                minutes = (window.weekday, window.from_minute, window.until_minute)
                rows["run.quiet_windows"].append((rule.rule_id, *minutes, clock))
            rows["run.quiet_stretches"] += [(rule.rule_id, *stretch, clock) for stretch in values.stretches(windows)]
        case "frequency_cap":
            rows["run.caps"].append((rule.rule_id, *values.cap(rule.value)))
        case "penalty":
            currency, _, unit = rule.unit.partition("_")
            rows["run.penalties"].append((rule.rule_id, *values.penalty(rule.value), currency, unit.replace("_", " ")))


def write(engine: DuckDBEngine, book: list[BookRow], policy: Policy) -> None:
    """Build run.rules, and of the rows in force run.rule_reach, deadlines, quiet_windows, quiet_stretches, caps and
    penalties; the policy's own frequency cap is the rule `policy`."""
    shown = []
    for row in book:
        cells = [getattr(row.rule, name) or None for name in (*COLUMNS, "origin")]
        since = row.rule.judged_from if row.rule.starts else None
        shown.append((*cells, row.is_in_force, row.rule.is_judged, since, row.rule.judged_until))
    schema: dict[str, Any] = dict.fromkeys((*COLUMNS, "origin"), polars.String)
    schema |= {"is_in_force": polars.Boolean, "is_judged": polars.Boolean}
    schema |= {"judged_from": polars.Date, "judged_until": polars.Date}
    engine.create_from_frame("run.rules", polars.DataFrame(shown, schema=schema, orient="row"))

    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in _SCHEMAS}
    for one in book:
        if one.is_in_force and one.rule.is_judged:
            _pieces(one.rule, rows)
    if policy.frequency_cap is not None:
        rows["run.rule_reach"].append((POLICY_CAP, "frequency_cap", "*", "*", "*", None, None, "warning"))
        rows["run.caps"].append((POLICY_CAP, *policy.frequency_cap))
    for name, columns in _SCHEMAS.items():
        engine.create_from_frame(name, polars.DataFrame(rows[name], schema=columns, orient="row"))
    sources = polars.DataFrame({"source_type": list(policy.forbidden_sources)}, schema={"source_type": polars.String})
    engine.create_from_frame("run.forbidden_sources", sources)


def first_instant(on_date: date, timezone: str) -> datetime:
    """When a local date begins in a zone; where the clock skips midnight, at the change itself."""
    midnight = datetime.combine(on_date, time())
    found = []
    for start, end, seconds in offset_periods(timezone):
        instant = (midnight - timedelta(seconds=seconds)).replace(tzinfo=start.tzinfo)
        if instant < end:
            found.append(max(instant, start))
    return min(found) if found else midnight.replace(tzinfo=offset_periods(timezone)[0][0].tzinfo)


def write_date_instants(engine: DuckDBEngine, timezones: list[str]) -> None:
    """Build run.rule_dates: when each date on which a rule in force begins, or has ended, begins in each zone."""
    dates = [
        row[0]
        for row in engine.rows(
            "select distinct from_on from run.rule_reach where from_on is not null"
            " union select distinct until_on + 1 from run.rule_reach where until_on is not null"
        )
    ]
    rows = [(zone, day, first_instant(day, zone)) for zone in timezones for day in dates if 2000 <= day.year <= 2040]
    schema: dict[str, Any] = {"timezone": polars.String, "on_date": polars.Date, "begins_at": _INSTANT}
    engine.create_from_frame("run.rule_dates", polars.DataFrame(rows, schema=schema, orient="row"))
