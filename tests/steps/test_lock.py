"""One process at a time changes a home; who finds it held is told by whom, and may wait."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipelines import lock
from pipelines.errors import LockedError
from tests.support.home import Home

HOLD = """
import sys, time
from pathlib import Path
from pipelines.lock import home_lock
with home_lock(Path(sys.argv[1]), "repair"):
    print("held", flush=True)
    time.sleep(float(sys.argv[2]))
"""


@contextmanager
def held(home: Path, seconds: float) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a home's lock for so long."""
    command = [sys.executable, "-c", HOLD, str(home), str(seconds)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_who_holds_the_home_is_named(home: Home) -> None:
    with held(home.path, 60) as process:
        said = home.heed("run")
        told = json.loads((home.path / ".lock").read_text())
        assert (said.code, said.out, said.err.count("\n")) == (75, "", 1)
        assert f"is held by heed repair (process {process.pid}, since {told['since']})" in said.err
        assert "--wait" in said.err
    # It is no run of this home that failed.
    assert home.heed("health").code == 0


def test_a_run_waits_for_the_lock(home: Home) -> None:
    with held(home.path, 1.5):
        said = home.heed("run", "--wait", "30s")
    assert said.code == 0
    assert said.err.count("Waiting at most 30 s for heed repair (process") == 1


def test_a_run_waits_at_most_so_long(home: Home) -> None:
    begun = time.monotonic()
    with held(home.path, 60):
        said = home.heed("run", "--wait", "1s")
        took = time.monotonic() - begun
    assert said.code == 75
    assert 1 <= took < 20


@pytest.mark.parametrize("text", ["soon", "0s", "-1s", "5", "1bd"])
def test_a_wait_is_a_duration(text: str, home: Home) -> None:
    said = home.heed("run", f"--wait={text}")
    assert said.code == 64
    assert "is no duration" in said.err


def test_the_lock_goes_with_its_process(tmp_path: Path) -> None:
    with held(tmp_path, 60) as process:
        assert lock.holder(tmp_path) is not None
        process.kill()
        process.wait()
        assert lock.holder(tmp_path) is None
        with lock.home_lock(tmp_path):
            pass
    assert (tmp_path / ".lock").read_text() == ""


def test_looking_never_keeps_a_run_out(tmp_path: Path) -> None:
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            lock.holder(tmp_path)

    lookers = [threading.Thread(target=look) for _ in range(3)]
    for one in lookers:
        one.start()
    try:
        for _ in range(100):
            with lock.home_lock(tmp_path):
                pass
    finally:
        done.set()
        for one in lookers:
            one.join()


def test_the_lock_is_not_taken_twice_in_one_process(tmp_path: Path) -> None:
    with lock.home_lock(tmp_path, "run"), pytest.raises(LockedError, match="heed run"), lock.home_lock(tmp_path):
        pass


def test_a_link_in_place_of_the_lock_is_refused(home: Home) -> None:
    victim = home.path / "victim"
    victim.write_text("precious")
    (home.path / ".lock").unlink()
    (home.path / ".lock").symlink_to(victim)
    said = home.heed("run")
    assert (said.code, victim.read_text()) == (78, "precious")
    assert str(home.path / ".lock") in said.err
