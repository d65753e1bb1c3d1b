"""The working database as Great Expectations sees it, over the connection that built it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from duckdb import DuckDBPyConnection
from duckdb_sqlalchemy import ConnectionWrapper
from great_expectations import get_context
from great_expectations.data_context.types.base import (
    DataContextConfig,
    InMemoryStoreBackendDefaults,
    ProgressBarsConfig,
)
from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
from sqlalchemy.pool import StaticPool

from pipelines.engines.duckdb import DuckDBEngine


@contextmanager
def data_source(engine: DuckDBEngine) -> Iterator[SQLDatasource]:
    """A Great Expectations data source that reads the live database of `engine`, closed at the end.

    A database file admits one process and DuckDB one way of opening it, so the source works on cursors of the engine's
    own connection. Its context lives in memory: no files, no Data Docs, no analytics, no progress bars.
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
            kwargs={
                "creator": connect,
                "poolclass": StaticPool,
                # Great Expectations gives a connection back before it reads the result; the rollback that follows
                # would discard it. These three leave nothing to roll back.
                "isolation_level": "AUTOCOMMIT",
                "skip_autocommit_rollback": True,
                "pool_reset_on_return": None,
            },
        )
    )
    try:
        yield source
    finally:
        source.get_execution_engine().close()
        source.get_engine().dispose()
        # A cursor left open would keep the database file locked after the engine has closed.
        for cursor in cursors:
            cursor.close()
