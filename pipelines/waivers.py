"""Waivers on findings: what each row of waivers.csv is about, which findings it excuses, and what became of it.

`write` comes once the rules have their relations and before their rows are gathered, `waived` gives the gathering its
joins, `report` comes after it. A finding that several waivers are about counts for the first of them in the file.
"""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise
from typing import Any

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.settings import Settings
from pipelines.waivers_file import EVERY_RULE, Waiver, read
from pipelines.waivers_subjects import ID_COLUMNS, Lookup, Subject, rule_names, without_addresses

_INSTANT = polars.Datetime("us", "UTC")
_NAMED = {
    "rule": polars.String,
    "message_id": polars.String,
    "source": polars.String,
    "event_id": polars.String,
    "contact_key": polars.Int64,
    "campaign_id": polars.String,
    "from_at": _INSTANT,
    "until_at": _INSTANT,
}
#: How a finding is compared with each kind of subject: the columns that both have.
_COMPARED = {
    "message": ("message_id",),
    "message_of_source": ("message_id", "source"),
    "event": ("event_id",),
    "contact": ("contact_key",),
    "campaign": ("campaign_id",),
    "period": (),
}


def write(engine: DuckDBEngine, settings: Settings) -> None:
    """Build audits.waivers_in_force and what `waived` and `report` need; reads run.parameters, core and the rules.

    Raises ConfigurationError for a mistake in waivers.csv, and where contacts cannot be told for lack of the right key.
    """
    listed = read(settings.home, settings.policy.report_timezone)
    as_of: datetime | None = engine.value("select as_of from run.parameters")
    subjects = Lookup(engine, settings, listed).subjects()
    rules = rule_names()
    in_force, compared, written = [], [], []
    for waiver, subject in zip(listed, subjects, strict=True):
        is_expired = bool(as_of and waiver.ends_at and as_of >= waiver.ends_at)
        is_rule = waiver.rule == EVERY_RULE or waiver.rule in rules
        if is_rule and subject.kind:
            row = _named(waiver, subject)
            compared += [(waiver.number, is_expired, subject.kind, {**row, "rule": rule})
                         for rule in (sorted(rules) if waiver.rule == EVERY_RULE else [waiver.rule])]  # fmt: skip
            if not is_expired:
                in_force.append({"waiver_number": waiver.number, **row, "who": waiver.who})
        status = (
            "unknown_rule" if not is_rule
            else "expired" if is_expired
            else "applied" if subject.is_known
            else "unknown_subject"
        )  # fmt: skip
        written.append(
            {
                "waiver_number": waiver.number,
                "rule": without_addresses(waiver.rule),
                "subject": subject.shown,
                "subject_kind": subject.kind or waiver.kind or None,
                "reason": without_addresses(waiver.reason),
                "disposition": without_addresses(waiver.disposition),
                "who": waiver.who,
                "until": waiver.until,
                "status": status,
            }
        )
    number = {"waiver_number": polars.Int64}
    _create(engine, "audits.waivers_in_force", in_force, number | _NAMED | {"who": polars.String})
    schema = number | {"is_expired": polars.Boolean, "compared": polars.String} | _NAMED
    _create(engine, "audits.waiver_subjects", _smallest(compared), schema)
    texts = dict.fromkeys(("rule", "subject", "subject_kind", "reason", "disposition", "who"), polars.String)
    _create(engine, "audits.waivers_written", written, number | texts | {"until": polars.Date, "status": polars.String})


def waived(engine: DuckDBEngine) -> tuple[str, str]:
    """The columns waived_by and waiver_number and the joins they need, over findings f; without waivers, no joins."""
    number, joins = _numbers(engine, expired=False)
    if not joins:
        return "cast(null as string) as waived_by, cast(null as bigint) as waiver_number", ""
    joins += f" left join audits.waivers_in_force as w on w.waiver_number = {number}"
    return "w.who as waived_by, w.waiver_number", joins


