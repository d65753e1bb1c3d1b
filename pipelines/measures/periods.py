"""The periods that numbers are cut into: days of the report time zone, ISO weeks, months."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import polars

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.settings import fixed_offset_seconds


@dataclass(frozen=True)
class Record:
    """What every family of numbers needs to know: as_of (None for an empty record) and the report time zone."""

    as_of: datetime | None
    zone: tzinfo

    @property
    def as_of_on(self) -> date | None:
        """The date of as_of in the report time zone: the first day that is not over."""
        return self.as_of.astimezone(self.zone).date() if self.as_of else None


def read_record(engine: DuckDBEngine) -> Record:
    """The record of a working database, from run.parameters."""
    as_of, zone_name = engine.rows("select as_of, report_timezone from run.parameters")[0]
    return Record(as_of, report_zone(zone_name))


def report_zone(name: str) -> tzinfo:
    """The report time zone as Python's own: an IANA name, or a fixed offset such as -06:00."""
    offset = fixed_offset_seconds(name)
    return ZoneInfo(name) if offset is None else timezone(timedelta(seconds=offset))


def last_complete_week(as_of_on: date) -> date:
    """The Monday of the last ISO week that was over when `as_of_on` (a date of the report time zone) began."""
    return as_of_on - timedelta(days=as_of_on.weekday() + 7)


def report_months(engine: DuckDBEngine, record: Record) -> polars.DataFrame:
    """One row per month of the report time zone, from the first record to as_of: its days and its instants.

    Built here, since the SQL dialects share no way to ask for the local time of an instant.
    """
    first = engine.value(
        "select min(occurred_at) from (select min(sent_at) as occurred_at from core.messages"
        " union all select min(begins_at) from core.opt_out_spans"
        " union all select min(occurred_at) from audits.findings)"
    )
    rows = []
    as_of, zone = record.as_of, record.zone
    if as_of and first:
        month, last = first.astimezone(zone).date().replace(day=1), as_of.astimezone(zone).date()
        while month <= last:
            following = (month + timedelta(days=31)).replace(day=1)
            starts_at, ends_at = (datetime(day.year, day.month, 1, tzinfo=zone) for day in (month, following))
            rows.append((month, following - timedelta(days=1), starts_at.astimezone(UTC), ends_at.astimezone(UTC)))
            month = following
    instant = polars.Datetime("us", "UTC")
    schema = {"period_start": polars.Date(), "last_day": polars.Date(), "starts_at": instant, "ends_at": instant}
    return polars.DataFrame(rows, schema=schema, orient="row")
