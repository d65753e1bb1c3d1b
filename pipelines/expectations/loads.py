"""What the loads must add up to: no delivered row is lost, and the newest one is in core."""

from __future__ import annotations

from pipelines.canonical import TABLES
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.expectations._declare import no_offenders

RELATION = "run.inputs"

EXPECTATIONS = [
    no_offenders(
        "loads_account_for_every_row",
        "fitness",
        "Of every file, rows read = rows accepted + duplicates + rows quarantined.",
    ),
    no_offenders(
        "loads_balance_with_history", "fitness", "History holds exactly the rows that every file's load accepted."
    ),
    no_offenders(
        "newest_record_is_in_core",
        "fitness",
        "The newest record delivered up to as_of is in core, and nothing in core is newer than what was delivered.",
    ),
]


def prepare(engine: DuckDBEngine) -> None:
    """Give an empty relation to every table of history that no file has fed, so that each can be counted."""
    for table in TABLES.values():
        relation = f"history.{table.name}"
        if not engine.relation_exists(relation):
            columns = {"source": "varchar", "load_id": "varchar"}
            columns |= {column.stored_name: column.sql_type for column in table.columns}
            nulls = ", ".join(f"cast(null as {sql_type}) as {name}" for name, sql_type in columns.items())
            engine.create(relation, f"select {nulls} where false")
