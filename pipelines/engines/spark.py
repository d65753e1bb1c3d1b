"""Spark: builds the heavy relations on a cluster, from the same SQL text, and hands them to DuckDB as Parquet."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.engines.duckdb import _FUNCTIONS, DuckDBEngine, path_text, quoted
from pipelines.sqlfiles import relations_of

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


_SIGNATURES = {
    "local_date": "(instant timestamp, offset_seconds bigint) returns date",
    "period_start": "(grain string, on_date date) returns date",
    "tells_opt_out": "(said string) returns boolean",
}
_SCHEMAS = ("history", "run", "reference", "core", "audits", "metrics")


class SparkEngine(DuckDBEngine):
    """thin"""

    name = "spark"

    def __init__(self, session: SparkSession, shared: Path, *args: Any, **kwargs: Any) -> None:
        self.session = session
        self._shared = shared
        self._there: set[str] = set()
        self._views: dict[str, str] = {}
        self._parts: dict[str, tuple[list[Path], dict[str, str]]] = {}
        super().__init__(*args, **kwargs)
        for signature, expression in _FUNCTIONS.items():
            self._define_on_spark(signature, expression)
        session.sql("create or replace temporary function starts_with(text string, beginning string) returns boolean"
                    " return startswith(text, beginning)")
        for schema in _SCHEMAS:
            session.sql(f"drop database if exists {schema} cascade")
            session.sql(f"create database {schema} location {quoted(str(shared / schema))}")

    def _define_on_spark(self, signature: str, expression: str) -> None:
        name = signature.partition("(")[0]
        self.session.sql(f"create or replace temporary function {name}{_SIGNATURES[name]} return {expression}")

    def define_function(self, signature: str, expression: str) -> None:
        super().define_function(signature, expression)
        if signature.partition("(")[0] == "tells_opt_out":
            self._define_on_spark(signature, expression)

    def attach_parts(self, relation: str, parts: list[Path], columns: dict[str, str]) -> None:
        super().attach_parts(relation, parts, columns)
        if parts:
            self._parts[relation] = (parts, columns)

    def create_view(self, relation: str, select: str) -> None:
        super().create_view(relation, select)
        self._views[relation] = select

    def build(self, relation: str, select: str, only: str | None = None) -> int:
        if only == "duckdb":
            return self.create(relation, select)
        for read in relations_of(select):
            self._bring(read)
        folder = self._shared / relation
        frame = self.session.sql(select)
        frame.write.mode("overwrite").parquet(str(folder))
        self.session.catalog.createTable(relation, path=str(folder), source="parquet", schema=frame.schema)
        self._there.add(relation)
        columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in self.columns(select).items())
        super().create_view(relation, f"select {columns} from read_parquet({path_text(folder)[:-1]}/*.parquet')")
        return int(self.value(f"select count(*) from {relation}"))

    def _bring(self, relation: str) -> None:
        """Let Spark read what DuckDB made."""
        if relation in self._there:
            return
        self._there.add(relation)
        if relation in self._parts:
            parts, columns = self._parts[relation]
            base = os.path.commonpath([part.parent for part in parts])
            listed = ",".join(str(part.relative_to(base)) for part in parts)
            path = f"{base}/{{{listed}}}" if len(parts) > 1 else str(parts[0])
            self.session.sql(f"create view {relation} as select {', '.join(columns)} from parquet.`{path}`")
        elif relation in self._views:
            for read in relations_of(self._views[relation]):
                self._bring(read)
            self.session.sql(f"create view {relation} as {self._views[relation]}")
        else:
            path = self._shared / f"{relation}.parquet"
            self.execute(f"copy (select * from {relation}) to {path_text(path)} (format parquet)")
            schema = self.session.read.parquet(str(path)).schema
            self.session.catalog.createTable(relation, path=str(path), source="parquet", schema=schema)
