"""The published snapshot, read only: the one module of the dashboard that opens DuckDB.

`choose` reads the pointer once per page run, so that one page never mixes two snapshots; `rows` and `frame` query what
it chose. A new snapshot is a new file name, so it appears at the next page run and nothing is ever reopened under an
old name. Results are cached under the snapshot's identity, the reader's role, the query and its parameters.
"""

from __future__ import annotations

import json
import logging
import os
import shlex
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas
import pyarrow
import streamlit as st

from dashboard import access
from dashboard.words import snapshot as words

HOME_VARIABLE = "HEED_HOME"
# The newest snapshot, and the one before it for page runs that are still reading it.
KEPT_OPEN = 2
COLUMNS = "select column_name from information_schema.columns where table_schema = ? and table_name = ?"
CITATIONS = "select rule_id, coalesce(citation, regulation, rule_id) as citation from run.rules"
LATER_FINDING_COLUMNS = {
    "finding_id": "varchar", "legal_rule_id": "varchar", "jurisdiction": "varchar", "jurisdiction_certainty": "varchar",
}  # fmt: skip

# The newest format of a home that these pages read; a newer snapshot is refused, not misread.
FORMAT = 3
# What a bench may use: it holds the records of one contact.
BENCH_MEMORY = "512MB"
BATCH_ROWS = 50_000
_CLOSED = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}

_open: dict[Path, duckdb.DuckDBPyConnection] = {}
_lock = threading.Lock()


class SnapshotError(Exception):
    """The snapshot cannot be shown: `what` happened and the `command` that repairs it."""

    def __init__(self, what: str, command: str) -> None:
        super().__init__(what)
        self.what = what
        self.command = command


class NoSnapshotError(SnapshotError):
    """Nothing has been published in this home, or there is no home."""


class UnreadableSnapshotError(SnapshotError):
    """A snapshot is named, but it cannot be read."""


class NewerSnapshotError(SnapshotError):
    """A later version of heed made the snapshot, and these pages would misread it."""


@dataclass(frozen=True)
class Published:
    """What `published/CURRENT.json` points at."""

    run_id: str
    path: Path
    as_of: datetime
    published_at: datetime
    fingerprint: str
    modified_ns: int


def home() -> Path | None:
    """The home folder named by HEED_HOME, or None if it names none."""
    name = os.environ.get(HOME_VARIABLE, "").strip()
    return Path(name).expanduser() if name else None


def command_for(verb: str) -> str:
    """The command line that does `verb` for this home, ready for a shell."""
    return f"heed -C {shlex.quote(str(home() or 'HOME'))} {verb}"


