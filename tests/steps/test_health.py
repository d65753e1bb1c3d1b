"""Monitoring: heed health says honestly whether all is well, and the textfile says the same to Prometheus."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from pipelines import durable, health, run, settings, textfile
from pipelines.watch import Watch
from tests.steps.conftest import FirstRun
from tests.support.home import TWO_SOURCES, Home

MONITORED = TWO_SOURCES + '[monitoring]\ntextfile = "heed.prom"\n'


def problems(home: Home, *arguments: str) -> tuple[int, list[str]]:
    """The exit code of heed health, and the names of what is wrong."""
    said = home.heed("health", "--json", *arguments)
    told = said.json()
    assert told["healthy"] is (said.code == 0) is (not told["problems"])
    assert (said.code == 0) or (said.code == 12 and all(name in said.err for name in told["problems"]))
    return said.code, list(told["problems"])


def last_run(home: Home, **changes: Any) -> None:
    """Change what the last run said of itself."""
    path = home.path / "operations" / "last_run.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def break_delivery(home: Home) -> None:
    """Deliver what cannot be read."""
    home.deliver({"m9.parquet": "no Parquet"})


def samples(path: Path) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """What Prometheus's own parser reads: values by metric and by labels other than the home."""
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        assert family.documentation
        assert family.type == "gauge"
        for sample in family.samples:
            labels = tuple(sorted((key, value) for key, value in sample.labels.items() if key != "home"))
            assert labels not in found.setdefault(sample.name, {})
            found[sample.name][labels] = sample.value
    return found


# ---- heed health


def test_a_fresh_home_is_healthy(first_run: FirstRun) -> None:
    said = first_run.home.heed("health", "--json")
    told, run = said.json(), first_run.said.json()
    assert (said.code, said.err) == (0, "")
    assert told["snapshot"]["run_id"] == told["last_run"]["run_id"] == run["run_id"]
    assert told["snapshot"]["violations"] == run["violations"] == 1
    assert {(one["rule"], one["finding_class"]): one["count"] for one in told["snapshot"]["findings"]} == {
        (rule, kind): count for rule, classes in run["findings"].items() for kind, count in classes.items()
    }
    assert told["snapshot"]["quarantined"] == {"crm": 0, "shop": 1}
    assert told["last_run"]["steps"] == run["seconds"]
    assert 0 <= told["age_seconds"] < told["max_age_seconds"] == 26 * 3600
    assert first_run.home.heed("health").out.startswith("Healthy.\nLast success ")


def test_an_old_success_is_stale(home: Home) -> None:
    last_run(home, succeeded_at="2026-01-01T00:00:00Z")
    assert problems(home) == (12, ["stale_snapshot"])
    assert problems(home, "--max-age", "100000d") == (0, [])
    home.configure(TWO_SOURCES + '[monitoring]\nmax_age = "100000d"\n')
    assert problems(home) == (0, [])
    assert problems(home, "--max-age", "26h") == (12, ["stale_snapshot"])
    # A run that finds nothing new has seen that the snapshot stands.
    assert home.heed("run").code == 0
    assert problems(home, "--max-age", "10min") == (0, [])


def test_a_clock_that_was_set_back_is_not_healthy(home: Home) -> None:
    last_run(home, succeeded_at="2099-01-01T00:00:00Z")
    assert problems(home) == (12, ["stale_snapshot"])
    assert "the clock was set back" in home.heed("health").out


def test_a_failed_run_is_not_healthy_until_one_succeeds(home: Home) -> None:
    break_delivery(home)
    assert home.heed("run").code == 11
    assert problems(home) == (12, ["failed_run"])
    assert "exit code 11 (UnreadableInputError): A delivered file cannot be read" in home.heed("health").out
    (home.path / "inbox" / "m9.parquet").unlink()
    assert home.heed("run", "--fail-on-violation").code == 10  # which is a success
    assert problems(home) == (0, [])


def test_a_mistyped_command_is_no_failed_run(home: Home) -> None:
    assert home.heed("run", "--as-of", "yesterday").code == 64
    assert problems(home) == (0, [])


