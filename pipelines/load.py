"""Delivered files to immutable history: the only step that reads the inbox.

Each file is one load: its rows are staged, checked, keyed, compared with what history holds, and written once as
Parquet parts, one per month; the ledger's line commits it. Every row read is accepted, a counted duplicate, or
quarantined with its raw text, its place and one reason.
"""

from __future__ import annotations

import hashlib
import json
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path

import polars

from pipelines import identity, ledger
from pipelines.canonical import TABLES, Table
from pipelines.connectors import Delivery, Reading, connector
from pipelines.engines.duckdb import DuckDBEngine, path_list, quoted
from pipelines.errors import (
    AccountingError,
    ConfigurationError,
    ContactKeyCollisionError,
    EngineError,
    UnreadableInputError,
)
from pipelines.ledger import Ledger, Load, Part
from pipelines.settings import Settings, Source
from pipelines.staging import stage

_QUARANTINE = {
    "row_number": polars.Int64,
    "table": polars.String,
    "reason": polars.String,
    "column": polars.String,
    "raw": polars.String,
}


@dataclass(frozen=True)
class InboxFile:
    """A file in the inbox, the source that claims it, and a digest of its bytes."""

    path: Path
    source: Source
    sha256: str
    size_bytes: int
    modified_ns: int

    def file(self, home: Path) -> str:
        """Its path below the home."""
        return self.path.relative_to(home).as_posix()


def reading_digest(source: Source, default_country: str | None) -> str:
    """A digest of every setting that decides what a file's bytes mean."""
    content = asdict(source) | {"default_country": default_country, "path": None, "name": None}
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _digest(path: Path) -> str:
    """SHA-256 of the bytes, having checked that a .gz is whole: a cut-off one would load in part and look complete."""
    digest = hashlib.sha256()
    is_gzip = path.suffix.lower() == ".gz"
    unpacker = zlib.decompressobj(wbits=31)
    whole = True
    try:
        with path.open("rb") as file:
            while block := file.read(1 << 20):
                digest.update(block)
                while is_gzip and block:
                    if unpacker.eof:
                        unpacker = zlib.decompressobj(wbits=31)
                    unpacker.decompress(block)
                    block = unpacker.unused_data
                    whole = unpacker.eof
    except zlib.error as error:
        raise UnreadableInputError(
            f"{path.name} is not a gzip file, or is damaged ({error}).", "Deliver it again; nothing of it was loaded."
        ) from error
    except OSError as error:
        raise UnreadableInputError(
            f"{path.name} cannot be read: {error.strerror}.", "Check its permissions, or deliver it again."
        ) from error
    if is_gzip and not whole:
        raise UnreadableInputError(
            f"{path.name} is cut off: its gzip data have no end.", "Deliver it again; nothing of it was loaded."
        )
    return digest.hexdigest()


def inbox_files(settings: Settings, known: Ledger, narrate: Callable[[str], None]) -> list[InboxFile]:
    """Every file that a source's path matches, in order of source and name.

    A plain path (no wildcard) that is absent and was never loaded is a ConfigurationError; a pattern that matches
    nothing is narrated.
    """
    found: list[InboxFile] = []
    loaded_files = {(load.source, load.file) for load in known.loads}
    for source in settings.sources:
        paths = sorted(path for path in settings.home.glob(source.path) if not path.is_dir())
        has_wildcard = any(sign in source.path for sign in "*?[")
        if not paths and not has_wildcard and (source.name, source.path) not in loaded_files:
            problem = "is a folder" if (settings.home / source.path).is_dir() else "does not exist"
            raise ConfigurationError(
                f"{settings.home / source.path} {problem}, and [[source]] {source.name!r} reads it.",
                f"Deliver the file, or correct path in {settings.home / 'heed.toml'}.",
            )
        if not paths and has_wildcard:
            narrate(f"No file matches {source.path} (source {source.name}).")
        for path in paths:
            status = path.stat()
            found.append(InboxFile(path, source, _digest(path), status.st_size, status.st_mtime_ns))
    return found


