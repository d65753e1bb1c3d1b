"""DuckDB: builds relations from SQL text, in a disposable working database that spills to disk."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import duckdb

from pipelines.errors import EngineError

if TYPE_CHECKING:
    import polars

    from pipelines.sqlfiles import SqlFile

# Spark's names for what DuckDB calls otherwise, so that one SQL text runs on both.
_MACROS = {
    "unix_seconds(instant)": "cast(floor(epoch(instant)) as bigint)",
    "unix_micros(instant)": "epoch_us(instant)",
    "struct(first, second)": "row(first, second)",
    "regexp_like(text, pattern)": "regexp_matches(text, pattern)",
    "explode(list)": "unnest(list)",
    "sequence(low, high)": "generate_series(low, high)",
    "try_element_at(list, place)": "list_extract(list, place)",
    "array_size(list)": "len(list)",
    "array_join(list, separator)": "array_to_string(list, separator)",
}
# What sql/ says often, said once: the date of an instant so many seconds from UTC, and the first day of the period of a
# grain (day, week, month; null for the whole record) that a date is in.
PORTABLE_FUNCTIONS = {
    "local_date(instant, offset_seconds)": "date '1970-01-01'"
    " + cast(floor(cast(unix_seconds(instant) + offset_seconds as double) / 86400) as int)",
    "period_start(grain, on_date)": "case grain when 'day' then on_date"
    " when 'week' then cast(date_trunc('week', on_date) as date)"
    " when 'month' then cast(date_trunc('month', on_date) as date) end",
}
#: Every function that the SQL files call and DuckDB does not have: signature -> expression.
SQL_FUNCTIONS = _MACROS | PORTABLE_FUNCTIONS


class DuckDBEngine:
    """One connection to a working database at `path` (None: in memory).

    `memory_limit` is DuckDB's text ("4GB"); `temporary_folder` is where it spills. The session's
    time zone is UTC, so a TIMESTAMPTZ reads and prints as the same instant everywhere. Relations of the schemas
    `in_memory` are not packed for the disk: they are written once, read once and spill where memory ends.
    """

    name = "duckdb"

    def __init__(
        self,
        path: Path | None = None,
        *,
        memory_limit: str | None = None,
        threads: int | None = None,
        temporary_folder: Path | None = None,
        read_only: bool = False,
        in_memory: tuple[str, ...] = (),
    ) -> None:
        self._in_memory = in_memory
        self._words: dict[str, dict[str, str]] = {}
        config: dict[str, Any] = {
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        if memory_limit:
            config["memory_limit"] = memory_limit
        if threads:
            config["threads"] = threads
        if temporary_folder:
            config["temp_directory"] = str(temporary_folder)
        try:
            self.connection = duckdb.connect(str(path) if path else ":memory:", read_only=read_only, config=config)
        except duckdb.Error as error:
            raise EngineError(str(error)) from error
        self.execute("set TimeZone = 'UTC'")
        if read_only:
            return
        for signature, expression in SQL_FUNCTIONS.items():
            self.define_function(signature, expression)
        for schema in in_memory:  # DuckDB reads `a.b` as relation b of database a, as it does of schema a
            self.execute(f"attach ':memory:' as {schema}")

    def __enter__(self) -> DuckDBEngine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection; safe to call twice."""
        self.connection.close()

    def _run(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None, relation: str) -> Any:
        try:
            return self.connection.execute(sql, parameters) if parameters else self.connection.execute(sql)
        except duckdb.Error as error:
            raise EngineError(str(error), relation, sql) from error

    def execute(
        self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None, *, relation: str = ""
    ) -> None:
        """Run one or several statements for their effect; `relation` names what is being built."""
        self._run(sql, parameters, relation)

    def rows(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> list[tuple[Any, ...]]:
        """All rows of a query as tuples."""
        found: list[tuple[Any, ...]] = self._run(sql, parameters, "").fetchall()
        return found

    def records(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> list[dict[str, Any]]:
        """All rows of a query as dictionaries by column name."""
        cursor = self._run(sql, parameters, "")
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def value(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> Any:
        """The first column of the first row; None where there is no row."""
        rows = self.rows(sql, parameters)  # all of them: a result left open keeps what it reads in use
        return rows[0][0] if rows else None

    def frame(self, sql: str, parameters: Sequence[Any] | dict[str, Any] | None = None) -> polars.DataFrame:
        """All rows of a query as a Polars data frame."""
        import polars

        try:
            table = self.connection.sql(sql, params=parameters).to_arrow_table()
        except duckdb.Error as error:
            raise EngineError(str(error), "", sql) from error
        found = polars.from_arrow(table)
        assert isinstance(found, polars.DataFrame)
        return found.with_columns(polars.selectors.by_dtype(polars.Categorical, polars.Enum).cast(polars.String))

    def columns(self, select: str) -> dict[str, str]:
        """Column names and DuckDB types that `select` would return, in order, without running it."""
        return {row[0]: row[1] for row in self.rows(f"describe {select}")}

    def create(self, relation: str, select: str) -> int:
        """Build table `schema.name` from a select; returns its row count."""
        self._make_schema(relation)
        if relation in self._words:
            numbered = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in self._words[relation].items())
            select = f"select * replace ({numbered}) from (\n{select}\n)"
        made = self._run(f"create or replace table {relation} as\n{select}", None, relation)
        return int(made.fetchall()[0][0])

    def number_words(self, relation: str, words: Mapping[str, Collection[str]]) -> None:
        """Have `create` keep these columns of a relation as numbers, each with the few words that it may hold.

        SQL sees the words, in their order as text, and whatever is made of such a column is numbered too. Grouping and
        sorting by it cost half. Frames and the files written by `copy_to_file` hold plain text.
        """
        self._words[relation] = {}
        for column, values in words.items():
            kind = f"{relation.replace('.', '_')}_{column}"
            self.execute(f"create or replace type {kind} as enum ({', '.join(quoted(one) for one in sorted(values))})")
            self._words[relation][column] = kind

    def create_view(self, relation: str, select: str) -> None:
        """Define view `schema.name` over a select."""
        self._make_schema(relation)
        self.execute(f"create or replace view {relation} as\n{select}", relation=relation)

    def build(self, relation: str, select: str, only: str | None = None) -> int:
        """Build `schema.name` where this engine does what is heavy, here as a table; returns its row count.

        `only` names the one engine that can build it, where not all can.
        """
        return self.create(relation, select)

    def build_all(self, files: Iterable[SqlFile]) -> dict[str, int]:
        """Build every file, in the order of building; returns row counts by relation."""
        return {file.relation: self.build(file.relation, file.text, file.engine) for file in files}

    def release(self) -> None:
        """Give back what only building needs: nothing."""

    def attach_parts(self, relation: str, parts: Sequence[Path], columns: dict[str, str]) -> None:
        """Define `schema.name` over Parquet files, in order; without any, as a relation of these columns and no row."""
        listed = ", ".join(f"cast(null as {kind}) as {name}" for name, kind in columns.items())
        select = (
            f"select * from read_parquet({path_list(parts)}, hive_partitioning=false)"
            if parts
            else f"select {listed} where false"
        )
        self.create_view(relation, select)

    def _make_schema(self, relation: str) -> None:
        schema, _, _ = relation.partition(".")
        if schema not in self._in_memory:
            self.execute(f"create schema if not exists {schema}")

    def keeps_order(self, statement: str) -> bool:
        """Whether `create table as` gives the table its rows in the order in which a file holds them.

        With several threads it does where every step of the plan does, which the name of the plan's last step tells.
        """
        if self.value("select current_setting('threads')") == 1:
            return True
        plan = self.rows(f"explain {statement}")[0][1]
        return "BATCH_CREATE_TABLE_AS" in plan

    def define_function(self, signature: str, expression: str) -> None:
        """Define a function for the SQL of this session: `signature` is its name and parameter, as `f(x)`."""
        self.execute(f"create or replace macro {signature} as {expression}")

    def define_python_function(self, name: str, function: Callable[..., Any]) -> None:
        """Give the SQL of this session a function of Python's, by its annotations; safe to do twice. None for null."""
        with suppress(duckdb.InvalidInputException, duckdb.NotImplementedException, duckdb.CatalogException):
            self.connection.remove_function(name)
        self.connection.create_function(name, function)

    def create_from_frame(self, relation: str, frame: polars.DataFrame) -> None:
        """Build table `schema.name` from a Polars data frame."""
        self.connection.register("_incoming_frame", frame)
        try:
            self.create(relation, "select * from _incoming_frame")
        finally:
            self.connection.unregister("_incoming_frame")

    @contextmanager
    def whole_rows(self) -> Iterator[None]:
        """Inside, a scan reads every column of a file, wanted or not.

        DuckDB 1.5.6 checks only the columns it reads: with a column left out, a CSV row that is not UTF-8 there is
        taken for good, and one after it with too many columns ends the process's database.
        """
        self.execute("set disabled_optimizers = 'unused_columns'")
        try:
            yield
        finally:
            with suppress(EngineError):  # the database may have been ended by what went wrong inside
                self.execute("reset disabled_optimizers")

    def copy_to_file(self, path: Path, relations: dict[str, str], views: dict[str, str]) -> None:
        """Write a new database file at `path`, whole in itself.

        `relations`: name in the file -> select over this database, one table each. `views`: name in the file -> select
        over the file's own tables. The file also gets the functions of the SQL files, so that those run in it as they
        stand.
        """
        self.execute(f"attach {quoted(str(path))} as snapshot")
        try:
            self.execute("begin")  # one commit: each of them waits for the disk
            for relation, select in relations.items():
                schema, _, _ = relation.partition(".")
                self.execute(f"create schema if not exists snapshot.{schema}")
                numbered = [name for name, kind in self.columns(select).items() if kind.startswith("ENUM(")]
                if numbered:
                    texts = ", ".join(f"cast({name} as varchar) as {name}" for name in numbered)
                    select = f"select * replace ({texts}) from ({select})"
                self.execute(f"create table snapshot.{relation} as {select}", relation=relation)
            for signature, expression in SQL_FUNCTIONS.items():
                self.execute(f"create macro snapshot.main.{signature} as {expression}")
            for relation, select in views.items():
                self.execute(f"create view snapshot.{relation} as {select}", relation=relation)
            self.execute("commit")
            self.execute("checkpoint snapshot")
        except BaseException:
            with suppress(EngineError):  # there may be none to end any more
                self.execute("rollback")
            raise
        finally:
            self.execute("detach snapshot")

    @contextmanager
    def attached(self, path: Path, name: str) -> Iterator[None]:
        """Inside, the database file at `path` can be read as `name`.schema.relation."""
        self.execute(f"attach {quoted(str(path))} as {name} (read_only)")
        try:
            yield
        finally:
            self.execute(f"detach {name}")

    def relation_exists(self, relation: str) -> bool:
        """Whether table or view `schema.name` exists here, whatever a database attached beside this one holds."""
        schema, _, name = relation.partition(".")
        return bool(
            self.value(
                "select count(*) from information_schema.tables"
                " where (table_catalog, table_schema) in ((current_database(), ?), (?, 'main')) and table_name = ?",
                [schema, schema, name],
            )
        )


def quoted(text: str) -> str:
    """`text` as an SQL string literal; where it holds a NUL, which ends a statement, as an expression."""
    literal = "'" + text.replace("'", "''") + "'"
    return "(" + literal.replace("\0", "' || chr(0) || '") + ")" if "\0" in text else literal


def identifier(name: str) -> str:
    """`name` as a quoted SQL identifier; for files' own column names, never in sql/."""
    return '"' + name.replace('"', '""') + '"'


def path_text(path: Path) -> str:
    """A path as an SQL string literal for reading: this file alone, whatever signs of a pattern are in its name."""
    return quoted(re.sub(r"([*?[])", r"[\1]", str(path)))


def path_list(paths: Iterable[Path]) -> str:
    """Paths as an SQL list literal, for reading several Parquet files as one relation."""
    return "[" + ", ".join(map(path_text, paths)) + "]"
