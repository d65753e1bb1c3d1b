"""Delivered files to immutable history, one load per file.

A file's rows are staged, checked, keyed, compared with what history holds, and written once as Parquet parts, one per
month; the ledger's line commits them. Every row read is accepted, a counted duplicate, or quarantined with its raw
text, its place and one reason.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipelines import identity, ledger
from pipelines.canonical import TABLES, Table
from pipelines.connectors import Delivery, Reading, connector
from pipelines.engines.duckdb import DuckDBEngine, path_list, path_text, quoted
from pipelines.errors import AccountingError, ContactKeyCollisionError, EngineError
from pipelines.inbox import InboxFile, reading_digest
from pipelines.ledger import Ledger, Load, Part
from pipelines.readers import row_count, unreadable
from pipelines.settings import Settings
from pipelines.staging import stage

#: Rows of a part that are read or skipped together: parts are ordered by contact_key, so one contact is in one or two.
#: Against DuckDB's own 122,880, one contact is a quarter of the bytes, and a whole column takes 14 % longer to read.
ROW_GROUP = 32_768

_QUARANTINED = """
    create or replace temp table quarantined (
        row_number bigint, "table" varchar, reason varchar, "column" varchar, raw varchar
    )"""


@dataclass
class _Loading:
    """One load in the making: the tables it stages in the working database and the parts it writes."""

    engine: DuckDBEngine
    settings: Settings
    known: Ledger
    file: InboxFile
    key: bytes
    work: Path
    loaded_at: datetime
    parts: list[Part] = field(default_factory=list)
    accepted: dict[str, int] = field(default_factory=dict)
    first_at: list[datetime] = field(default_factory=list)
    last_at: list[datetime] = field(default_factory=list)
    read_count: int = 0
    duplicate_count: int = 0
    written_count: int = 0

    @property
    def load_id(self) -> str:
        """Its place in the ledger and the beginning of the file's digest."""
        return f"{self.known.entry_count + 1:06d}-{self.file.sha256[:8]}"

    @property
    def _delivery(self) -> Delivery:
        return Delivery(self.file.path, self.file.source, self.engine, self.work)

    def run(self) -> Load:
        """Read, check and write every row of the file; raises AccountingError unless all of them are accounted for."""
        self.engine.execute(_QUARANTINED)
        self.engine.execute("create or replace temp table read_rows (row_number bigint)")
        try:
            reading = connector(self.file.source).read(self._delivery)
        except OSError:
            self.file.check_unchanged()
            raise
        for records in reading.records:
            self._take(TABLES[records.table], records.select, reading)
        self._take_rejects(reading)
        quarantined_count = self._write_quarantine()
        accepted_count = sum(self.accepted.values())
        if self.read_count != accepted_count + self.duplicate_count + quarantined_count:
            raise AccountingError(
                f"{self.file.path.name}: read {self.read_count} rows, but accepted {accepted_count},"
                f" found {self.duplicate_count} duplicate and quarantined {quarantined_count}.",
                "Nothing of it was loaded; this is a mistake in heed: please report it.",
            )
        self._check_row_count()
        self.file.check_unchanged()
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
            key_check=identity.key_check(self.key),
            tables=self.accepted,
            parts=tuple(self.parts),
        )

    def _check_row_count(self) -> None:
        """Raise AccountingError unless every row of the file gave a record, where its rows can be counted apart."""
        expected = row_count(self.engine, self.file.path)
        read = int(self.engine.value("select count(distinct row_number) from read_rows"))
        if expected is not None and read != expected:
            raise AccountingError(
                f"{self.file.path.name} holds {expected} rows, but {read} were read.",
                "Nothing of it was loaded; this is a mistake in heed: please report it.",
            )

    def _take(self, table: Table, select: str, reading: Reading) -> None:
        """Stage one select's rows and write those that are new."""
        try:
            with self.engine.whole_rows():
                stage(self.engine, select, table, self.file.source, "staged", self.loaded_at)
        except EngineError as error:
            raise unreadable(self._delivery.label, error) from error
        self.read_count += int(self.engine.value("select count(*) from staged"))
        self._take_refused(table, reading)
        self.engine.execute("insert into read_rows select distinct row_number from staged")
        self._key_contacts(table)
        self.engine.execute("drop table staged")  # as large as the file: nothing reads it any more
        self._mark_duplicates(table)
        self.duplicate_count += int(self.engine.value("select count(*) from candidates where is_duplicate"))
        self._write_parts(table)

    def _take_refused(self, table: Table, reading: Reading) -> None:
        """Build `refused`: the staged rows that cannot be used, with their text."""
        refused = "select row_number, reason, reason_column, raw from staged where reason is not null"
        self.engine.execute(f"create or replace temp table refused as {refused}")
        if reading.raws and self.engine.value("select count(*) from refused"):
            with self.engine.whole_rows():
                self.engine.execute(
                    f"""
                    create or replace temp table refused as
                    select s.* replace (coalesce(s.raw, r.raw) as raw)
                    from refused as s left join ({reading.raws}) as r on r.row_number = s.row_number"""
                )
        self._number_rows(reading)
        self.engine.execute(
            f"insert into quarantined select row_number, {quoted(table.name)}, reason, reason_column, raw from refused"
        )

    def _number_rows(self, reading: Reading) -> None:
        """Count refused rows in: a row's place is the same whether the rows before it parsed or not."""
        if reading.rejects is None or not self.engine.value(f"select count(*) from ({reading.rejects})"):
            return
        self.engine.execute(
            f"""
            create or replace temp table shifts as
            select row_number - position as parsed_before, max(position) as shift
            from (select row_number, row_number() over (order by row_number) as position from ({reading.rejects}))
            group by all"""
        )
        for name in ("staged", "refused"):
            self.engine.execute(
                f"""
                create or replace temp table {name} as
                select r.* replace (r.row_number + coalesce(s.shift, 0) as row_number)
                from {name} as r asof left join shifts as s on r.row_number > s.parsed_before"""
            )

    def _take_rejects(self, reading: Reading) -> None:
        if reading.rejects is None:
            return
        before = self._quarantined_count()
        self.engine.execute(
            f"insert into quarantined select row_number, null, reason, null, raw from ({reading.rejects})"
        )
        self.read_count += self._quarantined_count() - before
        self.engine.execute(f"insert into read_rows select row_number from ({reading.rejects})")

    def _quarantined_count(self) -> int:
        return int(self.engine.value("select count(*) from quarantined"))

    def _write_quarantine(self) -> int:
        """Write the refused rows, which hold addresses, to private/; returns how many the file holds."""
        if not self._quarantined_count():
            return 0
        path = self.settings.private / "quarantine" / f"{self.load_id}.parquet"
        return self._copy('select * from quarantined order by row_number, "table"', path, private=True)

    def _key_contacts(self, table: Table) -> None:
        """Build `keyed`: the usable staged rows with contact_key in place of the address."""
        columns = ", ".join(f"s.{name}" for name in table.names if name != "contact")
        if "contact" not in table.names:
            self.engine.execute(
                f"create or replace temp table keyed as select s.row_number, {columns} from staged as s"
                " where s.reason is null"
            )
            return
        identity.identify(
            self.engine,
            "select contact as spelling, is_phone_channel from staged where reason is null",
            "identified",
            self.settings.policy.default_country,
            self.key,
        )
        self._keep_identities()
        self.engine.execute(
            f"""
            create or replace temp table keyed as
            select s.row_number, i.contact_key, {columns}
            from staged as s
            join identified as i on i.spelling = s.contact and i.is_phone_channel = s.is_phone_channel
            where s.reason is null"""
        )

    def _keep_identities(self) -> None:
        """Write what is not known yet: the address itself to private/, its key and mask to history."""
        folder = self.settings.private / "identities"
        known = sorted(folder.glob("*.parquet"))
        addresses = (
            f"read_parquet({path_list(known)})" if known else "(select 0 as contact_key, '' as address where false)"
        )
        self.engine.execute(
            f"""
            create or replace temp table addresses as
            select distinct
                i.contact_key, i.contact_masked, i.address_kind, i.country, i.address, k.address as known_address
            from identified as i left join {addresses} as k on k.contact_key = i.contact_key"""
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
        new = "from addresses where known_address is null"
        if self.engine.value(f"select count(*) {new}"):
            path = folder / f"{self._next_name()}.parquet"
            self._copy(f"select distinct contact_key, address {new} order by contact_key", path, private=True)
        # History names its contacts whether private/ is there or not, and each source its own: when the loads of
        # another source are retired, none is missing.
        seen = self._earlier_parts("addresses", self.file.source.name, None)
        unseen = f"anti join read_parquet({path_list(seen)}) using (contact_key)" if seen else ""
        self._write_part(
            "addresses",
            None,
            f"select distinct contact_key, contact_masked, address_kind, country from addresses {unseen}"
            " order by contact_key",
        )

    def _earlier_parts(self, table: str, source: str | None, months: set[str] | None) -> list[Path]:
        """The committed parts of a table and those this load has written already."""
        own = [part for part in self.parts if part.table == table and (months is None or part.month in months)]
        return self.known.parts(table, source, months) + [self.settings.history / part.path for part in own]

    def _mark_duplicates(self, table: Table) -> None:
        """Build `candidates`: `keyed` with is_duplicate, true for an exact repeat in this file or in history.

        One row of a file may give several records, so a record is known by its rowid here and not by its row_number.
        """
        content = ", ".join(table.stored_names)
        if table.name == "consent_events":
            # The same act delivered twice without an id must get the same id: it is made of the row's content.
            others = ", ".join(
                f"coalesce(cast({name} as varchar), chr(0))" for name in table.stored_names if name != "event_id"
            )
            self.engine.execute(
                f"update keyed set event_id = 'derived-' || md5(concat_ws(chr(1), {others})) where event_id is null"
            )
        key = ", ".join(table.stored_key)
        self.engine.execute(
            f"""
            create or replace temp table repeated as
            select record from (
                select keyed.rowid as record,
                    row_number() over (partition by {content} order by row_number, keyed.rowid) as occurrence
                from keyed semi join (select {key} from keyed group by all having count(*) > 1) as several
                    on {_same(table, "keyed", "several")}
            ) where occurrence > 1"""
        )
        months = None
        if table.instant:
            # An exact repeat has the same instant, so it can only be in a part of the same month.
            months = {
                row[0] for row in self.engine.rows(f"select distinct strftime({table.instant}, '%Y-%m') from keyed")
            }
        earlier = self._earlier_parts(table.name, self.file.source.name, months)
        if earlier:
            equal = " and ".join(f"h.{name} is not distinct from k.{name}" for name in table.stored_names)
            self.engine.execute(
                f"""
                insert into repeated
                select k.rowid from keyed as k semi join read_parquet({path_list(earlier)}) as h
                    on {_same(table, "k", "h")} and {equal}"""
            )
        self.engine.execute(
            f"""
            create or replace temp view candidates as
            select k.row_number, {content}, r.record is not null as is_duplicate
            from keyed as k left join (select distinct record from repeated) as r on r.record = k.rowid"""
        )

    def _write_parts(self, table: Table) -> None:
        fresh = "from candidates where not is_duplicate"
        count = int(self.engine.value(f"select count(*) {fresh}"))
        self.accepted[table.name] = self.accepted.get(table.name, 0)
        if not count:
            return
        if table.instants:
            last = self.engine.value(f"select max(greatest({', '.join(table.instants)})) {fresh}")
            self.last_at += [last] if last else []
        select = (
            f"select {quoted(self.file.source.name)} as source, {', '.join(table.stored_names)},"
            f" {quoted(self.load_id)} as load_id, row_number {fresh}"
        )
        if not table.instant:
            order = "contact_key, row_number" if "contact" in table.names else "row_number"
            self.accepted[table.name] += self._write_part(table.name, None, f"{select} order by {order}")
            return
        self.first_at.append(self.engine.value(f"select min({table.instant}) {fresh}"))
        months = self.engine.rows(f"select distinct strftime({table.instant}, '%Y-%m') {fresh} order by 1")
        for (month,) in months:
            start = f"timestamptz '{month}-01 00:00:00+00'"
            within = f"{table.instant} >= {start} and {table.instant} < {start} + interval 1 month"
            order = f"contact_key, {table.instant}, {table.key[0]}, row_number"
            self.accepted[table.name] += self._write_part(table.name, month, f"{select} and {within} order by {order}")

    def _next_name(self) -> str:
        self.written_count += 1
        return f"part-{self.load_id}-{self.written_count}"

    def _write_part(self, table: str, month: str | None, select: str) -> int:
        """Write rows as one part of history, unless there are none; returns the rows the part holds."""
        name = self._next_name()
        relative = f"{table}/month={month}/{name}.parquet" if month else f"{table}/{name}.parquet"
        path = self.settings.history / relative
        count = self._copy(select, path)
        if count:
            self.parts.append(Part(table, relative, count, path.stat().st_size, ledger.sha256_of(path), month))
        else:
            path.unlink()
        return count

    def _copy(self, select: str, path: Path, *, private: bool = False) -> int:
        """Write a select as a Parquet file, whole or not at all; returns the rows that the file holds."""
        path.parent.mkdir(mode=0o700 if private else 0o755, parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.unlink(missing_ok=True)
        if private:
            os.close(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        self.engine.execute(
            f"copy ({select}) to {quoted(str(partial))} "
            f"(format parquet, compression zstd, row_group_size {ROW_GROUP}, use_tmp_file false)",
            relation=path.name,
        )
        with partial.open("rb") as file:
            os.fsync(file.fileno())
        partial.replace(path)
        return int(self.engine.value(f"select count(*) from read_parquet({path_text(path)})"))


def _same(table: Table, left: str, right: str) -> str:
    return " and ".join(f"{left}.{name} is not distinct from {right}.{name}" for name in table.stored_key)


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
