"""The working database of one run: history as views, what the run was told as tables, and sql/core built in order."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import polars

from pipelines import sqlfiles, zones
from pipelines.canonical import TABLES, Column
from pipelines.engines.duckdb import DuckDBEngine, path_list
from pipelines.ledger import Ledger
from pipelines.resources import reference_folder
from pipelines.settings import Settings

_ADDRESSES = {"contact_key": "BIGINT", "contact_masked": "VARCHAR", "address_kind": "VARCHAR", "country": "VARCHAR"}
#: The calendar of Mondays to Fridays, for contacts whose jurisdiction has no holidays here.
WEEKDAYS = "weekdays"


def _empty(columns: dict[str, str]) -> str:
    listed = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
    return f"select {listed} where false"


def _stored(columns: tuple[Column, ...]) -> dict[str, str]:
    inner = {column.stored_name: column.sql_type for column in columns}
    return {"source": "VARCHAR", **inner, "load_id": "VARCHAR", "row_number": "BIGINT"}


def attach_history(engine: DuckDBEngine, ledger: Ledger) -> None:
    """Define schema history: one view per canonical table over its committed parts, and `addresses`."""
    for table in TABLES.values():
        parts = ledger.parts(table.name)
        select = (
            f"select * from read_parquet({path_list(parts)}, hive_partitioning=false)"
            if parts
            else _empty(_stored(table.columns))
        )
        engine.create_view(f"history.{table.name}", select)
    parts = ledger.parts("addresses")
    engine.create_view(
        "history.addresses", f"select * from read_parquet({path_list(parts)})" if parts else _empty(_ADDRESSES)
    )


def write_reference(engine: DuckDBEngine) -> None:
    """Build schema reference from data/reference: one table per CSV file."""
    for path in sorted(reference_folder().glob("*.csv")):
        if path.stem != "holidays":
            engine.create_from_frame(f"reference.{path.stem}", polars.read_csv(path, infer_schema_length=None))


def business_days(first: date, last: date) -> polars.DataFrame:
    """One row per calendar and date: calendar, on_date, is_business_day, ordinal (business days up to and with it)."""
    days = polars.DataFrame({"on_date": polars.date_range(first, last, eager=True)})
    holidays = polars.read_csv(reference_folder() / "holidays.csv", try_parse_dates=True).select("calendar", "on_date")
    calendars = polars.concat([holidays.select("calendar").unique(), polars.DataFrame({"calendar": [WEEKDAYS]})])
    off = holidays.with_columns(is_holiday=polars.lit(True)).unique()
    return (
        calendars.join(days, how="cross")
        .join(off, on=["calendar", "on_date"], how="left")
        .with_columns(is_business_day=polars.col("is_holiday").is_null() & (polars.col("on_date").dt.weekday() <= 5))
        .sort("calendar", "on_date")
        .with_columns(ordinal=polars.col("is_business_day").cast(polars.Int64).cum_sum().over("calendar"))
        .select("calendar", "on_date", "is_business_day", "ordinal")
    )


def _offsets(timezone: str) -> polars.DataFrame:
    rows = [(timezone, start, end, seconds) for start, end, seconds in zones.offset_periods(timezone)]
    instant = polars.Datetime("us", "UTC")
    schema: dict[str, Any] = {
        "timezone": polars.String,
        "from_at": instant,
        "until_at": instant,
        "offset_seconds": polars.Int64,
    }
    return polars.DataFrame(rows, schema=schema, orient="row")


def _local_days(timezone: str, first: date, last: date) -> polars.DataFrame:
    """When each local date of a zone begins and ends, as instants; a date's end is the next one's beginning."""
    offsets = _offsets(timezone)
    days = polars.DataFrame({"on_date": polars.date_range(first, last + timedelta(days=1), eager=True)})
    candidates = days.join(offsets, how="cross").with_columns(
        begins_at=polars.col("on_date").cast(polars.Datetime("us")).dt.replace_time_zone("UTC")
        - polars.duration(seconds=polars.col("offset_seconds"))
    )
    # Midnight may not exist (the clock went forward over it): the date then begins at the change itself.
    begun = (
        candidates.filter(polars.col("begins_at") < polars.col("until_at"))
        .with_columns(begins_at=polars.max_horizontal("begins_at", "from_at"))
        .group_by("on_date")
        .agg(polars.col("begins_at").min())
        .sort("on_date")
        .with_columns(ends_at=polars.col("begins_at").shift(-1), timezone=polars.lit(timezone))
    )
    return begun.filter(polars.col("ends_at").is_not_null()).select("timezone", "on_date", "begins_at", "ends_at")


def write_calendars(engine: DuckDBEngine, settings: Settings, as_of: datetime) -> None:
    """Build run.report_offsets, run.zone_offsets, run.local_days and reference.business_days for the record's span."""
    first = engine.value(
        "select min(instant) from (select min(sent_at) as instant from history.messages"
        " union all select min(requested_at) from history.consent_events)"
    )
    start = (first or as_of).date() - timedelta(days=7)
    # Room for the longest deadline, weekends and holidays included.
    end = as_of.date() + timedelta(days=30 + 3 * settings.policy.default_deadline.amount)
    engine.create_from_frame("run.report_offsets", _offsets(settings.policy.report_timezone))
    zone_names = {settings.policy.report_timezone}
    listed = engine.rows("select distinct timezone from history.contacts where timezone is not null")
    zone_names |= {row[0] for row in listed if row[0] in available_timezones()}
    engine.create_from_frame("run.zone_offsets", polars.concat([_offsets(name) for name in sorted(zone_names)]))
    engine.create_from_frame(
        "run.local_days", polars.concat([_local_days(name, start, end) for name in sorted(zone_names)])
    )
    engine.create_from_frame("reference.business_days", business_days(start, end))


def build_layer(engine: DuckDBEngine, layer: str) -> dict[str, int]:
    """Build every relation of sql/<layer> in dependency order; returns row counts by relation."""
    return {file.relation: engine.create(file.relation, file.text) for file in sqlfiles.load(layer)}
