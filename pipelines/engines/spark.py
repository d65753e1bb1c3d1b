"""Spark: builds what is heavy on a cluster, from the same SQL text, and hands it to the working database as Parquet.

The working database stays DuckDB's. A relation that Spark builds is a folder of Parquet files, which Spark knows as a
table and DuckDB as a view, in the types that DuckDB would have given it. What DuckDB made (what the run was told, the
reference tables, small relations) goes the other way when a select of Spark's first reads it.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pipelines.engines import spark_session
from pipelines.engines.duckdb import PORTABLE_FUNCTIONS, DuckDBEngine, path_text, quoted
from pipelines.errors import ClusterError, ConfigurationError, EngineError
from pipelines.settings_engine import Engine
from pipelines.sqlfiles import SqlFile, relations_of

#: Spark wants types: the parameters and the result of each function of the SQL files that Spark does not have.
_SIGNATURES = {
    "local_date": "(instant timestamp, offset_seconds bigint) returns date",
    "period_start": "(grain string, on_date date) returns date",
    "tells_opt_out": "(said string) returns boolean",
    "starts_with": "(text string, beginning string) returns boolean",
}
#: DuckDB's names for what Spark calls otherwise.
_OF_SPARK = {"starts_with(text, beginning)": "startswith(text, beginning)"}
_SCHEMAS = ("history", "run", "reference", "core", "audits", "metrics")
#: How many relations are built side by side: most are small, and a cluster waits for their planning.
_SIDE_BY_SIDE = 4
_SECONDS_BETWEEN_LOOKS = 1.0


class SparkEngine(DuckDBEngine):
    """A working database whose heavy relations a Spark cluster builds.

    `told` is [engine] of heed.toml; `folder` is an empty folder that every machine of the cluster has in common;
    `home_history` is where history lies here. The other parameters are DuckDBEngine's.
    """

    name = "spark"

    def __init__(self, path: Path | None, *, told: Engine, folder: Path, home_history: Path, **options: Any) -> None:
        self._told, self._folder, self._home_history = told, folder, home_history
        self._there: set[str] = set()  # what Spark can read
        self._built: set[str] = set()  # what Spark built
        self._selects: dict[str, str] = {}  # of views that both define
        self._parts: dict[str, tuple[Sequence[Path], dict[str, str]]] = {}
        self._row_counts: dict[str, int] = {}
        self._lock = threading.RLock()  # DuckDB's connection is one thread's at a time
        self._closed = threading.Event()
        self._is_lost = False
        self._session: Any = spark_session.start(told, folder)
        super().__init__(path, **options)
        for schema in _SCHEMAS:
            self._session.sql(f"create database {schema} location {quoted((folder / schema).as_uri())}")
        for signature, expression in (PORTABLE_FUNCTIONS | _OF_SPARK).items():
            self._define_on_spark(signature, expression)
        threading.Thread(target=self._watch, daemon=True).start()

    def close(self) -> None:
        """Give the cluster back and close the connection; safe to call twice."""
        self.release()
        super().close()

    def release(self) -> None:
        """Give the cluster back; what it built stays readable until the run's folder goes."""
        self._closed.set()
        if self._session is not None:
            session, self._session = self._session, None
            session.stop()

    # ---- what a run defines

    def define_function(self, signature: str, expression: str) -> None:
        """Define a function for the SQL of this session, on Spark too where its expression is portable."""
        super().define_function(signature, expression)
        if signature.partition("(")[0] in _SIGNATURES:
            self._define_on_spark(signature, expression)

    def _define_on_spark(self, signature: str, expression: str) -> None:
        name = signature.partition("(")[0]
        # Spark reads a backslash in a text as the beginning of an escape. Files of sql/ have none.
        text = expression.replace("\\", "\\\\")
        self._session.sql(f"create or replace temporary function {name}{_SIGNATURES[name]} return {text}")

    def attach_parts(self, relation: str, parts: Sequence[Path], columns: dict[str, str]) -> None:
        """Define `schema.name` over Parquet files, which Spark reads where the cluster finds them."""
        super().attach_parts(relation, parts, columns)
        if parts:
            self._parts[relation] = (parts, columns)
            del self._selects[relation]

    def create_view(self, relation: str, select: str) -> None:
        """Define view `schema.name`, on Spark when one of its selects reads it."""
        super().create_view(relation, select)
        self._selects[relation] = select

    # ---- building

    def build(self, relation: str, select: str, only: str | None = None) -> int:
        """Build `schema.name` on Spark, or here where that is quicker or `only` DuckDB can; returns its row count."""
        reads = relations_of(select)
        with self._lock:
            if only == "duckdb" or self._row_count(reads) < self._told.least_rows:
                return self._counted(relation, self.create(relation, select))
            types = {name: _stored(kind) for name, kind in self.columns(select).items()}
            self._on_spark(lambda: self._bring_all(reads), relation, select)
        folder = self._folder / relation
        self._on_spark(lambda: self._write(relation, select, folder), relation, select)
        with self._lock:
            columns = ", ".join(f"cast({name} as {kind}) as {name}" for name, kind in types.items())
            files = path_text(folder).removesuffix("'") + "/*.parquet'"
            super().create_view(relation, f"select {columns} from read_parquet({files})")
            return self._counted(relation, int(self.value(f"select count(*) from {relation}")))

    def build_all(self, files: Iterable[SqlFile]) -> dict[str, int]:
        """Build every file, those side by side that do not read each other; returns row counts by relation."""
        futures: dict[str, Future[int]] = {}

        def one(file: SqlFile, before: list[Future[int]]) -> int:
            for future in before:
                future.result()
            return self.build(file.relation, file.text, file.engine)

        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            try:
                for file in files:  # in the order of building: what a file waits for was taken up before it
                    before = [futures[name] for name in file.reads if name in futures]
                    futures[file.relation] = pool.submit(one, file, before)
                return {relation: future.result() for relation, future in futures.items()}
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                self._cancel_jobs()
                raise

    def is_built_by_spark(self, relation: str) -> bool:
        """Whether the cluster built `schema.name`, and not this process."""
        return relation in self._built

    def _counted(self, relation: str, count: int) -> int:
        self._row_counts[relation] = count
        return count

    def _row_count(self, relations: Iterable[str]) -> int:
        """Rows of several relations together; Parquet and tables know theirs without being read."""
        for relation in relations:
            if relation not in self._row_counts:
                self._counted(relation, int(self.value(f"select count(*) from {relation}")))
        return sum(self._row_counts[relation] for relation in relations)

    def _write(self, relation: str, select: str, folder: Path) -> None:
        frame = self._session.sql(select)
        frame.write.parquet(folder.as_uri())
        self._table(relation, folder, frame.schema)
        self._built.add(relation)

    def _table(self, relation: str, path: Path, schema: Any) -> None:
        with self._lock:
            self._session.catalog.createTable(relation, path=path.as_uri(), source="parquet", schema=schema)
            self._there.add(relation)

    # ---- what DuckDB has and Spark reads

    def _bring_all(self, relations: Iterable[str]) -> None:
        for relation in sorted(relations):
            self._bring(relation)

    def _bring(self, relation: str) -> None:
        if relation in self._there:
            return
        if relation in self._parts:
            parts, columns = self._parts[relation]
            listed = ", ".join(columns)
            self._session.sql(f"create view {relation} as select {listed} from parquet.`{self._pattern(parts)}`")
        elif relation in self._selects:
            select = self._selects[relation]
            self._bring_all(relations_of(select))
            self._session.sql(f"create view {relation} as {select}")
        else:
            path = self._folder / f"{relation}.parquet"
            # Parquet has no such integer, and DuckDB would write it as a fraction.
            columns = self.columns(f"select * from {relation}")
            listed = ", ".join(f"cast({name} as {_handed(kind)}) as {name}" for name, kind in columns.items())
            self.execute(f"copy (select {listed} from {relation}) to {quoted(str(path))} (format parquet)")
            self._table(relation, path, self._session.read.parquet(path.as_uri()).schema)
        self._there.add(relation)

    def _pattern(self, parts: Sequence[Path]) -> str:
        """Files as one path of Hadoop's: their common folder, and their places in it in braces."""
        common = Path(os.path.commonpath([part.parent for part in parts]))
        places = ",".join(_escaped(part.relative_to(common).as_posix()) for part in parts)
        base = common.as_posix()
        if self._told.history:
            base = "/".join([self._told.history.rstrip("/"), *common.relative_to(self._home_history).parts])
        return f"{_escaped(base)}/{{{places}}}".replace("`", "``")

    # ---- when the cluster fails

    def _on_spark(self, work: Callable[[], object], relation: str, select: str) -> None:
        """Do `work`; an error of Spark's becomes one of heed's that names the relation."""
        from py4j.protocol import Py4JError
        from pyspark.errors import PySparkException

        try:
            work()
        except (PySparkException, Py4JError, OSError) as error:
            if self._is_lost:
                raise ClusterError(
                    f"The cluster at {self._told.master} lost all its executors while it built {relation}.",
                    "Start its workers and run again; the published snapshot is as it was.",
                ) from error
            raise EngineError(f"Spark: {spark_session.first_line(error)}", relation, select) from error

    def _watch(self) -> None:
        """Spark waits for ever for executors that do not come back: end its jobs once none came for long enough."""
        last_seen = time.monotonic()
        while not self._closed.wait(_SECONDS_BETWEEN_LOOKS):
            try:
                if spark_session.has_executors(self._session):
                    last_seen = time.monotonic()
            except Exception:
                return  # the context ended, of which whoever builds is told
            if time.monotonic() - last_seen > self._told.wait_seconds:
                self._is_lost = True
                self._cancel_jobs()
                return

    def _cancel_jobs(self) -> None:
        if self._session is not None:
            self._session.sparkContext.cancelAllJobs()