def report(engine: DuckDBEngine) -> None:
    """Build audits.waivers: one row per row of waivers.csv, with its status and how many findings it is about.

    Of an expired waiver these are the findings that count again since.
    """
    counts = []
    for expired, condition in ((False, "is not null"), (True, "is null")):
        number, joins = _numbers(engine, expired=expired)
        if joins:
            counts.append(
                f"select {number} as waiver_number, count(*) as finding_count from audits.findings as f {joins}"
                f" where f.waived_by {condition} and {number} is not null group by 1"
            )
    counted = " union all ".join(counts) or "select cast(null as bigint) as waiver_number, 0 as finding_count"
    engine.create(
        "audits.waivers",
        f"""
        select w.waiver_number, w.rule, w.subject, w.subject_kind, w.reason, w.disposition, w.who, w.until, w.status,
            cast(coalesce(c.finding_count, 0) as bigint) as finding_count
        from audits.waivers_written as w left join ({counted}) as c on c.waiver_number = w.waiver_number
        order by w.waiver_number""",
    )


def _create(engine: DuckDBEngine, relation: str, rows: list[dict[str, Any]], schema: dict[str, Any]) -> None:
    engine.create_from_frame(relation, polars.DataFrame(rows, schema=schema, orient="row"))


def _named(waiver: Waiver, subject: Subject) -> dict[str, Any]:
    """A waiver's rule and subject in the columns of audits.waivers_in_force; exactly one subject is filled."""
    columns = {"message_of_source": "message_id", "contact": "contact_key"} | ID_COLUMNS
    row = dict.fromkeys(_NAMED) | {"rule": waiver.rule, "source": subject.source}
    if subject.kind == "period":
        return row | {"from_at": waiver.from_at, "until_at": waiver.until_at}
    return row | {columns[subject.kind]: subject.value}


def _smallest(compared: list[tuple[int, bool, str, dict[str, Any]]]) -> list[dict[str, Any]]:
    """One row per rule and subject with the smallest number that is about it; periods cut so that none overlap."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    periods: dict[tuple[bool, str], list[tuple[int, dict[str, Any]]]] = {}
    for number, is_expired, kind, row in compared:
        if kind == "period":
            periods.setdefault((is_expired, row["rule"]), []).append((number, row))
            continue
        how = "message_of_source" if row["source"] else kind
        key = (is_expired, how, *row.values())
        found.setdefault(key, {"waiver_number": number, "is_expired": is_expired, "compared": how} | row)
    pieces = []
    for (is_expired, _), listed in periods.items():
        edges = sorted({row[edge] for _, row in listed for edge in ("from_at", "until_at")})
        for start, end in pairwise(edges):
            over = [(number, row) for number, row in listed if row["from_at"] <= start and end <= row["until_at"]]
            if over:
                number, row = min(over, key=lambda one: one[0])
                piece = row | {"from_at": start, "until_at": end}
                pieces.append({"waiver_number": number, "is_expired": is_expired, "compared": "period"} | piece)
    return [*found.values(), *pieces]


def _numbers(engine: DuckDBEngine, *, expired: bool) -> tuple[str, str]:
    """The smallest waiver_number about a finding f, and the joins for it: one small table per kind that occurs."""
    condition = "is_expired" if expired else "not is_expired"
    occurring = {
        row[0] for row in engine.rows(f"select distinct compared from audits.waiver_subjects where {condition}")
    }
    numbers, joins = [], []
    for kind, columns in _COMPARED.items():
        if kind not in occurring:
            continue
        name = f"waived_{kind}"
        on = [f"{name}.{column} = f.{column}" for column in ("rule", *columns)]
        on += [f"f.occurred_at >= {name}.from_at and f.occurred_at < {name}.until_at"] * (kind == "period")
        joins.append(
            f"left join (select * from audits.waiver_subjects where compared = '{kind}' and {condition}) as {name}"
            f" on {' and '.join(on)}"
        )
        numbers.append(f"{name}.waiver_number")
    number = f"least({', '.join(numbers)})" if len(numbers) > 1 else "".join(numbers)
    return number, " ".join(joins)
