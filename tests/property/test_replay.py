"""Findings of random homes are found again by their rules' own SQL, over one contact alone and over all at once."""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest

from dashboard import replay, snapshot
from pipelines.engines.duckdb import DuckDBEngine
from tests.support import published
from tests.support.home import without_validation
from tests.support.rule_histories import random_setting, rule_histories
from tests.support.rule_homes import write_rule_home

CONTACTS_OF_A_RULE = 6


@pytest.fixture(
    params=["channel", *(pytest.param(scope, marks=pytest.mark.thorough) for scope in ("program", "person"))]
)
def chosen(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> snapshot.Published:
    """The snapshot of a home in which most rules find something, under one scope."""
    without_validation(monkeypatch)
    random = Random(f"replay {request.param}")
    setting = random_setting(random, request.param)
    write_rule_home(tmp_path, setting, rule_histories(random, setting, 50), random)
    published.heed(tmp_path, "run", "--json")
    monkeypatch.setenv("HEED_HOME", str(tmp_path))
    return snapshot.read_pointer()


def test_findings_are_found_again(chosen: snapshot.Published) -> None:
    found: dict[tuple[str, int | None], list[dict[str, Any]]] = defaultdict(list)
    for row in snapshot.read_uncached(chosen, "select * from audits.findings").to_pylist():
        found[(row["rule"], row["contact_key"])].append(row)
    assert len({rule for rule, _ in found}) >= 12
    tried: Counter[str] = Counter()
    for (rule, key), rows in found.items():
        tried[rule] += 1
        if tried[rule] > CONTACTS_OF_A_RULE:
            continue
        again = replay.replay(chosen, rows[0])
        counts = (again.published_count, again.again_count, again.other_count)
        assert again.is_same, (rule, key, again.differs)
        assert counts == (len(rows), len(rows), 0), (rule, key)


def test_the_snapshot_answers_the_sql_as_it_stands(chosen: snapshot.Published) -> None:
    with DuckDBEngine(chosen.path, read_only=True) as engine:
        for rule, sql in engine.rows("select rule, sql from run.audit_rules"):
            columns = ", ".join(engine.columns(sql))
            theirs = engine.rows(f"select {columns} from audits.findings where rule = '{rule}' order by all")
            assert engine.rows(f"select {columns} from ({sql}) order by all") == theirs, rule