def test_a_mistake_in_the_settings_is_a_failed_run(home: Home) -> None:
    home.configure(MONITORED, policy='scope = "everybody"')
    assert home.heed("run").code == 78
    assert problems(home) == (12, ["failed_run"])
    # What it says of monitoring can be read, and holds.
    assert samples(home.path / "heed.prom")["heed_last_run_exit_code"] == {(): 78}


def wait_for(path: Path, text: str) -> None:
    """Wait until a file holds a text."""
    for _ in range(600):
        if path.exists() and text in path.read_text():
            return
        time.sleep(0.05)
    raise AssertionError(f"{path} does not say {text}")


@pytest.mark.parametrize(
    ("sent", "code", "problem"), [(signal.SIGKILL, -9, "died_run"), (signal.SIGTERM, 1, "failed_run")]
)
def test_a_run_that_is_ended_is_not_healthy(sent: signal.Signals, code: int, problem: str, home: Home) -> None:
    home.configure(TWO_SOURCES, policy='default_deadline = "48h"')
    log = home.path / "operations" / "log.jsonl"
    log.unlink()
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(home.path), "run"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        wait_for(log, '"step": "load"')
        running = home.heed("health", "--json")
        assert running.code == 0
        assert running.json()["running"]["pid"] == process.pid
        process.send_signal(sent)
        _, said = process.communicate(timeout=60)
    assert process.returncode == code, said
    assert problems(home) == (12, [problem])
    home.configure()
    assert home.heed("run").code == 0
    assert problems(home) == (0, [])
    died = [line for line in map(json.loads, log.read_text().splitlines()) if line["event"] == "run_died"]
    assert len(died) == (sent == signal.SIGKILL)


def test_a_run_that_let_go_of_the_lock_is_not_taken_for_dead(settled_home: Home) -> None:
    told = settings.read(settled_home.path)

    def work(watch: Watch) -> int:
        run.execute(told, tell=watch)
        # What it prints and whom it alerts come after the lock: others look, and others run.
        assert problems(settled_home) == (0, [])
        assert settled_home.heed("run", "--fail-on-violation").code == 10
        return 1

    assert Watch(settled_home.path).over(work) == 1
    log = (settled_home.path / "operations" / "log.jsonl").read_text()
    assert "run_died" not in log
    # The later run has the last word, though the earlier one ended later.
    assert [json.loads(line)["exit_code"] for line in log.splitlines()[-1:]] == [1]
    assert settled_home.heed("health", "--json").json()["last_run"]["exit_code"] == 10


def no_pointer(home: Home) -> None:
    (home.path / "published" / "CURRENT.json").unlink()


def no_snapshot(home: Home) -> None:
    next((home.path / "published").glob("*.duckdb")).unlink()


def torn_snapshot(home: Home) -> None:
    next((home.path / "published").glob("*.duckdb")).write_bytes(b"torn")


def newer_format(home: Home) -> None:
    pointer = home.path / "published" / "CURRENT.json"
    pointer.write_text(json.dumps(json.loads(pointer.read_text()) | {"format": 99}))


@pytest.mark.parametrize(
    ("spoil", "problem"),
    [
        (no_pointer, "no_snapshot"),
        (no_snapshot, "no_snapshot"),
        (torn_snapshot, "unreadable_snapshot"),
        (newer_format, "unreadable_snapshot"),
    ],
)
def test_a_snapshot_that_nobody_can_read_is_not_healthy(
    spoil: Callable[[Home], None], problem: str, home: Home
) -> None:
    spoil(home)
    assert problems(home) == (12, [problem])


def test_a_home_that_nobody_ran_is_not_healthy(tmp_path: Path) -> None:
    home = Home(tmp_path / "logs")
    assert home.heed("health").code == 78
    home.heed("init")
    assert problems(home) == (12, ["no_snapshot"])


def test_a_home_without_operations_is_as_old_as_its_snapshot(home: Home) -> None:
    shutil.rmtree(home.path / "operations")
    assert problems(home) == (0, [])
    assert problems(home, "--max-age", "1s")[1] in ([], ["stale_snapshot"])