def read_pointer() -> Published:
    """The newest published snapshot of the home; raises a SnapshotError where there is none that can be shown."""
    folder = home()
    if folder is None:
        raise NoSnapshotError(words.NO_HOME, "heed dashboard")
    command = command_for("run")
    pointer = folder / "published" / "CURRENT.json"
    if not pointer.is_file():
        raise NoSnapshotError(words.NOTHING_PUBLISHED.format(folder=folder), command)
    try:
        content = json.loads(pointer.read_text(encoding="utf-8"))
        path = pointer.parent / Path(content["snapshot"]).name
        if not path.is_file():
            raise UnreadableSnapshotError(words.MISSING.format(name=path.name), command)
        if content.get("format", FORMAT) > FORMAT:
            raise NewerSnapshotError(
                words.NEWER,
                "pip install --upgrade heed",
            )
        return Published(
            run_id=str(content["run_id"]),
            path=path,
            as_of=_instant(content["as_of"]),
            published_at=_instant(content["published_at"]),
            fingerprint=str(content["fingerprint"]),
            modified_ns=path.stat().st_mtime_ns,
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UnreadableSnapshotError(
            words.NO_POINTER.format(file=pointer.name, folder=pointer.parent), command
        ) from error


def choose() -> Published:
    """Read the pointer and keep what it names for the rest of this page run."""
    published = read_pointer()
    st.session_state["published"] = published
    return published


def published() -> Published:
    """The snapshot this page run reads."""
    chosen: Published = st.session_state["published"]
    return chosen


def rows(sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
    """Rows of a query on this page run's snapshot as dictionaries; `parameters` fill the question marks."""
    result: list[dict[str, Any]] = _table(sql, parameters).to_pylist()
    return result


def one(sql: str, parameters: Sequence[Any] = ()) -> dict[str, Any] | None:
    """The first row of a query on this page run's snapshot, or None."""
    return next(iter(rows(sql, parameters)), None)


def frame(sql: str, parameters: Sequence[Any] = ()) -> pandas.DataFrame:
    """Rows of a query on this page run's snapshot as a table to show."""
    result: pandas.DataFrame = _table(sql, parameters).to_pandas()
    return result


def has(relation: str) -> bool:
    """Whether this page run's snapshot has a relation; an earlier version's may not."""
    return bool(columns(relation))


def columns(relation: str) -> set[str]:
    """The column names of a relation of this page run's snapshot; none if it does not have it."""
    return {row["column_name"] for row in rows(COLUMNS, relation.split("."))}


def findings() -> str:
    """The findings as SQL to select from: columns that an earlier version did not publish are there and null."""
    there = columns("audits.findings")
    missing = {name: kind for name, kind in LATER_FINDING_COLUMNS.items() if name not in there}
    added = "".join(f", cast(null as {kind}) as {name}" for name, kind in missing.items())
    return f"(select *{added} from audits.findings)" if missing else "audits.findings"


def citations() -> dict[str, str]:
    """The citation of each row of law by its id; none where an earlier version published no law."""
    return {row["rule_id"]: row["citation"] for row in rows(CITATIONS)} if has("run.rules") else {}


def read_uncached(chosen: Published, sql: str, parameters: Sequence[Any] = ()) -> pyarrow.Table:
    """Rows of a query on `chosen`, for exports: large, wanted once, and asked for outside a page run."""
    try:
        return _cursor(chosen.path).sql(sql, params=list(parameters)).to_arrow_table()
    except duckdb.Error as error:
        raise _unreadable(chosen, error) from error


def batches(chosen: Published, sql: str, parameters: Sequence[Any] = ()) -> Iterator[pyarrow.RecordBatch]:
    """Rows of a query on `chosen`, a batch at a time, for exports larger than memory should hold."""
    try:
        yield from _cursor(chosen.path).execute(sql, list(parameters)).to_arrow_reader(BATCH_ROWS)
    except duckdb.Error as error:
        raise _unreadable(chosen, error) from error


class Bench:
    """A database in memory of one call's own, with a snapshot attached read only under the name `snapshot`.

    It has the snapshot's SQL functions and can reach no other file and no network.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def run(self, sql: str) -> None:
        """Run one statement for its effect."""
        self._connection.execute(sql)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[dict[str, Any]]:
        """Rows of a query as dictionaries."""
        found: list[dict[str, Any]] = self._connection.sql(sql, params=list(parameters)).to_arrow_table().to_pylist()
        return found


@contextmanager
def bench(chosen: Published) -> Iterator[Bench]:
    """A bench beside `chosen`, gone afterwards; raises UnreadableSnapshotError for SQL that it cannot answer."""
    try:
        with duckdb.connect(":memory:", config={**_CLOSED, "memory_limit": BENCH_MEMORY}) as connection:
            connection.execute("set TimeZone = 'UTC'")
            path = str(chosen.path).replace("'", "''")
            connection.execute(f"attach '{path}' as snapshot (read_only)")
            connection.execute("set search_path = 'memory.main,snapshot.main'")
            connection.execute("set enable_external_access = false")
            connection.execute("set lock_configuration = true")
            yield Bench(connection)
    except duckdb.Error as error:
        raise _unreadable(chosen, error) from error


def _unreadable(chosen: Published, error: duckdb.Error) -> UnreadableSnapshotError:
    # The reader is told what to do; the one who runs the server also needs to know why.
    logging.getLogger(__name__).error("cannot read %s: %s", chosen.path, error)
    what = words.DAMAGED.format(file=chosen.path.name)
    return UnreadableSnapshotError(what, command_for("run"))


def _table(sql: str, parameters: Sequence[Any]) -> pyarrow.Table:
    return _cached(published(), access.reader().role, sql, tuple(parameters))


@st.cache_data(max_entries=400, show_spinner=False)
def _cached(chosen: Published, role: str, sql: str, parameters: tuple[Any, ...]) -> pyarrow.Table:
    # The role is part of the key alone: what one role's pages read never comes out of another's.
    return read_uncached(chosen, sql, parameters)


def _cursor(path: Path) -> duckdb.DuckDBPyConnection:
    # A cursor per query: threads that share one connection get each other's rows.
    with _lock:
        if path not in _open:
            connection = duckdb.connect(
                str(path),
                read_only=True,
                config={**_CLOSED, "enable_external_access": False},
            )
            connection.execute("set global TimeZone = 'UTC'")
            connection.execute("set lock_configuration = true")
            while len(_open) >= KEPT_OPEN:
                _open.pop(next(iter(_open))).close()
            _open[path] = connection
        return _open[path].cursor()


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(f"{text} has no offset")
    return instant
