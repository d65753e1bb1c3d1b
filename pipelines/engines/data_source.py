"""The working database as Great Expectations sees it, over the connection that built it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from duckdb import DuckDBPyConnection
from duckdb_sqlalchemy import ConnectionWrapper
from great_expectations import get_context
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from sqlalchemy.engine.cursor import FullyBufferedCursorFetchStrategy
from sqlalchemy.pool import StaticPool

from pipelines.engines.duckdb import DuckDBEngine


def _buffer_result(
    _connection: Any, cursor: Any, _statement: str, _parameters: Any, context: Any, _executemany: bool
) -> None:
    # Great Expectations closes its connection before it reads a result, which discards DuckDB's.
    if cursor.description:
        context.cursor_fetch_strategy = FullyBufferedCursorFetchStrategy(cursor, initial_buffer=cursor.fetchall())


@contextmanager
def data_source(engine: DuckDBEngine) -> Iterator[SQLDatasource]:
    """A Great Expectations data source that reads the live database of `engine`, closed at the end.

    The file is locked to this process's connection, so the source works on cursors of it. The context lives in memory:
    no files, no Data Docs, no analytics, no progress bars.
    """
    context = get_context(
        mode="ephemeral",
        project_config=DataContextConfig(
            store_backend_defaults=InMemoryStoreBackendDefaults(),
            analytics_enabled=False,
            progress_bars=ProgressBarsConfig(globally=False),
        ),
    )
    cursors: list[DuckDBPyConnection] = []

    def connect() -> ConnectionWrapper:
        cursors.append(engine.connection.cursor())
        return ConnectionWrapper(cursors[-1])

    source = context.data_sources.add_sql(
        datasource=SQLDatasource(
            name="working_database",
            connection_string="duckdb://",
            kwargs={"creator": connect, "poolclass": StaticPool},
        )
    )
    sqlalchemy.event.listen(source.get_execution_engine().engine, "after_cursor_execute", _buffer_result)
    try:
        yield source
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()
        # A cursor left open would keep the database file locked after the engine has closed.
        for cursor in cursors:
            cursor.close()
