"""`heed segments`: counts of everybody on record, and the keys of those who are wanted."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import polars
import pytest

from tests.steps.conftest import FirstRun
from tests.support.home import Home


def keys(home: Home, *arguments: str) -> list[dict[str, str]]:
    said = home.heed("segments", "--keys", "--format", "csv", *arguments)
    assert said.code == 0, said.err
    return list(csv.DictReader(io.StringIO(said.out)))


def test_the_counts_are_those_of_the_keys(first_run: FirstRun) -> None:
    home = first_run.home
    counts = json.loads(home.heed("segments", "--format", "json").out)
    rows = keys(home)
    by_channel = Counter((row["channel"], row["segment"]) for row in rows)
    every = Counter(row["segment"] for row in rows)
    assert {(row["channel"], row["segment"]): row["pair_count"] for row in counts} == {
        **by_channel,
        **{("*", segment): count for segment, count in every.items()},
    }
    assert len({(row["contact_key"], row["channel"]) for row in rows}) == len(rows) > 0
    assert all(len(row["contact_key"]) == 16 and int(row["contact_key"], 16) >= 0 for row in rows)


def test_filters_choose_and_no_address_is_printed(first_run: FirstRun) -> None:
    home = first_run.home
    rows = keys(home)
    channel, segment = Counter((row["channel"], row["segment"]) for row in rows).most_common(1)[0][0]
    chosen = keys(home, "--channel", channel, "--segment", segment)
    assert chosen == [row for row in rows if (row["channel"], row["segment"]) == (channel, segment)]
    assert "@" not in str(rows)
    assert "+1" not in str(rows)


def test_a_key_is_the_one_that_findings_name(first_run: FirstRun) -> None:
    findings = json.loads(first_run.home.heed("findings", "--format", "json").out)
    known = {row["contact_key"] for row in keys(first_run.home)}
    named = {row["contact_key"] for row in findings if row["contact_key"] and row["message_id"]}
    assert named
    assert named <= known


def test_parquet_holds_the_same_keys(first_run: FirstRun) -> None:
    command = [sys.executable, "-m", "pipelines.cli", "-C", str(first_run.home.path), "segments", "--keys"]
    told = subprocess.run([*command, "--format", "parquet"], capture_output=True, check=True)
    frame = polars.read_parquet(io.BytesIO(told.stdout))
    assert frame["contact_key"].to_list() == [row["contact_key"] for row in keys(first_run.home)]


@pytest.mark.parametrize(("arguments", "problem"), [
    (("--channel", "fax"), "Nobody on record is on channel fax. Channels on record: "),
    (("--segment", "gone"), "invalid choice: 'gone'"),
])  # fmt: skip
def test_a_wrong_choice_is_said(first_run: FirstRun, arguments: tuple[str, str], problem: str) -> None:
    said = first_run.home.heed("segments", *arguments)
    assert (said.code, said.out) == (64, "")
    assert problem.lower() in said.err.lower()


def test_without_a_snapshot_the_way_to_one_is_said(tmp_path: Path) -> None:
    said = Home(tmp_path).heed("segments")
    assert said.code != 0
    assert "run" in said.err
