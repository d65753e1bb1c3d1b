"""The working database of one run: history as views, what the run was told as tables, and sql/core built in order."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import available_timezones

import polars

from pipelines import sqlfiles, zones
from pipelines.canonical import TABLES, Column
from pipelines.engines.duckdb import DuckDBEngine, quoted
from pipelines.ledger import Ledger
from pipelines.resources import reference_folder
from pipelines.rulebook import book, tables
from pipelines.settings import Settings

_ADDRESSES = {"contact_key": "BIGINT", "contact_masked": "VARCHAR", "address_kind": "VARCHAR", "country": "VARCHAR"}
#: Reference files that Python turns into relations of another shape.
_NOT_RELATIONS = ("holidays", "rules")
#: Columns of reference files that hold digits and are no numbers.
_AS_TEXT = {"prefix": polars.String}
#: Columns of messages that hold few words, with those that sql/core puts where a record says nothing.
_WORDS = {
    "source": (),
    "channel": (),
    "program": ("default",),
    "campaign_id": (),
    "message_class": ("unknown",),
    "status": ("sent",),
    "currency": (),
    "template_id": (),
}
#: Of more different words than this, numbers are no help.
_MANY_WORDS = 10_000
#: The calendar of Mondays to Fridays, for contacts whose jurisdiction has no holidays here.
WEEKDAYS = "weekdays"


def _stored(columns: tuple[Column, ...]) -> dict[str, str]:
    inner = {column.stored_name: column.sql_type for column in columns}
    return {"source": "VARCHAR", **inner, "load_id": "VARCHAR", "row_number": "BIGINT"}


def attach_history(engine: DuckDBEngine, ledger: Ledger) -> None:
    """Define schema history: one view per canonical table over its committed parts, and `addresses`."""
    for table in TABLES.values():
        engine.attach_parts(f"history.{table.name}", ledger.parts(table.name), _stored(table.columns))
    engine.attach_parts("history.addresses", ledger.parts("addresses"), _ADDRESSES)


def number_words(engine: DuckDBEngine) -> None:
    """Have core.messages keep its columns of few words as numbers; after `attach_history`."""
    words = {}
    for column, more in _WORDS.items():
        found = {row[0] for row in engine.rows(f"select distinct {column} from history.messages limit {_MANY_WORDS}")}
        has_nul = any("\0" in word for word in found - {None})  # which ends a statement, and DuckDB writes some itself
        if len(found) < _MANY_WORDS and not has_nul:
            words[column] = found - {None} | set(more) or {""}
    engine.number_words("core.messages", words)


def write_reference(engine: DuckDBEngine) -> None:
    """Build schema reference from data/reference: one table per CSV file."""
    for path in sorted(reference_folder().glob("*.csv")):
        if path.stem not in _NOT_RELATIONS:
            frame = polars.read_csv(path, infer_schema_length=None, schema_overrides=_AS_TEXT)
            engine.create_from_frame(f"reference.{path.stem}", frame)
    _define_tells_opt_out(engine)


def _define_tells_opt_out(engine: DuckDBEngine) -> None:
    """Define tells_opt_out(text): whether a text says how to opt out, by data/reference/opt_out_instructions.csv."""
    rows = polars.read_csv(reference_folder() / "opt_out_instructions.csv").select("phrase", "is_exact").rows()
    exact = " or ".join(f"contains(said, {quoted(phrase)})" for phrase, is_exact in rows if is_exact)
    pattern = "|".join(re.escape(phrase) for phrase, is_exact in rows if not is_exact)
    engine.define_function("tells_opt_out(said)", f"{exact} or regexp_like(lower(said), {quoted(pattern)})")


def write_rule_book(engine: DuckDBEngine, settings: Settings) -> None:
    """Build what sql/ reads of the rule book (see pipelines.rulebook.tables) and run.source_places.

    Raises ConfigurationError for a row of the home's rules.csv that cannot be read.
    """
    rows = book.read(settings.home, settings.policy.rules, (file.name for file in sqlfiles.load("audits")))
    tables.write(engine, rows, settings.policy)
    places = {
        (source.name, source.country, source.region, source.contacts_timezone)
        for source in settings.sources
        if source.country or source.contacts_timezone
    }
    schema = dict.fromkeys(("source", "country", "region", "timezone"), polars.String)
    ordered = sorted(places, key=lambda place: tuple(part or "" for part in place))
    engine.create_from_frame("run.source_places", polars.DataFrame(ordered, schema=schema, orient="row"))


def business_days(first: date, last: date) -> polars.DataFrame:
    """One row per calendar and date: weekday (1 Monday to 7), is_holiday, is_business_day, ordinal, utc_midnight_at.

    `ordinal` counts the calendar's business days up to and with the date; `utc_midnight_at` is where the date begins in
    UTC.
    """
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
        .with_columns(
            weekday=polars.col("on_date").dt.weekday().cast(polars.Int64),
            is_holiday=polars.col("is_holiday").is_not_null(),
            utc_midnight_at=polars.col("on_date").cast(polars.Datetime("us")).dt.replace_time_zone("UTC"),
        )
        .select("calendar", "on_date", "weekday", "is_holiday", "is_business_day", "ordinal", "utc_midnight_at")
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


def _zones_in_use(engine: DuckDBEngine, settings: Settings) -> list[str]:
    """Every time zone a contact may be in: what the contacts table and the sources say, and what numbers suggest."""
    named = {settings.policy.report_timezone}
    named |= {source.contacts_timezone for source in settings.sources if source.contacts_timezone}
    listed = engine.rows("select distinct timezone from history.contacts where timezone is not null")
    named |= {row[0] for row in listed if row[0] in available_timezones()}
    named |= {row[0] for row in engine.rows("select distinct clock from run.quiet_windows where clock is not null")}
    suggested = engine.rows(
        """
        with countries as (
            select country from history.addresses
            union select upper(country) from history.contacts
            union select upper(substr(region, 1, 2)) from history.contacts
            union select country from run.source_places
        )
        select timezone from reference.country_timezones where country in (select country from countries)
        union
        select timezone from reference.area_codes where country in (select country from countries)"""
    )
    return sorted(named | {row[0] for row in suggested})


def write_calendars(engine: DuckDBEngine, settings: Settings, as_of: datetime) -> None:
    """Build the time tables of the record's span: run.report_offsets, run.zone_offsets, run.local_days, run.hours,
    run.rule_dates and reference.business_days; after `write_rule_book`."""
    first = engine.value(
        "select min(instant) from (select min(sent_at) as instant from history.messages"
        " union all select min(requested_at) from history.consent_events)"
    )
    start = (first or as_of).date() - timedelta(days=7)
    # Room for the longest deadline, weekends and holidays included.
    longest = engine.value("select max(amount) from run.deadlines where unit = 'business_days'") or 0
    end = as_of.date() + timedelta(days=30 + 3 * max(settings.policy.default_deadline.amount, longest))
    zone_names = _zones_in_use(engine, settings)
    engine.create_from_frame("run.report_offsets", _offsets(settings.policy.report_timezone))
    engine.create_from_frame("run.zone_offsets", polars.concat([_offsets(name) for name in zone_names]))
    engine.create_from_frame("run.local_days", polars.concat([_local_days(name, start, end) for name in zone_names]))
    engine.create_from_frame("run.hours", _hours(start, as_of))
    engine.create_from_frame("reference.business_days", business_days(start, end))
    tables.write_date_instants(engine, zone_names)


def _hours(first: date, as_of: datetime) -> polars.DataFrame:
    """Every hour from a date to as_of: utc_hour (hours since 1970), begins_at, ends_at."""
    start = datetime(first.year, first.month, first.day, tzinfo=UTC)
    hours = polars.DataFrame(
        {"begins_at": polars.datetime_range(start, as_of + timedelta(hours=1), "1h", time_unit="us", eager=True)}
    )
    return hours.select(
        utc_hour=polars.col("begins_at").dt.epoch("s") // 3600,
        begins_at=polars.col("begins_at"),
        ends_at=polars.col("begins_at") + timedelta(hours=1),
    )


def build_layer(engine: DuckDBEngine, layer: str) -> dict[str, int]:
    """Build every relation of sql/<layer> in dependency order; returns row counts by relation."""
    return engine.build_all(sqlfiles.load(layer))
