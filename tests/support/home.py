"""A home in a few lines: its files, its heed.toml, and `heed` run on it in this process."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars
import pytest

from pipelines import audit, build, identity, inbox, load, provenance, settings, validate
from pipelines.cli import main
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.ledger import Ledger, Load

#: When test loads happen: every time in a test lies before it, and the clock on the wall does not matter.
LOADED_AT = datetime(2026, 11, 20, 12, tzinfo=UTC)

MESSAGE = "message_id,channel,contact,sent_at,message_class,status\n"
EVENT = "event_id,channel,contact,event_type,requested_at,processed_at\n"


@dataclass(frozen=True)
class Said:
    """What one command said and how it ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        """Standard output as JSON."""
        return json.loads(self.out)


def source(name: str, table: str, path: str, *lines: str, connector: str = "canonical") -> str:
    """One [[source]] of heed.toml; `lines` are further settings."""
    head = f'[[source]]\nname = "{name}"\nconnector = "{connector}"\ntable = "{table}"\npath = "{path}"\n'
    return head + "".join(f"{line}\n" for line in lines)


#: A source of messages in m*.* and one of consent events in e*.*, both without a time zone.
TWO_SOURCES = source("shop", "messages", "inbox/m*") + source("crm", "consent_events", "inbox/e*")


@dataclass(frozen=True)
class Home:
    """A home folder of a test."""

    path: Path

    def configure(self, sources: str = TWO_SOURCES, policy: str = "") -> Home:
        """Write heed.toml: the lines of [policy], then the sources."""
        self.path.mkdir(parents=True, exist_ok=True)
        (self.path / "heed.toml").write_text(f"[policy]\n{policy}\n{sources}", encoding="utf-8")
        return self

    def deliver(self, files: dict[str, str | bytes]) -> Home:
        """Put files into the inbox; text for a name that ends in .gz is packed."""
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            path = self.path / "inbox" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(gzip.compress(data) if name.endswith(".gz") and isinstance(content, str) else data)
        return self

    def heed(self, *arguments: str) -> Said:
        """`heed -C HOME ...`, in this process."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main(["-C", str(self.path), *arguments])
        return Said(code, out.getvalue(), err.getvalue())

    def run(self, *arguments: str) -> Any:
        """What a run that must succeed prints as JSON."""
        said = self.heed("run", "--json", *arguments)
        assert said.code == 0, said.err
        return said.json()

    def load(self) -> tuple[list[Load], list[str]]:
        """Load what is new as a run does, without what follows: the new loads and the sentences said."""
        read, said = settings.read(self.path), list[str]()
        ledger = Ledger(read.history)
        files = inbox.inbox_files(read, ledger, said.append)
        said += inbox.retire_reread(read, ledger, files)
        new = list(inbox.new_files(read, ledger, files, said.append))
        key = identity.load_key(read.private)
        work = self.path / "private" / "work"
        work.mkdir(parents=True, exist_ok=True)
        loads = []
        for file in new:
            with DuckDBEngine() as engine:
                loads.append(load.load_file(engine, read, ledger, file, key, work, LOADED_AT))
        return loads, said

    @contextlib.contextmanager
    def audited(self) -> Iterator[DuckDBEngine]:
        """The working database over what is loaded: core and the findings, without metrics and validation."""
        read = settings.read(self.path)
        ledger = Ledger(read.history)
        latest = [datetime.fromisoformat(one.last_record_at) for one in ledger.loads if one.last_record_at]
        as_of = max(latest, default=None)
        with DuckDBEngine(threads=1) as engine:
            build.attach_history(engine, ledger)
            build.write_reference(engine)
            provenance.write_parameters(engine, read, "test", as_of, LOADED_AT, "test")
            build.write_rule_book(engine, read)
            build.write_calendars(engine, read, as_of or LOADED_AT)
            build.build_layer(engine, "core")
            audit.audit(engine, read)
            yield engine

    def rows(self, table: str) -> list[dict[str, Any]]:
        """The accepted rows of a canonical table as history holds them, in order of load and place."""
        parts = Ledger(self.path / "history").parts(table)
        rows = [
            row for part in parts for row in polars.read_parquet(part, glob=False, hive_partitioning=False).to_dicts()
        ]
        return sorted(rows, key=lambda row: (row["load_id"], row["row_number"]))

    def quarantined(self) -> list[dict[str, Any]]:
        """Every quarantined row in order of load and place: row_number, table, reason, column, raw."""
        paths = sorted((self.path / "private" / "quarantine").glob("*.parquet"))
        return [row for path in paths for row in polars.read_parquet(path, glob=False).sort("row_number").to_dicts()]

    @property
    def ledger(self) -> Ledger:
        """The ledger as it is on disk now."""
        return Ledger(self.path / "history")


def without_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs of a test pass without the seconds of validation; those that are about it do without this."""
    monkeypatch.setattr(validate, "validate", lambda engine: engine.create(validate.RESULTS, NO_RESULTS))


NO_RESULTS = """
    select '' as expectation, '' as kind, '' as relation, '' as description, true as success,
        0::bigint as checked_count, 0::bigint as unexpected_count where false"""


def counts(loads: list[Load]) -> list[tuple[int, int, int, int]]:
    """Read, accepted, duplicate and quarantined rows of each load."""
    return [(one.read_count, one.accepted_count, one.duplicate_count, one.quarantined_count) for one in loads]
