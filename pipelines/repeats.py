"""Exact repeats: which of the rows being loaded say, in every column, what another row said already."""

from __future__ import annotations

from pathlib import Path

from pipelines.canonical import Table
from pipelines.engines.duckdb import DuckDBEngine, path_list


def mark_repeats(engine: DuckDBEngine, table: Table, usable: str) -> None:
    """Build temp table `repeated`: the records of `keyed` that repeat an earlier one of the same file.

    One row of a file may give several records, so a record is known by its place in the table here and not by its
    row_number. `usable` is `keyed`, or the same rows from where the key's columns cost less.
    """
    content = ", ".join(table.stored_names)
    # Only rows whose key comes twice are compared. Numbers are grouped faster and smaller than texts, and two keys
    # that share a number are told apart by the comparison itself.
    key = f"hash({', '.join(table.stored_key)})"
    engine.execute("create or replace temp table repeated (record bigint)")
    engine.execute(
        f"""
        create or replace temp table several as
        select {key} as key_hash from {usable} group by key_hash having count(*) > 1"""
    )
    if engine.value("select count(*) from several"):
        engine.execute(
            f"""
            insert into repeated
            select record from (
                select record, row_number() over (partition by {content} order by row_number, record) as occurrence
                from keyed where {key} in (select key_hash from several)
            ) where occurrence > 1"""
        )


def mark_repeats_of(engine: DuckDBEngine, table: Table, earlier: list[Path]) -> None:
    """Add to `repeated` the records of `keyed` that the parts `earlier` hold already."""
    if not earlier:
        return
    same = [f"h.{name} is not distinct from k.{name}" for name in (*table.stored_key, *table.stored_names)]
    engine.execute(
        f"""
        insert into repeated
        select k.record from keyed as k semi join read_parquet({path_list(earlier)}) as h on {" and ".join(same)}"""
    )
