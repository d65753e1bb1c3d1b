"""Everything held about one contact, in time order, from history: what was sent, what they said, what was recorded.

History's parts are ordered by contact_key, so only the row groups whose range of keys holds the contact are read; how
many bytes those are is part of the answer. The dashboard asks by a process of its own and waits for it, so nothing
heavy is imported here.
"""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipelines.canonical import TABLES, Table
from pipelines.engines.duckdb import DuckDBEngine, path_list
from pipelines.errors import EngineError, HeedError, UsageError
from pipelines.ledger import Ledger
from pipelines.settings import Settings, read
from pipelines.terminal import json_text
from pipelines.zones import utc_text

COLUMNS = ("occurred_at", "kind", "source", "record_id", "channel", "program", "campaign_id", "what", "status",
           "processed_at", "method", "actor", "text", "details", "file", "row_number", "load_id", "sha256")  # fmt: skip
#: Too long for a line that people read; every other form of the output has them.
_TOO_LONG = ("details", "load_id", "sha256")
_LONGEST_ADDRESS = 1_000
_DISTANT_PAST = datetime(1, 1, 1, tzinfo=UTC)

#: What each canonical column says of a record, by table. A column that is not named here is one of its details.
_SAYS: dict[str, dict[str, str]] = {
    "messages": {
        "message_id": "record_id", "sent_at": "occurred_at", "message_class": "what", "status": "status",
        "body": "text",
    },
    "consent_events": {
        "event_id": "record_id", "requested_at": "occurred_at", "event_type": "what", "processed_at": "processed_at",
        "method": "method", "actor": "actor", "reason_text": "text",
    },
    "inbound_messages": {"inbound_id": "record_id", "received_at": "occurred_at", "body": "text"},
    "contacts": {"listed_at": "occurred_at"},
}  # fmt: skip
_KINDS = {
    "messages": "message", "consent_events": "consent_event", "inbound_messages": "inbound_message",
    "contacts": "listing",
}  # fmt: skip
#: What a row says that leaves a column empty.
_UNSAID = {
    "messages": {"what": "unknown", "status": "sent"},
    "inbound_messages": {"what": "inbound"},
    "contacts": {"what": "listing", "record_id": "", "channel": "*"},
}
_EVERYWHERE = ("source", "channel", "program", "campaign_id", "load_id", "row_number")


@dataclass
class Reading:
    """How much of history had to be read: the row groups that can hold the contact, of all there are."""

    bytes_read: int = 0
    bytes_held: int = 0
    row_groups_read: int = 0
    row_groups_held: int = 0

    def words(self) -> str:
        """As a person reads it."""
        return (
            f"Read {self.bytes_read / 1e6:,.1f} MB of {self.bytes_held / 1e6:,.1f} MB:"
            f" {self.row_groups_read:,} of {self.row_groups_held:,} row groups can hold this contact."
        )


@dataclass
class Held:
    """One contact: its key and mask, a record per delivered row, oldest first, and what was read to find them.

    A record has the COLUMNS; `details` is a dictionary of the canonical columns that have no column of their own.
    """

    contact_key: int
    contact_masked: str | None = None
    records: list[dict[str, Any]] = field(default_factory=list)
    load_ids: list[str] = field(default_factory=list)  # every load of history, oldest first
    read: Reading = field(default_factory=Reading)

    @property
    def key_text(self) -> str:
        """The key as 16 hexadecimal digits."""
        return f"{self.contact_key & ((1 << 64) - 1):016x}"


def keys_of(text: str, settings: Settings, ledger: Ledger) -> list[int]:
    """The contact_keys that an address may stand for, however it is spelled, or the one of 16 hexadecimal digits.

    There are two where bare digits are a phone number to one channel and an id to another.
    Raises ConfigurationError where the secret that history was keyed with is not at hand.
    """
    from pipelines import identity

    if re.fullmatch(r"[0-9a-f]{16}", text):
        return [identity.key_number(text)]
    key = identity.home_key(settings.private, ledger)
    country = settings.policy.default_country
    addresses = [identity.normalised_address(text, is_phone, country) for is_phone in (True, False)]
    return [identity.contact_key(address, key) for address in dict.fromkeys(addresses)]


def everything_about(text: str, settings: Settings) -> Held:
    """What history holds about the contact of an address or a key."""
    ledger = Ledger(settings.history)
    found = [_held(key, ledger) for key in keys_of(text, settings, ledger)]
    return next((one for one in found if one.records), found[0])


def _held(key: int, ledger: Ledger) -> Held:
    held = Held(key, load_ids=[load.load_id for load in ledger.loads])
    with DuckDBEngine() as engine:
        masks = _ask(engine, ledger.parts("addresses"), held, "select contact_masked from {parts} where {chosen}")
        held.contact_masked = masks[0]["contact_masked"] if masks else None
        for name, kind in _KINDS.items():
            held.records += _records(engine, TABLES[name], kind, ledger, held)
    held.records.sort(
        key=lambda one: (
            one["occurred_at"] or _DISTANT_PAST, one["kind"], one["source"], one["record_id"], one["load_id"],
            one["row_number"],
        )
    )  # fmt: skip
    return held


