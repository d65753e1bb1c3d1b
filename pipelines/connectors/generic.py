"""Any CSV, JSON Lines or Parquet file, through a column map in heed.toml.

`[source.columns]` says which of their columns is which of ours, or gives a constant; `[source.values]` translates
their codes; `null_values` are texts that mean nothing. `[[source.events]]` makes a consent event from a row that
also carries one: a row whose `requested_at` column is filled yields it, with the contact, channel, program,
campaign and message of the row unless its own columns say otherwise. processed_at is unknown unless mapped.
"""

from __future__ import annotations

from pipelines import canonical, readers
from pipelines.connectors import Delivery, Reading, Records
from pipelines.engines.duckdb import quoted
from pipelines.errors import ConfigurationError, UnreadableInputError
from pipelines.settings import DerivedEvent, Source
from pipelines.shapes import column_names

VERSION = 1
LIMITS = ""

_INHERITED = ("channel", "contact", "person_id", "program", "campaign_id", "message_id")
Mapping = dict[str, str | dict[str, str]]


def _expression(
    source: Source, table: canonical.Table, name: str, value: str | dict[str, str], types: dict[str, str]
) -> str:
    if isinstance(value, dict):
        return quoted(value["constant"])
    if value not in types:
        return ""
    is_instant = table.column(name).kind == "instant"
    text = readers.column(value)
    if types[value] == "TIMESTAMP WITH TIME ZONE":
        if is_instant:
            return text
        text = f"cast({text} as varchar)"
    text = f"trim({text})"
    if source.null_values:
        text = f"case when {text} not in ({', '.join(map(quoted, source.null_values))}) then {text} end"
    codes = source.values.get(name, {})
    if codes:
        cases = " ".join(f"when {quoted(theirs)} then {quoted(ours)}" for theirs, ours in codes.items())
        text = f"case {text} {cases} else {text} end"
    return readers.epoch_text(text, source.time_unit) if source.time_unit and is_instant else text


def _types(delivery: Delivery, rows: readers.RawRows) -> dict[str, str]:
    """The type of each of the file's own columns."""
    found = delivery.engine.columns(rows.select)
    return {name: found[readers.column_name(name)] for name in rows.columns}


def _select(
    delivery: Delivery, table: canonical.Table, mapping: Mapping, rows: readers.RawRows, where: str = ""
) -> str:
    source, types = delivery.source, _types(delivery, rows)
    unknown = sorted(set(mapping) - set(table.names))
    if unknown:
        raise ConfigurationError(
            f"heed.toml: [[source]] {source.name!r} maps {', '.join(unknown)}, which {table.name} does not have.",
            f"It may map {', '.join(table.names)}.",
        )
    parts = []
    for name, value in mapping.items():
        expression = _expression(source, table, name, value, types)
        if expression:
            parts.append(f"{expression} as {name}")
        elif not delivery.path.name.lower().removesuffix(".gz").endswith((".jsonl", ".ndjson", ".json")):
            raise UnreadableInputError(
                f"{delivery.label} has no column {value!r}, which heed.toml maps to {name};"
                f" it has {column_names(rows.columns)}.",
                "Correct the column map, or deliver the file with that column.",
            )
    absent = [column.name for column in table.columns if column.required and column.name not in mapping]
    if absent:
        raise ConfigurationError(
            f"heed.toml: [[source]] {source.name!r} maps nothing to {', '.join(absent)}, which {table.name} need.",
            'Add lines such as contact = "their column" to [source.columns].',
        )
    refused = ", reject_reason" if readers.file_format(delivery.path) == "jsonl" else ""
    if rows.in_order and not source.events:
        return f"select raw, {', '.join(parts)} from ({rows.in_order})"
    return f"select row_number, raw{refused}, {', '.join(parts)} from ({rows.select}) {where}"


def _event_select(delivery: Delivery, event: DerivedEvent, rows: readers.RawRows) -> str:
    source = delivery.source
    mapping: Mapping = {name: source.columns[name] for name in _INHERITED if name in source.columns}
    mapping |= event.columns
    mapping["event_type"] = {"constant": event.event_type}
    types = _types(delivery, rows)
    requested = _expression(source, canonical.CONSENT_EVENTS, "requested_at", mapping["requested_at"], types) or "null"
    where = f"where nullif(cast({requested} as varchar), '') is not null"
    return _select(delivery, canonical.CONSENT_EVENTS, mapping, rows, where)


def read(delivery: Delivery) -> Reading:
    """The mapped rows of one file, and the consent events they also carry.

    Raises ConfigurationError when the map names no or unknown canonical columns, UnreadableInputError when the
    file lacks a mapped column.
    """
    source = delivery.source
    if not source.columns:
        raise ConfigurationError(
            f"heed.toml: [[source]] {source.name!r} has no [source.columns].",
            'Write lines such as contact = "their column".',
        )
    table = canonical.TABLES[source.table or "messages"]
    mappings = [source.columns, *(event.columns for event in source.events)]
    keys = sorted({value for mapping in mappings for value in mapping.values() if isinstance(value, str)})
    rows = readers.rows_of(delivery.engine, delivery.path, delivery.work, keys, delivery.limits)
    if rows is None:
        return Reading(())
    if source.events:
        rows = readers.kept(delivery.engine, rows, delivery.label)
    selects = {table.name: [_select(delivery, table, source.columns, rows)]}
    for event in source.events:
        selects.setdefault("consent_events", []).append(_event_select(delivery, event, rows))
    records = (Records(name, "\nunion all by name\n".join(several)) for name, several in selects.items())
    return Reading(tuple(records), rows.rejects, rows.raws, rows.lines)
