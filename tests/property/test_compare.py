"""A random history in two deliveries, a run after each: `heed compare` against both snapshots row by row."""

from __future__ import annotations

import json
import math
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.periods import report_zone
from tests.support.home import Home, without_validation
from tests.support.homes import plan_home
from tests.support.homes_files import write_in_batches

KEY = ("metric", "definition", "grain", "period_start", "channel", "program", "campaign_id", "reason")
NUMBERS = ("numerator", "denominator", "value", "lower", "upper")
Rows = dict[tuple[Any, ...], tuple[float | None, ...]]


def in_two_deliveries(home: Path, random: Random) -> tuple[Path, Path]:
    """A random home whose records come in two batches, run after each: both snapshots."""
    plan = plan_home(random, message_count=200, event_count=90)
    for _ in write_in_batches(home, plan, [[1] * len(plan.sources)] * 2, random):
        assert Home(home).heed("run").code == 0
    then, now = sorted((home / "published").glob("*.duckdb"))
    return then, now


def reported(snapshot: Path) -> tuple[Rows, dict[str, Any], set[str]]:
    """Every measurement by its key, the run's parameters and the ids of its loads."""
    with DuckDBEngine(snapshot, read_only=True) as engine:
        rows = engine.rows(f"select {', '.join((*KEY, *NUMBERS))} from metrics.measurements")
        [parameters] = engine.records("select * from run.parameters")
        loads = {row[0] for row in engine.rows("select load_id from run.inputs")}
    return {row[: len(KEY)]: row[len(KEY) :] for row in rows}, parameters, loads


def differs(one: tuple[float | None, ...] | None, other: tuple[float | None, ...] | None) -> bool:
    if one is None or other is None:
        return one is not other
    return not all(
        left is right or (left is not None and right is not None and math.isclose(left, right, rel_tol=1e-9))
        for left, right in zip(one, other, strict=True)
    )


def period_of(grain: str, start: date | None) -> tuple[date, date] | None:
    """First day of a period and the first after it; None for the whole record."""
    if start is None:
        return None
    if grain == "month":
        return start, (start + timedelta(days=31)).replace(day=1)
    return start, start + timedelta(days={"day": 1, "week": 7}.get(grain) or int(grain.split("_")[1]))


def records(home: Home, zone: str) -> list[tuple[str, str, date, Any]]:
    """Load, channel, local date and instant of every record of history that has a time."""
    instants = {"messages": "sent_at", "consent_events": "requested_at", "inbound_messages": "received_at"}
    return [
        (row["load_id"], row["channel"], row[instant].astimezone(report_zone(zone)).date(), row[instant])
        for table, instant in instants.items()
        for row in home.rows(table)
    ]


def check(path: Path, random: Random) -> int:
    """Hold `heed compare` to both snapshots and to history; returns how many numbers differ."""
    home = Home(path)
    snapshots = in_two_deliveries(path, random)
    (then, parameters_then, loads_then), (now, parameters_now, loads_now) = map(reported, snapshots)
    said = json.loads(home.heed("compare", "--format", "json").out)
    found = {
        (*(row[name] for name in KEY[:3]), day(row["period_start"]), *(row[name] for name in KEY[4:])): row
        for row in said["numbers"]
    }
    assert len(found) == len(said["numbers"])
    assert found.keys() == {key for key in then.keys() | now.keys() if differs(then.get(key), now.get(key))}
    new = loads_now - loads_then
    assert loads_then <= loads_now, "no load was taken back"
    assert {row["load_id"] for row in said["loads"] if row["change"] == "new"} == new
    zone, ended_at = parameters_now["report_timezone"], parameters_then["as_of"]
    ended_on = ended_at.astimezone(report_zone(zone)).date()
    brought = [
        record for record in records(home, zone)
        if record[3] <= parameters_now["as_of"] and (record[0] in new or record[3] > ended_at)
    ]  # fmt: skip
    for key, row in found.items():
        period = period_of(key[2], key[3])
        within = [
            record for record in brought
            if (period is None or period[0] <= record[2] < period[1])
            and (key[4] == "*" or record[1] in ("*", key[4]))
        ]  # fmt: skip
        assert row["loads"] == sorted({record[0] for record in within}), key
        assert ("late_records" in row["why"]) == any(record[3] <= ended_at for record in within), key
        assert ("new_records" in row["why"]) == any(record[3] > ended_at for record in within), key
        was_over = period[1] <= ended_on if period else ended_at == parameters_now["as_of"]
        assert row["is_restated"] == was_over, key
        for side, numbers in (("then", then), ("now", now)):
            values = numbers.get(key, (None,) * len(NUMBERS))
            assert tuple(row[f"{name}_{side}"] for name in NUMBERS) == values, key
        assert row["why"], key
        assert "unexplained" not in row["why"], key
    late = {(row["load_id"], row["month"]) for row in said["late_opt_outs"]}
    assert {load for load, _ in late} <= new
    return len(found)


def day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in range(2, 5))])
def test_every_number_that_differs_is_listed_with_the_loads_that_bear_on_it(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_validation(monkeypatch)
    assert check(tmp_path, Random(seed)) > 0