def _ask(engine: DuckDBEngine, parts: list[Path], held: Held, query: str) -> list[dict[str, Any]]:
    """The rows of `query` over those of `parts` that can hold the contact; what that reads is added to `held.read`."""
    if not parts:
        return []
    chosen = [part for part in parts if _can_hold(part, held)]
    if not chosen:
        return []
    relation = f"read_parquet({path_list(chosen)}, hive_partitioning = false)"
    # The key is written into the query: DuckDB loads pandas, half a second, to look at a parameter.
    return engine.records(query.format(parts=relation, chosen=f"contact_key = {held.contact_key}"))


def _can_hold(part: Path, held: Held) -> bool:
    """Whether a row group of a part can hold the contact, by its least and greatest key; adds them to `held.read`.

    DuckDB skips the others by the same numbers. It can also list them, as a row for each column of each row group: at a
    hundred million messages that takes twice as long as reading the contact.
    """
    from pyarrow.parquet import read_metadata

    footer = read_metadata(part)
    held.read.bytes_held += part.stat().st_size
    held.read.row_groups_held += footer.num_row_groups
    place = footer.schema.names.index("contact_key")
    count = 0
    for number in range(footer.num_row_groups):
        row_group = footer.row_group(number)
        keys = row_group.column(place).statistics
        if keys is None or not keys.has_min_max or keys.min <= held.contact_key <= keys.max:
            count += 1
            columns = range(row_group.num_columns)
            held.read.bytes_read += sum(row_group.column(column).total_compressed_size for column in columns)
    held.read.row_groups_read += count
    return count > 0


def _records(engine: DuckDBEngine, table: Table, kind: str, ledger: Ledger, held: Held) -> list[dict[str, Any]]:
    files = {load.load_id: load for load in ledger.loads}
    records = []
    for row in _ask(engine, ledger.parts(table.name), held, "select * from {parts} where {chosen}"):
        record: dict[str, Any] = dict.fromkeys(COLUMNS) | {"kind": kind, "details": {}}
        for name, value in row.items():
            says = name if name in _EVERYWHERE else _SAYS[table.name].get(name)
            if says:
                record[says] = value
            elif value is not None and name != "contact_key":
                record["details"][name] = value
        for name, value in _UNSAID.get(table.name, {}).items():
            record[name] = value if record[name] is None else record[name]
        load = files[row["load_id"]]
        records.append(record | {"file": load.file, "sha256": load.sha256})
    return records


def asked_for(options: argparse.Namespace) -> str:
    """The address or key that the command line names; a - reads it from standard input. Raises UsageError for none."""
    address = sys.stdin.readline(_LONGEST_ADDRESS).strip() if options.address == "-" else options.address.strip()
    if not address:
        raise UsageError("There is no address.", "Name an address or a contact_key, or write one to standard input.")
    return str(address)


def run(options: argparse.Namespace) -> None:
    """Print everything about a contact as the command line asks; a - reads the address from standard input.

    Raises UsageError without an address, ConfigurationError without the home's secret.
    """
    if options.each:
        _answer_each(options.home)
        return
    held = everything_about(asked_for(options), read(options.home))
    if options.json:
        print(json_text(as_object(held), default=_as_text))
        return
    from pipelines import output

    if held.records:
        print(f"contact_key {held.key_text}: {len(held.records)} records", file=sys.stderr)
    else:
        print("Nothing is held about this contact.", file=sys.stderr)
    print(held.read.words(), file=sys.stderr)
    columns = [name for name in COLUMNS if options.format != "table" or name not in _TOO_LONG]
    rows = held.records if options.format == "json" else [one | {"details": _in_line(one)} for one in held.records]
    output.write_rows(columns, [[_plain(row[name]) for name in columns] for row in rows], options.format)


def _answer_each(home: Path) -> None:
    """Answer every line of standard input with one line: the object of --json, or {"error": why there is none}."""
    while line := sys.stdin.readline(_LONGEST_ADDRESS):
        rest = line
        while rest and not rest.endswith("\n"):
            rest = sys.stdin.readline(_LONGEST_ADDRESS)
        try:
            answer = as_object(everything_about(line.strip(), read(home)))
        except EngineError:
            raise
        except HeedError as error:
            answer = {"error": str(error)}
        print(json_text(answer, default=_as_text), flush=True)


def as_object(held: Held) -> dict[str, Any]:
    """What --json prints: contact_key, contact_masked, read, load_ids and the records."""
    return {
        "contact_key": held.key_text, "contact_masked": held.contact_masked, "read": asdict(held.read),
        "load_ids": held.load_ids, "records": held.records,
    }  # fmt: skip


def _in_line(record: dict[str, Any]) -> str | None:
    return "; ".join(f"{name}: {_plain(value)}" for name, value in record["details"].items()) or None


def _as_text(value: Any) -> str:
    return utc_text(value) if isinstance(value, datetime) else str(value)


def _plain(value: Any) -> Any:
    """A value as JSON has it."""
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    return utc_text(value) if isinstance(value, datetime) else value
