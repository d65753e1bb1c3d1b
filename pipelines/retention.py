"""What a run takes out of the record because its time is over, and what an interrupted erasure left to do.

Age is counted back from as_of, never from the clock on the wall. A text goes from the period on that [retention] names;
the ledger says up to which instant history has none, so that only what became old since is looked at, and nothing
older comes in with a load. An address goes when its contact has no record within the period; the key stays.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime

from pipelines import erasing, identity, parquet_files
from pipelines.canonical import TABLES, Table
from pipelines.engines.duckdb import DuckDBEngine, path_list, path_text, quoted
from pipelines.ledger import Ledger
from pipelines.settings import Settings

_NO_TEXT = "a text's time was over"


def enforce(
    settings: Settings,
    ledger: Ledger,
    as_of: datetime | None,
    engine_of: Callable[[], AbstractContextManager[DuckDBEngine]],
    narrate: Callable[[str], None],
) -> None:
    """Finish what was begun, then take out what is past its time; says so where it took anything out.

    `engine_of` opens an engine to work with; none is opened where nothing is to be done.
    """
    erasing.remove_left_over(settings.private, ledger)
    if ledger.unfinished:
        with engine_of() as engine:
            erasing.erase_contacts(engine, settings, ledger, identity.home_key(settings.private, ledger))
        narrate("An erasure that was interrupted has been finished.")
    if as_of is None:
        return
    periods = settings.retention
    if periods.texts and ledger.loads:
        before = max(as_of - periods.texts, ledger.texts_before or as_of - periods.texts)
        with engine_of() as engine:
            parts = 0 if before == ledger.texts_before else _end_texts(engine, ledger, before)
            raws = _end_raws(engine, settings, ledger, before)
        if before != ledger.texts_before:
            ledger.let_texts_end(before)
        if parts or raws:
            narrate(
                f"Texts of before {before:%Y-%m-%d %H:%M} UTC were removed: {parts:,} parts of history written anew,"
                f" and the texts of {raws:,} quarantined rows."
            )
    if periods.addresses:
        with engine_of() as engine:
            count = _end_addresses(engine, settings, ledger, as_of - periods.addresses)
        if count:
            narrate(f"{count:,} addresses were removed: their contacts have no record since the period began.")


def _end_texts(engine: DuckDBEngine, ledger: Ledger, before: datetime) -> int:
    """Write the parts anew that have a text of before an instant; returns how many there were."""
    count, last_month = 0, f"{before.astimezone(UTC):%Y-%m}"
    first_month = f"{ledger.texts_before.astimezone(UTC):%Y-%m}" if ledger.texts_before else ""
    for load in ledger.loads:
        for part in load.parts:
            if part.table not in erasing.TABLES_WITH_TEXTS or not first_month <= str(part.month) <= last_month:
                continue
            table = TABLES[part.table]
            is_old = f"{table.instant} < timestamptz {quoted(before.isoformat())}"
            if erasing.holds(engine, ledger, part, f"{is_old} and {erasing.any_text(table)}"):
                erasing.replace_part(engine, ledger, load, part, erasing.without_texts(table, is_old), _NO_TEXT)
                count += 1
    return count


def _end_raws(engine: DuckDBEngine, settings: Settings, ledger: Ledger, before: datetime) -> int:
    """Take the texts out of the quarantined rows of loads whose newest record, or failing that the load, is older."""
    loads = {load.load_id: load for load in ledger.loads}
    count = 0
    for path in sorted((settings.private / "quarantine").glob("*.parquet")):
        load = loads.get(path.stem)
        if load and datetime.fromisoformat(load.last_record_at or load.loaded_at) >= before:
            continue
        rows = f"read_parquet({path_text(path)})"
        texts = int(engine.value(f"select count(raw) from {rows}"))
        if texts:
            bare = f"select * replace (cast(null as varchar) as raw) from {rows}"
            parquet_files.write(engine, bare, path, private=True)
            count += texts
    return count


def _end_addresses(engine: DuckDBEngine, settings: Settings, ledger: Ledger, before: datetime) -> int:
    """Take out the addresses of contacts without a record from an instant on; returns how many there were."""
    folders = [settings.private / "identities", *(settings.private / "identities").glob("*/")]
    recent = [_recent(ledger, table, before) for table in TABLES.values() if "contact" in table.names]
    engine.execute("create or replace temp table recent (contact_key bigint)")
    for select in filter(None, recent):
        engine.execute(f"insert into recent {select}")
    is_old = "contact_key not in (select contact_key from recent)"
    return sum(erasing.drop_identities(engine, folder, is_old) for folder in folders)


def _recent(ledger: Ledger, table: Table, before: datetime) -> str:
    """The contacts of a table with a record from an instant on, as SQL; empty where there is none."""
    first_month = f"{before.astimezone(UTC):%Y-%m}"
    parts = [
        ledger.history / part.path
        for load in ledger.loads
        for part in load.parts
        if part.table == table.name and (part.month is None or part.month >= first_month)
    ]
    if not parts:
        return ""
    instant = f"timestamptz {quoted(before.isoformat())}"
    rows = f"read_parquet({path_list(parts)}, hive_partitioning = false)"
    return f"select distinct contact_key from {rows} where {table.instant or 'listed_at'} >= {instant}"
