"""The segments of the published snapshot: how many pairs are in each, and their keys for who holds the addresses."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from pipelines.errors import NoSnapshotError, UsageError

if TYPE_CHECKING:
    from pipelines.engines.duckdb import DuckDBEngine

#: Every pair on record is in exactly one.
SEGMENTS = ("opted_in", "opted_out", "pending_confirmation", "never_asked")
COUNT_COLUMNS = ("channel", "segment", "pair_count", "blocked_count")
KEY_COLUMNS = ("contact_key", "channel", "segment", "is_blocked", "since_on")


def add_options(segments: argparse.ArgumentParser) -> None:
    """Add what the verb may be asked to its part of the command line."""
    option = segments.add_argument
    option("--segment", choices=SEGMENTS, help="only this segment")
    option("--channel", metavar="CHANNEL", help="only this channel: sms, email, whatsapp, ...")
    option("--keys", action="store_true", help="one row per contact and channel, by contact_key; no addresses")
    option("--format", choices=("table", "csv", "json", "parquet"), default="table", help="default: table")


def counts_query(segment: str | None, channel: str | None) -> tuple[str, dict[str, Any]]:
    """The select and parameters for pairs by channel (`*` = all) and segment."""
    terms, parameters = _conditions(segment, channel)
    return f"select {', '.join(COUNT_COLUMNS)} from metrics.segments {terms} order by channel, segment", parameters


def keys_query(segment: str | None, channel: str | None) -> tuple[str, dict[str, Any]]:
    """The select and parameters for one row per pair, its contact_key as 16 hexadecimal digits."""
    from pipelines import snapshots

    terms, parameters = _conditions(segment, channel)
    columns = ", ".join(snapshots.KEY_AS_TEXT if name == "contact_key" else name for name in KEY_COLUMNS)
    order = "metrics.segment_pairs.contact_key, channel"
    return f"select {columns} from metrics.segment_pairs {terms} order by {order}", parameters


def run(options: argparse.Namespace) -> int:
    """Print the counts, or with `--keys` the keys, in the format asked for; returns the exit code.

    Raises UsageError for a channel nobody is on, NoSnapshotError for a snapshot of before there were segments.
    """
    from pipelines import output, snapshots

    with snapshots.published(options.home) as engine:
        if not engine.relation_exists("metrics.segments"):
            raise NoSnapshotError(
                "This snapshot was made before there were segments.", f"Make another: heed -C {options.home} run"
            )
        _refuse_unknown_channel(engine, options.channel)
        columns, build = (KEY_COLUMNS, keys_query) if options.keys else (COUNT_COLUMNS, counts_query)
        query, parameters = build(options.segment, options.channel)
        if options.format == "parquet":
            output.write_parquet(engine.frame(query, parameters or None))
        else:
            output.write_rows(columns, engine.rows(query, parameters), options.format)
    return 0


def _conditions(segment: str | None, channel: str | None) -> tuple[str, dict[str, Any]]:
    used = {name: value for name, value in (("segment", segment), ("channel", channel)) if value is not None}
    terms = " and ".join(f"{name} = ${name}" for name in used)
    return (f"where {terms}" if terms else ""), used


def _refuse_unknown_channel(engine: DuckDBEngine, channel: str | None) -> None:
    known = [name for (name,) in engine.rows("select distinct channel from metrics.segments order by channel")]
    if channel is not None and channel not in (*known, "*"):
        listed = ", ".join(known) or "none"
        raise UsageError(f"Nobody on record is on channel {channel}.", f"Channels on record: {listed}.")
