"""Publishing: a new snapshot beside the old ones, then one rename; a reader has the one or the other, whole."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines import publish, sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from tests.steps.conftest import FirstRun
from tests.support.example_home import published
from tests.support.home import Home, without_validation


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)


def another(home: Home, minutes: int, policy: str = "") -> Any:
    """A run that has something new to say: the result."""
    home.configure(policy=f'confirmation_window = "{minutes}min"\n{policy}')
    told = home.run()
    assert told["published"] is True
    return told


def pointer(home: Home) -> Any:
    return json.loads((home.path / "published" / "CURRENT.json").read_text())


def snapshots(home: Home) -> list[str]:
    return sorted(path.name for path in (home.path / "published").glob("*.duckdb"))


def test_the_pointer_names_the_snapshot(first_run: FirstRun) -> None:
    told, found = first_run.said.json(), pointer(first_run.home)
    assert found["snapshot"] == f"{found['run_id']}.duckdb" == Path(told["snapshot"]).name
    assert (found["run_id"], found["as_of"]) == (told["run_id"], "2026-10-07T11:00:00Z")
    assert found["published_at"].endswith("Z")
    assert datetime.fromisoformat(found["published_at"]).tzinfo
    with DuckDBEngine(Path(told["snapshot"]), read_only=True) as engine:
        assert engine.value("select fingerprint from run.parameters") == found["fingerprint"]
    assert publish.read_pointer(first_run.home.path / "published") == found
    assert set(published(first_run.home)) == {found["snapshot"], "CURRENT.json", "runs.jsonl"}


def test_a_snapshot_is_one_whole_file(first_run: FirstRun) -> None:
    with DuckDBEngine(Path(first_run.said.json()["snapshot"]), read_only=True) as engine:
        held = {f"{schema}.{name}" for schema, name in engine.rows(
            "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
        )}  # fmt: skip
        views = engine.rows(
            "select table_schema || '.' || table_name from information_schema.tables where table_type <> 'BASE TABLE'"
        )
        timeline = engine.rows("select kind, record_id, what from core.timeline order by occurred_at")
    assert held == set(publish._TABLES)
    # A view of the snapshot's own tables is whole wherever the file goes.
    assert views == [("core.timeline",)]
    # The timeline is of the one contact with a finding; what it holds is in history too.
    assert timeline == [
        ("message", "m1", "marketing"), ("consent_event", "e1", "opt_out"), ("message", "m2", "marketing"),
    ]  # fmt: skip
    assert sqlfiles.read("published.timeline").upward_reads() == []


def test_the_last_snapshots_are_kept(home: Home) -> None:
    first = snapshots(home)
    told = [another(home, minutes, "keep_snapshots = 2") for minutes in (1, 2, 3)]
    names = [Path(one["snapshot"]).name for one in told]
    assert snapshots(home) == sorted(names[1:])
    assert pointer(home)["snapshot"] == names[2]
    assert first[0] not in snapshots(home)
    # What earlier runs said is remembered in the snapshot, whether theirs is kept or not.
    with DuckDBEngine(Path(told[2]["snapshot"]), read_only=True) as engine:
        history = engine.rows("select run_id, verdict, message_count, violation_count from run.history")
    assert [row[0] for row in history] == [first[0].removesuffix(".duckdb"), *(one["run_id"] for one in told)]
    assert {row[1:] for row in history} == {("Fail", 3, 1)}


def test_a_reader_keeps_what_it_opened(home: Home) -> None:
    with DuckDBEngine(home.path / "published" / pointer(home)["snapshot"], read_only=True) as reader:
        run_id = reader.value("select run_id from run.parameters")
        another(home, 1, "keep_snapshots = 1")
        assert len(snapshots(home)) == 1
        assert reader.value("select run_id from run.parameters") == run_id
        assert reader.value("select count(*) from audits.findings") == 4


@pytest.mark.parametrize("function", ["chain.append", "write_whole", "_forget_old"])
def test_a_run_that_dies_while_publishing_leaves_one_whole_snapshot(
    function: str, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = pointer(home)

    def die(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(f"pipelines.publish.{function}", die)
        home.configure(policy='default_deadline = "48h"')
        said = home.heed("run")
    assert said.code == 1
    assert "No space left on device" in said.err
    now = pointer(home)
    assert (now == before) == (function != "_forget_old")
    with DuckDBEngine(home.path / "published" / now["snapshot"], read_only=True) as engine:
        assert engine.value("select run_id from run.parameters") == now["run_id"]
    told = another(home, 1)
    assert pointer(home)["run_id"] == told["run_id"]
    assert home.heed("verify").code == 0


@pytest.mark.parametrize("text", ["", "{", "[]", '{"run_id": "x"}', '{"snapshot": "gone.duckdb", "fingerprint": "x"}'])
def test_a_damaged_pointer_is_no_pointer(text: str, home: Home) -> None:
    (home.path / "published" / "CURRENT.json").write_text(text)
    assert publish.read_pointer(home.path / "published") is None
    said = home.heed("findings")
    assert (said.code, said.out) == (78, "")
    assert "Make a snapshot first" in said.err
    assert home.run()["published"] is True
    assert home.heed("findings").code == 0


def test_a_snapshot_that_is_gone_is_made_again(home: Home) -> None:
    [name] = snapshots(home)
    (home.path / "published" / name).unlink()
    assert home.heed("status").code == 78
    assert home.run()["published"] is True


def test_a_torn_line_of_the_runs_costs_that_line_only(home: Home) -> None:
    path = home.path / "published" / "runs.jsonl"
    with path.open("a") as file:
        file.write('{"run_id": "torn by a cr')
    told = [another(home, minutes) for minutes in (1, 2)]
    with DuckDBEngine(Path(told[1]["snapshot"]), read_only=True) as engine:
        runs = [row[0] for row in engine.rows("select run_id from run.history")]
    assert runs == [pointer_run for pointer_run in runs if pointer_run != "torn by a cr"]
    assert runs[1:] == [one["run_id"] for one in told]


@pytest.mark.parametrize(
    ("policy", "is_new"),
    [
        ('default_deadline = "10bd"', False),  # the default, said aloud
        ("keep_snapshots = 3", False),
        ("threads = 1", False),
        ('memory_limit = "1GB"', False),
        ('default_deadline = "9bd"', True),
        ('scope = "program"', True),
        ('report_timezone = "Asia/Kolkata"', True),
        ('as_of = "2026-10-07T11:00:00Z"', True),
    ],
)
def test_what_cannot_change_a_row_makes_no_new_snapshot(policy: str, is_new: bool, settled_home: Home) -> None:
    settled_home.configure(policy=policy)
    assert settled_home.run()["published"] is is_new
