"""The SQL of every rule against the plain-Python reference, on hundreds of tiny histories, and against itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipelines.engines.duckdb import DuckDBEngine
from tests.support.core_database import as_of, build_audited
from tests.support.histories import History
from tests.support.reference_record import record_of
from tests.support.reference_rules import all_findings
from tests.support.rule_findings import COLUMNS, Found, compared, of_reference, shown
from tests.support.rule_histories import Setting, joined, random_setting, rule_histories

SCOPES = ("channel", "program", "person")
#: Rules that judge marketing; a message inside a span is none of theirs.
MARKETING_RULES = frozenset(
    {
        "message_without_consent",
        "message_before_confirmation",
        "message_in_quiet_hours",
        "message_over_frequency_cap",
        "message_without_opt_out_instructions",
    }
)
CONFIRMATION_RULES = frozenset({"confirmation_late", "confirmation_repeated", "confirmation_with_marketing"})


def findings(engine: DuckDBEngine) -> Counter[Found]:
    return Counter(map(compared, engine.records(f"select {', '.join(COLUMNS)} from audits.findings")))


def prefix_of(row: Found) -> str:
    """Which history a finding is of: every name in one begins with the same five digits."""
    told = dict(zip(COLUMNS, row, strict=True))
    return str(told["message_id"] or told["event_id"] or told["campaign_id"])[:5]


def disagreements(histories: list[History], setting: Setting, home: Path) -> list[str]:
    """Each history on which SQL and reference differ, the shortest first, with both answers."""
    whole = joined(histories)
    with DuckDBEngine() as engine:
        keys = build_audited(engine, whole, setting.policy, setting.book, home, setting.judged_at)
        theirs = findings(engine)
    record = record_of(whole.rows, setting.policy, setting.book, setting.judged_at or as_of(whole))
    ours = Counter(of_reference(finding, keys) for finding in all_findings(record))
    only_theirs, only_ours = theirs - ours, ours - theirs
    texts = {text[:5]: text for history in histories if (text := by_prefix(history))}
    found = []
    for prefix in {prefix_of(row) for row in only_theirs + only_ours}:
        lines = [f"under {setting.policy}", texts[prefix]]
        for name, rows in (("only in SQL:", only_theirs), ("only in the reference:", only_ours)):
            lines += [name, *(shown(row) for row in rows.elements() if prefix_of(row) == prefix)]
        found.append("\n".join(lines))
    return sorted(found, key=len)


def by_prefix(history: History) -> str:
    """A history after its prefix; nothing for an empty one."""
    for rows in history.rows.values():
        for row in rows:
            for column in ("message_id", "event_id", "inbound_id", "campaign_id"):
                if row.get(column):
                    return f"{str(row[column])[:5]}\n{history}"
    return ""


#: The first seed is tried at every keystroke, the others where there is time.
SEEDS = [
    0, *(pytest.param(seed, marks=pytest.mark.thorough) for seed in (1, 2, 3)),
]  # fmt: skip


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("scope", SCOPES)
def test_findings_are_the_reference_s(scope: str, seed: int, tmp_path: Path) -> None:
    random = Random(f"rules {scope} {seed}")
    setting = random_setting(random, scope)
    found = disagreements(rule_histories(random, setting, 250), setting, tmp_path)
    assert not found, f"{len(found)} of 250 histories; the shortest:\n{found[0]}"


@pytest.mark.parametrize("scope", SCOPES)
@given(random=st.randoms(use_true_random=False))
# Shrinking would take hundreds of databases.
@settings(max_examples=4, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
def test_any_book_and_history_give_the_reference_s_findings(scope: str, tmp_path: Path, random: Random) -> None:
    setting = random_setting(random, scope)
    found = disagreements(rule_histories(random, setting, 8), setting, tmp_path)
    assert not found, found[0]


@pytest.mark.slow
def test_every_rule_and_severity_is_met() -> None:
    """The histories are worth comparing: by these seeds each rule finds something, and consent in every weight."""
    met: Counter[tuple[str, str]] = Counter()
    for scope in SCOPES:
        for seed in range(4):
            random = Random(f"rules {scope} {seed}")
            setting = random_setting(random, scope)
            whole = joined(rule_histories(random, setting, 250))
            record = record_of(whole.rows, setting.policy, setting.book, setting.judged_at or as_of(whole))
            met.update((finding.rule, finding.finding_class) for finding in all_findings(record))
    assert {pair for pair, count in met.items() if count < 5} == set()
    assert len({rule for rule, _ in met}) == 16
    assert {name for rule, name in met if rule == "message_in_quiet_hours"} == {"certain", "possible", "unknown"}
    assert {name for rule, name in met if rule == "message_over_frequency_cap"} == {"over_policy_cap", "over_legal_cap"}


@pytest.mark.parametrize(
    "scope", ["channel", *(pytest.param(scope, marks=pytest.mark.slow) for scope in ("program", "person"))]
)
def test_no_message_is_found_twice_for_one_cause(scope: str, tmp_path: Path) -> None:
    random = Random(f"once {scope}")
    setting = random_setting(random, scope)
    with DuckDBEngine() as engine:
        whole = joined(rule_histories(random, setting, 400))
        build_audited(engine, whole, setting.policy, setting.book, tmp_path, setting.judged_at)
        rows = engine.rows(
            "select source, message_id, rule from audits.findings"
            " where message_id is not null and rule <> 'opt_out_request_missed'"
        )
    rules_of: dict[tuple[str, str], list[str]] = {}
    for source, message_id, rule in rows:
        rules_of.setdefault((source, message_id), []).append(rule)
    assert len(rules_of) > 100
    for message, rules in rules_of.items():
        assert excess(rules) == "", (message, rules)


def excess(rules: Iterable[str]) -> str:
    """Why these rules may not all blame one message; nothing where they may."""
    counts = Counter(rules)
    found = counts.keys()
    if max(counts.values()) > 1:
        return "one rule twice"
    if "message_after_opt_out" in found and found & (MARKETING_RULES | CONFIRMATION_RULES):
        return "an opt-out, and what an opt-out explains"
    if {"message_without_consent", "message_before_confirmation"} <= found:
        return "no consent, and consent not confirmed"
    if {"confirmation_late", "confirmation_repeated"} <= found:
        return "first and not first"
    return "marketing and a confirmation" if found & MARKETING_RULES and found & CONFIRMATION_RULES else ""