def retire_reread(settings: Settings, known: Ledger, files: list[InboxFile]) -> list[str]:
    """Take a source's loads out of the record when its settings would now read their bytes differently.

    All of the source's files are then read anew. Raises ConfigurationError if one of them is no longer in the inbox:
    a mixture of two readings would be worse than either. Returns one sentence per source.
    """
    told = []
    for name in sorted({source.name for source in settings.sources}):
        present = {
            (file.sha256, reading_digest(file.source, settings.policy.default_country))
            for file in files
            if file.source.name == name
        }
        loads = [load for load in known.loads if load.source == name]
        bytes_present = {sha256 for sha256, _ in present}
        changed = [
            load for load in loads if load.sha256 in bytes_present and (load.sha256, load.reading) not in present
        ]
        if not changed:
            continue
        gone = sorted({load.file for load in loads if load.sha256 not in bytes_present})
        if gone:
            raise ConfigurationError(
                f"heed.toml: the settings of source {name!r} changed, so its files must be read anew,"
                f" but {', '.join(gone[:5])} {'is' if len(gone) == 1 else 'are'} no longer in the inbox.",
                "Put them back, or undo the change.",
            )
        known.retire([load.load_id for load in loads], f"the settings of source {name} changed")
        told.append(f"The settings of source {name} changed: its {len(loads)} files are read anew.")
    return told


def new_files(settings: Settings, known: Ledger, files: list[InboxFile]) -> Iterator[InboxFile]:
    """The files whose bytes this source has not loaded yet, each once."""
    done = {(load.source, load.sha256, load.reading) for load in known.loads}
    for file in files:
        identifying = (file.source.name, file.sha256, reading_digest(file.source, settings.policy.default_country))
        if identifying not in done:
            done.add(identifying)
            yield file


