"""Rotates a home's key: every contact_key is keyed once more, with a new secret, throughout history and the addresses.

A new key is made of the old one, so no address is needed for it: contacts whose address was forgotten are rotated too.
Whoever has the old secret and nothing else can no longer try addresses against the record. The new key is written
first; it holds the old one, which goes on being used until one line of the ledger says that all parts are keyed anew.
So a kill before that line leaves the home under the old key, after it under the new one; doing it again finishes it.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from pipelines import erasing, event_ids, identity, parquet_files, private_files
from pipelines.canonical import TABLES, Table
from pipelines.engines.duckdb import DuckDBEngine, path_list, path_text, quoted
from pipelines.errors import ConfigurationError, ContactKeyCollisionError, UsageError
from pipelines.ledger import Ledger, Part, sha256_of
from pipelines.lock import home_lock
from pipelines.settings import read
from pipelines.working import options_of, work_folder


def rotate(home: Path, narrate: Callable[[str], None]) -> int:
    """Key every contact anew; returns how many parts were written.

    Raises UsageError where nothing is keyed yet, ConfigurationError without the key or with another one in its place.
    """
    told = read(home)
    with home_lock(told.home, "rotate-key"):
        private_files.close(told, narrate)
        ledger = Ledger(told.history)
        ledger.check_parts()
        if not ledger.loads:
            raise UsageError(f"Nothing in {home} is keyed yet.", "Remove private/key, or set another HEED_KEY.")
        key = identity.home_key(told.private, ledger)
        new = _new_key(told.private, key)
        with work_folder(told) as work, DuckDBEngine(**options_of(told, work, "rotate")) as engine:
            if ledger.unfinished:
                erasing.erase_contacts(engine, told, ledger, key)
            _rekey_identities(engine, told.private, key, new)
            count = _rekey_history(engine, ledger, new, narrate)
        erasing.remove_left_over(told.private, ledger)
        erasing.remove_unnamed(ledger)
        narrate(f"{told.private / 'key'} holds the new key. Snapshots made before are under the old one.")
        if os.environ.get("HEED_KEY"):
            narrate(
                f"HEED_KEY still holds the old key. Set it to what {told.private / 'key'} holds, then remove that file"
                " if the key is to stay out of the home."
            )
        return count


def _new_key(private: Path, key: bytes) -> bytes:
    """The key with one secret more, written to private/key; that of a rotation that was begun is used again."""
    path, old = private / "key", identity.secrets_of(key)
    held = identity.secrets_of(path.read_bytes()) if path.exists() else []
    if held and held[: len(old)] != old:
        raise ConfigurationError(
            f"{path} does not hold the key that is in use, which HEED_KEY holds.", "Move it away, then rotate again."
        )
    secret = held[len(old)] if len(held) > len(old) else secrets.token_hex(32).encode()
    new = identity.key_of([*old, secret])
    identity.write_key(private, new)
    return new


def _rekey_identities(engine: DuckDBEngine, private: Path, key: bytes, new: bytes) -> None:
    """Write the addresses under their new keys into a folder of their own; raises ContactKeyCollisionError."""
    folder, number, parameters = identity.store(private, new), *_last(new)
    for path in sorted(identity.store(private, key).glob("*.parquet")):
        rows = f"read_parquet({path_text(path)})"
        keyed = f"select {identity.rekeyed_sql('contact_key', number)} as contact_key, address from {rows}"
        engine.execute(f"create or replace temp table keyed as {keyed}", parameters)
        parquet_files.write(engine, "select * from keyed order by contact_key", folder / path.name, private=True)
    engine.execute("drop table if exists keyed")


def _last(key: bytes) -> tuple[int, dict[str, bytes]]:
    secret_list = identity.secrets_of(key)
    number = len(secret_list) - 1
    return number, identity.hmac_parameters(secret_list, since=number)


def _rekey_history(engine: DuckDBEngine, ledger: Ledger, new: bytes, narrate: Callable[[str], None]) -> int:
    """Write every part that holds keys anew and let all of them take the old ones' place by one line."""
    number, parameters = _last(new)
    rekeyed = identity.rekeyed_sql("contact_key", number)
    _check_collisions(engine, ledger, rekeyed, parameters)
    derived = event_ids.rekeyed_sql("event_id", number)
    is_derived = f"starts_with(event_id, {quoted(event_ids.DERIVED)})"
    event_id = f"case when {is_derived} then {derived} else event_id end as event_id"
    made: list[tuple[str, Part, Part]] = []
    entry = ledger.entry_count + 1
    for load in ledger.loads:
        for part in load.parts:
            table = TABLES.get(part.table)
            if table and "contact" not in table.names:
                continue
            narrate(f"Keying {part.path}")
            columns = f"{rekeyed} as contact_key" + (f", {event_id}" if part.table == "consent_events" else "")
            old = ledger.history / part.path
            rows = f"select * replace ({columns}) from read_parquet({path_text(old)}, hive_partitioning = false)"
            path = erasing.next_path(old, entry)
            parquet_files.write(engine, f"select * from ({rows}) order by {_order(table)}", path, parameters=parameters)
            relative = path.relative_to(ledger.history).as_posix()
            size, sha256 = path.stat().st_size, sha256_of(path)
            made.append((load.load_id, part, replace(part, path=relative, size_bytes=size, sha256=sha256)))
    ledger.rekey(
        made, identity.key_check(new), _forgotten_as(engine, ledger, number, parameters), "the key was rotated"
    )
    return len(made)


def _order(table: Table | None) -> str:
    """The order in which a load writes the rows of a part."""
    if table is None:
        return "contact_key"
    if table.instant is None:
        return "contact_key, row_number"
    return f"contact_key, {table.instant}, row_number, {table.key[0]}"


def _forgotten_as(engine: DuckDBEngine, ledger: Ledger, number: int, parameters: dict[str, bytes]) -> dict[str, str]:
    """The new key of each forgotten contact, by its old one."""
    return {
        key: identity.key_text(
            engine.value(f"select {identity.rekeyed_sql(f'{identity.key_number(key)}::bigint', number)}", parameters)
        )
        for key in sorted(ledger.forgotten)
    }


def _check_collisions(engine: DuckDBEngine, ledger: Ledger, rekeyed: str, parameters: dict[str, bytes]) -> None:
    known = f"read_parquet({path_list(ledger.parts('addresses'))}, hive_partitioning = false)"
    rows = f"select {rekeyed} as contact_key from (select distinct contact_key from {known})"
    engine.execute(f"create or replace temp table rekeyed as {rows}", parameters)
    if engine.value("select count(*) - count(distinct contact_key) from rekeyed"):
        raise ContactKeyCollisionError(
            "The new secret gives two contacts one contact_key; nothing was changed.",
            "Restore private/key from a backup and rotate again.",
        )
    engine.execute("drop table rekeyed")