def test_how_a_run_ended_is_kept_where_no_file_can_be_added(tmp_path: Path) -> None:
    # The name of a file beside this one would be too long: as on a full disk, only what is there can be used.
    path = tmp_path / ("x" * 250)
    with pytest.raises(OSError, match="too long"):
        durable.write_even_if_full(path, "nothing is there to be used")
    path.write_text("what was there before, and longer")
    durable.write_even_if_full(path, "what is true now")
    assert path.read_text() == "what is true now"
    assert list(tmp_path.iterdir()) == [path]


# ---- the textfile


def test_prometheus_reads_what_stands(home: Home) -> None:
    before = os.umask(0o077)
    try:
        home.configure(MONITORED)
        assert home.heed("run").code == 0
    finally:
        os.umask(before)
    path = home.path / "heed.prom"
    # Its collector is another user.
    assert path.stat().st_mode & 0o777 == 0o644
    found, told = samples(path), home.heed("health", "--json").json()
    assert found["heed_last_run_exit_code"] == {(): 0}
    assert found["heed_violations"] == {(): 1}
    assert found["heed_quarantined_rows"] == {(("source", "crm"),): 0, (("source", "shop"),): 1}
    assert found["heed_verdict"] == {
        (("verdict", verdict),): float(verdict == "Fail") for verdict in ("Pass", "Fail", "Cannot attest")
    }
    counted = {
        (one["rule"], one["finding_class"], str(one["waived"]).lower()): one["count"]
        for one in told["snapshot"]["findings"]
    }
    found_counts = {
        tuple(dict(labels)[name] for name in ("rule", "finding_class", "waived")): value
        for labels, value in found["heed_findings"].items()
    }
    assert {labels: value for labels, value in found_counts.items() if value} == counted
    silent = {rule for rule, kind, _ in found_counts if kind == "none"}
    assert len(silent) == 12
    assert not silent & {rule for rule, _, _ in counted}
    succeeded, published = (health.instant(told[name]) for name in ("succeeded_at", "published_at"))
    assert succeeded is not None
    assert published is not None
    assert found["heed_last_success_timestamp_seconds"] == {(): succeeded.timestamp()}
    assert found["heed_snapshot_timestamp_seconds"] == {(): published.timestamp()}
    assert found["heed_last_run_duration_seconds"] == {(): told["last_run"]["seconds"]}
    # A failed run: what stands still stands, and the success grows old.
    break_delivery(home)
    assert home.heed("run").code == 11
    after = samples(path)
    assert after["heed_last_run_exit_code"] == {(): 11}
    same = ("heed_findings", "heed_violations", "heed_last_success_timestamp_seconds", "heed_quarantined_rows")
    assert {name: after[name] for name in same} == {name: found[name] for name in same}
    assert after["heed_last_run_timestamp_seconds"][()] >= found["heed_last_run_timestamp_seconds"][()]
    assert [one.name for one in home.path.iterdir() if one.name.endswith(".partial")] == []


def test_a_textfile_that_cannot_be_written_changes_nothing_else(home: Home) -> None:
    home.configure(TWO_SOURCES + '[monitoring]\ntextfile = "absent/heed.prom"\n')
    said = home.heed("run")
    assert said.code == 0
    assert "The textfile cannot be written: " in said.err
    assert problems(home) == (0, [])


def test_a_textfile_is_no_other_file(home: Home) -> None:
    home.configure(TWO_SOURCES + '[monitoring]\ntextfile = "history/ledger.jsonl"\n')
    said = home.heed("run")
    assert said.code == 78
    assert "Write a path that ends in .prom" in said.err


def test_a_reader_sees_whole_textfiles_only(first_run: FirstRun, tmp_path: Path) -> None:
    state = health.of(first_run.home.path, 3600)
    path, home = tmp_path / "heed.prom", tmp_path / 'a "home"\\with\nall'
    textfile.write(path, state, home)
    done = threading.Event()

    def write() -> None:
        for hours in range(150):
            at = None if state.succeeded_at is None else state.succeeded_at - timedelta(hours=hours)
            textfile.write(path, replace(state, succeeded_at=at), home)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = 0
    while not done.is_set():
        text = path.read_text(encoding="utf-8")
        families = list(text_string_to_metric_families(text))
        assert families[-1].name == "heed_quarantined_rows"
        assert text.endswith("\n")
        assert {sample.labels["home"] for family in families for sample in family.samples} == {str(home)}
        seen += 1
    writer.join()
    assert seen > 3