class _Loading:
    """One load in the making: the tables it stages in the working database and the parts it writes."""

    def __init__(
        self,
        engine: DuckDBEngine,
        settings: Settings,
        known: Ledger,
        file: InboxFile,
        key: bytes,
        work: Path,
        loaded_at: datetime,
    ) -> None:
        self.engine, self.settings, self.known, self.file, self.key = engine, settings, known, file, key
        self.work, self.loaded_at = work, loaded_at
        self.load_id = f"{known.entry_count + 1:06d}-{file.sha256[:8]}"
        self.parts: list[Part] = []
        self.accepted: dict[str, int] = {}
        self.read_count = self.duplicate_count = 0
        self.quarantined: list[polars.DataFrame] = []
        self.first_at: list[datetime] = []
        self.last_at: list[datetime] = []

    def run(self) -> Load:
        reading = self._reading()
        for records in reading.records:
            self._take(records.table, records.select, reading)
        rejects = reading.rejects()
        self.read_count += len(rejects)
        if rejects:
            rows = [(one.row_number, None, one.reason, one.column, one.raw) for one in rejects]
            self.quarantined.append(polars.DataFrame(rows, schema=_QUARANTINE, orient="row"))
        quarantined_count = self._write_quarantine()
        accepted_count = sum(self.accepted.values())
        if self.read_count != accepted_count + self.duplicate_count + quarantined_count:
            raise AccountingError(
                f"{self.file.path.name}: read {self.read_count} rows, but accepted {accepted_count},"
                f" found {self.duplicate_count} duplicate and quarantined {quarantined_count}.",
                "Nothing of it was loaded; this is a mistake in heed: please report it.",
            )
        self._check_unchanged()
        return Load(
            load_id=self.load_id,
            source=self.file.source.name,
            connector=self.file.source.connector,
            connector_version=connector(self.file.source).VERSION,
            reading=reading_digest(self.file.source, self.settings.policy.default_country),
            file=self.file.file(self.settings.home),
            size_bytes=self.file.size_bytes,
            sha256=self.file.sha256,
            read_count=self.read_count,
            accepted_count=accepted_count,
            duplicate_count=self.duplicate_count,
            quarantined_count=quarantined_count,
            loaded_at=self.loaded_at.isoformat(),
            first_record_at=min(self.first_at).isoformat() if self.first_at else None,
            last_record_at=max(self.last_at).isoformat() if self.last_at else None,
            tables=self.accepted,
            parts=tuple(self.parts),
        )

    def _reading(self) -> Reading:
        return connector(self.file.source).read(Delivery(self.file.path, self.file.source, self.engine, self.work))

    def _check_unchanged(self) -> None:
        try:
            status = self.file.path.stat()
        except OSError as error:
            raise UnreadableInputError(
                f"{self.file.path.name} vanished while it was read.", "Nothing of it was loaded; run again."
            ) from error
        if (status.st_size, status.st_mtime_ns) != (self.file.size_bytes, self.file.modified_ns):
            raise UnreadableInputError(
                f"{self.file.path.name} changed while it was read.",
                "Nothing of it was loaded; run again once it is complete.",
            )

    def _take(self, table_name: str, select: str, reading: Reading) -> None:
        """Stage one canonical table's rows and write those that are new."""
        table = TABLES[table_name]
        try:
            stage(self.engine, select, table, self.file.source, "staged", self.loaded_at)
        except EngineError as error:
            raise UnreadableInputError(
                f"{self.file.path.name} (source {self.file.source.name}) cannot be read: {_first_line(error)}.",
                "Deliver it again; nothing of it was loaded.",
            ) from error
        self.read_count += int(self.engine.value("select count(*) from staged"))
        self._quarantine(table, reading)
        self._key_contacts(table)
        self._mark_duplicates(table)
        self.duplicate_count += int(self.engine.value("select count(*) from candidates where is_duplicate"))
        self._write_parts(table)

    def _quarantine(self, table: Table, reading: Reading) -> None:
        refused = "select row_number, reason, reason_column, raw from staged where reason is not null"
        if not self.engine.value(f"select count(*) from ({refused})"):
            return
        if reading.raws:
            refused = f"""
                select s.row_number, s.reason, s.reason_column, coalesce(s.raw, r.raw) as raw
                from ({refused}) as s left join ({reading.raws}) as r on r.row_number = s.row_number"""
        frame = self.engine.frame(
            f"""select row_number, {quoted(table.name)} as "table", reason, reason_column as "column", raw
                from ({refused}) order by row_number"""
        )
        self.quarantined.append(frame.cast(_QUARANTINE))  # type: ignore[arg-type]

    def _write_quarantine(self) -> int:
        if not self.quarantined:
            return 0
        folder = self.settings.private / "quarantine"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        frame = polars.concat(self.quarantined)
        path = folder / f"{self.load_id}.parquet"
        _private_parquet(frame, path)
        return frame.height

    def _key_contacts(self, table: Table) -> None:
        """Build `keyed`: the usable staged rows with contact_key in place of the address."""
        columns = ", ".join(f"s.{name}" for name in table.names if name != "contact")
        if "contact" not in table.names:
            self.engine.execute(
                f"create or replace temp table keyed as select row_number, {columns} from staged as s where reason is null"
            )
            return
        identity.identify(
            self.engine,
            "select contact as spelling, is_phone_channel from staged where reason is null",
            "identified",
            self.settings.policy.default_country,
            self.key,
        )
        self._keep_identities(table)
        self.engine.execute(
            f"""
            create or replace temp table keyed as
            select s.row_number, i.contact_key, {columns}
            from staged as s
            join identified as i on i.spelling = s.contact and i.is_phone_channel = s.is_phone_channel
            where s.reason is null"""
        )

    def _keep_identities(self, table: Table) -> None:
        """Write the addresses not seen before: the address itself to private/, key and mask to history."""
        folder = self.settings.private / "identities"
        known = sorted(folder.glob("*.parquet"))
        source = (
            f"read_parquet({path_list(known)})"
            if known
            else "(select null::bigint as contact_key, null::varchar as address where false)"
        )
        self.engine.execute(
            f"""
            create or replace temp table addresses as
            select distinct i.contact_key, i.contact_masked, i.address_kind, i.country, i.address, k.address as known_address
            from identified as i left join {source} as k on k.contact_key = i.contact_key"""
        )
        collisions = self.engine.value(
            """select count(*) from (
                select contact_key from addresses
                group by contact_key having count(distinct address) > 1 or bool_or(known_address <> address))"""
        )
        if collisions:
            raise ContactKeyCollisionError(
                f"{collisions} contact keys stand for two different addresses.",
                "Set another HEED_KEY (or remove private/key) and rebuild the home from its files.",
            )
        new = self.engine.frame("select contact_key, address from addresses where known_address is null order by 1")
        if new.height:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _private_parquet(new, folder / f"{self.load_id}-{table.name}.parquet")
        # Masks are repeated for every load that meets the contact first: without private/, history is still whole.
        seen = self.known.parts("addresses")
        unseen = "" if not seen else f" anti join read_parquet({path_list(seen)}) using (contact_key)"
        self._write_part(
            "addresses",
            None,
            f"select distinct contact_key, contact_masked, address_kind, country from addresses{unseen} order by contact_key",
            f"part-{self.load_id}-{table.name}",
        )

    def _mark_duplicates(self, table: Table) -> None:
        """Build `candidates`: `keyed` with is_duplicate, true for an exact repeat in this file or in history."""
        content = ", ".join(table.stored_names)
        # A campaign may have no channel and a missing event_id is derived from the row's content, so that the same
        # act delivered twice is one act.
        if table.name == "consent_events":
            others = ", ".join(
                f"coalesce(cast({name} as varchar), chr(0))" for name in table.stored_names if name != "event_id"
            )
            self.engine.execute(
                f"update keyed set event_id = 'derived-' || md5(concat_ws(chr(1), {others})) where event_id is null"
            )
        key = ", ".join("contact_key" if name == "contact" else name for name in table.key)
        self.engine.execute(
            f"""
            create or replace temp table repeated as
            select row_number from (
                select row_number, row_number() over (partition by {content} order by row_number) as occurrence
                from keyed semi join (select {key} from keyed group by all having count(*) > 1) as several
                    on {_same(table, "keyed", "several")}
            ) where occurrence > 1"""
        )
        if table.instant:
            months = {
                row[0] for row in self.engine.rows(f"select distinct strftime({table.instant}, '%Y-%m') from keyed")
            }
        else:
            months = None
        earlier = self.known.parts(table.name, self.file.source.name, months)
        if earlier:
            equal = " and ".join(f"h.{name} is not distinct from k.{name}" for name in table.stored_names)
            self.engine.execute(
                f"""
                insert into repeated
                select k.row_number from keyed as k semi join read_parquet({path_list(earlier)}) as h
                    on {_same(table, "k", "h")} and {equal}"""
            )
        self.engine.execute(
            f"""
            create or replace temp table candidates as
            select k.row_number, {content}, r.row_number is not null as is_duplicate
            from keyed as k left join (select distinct row_number from repeated) as r on r.row_number = k.row_number"""
        )

    def _write_parts(self, table: Table) -> None:
        fresh = "from candidates where not is_duplicate"
        count = int(self.engine.value(f"select count(*) {fresh}"))
        self.accepted[table.name] = self.accepted.get(table.name, 0) + count
        if not count:
            return
        if table.instants:
            last = self.engine.value(f"select max(greatest({', '.join(table.instants)})) {fresh}")
            self.last_at += [last] if last else []
        if table.instant:
            self.first_at.append(self.engine.value(f"select min({table.instant}) {fresh}"))
        columns = f"{quoted(self.file.source.name)} as source, {', '.join(table.stored_names)}"
        lineage = f"{quoted(self.load_id)} as load_id, row_number"
        name = f"part-{self.load_id}-{len([part for part in self.parts if part.table == table.name]) + 1}"
        if not table.instant:
            self._write_part(table.name, None, f"select {columns}, {lineage} {fresh} order by row_number", name)
            return
        months = [
            row[0] for row in self.engine.rows(f"select distinct strftime({table.instant}, '%Y-%m') {fresh} order by 1")
        ]
        for month in months:
            start = f"timestamptz '{month}-01 00:00:00+00'"
            self._write_part(
                table.name,
                month,
                f"select {columns}, {lineage} {fresh} and {table.instant} >= {start} and {table.instant} < {start} + interval 1 month"
                f" order by contact_key, {table.instant}, {table.key[0]}, row_number",
                f"part-{self.load_id}-{len(self.parts) + 1}",
            )

    def _write_part(self, table: str, month: str | None, select: str, name: str) -> None:
        relative = f"{table}/month={month}/{name}.parquet" if month else f"{table}/{name}.parquet"
        path = self.settings.history / relative
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        self.engine.execute(
            f"copy ({select}) to {quoted(str(partial))} (format parquet, compression zstd)", relation=table
        )
        count = int(self.engine.value(f"select count(*) from read_parquet({quoted(str(partial))})"))
        if not count:
            partial.unlink()
            return
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(partial, path)
        self.parts.append(Part(table, relative, count, path.stat().st_size, ledger.sha256_of(path), month))


def _same(table: Table, left: str, right: str) -> str:
    names = ["contact_key" if name == "contact" else name for name in table.key]
    return " and ".join(f"{left}.{name} is not distinct from {right}.{name}" for name in names)


def _first_line(error: EngineError) -> str:
    return error.what.splitlines()[0].rstrip(".").removeprefix("Invalid Input Error: ")


def _private_parquet(frame: polars.DataFrame, path: Path) -> None:
    """Write a file that only its owner can read, whole or not at all."""
    partial = path.with_suffix(".partial")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        frame.write_parquet(file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(partial, path)


def load_file(
    engine: DuckDBEngine,
    settings: Settings,
    known: Ledger,
    file: InboxFile,
    key: bytes,
    work: Path,
    loaded_at: datetime,
) -> Load:
    """Load one file and commit it to the ledger; on any error nothing of it counts.

    Raises UnreadableInputError, ConfigurationError, AccountingError or ContactKeyCollisionError.
    """
    load = _Loading(engine, settings, known, file, key, work, loaded_at).run()
    known.append(load)
    return load
