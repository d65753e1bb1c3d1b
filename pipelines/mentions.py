"""Which contacts a raw text may name: every piece of it that could be an address, read as an address is read."""

from __future__ import annotations

from pathlib import Path

from pipelines import identity, parquet_files
from pipelines.engines.duckdb import DuckDBEngine, path_text, quoted

#: Pieces between separators, e-mail addresses, and digits with what people put between them.
_PIECES = (
    r"""[^\s,;"'|{}\[\]<>]+""",
    r"""[^\s,;:"'|{}\[\]<>()]+@[^\s,;"'|{}\[\]<>()]+""",
    r"[+(]?[0-9][0-9 ().\-\/\x{00A0}\x{2010}-\x{2015}]{4,}[0-9]",
)


def find(engine: DuckDBEngine, texts: str, target: str, country: str | None, key: bytes) -> None:
    """Build temp table `target` (id, contact_key): each contact that a text of `texts` (id, raw) may name."""
    pieces = " union all ".join(
        f"select id, unnest(regexp_extract_all(raw, {quoted(pattern)})) as spelling"
        f" from ({texts}) where raw is not null"
        for pattern in _PIECES
    )
    engine.execute(f"create or replace temp table pieces as select distinct id, spelling from ({pieces})")
    identity.identify(
        engine,
        "select spelling, is_phone_channel from pieces cross join (values (true), (false)) as c(is_phone_channel)",
        "piece_contacts",
        country,
        key,
    )
    engine.execute(
        f"""
        create or replace temp table {target} as
        select distinct p.id, c.contact_key from pieces as p join piece_contacts as c on c.spelling = p.spelling"""
    )
    engine.execute(
        "drop table pieces; drop table piece_contacts; drop table bare_addresses; drop table parsed_addresses"
    )


def without_named(engine: DuckDBEngine, table: str, contacts: str, country: str | None, key: bytes) -> str:
    """A select of a table's rows without the texts (raw) that name one of `contacts`, a condition on contact_key."""
    find(engine, f"select rowid as id, raw from {table}", "named", country, key)
    is_named = f"rowid in (select id from named where {contacts})"
    return f"select * replace (case when {is_named} then null else raw end as raw) from {table}"


def drop_raws(engine: DuckDBEngine, path: Path, contacts: str, country: str | None, key: bytes) -> int:
    """Take the texts that name one of `contacts` (a condition on contact_key) out of a file of quarantined rows."""
    rows = f"(select file_row_number as id, * from read_parquet({path_text(path)}, file_row_number = true))"
    find(engine, f"select id, raw from {rows}", "named", country, key)
    engine.execute(f"create or replace temp table named as select distinct id from named where {contacts}")
    count = int(engine.value("select count(*) from named"))
    if count:
        kept = "case when id in (select id from named) then null else raw end as raw"
        parquet_files.write(
            engine,
            f"select * exclude (id, file_row_number) replace ({kept}) from {rows} order by id",
            path,
            private=True,
        )
    engine.execute("drop table named")
    return count
