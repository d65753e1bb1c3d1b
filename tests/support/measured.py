"""Working databases measured from small text tables of messages and spans."""

from __future__ import annotations

from typing import Any

from pipelines import sqlfiles
from pipelines.build import write_reference
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measure import measure
from pipelines.zones import offset_periods
from tests.support.working_database import TABLES, insert, working_database

Cell = str | None


def table(text: str) -> list[dict[str, Cell]]:
    """Rows of a table whose first line names the columns; `-` is null."""
    head, *lines = [line.split() for line in text.strip().splitlines()]
    assert all(len(line) == len(head) for line in lines), text
    return [dict(zip(head, (None if cell == "-" else cell for cell in line), strict=True)) for line in lines]


def instant(text: Cell) -> str | None:
    """`2026-10-05` is noon of that day, `2026-10-05T08:30` that minute; both UTC."""
    if text is None:
        return None
    return f"{text}:00+00" if "T" in text else f"{text} 12:00:00+00"


def measured(
    messages: str = "",
    spans: str = "",
    *,
    as_of: str = "2026-11-18",
    zone: str = "UTC",
    **relations: list[dict[str, Any]],
) -> DuckDBEngine:
    """A working database with these messages and spans, measured.

    A span covers its own contact, channel and program unless it has a column `covers`; `relations` are further rows by
    relation name with a double underscore for the dot. Somebody's opt-in is on record unless core__consent_events says
    otherwise.
    """
    engine = working_database()
    write_reference(engine)
    insert(engine, "run.parameters", {"as_of": instant(as_of), "report_timezone": zone})
    for from_at, until_at, seconds in offset_periods(zone):
        row = {"timezone": zone, "from_at": from_at, "until_at": until_at, "offset_seconds": seconds}
        insert(engine, "run.report_offsets", row)
    for row in table(messages) if messages else []:
        sent = row.pop("sent")
        row |= {"sent_at": instant(sent), "sent_on": row.pop("sent_on", None) or str(sent)[:10]}
        insert(engine, "core.messages", {("contact_key" if key == "contact" else key): row[key] for key in row})
    for span_id, row in enumerate(table(spans) if spans else [], start=1):
        begins = str(row.pop("begins"))
        span: dict[str, Any] = {"span_id": span_id, "contact_key": row.pop("contact")}
        span |= {"begins_at": instant(begins), "begins_on": row.pop("begins_on", None) or begins[:10]}
        covers = row.pop("covers", None) or span["contact_key"]
        for key in ("processed", "deadline"):
            if key in row:
                span[f"{key}_at"] = instant(row.pop(key))
        span |= row
        insert(engine, "core.opt_out_spans", span)
        span.pop("reason", None)
        for contact in str(covers).split(","):
            insert(engine, "core.span_coverage", span | {"contact_key": contact})
    if "core__consent_events" not in relations:
        insert(engine, "core.consent_events", {"event_id": "someone_opted_in", "contact_key": 0})
    for name, rows in relations.items():
        insert(engine, name.replace("__", "."), *rows)
    derive_core(engine)
    measure(engine)
    return engine


def derive_core(engine: DuckDBEngine) -> None:
    """Build what sql/metrics reads of core and no test puts in by hand, from what tests do."""
    files = {file.relation: file for file in sqlfiles.load("core")}
    wanted = {name for file in sqlfiles.load("metrics") for name in file.reads}
    while more := {name for relation in wanted & files.keys() for name in files[relation].reads} - wanted:
        wanted |= more
    for relation, file in files.items():
        if relation in wanted and relation not in TABLES and all(map(engine.relation_exists, file.reads)):
            engine.create(relation, file.text)


def numbers(engine: DuckDBEngine, metric: str, where: str, *columns: str) -> set[tuple[Any, ...]]:
    """The chosen columns of a metric's measurements; dates as text, floats to nine decimals."""
    chosen = ", ".join(f"cast({column} as text)" if column == "period_start" else column for column in columns)
    rows = engine.rows(f"select {chosen} from metrics.measurements where metric = '{metric}' and {where}")
    assert len(rows) == len(set(rows)), rows
    return {tuple(round(cell, 9) if isinstance(cell, float) else cell for cell in row) for row in rows}


def nine(number: float) -> float:
    """As `numbers` gives it."""
    return round(number, 9)