def _stored(kind: str) -> str:
    """The type in which DuckDB reads what Spark wrote: words stay text, which it numbers in its own tables."""
    return "VARCHAR" if kind.startswith("ENUM(") else kind


def _handed(kind: str) -> str:
    """The type in which Spark gets a column of DuckDB's, which Parquet has and Spark counts in."""
    return "BIGINT" if kind in ("HUGEINT", "UHUGEINT") else _stored(kind)


def _escaped(path: str) -> str:
    """A path in which no sign is one of a pattern's."""
    return re.sub(r"([\\*?\[\]{},])", r"\\\1", path)


@contextmanager
def shared_folder(told: Engine, home: Path, work: Path) -> Iterator[Path]:
    """An empty folder for one run of `home`, gone afterwards: below [engine] folder, or in the run's work folder.

    What a killed run of the same home left is gone before. Raises ConfigurationError where none can be made.
    """
    above = told.folder or work
    folder = above / f"heed-{hashlib.sha256(str(home).encode()).hexdigest()[:12]}"
    shutil.rmtree(folder, ignore_errors=True)
    try:
        folder.mkdir(mode=0o700)
    except OSError as error:
        raise ConfigurationError(
            f"heed.toml: [engine] folder: {folder} cannot be made: {error.strerror}.",
            "Name a folder that is there, that heed may write to, and that every machine of the cluster has.",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
