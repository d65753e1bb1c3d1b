"""Delivered files to immutable history, one load per file.

A file's rows are staged, checked, keyed, compared with what history holds, and written once as Parquet parts, one per
month; the ledger's line commits them. Every row read is accepted, a counted duplicate, or quarantined with its raw
text, its place and one reason.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pipelines import erasing, event_ids, identity, ledger, mentions, parquet_files
from pipelines.canonical import TABLES, Table
from pipelines.connectors import Delivery, Reading, connector
from pipelines.engines.duckdb import DuckDBEngine, path_list, quoted
from pipelines.errors import AccountingError, ContactKeyCollisionError, EngineError, HeedError
from pipelines.inbox import InboxFile, reading_digest
from pipelines.ledger import Ledger, Load, Part
from pipelines.limits import check_lines, check_row_count
from pipelines.readers import row_count, unreadable
from pipelines.repeats import mark_repeats, mark_repeats_of
from pipelines.settings import Settings
from pipelines.staging import stage

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
    placed_count: int = 0  # rows read whose place in the file is their number, so that none comes twice
    refused_count: int = 0  # rows the reader could not parse
    derives_ids: bool = False  # whether events of the table at hand get their ids from their content
    duplicate_count: int = 0
    textless_count: int = 0
    written_count: int = 0

    @property
    def load_id(self) -> str:
        """Its place in the ledger and the beginning of the file's digest."""
        return f"{self.known.entry_count + 1:06d}-{self.file.sha256[:8]}"

    @property
    def _delivery(self) -> Delivery:
        return Delivery(self.file.path, self.file.source, self.engine, self.work, self.settings.limits)

    def run(self) -> Load:
        """Read, check and write every row of the file; raises AccountingError unless all of them are accounted for."""
        self.engine.execute(_QUARANTINED)
        self.engine.execute("create or replace temp table read_rows (row_number bigint)")
        reading = connector(self.file.source).read(self._delivery)
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
        check_row_count(self.file.path.name, self.read_count, self.settings.limits)
        self._check_row_count(reading)
        self.file.check_unchanged()
        return Load(
            load_id=self.load_id,
            source=self.file.source.name,
            connector=self.file.source.connector,
            connector_version=connector(self.file.source).VERSION,
            reading=reading_digest(self.file.source, self.settings),
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
            textless_count=self.textless_count,
        )

    def _check_row_count(self, reading: Reading) -> None:
        """Raise AccountingError unless every row of the file gave a record, where its rows can be counted apart."""
        expected = row_count(
            self.engine, self.file.path, self.settings.limits, None if self.refused_count else reading.lines
        )
        read = self.placed_count + int(self.engine.value("select count(distinct row_number) from read_rows"))
        if expected is not None and read != expected:
            check_lines(self.file.path, self.settings.limits)
            raise AccountingError(
                f"{self.file.path.name} holds {expected} rows, but {read} were read.",
                "Nothing of it was loaded; this is a mistake in heed: please report it.",
            )

    def _take(self, table: Table, select: str, reading: Reading) -> None:
        """Stage one select's rows and write those that are new."""
        try:
            with self.engine.whole_rows():
                delivered = stage(
                    self.engine, select, table, self.file.source, "staged", self.loaded_at, self.settings.limits
                )
        except EngineError as error:
            raise unreadable(self._delivery.label, error) from error
        count, refused_count = self.engine.rows("select count(*), count(problem) from staged_rows")[0]
        self.read_count += count
        has_numbers = "row_number" in self.engine.columns("select * from staged_rows")
        self._take_refused(table, reading, refused_count)
        if has_numbers:
            self.engine.execute("insert into read_rows select distinct row_number from staged")
        else:
            self.placed_count += count
        self._key_contacts(table)
        self._mark_duplicates(table)
        self._write_parts(table, delivered)
        self.engine.execute("drop view staged; drop table staged_rows")  # as large as the file: not to meet the next

    def _take_refused(self, table: Table, reading: Reading, count: int) -> None:
        """Build `refused`: the `count` staged rows that cannot be used, with their text."""
        refused = "select row_number, reason, reason_column, raw from staged where problem is not null"
        self.engine.execute(f"create or replace temp table refused as {refused}")
        if reading.raws and count:
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
        numbered = "select r.* replace (r.row_number + coalesce(s.shift, 0) as row_number) from {} as r"
        numbered += " asof left join shifts as s on r.row_number > s.parsed_before"
        self.engine.execute(f"create or replace temp table refused as {numbered.format('refused')}")
        self.engine.execute(f"create or replace temp table renumbered as {numbered.format('staged')}")
        self.engine.execute("drop view staged; drop table staged_rows; alter table renumbered rename to staged_rows")
        self.engine.execute("create temp view staged as select * from staged_rows")

    def _take_rejects(self, reading: Reading) -> None:
        if reading.rejects is None:
            return
        before = self._quarantined_count()
        self.engine.execute(
            f"insert into quarantined select row_number, null, reason, null, raw from ({reading.rejects})"
        )
        self.refused_count = self._quarantined_count() - before
        self.read_count += self.refused_count
        self.engine.execute(f"insert into read_rows select row_number from ({reading.rejects})")

    def _quarantined_count(self) -> int:
        return int(self.engine.value("select count(*) from quarantined"))

    def _write_quarantine(self) -> int:
        """Write the refused rows, which hold addresses, to private/; returns how many the file holds."""
        if not self._quarantined_count():
            return 0
        path = self.settings.private / "quarantine" / f"{self.load_id}.parquet"
        rows, country = "select * from quarantined", self.settings.policy.default_country
        if forgotten := self._forgotten():
            rows = mentions.without_named(self.engine, "quarantined", forgotten, country, self.key)
        return parquet_files.write(self.engine, f'{rows} order by row_number, "table"', path, private=True)

    def _forgotten(self) -> str:
        """Which contacts are forgotten, as a condition on contact_key; empty where none is."""
        return erasing.is_one_of(self.known.forgotten) if self.known.forgotten else ""

    def _key_contacts(self, table: Table) -> None:
        """Build `keyed`: the usable staged rows with contact_key in place of the address."""
        columns = ", ".join(
            f"{identity.label_sql(f's.{one.name}')} as {one.name}" if one.is_label else f"s.{one.name}"
            for one in table.columns
            if one.kind != "contact"
        )
        keyed = f"select s.record, s.row_number, {columns} from staged as s where s.problem is null"
        if "contact" in table.names:
            identity.identify(
                self.engine,
                "select contact as spelling, is_phone_channel from staged where problem is null",
                "identified",
                self.settings.policy.default_country,
                self.key,
            )
            if forgotten := self._forgotten():
                bare = f"select * replace ({erasing.bare_mask(forgotten)}) from identified"
                self.engine.execute(f"create or replace temp table identified as {bare}")
            self._keep_identities(forgotten)
            keyed = f"""
                select s.record, s.row_number, i.contact_key, i.first_key, {columns}
                from staged as s
                join identified as i on i.spelling = s.contact and i.is_phone_channel = s.is_phone_channel
                where s.problem is null"""
        self.engine.execute("drop view if exists keyed; drop table if exists derived")
        self.derives_ids = table.name == "consent_events" and bool(
            self.engine.value("select count(*) from staged where event_id is null and problem is null")
        )
        if self.derives_ids:
            derived, parameters = event_ids.derived_sql(self.key)
            select = f"select * replace (coalesce(event_id, {derived}) as event_id) from ({keyed})"
            self.engine.execute(f"create temp table derived as {select}", parameters)
            keyed = "select * from derived"
        self.engine.execute(f"create temp view keyed as {self._without_texts(table, keyed)}")

    def _without_texts(self, table: Table, keyed: str) -> str:
        """The rows of `keyed` without the texts that may not come in: of the forgotten, and of those past their time.

        History has them so already: what was delivered before is still the same row. An id that is made of the content
        is made before, and stays the same too.
        """
        conditions = []
        if table.name in erasing.TABLES_WITH_TEXTS and self.known.forgotten:
            listed = f"select contact_key from identified where {self._forgotten()}"
            self.engine.execute(f"create or replace temp table forgotten_here as {listed}")
            conditions.append("contact_key in (select contact_key from forgotten_here)")
        if table.name in erasing.TABLES_WITH_TEXTS and self.known.texts_before:
            conditions.append(f"{table.instant} < timestamptz {quoted(self.known.texts_before.isoformat())}")
        if not conditions:
            return keyed
        goes = " or ".join(conditions)
        count = f"select count(*) from ({keyed}) where ({goes}) and {erasing.any_text(table)}"
        self.textless_count += int(self.engine.value(count))
        return f"select * replace ({erasing.without_texts(table, goes)}) from ({keyed})"

    def _keep_identities(self, forgotten: str) -> None:
        """Write what is not known yet: the address itself to private/, its key and mask to history.

        `forgotten` is a condition on contact_key: of these no address is written.
        """
        folder = identity.store(self.settings.private, self.key)
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
        new = f"from addresses where known_address is null and not ({forgotten or 'false'})"
        if self.engine.value(f"select count(*) {new}"):
            path = folder / f"{self._next_name()}.parquet"
            select = f"select distinct contact_key, address {new} order by contact_key"
            parquet_files.write(self.engine, select, path, private=True)
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

    def _usable(self, table: Table) -> str:
        """The rows of `keyed` as a source of other columns than contact_key, which costs a join."""
        needs_keyed = self.derives_ids or "contact" in table.key
        return "keyed" if needs_keyed else "(select * from staged where problem is null)"

    def _mark_duplicates(self, table: Table) -> None:
        """Build `repeated`: the records that repeat one in this file or in history exactly."""
        mark_repeats(self.engine, table, self._usable(table))
        # An exact repeat has the same instant, so it can only be in a part of the same month.
        months = set(self._months(table)) if table.instant else None
        mark_repeats_of(self.engine, table, self._earlier_parts(table.name, self.file.source.name, months))
        self.duplicate_count += int(self.engine.value("select count(distinct record) from repeated"))

    def _months(self, table: Table) -> dict[str, datetime]:
        """The months of the rows that are not repeated, each with its earliest instant."""
        days = self.engine.rows(
            f"""
            select epoch_us({table.instant}) // 86400000000 as day, min({table.instant})
            from {self._usable(table)} anti join repeated using (record) group by day order by day"""
        )
        months: dict[str, datetime] = {}
        for _, first in days:
            months.setdefault(f"{first:%Y-%m}", first)
        return months

    def _write_parts(self, table: Table, delivered: tuple[str, ...]) -> None:
        self.accepted[table.name] = self.accepted.get(table.name, 0)
        usable = f"{self._usable(table)} anti join repeated using (record)"
        if table.instants:
            last = self.engine.value(f"select max(greatest({', '.join(table.instants)})) from {usable}")
            self.last_at += [last] if last else []
        # What is the same in every row is not sorted with it.
        sorted_columns = [table.column(name).stored_name for name in table.names if name in (*delivered, "event_id")]
        listed = ", ".join(
            name if name in sorted_columns else f"cast(null as {column.sql_type}) as {name}"
            for name, column in zip(table.stored_names, table.columns, strict=True)
        )
        select = (
            f"select {quoted(self.file.source.name)} as source, {listed}, {quoted(self.load_id)} as load_id, row_number"
            f" from (select {', '.join(sorted_columns)}, row_number from keyed anti join repeated using (record)"
        )
        if not table.instant:
            order = "contact_key, row_number" if "contact" in table.names else "row_number"
            self.accepted[table.name] += self._write_part(table.name, None, f"{select} order by {order})")
            return
        months = self._months(table)
        self.first_at += [min(months.values())] if months else []
        for month in months:
            start = f"timestamptz '{month}-01 00:00:00+00'"
            within = f"{table.instant} >= {start} and {table.instant} < {start} + interval 1 month"
            order = f"contact_key, {table.instant}, row_number, {table.key[0]}"
            self.accepted[table.name] += self._write_part(
                table.name, month, f"{select} where {within} order by {order})"
            )

    def _next_name(self) -> str:
        self.written_count += 1
        return f"part-{self.load_id}-{self.written_count}"

    def _write_part(self, table: str, month: str | None, select: str) -> int:
        """Write rows as one part of history, unless there are none; returns the rows the part holds."""
        name = self._next_name()
        relative = f"{table}/month={month}/{name}.parquet" if month else f"{table}/{name}.parquet"
        path = self.settings.history / relative
        count = parquet_files.write(self.engine, select, path)
        if count:
            self.parts.append(Part(table, relative, count, path.stat().st_size, ledger.sha256_of(path), month))
        else:
            path.unlink()
        return count


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
    try:
        load = _Loading(engine, settings, known, file, key, work, loaded_at).run()
    except (EngineError, OSError, HeedError):
        file.check_unchanged()  # a file that is still being written can look like anything
        raise
    known.append(load)
    return load
