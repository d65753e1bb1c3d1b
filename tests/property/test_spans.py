"""The SQL of spans, findings and counts against the plain-Python reference, on thousands of tiny histories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.engines.duckdb import DuckDBEngine
from tests.support.core_database import as_of, build_core
from tests.support.histories import History, joined, random_histories, random_history, random_policy
from tests.support.reference import Answer, answer_for, merged_events, merged_messages, persons
from tests.support.reference_spans import Policy

SCOPES = ("channel", "program", "person")
Rows = Counter[tuple[object, ...]]


def expected(history: History, policy: Policy) -> Answer:
    messages, events = merged_messages(history.rows["messages"]), merged_events(history.rows["consent_events"])
    person_of = persons(messages, events, history.rows["contacts"])
    return answer_for(messages, events, person_of, as_of(history), policy)


def rows_by_prefix(rows: list[tuple[object, ...]], prefix_of: dict[int, str], key_position: int) -> dict[str, Rows]:
    found: dict[str, Rows] = {}
    for row in rows:
        key = row[key_position]
        assert isinstance(key, int)
        found.setdefault(prefix_of[key], Counter())[row] += 1
    return found


def expected_spans(answer: Answer, keys: dict[str, int]) -> list[tuple[object, ...]]:
    return [
        (
            keys[span.acts[0].contact],
            span.kind,
            span.key.channel,
            span.key.program,
            span.begins_at,
            span.processed_at,
            span.ends_at,
            span.deadline_at,
            span.repeat_count,
            span.has_clock_skew,
            span.acts[0].event_id,
        )
        for span in answer.spans
    ]


SPANS = """
    select contact_key, kind, channel, program, begins_at, processed_at, ends_at, deadline_at, repeat_count,
        has_clock_skew, event_id
    from core.opt_out_spans"""


def expected_findings(answer: Answer, keys: dict[str, int]) -> list[tuple[object, ...]]:
    return [
        (
            finding.message.source,
            finding.message.message_id,
            keys[finding.message.contact],
            finding.finding_class,
            finding.severity,
            finding.message.channel,
            finding.message.program,
            finding.message.campaign_id,
            finding.message.sent_at,
            finding.span.begins_at,
            finding.span.processed_at,
            finding.span.deadline_at,
            finding.delivered,
            finding.span.acts[0].event_id,
        )
        for finding in answer.findings
    ]


FINDINGS = """
    select source, message_id, contact_key, finding_class, severity, channel, program, campaign_id, occurred_at,
        begins_at, processed_at, deadline_at, delivered, event_id
    from audits.findings"""


def disagreements(histories: list[History], policy: Policy, home: Path) -> Iterator[str]:
    """Each history on which SQL and reference differ, the shortest first, with both answers."""
    whole = joined(histories)
    answer = expected(whole, policy)
    with DuckDBEngine() as engine:
        keys = build_core(engine, whole, policy, home)
        spans, findings = engine.rows(SPANS), engine.rows(FINDINGS)
    prefix_of = {key: address[:5] for address, key in keys.items()}
    by_prefix = {str(rows[0]["contact"])[:5]: history for history in histories if (rows := all_rows(history))}
    found = []
    for name, theirs, ours, position in (
        ("spans", spans, expected_spans(answer, keys), 0),
        ("findings", findings, expected_findings(answer, keys), 2),
    ):
        sql, reference = rows_by_prefix(theirs, prefix_of, position), rows_by_prefix(ours, prefix_of, position)
        for prefix in sql.keys() | reference.keys():
            a, b = sql.get(prefix, Counter()), reference.get(prefix, Counter())
            if a != b:
                history = by_prefix[prefix]
                lines = [f"{name} differ under {policy}", str(history), "only in SQL:", *map(shown, a - b)]
                found.append(
                    (len(all_rows(history)), "\n".join([*lines, "only in the reference:", *map(shown, b - a)]))
                )
    yield from (text for _, text in sorted(found))


def all_rows(history: History) -> list[dict[str, object]]:
    return [row for rows in history.rows.values() for row in rows]


def shown(row: tuple[object, ...]) -> str:
    return "  " + ", ".join(map(str, row))


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("scope", SCOPES)
def test_spans_and_findings_are_the_reference_s(scope: str, seed: int, tmp_path: Path) -> None:
    random = Random(f"{scope} {seed}")
    found = list(disagreements(random_histories(random, 400), random_policy(random, scope), tmp_path))
    assert not found, f"{len(found)} of 400 histories; the shortest:\n{found[0]}"


@pytest.mark.parametrize("scope", SCOPES)
def test_counts_are_the_reference_s(scope: str, tmp_path: Path) -> None:
    random = Random(f"counts {scope}")
    policy = random_policy(random, scope)
    whole = joined(random_histories(random, 60))
    answer = expected(whole, policy)
    with DuckDBEngine() as engine:
        build_core(engine, whole, policy, tmp_path)
        rates = {
            row[:5]: row[5:]
            for row in engine.rows(
                "select grain, period_start, channel, program, campaign_id, numerator, denominator"
                " from (select * from metrics.opt_out_rate union all select * from metrics.opt_out_rate_rolling)"
            )
        }
        not_reached = {
            row[:3]: row[3]
            for row in engine.rows("select grain, period_start, channel, numerator from metrics.opt_outs_not_reached")
        }
        reasons = {
            row[:4]: row[4:]
            for row in engine.rows(
                "select grain, period_start, channel, reason, numerator, denominator from metrics.feedback_reasons"
            )
        }
        durations = engine.rows(
            "select channel, month_start, duration_seconds, is_processed from metrics.response_time"
        )
    assert rates == answer.opt_out_rates
    assert {key: counts for key, counts in reasons.items() if counts[0]} == answer.feedback_reasons
    if scope != "person":
        expected_counts = {place[:3]: count for place, (count, _) in answer.opt_outs_not_reached.items()}
        assert {place: count for place, count in not_reached.items() if count} == expected_counts
    assert Counter(row[3] for row in durations) == Counter(
        span.processed_at is not None for span in answer.spans if span.kind == "opt_out"
    )


@pytest.mark.parametrize("scope", SCOPES)
@given(random=st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
def test_any_history_gives_the_reference_s_spans(scope: str, tmp_path: Path, random: Random) -> None:
    policy = random_policy(random, scope)
    found = list(disagreements([random_history(random, "00000", 5, 5)], policy, tmp_path))
    assert not found, found[0]
