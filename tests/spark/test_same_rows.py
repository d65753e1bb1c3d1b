"""Every SQL file on Spark and on DuckDB: the same rows, in the same types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random

import pytest

from pipelines import audit, build, lineage, provenance, quarantine, settings, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.engines.spark import SparkEngine, shared_folder
from pipelines.ledger import Ledger
from pipelines.measures import periods
from tests.support.core_database import build_audited
from tests.support.home import LOADED_AT
from tests.support.rule_book_home import rule_book_home
from tests.support.rule_histories import joined, random_setting, rule_histories
from tests.support.spark_cluster import local

pytestmark = [pytest.mark.spark, pytest.mark.timeout(600)]
#: What DuckDB alone can build, as the files' headers say.
ONLY_DUCKDB = {file.relation for layer in sqlfiles.READABLE_SCHEMAS for file in sqlfiles.load(layer) if file.engine}


@contextmanager
def spark(work: Path, home: Path) -> Iterator[SparkEngine]:
    """A working database whose relations Spark builds, all of them."""
    work.mkdir()
    told = local()
    with (
        shared_folder(told, home, work) as folder,
        SparkEngine(None, told=told, folder=folder, home_history=home / "history", in_memory=("audits",)) as engine,
    ):
        yield engine


def build_everything(engine: DuckDBEngine, home: Path) -> None:
    """What a run builds of a loaded home, up to the numbers that Python makes."""
    read = settings.read(home)
    ledger = Ledger(read.history)
    as_of = max(datetime.fromisoformat(one.last_record_at) for one in ledger.loads if one.last_record_at)
    build.attach_history(engine, ledger)
    build.write_reference(engine)
    provenance.write_parameters(engine, read, "test", as_of, LOADED_AT, "test")
    build.write_rule_book(engine, read)
    build.write_calendars(engine, read, as_of)
    build.build_layer(engine, "core")
    provenance.write_excluded(engine)
    lineage.write_load_days(engine)
    provenance.write_inputs(engine, ledger, set())
    quarantine.write(engine, read, ledger.loads)
    provenance.write_sources(engine, read, ledger)
    audit.audit(engine, read)
    months = periods.report_months(engine, periods.read_record(engine))
    engine.create_from_frame("metrics.report_months", months)
    engine.build_all(sqlfiles.load("metrics"))


def differences(one: DuckDBEngine, other: DuckDBEngine, relations: list[str]) -> list[str]:
    """Each relation that differs in its columns, types or rows, with a few of the rows."""
    found = []
    for relation in relations:
        select = f"select * from {relation}"
        if one.columns(select) != other.columns(select):
            found.append(f"{relation}: {one.columns(select)} and {other.columns(select)}")
        # As texts: a row may hold nothing that Python orders, and 1 is not 1.0 here.
        rows, theirs = (Counter(map(repr, engine.rows(select))) for engine in (one, other))
        if rows != theirs:
            only, only_theirs = list((rows - theirs).elements())[:2], list((theirs - rows).elements())[:2]
            found.append(f"{relation}: {rows.total()} and {theirs.total()} rows; {only} and {only_theirs}")
    return found


def test_every_file_gives_the_rows_it_gives_on_duckdb(tmp_path: Path) -> None:
    home = rule_book_home(tmp_path / "home")
    built = [file.relation for layer in ("core", "metrics") for file in sqlfiles.load(layer)]
    audited = ["audits.found", "audits.findings", "audits.waivers", *(f"audits.{rule}" for rule in audit.rule_names())]
    with DuckDBEngine(in_memory=("audits",)) as engine, spark(tmp_path / "work", home) as other:
        build_everything(engine, home)
        build_everything(other, home)
        by_spark = {name for name in [*built, "audits.found"] if other.is_built_by_spark(name)}
        assert differences(engine, other, built + audited) == []
        assert {*built, "audits.found"} - by_spark == ONLY_DUCKDB & set(built)
        # Each rule has found something: 16 rules with rows on both.
        assert all(engine.value(f"select count(*) from audits.{rule}") for rule in audit.rule_names())


def test_random_histories_have_the_same_spans_and_findings(tmp_path: Path) -> None:
    random = Random("spark")
    setting = random_setting(random, "program")
    history = joined(rule_histories(random, setting, 300))
    with DuckDBEngine() as engine, spark(tmp_path / "work", tmp_path) as other:
        for one in (engine, other):
            build_audited(one, history, setting.policy, setting.book, tmp_path, setting.judged_at)
        relations = ["core.opt_out_spans", "audits.findings", "core.contacts", "core.consent_spans"]
        assert engine.value("select count(*) from audits.findings") > 100
        assert engine.value("select count(*) from core.opt_out_spans") > 100
        assert differences(engine, other, relations) == []


def test_an_instant_before_1970_keeps_its_microseconds_and_its_local_date(tmp_path: Path) -> None:
    with spark(tmp_path / "work", tmp_path) as engine:
        engine.execute("create schema run")
        engine.execute(
            "create table run.instants as"
            " select timestamptz '1969-12-31 23:59:59.999999+00' as instant, 3600 as seconds"
        )
        engine.build("core.dates", "select local_date(instant, seconds) as on_date, instant from run.instants")
        assert engine.rows("select on_date, instant from core.dates") == [
            (date(1970, 1, 1), datetime(1969, 12, 31, 23, 59, 59, 999999, tzinfo=UTC))
        ]
