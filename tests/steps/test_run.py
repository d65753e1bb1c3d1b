"""A whole run: what it prints, what it publishes and how it ends when nothing goes wrong."""

from __future__ import annotations

import fcntl
import multiprocessing
import os
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any

import pytest

from pipelines.engines.duckdb import DuckDBEngine
from tests.steps.conftest import FirstRun
from tests.support.example_home import CANARIES, MESSAGES, published
from tests.support.home import MESSAGE, TWO_SOURCES, Home, without_validation
from tests.support.published import snapshot_rows


def test_the_result_as_json(first_run: FirstRun) -> None:
    home, told = first_run.home, first_run.said.json()
    assert told["as_of"] == "2026-10-07T11:00:00Z"
    inputs = {one["file"]: one for one in told["inputs"]}
    names = ("source", "read", "accepted", "duplicate", "quarantined")
    assert {file: tuple(one[name] for name in names) for file, one in inputs.items()} == {
        "inbox/m.csv": ("shop", 5, 3, 1, 1),
        "inbox/e.csv": ("crm", 2, 2, 0, 0),
    }
    assert all(len(one["sha256"]) == 64 for one in inputs.values())
    assert told["findings"] == {
        "confirmation_missing": {"no_confirmation": 1},
        "message_after_opt_out": {"sent_after_processing": 1},
        "message_in_quiet_hours": {"possible": 1},  # 10:00 UTC is 6 in the morning in Washington
        "message_without_consent": {"no_consent_log": 1},
    }
    assert told["violations"] == 1
    assert told["verdict"]["overall"] == "Fail"
    assert told["validation"]["success"] is True
    assert Path(told["snapshot"]) == home.path / "published" / f"{told['run_id']}.duckdb"
    assert list(told["seconds"]) == ["load", "build", "audit", "measure", "validate", "publish"]
    assert [row["metric"] for row in told["headline"]] == ["opt_out_rate", "opt_out_trend", "response_time"]
    [rate] = [
        row
        for row in told["metrics"]
        if (row["metric"], row["grain"], row["channel"], row["program"]) == ("opt_out_rate", "all", "*", "*")
    ]
    # Two pairs were reached, one of them opted out.
    assert (rate["numerator"], rate["denominator"], rate["value"]) == (1, 2, 0.5)


def test_the_snapshot_says_what_the_run_was_told_and_did(first_run: FirstRun) -> None:
    with DuckDBEngine(Path(first_run.said.json()["snapshot"]), read_only=True) as engine:
        [parameters] = engine.records("select * from run.parameters")
        steps = engine.rows("select position, step, row_count from run.steps")
        assert engine.rows("select reason, row_count, first_rows from run.quarantine") == [
            ("timestamp_unreadable", 1, "4")
        ]
    assert (parameters["scope"], parameters["default_deadline"], parameters["deadline_amount"]) == (
        "channel",
        "10bd",
        10,
    )
    assert parameters["excluded_after_as_of"] == 0
    # 7 rows read; 3 messages and 2 events; 4 findings.
    assert [(position, step) for position, step, _ in steps] == [
        (1, "load"), (2, "build"), (3, "audit"), (4, "measure"), (5, "validate"),
    ]  # fmt: skip
    assert [count for _, _, count in steps[:3]] == [7, 5, 4]


def test_no_address_leaves_private(first_run: FirstRun) -> None:
    home = first_run.home
    [snapshot] = (home.path / "published").glob("*.duckdb")
    texts = [first_run.said.out, first_run.said.err]
    with DuckDBEngine(snapshot, read_only=True) as engine:
        for schema, table in engine.rows("select table_schema, table_name from information_schema.tables"):
            texts.append(str(engine.rows(f"select * from {schema}.{table}")))
    for path in (*(home.path / "history").rglob("*"), *(home.path / "published").rglob("*")):
        if path.is_file():
            texts.append(path.read_bytes().decode("latin-1"))
    for verb in ("findings", "metrics", "status", "rules"):
        texts += [home.heed(verb).out, home.heed(verb).err]
    texts += [home.heed("contact", "+12025550101").out, home.heed("contact", "+12025550101").err]
    assert [canary for canary in CANARIES for text in texts if canary in text] == []
    assert "+1202•••••01" in "".join(texts)


def test_a_run_on_the_same_files_changes_nothing_and_says_so(settled_home: Home) -> None:
    home, before = settled_home, published(settled_home)
    said = home.heed("run", "--json")
    assert said.code == 0
    assert said.err == "Nothing new: the published snapshot stands.\n"
    assert said.json()["published"] is False
    assert f"{said.json()['run_id']}.duckdb" in before
    assert published(home) == before
    (home.path / "inbox" / "m.csv").rename(home.path / "inbox" / "m_again.csv")
    assert "holds the same bytes as inbox/m.csv" in home.heed("run").err
    for name in ("m_again.csv", "e.csv"):
        (home.path / "inbox" / name).unlink()
    assert "Nothing new" in home.heed("run").err
    assert published(home) == before


def test_a_rebuild_makes_the_same_snapshot_anew(settled_home: Home) -> None:
    first = Path(settled_home.heed("run", "--json").json()["snapshot"])
    again = settled_home.run("--rebuild")
    assert again["published"] is True
    assert Path(again["snapshot"]) != first
    assert snapshot_rows(Path(again["snapshot"])) == snapshot_rows(first)


