"""One family of numbers alone, measured from rows put in by a test: a whole run's measures take a second."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import polars

from pipelines import sqlfiles
from pipelines.build import write_reference
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import Record, read_record
from tests.support.working_database import insert, working_database

Family = Callable[[DuckDBEngine, Record], polars.DataFrame]


def measured_alone(
    family: Family, counts: Iterable[str], rows: dict[str, list[dict[str, Any]]], as_of: str
) -> DuckDBEngine:
    """A working database with these rows by relation, these relations of sql/metrics, and the family's numbers."""
    engine = working_database()
    write_reference(engine)
    insert(engine, "run.parameters", {"as_of": as_of})
    for relation, lines in rows.items():
        insert(engine, relation, *lines)
    for name in counts:
        engine.create(f"metrics.{name}", sqlfiles.read(f"metrics.{name}").text)
    engine.create_from_frame("metrics.measurements", family(engine, read_record(engine)))
    return engine
