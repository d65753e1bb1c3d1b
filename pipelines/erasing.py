"""Takes texts, masks and addresses out of what is written already: parts, identities and quarantined rows.

A part is never changed: a new one takes its place by a line of the ledger, and the old one is removed after that. So a
kill at any moment leaves one of the two whole, and doing it again finishes it.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from pipelines import identity, mentions, parquet_files
from pipelines.canonical import TABLES, Table
from pipelines.engines.duckdb import DuckDBEngine, path_list, path_text, quoted
from pipelines.ledger import Ledger, Load, Part, sha256_of
from pipelines.resources import reference_folder
from pipelines.settings import Settings

#: What is left of a mask: the area code of a North American number, by which its clock is known, and else nothing.
_BARE_MASK = (
    "case when regexp_matches(contact_masked, '^[+]1[0-9]{3}') then left(contact_masked, 5) || '•••••' else '•••' end"
)
#: The tables whose texts are about one contact; a campaign's are the sender's own.
TABLES_WITH_TEXTS = {
    name: table
    for name, table in TABLES.items()
    if "contact" in table.names and any(column.kind == "free_text" for column in table.columns)
}
#: A shorter address, a handle perhaps, may be a word of a text that means something else.
_SHORTEST_NAME = 7


@cache
def _keywords() -> str:
    """The words by which providers and laws let people opt out and in, as an SQL list of upper-case texts."""
    with (reference_folder() / "keywords.csv").open(encoding="utf-8", newline="") as file:
        words = {row["keyword"].upper() for row in csv.DictReader(file)}
    return "(" + ", ".join(quoted(word) for word in sorted(words)) + ")"


def _goes(table: Table, column: str) -> str:
    """Which values of a text column go: a reply that is a keyword and nothing else is the act itself, and stays."""
    if table.name == "inbound_messages":
        return f"{column} is not null and upper(trim({column})) not in {_keywords()}"
    return f"{column} is not null"


def text_columns(table: Table) -> list[str]:
    """The columns in which people's own words may stand."""
    return [column.name for column in table.columns if column.kind == "free_text"]


def any_text(table: Table) -> str:
    """SQL: whether a row of a table has a text that erasing takes out."""
    return "(" + " or ".join(_goes(table, column) for column in text_columns(table)) + ")"


def without_texts(table: Table, where: str) -> str:
    """The replacements of `select * replace (…)` that take the texts out of the rows for which `where` holds."""
    return ", ".join(
        f"case when {_goes(table, column)} and ({where}) then null else {column} end as {column}"
        for column in text_columns(table)
    )


def bare_mask(where: str) -> str:
    """The replacement that leaves of the masks of some contacts what a clock is known by."""
    return f"case when {where} then {_BARE_MASK} else contact_masked end as contact_masked"


def is_one_of(keys: Iterable[str]) -> str:
    """SQL: whether contact_key is one of several, given as 16 hexadecimal digits; the least and the greatest value of
    a row group tell DuckDB whether to read it."""
    return f"({' or '.join(f'contact_key = {identity.key_number(key)}' for key in sorted(keys)) or 'false'})"


def next_path(old: Path, entry: int) -> Path:
    """The path of the part that takes the place of another one by a line of the ledger, given that line's number."""
    return old.with_name(f"{old.stem.partition('-r')[0]}-r{entry:06d}.parquet")


def replace_part(engine: DuckDBEngine, ledger: Ledger, load: Load, part: Part, replacements: str, reason: str) -> None:
    """Write a part anew with some columns replaced, have it take the old one's place, and remove the old one."""
    old = ledger.history / part.path
    new = next_path(old, ledger.entry_count + 1)
    parquet_files.write(
        engine, f"select * replace ({replacements}) from read_parquet({path_text(old)}, hive_partitioning = false)", new
    )
    relative = new.relative_to(ledger.history).as_posix()
    made = Part(part.table, relative, part.row_count, new.stat().st_size, sha256_of(new), part.month)
    ledger.replace_part(load.load_id, part, made, reason)
    old.unlink()


def holds(engine: DuckDBEngine, ledger: Ledger, part: Part, where: str) -> bool:
    """Whether a part has a row for which `where` holds."""
    path = path_text(ledger.history / part.path)
    return bool(engine.rows(f"select 1 from read_parquet({path}, hive_partitioning = false) where {where} limit 1"))


