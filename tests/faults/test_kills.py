"""A run that is killed leaves the old snapshot or the new one, whole, and the next run makes up for it.

A few moments of each kind, where most is at stake. `make faults` tries hundreds, also by system call.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.harness import Server, Trial

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Trial]:
    """A home with one published load and a delivery waiting."""
    with Server() as server:
        yield Trial(tmp_path_factory.mktemp("trial"), server)


@pytest.mark.parametrize(
    ("kind", "share"),
    [
        ("statement", 0.02),  # while the first file is staged
        ("change", 0.15),  # between two parts of a load
        ("change", 0.5),
        ("sentence", 0.7),  # between two steps
        ("change", 0.8),  # between the line that vouches for the snapshot and the pointer to it
        ("change", 0.9),
    ],
)
def test_a_run_killed_there_loses_nothing(kind: str, share: float, trial: Trial) -> None:
    trial.survive((kind, max(1, round(trial.counts[kind] * share))))
    assert trial.tally.killed[kind] == trial.tally.tried[kind]
    assert trial.tally.rows_lost == 0


def test_a_run_killed_at_some_time_loses_nothing(trial: Trial) -> None:
    trial.survive(("time", 1.5))


def test_the_harness_notices_what_is_wrong(trial: Trial, tmp_path: Path) -> None:
    home = trial.copy()
    part = next((home.path / "history" / "messages").rglob("*.parquet"))
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    with pytest.raises(AssertionError, match="verify"):
        trial._check_reader(home)
