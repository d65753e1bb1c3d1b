"""Working databases in which the reasons alone are measured, from small text tables of spans and rows of relations."""

from __future__ import annotations

from typing import Any

from pipelines import sqlfiles
from pipelines.build import write_reference
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures import reasons
from pipelines.measures.periods import read_record
from tests.support.measured import instant, table
from tests.support.working_database import insert, working_database

#: Columns of core.consent_spans that tenures are counted from.
CONSENT_SPANS = (
    "cast(null as varchar) as scope_key, cast(null as timestamptz) as begins_at, cast(null as timestamptz) as ends_at"
)
COUNTS = ("feedback_reasons", "reason_weeks", "reason_campaigns", "reason_tenures", "reason_said")


def counted(
    spans: str = "", *, as_of: str = "2026-11-18", publish: bool = True, **relations: list[dict[str, Any]]
) -> DuckDBEngine:
    """A working database with these spans (columns contact, channel, kind, begins, reason and more), measured.

    `relations` are further rows by relation name with a double underscore for the dot; `publish` is the policy's
    publish_reason_texts.
    """
    engine = working_database()
    write_reference(engine)
    told = {"as_of": instant(as_of), "report_timezone": "UTC", "publish_reason_texts": publish}
    insert(engine, "run.parameters", told)
    rows = []
    for span_id, row in enumerate(table(spans) if spans else [], start=1):
        begins = str(row.pop("begins"))
        span = {"span_id": span_id, "contact_key": row.pop("contact")}
        rows.append(span | {"begins_at": instant(begins), "begins_on": begins[:10]} | row)
    if rows:
        insert(engine, "core.opt_out_spans", *rows)
    engine.create("core.consent_spans", f"select {CONSENT_SPANS} where false")
    for name, given in relations.items():
        insert(engine, name.replace("__", "."), *given)
    for metric in COUNTS:
        engine.create(f"metrics.{metric}", sqlfiles.read(f"metrics.{metric}").text)
    engine.create_from_frame("metrics.measurements", reasons.measure(engine, read_record(engine)))
    return engine