def remove_left_over(private: Path, ledger: Ledger) -> None:
    """Remove what a killed erasure or rotation left: parts that were replaced or took nobody's place, and addresses
    under another key."""
    named = {ledger.history / part.path for load in ledger.loads for part in load.parts}
    for path in {*ledger.replaced, *ledger.history.rglob("part-*-r*.parquet")} - named:
        path.unlink(missing_ok=True)
    check = next((load.key_check for load in ledger.loads), None)
    folder = private / "identities"
    in_use = folder / check if check and (folder / check).is_dir() else folder
    for path in folder.rglob("*.parquet") if check else ():
        if path.parent != in_use:
            path.unlink()


def remove_unnamed(ledger: Ledger) -> int:
    """Remove the parts that no load of the record has: of loads that were taken out of it, or that never ended."""
    named = {ledger.history / part.path for load in ledger.loads for part in load.parts}
    found = [
        path
        for table in (*TABLES, "addresses")
        for pattern in ("part-*.parquet", "part-*.partial")
        for path in (ledger.history / table).rglob(pattern)
        if path not in named
    ]
    for path in found:
        path.unlink()
    return len(found)


def drop_identities(engine: DuckDBEngine, folder: Path, where: str) -> int:
    """Take the addresses for which `where` holds out of a folder of identities; returns how many there were."""
    dropped = 0
    for path in sorted(folder.glob("*.parquet")):
        rows = f"from read_parquet({path_text(path)}) where {where}"
        count = int(engine.value(f"select count(*) {rows}"))
        if not count:
            continue
        dropped += count
        kept = f"select * from read_parquet({path_text(path)}) where ({where}) is not true order by contact_key"
        if not parquet_files.write(engine, kept, path, private=True):
            path.unlink()
    return dropped


@dataclass
class Erased:
    """How much was taken out, and the delivered files that brought rows of the contacts."""

    parts: int = 0
    addresses: int = 0
    quarantined_rows: int = 0
    files: set[str] = field(default_factory=set)


def erase_contacts(
    engine: DuckDBEngine, settings: Settings, ledger: Ledger, key: bytes, addresses: Iterable[str] = ()
) -> Erased:
    """Take out the texts, masks and addresses of the contacts whose erasure the ledger says has not ended.

    Texts of others that name one of `addresses`, or one of those kept of these contacts, go too. Done again after a
    kill it finishes what was begun.
    """
    done, keys = Erased(), sorted(ledger.unfinished)
    identities = identity.store(settings.private, key)
    is_theirs = is_one_of(keys)
    names = _names(engine, identities, is_theirs, addresses)
    remove_left_over(settings.private, ledger)
    for load in ledger.loads:
        for part in load.parts:
            if part.table == "addresses":
                where, replacements = f"{is_theirs} and contact_masked <> {_BARE_MASK}", bare_mask(is_theirs)
            elif part.table in TABLES_WITH_TEXTS:
                if holds(engine, ledger, part, is_theirs):
                    done.files.add(load.file)
                table = TABLES_WITH_TEXTS[part.table]
                goes = f"({is_theirs} or {_names_one(table, names)})"
                where, replacements = f"{goes} and {any_text(table)}", without_texts(table, goes)
            else:
                continue
            if holds(engine, ledger, part, where):
                replace_part(engine, ledger, load, part, replacements, "a contact was forgotten")
                done.parts += 1
    remove_unnamed(ledger)
    for path in sorted((settings.private / "quarantine").glob("*.parquet")):
        country = settings.policy.default_country
        done.quarantined_rows += mentions.drop_raws(engine, path, is_theirs, country, key)
    # Last, for until now they said which texts name the contacts.
    done.addresses = drop_identities(engine, identities, is_theirs)
    ledger.erased(keys)
    return done


def _names(engine: DuckDBEngine, identities: Path, is_theirs: str, addresses: Iterable[str]) -> list[str]:
    """What the contacts may be called in others' texts: their addresses in small letters, a number without its +."""
    paths = sorted(identities.glob("*.parquet"))
    rows = (
        engine.rows(f"select distinct address from read_parquet({path_list(paths)}) where {is_theirs}") if paths else []
    )
    found = {address.lower() for address in (*addresses, *(row[0] for row in rows))}
    found |= {address.removeprefix("+1").removeprefix("+") for address in found}
    return sorted(address for address in found if len(address) >= _SHORTEST_NAME)


def _names_one(table: Table, names: list[str]) -> str:
    """SQL: whether a text of a row has one of `names` in it."""
    said = [f"contains(lower({column}), {quoted(name)})" for column in text_columns(table) for name in names]
    return f"({' or '.join(said)})" if said else "false"
