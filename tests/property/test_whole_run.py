"""Whole runs on random homes: files in, answers out, held to the plain-Python reference and to each other."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.support import published
from tests.support.homes import HomePlan, home_plans, plan_home
from tests.support.homes_files import write_home, write_in_batches
from tests.support.reference import Answer, answer, deliveries_of, policy_of
from tests.support.reference_rules import all_findings
from tests.support.rule_findings import of_reference, printed, shown
from tests.support.rule_histories import random_setting, rule_histories
from tests.support.rule_homes import record_of_home, write_rule_home


def made_home(home: Path, seed: str, scope: str) -> Answer:
    random = Random(seed)
    write_home(home, plan_home(random, scope=scope), random)
    return answer(deliveries_of(home), policy_of(home))


def assert_agrees(home: Path, expected: Answer, *, in_process: bool) -> None:
    outcome = json.loads(published.heed(home, "run", "--json", in_process=in_process))
    findings = published.heed_rows(home, "findings", in_process=in_process)
    metrics = published.heed_rows(home, "metrics", in_process=in_process)
    reasons = published.quarantine(home / "published" / Path(outcome["snapshot"]).name)
    different = [
        *published.accounting_differences(home, outcome["inputs"], reasons, expected),
        *published.finding_differences(findings, expected),
        *published.metric_differences(metrics, expected, policy_of(home)),
    ]
    assert not different, "\n".join([f"{policy_of(home)}: {len(different)} differences", *different[:40]])
    assert published.instant(outcome["as_of"]) == expected.as_of
    classes = Counter(finding.finding_class for finding in expected.findings)
    assert outcome["findings"].get("message_after_opt_out", {}) == classes


@pytest.mark.parametrize("scope", ["channel", "person", pytest.param("program", marks=pytest.mark.thorough)])
def test_a_whole_run_gives_the_reference_s_answer(scope: str, tmp_path: Path) -> None:
    assert_agrees(tmp_path, made_home(tmp_path, f"run {scope}", scope), in_process=True)


def test_so_does_the_command_itself(tmp_path: Path) -> None:
    assert_agrees(tmp_path, made_home(tmp_path, "command", "channel"), in_process=False)


@pytest.mark.parametrize(
    "scope",
    ["channel", pytest.param("program", marks=pytest.mark.slow), pytest.param("person", marks=pytest.mark.thorough)],
)
def test_a_whole_run_finds_what_the_reference_finds_by_every_rule(scope: str, tmp_path: Path) -> None:
    random = Random(f"rules {scope}")
    setting = random_setting(random, scope)
    write_rule_home(tmp_path, setting, rule_histories(random, setting, 120), random)
    outcome = json.loads(published.heed(tmp_path, "run", "--json"))
    assert not any(one["quarantined"] for one in outcome["inputs"])
    record = record_of_home(tmp_path)
    assert published.instant(outcome["as_of"]) == record.as_of
    expected = all_findings(record)
    theirs = Counter(printed(row) for row in published.heed_rows(tmp_path, "findings"))
    ours = Counter(of_reference(finding) for finding in expected)
    different = [f"only heed: {shown(row)}" for row in theirs - ours]
    different += [f"only the reference: {shown(row)}" for row in ours - theirs]
    assert not different, "\n".join([f"{setting}: {len(different)} differences", *different[:40]])
    counts = Counter((finding.rule, finding.finding_class) for finding in expected)
    assert {
        (rule, name): count for rule, classes in outcome["findings"].items() for name, count in classes.items()
    } == counts


@pytest.fixture
def one_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same contact keys in every home."""
    monkeypatch.setenv("HEED_KEY", "a key for tests and nothing else")


@given(
    plan=home_plans(message_count=100, event_count=40),
    batches=st.lists(st.lists(st.integers(1, 2), min_size=7, max_size=7), min_size=2, max_size=3),
    dealing=st.integers(0, 2**32),
)
# Shrinking would take many runs of seconds each.
@settings(max_examples=2, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_the_order_and_number_of_loads_change_nothing(
    plan: HomePlan,
    batches: list[list[int]],
    dealing: int,
    tmp_path_factory: pytest.TempPathFactory,
    one_key: None,
) -> None:
    whole, split = tmp_path_factory.mktemp("whole"), tmp_path_factory.mktemp("split")
    write_home(whole, plan, Random(dealing), files_per_source=1)
    expected = json.loads(published.heed(whole, "run", "--json"))
    outcome: dict[str, Any] = {}
    for _ in write_in_batches(split, plan, batches, Random(dealing)):
        outcome = json.loads(published.heed(split, "run", "--json"))
    assert outcome["as_of"] == expected["as_of"]
    theirs = published.snapshot_rows(split / "published" / Path(outcome["snapshot"]).name)
    ours = published.snapshot_rows(whole / "published" / Path(expected["snapshot"]).name)
    for relation, rows in ours.items():
        different = [f"only in one load: {row}" for row in rows - theirs[relation]]
        different += [f"only in several loads: {row}" for row in theirs[relation] - rows]
        assert not different, "\n".join([relation, *different[:10]])