def test_violations_fail_a_run_that_is_asked_to(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    assert home.heed("run").code == 0
    assert home.heed("run", "--fail-on-violation").code == 10
    # Seen from before the message there is none.
    assert home.heed("run", "--fail-on-violation", "--as-of", "2026-10-06T00:00:00Z").code == 0


# ---- as_of


@pytest.mark.parametrize(
    ("as_of", "messages", "findings", "excluded"),
    [
        # Everything but m1 is later; all of it counts as excluded: m2, m3 and both events.
        ("2026-10-05T11:00:00Z", 1, 0, 4),
        ("2026-10-07T12:00:00+02:00", 2, 1, 1),
        ("2000-01-01T00:00:00Z", 0, 0, 5),
        ("2030-01-01T00:00:00Z", 3, 1, 0),
    ],
)
def test_records_later_than_as_of_are_left_out_and_counted(
    as_of: str, messages: int, findings: int, excluded: int, home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_validation(monkeypatch)
    told = home.run("--as-of", as_of)
    with DuckDBEngine(Path(told["snapshot"]), read_only=True) as engine:
        assert engine.rows("select sum(message_count) from run.sources") == [(messages,)]
        assert engine.value("select excluded_after_as_of from run.parameters") == excluded
    assert sum(told["findings"].get("message_after_opt_out", {}).values()) == findings
    assert len(told["inputs"]) == 2


def test_as_of_may_stand_in_heed_toml(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    home.configure(policy='as_of = "2026-10-06T00:00:00Z"')
    assert home.run()["as_of"] == "2026-10-06T00:00:00Z"
    assert home.run("--as-of", "2026-10-05T11:00:00Z")["as_of"] == "2026-10-05T11:00:00Z"


@pytest.mark.parametrize(
    "text", ["2026-10-05", "2026-10-05T12:00:00", "now", "9999-12-31T00:00:00Z", "1999-12-31T00:00:00Z"]
)
def test_what_is_no_instant_is_wrong_usage(text: str, home: Home) -> None:
    before = published(home)
    said = home.heed("run", "--as-of", text)
    assert (said.code, said.out) == (64, "")
    assert text in said.err
    home.configure(policy=f'as_of = "{text}"')
    assert home.heed("run").code == 78
    assert published(home) == before


# ---- the lock


def hold(path: Path, held: Event, done: Event) -> None:
    """Hold a home's lock until told to stop."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("4711")
        file.flush()
        held.set()
        done.wait(60)


def test_a_second_run_is_refused_while_one_goes_on(home: Home) -> None:
    context = multiprocessing.get_context("spawn")
    held, done = context.Event(), context.Event()
    process = context.Process(target=hold, args=(home.path / ".lock", held, done))
    process.start()
    try:
        assert held.wait(60)
        before = published(home)
        said = home.heed("run")
        assert (said.code, said.out) == (75, "")
        assert "process 4711" in said.err
        assert published(home) == before
        # Reading needs no lock.
        assert home.heed("findings").code == 0
    finally:
        done.set()
        process.join(60)
    # The lock dies with its process; the file that stays is none.
    assert (home.path / ".lock").exists()
    assert home.heed("run").code == 0


# ---- a home with little in it


@pytest.mark.parametrize(
    ("sources", "said"),
    [("", "names no source"), (TWO_SOURCES, "No file matches inbox/m* (source shop)")],
)
def test_a_home_without_files_publishes_and_says_so(sources: str, said: str, tmp_path: Path) -> None:
    home = Home(tmp_path).configure(sources)
    result = home.heed("run", "--json")
    assert result.code == 0
    assert said in result.err
    told: dict[str, Any] = result.json()
    assert (told["as_of"], told["inputs"], told["findings"]) == (None, [], {})
    assert told["verdict"]["overall"] == "Cannot attest"
    assert all(row["value"] is None for row in told["metrics"])
    assert home.heed("status").code == 0
    assert home.heed("findings", "--format", "json").json() == []


def test_files_without_rows_are_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    without_validation(monkeypatch)
    home = Home(tmp_path).configure().deliver({"m.csv": "", "m2.csv": MESSAGE, "e.jsonl": "\n\n"})
    result = home.heed("run", "--json")
    assert result.code == 0
    for name in ("m.csv", "m2.csv", "e.jsonl"):
        assert f"inbox/{name} holds no rows." in result.err
    assert [one["read"] for one in result.json()["inputs"]] == [0, 0, 0]


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (None, "does not exist"),
        ("[policy]\nscop = 'x'", "Did you mean scope?"),
        ('[[source]]\nname = "a"\nconnector = "carrier_pigeon"\npath = "inbox/*"', "carrier_pigeon"),
        ('[[source]]\nname = "a"\nconnector = "canonical"\npath = "inbox/*"', "has no table"),
    ],
)
def test_a_wrong_configuration_ends_with_78(toml: str | None, said: str, tmp_path: Path) -> None:
    home = Home(tmp_path).deliver({"m.csv": MESSAGES})
    if toml is not None:
        (tmp_path / "heed.toml").write_text(toml, encoding="utf-8")
    result = home.heed("run")
    assert (result.code, result.out) == (78, "")
    assert said in result.err
    assert result.err.count("\n") == 1


def test_a_home_that_is_not_there_ends_with_78(tmp_path: Path) -> None:
    home = Home(tmp_path / "none")
    for verb in ("run", "status", "findings", "metrics", "rules"):
        result = home.heed(verb)
        assert (result.code, result.out) == (78, ""), verb
        assert "none" in result.err
    assert not os.path.lexists(home.path)
