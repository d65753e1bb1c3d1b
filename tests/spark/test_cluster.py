"""Runs on a real cluster of two workers: the snapshot that DuckDB alone publishes, or a clear failure."""

from __future__ import annotations

import contextlib
import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.publish import _TABLES, read_pointer
from tests.support.home import Home, without_validation
from tests.support.rule_book_home import rule_book_home
from tests.support.spark_cluster import Cluster, cluster

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]
#: What tells one run from another by design; of run.inputs, which loads were new in it.
_OF_THE_RUN = {"run.parameters", "run.steps", "run.history", "run.changes", "run.fingerprints", "run.inputs"}
#: Relations that read more rows than this go to the cluster: some 15 of core and metrics, enough for a run to be caught
#: in the middle. That all of them can, test_same_rows shows.
_LEAST_ROWS = 500


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


def published_rows(home: Home) -> dict[str, Counter[str]]:
    """Every row of the published snapshot, but for what tells one run from another."""
    pointer = read_pointer(home.path / "published")
    assert pointer is not None
    with DuckDBEngine(home.path / "published" / pointer["snapshot"], read_only=True) as engine:
        return {
            relation: Counter(map(repr, engine.rows(f"select * from {relation}")))
            for relation in _TABLES
            if relation not in _OF_THE_RUN
        }


def differing(one: dict[str, Counter[str]], other: dict[str, Counter[str]]) -> dict[str, list[str]]:
    return {
        name: [*(one[name] - other[name]), "|", *(other[name] - one[name])][:5]
        for name in one
        if one[name] != other[name]
    }


def kill_in_the_middle(home: Home, running: Cluster) -> threading.Thread:
    """Kills one worker as soon as the run of `home` has had a first relation from the cluster."""

    def wait_and_kill() -> None:
        work = home.path / "private" / "work"
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            with contextlib.suppress(FileNotFoundError):  # Spark moves what it has written
                if list(work.glob("heed-*/core.*/_SUCCESS")):
                    break
            time.sleep(0.05)
        running.kill_worker()

    thread = threading.Thread(target=wait_and_kill)
    thread.start()
    return thread


def test_a_cluster_s_runs(running: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    by_duckdb, by_spark = Home(rule_book_home(tmp_path / "duckdb")), Home(tmp_path / "spark")
    shutil.copytree(by_duckdb.path, by_spark.path)
    shutil.rmtree(by_spark.path / "published")
    expected = published_rows(by_duckdb)
    settings = (by_duckdb.path / "heed.toml").read_text(encoding="utf-8")
    (by_spark.path / "heed.toml").write_text(settings + running.engine(_LEAST_ROWS), encoding="utf-8")

    # A whole run, validation included.
    by_spark.run()
    assert differing(expected, published_rows(by_spark)) == {}

    # One of the two workers is killed in the middle of a run: the other does its work again.
    without_validation(monkeypatch)
    shutil.rmtree(by_spark.path / "published")
    killer = kill_in_the_middle(by_spark, running)
    by_spark.run()
    killer.join()
    assert len(running.workers) == 1
    after = published_rows(by_spark)
    del expected["validation.results"], after["validation.results"]
    assert differing(expected, after) == {}

    # Then the last one: nothing can do the work, which the run says in bounded time; what was published stands.
    text = settings + running.engine(_LEAST_ROWS, wait_seconds=5)
    (by_spark.path / "heed.toml").write_text(text, encoding="utf-8")
    killer = kill_in_the_middle(by_spark, running)
    said = by_spark.heed("run", "--as-of", "2026-09-20T00:00:00Z")
    killer.join()
    assert said.code == 1
    assert "lost all its executors" in said.err
    assert published_rows(by_spark).items() >= after.items()
    assert not (by_spark.path / "private" / "work").exists()

    # And without any worker from the beginning.
    said = by_spark.heed("run", "--as-of", "2026-09-20T00:00:00Z")
    assert said.code == 1
    assert "gave no executor within 5 seconds" in said.err
    assert published_rows(by_spark).items() >= after.items()
