"""Loads files through the real path, and hands back what history, the ledger and the quarantine then hold."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars

from pipelines import identity, inbox, load, settings
from pipelines.engines.duckdb import DuckDBEngine, path_list
from pipelines.ledger import Ledger, Load

LOADED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SAMPLES = Path(__file__).resolve().parents[2] / "data" / "samples"


@dataclass(frozen=True)
class Delivered:
    """A home after its files were loaded: the loads in order of file name, and its folder."""

    home: Path
    loads: list[Load]

    @property
    def counts(self) -> list[tuple[int, int, int, int]]:
        """Read, accepted, duplicate and quarantined of each load."""
        return [(one.read_count, one.accepted_count, one.duplicate_count, one.quarantined_count) for one in self.loads]

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Accepted rows of one canonical table in order of file and row, each with its address as `contact`."""
        parts = Ledger(self.home / "history").parts(table)
        if not parts:
            return []
        known = sorted((self.home / "private" / "identities").glob("*.parquet"))
        with DuckDBEngine() as engine:
            return engine.records(
                f"""select r.*, i.address as contact from read_parquet({path_list(parts)}, union_by_name=true) as r
                    left join (select distinct * from read_parquet({path_list(known)})) as i using (contact_key)
                    order by load_id, row_number, 1, 2, 3"""
            )

    def quarantine(self) -> list[dict[str, Any]]:
        """Quarantined rows in order of file and place: row_number, table, reason, column, raw."""
        paths = [self.home / "private" / "quarantine" / f"{one.load_id}.parquet" for one in self.loads]
        frames = [polars.read_parquet(path).sort("row_number", "table", "reason") for path in paths if path.exists()]
        return polars.concat(frames).to_dicts() if frames else []

    def reasons(self) -> list[tuple[int, str, str | None]]:
        """Place, reason and column of each quarantined row."""
        return [(row["row_number"], row["reason"], row["column"]) for row in self.quarantine()]


def deliver(home: Path, connector: str, files: dict[str, str | bytes], options: str = "") -> Delivered:
    """Load `files` (name to content; text called .gz is packed) with one source, whose other settings are `options`."""
    (home / "inbox").mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if isinstance(content, str):
            content = gzip.compress(content.encode()) if name.endswith(".gz") else content.encode()
        (home / "inbox" / name).write_bytes(content)
    (home / "heed.toml").write_text(
        f'[[source]]\nname = "source"\nconnector = "{connector}"\npath = "inbox/*"\n{options}\n', encoding="utf-8"
    )
    read = settings.read(home)
    ledger = Ledger(read.history)
    key = identity.load_key(read.private)
    found = inbox.inbox_files(read, ledger, lambda _: None)
    loads = []
    for file in inbox.new_files(read, ledger, found):
        with DuckDBEngine() as engine:
            loads.append(load.load_file(engine, read, ledger, file, key, home, LOADED_AT))
    ledger.check_parts()
    return Delivered(home, loads)


def deliver_sample(home: Path, connector: str, name: str, options: str = "") -> Delivered:
    """Load one shipped sample delivery."""
    return deliver(home, connector, {name: (SAMPLES / connector / name).read_bytes()}, options)
