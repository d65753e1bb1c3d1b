"""Every definition of opt-outs per message and of list churn against plain Python, on thousands of tiny histories."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import polars
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines import sqlfiles
from pipelines.engines.duckdb import DuckDBEngine
from pipelines.measures.definitions import measure
from pipelines.measures.periods import read_record
from pipelines.statistics.intervals import wilson_interval
from tests.support import reference_definitions as reference
from tests.support.core_database import as_of, build_core
from tests.support.histories import History, joined, random_histories, random_history, random_policy
from tests.support.reference import merged_events, merged_messages, persons
from tests.support.reference_definitions import Ratios
from tests.support.reference_spans import Policy, spans

# A message on the six-hour grid moved so late is three hours, or two, before the next point; to the microsecond.
LATER = [timedelta(), timedelta(), timedelta(hours=3), timedelta(hours=3, microseconds=-1), timedelta(hours=2)]
SCOPES = ("channel", "program", "person")
COUNTS = (
    "message_counts", "definitions", "counted_opt_outs", "opt_out_rate_per_message", "unattributed_share", "list_churn",
)  # fmt: skip


def with_names(random: Random, history: History) -> History:
    """The history with consent events that name messages and campaigns, and say how they came."""
    ids = [row["message_id"] for row in history.rows["messages"]]
    for row in history.rows["consent_events"]:
        row["message_id"] = random.choice([None, None, None, "nobody's", *ids])
        row["campaign_id"] = random.choice([None, None, None, "spring", "autumn"])
        row["method"] = random.choice([None, "keyword", "link", "agent"])
    for row in history.rows["messages"]:
        row["sent_at"] += random.choice(LATER)
    return history


def measured(engine: DuckDBEngine, history: History, policy: Policy, home: Path) -> polars.DataFrame:
    build_core(engine, history, policy, home)
    for file in sqlfiles.load("metrics"):
        if file.name in COUNTS or file.relation in wanted_by_counts():
            engine.create(file.relation, file.text)
    return measure(engine, read_record(engine))


def wanted_by_counts() -> set[str]:
    """What the counts read of their own layer."""
    return {
        name for counts in COUNTS for name in sqlfiles.read(f"metrics.{counts}").reads if name.startswith("metrics.")
    }


def expected(history: History, policy: Policy) -> Mapping[str, Ratios]:
    messages, events = merged_messages(history.rows["messages"]), merged_events(history.rows["consent_events"])
    person_of = persons(messages, events, history.rows["contacts"])
    found = spans(messages, events, person_of, policy)
    named = reference.named_by(history.rows["consent_events"])
    opt_outs = reference.opt_outs(messages, found, named)
    return {
        "opt_out_rate_per_message": reference.per_message(messages, opt_outs, policy),
        "unattributed_share": reference.unattributed(opt_outs, policy),
        "list_churn": reference.list_churn(messages, events, found, person_of, as_of(history), policy),
    }


def differences(measurements: polars.DataFrame, answer: Mapping[str, Ratios]) -> list[str]:
    different = []
    for metric, ratios in answer.items():
        rows = measurements.filter(polars.col("metric") == metric).to_dicts()
        ours = {place_of(row): (int(row["numerator"]), int(row["denominator"])) for row in rows}
        assert len(ours) == len(rows), "two measurements of one place"
        for place in sorted({*ours, *ratios}, key=str):
            # What the one leaves out the other counts as nothing of nothing.
            if ours.get(place, (0, 0)) != ratios.get(place, (0, 0)):
                different.append(f"{metric} {place}: heed {ours.get(place)}, reference {ratios.get(place)}")
    return different


def place_of(row: dict[str, Any]) -> reference.Place:
    names = ("definition", "grain", "period_start", "channel", "program", "campaign_id")
    return tuple(row[name] for name in names)


def assert_values_follow(measurements: polars.DataFrame) -> None:
    """Each value is its quotient; Wilson's interval stands where there can be one, and nowhere else."""
    for row in measurements.to_dicts():
        k, n = row["numerator"], row["denominator"]
        assert row["value"] == (k / n if n else None), row
        lower, upper = (float(end[0]) for end in wilson_interval(k, n)) if n > 0 and k <= n else (None, None)
        assert (row["lower"], row["upper"]) == (lower, upper), row


@pytest.mark.parametrize("scope", SCOPES)
def test_every_definition_gives_the_reference_s_ratios(scope: str, tmp_path: Path) -> None:
    random = Random(f"definitions {scope}")
    policy = random_policy(random, scope)
    history = with_names(random, joined(random_histories(random, 60, event_count=9, message_count=9)))
    with DuckDBEngine() as engine:
        measurements = measured(engine, history, policy, tmp_path)
    different = differences(measurements, expected(history, policy))
    assert not different, "\n".join([f"{policy}: {len(different)} differences", *different[:20]])
    assert_values_follow(measurements)
    counted = measurements.filter(polars.col("numerator") > 0)["definition"].unique()
    assert set(counted) == set(reference.DEFINITIONS)


@pytest.mark.slow
@given(seed=st.integers(0, 2**32), scope=st.sampled_from(SCOPES))
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_so_it_does_on_any_tiny_history(seed: int, scope: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    random = Random(seed)
    policy = random_policy(random, scope)
    history = with_names(random, random_history(random, "x", 8, 8))
    with DuckDBEngine() as engine:
        measurements = measured(engine, history, policy, tmp_path_factory.mktemp("home"))
    different = differences(measurements, expected(history, policy))
    assert not different, "\n".join([str(policy), str(history), *different[:20]])
