"""What decides a snapshot's rows, part by part, and which load brought records of which day: what a later run is
compared by."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import polars

from pipelines import __version__
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Ledger
from pipelines.resources import reference_folder, sql_folder
from pipelines.settings import Settings

_MICROSECONDS = 1_000_000


def fingerprints(settings: Settings, ledger: Ledger, as_of: str | None) -> dict[str, str]:
    """A digest of each thing that decides a snapshot's rows: loads, as_of, policy, sources, rules, waivers, version,
    sql, reference and code; and texts, where some were taken out of history.

    `as_of` is the one that was asked for; None where the record decides.
    """
    policy = asdict(settings.policy) | {"memory_limit": None, "threads": None, "keep_snapshots": None, "as_of": None}
    sources = [
        [one.name, one.connector, one.timezone, one.path, one.limits, one.country, one.region, one.contacts_timezone]
        for one in settings.sources
    ]
    return {
        "loads": _of_content([[load.load_id, load.sha256] for load in ledger.loads]),
        "as_of": _of_content(as_of),
        "policy": _of_content(policy),
        "sources": _of_content(sources),
        "rules": _of_files([settings.home / "rules.csv"]),
        "waivers": _of_files([settings.home / "waivers.csv"]),
        "version": _of_content(__version__),
        "sql": _of_files(sql_folder().glob("*/*.sql")),
        "reference": _of_files(reference_folder().glob("*.csv")),
        "code": _of_files(Path(__file__).parent.glob("**/*.py")),
    } | ({"texts": _of_content([path.name for path in ledger.replaced])} if ledger.replaced else {})


def fingerprint(parts: dict[str, str]) -> str:
    """One digest of all parts: equal ones mean equal rows."""
    return _of_content(sorted(parts.items()))


def _of_content(content: object) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def _of_files(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(path for path in paths if path.is_file()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def write_fingerprints(engine: DuckDBEngine, parts: dict[str, str]) -> None:
    """Build run.fingerprints: one row per part."""
    schema = {"part": polars.String(), "digest": polars.String()}
    engine.create_from_frame("run.fingerprints", polars.DataFrame(sorted(parts.items()), schema=schema, orient="row"))


def write_load_days(engine: DuckDBEngine) -> None:
    """Build run.load_days: one row per load, table, kind of record, channel and day of the report time zone.

    `row_count` counts the accepted records up to as_of, each version of a record by itself; `new_count` the consent
    events of which this load brought the first version. Reads history once; after run.report_offsets and sql/core.
    """
    engine.create(
        "run.load_days",
        f"""
        with
        delivered as (
            select load_id, 'messages' as table_name, cast(null as varchar) as event_type, channel,
                {_day(engine, "sent_at")} as day, count(*) as row_count, 0 as new_count, min(sent_at) as first_at,
                max(sent_at) as last_at
            from history.messages where sent_at <= (select as_of from run.parameters) group by all
            union all
            select load_id, 'inbound_messages', null, channel, {_day(engine, "received_at")}, count(*), 0,
                min(received_at), max(received_at)
            from history.inbound_messages where received_at <= (select as_of from run.parameters) group by all
            union all
            select load_id, 'consent_events', event_type, channel, {_day(engine, "requested_at")}, count(*), 0,
                min(requested_at), max(requested_at)
            from history.consent_events where requested_at <= (select as_of from run.parameters) group by all
            union all
            select load_id, 'campaigns', null, channel, null, count(*), 0, null, null
            from history.campaigns group by all
            union all
            select load_id, 'contacts', null, null, null, count(*), 0, null, null
            from history.contacts group by all
        )
        select load_id, table_name, event_type, channel, on_date, cast(sum(row_count) as bigint) as row_count,
            cast(sum(new_count) as bigint) as new_count, min(first_at) as first_at, max(last_at) as last_at
        from (
            select load_id, table_name, event_type, channel, date '1970-01-01' + cast(day as int) as on_date,
                row_count, new_count, first_at, last_at
            from delivered
            union all
            select load_id, 'consent_events', event_type, channel, requested_on, 0, count(*), min(requested_at),
                max(requested_at)
            from core.consent_events group by all
        )
        group by all""",
    )


def _day(engine: DuckDBEngine, instant: str) -> str:
    """The days from 1970 to an instant's date in the report time zone, as SQL.

    The offset is told by comparisons: joining ten million messages to a table of offsets takes ten times as long.
    """
    offsets = engine.rows("select from_at, until_at, offset_seconds from run.report_offsets order by from_at")
    within = _recorded(engine)
    used = [(until, seconds) for start, until, seconds in offsets if start <= within[1] and until > within[0]]
    used = used or [(until, seconds) for _, until, seconds in offsets[:1]]
    cases = " ".join(
        f"when epoch_us({instant}) < {_micros(until)} then {seconds * _MICROSECONDS}" for until, seconds in used[:-1]
    )
    last = str(used[-1][1] * _MICROSECONDS)
    shift = f"case {cases} else {last} end" if cases else last
    return f"(epoch_us({instant}) + ({shift})) // {86_400 * _MICROSECONDS}"


def _recorded(engine: DuckDBEngine) -> tuple[datetime, datetime]:
    """The first and the last instant of messages, replies and consent events in history."""
    first, last = engine.rows(
        """
        select min(first_at), max(last_at) from (
            select min(sent_at) as first_at, max(sent_at) as last_at from history.messages
            union all select min(requested_at), max(requested_at) from history.consent_events
            union all select min(received_at), max(received_at) from history.inbound_messages
        )"""
    )[0]
    nothing = datetime.fromisoformat("2000-01-01T00:00:00Z")
    return first or nothing, last or nothing


def _micros(instant: datetime) -> int:
    return round(instant.timestamp()) * _MICROSECONDS
