"""The log: one JSON line for each event, of bounded size, without addresses; a run does not stop for it."""

from __future__ import annotations

import json
import multiprocessing
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipelines.event_log import EARLIER, NAME, EventLog
from pipelines.settings_operations import Log
from tests.steps.conftest import FirstRun
from tests.support.example_home import CANARIES
from tests.support.home import TWO_SOURCES, Home

FOLDER = "operations"


def lines(text: str) -> list[dict[str, Any]]:
    """Every line of a log."""
    return [json.loads(line) for line in text.splitlines()]


def log_of(home: Home) -> list[dict[str, Any]]:
    """Every line of a home's log."""
    return lines((home.path / FOLDER / NAME).read_text())


def test_a_run_tells_every_event(first_run: FirstRun) -> None:
    told, log = first_run.said.json(), log_of(first_run.home)
    steps = ["load", "build", "audit", "measure", "validate", "publish"]
    assert [line["event"] for line in log] == ["run_begun", *["file_loaded"] * 2, *["step_done"] * 6, "run_done"]
    assert {line["run_id"] for line in log} == {told["run_id"]}
    assert [line["at"] for line in log] == sorted(line["at"] for line in log)
    assert [line["step"] for line in log if line["event"] == "step_done"] == steps
    assert {line["step"]: line["seconds"] for line in log if "step" in line} == told["seconds"]
    inputs = {one["load_id"]: one for one in told["inputs"]}
    for line in (line for line in log if line["event"] == "file_loaded"):
        expected = inputs.pop(line["load_id"])
        for kind in ("read", "accepted", "duplicate", "quarantined"):
            assert line[f"{kind}_count"] == expected[kind]
    assert inputs == {}
    assert log[-1]["exit_code"] == 0
    assert log[-1]["seconds"] > sum(told["seconds"].values())


def test_an_error_is_told_by_its_class_and_code(home: Home) -> None:
    home.deliver({"m+12025550101.parquet": "anna.canary@example.com"})
    assert home.heed("run").code == 11
    begun, failed = log_of(home)[-2:]
    assert (begun["event"], failed["event"]) == ("run_begun", "run_failed")
    assert (failed["exit_code"], failed["error"], failed["run_id"]) == (11, "UnreadableInputError", begun["run_id"])
    text = (home.path / FOLDER / NAME).read_text()
    assert [canary for canary in CANARIES if canary in text] == []


def test_the_log_goes_where_it_is_told(settled_home: Home) -> None:
    before = (settled_home.path / FOLDER / NAME).read_bytes()
    settled_home.configure(TWO_SOURCES + '[log]\nto = "stderr"\n')
    said = settled_home.heed("run")
    told = lines("\n".join(line for line in said.err.splitlines() if line.startswith("{")))
    assert [line["event"] for line in told] == ["run_begun", "step_done", "nothing_new", "run_done"]
    settled_home.configure(TWO_SOURCES + '[log]\nto = "none"\n')
    assert "{" not in settled_home.heed("run").err
    assert (settled_home.path / FOLDER / NAME).read_bytes() == before


def test_a_run_before_its_settings_can_be_read_is_told_of(home: Home) -> None:
    home.configure(TWO_SOURCES, policy='scope = "everybody"')
    assert home.heed("run").code == 78
    assert (log_of(home)[-1]["event"], log_of(home)[-1]["error"]) == ("run_failed", "ConfigurationError")
    (home.path / "heed.toml").write_text("[policy")
    assert home.heed("run").code == 78
    assert log_of(home)[-1]["exit_code"] == 78


def test_nothing_is_written_where_there_is_no_home(tmp_path: Path) -> None:
    assert Home(tmp_path).heed("run").code == 78
    assert list(tmp_path.iterdir()) == []


def write(folder: Path, who: int, count: int) -> None:
    """Write so many lines, as one process of several."""
    log = EventLog(folder, Log(max_megabytes=1), pytest.fail)
    for number in range(count):
        log("test", who=who, number=number, filler="x" * 300)


def test_the_size_is_bounded_whoever_writes(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=write, args=(tmp_path, who, 1500)) for who in range(3)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
        assert one.exitcode == 0
    sizes = [(tmp_path / name).stat().st_size for name in (EARLIER, NAME)]
    assert sizes[0] <= 1_000_000
    assert sizes[1] <= 1_000_000
    kept = lines((tmp_path / EARLIER).read_text()) + lines((tmp_path / NAME).read_text())
    # Every line is whole, and those of each writer are its last ones, in order.
    for who in range(3):
        numbers = [line["number"] for line in kept if line["who"] == who]
        assert numbers == list(range(1500 - len(numbers), 1500))
    assert len(kept) > 2000


def test_a_torn_line_spoils_no_other(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text('{"event": "torn')
    EventLog(tmp_path, Log(), pytest.fail)("whole")
    torn, whole = (tmp_path / NAME).read_text().splitlines()
    assert torn == '{"event": "torn'
    assert json.loads(whole)["event"] == "whole"


def test_a_full_disk_does_not_stop_a_run(settled_home: Home) -> None:
    path = settled_home.path / FOLDER / NAME
    path.write_text('{"event": "before"}\n' * 2000)
    size = path.stat().st_size
    # No file may grow beyond a few bytes more: what a full disk looks like to a program.
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.cli", "-C", str(settled_home.path), "run"],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size + 40, size + 40)),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count(f"{path} cannot be written: ") == 1
    assert path.stat().st_size == size
    assert len(lines(path.read_text())) == 2000


def test_a_link_in_place_of_the_log_is_not_followed(home: Home) -> None:
    path = home.path / FOLDER / NAME
    (home.path / "victim").write_text("precious")
    path.unlink()
    path.symlink_to(home.path / "victim")
    said = home.heed("run")
    assert said.code == 0
    assert f"{path} cannot be written" in said.err
    assert (home.path / "victim").read_text() == "precious"
