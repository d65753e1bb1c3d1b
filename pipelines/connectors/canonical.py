"""Files that already have heed's own columns: CSV, JSON Lines or Parquet, any column order, extra columns ignored.

requested_at and processed_at are read as delivered. Times are ISO 8601; one without an offset is read in the
source's `timezone`. Column names are matched without regard to case or surrounding spaces.
"""

from __future__ import annotations

from pipelines import canonical, readers
from pipelines.connectors import Delivery, Reading, Records
from pipelines.engines.duckdb import identifier
from pipelines.errors import ConfigurationError, UnreadableInputError
from pipelines.shapes import column_names

VERSION = 1
LIMITS = ""

_SAMPLE_ROWS = 1000


def _json_keys(delivery: Delivery, table: canonical.Table) -> tuple[str, ...]:
    """How the first objects of a JSON file spell the table's columns; the plain names for other formats."""
    if readers.file_format(delivery.path) != "jsonl":
        return table.names
    objects = readers.json_objects(delivery.engine, delivery.path, delivery.limits).select
    seen = readers.json_keys(delivery.engine, f"select * from ({objects}) limit {_SAMPLE_ROWS}", delivery.label)
    spelled = {key.strip().lower(): key for key in reversed(seen)}
    return tuple(name if name in seen else spelled.get(name, name) for name in table.names)


def read(delivery: Delivery) -> Reading:
    """The rows of one file as the table its source names.

    Raises ConfigurationError when the source names no table, UnreadableInputError when a required column is absent.
    """
    source = delivery.source
    if source.table is None:
        raise ConfigurationError(
            f"heed.toml: [[source]] {source.name!r} has no table.",
            f"Write table = one of {', '.join(canonical.TABLES)}: what the rows of its files are.",
        )
    table = canonical.TABLES[source.table]
    keys = _json_keys(delivery, table)
    rows = readers.rows_of(delivery.engine, delivery.path, delivery.work, keys, delivery.limits)
    if rows is None:
        return Reading(())
    theirs = {name.strip().lower(): name for name in rows.columns}
    absent = [column.name for column in table.columns if column.required and column.name not in theirs]
    if absent:
        raise UnreadableInputError(
            f"{delivery.label} has no column {', '.join(absent)}; it has {column_names(rows.columns)}.",
            "Rename its columns, or read it with the generic connector and a column map.",
        )
    listed = ", ".join(f"{identifier(theirs[name])} as {name}" for name in table.names if name in theirs)
    refused = ", reject_reason" if readers.file_format(delivery.path) == "jsonl" else ""
    select = f"select row_number, raw{refused}, {listed} from ({rows.select})"
    if rows.in_order:
        select = f"select raw, {listed} from ({rows.in_order})"
    return Reading((Records(table.name, select),), rows.rejects, rows.raws, rows.lines)
